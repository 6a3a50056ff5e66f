"""Variable elimination with all marginals in one backward pass.

A plan is a list of pairwise steps, each of which multiplies two tables and sums out what no other table mentions. It is
made once for a pattern of evidence (which variables are observed, not what was seen) and run for any tables of that
shape; a last axis of draws goes through every step. The marginals of all targets are the derivatives of P(evidence)
by the likelihoods of the targets' states (Darwiche 2003, 2009), taken by running the steps backwards.

All steps add and multiply what is not negative, so nothing cancels. A table whose entries have become small is scaled
to a maximum of 1 for every draw, and the logarithm of the scale is kept, so that small probabilities do not vanish.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scope = tuple[str, ...]

_SMALL = 1e-60
"""Largest entry of a table, inputs included, below which it is scaled; two such multiplied are still far above the
smallest float."""


@dataclass(frozen=True, slots=True)
class Step:
    """Multiply tables ``first`` and ``second`` and sum to ``scope``; without a second, only sum.

    Tables are numbered: first the inputs, then the result of each step in turn.
    """

    first: int
    second: int | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps that turn the input tables into scalars whose product is P(evidence).

    Attributes:
        scopes: Scope of every table: inputs, then results.
        inputs: How many of them are inputs.
        steps: The steps in order.
        scalars: Numbers of the tables that are left, all without scope.
        cost: Multiplications for one draw.
        largest: Entries of the largest table for one draw.
    """

    scopes: tuple[Scope, ...]
    inputs: int
    steps: tuple[Step, ...]
    scalars: tuple[int, ...]
    cost: int
    largest: int


def _size(scope: Iterable[str], cards: Mapping[str, int]) -> int:
    return math.prod(cards[name] for name in scope)


Criterion = Literal["weight", "fill"]
CRITERIA: tuple[Criterion, ...] = ("weight", "fill")
_BLUR = 1.25
_WORTH_TRYING = 100_000
"""Multiplications for one draw above which a better order pays for the search."""


def greedy_order(
    scopes: Sequence[Scope], cards: Mapping[str, int], criterion: Criterion, jitter: random.Random | None = None
) -> list[str]:
    """Return an order of elimination, the best next variable at every step (Darwiche 2009, section 9.3.2).

    Args:
        scopes: Scopes of the tables.
        cards: Number of states of each variable.
        criterion: ``weight``: the smallest new table; ``fill``: the fewest new neighbours. Ties go to the other
            criterion, then to the order of appearance.
        jitter: Blurs the criterion, so that another call finds another order about as good.
    """
    neighbours: dict[str, set[str]] = {}
    for scope in scopes:
        for name in scope:
            neighbours.setdefault(name, set()).update(scope)
    for name, others in neighbours.items():
        others.discard(name)
    position = {name: index for index, name in enumerate(neighbours)}

    def merit(name: str) -> tuple[float, int, int]:
        near = neighbours[name]
        weight = _size(near, cards)
        fill = sum(len(near - neighbours[other]) - 1 for other in near)
        first, second = (weight, fill) if criterion == "weight" else (fill, weight)
        blurred = first if jitter is None else (first + 1) * jitter.uniform(1, _BLUR)
        return blurred, second, position[name]

    merits = {name: merit(name) for name in neighbours}
    order = []
    while merits:
        chosen = min(merits, key=merits.__getitem__)
        order.append(chosen)
        near = neighbours.pop(chosen)
        del merits[chosen]
        for name in near:
            neighbours[name] |= near
            neighbours[name] -= {name, chosen}
        for name in near.union(*(neighbours[other] for other in near)):
            merits[name] = merit(name)
    return order


class _Planner:
    """Tables that are still to be multiplied, and the steps taken so far."""

    def __init__(self, scopes: Sequence[Scope], cards: Mapping[str, int]) -> None:
        self.scopes = list(scopes)
        self.steps: list[Step] = []
        self.alive = dict.fromkeys(range(len(scopes)))
        self.cost = 0
        self.largest = max((_size(scope, cards) for scope in scopes), default=1)
        self._cards = cards
        self._users: dict[str, set[int]] = defaultdict(set)
        for number, scope in enumerate(scopes):
            for name in scope:
                self._users[name].add(number)

    def eliminate(self, name: str) -> None:
        """Multiply all tables that mention the variable, the smallest first, and sum it out with the last."""
        bucket = sorted(self._users[name], key=lambda number: (_size(self.scopes[number], self._cards), number))
        current, *others = bucket
        if not others:
            self._step(current, None, name)
        for other in others:
            current = self._step(current, other, name if other == others[-1] else None)

    def _step(self, first: int, second: int | None, drop: str | None) -> int:
        union = dict.fromkeys(self.scopes[first] + (self.scopes[second] if second is not None else ()))
        scope = tuple(name for name in union if name != drop)
        self.cost += _size(union, self._cards)
        self.largest = max(self.largest, _size(scope, self._cards))
        for used in (first, second):
            if used is not None:
                del self.alive[used]
                for name in self.scopes[used]:
                    self._users[name].discard(used)
        number = len(self.scopes)
        self.scopes.append(scope)
        self.alive[number] = None
        for name in scope:
            self._users[name].add(number)
        self.steps.append(Step(first, second, scope))
        return number


def make_plan(scopes: Sequence[Scope], cards: Mapping[str, int], order: Sequence[str]) -> Plan:
    """Return the plan that eliminates the variables in the given order.

    Args:
        scopes: Scopes of the input tables.
        cards: Number of states of each variable.
        order: Every variable of the scopes, once.
    """
    planner = _Planner(scopes, cards)
    for name in order:
        planner.eliminate(name)
    return Plan(
        scopes=tuple(planner.scopes),
        inputs=len(scopes),
        steps=tuple(planner.steps),
        scalars=tuple(planner.alive),
        cost=planner.cost,
        largest=planner.largest,
    )


