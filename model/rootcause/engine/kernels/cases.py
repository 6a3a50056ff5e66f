"""Many cases of one network, or many draws of its numbers, one after another in one thread: compiled loops."""

import numpy as np
from numba import njit

from rootcause.engine.kernels.contraction import backwards, fill_leaves, forwards, scatter
from rootcause.engine.kernels.planner import (
    ARENA,
    CARD,
    CLS,
    COUNT,
    FAC_OFF,
    FACTORS,
    FIRST,
    HARD,
    IMPOSSIBLE,
    LEAVES,
    NCLS,
    PLANNED,
    REP,
    UNARY,
    VAR,
    WIDEST,
    Bits,
    Floats,
    Ints,
    Words,
    plan,
    see_nothing,
    see_state,
    see_weights,
)


@njit(cache=True, nogil=True)
def look(net: Ints, above: Bits, room: Ints, reals: Floats, seen: Ints, codes: Ints, likelihoods: Floats) -> bool:
    """Note the evidence of one case; return whether what was seen of each node, if it was seen twice, goes together.

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
            see_weights(net, above, room, reals, seen[column], likelihoods[-2 - codes[column]])
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
) -> None:
    """Answer cases, each with a plan of its own.

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
    """
    targets = np.zeros(above.shape[0], np.uint8)
    for k in range(asked.size):
        targets[asked[k]] = 1
    wanted = np.zeros(room.shape[1], np.uint8)
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    log = np.zeros(1)
    arena = np.empty(4096)
    slopes = np.empty(4096 if asked.size else 0)
    for case in range(codes.shape[0]):
        logs[case] = -np.inf
        if not look(net, above, room, reals, seen, codes[case], likelihoods):
            status[case] = IMPOSSIBLE
            continue
        status[case] = plan(net, above, room, reals, words, entries, targets, lump, True, limit, tries)
        if status[case] == IMPOSSIBLE:
            continue
        if status[case] != PLANNED:
            return
        if room[COUNT, ARENA] >= arena.size:
            arena = np.empty(2 * room[COUNT, ARENA])
            slopes = np.empty(arena.size if asked.size else 0)
        fill_leaves(room, reals, entries, arena, log)
        forwards(room, arena, log, axes)
        logs[case] = log[0]
        if log[0] == -np.inf:
            status[case] = IMPOSSIBLE
        elif asked.size:
            want(room, asked, wanted)
            backwards(room, arena, slopes, wanted, 1, axes)
            write(net, room, arena, slopes, asked, posterior[case].reshape(-1, 1))


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
    """Write the posteriors of the targets, the states of one after another, shape ``(states, draws)``."""
    draws = posterior.shape[1]
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
            for d in range(draws):
                total = 0.0
                for c in range(room[NCLS, node]):
                    at = (offset + c) * draws + d
                    total += arena[at] * slopes[at]
                for s in range(net[CARD, node]):
                    if room[CLS, first + s] >= 0 and total > 0.0:
                        at = (offset + room[CLS, first + s]) * draws + d
                        posterior[row + s, d] = arena[at] * slopes[at] / total
        row += net[CARD, node]


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
    limit: float,
    tries: int,
) -> int:
    """Plan one case; arguments as in ``run_cases`` and ``plan``, result as of ``plan``."""
    targets = np.zeros(above.shape[0], np.uint8)
    for k in range(asked.size):
        targets[asked[k]] = 1
    if not look(net, above, room, reals, seen, codes, likelihoods):
        return IMPOSSIBLE
    return int(plan(net, above, room, reals, words, sig, targets, lump, merge, limit, tries))


@njit(cache=True, nogil=True)
def run_draws(
    net: Ints,
    room: Ints,
    reals: Floats,
    entries: Floats,
    asked: Ints,
    first: int,
    last: int,
    block: int,
    posterior: Floats,
    logs: Floats,
) -> None:
    """Run a plan for draws of the numbers, from the first up to the last, block by block.

    Args:
        net: The network.
        room: The plan; only read.
        reals: The plan; only read.
        entries: Entries of all tables, shape ``(entries, draws)``.
        asked: The targets, shape ``(targets,)``.
        first: Number of the first draw.
        last: Number after the last.
        block: Draws that are run side by side.
        posterior: Receives the posteriors, shape ``(states of all targets, draws)``; zero where impossible.
        logs: Receives ln P(evidence), minus infinity where it is impossible, shape ``(draws,)``.
    """
    wanted = np.zeros(room.shape[1], np.uint8)
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    size = room[COUNT, ARENA] + 1
    arena = np.empty(size * block)
    slopes = np.empty(size * block if asked.size else 0)
    for start in range(first, last, block):
        stop = min(start + block, last)
        log = np.zeros(stop - start)
        fill_leaves(room, reals, entries[:, start:stop], arena, log)
        forwards(room, arena, log, axes)
        logs[start:stop] = log
        if asked.size:
            want(room, asked, wanted)
            backwards(room, arena, slopes, wanted, stop - start, axes)
            part = np.empty((posterior.shape[0], stop - start))
            write(net, room, arena, slopes, asked, part)
            posterior[:, start:stop] = part


@njit(cache=True, nogil=True)
def run_slopes(room: Ints, reals: Floats, entries: Floats, slopes_of_entries: Floats) -> float:
    """Return ln P(evidence) and add its derivative by every entry of the tables.

    Args:
        room: A plan in which no two factors were merged into one leaf.
        reals: The plan.
        entries: Entries of all tables, shape ``(entries, 1)``.
        slopes_of_entries: Receives d ln P(evidence) / d entry, shape ``(entries,)``.
    """
    axes = np.zeros((5, WIDEST + 2), np.uint64)
    arena = np.empty(room[COUNT, ARENA] + 1)
    slopes = np.empty(arena.size)
    log = np.zeros(1)
    fill_leaves(room, reals, entries, arena, log)
    forwards(room, arena, log, axes)
    if log[0] == -np.inf:
        return float(log[0])
    wanted = np.zeros(room.shape[1], np.uint8)
    wanted[: room[COUNT, LEAVES]] = 1
    backwards(room, arena, slopes, wanted, 1, axes)
    scatter(room, reals, entries, arena, slopes, slopes_of_entries)
    return float(log[0])


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
    log = np.zeros(1)
    fill_leaves(room, reals, entries, arena, log)
    forwards(room, arena, log, axes)
    return float(log[0])
