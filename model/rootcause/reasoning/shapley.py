"""Shares of a common result that hang on no order: the Shapley value, exact for few players and sampled for many.

The share of a player is its contribution averaged over all orders in which the players can come (Shapley 1953). With
few players every coalition is asked; with more, random orders are drawn, each with its reverse (antithetic pairs;
Mitchell, Cooper, Frank & Holmes 2022). The shares of one order add up by themselves, so the sampled ones do, too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError

Array = NDArray[np.float64]
Coalitions = NDArray[np.bool_]
"""Who is in it, shape ``(coalitions, players)``."""

Worth = Callable[[Coalitions], Array]
"""Returns what each coalition is worth, shape ``(coalitions,)``."""

EXACT_UP_TO = 12
SAMPLES = 1_000


class Sampling(TypedDict, total=False):
    """Settings of ``shapley_values``, for what hands them on."""

    exact_up_to: int
    samples: int
    seed: int


_FEWEST_SAMPLES = 4
_MOST_EXACT = 24
_LARGEST_BATCH = 1 << 16


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of each player.

    Attributes:
        values: Shape ``(players,)``; they add up to worth(all) − worth(none).
        error: Standard error of each share, shape ``(players,)``; ``None`` where the shares are exact.
        exact: Whether every coalition was asked.
    """

    values: Array
    error: Array | None
    exact: bool


def shapley_values(
    worth: Worth, players: int, *, exact_up_to: int = EXACT_UP_TO, samples: int = SAMPLES, seed: int = 0
) -> Shares:
    """Return the Shapley value of each player.

    Args:
        worth: What coalitions are worth; called with each coalition once, in as few calls as fit in memory.
        players: Their number, from 0.
        exact_up_to: Up to this many players, at most 24, all 2^players coalitions are asked.
        samples: Above that, how many random orders are drawn, at least 4; an odd number is raised by one.
        seed: Seed of the orders.

    Raises:
        InvalidInputError: If a number is out of its range, or ``worth`` does not return one finite number for each
            coalition.
    """
    if players < 0:
        msg = f"players: must be 0 or more, got {players}"
        raise InvalidInputError(msg)
    if exact_up_to > _MOST_EXACT:
        msg = f"exact_up_to: must be {_MOST_EXACT} or less, got {exact_up_to}"
        raise InvalidInputError(msg)
    if samples < _FEWEST_SAMPLES:
        msg = f"samples: must be {_FEWEST_SAMPLES} or more, got {samples}"
        raise InvalidInputError(msg)
    return _exact(worth, players) if players <= exact_up_to else _sampled(worth, players, samples, seed)


def every_coalition(players: int) -> Coalitions:
    """Return all coalitions; in the one of number k are the players whose bits are set in k."""
    numbers = np.arange(1 << players, dtype=np.int64)
    inside: Coalitions = (numbers[:, np.newaxis] >> np.arange(players)) & 1 == 1
    return inside


def _exact(worth: Worth, players: int) -> Shares:
    coalitions = every_coalition(players)
    value = _asked(worth, coalitions)
    numbers = np.arange(len(coalitions))
    chance = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    size = coalitions.sum(axis=1)
    shares = np.empty(players)
    for player in range(players):
        without = numbers[~coalitions[:, player]]
        shares[player] = chance[size[without]] @ (value[without | 1 << player] - value[without])
    return Shares(shares, None, exact=True)


def _sampled(worth: Worth, players: int, samples: int, seed: int) -> Shares:
    pairs = (samples + 1) // 2
    first = np.random.default_rng(seed).permuted(np.tile(np.arange(players), (pairs, 1)), axis=1)
    orders = np.stack([first, first[:, ::-1]])  # (2, pairs, players)
    place = np.argsort(orders, axis=-1)
    prefixes = place[..., np.newaxis, :] < np.arange(players + 1)[:, np.newaxis]  # (2, pairs, players + 1, players)
    packed, at = np.unique(np.packbits(prefixes.reshape(-1, players), axis=1), axis=0, return_inverse=True)
    coalitions = np.unpackbits(packed, axis=1, count=players) == 1
    value = _asked(worth, coalitions)[at.reshape(prefixes.shape[:-1])]
    gains = np.take_along_axis(np.diff(value, axis=-1), place, axis=-1).mean(axis=0)  # (pairs, players)
    return Shares(gains.mean(axis=0), gains.std(axis=0, ddof=1) / math.sqrt(pairs), exact=False)


def _asked(worth: Worth, coalitions: Coalitions) -> Array:
    starts = range(0, len(coalitions), _LARGEST_BATCH)
    parts = [np.asarray(worth(coalitions[start : start + _LARGEST_BATCH]), dtype=np.float64) for start in starts]
    for start, part in zip(starts, parts, strict=True):
        expected = (min(_LARGEST_BATCH, len(coalitions) - start),)
        if part.shape != expected:
            msg = f"worth: must return one number for each coalition, shape {expected}, got {part.shape}"
            raise InvalidInputError(msg)
        if not np.isfinite(part).all():
            msg = f"worth: must be finite for every coalition, got {part[~np.isfinite(part)][0]}"
            raise InvalidInputError(msg)
    return np.concatenate(parts)
