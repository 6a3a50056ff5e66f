"""Polynomials of one parameter: lines from two values, others from those at Chebyshev points, checked at others."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from rootcause.sensitivity.parameters import Question, Varied, evaluate

Array = NDArray[np.float64]

FITS = 1e-10
"""Largest difference of a fitted function from the posterior, and of P(evidence) from itself in relation to it."""

SAME = 1e-12
"""What is smaller than this, beside what it is compared with, is rounding."""

_CHECKS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A line through its values at both ends of a stretch: of what is never negative, it loses no digits in between.

    Attributes:
        low: The lower end.
        high: The upper end.
        first: The value at the lower end.
        last: The value at the upper end.
    """

    low: float
    high: float
    first: float
    last: float

    def __call__(self, t: Any) -> Any:  # noqa: ANN401 - a number or an array, as polynomials take them
        """Return its height at values of t."""
        return (self.first * (self.high - t) + self.last * (t - self.low)) / (self.high - self.low)

    def __sub__(self, other: "Line") -> "Line":
        return Line(self.low, self.high, self.first - other.first, self.last - other.last)

    def __mul__(self, factor: float) -> "Line":
        return Line(self.low, self.high, self.first * factor, self.last * factor)

    def __neg__(self) -> "Line":
        return self * -1.0

    def deriv(self) -> "Line":
        """Return its slope, a line of one height."""
        slope = (self.last - self.first) / (self.high - self.low)
        return Line(self.low, self.high, slope, slope)

    def degree(self) -> int:
        """Return 1, as polynomials have a degree."""
        return 1

    def power(self) -> tuple[float, float]:
        """Return the coefficient of t, and the constant."""
        slope = (self.last - self.first) / (self.high - self.low)
        return slope, self.first - slope * self.low


Curve = Line | Chebyshev
"""All curves of one piece are of one kind."""


