"""Many cases of one network, or many draws of its numbers, one after another in one thread: compiled loops."""

import math

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import (
    ARENA,
    AXIS_DIM,
    CARD,
    CLS,
    COUNT,
    FAC_OFF,
    FACTORS,
    FIRST,
    FIRST_AXIS,
    GATE,
    HARD,
    IMPOSSIBLE,
    LAST_AXIS,
    LEAVES,
    MEMORY,
    NCLS,
    PLANNED,
    REP,
    SIGNED,
    SIZES,
    SPLIT_LANES,
    STEPS,
    UNARY,
    VAR,
    WIDEST,
    Bits,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.bounds import bounded_forwards
from rootcause.engine.kernels.contraction import backwards, fill_leaves, forwards, scatter
from rootcause.engine.kernels.lanes import LANES, run_lanes, run_slopes_of_lanes, run_weighed_lanes, weigh
from rootcause.engine.kernels.planner import plan
from rootcause.engine.kernels.rounding import deviation
from rootcause.engine.kernels.rounding_of_lanes import deviation_of_lanes
from rootcause.engine.kernels.split import collect, lay_out_leaves, split, split_backwards, split_forwards
from rootcause.engine.kernels.spread import spread
from rootcause.engine.kernels.states import see_nothing, see_state, see_weights

RARE = -500.0
"""ln P(evidence) below which a plan in which nothing is ruled out may lose everything: its tables are scaled by what
the evidence rules out, and below 1e-308 of that nothing is left."""

_SIDE_BY_SIDE = 4
"""Draws from which on their errors are estimated side by side."""

TOLERATED = 1e-9
"""Largest relative error of P(evidence), one standard deviation, with which products are taken."""


@njit(cache=True, nogil=True)
def look(net: Ints, above: Bits, room: Ints, reals: Floats, seen: Ints, codes: Ints, likelihoods: Floats) -> bool:
    """Note the evidence of one case; return whether what was seen of each node leaves it a state.

    Args:
        net: The network.
        above: Ancestors.
        room: Working memory.
        reals: Working memory.
        seen: Nodes that have a column, shape ``(columns,)``.
        codes: For each, the state seen, -1 for nothing, or -2 - k for row k of the likelihoods.
        likelihoods: Shape ``(rows, most states)``.
    """
    see_nothing(net, room, reals)
    possible = True
    for column in range(seen.size):
        if codes[column] >= 0:
            possible &= see_state(net, above, room, seen[column], codes[column])
        elif codes[column] < -1:
            possible &= see_weights(net, above, room, reals, seen[column], likelihoods[-2 - codes[column]])
    return possible


@njit(cache=True, nogil=True)
def run_cases(
    net: Ints,
    above: Bits,
    room: Ints,
    reals: Floats,
    words: Words,
    entries: Floats,
    seen: Ints,
    codes: Ints,
    likelihoods: Floats,
    asked: Ints,
    lump: bool,
    limit: float,
    tries: int,
    posterior: Floats,
    logs: Floats,
    status: Ints,
    memory: Floats,
) -> None:
    """Answer cases, each with a plan of its own: gates are products there, or chains if these would lose digits.

    Args:
        net: The network.
        above: Ancestors.
        room: Working memory.
        reals: Working memory.
        words: Working memory.
        entries: Entries of all tables, shape ``(entries, 1)``.
        seen: Nodes that have a column, shape ``(columns,)``.
        codes: As in ``look``, shape ``(cases, columns)``.
        likelihoods: As in ``look``.
        asked: The targets, shape ``(targets,)``.
        lump: As in ``plan``.
        limit: As in ``plan``.
        tries: As in ``plan``.
        posterior: Receives the posteriors, the states of the targets one after another, shape ``(cases, states)``.
        logs: Receives ln P(evidence), minus infinity where it is impossible, shape ``(cases,)``.
        status: Receives what ``plan`` returned, shape ``(cases,)``; the cases after the first too large are not run.
        memory: Working memory for factors; where they do not fit, more is taken.
    """
    targets = np.zeros(above.shape[0], np.uint8)
    for k in range(asked.size):
        targets[asked[k]] = 1
    wanted = np.zeros(room.shape[1], np.uint8)
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena, slopes = _halves(memory, 0)
    gates = _has_gates(net)
    for case in range(codes.shape[0]):
        logs[case] = -np.inf
        if not look(net, above, room, reals, seen, codes[case], likelihoods):
            status[case] = IMPOSSIBLE
            continue
        for signed in (True, False):
            if signed and not gates:
                continue
            status[case] = plan(net, above, room, reals, words, entries, targets, lump, True, signed, limit, tries)
            if status[case] == IMPOSSIBLE:
                break
            if status[case] != PLANNED:
                continue
            split(room, limit)
            if room[COUNT, MEMORY] > arena.size:
                arena, slopes = _halves(memory, 2 * room[COUNT, MEMORY])
            enough, logs[case] = _forwards(room, reals, entries, arena, slopes, axes)
            if enough:
                break
        if status[case] == IMPOSSIBLE:
            logs[case] = -np.inf  # products may have left what rounding made of it
            continue
        if status[case] != PLANNED:
            return
        if logs[case] == -np.inf:
            status[case] = IMPOSSIBLE
        elif asked.size:
            want(room, asked, wanted)
            _slopes_of_leaves(room, arena, slopes, wanted, axes)
            write(net, room, arena, slopes, asked, posterior[case])


@njit(cache=True, nogil=True)
def run_whole(
    net: Ints,
    room: Ints,
    leaves: Floats,
    seen: Ints,
    codes: Ints,
    likelihoods: Floats,
    asked: Ints,
    posterior: Floats,
    logs: Floats,
    memory: Floats,
) -> int:
    """Answer cases with one plan, in which nothing was seen and every node is a target.

    Args:
        net: The network.
        room: The plan; only read.
        leaves: Its leaves, and the logarithm of what they were divided by.
        seen: As in ``look``.
        codes: As in ``look``, shape ``(cases, columns)``.
        likelihoods: As in ``look``.
        asked: As in ``run_cases``.
        posterior: As in ``run_cases``, but zeros.
        logs: As in ``run_cases``.
        memory: As in ``run_cases``.

    Returns:
        How many cases are rarer than ``RARE``.
    """
    wanted = np.zeros(room.shape[1], np.uint8)
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena, slopes = _halves(memory, room[COUNT, MEMORY])
    rare = 0
    for case in range(codes.shape[0]):
        arena[: leaves.size - 1] = leaves[:-1]
        log = leaves[-1] + weigh(net, room, arena, 1, 0, seen, codes[case], likelihoods)
        logs[case] = _run_forwards(room, arena, log, axes) if log > -np.inf else log
        if logs[case] < RARE:
            rare += 1
        elif asked.size:
            want(room, asked, wanted)
            _slopes_of_leaves(room, arena, slopes, wanted, axes)
            write(net, room, arena, slopes, asked, posterior[case])
    return rare


@njit(cache=True, nogil=True)
def run_whole_in_lanes(
    net: Ints,
    room: Ints,
    leaves: Floats,
    seen: Ints,
    codes: Ints,
    likelihoods: Floats,
    asked: Ints,
    posterior: Floats,
    logs: Floats,
    memory: Floats,
) -> None:
    """Do what ``run_whole`` does for many cases side by side.

    Args:
        net: As in ``run_whole``.
        room: As in ``run_whole``.
        leaves: As in ``run_whole``.
        seen: As in ``run_whole``.
        codes: As in ``run_whole``.
        likelihoods: As in ``run_whole``.
        asked: As in ``run_whole``.
        posterior: Receives the posteriors, shape ``(states of all targets, cases)``, and whole lanes of these.
        logs: Receives ln P(evidence), shape ``(cases,)``, and whole lanes of these.
        memory: Working memory for two times the factors of all lanes.
    """
    wanted = np.zeros(room.shape[1], np.uint8)
    want(room, asked, wanted)
    run_weighed_lanes(net, room, leaves, seen, codes, likelihoods, asked, wanted, posterior, logs, memory)


@njit(cache=True, nogil=True)
def _halves(memory: Floats, size: int) -> tuple[Floats, Floats]:
    """Return two arrays of so many numbers or more: the halves of an array, or others if these are too small."""
    half = memory.size // 2
    if size > half:
        return np.empty(size), np.empty(size)
    return memory[:half], memory[half:]


@njit(cache=True, nogil=True)
def _has_gates(net: Ints) -> bool:
    for node in range(net[SIZES, 0]):
        if net[GATE, node]:
            return True
    return False


@njit(cache=True, nogil=True)
def _forwards(
    room: Ints, reals: Floats, entries: Floats, arena: Floats, errors: Floats, axes: Words
) -> tuple[bool, float]:
    """Run a plan forwards; return whether that leaves digits enough, and ln P(evidence)."""
    if not _has_differences(room):
        return True, _log_evidence(room, reals, entries, arena, axes)
    log, error = _error(room, reals, entries, arena, errors, axes)
    return error == -np.inf or error - log <= math.log(TOLERATED), log


@njit(cache=True, nogil=True)
def _error(
    room: Ints, reals: Floats, entries: Floats, arena: Floats, errors: Floats, axes: Words
) -> tuple[float, float]:
    """Run a plan forwards; return ln P(evidence), and that of its error's deviation, or of a bound that will do."""
    log, error = bounded_forwards(room, reals, entries, arena, axes)
    if error == -np.inf or error - log <= math.log(TOLERATED):
        return log, error
    return deviation(room, reals, entries, arena, errors, axes)


@njit(cache=True, nogil=True)
def _log_evidence(room: Ints, reals: Floats, entries: Floats, arena: Floats, axes: Words) -> float:
    """Fill the leaves and run a plan forwards; return ln P(evidence)."""
    return _run_forwards(room, arena, fill_leaves(room, reals, entries, arena), axes)


@njit(cache=True, nogil=True)
def _run_forwards(room: Ints, arena: Floats, log: float, axes: Words) -> float:
    """Run a plan forwards from its leaves; return ln P(evidence)."""
    if not room[COUNT, SPLIT_LANES]:
        return forwards(room, arena, log, axes)
    lay_out_leaves(room, arena, axes)
    return split_forwards(room, arena, log, axes)


@njit(cache=True, nogil=True)
def _slopes_of_leaves(room: Ints, arena: Floats, slopes: Floats, wanted: Bits, axes: Words) -> None:
    """Run a plan backwards, to the derivatives by the entries of the wanted leaves."""
    if room[COUNT, SPLIT_LANES]:
        split_backwards(room, arena, slopes, wanted, axes)
        collect(room, slopes, wanted, axes)
    else:
        backwards(room, arena, slopes, wanted, axes)


@njit(cache=True, nogil=True)
def _has_differences(room: Ints) -> bool:
    """Return whether anything is taken away in a plan."""
    for leaf in range(room[COUNT, LEAVES]):
        if room[SIGNED, leaf]:
            return True
    return False


@njit(cache=True, nogil=True)
def want(room: Ints, asked: Ints, wanted: Bits) -> None:
    """Mark the leaves whose derivatives give the posteriors of the targets."""
    for factor in range(room[COUNT, FACTORS]):
        wanted[factor] = 0
    for k in range(asked.size):
        if room[HARD, asked[k]] < 0 and room[NCLS, asked[k]] > 1:
            wanted[room[UNARY, room[VAR, asked[k]]]] = 1


@njit(cache=True, nogil=True)
def write(net: Ints, room: Ints, arena: Floats, slopes: Floats, asked: Ints, posterior: Floats) -> None:
    """Write the posteriors of the targets, the states of one after another, shape ``(states,)``."""
    row = 0
    for k in range(asked.size):
        node = asked[k]
        first = net[FIRST, node]
        for s in range(net[CARD, node]):
            posterior[row + s] = 0.0
        if room[HARD, node] >= 0:
            posterior[row + room[HARD, node]] = 1.0
        elif room[NCLS, node] == 1:
            posterior[row + room[REP, first]] = 1.0
        else:
            offset = room[FAC_OFF, room[UNARY, room[VAR, node]]]
            total = 0.0
            for c in range(room[NCLS, node]):
                total += max(arena[offset + c] * slopes[offset + c], 0.0)
            for s in range(net[CARD, node]):
                if room[CLS, first + s] >= 0 and total > 0.0:
                    at = offset + room[CLS, first + s]
                    posterior[row + s] = max(arena[at] * slopes[at], 0.0) / total
        row += net[CARD, node]


@njit(cache=True, nogil=True)
def multiplications(room: Ints) -> float:
    """Return how many multiplications a plan takes forwards."""
    total = 0.0
    for step in range(room[COUNT, STEPS]):
        size = 1.0
        for at in range(room[FIRST_AXIS, step], room[LAST_AXIS, step]):
            size *= room[AXIS_DIM, at]
        total += size
    return total


@njit(cache=True, nogil=True)
def plan_case(
    net: Ints,
    above: Bits,
    room: Ints,
    reals: Floats,
    words: Words,
    sig: Floats,
    seen: Ints,
    codes: Ints,
    likelihoods: Floats,
    asked: Ints,
    lump: bool,
    merge: bool,
    signed: bool,
    limit: float,
    tries: int,
) -> int:
    """Plan one case; arguments as in ``run_cases`` and ``plan``, result as of ``plan``."""
    targets = np.zeros(above.shape[0], np.uint8)
    for k in range(asked.size):
        targets[asked[k]] = 1
    if not look(net, above, room, reals, seen, codes, likelihoods):
        return IMPOSSIBLE
    status = plan(net, above, room, reals, words, sig, targets, lump, merge, signed, limit, tries)
    if status == PLANNED:
        split(room, limit)
    return int(status)


@njit(cache=True, nogil=True)
def run_draws(
    net: Ints,
    room: Ints,
    reals: Floats,
    entries: Floats,
    asked: Ints,
    first: int,
    last: int,
    posterior: Floats,
    logs: Floats,
    arena: Floats,
    slopes: Floats,
) -> None:
    """Run a plan for draws of the numbers; arguments as in ``run_lanes``."""
    wanted = np.zeros(room.shape[1], np.uint8)
    want(room, asked, wanted)
    run_lanes(net, room, reals, entries, asked, wanted, first, last, posterior, logs, arena, slopes)


@njit(cache=True, nogil=True)
def run_few(
    net: Ints,
    room: Ints,
    reals: Floats,
    entries: Floats,
    asked: Ints,
    posterior: Floats,
    logs: Floats,
    memory: Floats,
) -> None:
    """Run a plan for few draws of the numbers, or for large tables, one draw after another.

    Args:
        net: The network.
        room: The plan.
        reals: The plan.
        entries: Entries of all tables, shape ``(draws, entries)``: a draw is a row here.
        asked: The targets, shape ``(targets,)``.
        posterior: Receives the posteriors, shape ``(draws, states of all targets)``; zero where impossible.
        logs: Receives ln P(evidence), minus infinity where it is impossible, shape ``(draws,)``.
        memory: As in ``run_cases``.
    """
    wanted = np.zeros(room.shape[1], np.uint8)
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena, slopes = _halves(memory, room[COUNT, MEMORY])
    for draw in range(entries.shape[0]):
        own = entries[draw].reshape(-1, 1)
        logs[draw] = _log_evidence(room, reals, own, arena, axes)
        if logs[draw] > -np.inf and asked.size:
            want(room, asked, wanted)
            _slopes_of_leaves(room, arena, slopes, wanted, axes)
            write(net, room, arena, slopes, asked, posterior[draw])


@njit(cache=True, nogil=True)
def run_slopes(room: Ints, reals: Floats, entries: Floats, slopes_of_entries: Floats, memory: Floats) -> float:
    """Return ln P(evidence) and add its derivative by every entry of the tables.

    Args:
        room: A plan in which no two factors were merged into one leaf.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, 1)``.
        slopes_of_entries: Receives d ln P(evidence) / d entry, shape ``(entries,)``.
        memory: As in ``run_cases``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena, slopes = _halves(memory, room[COUNT, MEMORY])
    log = _log_evidence(room, reals, entries, arena, axes)
    if log == -np.inf:
        return log
    wanted = np.zeros(room.shape[1], np.uint8)
    wanted[: room[COUNT, LEAVES]] = 1
    _slopes_of_leaves(room, arena, slopes, wanted, axes)
    scatter(room, reals, entries, arena, slopes, slopes_of_entries)
    return log


@njit(cache=True, nogil=True)
def run_joint(room: Ints, reals: Floats, entries: Floats, arena: Floats) -> float:
    """Run a plan that leaves variables in, and return the logarithm of what its factors were divided by.

    Args:
        room: The plan.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, 1)``.
        arena: Receives the factors, shape ``(entries of all factors + 1,)``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    return forwards(room, arena, fill_leaves(room, reals, entries, arena), axes)


