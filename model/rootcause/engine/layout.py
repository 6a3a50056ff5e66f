"""A network as arrays: plain tables, and gates, which take the worst of independent contributions.

A gate is recognised in two forms. A chain of links, each the maximum of what came before and of one contribution, is
put together again. A table whose cumulative distribution is a product over its parents (noisy-OR, noisy-MAX: Pearl
1988, Díez 1993) is taken apart, if the product gives the table back to the last digits. What has no such form stays a
table, and every answer stays exact.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint8]

Tables = Callable[[str], Array]
"""Gives the table of a node: shape ``(*cards of parents, card of the node, draws or 1)``."""

_LAST_DIGITS = 1e-14
_SAME = 1e-13
"""Relative difference up to which a product is the table; rare chances, of which it would lose digits, keep theirs."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The structure of a network.

    Attributes:
        states: States of every node, parents before children.
        parents: Parents of every node, in the order of its table's axes.
        links: Nodes that are known to be the maximum of their first parent and of one more contribution, whatever the
            numbers; a chain of them is a gate.
    """

    states: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]
    links: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the layout, and where its entries come from.

    Attributes:
        node: The node whose table it is cut from.
        parents: The parents that it depends on.
        first_row: Whether it is the row for a first parent in its lowest state: the contribution of a link.
        own: The entries themselves, where they were found by taking a table apart; else ``None``.
    """

    node: str
    parents: tuple[str, ...]
    first_row: bool = False
    own: Array | None = None

    def entries(self, tables: Tables, first_rows: Tables | None = None) -> Array:
        """Return its entries, shape ``(entries, draws or 1)``; ``first_rows`` as in ``Drawn``."""
        if self.own is not None:
            return self.own
        if self.first_row and first_rows:
            table = first_rows(self.node)
        else:
            table = tables(self.node)[0] if self.first_row else tables(self.node)
        return table.reshape(-1, table.shape[-1])


@dataclass(frozen=True, slots=True)
class Layout:
    """A network as the rows of ``kernels.arrays``.

    Attributes:
        names: The nodes, parents before children; links inside a gate are not among them.
        index: Their numbers.
        states: States of each node.
        parts: Every table.
        offsets: Where the entries of each begin; entry 0 is the number 1.
        net: See ``kernels.arrays``.
        above: See ``kernels.arrays``.
        gates: Nodes that are gates.
        numeric: Whether a gate was found in the numbers of a table, so that other numbers need another layout.
    """

    names: tuple[str, ...]
    index: Mapping[str, int]
    states: Mapping[str, tuple[str, ...]]
    parts: tuple[Part, ...]
    offsets: Ints
    net: Ints
    above: Bits
    gates: frozenset[str]
    numeric: bool

    def entries(self, tables: Tables, draws: int = 1) -> Array:
        """Return the entries of all tables, shape ``(entries, draws)``."""
        return Drawn(tables, draws).entries(self, np.ones(len(self.parts), dtype=np.uint8))


class Drawn:
    """Tables for several draws of the numbers, turned into entries when they are first needed, and once.

    Attributes:
        tables: The tables; their last axis has length ``draws`` or 1.
        draws: Number of draws.
        first_rows: For the links of gates, only where the parent named first is in its lowest state; whole tables of
            them are then not asked for.
    """

    def __init__(self, tables: Tables, draws: int, first_rows: Tables | None = None) -> None:
        """Keep the tables."""
        self.tables = tables
        self.first_rows = first_rows
        self.draws = draws
        self._made: dict[int, tuple[Layout, Array, Bits]] = {}

    def entries(self, layout: Layout, wanted: Bits) -> Array:
        """Return the entries of the parts of a layout, shape ``(entries, draws)``; 0 for what was never wanted.

        Args:
            layout: The layout.
            wanted: 1 for each part that is needed, shape ``(parts,)``.
        """
        if id(layout) not in self._made:
            empty = np.zeros((int(layout.offsets[-1]), self.draws))
            empty[0] = 1.0
            self._made[id(layout)] = (layout, empty, np.zeros(len(layout.parts), dtype=np.uint8))
        _, entries, filled = self._made[id(layout)]
        for number in np.flatnonzero(wanted > filled):
            start, stop = layout.offsets[number], layout.offsets[number + 1]
            entries[start:stop] = layout.parts[number].entries(self.tables, self.first_rows)
            filled[number] = 1
        return entries


def lay_out(shape: Shape, tables: Tables, *, gates: bool = True) -> Layout:
    """Return the arrays of a network.

    Args:
        shape: Its structure.
        tables: Its tables.
        gates: Whether to look for gates.
    """
    chains = _chains(shape, tables) if gates else {}
    known = bool(shape.links)  # then nothing is read into the numbers
    inside = {link for chain in chains.values() for link in chain[:-1]}
    names = tuple(name for name in shape.states if name not in inside)
    parts_of: dict[str, list[Part]] = {}
    numeric = False
    for name in names:
        if name in chains:
            first, *rest = chains[name]
            numeric |= not shape.links.issuperset(rest)
            parts_of[name] = [Part(first, shape.parents[first])]
            parts_of[name] += [Part(link, shape.parents[link][1:], first_row=True) for link in rest]
            continue
        parts_of[name] = [Part(name, shape.parents[name])]
        searched = gates and not known and len(shape.parents[name]) > 1
        factors = _product_form(tables(name)) if searched else None
        if factors is not None:
            leak, *own = factors
            parts_of[name] = [Part(name, (), own=leak.reshape(-1, 1))]
            parts_of[name] += [
                Part(name, (parent,), own=table.reshape(-1, 1))
                for parent, table in zip(shape.parents[name], own, strict=True)
            ]
            numeric = True
    return _arrays(names, shape, parts_of, numeric=numeric)


