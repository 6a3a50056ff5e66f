"""Changes of a network's structure: an arc or a leak left out, an arc more, and reasons that work in the same patients.

A node may be one table, or the last link of a chain that takes the worst of several contributions (see
``rootcause.tables``); an edit finds the link it is about. Leaving out an arc averages the table over the parent that no
longer counts, by its probability given the other parents, which changes the joint distribution least of all tables that
do without it (van Engelen 1997); the axis stays, so that the network keeps its shape.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Shape
from rootcause.engine.layout import Tables, _product_form
from rootcause.errors import InvalidInputError, nearest

Array = NDArray[np.float64]

_SAME = 1e-12
_MOST_CELLS = 200_000


@dataclass(frozen=True, slots=True)
class DropArc:
    """A parent no longer counts for one child."""

    parent: str
    child: str

    def __str__(self) -> str:
        return f"without the arc from {self.parent} to {self.child}"

    def tables(self, engine: Engine) -> dict[str, Array]:
        """Return the tables that change."""
        links = [link for link in _chain(engine, self.child) if self.parent in reasons(engine, link)]
        if not links:
            raise InvalidInputError(f"edit: {self.child} must hang on {self.parent}, got a network where it does not")
        return {link: _without(engine, link, self.parent) for link in links}


@dataclass(frozen=True, slots=True)
class DropParent:
    """A parent no longer counts for any child: what depends on the technique becomes an average over techniques."""

    parent: str

    def __str__(self) -> str:
        return f"nothing depends on {self.parent}"

    def tables(self, engine: Engine) -> dict[str, Array]:
        """Return the tables that change."""
        _known(engine, self.parent)
        children = [name for name in engine.states if self.parent in reasons(engine, name)]
        if not children:
            raise InvalidInputError(f"edit: something must hang on {self.parent}, got a network where nothing does")
        return {name: _without(engine, name, self.parent) for name in children}


@dataclass(frozen=True, slots=True)
class DropLeak:
    """A node that takes the worst of several reasons does not occur without any of those that are listed.

    Attributes:
        node: The node.
        background: Parents that modify a leak and are no reasons, such as the day of an examination.
    """

    node: str
    background: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"without the leak of {self.node}"

    def tables(self, engine: Engine) -> dict[str, Array]:
        """Return the tables that change."""
        chain = _chain(engine, self.node)
        if len(chain) == 1:
            return {self.node: _gate_without_leak(engine, self.node)}
        leaks = [link for link in chain if set(reasons(engine, link)) <= set(self.background)]
        if not leaks:
            raise InvalidInputError(f"edit: {self.node} must have a leak, got one without")
        return {link: _linked(_sure(contribution(engine, link)), linked=_is_link(engine, link)) for link in leaks}


TableEdit = DropArc | DropParent | DropLeak
"""An edit that keeps the shape of the network."""


@dataclass(frozen=True, slots=True)
class AddArc:
    """One more reason for a node whose states are ordered from the least to the worst: it takes the worse of the two.

    Attributes:
        parent: The reason.
        state: The state in which it counts.
        child: The node.
        strength: What the reason alone would bring: a probability for each state of the child but the least.
    """

    parent: str
    state: str
    child: str
    strength: tuple[float, ...]

    def __str__(self) -> str:
        return f"with an arc from {self.parent} to {self.child}"

    def engine(self, engine: Engine) -> Engine:
        """Return the network with the arc."""
        _known(engine, self.parent, self.child)
        states = engine.states
        if self.state not in states[self.parent]:
            raise InvalidInputError(f"edit: {self.parent} must have the state, got {self.state!r}")
        if self.child in engine.relevant([self.parent]) or self.parent in engine.parents(self.child):
            raise InvalidInputError(f"edit: {self.child} must not lead to {self.parent} nor hang on it already")
        own = np.array([1 - sum(self.strength), *self.strength])
        if len(own) != len(states[self.child]) or not (own >= 0).all():
            raise InvalidInputError(
                f"edit: the strength must be {len(states[self.child]) - 1} chances that sum to at most 1, "
                f"got {self.strength}"
            )
        sure = np.eye(len(own))[0]
        rows = np.stack([own if state == self.state else sure for state in states[self.parent]])
        before = contribution(engine, self.child)
        wide = np.broadcast_to(before[..., np.newaxis, :], (*before.shape[:-1], len(rows), len(own)))
        table = _linked(_worse(wide, rows), linked=_is_link(engine, self.child))
        return _rebuilt(engine, {self.child: (*engine.parents(self.child), self.parent)}, {self.child: table})


@dataclass(frozen=True, slots=True)
class SamePatients:
    """The causes of a node act together in the same patients, not independently as a noisy-OR has it.

    Whatever one reason brings in a patient is read off the same hidden number from 0 to 1 for all reasons (they are
    comonotone), so that together they bring no more than the strongest would alone.
    """

    node: str

    def __str__(self) -> str:
        return f"causes act together on {self.node}, not independently"

    def engine(self, engine: Engine) -> Engine:
        """Return the network with the hidden number as a node of its own."""
        chain = _chain(engine, self.node)
        if len(chain) == 1:
            return _rebuilt(engine, {}, {self.node: _strongest(engine, self.node)})
        parts = {link: contribution(engine, link) for link in chain}
        ends = np.unique(np.round(np.concatenate([np.cumsum(own, axis=-1).ravel() for own in parts.values()]), 12))
        ends = np.unique(np.concatenate([[0.0], ends[(ends > _SAME) & (ends < 1 - _SAME)], [1.0]]))
        hidden = f"susceptibility of {self.node}"
        middles = (ends[1:] + ends[:-1]) / 2
        tables: dict[str, Array] = {hidden: np.diff(ends)}
        parents: dict[str, tuple[str, ...]] = {hidden: ()}
        for link, own in parts.items():
            reached = np.cumsum(own, axis=-1)[..., np.newaxis, :] > middles[:, np.newaxis]
            reached[..., -1] = True
            outcome = np.eye(own.shape[-1])[reached.argmax(axis=-1)]
            tables[link] = _linked(outcome, linked=_is_link(engine, link))
            parents[link] = (*engine.parents(link), hidden)
        return _rebuilt(engine, parents, tables, {hidden: tuple(f"{end:.6g}" for end in ends[1:])})


ShapeEdit = AddArc | SamePatients
"""An edit that makes another network."""

Edit = TableEdit | ShapeEdit


# ---- chains ----------------------------------------------------------------------------------------------------------


def _known(engine: Engine, *names: str) -> None:
    for name in names:
        if name not in engine.states:
            raise InvalidInputError(f"edit: must name a known node, got {name!r}{nearest(name, engine.states)}")


def _is_link(engine: Engine, name: str) -> bool:
    return name in engine._shape.links  # noqa: SLF001 - the engine has no public name for it yet


def _chain(engine: Engine, name: str) -> list[str]:
    """Return the links of a node, the node itself last; alone where it is one table."""
    _known(engine, name)
    chain = [name]
    while _is_link(engine, chain[0]):
        chain.insert(0, engine.parents(chain[0])[0])
    return chain


def reasons(engine: Engine, name: str) -> tuple[str, ...]:
    """Return the parents of a table or link without what came before in its chain."""
    return engine.parents(name)[1 if _is_link(engine, name) else 0 :]


def contribution(engine: Engine, name: str) -> Array:
    """Return the table of a node, or of a link what it alone would bring; an axis for each reason, then the states."""
    table = engine.table(name)
    return table[0] if _is_link(engine, name) else table


def _linked(own: Array, *, linked: bool) -> Array:
    """Return the table of a link from what it alone brings."""
    if not linked:
        return own
    from rootcause.tables import link_table

    return link_table(own[..., np.newaxis])[..., 0]


def _worse(first: Array, second: Array) -> Array:
    """Return the distribution of the worse of two independent contributions, over axes that fit."""
    below = np.cumsum(first, axis=-1) * np.cumsum(second, axis=-1)
    worse: Array = np.diff(below, prepend=0.0, axis=-1)
    return worse


def _sure(own: Array) -> Array:
    """Return a contribution that brings nothing."""
    nothing = np.zeros_like(own)
    nothing[..., 0] = 1.0
    return nothing


# ---- tables ----------------------------------------------------------------------------------------------------------


def _without(engine: Engine, name: str, parent: str) -> Array:
    """Return a table averaged over a parent, by its probability given the other parents; the axis stays."""
    own = reasons(engine, name)
    axis = own.index(parent)
    table = contribution(engine, name)
    chances = engine.joint({}, own) if np.prod(table.shape[:-1]) <= _MOST_CELLS else np.ones(table.shape[:-1])
    whole = chances.sum(axis=axis, keepdims=True)
    even = np.full(chances.shape, 1 / chances.shape[axis])
    weights = np.divide(chances, whole, out=even, where=whole > 0)[..., np.newaxis]
    mean = (table * weights).sum(axis=axis, keepdims=True)
    return _linked(np.broadcast_to(mean, table.shape).copy(), linked=_is_link(engine, name))


def _factors(engine: Engine, name: str) -> Sequence[Array]:
    """Return the leak and the contributions of a table that takes the worst of its parents."""
    found = _product_form(engine.table(name)[..., np.newaxis]) if engine.parents(name) else None
    if found is None:
        raise InvalidInputError(f"edit: {name} must take the worst of its reasons (a noisy-OR), got another table")
    return found


def _gate_without_leak(engine: Engine, name: str) -> Array:
    _, *own = _factors(engine, name)
    table = np.zeros(engine.table(name).shape)
    table[..., 0] = 1.0
    for axis, factor in enumerate(own):
        shape = [1] * table.ndim
        shape[axis], shape[-1] = factor.shape
        table = _worse(table, factor.reshape(shape))
    return table


def _strongest(engine: Engine, name: str) -> Array:
    """Return the table of a gate whose reasons are comonotone: the least of the cumulative distributions."""
    leak, *own = _factors(engine, name)
    table = engine.table(name)
    least = np.broadcast_to(np.cumsum(leak), table.shape)
    for axis, factor in enumerate(own):
        shape = [1] * table.ndim
        shape[axis], shape[-1] = factor.shape
        least = np.minimum(least, np.cumsum(factor, axis=-1).reshape(shape))
    strongest: Array = np.diff(least, prepend=0.0, axis=-1)
    return strongest


def _rebuilt(
    engine: Engine,
    parents: Mapping[str, tuple[str, ...]],
    tables: Mapping[str, Array],
    states: Mapping[str, tuple[str, ...]] | None = None,
) -> Engine:
    """Return a network with other parents and tables for some nodes; a chain stays a chain."""
    every = {**(states or {}), **engine.states}
    own = {name: parents[name] if name in parents else engine.parents(name) for name in every}
    ordered = _ordered(own)
    links = engine._shape.links  # noqa: SLF001 - as above
    shape = Shape({name: every[name] for name in ordered}, {name: own[name] for name in ordered}, links)
    filled: Tables = cache(lambda name: (tables[name] if name in tables else engine.table(name))[..., np.newaxis])
    return Engine(shape, filled)


def _ordered(parents: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the nodes, parents before children."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for parent in parents[name]:
                visit(parent)
            found[name] = None

    for name in parents:
        visit(name)
    return list(found)
