"""Make a question smaller before it is planned, without changing its answer.

Two exact reductions, for any network: states that the evidence rules out are dropped (arc consistency on the supports
of the tables), and states that no table can tell apart are merged (a lumping, children before parents). In a chain that
takes the worst of many contributions both leave two states where the end of the chain was seen: at the state seen, and
below it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scope = tuple[str, ...]

_SAME = 1e-13
"""Relative difference below which two rows of a table are the same numbers summed in another order."""


@dataclass(frozen=True, slots=True)
class Classes:
    """For one variable, the class of each state, or -1 where it is ruled out.

    Attributes:
        of_state: Shape ``(states,)``.
        count: Number of classes.
        first: Shape ``(count,)``: one state of each class.
    """

    of_state: NDArray[np.intp]
    count: int
    first: NDArray[np.intp]


def _classes(of_state: NDArray[np.intp]) -> Classes:
    count = int(of_state.max()) + 1
    first = np.array([int(np.argmax(of_state == index)) for index in range(count)], dtype=np.intp)
    return Classes(of_state, count, first)


def possible_states(
    scopes: Sequence[Scope], supports: Sequence[NDArray[np.bool_]], states: Mapping[str, NDArray[np.bool_]]
) -> dict[str, NDArray[np.bool_]] | None:
    """Return the states that some table still allows, or ``None`` when a variable has none left.

    Args:
        scopes: Scope of every table.
        supports: For every table, where it is above zero in any draw; shape: the cards of its scope.
        states: For every variable, the states that its own evidence allows.
    """
    left = dict(states)
    users: dict[str, list[int]] = {name: [] for name in states}
    for number, scope in enumerate(scopes):
        for name in scope:
            users[name].append(number)
    waiting = dict.fromkeys(range(len(scopes)))
    while waiting:
        number = next(iter(waiting))
        del waiting[number]
        scope = scopes[number]
        allowed = supports[number]
        for axis, name in enumerate(scope):
            mask = left[name]
            if not mask.all():
                allowed = allowed & mask.reshape([-1 if other == axis else 1 for other in range(len(scope))])
        for axis, name in enumerate(scope):
            seen = allowed.any(axis=tuple(other for other in range(len(scope)) if other != axis))
            if (seen < left[name]).any():
                left[name] = left[name] & seen
                if not left[name].any():
                    return None
                waiting.update(dict.fromkeys(other for other in users[name] if other != number))
    return left


def merge(
    nodes: Sequence[str],
    scopes: Mapping[str, Scope],
    tables: Mapping[str, Array],
    left: Mapping[str, NDArray[np.bool_]],
    kept: frozenset[str],
) -> dict[str, Classes]:
    """Return the classes of states that no table of a child can tell apart.

    Args:
        nodes: All variables, parents before children.
        scopes: Scope of the table of each node; the node itself is last.
        tables: The table of each node; on the last axis, random mixtures of all draws, which tell what is equal in
            every draw from what is equal in some.
        left: For every variable, the states that are possible.
        kept: Variables whose states must stay apart.
    """
    children: dict[str, list[str]] = {name: [] for name in left}
    for node in nodes:
        for parent in scopes[node]:
            if parent != node and parent in children:
                children[parent].append(node)
    found: dict[str, Classes] = {}
    folded: dict[str, Array] = {}
    for node in reversed(nodes):
        if node in left:
            states = np.flatnonzero(left[node])
            of_state = np.full(len(left[node]), -1, dtype=np.intp)
            if node in kept:
                of_state[states] = np.arange(len(states))
            else:
                rows = [
                    np.moveaxis(folded[child], scopes[child].index(node), 0)[states].reshape(len(states), -1)
                    for child in children[node]
                ]
                of_state[states] = _groups(np.concatenate(rows, axis=1) if rows else np.zeros((len(states), 0)))
            found[node] = _classes(of_state)
        folded[node] = _fold_child(tables[node], scopes[node], node, left, found)
    return found


def _groups(rows: Array) -> list[int]:
    """Return for each row the number of the first row that equals it, counted without gaps."""
    kinds: list[Array] = []
    result = []
    for row in rows:
        for number, other in enumerate(kinds):
            if (np.abs(row - other) <= _SAME * other).all():
                result.append(number)
                break
        else:
            result.append(len(kinds))
            kinds.append(row)
    return result


def _fold_child(
    table: Array, scope: Scope, node: str, left: Mapping[str, NDArray[np.bool_]], found: Mapping[str, Classes]
) -> Array:
    """Sum the node's own axis over its classes and blank what is ruled out on the other axes."""
    for axis, name in enumerate(scope):
        if name != node and not left[name].all():
            shape = [-1 if other == axis else 1 for other in range(table.ndim)]
            table = np.where(left[name].reshape(shape), table, 0.0)
    if node in found:
        table = _sum_classes(table, scope.index(node), found[node])
    return table


def _sum_classes(table: Array, axis: int, classes: Classes) -> Array:
    moved = np.moveaxis(table, axis, 0)
    result = np.zeros((classes.count, *moved.shape[1:]))
    for state, group in enumerate(classes.of_state):
        if group >= 0:
            result[group] += moved[state]
    return np.moveaxis(result, 0, axis)


def fold(table: Array, scope: Scope, node: str, classes: Mapping[str, Classes]) -> Array:
    """Return a table over classes: the node's own axis summed, the others by one state of each class."""
    for axis, name in enumerate(scope):
        group = classes[name]
        if group.count == len(group.of_state):
            continue
        table = _sum_classes(table, axis, group) if name == node else np.take(table, group.first, axis=axis)
    return table
