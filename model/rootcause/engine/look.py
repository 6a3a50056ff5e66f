"""The evidence of cases as numbers: what the compiled loops read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING: Array = np.zeros((0, 1))
"""No likelihoods."""


@dataclass(frozen=True, slots=True)
class Look:
    """Evidence of some cases, as ``cases.look`` reads it.

    Attributes:
        seen: Numbers of the nodes that have a column, shape ``(columns,)``.
        codes: Shape ``(cases, columns)``.
        likelihoods: Shape ``(rows, most states)``.
    """

    seen: Ints
    codes: Ints
    likelihoods: Array

    def rows(self, start: int, stop: int) -> "Look":
        """Return the cases from one number up to another."""
        return Look(self.seen, self.codes[start:stop], self.likelihoods)

    def with_each(self, nodes: Ints, cards: Ints) -> "Look":
        """Return a case for each state of each node, added to the first case.

        Args:
            nodes: Numbers of the nodes, shape ``(nodes,)``.
            cards: How many states each has.
        """
        known = len(self.seen)
        codes = np.full((int(cards.sum()), known + len(nodes)), -1, dtype=np.int64)
        codes[:, :known] = self.codes[0]
        column = np.repeat(np.arange(len(nodes)), cards)
        codes[np.arange(len(codes)), known + column] = np.arange(len(codes)) - (np.cumsum(cards) - cards)[column]
        return Look(np.concatenate([self.seen, nodes]), codes, self.likelihoods)


__all__ = ["NOTHING", "Look"]