def less(first: Curve, second: Curve) -> Curve:
    """Return the difference of two curves of one piece."""
    if isinstance(first, Line) and isinstance(second, Line):
        return first - second
    if isinstance(first, Chebyshev) and isinstance(second, Chebyshev):
        return first - second
    raise TypeError("curves of one piece are of one kind")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of values over which everything is one polynomial of a degree.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        numerator: P(target, evidence).
        denominator: P(evidence).
        outcomes: P(outcome, evidence), for each outcome.
    """

    low: float
    high: float
    numerator: Curve
    denominator: Curve
    outcomes: tuple[Curve, ...]

    @property
    def degree(self) -> int:
        """The degree of numerator and denominator."""
        return max(self.numerator.degree(), self.denominator.degree())


class Fit(NamedTuple):
    """The polynomials of one stretch.

    Attributes:
        piece: The polynomials.
        error: The largest difference that was found at the checks.
        log_scale: All probabilities are divided by exp of this.
    """

    piece: Piece
    error: float
    log_scale: float


def scaled(piece: Piece, log: float) -> Piece:
    """Return the polynomials times exp(``log``)."""
    share = math.exp(log)
    curves = [curve * share for curve in (piece.numerator, piece.denominator, *piece.outcomes)]
    return Piece(piece.low, piece.high, curves[0], curves[1], tuple(curves[2:]))


def fitted(question: Question, varied: Varied, events: Sequence[Mapping[str, Array]], low: float, high: float) -> Fit:
    """Return the polynomials of one stretch."""
    shares = np.linspace(0.1, 0.9, _CHECKS) + 0.021 * math.sqrt(2)  # between the points, whatever their number
    checks = np.asarray(low + (high - low) * shares, dtype=np.float64)
    if varied.degree <= 1:
        points = np.array([low, high])
    else:
        cosines = np.cos(np.pi * (np.arange(varied.degree + 2) + 0.5) / (varied.degree + 2))
        points = (low + high) / 2 + (high - low) / 2 * cosines
    found = evaluate(question, varied.drawn(np.concatenate([points, checks])), events)
    rows = np.vstack([found.evidence, found.joint])
    size = len(points)
    curves, error = _least_degree(points, rows[:, :size], checks, rows[:, size:], (low, high))
    return Fit(Piece(low, high, curves[1], curves[0], tuple(curves[2:])), error, found.log_scale)


def _least_degree(
    points: Array, values: Array, checks: Array, expected: Array, domain: tuple[float, float]
) -> tuple[list[Curve], float]:
    """Return the polynomials of the least degree that fit, and by how much they miss at the checks."""
    if len(points) == 2:  # noqa: PLR2004 - a line
        lines = _lines(points, values)
        return lines, _error(lines, checks, expected)
    every: list[Chebyshev] = [Chebyshev.fit(points, row, len(points) - 1, domain=domain) for row in values]
    both, all_ = np.concatenate([points, checks]), np.hstack([values, expected])
    for degree in range(1, len(points)):
        cut = [curve.truncate(degree + 1) for curve in every]
        curves: list[Curve] = [*cut]
        if degree == 1:
            curves = _lines(np.array(domain), np.array([curve(np.array(domain)) for curve in cut]))
        if _error(curves, both, all_) <= FITS:
            break
    return curves, _error(curves, checks, expected)


def _lines(points: Array, values: Array) -> list[Curve]:
    """Return the lines through two points each."""
    low, high = points.tolist()
    return [Line(low, high, first, last) for first, last in values.tolist()]


def _error(curves: Sequence[Curve], points: Array, expected: Array) -> float:
    """Return the largest difference of posteriors, and of P(evidence) in relation to it, where it is possible."""
    found = np.array([curve(points) for curve in curves])
    sure = expected[0] > 0
    below = expected[0][sure]
    own = np.where(found[0][sure] > 0, found[0][sure], math.inf)
    relative = abs(found[0][sure] / below - 1).max(initial=0.0)
    posterior = abs(found[1:, sure] / own - expected[1:, sure] / below).max(initial=0.0)
    return float(max(relative, posterior))


def roots_within(curve: Curve, low: float, high: float) -> list[float]:
    """Return the real roots of a polynomial in an interval, sorted; a polynomial that is 0 has none."""
    if isinstance(curve, Line):
        return _root(curve, low, high)
    coefficients = np.asarray(curve.coef)
    largest = abs(coefficients).max(initial=0.0)
    kept = np.flatnonzero(abs(coefficients) > SAME * largest)
    if largest <= 0 or not len(kept) or kept[-1] == 0:
        return []
    trimmed = Chebyshev(coefficients[: kept[-1] + 1], curve.domain, curve.window)
    found = np.asarray(trimmed.roots(), dtype=np.complex128)
    slack = 1e-9 * (high - low)
    real = found.real[abs(found.imag) <= slack]
    inside = real[(real >= low - slack) & (real <= high + slack)]
    return sorted(np.clip(inside, low, high).tolist())


def _root(line: Line, low: float, high: float) -> list[float]:
    """Return the root of a line in an interval, its ends included; a line that is level has none."""
    rise = line.last - line.first
    if rise == 0:
        return []
    root = (line.last * line.low - line.first * line.high) / rise
    return [min(max(root, low), high)] if low - SAME <= root <= high + SAME else []


def stretches(curve: Curve, low: float, high: float, scale: Curve) -> list[tuple[float, float]]:
    """Return the intervals in which a polynomial is above zero, by more than rounding.

    Args:
        curve: The polynomial.
        low: Where to look from.
        high: Where to look to.
        scale: What is large beside its rounding, a polynomial that is positive.
    """
    edges = np.unique([low, *roots_within(curve, low, high), high])
    middles = (edges[1:] + edges[:-1]) / 2
    above = curve(middles) > SAME * scale(middles)
    joined: list[tuple[float, float]] = []
    for start, stop, yes in zip(edges[:-1].tolist(), edges[1:].tolist(), above.tolist(), strict=True):
        if yes and joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        elif yes:
            joined.append((start, stop))
    return joined
