"""What further findings would tell: the reduction of entropy that is expected of them, one look or two looks ahead.

The information of a finding T about a node C is I(T; C | e) = H(C | e) - sum over t of P(t | e) H(C | e, t), in bits
and never negative: the ranking of tests by Gorry & Barnett (1968). Of several targets the entropies are added, which is
not the entropy of all of them together: targets need not exclude each other, and each counts as a question of its own.

Everything here, and what is built on it, goes through ``ask``, which has the engine say what would follow from each
finding alone, or through ``outcomes``: one batch of assignments to further findings.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, nearest

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_OUTCOMES = 20_000
"""Joint states of findings looked at together that are enumerated."""

_LEAST_REST = 1e-3
"""Probability of a first joint state below which it is asked by itself: a difference would lose too many digits."""

LEAST_BITS = 1e-6
"""A difference of information that is more than rounding."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What further findings would show; a row is an assignment of states to some of them.

    Attributes:
        nodes: The further findings.
        states: States of every node of the network.
        codes: The number of the state, or -1 where a row leaves a finding open; shape ``(rows, nodes)``.
        probability: P(row | evidence), zero where a row is impossible; shape ``(rows,)``.
        posterior: By target, given the evidence and the row; shape ``(rows, states)``, zero where it is impossible.
        before: By target, given the evidence alone; shape ``(states,)``.
    """

    nodes: tuple[str, ...]
    states: Mapping[str, tuple[str, ...]]
    codes: Ints
    probability: Array
    posterior: Mapping[str, Array]
    before: Mapping[str, Array]

    def assignment(self, row: int) -> dict[str, str]:
        """Return one row in words: by finding, its state."""
        pairs = zip(self.nodes, self.codes[row].tolist(), strict=True)
        return {name: self.states[name][code] for name, code in pairs if code >= 0}

    def marginal(self, node: str) -> "Outcomes":
        """Return the outcomes of one finding out of the joint states of several; a row for each of its states."""
        column = self.codes[:, self.nodes.index(node)]
        of_state = column == np.arange(len(self.states[node]))[:, np.newaxis]
        probability = of_state @ self.probability
        posterior = {}
        for name, values in self.posterior.items():
            mass = of_state @ (self.probability[:, np.newaxis] * values)
            posterior[name] = np.divide(
                mass, probability[:, np.newaxis], out=mass, where=probability[:, np.newaxis] > 0
            )
        codes = np.arange(len(self.states[node]))[:, np.newaxis]
        return Outcomes((node,), self.states, codes, probability, MappingProxyType(posterior), self.before)


@dataclass(frozen=True, slots=True)
class Information:
    """What a finding, or several seen together, would tell.

    Attributes:
        nodes: The findings.
        bits: I(findings; target | evidence), added over the targets; at least 0.
        by_target: The same for each target.
    """

    nodes: tuple[str, ...]
    bits: float
    by_target: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PairInformation:
    """What two findings would tell together, two looks ahead.

    Attributes:
        nodes: The two findings.
        bits: What both tell.
        alone: What each tells alone.
        synergy: ``bits`` less both of ``alone``: above 0, each makes the other tell more; below 0, they tell the same.
    """

    nodes: tuple[str, str]
    bits: float
    alone: tuple[float, float]
    synergy: float


def outcomes(
    engine: Engine, evidence: Mapping[str, Observation], nodes: Sequence[str], codes: Ints, targets: Iterable[str]
) -> Outcomes:
    """Return how probable assignments to further findings are, and what would follow from each, in one batch.

    A finding that the evidence leaves open (as a set or with likelihoods) may be among the further ones: a row then
    says which state it turns out to be.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        nodes: The further findings, each once.
        codes: The number of the state of each, or -1 where a row leaves it open; shape ``(rows, nodes)``.
        targets: The nodes asked for.

    Raises:
        InvalidInputError: If a node or state is unknown, or no target is named.
        ImpossibleEvidenceError: If the evidence alone has probability zero.
    """
    asked = tuple(dict.fromkeys([targets] if isinstance(targets, str) else targets))
    _some(asked)
    weights = engine.weights(evidence)
    for name in nodes:
        _known(name, engine)
    # The first row leaves everything open: what is known before.
    table = np.concatenate([np.full((1, len(nodes)), -1), np.reshape(codes, (len(codes), len(nodes)))])
    shift = np.zeros(len(table))
    columns: dict[str, Any] = {name: _repeated(weight, evidence[name], len(table)) for name, weight in weights.items()}
    for name, column in zip(nodes, table.T, strict=True):
        if name not in weights:
            columns[name] = np.ascontiguousarray(column)
            continue
        # A row settles what the evidence left open: its state keeps the likelihood that the evidence gave it.
        states = engine.states[name]
        columns[name] = [evidence[name] if code < 0 else states[code] for code in column.tolist()]
        with np.errstate(divide="ignore"):
            shift += np.where(column < 0, 0.0, np.log(weights[name][column]))
    found = engine.run_batch(columns, asked)
    logs, posterior = found.log_evidence, found.posterior
    if not columns:  # nothing is known and nothing asked: every row is the same
        logs = np.repeat(logs, len(table))
        posterior = {name: np.repeat(values, len(table), axis=0) for name, values in posterior.items()}
    if logs[0] == -np.inf:
        raise ImpossibleEvidenceError(engine.clash(weights))
    probability = np.exp(np.minimum(logs[1:] + shift[1:] - logs[0], 0.0))
    after = {name: np.where(probability[:, np.newaxis] > 0, values[1:], 0.0) for name, values in posterior.items()}
    before = {name: values[0] for name, values in posterior.items()}
    return Outcomes(
        tuple(nodes), engine.states, table[1:], probability, MappingProxyType(after), MappingProxyType(before)
    )


def ask(
    engine: Engine, evidence: Mapping[str, Observation], groups: Iterable[Sequence[str]], targets: Iterable[str]
) -> tuple[Outcomes, ...]:
    """Return the outcomes of each group of findings seen together.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        groups: Findings that are seen together; a row for each of their joint states, the last finding's fastest.
        targets: The nodes asked for.

    Raises:
        InvalidInputError: As for ``outcomes``, or if a group has more than ``MOST_OUTCOMES`` joint states.
        ImpossibleEvidenceError: If the evidence alone has probability zero.
    """
    every = [tuple(dict.fromkeys(group)) for group in groups]
    asked = tuple(dict.fromkeys([targets] if isinstance(targets, str) else targets))
    single = _each(engine, evidence, [group[0] for group in every if len(group) == 1], asked)
    several = iter(_several(engine, evidence, [group for group in every if len(group) != 1], asked))
    return tuple(single[group[0]] if len(group) == 1 else next(several) for group in every)


def _each(
    engine: Engine, evidence: Mapping[str, Observation], nodes: Sequence[str], asked: tuple[str, ...]
) -> dict[str, Outcomes]:
    """Return the outcomes of findings that are seen alone."""
    if not nodes:
        return {}
    _some(asked)
    for name in nodes:
        _known(name, engine)
    found = engine.query_each(evidence, nodes, asked)
    before = MappingProxyType(_arrays(engine.query(evidence, asked)))
    return {
        name: Outcomes(
            (name,),
            engine.states,
            np.arange(len(own.probability))[:, np.newaxis],
            np.minimum(own.probability, 1.0),
            MappingProxyType(dict(own.posterior)),
            before,
        )
        for name, own in found.items()
    }


def _several(
    engine: Engine, evidence: Mapping[str, Observation], every: Sequence[tuple[str, ...]], targets: tuple[str, ...]
) -> tuple[Outcomes, ...]:
    """Return the outcomes of groups in one batch."""
    if not every:
        return ()
    parts = [joint_states(engine, group) for group in every]
    found = _asked(engine, evidence, every, [part[1:] for part in parts], targets)
    whole = [
        _completed(part, one) if len(part) > 1 else _nothing_asked(one) for part, one in zip(parts, found, strict=True)
    ]
    rare = [number for number, one in enumerate(whole) if one.probability[0] < _LEAST_REST]
    if rare:
        firsts = _asked(
            engine, evidence, [every[number] for number in rare], [parts[number][:1] for number in rare], targets
        )
        for number, first in zip(rare, firsts, strict=True):
            whole[number] = _joined(first, found[number])
    return tuple(whole)


def _asked(
    engine: Engine,
    evidence: Mapping[str, Observation],
    groups: Sequence[tuple[str, ...]],
    parts: Sequence[Ints],
    targets: Iterable[str],
) -> list[Outcomes]:
    """Return the outcomes of some joint states of each group, in one batch."""
    nodes = tuple(dict.fromkeys(name for group in groups for name in group))
    ends = np.cumsum([0, *map(len, parts)]).tolist()
    codes = np.full((ends[-1], len(nodes)), -1, dtype=np.int64)
    for group, part, (start, stop) in zip(groups, parts, pairwise(ends), strict=True):
        codes[start:stop, [nodes.index(name) for name in group]] = part
    found = outcomes(engine, evidence, nodes, codes, targets)
    return [
        Outcomes(
            group,
            found.states,
            part,
            found.probability[start:stop],
            MappingProxyType({name: values[start:stop] for name, values in found.posterior.items()}),
            found.before,
        )
        for group, part, (start, stop) in zip(groups, parts, pairwise(ends), strict=True)
    ]


def _some(targets: Sequence[str]) -> None:
    if not targets:
        msg = "targets: at least one node must be named, got none"
        raise InvalidInputError(msg)


def _arrays(found: Mapping[str, Mapping[str, float]]) -> dict[str, Array]:
    return {name: np.array(list(shares.values())) for name, shares in found.items()}


def _completed(part: Ints, others: Outcomes) -> Outcomes:
    """Add the first joint state, which is what the others leave of all: one row less to ask for each group."""
    rest = max(0.0, 1.0 - float(others.probability.sum()))
    posterior = {}
    for name, values in others.posterior.items():
        mass = np.maximum(others.before[name] - others.probability @ values, 0.0)
        posterior[name] = np.concatenate([[mass / max(mass.sum(), np.finfo(float).tiny)], values])
    probability = np.concatenate([[rest], others.probability])
    return Outcomes(others.nodes, others.states, part, probability, MappingProxyType(posterior), others.before)


def _joined(first: Outcomes, others: Outcomes) -> Outcomes:
    """Put the first joint state, asked by itself, before the others."""
    posterior = {name: np.concatenate([values, others.posterior[name]]) for name, values in first.posterior.items()}
    return Outcomes(
        others.nodes,
        others.states,
        np.concatenate([first.codes, others.codes]),
        np.concatenate([first.probability, others.probability]),
        MappingProxyType(posterior),
        others.before,
    )


def _nothing_asked(none: Outcomes) -> Outcomes:
    """Return the one row of a group without findings: all stays as it is."""
    posterior = MappingProxyType({name: values[np.newaxis] for name, values in none.before.items()})
    return Outcomes(
        none.nodes, none.states, np.zeros((1, len(none.nodes)), np.int64), np.ones(1), posterior, none.before
    )


def joint_states(engine: Engine, nodes: Sequence[str]) -> Ints:
    """Return every joint state of some nodes, the last node's fastest; shape ``(joint states, nodes)``.

    Raises:
        InvalidInputError: If a node is unknown, or there are more than ``MOST_OUTCOMES`` joint states.
    """
    for name in nodes:
        _known(name, engine)
    cards = [len(engine.states[name]) for name in nodes]
    count = math.prod(cards)
    if count > MOST_OUTCOMES:
        msg = f"findings: those seen together may have {MOST_OUTCOMES:,} joint states, got {count:,}"
        raise InvalidInputError(msg)
    return np.indices(cards, dtype=np.int64).reshape(len(cards), count).T


def entropy(distribution: Array) -> Array:
    """Return the entropy in bits of distributions along the last axis; a row of zeros has none."""
    logs = np.log2(distribution, out=np.zeros_like(distribution), where=distribution > 0)
    bits: Array = np.maximum(-(distribution * logs).sum(axis=-1), 0.0)
    return bits


def information(found: Outcomes) -> Information:
    """Return what findings would tell about each target, from all of their joint states.

    Args:
        found: Rows that exclude each other and leave nothing out, as ``ask`` returns them.
    """
    total = found.probability.sum()
    by_target = {
        name: max(0.0, float(entropy(found.before[name]) - found.probability @ entropy(values) / total))
        for name, values in found.posterior.items()
    }
    return Information(found.nodes, sum(by_target.values()), MappingProxyType(by_target))


def rank_by_information(
    engine: Engine,
    evidence: Mapping[str, Observation],
    candidates: Iterable[str | Sequence[str]],
    targets: Iterable[str],
) -> tuple[Information, ...]:
    """Return what each finding, or each set of findings seen together, would tell; the most telling first.

    Gorry & Barnett (1968); of several targets the information is added (see the module).

    Args:
        engine: The network.
        evidence: By node, what was observed.
        candidates: Findings; several seen together stand as a sequence, and their joint information is exact.
        targets: The nodes asked about.

    Raises:
        InvalidInputError: If a node or state is unknown, no target is named, or a set is too large to enumerate.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    groups = [(item,) if isinstance(item, str) else tuple(item) for item in candidates]
    every = [information(found) for found in ask(engine, evidence, groups, targets)]
    return tuple(sorted(every, key=lambda item: -item.bits))


