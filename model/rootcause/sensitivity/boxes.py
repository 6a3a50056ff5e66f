"""Every corner of a box of ranges at once, and certified bounds over what is not followed corner by corner.

A number with two settings becomes a node of its own, with one state for each setting, and a parent of every table that
it stands in (the *transparent* variables of Cano, Cano & Moral 1994). One elimination that leaves these nodes in then
gives P(outcome, evidence) at all 2^k corners, at a small part of the price of 2^k questions.

What is not followed is *relaxed*: each entry of a table is set to its least or to its largest value over the box. As
P(outcome, evidence) is a sum of products of entries, none of them negative, it can be no smaller, or no larger, than
that.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine, Observation, Shape
from rootcause.engine.layout import Tables
from rootcause.errors import InvalidInputError, ModelTooLargeError
from rootcause.sensitivity.knobs import Knob, knobs_of_wholes
from rootcause.sensitivity.questions import Question
from rootcause.sensitivity.subjects import Subject

Array = NDArray[np.float64]
Side = Literal["low", "high"]
SIDES: tuple[Side, ...] = ("low", "high")

CELLS = 2**16
"""Corners that one elimination follows; more are followed slice by slice, which takes less memory."""

MOST_CORNERS = 2**22

_MOST_IN_A_TABLE = 14
"""Numbers in one table whose corners are all tried for its least and largest entries."""

MOVES = 1e-12
"""Change of a posterior below which a number does not reach the answer."""

_STRAIGHT = 1e-11


@dataclass(frozen=True, eq=False)
class Box:
    """Knobs whose corners are followed, each in the tables where it is, and numbers that are relaxed elsewhere.

    Attributes:
        question: What is asked.
        knobs: The knobs, those that stand in many tables best first: slices are cut along the first.
        tables_of: For each knob, the tables in which its setting is followed. The same number may be a knob for each of
            its tables; then it may stand at both ends at once, which only widens what is found.
        relaxed: Numbers that may be anywhere in their ranges, where no followed knob holds them.
    """

    question: Question
    knobs: tuple[Knob, ...]
    tables_of: tuple[tuple[str, ...], ...]
    relaxed: frozenset[str] = frozenset()

    @property
    def shape(self) -> tuple[int, ...]:
        """Settings of each knob."""
        return tuple(len(knob.settings) for knob in self.knobs)

    def engine(self, side: Side | None = None) -> Engine:
        """Return the network with a node for each knob, the relaxed entries at one side."""
        subject = self.question.subject
        base = subject.engine
        nodes = {_node(k): tuple(str(s) for s in range(size)) for k, size in enumerate(self.shape)}
        held = {name: [k for k, own in enumerate(self.tables_of) if name in own] for name in base.states}
        parents = {
            **dict.fromkeys(nodes, ()),
            **{name: (*base.parents(name), *map(_node, own)) for name, own in held.items()},
        }
        links = base._shape.links  # noqa: SLF001 - the engine has no public name for it yet

        def table(name: str) -> Array:
            if name in nodes:
                return np.full((len(nodes[name]), 1), 1 / len(nodes[name]))
            return self._table(subject, name, held[name], side)

        return Engine(Shape({**nodes, **base.states}, parents, links), cache(table))

    def _table(self, subject: Subject, name: str, held: Sequence[int], side: Side | None) -> Array:
        """Return a table with the knobs that it follows as its last parents."""
        own = subject.numbers_of(name)
        followed = {id_ for k in held for id_ in self.knobs[k].ids}
        loose = [id_ for id_ in own if id_ in self.relaxed and id_ not in followed] if side else []
        if not held and not loose:
            return subject.engine.table(name)[..., np.newaxis]
        grid = list(product(*(range(self.shape[k]) for k in held)))
        numbers = {id_: subject.at_points[id_] for id_ in own} | {
            id_: np.array([self.knobs[k].settings[row[at], column] for row in grid])
            for at, k in enumerate(held)
            for column, id_ in enumerate(self.knobs[k].ids)
        }
        table = _extremes(subject, name, numbers, loose, len(grid), side)
        table = table.reshape(*table.shape[:-1], *(self.shape[k] for k in held))
        axes = len(held)
        card = table.ndim - axes - 1
        return np.ascontiguousarray(np.moveaxis(table, card, -1))[..., np.newaxis]

    def masses(self, outcome: tuple[str, str] | None, *, absent: bool = False, side: Side | None = None) -> Array:
        """Return P(outcome, evidence) at every corner, or a bound on it.

        Args:
            outcome: A node and a state; ``None`` for P(evidence).
            absent: Whether the outcome is not to be there.
            side: The bound; ``None`` where nothing is relaxed.

        Returns:
            Shape as ``shape``.
        """
        return self.every_mass([outcome], absent=absent, side=side)[0]

    def every_mass(
        self, outcomes: Sequence[tuple[str, str] | None], *, absent: bool = False, side: Side | None = None
    ) -> list[Array]:
        """Return ``masses`` for several outcomes."""
        engine = self.engine(side)
        return [_tensor(engine, self._weights(engine, outcome, absent=absent), self.shape) for outcome in outcomes]

    def _weights(self, engine: Engine, outcome: tuple[str, str] | None, *, absent: bool) -> dict[str, Array]:
        weights = dict(self.question.weights)
        if outcome is not None:
            own = engine.weights({outcome[0]: outcome[1]})[outcome[0]]
            weights[outcome[0]] = weights.get(outcome[0], np.ones(len(own))) * (1 - own if absent else own)
        return weights


def _node(number: int) -> str:
    return f"knob {number}"


def _extremes(
    subject: Subject, name: str, numbers: Mapping[str, Array], loose: Sequence[str], rows: int, side: Side | None
) -> Array:
    """Return a table for rows of numbers, each entry at its least or largest over the ranges of the loose numbers.

    An entry is a line in each number, so that its extremes are at corners.
    """
    if len(loose) > _MOST_IN_A_TABLE:
        raise InvalidInputError(
            f"{name}: at most {_MOST_IN_A_TABLE} numbers with ranges may stand in one table, got {len(loose)}"
        )
    best: Array | None = None
    pick = np.minimum if side == "low" else np.maximum
    ends = {id_: (subject.low[id_], subject.high[id_]) for id_ in loose}
    corners = np.indices((2,) * len(loose)).reshape(len(loose), 2 ** len(loose)).T
    block = max(1, 4096 // rows)
    for start in range(0, len(corners), block):
        part = corners[start : start + block]
        tried = {id_: np.tile(value, len(part)) if len(value) > 1 else value for id_, value in numbers.items()}
        tried |= {id_: np.repeat(np.where(part[:, k], *ends[id_][::-1]), rows) for k, id_ in enumerate(loose)}
        table = subject.fill(name, tried)
        table = np.broadcast_to(table, (*table.shape[:-1], len(part) * rows)).reshape(*table.shape[:-1], -1, rows)
        found = pick.reduce(table, axis=-2)
        best = found if best is None else pick(best, found)
    if best is None:
        raise InvalidInputError(f"{name}: must have a table, got none")
    return np.maximum(best, 0.0)


def _tensor(engine: Engine, weights: Mapping[str, Array], shape: tuple[int, ...]) -> Array:
    """Return P(evidence) at every corner."""
    result = np.zeros(shape)
    first, *rest = _slices(shape)
    _fill(engine, weights, shape, first, result)  # alone: it makes the tables, which the others then share
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda fixed: _fill(engine, weights, shape, fixed, result), rest))
    return result


def _slices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield settings of the first knobs, so many that the corners of the others are few enough for one elimination."""
    first, left = 0, math.prod(shape)
    while left > CELLS:
        left //= shape[first]
        first += 1
    return product(*(range(size) for size in shape[:first]))


