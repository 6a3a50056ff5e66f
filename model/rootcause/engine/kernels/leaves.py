"""Tables as leaves: small factors over classes of states, written as sums of entries: compiled loops.

A gate that was seen in its lowest state is one factor for each contribution; else it is a chain of links, or a product
of cumulative probabilities.
"""

from numba import njit

from rootcause.engine.kernels.arrays import (
    CHILD,
    CHILD_START,
    CLS,
    COEF,
    CON_NODE,
    CON_OFF,
    CON_START,
    COORDS,
    COUNT,
    DIM,
    EDGE,
    ENT_PTR,
    ENTRIES,
    FAC_SIZE,
    FACTORS,
    FIRST,
    GATE,
    HARD,
    LEAVES,
    LOW,
    NCLS,
    NEXT,
    NODE,
    OK,
    PAR,
    PAR_START,
    PAR_STRIDE,
    REC_FIRST,
    REC_LEAF,
    RECORDS,
    REL,
    REP,
    SCOPE,
    SCOPE_START,
    SCOPES,
    SIGNED,
    SIZES,
    SOFT,
    SOURCES,
    SRC,
    UNARY,
    VAR,
    VARS,
    Bits,
    Floats,
    Ints,
)
from rootcause.engine.kernels.states import offset_of, zero


@njit(cache=True, nogil=True)
def make_leaves(net: Ints, room: Ints, reals: Floats, sig: Floats, targets: Bits, merge: bool, signed: bool) -> bool:
    """Write the leaves of the relevant nodes; return whether the evidence is possible. Arguments as of ``plan``."""
    room[COUNT, :] = 0
    room[SCOPE_START, 0] = 0
    _new_leaf(room)  # leaf 0 has no scope: what is known for sure
    for node in range(net[SIZES, 0]):
        if not room[REL, node]:
            continue
        free = room[HARD, node] < 0 and room[NCLS, node] > 1
        room[VAR, node] = -1
        if free and not net[GATE, node]:
            room[VAR, node] = _new_var(room, node, room[NCLS, node])
        if not net[GATE, node]:
            _plain_leaf(net, room, reals, net[CON_START, node], merge)
        elif room[NCLS, node] == 1 and not room[LOW, node]:
            for con in range(net[CON_START, node], net[CON_START, node + 1]):
                _plain_leaf(net, room, reals, con, merge)
            if room[HARD, node] >= 0:
                _constant(net, room, reals, node, room[REP, net[FIRST, node]])
        elif signed:
            _cumulative(net, room, reals, sig, node, bool(targets[node]), merge)
        elif not _chain(net, room, reals, sig, node, merge):
            return False
        if targets[node] and room[VAR, node] >= 0:
            _unary_leaf(room, room[VAR, node], True)
    room[ENT_PTR, room[COUNT, ENTRIES]] = room[COUNT, SOURCES]
    room[REC_FIRST, room[COUNT, RECORDS]] = room[COUNT, ENTRIES]
    return True


@njit(cache=True, nogil=True, forceinline=True)
def _new_var(room: Ints, node: int, dim: int) -> int:
    var = room[COUNT, VARS]
    room[DIM, var] = dim
    room[NODE, var] = node
    room[UNARY, var] = -1
    room[COUNT, VARS] += 1
    return int(var)


@njit(cache=True, nogil=True, forceinline=True)
def _new_leaf(room: Ints) -> int:
    """Begin a factor without variables; ``_grow`` adds them."""
    leaf = room[COUNT, FACTORS]
    room[COUNT, FACTORS] += 1
    room[COUNT, LEAVES] += 1
    room[FAC_SIZE, leaf] = 1
    room[SIGNED, leaf] = 0
    room[SCOPE_START, leaf + 1] = room[COUNT, SCOPES]
    return int(leaf)


@njit(cache=True, nogil=True, forceinline=True)
def _grow(room: Ints, leaf: int, var: int) -> None:
    room[SCOPE, room[COUNT, SCOPES]] = var
    room[COUNT, SCOPES] += 1
    room[SCOPE_START, leaf + 1] = room[COUNT, SCOPES]
    room[FAC_SIZE, leaf] *= room[DIM, var]


@njit(cache=True, nogil=True, forceinline=True)
def _unary_leaf(room: Ints, var: int, merge: bool) -> int:
    if merge and room[UNARY, var] >= 0:
        return int(room[UNARY, var])
    leaf = _new_leaf(room)
    _grow(room, leaf, var)
    if room[UNARY, var] < 0 or merge:
        room[UNARY, var] = leaf
    return leaf


@njit(cache=True, nogil=True, forceinline=True)
def _scalar_leaf(room: Ints, merge: bool) -> int:
    return 0 if merge else _new_leaf(room)


