"""Conditional probability tables, from numbers to arrays.

One order of axes everywhere: the parents as listed, then the node itself, then the draws. The last axis has length 1
where the numbers stand at their points.

A node that takes the worst of several contributions (noisy-MAX; noisy-OR when it is binary) is a chain of links, each
of which takes the maximum of what came before and of one more contribution. All terms are positive, so nothing cancels.
References: Pearl 1988 and Henrion 1989 (noisy-OR, leak), Díez 1993 (noisy-MAX), Heckerman & Breese 1994 (chains).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.uncertainty import Draws

Array = NDArray[np.float64]
Fill = Callable[[Draws], Array]


@dataclass(frozen=True, slots=True)
class Node:
    """A variable with the table of its distribution given its parents.

    Attributes:
        name: Its id.
        states: Its states; ordered from the least to the worst where the node is a link of a chain.
        parents: Names of its parents, in the order of the table's axes.
        fill: Makes the table from numbers: shape ``(*cards of parents, len(states), draws)``, summing to 1 over states.
        link: Whether it is the worse of its first parent and of one more contribution.
        added: For a link, makes that contribution alone: the table where the first parent is in its lowest state.
    """

    name: str
    states: tuple[str, ...]
    parents: tuple[str, ...]
    fill: Fill
    link: bool = False
    added: Fill | None = None

    def first_row(self, numbers: Draws) -> Array:
        """Return the table where the first parent is in its lowest state, shape as of ``fill`` without this parent."""
        return self.added(numbers) if self.added else self.fill(numbers)[0]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one reason adds to a node that takes the worst of all reasons.

    Attributes:
        parents: The reason and what modifies it; empty for a plain leak.
        fill: Distribution over the states of the node if this were the only reason; shape as in ``Node``.
    """

    parents: tuple[str, ...]
    fill: Fill


def stack(rows: Sequence[Array] | Sequence[Sequence[Array]]) -> Array:
    """Stack arrays whose last axes, the draws, may have length 1 or n; of what is itself a sequence, all one length."""
    arrays = [np.asarray(row) for row in rows]
    shapes = [array.shape for array in arrays]
    alike = set(shapes)
    if len(alike) == 1 and shapes[0]:
        return np.concatenate(arrays).reshape(len(arrays), *shapes[0])
    even = len(set(map(len, alike))) == 1  # then this is the same, in less time than the rows take to be written
    shape = tuple(map(max, zip(*alike, strict=True))) if even else np.broadcast_shapes(*alike)
    result = np.empty((len(arrays), *shape))
    for place, array in zip(result, arrays, strict=True):
        place[...] = array
    return result


def binary(probability: Array) -> Array:
    """Return (absent, present) for the probability of presence; shape ``(2, draws)``."""
    return stack([1 - probability, probability])


def certain(index: int, size: int) -> Array:
    """Return the distribution that is sure of one state; shape ``(size, 1)``."""
    row = np.zeros((size, 1))
    row[index] = 1.0
    return row


def graded(*at_least: Array) -> Array:
    """Return the distribution over ordered states from successive conditional probabilities.

    Args:
        at_least: P(second state or worse), P(third or worse | second or worse), and so on.

    Returns:
        Shape ``(len(at_least) + 1, draws)``.
    """
    reached = np.ones(1)
    rows = []
    for step in at_least:
        rows.append(reached * (1 - step))
        reached = reached * step
    return stack([*rows, reached])


def link_table(contribution: Array) -> Array:
    """Return P(worst so far with one more reason | worst so far, the parents of the reason).

    Args:
        contribution: Shape ``(*parents, states, draws)``.

    Returns:
        Shape ``(states, *parents, states, draws)``: the first axis is the worst before.
    """
    states = contribution.shape[-2]
    table = np.empty((states, *contribution.shape))
    table[0] = contribution
    for before in range(1, states):
        table[before, ..., :before, :] = 0.0
        np.add(table[before - 1, ..., before - 1, :], contribution[..., before, :], out=table[before, ..., before, :])
        table[before, ..., before + 1 :, :] = contribution[..., before + 1 :, :]
    return table


def worst_of(first: Array, second: Array) -> Array:
    """Return the distribution of the worse of two independent contributions over the same, aligned axes."""
    better = np.zeros_like(first)
    better[..., 1:, :] = np.cumsum(first, axis=-2)[..., :-1, :]
    return first * np.cumsum(second, axis=-2) + second * better


def chain(
    name: str,
    states: tuple[str, ...],
    contributions: Sequence[Contribution],
    cards: Callable[[str], int],
    max_columns: int,
) -> Iterable[Node]:
    """Yield the links of a node that takes the worst of its contributions; the last link bears the node's name.

    Args:
        name: Name of the node.
        states: Its states, from the least to the worst.
        contributions: All reasons, independent given their parents.
        cards: Number of states of a parent.
        max_columns: Contributions are put into one link as long as its table has at most so many columns.
    """
    groups = _grouped(contributions, cards, len(states), max_columns)
    before: str | None = None
    for number, group in enumerate(groups, start=1):
        link = name if number == len(groups) else f"{name}__{number}"
        parents = tuple(dict.fromkeys(p for item in group for p in item.parents))
        fill = _together(group, parents, tuple(cards(p) for p in parents))
        if before is None:
            yield Node(link, states, parents, fill)
        else:
            yield Node(link, states, (before, *parents), _linked(fill), link=True, added=fill)
        before = link


def _linked(fill: Fill) -> Fill:
    return lambda numbers: link_table(fill(numbers))


def _grouped(
    contributions: Sequence[Contribution], cards: Callable[[str], int], states: int, max_columns: int
) -> list[list[Contribution]]:
    groups: list[list[Contribution]] = []
    parents: set[str] = set()
    for item in contributions:
        together = parents | set(item.parents)
        columns = np.prod([cards(p) for p in together], initial=1) * (states if len(groups) > 1 else 1)
        if groups and columns <= max_columns:
            groups[-1].append(item)
            parents = together
        else:
            groups.append([item])
            parents = set(item.parents)
    return groups


def _together(group: Sequence[Contribution], parents: tuple[str, ...], cards: tuple[int, ...]) -> Fill:
    def fill(numbers: Draws) -> Array:
        result: Array | None = None
        for item in group:
            table = _aligned(item.fill(numbers), item.parents, parents)
            result = table if result is None else worst_of(result, table)
        if result is None:
            msg = "a node must have at least one contribution"
            raise ValueError(msg)
        shape = (*cards, *result.shape[-2:])
        return np.ascontiguousarray(result if result.shape == shape else np.broadcast_to(result, shape))

    return fill


def _aligned(table: Array, own: tuple[str, ...], all_parents: tuple[str, ...]) -> Array:
    """Give a table the axes of all parents; those that it does not depend on have length 1."""
    if own == all_parents:
        return table
    order = sorted(range(len(own)), key=lambda axis: all_parents.index(own[axis]))
    table = table.transpose(*order, len(own), len(own) + 1)
    shape = iter(table.shape[:-2])
    return table.reshape(*(next(shape) if p in own else 1 for p in all_parents), *table.shape[-2:])
