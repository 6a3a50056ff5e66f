"""How much an answer hangs on each number: the posterior at both ends of the number's range, as a column and as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers, sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rootcause import Model
    from rootcause.priors import Parameter
    from rootcause.sensitivity.tornado import Bar, Tornado

_LEAST: Final = 0.0005  # what one decimal of a percentage point can still show
_FIELDS: Final = (
    "id", "meaning", "point", "low", "high", "range", "horizon", "basis", "sources", "records", "locator", "population",
    "read", "derivation", "unfitted", "note", "considered",
)  # fmt: skip
_OF_ANSWER: Final = ("cause", "posterior", "posterior_at_low", "posterior_at_high", "swing_points", "rates", "digest")


@dataclass(frozen=True, slots=True)
class Influence:
    """How far each number moves one posterior over its range.

    Attributes:
        cause: The cause whose posterior it is.
        value: The posterior with every number at its point.
        bars: By id, the posterior at both ends; a number that cannot move it has none.
    """

    cause: str
    value: float
    bars: Mapping[str, Bar]

    def width(self, id_: str) -> float:
        """How far a number moves the posterior, as a difference of probabilities."""
        bar = self.bars.get(id_)
        return bar.width if bar else 0.0

    @property
    def widest(self) -> float:
        """How far the number moves it that moves it most."""
        return max((bar.width for bar in self.bars.values()), default=0.0)


def influence_of(found: Tornado) -> Influence:
    """What a tornado says, by number."""
    return Influence(found.target, found.value, {bar.parameter: bar for bar in found.bars})


def by_influence(parameters: Iterable[Parameter], influence: Influence) -> list[Parameter]:
    """The numbers, those that move the answer most first; those that move it alike stay in order."""
    return sorted(parameters, key=lambda parameter: -influence.width(parameter.id))


def those_that_count(parameters: Iterable[Parameter], influence: Influence) -> list[Parameter]:
    """The numbers that move the answer at all."""
    return [parameter for parameter in parameters if parameter.id in influence.bars]


def title(influence: Influence) -> str:
    """The heading of the column."""
    return f"Moves {labels.cause(influence.cause)}"


def cell_html(influence: Influence, parameter: Parameter) -> str:
    """One number's cell: the swing in points as a bar and as a number, and the posterior at both ends."""
    bar = influence.bars.get(parameter.id)
    if bar is None:
        return "<td>–<small>cannot reach this answer</small></td>"
    share = 100 * bar.width / influence.widest
    low, high = (numbers.percent_html(value) for value in (bar.at_low, bar.at_high))
    return (
        f'<td><span class="rc-tells" aria-hidden="true"><i style="width:{share:.2f}%"></i></span>'
        f'<span class="rc-tells-number">{_points(bar.width)} points</span>'
        f"<small>{escape(labels.cause(influence.cause))}: {low} at the low end, {high} at the high end</small></td>"
    )


def _points(width: float) -> str:
    return "&lt;0.1" if width < _LEAST else f"{100 * width:.1f}"


def to_csv(model: Model, influence: Influence | None) -> str:
    """All numbers of a model as CSV, in full precision, with how much the answer hangs on each.

    Args:
        model: Whose numbers.
        influence: Of an answer; ``None`` leaves its columns empty.
    """
    rows = (
        {field: _plain(parameter, field) for field in _FIELDS}
        | dict(zip(_OF_ANSWER, _answered(model, influence, parameter), strict=True))
        for parameter in model.priors.parameters.values()
    )
    return sheets.to_csv((*_FIELDS, *_OF_ANSWER), rows)


def _plain(parameter: Parameter, field: str) -> object:
    value = getattr(parameter, field)
    if field == "considered":
        return " | ".join(f"{item.record} ({item.source}): {item.value}; {item.reason}" for item in value)
    return "; ".join(value) if isinstance(value, tuple) else "" if value is None else value


def _answered(model: Model, influence: Influence | None, parameter: Parameter) -> tuple[object, ...]:
    about = (model.rates, model.digest)
    if influence is None:
        return ("", "", "", "", "", *about)
    bar = influence.bars.get(parameter.id)
    ends = (bar.at_low, bar.at_high, 100 * bar.width) if bar else (influence.value, influence.value, 0.0)
    return (influence.cause, influence.value, *ends, *about)
