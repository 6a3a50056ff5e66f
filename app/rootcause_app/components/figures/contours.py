"""A function of two numbers over the box of their ranges: its values there, and the lines on which it has a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.polynomial import chebyshev, polynomial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rootcause.sensitivity.two_way import TwoWay

    Array = NDArray[np.float64]

_STEPS: Final = 60  # points of a line
_SLACK: Final = 1e-9
_BOTH: Final = 2.0  # the sum that both numbers may have where neither limits the other


@dataclass(frozen=True, slots=True)
class Box:
    """The ranges of both numbers, the point inside."""

    x: tuple[float, float]
    y: tuple[float, float]

    def spread(self, count: int, *, middles: bool = False) -> tuple[Array, Array]:
        """Return so many values along each side: from end to end, or the middles of as many pieces."""
        at = (np.arange(count) + 0.5) / count if middles else np.linspace(0, 1, count)
        return self.x[0] + at * (self.x[1] - self.x[0]), self.y[0] + at * (self.y[1] - self.y[0])


def box_of(result: TwoWay) -> Box:
    """Both ranges, widened to hold the point; everything where a number has none."""
    first, second = (
        (min(own[0], at), max(own[1], at)) if own else (0.0, 1.0)
        for own, at in zip(result.low_high, result.point, strict=True)
    )
    return Box(first, second)


def values(function: TwoWay, x: Array, y: Array) -> Array:
    """Return the posterior on a grid, shape ``(y, x)``; not a number where both numbers cannot be so."""
    across, up = np.meshgrid(x, y)
    found = np.full(across.shape, np.nan)
    allowed = (across + up <= function.most + _SLACK) & (function.evaluated(function.denominator, across, up) > 0)
    if allowed.any():
        found[allowed] = function.value(across[allowed], up[allowed])
    return found


def _boxed(function: TwoWay, factors: Array, box: Box) -> Array:
    """Return the factors of the same polynomial as a function of the place in the box, each side from 0 to 1.

    Lines are then traced at places in the box and not at places between 0 and 1, of which a narrow range has few.
    """
    places, inverses = [], []
    for size, (low, high) in zip(factors.shape, (box.x, box.y), strict=True):
        at = (1 + np.cos(np.pi * (np.arange(size) + 0.5) / size)) / 2
        basis = chebyshev.chebvander(2 * at - 1, size - 1) if function.tied else polynomial.polyvander(at, size - 1)
        places.append(low + at * (high - low))
        inverses.append(np.linalg.inv(basis))
    across, up = np.meshgrid(*places, indexing="ij")
    found: Array = inverses[0] @ function.evaluated(factors, across, up) @ inverses[1].T
    return found


def lines_of(function: TwoWay, numerator: Array, level: float, box: Box) -> list[Array]:
    """Return the lines inside the box on which a quotient has a value; shape ``(points, 2)`` each."""
    own = _boxed(function, numerator, box)
    below = _boxed(function, function.denominator, box)
    scale = max(float(abs(own).max()), float(abs(below).max())) or 1.0
    inside = replace(function, numerator=own / scale, denominator=below / scale, most=_BOTH)
    lines = []
    for line in inside.contour(level, _STEPS):
        x = box.x[0] + line[:, 0] * (box.x[1] - box.x[0])
        y = box.y[0] + line[:, 1] * (box.y[1] - box.y[0])
        allowed = x + y <= function.most + _SLACK
        if allowed.sum() > 1:
            lines.append(np.stack([x[allowed], y[allowed]], axis=1))
    return lines


def lead_lines(result: TwoWay, rivals: Sequence[TwoWay], box: Box, count: int) -> list[Array]:
    """Return where a function wins or loses the lead: it meets a rival there that no other rival is above.

    Args:
        result: The function.
        rivals: All others, of the same two numbers.
        box: Where.
        count: Places along each side at which it is looked who is first of the rivals.
    """
    places = box.spread(count)
    every = np.stack([values(rival, *places) for rival in rivals])
    possible = ~np.isnan(every).any(axis=0)
    first = sorted(set(every[:, possible].argmax(axis=0).tolist()))
    lines = []
    for number in first:
        for line in swap_lines(result, rivals[number], box):
            x, y = line.T
            at = np.array([rivals[other].value(x, y) for other in first])
            kept = at[first.index(number)] >= at.max(axis=0) - _SLACK
            ends = np.flatnonzero(np.diff(kept.astype(int))) + 1
            parts = zip(np.split(line, ends), np.split(kept, ends), strict=True)
            lines += [part for part, holds in parts if len(part) > 1 and holds[0]]
    return lines


def swap_lines(result: TwoWay, rival: TwoWay, box: Box) -> list[Array]:
    """Return where both are equally probable: their denominators are P(evidence), the same up to its scale."""
    shape = tuple(max(sizes) for sizes in zip(result.numerator.shape, rival.numerator.shape, strict=True))
    own, other = (_padded(function.numerator, shape) for function in (result, rival))
    return lines_of(result, own - other * np.exp(rival.log_scale - result.log_scale), 0.0, box)


def _padded(factors: Array, shape: tuple[int, ...]) -> Array:
    return np.pad(factors, [(0, most - size) for size, most in zip(factors.shape, shape, strict=True)])
