"""A search from corner to corner of a box of ranges: bounds that are reached, whatever the number of numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn
from rootcause.sensitivity.boxes import by_knob, turn
from rootcause.sensitivity.knobs import Knob
from rootcause.sensitivity.questions import Question

Array = NDArray[np.float64]
Goal = Callable[[Array], Array]
"""From posteriors, shape ``(outcomes, draws)``, what is to become large, shape ``(draws,)``."""

_ROUNDS = 25
_GAIN = 1e-10
_LEAST = 1e-300


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a search ended.

    Attributes:
        value: What the goal is there.
        at: Values of the numbers that were moved.
        posteriors: Of each outcome.
    """

    value: float
    at: Mapping[str, float]
    posteriors: tuple[float, ...]


def climb(
    question: Question,
    knobs: Sequence[Knob],
    goal: Goal,
    start: Mapping[str, float] = MappingProxyType({}),
    tick: Callable[[], object] = lambda: None,
) -> Reached:
    """Turn knobs as long as that improves a goal; at the end no knob turned alone does.

    In each round every setting of every knob is tried alone; then the best settings of all knobs that improve, of the
    better half of them, the better quarter, and so on, are tried together.

    Args:
        question: What is asked.
        knobs: What may be turned.
        goal: What is to become large.
        start: Values of numbers to start from; those that are not named stand at their points.
        tick: Called before each round; it may raise to stop the work.
    """
    at = dict(start)
    posteriors = question.posteriors(_at(question, [at]))[:, 0]
    value = float(goal(posteriors[:, np.newaxis])[0])
    for _ in range(_ROUNDS if knobs else 0):
        tick()
        best = _best(knobs, goal(question.posteriors(turn(question, knobs, at))))
        improving = sorted((k for k in range(len(knobs)) if best[k][0] > value + _GAIN), key=lambda k: -best[k][0])
        if not improving:
            break
        tried = [at | _settings(knobs, best, improving[: len(improving) >> step]) for step in _halvings(improving)]
        every = question.posteriors(_at(question, tried))
        found = goal(every)
        chosen = int(found.argmax())
        at, value, posteriors = tried[chosen], float(found[chosen]), every[:, chosen]
    return Reached(value, MappingProxyType(at), tuple(posteriors.tolist()))


def overtaking(question: Question, leading: str) -> Goal:
    """Return the goal that some other outcome overtakes: ln of the largest other posterior over that of the leader."""
    first = list(question.outcomes).index(leading)

    def goal(posteriors: Array) -> Array:
        others = np.delete(posteriors, first, axis=0).max(axis=0, initial=0.0)
        ratio: Array = np.log(np.maximum(others, _LEAST)) - np.log(np.maximum(posteriors[first], _LEAST))
        return ratio

    return goal


def _halvings(improving: Sequence[int]) -> range:
    return range(len(improving).bit_length())


def _settings(knobs: Sequence[Knob], best: Sequence[tuple[float, int]], chosen: Sequence[int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for k in chosen:
        found.update(zip(knobs[k].ids, knobs[k].settings[best[k][1]].tolist(), strict=True))
    return found


def _best(knobs: Sequence[Knob], values: Array) -> list[tuple[float, int]]:
    """Return, for each knob, what its best setting brings, and the number of that setting."""
    return [(float(part.max()), int(part.argmax())) for part in by_knob(knobs, values)]


def _at(question: Question, tried: Sequence[Mapping[str, float]]) -> Drawn:
    """Return the tables for some sets of values; a number that is not named stands at its point."""
    points = question.subject.points
    ids = dict.fromkeys(id_ for own in tried for id_ in own)
    values = {id_: np.array([own.get(id_, points[id_]) for own in tried]) for id_ in ids}
    return question.subject.drawn(values, len(tried))
