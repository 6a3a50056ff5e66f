"""Networks whose numbers can be moved: the shipped model, or any compiled network with ranges for some of its entries.

What the methods of this package need of either is the same: the numbers at their points, which tables each stands in,
and the tables that other values make. The posteriors come from the engine, many sets of tables at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine
from rootcause.engine.layout import Tables
from rootcause.errors import InvalidInputError, nearest
from rootcause.priors import Parameter, share_groups
from rootcause.sensitivity.numbers import Modelled, figures_of
from rootcause.uncertainty import Draws

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class EntryRange:
    """An entry of a table and the range it is believed to lie in.

    Attributes:
        node: The node whose table it is.
        parents: A state for each parent.
        state: A state of the node.
        low: Lower end of the range, from 0.
        high: Upper end, up to 1.
    """

    node: str
    parents: Mapping[str, str]
    state: str
    low: float
    high: float

    @property
    def name(self) -> str:
        """The entry in words: ``P(tub=yes | asia=yes)``."""
        return f"P({self.node}={self.state}{self._bar})"

    @property
    def column(self) -> str:
        """Its column in words: ``P(tub | asia=yes)``."""
        return f"P({self.node}{self._bar})"

    @property
    def _bar(self) -> str:
        given = ", ".join(f"{parent}={state}" for parent, state in self.parents.items())
        return f" | {given}" if given else ""


@dataclass(frozen=True, eq=False)
class Subject:
    """A network as a function of its numbers.

    Attributes:
        engine: The network at the points of all numbers.
        points: By id, the point of each number.
        low: By id, the lower end of its range.
        high: By id, the upper end.
        wholes: By name, numbers that sum to one; a number that is in none stands alone.
        fill: The table of a node from values of all numbers: ``(*cards of parents, card, draws)``.
        numbers_of: The numbers that the table of a node is made of.
        parameters: Of a model, its numbers with all that is known of them.
    """

    engine: Engine
    points: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    wholes: Mapping[str, tuple[str, ...]]
    fill: Callable[[str, Draws], Array]
    numbers_of: Callable[[str], tuple[str, ...]]
    parameters: Mapping[str, Parameter] | None = None

    @cached_property
    def at_points(self) -> dict[str, Array]:
        """Every number at its point, each of shape ``(1,)``."""
        return {id_: np.array([value]) for id_, value in self.points.items()}

    @cached_property
    def whole_of(self) -> dict[str, str]:
        """By number, the name of the whole that it is a share of."""
        return {id_: name for name, ids in self.wholes.items() for id_ in ids}

    def drawn(self, values: Draws, draws: int) -> Drawn:
        """Return the tables for values of some numbers, the others at their points.

        Args:
            values: By id, shape ``(draws,)``.
            draws: How many.
        """
        numbers = self.at_points | dict(values)
        return Drawn(self.tables(numbers), draws)

    def tables(self, numbers: Draws) -> Tables:
        """Return the tables for values of all numbers; those without a number that moved are the engine's own."""
        moved = {id_ for id_, value in numbers.items() if value is not self.at_points.get(id_)}

        def table(name: str) -> Array:
            if moved.isdisjoint(self.numbers_of(name)):
                return self.engine.table(name)[..., np.newaxis]
            return self.fill(name, numbers)

        return cache(table)

    def numbers(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the numbers in the tables of the nodes that the given nodes hang on."""
        found = dict.fromkeys(id_ for node in self.engine.relevant(names) for id_ in self.numbers_of(node))
        return tuple(id_ for id_ in self.points if id_ in found)

    def nodes_of(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return, for each number, the tables it stands in, among the nodes that the given nodes hang on."""
        found: dict[str, list[str]] = {}
        for node in self.engine.relevant(names):
            for id_ in self.numbers_of(node):
                found.setdefault(id_, []).append(node)
        return {id_: tuple(nodes) for id_, nodes in found.items()}


def subject_of_model(model: Modelled) -> Subject:
    """Return the shipped model, or that of another folder, as a function of its numbers."""
    figures = figures_of(model)
    parameters = figures.parameters
    return Subject(
        engine=model.engine,
        points={id_: item.point for id_, item in parameters.items()},
        low={id_: item.low for id_, item in parameters.items()},
        high={id_: item.high for id_, item in parameters.items()},
        wholes={name: tuple(ids) for name, ids in share_groups(parameters).items()},
        fill=figures.fill,
        numbers_of=figures.numbers_of.__getitem__,
        parameters=parameters,
    )


def subject_of_engine(engine: Engine, ranges: Sequence[EntryRange]) -> Subject:
    """Return a network as a function of the entries that have a range.

    What an entry gains, those of its column without a range lose in proportion; where all of a column have ranges, they
    are shares of one whole.

    Raises:
        InvalidInputError: If a node, parent or state is unknown, an entry stands twice, or a range does not hold the
            entry's value.
    """
    places = [_place(engine, item) for item in ranges]
    columns: dict[tuple[str, tuple[int, ...]], dict[int, EntryRange]] = {}
    for item, (column, state) in zip(ranges, places, strict=True):
        known = columns.setdefault((item.node, column), {})
        if state in known:
            raise InvalidInputError(f"ranges: every entry must stand once, got {item.name} twice")
        known[state] = item
    points, low, high = {}, {}, {}
    wholes: dict[str, tuple[str, ...]] = {}
    of_node: dict[str, list[tuple[tuple[int, ...], list[str]]]] = {}
    for (node, column), own in columns.items():
        values = engine.table(node)[column]
        single = len(own) == 1
        labels = []
        for state, name in enumerate(engine.states[node]):
            if single and state not in own:
                labels.append("")
                continue
            item = own.get(state, EntryRange(node, next(iter(own.values())).parents, name, 0.0, 1.0))
            points[item.name], low[item.name], high[item.name] = float(values[state]), item.low, item.high
            labels.append(item.name)
        if not single:
            wholes[next(iter(own.values())).column] = tuple(labels)
        of_node.setdefault(node, []).append((column, labels))
    names = {node: tuple(n for _, labels in own for n in labels if n) for node, own in of_node.items()}

    def fill(name: str, numbers: Draws) -> Array:
        draws = max((len(numbers[n]) for n in names.get(name, ())), default=1)
        table = np.repeat(engine.table(name)[..., np.newaxis], draws, axis=-1)
        for column, labels in of_node.get(name, ()):
            table[column] = _column(table[column], [numbers[n] if n else None for n in labels])
        return table

    return Subject(engine, points, low, high, wholes, fill, lambda name: names.get(name, ()))


def _column(before: Array, values: Sequence[Array | None]) -> Array:
    """Return a column with other values, shape ``(card, draws)``: what has none shares the rest in proportion."""
    fixed = [k for k, value in enumerate(values) if value is not None]
    free = [k for k, value in enumerate(values) if value is None]
    column = np.empty_like(before)
    for k in fixed:
        column[k] = values[k]
    rest = 1 - column[fixed].sum(axis=0)
    old = before[free].sum(axis=0)
    column[free] = before[free] / np.where(old > 0, old, 1.0) * rest if free else column[free]
    return column


def _place(engine: Engine, item: EntryRange) -> tuple[tuple[int, ...], int]:
    """Return the column and the state of an entry, checked."""
    parents = engine.parents(item.node)
    if set(item.parents) != set(parents):
        got = ", ".join(item.parents) or "none"
        raise InvalidInputError(
            f"ranges: {item.node} must be given all of its parents ({', '.join(parents) or 'none'}), got {got}"
        )
    column = tuple(_state(engine, parent, item.parents[parent]) for parent in parents)
    state = _state(engine, item.node, item.state)
    value = float(engine.table(item.node)[(*column, state)])
    if not 0 <= item.low <= value + _SAME or not value - _SAME <= item.high <= 1:
        got = f"{item.low!r} to {item.high!r} for {value:g}"
        raise InvalidInputError(f"ranges: {item.name}: 0 <= low <= its value <= high <= 1 must hold, got {got}")
    if value in (0.0, 1.0) and item.low < item.high:
        raise InvalidInputError(f"ranges: {item.name}: an entry that is certain must keep its value, got a range")
    return column, state


def _state(engine: Engine, node: str, state: str) -> int:
    states = engine.states[node]
    if state not in states:
        raise InvalidInputError(f"ranges: {node} must have the state, got {state!r}{nearest(str(state), states)}")
    return states.index(state)
