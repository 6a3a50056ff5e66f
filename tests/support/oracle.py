"""The definition: probabilities by enumeration of every world, in exact fractions. Slow, and right."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Shape

World = dict[str, int]
"""For every node, the index of its state."""

Likelihoods = Mapping[str, tuple[Fraction, ...]]
"""For observed nodes, a likelihood for each state."""


@dataclass(frozen=True)
class Network:
    """A network in fractions.

    Attributes:
        states: States of every node, parents before children.
        parents: Parents of every node.
        tables: For every node, its distribution by the states of its parents.
    """

    states: dict[str, tuple[str, ...]]
    parents: dict[str, tuple[str, ...]]
    tables: dict[str, dict[tuple[int, ...], tuple[Fraction, ...]]]

    def worlds(self) -> Iterator[tuple[World, Fraction]]:
        """Yield every world with its probability: the product of one entry of each table."""
        for indices in product(*(range(len(states)) for states in self.states.values())):
            world = dict(zip(self.states, indices, strict=True))
            entries = (
                table[tuple(world[parent] for parent in self.parents[name])][world[name]]
                for name, table in self.tables.items()
            )
            yield world, math.prod(entries, start=Fraction(1))

    def mass(self, evidence: Likelihoods) -> Fraction:
        """Return P(evidence)."""
        return sum((weight for _, weight in self._weighed(evidence)), Fraction(0))

    def posterior(self, evidence: Likelihoods) -> dict[str, tuple[Fraction, ...]]:
        """Return the posterior of every node: favourable mass over possible mass."""
        favourable = {name: [Fraction(0)] * len(states) for name, states in self.states.items()}
        for world, weight in self._weighed(evidence):
            for name, state in world.items():
                favourable[name][state] += weight
        possible = self.mass(evidence)
        return {name: tuple(mass / possible for mass in masses) for name, masses in favourable.items()}

    def _weighed(self, evidence: Likelihoods) -> Iterator[tuple[World, Fraction]]:
        for world, probability in self.worlds():
            yield world, probability * math.prod(weights[world[name]] for name, weights in evidence.items())

    def array(self, name: str) -> NDArray[np.float64]:
        """Return a table as the engine wants it: parents, then the node, then one draw."""
        cards = [len(self.states[parent]) for parent in (*self.parents[name], name)]
        rows = [self.tables[name][index] for index in product(*(range(card) for card in cards[:-1]))]
        return np.array(rows, dtype=np.float64).reshape(*cards, 1)

    def engine(self) -> Engine:
        """Return the engine for this network."""
        tables = {name: self.array(name) for name in self.states}
        return Engine(Shape(self.states, self.parents), tables.__getitem__)
