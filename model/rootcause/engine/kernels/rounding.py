"""How much of P(evidence) rounding has taken, where the terms of a plan cancel: compiled to machine code.

A running error analysis (Higham 2002, section 3.3), of the size that errors have and not of the largest that they could
have: each rounding is taken as random, with mean zero, and independent of the others (Higham & Mary 2019). Beside every
entry goes the variance of its error, made of those of what it was computed from and of its own rounding.
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.axes import advance
from rootcause.engine.kernels.contraction import PLACES, divide, join_axes, list_places, peak, places
from rootcause.engine.kernels.planner import (
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

_UNIT = 2.0**-106
"""Square of the largest relative error of one rounding."""


@njit(cache=True, nogil=True)
def relative_error(room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats, axes: Words) -> float:
    """Return the standard deviation of the relative error of P(evidence); infinity where it is not above its error.

    Arguments as of ``deviation``. An impossibility that no difference was needed for is exact.
    """
    log, own = deviation(room, reals, values, arena, errors, axes)
    if own == -np.inf:
        return 0.0
    return math.exp(own - log) if own < log else np.inf


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
        arena: Receives the factors, shape ``(entries of all factors + 1,)``.
        errors: Receives the variance of the error of each, shape as ``arena``.
        axes: Working memory for the axes of a step.
    """
    log = _fill(room, reals, values, arena, errors)
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
