"""The slope of a posterior by every parameter at once, from one pass back for P(evidence) and one for the target.

What moves along with a parameter is settled before anything is differentiated (Ballester-Ripoll & Leonelli 2022): the
slope by an entry is that along the line on which the rest of its column gives way. By single entries, as they come out
of the pass (Darwiche 2003), a slope has no meaning of its own.

A posterior P moves by at most P(1 − P) / (t(1 − t)) for each unit of an entry t whose column gives way in proportion
(Chan & Darwiche 2002), so every slope can be told as a share of the greatest that it could be.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.covariation import Covariation
from rootcause.sensitivity.numbers import Modelled, figures_of, ground, said_range
from rootcause.sensitivity.parameters import (
    Entry,
    Evidence,
    Number,
    Question,
    Subject,
    Target,
    ask,
)
from rootcause.sensitivity.passes import slopes
from rootcause.sensitivity.reach import lines

Array = NDArray[np.float64]

_ALMOST = 1 - 1e-9
_SHOWN = 20
_WIDE = 44


@dataclass(frozen=True, slots=True)
class Derivative:
    """The slope of the posterior by one parameter.

    Attributes:
        parameter: The parameter.
        point: Its own value.
        slope: d posterior / d parameter.
        low_high: The range of a number of a model.
        basis: What the number and its range rest on; empty for an entry.
        sources: Keys of its sources.
    """

    parameter: Entry | Number
    point: float
    slope: float
    low_high: tuple[float, float] | None = None
    basis: str = ""
    sources: tuple[str, ...] = ()

    @property
    def reach(self) -> float | None:
        """The slope over the whole range: how far the posterior would move, were it a line."""
        return None if self.low_high is None else self.slope * (self.low_high[1] - self.low_high[0])


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The slopes of a posterior by every parameter.

    Attributes:
        target: What is asked for.
        value: The posterior.
        tables: For an engine: by node, the slope by each entry of its table, shape ``(*cards of parents, card)``.
        points: For an engine: the tables themselves.
        numbers: For a model: the slope by each number that reaches the answer, by id.
        covariation: What moves along with an entry.
    """

    target: str
    value: float
    tables: Mapping[str, Array]
    points: Mapping[str, Array]
    numbers: Mapping[str, Derivative]
    covariation: Covariation
    engine: Engine

    def of(self, parameter: Entry | Number) -> float:
        """Return the slope by one parameter; 0 for a number that does not reach the answer.

        Raises:
            InvalidInputError: If there is no such parameter.
        """
        if isinstance(parameter, Number):
            found = self.numbers.get(parameter.id)
            return 0.0 if found is None else found.slope
        if parameter.node not in self.tables:
            raise InvalidInputError(f"parameter: there is no table of {parameter.node!r}")
        named = [(name, parameter.parents[name]) for name in self.engine.parents(parameter.node)]
        place = tuple(self.engine.states[n].index(s) for n, s in [*named, (parameter.node, parameter.state)])
        return float(self.tables[parameter.node][place])

    def largest(self, most: int = _SHOWN) -> list[Derivative]:
        """Return the parameters that matter most: by slope, or for a model by slope over the range."""
        if self.numbers:
            return sorted(self.numbers.values(), key=lambda item: -abs(item.reach or 0.0))[:most]
        every = sorted(self._every(), key=lambda item: -abs(item[0]))[:most]
        return [self._entry(slope, name, place) for slope, name, place in every]

    def _every(self) -> Iterator[tuple[float, str, int]]:
        for name, table in self.tables.items():
            flat = table.ravel()
            for place in np.flatnonzero(flat).tolist():
                yield float(flat[place]), name, place

    def _entry(self, slope: float, name: str, place: int) -> Derivative:
        *columns, state = np.unravel_index(place, self.tables[name].shape)
        states = self.engine.states
        parents = {p: states[p][int(column)] for p, column in zip(self.engine.parents(name), columns, strict=True)}
        entry = Entry(name, MappingProxyType(parents), states[name][int(state)], self.covariation)
        return Derivative(entry, float(self.points[name].ravel()[place]), slope)

    def share_of_bound(self, item: Derivative) -> float | None:
        """Return a slope as a share of the greatest that it could be (Chan & Darwiche 2002).

        ``None`` where the posterior or the parameter is 0 or 1, so that there is no such bound, or so close to 1 that
        what is left is rounding; for a number that is tied across tables the share can be larger than 1.
        """
        if max(item.point, self.value) > _ALMOST:
            return None
        bound = item.point * (1 - item.point)
        spread = self.value * (1 - self.value)
        return None if bound <= 0 or spread <= 0 else abs(item.slope) * bound / spread

    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """Return it as plain data, the parameters that matter most first; ``None`` gives all."""
        items = self.largest(
            most if most is not None else len(self.numbers) + sum(t.size for t in self.tables.values())
        )
        rows = [
            {
                "parameter": str(item.parameter),
                "point": item.point,
                "slope": item.slope,
                **said_range(item.low_high, item.basis, item.sources),
                "reach": item.reach,
                "share_of_bound": self.share_of_bound(item),
            }
            for item in items
        ]
        return {"target": self.target, "value": self.value, "derivatives": rows}

    def to_text(self, most: int = _SHOWN) -> str:
        """Return the parameters that matter most as lines for a terminal."""
        lines_ = [
            f"{self.target}: {self.value:.6g}",
            f"{'parameter':{_WIDE}} {'now':>10} {'slope':>12} {'over its range':>15}  basis",
        ]
        for item in self.largest(most):
            reach = "" if item.reach is None else f"{item.reach:>+15.4g}"
            row = f"{item.parameter!s:{_WIDE}} {item.point:>10.4g} {item.slope:>+12.4g} {reach:>15}"
            lines_.append(f"{row}  {ground(item.basis, item.sources)}".rstrip())
        left = (len(self.numbers) or sum(int(np.count_nonzero(own)) for own in self.tables.values())) - most
        return "\n".join([*lines_, *([f"and {left:,} smaller ones"] if left > 0 else [])])


