"""How much of P(evidence) rounding has taken, where the terms of a plan cancel: compiled to machine code.

A running error analysis (Higham 2002, section 3.3), of the size that errors have and not of the largest that they could
have: each rounding is taken as random, with mean zero, and independent of the others (Higham & Mary 2019). Beside every
entry goes the variance of its error, made of those of what it was computed from and of its own rounding. A table for
which nothing was taken away has one relative variance for all of its entries: their terms are all positive.
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
    FACTORS,
    LEAVES,
    LEFT,
    REC_FIRST,
    REC_LEAF,
    RECORDS,
    SIGNED,
    SPLIT_A,
    SPLIT_ARENA,
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
    SRC,
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
from rootcause.engine.kernels.axes import Word, advance
from rootcause.engine.kernels.bounds import UNIT, add_component, logarithms
from rootcause.engine.kernels.contraction import (
    PLACES,
    divide,
    fill_record,
    join_axes,
    list_places,
    multiply,
    peak,
    places,
)
from rootcause.engine.kernels.eight import HALVES, ZEROS, Eight, load, plus, store, times
from rootcause.engine.kernels.lanes import LANES, contract
from rootcause.engine.kernels.split import lay_out_leaf, put_ones, split_axes, split_places


@njit(cache=True, nogil=True)
def deviation(
    room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats, axes: Words
) -> tuple[float, float]:
    """Return ln P(evidence), and the logarithm of the standard deviation of the error of P(evidence).

    Minus infinity stands for what is not above zero, and for no error; infinity for an error that is not known.

    Args:
        room: The plan.
        reals: The plan.
        values: Entries of all tables, shape ``(entries, 1)``.
        arena: Receives the factors, shape ``(MEMORY,)``.
        errors: Receives the variance of the error of each, shape ``(MEMORY,)``.
        axes: Working memory for the axes of a step.
    """
    # plans with lanes join what is left in steps of their own, so that they may have more factors
    relative = np.zeros(max(room[COUNT, FACTORS], room[COUNT, LEAVES] + room[COUNT, SPLIT_STEPS]))
    log = _fill(room, reals, values, arena, errors, relative)
    if room[COUNT, SPLIT_LANES]:
        return _of_lanes(room, arena, errors, relative, log, axes)
    arena[room[COUNT, ARENA]] = 1.0
    errors[room[COUNT, ARENA]] = 0.0
    for step in range(room[COUNT, STEPS]):
        first, second, result = room[STEP_A, step], room[STEP_B, step], room[STEP_C, step]
        one, two, three = places(room, step)
        size = room[FAC_SIZE, result]
        arena[three : three + size] = 0.0
        count = join_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        terms = 1.0
        for axis in range(count):
            terms *= float(axes[0, axis])
        unit = UNIT * (terms / size + 1)
        if combine(relative, first, second, result, unit):
            multiply(axes, count, arena, three, arena, one, arena, two)
        else:
            write_out(arena, errors, relative, first, one, room[FAC_SIZE, first])
            if second >= 0:
                write_out(arena, errors, relative, second, two, room[FAC_SIZE, second])
            errors[three : three + size] = 0.0
            _multiply(axes, count, arena, errors, three, one, two, unit)
        log += _scale(arena, errors, three, size, relative[result])
    own = 0.0
    for i in range(room[COUNT, LEFT]):
        factor = room[ALIVE, i]
        place = room[FAC_OFF, factor]
        write_out(arena, errors, relative, factor, place, 1)
        log, own = add_component(log, own, arena[place], errors[place])
    return logarithms(log, own)


@njit(cache=True, nogil=True)
def _of_lanes(
    room: Ints, arena: Floats, errors: Floats, relative: Floats, log: float, axes: Words
) -> tuple[float, float]:
    """Do the same with the last variables as lanes, from the leaves on."""
    at = np.empty(LANES, np.uint64)
    for leaf in range(room[COUNT, LEAVES]):
        lay_out_leaf(room, leaf, arena, axes, at)
        if relative[leaf] < 0.0:
            lay_out_leaf(room, leaf, errors, axes, at)
    put_ones(room, arena)
    errors[room[COUNT, SPLIT_ARENA] : room[COUNT, SPLIT_ARENA] + LANES] = 0.0
    for step in range(room[COUNT, SPLIT_STEPS]):
        first, second, result = room[SPLIT_A, step], room[SPLIT_B, step], room[SPLIT_C, step]
        one, two, three = split_places(room, step)
        size = room[SPLIT_SIZE, result]
        kept, count = split_axes(room, step, SPLIT_STRIDE_C, SPLIT_STRIDE_A, SPLIT_STRIDE_B, axes)
        terms = 1.0
        for axis in range(kept, count):
            terms *= float(axes[0, axis])
        unit = UNIT * (terms + 1)
        if combine(relative, first, second, result, unit):
            contract(axes, kept, count, arena, three, arena, one, arena, two)
        else:
            write_out(arena, errors, relative, first, one, room[SPLIT_SIZE, first])
            if second >= 0:
                write_out(arena, errors, relative, second, two, room[SPLIT_SIZE, second])
            contract_with_errors(axes, kept, count, arena, errors, three, one, two, unit)
        log += _scale(arena, errors, three, size, relative[result])
    value, variance = 0.0, 0.0
    last = room[COUNT, SPLIT_LAST_FACTOR]
    write_out(arena, errors, relative, last, room[SPLIT_OFF, last], LANES)
    for lane in range(room[SPLIT_OFF, last], room[SPLIT_OFF, last] + room[COUNT, SPLIT_LANES]):
        value += arena[lane]
        variance += errors[lane] + UNIT * room[COUNT, SPLIT_VARS] * arena[lane] ** 2
    log, own = add_component(log, 0.0, value, variance)
    return logarithms(log, own)


@njit(cache=True, nogil=True, forceinline=True)
def combine(relative: Floats, one: int, two: int, result: int, unit: float) -> bool:
    """Set the relative variance of a product; return whether it has one.

    Args:
        relative: By factor; -1 where there is a variance for each entry.
        one: The first factor.
        two: The second, or -1.
        result: The product.
        unit: The relative variance that its own rounding adds.
    """
    second = relative[two] if two >= 0 else 0.0
    if relative[one] < 0.0 or second < 0.0:
        relative[result] = -1.0
        return False
    relative[result] = relative[one] + second + unit
    return True


@njit(cache=True, nogil=True, forceinline=True)
def write_out(arena: Floats, errors: Floats, relative: Floats, factor: int, offset: int, size: int) -> None:
    """Set the variance of each entry of a factor, if it has one for all of them so far."""
    if relative[factor] < 0.0:
        return
    for e in range(np.uint64(offset), np.uint64(offset + size)):
        errors[e] = relative[factor] * arena[e] * arena[e]
    relative[factor] = -1.0


@njit(cache=True, nogil=True)
def contract_with_errors(
    axes: Words, kept: int, count: int, arena: Floats, errors: Floats, out: int, left: int, right: int, each: float
) -> None:
    """Write the sums of products of two tables to a third, and the variances of their errors, for every lane."""
    o, x, y = np.uint64(out), np.uint64(left), np.uint64(right)
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


@njit(cache=True, nogil=True, forceinline=True)
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


@njit(cache=True, nogil=True, forceinline=True)
def _scale(arena: Floats, errors: Floats, offset: int, size: int, relative: float) -> float:
    """Divide a table that has become small or large by its largest entry; return the logarithm of that."""
    by = peak(arena, offset, size)
    if by == 1.0:
        return 0.0
    divide(arena, offset, size, by)
    if relative < 0.0:
        divide(errors, offset, size, by)
        divide(errors, offset, size, by)  # the square may be too small for a number
    return math.log(by)


@njit(cache=True, nogil=True)
def _fill(room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats, relative: Floats) -> float:
    """Compute the leaves and the variances of their errors; return the logarithm of what they were divided by.

    The entries of the tables count as exact.
    """
    log = 0.0
    leaves = room[COUNT, LEAVES]
    stop = room[FAC_OFF, leaves - 1] + room[FAC_SIZE, leaves - 1]
    arena[:stop] = 1.0
    for leaf in range(leaves):
        if room[SIGNED, leaf]:
            relative[leaf] = -1.0
            errors[room[FAC_OFF, leaf] : room[FAC_OFF, leaf] + room[FAC_SIZE, leaf]] = 0.0
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        if relative[leaf] < 0.0:
            _fill_signed(room, reals, values, record, arena, errors)
        else:
            most = fill_record(room, reals, values, record, arena)
            relative[leaf] += UNIT * (most + 1)
        log += _scale(arena, errors, room[FAC_OFF, leaf], room[FAC_SIZE, leaf], relative[leaf])
    return log


@njit(cache=True, nogil=True, forceinline=True)
def _fill_signed(room: Ints, reals: Floats, values: Floats, record: int, arena: Floats, errors: Floats) -> None:
    """Multiply a leaf by a record, and compute the variances of its errors."""
    place = room[FAC_OFF, room[REC_LEAF, record]]
    for entry in range(room[REC_FIRST, record], room[REC_FIRST, record + 1]):
        total = 0.0
        sizes = 0.0
        for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
            term = reals[COEF, k] * values[room[SRC, k], 0]
            total += term
            sizes += term**2
        own = UNIT * (room[ENT_PTR, entry + 1] - room[ENT_PTR, entry]) * sizes
        errors[place] = arena[place] ** 2 * (own + UNIT * total**2) + errors[place] * (total**2 + own)
        arena[place] *= total
        place += 1


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
