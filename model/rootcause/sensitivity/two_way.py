"""A posterior as a function of two parameters at once (Chan & Darwiche 2004; Kjærulff & van der Gaag 2000).

P(evidence) is c0 + cx x + cy y + cxy xy in two parameters that each enter one table, so eight coefficients from the
four corners say it all. No world takes two entries of one table: for two of those there is no xy. Where a number is
tied across tables, there are more coefficients, and they are found from a grid of Chebyshev points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine
from rootcause.engine.layout import Tables
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.covariation import Covariation, rest_of
from rootcause.sensitivity.fitting import FITS
from rootcause.sensitivity.functions import with_scheme
from rootcause.sensitivity.numbers import figures_of
from rootcause.sensitivity.parameters import (
    Entry,
    Evidence,
    Number,
    Parameter,
    Question,
    Subject,
    Target,
    Varied,
    ask,
    evaluate,
    place_of,
    possible,
    vary,
)

Array = NDArray[np.float64]

_STEPS = 200
_SLACK = 1e-9


class Bilinear(NamedTuple):
    """c0 + cx x + cy y + cxy xy."""

    c0: float
    cx: float
    cy: float
    cxy: float


@dataclass(frozen=True, slots=True)
class TwoWay:
    """A posterior as a function of two parameters.

    Attributes:
        target: What is asked for.
        x: The first parameter.
        y: The second one.
        point: Their own values.
        low_high: Their ranges, for numbers of a model; ``basis`` says what they rest on.
        numerator: P(target, evidence): the factors of products of powers of x and y; of Chebyshev polynomials over
            [0, 1] where a number is tied. Shape ``(degree in x + 1, degree in y + 1)``.
        denominator: P(evidence).
        tied: Whether the factors are those of Chebyshev polynomials.
        most: The greatest sum that both may have: 1 for two of one column or of one whole, else 2.
        log_scale: All probabilities are divided by exp of this; 0 unless they are too small to be numbers.
        basis: What each number and its range rest on; empty for entries.
    """

    target: str
    x: Parameter
    y: Parameter
    point: tuple[float, float]
    low_high: tuple[tuple[float, float] | None, tuple[float, float] | None]
    numerator: Array
    denominator: Array
    tied: bool
    most: float
    log_scale: float
    basis: tuple[str, str] = ("", "")

    @property
    def corners(self) -> tuple[tuple[float, float, float], ...]:
        """The posterior at the corners of both ranges: x, y and its value; those that cannot be are left out."""
        if self.low_high[0] is None or self.low_high[1] is None:
            return ()
        found = []
        for x, y in product(self.low_high[0], self.low_high[1]):
            if x + y <= self.most + _SLACK and self.evaluated(self.denominator, np.array(x), np.array(y)) > 0:
                found.append((x, y, float(self.value(x, y))))
        return tuple(found)

    @property
    def coefficients(self) -> tuple[Bilinear, Bilinear]:
        """The eight coefficients: those of the numerator, then those of the denominator.

        Raises:
            InvalidInputError: If a number is tied across tables, so that there are more.
        """
        if self.tied:
            raise InvalidInputError("coefficients: only parameters that each enter one table have these eight")
        return _bilinear(self.numerator), _bilinear(self.denominator)

    def value(self, x: float | Array, y: float | Array) -> Array:
        """Return the posterior at values of both parameters, which are broadcast.

        Raises:
            InvalidInputError: If a value is impossible, or the evidence is impossible there.
        """
        across, up = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        inside = (across >= 0) & (across <= 1) & (up >= 0) & (up <= 1) & (across + up <= self.most + _SLACK)
        if not inside.all():
            got = f"{across[~inside][0]:g} and {up[~inside][0]:g}"
            raise InvalidInputError(f"x, y: must lie in [0, 1] with a sum of at most {self.most:g}, got {got}")
        below = self.evaluated(self.denominator, across, up)
        if (below <= 0).any():
            raise InvalidInputError("x, y: the evidence must be possible, got values where it is not")
        found: Array = self.evaluated(self.numerator, across, up) / below
        return found

    def contour(self, level: float, steps: int = _STEPS) -> tuple[Array, ...]:
        """Return the lines on which the posterior has a value.

        Args:
            level: The value, between 0 and 1.
            steps: Points along one axis.

        Returns:
            For each line, shape ``(points, 2)``: x and y.

        Raises:
            InvalidInputError: If the level is no probability.
        """
        if not 0 <= level <= 1:
            raise InvalidInputError(f"level: must lie in [0, 1], got {level!r}")
        curve = self.numerator - level * self.denominator
        along_x = self._lines(curve, steps)
        along_y = [line[:, ::-1] for line in self._lines(curve.T, steps)]
        return tuple(max(along_x, along_y, key=lambda lines: sum(map(len, lines))))

    def _lines(self, curve: Array, steps: int) -> list[Array]:
        """Return the lines on which a polynomial is zero, from its zeros in the second variable along the first."""
        roots_of = chebyshev.chebroots if self.tied else polynomial.polyroots
        lines: list[list[tuple[float, float]]] = []
        open_: list[list[tuple[float, float]]] = []
        for at in np.linspace(0, 1, steps + 1).tolist():
            column = self._folded(curve, at)
            kept = np.flatnonzero(abs(column) > 1e-13 * abs(curve).max(initial=1e-300))
            found = roots_of(column[: kept[-1] + 1]) if len(kept) and kept[-1] > 0 else np.zeros(0)
            real = found.real[abs(found.imag) < _SLACK]
            zeros = sorted(((real + 1) / 2 if self.tied else real).tolist())
            inside = [
                min(max(z, 0.0), 1.0) for z in zeros if -_SLACK <= z <= 1 + _SLACK and at + z <= self.most + _SLACK
            ]
            if len(inside) != len(open_):
                open_ = [[] for _ in inside]
                lines += open_
            for line, zero in zip(open_, inside, strict=True):
                line.append((at, zero))
        return [np.array(line) for line in lines]

    def _folded(self, curve: Array, at: float) -> Array:
        """Return a polynomial in both as one in the second, at a value of the first."""
        value = chebyshev.chebval(2 * at - 1, curve) if self.tied else polynomial.polyval(at, curve)
        return np.atleast_1d(np.asarray(value, dtype=np.float64))

    def evaluated(self, factors: Array, x: Array, y: Array) -> Array:
        """Return a polynomial in both, told by its factors as those of this function are, at values of both."""
        if self.tied:
            return np.asarray(chebyshev.chebval2d(2 * x - 1, 2 * y - 1, factors))
        return np.asarray(polynomial.polyval2d(x, y, factors))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        names = ("numerator", "denominator")
        eight = None if self.tied else {name: c._asdict() for name, c in zip(names, self.coefficients, strict=True)}
        return {
            "target": self.target,
            "x": str(self.x),
            "y": str(self.y),
            "point": list(self.point),
            "low_high": [None if range_ is None else list(range_) for range_ in self.low_high],
            "basis": list(self.basis),
            "published": [
                None if range_ is None or basis == "assumed" else list(range_)
                for range_, basis in zip(self.low_high, self.basis, strict=True)
            ],
            "corners": [{"x": x, "y": y, "posterior": value} for x, y, value in self.corners],
            "value": float(self.value(*self.point)),
            "coefficients": eight,
            "tied": self.tied,
            "log_scale": self.log_scale,
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        (x, y), value = self.point, float(self.value(*self.point))
        lines = [
            f"{self.target} as a function of x = {self.x} and y = {self.y}",
            f"  now          {value:.6g} at x = {x:.6g}, y = {y:.6g}",
        ]
        if self.tied:
            degrees = " in x and ".join(str(size - 1) for size in self.denominator.shape)
            lines.append(f"  f(x, y)      a quotient of polynomials of degree {degrees} in y")
            return "\n".join([*lines, *self._ends()])
        for name, c in zip(("numerator", "denominator"), self.coefficients, strict=True):
            lines.append(f"  {name:12} {c.c0:.6g} {c.cx:+.6g} x {c.cy:+.6g} y {c.cxy:+.6g} xy")
        return "\n".join([*lines, *self._ends()])

    def _ends(self) -> list[str]:
        """Return the ranges and the corners as lines."""
        lines = [
            f"  {f'range of {name}':12} {range_[0]:.4g} to {range_[1]:.4g} ({basis})"
            for name, range_, basis in zip("xy", self.low_high, self.basis, strict=True)
            if range_ is not None
        ]
        rows = [f"  {x:10.4g} {y:10.4g}   {value:10.4g}" for x, y, value in self.corners]
        return [*lines, *([f"  {'x':>10} {'y':>10}   {'posterior':>10}", *rows] if rows else [])]


def _bilinear(factors: Array) -> Bilinear:
    (c0, cy), (cx, cxy) = factors.tolist()
    return Bilinear(c0, cx, cy, cxy)


def two_way(
    subject: Subject,
    target: Target,
    x: Parameter,
    y: Parameter,
    evidence: Evidence,
    covariation: Covariation | None = None,
) -> TwoWay:
    """Return a posterior as a function of two parameters.

    Two entries of one column, or two shares of one whole, move freely as far as their sum allows, and the others share
    what is left in proportion.

    Args:
        subject: An engine, or a model.
        target: A node with one of its states, or a cause of the model, or ``none``.
        x: An entry of a table of the engine, or a number of the model.
        y: Another one.
        evidence: Observations by node; for a model a case or its findings.
        covariation: How the rest of a column moves along; ``None``: as the entries say.

    Raises:
        InvalidInputError: If the target, the evidence or a parameter is not known; if a parameter keeps the order of
            its column, which is no line; if both are one, or leave no other to move along.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    question = ask(subject, target, evidence)
    possible(question)
    both = (with_scheme(x, covariation), with_scheme(y, covariation))
    varied = (vary(question.subject, both[0]), vary(question.subject, both[1]))
    for own in both:
        if isinstance(own, Entry) and own.covariation == "order_preserving":
            raise InvalidInputError(
                f"covariation: two at once move along in proportion or equally, got {own.covariation}"
            )
    tables, most = _tables(question, both, varied)
    tied = max(own.degree for own in varied) > 1
    numerator, denominator, log_scale = (_grid if tied else _corners)(question, varied, tables, most)
    return TwoWay(
        target=question.name,
        x=both[0],
        y=both[1],
        point=(varied[0].point, varied[1].point),
        low_high=(varied[0].low_high, varied[1].low_high),
        numerator=numerator,
        denominator=denominator,
        tied=tied,
        most=most,
        log_scale=log_scale,
        basis=(varied[0].basis, varied[1].basis),
    )


