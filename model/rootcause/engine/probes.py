"""What a lane has in it, for each state of a node that is added to the evidence of a case.

A node that nothing else hangs on is planned as seen in its lowest state, and a lane has other entries in place of that
column of its table: those of another state or, for a gate, the probabilities that its contributions are not above a
level. What lies between two levels is the difference of two lanes (Díez & Galán 2003). It is also a sum in which
nothing cancels: over the contributions, of the probability that this one is the first to reach the level.

A node that others hang on gets a child that was seen, whose chances are 1 for one state of the node and 0 for the
others. And a table over gates that nothing hung on before is not planned at all: it is added up from lanes of these.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import or_

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import arrays
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.layout import Layout, Shape, Tables
from rootcause.engine.look import Look
from rootcause.engine.marks import Marked

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_KEPT = 4096
"""Probes that are kept: those of known parents are as many as these have states."""

_MOST_TOGETHER = 16
"""States of parents together up to which a table is added up from lanes of its parents."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How some states of a node are asked for.

    Attributes:
        node: Its number.
        first: The first of the states; they are next to each other.
        added: Numbers of what is planned as seen in its lowest state.
        rows: The entries that are not what they are, shape ``(rows,)``.
        values: What they are in each lane, shape ``(lanes, rows)``; in the lanes of other probes they are 1.
        weights: P(state and evidence) is the product of these with P(evidence) and P(lane), shape
            ``(states, 1 + lanes)``.
        mixed: Random numbers that are equal where rows are, shape ``(rows, 1)``: what the planner takes them for.
        level: Whether its states are differences of levels, so that ``Probes.sum`` has another way.
    """

    node: int
    first: int
    added: tuple[int, ...]
    rows: Ints
    values: Array
    weights: Array
    mixed: Array
    level: bool = False


@dataclass(frozen=True, slots=True)
class _Axis:
    """One node of a probe: what each of its lanes has in place of its entries, and what makes states of lanes.

    Attributes:
        added: What is planned as seen.
        rows: Shape ``(rows,)``.
        values: Shape ``(lanes, rows)``.
        states: Shape ``(states, lanes)``.
        mixed: As of a probe.
        level: Whether lanes are levels, the last of which has nothing added.
    """

    added: int
    rows: Ints
    values: Array
    states: Array
    mixed: Array
    level: bool


class Probes:
    """The probes of a network, made when they are first needed: they do not hang on the case.

    Attributes:
        layout: The network with a child for each node.
        tables: Its tables.
    """

    def __init__(self, shape: Shape, tables: Tables, plain: Layout) -> None:
        """Lay out the network with a child for each node.

        Args:
            shape: The network.
            tables: Its tables.
            plain: Its layout without these children.
        """
        marked = Marked(shape, tables, plain)
        self.layout, self.tables = marked.layout, marked.tables
        self._marked = marked
        self._entries = self.layout.entries(self.tables)[:, 0]
        count = len(plain.names)
        self._cards: list[int] = self.layout.net[arrays.CARD, :count].tolist()
        self._above = [_bits(np.flatnonzero(row[:count])) for row in self.layout.above[:count]]
        self._gates = _bits(node for node, name in enumerate(plain.names) if name in self.layout.gates)
        self._parents = [self._parents_of(node) for node in range(count)]
        self._kept: dict[tuple[int, ...], Probe] = {}

    def _parents_of(self, node: int) -> tuple[int, ...]:
        """Return the parents of a plain node."""
        net = self.layout.net
        con = net[arrays.CON_START, node]
        found = net[arrays.PAR, net[arrays.PAR_START, con] : net[arrays.PAR_START, con + 1]]
        return () if self._gates >> node & 1 else tuple(found.tolist())

    # ---- which nodes share a plan ------------------------------------------------------------------------------------

    def groups(self, look: Look, nodes: Sequence[int], asked: Sequence[int]) -> Iterator[list[Probe]]:
        """Yield probes that are planned together: those that bring the same gates into the plan.

        A gate that nothing hung on before makes a plan dear, so what does not need it stays out of its plan, unless
        there are lanes that would stay empty.

        Args:
            look: The evidence, of one case.
            nodes: Numbers of the nodes to be added; none of them is in the evidence.
            asked: Numbers of the targets.
        """
        codes = [
            (node, code) for node, code in zip(look.seen.tolist(), look.codes[0].tolist(), strict=True) if code != -1
        ]
        seen = {node: code for node, code in codes if code >= 0}
        relevant = reduce(or_, (self._above[node] for node, _ in codes), 0)
        relevant = reduce(or_, (self._above[node] for node in asked), relevant)
        spread = {node: self._spread(node, relevant, seen) for node in nodes}
        for members in self._together(spread, relevant):
            axes = {axis for node in members for axis in spread[node]}
            inner = reduce(or_, (self._above[axis] & ~(1 << axis) for axis in axes), relevant)
            yield [self._probe(node, spread[node], inner, seen) for node in members]

    def _spread(self, node: int, relevant: int, seen: Mapping[int, int]) -> tuple[int, ...]:
        """Return the nodes whose lanes a node is asked from: itself, or the parents of a table over new gates."""
        parents = tuple(parent for parent in self._parents[node] if parent not in seen)
        new = _bits(parents) & self._gates & ~relevant
        return parents if new and not relevant >> node & 1 and self._size(parents) <= _MOST_TOGETHER else (node,)

    def _size(self, axes: tuple[int, ...]) -> int:
        return math.prod(self._cards[node] for node in axes)

    def _together(self, spread: Mapping[int, tuple[int, ...]], relevant: int) -> list[list[int]]:
        """Return the nodes that share a plan: those that bring the most gates into it first."""
        alike: dict[int, list[int]] = {}
        for node, axes in spread.items():
            need = reduce(or_, (self._above[axis] for axis in axes)) & self._gates & ~relevant & ~_bits(axes)
            alike.setdefault(need, []).append(node)
        taken: list[tuple[int, list[int], int]] = []
        for need in sorted(alike, key=lambda need: -need.bit_count()):
            members = alike[need]
            lanes = sum(self._size(spread[node]) for node in members)
            for k, (other, own, count) in enumerate(taken):
                if -(-(count + lanes) // LANES) == -(-count // LANES) and not need & ~other:
                    taken[k] = (other, own + members, count + lanes)
                    break
            else:
                taken.append((need, members, 1 + lanes))
        return [members for _, members, _ in taken]

    # ---- the probes --------------------------------------------------------------------------------------------------

    def _probe(self, node: int, axes: tuple[int, ...], inner: int, seen: Mapping[int, int]) -> Probe:
        """Return the probe of a node for all its states.

        Args:
            node: Its number.
            axes: As from ``_spread``.
            inner: The nodes that something hangs on that is planned, as bits.
            seen: The states of the nodes that are known.
        """
        known = () if axes == (node,) else tuple(seen.get(parent, -1) for parent in self._parents[node])
        key = (node, *known, *(inner >> axis & 1 for axis in axes))
        found = self._kept.get(key)
        if found is None:
            parts = [self._axis(axis, inner=bool(inner >> axis & 1)) for axis in axes]
            table = self._table(node, known) if known else np.eye(self._cards[node])
            found = _joined(node, parts, table)
            if len(self._kept) < _MOST_KEPT:
                self._kept[key] = found
        return found

    def _table(self, node: int, known: tuple[int, ...]) -> Array:
        """Return a plain table at known states of some parents, shape ``(states, states of the others together)``."""
        net = self.layout.net
        start = int(net[arrays.CON_OFF, net[arrays.CON_START, node]])
        shape = [int(net[arrays.CARD, other]) for other in (*self._parents[node], node)]
        table = self._entries[start : start + math.prod(shape)].reshape(shape)
        table = table[tuple(slice(None) if state < 0 else state for state in known)]
        return np.ascontiguousarray(table.reshape(-1, shape[-1]).T)

    def _axis(self, node: int, *, inner: bool) -> _Axis:
        card = self._cards[node]
        if inner:
            mark = self._marked.mark(node)
            rows = self._marked.likelihoods(node)
            return _Axis(mark, rows, np.eye(card), np.eye(card), _told_apart(np.eye(card), mark), level=False)
        rows, columns, owner = self._columns(node)
        mixed = _told_apart(np.concatenate([columns, owner[:, np.newaxis]], axis=1), node)
        if not self._gates >> node & 1:
            return _Axis(node, rows, np.ascontiguousarray(columns.T), np.eye(card), mixed, level=False)
        below = np.cumsum(columns, axis=1).T
        below[-1] = 1.0
        return _Axis(node, rows, below, np.eye(card) - np.eye(card, k=-1), mixed, level=True)

    def _columns(self, node: int) -> tuple[Ints, Array, Ints]:
        """Return the entries for the lowest state, those for all states, and whose contribution they belong to.

        Returns:
            Numbers of entries, shape ``(rows,)``; entries, shape ``(rows, states)``; shape ``(rows,)``.
        """
        first, last = self.layout.net[arrays.CON_START, node : node + 2].tolist()
        starts = self.layout.net[arrays.CON_OFF, first : last + 1]
        card = self._cards[node]
        columns = self._entries[starts[0] : starts[-1]].reshape(-1, card)
        return (
            np.arange(starts[0], starts[-1], card),
            columns,
            np.repeat(np.arange(last - first), np.diff(starts) // card),
        )

    def sum(self, node: int, state: int) -> Probe:
        """Return the probe of one state of a gate that nothing hangs on, as a sum over its contributions.

        The worst contribution is of a state if one of them is the first of that state, those before it are below, and
        those after it are not above.

        Args:
            node: Its number.
            state: The number of the state, which is not the lowest.
        """
        key = (node, state, -2)
        if key not in self._kept:
            rows, columns, owner = self._columns(node)
            not_above = np.cumsum(columns, axis=1)
            lanes = []
            for first in range(int(owner[-1]) + 1):
                own = owner == first
                if columns[own, state].any():
                    lane = np.where(owner < first, not_above[:, state - 1], not_above[:, state])
                    lanes.append(np.where(own, columns[:, state], lane))
            values = np.array(lanes).reshape(-1, len(rows))
            weights = np.concatenate([[0.0], np.ones(len(values))])[np.newaxis]
            self._kept[key] = Probe(node, state, (node,), rows, values, weights, np.ones((len(rows), 1)))
        return self._kept[key]


def _bits(nodes: Iterable[int]) -> int:
    """Return a set of numbers as the bits of one."""
    return reduce(or_, (1 << int(node) for node in nodes), 0)


def _told_apart(rows: Array, node: int) -> Array:
    """Return random numbers for rows, the same for those that are equal, shape ``(rows, 1)``.

    A mixture of what the lanes have would do, but for rare chances: beside others they would seem equal.
    """
    _, kind = np.unique(rows, axis=0, return_inverse=True)
    numbers: Array = np.random.default_rng(node).uniform(0.5, 1.5, (len(rows), 1))[kind.ravel()]
    return numbers


def _joined(node: int, axes: Sequence[_Axis], table: Array) -> Probe:
    """Return the probe of a node from the lanes of some nodes together.

    Args:
        node: Its number.
        axes: These nodes.
        table: Chances of its states given theirs, shape ``(states, states of these together)``.
    """
    states: Array = axes[0].states
    for axis in axes[1:]:
        states = np.kron(states, axis.states).astype(np.float64)
    weights = table @ states
    lanes = list(product(*(range(len(axis.values)) for axis in axes)))
    values = np.array([np.concatenate([axis.values[k] for k, axis in zip(lane, axes, strict=True)]) for lane in lanes])
    base = np.zeros((len(table), 1))
    if all(axis.level for axis in axes):  # not above the highest level of any: nothing is added
        weights, base, values = weights[:, :-1], weights[:, -1:], values[:-1]
    return Probe(
        node,
        0,
        tuple(axis.added for axis in axes),
        np.concatenate([axis.rows for axis in axes]),
        values,
        np.concatenate([base, weights], axis=1),
        np.concatenate([axis.mixed for axis in axes]),
        level=len(axes) == 1 and axes[0].level and axes[0].added == node,
    )


__all__ = ["Probe", "Probes"]
