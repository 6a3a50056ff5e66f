"""Do the observations fit together? Conflict, and the surprise of each given the others, for any compiled network."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rootcause.engine import Engine, Observation
from rootcause.engine.evidence import weight_of
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError

_RIVALS = 2
_ROUNDING = 1e-9
"""Size up to which a score is the rounding of a sum of logarithms, and counts as 0."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """One observation, before and after the others.

    Attributes:
        name: The node.
        alone: P(it | what is given), in (0, 1]; of a likelihood, the mean over the states, its largest taken as 1.
        given_others: P(it | what is given and all other observations), by fast retraction (Cowell & Dawid 1992).
        drop: ln of ``alone`` over ``given_others``: above 0 where the others make it less likely.
    """

    name: str
    alone: float
    given_others: float
    drop: float


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whether a hypothesis explains a conflict: Jensen's conflict with it among the observations is not above 0.

    Attributes:
        name: The node.
        state: Its state in the hypothesis.
        prior: P(hypothesis | what is given).
        posterior: P(hypothesis | what is given and observed).
        score: The conflict with the hypothesis added, in nats; ``None`` where the hypothesis cannot hold.
        resolves: Whether that is 0 or less.
    """

    name: str
    state: str
    prior: float
    posterior: float
    score: float | None
    resolves: bool


@dataclass(frozen=True, slots=True)
class ConflictReport:
    """How far observations pull against each other.

    Attributes:
        score: ln of the product of P(observation | given) over P(all observations | given), in nats: above 0 they
            surprise each other, below 0 they support each other (Jensen, Chamberlain, Nordahl & Jensen 1990).
        log_evidence: ln P(all observations | given).
        findings: Each observation, in their order.
        suspect: Where the score is above 0, the observation with the largest drop: the one to look at again.
        hypotheses: The hypotheses asked about, in their order.
    """

    score: float
    log_evidence: float
    findings: tuple[Surprise, ...]
    suspect: str | None
    hypotheses: tuple[Resolution, ...]

    @property
    def resolved_by(self) -> tuple[Resolution, ...]:
        """Hypotheses under which a conflict goes away, the most probable first; none where there is no conflict."""
        if self.score <= 0:
            return ()
        return tuple(sorted((item for item in self.hypotheses if item.resolves), key=lambda item: -item.posterior))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "score": self.score,
            "suspect": self.suspect,
            "log_evidence": self.log_evidence,
            "findings": [
                {"id": one.name, "alone": one.alone, "given_others": one.given_others, "drop": one.drop}
                for one in self.findings
            ],
            "resolved_by": [
                {"id": one.name, "state": one.state, "posterior": one.posterior, "score": one.score}
                for one in self.resolved_by
            ],
        }


def conflict(
    engine: Engine,
    evidence: Mapping[str, Observation],
    given: Mapping[str, Observation] | None = None,
    hypotheses: Iterable[tuple[str, str]] = (),
) -> ConflictReport:
    """Return how far observations pull against each other, and what would reconcile them.

    Args:
        engine: A compiled network.
        evidence: What was observed; a list or table of likelihoods counts as in ``Engine.log_evidence``.
        given: The situation in which it was, conditioned on throughout; names none of the observed nodes.
        hypotheses: Nodes, each with a state, that might explain a conflict.

    Raises:
        InvalidInputError: If a node or state is unknown, a node is both observed and given, or a hypothesis is about
            one of these.
        ImpossibleEvidenceError: If evidence and what is given have probability zero together.
    """
    before = {name: seen for name, seen in (given or {}).items() if seen is not None}
    found = {name: seen for name, seen in evidence.items() if seen is not None}
    asked = tuple(hypotheses)
    _check(engine, before, found, asked)
    everything = {**before, **found}
    cases = [before, everything]
    cases += [{**before, name: seen} for name, seen in found.items()]
    cases += [{other: seen for other, seen in everything.items() if other != name} for name in found]
    columns = {name: [case.get(name) for case in cases] for name in everything}
    logs = engine.run_batch(columns, ()).log_evidence if columns else np.zeros(len(cases))
    if logs[1] == -math.inf:
        raise ImpossibleEvidenceError(engine.clash(engine.weights(everything)))
    log_given, log_all = float(logs[0]), float(logs[1])
    alone = (logs[2 : 2 + len(found)] - log_given).tolist()
    given_others = (log_all - logs[2 + len(found) :]).tolist()
    findings = tuple(
        Surprise(name, _probability(first), _probability(then), first - then)
        for name, first, then in zip(found, alone, given_others, strict=True)
    )
    score = _rounded(math.fsum(alone) - (log_all - log_given)) if len(found) >= _RIVALS else 0.0
    suspect = max(findings, key=lambda one: one.drop).name if score > 0 else None
    return ConflictReport(
        score, log_all - log_given, findings, suspect, _resolutions(engine, (before, everything), asked, score)
    )


def _probability(log: float) -> float:
    return min(1.0, math.exp(log))


def _rounded(score: float) -> float:
    return score if abs(score) > _ROUNDING else 0.0


def _check(
    engine: Engine,
    given: Mapping[str, Observation],
    found: Mapping[str, Observation],
    hypotheses: Iterable[tuple[str, str]],
) -> None:
    for name in found:
        if name in given:
            raise InvalidInputError(f"evidence: must not name what is given, got {name!r} in both")
    for name, state in hypotheses:
        weight_of(name, state, engine.states)  # says what is unknown
        if name in found or name in given:
            raise InvalidInputError(f"hypotheses: must be about nodes that are not observed, got {name!r}")


def _resolutions(
    engine: Engine, cases: tuple[Mapping[str, Observation], ...], asked: tuple[tuple[str, str], ...], score: float
) -> tuple[Resolution, ...]:
    """Return what each hypothesis does to the conflict: it adds ln P(h | given) - ln P(h | evidence, given)."""
    if not asked:
        return ()
    names = dict.fromkeys(name for case in cases for name in case)
    targets = dict.fromkeys(name for name, _ in asked)
    columns = {name: [case.get(name) for case in cases] for name in names}
    found = engine.run_batch(columns, targets).posterior
    result = []
    for name, state in asked:
        at = engine.states[name].index(state)
        prior, posterior = (float(row[at]) for row in (found[name] if columns else np.repeat(found[name], 2, axis=0)))
        with_it = _rounded(score + math.log(prior / posterior)) if prior > 0 and posterior > 0 else None
        result.append(Resolution(name, state, prior, posterior, with_it, with_it is not None and with_it <= 0))
    return tuple(result)
