"""Simulated cases: draws from P(. | what is given), and how usual a case is among them; for any compiled network."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, nearest

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = Mapping[str, Array]
Method = Literal["direct", "rejection", "chain"]

MOST_TRIES = 1_000_000
"""Expected draws up to which what is given is met by rejection; beyond it nodes are drawn from exact posteriors."""

_LARGEST_BLOCK = 1 << 15

_SAME = 1e-9
"""Difference of ln P up to which two patterns count as equally probable."""


@dataclass(frozen=True, slots=True)
class Simulated(Mapping[str, Ints]):
    """Simulated cases: a mapping from a node to the number of its state in each.

    Attributes:
        states: By node, shape ``(n,)``.
        n: How many were drawn.
        method: How what is given was met: it stands at the roots (``direct``), cases were drawn until it came out
            (``rejection``), or one node after another was drawn from its exact posterior (``chain``). Whichever it was,
            the cases are independent draws from the distribution asked for, so each counts as one.
    """

    states: Mapping[str, Ints]
    n: int
    method: Method

    def __getitem__(self, name: str) -> Ints:
        return self.states[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.states)

    def __len__(self) -> int:
        return len(self.states)


@dataclass(frozen=True, slots=True)
class Percentile:
    """How usual a case is among simulated ones in whom the same things were examined.

    Attributes:
        share: Share of cases that are as improbable as this one or more, this one among them, in (0, 1]. Of cases that
            the network itself makes, at most a share p comes out at p or below, for any p (Besag & Clifford 1989).
        as_improbable: How many of the simulated cases are as improbable or more.
        n: Simulated cases.
        patterns: Different patterns among them.
        log_evidence: ln P(evidence | given).
        method: As for ``Simulated``.
    """

    share: float
    as_improbable: int
    n: int
    patterns: int
    log_evidence: float
    method: Method


def simulate(
    engine: Engine,
    n: int,
    seed: int,
    given: Mapping[str, Observation] | None = None,
    nodes: Iterable[str] | None = None,
) -> Simulated:
    """Draw cases from P(nodes | given) (forward sampling; Henrion 1988).

    Only the nodes that the answer hangs on are drawn. What is given at the roots, or below nodes that are given, is
    drawn from its own posterior. The rest of what is given is met by rejection, likelihoods being the chance to be
    kept; where that would take more than ``MOST_TRIES`` draws, the nodes that it hangs on are drawn by the chain rule,
    each from its exact posterior given those before. There are no weights that could degenerate: the cases are
    independent draws from P(nodes | given), however rare that is.

    Args:
        engine: A compiled network.
        n: How many cases, at least 1.
        seed: The same seed gives the same cases.
        given: What holds in all of them; a likelihood counts with its largest value taken as 1.
        nodes: The nodes wanted; ``None`` asks for all.

    Raises:
        InvalidInputError: If ``n`` is below 1, or a node or state is unknown.
        ImpossibleEvidenceError: If what is given has probability zero.
    """
    if n < 1:
        raise InvalidInputError(f"n: must be a whole number from 1, got {n!r}")
    wanted = list(dict.fromkeys(engine.states if nodes is None else nodes))
    for name in wanted:
        if name not in engine.states:
            raise InvalidInputError(f"nodes: must name known nodes, got {name!r}{nearest(str(name), engine.states)}")
    weights = engine.weights(given or {})
    logs = float(engine.log_probability(weights)[0])
    if logs == -math.inf:
        raise ImpossibleEvidenceError(engine.clash(weights))
    generator = np.random.default_rng(seed)
    early = engine.relevant(weights)
    settled = _settled(engine, early, weights)
    method: Method = "direct"
    if all(name in settled for name in weights):
        drawn = _forward(engine, early, {name: weights[name] for name in settled}, {}, n, generator)
    else:
        clamped = {name: weights[name] for name in settled}
        chance = math.exp(min(0.0, logs - float(engine.log_probability(clamped)[0])))
        if n <= chance * MOST_TRIES:
            method = "rejection"
            drawn = _by_rejection(engine, early, weights, clamped, n, chance, generator)
        else:
            method = "chain"
            drawn = _by_chain(engine, early, given or {}, n, generator)
    late = [name for name in engine.relevant(wanted) if name not in drawn]
    drawn = _forward(engine, late, {}, drawn, n, generator)
    return Simulated({name: drawn[name] for name in wanted}, n, method)


def percentile_of_evidence(
    engine: Engine,
    evidence: Mapping[str, Observation],
    given: Mapping[str, Observation] | None = None,
    n: int = 400,
    seed: int = 0,
) -> Percentile:
    """Return how usual evidence is among simulated cases in whom the same nodes were looked at.

    A list of states, or a likelihood for each state, is read as a test with two outcomes: with the chance that the
    list or table gives (its largest value taken as 1) a simulated case shows what was reported, else the opposite. So
    a vague observation is compared with observations as vague as itself. One that rules nothing out is left out.

    Args:
        engine: A compiled network.
        evidence: What was observed.
        given: What holds in all simulated cases; names none of the observed nodes.
        n: How many cases to simulate.
        seed: The same seed gives the same cases.

    Raises:
        InvalidInputError: As for ``simulate``, if a node is both observed and given, or if nothing was observed.
        ImpossibleEvidenceError: If the evidence, or what is given, has probability zero.
    """
    given = {name: seen for name, seen in (given or {}).items() if seen is not None}
    weights = {name: weight for name, weight in engine.weights(evidence).items() if weight.min() < 1.0}
    for name in weights:
        if name in given:
            raise InvalidInputError(f"evidence: must not name what is given, got {name!r} in both")
    if not weights:
        raise InvalidInputError("evidence: at least one observation must rule something out, got none")
    cases = simulate(engine, n, seed, given, weights)
    generator = np.random.default_rng([seed, 1])
    own, shown = [], []
    for name, weight in weights.items():
        hard = np.count_nonzero(weight) == 1
        own.append(int(np.argmax(weight)) if hard else 1)
        shown.append(cases[name] if hard else (generator.random(n) < weight[cases[name]]).astype(np.int64))
    patterns, counts = np.unique(np.stack(shown, axis=1), axis=0, return_counts=True)
    logs = _log_patterns(engine, weights, given, np.concatenate([np.array([own]), patterns]))
    if logs[0] == -math.inf:
        raise ImpossibleEvidenceError(engine.clash(engine.weights({**given, **evidence})))
    as_improbable = int(counts[logs[1:] <= logs[0] + _SAME].sum())
    share = (as_improbable + 1) / (n + 1)
    before = float(engine.log_probability(engine.weights(given))[0])
    return Percentile(share, as_improbable, n, len(patterns), float(logs[0]) - before, cases.method)


def _log_patterns(engine: Engine, weights: Weights, given: Mapping[str, Observation], codes: Ints) -> Array:
    """Return ln P(pattern, given) for rows of codes: a state, or whether a vague observation came out as reported."""
    columns: dict[str, Any] = {name: [seen] * len(codes) for name, seen in given.items()}
    logs = np.zeros(len(codes))
    for (name, weight), column in zip(weights.items(), codes.T, strict=True):
        if np.count_nonzero(weight) == 1:
            columns[name] = np.ascontiguousarray(column)
            continue
        states = engine.states[name]
        outcomes = [dict(zip(states, chance.tolist(), strict=True)) for chance in (1 - weight, weight)]
        columns[name] = [outcomes[code] for code in column.tolist()]
        logs += np.where(column == 0, math.log((1 - weight).max()), 0.0)  # the engine takes the largest as 1
    return logs + engine.run_batch(columns, ()).log_evidence


def _settled(engine: Engine, early: Iterable[str], weights: Weights) -> set[str]:
    """Return the nodes with evidence all of whose ancestors are known: their posterior is one row of their table."""
    known: set[str] = set()
    settled = set()
    for name in early:
        if name in weights and known.issuperset(engine.parents(name)):
            settled.add(name)
            if np.count_nonzero(weights[name]) == 1:
                known.add(name)
    return settled


def _forward(
    engine: Engine,
    names: Iterable[str],
    weights: Weights,
    start: Mapping[str, Ints],
    n: int,
    generator: np.random.Generator,
) -> dict[str, Ints]:
    """Draw nodes, parents first; a node with a likelihood from its row times that."""
    drawn = dict(start)
    for name in names:
        drawn[name] = _draw(_rows(engine, name, weights.get(name)), _at(engine, name, drawn, n), generator)
    return drawn


def _rows(engine: Engine, name: str, weight: Array | None = None) -> Array:
    """Return the table of a node, times a likelihood, one row for each state of its parents together."""
    table = engine.table(name)
    rows: Array = table.reshape(-1, table.shape[-1])
    return rows if weight is None else rows * weight


def _at(engine: Engine, name: str, drawn: Mapping[str, Ints], n: int) -> Ints:
    """Return for each case the row of a node's table."""
    at = np.zeros(n, dtype=np.int64)
    for parent in engine.parents(name):
        at *= len(engine.states[parent])
        at += drawn[parent]
    return at


