"""Run a plan for many draws of the numbers, 16 of them side by side in memory: compiled to machine code.

The same sums of products as in ``contraction``, which serves one draw. Here every entry of a factor is a stretch of 16
lanes, one for each draw, and what is summed over is the innermost loop, so that a result is written once and never
read. A plan may be signed (see ``plan``): terms may then cancel.
"""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ALIVE,
    ARENA,
    AXIS_DIM,
    CARD,
    CLS,
    COEF,
    COUNT,
    ENT_PTR,
    FAC_OFF,
    FAC_SIZE,
    FACTORS,
    FIRST,
    FIRST_AXIS,
    HARD,
    LAST_AXIS,
    LEAVES,
    LEFT,
    NCLS,
    REC_FIRST,
    REC_LEAF,
    RECORDS,
    REP,
    SRC,
    STEP_A,
    STEP_B,
    STEP_C,
    STEPS,
    STRIDE_A,
    STRIDE_B,
    STRIDE_C,
    UNARY,
    VAR,
    WIDEST,
    Bits,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.axes import Word, add_axis, advance
from rootcause.engine.kernels.contraction import LARGE, SMALL, want_ways
from rootcause.engine.kernels.eight import HALVES, ZEROS, largest, load, plus, store, times

LANES = 16
"""Draws side by side."""

_W = np.uint64(LANES)

_UNLOOKED = 3
"""Products in a row after which a table that nothing was summed out of is looked at for its scale."""


