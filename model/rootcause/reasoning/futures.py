"""What further findings could still do: whether a decision would stay, and between which bounds a probability can end.

The same-decision probability is the share of futures in which a decision taken now would be taken again (Choi, Xue &
Darwiche 2012, Int J Approx Reason; Renooij 2018). The closure bounds are the least and the greatest probability that
any possible future leaves (McSherry 1997). Both are exact, by enumeration, while the hidden findings have few joint
states; over many findings a search gives inner bounds: what it reaches is reachable, what it misses may be so too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError
from rootcause.reasoning.decisions import Act, in_question, taken
from rootcause.reasoning.information import Ints, Outcomes, ask, outcomes

Array = NDArray[np.float64]

MOST_ROWS = 5_000
"""Assignments that a search for bounds tries, if not told otherwise."""

_LEAST_GAIN = 1e-9
"""A change of probability that counts as one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a probability can end.

    Attributes:
        low: The least that a future was found to leave.
        high: The greatest.
        witnesses: A future that leaves ``low`` and one that leaves ``high``: by finding, its state.
        probability: P(that future | evidence) of each witness.
        exact: Whether no future leaves less or more; otherwise these are inner bounds.
    """

    low: float
    high: float
    witnesses: tuple[Mapping[str, str], Mapping[str, str]]
    probability: tuple[float, float]
    exact: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """A probability to be pushed as far as it goes.

    Attributes:
        node: The node that it belongs to.
        state: Its state.
        up: Whether upwards.
    """

    node: str
    state: str
    up: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a probability was pushed.

    Attributes:
        value: The probability.
        witness: The future that leaves it: by finding, its state.
        probability: P(that future | evidence).
    """

    value: float
    witness: Mapping[str, str]
    probability: float


# ---- exact, by enumeration -------------------------------------------------------------------------------------------


def same_decision_probability(
    engine: Engine,
    evidence: Mapping[str, Observation],
    target: str,
    state: str,
    threshold: float,
    hidden: Sequence[str],
) -> float:
    """Return the probability that a decision stays the same once hidden findings are known (Choi, Xue & Darwiche 2012).

    The decision is whether P(state | what is known) has reached the threshold.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        target: The node that the decision hangs on.
        state: Its state.
        threshold: From 0 to 1; reached, too, by what falls short of it by rounding alone.
        hidden: The findings not yet known.

    Raises:
        InvalidInputError: If a node or state is unknown, the threshold is no probability, or the hidden findings have
            more than ``MOST_OUTCOMES`` joint states.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if not 0 <= threshold <= 1:
        msg = f"threshold: must be from 0 to 1, got {threshold!r}"
        raise InvalidInputError(msg)
    act = Act(target, state, benefit=1 - threshold, risk=threshold)
    return same_decisions(_enumerated(engine, evidence, target, state, hidden), [act])


def same_decisions(found: Outcomes, acts: Iterable[Act]) -> float:
    """Return the probability that every act stays taken, or stays not taken, after the findings.

    Args:
        found: Rows that exclude each other and leave nothing out, with every act's cause among the targets.
        acts: The acts.
    """
    acts = tuple(acts)
    now, then = in_question(found, acts)
    kept = np.all([taken(act, then[act.node]) == taken(act, now[act.node]) for act in acts], axis=0)
    return min(1.0, float(found.probability @ kept / found.probability.sum()))


def closure_bounds(
    engine: Engine, evidence: Mapping[str, Observation], target: str, state: str, hidden: Sequence[str]
) -> Bounds:
    """Return the least and the greatest P(state | evidence, future) over all futures of positive probability.

    Futures that leave some findings open are covered: each is a mixture of those that leave none, and so lies between
    them (McSherry 1997).

    Args:
        engine: The network.
        evidence: By node, what was observed.
        target: A node.
        state: Its state.
        hidden: The findings not yet known.

    Raises:
        InvalidInputError: If a node or state is unknown, or the hidden findings have more than ``MOST_OUTCOMES`` joint
            states.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return bounds_of(_enumerated(engine, evidence, target, state, hidden), target, state)