def _chains(shape: Shape, tables: Tables) -> dict[str, list[str]]:
    """Return the chains of links by their last node: a link's first parent has no other child."""
    children: dict[str, list[str]] = {name: [] for name in shape.states}
    for name, parents in shape.parents.items():
        for parent in parents:
            children[parent].append(name)
    before: dict[str, str] = {}
    for name, parents in shape.parents.items():
        if not parents or children[parents[0]] != [name]:
            continue
        if name in shape.links or (not shape.links and _is_link(shape, name, tables)):
            before[name] = parents[0]
    linked = set(before.values())
    chains = {}
    for last in before:
        if last not in linked:
            chain = [last]
            while chain[0] in before:
                chain.insert(0, before[chain[0]])
            chains[last] = chain
    return chains


def _is_link(shape: Shape, name: str, tables: Tables) -> bool:
    """Return whether a table is that of the maximum of its first parent and of a contribution of the others."""
    table = tables(name)[..., 0]
    size = len(shape.states[name])
    if table.ndim < 3 or table.shape[0] != size or size < 2:  # noqa: PLR2004 - before, a parent, the node
        return False
    contribution = table[0]
    below = np.cumsum(contribution, axis=-1)
    expected = np.zeros_like(table)
    for state in range(size):
        expected[state, ..., state] = below[..., state]
        expected[state, ..., state + 1 :] = contribution[..., state + 1 :]
    return bool(np.allclose(table, expected, rtol=_LAST_DIGITS, atol=0))


def _product_form(table: Array) -> list[Array] | None:
    """Take a noisy-MAX apart: its leak, and for each parent a contribution by its states; ``None`` if it is not one.

    Args:
        table: Shape ``(*cards of parents, card of the node, 1)``.
    """
    cumulative = np.minimum(np.cumsum(table[..., 0], axis=-1), 1.0)
    size = cumulative.shape[-1]
    best = np.unravel_index(np.argmax(cumulative[..., 0]), cumulative.shape[:-1])
    leak = cumulative[best]
    if size < 2 or leak[0] <= 0:  # noqa: PLR2004
        return None
    leak = leak / leak[-1]
    product: Array = leak
    factors = [leak]
    for axis in range(cumulative.ndim - 1):
        line = tuple(slice(None) if other == axis else best[other] for other in range(cumulative.ndim - 1))
        factor = np.minimum(cumulative[line] / leak, 1.0)
        factor[:, -1] = 1.0
        factors.append(factor)
        product = product * _along(factor, axis, cumulative.ndim)
    parts = [np.diff(factor, prepend=0.0, axis=-1) for factor in factors]
    if any((part < 0).any() for part in parts):
        return None
    again = np.diff(product, prepend=0.0, axis=-1)
    return parts if np.allclose(again, table[..., 0], rtol=_SAME, atol=0) else None


def _along(factor: Array, axis: int, ndim: int) -> Array:
    shape = [1] * ndim
    shape[axis], shape[-1] = factor.shape
    return factor.reshape(shape)


def _arrays(names: tuple[str, ...], shape: Shape, parts_of: Mapping[str, Sequence[Part]], *, numeric: bool) -> Layout:
    from rootcause.engine.kernels.arrays import NET_ROWS

    index = {name: number for number, name in enumerate(names)}
    card = [len(shape.states[name]) for name in names]
    parts = tuple(part for name in names for part in parts_of[name])
    owner = [index[name] for name in names for _ in parts_of[name]]
    counts = [len(parts_of[name]) for name in names]
    cards = [[card[index[parent]] for parent in part.parents] for part in parts]
    sizes = [int(np.prod(own)) * card[node] for own, node in zip(cards, owner, strict=True)]
    offsets = _starts(sizes) + 1
    parents = [[index[parent] for parent in part.parents] for part in parts]
    strides = [
        [int(np.prod(own[at + 1 :])) * card[node] for at in range(len(own))]
        for own, node in zip(cards, owner, strict=True)
    ]
    children: list[list[int]] = [[] for _ in names]
    for number, numbers in enumerate(parents):
        for parent in numbers:
            children[parent].append(number)
    rows: list[Sequence[int] | Ints] = [
        card,
        _starts(card),
        [int(len(parts_of[name]) > 1) for name in names],
        _starts(counts),
        offsets[:-1],
        owner,
        _starts([len(numbers) for numbers in parents]),
        [parent for numbers in parents for parent in numbers],
        [stride for numbers in strides for stride in numbers],
        _starts([len(numbers) for numbers in children]),
        [child for numbers in children for child in numbers],
        [],
        [len(names), 0],
    ]
    net = np.zeros((NET_ROWS, max(len(row) for row in rows) + len(names)), dtype=np.int64)
    for number, row in enumerate(rows):
        net[number, : len(row)] = row
    return Layout(
        names=names,
        index=index,
        states={name: shape.states[name] for name in names},
        parts=parts,
        offsets=offsets,
        net=net,
        above=_ancestors(names, index, parts_of),
        gates=frozenset(name for name in names if len(parts_of[name]) > 1),
        numeric=numeric,
    )


def _starts(counts: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _ancestors(names: Sequence[str], index: Mapping[str, int], parts_of: Mapping[str, Sequence[Part]]) -> Bits:
    above = np.eye(len(names), dtype=np.uint8)
    for number, name in enumerate(names):
        for part in parts_of[name]:
            for parent in part.parents:
                above[number] |= above[index[parent]]
    return above