@njit(cache=True, nogil=True)
def run_lanes(
    net: Ints,
    room: Ints,
    reals: Floats,
    values: Floats,
    asked: Ints,
    wanted: Bits,
    first: int,
    last: int,
    posterior: Floats,
    logs: Floats,
    arena: Floats,
    slopes: Floats,
) -> None:
    """Run a plan for draws of the numbers, from the first up to the last.

    Args:
        net: The network.
        room: The plan; only read.
        reals: The plan; only read.
        values: Entries of all tables, shape ``(entries, draws)``, with ``LANES`` draws or more.
        asked: The targets, shape ``(targets,)``.
        wanted: 1 for each leaf whose derivative gives a posterior; the rest is working memory of this thread.
        first: Number of the first draw.
        last: Number after the last.
        posterior: Receives the posteriors, shape ``(states of all targets, draws)``; zero where impossible.
        logs: Receives ln P(evidence), minus infinity where it is impossible, shape ``(draws,)``.
        arena: Working memory, as many numbers as the factors of the plan and one more have in all lanes.
        slopes: As much again, if there are targets.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    log = np.empty(LANES)
    peaks = np.empty(LANES)
    looked = _looked_at(room)
    want_ways(room, wanted)
    for begin in range(first, last, LANES):
        start = min(begin, values.shape[1] - LANES)  # the last stretch may overlap the one before
        _fill(room, reals, values, start, arena, log, peaks)
        _forwards(room, arena, log, looked, axes, peaks)
        logs[start : start + LANES] = log
        if asked.size:
            _backwards(room, arena, slopes, wanted, looked, axes, peaks)
            _write(net, room, arena, slopes, asked, posterior, start, log)


@njit(cache=True, nogil=True)
def run_weighed_lanes(
    net: Ints,
    room: Ints,
    leaves: Floats,
    seen: Ints,
    codes: Ints,
    likelihoods: Floats,
    asked: Ints,
    wanted: Bits,
    posterior: Floats,
    logs: Floats,
    memory: Floats,
) -> None:
    """Run a plan for cases that differ in what was seen; arguments as of ``cases.run_whole_in_lanes``."""
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    log = np.empty(LANES)
    peaks = np.empty(LANES)
    looked = _looked_at(room)
    want_ways(room, wanted)
    half = memory.size // 2
    arena, slopes = memory[:half], memory[half:]
    for start in range(0, codes.shape[0], LANES):
        for entry in range(leaves.size - 1):
            arena[entry * LANES : (entry + 1) * LANES] = leaves[entry]
        log[:] = leaves[-1]
        for lane in range(min(LANES, codes.shape[0] - start)):
            log[lane] += weigh(net, room, arena, LANES, lane, seen, codes[start + lane], likelihoods)
        _forwards(room, arena, log, looked, axes, peaks)
        logs[start : start + LANES] = log
        if asked.size:
            _backwards(room, arena, slopes, wanted, looked, axes, peaks)
            _write(net, room, arena, slopes, asked, posterior, start, log)


@njit(cache=True, nogil=True, forceinline=True)
def weigh(
    net: Ints, room: Ints, arena: Floats, lanes: int, lane: int, seen: Ints, codes: Ints, likelihoods: Floats
) -> float:
    """Multiply the leaves of what was seen by its likelihoods; return the logarithm of what has no leaf.

    Args:
        net: The network.
        room: A plan in which every node is a target and no states are merged.
        arena: The leaves; changed.
        lanes: How many lanes an entry has.
        lane: The lane of the case.
        seen: As in ``cases.look``.
        codes: As in ``cases.look``.
        likelihoods: As in ``cases.look``.
    """
    log = 0.0
    for column in range(seen.size):
        code, node = codes[column], seen[column]
        if code == -1:
            continue
        for s in range(net[CARD, node]):
            weight = 1.0 if s == code else 0.0
            if code < -1:
                weight = likelihoods[-2 - code, s]
            if room[VAR, node] >= 0:
                arena[(room[FAC_OFF, room[UNARY, room[VAR, node]]] + s) * lanes + lane] *= weight
            else:
                log += math.log(weight) if weight > 0.0 else -np.inf
    return log


@njit(cache=True, nogil=True)
def run_slopes_of_lanes(
    room: Ints, reals: Floats, values: Floats, first: int, last: int, slopes_of_entries: Floats, logs: Floats
) -> None:
    """Add the derivative of ln P(evidence) by every entry of the tables, for draws from the first up to the last.

    Args:
        room: A plan in which no two factors were merged into one leaf; only read.
        reals: The plan; only read.
        values: Entries of all tables, shape ``(entries, draws)``, with ``LANES`` draws or more.
        first: Number of the first draw.
        last: Number after the last.
        slopes_of_entries: Receives d ln P(evidence) / d entry, shape ``(entries, draws)``.
        logs: Receives ln P(evidence), minus infinity where it is impossible, shape ``(draws,)``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena = np.empty((room[COUNT, ARENA] + 1) * LANES)
    slopes = np.empty(arena.size)
    log = np.empty(LANES)
    peaks = np.empty(LANES)
    looked = _looked_at(room)
    wanted = np.zeros(room.shape[1], np.uint8)
    wanted[: room[COUNT, LEAVES]] = 1
    want_ways(room, wanted)
    for begin in range(first, last, LANES):
        start = min(begin, values.shape[1] - LANES)
        _fill(room, reals, values, start, arena, log, peaks)
        _forwards(room, arena, log, looked, axes, peaks)
        logs[start : start + LANES] = log
        _backwards(room, arena, slopes, wanted, looked, axes, peaks)
        _scatter(room, reals, values, start, begin - start, arena, slopes, log, slopes_of_entries)


@njit(cache=True, nogil=True)
def _scatter(
    room: Ints,
    reals: Floats,
    values: Floats,
    start: int,
    done: int,
    arena: Floats,
    slopes: Floats,
    log: Floats,
    result: Floats,
) -> None:
    """Add the derivatives by the entries, as ``contraction.scatter`` does, but for lanes that were done before."""
    total = np.empty(LANES)
    scale = np.empty(LANES)
    raw = np.empty(LANES)
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        offset, size = room[FAC_OFF, leaf] * LANES, room[FAC_SIZE, leaf]
        total[:] = 0.0
        scale[:] = 1.0
        for e in range(size):
            add_sources(room, reals, values, start, room[REC_FIRST, record] + e, raw)
            at = offset + e * LANES
            for lane in range(LANES):
                total[lane] += arena[at + lane] * slopes[at + lane]
                if raw[lane] != 0.0:
                    scale[lane] = arena[at + lane] / raw[lane]
        for lane in range(LANES):
            scale[lane] = scale[lane] / total[lane] if lane >= done and log[lane] > -np.inf else 0.0
        for e in range(size):
            entry = room[REC_FIRST, record] + e
            at = offset + e * LANES
            for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
                row = result[room[SRC, k]]
                coef = reals[COEF, k]
                for lane in range(LANES):
                    row[start + lane] += coef * slopes[at + lane] * scale[lane]


