"""What is asked of a network whose numbers can be moved: the probabilities of some outcomes after evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.case import Case, parse_case
from rootcause.engine import Drawn, Engine, Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.sensitivity.subjects import EntryRange, Subject, subject_of_engine, subject_of_model
from rootcause.structure import CAUSES

if TYPE_CHECKING:
    from rootcause.model import Model

Array = NDArray[np.float64]
Findings = Mapping[str, Any] | Case
"""By node, what was observed; or, of the model, a case."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of a subject: the probabilities of some outcomes after evidence.

    Attributes:
        subject: The network.
        observed: By node, what was observed.
        outcomes: By name, the node and the state of each outcome; of the model, all causes.
        exclusive: Whether the outcomes are the states of one node.
    """

    subject: Subject
    observed: Mapping[str, Observation]
    outcomes: Mapping[str, tuple[str, str]]
    exclusive: bool

    @cached_property
    def weights(self) -> dict[str, Array]:
        """The evidence as likelihoods."""
        return self.subject.engine.weights(self.observed)

    @property
    def names(self) -> tuple[str, ...]:
        """All nodes that evidence or an outcome is about."""
        return (*self.weights, *dict.fromkeys(node for node, _ in self.outcomes.values()))

    def ids(self) -> tuple[str, ...]:
        """Return the numbers in tables that the answer hangs on."""
        return self.subject.numbers(self.names)

    def posteriors(self, drawn: Drawn | None = None) -> Array:
        """Return the posterior of each outcome, shape ``(outcomes, draws)``; zero in a draw that is impossible.

        Raises:
            ImpossibleEvidenceError: If the evidence has probability zero in every draw.
        """
        return self.answer(drawn)[0]

    def answer(self, drawn: Drawn | None = None) -> tuple[Array, Array]:
        """Return ``posteriors`` and ln P(evidence), shape ``(draws,)``."""
        engine = self.subject.engine
        nodes = dict.fromkeys(node for node, _ in self.outcomes.values())
        found = engine.marginals(self.weights, nodes, drawn)
        rows = [found.posterior[node][engine.states[node].index(state)] for node, state in self.outcomes.values()]
        return np.stack(rows), found.log_evidence

    def none(self, log_evidence: Array, drawn: Drawn | None = None) -> Array | None:
        """Return P(none of the outcomes | evidence), shape ``(draws,)``; ``None`` where they exclude each other."""
        if self.exclusive:
            return None
        engine = self.subject.engine
        absent = dict(self.weights)
        for node, state in self.outcomes.values():
            own = engine.weights({node: state})[node]
            absent[node] = absent.get(node, np.ones(len(own))) * (1 - own)
        none: Array = np.minimum(np.exp(engine.log_probability(absent, drawn) - log_evidence), 1.0)
        return none


def ask(
    subject: "Model | Engine",
    findings: Findings,
    target: str | None = None,
    state: str | None = None,
    ranges: Sequence[EntryRange] = (),
) -> tuple[Question, str]:
    """Return a question and the name of the outcome that it is about first of all.

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        target: Of a model, a cause (left out: the leading one); else a node.
        state: Of a network, a state of the target; left out: the leading one.
        ranges: Of a network, the entries that have a range.

    Raises:
        InvalidInputError: If a node, state, cause or range is unknown or breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if isinstance(subject, Engine):
        if target is None:
            raise InvalidInputError("target: must name a node of the network, got none")
        subject.weights({target: subject.states[target][0]} if target in subject.states else {target: ""})
        outcomes = {str(own): (target, own) for own in subject.states[target]}
        question = Question(subject_of_engine(subject, ranges), dict(findings), outcomes, exclusive=True)  # type: ignore[arg-type]
        return question, _chosen(question, state, "state")
    if ranges:
        raise InvalidInputError("ranges: must be left out for a model, whose numbers have ranges of their own")
    case = findings if isinstance(findings, Case) else parse_case(findings)
    outcomes = {cause: (cause, "present") for cause in CAUSES}
    question = Question(subject_of_model(subject), case.observations, outcomes, exclusive=False)
    return question, _chosen(question, target, "cause")


def _chosen(question: Question, wanted: str | None, kind: str) -> str:
    if wanted is None:
        values = question.posteriors()[:, 0]
        return list(question.outcomes)[int(values.argmax())]
    if wanted not in question.outcomes:
        hint = nearest(wanted, question.outcomes)
        raise InvalidInputError(f"{kind}: must be one of {', '.join(question.outcomes)}, got {wanted!r}{hint}")
    return wanted
