"""A network, a plan and the working memory of a thread as arrays: what stands in which row."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]

PLANNED, IMPOSSIBLE, TOO_LARGE = range(3)

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
NEXT, EDGE, SIGNED = 50, 51, 52
ROOM_ROWS = 53
"""Rows of ``room``: by node or state, what evidence and classes say; by variable, its states and place in the order;
counts; the leaves as records of entries, each a sum of sources; the factors with their scopes; the steps, each with
the two factors (the second may be -1), the result and its axes; by node, whether it is left in (0, but for a joint);
by axis, its variable; the same factors, steps and axes with the last variables as lanes (see ``split``); by state,
the next of its class, or -1; by level of a gate, how many states are not above it; and by leaf, whether anything is
taken away in it."""
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
