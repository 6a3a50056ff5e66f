"""Entries of the tables in every lane, where only some entries of some lanes are not as they are: compiled loops."""

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


__all__ = ["spread"]
