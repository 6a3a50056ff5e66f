"""From evidence to the factors that are left of a network and the order in which to eliminate: compiled loops.

A case takes four steps. What no evidence and no target hangs on is left out (barren nodes). States that the evidence
rules out are dropped, and states that no table can tell apart become one class. Each table becomes a *leaf*: a small
factor over classes, written as sums of entries of the network's tables, so that the same plan serves any numbers of the
same structure. A node that takes the worst of independent contributions (noisy-OR, noisy-MAX) becomes, if it was seen
in its lowest state, one factor for each contribution and nothing else; if not, a chain of links, each of which takes
the maximum of what came before and of one contribution (Heckerman & Breese 1994). Then the variables are eliminated,
the one that makes the smallest table next (Darwiche 2009, section 9.3.2).

Everything here is loops over arrays, because it runs once for every case of a batch.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]

PLANNED, IMPOSSIBLE, TOO_LARGE = range(3)

_SAME = 1e-13
"""Relative difference below which two entries are the same numbers summed in another order."""

_COMBINATIONS = 4096
"""States of parents up to which a table is searched for what the evidence rules out."""

_SEARCH_ABOVE = 150_000.0
"""Multiplications above which a second order of elimination is tried for a plan that is run once."""

_SEARCH_FOR_MANY_ABOVE = 1_000.0
"""The same for a plan that is run many times."""

_MANY_TRIES = 8
"""Tries from which on a plan is taken to be run many times."""

_TIE = 1e9
"""Above any table that fits in memory."""

_SEARCH_LONGER_ABOVE = 2_000_000.0
"""Multiplications above which blurred orders are tried as well."""


# A network is the rows of one array of integers; N nodes, parents before children, C contributions.
CARD, FIRST, GATE, CON_START, CON_OFF, CON_NODE, PAR_START, PAR, PAR_STRIDE, CHILD_START, CHILD = range(11)
FIXED, SIZES, SURE = range(11, 14)
NET_ROWS = 14
"""Rows of ``net``: the states of each node (N); where they begin among all states (N + 1); 1 for a node that takes the
worst of its contributions (N); where its contributions begin (N + 1; a plain table is one contribution); where the
table of each begins among all entries, and its node (C); where its parents begin (C + 1), the parents, one after
another, and how many entries apart their states are (the node's own are next to each other); where the contributions
that a node is a parent of begin (N + 1), and these; a fixed order of elimination; how many nodes there are, and how
many of them have a place in the fixed order; the states, as bits, that no row of a contribution rules out (C)."""

STATES_AS_BITS = 62
"""States of a node, from the first on, that ``SURE`` speaks of."""

# Working memory of one thread, used for one case after another: the rows of three arrays.
HARD, OK, REL, CLS, REP, NCLS, LOW, VAR = range(8)
DIM, NODE, UNARY, ORDER, KEPT, PLACE, COORDS, COUNT = range(8, 16)
REC_LEAF, REC_FIRST, ENT_PTR, SRC, SCOPE_START, SCOPE, FAC_OFF, FAC_SIZE, ALIVE, BUCKET = range(16, 26)
STEP_A, STEP_B, STEP_C, FIRST_AXIS, LAST_AXIS, AXIS_DIM, STRIDE_A, STRIDE_B, STRIDE_C, BLAMED = range(26, 36)
OPEN, AXIS_VAR = 36, 37
SPLIT_OFF, SPLIT_SIZE, SPLIT_A, SPLIT_B, SPLIT_C, SPLIT_FIRST, SPLIT_LAST = range(38, 45)
SPLIT_DIM, SPLIT_STRIDE_A, SPLIT_STRIDE_B, SPLIT_STRIDE_C, LANE_STATES = range(45, 50)
ROOM_ROWS = 50
"""Rows of ``room``: by node or state, what evidence and classes say; by variable, its states and place in the order;
counts; the leaves as records of entries, each a sum of sources; the factors with their scopes; the steps, each with
the two factors (the second may be -1), the result and its axes; by node, whether it is left in (0, but for a joint);
by axis, its variable; and the same factors, steps and axes with the last variables as lanes (see ``split``)."""
SOFT, COEF, WEIGHT, MERIT = range(4)
REAL_ROWS = 4
"""Rows of ``reals``: likelihoods by state, coefficients by source, products of neighbours and merit by variable."""
BITS, NEAR, RING = range(3)
WORD_ROWS = 3
"""Rows of ``words``: sets of variables, 64 to a word: the scope of each factor, the neighbours of each variable."""
VARS, FACTORS, LEAVES, RECORDS, ENTRIES, SOURCES, SCOPES, STEPS, AXES, WIDTH, ARENA, LEFT, LEFT_IN = range(13)
SPLIT_STEPS, SPLIT_ARENA, SPLIT_VARS, SPLIT_LANES, SPLIT_LAST_FACTOR, MEMORY = range(13, 19)
"""Counts, in the row ``COUNT``."""

RULED_OUT, BELOW = -1, -2
"""Classes of states that are not classes of their node: see ``_classes``."""

WIDEST = 32
"""Variables that a table may have: with two states each, it would not fit in memory."""


def room_sizes(net: Ints) -> tuple[int, int, int]:
    """Return how long the rows of ``room``, ``reals`` and ``words`` must be for any case of a network.

    The loops do not test their places, so these are bounds and not estimates: a variable for each node or contribution;
    a leaf for each contribution, two more for a gate and one for a target; a step for each leaf and variable, with no
    more axes than ``WIDEST``, but for the one that is refused.
    """
    nodes = int(net[SIZES, 0])
    cons = int(net[CON_START, nodes])
    states = int(net[FIRST, nodes])
    n_vars = nodes + cons
    leaves = cons + 3 * nodes + 1
    steps = leaves + n_vars
    entries = leaves + 4 * states
    scopes = (steps + 2) * WIDEST
    for con in range(cons):
        node = net[CON_NODE, con]
        own = int(net[CARD, node])
        parents = net[PAR, net[PAR_START, con] : net[PAR_START, con + 1]]
        grid = own * own if net[GATE, node] else own
        entries += 2 * int(np.prod(net[CARD, parents])) * grid + own
        scopes += len(parents) + 3
    factors = leaves + steps
    width = (n_vars + 63) // 64
    long = max(entries, states, scopes, factors + 1)
    return long, max(entries, states, n_vars), factors * width


@njit(cache=True, nogil=True)
def plan(
    net: Ints,
    above: Bits,
    room: Ints,
    reals: Floats,
    words: Words,
    sig: Floats,
    targets: Bits,
    lump: bool,
    merge: bool,
    signed: bool,
    limit: float,
    tries: int,
) -> int:
    """Plan the case whose evidence stands in ``HARD``, ``OK`` and ``SOFT``.

    Args:
        net: The network.
        room: Working memory; the plan is left in it.
        sig: Entries of all tables, shape ``(entries, k)``: what is zero or equal in all k columns counts as so.
        targets: 1 for each node whose posterior is asked for, shape ``(N,)``.
        lump: Whether to drop states that are ruled out and to merge those that cannot be told apart.
        merge: Whether to multiply all factors of one variable into one leaf.
        signed: Whether gates become products of cumulative probabilities and differences of these, which has fewer
            multiplications than chains, but where the evidence is rare in which digits cancel.
        limit: Entries that all factors together may have.
        tries: Blurred orders of elimination to try where the plain ones are dear.

    Returns:
        ``PLANNED``, ``IMPOSSIBLE`` or ``TOO_LARGE``.
    """
    if not _reduce(net, above, room, reals, sig, targets, lump):
        return IMPOSSIBLE
    if not _leaves(net, room, reals, sig, targets, merge, signed):
        return IMPOSSIBLE
    _choose_order(net, room, reals, words, tries)
    return _steps(room, words, limit)


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


@njit(cache=True, nogil=True)
def see_state(net: Ints, above: Bits, room: Ints, node: int, state: int) -> bool:
    """Note that a node was seen in a state; return whether what was seen of it before allows that."""
    possible = room[OK, net[FIRST, node] + state] == 1
    room[HARD, node] = state
    for s in range(net[FIRST, node], net[FIRST, node + 1]):
        room[OK, s] = 0
    room[OK, net[FIRST, node] + state] = 1
    _mark(above, room, node)
    return bool(possible)


@njit(cache=True, nogil=True)
def see_weights(net: Ints, above: Bits, room: Ints, reals: Floats, node: int, weights: Floats) -> None:
    """Note a likelihood for each state of a node."""
    for s in range(net[CARD, node]):
        reals[SOFT, net[FIRST, node] + s] = weights[s]
        room[OK, net[FIRST, node] + s] = weights[s] > 0
    room[HARD, node] = _only(net, room, node)
    _mark(above, room, node)


@njit(cache=True, nogil=True)
def _mark(above: Bits, room: Ints, node: int) -> None:
    for other in range(above.shape[0]):
        room[REL, other] |= above[node, other]


@njit(cache=True, nogil=True)
def _only(net: Ints, room: Ints, node: int) -> int:
    """Return the only state that is left, -1 if there are several, -2 if there is none."""
    found = -2
    for s in range(net[CARD, node]):
        if room[OK, net[FIRST, node] + s]:
            if found >= 0:
                return -1
            found = s
    return found


# ---- which states are left, and which are told apart ---------------------------------------------------------------


@njit(cache=True, nogil=True)
def _reduce(net: Ints, above: Bits, room: Ints, reals: Floats, sig: Floats, targets: Bits, lump: bool) -> bool:
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


@njit(cache=True, nogil=True)
def _makes_no_difference(net: Ints, room: Ints, reals: Floats, node: int) -> bool:
    """Return whether nothing was seen of a node and nothing tells its states apart: its table then sums to one."""
    if room[NCLS, node] > 1:
        return False
    for s in range(net[FIRST, node], net[FIRST, node + 1]):
        if not room[OK, s] or reals[SOFT, s] != 1.0:
            return False
    return True


@njit(cache=True, nogil=True)
def _zero(sig: Floats, entry: int) -> bool:
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
        if _zero(sig, offset + s):
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _supported(net: Ints, room: Ints, sig: Floats, con: int, parent: int, state: int) -> bool:
    node = net[CON_NODE, con]
    first = net[FIRST, node]
    top = net[CARD, node] - 1
    while not room[OK, first + top]:
        top -= 1
    _first_states(net, room, con, parent, state)
    while True:
        offset = _offset(net, room, con)
        for s in range(top + 1):  # as in ``_left``
            if (net[GATE, node] or room[OK, first + s]) and not _zero(sig, offset + s):
                return True
        if not _advance(net, room, con, parent):
            return False


@njit(cache=True, nogil=True)
def _first_states(net: Ints, room: Ints, con: int, fixed: int, state: int) -> None:
    """Set the parents of a contribution to the first combination of states that are left, one of them fixed."""
    start = net[PAR_START, con]
    for at in range(start, net[PAR_START, con + 1]):
        parent = net[PAR, at]
        room[COORDS, at - start] = state if parent == fixed else _next_state(net, room, parent, -1)


@njit(cache=True, nogil=True)
def _next_state(net: Ints, room: Ints, node: int, state: int) -> int:
    for s in range(state + 1, net[CARD, node]):
        if room[OK, net[FIRST, node] + s]:
            return s
    return -1


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _offset(net: Ints, room: Ints, con: int) -> int:
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


@njit(cache=True, nogil=True)
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
        stride = 0
        for place in range(start, net[PAR_START, con + 1]):
            if net[PAR, place] == node:
                stride = net[PAR_STRIDE, place]
        _first_states(net, room, con, node, one)
        while True:
            offset = _offset(net, room, con)
            if not _same_row(net, room, reals, sig, child, offset, offset + (other - one) * stride):
                return False
            if not _advance(net, room, con, node):
                break
    return True


@njit(cache=True, nogil=True)
def _same_row(net: Ints, room: Ints, reals: Floats, sig: Floats, node: int, one: int, other: int) -> bool:
    first = net[FIRST, node]
    for k in range(sig.shape[1]):
        for c in range(BELOW, room[NCLS, node]):
            if c == RULED_OUT:
                continue
            a = 0.0
            b = 0.0
            for s in range(net[CARD, node]):
                if room[CLS, first + s] == c:
                    w = 1.0 if net[GATE, node] else reals[SOFT, first + s]
                    a += w * sig[one + s, k]
                    b += w * sig[other + s, k]
            if abs(a - b) > _SAME * max(a, b):
                return False
    return True


# ---- leaves --------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _leaves(net: Ints, room: Ints, reals: Floats, sig: Floats, targets: Bits, merge: bool, signed: bool) -> bool:
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


@njit(cache=True, nogil=True)
def _new_var(room: Ints, node: int, dim: int) -> int:
    var = room[COUNT, VARS]
    room[DIM, var] = dim
    room[NODE, var] = node
    room[UNARY, var] = -1
    room[COUNT, VARS] += 1
    return int(var)


@njit(cache=True, nogil=True)
def _new_leaf(room: Ints) -> int:
    """Begin a factor without variables; ``_grow`` adds them."""
    leaf = room[COUNT, FACTORS]
    room[COUNT, FACTORS] += 1
    room[COUNT, LEAVES] += 1
    room[FAC_SIZE, leaf] = 1
    room[SCOPE_START, leaf + 1] = room[COUNT, SCOPES]
    return int(leaf)


@njit(cache=True, nogil=True)
def _grow(room: Ints, leaf: int, var: int) -> None:
    room[SCOPE, room[COUNT, SCOPES]] = var
    room[COUNT, SCOPES] += 1
    room[SCOPE_START, leaf + 1] = room[COUNT, SCOPES]
    room[FAC_SIZE, leaf] *= room[DIM, var]


@njit(cache=True, nogil=True)
def _unary_leaf(room: Ints, var: int, merge: bool) -> int:
    if merge and room[UNARY, var] >= 0:
        return int(room[UNARY, var])
    leaf = _new_leaf(room)
    _grow(room, leaf, var)
    if room[UNARY, var] < 0 or merge:
        room[UNARY, var] = leaf
    return leaf


@njit(cache=True, nogil=True)
def _scalar_leaf(room: Ints, merge: bool) -> int:
    return 0 if merge else _new_leaf(room)


@njit(cache=True, nogil=True)
def _record(room: Ints, leaf: int) -> None:
    room[REC_LEAF, room[COUNT, RECORDS]] = leaf
    room[REC_FIRST, room[COUNT, RECORDS]] = room[COUNT, ENTRIES]
    room[COUNT, RECORDS] += 1


@njit(cache=True, nogil=True)
def _entry(room: Ints) -> None:
    room[ENT_PTR, room[COUNT, ENTRIES]] = room[COUNT, SOURCES]
    room[COUNT, ENTRIES] += 1


@njit(cache=True, nogil=True)
def _source(room: Ints, reals: Floats, entry: int, coef: float) -> None:
    room[SRC, room[COUNT, SOURCES]] = entry
    reals[COEF, room[COUNT, SOURCES]] = coef
    room[COUNT, SOURCES] += 1


@njit(cache=True, nogil=True)
def _constant(net: Ints, room: Ints, reals: Floats, node: int, state: int) -> None:
    """Count the likelihood of a state that other evidence has left alone."""
    weight = reals[SOFT, net[FIRST, node] + state]
    if weight != 1.0:
        _record(room, 0)
        _entry(room)
        _source(room, reals, 0, weight)


@njit(cache=True, nogil=True)
def _scope_of(net: Ints, room: Ints, con: int) -> int:
    """Set the parents of a contribution to their first classes and return how many of them are variables."""
    start = net[PAR_START, con]
    free = 0
    for at in range(start, net[PAR_START, con + 1]):
        parent = net[PAR, at]
        room[COORDS, at - start] = room[HARD, parent] if room[HARD, parent] >= 0 else room[REP, net[FIRST, parent]]
        free += room[HARD, parent] < 0 and room[NCLS, parent] > 1
    return free


@njit(cache=True, nogil=True)
def _grow_parents(net: Ints, room: Ints, leaf: int, con: int) -> None:
    for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
        parent = net[PAR, at]
        if room[HARD, parent] < 0 and room[NCLS, parent] > 1:
            _grow(room, leaf, room[VAR, parent])


@njit(cache=True, nogil=True)
def _next_classes(net: Ints, room: Ints, con: int) -> bool:
    start = net[PAR_START, con]
    for at in range(net[PAR_START, con + 1] - 1, start - 1, -1):
        parent = net[PAR, at]
        if room[HARD, parent] >= 0 or room[NCLS, parent] == 1:
            continue
        first = net[FIRST, parent]
        c = room[CLS, first + room[COORDS, at - start]] + 1
        if c < room[NCLS, parent]:
            room[COORDS, at - start] = room[REP, first + c]
            return True
        room[COORDS, at - start] = room[REP, first]
    return False


@njit(cache=True, nogil=True)
def _level(room: Ints, node: int, cls: int) -> int:
    """Return where a class stands in a chain: 0 for what is below, then the classes; -1 for what is ruled out."""
    if cls == BELOW:
        return 0
    return int(cls + room[LOW, node]) if cls >= 0 else -1


@njit(cache=True, nogil=True)
def _sum_of_class(net: Ints, room: Ints, reals: Floats, node: int, offset: int, low: int, high: int) -> None:
    """Emit the entry that is the sum of a row over levels: what is below, if anything may be, then the classes."""
    first = net[FIRST, node]
    _entry(room)
    for s in range(net[CARD, node]):
        if low <= _level(room, node, room[CLS, first + s]) <= high:
            _source(room, reals, offset + s, 1.0 if net[GATE, node] else reals[SOFT, first + s])


@njit(cache=True, nogil=True)
def _plain_leaf(net: Ints, room: Ints, reals: Floats, con: int, merge: bool) -> None:
    """Emit a table, or the one column of a contribution that is left."""
    node = net[CON_NODE, con]
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
    while True:
        offset = _offset(net, room, con)
        if own:
            for c in range(room[NCLS, node]):
                _sum_of_class(net, room, reals, node, offset, c, c)
        else:
            _sum_of_class(net, room, reals, node, offset, 0, 0)
        if not _next_classes(net, room, con):
            break


@njit(cache=True, nogil=True)
def _reaches(net: Ints, room: Ints, sig: Floats, con: int) -> bool:
    """Return whether a contribution can bring its node above its lowest class."""
    node = net[CON_NODE, con]
    _scope_of(net, room, con)
    while True:
        offset = _offset(net, room, con)
        for s in range(net[CARD, node]):
            if _level(room, node, room[CLS, net[FIRST, node] + s]) > 0 and not _zero(sig, offset + s):
                return True
        if not _next_classes(net, room, con):
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
        while True:
            offset = _offset(net, room, con)
            for high in range(room[LOW, node] if last else 0, levels):
                if before >= 0 and high < low:
                    _entry(room)
                elif before >= 0 and high == low:
                    _sum_of_class(net, room, reals, node, offset, 0, low)
                else:
                    _sum_of_class(net, room, reals, node, offset, high, high)
            if not _next_classes(net, room, con):
                break


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
        _record(room, leaf)
        for c in range(classes):
            for t in range(levels):
                _entry(room)
                if t == c + low:
                    _source(room, reals, 0, 1.0)
                elif t == c + low - 1:
                    _source(room, reals, 0, -1.0)
        return
    _record(room, _unary_leaf(room, level, merge))
    for t in range(levels):
        _entry(room)
        here = _seen_of_level(net, room, reals, node, t)
        above = _seen_of_level(net, room, reals, node, t + 1)
        _source(room, reals, 0, here - above)


@njit(cache=True, nogil=True)
def _has_children(net: Ints, room: Ints, node: int) -> bool:
    for at in range(net[CHILD_START, node], net[CHILD_START, node + 1]):
        if room[REL, net[CON_NODE, net[CHILD, at]]]:
            return True
    return False


@njit(cache=True, nogil=True)
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
    while True:
        offset = _offset(net, room, con)
        for t in range(levels):
            _sum_of_class(net, room, reals, net[CON_NODE, con], offset, 0, t)
        if not _next_classes(net, room, con):
            break


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


@njit(cache=True, nogil=True)
def _plain_unary(net: Ints, room: Ints, con: int, merge: bool) -> int:
    var = -1
    for at in range(net[PAR_START, con], net[PAR_START, con + 1]):
        parent = net[PAR, at]
        if room[HARD, parent] < 0 and room[NCLS, parent] > 1:
            var = room[VAR, parent]
    return _unary_leaf(room, var, merge)


# ---- the order of elimination --------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _connect(room: Ints, reals: Floats, words: Words) -> None:
    """Set the neighbours of each variable: those that it shares a leaf with."""
    width = room[COUNT, WIDTH]
    variables = room[COUNT, VARS]
    for i in range(variables * width):
        words[NEAR, i] = 0
    for leaf in range(room[COUNT, LEAVES]):
        for at in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
            var = room[SCOPE, at]
            for w in range(width):
                words[NEAR, var * width + w] |= words[BITS, leaf * width + w]
    for var in range(variables):
        words[NEAR, var * width + (var >> 6)] &= ~(np.uint64(1) << np.uint64(var & 63))
        reals[WEIGHT, var] = _product(room, words, var * width)


@njit(cache=True, nogil=True)
def _bits_of(room: Ints, words: Words) -> None:
    width = (room[COUNT, VARS] + 63) // 64
    room[COUNT, WIDTH] = width
    for leaf in range(room[COUNT, LEAVES]):
        for w in range(width):
            words[BITS, leaf * width + w] = 0
        for at in range(room[SCOPE_START, leaf], room[SCOPE_START, leaf + 1]):
            var = room[SCOPE, at]
            words[BITS, leaf * width + (var >> 6)] |= np.uint64(1) << np.uint64(var & 63)


@njit(cache=True, nogil=True)
def _lowest(word: np.uint64) -> int:
    """Return the position of the lowest bit of a word that is not zero."""
    low = word & (~word + np.uint64(1))
    position = 0
    if low & np.uint64(0xFFFFFFFF00000000):
        position += 32
    if low & np.uint64(0xFFFF0000FFFF0000):
        position += 16
    if low & np.uint64(0xFF00FF00FF00FF00):
        position += 8
    if low & np.uint64(0xF0F0F0F0F0F0F0F0):
        position += 4
    if low & np.uint64(0xCCCCCCCCCCCCCCCC):
        position += 2
    if low & np.uint64(0xAAAAAAAAAAAAAAAA):
        position += 1
    return position


@njit(cache=True, nogil=True)
def _product(room: Ints, words: Words, start: int) -> float:
    product = 1.0
    for w in range(room[COUNT, WIDTH]):
        word = words[NEAR, start + w]
        while word:
            product *= room[DIM, (w << 6) + _lowest(word)]
            word &= word - np.uint64(1)
    return product


@njit(cache=True, nogil=True)
def _count(word: np.uint64) -> int:
    """Return how many bits of a word are set, by adding neighbouring fields."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _fill(room: Ints, words: Words, var: int) -> float:
    """Return how many pairs of neighbours of a variable are not neighbours of each other, twice."""
    width = room[COUNT, WIDTH]
    fill = 0
    for w in range(width):
        word = words[NEAR, var * width + w]
        while word:
            other = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            for x in range(width):
                fill += _count(words[NEAR, var * width + x] & ~words[NEAR, other * width + x])
            fill -= 1
    return float(fill)


@njit(cache=True, nogil=True)
def _merit(room: Ints, reals: Floats, words: Words, var: int, by_fill: bool) -> float:
    """Return the criterion of the next variable; of those that add as few neighbours, the smallest table is best."""
    weight = float(reals[WEIGHT, var])
    return _fill(room, words, var) * _TIE + min(weight, _TIE) if by_fill else weight


@njit(cache=True, nogil=True)
def _greedy(room: Ints, reals: Floats, words: Words, by_fill: bool, seed: int) -> float:
    """Put an order of elimination into ``ORDER``, the best next variable at every step, and return its cost.

    Args:
        room: Working memory with the leaves.
        by_fill: Whether the best adds the fewest neighbours, not the smallest table.
        seed: Blurs the criterion where it is not 0, so that another call finds another order about as good.
    """
    _connect(room, reals, words)
    variables, width = room[COUNT, VARS], room[COUNT, WIDTH]
    for w in range(width):
        words[RING, w] = 0
    state = np.uint64(seed * 2654435761 + 1)
    left = 0
    for i in range(variables):
        if not _is_open(room, i):
            room[ALIVE, left] = i
            left += 1
            reals[MERIT, i] = _merit(room, reals, words, i, by_fill)
    cost = 0.0
    for step in range(left):
        best = 0
        lowest = np.inf
        for i in range(left):
            var = room[ALIVE, i]
            value = reals[MERIT, var]
            if seed:
                state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                value = (value + 1) * (1.0 + 0.25 * float(state >> np.uint64(11)) / 9007199254740992.0)
            if value < lowest:
                lowest = value
                best = i
        var = room[ALIVE, best]
        left -= 1
        for i in range(best, left):
            room[ALIVE, i] = room[ALIVE, i + 1]
        room[ORDER, step] = var
        cost += reals[WEIGHT, var] * room[DIM, var]
        _take_out(room, reals, words, var, width)
        for w in range(width):
            word = words[NEAR, var * width + w]
            while word:
                other = (w << 6) + _lowest(word)
                word &= word - np.uint64(1)
                reals[MERIT, other] = _merit(room, reals, words, other, by_fill)
                for x in range(width):
                    words[RING, x] |= words[NEAR, other * width + x]
        for w in range(width if by_fill else 0):  # the new neighbours are two fewer pairs to join for those around
            word = words[RING, w] & ~words[NEAR, var * width + w]
            words[RING, w] = 0
            while word:
                other = (w << 6) + _lowest(word)
                word &= word - np.uint64(1)
                reals[MERIT, other] = _merit(room, reals, words, other, by_fill)
    return cost


@njit(cache=True, nogil=True)
def _take_out(room: Ints, reals: Floats, words: Words, var: int, width: int) -> None:
    """Join the neighbours of a variable to each other and take the variable out."""
    for w in range(width):
        word = words[NEAR, var * width + w]
        while word:
            other = (w << 6) + _lowest(word)
            word &= word - np.uint64(1)
            reals[WEIGHT, other] /= room[DIM, var]
            words[NEAR, other * width + (var >> 6)] &= ~(np.uint64(1) << np.uint64(var & 63))
            for x in range(width):
                fresh = words[NEAR, var * width + x] & ~words[NEAR, other * width + x]
                if x == other >> 6:
                    fresh &= ~(np.uint64(1) << np.uint64(other & 63))
                words[NEAR, other * width + x] |= fresh
                while fresh:
                    reals[WEIGHT, other] *= room[DIM, (x << 6) + _lowest(fresh)]
                    fresh &= fresh - np.uint64(1)


@njit(cache=True, nogil=True)
def _keep_order(room: Ints) -> None:
    for i in range(room[COUNT, VARS]):
        room[KEPT, i] = room[ORDER, i]


@njit(cache=True, nogil=True)
def _choose_order(net: Ints, room: Ints, reals: Floats, words: Words, tries: int) -> None:
    """Choose the order of elimination: the fixed one, or the cheapest of the greedy ones."""
    _bits_of(room, words)
    _leave_in(room)
    if net[SIZES, 1]:
        _fixed_order(net, room)
        return
    best = _greedy(room, reals, words, False, 0)
    many = tries >= _MANY_TRIES
    if best < (_SEARCH_FOR_MANY_ABOVE if many else _SEARCH_ABOVE):
        return
    _keep_order(room)
    cost = _greedy(room, reals, words, True, 0)
    if cost < best:
        best = cost
        _keep_order(room)
    if many or best > _SEARCH_LONGER_ABOVE:
        for seed in range(1, tries + 1):
            cost = _greedy(room, reals, words, True, seed)
            if cost < best:
                best = cost
                _keep_order(room)
    for i in range(room[COUNT, VARS]):
        room[ORDER, i] = room[KEPT, i]


@njit(cache=True, nogil=True)
def _leave_in(room: Ints) -> None:
    """Count the variables that are not eliminated, and put them at the end of the order."""
    variables = room[COUNT, VARS]
    count = 0
    for var in range(variables):
        if _is_open(room, var):
            count += 1
            room[ORDER, variables - count] = var
    room[COUNT, LEFT_IN] = count


@njit(cache=True, nogil=True)
def _is_open(room: Ints, var: int) -> bool:
    """Return whether a variable is the last of a node that is left in; the links before it are not."""
    node = room[NODE, var]
    return bool(room[OPEN, node] and room[VAR, node] == var)


@njit(cache=True, nogil=True)
def _fixed_order(net: Ints, room: Ints) -> None:
    """Take the variables in the order that was fixed for the network."""
    count = 0
    for position in range(net[SIZES, 1]):
        node = net[FIXED, position]
        if room[REL, node] and room[VAR, node] >= 0 and not room[OPEN, node]:
            room[ORDER, count] = room[VAR, node]
            count += 1


# ---- steps ---------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _steps(room: Ints, words: Words, limit: float) -> int:
    """Turn the order into steps, each of which multiplies two factors and may sum one variable out."""
    width = room[COUNT, WIDTH]
    room[COUNT, ARENA] = 0
    for at in range(room[COUNT, VARS]):
        room[PLACE, room[ORDER, at]] = at
    taken_out = room[COUNT, VARS] - room[COUNT, LEFT_IN]
    alive = room[COUNT, LEAVES]
    for leaf in range(room[COUNT, LEAVES]):
        room[ALIVE, leaf] = leaf
        room[FAC_OFF, leaf] = room[COUNT, ARENA]
        room[COUNT, ARENA] += room[FAC_SIZE, leaf]
    for at in range(taken_out):
        var = room[ORDER, at]
        word, mask = var >> 6, np.uint64(1) << np.uint64(var & 63)
        count = 0
        left = 0
        for i in range(alive):
            factor = room[ALIVE, i]
            if words[BITS, factor * width + word] & mask:
                place = count
                while place > 0 and room[FAC_SIZE, room[BUCKET, place - 1]] > room[FAC_SIZE, factor]:
                    room[BUCKET, place] = room[BUCKET, place - 1]
                    place -= 1
                room[BUCKET, place] = factor
                count += 1
            else:
                room[ALIVE, left] = factor
                left += 1
        alive = left
        if count == 0:
            continue
        current = room[BUCKET, 0]
        if count == 1:
            current = _step(room, words, current, -1, var, limit)
        for i in range(1, count):
            current = _step(room, words, current, room[BUCKET, i], var if i == count - 1 else -1, limit)
            if current < 0:
                break
        if current < 0:
            return TOO_LARGE
        room[ALIVE, alive] = current
        alive += 1
    room[COUNT, LEFT] = alive
    return PLANNED


@njit(cache=True, nogil=True)
def _step(room: Ints, words: Words, one: int, two: int, drop: int, limit: float) -> int:
    """Add the step that multiplies two factors (or takes one) and sums a variable out; return the new factor or -1."""
    if two >= 0 and room[FAC_SIZE, two] > room[FAC_SIZE, one]:
        one, two = two, one
    first = room[COUNT, AXES]
    last = _take_axes(room, one, first, first, STRIDE_A, STRIDE_B)
    if two >= 0:
        last = _take_axes(room, two, first, last, STRIDE_B, STRIDE_A)
    size = 1.0
    for at in range(first, last):
        size *= 1 if room[AXIS_VAR, at] == drop else room[AXIS_DIM, at]
    if size + room[COUNT, ARENA] > limit or last - first > WIDEST:
        room[COUNT, AXES] = last  # what is to blame, for the message
        for at in range(first, last):
            room[BLAMED, at - first] = room[AXIS_VAR, at]
        room[FIRST_AXIS, room[COUNT, STEPS]] = first
        return -1
    new = room[COUNT, FACTORS]
    start = room[COUNT, SCOPES]
    stop = start
    for at in range(first, last):
        if room[AXIS_VAR, at] != drop:
            room[SCOPE, stop] = room[AXIS_VAR, at]
            stop += 1
    stride = 1
    for at in range(last - 1, first - 1, -1):
        if room[AXIS_VAR, at] == drop:
            room[STRIDE_C, at] = 0
        else:
            room[STRIDE_C, at] = stride
            stride *= room[AXIS_DIM, at]
    room[COUNT, SCOPES] = stop
    room[COUNT, AXES] = last
    room[COUNT, FACTORS] += 1
    room[SCOPE_START, new + 1] = stop
    room[FAC_SIZE, new] = stride
    room[FAC_OFF, new] = room[COUNT, ARENA]
    room[COUNT, ARENA] += stride
    width = room[COUNT, WIDTH]
    for w in range(width):
        word = words[BITS, one * width + w]
        if two >= 0:
            word |= words[BITS, two * width + w]
        if drop >= 0 and w == drop >> 6:
            word &= ~(np.uint64(1) << np.uint64(drop & 63))
        words[BITS, new * width + w] = word
    step = room[COUNT, STEPS]
    room[STEP_A, step] = one
    room[STEP_B, step] = two
    room[STEP_C, step] = new
    room[FIRST_AXIS, step] = first
    room[LAST_AXIS, step] = last
    room[COUNT, STEPS] += 1
    return int(new)


@njit(cache=True, nogil=True)
def _take_axes(room: Ints, factor: int, first: int, last: int, mine: int, other: int) -> int:
    """Add the axes of a factor to those of a step, the soonest eliminated first; return where they end."""
    stride = room[FAC_SIZE, factor]
    place = first
    for at in range(room[SCOPE_START, factor], room[SCOPE_START, factor + 1]):
        var = room[SCOPE, at]
        stride //= room[DIM, var]
        position = room[PLACE, var]
        while place > first and room[PLACE, room[AXIS_VAR, place - 1]] >= position:
            place -= 1
        while place < last and room[PLACE, room[AXIS_VAR, place]] < position:
            place += 1
        if place == last or room[AXIS_VAR, place] != var:
            for k in range(last, place, -1):
                room[AXIS_VAR, k] = room[AXIS_VAR, k - 1]
                room[AXIS_DIM, k] = room[AXIS_DIM, k - 1]
                room[STRIDE_A, k] = room[STRIDE_A, k - 1]
                room[STRIDE_B, k] = room[STRIDE_B, k - 1]
            room[AXIS_VAR, place] = var
            room[AXIS_DIM, place] = room[DIM, var]
            room[other, place] = 0
            last += 1
        room[mine, place] = stride
    return last
