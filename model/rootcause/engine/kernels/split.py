"""Run a plan for one case with the states of its last variables side by side: compiled to machine code.

The variables that are eliminated last are in most of the large tables. Here they are never eliminated: every entry of a
table is a stretch of lanes, one for each combination of their states (conditioning, Darwiche 2009, section 8.3), and
what is done to one lane is done to all of them at once. Where a table does not have these variables its lanes are the
same numbers, so that this is only worth it for tables that are large. The answers are those of ``contraction``.
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ARENA,
    AXIS_DIM,
    AXIS_VAR,
    BUCKET,
    COUNT,
    DIM,
    FAC_OFF,
    FAC_SIZE,
    FIRST_AXIS,
    LANE_STATES,
    LAST_AXIS,
    LEAVES,
    LEFT_IN,
    MEMORY,
    ORDER,
    PLACE,
    SCOPE,
    SCOPE_START,
    SPLIT_A,
    SPLIT_ARENA,
    SPLIT_B,
    SPLIT_C,
    SPLIT_DIM,
    SPLIT_FIRST,
    SPLIT_LANES,
    SPLIT_LAST,
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
    VARS,
    Bits,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.axes import advance
from rootcause.engine.kernels.contraction import scale
from rootcause.engine.kernels.lanes import LANES, contract

_GAIN = 3
"""Entries that are computed in the time of a stretch of lanes."""

_FEWEST = 1_000.0
"""Products of a plan below which laying out its leaves takes longer than is gained."""

_W = np.uint64(LANES)


# ---- the plan ------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def split(room: Ints, limit: float) -> None:
    """Make the last variables of a plan lanes; leave ``SPLIT_LANES`` at 0 where that is not worth it.

    Args:
        room: The plan; receives the same factors, steps and axes without these variables, the factors behind the
            others, and in ``MEMORY`` the size of an array that holds all.
        limit: Numbers that all factors together may have.
    """
    counts = room[COUNT]
    counts[SPLIT_LANES] = 0
    counts[MEMORY] = counts[ARENA] + 1
    if counts[LEFT_IN]:
        return
    edge, lanes = _edge(room)
    counts[SPLIT_ARENA] = -(-counts[MEMORY] // LANES) * LANES
    for leaf in range(counts[LEAVES]):
        size = 1
        for at in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
            if room[PLACE, room[SCOPE, at]] < edge:
                size *= room[DIM, room[SCOPE, at]]
        _place(room, leaf, size)
    usual, stretches = 0.0, 0.0
    steps, axis = 0, 0
    for step in range(counts[STEPS]):
        usual += _products(room, step)
        if room[PLACE, room[AXIS_VAR, room[FIRST_AXIS, step]]] >= edge:
            continue
        room[SPLIT_FIRST, step] = axis
        axis, size, products = _axes_of_step(room, step, edge, axis)
        room[SPLIT_LAST, step] = axis
        stretches += products
        _add_step(room, step, room[STEP_A, step], room[STEP_B, step], room[STEP_C, step], size)
        steps += 1
    if usual < _FEWEST or stretches * _GAIN >= usual:
        return
    _join_rest(room, steps, axis)
    if counts[SPLIT_ARENA] + LANES <= limit:
        counts[SPLIT_VARS], counts[SPLIT_LANES] = counts[VARS] - edge, lanes
        _list_states(room, edge)
        counts[MEMORY] = counts[SPLIT_ARENA] + LANES


@njit(cache=True, nogil=True)
def _edge(room: Ints) -> tuple[int, int]:
    """Return the place in the order of the first variable that becomes lanes, and how many lanes these have."""
    edge = room[COUNT, VARS]
    lanes = 1
    while edge > 0 and lanes * room[DIM, room[ORDER, edge - 1]] <= LANES:
        edge -= 1
        lanes *= room[DIM, room[ORDER, edge]]
    return int(edge), int(lanes)


@njit(cache=True, nogil=True)
def _list_states(room: Ints, edge: int) -> None:
    """List the states of the last variables in every lane; lanes beyond the last are as the first ones."""
    apart = 1
    for position in range(room[COUNT, VARS] - 1, edge - 1, -1):
        dim = room[DIM, room[ORDER, position]]
        for lane in range(LANES):
            room[LANE_STATES, (position - edge) * LANES + lane] = (lane // apart) % dim
        apart *= dim


@njit(cache=True, nogil=True, forceinline=True)
def _products(room: Ints, step: int) -> float:
    """Return how many products a step has."""
    products = 1.0
    for at in range(room[FIRST_AXIS, step], room[LAST_AXIS, step]):
        products *= room[AXIS_DIM, at]
    return products


@njit(cache=True, nogil=True, forceinline=True)
def _place(room: Ints, factor: int, size: int) -> None:
    """Give a factor its place among all."""
    room[SPLIT_OFF, factor] = room[COUNT, SPLIT_ARENA]
    room[SPLIT_SIZE, factor] = size * LANES
    room[COUNT, SPLIT_ARENA] += size * LANES
    room[BUCKET, factor] = 1  # nothing was made of it so far


@njit(cache=True, nogil=True, forceinline=True)
def _add_step(room: Ints, step: int, one: int, two: int, result: int, size: int) -> None:
    room[SPLIT_A, step], room[SPLIT_B, step], room[SPLIT_C, step] = one, two, result
    room[BUCKET, one] = 0
    if two >= 0:
        room[BUCKET, two] = 0
    _place(room, result, size)


@njit(cache=True, nogil=True, forceinline=True)
def _axes_of_step(room: Ints, step: int, edge: int, axis: int) -> tuple[int, int, float]:
    """Write the axes of a step that are not lanes, the innermost first, joined where they are one stretch.

    Args:
        room: The plan.
        step: The step.
        edge: Place of the first variable that is lanes.
        axis: Number of the first axis to be written.

    Returns:
        The number after the last, entries of the result, and how many products there are.
    """
    a, b, c = LANES, LANES, LANES
    products = 1.0
    first = axis
    for at in range(room[LAST_AXIS, step] - 1, room[FIRST_AXIS, step] - 1, -1):
        if room[PLACE, room[AXIS_VAR, at]] >= edge:
            continue
        dim = room[AXIS_DIM, at]
        products *= dim
        x, y, o = 0, 0, 0
        if room[STRIDE_A, at]:
            x, a = a, a * dim
        if room[STRIDE_B, at]:
            y, b = b, b * dim
        if room[STRIDE_C, at]:
            o, c = c, c * dim
        if axis > first and _goes_on(room, axis - 1, x, y, o):
            room[SPLIT_DIM, axis - 1] *= dim
            continue
        room[SPLIT_DIM, axis] = dim
        room[SPLIT_STRIDE_A, axis], room[SPLIT_STRIDE_B, axis], room[SPLIT_STRIDE_C, axis] = x, y, o
        axis += 1
    return int(axis), int(c // LANES), products


@njit(cache=True, nogil=True, forceinline=True)
def _goes_on(room: Ints, axis: int, x: int, y: int, o: int) -> bool:
    """Return whether an axis with these strides goes on where another ends, in all three tables."""
    size = room[SPLIT_DIM, axis]
    return bool(
        room[SPLIT_STRIDE_A, axis] * size == x
        and room[SPLIT_STRIDE_B, axis] * size == y
        and room[SPLIT_STRIDE_C, axis] * size == o
    )


@njit(cache=True, nogil=True)
def _join_rest(room: Ints, steps: int, axis: int) -> None:
    """Add steps that multiply what is left, a stretch of lanes each."""
    made = room[COUNT, LEAVES] + steps
    last = -1
    result = made
    for factor in range(made):
        if not room[BUCKET, factor]:
            continue
        if last < 0:
            last = factor
            continue
        _add_step(room, steps, factor, last, result, 1)
        room[SPLIT_FIRST, steps] = room[SPLIT_LAST, steps] = axis
        steps += 1
        last = result
        result += 1
    room[COUNT, SPLIT_STEPS], room[COUNT, SPLIT_LAST_FACTOR] = steps, last


# ---- leaves --------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def lay_out_leaves(room: Ints, arena: Floats, axes: Words) -> None:
    """Copy the leaves to where each has a stretch of lanes for every entry.

    Args:
        room: The plan.
        arena: The leaves, as from ``contraction.fill_leaves``; shape ``(MEMORY,)``.
        axes: Working memory.
    """
    at = np.empty(LANES, np.uint64)
    for leaf in range(room[COUNT, LEAVES]):
        lay_out_leaf(room, leaf, arena, axes, at)


@njit(cache=True, nogil=True, forceinline=True)
def lay_out_leaf(room: Ints, leaf: int, arena: Floats, axes: Words, at: Words) -> None:
    """Do the same for one leaf; ``at`` is working memory, shape ``(LANES,)``."""
    place = np.uint64(room[SPLIT_OFF, leaf])
    count = _axes_of_leaf(room, leaf, axes, at)
    base = np.uint64(room[FAC_OFF, leaf])
    while True:
        for lane in range(_W):
            arena[place + lane] = arena[base + at[lane]]
        place += _W
        more, base, _, _ = advance(axes, 0, count - 1, base, base, base)
        if not more:
            break


@njit(cache=True, nogil=True)
def collect(room: Ints, slopes: Floats, wanted: Bits, axes: Words) -> None:
    """Add up the derivatives by the lanes that are the same entry of a wanted leaf.

    Args:
        room: The plan.
        slopes: Derivatives by every lane, as from ``split_backwards``; receives those by the entries of the leaves.
        wanted: 1 for each leaf whose derivative is wanted.
        axes: Working memory.
    """
    at = np.empty(LANES, np.uint64)
    lanes = room[COUNT, SPLIT_LANES]
    for leaf in range(room[COUNT, LEAVES]):
        if not wanted[leaf]:
            continue
        slopes[room[FAC_OFF, leaf] : room[FAC_OFF, leaf] + room[FAC_SIZE, leaf]] = 0.0
        place = np.uint64(room[SPLIT_OFF, leaf])
        count = _axes_of_leaf(room, leaf, axes, at)
        base = np.uint64(room[FAC_OFF, leaf])
        while True:
            for lane in range(np.uint64(lanes)):
                slopes[base + at[lane]] += slopes[place + lane]
            place += _W
            more, base, _, _ = advance(axes, 0, count - 1, base, base, base)
            if not more:
                break


@njit(cache=True, nogil=True, forceinline=True)
def _axes_of_leaf(room: Ints, leaf: int, axes: Words, at: Words) -> int:
    """Write the axes of a leaf that are not lanes, the soonest eliminated first, and where its lanes are.

    Args:
        room: The plan.
        leaf: The leaf.
        axes: Receives size and stride of each axis.
        at: Receives for each lane how far its entry is from that of the first lane, shape ``(LANES,)``.

    Returns:
        How many axes there are.
    """
    edge = room[COUNT, VARS] - room[COUNT, SPLIT_VARS]
    for lane in range(LANES):
        at[lane] = 0
    count = 0
    stride = room[FAC_SIZE, leaf]
    for k in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
        var = room[SCOPE, k]
        dim, position = room[DIM, var], room[PLACE, var]
        stride //= dim
        if position >= edge:
            first = (position - edge) * LANES
            for lane in range(LANES):
                at[lane] += np.uint64(room[LANE_STATES, first + lane] * stride)
            continue
        place = count
        while place > 0 and axes[3, place - 1] > np.uint64(position):
            for row in range(4):
                axes[row, place] = axes[row, place - 1]
            place -= 1
        axes[0, place], axes[1, place], axes[2, place], axes[3, place] = dim, stride, 0, position
        count += 1
    for axis in range(count):
        axes[3, axis] = axes[4, axis] = 0
    return count


# ---- runs ----------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def split_forwards(room: Ints, arena: Floats, log: float, axes: Words) -> float:
    """Run all steps; return ln P(evidence), minus infinity where it is impossible.

    Args:
        room: The plan.
        arena: The leaves, as from ``lay_out_leaves``; receives the results of the steps.
        log: As from ``contraction.fill_leaves``.
        axes: Working memory for the axes of a step, shape ``(5, WIDEST + 2)``.
    """
    put_ones(room, arena)
    for step in range(room[COUNT, SPLIT_STEPS]):
        kept, count = split_axes(room, step, SPLIT_STRIDE_C, SPLIT_STRIDE_A, SPLIT_STRIDE_B, axes)
        one, two, three = split_places(room, step)
        contract(axes, kept, count, arena, three, arena, one, arena, two)
        log += scale(arena, three, room[SPLIT_SIZE, room[SPLIT_C, step]])
    value = 0.0
    at = room[SPLIT_OFF, room[COUNT, SPLIT_LAST_FACTOR]]
    for lane in range(room[COUNT, SPLIT_LANES]):
        value += arena[at + lane]
    return log + math.log(value) if value > 0.0 else -np.inf


@njit(cache=True, nogil=True)
def put_ones(room: Ints, arena: Floats) -> None:
    """Put the 1 that stands for a missing second factor at the end."""
    arena[room[COUNT, SPLIT_ARENA] : room[COUNT, SPLIT_ARENA] + LANES] = 1.0


@njit(cache=True, nogil=True, forceinline=True)
def split_places(room: Ints, step: int) -> tuple[int, int, int]:
    """Return where the two factors of a step and its result begin; a missing second factor is the 1 at the end."""
    second = room[SPLIT_B, step]
    two = room[SPLIT_OFF, second] if second >= 0 else room[COUNT, SPLIT_ARENA]
    return room[SPLIT_OFF, room[SPLIT_A, step]], two, room[SPLIT_OFF, room[SPLIT_C, step]]


@njit(cache=True, nogil=True, forceinline=True)
def split_axes(room: Ints, step: int, out: int, left: int, right: int, axes: Words) -> tuple[int, int]:
    """Write the axes of a step, those that are summed over last; return how many are kept and how many there are."""
    count = 0
    kept = 0
    for summed in range(2):
        for at in range(room[SPLIT_LAST, step] - 1, room[SPLIT_FIRST, step] - 1, -1):
            if (room[out, at] == 0) == (summed == 1):
                axes[0, count], axes[1, count], axes[2, count] = room[SPLIT_DIM, at], room[out, at], room[left, at]
                axes[3, count], axes[4, count] = room[right, at], 0
                count += 1
        if not summed:
            kept = count
    return kept, count


@njit(cache=True, nogil=True)
def split_backwards(room: Ints, arena: Floats, slopes: Floats, wanted: Bits, axes: Words) -> None:
    """Set the derivative of P(evidence) by every lane of the wanted leaves, up to a factor for each table.

    Args:
        room: The plan.
        arena: All factors, after ``split_forwards``.
        slopes: Receives the derivatives, shape ``(MEMORY,)``.
        wanted: 1 for each leaf whose derivative is wanted, else 0; set as well for what lies on the way.
        axes: Working memory for the axes of a step.
    """
    for step in range(room[COUNT, SPLIT_STEPS]):
        one, two = room[SPLIT_A, step], room[SPLIT_B, step]
        wanted[room[SPLIT_C, step]] = wanted[one] or (two >= 0 and wanted[two])
    at = room[SPLIT_OFF, room[COUNT, SPLIT_LAST_FACTOR]]
    for lane in range(LANES):
        slopes[at + lane] = 1.0 if lane < room[COUNT, SPLIT_LANES] else 0.0
    for step in range(room[COUNT, SPLIT_STEPS] - 1, -1, -1):
        if not wanted[room[SPLIT_C, step]]:
            continue
        one, two = room[SPLIT_A, step], room[SPLIT_B, step]
        a, b, c = split_places(room, step)
        if wanted[one]:
            kept, count = split_axes(room, step, SPLIT_STRIDE_A, SPLIT_STRIDE_C, SPLIT_STRIDE_B, axes)
            contract(axes, kept, count, slopes, a, slopes, c, arena, b)
            scale(slopes, a, room[SPLIT_SIZE, one])
        if two >= 0 and wanted[two]:
            kept, count = split_axes(room, step, SPLIT_STRIDE_B, SPLIT_STRIDE_C, SPLIT_STRIDE_A, axes)
            contract(axes, kept, count, slopes, b, slopes, c, arena, a)
            scale(slopes, b, room[SPLIT_SIZE, two])