def bounds_of(found: Outcomes, target: str, state: str) -> Bounds:
    """Return the exact bounds of a probability over outcomes that leave nothing out."""
    values = found.posterior[target][:, found.states[target].index(state)]
    possible = found.probability > 0
    lowest = int(np.where(possible, values, np.inf).argmin())
    highest = int(np.where(possible, values, -np.inf).argmax())
    return Bounds(
        float(values[lowest]),
        float(values[highest]),
        (MappingProxyType(found.assignment(lowest)), MappingProxyType(found.assignment(highest))),
        (float(found.probability[lowest]), float(found.probability[highest])),
        exact=True,
    )


def _enumerated(
    engine: Engine, evidence: Mapping[str, Observation], target: str, state: str, hidden: Sequence[str]
) -> Outcomes:
    engine.weights({target: state})  # says which node or state is unknown
    return ask(engine, evidence, [hidden], [target])[0]


# ---- by search over many findings ------------------------------------------------------------------------------------


def reachable_bounds(
    engine: Engine,
    evidence: Mapping[str, Observation],
    target: str,
    state: str,
    hidden: Sequence[str],
    *,
    most_rows: int = MOST_ROWS,
    at_least: float = 0.0,
) -> Bounds:
    """Return bounds that futures over many findings were found to reach: inner bounds, each with its witness.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        target: A node.
        state: Its state.
        hidden: The findings not yet known, as many as one likes.
        most_rows: Assignments to try at most; the states of each finding alone are tried in any case.
        at_least: Futures less probable than this, given the evidence, do not count.

    Raises:
        InvalidInputError: If a node or state is unknown.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    engine.weights({target: state})  # says which node or state is unknown
    if target in hidden:
        msg = f"hidden: the target must not be among the findings still to come, got {target!r}"
        raise InvalidInputError(msg)
    wishes = [Wish(target, state, up=False), Wish(target, state, up=True)]
    low, high = climb(engine, evidence, wishes, hidden, most_rows=most_rows, at_least=at_least)
    return Bounds(low.value, high.value, (low.witness, high.witness), (low.probability, high.probability), exact=False)


def climb(
    engine: Engine,
    evidence: Mapping[str, Observation],
    wishes: Sequence[Wish],
    hidden: Sequence[str],
    *,
    most_rows: int = MOST_ROWS,
    at_least: float = 0.0,
    alone: Sequence[Outcomes] | None = None,
) -> tuple[Reached, ...]:
    """Push each probability as far as a coordinate ascent over the hidden findings takes it.

    It starts from the best state of each finding alone, tries the most helpful ones together, more and more of them,
    and then changes one finding at a time for the better, until nothing helps or the rows are used up.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        wishes: The probabilities.
        hidden: The findings not yet known.
        most_rows: Assignments to try at most, beside those of each finding alone.
        at_least: Futures less probable than this, given the evidence, do not count.
        alone: The outcomes of each hidden finding alone with every wish's node among the targets, where they are known.

    Raises:
        InvalidInputError: If a node or state is unknown.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if not wishes:
        return ()
    hidden = tuple(dict.fromkeys(hidden))
    targets = tuple(dict.fromkeys(wish.node for wish in wishes))
    if alone is None:
        alone = ask(engine, evidence, [(name,) for name in hidden], targets)
    now = alone[0] if alone else ask(engine, evidence, [()], targets)[0]
    paths = [_Path(wish, now, alone, at_least) for wish in wishes]
    combining = True
    while most_rows > 0:
        asking = _shared([path.combined() if combining else path.neighbours() for path in paths], most_rows)
        every = np.concatenate([*asking, np.zeros((0, len(hidden)), dtype=np.int64)])
        if not len(every) and not combining:
            break
        most_rows -= len(every)
        found = outcomes(engine, evidence, hidden, every, targets) if len(every) else None
        first = 0
        for path, rows in zip(paths, asking, strict=True):
            if found is not None:
                path.move(found, slice(first, first + len(rows)), learn=not combining)
            first += len(rows)
        combining = not combining
    return tuple(path.reached(hidden, now.states) for path in paths)