def _fill(
    engine: Engine, weights: Mapping[str, Array], shape: tuple[int, ...], fixed: tuple[int, ...], result: Array
) -> None:
    """Write one slice; where its plan would not fit in memory, in smaller slices."""
    held = engine.weights({_node(k): str(setting) for k, setting in enumerate(fixed)})
    left = [_node(k) for k in range(len(fixed), len(shape))]
    seen = {**weights, **held}
    scale = math.prod(shape)
    log = float(engine.log_probability(seen)[0])
    if not math.isfinite(log):
        return
    if not left:
        result[fixed] = math.exp(log) * scale
        return
    try:
        joint = engine.joint(_as_evidence(engine, seen), left)
    except ModelTooLargeError:
        for setting in range(shape[len(fixed)]):
            _fill(engine, weights, shape, (*fixed, setting), result)
        return
    result[fixed] = joint * math.exp(log) * scale


def _as_evidence(engine: Engine, weights: Mapping[str, Array]) -> dict[str, Observation]:
    return {name: dict(zip(engine.states[name], own.tolist(), strict=True)) for name, own in weights.items()}


# ---- where a number stands, and how much it moves --------------------------------------------------------------------


def turn(question: Question, knobs: Sequence[Knob], start: Mapping[str, float] | None = None) -> Drawn:
    """Return the tables with one knob after another at one setting after another, the others as at the start.

    Args:
        question: What is asked.
        knobs: The knobs.
        start: Values of numbers that are not at their points.
    """
    subject = question.subject
    draws = sum(len(knob.settings) for knob in knobs)
    moved = dict.fromkeys([id_ for knob in knobs for id_ in knob.ids] + list(start or {}))
    values = {id_: np.full(draws, (start or {}).get(id_, subject.points[id_])) for id_ in moved}
    at = 0
    for knob in knobs:
        stop = at + len(knob.settings)
        for column, id_ in enumerate(knob.ids):
            values[id_][at:stop] = knob.settings[:, column]
        at = stop
    return subject.drawn(values, draws)


