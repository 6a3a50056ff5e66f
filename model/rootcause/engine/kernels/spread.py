"""Entries of the tables in every lane, where only some entries are not the same in all lanes: compiled loops."""

from numba import njit

from rootcause.engine.kernels.arrays import Floats, Ints


@njit(cache=True, nogil=True)
def spread(values: Floats, place: Ints, rows: Ints, starts: Ints, stops: Ints, own: Floats) -> None:
    """Set entries to 1 in all lanes but some, in which they have values of their own.

    Args:
        values: Entries of the tables, shape ``(entries that the plan reads, lanes)``; changed.
        place: Where each entry of the tables stands in ``values``, -1 where it is not read.
        rows: Numbers of entries among those of the tables; one may stand here several times, with other lanes.
        starts: For each of them, the first lane in which it has a value of its own.
        stops: After the last.
        own: These values, lane by lane, row after row.
    """
    for k in range(rows.size):
        if place[rows[k]] >= 0:
            values[place[rows[k]], :] = 1.0
    at = 0
    for k in range(rows.size):
        row = place[rows[k]]
        if row >= 0:
            for lane in range(starts[k], stops[k]):
                values[row, lane] = own[at + lane - starts[k]]
        at += stops[k] - starts[k]


@njit(cache=True, nogil=True)
def see_in_lanes(values: Floats, first: Ints, cards: Ints, seen: Ints, codes: Ints, likelihoods: Floats) -> None:
    """Set the chances of what was seen of nodes, a case in every lane (see ``marks``).

    Args:
        values: Entries of the tables, shape ``(entries, lanes)``; changed.
        first: By column, the entry for the lowest state of its node; that of the next state is the one after the next.
        cards: By node, how many states it has.
        seen: As in ``cases.look``.
        codes: As in ``cases.look``, shape ``(cases, columns)``, with no more cases than lanes.
        likelihoods: As in ``cases.look``.
    """
    for column in range(seen.size):
        for s in range(cards[seen[column]]):
            row = values[first[column] + 2 * s]
            for case in range(codes.shape[0]):
                code = codes[case, column]
                if code < -1:
                    row[case] = likelihoods[-2 - code, s]
                else:
                    row[case] = 1.0 if code in (-1, s) else 0.0


__all__ = ["see_in_lanes", "spread"]
