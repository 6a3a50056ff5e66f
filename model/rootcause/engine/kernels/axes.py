"""The axes of a step and how to count along them: what all loops over two tables and a third share.

An axis is a column of an array of words: its size, how far apart its places are in the table that is written and in the
two that are read, and where the counting stands.
"""

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import Words

Word = np.uint64


@njit(cache=True, nogil=True, forceinline=True)
def add_axis(axes: Words, first: int, count: int, size: int, o: int, x: int, y: int) -> int:
    """Add an axis, or join it with the one before where both are one stretch in all three tables.

    Args:
        axes: Receives the axis, shape ``(5, axes)``.
        first: The first axis that it may be joined with.
        count: How many there are.
        size: Places along it.
        o: How far apart they are in the table that is written.
        x: The same in the first table that is read.
        y: The same in the second.

    Returns:
        How many axes there are now.
    """
    if (
        count > first
        and axes[1, count - 1] == o * size
        and axes[2, count - 1] == x * size
        and axes[3, count - 1] == y * size
    ):
        count -= 1
        size *= axes[0, count]
    axes[0, count], axes[1, count], axes[2, count], axes[3, count], axes[4, count] = size, o, x, y, 0
    return count + 1


@njit(cache=True, nogil=True, forceinline=True)
def advance(axes: Words, first: int, last: int, o: Word, x: Word, y: Word) -> tuple[bool, Word, Word, Word]:
    """Go one place on along the axes from the last to the first, as an odometer does.

    Args:
        axes: The axes; their counters are moved on, and are zero again after the last place.
        first: The outermost axis.
        last: The innermost.
        o: Place in the table that is written.
        x: Place in the first table that is read.
        y: Place in the second.

    Returns:
        Whether there was a place left, and the three places.
    """
    axis = last
    while axis >= first:
        o += axes[1, axis]
        x += axes[2, axis]
        y += axes[3, axis]
        axes[4, axis] += np.uint64(1)
        if axes[4, axis] < axes[0, axis]:
            return True, o, x, y
        axes[4, axis] = 0
        o -= axes[0, axis] * axes[1, axis]
        x -= axes[0, axis] * axes[2, axis]
        y -= axes[0, axis] * axes[3, axis]
        axis -= 1
    return False, o, x, y