@njit(cache=True, nogil=True, forceinline=True)
def add_sources(room: Ints, reals: Floats, values: Floats, start: int, entry: int, total: Floats) -> None:
    """Set the sum of the sources of an entry of a leaf, for every lane."""
    total[:] = 0.0
    for k in range(room[ENT_PTR, entry], room[ENT_PTR, entry + 1]):
        row = values[room[SRC, k]]
        coef = reals[COEF, k]
        for lane in range(_W):
            total[lane] += coef * row[np.uint64(start) + lane]


@njit(cache=True, nogil=True)
def _looked_at(room: Ints) -> Bits:
    """Return 1 for each factor whose scale is looked at: leaves, results of sums, and every third product."""
    looked = np.ones(room[COUNT, FACTORS], np.uint8)
    unlooked = 0
    for step in range(room[COUNT, STEPS]):
        size = 1
        for at in range(room[FIRST_AXIS, step], room[LAST_AXIS, step]):
            size *= room[AXIS_DIM, at]
        unlooked = unlooked + 1 if size == room[FAC_SIZE, room[STEP_C, step]] else _UNLOOKED
        looked[room[STEP_C, step]] = unlooked >= _UNLOOKED
        if unlooked >= _UNLOOKED:
            unlooked = 0
    return looked


@njit(cache=True, nogil=True)
def _fill(room: Ints, reals: Floats, values: Floats, start: int, arena: Floats, log: Floats, peaks: Floats) -> None:
    """Compute the leaves from the entries of the tables."""
    leaves = room[COUNT, LEAVES]
    log[:] = 0.0
    arena[: (room[FAC_OFF, leaves - 1] + room[FAC_SIZE, leaves - 1]) * LANES] = 1.0
    total = np.empty(LANES)
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        at = np.uint64(room[FAC_OFF, leaf] * LANES)
        for entry in range(room[REC_FIRST, record], room[REC_FIRST, record + 1]):
            add_sources(room, reals, values, start, entry, total)
            for lane in range(_W):
                arena[at + lane] *= total[lane]
            at += _W
        _scale(arena, room[FAC_OFF, leaf], room[FAC_SIZE, leaf], log, peaks)


@njit(cache=True, nogil=True, forceinline=True)
def _scale(table: Floats, offset: int, size: int, log: Floats, peaks: Floats) -> None:
    """Divide each lane of a table that has become small or large by its largest entry, and keep the logarithm."""
    if not peaks_of(table, offset, size, peaks):
        return
    for lane in range(LANES):
        log[lane] += math.log(peaks[lane])
    divide_lanes(table, offset, size, peaks)


@njit(cache=True, nogil=True, forceinline=True)
def peaks_of(table: Floats, offset: int, size: int, peaks: Floats) -> bool:
    """Set what each lane of a table is to be divided by; return whether any is not 1."""
    for k in HALVES:
        place = np.uint64(offset * LANES) + k
        found = ZEROS
        for _ in range(size):
            found = largest(found, load(table, place))
            place += _W
        store(peaks, k, found)
    beyond = False
    for lane in range(LANES):
        if peaks[lane] == 0.0 or SMALL <= peaks[lane] <= LARGE:
            peaks[lane] = 1.0
        else:
            beyond = True
    return beyond


@njit(cache=True, nogil=True, forceinline=True)
def divide_lanes(table: Floats, offset: int, size: int, peaks: Floats) -> None:
    """Divide each lane of a table by its number."""
    for e in range(offset * LANES, (offset + size) * LANES, LANES):
        for lane in range(LANES):
            table[e + lane] /= peaks[lane]