Pair = tuple[Parameter, Parameter]
VariedPair = tuple[Varied, Varied]
TablesOfTwo = Callable[[Array, Array], Tables]


def _tables(question: Question, both: Pair, varied: VariedPair) -> tuple[TablesOfTwo, float]:
    """Return what gives the tables for values of both, and the greatest sum that both may have."""
    first, second = both
    if isinstance(first, Entry) and isinstance(second, Entry) and isinstance(question.subject, Engine):
        return _entries(question.subject, (first, second), varied)
    if isinstance(first, Number) and isinstance(second, Number) and not isinstance(question.subject, Engine):
        return _numbers(question, (first, second))
    raise InvalidInputError(f"x, y: must both be entries or both numbers, got {first} and {second}")


def _entries(engine: Engine, both: tuple[Entry, Entry], varied: VariedPair) -> tuple[TablesOfTwo, float]:
    places = [place_of(engine, entry) for entry in both]
    if both[0].node == both[1].node and places[0] == places[1]:
        raise InvalidInputError(f"x, y: must be two parameters, got {both[0]} twice")
    same_column = both[0].node == both[1].node and places[0][0] == places[1][0]
    if same_column:
        before = engine.table(both[0].node)[places[0][0]]
        if len(before) == len(both):
            got = f"the only two: {both[0]}, {both[1]}"
            raise InvalidInputError(f"x, y: another entry of the column must move along, got {got}")
        rest = rest_of(before, [state for _, state in places], both[0].covariation)

    def tables(x: Array, y: Array) -> Tables:
        moved: dict[str, Array] = {}
        for entry, (index, state), own, values in zip(both, places, varied, (x, y), strict=True):
            if entry.node not in moved:
                moved[entry.node] = np.repeat(engine.table(entry.node)[..., np.newaxis], len(x), axis=-1)
            if not same_column:
                moved[entry.node][index] = own.column(values)
                continue
            if entry is both[0]:
                moved[entry.node][index] = rest[:, np.newaxis] * (1 - x - y)
            moved[entry.node][index][state] = values
        return lambda name: moved[name] if name in moved else engine.table(name)[..., np.newaxis]

    return tables, 1.0 if same_column else 2.0


