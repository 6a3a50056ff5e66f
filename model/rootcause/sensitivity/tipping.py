"""Tipping points: the values of a parameter at which a posterior reaches a level, or two causes change places.

The distance of such a change is that of Chan & Darwiche (2005), which bounds what the change can do to any odds: the
odds of whatever, given whatever, change by a factor of at most e to the distance. For an entry whose column gives way
in proportion, and for a number against the rest, it is the change of its own log-odds (Chan & Darwiche 2002).
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError, nearest
from rootcause.sensitivity.covariation import Covariation
from rootcause.sensitivity.fitting import Curve, Piece, less, roots_within, stretches
from rootcause.sensitivity.functions import SensitivityFunction, function_of, with_scheme
from rootcause.sensitivity.numbers import ground, said_range
from rootcause.sensitivity.parameters import (
    Evidence,
    Parameter,
    Subject,
    Target,
    Varied,
    ask,
    possible,
    vary,
)

Array = NDArray[np.float64]


def cd_distance(before: Array, after: Array) -> float:
    """Return the distance of Chan & Darwiche (2005) between two distributions or tables: ln of largest to least ratio.

    Args:
        before: Probabilities; of a table, those of the columns that are possible.
        after: The same, changed.

    Returns:
        A distance of at least 0; infinite where one of them rules out what the other does not.

    Raises:
        InvalidInputError: If the shapes differ or a probability is negative.
    """
    first, second = np.asarray(before, dtype=np.float64).ravel(), np.asarray(after, dtype=np.float64).ravel()
    if np.shape(before) != np.shape(after) or (first < 0).any() or (second < 0).any():
        raise InvalidInputError("cd_distance: must get two tables of probabilities of one shape, got others")
    if ((first > 0) != (second > 0)).any():
        return math.inf
    both = first > 0
    if not both.any():
        return 0.0
    ratios = np.log(second[both]) - np.log(first[both])
    return float(ratios.max() - ratios.min())


def odds_factor(before: float, after: float) -> float:
    """Return by what the odds are multiplied when one probability becomes another; infinite where there are none."""
    if before == after:
        return 1.0
    up, down = after * (1 - before), before * (1 - after)
    return math.inf if down <= 0 else up / down


def missed_by(value: float, low: float, high: float) -> tuple[bool, float]:
    """Return whether a value lies in a range, and by what factor of the odds the range misses it: 1 inside."""
    if low <= value <= high:
        return True, 1.0
    return False, odds_factor(high, value) if value > high else odds_factor(value, low)


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """A value at which something tips.

    Attributes:
        value: The value of the parameter.
        posterior: The posterior there.
        distance: Chan–Darwiche distance of the change from the parameter's own value.
        odds_factor: By what the odds of the parameter are multiplied on the way.
        inside: Whether it lies in the range of the number; ``None`` where there is none.
        missed_by: By what factor of the odds the range misses it: 1 inside; ``None`` where there is no range.
    """

    value: float
    posterior: float
    distance: float
    odds_factor: float
    inside: bool | None
    missed_by: float | None


@dataclass(frozen=True, slots=True)
class Tipping:
    """All values at which something tips, the nearest first.

    Attributes:
        target: What is asked for.
        parameter: The parameter.
        label: It in words.
        point: Its own value.
        low_high: Its range; ``basis`` says what it rests on.
        what: What tips: ``reaches 0.5``, ``meets recurrent_herniation``.
        posterior: The posterior at the parameter's own value.
        points: Where; empty where it never does.
        function: The posterior as a function of the parameter.
        basis: What the number and its range rest on; empty for an entry.
        sources: Keys of its sources.
    """

    target: str
    parameter: Parameter
    label: str
    point: float
    low_high: tuple[float, float] | None
    what: str
    posterior: float
    points: tuple[TippingPoint, ...]
    function: SensitivityFunction
    basis: str = ""
    sources: tuple[str, ...] = ()

    @property
    def nearest(self) -> TippingPoint | None:
        """The one with the least distance."""
        return self.points[0] if self.points else None

    @property
    def sentence(self) -> str:
        """What was found, in words: the nearest value inside the range, or the nearest at all if none is inside."""
        found = next((point for point in self.points if point.inside), self.nearest)
        if found is None:
            low, high = self.function.domain
            return f"{self.target} never {self.what}, whatever {self.parameter} is between {low:g} and {high:g}."
        said = f"{self.target} {self.what} at {self.parameter} = {found.value:.4g} (now {self.point:.4g})"
        if self.low_high is None or found.missed_by is None:
            return f"{said}, a distance of {found.distance:.3g}."
        low, high = self.low_high
        rests = ground(self.basis, self.sources)
        if found.inside:
            return f"{said}, inside its range, {low:.4g} to {high:.4g} ({rests})."
        missed = "by any factor" if math.isinf(found.missed_by) else f"by a factor of {found.missed_by:.3g} in its odds"
        return f"{said}; its range, {low:.4g} to {high:.4g} ({rests}), misses that {missed}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; a number without bound is ``None``."""
        return {
            "target": self.target,
            "parameter": str(self.parameter),
            "meaning": self.label,
            "point": self.point,
            **said_range(self.low_high, self.basis, self.sources),
            "what": self.what,
            "posterior": self.posterior,
            "points": [{key: _finite(value) for key, value in asdict(point).items()} for point in self.points],
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        return self.sentence


def _finite(value: float | bool | None) -> float | bool | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tipping(
    subject: Subject,
    target: Target,
    parameter: Parameter,
    evidence: Evidence,
    *,
    threshold: float | None = None,
    rival: str | None = None,
    covariation: Covariation | None = None,
) -> Tipping:
    """Return the values of a parameter at which a posterior reaches a level, or changes places with another.

    Args:
        subject: An engine, or a model.
        target: A node with one of its states, or a cause of the model, or ``none``.
        parameter: An entry of a table of the engine, or a number of the model.
        evidence: Observations by node; for a model a case or its findings.
        threshold: The level, between 0 and 1.
        rival: Another cause of the model, or another state of the node. One of the two must be given.
        covariation: How the rest of the column moves along; ``None``: as the entry says.

    Raises:
        InvalidInputError: If the target, the evidence, the parameter or the rival is not known, if both or neither of
            the last two are given, or the level is no probability.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if (threshold is None) == (rival is None):
        raise InvalidInputError("tipping: a threshold or a rival must be given, and not both")
    if threshold is not None and not 0 <= threshold <= 1:
        raise InvalidInputError(f"threshold: must lie in [0, 1], got {threshold!r}")
    question = ask(subject, target, evidence)
    if rival is not None and rival not in question.rivals:
        raise InvalidInputError(f"rival: must be known, got {rival!r}{nearest(rival, map(str, question.rivals))}")
    possible(question)
    varied = vary(question.subject, with_scheme(parameter, covariation))
    function = function_of(question, varied)

    def excess(piece: Piece) -> Curve:
        if rival is not None:
            return less(piece.numerator, piece.outcomes[function.outcomes.index(rival)])
        return less(piece.numerator, piece.denominator * float(threshold or 0.0))

    found = [_point(varied, function, value) for value in crossings(function, excess)]
    return Tipping(
        target=question.name,
        parameter=varied.parameter,
        label=varied.label,
        point=varied.point,
        low_high=varied.low_high,
        what=f"reaches {threshold:g}" if threshold is not None else f"meets {rival}",
        posterior=function.value(varied.point),
        points=tuple(sorted(found, key=lambda point: point.distance)),
        function=function,
        basis=varied.basis,
        sources=varied.sources,
    )


def crossings(function: SensitivityFunction, excess: Callable[[Piece], Curve]) -> list[float]:
    """Return where a difference of probabilities is zero and the evidence possible, unless it is zero throughout."""
    found: list[float] = []
    for piece in function.pieces:
        curve = excess(piece)
        if not _ever(curve, piece):
            continue
        roots = roots_within(curve, piece.low, piece.high)
        found += [root for root in roots if piece.denominator(root) > 0 and root not in found]
    return found


def _ever(curve: Curve, piece: Piece) -> bool:
    """Return whether a polynomial is anything but zero, by more than rounding."""
    above = stretches(curve, piece.low, piece.high, piece.denominator)
    return bool(above) or bool(stretches(-curve, piece.low, piece.high, piece.denominator))


def _point(varied: Varied, function: SensitivityFunction, value: float) -> TippingPoint:
    both = varied.column(np.array([value, varied.point]))
    inside, missed = (None, None) if varied.low_high is None else missed_by(value, *varied.low_high)
    return TippingPoint(
        value=value,
        posterior=function.value(value),
        distance=cd_distance(both[:, 1], both[:, 0]),
        odds_factor=odds_factor(varied.point, value),
        inside=inside,
        missed_by=missed,
    )
