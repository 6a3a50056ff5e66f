"""What an answer owes to the structure of the network: the same question after one edit or another.

For each edit: the posteriors, whether another outcome leads, how far the odds of the outcome moved, and how far the
network itself moved, by the Kullback-Leibler divergence of the joint distribution (which is a sum over the tables that
changed) and by the distance of Chan & Darwiche 2005, which bounds the change of the odds of any question.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.edits import (
    AddArc,
    DropArc,
    DropLeak,
    DropParent,
    Edit,
    SamePatients,
    reasons,
)
from rootcause.sensitivity.questions import Findings, Question, ask
from rootcause.structure import base_of
from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]

TECHNIQUE = "procedure"
"""The context of the model that says how the patient was operated on."""

_LARGEST_FAMILY = 200_000


@dataclass(frozen=True, slots=True)
class Change:
    """What one edit does.

    Attributes:
        edit: The edit, in words.
        possible: Whether the evidence can still happen; without it there are no posteriors.
        posterior: Of the outcome that is asked for.
        every: By outcome, its posterior.
        leading: The outcome that is first.
        log_odds: Change of ln(odds) of the outcome; ``None`` where it is infinite.
        divergence: Kullback-Leibler divergence of the joint distribution after the edit from that before, in nats;
            ``None`` where it is infinite or the edit adds a node.
        distance: Chan-Darwiche distance of the two, at most; ``None`` as for ``divergence``.
    """

    edit: str
    possible: bool
    posterior: float
    every: Mapping[str, float]
    leading: str | None
    log_odds: float | None
    divergence: float | None
    distance: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "edit": self.edit,
            "possible": self.possible,
            "posterior": self.posterior if self.possible else None,
            "every": dict(self.every),
            "leading": self.leading,
            "log_odds": self.log_odds,
            "divergence": self.divergence,
            "distance": self.distance,
        }


@dataclass(frozen=True, slots=True)
class Structural:
    """What an answer owes to the structure.

    Attributes:
        outcome: What is asked for.
        posterior: Of the outcome, before any edit.
        leading: The outcome that is first before any edit.
        changes: One for each edit, the one that moves the posterior most first.
    """

    outcome: str
    posterior: float
    leading: str
    changes: tuple[Change, ...]

    @property
    def sentence(self) -> str:
        """Whether the lead hangs on the structure, in one sentence."""
        overturned = [item for item in self.changes if item.possible and item.leading != self.leading]
        if not overturned:
            return f"{self.leading} leads after each of the {len(self.changes)} edits."
        first = overturned[0]
        return (
            f"{self.leading} does not lead after {len(overturned)} of {len(self.changes)} edits: {first.edit}, "
            f"{first.leading} does."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "outcome": self.outcome,
            "posterior": self.posterior,
            "leading": self.leading,
            "changes": [item.to_dict() for item in self.changes],
            "sentence": self.sentence,
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        lines = [f"{self.outcome}: {self.posterior:.2%} with the structure as it is.", self.sentence, ""]
        for item in self.changes:
            if not item.possible:
                lines.append(f"{'impossible':>10}  {item.edit}")
                continue
            overtaken = "" if item.leading == self.leading else f"; {item.leading} leads"
            lines.append(f"{item.posterior:>10.2%}  {item.edit}{overtaken}")
        return "\n".join(lines)


def structural(
    subject: "Model | Engine",
    findings: Findings,
    edits: Sequence[Edit] | None = None,
    target: str | None = None,
    state: str | None = None,
) -> Structural:
    """Return what an answer becomes when the structure is edited, one edit at a time.

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        edits: The edits; of a model, ``None`` takes ``usual_edits``.
        target: Of a model, a cause (left out: the leading one); else a node.
        state: Of a network, a state of the target (left out: the leading one).

    Raises:
        InvalidInputError: If a name is unknown, or an edit does not fit the network.
        ImpossibleEvidenceError: If the evidence has probability zero before any edit.
    """
    question, outcome = ask(subject, findings, target, state)
    if edits is None:
        if question.exclusive:
            raise InvalidInputError("edits: must be named for a network that is not the model, got none")
        edits = usual_edits(question)
    before = question.posteriors()[:, 0]
    names = list(question.outcomes)
    own = float(before[names.index(outcome)])
    engine = question.subject.engine
    plain = [edit for edit in edits if not isinstance(edit, AddArc | SamePatients)]
    tables = [edit.tables(engine) for edit in plain]
    found: list[Change] = []
    for item, changed, column in zip(plain, tables, _answers(question, tables), strict=True):
        found.append(_change(str(item), question, outcome, own, column, _moved(engine, changed)))
    for edit in edits:
        if isinstance(edit, AddArc | SamePatients):
            other = edit.engine(engine)
            column = _answer(question, other)
            found.append(_change(str(edit), question, outcome, own, column, _between(engine, other)))
    found.sort(key=lambda item: -abs(item.posterior - own) if item.possible else -math.inf)
    return Structural(outcome, own, names[int(before.argmax())], tuple(found))


def usual_edits(question: Question) -> list[Edit]:
    """Return the edits that a modeler of the shipped model would ask for first.

    For each finding: every arc to it, its leak, and its causes acting together; and that nothing depends on the
    technique.
    """
    engine = question.subject.engine
    vocabulary = load_vocabulary()
    contexts = set(vocabulary.contexts)
    edits: list[Edit] = []
    if TECHNIQUE in engine.states:
        edits.append(DropParent(TECHNIQUE))
    for finding in question.weights:
        if finding in contexts:
            continue
        links = [name for name in engine.states if base_of(name) == finding]
        every = dict.fromkeys(reason for name in links for reason in reasons(engine, name))
        edits += [DropArc(reason, finding) for reason in every if reason not in contexts]
        background = tuple(sorted(contexts))
        leaks = [name for name in links if set(reasons(engine, name)) <= contexts]
        if len(links) > 1:
            edits += [DropLeak(finding, background)] if leaks else []
            edits.append(SamePatients(finding))
    return edits


# ---- answers ---------------------------------------------------------------------------------------------------------


def _answers(question: Question, changed: Sequence[Mapping[str, Array]]) -> Iterable[Array]:
    """Yield the posteriors after each set of changed tables, from one run; zero where the evidence is impossible."""
    engine = question.subject.engine
    if not changed:
        return

    @cache
    def table(name: str) -> Array:
        plain = engine.table(name)
        if not any(name in own for own in changed):
            return plain[..., np.newaxis]
        return np.stack([own.get(name, plain) for own in changed], axis=-1)

    try:
        found, logs = question.answer(Drawn(table, len(changed)))
    except ImpossibleEvidenceError:  # in every one of them
        found, logs = np.zeros((len(question.outcomes), len(changed))), np.full(len(changed), -np.inf)
    for column, log in zip(found.T, logs, strict=True):
        yield column if np.isfinite(log) else np.full(len(column), np.nan)


def _answer(question: Question, engine: "Engine") -> Array:
    nodes = dict.fromkeys(node for node, _ in question.outcomes.values())
    try:
        found = engine.marginals(question.weights, nodes).posterior
    except ImpossibleEvidenceError:
        return np.full(len(question.outcomes), np.nan)
    rows = [found[node][engine.states[node].index(state), 0] for node, state in question.outcomes.values()]
    return np.array(rows)


def _change(
    words: str, question: Question, outcome: str, before: float, after: Array, moved: tuple[float, float] | None
) -> Change:
    names = list(question.outcomes)
    possible = bool(np.isfinite(after).all())
    every = dict(zip(names, after.tolist(), strict=True)) if possible else {}
    posterior = every.get(outcome, 0.0)
    odds = [math.log(p) - math.log1p(-p) if 0 < p < 1 else math.inf for p in (before, posterior)]
    divergence, distance = moved or (math.inf, math.inf)
    return Change(
        edit=words,
        possible=possible,
        posterior=posterior,
        every=MappingProxyType(every),
        leading=max(every, key=lambda name: every[name]) if possible else None,
        log_odds=_finite(odds[1] - odds[0]) if possible and math.isfinite(odds[0]) else None,
        divergence=_finite(divergence),
        distance=_finite(distance),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# ---- how far the network moved ---------------------------------------------------------------------------------------


def _between(engine: "Engine", other: "Engine") -> tuple[float, float] | None:
    """Return ``_moved`` between two networks; ``None`` where they have not the same nodes and parents."""
    if list(engine.states) != list(other.states):
        return None
    if any(engine.parents(name) != other.parents(name) for name in engine.states):
        return None
    changed = {name: other.table(name) for name in engine.states}
    return _moved(engine, {name: own for name, own in changed.items() if not np.array_equal(own, engine.table(name))})


def _moved(engine: "Engine", changed: Mapping[str, Array]) -> tuple[float, float] | None:
    """Return the divergence and the distance of changed tables from those of the network, added up.

    The first is exact: the expectation, over the parents of each table, of the divergence of its columns. The second is
    an upper bound where several tables changed.
    """
    divergence = distance = 0.0
    for name, table in changed.items():
        before = engine.table(name)
        if before.size > _LARGEST_FAMILY:
            return None
        parents = engine.parents(name)
        weights = (engine.joint({}, parents) if parents else np.ones(()))[..., np.newaxis]
        reached = weights > 0  # columns whose parents cannot be so have no part in the joint distribution
        there = reached & (before > 0)
        if (table[there] <= 0).any():
            return math.inf, math.inf
        ratio = np.zeros(before.shape)
        ratio[there] = np.log(before[there]) - np.log(table[there])
        divergence += float((weights * before * ratio).sum())
        extra = (reached & (before <= 0) & (table > 0)).any()
        distance = math.inf if extra else distance + float(ratio[there].max() - ratio[there].min())
    return max(0.0, divergence), distance


__all__ = ["AddArc", "Change", "DropArc", "DropLeak", "DropParent", "Edit", "SamePatients", "Structural", "structural"]