def _numbers(question: Question, both: tuple[Number, Number]) -> tuple[TablesOfTwo, float]:
    model, engine = question.subject, question.engine
    if isinstance(model, Engine):
        raise InvalidInputError("x, y: an engine has entries and no numbers")
    figures = figures_of(model)
    first, second = (own.id for own in both)
    if first == second:
        raise InvalidInputError(f"x, y: must be two numbers, got {first} twice")
    of_one_whole = second in figures.siblings.get(first, ())
    others = [id_ for id_ in figures.siblings.get(first, ()) if id_ != second] if of_one_whole else []
    if of_one_whole and not others:
        raise InvalidInputError(f"x, y: another share must move along, got the only two: {first} and {second}")
    left = sum(float(figures.points[id_][0]) for id_ in others)

    def tables(x: Array, y: Array) -> Tables:
        if not of_one_whole:
            return figures.tables(engine, figures.moved(first, x) | figures.moved(second, y))
        shares: Mapping[str, Array] = {id_: figures.points[id_] / left * (1 - x - y) for id_ in others}
        return figures.tables(engine, {first: x, second: y, **shares})

    return tables, 1.0 if of_one_whole else 2.0


def _corners(question: Question, varied: VariedPair, tables: TablesOfTwo, most: float) -> tuple[Array, Array, float]:
    """Return the factors of two bilinear functions, from the four corners, or three where they exclude each other."""
    x, y = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    if most < x[-1] + y[-1]:
        x, y = x[:3], y[:3]
    found = evaluate(question, Drawn(tables(x, y), len(x)))
    first, second = (own.parameter for own in varied)
    one_table = isinstance(first, Entry) and isinstance(second, Entry) and first.node == second.node
    factors = []
    for values in (found.joint[0], found.evidence):
        c0, cx, cy = values[0], values[1] - values[0], values[2] - values[0]
        cxy = 0.0 if one_table or len(x) == 3 else values[3] - values[2] - values[1] + values[0]  # noqa: PLR2004
        factors.append(np.array([[c0, cy], [cx, cxy]]))
    return factors[0], factors[1], found.log_scale


