"""Sensitivity functions: a posterior as a function of one parameter, all others staying as they are.

P(evidence) is a line in an entry of a table whose column moves along in straight lines, and so the posterior is a
quotient of two lines (Castillo, Gutiérrez & Hadi 1997; Coupé & van der Gaag 2002). A number that is tied across
tables gives polynomials of a higher degree. They are found from their values at Chebyshev points and checked at others.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.sensitivity.covariation import Covariation
from rootcause.sensitivity.fitting import SAME, Line, Piece, fitted, less, roots_within, scaled, stretches
from rootcause.sensitivity.numbers import ground, said_range
from rootcause.sensitivity.parameters import (
    Entry,
    Evidence,
    Parameter,
    Question,
    Subject,
    Target,
    Varied,
    ask,
    possible,
    vary,
)

Array = NDArray[np.float64]


_STEPS = 4
"""Steps over the range in the table of values."""


class Vertex(NamedTuple):
    """Where a hyperbola has a slope of 1 or -1: beyond it, on the steep side, small changes have large effects."""

    x: float
    y: float


class Admissible(NamedTuple):
    """The widest interval of values round the parameter's own in which the leading outcome stays.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        down: How far the parameter may fall; ``None`` where the outcome stays however far.
        up: How far it may rise; ``None`` as above.
    """

    low: float
    high: float
    down: float | None
    up: float | None


@dataclass(frozen=True, slots=True)
class SensitivityFunction:
    """A posterior as a function of one parameter.

    With equal shares for what moves along, it meets the posterior as it is only where the shares are equal as it is.

    Attributes:
        target: What is asked for.
        parameter: The parameter.
        label: It in words.
        point: Its own value.
        low_high: The range of a number of a model; ``basis`` says what it rests on.
        pieces: One, or two where what moves along has a kink at the parameter's own value.
        outcomes: What may lead: the states of the target's node, or the causes of a model.
        leading: The outcome that leads at the parameter's own value.
        log_scale: All probabilities of the pieces are divided by exp of this; 0 unless they are too small for numbers.
        error: The largest difference that was found at points that the fit did not use.
        basis: What the number and its range rest on; empty for an entry.
        sources: Keys of its sources.
    """

    target: str
    parameter: Parameter
    label: str
    point: float
    low_high: tuple[float, float] | None
    pieces: tuple[Piece, ...]
    outcomes: tuple[str, ...]
    leading: str
    log_scale: float
    error: float
    basis: str = ""
    sources: tuple[str, ...] = ()

    @property
    def domain(self) -> tuple[float, float]:
        """The least and the greatest value that the parameter can take."""
        return self.pieces[0].low, self.pieces[-1].high

    @property
    def degree(self) -> int:
        """The degree of its polynomials: 1 for a quotient of two lines."""
        return max(piece.degree for piece in self.pieces)

    @property
    def coefficients(self) -> tuple[float, float, float, float]:
        """The four of (alpha t + beta) / (gamma t + delta).

        Raises:
            InvalidInputError: If it is no quotient of two lines over the whole domain.
        """
        above, below = self.pieces[0].numerator, self.pieces[0].denominator
        if len(self.pieces) > 1 or not isinstance(above, Line) or not isinstance(below, Line):
            what = f"{len(self.pieces)} pieces" if len(self.pieces) > 1 else f"degree {self.degree}"
            raise InvalidInputError(f"coefficients: only a quotient of two lines has these four, got one of {what}")
        alpha, beta = above.power()
        gamma, delta = below.power()
        return alpha, beta, gamma, delta

    @property
    def alpha(self) -> float:
        """The alpha of (alpha t + beta) / (gamma t + delta); raises as ``coefficients``."""
        return self.coefficients[0]

    @property
    def beta(self) -> float:
        """The beta of (alpha t + beta) / (gamma t + delta); raises as ``coefficients``."""
        return self.coefficients[1]

    @property
    def gamma(self) -> float:
        """The gamma of (alpha t + beta) / (gamma t + delta); raises as ``coefficients``."""
        return self.coefficients[2]

    @property
    def delta(self) -> float:
        """The delta of (alpha t + beta) / (gamma t + delta); raises as ``coefficients``."""
        return self.coefficients[3]

    @property
    def asymptotes(self) -> tuple[float, float] | None:
        """Where the two branches of the hyperbola tend to: a value of t, and one of the posterior; ``None`` for a line.

        Raises:
            InvalidInputError: As ``coefficients``.
        """
        alpha, _, gamma, delta = self.coefficients
        if abs(gamma) <= SAME * max(abs(delta), abs(gamma + delta)):
            return None
        return -delta / gamma, alpha / gamma

    @property
    def vertex(self) -> Vertex | None:
        """The vertex of the branch that runs through the domain (van der Gaag & Renooij 2001).

        ``None`` for a straight line; it may lie outside the domain.

        Raises:
            InvalidInputError: As ``coefficients``.
        """
        found = self.asymptotes
        if found is None:
            return None
        alpha, beta, gamma, delta = self.coefficients
        centre, level = found
        curvature = (beta * gamma - alpha * delta) / gamma**2
        if abs(curvature) <= SAME:
            return None
        reach = math.sqrt(abs(curvature))
        x = centre + reach if centre < self.point else centre - reach
        return Vertex(x, level + curvature / (x - centre))

    @overload
    def value(self, t: float) -> float: ...
    @overload
    def value(self, t: Array) -> Array: ...
    def value(self, t: float | Array) -> float | Array:
        """Return the posterior at values of the parameter.

        Raises:
            InvalidInputError: If a value is outside the domain, or the evidence is impossible there.
        """
        return self._at(t, lambda piece, own: piece.numerator(own) / self._possible(piece, own))

    @overload
    def derivative(self, t: float) -> float: ...
    @overload
    def derivative(self, t: Array) -> Array: ...
    def derivative(self, t: float | Array) -> float | Array:
        """Return the slope of the posterior at values of the parameter; at a kink, that of the side below.

        Raises:
            InvalidInputError: As ``value``.
        """

        def slope(piece: Piece, own: Array) -> Array:
            below = self._possible(piece, own)
            found: Array = (
                piece.numerator.deriv()(own) * below - piece.numerator(own) * piece.denominator.deriv()(own)
            ) / below**2
            return found

        return self._at(t, slope)

    def _at(self, t: float | Array, function: Any) -> float | Array:  # noqa: ANN401 - of a piece and an array
        values = np.atleast_1d(np.asarray(t, dtype=np.float64))
        low, high = self.domain
        outside = ~((values >= low) & (values <= high))
        if outside.any():
            raise InvalidInputError(f"t: must lie in [{low:g}, {high:g}], got {values[outside][0]:g}")
        result = np.empty(values.shape)
        for piece in reversed(self.pieces):
            inside = (values >= piece.low) & (values <= piece.high)
            if inside.any():
                result[inside] = function(piece, values[inside])
        return result if np.ndim(t) else float(result[0])

    @staticmethod
    def _possible(piece: Piece, values: Array) -> Array:
        found: Array = piece.denominator(values)
        if (found <= 0).any():
            raise InvalidInputError(f"t: the evidence must be possible, got {values[found <= 0][0]:g}, where it is not")
        return found

    @property
    def monotone(self) -> bool:
        """Whether it never turns back; a quotient of two lines never does."""
        turns = [t for piece in self.pieces for t in _turns(piece)]
        grid = np.unique(np.clip([*self.domain, *turns, self.point], *self.domain))
        middles = (grid[1:] + grid[:-1]) / 2
        slopes = self.derivative(middles)
        flat = SAME * max(1.0, float(abs(slopes).max()))
        return not (slopes > flat).any() or not (slopes < -flat).any()

    @property
    def admissible_deviation(self) -> Admissible:
        """How far the parameter may move before another outcome leads (van der Gaag & Renooij 2001)."""
        lead = self.outcomes.index(self.leading)
        down, up = -math.inf, math.inf
        for piece in self.pieces:
            for rival, curve in enumerate(piece.outcomes):
                if rival == lead:
                    continue
                for low, high in stretches(less(curve, piece.outcomes[lead]), piece.low, piece.high, piece.denominator):
                    if low + high < 2 * self.point:
                        down = max(down, min(high, self.point))
                    else:
                        up = min(up, max(low, self.point))
        low, high = self.domain
        return Admissible(
            low=max(down, low),
            high=min(up, high),
            down=self.point - down if math.isfinite(down) else None,
            up=up - self.point if math.isfinite(up) else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        hyperbola = len(self.pieces) == 1 and self.degree <= 1
        vertex = self.vertex if hyperbola else None
        names = ("alpha", "beta", "gamma", "delta")
        return {
            "target": self.target,
            "parameter": str(self.parameter),
            "meaning": self.label,
            "point": self.point,
            **said_range(self.low_high, self.basis, self.sources),
            "value": self.value(self.point),
            "derivative": self.derivative(self.point),
            "degree": self.degree,
            "coefficients": dict(zip(names, self.coefficients, strict=True)) if hyperbola else None,
            "log_scale": self.log_scale,
            "vertex": None if vertex is None else vertex._asdict(),
            "leading": self.leading,
            "admissible": self.admissible_deviation._asdict(),
            "error": self.error,
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        admissible = self.admissible_deviation
        lines = [
            f"{self.target} as a function of {self.parameter}",
            *([self.label] if self.label != str(self.parameter) else []),
            f"  now          {self.value(self.point):.6g} at {self.point:.6g}, slope {self.derivative(self.point):.6g}",
        ]
        if len(self.pieces) == 1 and self.degree <= 1:
            alpha, beta, gamma, delta = self.coefficients
            lines.append(f"  f(t)         ({alpha:.6g} t {beta:+.6g}) / ({gamma:.6g} t {delta:+.6g})")
            vertex = self.vertex
            lines += [] if vertex is None else [f"  vertex       at {vertex.x:.6g}, where f is {vertex.y:.6g}"]
        else:
            pieces = f", in {len(self.pieces)} pieces" if len(self.pieces) > 1 else ""
            lines.append(f"  f(t)         a quotient of polynomials of degree {self.degree}{pieces}")
        if self.low_high is not None:
            low, high = self.low_high
            lines.append(f"  range        {low:.6g} to {high:.6g} ({ground(self.basis, self.sources)})")
        lines.append(f"  {self.leading} leads from {admissible.low:.6g} to {admissible.high:.6g}")
        return "\n".join([*lines, *self._table()])

    def _table(self) -> list[str]:
        """Return some values as lines: over the range where there is one, else over the domain."""
        low, high = self.low_high or self.domain
        at = np.unique([*self.domain, *np.linspace(low, high, _STEPS + 1), self.point])
        rows = []
        for t in at.tolist():
            words = [name for name, own in (("low", low), ("now", self.point), ("high", high)) if own == t]
            above, below = self._parts(t)
            said = f"{above / below:10.4g}" if below > 0 else "impossible"
            rows.append(f"  {t:10.4g}   {said}  {', '.join(words)}".rstrip())
        return [f"  {'value':>10}   {'posterior':>10}", *rows]

    def _parts(self, t: float) -> tuple[float, float]:
        piece = next(piece for piece in self.pieces if piece.low <= t <= piece.high)
        return float(piece.numerator(t)), float(piece.denominator(t))


def _turns(piece: Piece) -> list[float]:
    """Return where the slope of a quotient may change its sign."""
    above, below = piece.numerator, piece.denominator
    if not isinstance(above, Chebyshev) or not isinstance(below, Chebyshev):
        return []
    wronskian = above.deriv() * below - above * below.deriv()
    return roots_within(wronskian, piece.low, piece.high)


# ---- finding it ------------------------------------------------------------------------------------------------------


def sensitivity_function(
    subject: Subject,
    target: Target,
    parameter: Parameter,
    evidence: Evidence,
    covariation: Covariation | None = None,
) -> SensitivityFunction:
    """Return a posterior as a function of one parameter.

    Args:
        subject: An engine, or a model.
        target: A node with one of its states, or a cause of the model, or ``none``.
        parameter: An entry of a table of the engine, or a number of the model.
        evidence: Observations by node; for a model a case or its findings.
        covariation: How the rest of the column moves along; ``None``: as the entry says.

    Raises:
        InvalidInputError: If the target, the evidence or the parameter is not known, or the scheme impossible for it.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    question = ask(subject, target, evidence)
    possible(question)
    return function_of(question, vary(question.subject, with_scheme(parameter, covariation)))


