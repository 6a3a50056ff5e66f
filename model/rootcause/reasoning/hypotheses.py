"""Hypotheses of several nodes together: most probable, most relevant, and explaining each other away.

They work on the exact joint distribution of some nodes (``Engine.joint``), one axis for each node.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.engine.evidence import weight_of
from rootcause.errors import InvalidInputError

Array = NDArray[np.float64]
Key = tuple[tuple[int, int], ...]
"""A partial assignment: axes, each with the number of a state, in the order of the axes."""

LARGEST = 3
"""Nodes in the largest explanation that is looked at, unless another number is asked for."""

_SAME = 1e-9
"""Relative difference up to which two Bayes factors are equal."""


@dataclass(frozen=True, slots=True)
class Combination:
    """A state for each of the nodes.

    Attributes:
        assignment: By node, its state.
        probability: P(assignment | evidence).
    """

    assignment: Mapping[str, str]
    probability: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A state for some of the nodes, and how much the evidence speaks for it.

    Attributes:
        assignment: By node, its state; the others may be in any.
        factor: Generalised Bayes factor, P(evidence | x) over P(evidence | not x), above 1; infinite where the evidence
            cannot be without x.
        prior: P(x).
        posterior: P(x | evidence).
    """

    assignment: Mapping[str, str]
    factor: float
    prior: float
    posterior: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; a factor without bound is ``None``."""
        factor = self.factor if math.isfinite(self.factor) else None
        return {
            "assignment": dict(self.assignment),
            "factor": factor,
            "prior": self.prior,
            "posterior": self.posterior,
        }


@dataclass(frozen=True, slots=True)
class ExplainingAway:
    """How one hypothesis hangs on another under the evidence (Pearl 1988).

    Attributes:
        target: A node with its state.
        other: Another node with its state.
        posterior: P(target | evidence).
        with_other: P(target | evidence, other); ``None`` where the other cannot hold.
        without_other: P(target | evidence, not other); ``None`` where the other must hold.
        interaction: Log-odds of the target with the other, less those without, in nats; the same with the two
            exchanged. Below 0 they explain each other away, above 0 they go together. Infinite where one decides the
            other; ``None`` where one of them is certain already.
    """

    target: tuple[str, str]
    other: tuple[str, str]
    posterior: float
    with_other: float | None
    without_other: float | None
    interaction: float | None


def most_probable_combinations(
    joint: Array, names: Sequence[str], states: Mapping[str, Sequence[str]], k: int
) -> tuple[Combination, ...]:
    """Return the most probable states of some nodes together, exactly.

    This is MAP: the other nodes are summed out. It differs from the most probable explanation of all nodes, of which
    the part about these nodes may be another (Park & Darwiche 2004).

    Args:
        joint: Posterior distribution, one axis for each node; sums to 1.
        names: The nodes of the axes.
        states: States of each node.
        k: How many to return at most; impossible ones are not returned.

    Returns:
        The most probable first; of equal ones the one of lower states.

    Raises:
        InvalidInputError: If ``k`` is below 1, or an axis does not fit its node.
    """
    _check(joint, names, states)
    _at_least_one("k", k)
    flat = joint.ravel()
    if k < flat.size:
        least = np.partition(flat, flat.size - k)[flat.size - k]
        at = np.flatnonzero((flat >= least) & (flat > 0))
    else:
        at = np.flatnonzero(flat > 0)
    at = at[np.argsort(-flat[at], kind="stable")][:k]
    places = np.stack(np.unravel_index(at, joint.shape), axis=1)
    return tuple(
        Combination(_named(tuple(enumerate(place)), names, states), float(flat[number]))
        for place, number in zip(places.tolist(), at, strict=True)
    )


def most_relevant_explanations(
    prior_joint: Array,
    posterior_joint: Array,
    names: Sequence[str],
    states: Mapping[str, Sequence[str]],
    k: int,
    *,
    largest: int = LARGEST,
    least: float = 0.0,
) -> tuple[Explanation, ...]:
    """Return the partial assignments that the evidence speaks for the most (Yuan, Lim & Lu 2011).

    All assignments of up to ``largest`` nodes are compared by their generalised Bayes factor. One is left out if a part
    of it has at least its factor (strong dominance), or if it is part of one with a higher factor (weak dominance), so
    that each that is returned says neither more nor less than the evidence asks for. Assignments that were certain or
    impossible beforehand, and those that the evidence does not speak for, are left out too.

    Args:
        prior_joint: Distribution before the evidence, one axis for each node; sums to 1.
        posterior_joint: The same given the evidence.
        names: The nodes of the axes.
        states: States of each node.
        k: How many to return at most.
        largest: Nodes in the largest explanation.
        least: Least posterior of an explanation that is looked at. The factor takes no account of how rare a
            combination was; above 0, this keeps those that stay improbable from dominating what is likely.

    Returns:
        The largest factor first.

    Raises:
        InvalidInputError: If ``k`` or ``largest`` is below 1, or an axis does not fit its node.
    """
    _check(prior_joint, names, states)
    _check(posterior_joint, names, states)
    _at_least_one("k", k)
    _at_least_one("largest", largest)
    found: dict[Key, tuple[float, float, float]] = {}
    for axes, before, after in _marginals(prior_joint, posterior_joint, min(largest, len(names))):
        cards = tuple(prior_joint.shape[axis] for axis in axes)
        factors = np.where(after >= least, _factors(before, after), np.nan)
        for number in np.flatnonzero(~np.isnan(factors)).tolist():
            place = np.unravel_index(number, cards)
            key = tuple((axis, int(state)) for axis, state in zip(axes, place, strict=True))
            found[key] = (float(factors[number]), float(before[number]), float(after[number]))
    kept = _minimal(found)
    kept.sort(key=lambda key: (-found[key][0], -found[key][2], len(key), key))
    return tuple(Explanation(_named(key, names, states), *found[key]) for key in kept[:k])


def explaining_away(
    engine: Engine, evidence: Mapping[str, Observation], target: str, other: str, states: tuple[str, str]
) -> ExplainingAway:
    """Return how the posterior of one hypothesis changes when another is found to hold, or not to.

    Args:
        engine: A compiled network.
        evidence: What was observed.
        target: A node.
        other: Another node.
        states: The state of each that is asked about; against it stand all others.

    Raises:
        InvalidInputError: If a node or state is unknown, or target and other are the same.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    weights = [weight_of(name, state, engine.states) for name, state in zip((target, other), states, strict=True)]
    if target == other:
        raise InvalidInputError(f"other: must be another node than the target, got {other!r} twice")
    joint = engine.joint(evidence, [target, other])
    rows, columns = (np.stack([1 - weight, weight]) for weight in weights)
    pair = rows @ joint @ columns.T
    return explaining_away_in(pair, (target, states[0]), (other, states[1]))