def _grid(question: Question, varied: VariedPair, tables: TablesOfTwo, most: float) -> tuple[Array, Array, float]:
    """Return the factors of Chebyshev polynomials, from a grid."""
    if most < 2:  # noqa: PLR2004 - shares that are tied
        raise InvalidInputError("x, y: two shares of one whole that is tied across tables are not covered")
    axes = [np.cos(np.pi * (np.arange(own.degree + 1) + 0.5) / (own.degree + 1)) for own in varied]
    x, y = ((axis.ravel() + 1) / 2 for axis in np.meshgrid(*axes, indexing="ij"))
    found = evaluate(question, Drawn(tables(x, y), len(x)))
    inverses = [np.linalg.inv(chebyshev.chebvander(axis, len(axis) - 1)) for axis in axes]
    shape = (len(axes[0]), len(axes[1]))
    factors = [inverses[0] @ values.reshape(shape) @ inverses[1].T for values in (found.joint[0], found.evidence)]
    return _trimmed(factors[0]), _trimmed(factors[1]), found.log_scale


def _trimmed(factors: Array) -> Array:
    """Leave out the highest degrees where they are rounding; a line stays a line."""
    small = abs(factors) <= FITS**1.3 * abs(factors).max()
    rows = int(np.flatnonzero(~small.all(axis=1)).max(initial=0)) + 1
    columns = int(np.flatnonzero(~small.all(axis=0)).max(initial=0)) + 1
    return factors[: max(rows, 2), : max(columns, 2)]
