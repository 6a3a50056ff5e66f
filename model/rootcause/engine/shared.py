"""Many cases of a network whose tables are small: one plan for all of them, and the cases side by side.

Where what was seen makes tables only a little smaller, to plan a case takes longer than to run its plan. Here what was
seen of a node are the chances of a child of it (see ``marks``), and each case is a lane of one plan.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import arrays, cases
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.layout import Shape, Tables
from rootcause.engine.look import NOTHING, Look
from rootcause.engine.machine import TRIES_FOR_ONE, Machine, in_chunks
from rootcause.engine.marks import Marked

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 40_000.0
"""Multiplications of a plan for all cases from which on a plan for each is faster."""

_TOGETHER = 8 * LANES
"""Cases whose numbers are laid out at a time."""


class Shared:
    """A network without gates, ready for many cases at a time."""

    def __init__(self, shape: Shape, tables: Tables, usual: Machine) -> None:
        """Prepare the network.

        Args:
            shape: The network.
            tables: Its tables.
            usual: The same network at work; its nodes have the same numbers here.
        """
        self._usual = usual
        self._marked = Marked(shape, tables, usual.layout)
        self._machine = Machine(self._marked.layout, self._marked.tables)
        self._first = np.array([self._marked.likelihoods(node)[0] for node in range(len(usual.layout.names))])

    def many(self, rows: int, chunk: Callable[[int, int], Look], asked: Ints) -> Iterator[tuple[int, Array, Array]]:
        """Return the answers to many cases, as ``Machine.many`` does, and with it where a plan for each is faster.

        Args:
            rows: How many cases.
            chunk: Gives the evidence of the cases from one number up to another; all have the same columns.
            asked: Numbers of the targets.
        """
        if not self._planned(chunk(0, 1).seen, asked):
            return self._usual.many(rows, chunk, asked)
        room, width = self._machine.room(), int(self._usual.cards[asked].sum())

        def answer(start: int, stop: int) -> tuple[Array, Array]:
            look = chunk(start, stop)
            first = self._first[look.seen]
            values = np.repeat(self._machine.entries, _TOGETHER, axis=1)
            cases.see_in_lanes(values, first, self._usual.cards, look.seen, look.codes, look.likelihoods)
            posterior, logs = np.zeros((width, _TOGETHER)), np.empty(_TOGETHER)
            self._machine.run(room, values, asked, (0, stop - start), posterior, logs)
            return posterior[:, : stop - start].T, logs[: stop - start]

        return in_chunks(rows, _TOGETHER, answer)

    def _planned(self, seen: Ints, asked: Ints) -> bool:
        """Plan for all cases in which these nodes may have been seen; return whether that is worth it."""
        marks = np.array([self._marked.mark(node) for node in seen.tolist()], dtype=np.int64)
        look = Look(marks, np.zeros((1, len(marks)), np.int64), NOTHING)
        room = self._machine.room()
        status = self._machine.plan(room, self._machine.entries, look, asked, TRIES_FOR_ONE, lump=False)
        return status == arrays.PLANNED and cases.multiplications(room.ints) <= _MOST


__all__ = ["Shared"]
