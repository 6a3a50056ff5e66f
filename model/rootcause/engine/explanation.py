"""The most probable explanation: the likeliest states of all nodes together, given the evidence.

Variable elimination with maxima in place of sums, which keeps where each maximum was found and reads the states back in
reverse (Darwiche 2009, section 10.3). Links inside a gate are no nodes of their own and are summed out first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.layout import Shape, Tables
from rootcause.errors import ModelTooLargeError

Array = NDArray[np.float64]
Factor = tuple[tuple[str, ...], Array]

LARGEST_TABLE = 250_000_000
"""Bytes that one table may take."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A state for every node.

    Attributes:
        states: By node; observed nodes included.
        log_probability: ln P(these states and the evidence); virtual evidence counts with its largest likelihood as 1.
    """

    states: Mapping[str, str]
    log_probability: float


def most_probable(shape: Shape, tables: Tables, weights: Mapping[str, Array]) -> Explanation | None:
    """Return the most probable explanation, or ``None`` if the evidence is impossible.

    Args:
        shape: Structure of the network.
        tables: Its tables.
        weights: By node, a likelihood for each state.

    Raises:
        ModelTooLargeError: If a table would not fit.
    """
    seen = {name: int(np.argmax(w)) for name, w in weights.items() if np.count_nonzero(w) == 1}
    factors = [_slice((*shape.parents[name], name), tables(name)[..., 0], seen) for name in shape.states]
    factors += [((name,), weight) for name, weight in weights.items() if name not in seen]
    log = 0.0
    inside = [shape.parents[name][0] for name in shape.links if shape.parents[name][0] not in weights]
    cards = {name: len(states) for name, states in shape.states.items() if name not in seen}
    choices: list[tuple[str, tuple[str, ...], NDArray[np.intp]]] = []
    for group, maximise in ((inside, False), ([name for name in cards if name not in set(inside)], True)):
        waiting = [name for name in group if name in cards]
        while waiting:
            name = _cheapest(waiting, factors, cards)
            waiting.remove(name)
            scope, table = _product([factor for factor in factors if name in factor[0]], cards)
            axis = scope.index(name)
            rest = scope[:axis] + scope[axis + 1 :]
            if maximise:
                choices.append((name, rest, table.argmax(axis=axis)))
            table = table.max(axis=axis) if maximise else table.sum(axis=axis)
            peak = float(table.max())
            if peak <= 0:
                return None
            log += math.log(peak)
            factors = [factor for factor in factors if name not in factor[0]]
            factors.append((rest, table / peak))
    for _, table in factors:
        if float(table) <= 0:
            return None
        log += math.log(float(table))
    found = dict(seen)
    for name, rest, choice in reversed(choices):
        found[name] = int(choice[tuple(found[other] for other in rest)])
    named = {name: shape.states[name][found[name]] for name in shape.states if name in found}
    return Explanation(named, log)


def _slice(scope: tuple[str, ...], table: Array, seen: Mapping[str, int]) -> Factor:
    index = tuple(seen.get(name, slice(None)) for name in scope)
    return tuple(name for name in scope if name not in seen), np.asarray(table[index])


def _cheapest(waiting: Sequence[str], factors: Iterable[Factor], cards: Mapping[str, int]) -> str:
    scopes: dict[str, set[str]] = {name: set() for name in waiting}
    for scope, _ in factors:
        for name in scope:
            if name in scopes:
                scopes[name].update(scope)
    return min(waiting, key=lambda name: math.prod(cards[other] for other in scopes[name]))


def _product(factors: Sequence[Factor], cards: Mapping[str, int]) -> Factor:
    scope = tuple(dict.fromkeys(name for own, _ in factors for name in own))
    size = 8.0 * math.prod(cards[name] for name in scope)
    if size > LARGEST_TABLE:
        msg = (
            f"network: a table of the most probable explanation may take {LARGEST_TABLE / 1e6:g} MB, "
            f"got {size / 1e6:.3g} MB over {', '.join(scope)}"
        )
        raise ModelTooLargeError(msg)
    result = np.ones([cards[name] for name in scope])
    for own, table in factors:
        order = sorted(range(len(own)), key=lambda axis: scope.index(own[axis]))
        shape = [cards[name] if name in own else 1 for name in scope]
        result = result * table.transpose(order).reshape(shape)
    return scope, result