@njit(cache=True, nogil=True)
def _forwards(room: Ints, arena: Floats, log: Floats, looked: Bits, axes: Words, peaks: Floats) -> None:
    """Run all steps, and add ln P(evidence) to ``log``: minus infinity where it is not above zero."""
    arena[room[COUNT, ARENA] * LANES : (room[COUNT, ARENA] + 1) * LANES] = 1.0
    for step in range(room[COUNT, STEPS]):
        one, two, three = lane_places(room, step)
        kept, count = lane_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        contract(axes, kept, count, arena, three, arena, one, arena, two)
        result = room[STEP_C, step]
        if looked[result]:
            _scale(arena, room[FAC_OFF, result], room[FAC_SIZE, result], log, peaks)
    for i in range(room[COUNT, LEFT]):
        offset = room[FAC_OFF, room[ALIVE, i]] * LANES
        for lane in range(LANES):
            value = arena[offset + lane]
            log[lane] += math.log(value) if value > 0.0 else -np.inf


@njit(cache=True, nogil=True)
def _backwards(
    room: Ints, arena: Floats, slopes: Floats, wanted: Bits, looked: Bits, axes: Words, peaks: Floats
) -> None:
    """Set the derivative of P(evidence) by every entry of the wanted leaves, up to a factor for each lane and table."""
    for i in range(room[COUNT, LEFT]):
        start = room[FAC_OFF, room[ALIVE, i]] * LANES
        slopes[start : start + LANES] = 1.0
    for step in range(room[COUNT, STEPS] - 1, -1, -1):
        if not wanted[room[STEP_C, step]]:
            continue
        one, two = room[STEP_A, step], room[STEP_B, step]
        a, b, c = lane_places(room, step)
        if wanted[one]:
            kept, count = lane_axes(room, step, STRIDE_A, STRIDE_C, STRIDE_B, axes)
            contract(axes, kept, count, slopes, a, slopes, c, arena, b)
            if looked[one] and peaks_of(slopes, room[FAC_OFF, one], room[FAC_SIZE, one], peaks):
                divide_lanes(slopes, room[FAC_OFF, one], room[FAC_SIZE, one], peaks)
        if two >= 0 and wanted[two]:
            kept, count = lane_axes(room, step, STRIDE_B, STRIDE_C, STRIDE_A, axes)
            contract(axes, kept, count, slopes, b, slopes, c, arena, a)
            if looked[two] and peaks_of(slopes, room[FAC_OFF, two], room[FAC_SIZE, two], peaks):
                divide_lanes(slopes, room[FAC_OFF, two], room[FAC_SIZE, two], peaks)


@njit(cache=True, nogil=True, forceinline=True)
def lane_places(room: Ints, step: int) -> tuple[int, int, int]:
    """Return where the two factors of a step and its result begin; a missing second factor is the 1 at the end."""
    second = room[STEP_B, step]
    two = room[FAC_OFF, second] if second >= 0 else room[COUNT, ARENA]
    return room[FAC_OFF, room[STEP_A, step]] * LANES, two * LANES, room[FAC_OFF, room[STEP_C, step]] * LANES


@njit(cache=True, nogil=True, forceinline=True)
def lane_axes(room: Ints, step: int, out: int, left: int, right: int, axes: Words) -> tuple[int, int]:
    """Write the axes of a step, those that are summed over last; return how many are kept and how many there are.

    Neighbours are joined where they are one stretch in all three tables.

    Args:
        room: The plan.
        step: The step.
        out: Row with the strides of the table that is written; 0 for what is summed over.
        left: Row with those of the first that is multiplied.
        right: Row with those of the second.
        axes: Receives size and strides of each axis, and a row to count in.
    """
    kept = 0
    count = 0
    for summed in range(2):
        first = count
        for at in range(room[FIRST_AXIS, step], room[LAST_AXIS, step]):
            if (room[out, at] == 0) != (summed == 1):
                continue
            o, x, y = room[out, at] * LANES, room[left, at] * LANES, room[right, at] * LANES
            count = add_axis(axes, first, count, room[AXIS_DIM, at], o, x, y)
        if not summed:
            kept = count
    return kept, count