@njit(cache=True, nogil=True, forceinline=True)
def _record(room: Ints, leaf: int) -> None:
    room[REC_LEAF, room[COUNT, RECORDS]] = leaf
    room[REC_FIRST, room[COUNT, RECORDS]] = room[COUNT, ENTRIES]
    room[COUNT, RECORDS] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _entry(room: Ints) -> None:
    room[ENT_PTR, room[COUNT, ENTRIES]] = room[COUNT, SOURCES]
    room[COUNT, ENTRIES] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _source(room: Ints, reals: Floats, entry: int, coef: float) -> None:
    room[SRC, room[COUNT, SOURCES]] = entry
    reals[COEF, room[COUNT, SOURCES]] = coef
    room[COUNT, SOURCES] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _constant(net: Ints, room: Ints, reals: Floats, node: int, state: int) -> None:
    """Count the likelihood of a state that other evidence has left alone."""
    weight = reals[SOFT, net[FIRST, node] + state]
    if weight != 1.0:
        _record(room, 0)
        _entry(room)
        _source(room, reals, 0, weight)


@njit(cache=True, nogil=True, forceinline=True)
def _scope_of(net: Ints, room: Ints, con: int) -> int:
    """Set the parents of a contribution to their first classes and return how many of them are variables."""
    start = net[PAR_START, con]
    free = 0
    for at in range(start, net[PAR_START, con + 1]):
        parent = net[PAR, at]
        room[COORDS, at - start] = room[HARD, parent] if room[HARD, parent] >= 0 else room[REP, net[FIRST, parent]]
        free += room[HARD, parent] < 0 and room[NCLS, parent] > 1
    return free


@njit(cache=True, nogil=True, forceinline=True)
def _grow_parents(net: Ints, room: Ints, leaf: int, con: int) -> None:
    for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
        parent = net[PAR, at]
        if room[HARD, parent] < 0 and room[NCLS, parent] > 1:
            _grow(room, leaf, room[VAR, parent])


@njit(cache=True, nogil=True, forceinline=True)
def _next_row(net: Ints, room: Ints, con: int, offset: int) -> int:
    """Go on to the next classes of the parents; return where their row begins, or -1 after the last.

    Args:
        net: The network.
        room: Working memory; the states of the parents stand in ``COORDS``.
        con: The contribution.
        offset: Where the row before begins.
    """
    start = net[PAR_START, con]
    for at in range(net[PAR_START, con + 1] - 1, start - 1, -1):
        parent = net[PAR, at]
        if room[HARD, parent] >= 0 or room[NCLS, parent] == 1:
            continue
        first, state = net[FIRST, parent], room[COORDS, at - start]
        c = room[CLS, first + state] + 1
        more = c < room[NCLS, parent]
        room[COORDS, at - start] = room[REP, first + (c if more else 0)]
        offset += (room[COORDS, at - start] - state) * net[PAR_STRIDE, at]
        if more:
            return int(offset)
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def _add_levels(net: Ints, room: Ints, reals: Floats, node: int, offset: int, low: int, high: int) -> None:
    """Emit the entry that is the sum of a gate's row over levels: what is below, if anything may be, then the classes.

    Args:
        net: The network.
        room: Working memory.
        reals: Working memory.
        node: The gate.
        offset: Where the row begins.
        low: The first level.
        high: The last.
    """
    first = net[FIRST, node]
    source = room[COUNT, SOURCES]
    _entry(room)
    for s in range(room[EDGE, first + low - 1] if low else 0, room[EDGE, first + high]):
        room[SRC, source] = offset + s
        reals[COEF, source] = 1.0
        source += 1
    room[COUNT, SOURCES] = source


@njit(cache=True, nogil=True, forceinline=True)
def _add_class(net: Ints, room: Ints, reals: Floats, node: int, offset: int, cls: int) -> None:
    """Emit the entry that is the sum of the row of a plain table over a class, weighed with likelihoods."""
    first = net[FIRST, node]
    source = room[COUNT, SOURCES]
    _entry(room)
    s = room[REP, first + cls]
    while s >= 0:
        room[SRC, source] = offset + s
        reals[COEF, source] = reals[SOFT, first + s]
        source += 1
        s = room[NEXT, first + s]
    room[COUNT, SOURCES] = source


