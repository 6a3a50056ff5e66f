"""A network in which every node has a child that says what was seen of it.

The child is always seen in its first state; the chances of that, given each state of the node, are the likelihoods of
what was seen (Pearl 1988, virtual evidence): 1 for one state and 0 for the others, or 1 for all where nothing was. So
one plan serves whatever was seen, and only numbers differ.
"""

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import arrays
from rootcause.engine.layout import Layout, Shape, Tables, lay_out

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_MARK = "\0seen "
"""Begins the name of such a child; no node of a network has it."""


class Marked:
    """A network with such children, laid out.

    Attributes:
        layout: Its layout; the nodes of the network have the numbers that they have without children.
    """

    def __init__(self, shape: Shape, tables: Tables, plain: Layout) -> None:
        """Lay out the network.

        Args:
            shape: The network.
            tables: Its tables.
            plain: Its layout without such children, with gates or without.
        """
        marks = {_MARK + name: name for name in plain.names}
        self._tables = tables
        self._halves = {mark: np.full((len(shape.states[name]), 2, 1), 0.5) for mark, name in marks.items()}
        states = {**shape.states, **dict.fromkeys(marks, ("so", "not so"))}
        parents = {**shape.parents, **{mark: (name,) for mark, name in marks.items()}}
        self.layout = lay_out(Shape(states, parents, shape.links), self.tables, gates=bool(plain.gates))

    def tables(self, name: str) -> Array:
        """Return the table of a node or of such a child."""
        return self._halves[name] if name in self._halves else self._tables(name)

    def mark(self, node: int) -> int:
        """Return the number of the child of a node."""
        return self.layout.index[_MARK + self.layout.names[node]]

    def likelihoods(self, node: int) -> Ints:
        """Return which entries are the chances of what was seen, given each state of a node; shape ``(states,)``."""
        net = self.layout.net
        start = int(net[arrays.CON_OFF, net[arrays.CON_START, self.mark(node)]])
        numbers: Ints = start + 2 * np.arange(int(net[arrays.CARD, node]))
        return numbers


__all__ = ["Marked"]
