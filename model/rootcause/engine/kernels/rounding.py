"""How much of P(evidence) rounding has taken, where the terms of a plan cancel: compiled to machine code.

A running error analysis (Higham 2002, section 3.3), of the size that errors have and not of the largest that they could
have: each rounding is taken as random, with mean zero, and independent of the others (Higham & Mary 2019). Beside every
entry goes the variance of its error, made of those of what it was computed from and of its own rounding.
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    ARENA,
    COEF,
    COUNT,
    ENT_PTR,
    FAC_OFF,
    FAC_SIZE,
    LEAVES,
    LEFT,
    REC_FIRST,
    REC_LEAF,
    RECORDS,
    SPLIT_ARENA,
    SPLIT_C,
    SPLIT_LANES,
    SPLIT_LAST_FACTOR,
    SPLIT_OFF,
    SPLIT_SIZE,
    SPLIT_STEPS,
    SPLIT_STRIDE_A,
    SPLIT_STRIDE_B,
    SPLIT_STRIDE_C,
    SPLIT_VARS,
    SRC,
    STEP_C,
    STEPS,
    STRIDE_A,
    STRIDE_B,
    STRIDE_C,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.axes import Word, advance
from rootcause.engine.kernels.contraction import PLACES, divide, join_axes, list_places, peak, places
from rootcause.engine.kernels.eight import HALVES, ZEROS, Eight, load, plus, store, times
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.kernels.split import lay_out_leaves, put_ones, split_axes, split_places

_UNIT = 2.0**-106
"""Square of the largest relative error of one rounding."""


@njit(cache=True, nogil=True)
def deviation(
    room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats, axes: Words
) -> tuple[float, float]:
    """Return ln P(evidence), and the logarithm of the standard deviation of the error of P(evidence).

    Minus infinity stands for what is not above zero, and for no error.

    Args:
        room: The plan.
        reals: The plan.
        values: Entries of all tables, shape ``(entries, 1)``.
        arena: Receives the factors, shape ``(MEMORY,)``.
        errors: Receives the variance of the error of each, shape ``(MEMORY,)``.
        axes: Working memory for the axes of a step.
    """
    log = _fill(room, reals, values, arena, errors)
    if room[COUNT, SPLIT_LANES]:
        return _of_lanes(room, arena, errors, log, axes)
    arena[room[COUNT, ARENA]] = 1.0
    errors[room[COUNT, ARENA]] = 0.0
    for step in range(room[COUNT, STEPS]):
        one, two, three = places(room, step)
        result = room[STEP_C, step]
        size = room[FAC_SIZE, result]
        arena[three : three + size] = 0.0
        errors[three : three + size] = 0.0
        count = join_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        terms = 1.0
        for axis in range(count):
            terms *= float(axes[0, axis])
        _multiply(axes, count, arena, errors, three, one, two, _UNIT * (terms / size + 1))
        log += _scale(arena, errors, room[FAC_OFF, result], size)
    value, square, variance = 1.0, 1.0, 0.0
    for i in range(room[COUNT, LEFT]):
        place = room[FAC_OFF, room[ALIVE, i]]
        variance = variance * (arena[place] ** 2 + errors[place]) + square * errors[place]
        square *= arena[place] ** 2
        value *= arena[place]
    return (
        log + math.log(value) if value > 0.0 else -np.inf,
        log + math.log(variance) / 2 if variance > 0.0 else -np.inf,
    )


@njit(cache=True, nogil=True)
def _of_lanes(room: Ints, arena: Floats, errors: Floats, log: float, axes: Words) -> tuple[float, float]:
    """Do the same with the last variables as lanes, from the leaves on."""
    lay_out_leaves(room, arena, axes)
    lay_out_leaves(room, errors, axes)
    put_ones(room, arena)
    errors[room[COUNT, SPLIT_ARENA] : room[COUNT, SPLIT_ARENA] + LANES] = 0.0
    for step in range(room[COUNT, SPLIT_STEPS]):
        one, two, three = split_places(room, step)
        size = room[SPLIT_SIZE, room[SPLIT_C, step]]
        kept, count = split_axes(room, step, SPLIT_STRIDE_C, SPLIT_STRIDE_A, SPLIT_STRIDE_B, axes)
        _contract(axes, kept, count, arena, errors, three, one, two)
        log += _scale(arena, errors, three, size)
    value, variance = 0.0, 0.0
    at = room[SPLIT_OFF, room[COUNT, SPLIT_LAST_FACTOR]]
    for lane in range(at, at + room[COUNT, SPLIT_LANES]):
        value += arena[lane]
        variance += errors[lane] + _UNIT * room[COUNT, SPLIT_VARS] * arena[lane] ** 2
    return (
        log + math.log(value) if value > 0.0 else -np.inf,
        log + math.log(variance) / 2 if variance > 0.0 else -np.inf,
    )


@njit(cache=True, nogil=True)
def _contract(
    axes: Words, kept: int, count: int, arena: Floats, errors: Floats, out: int, left: int, right: int
) -> None:
    """Write the sums of products of two tables to a third, and the variances of their errors, for every lane."""
    o, x, y = np.uint64(out), np.uint64(left), np.uint64(right)
    terms = 1.0
    for axis in range(kept, count):
        terms *= float(axes[0, axis])
    each = _UNIT * (terms + 1)
    unit = (each, each, each, each, each, each, each, each)
    rows, ro, rx, ry = np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    if kept:
        rows, ro, rx, ry = axes[0, kept - 1], axes[1, kept - 1], axes[2, kept - 1], axes[3, kept - 1]
    while True:
        for _ in range(rows):
            for k in HALVES:
                _sum(axes, kept, count, arena, errors, o + k, x + k, y + k, unit)
            o += ro
            x += rx
            y += ry
        o -= rows * ro
        x -= rows * rx
        y -= rows * ry
        more, o, x, y = advance(axes, 0, kept - 2, o, x, y)
        if not more:
            return


@njit(cache=True, nogil=True)
def _sum(
    axes: Words, kept: int, count: int, arena: Floats, errors: Floats, o: Word, x: Word, y: Word, unit: Eight
) -> None:
    """Write the sum of products over the axes from ``kept`` on, and the variance of its error, for eight lanes."""
    size, sx, sy = np.uint64(1), np.uint64(0), np.uint64(0)
    if count > kept:
        size, sx, sy = axes[0, count - 1], axes[2, count - 1], axes[3, count - 1]
    total, variance = ZEROS, ZEROS
    while True:
        for _ in range(size):
            f, g, u, v = load(arena, x), load(arena, y), load(errors, x), load(errors, y)
            a, b = times(f, f), times(g, g)
            total = plus(total, times(f, g))
            variance = plus(variance, plus(plus(times(a, v), times(u, plus(b, v))), times(times(a, b), unit)))
            x += sx
            y += sy
        x -= size * sx
        y -= size * sy
        more, _, x, y = advance(axes, kept, count - 2, o, x, y)
        if not more:
            break
    store(arena, o, total)
    store(errors, o, variance)


@njit(cache=True, nogil=True)
def _scale(arena: Floats, errors: Floats, offset: int, size: int) -> float:
    """Divide a table that has become small or large by its largest entry; return the logarithm of that."""
    by = peak(arena, offset, size)
    if by == 1.0:
        return 0.0
    divide(arena, offset, size, by)
    divide(errors, offset, size, by * by)
    return math.log(by)


@njit(cache=True, nogil=True)
def _fill(room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats) -> float:
    """Compute the leaves and the variances of their errors; return the logarithm of what they were divided by.

    The entries of the tables count as exact.
    """
    log = 0.0
    leaves = room[COUNT, LEAVES]
    stop = room[FAC_OFF, leaves - 1] + room[FAC_SIZE, leaves - 1]
    arena[:stop] = 1.0
    errors[:stop] = 0.0
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        place = room[FAC_OFF, leaf]
        for entry in range(room[REC_FIRST, record], room[REC_FIRST, record + 1]):
            total = 0.0
            sizes = 0.0
            for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
                term = reals[COEF, k] * values[room[SRC, k], 0]
                total += term
                sizes += term**2
            own = _UNIT * (room[ENT_PTR, entry + 1] - room[ENT_PTR, entry]) * sizes
            errors[place] = arena[place] ** 2 * (own + _UNIT * total**2) + errors[place] * (total**2 + own)
            arena[place] *= total
            place += 1
        log += _scale(arena, errors, room[FAC_OFF, leaf], room[FAC_SIZE, leaf])
    return log


@njit(cache=True, nogil=True)
def _multiply(
    axes: Words, count: int, arena: Floats, errors: Floats, out: int, left: int, right: int, unit: float
) -> None:
    """Add the products of two tables to a third, and the variances of their errors, over all axes."""
    o, x, y = np.uint64(out), np.uint64(left), np.uint64(right)
    listing = np.empty((PLACES, 3), np.uint64)
    listed, outer = list_places(axes, count, listing)
    while True:
        for k in range(listed):
            e, f, g = o + listing[k, 0], x + listing[k, 1], y + listing[k, 2]
            a, b = arena[f] ** 2, arena[g] ** 2
            arena[e] += arena[f] * arena[g]
            errors[e] += a * errors[g] + errors[f] * (b + errors[g]) + unit * a * b
        more, o, x, y = advance(axes, 0, outer - 1, o, x, y)
        if not more:
            return
