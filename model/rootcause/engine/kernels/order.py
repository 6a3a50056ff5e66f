"""The order in which variables are eliminated: the cheapest next, or one that was fixed: compiled loops."""

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    BITS,
    COUNT,
    DIM,
    FIXED,
    KEPT,
    LEAVES,
    LEFT_IN,
    MERIT,
    NEAR,
    NODE,
    OPEN,
    ORDER,
    REL,
    RING,
    SCOPE,
    SCOPE_START,
    SIZES,
    VAR,
    VARS,
    WEIGHT,
    WIDTH,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.bits import count_bits, lowest_bit

_SEARCH_ABOVE = 4_000.0
"""Multiplications above which a second order of elimination is tried for a plan that is run once."""

_SEARCH_FOR_MANY_ABOVE = 1_000.0
"""The same for a plan that is run many times."""

_MANY_TRIES = 8
"""Tries from which on a plan is taken to be run many times."""

_TIE = 1e9
"""Above any table that fits in memory."""

_SEARCH_LONGER_ABOVE = 2_000_000.0
"""Multiplications above which blurred orders are tried as well."""


@njit(cache=True, nogil=True)
def _connect(room: Ints, reals: Floats, words: Words) -> None:
    """Set the neighbours of each variable: those that it shares a leaf with."""
    width = room[COUNT, WIDTH]
    variables = room[COUNT, VARS]
    for i in range(variables * width):
        words[NEAR, i] = 0
    for leaf in range(room[COUNT, LEAVES]):
        for at in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
            var = room[SCOPE, at]
            for w in range(width):
                words[NEAR, var * width + w] |= words[BITS, leaf * width + w]
    for var in range(variables):
        words[NEAR, var * width + (var >> 6)] &= ~(np.uint64(1) << np.uint64(var & 63))
        reals[WEIGHT, var] = _product(room, words, var * width)


@njit(cache=True, nogil=True)
def _bits_of(room: Ints, words: Words) -> None:
    width = (room[COUNT, VARS] + 63) // 64
    room[COUNT, WIDTH] = width
    for leaf in range(room[COUNT, LEAVES]):
        for w in range(width):
            words[BITS, leaf * width + w] = 0
        for at in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
            var = room[SCOPE, at]
            words[BITS, leaf * width + (var >> 6)] |= np.uint64(1) << np.uint64(var & 63)


@njit(cache=True, nogil=True, forceinline=True)
def _product(room: Ints, words: Words, start: int) -> float:
    product = 1.0
    for w in range(room[COUNT, WIDTH]):
        word = words[NEAR, start + w]
        while word:
            product *= room[DIM, (w << 6) + lowest_bit(word)]
            word &= word - np.uint64(1)
    return product


@njit(cache=True, nogil=True, forceinline=True)
def _fill(room: Ints, words: Words, var: int) -> float:
    """Return how many pairs of neighbours of a variable are not neighbours of each other, twice."""
    width = room[COUNT, WIDTH]
    fill = 0
    for w in range(width):
        word = words[NEAR, var * width + w]
        while word:
            other = (w << 6) + lowest_bit(word)
            word &= word - np.uint64(1)
            for x in range(width):
                fill += count_bits(words[NEAR, var * width + x] & ~words[NEAR, other * width + x])
            fill -= 1
    return float(fill)


@njit(cache=True, nogil=True, forceinline=True)
def _merit(room: Ints, reals: Floats, words: Words, var: int, by_fill: bool) -> float:
    """Return the criterion of the next variable; of those that add as few neighbours, the smallest table is best."""
    weight = float(reals[WEIGHT, var])
    return _fill(room, words, var) * _TIE + min(weight, _TIE) if by_fill else weight


