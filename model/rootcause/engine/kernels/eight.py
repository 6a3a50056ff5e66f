"""Eight numbers at a time: what becomes one or two instructions of a vector unit, compiled to machine code.

A loop over lanes would be vector code only if the compiler could know that what is written is not read again; eight
numbers that are all read before the first is written need no such proof (``Store.vector_code``).
"""

import numpy as np
from numba import njit

from rootcause.engine.kernels.arrays import Floats
from rootcause.engine.kernels.axes import Word

Eight = tuple[float, float, float, float, float, float, float, float]

_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
_5, _6, _7 = np.uint64(5), np.uint64(6), np.uint64(7)

ZEROS: Eight = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
HALVES = (np.uint64(0), np.uint64(8))
"""Where the eights of sixteen lanes begin."""


@njit(cache=True, nogil=True, forceinline=True)
def load(table: Floats, at: Word) -> Eight:
    """Return eight numbers of a table."""
    return (
        table[at],
        table[at + _1],
        table[at + _2],
        table[at + _3],
        table[at + _4],
        table[at + _5],
        table[at + _6],
        table[at + _7],
    )


@njit(cache=True, nogil=True, forceinline=True)
def store(table: Floats, at: Word, v: Eight) -> None:
    """Write eight numbers to a table."""
    table[at] = v[0]
    table[at + _1] = v[1]
    table[at + _2] = v[2]
    table[at + _3] = v[3]
    table[at + _4] = v[4]
    table[at + _5] = v[5]
    table[at + _6] = v[6]
    table[at + _7] = v[7]


@njit(cache=True, nogil=True, forceinline=True, fastmath={"contract"})
def times(a: Eight, b: Eight) -> Eight:
    """Return a b."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3], a[4] * b[4], a[5] * b[5], a[6] * b[6], a[7] * b[7])


@njit(cache=True, nogil=True, forceinline=True, fastmath={"contract"})
def plus(a: Eight, b: Eight) -> Eight:
    """Return a + b."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7])


@njit(cache=True, nogil=True, forceinline=True)
def largest(a: Eight, b: Eight) -> Eight:
    """Return the larger of a and the absolute value of b."""
    return (
        max(a[0], abs(b[0])),
        max(a[1], abs(b[1])),
        max(a[2], abs(b[2])),
        max(a[3], abs(b[3])),
        max(a[4], abs(b[4])),
        max(a[5], abs(b[5])),
        max(a[6], abs(b[6])),
        max(a[7], abs(b[7])),
    )