def by_knob(knobs: Sequence[Knob], values: Array) -> list[Array]:
    """Return, for each knob, the part of what was found with ``turn`` that is its own; the last axis is the draws."""
    return np.split(values, np.cumsum([len(knob.settings) for knob in knobs])[:-1], axis=-1)


def reach(question: Question) -> tuple[str, ...]:
    """Return the numbers that move some posterior when they, or the whole that they are shares of, move alone."""
    knobs = knobs_of_wholes(question.subject, question.ids())
    if not knobs:
        return ()
    point = question.posteriors()
    values = by_knob(knobs, np.abs(question.posteriors(turn(question, knobs)) - point).max(axis=0))
    return tuple(id_ for knob, moves in zip(knobs, values, strict=True) if moves.max() > MOVES for id_ in knob.ids)


def straight(subject: Subject, knob: Knob, node: str) -> bool:
    """Return whether a table moves in a straight line between the settings of a knob: then its corners are enough."""
    mean = knob.settings.mean(axis=0)
    rows = np.vstack([knob.settings, mean])
    numbers = subject.at_points | {id_: rows[:, column] for column, id_ in enumerate(knob.ids)}
    table = subject.fill(node, numbers)
    return bool(np.allclose(table[..., -1], table[..., :-1].mean(axis=-1), rtol=_STRAIGHT, atol=_STRAIGHT))


def main_tables(question: Question, knobs: Iterable[Knob], outcome: str) -> dict[str, tuple[str, ...]]:
    """Return, for each knob, its tables, the one first through which it alone moves the posterior most."""
    subject = question.subject
    nodes_of = subject.nodes_of(question.names)
    result: dict[str, tuple[str, ...]] = {}
    tied: list[tuple[Knob, str]] = []
    for knob in knobs:
        nodes = tuple(dict.fromkeys(node for id_ in knob.ids for node in nodes_of.get(id_, ())))
        result[knob.name] = nodes
        tied += [(knob, node) for node in nodes if len(nodes) > 1]
    if not tied:
        return result
    found = question.posteriors(Drawn(_one_table_at_a_time(subject, tied), 2 * len(tied)))
    values = found[list(question.outcomes).index(outcome)]
    size = {(knob.name, node): abs(values[2 * k + 1] - values[2 * k]) for k, (knob, node) in enumerate(tied)}
    return {
        name: tuple(sorted(nodes, key=lambda node, name=name: -size.get((name, node), 0.0)))  # type: ignore[misc]
        for name, nodes in result.items()
    }


def _one_table_at_a_time(subject: Subject, tied: Sequence[tuple[Knob, str]]) -> Tables:
    def table(name: str) -> Array:
        own = [(k, knob) for k, (knob, node) in enumerate(tied) if node == name]
        if not own:
            return subject.engine.table(name)[..., np.newaxis]
        draws = 2 * len(tied)
        values = {id_: np.full(draws, subject.points[id_]) for _, knob in own for id_ in knob.ids}
        for k, knob in own:
            for column, id_ in enumerate(knob.ids):
                values[id_][2 * k : 2 * k + 2] = knob.settings[[0, -1], column]
        return subject.fill(name, subject.at_points | values)

    return cache(table)
