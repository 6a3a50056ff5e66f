"""Posteriors at the points of a Sobol design: each number in turn swapped for another draw of it.

A design of n base points and k numbers asks for n (k + 2) posteriors. But P(evidence) is linear in the entries of each
table, the others staying as they are. So where a number stands in one table alone, swapping it changes P(evidence) by
the sum of the changes of that table's entries, each times its derivative, exactly; and all derivatives at a base point
come from one pass back (Darwiche 2003). Only numbers that are tied across tables must be asked for one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn
from rootcause.engine.kernels import cases, planner
from rootcause.errors import ModelTooLargeError
from rootcause.sensitivity.questions import Question

if TYPE_CHECKING:
    from rootcause.engine.layout import Layout

Array = NDArray[np.float64]
Tables = Callable[[str], Array]

_TRIES = 24
_WORKERS = 2


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
        self._seen = question.weights
        self._both = {**self._seen, node: self._seen.get(node, np.ones(len(own))) * own}
        self._log, self._log_both = self._logs(self._drawn)
        self.posterior = _ratio(self._log_both, self._log)
        self._slopes: tuple[Array, Array] | None = None

    def _logs(self, drawn: Drawn) -> tuple[Array, Array]:
        """Return ln P(evidence) and ln P(outcome, evidence)."""
        engine = self._question.subject.engine
        return engine.log_probability(self._seen, drawn), engine.log_probability(self._both, drawn)

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
        return _ratio(*reversed(self._logs(Drawn(tables, self._points))))

    def _along_slopes(self, node: str, tables: Tables) -> Array:
        layout = self._layout
        if self._slopes is None:
            self._slopes = self._slopes_at(self._seen), self._slopes_at(self._both)
        change = [np.zeros(self._points), np.zeros(self._points)]
        for number, part in enumerate(layout.parts):
            if part.node == node:
                first, last = int(layout.offsets[number]), int(layout.offsets[number + 1])
                step = part.entries(tables) - part.entries(self._tables)
                for k, slopes in enumerate(self._slopes):
                    change[k] += (slopes[first:last] * step).sum(axis=0)
        factor = (1 + change[1]) / (1 + change[0])
        return np.asarray(np.clip(self.posterior * factor, 0.0, 1.0))

    @property
    def _layout(self) -> "Layout":
        return self._question.subject.engine._machine_for(self._both, self._drawn).layout  # noqa: SLF001 - as below

    def _slopes_at(self, weights: Mapping[str, Array]) -> Array:
        """Return d ln P / d entry at every base point, shape ``(entries, points)``.

        The plan is that of ``Engine.slopes``, made once and run for the tables of each point.
        """
        engine = self._question.subject.engine
        machine = engine._machine_for(self._both, self._drawn)  # noqa: SLF001 - slopes of draws are not public yet
        look = engine._codes_of(machine, weights)  # noqa: SLF001
        nobody = np.zeros(0, np.int64)
        entries = self._drawn.entries(machine.layout, machine._wanted(look, nobody))  # noqa: SLF001
        mixtures = np.random.default_rng(0).uniform(0.5, 1.5, (self._points, 2))
        sig = np.ascontiguousarray(entries @ mixtures)
        sig.setflags(write=False)
        room = machine.room()
        status = machine._plan(room, sig, look, nobody, _TRIES, lump=True, merge=False)  # noqa: SLF001
        result = np.zeros((self._points, entries.shape[0]))
        if status == planner.TOO_LARGE:
            raise ModelTooLargeError("network: a plan with its derivatives must fit in memory, got one that does not")
        if status == planner.IMPOSSIBLE:
            return result.T
        rows = np.ascontiguousarray(entries.T)[..., np.newaxis]
        rows.setflags(write=False)

        def part(start: int) -> None:
            for row in range(start, self._points, _WORKERS):
                cases.run_slopes(room.ints, room.reals, rows[row], result[row])

        with ThreadPoolExecutor(_WORKERS) as pool:  # the kernels let go of the interpreter lock
            list(pool.map(part, range(_WORKERS)))
        return result.T


def _ratio(log_both: Array, log: Array) -> Array:
    """Return P(outcome | evidence); zero where the evidence is impossible."""
    possible = np.isfinite(log)
    return np.where(possible, np.exp(np.minimum(log_both - np.where(possible, log, 0.0), 0.0)), 0.0)
