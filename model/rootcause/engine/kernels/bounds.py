"""A run forwards that bounds what rounding may have taken, with one number for each table: compiled to machine code.

Beside each table goes the variance that no error of its entries exceeds, made of those of the tables that it was
computed from and of their largest entries. That costs next to nothing, and for most cases it is enough; where it is
not, ``rounding`` looks at every entry. Roundings are taken as random, as there (Higham & Mary 2019).
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    ARENA,
    COUNT,
    FAC_OFF,
    FAC_SIZE,
    FACTORS,
    LEAVES,
    LEFT,
    REC_LEAF,
    RECORDS,
    SPLIT_A,
    SPLIT_B,
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
    STEP_A,
    STEP_B,
    STEP_C,
    STEPS,
    STRIDE_A,
    STRIDE_B,
    STRIDE_C,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.contraction import (
    by_which_to_divide,
    divide,
    fill_record,
    greatest,
    join_axes,
    multiply,
    places,
    put_leaves,
    scale,
)
from rootcause.engine.kernels.lanes import contract
from rootcause.engine.kernels.split import lay_out_leaves, put_ones, split_axes, split_places

UNIT = 2.0**-106
"""Square of the largest relative error of one rounding."""

_ZERO = -1.0


@njit(cache=True, nogil=True)
def bounded_forwards(room: Ints, reals: Floats, values: Floats, arena: Floats, axes: Words) -> tuple[float, float]:
    """Fill the leaves and run all steps; return ln P(evidence), and that of a bound on its standard deviation.

    Minus infinity stands for what is not above zero, and for no error; infinity for an error that is not known.

    Args:
        room: The plan.
        reals: The plan.
        values: Entries of all tables, shape ``(entries, 1)``.
        arena: Receives the factors, shape ``(MEMORY,)``.
        axes: Working memory for the axes of a step.
    """
    factors = max(room[COUNT, FACTORS], room[COUNT, LEAVES] + room[COUNT, SPLIT_STEPS])
    most, variance = np.zeros(factors), np.zeros(factors)
    log = _fill(room, reals, values, arena, most, variance)
    if room[COUNT, SPLIT_LANES]:
        return _of_lanes(room, arena, log, most, variance, axes)
    arena[room[COUNT, ARENA]] = 1.0
    for step in range(room[COUNT, STEPS]):
        first, second, result = room[STEP_A, step], room[STEP_B, step], room[STEP_C, step]
        one, two, three = places(room, step)
        size = room[FAC_SIZE, result]
        arena[three : three + size] = 0.0
        count = join_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        terms = 1.0
        for axis in range(count):
            terms *= float(axes[0, axis])
        multiply(axes, count, arena, three, arena, one, arena, two)
        _bound(most, variance, first, second, result, terms / size)
        log += _scale(arena, three, size, most, variance, result)
    relative = 0.0
    for i in range(room[COUNT, LEFT]):
        factor = room[ALIVE, i]
        log, relative = add_component(log, relative, arena[room[FAC_OFF, factor]], variance[factor])
    return logarithms(log, relative)


@njit(cache=True, nogil=True)
def _of_lanes(
    room: Ints, arena: Floats, log: float, most: Floats, variance: Floats, axes: Words
) -> tuple[float, float]:
    """Do the same with the last variables as lanes, from the leaves on."""
    lay_out_leaves(room, arena, axes)
    put_ones(room, arena)
    for step in range(room[COUNT, SPLIT_STEPS]):
        first, second, result = room[SPLIT_A, step], room[SPLIT_B, step], room[SPLIT_C, step]
        one, two, three = split_places(room, step)
        kept, count = split_axes(room, step, SPLIT_STRIDE_C, SPLIT_STRIDE_A, SPLIT_STRIDE_B, axes)
        terms = 1.0
        for axis in range(kept, count):
            terms *= float(axes[0, axis])
        contract(axes, kept, count, arena, three, arena, one, arena, two)
        _bound(most, variance, first, second, result, terms)
        log += _scale(arena, three, room[SPLIT_SIZE, result], most, variance, result)
    last = room[COUNT, SPLIT_LAST_FACTOR]
    value, total = 0.0, 0.0
    for lane in range(room[SPLIT_OFF, last], room[SPLIT_OFF, last] + room[COUNT, SPLIT_LANES]):
        value += arena[lane]
        total += variance[last] + UNIT * room[COUNT, SPLIT_VARS] * arena[lane] ** 2
    log, relative = add_component(log, 0.0, value, total)
    return logarithms(log, relative)


@njit(cache=True, nogil=True)
def _fill(room: Ints, reals: Floats, values: Floats, arena: Floats, most: Floats, variance: Floats) -> float:
    """Compute the leaves; the entries of the tables count as exact, and no two of them are taken from each other."""
    put_leaves(room, arena)
    log = 0.0
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        variance[leaf] += UNIT * (fill_record(room, reals, values, record, arena) + 1)
        log += scale(arena, room[FAC_OFF, leaf], room[FAC_SIZE, leaf])
    for leaf in range(room[COUNT, LEAVES]):
        most[leaf] = greatest(arena, room[FAC_OFF, leaf], room[FAC_SIZE, leaf])
        variance[leaf] *= most[leaf] ** 2
    return log


@njit(cache=True, nogil=True, forceinline=True)
def _bound(most: Floats, variance: Floats, one: int, two: int, result: int, terms: float) -> None:
    """Set the variance of sums of so many products of entries of two factors, of which the second may be missing."""
    a, b = most[one] ** 2, most[two] ** 2 if two >= 0 else 1.0
    u, v = variance[one], variance[two] if two >= 0 else 0.0
    variance[result] = terms * (a * v + u * (b + v) + UNIT * (terms + 1) * a * b)


@njit(cache=True, nogil=True, forceinline=True)
def _scale(arena: Floats, offset: int, size: int, most: Floats, variance: Floats, result: int) -> float:
    """Note the largest entry; divide a table that has become small or large by it, and return the logarithm."""
    most[result] = greatest(arena, offset, size)
    by = by_which_to_divide(most[result])
    if by == 1.0:
        return 0.0
    divide(arena, offset, size, by)
    most[result] = 1.0
    variance[result] = variance[result] / by / by  # the square may be too small for a number
    return math.log(by)


@njit(cache=True, nogil=True)
def add_component(log: float, relative: float, value: float, variance: float) -> tuple[float, float]:
    """Multiply P(evidence) by that of a component of the network that has nothing to do with the others.

    Args:
        log: The logarithm so far; minus infinity where it is not above zero.
        relative: Its relative variance; ``_ZERO`` where it is zero for sure, infinity where nothing is known.
        value: The factor.
        variance: The variance of its error.

    Returns:
        Both, for the product.
    """
    if relative == _ZERO or (value == 0.0 and variance == 0.0):
        return -np.inf, _ZERO
    if not value > 0.0:
        return -np.inf, np.inf
    own = variance / value / value
    return log + math.log(value), relative + own + relative * own


@njit(cache=True, nogil=True)
def logarithms(log: float, relative: float) -> tuple[float, float]:
    """Return a logarithm, and that of its deviation: minus infinity for none, infinity where it is not known."""
    if relative in (_ZERO, 0.0):
        return log, -np.inf
    if not relative < np.inf:
        return log, np.inf
    return log, log + math.log(relative) / 2
