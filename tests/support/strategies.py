"""Random small networks with evidence, for Hypothesis, in the exact fractions of the definition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from oracle import Network
from rootcause.engine import Observation

CLOSE = 1e-12
random_networks = settings(max_examples=150)


@st.composite
def distributions(draw: st.DrawFn, size: int) -> tuple[Fraction, ...]:
    """Draw a distribution: sure of one state, with zeros, plain, or with one very small share."""
    weights = draw(st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 7, 10**7]), min_size=size, max_size=size))
    if not any(weights):
        weights[draw(st.integers(0, size - 1))] = 1
    return tuple(Fraction(weight, sum(weights)) for weight in weights)


@st.composite
def networks(draw: st.DrawFn, most_nodes: int = 6) -> Network:
    """Draw a network of up to six nodes with one to four states and up to three parents."""
    names = [f"n{index}" for index in range(draw(st.integers(1, most_nodes)))]
    states: dict[str, tuple[str, ...]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    tables = {}
    for name in names:
        chosen = draw(st.lists(st.sampled_from([*states]), unique=True, max_size=3)) if states else []
        parents[name] = tuple(chosen)
        size = draw(st.sampled_from([2, 2, 2, 3, 4, 1]))
        states[name] = tuple(f"{name}{letter}" for letter in "abcd"[:size])
        columns = product(*(range(len(states[parent])) for parent in chosen))
        tables[name] = {column: draw(distributions(size)) for column in columns}
    return Network(states, parents, tables)


@dataclass(frozen=True)
class Case:
    """Evidence in the two forms that the engine and the definition take."""

    network: Network
    given: dict[str, Observation]
    weights: dict[str, tuple[Fraction, ...]]


@st.composite
def cases(draw: st.DrawFn, most_nodes: int = 6) -> Case:
    """Draw a network with evidence: states, lists of states, likelihoods."""
    network = draw(networks(most_nodes))
    observed: dict[str, Observation] = {}
    weights = {}
    for name in draw(st.lists(st.sampled_from([*network.states]), unique=True)):
        states = network.states[name]
        kind = draw(st.sampled_from(["state", "set", "likelihood"]))
        if kind == "state":
            state = draw(st.sampled_from(states))
            observed[name], likelihood = state, {state: Fraction(1)}
        elif kind == "set":
            chosen = draw(st.lists(st.sampled_from(states), min_size=1))
            observed[name], likelihood = chosen, dict.fromkeys(chosen, Fraction(1))
        else:
            numbers = draw(st.lists(st.integers(0, 9), min_size=len(states), max_size=len(states)).filter(any))
            observed[name] = {state: float(number) for state, number in zip(states, numbers, strict=True)}
            likelihood = {s: Fraction(number, max(numbers)) for s, number in zip(states, numbers, strict=True)}
        weights[name] = tuple(likelihood.get(state, Fraction(0)) for state in states)
    return Case(network, observed, weights)


possible_cases = cases().filter(lambda case: case.network.mass(case.weights) > 0)


def differences(
    found: Mapping[str, Mapping[str, float]], expected: Mapping[str, Sequence[Fraction | float]]
) -> dict[str, Any]:
    """Return the targets whose distributions are not the expected ones."""
    return {
        name: (distribution, expected[name])
        for name, distribution in found.items()
        if not np.allclose(list(distribution.values()), [float(p) for p in expected[name]], rtol=CLOSE, atol=CLOSE)
    }
