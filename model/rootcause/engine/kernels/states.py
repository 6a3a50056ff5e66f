"""Which states the evidence leaves, and which of them no table can tell apart: compiled loops."""

from numba import njit

from rootcause.engine.kernels.arrays import (
    BELOW,
    CARD,
    CHILD,
    CHILD_START,
    CLS,
    CON_NODE,
    CON_OFF,
    CON_START,
    COORDS,
    EDGE,
    FIRST,
    GATE,
    HARD,
    LOW,
    NCLS,
    NEXT,
    OK,
    PAR,
    PAR_START,
    PAR_STRIDE,
    REL,
    REP,
    RULED_OUT,
    SIZES,
    SOFT,
    STATES_AS_BITS,
    SURE,
    Bits,
    Floats,
    Ints,
)

_SAME = 1e-13
"""Relative difference below which two entries are the same numbers summed in another order."""

_COMBINATIONS = 4096
"""States of parents up to which a table is searched for what the evidence rules out."""


@njit(cache=True, nogil=True)
def see_nothing(net: Ints, room: Ints, reals: Floats) -> None:
    """Forget the evidence of the case before."""
    nodes = net[SIZES, 0]
    for node in range(nodes):
        room[HARD, node] = -1
        room[REL, node] = 0
    for state in range(net[FIRST, nodes]):
        room[OK, state] = 1
        reals[SOFT, state] = 1.0


@njit(cache=True, nogil=True, forceinline=True)
def see_state(net: Ints, above: Bits, room: Ints, node: int, state: int) -> bool:
    """Note that a node was seen in a state; return whether what was seen of it before allows that."""
    possible = room[OK, net[FIRST, node] + state] == 1
    room[HARD, node] = state
    for s in range(net[FIRST, node], net[FIRST, node + 1]):
        room[OK, s] = 0
    room[OK, net[FIRST, node] + state] = 1
    _mark(above, room, node)
    return bool(possible)


@njit(cache=True, nogil=True, forceinline=True)
def see_weights(net: Ints, above: Bits, room: Ints, reals: Floats, node: int, weights: Floats) -> bool:
    """Note a likelihood for each state of a node; return whether it leaves any."""
    for s in range(net[CARD, node]):
        reals[SOFT, net[FIRST, node] + s] = weights[s]
        room[OK, net[FIRST, node] + s] = weights[s] > 0
    room[HARD, node] = _only(net, room, node)
    _mark(above, room, node)
    return bool(room[HARD, node] != -2)


@njit(cache=True, nogil=True, forceinline=True)
def _mark(above: Bits, room: Ints, node: int) -> None:
    for other in range(above.shape[0]):
        room[REL, other] |= above[node, other]


@njit(cache=True, nogil=True, forceinline=True)
def _only(net: Ints, room: Ints, node: int) -> int:
    """Return the only state that is left, -1 if there are several, -2 if there is none."""
    found = -2
    for s in range(net[CARD, node]):
        if room[OK, net[FIRST, node] + s]:
            if found >= 0:
                return -1
            found = s
    return found


@njit(cache=True, nogil=True)
def reduce_states(net: Ints, above: Bits, room: Ints, reals: Floats, sig: Floats, targets: Bits, lump: bool) -> bool:
    """Give every state its class; return whether the evidence is possible. Arguments as of ``plan``."""
    nodes = net[SIZES, 0]
    for node in range(nodes):
        if targets[node]:
            _mark(above, room, node)
    if lump:
        for node in range(nodes):
            if (
                room[REL, node]
                and not net[GATE, node]
                and room[HARD, node] < 0
                and not _rule_out_own(net, room, sig, node)
            ):
                return False
    for node in range(nodes - 1, -1, -1):
        if room[REL, node]:
            if lump and not _rule_out_parents(net, room, sig, node):
                return False
            _classes(net, room, reals, sig, node, lump and not targets[node])
            if lump and not targets[node] and _makes_no_difference(net, room, reals, node):
                room[REL, node] = 0
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _makes_no_difference(net: Ints, room: Ints, reals: Floats, node: int) -> bool:
    """Return whether nothing was seen of a node and nothing tells its states apart: its table then sums to one."""
    if room[NCLS, node] > 1:
        return False
    for s in range(net[FIRST, node], net[FIRST, node + 1]):
        if not room[OK, s] or reals[SOFT, s] != 1.0:
            return False
    return True


