"""Run a plan on numbers, forwards to P(evidence) and backwards to all its derivatives: compiled to machine code.

For many draws of the numbers there is ``lanes``. Without a signed plan all terms are sums of products of what is not
negative, so nothing cancels. A table whose largest entry has become small is scaled to a maximum of 1, and the
logarithm of the scale is kept. References: Darwiche 2003 (derivatives), Zhang & Poole 1996 (elimination).
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    ARENA,
    AXIS_DIM,
    COEF,
    COUNT,
    ENT_PTR,
    FAC_OFF,
    FAC_SIZE,
    FACTORS,
    FIRST_AXIS,
    LAST_AXIS,
    LEAVES,
    LEFT,
    LEFT_IN,
    REC_FIRST,
    REC_LEAF,
    RECORDS,
    SRC,
    STEP_A,
    STEP_B,
    STEP_C,
    STEPS,
    STRIDE_A,
    STRIDE_B,
    STRIDE_C,
    Bits,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.axes import Word, add_axis, advance
from rootcause.engine.kernels.eight import ZEROS, largest, load

SMALL = 1e-60
"""Largest entry of a table below which it is scaled; two such multiplied are still far above the smallest float."""

PLACES = 256
"""Places that are listed at most."""

_ONE, _EIGHT = np.uint64(1), np.uint64(8)

LONG = np.uint64(16)
"""Entries of the last axis from which on it is a loop of its own."""

MANY = np.uint64(48)
"""Products from which on a step of shorter axes lists the places along its inner ones first."""

LARGE = 1e60
"""Largest entry of a derivative above which it is scaled."""


@njit(cache=True, nogil=True)
def fill_leaves(room: Ints, reals: Floats, values: Floats, arena: Floats) -> float:
    """Compute the leaves from the entries of the tables; return the logarithm of what they were divided by.

    Args:
        room: The plan.
        reals: The coefficients of the plan.
        values: Entries of all tables, shape ``(entries, 1)``.
        arena: Receives the factors, shape ``(entries of all factors,)``.
    """
    put_leaves(room, arena)
    log = 0.0
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        fill_record(room, reals, values, record, arena)
        log += scale(arena, room[FAC_OFF, leaf], room[FAC_SIZE, leaf])
    return log


@njit(cache=True, nogil=True, forceinline=True)
def put_leaves(room: Ints, arena: Floats) -> None:
    """Set all entries of the leaves to 1."""
    leaves = room[COUNT, LEAVES]
    for e in range(room[FAC_OFF, leaves - 1] + room[FAC_SIZE, leaves - 1]):
        arena[e] = 1.0


@njit(cache=True, nogil=True, forceinline=True)
def fill_record(room: Ints, reals: Floats, values: Floats, record: int, arena: Floats) -> int:
    """Multiply a leaf by the entries of a record; return the largest number of sources that one of these has."""
    place = np.uint64(room[FAC_OFF, room[REC_LEAF, record]])
    k = np.uint64(room[ENT_PTR, room[REC_FIRST, record]])
    most = np.uint64(0)
    for entry in range(room[REC_FIRST, record], room[REC_FIRST, record + 1]):
        stop = np.uint64(room[ENT_PTR, entry + 1])
        most = max(most, stop - k)
        total = 0.0
        while k < stop:
            total += reals[COEF, k] * values[np.uint64(room[SRC, k]), 0]
            k += np.uint64(1)
        arena[place] *= total
        place += np.uint64(1)
    return int(most)


@njit(cache=True, nogil=True, forceinline=True)
def source_sum(room: Ints, reals: Floats, values: Floats, entry: int) -> float:
    """Return the sum of the sources of an entry of a leaf."""
    total = 0.0
    for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
        total += reals[COEF, k] * values[room[SRC, k], 0]
    return total


@njit(cache=True, nogil=True, forceinline=True)
def greatest(table: Floats, offset: int, size: int) -> float:
    """Return the largest absolute value of a table."""
    found = ZEROS
    place = np.uint64(offset)
    for _ in range(size // 8):
        found = largest(found, load(table, place))
        place += _EIGHT
    most = max(found)
    for _ in range(size % 8):
        most = max(most, abs(table[place]))
        place += _ONE
    return most


@njit(cache=True, nogil=True, forceinline=True)
def by_which_to_divide(most: float) -> float:
    """Return what a table is to be divided by: its largest entry, or 1 where that may stay as it is."""
    return 1.0 if most == 0.0 or SMALL <= most <= LARGE else most


@njit(cache=True, nogil=True, forceinline=True)
def peak(table: Floats, offset: int, size: int) -> float:
    """Return what a table is to be divided by."""
    return by_which_to_divide(greatest(table, offset, size))


@njit(cache=True, nogil=True, forceinline=True)
def divide(table: Floats, offset: int, size: int, by: float) -> None:
    """Divide a table by a number."""
    for e in range(offset, offset + size):
        table[e] /= by


@njit(cache=True, nogil=True, forceinline=True)
def scale(table: Floats, offset: int, size: int) -> float:
    """Divide a table that has become small or large by its largest entry; return the logarithm of that."""
    by = peak(table, offset, size)
    if by == 1.0:
        return 0.0
    divide(table, offset, size, by)
    return math.log(by)


@njit(cache=True, nogil=True)
def forwards(room: Ints, arena: Floats, log: float, axes: Words) -> float:
    """Run all steps; return ln P(evidence), minus infinity where it is impossible.

    Where variables were left in, the logarithm of what the factors that are left were divided by is returned.

    Args:
        room: The plan.
        arena: Factors, as from ``fill_leaves``; receives the results of the steps.
        log: As from ``fill_leaves``.
        axes: Working memory for the axes of a step, shape ``(5, WIDEST + 2)``.
    """
    arena[room[COUNT, ARENA]] = 1.0
    for step in range(room[COUNT, STEPS]):
        one, two, three = places(room, step)
        size = room[FAC_SIZE, room[STEP_C, step]]
        for e in range(three, three + size):
            arena[e] = 0.0
        count = join_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        multiply(axes, count, arena, three, arena, one, arena, two)
        log += scale(arena, room[FAC_OFF, room[STEP_C, step]], size)
    if room[COUNT, LEFT_IN]:
        return log
    for i in range(room[COUNT, LEFT]):
        value = arena[room[FAC_OFF, room[ALIVE, i]]]
        log += math.log(value) if value > 0.0 else -np.inf
    return log


@njit(cache=True, nogil=True, forceinline=True)
def places(room: Ints, step: int) -> tuple[int, int, int]:
    """Return where the two factors of a step and its result begin; a missing second factor is the 1 at the end."""
    second = room[STEP_B, step]
    two = room[FAC_OFF, second] if second >= 0 else room[COUNT, ARENA]
    return room[FAC_OFF, room[STEP_A, step]], two, room[FAC_OFF, room[STEP_C, step]]


@njit(cache=True, nogil=True, forceinline=True)
def join_axes(room: Ints, step: int, out: int, left: int, right: int, axes: Words) -> int:
    """Write the axes of a step, with neighbours joined where they are one stretch in all three tables.

    Args:
        room: The plan.
        step: The step.
        out: Row with the strides of the table that is added to.
        left: Row with those of the first that is multiplied.
        right: Row with those of the second.
        axes: Receives size and strides of each axis, and a row of zeros to count in.
    """
    count = 0
    for at in range(room[FIRST_AXIS, step], room[LAST_AXIS, step]):
        count = add_axis(axes, 0, count, room[AXIS_DIM, at], room[out, at], room[left, at], room[right, at])
    return count


@njit(cache=True, nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _stretch(axes: Words, last: int, out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word) -> None:
    """Add the products along one axis; each way of striding is a loop of its own, so that it becomes vector code."""
    size, so, sx, sy = axes[0, last], axes[1, last], axes[2, last], axes[3, last]
    if so == 1 and sx == 1 and sy == 0:
        factor = right[y]
        for i in range(size):
            out[o + i] += left[x + i] * factor
    elif so == 1 and sx == 1 and sy == 1:
        for i in range(size):
            out[o + i] += left[x + i] * right[y + i]
    elif so == 1 and sx == 0 and sy == 1:
        factor = left[x]
        for i in range(size):
            out[o + i] += factor * right[y + i]
    elif so == 0 and sx == 1 and sy == 1:
        total = 0.0
        for i in range(size):
            total += left[x + i] * right[y + i]
        out[o] += total
    elif so == 0 and sx == 1 and sy == 0:
        total = 0.0
        for i in range(size):
            total += left[x + i]
        out[o] += total * right[y]
    else:
        for i in range(size):
            out[o + i * so] += left[x + i * sx] * right[y + i * sy]


@njit(cache=True, nogil=True, forceinline=True)
def list_places(axes: Words, count: int, places: Words) -> tuple[int, int]:
    """List the places along the inner axes of a step; return how many there are, and how many axes are left outside."""
    places[0, 0] = places[0, 1] = places[0, 2] = 0
    listed = np.int64(1)
    outer = count
    while outer > 0 and listed * np.int64(axes[0, outer - 1]) <= PLACES:
        outer -= 1
        for k in range(listed, listed * np.int64(axes[0, outer])):
            places[k, 0] = places[k - listed, 0] + axes[1, outer]
            places[k, 1] = places[k - listed, 1] + axes[2, outer]
            places[k, 2] = places[k - listed, 2] + axes[3, outer]
        listed *= np.int64(axes[0, outer])
    return int(listed), outer


@njit(cache=True, nogil=True, forceinline=True)
def _by_places(axes: Words, count: int, out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word) -> None:
    """Add the products of two tables of many short axes to a third; what counting costs is paid once for many."""
    places = np.empty((PLACES, 3), np.uint64)
    listed, outer = list_places(axes, count, places)
    while True:
        for k in range(listed):
            out[o + places[k, 0]] += left[x + places[k, 1]] * right[y + places[k, 2]]
        more, o, x, y = advance(axes, 0, outer - 1, o, x, y)
        if not more:
            return


@njit(cache=True, nogil=True)
def multiply(
    axes: Words, count: int, out: Floats, out_at: int, left: Floats, left_at: int, right: Floats, at: int
) -> None:
    """Add the products of two tables to a third, over all axes.

    Places are unsigned: a place that cannot be negative needs no test, and only then does a loop become vector code.
    """
    o, x, y = np.uint64(out_at), np.uint64(left_at), np.uint64(at)
    if count == 0:
        out[o] += left[x] * right[y]
        return
    last = count - 1
    if axes[0, last] < LONG:
        size = np.uint64(1)
        for axis in range(count):
            size *= axes[0, axis]
        if size >= MANY:
            _by_places(axes, count, out, o, left, x, right, y)
            return
    two = axes[0, last] == 2
    so, sx, sy = axes[1, last], axes[2, last], axes[3, last]
    size = axes[0, last]
    rows, ro, rx, ry = np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    if count > 1:  # the axis before the last is a loop of its own
        rows, ro, rx, ry = axes[0, last - 1], axes[1, last - 1], axes[2, last - 1], axes[3, last - 1]
    while True:
        for _ in range(rows):
            if two:
                out[o] += left[x] * right[y]
                out[o + so] += left[x + sx] * right[y + sy]
            else:
                _stretch(axes, last, out, o, left, x, right, y)
            o += ro
            x += rx
            y += ry
        o -= rows * ro
        x -= rows * rx
        y -= rows * ry
        more, o, x, y = advance(axes, 0, last - 2, o, x, y)
        if not more:
            return


@njit(cache=True, nogil=True)
def backwards(room: Ints, arena: Floats, slopes: Floats, wanted: Bits, axes: Words) -> None:
    """Set the derivative of P(evidence) by every entry of the wanted leaves, up to a factor for each table.

    Args:
        room: The plan.
        arena: All factors, after ``forwards``.
        slopes: Receives the derivatives, shape as ``arena``.
        wanted: 1 for each leaf whose derivative is wanted, else 0; set as well for what lies on the way.
        axes: Working memory for the axes of a step, shape ``(5, WIDEST + 2)``.
    """
    want_ways(room, wanted)
    for factor in range(room[COUNT, FACTORS]):
        if wanted[factor]:
            start = room[FAC_OFF, factor]
            for e in range(start, start + room[FAC_SIZE, factor]):
                slopes[e] = 0.0
    for i in range(room[COUNT, LEFT]):
        slopes[room[FAC_OFF, room[ALIVE, i]]] = 1.0
    for step in range(room[COUNT, STEPS] - 1, -1, -1):
        if not wanted[room[STEP_C, step]]:
            continue
        one, two = room[STEP_A, step], room[STEP_B, step]
        a, b, c = places(room, step)
        if wanted[one]:
            count = join_axes(room, step, STRIDE_A, STRIDE_C, STRIDE_B, axes)
            multiply(axes, count, slopes, a, slopes, c, arena, b)
            scale(slopes, room[FAC_OFF, one], room[FAC_SIZE, one])
        if two >= 0 and wanted[two]:
            count = join_axes(room, step, STRIDE_B, STRIDE_C, STRIDE_A, axes)
            multiply(axes, count, slopes, b, slopes, c, arena, a)
            scale(slopes, room[FAC_OFF, two], room[FAC_SIZE, two])


@njit(cache=True, nogil=True)
def want_ways(room: Ints, wanted: Bits) -> None:
    """Mark the factors that lie between the wanted leaves and P(evidence)."""
    for step in range(room[COUNT, STEPS]):
        one, two = room[STEP_A, step], room[STEP_B, step]
        wanted[room[STEP_C, step]] = wanted[one] or (two >= 0 and wanted[two])


@njit(cache=True, nogil=True)
def scatter(room: Ints, reals: Floats, entries: Floats, arena: Floats, slopes: Floats, result: Floats) -> None:
    """Add d ln P(evidence) / d entry for every entry that the leaves are made of.

    P(evidence) is the sum of a leaf times its derivative, whatever the scale of that, so ln P has the derivative over
    that sum. It holds for leaves of one record: the plan must be made without merging.

    Args:
        room: The plan.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, 1)``.
        arena: Factors, after ``forwards``.
        slopes: Their derivatives, after ``backwards``.
        result: Shape ``(entries,)``.
    """
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        offset, size = room[FAC_OFF, leaf], room[FAC_SIZE, leaf]
        total = 0.0
        scale = 1.0
        for e in range(size):
            total += arena[offset + e] * slopes[offset + e]
            raw = source_sum(room, reals, entries, room[REC_FIRST, record] + e)
            if raw != 0.0:
                scale = arena[offset + e] / raw
        for e in range(size):
            entry = room[REC_FIRST, record] + e
            for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
                result[room[SRC, k]] += reals[COEF, k] * slopes[offset + e] * scale / total