@njit(cache=True, nogil=True)
def contract(
    axes: Words, kept: int, count: int, out: Floats, out_at: int, left: Floats, left_at: int, right: Floats, at: int
) -> None:
    """Write the sums of products of two tables to a third."""
    o, x, y = np.uint64(out_at), np.uint64(left_at), np.uint64(at)
    rows, ro, rx, ry = np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    if kept:
        rows, ro, rx, ry = axes[0, kept - 1], axes[1, kept - 1], axes[2, kept - 1], axes[3, kept - 1]
    while True:
        if count == kept:
            for _ in range(rows):
                _product(out, o, left, x, right, y)
                o += ro
                x += rx
                y += ry
        elif count == kept + 1 and axes[0, kept] == 2:
            for _ in range(rows):
                _two_products(axes[2, kept], axes[3, kept], out, o, left, x, right, y)
                o += ro
                x += rx
                y += ry
        else:
            for _ in range(rows):
                _sum(axes, kept, count, out, o, left, x, right, y)
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
def _product(out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word) -> None:
    """Write the product of two entries."""
    for k in HALVES:
        store(out, o + k, times(load(left, x + k), load(right, y + k)))


@njit(cache=True, nogil=True, forceinline=True)
def _two_products(sx: Word, sy: Word, out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word) -> None:
    """Write the sum of two products: what most sums are."""
    u = x + sx
    v = y + sy
    for k in HALVES:
        one = times(load(left, x + k), load(right, y + k))
        store(out, o + k, plus(one, times(load(left, u + k), load(right, v + k))))


@njit(cache=True, nogil=True, forceinline=True)
def _sum(
    axes: Words, kept: int, count: int, out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word
) -> None:
    """Write the sum of products over the axes from ``kept`` on, for every lane."""
    for k in HALVES:
        store(out, o + k, ZEROS)
    while True:
        for k in HALVES:
            _add_along(axes, count - 1, out, o + k, left, x + k, right, y + k)
        more, o, x, y = advance(axes, kept, count - 2, o, x, y)
        if not more:
            return


@njit(cache=True, nogil=True, forceinline=True)
def _add_along(axes: Words, axis: int, out: Floats, o: Word, left: Floats, x: Word, right: Floats, y: Word) -> None:
    """Add the sum of products along one axis, for eight lanes."""
    size, sx, sy = axes[0, axis], axes[2, axis], axes[3, axis]
    total = load(out, o)
    for _ in range(size):
        total = plus(total, times(load(left, x), load(right, y)))
        x += sx
        y += sy
    store(out, o, total)


@njit(cache=True, nogil=True)
def _write(
    net: Ints, room: Ints, arena: Floats, slopes: Floats, asked: Ints, posterior: Floats, start: int, log: Floats
) -> None:
    """Write the posteriors of the targets, the states of one after another; zero where the evidence is impossible."""
    row = 0
    total = np.empty(LANES)
    for k in range(asked.size):
        node = asked[k]
        first = net[FIRST, node]
        for s in range(net[CARD, node]):
            posterior[row + s, start : start + LANES] = 0.0
        if room[HARD, node] >= 0:
            posterior[row + room[HARD, node], start : start + LANES] = 1.0
        elif room[NCLS, node] == 1:
            posterior[row + room[REP, first], start : start + LANES] = 1.0
        else:
            offset = room[FAC_OFF, room[UNARY, room[VAR, node]]] * LANES
            total[:] = 0.0
            for c in range(room[NCLS, node]):
                for lane in range(LANES):
                    at = offset + c * LANES + lane
                    total[lane] += max(arena[at] * slopes[at], 0.0)
            for s in range(net[CARD, node]):
                if room[CLS, first + s] < 0:
                    continue
                for lane in range(LANES):
                    at = offset + room[CLS, first + s] * LANES + lane
                    if total[lane] > 0.0:
                        posterior[row + s, start + lane] = max(arena[at] * slopes[at] / total[lane], 0.0)
        row += net[CARD, node]
    for lane in range(LANES):
        if log[lane] == -np.inf:
            posterior[:row, start + lane] = 0.0