def _shared(asking: list[Ints], left: int) -> list[Ints]:
    """Cut what is asked down to the rows that are left, an equal share for each."""
    if sum(map(len, asking)) <= left:
        return asking
    share = left // sum(len(rows) > 0 for rows in asking)
    return [rows[:share] for rows in asking]


class _Path:
    """One wish on its way: the assignment reached, and the changes of one finding that would help from a base."""

    def __init__(self, wish: Wish, now: Outcomes, alone: Sequence[Outcomes], at_least: float) -> None:
        """Begin with every finding open, and with what each does alone."""
        self._wish = wish
        self._at_least = at_least
        self._state = now.states[wish.node].index(wish.state)
        self._sign = 1.0 if wish.up else -1.0
        self._cards = [len(now.states[found.nodes[0]]) for found in alone]
        self._codes = np.full(len(alone), -1, dtype=np.int64)
        self._value = float(now.before[wish.node][self._state])
        self._probability = 1.0
        values = [found.posterior[wish.node][:, self._state] for found in alone]
        chances = [found.probability for found in alone]
        self._step(self.neighbours_of(self._codes), *map(_joined, (values, chances)), learn=True)

    def neighbours_of(self, codes: Ints) -> Ints:
        """Return each assignment that differs in one finding, which may be opened again: ``(rows, findings)``."""
        changes = [(at, code) for at, card in enumerate(self._cards) for code in range(-1, card) if code != codes[at]]
        rows = np.repeat(codes[np.newaxis], len(changes), axis=0)
        for row, (at, code) in zip(rows, changes, strict=True):
            row[at] = code
        return rows

    def neighbours(self) -> Ints:
        """Return the assignments to try one change at a time; none once no change helped."""
        return self.neighbours_of(self._codes) if self._helpful else self.neighbours_of(self._codes)[:0]

    def combined(self) -> Ints:
        """Return the assignments with the most helpful changes together, ever more of them."""
        sizes = _sizes(len(self._helpful))
        rows = np.repeat(self._base[np.newaxis], len(sizes), axis=0)
        for row, size in zip(rows, sizes, strict=True):
            for at, code in self._helpful[:size]:
                row[at] = code
        return rows

    def move(self, found: Outcomes, rows: slice, *, learn: bool) -> None:
        """Go to the best of the assignments that were tried, if it is better."""
        values = found.posterior[self._wish.node][rows, self._state]
        self._step(found.codes[rows], values, found.probability[rows], learn=learn)

    def _step(self, rows: Ints, values: Array, probability: Array, *, learn: bool) -> None:
        counts = (probability > 0) & (probability >= self._at_least)
        gains = np.where(counts, self._sign * (values - self._value), -np.inf)
        if learn:
            self._base = self._codes
            helpful: dict[int, int] = {}
            for row in np.argsort(-gains, kind="stable").tolist():
                if gains[row] <= _LEAST_GAIN:
                    break
                at = int(np.flatnonzero(rows[row] != self._base)[0])
                helpful.setdefault(at, int(rows[row, at]))
            self._helpful = list(helpful.items())
        if len(gains) and gains.max() > _LEAST_GAIN:
            best = int(gains.argmax())
            self._codes, self._value = rows[best], float(values[best])
            self._probability = float(probability[best])

    def reached(self, hidden: Sequence[str], states: Mapping[str, tuple[str, ...]]) -> Reached:
        """Return where the way ended."""
        witness = {
            name: states[name][code] for name, code in zip(hidden, self._codes.tolist(), strict=True) if code >= 0
        }
        return Reached(self._value, MappingProxyType(witness), self._probability)


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate([*parts, np.zeros(0)])


def _sizes(most: int) -> list[int]:
    """Return 2, 3, 4, 6, 8, 12, ... up to the whole number of changes."""
    sizes = [size for power in range(1, most.bit_length()) for size in (2**power, 3 * 2 ** (power - 1))]
    return [*(size for size in sizes if size < most), *([most] if most > 1 else [])]
