"""The corners of a box of ranges, one outcome after another, and bounds that hold over everything that moves."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import ImpossibleEvidenceError
from rootcause.sensitivity.bounds import Bounds, Extreme, Pair
from rootcause.sensitivity.boxes import SIDES, Box
from rootcause.sensitivity.climbing import Reached, climb, overtaking
from rootcause.sensitivity.knobs import Knob, knobs_of_wholes
from rootcause.sensitivity.questions import Question

Array = NDArray[np.float64]

_EXACT = 1e-9

CORNERS_SHARE = 0.7
"""Share of the work that is done after the corners: about what it is for the shipped model."""


class Corners:
    """Posteriors at every corner of a box.

    Attributes:
        every: By outcome, the least and the largest.
        rival: The outcome that gets furthest ahead of the leading one, or stays least behind.
        gap: By how much.
    """

    def __init__(self, box: Box, leading: str, progress: Callable[[float], object]) -> None:
        """Follow the box to every corner, for one outcome after another."""
        self.box = box
        self.leading = leading
        evidence = box.masses(None)
        if not (evidence > 0).all():
            raise ImpossibleEvidenceError(["the evidence, at some corner of the ranges"])
        outcomes = box.question.outcomes
        first = box.masses(outcomes[leading]) / evidence
        self.every: dict[str, Pair] = {}
        self.rival: str | None = None
        self.gap = -math.inf
        self._ends: dict[str, tuple[int, int]] = {}
        self._overtaken = 0
        for count, (name, own) in enumerate(outcomes.items()):
            values = first if name == leading else box.masses(own) / evidence
            self.every[name] = (float(values.min()), float(values.max()))
            self._ends[name] = (int(values.argmin()), int(values.argmax()))
            ahead = values - first
            if name != leading and ahead.max() > self.gap:
                self.rival, self.gap, self._overtaken = name, float(ahead.max()), int(ahead.argmax())
            progress(CORNERS_SHARE * (count + 1) / len(outcomes))

    def ends(self, outcome: str) -> tuple[Extreme, Extreme]:
        """Return where an outcome is least and largest."""
        low, high = (
            Extreme(value, self.numbers(flat))
            for value, flat in zip(self.every[outcome], self._ends[outcome], strict=True)
        )
        return low, high

    @property
    def overtaken(self) -> Mapping[str, float]:
        """The numbers where the rival is furthest ahead."""
        return self.numbers(self._overtaken)

    def numbers(self, flat: int) -> Mapping[str, float]:
        """Return the values of the followed numbers at a corner, and of what moves with them."""
        found: dict[str, float] = {}
        for knob, setting in zip(self.box.knobs, np.unravel_index(flat, self.box.shape), strict=True):
            found.update(zip(knob.ids, knob.settings[setting].tolist(), strict=True))
        return MappingProxyType(found)


def bounds_of(corners: Corners, outcome: str, certified: Pair | None) -> Bounds:
    """Return the bounds at the corners; without certified ones they are exact."""
    low, high = corners.ends(outcome)
    if certified is None:
        return Bounds(low, high, (low.value, high.value), exact=True)
    return _with(low, high, certified)


def _with(low: Extreme, high: Extreme, certified: Pair) -> Bounds:
    """Return bounds that are reached with certified ones; rounding does not part the two."""
    outer = min(certified[0], low.value), max(certified[1], high.value)
    return Bounds(low, high, outer, exact=outer[1] - high.value + low.value - outer[0] < _EXACT)


Tick = Callable[[], object]
"""Called now and then; it may raise to stop the work."""


def certified_by(
    box: Box, outcome: str, tables: Mapping[str, tuple[str, ...]], tied: Sequence[str], tick: Tick
) -> Pair:
    """Return bounds for which a tied number may differ from table to table.

    It is followed in the table through which it moves the answer most, and relaxed in the others.
    """
    loose = frozenset(id_ for knob in box.knobs if knob.name in tied for id_ in knob.ids)
    wide = Box(box.question, box.knobs, tuple(tables[knob.name][:1] for knob in box.knobs), loose)
    return _from_masses(wide, outcome, tick)


def _from_masses(box: Box, outcome: str, tick: Tick) -> Pair:
    """Return bounds on N / (N + M) from bounds on N = P(outcome, evidence) and M = P(no outcome, evidence)."""
    own = box.question.outcomes[outcome]
    found = {}
    for absent in (False, True):
        for side in SIDES:
            tick()
            found[absent, side] = box.masses(own, absent=absent, side=side)
    least, largest = (found[False, side] for side in SIDES)
    rest_least, rest_largest = (found[True, side] for side in SIDES)
    low, high = _share(least, rest_largest, 0.0), _share(largest, rest_least, 1.0)
    return float(low.min()), float(high.max())


def _share(part: Array, rest: Array, otherwise: float) -> Array:
    whole = part + rest
    share: Array = np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0)
    return share


# ---- all numbers -----------------------------------------------------------------------------------------------------


def over_all_of(
    question: Question, outcome: str, bounds: Bounds, reach: Sequence[str], leading: str, *, complete: bool, tick: Tick
) -> tuple[Bounds, Reached]:
    """Return bounds over all numbers, and the corner at which a rival was found furthest ahead of the leader."""
    knobs = knobs_of_wholes(question.subject, reach)
    row = list(question.outcomes).index(outcome)
    search = climb(question, knobs, overtaking(question, leading), tick=tick)
    if complete:
        return bounds, search
    low = _reached(question, knobs, lambda posteriors: -posteriors[row], bounds.lower, tick)
    high = _reached(question, knobs, lambda posteriors: posteriors[row], bounds.upper, tick)
    wide = Box(question, (), (), frozenset(reach))
    masses, distance = _from_masses(wide, outcome, tick), _by_distance(wide, outcome)
    return _with(low, high, (max(masses[0], distance[0]), min(masses[1], distance[1]))), search


def _reached(
    question: Question, knobs: Sequence[Knob], goal: Callable[[Array], Array], start: Extreme, tick: Tick
) -> Extreme:
    """Return the end of a search from the best corner of the numbers that were followed."""
    found = climb(question, knobs, goal, start.at, tick)
    return Extreme(abs(found.value), found.at)


def _by_distance(box: Box, outcome: str) -> Pair:
    """Return bounds from the point by how far the tables can go (Chan & Darwiche 2005), added up over the tables."""
    question = box.question
    point = float(question.posteriors()[list(question.outcomes).index(outcome), 0])
    if not 0 < point < 1:
        return point, point
    distance = math.fsum(_distances(box))
    odds = math.log(point) - math.log1p(-point)
    low, high = (1 / (1 + math.exp(max(-700.0, min(-odds - step, 700.0)))) for step in (-distance, distance))
    return low, high


def _distances(box: Box) -> Iterable[float]:
    """Yield, for each table, the largest logarithm of the odds by which values in the ranges can differ from it."""
    subject = box.question.subject
    low, high = box.engine("low"), box.engine("high")
    for name in subject.engine.relevant(box.question.names):
        if not box.relaxed.isdisjoint(subject.numbers_of(name)):
            point = subject.engine.table(name)
            there = point > 0
            with np.errstate(divide="ignore"):
                yield float(np.log(high.table(name)[there] / point[there]).max())
                yield float(np.log(point[there] / low.table(name)[there]).max())