def explaining_away_in(pair: Array, target: tuple[str, str], other: tuple[str, str]) -> ExplainingAway:
    """Return the same from a joint distribution.

    Args:
        pair: P(target, other | evidence), shape ``(2, 2)``: first the target without and with its state, then the
            other; sums to 1.
        target: A node with its state.
        other: Another node with its state.
    """
    total = pair.sum(axis=0)
    without_other, with_other = (
        float(column[1] / mass) if mass > 0 else None for column, mass in zip(pair.T, total, strict=True)
    )
    interaction = None
    if (total > 0).all() and (pair.sum(axis=1) > 0).all():
        for_, against = pair[1, 1] * pair[0, 0], pair[1, 0] * pair[0, 1]
        interaction = math.inf if against == 0 else -math.inf if for_ == 0 else math.log(for_ / against)
    return ExplainingAway(target, other, float(pair[1].sum()), with_other, without_other, interaction)


def _at_least_one(what: str, number: int) -> None:
    if number < 1:
        raise InvalidInputError(f"{what}: must be a whole number from 1, got {number!r}")


def _check(joint: Array, names: Sequence[str], states: Mapping[str, Sequence[str]]) -> None:
    expected = tuple(len(states[name]) for name in names)
    if joint.shape != expected:
        raise InvalidInputError(f"joint: must have the shape {expected} of its nodes, got {joint.shape}")


def _named(key: Key, names: Sequence[str], states: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    return MappingProxyType({names[axis]: states[names[axis]][state] for axis, state in key})


def _marginals(prior: Array, posterior: Array, largest: int) -> Iterator[tuple[tuple[int, ...], Array, Array]]:
    """Yield the two distributions of every set of up to ``largest`` axes, flat.

    Axis after axis is either kept or summed out, so that what sets share is summed once.
    """
    cards = prior.shape
    both = np.stack([prior, posterior]).reshape(2, 1, -1)
    open_: list[tuple[tuple[int, ...], int, Array]] = [((), 0, both)]
    while open_:
        kept, axis, array = open_.pop()
        if axis == len(cards) or len(kept) == largest:
            if kept:
                before, after = array.sum(axis=2)
                yield kept, before, after
            continue
        split = array.reshape(2, array.shape[1], cards[axis], -1)
        open_.append((kept, axis + 1, split.sum(axis=2)))
        open_.append(((*kept, axis), axis + 1, split.reshape(2, -1, split.shape[3])))


def _factors(before: Array, after: Array) -> Array:
    """Return O(x | e) / O(x); not a number where the prior is 0 or 1, or the evidence does not speak for x.

    P(not x) is the sum over the other states, which keeps its digits where 1 - P(x) would lose them.
    """
    others = 1 - np.eye(len(before))
    not_before, not_after = others @ before, others @ after
    open_ = (before > 0) & (not_before > 0) & (after > 0)
    factors = np.full(before.shape, np.nan)
    prior_odds = before[open_] / not_before[open_]
    against = not_after[open_]
    odds = np.where(against > 0, after[open_] / np.where(against > 0, against, 1.0), np.inf)
    ratio = odds / prior_odds
    factors[open_] = np.where(ratio > 1 + _SAME, ratio, np.nan)
    return factors


def _parts(key: Key) -> Iterator[Key]:
    for size in range(1, len(key)):
        yield from combinations(key, size)


def _minimal(found: Mapping[Key, tuple[float, float, float]]) -> list[Key]:
    """Return the explanations that no other dominates."""
    above: dict[Key, float] = {}
    strong = set()
    for key, (factor, _, _) in found.items():
        for part in _parts(key):
            above[part] = max(above.get(part, 0.0), factor)
            if part in found and found[part][0] >= factor * (1 - _SAME):
                strong.add(key)
    return [
        key
        for key, (factor, _, _) in found.items()
        if key not in strong and above.get(key, 0.0) <= factor * (1 + _SAME)
    ]
