"""Sets of small numbers as the bits of words: compiled loops."""

import numpy as np
from numba import njit

from rootcause.engine.kernels.axes import Word

_ONE = np.uint64(1)
_SEQUENCE, _REST = np.uint64(0x03F79D71B4CB0A89), np.uint64(58)
_POSITIONS = np.zeros(64, np.int64)
for _bit in range(64):
    _POSITIONS[((0x03F79D71B4CB0A89 << _bit) & 0xFFFFFFFFFFFFFFFF) >> 58] = _bit


@njit(cache=True, nogil=True, forceinline=True)
def lowest_bit(word: Word) -> int:
    """Return the position of the lowest bit of a word that is not zero.

    Six bits from a sequence in which every six are others say how far it was moved (Leiserson, Prokop & Randall 1998).
    """
    return int(_POSITIONS[((word & (~word + _ONE)) * _SEQUENCE) >> _REST])


@njit(cache=True, nogil=True, forceinline=True)
def count_bits(word: Word) -> int:
    """Return how many bits of a word are set, by adding neighbouring fields."""
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))
