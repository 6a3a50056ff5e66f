"""From a published range to a distribution, and draws from it.

A number is drawn from the Beta distribution whose mean is its point and which puts the probability that its range is
read as (``priors.COVERAGE``) between ``low`` and ``high``: one equation for the one free number, the concentration.
Shares of one whole are drawn together, from the Dirichlet distribution with their points as mean and the median of
their concentrations. The mean of every draw is thus the point, exactly.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rootcause.priors import COVERAGE, Parameter, share_groups

Draws = Mapping[str, NDArray[np.float64]]
"""Values of numbers by id, each of shape ``(n,)``; n is 1 where the numbers stand at their points."""

_Value = TypeVar("_Value")


class Noting(dict[str, _Value]):
    """Numbers that note which of them are looked up.

    Attributes:
        noted: Their ids, in the order in which they were first looked up.
    """

    def __init__(self, numbers: Mapping[str, _Value]) -> None:
        super().__init__(numbers)
        self.noted: dict[str, None] = {}

    def __getitem__(self, key: str) -> _Value:
        self.noted[key] = None
        return super().__getitem__(key)


_LOWEST, _HIGHEST = -1.0, 18.0  # natural logs of the concentrations that are searched
_HALVINGS = 48


_Range = tuple[float, float, float, float]
"""Point, low, high and coverage of a number: what its concentration hangs on."""

_remembered: dict[_Range, float] = {}


def _range_of(parameter: Parameter) -> _Range:
    return parameter.point, parameter.low, parameter.high, COVERAGE[parameter.range]


def remember(parameters: Iterable[Parameter], known: Iterable[float]) -> None:
    """Take concentrations that were computed before."""
    _remembered.update(zip(map(_range_of, parameters), known, strict=True))


def concentrations(parameters: Iterable[Parameter]) -> NDArray[np.float64]:
    """Return the concentration of the Beta distribution of each number.

    Returns:
        Shape ``(k,)``: a + b of Beta(a, b) with mean ``point`` and the range's coverage within ``[low, high]``.
    """
    ranges = [_range_of(parameter) for parameter in parameters]
    new = [own for own in dict.fromkeys(ranges) if own not in _remembered]
    if new:
        _remembered.update(zip(new, _concentrations(new).tolist(), strict=True))
    return np.array([_remembered[own] for own in ranges])


def _concentrations(ranges: Sequence[_Range]) -> NDArray[np.float64]:
    from scipy.special import betainc

    rows = np.array(ranges).reshape(-1, 4)
    mean, low, high, coverage = rows.T
    below = np.full(len(rows), _LOWEST)
    above = np.full(len(rows), _HIGHEST)
    for _ in range(_HALVINGS):  # bisection: the mass between low and high grows with the concentration
        middle = (below + above) / 2
        a, b = np.exp(middle) * mean, np.exp(middle) * (1 - mean)
        enough = betainc(a, b, high) - betainc(a, b, low) >= coverage
        above = np.where(enough, middle, above)
        below = np.where(enough, below, middle)
    result: NDArray[np.float64] = np.exp((below + above) / 2)
    return result


def points(parameters: Mapping[str, Parameter]) -> dict[str, NDArray[np.float64]]:
    """Return every number at its point, each of shape ``(1,)``."""
    return {id_: np.array([parameter.point]) for id_, parameter in parameters.items()}


def draw(
    parameters: Mapping[str, Parameter], wanted: Iterable[str], n: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Draw numbers from their distributions.

    Each number has a stream of its own, from the seed and its id, so that asking for more numbers, or adding one to the
    folder, leaves the draws of the others as they were.

    Args:
        parameters: All numbers.
        wanted: Ids of the numbers to draw; a share brings the others of its whole.
        n: How many draws.
        seed: Seed of all streams.

    Returns:
        Arrays of shape ``(n,)`` by id.
    """
    result: dict[str, NDArray[np.float64]] = {}
    found = blocks(parameters, wanted)
    single = [name for name, ids in found.items() if ids == (name,)]
    for id_, kappa in zip(single, concentrations(parameters[i] for i in single), strict=True):
        point = parameters[id_].point
        result[id_] = stream(seed, id_).beta(kappa * point, kappa * (1 - point), n)
    for name, ids in found.items():
        if ids == (name,):
            continue
        kappa = np.median(concentrations(parameters[i] for i in ids))
        shares = stream(seed, name).dirichlet([kappa * parameters[i].point for i in ids], n)
        result.update(zip(ids, shares.T, strict=True))
    return result


def blocks(ids: Iterable[str], wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what is drawn together: a number alone, under its id, or all shares of a whole, under their common path.

    Args:
        ids: All numbers.
        wanted: Those to draw; a share brings the others of its whole.
    """
    wholes = share_groups(ids)
    whole_of = {id_: name for name, own in wholes.items() for id_ in own}
    names = dict.fromkeys(whole_of.get(id_, id_) for id_ in wanted)
    return {name: tuple(wholes.get(name, (name,))) for name in names}


def stream(seed: int, name: str, *more: int) -> np.random.Generator:
    """Return the stream of a block, from the seed, its name and what else is to tell it from others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode("utf-8")), *more])