def _draw(rows: Array, at: Ints, generator: np.random.Generator) -> Ints:
    """Draw a state for each case from its row; rows need not sum to 1. A row of zeros gives the last state."""
    steps = np.cumsum(rows, axis=1)
    heights = generator.random(len(at)) * steps[at, -1]
    state = np.zeros(len(at), dtype=np.int64)
    for column in range(rows.shape[1] - 1):  # the states are few, the cases many
        state += steps[at, column] <= heights
    return state


def _by_rejection(
    engine: Engine,
    early: tuple[str, ...],
    weights: Weights,
    clamped: Weights,
    n: int,
    chance: float,
    generator: np.random.Generator,
) -> dict[str, Ints]:
    """Draw until ``n`` cases are kept; one is kept with the likelihood of what is given and not clamped."""
    kept: dict[str, list[Ints]] = {name: [] for name in early}
    missing = n
    while missing > 0:
        block = min(_LARGEST_BLOCK, math.ceil(1.2 * missing / chance) + 16)
        alive = np.arange(block)
        drawn: dict[str, Ints] = {}
        for name in early:
            drawn[name] = _draw(_rows(engine, name, clamped.get(name)), _at(engine, name, drawn, len(alive)), generator)
            if name in weights and name not in clamped:
                keep = generator.random(len(alive)) < weights[name][drawn[name]]
                alive = alive[keep]
                drawn = {other: states[keep] for other, states in drawn.items()}
        for name, states in drawn.items():
            kept[name].append(states[:missing])
        missing -= len(alive)
    return {name: np.concatenate(parts) for name, parts in kept.items()}


def _by_chain(
    engine: Engine, early: tuple[str, ...], given: Mapping[str, Observation], n: int, generator: np.random.Generator
) -> dict[str, Ints]:
    """Draw nodes one after another, each from its posterior given those before; equal cases are asked about once."""
    seen = {name: observed for name, observed in given.items() if observed is not None}
    drawn: dict[str, Ints] = {}
    patterns, at = np.zeros((1, 0), dtype=np.int64), np.zeros(n, dtype=np.int64)
    for name in early:
        columns: dict[str, Any] = {other: [observed] * len(patterns) for other, observed in seen.items()}
        columns |= {other: np.ascontiguousarray(column) for other, column in zip(drawn, patterns.T, strict=True)}
        rows = engine.run_batch(columns, [name]).posterior[name]
        drawn[name] = _draw(rows, at, generator)
        both = np.stack([at, drawn[name]], axis=1)
        pairs, at = np.unique(both, axis=0, return_inverse=True)
        at = at.reshape(-1)
        patterns = np.concatenate([patterns[pairs[:, 0]], pairs[:, 1:]], axis=1)
    return drawn