@njit(cache=True, nogil=True)
def _plain_leaf(net: Ints, room: Ints, reals: Floats, con: int, merge: bool) -> None:
    """Emit a table, or the one column of a contribution that is left."""
    node = net[CON_NODE, con]
    if net[GATE, node] and net[PAR_START, con + 1] - net[PAR_START, con] == 1:
        _lone_leaf(net, room, reals, con, merge)
        return
    free = _scope_of(net, room, con)
    own = room[VAR, node] >= 0 and not net[GATE, node]
    if free + own == 0:
        leaf = _scalar_leaf(room, merge)
    elif own and free == 0:
        leaf = _unary_leaf(room, room[VAR, node], merge)
    elif free + own == 1:
        leaf = _plain_unary(net, room, con, merge)
    else:
        leaf = _new_leaf(room)
        _grow_parents(net, room, leaf, con)
        if own:
            _grow(room, leaf, room[VAR, node])
    _record(room, leaf)
    offset = offset_of(net, room, con)
    while offset >= 0:
        if net[GATE, node]:
            _add_levels(net, room, reals, node, offset, 0, 0)
        else:
            for c in range(room[NCLS, node] if own else 1):
                _add_class(net, room, reals, node, offset, c)
        offset = _next_row(net, room, con, offset)


@njit(cache=True, nogil=True, forceinline=True)
def _lone_leaf(net: Ints, room: Ints, reals: Floats, con: int, merge: bool) -> None:
    """Emit that a contribution of one parent to a gate is in the lowest level: most leaves are of this kind."""
    parent, stride = net[PAR, net[PAR_START, con]], net[PAR_STRIDE, net[PAR_START, con]]
    first = net[FIRST, parent]
    known = room[HARD, parent] >= 0
    classes = 1 if known else room[NCLS, parent]
    _record(room, _unary_leaf(room, room[VAR, parent], merge) if classes > 1 else _scalar_leaf(room, merge))
    entry, source = room[COUNT, ENTRIES], room[COUNT, SOURCES]
    begin, size = net[CON_OFF, con], room[EDGE, net[FIRST, net[CON_NODE, con]]]
    for c in range(classes):
        offset = begin + stride * (room[HARD, parent] if known else room[REP, first + c])
        room[ENT_PTR, entry] = source
        entry += 1
        for s in range(offset, offset + size):
            room[SRC, source] = s
            reals[COEF, source] = 1.0
            source += 1
    room[COUNT, ENTRIES], room[COUNT, SOURCES] = entry, source


@njit(cache=True, nogil=True)
def _reaches(net: Ints, room: Ints, sig: Floats, con: int) -> bool:
    """Return whether a contribution can bring its node above its lowest class."""
    node = net[CON_NODE, con]
    first = net[FIRST, node]
    _scope_of(net, room, con)
    offset = offset_of(net, room, con)
    while offset >= 0:
        for s in range(room[EDGE, first], room[EDGE, first + room[NCLS, node] + room[LOW, node] - 1]):
            if not zero(sig, offset + s):
                return True
        offset = _next_row(net, room, con, offset)
    return False


@njit(cache=True, nogil=True)
def _chain(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, merge: bool) -> bool:
    """Emit the links of a gate that was seen above its lowest state, or that others hang on."""
    last = -1
    levels = room[NCLS, node] + room[LOW, node]
    for con in range(net[CON_START, node], net[CON_START, node + 1]):
        if _reaches(net, room, sig, con):
            last = con
    before = -1
    for con in range(net[CON_START, node], net[CON_START, node + 1]):
        if con > last or not _reaches(net, room, sig, con):
            _plain_leaf(net, room, reals, con, merge)
            continue
        after = _new_var(room, node, levels) if con < last else -1
        if con == last and room[NCLS, node] > 1:
            after = _new_var(room, node, room[NCLS, node])
        _link(net, room, reals, con, before, after, con == last, merge)
        before = after
    if room[NCLS, node] == 1:
        _constant(net, room, reals, node, room[REP, net[FIRST, node]])
        return last >= 0
    if last < 0 and room[LOW, node]:
        return False
    if last < 0:
        before = _new_var(room, node, room[NCLS, node])
        _record(room, _unary_leaf(room, before, merge))
        for c in range(room[NCLS, node]):
            _entry(room)
            _source(room, reals, 0, 1.0 if c == 0 else 0.0)
    room[VAR, node] = before
    _seen_of_classes(net, room, reals, node, before, merge)
    return True


@njit(cache=True, nogil=True)
def _link(net: Ints, room: Ints, reals: Floats, con: int, before: int, after: int, last: bool, merge: bool) -> None:
    """Emit the table of the worst so far (``after``, or the state seen), given the worst before and the parents."""
    node = net[CON_NODE, con]
    levels = room[NCLS, node] + room[LOW, node]
    free = _scope_of(net, room, con)
    if before < 0 and free == 0:
        leaf = _unary_leaf(room, after, merge) if after >= 0 else _scalar_leaf(room, merge)
    elif before >= 0 and free == 0 and after < 0:
        leaf = _unary_leaf(room, before, merge)
    elif before < 0 and free == 1 and after < 0:
        leaf = _plain_unary(net, room, con, merge)
    else:
        leaf = _new_leaf(room)
        if before >= 0:
            _grow(room, leaf, before)
        _grow_parents(net, room, leaf, con)
        if after >= 0:
            _grow(room, leaf, after)
    _record(room, leaf)
    for low in range(levels if before >= 0 else 1):
        _scope_of(net, room, con)
        offset = offset_of(net, room, con)
        while offset >= 0:
            for high in range(room[LOW, node] if last else 0, levels):
                if before >= 0 and high < low:
                    _entry(room)
                else:
                    _add_levels(net, room, reals, node, offset, 0 if before >= 0 and high == low else high, high)
            offset = _next_row(net, room, con, offset)


