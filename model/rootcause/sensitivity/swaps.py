"""Posteriors at the points of a Sobol design: each number in turn swapped for another draw of it.

A design of n base points and k numbers asks for n (k + 2) posteriors. But P(evidence) is linear in the entries of each
table, the others staying as they are. So where a number stands in one table alone, swapping it changes P(evidence) by
the sum of the changes of that table's entries, each times its derivative, exactly; and all derivatives at a base point
come from one pass back (Darwiche 2003). Only numbers that are tied across tables must be asked for one by one.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Part
from rootcause.engine.layout import Tables
from rootcause.sensitivity.questions import Question

Array = NDArray[np.float64]


class Swaps:
    """One chunk of base points.

    Attributes:
        posterior: Of the outcome at each base point, shape ``(points,)``.
    """

    def __init__(self, question: Question, outcome: str, numbers: Mapping[str, Array], points: int) -> None:
        """Ask at the base points.

        Args:
            question: What is asked.
            outcome: The outcome that the design is about.
            numbers: Values of the numbers at the base points, each of shape ``(points,)``.
            points: How many base points.
        """
        self._question = question
        self._points = points
        subject = question.subject
        self._numbers = subject.at_points | dict(numbers)
        self._tables = subject.tables(self._numbers)
        self._drawn = Drawn(self._tables, points)
        node, state = question.outcomes[outcome]
        engine = subject.engine
        own = engine.weights({node: state})[node]
        self._outcome = node, engine.states[node].index(state)
        self._seen = question.weights
        self._both = {**self._seen, node: self._seen.get(node, np.ones(len(own))) * own}
        self.posterior = self._posterior(self._drawn)
        self._slopes: dict[str, list[tuple[Part, Array, Array]]] | None = None

    def _posterior(self, drawn: Drawn) -> Array:
        node, state = self._outcome
        found: Array = self._question.subject.engine.marginals(self._seen, [node], drawn).posterior[node][state]
        return found

    def swapped(self, ids: Sequence[str], other: Mapping[str, Array], nodes: Sequence[str]) -> Array:
        """Return the posterior with some numbers swapped, shape ``(points,)``.

        Args:
            ids: The numbers: one, or the shares of a whole.
            other: Their values in the other draw.
            nodes: The tables that they stand in.
        """
        subject = self._question.subject
        numbers = self._numbers | {id_: other[id_] for id_ in ids}
        changed = set(nodes)

        @cache
        def tables(name: str) -> Array:
            return subject.fill(name, numbers) if name in changed else self._tables(name)

        if len(nodes) == 1:
            return self._along_slopes(nodes[0], tables)
        return self._posterior(Drawn(tables, self._points))

    def _along_slopes(self, node: str, tables: Tables) -> Array:
        if self._slopes is None:
            self._slopes = self._slopes_now()
        seen, both = np.zeros(self._points), np.zeros(self._points)
        for part, below, above in self._slopes[node]:
            step = part.entries(tables) - part.entries(self._tables)
            seen += (below * step).sum(axis=0)
            both += (above * step).sum(axis=0)
        return np.asarray(np.clip(self.posterior * (1 + both) / (1 + seen), 0.0, 1.0))

    def _slopes_now(self) -> dict[str, list[tuple[Part, Array, Array]]]:
        """Return, by node, its tables with d ln P / d entry of the evidence, and of it and the outcome."""
        engine = self._question.subject.engine
        (_, below), (_, above) = (engine.log_slopes(w, self._drawn, self._both) for w in (self._seen, self._both))
        found: dict[str, list[tuple[Part, Array, Array]]] = {}
        for (part, of_seen), (_, of_both) in zip(below, above, strict=True):
            found.setdefault(part.node, []).append((part, of_seen, of_both))
        return found