def derivatives(
    subject: Subject, target: Target, evidence: Evidence, covariation: Covariation = "proportional"
) -> Derivatives:
    """Return the slope of a posterior by every parameter.

    Args:
        subject: An engine, whose parameters are the entries of its tables, or a model, whose parameters are its
            numbers.
        target: A node with one of its states, or a cause of the model, or ``none``.
        evidence: Observations by node; for a model a case or its findings.
        covariation: ``proportional`` or ``uniform``: how the rest of a column gives way. Where an entry is 1, the
            others share equally. ``uniform`` is the slope at the network as it is, not at one with equal shares.
            Shares of a model always give way in proportion.

    Raises:
        InvalidInputError: If the target or the evidence is not known, or the scheme has a kink where it is asked for.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    question = ask(subject, target, evidence)
    if covariation not in {"proportional", "uniform"}:
        raise InvalidInputError(f"covariation: must be proportional or uniform to have one slope, got {covariation!r}")
    if isinstance(question.subject, Engine):
        return _of_entries(question, covariation)
    if covariation != "proportional":
        raise InvalidInputError(f"covariation: shares of a model move in proportion, got {covariation!r}")
    return _of_numbers(question.subject, question)


def _of_numbers(model: Modelled, question: Question) -> Derivatives:
    parameters = figures_of(model).parameters
    found = lines(model, question, [question.event])
    numbers = {}
    for id_, slope in zip(found.ids, found.derivative[0].tolist(), strict=True):
        own = parameters[id_]
        numbers[id_] = Derivative(Number(id_), own.point, slope, (own.low, own.high), own.basis, own.sources)
    none: Mapping[str, Array] = MappingProxyType({})
    value = float(found.posterior[0])
    return Derivatives(question.name, value, none, none, MappingProxyType(numbers), "proportional", question.engine)


def _of_entries(question: Question, covariation: Covariation) -> Derivatives:
    engine = question.engine
    found = slopes(engine, question.weights, [question.event])
    value = float(found.posterior[0])
    tables, points = {}, {}
    for part, below, above in zip(found.parts, found.evidence, found.joint, strict=True):
        table = engine.table(part.node)
        free = (above[0] - value * below).reshape(table.shape)
        tables[part.node] = _along(free, table, covariation)
        points[part.node] = table
    none: Mapping[str, Derivative] = MappingProxyType({})
    return Derivatives(
        question.name, value, MappingProxyType(tables), MappingProxyType(points), none, covariation, engine
    )


def _along(free: Array, table: Array, covariation: Covariation) -> Array:
    """Return the slopes along the lines on which the rest of a column gives way.

    Args:
        free: Slopes by single entries.
        table: The entries; the last axis is the node.
        covariation: How the rest gives way.
    """
    states = table.shape[-1]
    if states == 1:
        return np.zeros_like(free)
    equal = (free.sum(axis=-1, keepdims=True) - free) / (states - 1)
    if covariation == "uniform":
        uniform: Array = free - equal
        return uniform
    left = table.sum(axis=-1, keepdims=True) - table
    weighed = (free * table).sum(axis=-1, keepdims=True) - free * table
    rest = np.where(left > 0, weighed / np.where(left > 0, left, 1.0), equal)
    found: Array = free - rest
    return found