def pair_information(
    engine: Engine, evidence: Mapping[str, Observation], pairs: Iterable[tuple[str, str]], targets: Iterable[str]
) -> tuple[PairInformation, ...]:
    """Return what pairs of findings would tell together, exactly; the most telling first.

    One look ahead can pass over two findings that tell little alone and much together (Heckerman, Horvitz & Middleton
    1993): their synergy is above 0.

    Raises:
        InvalidInputError: As for ``rank_by_information``, or if a pair names one finding twice.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    wanted = [(first, second) for first, second in pairs]
    for first, second in wanted:
        if first == second:
            msg = f"pairs: the two findings must differ, got {first!r} twice"
            raise InvalidInputError(msg)
    result = []
    for pair, found in zip(wanted, ask(engine, evidence, wanted, targets), strict=True):
        both = information(found).bits
        alone = (information(found.marginal(pair[0])).bits, information(found.marginal(pair[1])).bits)
        result.append(PairInformation(pair, both, alone, both - sum(alone)))
    return tuple(sorted(result, key=lambda item: -item.bits))


def misleads(pair: PairInformation, best: Information) -> bool:
    """Return whether one look ahead would pass over a pair that tells more than its first choice.

    Args:
        pair: Two findings.
        best: The finding that tells most alone: what one look ahead takes.

    Returns:
        Whether the pair leaves ``best`` out, its findings alone add up to less, and both together tell more.
    """
    passed_over = not set(best.nodes) & set(pair.nodes) and sum(pair.alone) < best.bits - LEAST_BITS
    return passed_over and pair.bits > best.bits + LEAST_BITS


def _repeated(weight: Array, observed: Observation, rows: int) -> "Ints | list[Observation]":
    """Return one observation for every row, as a number where it is a single state."""
    if np.count_nonzero(weight) == 1:
        return np.full(rows, int(np.argmax(weight)), dtype=np.int64)
    return [observed] * rows


def _known(name: str, engine: Engine) -> None:
    if name not in engine.states:
        msg = f"findings: every node must be in the network, got {name!r}{nearest(str(name), engine.states)}"
        raise InvalidInputError(msg)