@njit(cache=True, nogil=True)
def _greedy(room: Ints, reals: Floats, words: Words, by_fill: bool, seed: int) -> float:
    """Put an order of elimination into ``ORDER``, the best next variable at every step, and return its cost.

    Args:
        room: Working memory with the leaves.
        by_fill: Whether the best adds the fewest neighbours, not the smallest table.
        seed: Blurs the criterion where it is not 0, so that another call finds another order about as good.
    """
    _connect(room, reals, words)
    variables, width = room[COUNT, VARS], room[COUNT, WIDTH]
    for w in range(width):
        words[RING, w] = 0
    state = np.uint64(seed * 2654435761 + 1)
    left = 0
    for i in range(variables):
        if not _is_open(room, i):
            room[ALIVE, left] = i
            left += 1
            reals[MERIT, i] = _merit(room, reals, words, i, by_fill)
    cost = 0.0
    for step in range(left):
        best = 0
        lowest = np.inf
        for i in range(left):
            var = room[ALIVE, i]
            value = reals[MERIT, var]
            if seed:
                state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                value = (value + 1) * (1.0 + 0.25 * float(state >> np.uint64(11)) / 9007199254740992.0)
            if value < lowest:
                lowest = value
                best = i
        var = room[ALIVE, best]
        left -= 1
        for i in range(best, left):
            room[ALIVE, i] = room[ALIVE, i + 1]
        room[ORDER, step] = var
        cost += reals[WEIGHT, var] * room[DIM, var]
        _take_out(room, reals, words, var, width)
        for w in range(width):
            word = words[NEAR, var * width + w]
            while word:
                other = (w << 6) + lowest_bit(word)
                word &= word - np.uint64(1)
                reals[MERIT, other] = _merit(room, reals, words, other, by_fill)
                for x in range(width):
                    words[RING, x] |= words[NEAR, other * width + x]
        for w in range(width if by_fill else 0):  # the new neighbours are two fewer pairs to join for those around
            word = words[RING, w] & ~words[NEAR, var * width + w]
            words[RING, w] = 0
            while word:
                other = (w << 6) + lowest_bit(word)
                word &= word - np.uint64(1)
                reals[MERIT, other] = _merit(room, reals, words, other, by_fill)
    return cost


@njit(cache=True, nogil=True, forceinline=True)
def _take_out(room: Ints, reals: Floats, words: Words, var: int, width: int) -> None:
    """Join the neighbours of a variable to each other and take the variable out."""
    for w in range(width):
        word = words[NEAR, var * width + w]
        while word:
            other = (w << 6) + lowest_bit(word)
            word &= word - np.uint64(1)
            reals[WEIGHT, other] /= room[DIM, var]
            words[NEAR, other * width + (var >> 6)] &= ~(np.uint64(1) << np.uint64(var & 63))
            for x in range(width):
                fresh = words[NEAR, var * width + x] & ~words[NEAR, other * width + x]
                if x == other >> 6:
                    fresh &= ~(np.uint64(1) << np.uint64(other & 63))
                words[NEAR, other * width + x] |= fresh
                while fresh:
                    reals[WEIGHT, other] *= room[DIM, (x << 6) + lowest_bit(fresh)]
                    fresh &= fresh - np.uint64(1)


@njit(cache=True, nogil=True, forceinline=True)
def _keep_order(room: Ints) -> None:
    for i in range(room[COUNT, VARS]):
        room[KEPT, i] = room[ORDER, i]


@njit(cache=True, nogil=True)
def choose_order(net: Ints, room: Ints, reals: Floats, words: Words, tries: int) -> None:
    """Choose the order of elimination: the fixed one, or the cheapest of the greedy ones."""
    _bits_of(room, words)
    _leave_in(room)
    if net[SIZES, 1]:
        _fixed_order(net, room)
        return
    best = _greedy(room, reals, words, False, 0)
    many = tries >= _MANY_TRIES
    if best < (_SEARCH_FOR_MANY_ABOVE if many else _SEARCH_ABOVE):
        return
    _keep_order(room)
    cost = _greedy(room, reals, words, True, 0)
    if cost < best:
        best = cost
        _keep_order(room)
    if many or best > _SEARCH_LONGER_ABOVE:
        for seed in range(1, tries + 1):
            cost = _greedy(room, reals, words, True, seed)
            if cost < best:
                best = cost
                _keep_order(room)
    for i in range(room[COUNT, VARS]):
        room[ORDER, i] = room[KEPT, i]


@njit(cache=True, nogil=True)
def _leave_in(room: Ints) -> None:
    """Count the variables that are not eliminated, and put them at the end of the order."""
    variables = room[COUNT, VARS]
    count = 0
    for var in range(variables):
        if _is_open(room, var):
            count += 1
            room[ORDER, variables - count] = var
    room[COUNT, LEFT_IN] = count


@njit(cache=True, nogil=True, forceinline=True)
def _is_open(room: Ints, var: int) -> bool:
    """Return whether a variable is the last of a node that is left in; the links before it are not."""
    node = room[NODE, var]
    return bool(room[OPEN, node] and room[VAR, node] == var)


@njit(cache=True, nogil=True)
def _fixed_order(net: Ints, room: Ints) -> None:
    """Take the variables in the order that was fixed for the network."""
    count = 0
    for position in range(net[SIZES, 1]):
        node = net[FIXED, position]
        if room[REL, node] and room[VAR, node] >= 0 and not room[OPEN, node]:
            room[ORDER, count] = room[VAR, node]
            count += 1
