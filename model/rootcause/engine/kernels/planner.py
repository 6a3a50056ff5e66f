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

from numba import njit

from rootcause.engine.kernels.arrays import (
    IMPOSSIBLE,
    Bits,
    Floats,
    Ints,
    Words,
)
from rootcause.engine.kernels.leaves import make_leaves
from rootcause.engine.kernels.order import choose_order
from rootcause.engine.kernels.states import reduce_states
from rootcause.engine.kernels.steps import make_steps


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
    if not reduce_states(net, above, room, reals, sig, targets, lump):
        return IMPOSSIBLE
    if not make_leaves(net, room, reals, sig, targets, merge, signed):
        return IMPOSSIBLE
    choose_order(net, room, reals, words, tries)
    return make_steps(room, words, limit)