def best_plan(scopes: Sequence[Scope], cards: Mapping[str, int], tries: int = 0) -> Plan:
    """Return the cheapest plan among those of the greedy orders.

    Args:
        scopes: Scopes of the input tables.
        cards: Number of states of each variable.
        tries: How many blurred orders to try besides; worth it for a plan that is run for many draws.
    """
    plans = [make_plan(scopes, cards, greedy_order(scopes, cards, criterion)) for criterion in CRITERIA]
    if min(plan.cost for plan in plans) > _WORTH_TRYING:
        jitter = random.Random(0)  # noqa: S311 - the same plan every time, nothing secret
        plans += [make_plan(scopes, cards, greedy_order(scopes, cards, "fill", jitter)) for _ in range(tries)]
    return min(plans, key=lambda plan: plan.cost)


@dataclass(frozen=True, slots=True)
class Forward:
    """All tables of a run, scaled where they were small, with the logarithm of P(evidence) for each draw.

    Attributes:
        tables: Every table of the plan; the last axis is the draws.
        log_probability: Shape ``(draws,)``; minus infinity where the evidence is impossible.
    """

    tables: tuple[Array, ...]
    log_probability: Array


def run_forward(plan: Plan, inputs: Sequence[Array]) -> Forward:
    """Run the steps of a plan on tables of shape ``(*cards of the scope, draws or 1)``."""
    tables = list(inputs)
    log_probability = np.zeros(1)
    for number, table in enumerate(tables):
        scale = _scale(table)
        if scale is not None:
            tables[number] = table / scale
            log_probability = log_probability + np.log(scale)
    for step in plan.steps:
        result = _contract(plan, step, tables)
        scale = _scale(result)
        if scale is not None:
            result /= scale
            log_probability = log_probability + np.log(scale)
        tables.append(result)
    with np.errstate(divide="ignore"):  # the logarithm of zero says that the evidence is impossible
        for number in plan.scalars:
            log_probability = log_probability + np.log(tables[number])
    return Forward(tuple(tables), log_probability)


def _scale(table: Array) -> Array | None:
    """Return what to divide each draw by so that its largest entry is 1, or ``None`` while no draw needs it."""
    peak: Array = table.max(axis=tuple(range(table.ndim - 1)))
    if peak.min() > _SMALL:
        return None
    return np.where(peak > 0, peak, 1.0)


def _contract(plan: Plan, step: Step, tables: Sequence[Array]) -> Array:
    first = plan.scopes[step.first]
    labels = _labels(first, plan.scopes[step.second] if step.second is not None else ())
    out = [labels[name] for name in step.scope]
    operands: list[object] = [tables[step.first], [*(labels[name] for name in first), Ellipsis]]
    if step.second is not None:
        operands += [tables[step.second], [*(labels[name] for name in plan.scopes[step.second]), Ellipsis]]
    result: Array = np.einsum(*operands, [*out, Ellipsis])  # type: ignore[call-overload]
    return result


def _labels(*scopes: Scope) -> dict[str, int]:
    return {name: index for index, name in enumerate(dict.fromkeys(name for scope in scopes for name in scope))}


def run_backward(plan: Plan, forward: Forward, wanted: Iterable[int]) -> dict[int, Array]:
    """Return the derivative of P(evidence) by each wanted input table, up to a positive factor for each draw.

    Returns:
        By number of the input, shape ``(*cards of the scope, draws or 1)``.
    """
    needed = _needed(plan, wanted)
    slopes: dict[int, Array] = {number: np.ones(1) for number in plan.scalars}
    for offset in range(len(plan.steps) - 1, -1, -1):
        step = plan.steps[offset]
        slope = slopes.pop(plan.inputs + offset, None)
        if slope is None:
            continue
        if step.first in needed:
            slopes[step.first] = _slope(plan, forward, step, slope, step.first, step.second)
        if step.second is not None and step.second in needed:
            slopes[step.second] = _slope(plan, forward, step, slope, step.second, step.first)
    return {number: slopes[number] for number in wanted}


def _needed(plan: Plan, wanted: Iterable[int]) -> set[int]:
    """Return the tables on the way from the scalars to the wanted inputs."""
    needed = set(wanted)
    for offset, step in enumerate(plan.steps):
        if step.first in needed or step.second in needed:
            needed.add(plan.inputs + offset)
    return needed


def _slope(plan: Plan, forward: Forward, step: Step, slope: Array, own: int, other: int | None) -> Array:
    """Send the derivative by a result back to one of the two tables that made it."""
    scope = plan.scopes[own]
    other_scope = plan.scopes[other] if other is not None else ()
    reachable = set(step.scope) | set(other_scope)
    kept = tuple(name for name in scope if name in reachable)
    labels = _labels(step.scope, other_scope)
    operands: list[object] = [slope, [*(labels[name] for name in step.scope), Ellipsis]]
    if other is not None:
        operands += [forward.tables[other], [*(labels[name] for name in other_scope), Ellipsis]]
    result: Array = np.einsum(*operands, [*(labels[name] for name in kept), Ellipsis])  # type: ignore[call-overload]
    scale = _scale(result)
    if scale is not None:
        result = result / scale
    if kept != scope:  # summed out alone: the derivative is the same for every state
        result = result[tuple(slice(None) if name in kept else None for name in scope)]
        shape = tuple(forward.tables[own].shape[axis] for axis in range(len(scope)))
        result = np.broadcast_to(result, (*shape, result.shape[-1]))
    return result