@njit(cache=True, nogil=True, forceinline=True)
def zero(sig: Floats, entry: int) -> bool:
    """Return whether an entry is zero whatever the numbers."""
    for k in range(sig.shape[1]):
        if sig[entry, k] > 0:
            return False
    return True


@njit(cache=True, nogil=True)
def _rule_out_own(net: Ints, room: Ints, sig: Floats, node: int) -> bool:
    """Drop the states that known parents leave without probability."""
    con = net[CON_START, node]
    offset = net[CON_OFF, con]
    for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
        state = room[HARD, net[PAR, at]]
        if state < 0:
            return True
        offset += state * net[PAR_STRIDE, at]
    for s in range(net[CARD, node]):
        if zero(sig, offset + s):
            room[OK, net[FIRST, node] + s] = 0
    room[HARD, node] = _only(net, room, node)
    return bool(room[HARD, node] != -2)


@njit(cache=True, nogil=True)
def _rule_out_parents(net: Ints, room: Ints, sig: Floats, node: int) -> bool:
    """Drop the states of parents that leave what was seen of the node without probability."""
    every = True
    for s in range(net[FIRST, node], net[FIRST, node + 1]):
        every = every and room[OK, s] == 1
    if every:
        return True
    left = _left(net, room, node)
    for con in range(net[CON_START, node], net[CON_START, node + 1]):
        if net[SURE, con] & left:
            continue
        combinations = 1
        for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
            if room[HARD, net[PAR, at]] < 0:
                combinations *= net[CARD, net[PAR, at]]
        if combinations == 1 or combinations > _COMBINATIONS:
            continue
        for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
            parent = net[PAR, at]
            if room[HARD, parent] >= 0:
                continue
            for s in range(net[CARD, parent]):
                if room[OK, net[FIRST, parent] + s] and not _supported(net, room, sig, con, parent, s):
                    room[OK, net[FIRST, parent] + s] = 0
            room[HARD, parent] = _only(net, room, parent)
            if room[HARD, parent] == -2:
                return False
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _left(net: Ints, room: Ints, node: int) -> int:
    """Return the states of contributions that leave a node a state that was not ruled out, as bits.

    What is below the worst state left may be raised to it by other contributions.
    """
    left = 0
    below = 0
    for s in range(min(net[CARD, node], STATES_AS_BITS)):
        below |= 1 << s
        if room[OK, net[FIRST, node] + s]:
            left = below if net[GATE, node] else left | 1 << s
    return left


@njit(cache=True, nogil=True, forceinline=True)
def _supported(net: Ints, room: Ints, sig: Floats, con: int, parent: int, state: int) -> bool:
    node = net[CON_NODE, con]
    first = net[FIRST, node]
    top = net[CARD, node] - 1
    while not room[OK, first + top]:
        top -= 1
    _first_states(net, room, con, parent, state)
    while True:
        offset = offset_of(net, room, con)
        for s in range(top + 1):  # as in ``_left``
            if (net[GATE, node] or room[OK, first + s]) and not zero(sig, offset + s):
                return True
        if not _advance(net, room, con, parent):
            return False


@njit(cache=True, nogil=True, forceinline=True)
def _first_states(net: Ints, room: Ints, con: int, fixed: int, state: int) -> None:
    """Set the parents of a contribution to the first combination of states that are left, one of them fixed."""
    start = net[PAR_START, con]
    for at in range(start, net[PAR_START, con + 1]):
        parent = net[PAR, at]
        room[COORDS, at - start] = state if parent == fixed else _next_state(net, room, parent, -1)


@njit(cache=True, nogil=True, forceinline=True)
def _next_state(net: Ints, room: Ints, node: int, state: int) -> int:
    for s in range(state + 1, net[CARD, node]):
        if room[OK, net[FIRST, node] + s]:
            return s
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def _advance(net: Ints, room: Ints, con: int, fixed: int) -> bool:
    start = net[PAR_START, con]
    for at in range(net[PAR_START, con + 1] - 1, start - 1, -1):
        parent = net[PAR, at]
        if parent == fixed:
            continue
        state = _next_state(net, room, parent, room[COORDS, at - start])
        if state >= 0:
            room[COORDS, at - start] = state
            return True
        room[COORDS, at - start] = _next_state(net, room, parent, -1)
    return False


