"""What can be turned in a box of ranges: a number between its ends, or a whole between the corners of its shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rootcause.sensitivity.subjects import Subject

Array = NDArray[np.float64]

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Knob:
    """A number, or several of one whole, and the values it can be turned to.

    Attributes:
        name: Id of the number or of the whole; an entry in words.
        ids: The numbers that turn with it.
        settings: Their values at each corner of the range, shape ``(settings, ids)``.
    """

    name: str
    ids: tuple[str, ...]
    settings: Array


def knobs_one_by_one(subject: Subject, ids: Iterable[str]) -> list[Knob]:
    """Return a knob with two settings for each number; of one whole, the others keep their proportion.

    A share goes no further than where another share of its whole reaches an end of its own range.
    """
    return [_along(subject, id_) for id_ in ids]


def _along(subject: Subject, id_: str) -> Knob:
    low, high, point = subject.low[id_], subject.high[id_], subject.points[id_]
    whole = subject.whole_of.get(id_)
    if whole is None:
        return Knob(id_, (id_,), np.array([[low], [high]]))
    ids = subject.wholes[whole]
    others = [other for other in ids if other != id_]
    rest = np.array([subject.points[other] for other in others])
    if rest.sum() <= 0:
        return Knob(id_, ids, np.array([[subject.points[i] for i in ids]] * 2))
    moving = [(o, p) for o, p in zip(others, rest.tolist(), strict=True) if p > 0]
    most = 1 - (1 - point) * max(subject.low[other] / own for other, own in moving)
    least = 1 - (1 - point) * min(subject.high[other] / own for other, own in moving)
    ends = np.array([min(max(low, least), point), max(min(high, most), point)])
    shares = {other: (1 - ends) * own / (1 - point) for other, own in zip(others, rest.tolist(), strict=True)}
    return Knob(id_, ids, np.stack([ends if i == id_ else shares[i] for i in ids], axis=1))


def knobs_of_wholes(subject: Subject, ids: Iterable[str]) -> list[Knob]:
    """Return a knob for each number that stands alone, and one for each whole: the corners of what its ranges allow."""
    wanted = tuple(ids)
    wholes = dict.fromkeys(subject.whole_of[id_] for id_ in wanted if id_ in subject.whole_of)
    alone = [id_ for id_ in wanted if id_ not in subject.whole_of]
    knobs = knobs_one_by_one(subject, alone)
    for name in wholes:
        own = subject.wholes[name]
        corners = vertices([subject.low[i] for i in own], [subject.high[i] for i in own])
        if len(corners) > 1:
            knobs.append(Knob(name, own, corners))
    return knobs


def vertices(low: Sequence[float], high: Sequence[float]) -> Array:
    """Return the corners of the distributions within ranges: {p : low <= p <= high, sum p = 1}.

    All shares but one stand at an end of their range (de Campos, Huete & Moral 1994).

    Args:
        low: Lower end of each share.
        high: Upper end of each share.

    Returns:
        Shape ``(corners, shares)``; without a row if no distribution lies within.
    """
    lower, upper = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    size = len(lower)
    found = []
    for free in range(size):
        others = [k for k in range(size) if k != free]
        ends = np.array(list(product(*([lower[k], upper[k]] for k in others)))).reshape(-1, size - 1)
        rest = 1 - ends.sum(axis=1)
        fits = (rest >= lower[free] - _SAME) & (rest <= upper[free] + _SAME)
        rows = np.empty((int(fits.sum()), size))
        rows[:, others] = ends[fits]
        rows[:, free] = rest[fits]
        found.append(rows)
    return np.unique(np.round(np.concatenate(found), 12), axis=0)
