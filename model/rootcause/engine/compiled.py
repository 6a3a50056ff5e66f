"""Exact answers from any discrete Bayesian network.

The engine holds the structure of a network and its tables, all read-only. A query prunes what cannot matter (barren
nodes), slices what was observed, plans an elimination once for each pattern of evidence, and runs it.
"""

import math
import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.elimination import Plan, Scope, best_plan, run_backward, run_forward
from rootcause.engine.reduction import Classes, fold, merge, possible_states
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, ModelTooLargeError, nearest

Array = NDArray[np.float64]
Observation = str | Sequence[str] | Mapping[str, float] | None
"""A state, the states still possible, a likelihood for each state (only ratios matter), or nothing."""

Tables = Callable[[str], Array]
"""Gives the table of a node: shape ``(*cards of parents, card of the node, draws or 1)``."""

MEMORY_LIMIT = 2_000_000_000
"""Bytes that one table of a plan may take; a query that would need more is refused before it is run."""

_CHUNK_BYTES = 16_000_000
_LARGEST_CHUNK = 128
_TRIES = 6
"""Orders of elimination tried besides the usual ones where a plan is run for many draws."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The structure of a network.

    Attributes:
        states: States of every node, parents before children.
        parents: Parents of every node, in the order of its table's axes.
    """

    states: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Question:
    """A question made smaller: which tables to multiply, over which classes of states.

    Attributes:
        nodes: The nodes that matter, parents before children.
        seen: Index of the state of each node that is known.
        scopes: Scope of the table of each node, without what is known.
        classes: Classes of the states of each node that is not known.
        weighted: Nodes with a likelihood of their own in the product: evidence that is not sure, and targets. One that
            the other evidence leaves a single class still weighs in P(evidence), as a scalar.
        plan: How to eliminate.
    """

    nodes: tuple[str, ...]
    seen: Mapping[str, int]
    scopes: Mapping[str, Scope]
    classes: Mapping[str, Classes]
    weighted: tuple[str, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Marginals:
    """Posterior of each target and the logarithm of P(evidence), for each draw.

    Attributes:
        posterior: By node, shape ``(states, draws)``.
        log_evidence: Shape ``(draws,)``.
    """

    posterior: Mapping[str, Array]
    log_evidence: Array


class Engine:
    """A compiled network: structure, default tables, and plans that are kept for patterns already seen."""

    def __init__(self, shape: Shape, tables: Tables) -> None:
        """Keep the structure and the tables to use where a query brings none of its own."""
        self._shape = shape
        self._tables = tables
        self._cards = {name: len(states) for name, states in shape.states.items()}
        self._plan = lru_cache(maxsize=512)(_checked_plan)

    @property
    def states(self) -> Mapping[str, tuple[str, ...]]:
        """States of every node."""
        return self._shape.states

    def query(
        self, evidence: Mapping[str, Observation], targets: Iterable[str] | None = None
    ) -> dict[str, dict[str, float]]:
        """Return the posterior distribution of each target.

        Args:
            evidence: By node, what was observed.
            targets: The nodes asked for; ``None`` asks for every node that has no evidence.

        Raises:
            InvalidInputError: If a node or state is unknown, or a likelihood is negative, not finite or all zero.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        weights = self.weights(evidence)
        asked = self._targets(targets, weights)
        found = self.marginals(weights, asked)
        return {name: dict(zip(self.states[name], found.posterior[name][:, 0].tolist(), strict=True)) for name in asked}

    def query_batch(
        self, evidence: Mapping[str, Sequence[Observation]], targets: Iterable[str] | None = None
    ) -> dict[str, Array]:
        """Return the posteriors for many cases.

        Args:
            evidence: By node, one observation for each case; ``None`` is not observed.
            targets: The nodes asked for; ``None`` asks for every node that has no column.

        Returns:
            By target, shape ``(cases, states)``.

        Raises:
            InvalidInputError: If columns differ in length, or as for ``query``.
            ImpossibleEvidenceError: If the evidence of a case has probability zero.
        """
        lengths = {name: len(column) for name, column in evidence.items()}
        if len(set(lengths.values())) > 1:
            msg = f"evidence: every column must have the same length, got {lengths}"
            raise InvalidInputError(msg)
        cases = next(iter(lengths.values()), 1)
        for name in evidence:
            self._known(name)
        asked = self._targets(targets, evidence)
        result = {name: np.empty((cases, self._cards[name])) for name in asked}
        for row in range(cases):
            observed = {name: column[row] for name, column in evidence.items() if column[row] is not None}
            found = self.marginals(self.weights(observed), asked)
            for name in asked:
                result[name][row] = found.posterior[name][:, 0]
        return result

    def log_evidence(self, evidence: Mapping[str, Observation]) -> float:
        """Return the natural logarithm of P(evidence).

        Virtual evidence counts with its largest likelihood taken as 1.

        Raises:
            InvalidInputError: As for ``query``.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        weights = self.weights(evidence)
        found = float(self.log_probability(weights)[0])
        if not math.isfinite(found):
            raise ImpossibleEvidenceError(self.clash(weights))
        return found

    def weights(self, evidence: Mapping[str, Observation]) -> dict[str, Array]:
        """Return the evidence as one likelihood vector for each observed node, scaled to a maximum of 1."""
        return {name: self._weight(name, observed) for name, observed in evidence.items() if observed is not None}

    def log_probability(self, weights: Mapping[str, Array], tables: Tables | None = None, draws: int = 1) -> Array:
        """Return ln P(evidence) for likelihood vectors, for each draw; minus infinity where it is impossible.

        Returns:
            Shape ``(draws,)``.
        """
        return self._run(weights, (), tables or self._tables, draws).log_evidence

    def possible(self, weights: Mapping[str, Array]) -> bool:
        """Return whether evidence has a probability above zero."""
        return bool(np.isfinite(self.log_probability(weights)[0]))

    def marginals(
        self, weights: Mapping[str, Array], targets: Iterable[str], tables: Tables | None = None, draws: int = 1
    ) -> Marginals:
        """Return posteriors for likelihood vectors, for each draw of the tables.

        Args:
            weights: By node, a likelihood for each state, shape ``(states,)``.
            targets: The nodes asked for.
            tables: Tables to use instead of the engine's own; their last axis has length ``draws`` or 1.
            draws: Number of draws.

        Raises:
            ImpossibleEvidenceError: If the evidence has probability zero in every draw. A single draw in which it has
                is told by a ``log_evidence`` of minus infinity.
        """
        found = self._run(weights, tuple(targets), tables or self._tables, draws)
        if not np.isfinite(found.log_evidence).any():
            raise ImpossibleEvidenceError(self.clash(weights))
        return found

    def relevant(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the nodes that the given nodes hang on, and these, parents before children."""
        found = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self._shape.parents[name])
        return tuple(name for name in self.states if name in found)

    def clash(self, weights: Mapping[str, Array]) -> list[str]:
        """Return a clashing set of observations from which nothing can be left out, in words."""
        kept = dict(weights)
        for name in weights:
            rest = {other: weight for other, weight in kept.items() if other != name}
            if not self.possible(rest):
                kept = rest
        return [f"{name} = {self._in_words(name, weight)}" for name, weight in kept.items()]

    def _in_words(self, name: str, weight: Array) -> str:
        return " or ".join(str(state) for state, value in zip(self.states[name], weight, strict=True) if value > 0)

    def _known(self, name: str) -> None:
        if name not in self.states:
            msg = f"evidence: every node must be in the network, got {name!r}{nearest(str(name), self.states)}"
            raise InvalidInputError(msg)

    def _targets(self, targets: Iterable[str] | None, observed: Iterable[str]) -> tuple[str, ...]:
        if targets is None:
            seen = set(observed)
            return tuple(name for name in self.states if name not in seen)
        asked = tuple(dict.fromkeys([targets] if isinstance(targets, str) else targets))
        for name in asked:
            self._known(name)
        return asked

    def _weight(self, name: str, observed: Observation) -> Array:
        self._known(name)
        states = self.states[name]
        if isinstance(observed, Mapping):
            named: list[Any] = list(observed)
        elif isinstance(observed, str) or _is_state(observed, states):
            named = [observed]
        elif isinstance(observed, Iterable):
            named = list(observed)
        else:
            msg = f"{name}: must be a state, a list of states or a likelihood for each state, got {observed!r}"
            raise InvalidInputError(msg)
        for state in named:
            if state not in states:
                known = [str(known) for known in states]
                msg = f"{name}: must be one of {', '.join(known)}, got {state!r}{nearest(str(state), known)}"
                raise InvalidInputError(msg)
        likelihoods = observed if isinstance(observed, Mapping) else dict.fromkeys(named, 1.0)
        return _scaled(name, np.array([_number(name, likelihoods.get(state, 0.0)) for state in states]))

    def _ask(
        self, weights: Mapping[str, Array], targets: tuple[str, ...], tables: Mapping[str, Array], tries: int
    ) -> _Question | None:
        """Prune, slice and merge; ``None`` where the supports alone show that the evidence is impossible."""
        nodes = self.relevant({*weights, *targets})
        seen = {name: int(np.argmax(w)) for name, w in weights.items() if np.count_nonzero(w) == 1}
        scopes = {n: tuple(x for x in (*self._shape.parents[n], n) if x not in seen) for n in nodes}
        sliced = {name: _mixtures(self._sliced(name, tables[name], seen)) for name in nodes}
        free = [name for name in nodes if name not in seen]
        allowed = {n: weights[n] > 0 if n in weights else np.ones(self._cards[n], dtype=np.bool_) for n in free}
        supports = [np.asarray((sliced[name] > 0).any(axis=-1)) for name in nodes]
        left = possible_states([scopes[name] for name in nodes], supports, allowed)
        if left is None:
            return None
        weighted = tuple(name for name in free if name in weights or name in targets)
        classes = merge(nodes, scopes, sliced, left, frozenset(weighted))
        cards = {name: group.count for name, group in classes.items() if group.count > 1}
        weighted = tuple(name for name in weighted if name in cards or name in weights)
        reduced = [tuple(x for x in scope if x in cards) for scope in (*map(scopes.__getitem__, nodes), *zip(weighted))]
        plan = self._plan(tuple(reduced), tuple(cards.items()), tries)
        return _Question(nodes, seen, scopes, classes, weighted, plan)

    def _run(self, weights: Mapping[str, Array], targets: tuple[str, ...], tables: Tables, draws: int) -> Marginals:
        full = {name: tables(name) for name in self.relevant({*weights, *targets})}
        question = self._ask(weights, targets, full, _TRIES if draws > 1 else 0)
        if question is None:
            return Marginals(MappingProxyType({}), np.full(draws, -np.inf))
        inputs = [self._input(question, name, full[name]) for name in question.nodes]
        inputs += [self._likelihood(question, name, weights) for name in question.weighted]
        size = max(1, min(_LARGEST_CHUNK, _CHUNK_BYTES // (8 * question.plan.largest)))
        starts = range(0, draws, size)

        def part(start: int) -> tuple[Mapping[str, Array], Array]:
            return _run_part(question, [_columns(table, start, size) for table in inputs], targets)

        if len(starts) == 1:
            parts = [part(0)]
        else:  # NumPy lets go of the interpreter lock while it multiplies
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                parts = list(pool.map(part, starts))
        lengths = [min(size, draws - start) for start in starts]
        posterior = {
            name: self._unfold(question, name, [found.get(name) for found, _ in parts], lengths) for name in targets
        }
        log_evidence = [np.broadcast_to(log, length) for (_, log), length in zip(parts, lengths, strict=True)]
        return Marginals(MappingProxyType(posterior), np.concatenate(log_evidence))

    def _input(self, question: _Question, name: str, table: Array) -> Array:
        """Return the table of a node over the classes that are left, without axes of length 1."""
        scope = question.scopes[name]
        sliced = self._sliced(name, table, question.seen)
        folded = fold(sliced, scope, name, question.classes)
        shape = [question.classes[other].count for other in scope if question.classes[other].count > 1]
        return folded.reshape(*shape, folded.shape[-1])

    def _likelihood(self, question: _Question, name: str, weights: Mapping[str, Array]) -> Array:
        first = question.classes[name].first
        weight = weights[name][first] if name in weights else np.ones(len(first))
        return weight if len(first) == 1 else weight[:, np.newaxis]

    def _unfold(self, question: _Question, name: str, parts: Sequence[Array | None], lengths: Sequence[int]) -> Array:
        """Give the posterior of a target back over all its states; shape ``(states, draws)``."""
        result = np.zeros((self._cards[name], sum(lengths)))
        if name in question.seen:
            result[question.seen[name]] = 1.0
            return result
        states = question.classes[name].first
        start = 0
        for found, length in zip(parts, lengths, strict=True):
            result[states, start : start + length] = 1.0 if found is None else found
            start += length
        return result

    def _sliced(self, name: str, table: Array, seen: Mapping[str, int]) -> Array:
        index = tuple(seen.get(other, slice(None)) for other in (*self._shape.parents[name], name))
        result: Array = table[index]
        return result


def _run_part(question: _Question, inputs: Sequence[Array], targets: tuple[str, ...]) -> tuple[dict[str, Array], Array]:
    """Return the posterior of each target that is still open, over its classes, and log P(evidence)."""
    forward = run_forward(question.plan, inputs)
    place = {name: len(question.nodes) + index for index, name in enumerate(question.weighted)}
    asked = {name: place[name] for name in targets if name in place and question.classes[name].count > 1}
    slopes = run_backward(question.plan, forward, tuple(asked.values())) if asked else {}
    posterior = {}
    for name, number in asked.items():
        joint = slopes[number] * inputs[number]
        total = joint.sum(axis=0)
        posterior[name] = joint / np.where(total > 0, total, 1.0)
    return posterior, forward.log_probability


def _checked_plan(scopes: tuple[Scope, ...], cards: tuple[tuple[str, int], ...], tries: int) -> Plan:
    """Return the best plan, if its tables fit."""
    sizes = dict(cards)
    plan = best_plan(scopes, sizes, tries)
    if plan.largest * 8 > MEMORY_LIMIT:
        widest = max(plan.scopes, key=lambda scope: math.prod(sizes[name] for name in scope))
        msg = (
            f"network: every table of the plan must fit in {MEMORY_LIMIT / 1e9:g} GB, "
            f"got {plan.largest * 8 / 1e9:.3g} GB over {', '.join(widest)}"
        )
        raise ModelTooLargeError(msg)
    return plan


def _is_state(observed: Any, states: Sequence[object]) -> bool:  # noqa: ANN401 - whatever a user wrote
    return isinstance(observed, Hashable) and observed in states  # pgmpy's own names of states are numbers


def _mixtures(table: Array) -> Array:
    """Return two random mixtures of all draws: zero where every draw is, equal where all draws are (but by chance)."""
    draws = table.shape[-1]
    if draws == 1:
        return table
    return table @ np.random.default_rng(0).uniform(0.5, 1.5, (draws, 2))


def _columns(table: Array, start: int, size: int) -> Array:
    return table if table.shape[-1] == 1 else np.ascontiguousarray(table[..., start : start + size])


def _number(name: str, value: Any) -> float:  # noqa: ANN401 - whatever a user wrote
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        msg = f"{name}: a likelihood must be a number, got {value!r}"
        raise InvalidInputError(msg)
    try:
        return float(value)
    except OverflowError:
        msg = f"{name}: a likelihood must be finite, got an integer beyond floating point"
        raise InvalidInputError(msg) from None


def _scaled(name: str, weight: Array) -> Array:
    if not np.isfinite(weight).all():
        msg = f"{name}: every likelihood must be finite, got {weight.tolist()}"
        raise InvalidInputError(msg)
    if (weight < 0).any():
        msg = f"{name}: no likelihood may be negative, got {weight.tolist()}"
        raise InvalidInputError(msg)
    if not weight.any():
        msg = f"{name}: at least one state must be possible, got a likelihood that is zero everywhere"
        raise InvalidInputError(msg)
    scaled: Array = weight / weight.max()
    scaled.setflags(write=False)
    return scaled


def compile_network(network: Any) -> Engine:  # noqa: ANN401 - pgmpy has no types
    """Compile a discrete network into an engine that answers exactly.

    Args:
        network: A pgmpy ``DiscreteBayesianNetwork`` (or any object with its ``nodes``, ``get_parents`` and
            ``get_cpds``) with a table for every node.

    Raises:
        InvalidInputError: If a node has no table, or the tables do not fit together.
    """
    tables: dict[str, Array] = {}
    states: dict[str, tuple[str, ...]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for name in _sorted(network):
        table = network.get_cpds(name)
        if table is None:
            msg = f"{name}: every node must have a table, got none"
            raise InvalidInputError(msg)
        first, *rest = table.variables
        values = np.moveaxis(np.asarray(table.values, dtype=np.float64), 0, -1)[..., np.newaxis].copy()
        values.setflags(write=False)
        if set(rest) != set(network.get_parents(name)):
            msg = (
                f"{name}: its table must hang on its parents in the network, got {', '.join(map(str, rest)) or 'none'}"
            )
            raise InvalidInputError(msg)
        tables[first] = values
        states[first] = tuple(table.state_names[first])
        parents[first] = tuple(rest)
        for parent in rest:
            if tuple(table.state_names[parent]) != states[parent]:
                msg = f"{first}: its parent {parent} must have the states {states[parent]}, got others"
                raise InvalidInputError(msg)
    _check_sums(tables)
    return Engine(Shape(MappingProxyType(states), MappingProxyType(parents)), tables.__getitem__)


def _check_sums(tables: Mapping[str, Array]) -> None:
    for name, table in tables.items():
        if not np.isfinite(table).all() or (table < 0).any() or not np.allclose(table.sum(axis=-2), 1, atol=1e-6):
            msg = f"{name}: every column of its table must be a distribution that sums to 1, got another"
            raise InvalidInputError(msg)


def _sorted(network: Any) -> list[str]:  # noqa: ANN401
    """Return the nodes, parents before children."""
    try:
        return list(TopologicalSorter({name: network.get_parents(name) for name in network.nodes()}).static_order())
    except CycleError as error:
        msg = f"network: must have no cycle, got one among {', '.join(map(str, error.args[1]))}"
        raise InvalidInputError(msg) from None
