"""The numbers of a model as what its tables are made of: which tables each enters, and how an entry moves with it.

Every entry of every table is a line in each number, the others staying as they are. So the slope of an entry by a
number is the difference of the entry with the number at 1 and at 0, once for a model; and a number that enters one
table alone moves P(evidence) along a line, too, because every world takes one entry of each table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine, Part
from rootcause.errors import InvalidInputError, nearest
from rootcause.priors import Parameter, Priors, share_groups
from rootcause.structure import build
from rootcause.uncertainty import Draws, Noting, points

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


_NAMED = 3
"""Sources that a sentence names."""


def ground(basis: str, sources: Sequence[str] = ()) -> str:
    """Return in words what a number and its range rest on: ``assumed``, or ``cited: key``, and empty for an entry.

    Args:
        basis: ``cited``, ``derived``, ``fitted``, ``assumed`` or empty.
        sources: Keys of its sources.
    """
    if basis in {"", "assumed"}:
        return basis
    if not sources:
        return f"{basis}, no source named"
    more = f" and {len(sources) - _NAMED} more" if len(sources) > _NAMED else ""
    return f"{basis}: {', '.join(sources[:_NAMED])}{more}"


def said_range(
    low_high: tuple[float, float] | None, basis: str, sources: Sequence[str]
) -> dict[str, list[float] | str | list[str] | None]:
    """Return a range and what it rests on as plain data; ``published`` is ``None`` where the number is assumed."""
    ends = None if low_high is None else list(low_high)
    return {
        "low_high": ends,
        "basis": basis,
        "sources": list(sources),
        "published": None if basis == "assumed" else ends,
    }


class Modelled(Protocol):
    """A model: an engine whose tables are made of numbers."""

    @property
    def engine(self) -> Engine:
        """Exact inference at the points of all numbers."""

    @property
    def priors(self) -> Priors:
        """The numbers."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How the entries of all tables move with the numbers: those that do, each of shape ``(steps,)``.

    Attributes:
        entries: Place of the entry among all.
        numbers: Place of the number among all.
        slopes: d entry / d number.
        tables: Place of the table among all.
    """

    entries: Ints
    numbers: Ints
    slopes: Array
    tables: Ints


class Figures:
    """The numbers of one model; it holds nothing that holds the model, so that it goes when the model goes.

    Attributes:
        parameters: The numbers, by id.
        points: By id, shape ``(1,)``.
        siblings: By id of a share, the other shares of its whole.
    """

    def __init__(self, priors: Priors) -> None:
        """Keep the numbers; slopes are made when they are first needed."""
        self.parameters: Mapping[str, Parameter] = priors.parameters
        self.points = points(priors.parameters)
        groups = share_groups(priors.parameters).values()
        self.siblings = {id_: tuple(other for other in ids if other != id_) for ids in groups for id_ in ids}
        self._nodes = {node.name: node for node in build()}
        self._slopes: dict[tuple[str, bool], Array] = {}
        self._steps: dict[int, tuple[Sequence[Part], Steps]] = {}

    @cached_property
    def numbers_of(self) -> Mapping[str, tuple[str, ...]]:
        """By node, the ids of the numbers that its table is made of."""
        found = {}
        for name, node in self._nodes.items():
            noting = Noting(self.points)
            node.fill(noting)
            found[name] = tuple(noting.noted)
        return found

    @cached_property
    def nodes_of(self) -> Mapping[str, frozenset[str]]:
        """By id, the nodes whose tables it enters."""
        found: dict[str, set[str]] = {id_: set() for id_ in self.parameters}
        for name, ids in self.numbers_of.items():
            for id_ in ids:
                found[id_].add(name)
        return {id_: frozenset(names) for id_, names in found.items()}

    @cached_property
    def structure(self) -> Drawn:
        """Tables at two draws of all numbers: what is zero or equal in both is so whatever the numbers."""
        generator = np.random.default_rng(0)
        some = {id_: generator.uniform(0.2, 0.8, 2) for id_ in self.points}
        return Drawn(cache(lambda name: self.fill(name, some)), 2)

    def fill(self, name: str, numbers: Draws) -> Array:
        """Return the table of a node from values of all numbers, shape ``(*cards of parents, card, draws)``."""
        return self._nodes[name].fill(numbers)

    def known(self, id_: str) -> Parameter:
        """Return a number.

        Raises:
            InvalidInputError: If there is none of this id.
        """
        if id_ not in self.parameters:
            raise InvalidInputError(
                f"parameter: must be the id of a number, got {id_!r}{nearest(id_, self.parameters)}"
            )
        return self.parameters[id_]

    def together(self, id_: str) -> tuple[str, ...]:
        """Return a number and what moves with it: the other shares of its whole."""
        return (id_, *self.siblings.get(id_, ()))

    def moved(self, id_: str, values: Array) -> dict[str, Array]:
        """Return a number at some values, and with it the other shares of its whole, in proportion."""
        point = self.points[id_][0]
        changes = {id_: values}
        for other in self.siblings.get(id_, ()):
            changes[other] = self.points[other] * (1 - values) / (1 - point)
        return changes

    def tables(self, engine: Engine, changes: Mapping[str, Array]) -> Callable[[str], Array]:
        """Return the tables with some numbers changed.

        Args:
            engine: Inference at the points of all numbers.
            changes: By id, shape ``(n,)``.
        """
        numbers = self.points | dict(changes)
        nodes = {name for id_ in changes for name in self.nodes_of[id_]}

        @cache
        def table(name: str) -> Array:
            if name in nodes:
                return self.fill(name, numbers)
            return engine.table(name)[..., np.newaxis]

        return table

    def entry_slopes(self, part: Part) -> Array:
        """Return d entry / d number of a table that the engine works with.

        Returns:
            Shape ``(entries, numbers)``, the numbers as in ``numbers_of`` its node.
        """
        key = (part.node, part.first_row)
        found = self._slopes.get(key)
        if found is None:
            ends = [self._with_each_at(part, value) for value in (1.0, 0.0)]
            found = self._slopes[key] = ends[0] - ends[1]
        return found

    def steps(self, parts: Sequence[Part]) -> "Steps":
        """Return ``entry_slopes`` of all tables of an engine, one after another, without the zeros."""
        kept = self._steps.get(id(parts))
        if kept is not None:
            return kept[1]
        order = {id_: number for number, id_ in enumerate(self.parameters)}
        found: list[tuple[Ints, Ints, Array, Ints]] = []
        start = 0
        for number, part in enumerate(parts):
            slopes = self.entry_slopes(part)
            rows, columns = np.nonzero(slopes)
            ids = np.array([order[id_] for id_ in self.numbers_of[part.node]], dtype=np.int64)
            found.append((rows + start, ids[columns], slopes[rows, columns], np.full(len(rows), number)))
            start += len(slopes)
        made = Steps(*(np.concatenate([own[k] for own in found]) for k in range(4)))
        self._steps[id(parts)] = parts, made  # with the parts, whose number is then nobody else's
        return made

    def _with_each_at(self, part: Part, value: float) -> Array:
        ids = self.numbers_of[part.node]
        numbers = {id_: np.repeat(self.points[id_], len(ids)) for id_ in ids}
        for column, id_ in enumerate(ids):
            numbers[id_][column] = value
        entries = part.entries(lambda name: self.fill(name, self.points | numbers))
        return np.broadcast_to(entries, (len(entries), len(ids)))


_figures: WeakKeyDictionary[Modelled, Figures] = WeakKeyDictionary()


def figures_of(model: Modelled) -> Figures:
    """Return the numbers of a model; they are looked through once."""
    found = _figures.get(model)
    if found is None:
        found = _figures[model] = Figures(model.priors)
    return found