@njit(cache=True, nogil=True)
def error_of(room: Ints, reals: Floats, entries: Floats, memory: Floats) -> float:
    """Return the standard deviation of the relative error of P(evidence); infinity where it is not above its error.

    Where a bound on it is below ``TOLERATED``, that is returned. An impossibility that no difference was needed for is
    exact.

    Args:
        room: The plan.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, 1)``.
        memory: As in ``run_cases``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena, errors = _halves(memory, room[COUNT, MEMORY])
    log, error = _error(room, reals, entries, arena, errors, axes)
    if error == -np.inf:
        return 0.0
    return math.exp(error - log) if error < log else np.inf


@njit(cache=True, nogil=True)
def deviations(room: Ints, reals: Floats, entries: Floats, draws: Ints, logs: Floats, memory: Floats) -> None:
    """Set the ``deviation`` of a plan for some of many draws.

    Args:
        room: The plan.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, draws)``.
        draws: Numbers of the draws.
        logs: Receives ln P(evidence) and the logarithm of the standard deviation of its error, shape ``(2, draws)``.
        memory: As in ``run_cases``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    size = (room[COUNT, ARENA] + 1) * LANES
    some = np.empty((2, LANES))
    k = 0
    while draws.size - k >= _SIDE_BY_SIDE and 2 * size <= memory.size:
        own = np.ascontiguousarray(entries[:, draws[(k + np.arange(LANES)) % draws.size]])
        deviation_of_lanes(room, reals, own, memory[:size], memory[size:], axes, some)
        count = min(LANES, draws.size - k)
        logs[:, k : k + count] = some[:, :count]
        k += count
    arena, errors = _halves(memory, room[COUNT, MEMORY])
    for at in range(k, draws.size):
        own = np.ascontiguousarray(entries[:, draws[at] : draws[at] + 1])
        logs[0, at], logs[1, at] = deviation(room, reals, own, arena, errors, axes)


__all__ = [
    "RARE",
    "TOLERATED",
    "deviations",
    "error_of",
    "fill_leaves",
    "multiplications",
    "plan_case",
    "run_cases",
    "run_draws",
    "run_few",
    "run_joint",
    "run_slopes",
    "run_slopes_of_lanes",
    "run_whole",
    "run_whole_in_lanes",
    "spread",
]