@njit(cache=True, nogil=True)
def _cumulative(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, asked: bool, merge: bool) -> None:
    """Emit a gate as a product: P(node not above a level) is the product of that of its contributions.

    A variable stands for the level, and the difference of two neighbouring levels is what lies between them (Díez &
    Galán 2003). Where the evidence alone says how the levels count, no variable is left for the node itself.
    """
    low = room[LOW, node]
    classes = room[NCLS, node]
    levels = classes + low
    kept = classes > 1 and (asked or _has_children(net, room, node))
    own = _new_var(room, node, classes) if kept else -1
    level = _new_var(room, node, levels)
    for con in range(net[CON_START, node], net[CON_START, node + 1]):
        if _reaches(net, room, sig, con):
            _below(net, room, reals, con, level, levels, merge)
        else:
            _plain_leaf(net, room, reals, con, merge)
    if kept:
        room[VAR, node] = own
        _seen_of_classes(net, room, reals, node, own, merge)
        leaf = _new_leaf(room)
        _grow(room, leaf, own)
        _grow(room, leaf, level)
        room[SIGNED, leaf] = 1
        _record(room, leaf)
        for c in range(classes):
            for t in range(levels):
                _entry(room)
                if t == c + low:
                    _source(room, reals, 0, 1.0)
                elif t == c + low - 1:
                    _source(room, reals, 0, -1.0)
        return
    leaf = _unary_leaf(room, level, merge)
    _record(room, leaf)
    for t in range(levels):
        _entry(room)
        gain = _seen_of_level(net, room, reals, node, t) - _seen_of_level(net, room, reals, node, t + 1)
        _source(room, reals, 0, gain)
        room[SIGNED, leaf] |= gain < 0.0


@njit(cache=True, nogil=True)
def _has_children(net: Ints, room: Ints, node: int) -> bool:
    for at in range(net[CHILD_START, node], net[CHILD_START, node + 1]):
        if room[REL, net[CON_NODE, net[CHILD, at]]]:
            return True
    return False


@njit(cache=True, nogil=True, forceinline=True)
def _seen_of_level(net: Ints, room: Ints, reals: Floats, node: int, level: int) -> float:
    """Return the likelihood of the states at a level; 0 for what is below, and above."""
    c = level - room[LOW, node]
    if c < 0 or c >= room[NCLS, node]:
        return 0.0
    s = net[FIRST, node] + room[REP, net[FIRST, node] + c]
    return float(reals[SOFT, s]) if room[OK, s] else 0.0


@njit(cache=True, nogil=True)
def _below(net: Ints, room: Ints, reals: Floats, con: int, level: int, levels: int, merge: bool) -> None:
    """Emit the probability that a contribution is not above each level, given its parents."""
    if _scope_of(net, room, con):
        leaf = _new_leaf(room)
        _grow_parents(net, room, leaf, con)
        _grow(room, leaf, level)
    else:
        leaf = _unary_leaf(room, level, merge)
    _record(room, leaf)
    offset = offset_of(net, room, con)
    while offset >= 0:
        for t in range(levels):
            _add_levels(net, room, reals, net[CON_NODE, con], offset, 0, t)
        offset = _next_row(net, room, con, offset)


@njit(cache=True, nogil=True)
def _seen_of_classes(net: Ints, room: Ints, reals: Floats, node: int, var: int, merge: bool) -> None:
    """Emit the likelihood of each class of a gate that others hang on, where the evidence has one."""
    plain = True
    for c in range(room[NCLS, node]):
        s = net[FIRST, node] + room[REP, net[FIRST, node] + c]
        plain = plain and room[OK, s] == 1 and reals[SOFT, s] == 1.0
    if plain:
        return
    _record(room, _unary_leaf(room, var, merge))
    for c in range(room[NCLS, node]):
        _entry(room)
        _source(room, reals, 0, _seen_of_level(net, room, reals, node, c + room[LOW, node]))


@njit(cache=True, nogil=True, forceinline=True)
def _plain_unary(net: Ints, room: Ints, con: int, merge: bool) -> int:
    var = -1
    for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
        parent = net[PAR, at]
        if room[HARD, parent] < 0 and room[NCLS, parent] > 1:
            var = room[VAR, parent]
    return _unary_leaf(room, var, merge)
