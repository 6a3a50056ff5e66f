"""Lower and upper posteriors over the box of ranges, and whether the leading cause leads everywhere in it.

The numbers that move the answer most are followed to every corner of their ranges together, the others at their
points. P(outcome, evidence) and P(evidence) are lines in each number that stands in one table alone, so that their
ratio has its extremes at corners (Fagiuoli & Zaffalon 1998): then the bounds are exact. A number that is tied across
tables moves the posterior along a curve, which may have its extreme inside the range; then the corners are bounds that
are reached, and certified bounds are given beside them, for which such a number may differ from table to table.
``exact`` says which.

Over all numbers at once, a search from corner to corner finds bounds that are reached; certified ones come from the
least and the largest value of every entry, and from the distance of Chan & Darwiche (2005), whichever is closer. Those
are often wide: what hundreds of ranges allow together is much.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.sensitivity.bounds import Bounds, Credal, Lead
from rootcause.sensitivity.boxes import MOST_CORNERS, MOVES, Box, by_knob, main_tables, straight, turn
from rootcause.sensitivity.climbing import Reached
from rootcause.sensitivity.corners import CORNERS_SHARE, Corners, bounds_of, certified_by, over_all_of
from rootcause.sensitivity.knobs import Knob, knobs_of_wholes, knobs_one_by_one
from rootcause.sensitivity.questions import Findings, Question, ask
from rootcause.sensitivity.subjects import EntryRange

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]

MOST = 20
"""Numbers that are followed to every corner unless told otherwise."""

_LARGEST = int(math.log2(MOST_CORNERS))


def credal_bounds(
    subject: "Model | Engine",
    findings: Findings,
    target: str | None = None,
    state: str | None = None,
    *,
    ranges: Sequence[EntryRange] = (),
    most: int = MOST,
    progress: Callable[[float], object] = lambda _: None,
) -> Credal:
    """Return the lower and upper posterior over the box of ranges, and whether the leading outcome leads everywhere.

    Of a model, the other shares of a whole give way to one that is followed in proportion, no further than their own
    ranges let them. Of a network, where several entries of a column have ranges, and in the search over all numbers, a
    whole goes to every corner that its ranges allow (de Campos, Huete & Moral 1994).

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        target: Of a model, a cause (left out: the leading one); else a node.
        state: Of a network, a state of the target (left out: the leading one).
        ranges: Of a network, the entries that have a range; a model has those of its numbers.
        most: How many numbers to follow to every corner, those that move the answer most when they move alone; fewer if
            there would be too many corners.
        progress: Called with the share of the work that is done; it may raise to stop the work.

    Raises:
        InvalidInputError: If a name is unknown, or a range or ``most`` breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero at the points or at a corner of the ranges.
    """
    if not 0 <= most <= _LARGEST:
        raise InvalidInputError(f"most: must be from 0 to {_LARGEST}, got {most!r}")
    question, outcome = ask(subject, findings, target, state, ranges)
    point = question.posteriors()[:, 0]
    names = list(question.outcomes)
    leading = names[int(point.argmax())]
    found = _look(question, outcome, point, most)
    tables = main_tables(question, found.knobs, outcome)
    tied = tuple(knob.name for knob in found.knobs if not _once(question, knob, tables[knob.name]))
    knobs = sorted(found.knobs, key=lambda knob: -len(tables[knob.name]))
    box = Box(question, tuple(knobs), tuple(tables[knob.name] for knob in knobs))
    corners = Corners(box, leading, progress)

    def tick() -> None:
        progress(CORNERS_SHARE)

    bounds = bounds_of(corners, outcome, certified_by(box, outcome, tables, tied, tick) if tied else None)
    complete = not tied and {knob.name for knob in knobs} == {question.subject.whole_of.get(i, i) for i in found.reach}
    over_all, search = over_all_of(question, outcome, bounds, found.reach, leading, complete=complete, tick=tick)
    progress(1.0)
    return Credal(
        outcome=outcome,
        point=float(point[names.index(outcome)]),
        numbers=tuple(id_ for knob in found.knobs for id_ in _own(knob)),
        tied=tied,
        corners=math.prod(box.shape),
        bounds=bounds,
        every=MappingProxyType(corners.every),
        count=len(found.reach),
        over_all=over_all,
        lead=_lead(question, outcome, corners, found, search, over_all, complete=complete),
    )


# ---- which numbers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Looked:
    """What turning one knob after another shows.

    Attributes:
        knobs: Those to follow, the one that moves the answer most first.
        reach: The numbers that reach the answer.
        alone: Numbers that alone overturn the lead: id, value, rival.
    """

    knobs: tuple[Knob, ...]
    reach: tuple[str, ...]
    alone: tuple[tuple[str, float, str], ...]


def _look(question: Question, outcome: str, point: Array, most: int) -> _Looked:
    """Turn one knob after another; of a model, follow of each whole only the share that moves the answer most."""
    subject = question.subject
    kind = knobs_of_wholes if question.exclusive else knobs_one_by_one
    knobs = kind(subject, question.ids())
    if not knobs:
        return _Looked((), (), ())
    values = by_knob(knobs, question.posteriors(turn(question, knobs)))
    reached = [bool(np.abs(own - point[:, np.newaxis]).max() > MOVES) for own in values]
    row = list(question.outcomes).index(outcome)
    swing = [float(np.ptp(own[row])) for own in values]
    chosen: dict[str, Knob] = {}
    corners = 1
    for k in sorted(range(len(knobs)), key=lambda k: -swing[k]):
        knob, size = knobs[k], len(knobs[k].settings)
        fits = len(chosen) < most and corners * size <= MOST_CORNERS
        if fits and reached[k] and chosen.setdefault(subject.whole_of.get(knob.name, knob.name), knob) is knob:
            corners *= size
    reach = dict.fromkeys(id_ for knob, moves in zip(knobs, reached, strict=True) if moves for id_ in _own(knob))
    return _Looked(tuple(chosen.values()), tuple(reach), _alone(question, knobs, values, point))


def _own(knob: Knob) -> tuple[str, ...]:
    """Return the numbers that a knob is about: one, or those of a whole."""
    return (knob.name,) if knob.name in knob.ids else knob.ids


def _alone(
    question: Question, knobs: Sequence[Knob], values: Sequence[Array], point: Array
) -> tuple[tuple[str, float, str], ...]:
    """Return the numbers that alone overturn the lead, the furthest first."""
    names = list(question.outcomes)
    first = int(point.argmax())
    found = []
    for knob, own in zip(knobs, values, strict=True):
        gap = own - own[first]
        gap[first] = -np.inf
        rival, setting = np.unravel_index(int(gap.argmax()), gap.shape)
        if gap[rival, setting] > 0:
            id_ = _own(knob)[0]
            value = float(knob.settings[setting, knob.ids.index(id_)])
            found.append((float(gap[rival, setting]), id_, value, names[rival]))
    found.sort(key=lambda item: -item[0])
    return tuple((name, value, rival) for _, name, value, rival in found)


def _once(question: Question, knob: Knob, tables: Sequence[str]) -> bool:
    """Return whether a knob stands in one table alone and moves it in a straight line, or is a whole of one table."""
    if len(tables) > 1:
        return False
    return not tables or len(knob.settings) > 2 or straight(question.subject, knob, tables[0])  # noqa: PLR2004


# ---- the lead --------------------------------------------------------------------------------------------------------


def _lead(
    question: Question,
    outcome: str,
    corners: Corners,
    found: _Looked,
    search: Reached,
    over_all: Bounds,
    *,
    complete: bool,
) -> Lead:
    leading = corners.leading
    overtaken = corners.gap > 0
    above = max((pair[1] for name, pair in corners.every.items() if name != leading), default=0.0)
    # Of outcomes that exclude each other, one above one half is more than all others together.
    proved = question.exclusive and outcome == leading and over_all.certified[0] > 0.5  # noqa: PLR2004
    names = list(question.outcomes)
    others = [name for name in names if name != leading]
    rival = max(others, key=lambda name: search.posteriors[names.index(name)], default=None)
    return Lead(
        leading=leading,
        everywhere=not overtaken,
        rival=corners.rival if overtaken else None,
        at=corners.overtaken if overtaken else MappingProxyType({}),
        alone=found.alone,
        dominates=corners.every[leading][0] > above,
        over_all=rival if search.value > 0 else None,
        over_all_certain=(complete and not overtaken) or proved,
        ends=MappingProxyType(_ends(question, found.alone)),
    )


def _ends(question: Question, alone: Sequence[tuple[str, float, str]]) -> dict[str, str]:
    """Return which end of its range each value is; a share that gives way may be at neither."""
    subject = question.subject
    return {
        id_: name
        for id_, value, _ in alone
        for name, end in (("low", subject.low[id_]), ("high", subject.high[id_]))
        if math.isclose(value, end, rel_tol=1e-9)
    }