def with_scheme(parameter: Parameter, covariation: Covariation | None) -> Parameter:
    """Return a parameter with another scheme; a number of a model has no choice of schemes.

    Raises:
        InvalidInputError: If a number is given one.
    """
    if covariation is None or (isinstance(parameter, Entry) and parameter.covariation == covariation):
        return parameter
    if not isinstance(parameter, Entry):
        if covariation == "proportional":
            return parameter
        raise InvalidInputError(f"covariation: shares of a model move in proportion, got {covariation!r}")
    return replace(parameter, covariation=covariation)


def function_of(question: Question, varied: Varied) -> SensitivityFunction:
    """Return a posterior as a function of one parameter, both checked."""
    edges = [varied.domain[0], *varied.breaks, varied.domain[1]]
    events = [question.event, *question.rivals.values()]
    fits = [fitted(question, varied, events, low, high) for low, high in pairwise(edges)]
    scale = max(fit.log_scale for fit in fits)
    pieces = tuple(fit.piece if fit.log_scale == scale else scaled(fit.piece, fit.log_scale - scale) for fit in fits)
    here = next(piece for piece in pieces if piece.low <= varied.point <= piece.high)
    heights = [float(curve(varied.point)) for curve in here.outcomes]
    return SensitivityFunction(
        target=question.name,
        parameter=varied.parameter,
        label=varied.label,
        point=varied.point,
        low_high=varied.low_high,
        pieces=pieces,
        outcomes=tuple(question.rivals),
        leading=tuple(question.rivals)[int(np.argmax(heights))],
        log_scale=scale,
        error=max(fit.error for fit in fits),
        basis=varied.basis,
        sources=varied.sources,
    )
