"""What rounding has taken, for sixteen draws side by side: as in ``rounding``, but one plan serves all of them."""

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
from rootcause.engine.kernels.bounds import UNIT, add_component, logarithms
from rootcause.engine.kernels.lanes import (
    LANES,
    add_sources,
    contract,
    divide_lanes,
    lane_axes,
    lane_places,
    peaks_of,
)
from rootcause.engine.kernels.rounding import combine, contract_with_errors, write_out


@njit(cache=True, nogil=True)
def deviation_of_lanes(
    room: Ints, reals: Floats, values: Floats, arena: Floats, errors: Floats, axes: Words, logs: Floats
) -> None:
    """Set ln P(evidence), and the logarithm of the standard deviation of its error, of every lane.

    Args:
        room: The plan.
        reals: The plan.
        values: Entries of all tables, shape ``(entries, LANES)``.
        arena: Receives the factors, as many numbers as these and one more have in all lanes.
        errors: Receives the variance of the error of each.
        axes: Working memory for the axes of a step.
        logs: Receives both, shape ``(2, LANES)``; as from ``rounding.deviation``.
    """
    relative = np.zeros(room[COUNT, FACTORS])
    log = np.zeros(LANES)
    peaks = np.empty(LANES)
    _fill(room, reals, values, arena, errors, relative, log, peaks)
    last = room[COUNT, ARENA] * LANES
    arena[last : last + LANES] = 1.0
    errors[last : last + LANES] = 0.0
    for step in range(room[COUNT, STEPS]):
        first, second, result = room[STEP_A, step], room[STEP_B, step], room[STEP_C, step]
        one, two, three = lane_places(room, step)
        kept, count = lane_axes(room, step, STRIDE_C, STRIDE_A, STRIDE_B, axes)
        terms = 1.0
        for axis in range(kept, count):
            terms *= float(axes[0, axis])
        unit = UNIT * (terms + 1)
        if combine(relative, first, second, result, unit):
            contract(axes, kept, count, arena, three, arena, one, arena, two)
        else:
            write_out(arena, errors, relative, first, one, room[FAC_SIZE, first] * LANES)
            if second >= 0:
                write_out(arena, errors, relative, second, two, room[FAC_SIZE, second] * LANES)
            contract_with_errors(axes, kept, count, arena, errors, three, one, two, unit)
        _scale(room, result, arena, errors, relative[result], log, peaks)
    for i in range(room[COUNT, LEFT]):
        factor = room[ALIVE, i]
        write_out(arena, errors, relative, factor, room[FAC_OFF, factor] * LANES, LANES)
    for lane in range(LANES):
        whole, own = log[lane], 0.0
        for i in range(room[COUNT, LEFT]):
            place = room[FAC_OFF, room[ALIVE, i]] * LANES + lane
            whole, own = add_component(whole, own, arena[place], errors[place])
        logs[0, lane], logs[1, lane] = logarithms(whole, own)


@njit(cache=True, nogil=True)
def _fill(
    room: Ints,
    reals: Floats,
    values: Floats,
    arena: Floats,
    errors: Floats,
    relative: Floats,
    log: Floats,
    peaks: Floats,
) -> None:
    """Compute the leaves and the variances of their errors; the entries of the tables count as exact."""
    total = np.empty(LANES)
    leaves = room[COUNT, LEAVES]
    arena[: (room[FAC_OFF, leaves - 1] + room[FAC_SIZE, leaves - 1]) * LANES] = 1.0
    for leaf in range(leaves):
        if room[SIGNED, leaf]:
            relative[leaf] = -1.0
            errors[room[FAC_OFF, leaf] * LANES : (room[FAC_OFF, leaf] + room[FAC_SIZE, leaf]) * LANES] = 0.0
    for record in range(room[COUNT, RECORDS]):
        leaf = room[REC_LEAF, record]
        at = room[FAC_OFF, leaf] * LANES
        most = 0
        for entry in range(room[REC_FIRST, record], room[REC_FIRST, record + 1]):
            add_sources(room, reals, values, 0, entry, total)
            most = max(most, room[ENT_PTR, entry + 1] - room[ENT_PTR, entry])
            if relative[leaf] < 0.0:
                _add_errors(room, reals, values, entry, total, arena, errors, at)
            for lane in range(LANES):
                arena[at + lane] *= total[lane]
            at += LANES
        if relative[leaf] >= 0.0:
            relative[leaf] += UNIT * (most + 1)
        _scale(room, leaf, arena, errors, relative[leaf], log, peaks)


@njit(cache=True, nogil=True)
def _add_errors(
    room: Ints, reals: Floats, values: Floats, entry: int, total: Floats, arena: Floats, errors: Floats, at: int
) -> None:
    """Set the variances of an entry of a leaf that is about to be multiplied by the sum of its sources."""
    first, last = room[ENT_PTR, entry], room[ENT_PTR, entry + 1]
    for lane in range(LANES):
        sizes = 0.0
        for k in range(first, last):
            sizes += (reals[COEF, k] * values[room[SRC, k], lane]) ** 2
        own = UNIT * (last - first) * sizes
        square = total[lane] ** 2
        errors[at + lane] = arena[at + lane] ** 2 * (own + UNIT * square) + errors[at + lane] * (square + own)


@njit(cache=True, nogil=True)
def _scale(room: Ints, factor: int, arena: Floats, errors: Floats, relative: float, log: Floats, peaks: Floats) -> None:
    """Divide each lane of a factor that has become small or large by its largest entry, and keep the logarithm."""
    offset, size = room[FAC_OFF, factor], room[FAC_SIZE, factor]
    if not peaks_of(arena, offset, size, peaks):
        return
    divide_lanes(arena, offset, size, peaks)
    if relative < 0.0:
        divide_lanes(errors, offset, size, peaks)
        divide_lanes(errors, offset, size, peaks)  # the square may be too small for a number
    for lane in range(LANES):
        log[lane] += math.log(peaks[lane])