@njit(cache=True, nogil=True, forceinline=True)
def offset_of(net: Ints, room: Ints, con: int) -> int:
    """Return where the row of a contribution begins for the states of its parents in ``COORDS``."""
    start = net[PAR_START, con]
    offset = net[CON_OFF, con]
    for at in range(start, net[PAR_START, con + 1]):
        offset += room[COORDS, at - start] * net[PAR_STRIDE, at]
    return int(offset)


@njit(cache=True, nogil=True)
def _classes(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, lump: bool) -> None:
    """Give each state of a node its class, ``RULED_OUT`` or, for a gate, ``BELOW``.

    A gate's chain passes states that are too low to be its last: they are all one class, since it makes no difference
    from how far below the lowest state that is left it gets there.
    """
    first = net[FIRST, node]
    low, top = 0, net[CARD, node] - 1
    while not room[OK, first + low]:
        low += 1
    while not room[OK, first + top]:
        top -= 1
    gate = net[GATE, node]
    count = 0
    for s in range(net[CARD, node]):
        room[CLS, first + s] = RULED_OUT
        if gate and s < low:
            room[CLS, first + s] = BELOW
        if s < low or s > top or not (gate or room[OK, first + s]):
            continue
        if lump:
            for k in range(max(count - 1, 0) if gate else 0, count):
                if _same(net, room, reals, sig, node, room[REP, first + k], s):
                    room[CLS, first + s] = k
                    break
        if room[CLS, first + s] == RULED_OUT:
            room[CLS, first + s] = count
            room[REP, first + count] = s
            count += 1
    room[NCLS, node] = count
    room[LOW, node] = gate and low > 0
    _list_states(net, room, node)


@njit(cache=True, nogil=True, forceinline=True)
def _list_states(net: Ints, room: Ints, node: int) -> None:
    """List the states of each class of a node; for a gate, note how many states are not above each level."""
    first, card = net[FIRST, node], net[CARD, node]
    for c in range(room[NCLS, node]):
        room[REP, first + c] = -1
    for s in range(card - 1, -1, -1):
        c = room[CLS, first + s]
        if c >= 0:
            room[NEXT, first + s] = room[REP, first + c]
            room[REP, first + c] = s
    if not net[GATE, node]:
        return
    room[EDGE, first] = 0
    for s in range(card):
        c = room[CLS, first + s]
        if c != RULED_OUT:
            room[EDGE, first + (0 if c == BELOW else c + room[LOW, node])] = s + 1


@njit(cache=True, nogil=True, forceinline=True)
def _same(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, one: int, other: int) -> bool:
    """Return whether no relevant table and no evidence tells two states of a node apart."""
    first = net[FIRST, node]
    if room[OK, first + one] != room[OK, first + other]:
        return False
    if net[GATE, node] and reals[SOFT, first + one] != reals[SOFT, first + other]:
        return False
    for at in range(net[CHILD_START, node], net[CHILD_START, node + 1]):
        con = net[CHILD, at]
        child = net[CON_NODE, con]
        if not room[REL, child]:
            continue
        start = net[PAR_START, con]
        stop = net[PAR_START, con + 1]
        stride = net[PAR_STRIDE, start]
        if stop == start + 1:
            offset = net[CON_OFF, con] + one * stride
            if not _same_row(net, room, reals, sig, child, offset, offset + (other - one) * stride):
                return False
            continue
        for place in range(start + 1, stop):
            if net[PAR, place] == node:
                stride = net[PAR_STRIDE, place]
        _first_states(net, room, con, node, one)
        while True:
            offset = offset_of(net, room, con)
            if not _same_row(net, room, reals, sig, child, offset, offset + (other - one) * stride):
                return False
            if not _advance(net, room, con, node):
                break
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _same_row(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, one: int, other: int) -> bool:
    first = net[FIRST, node]
    gate = net[GATE, node]
    for k in range(sig.shape[1]):
        if room[LOW, node]:
            a, b = 0.0, 0.0
            for s in range(room[EDGE, first]):
                a += sig[one + s, k]
                b += sig[other + s, k]
            if abs(a - b) > _SAME * max(a, b):
                return False
        for c in range(room[NCLS, node]):
            a, b = 0.0, 0.0
            s = room[REP, first + c]
            while s >= 0:
                w = 1.0 if gate else reals[SOFT, first + s]
                a += w * sig[one + s, k]
                b += w * sig[other + s, k]
                s = room[NEXT, first + s]
            if abs(a - b) > _SAME * max(a, b):
                return False
    return True
