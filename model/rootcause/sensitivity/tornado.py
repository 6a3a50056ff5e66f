"""A tornado: the posterior with one number after another at the ends of its range (Howard 1988).

The ranges are those of the numbers, from a source or judged, and not a percentage of it. So a bar says what a
source leaves open, and its label names the values and the source. With the shares of one whole, the other shares move
along in proportion.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.numbers import Modelled, figures_of
from rootcause.sensitivity.parameters import (
    Entry,
    Evidence,
    Number,
    Parameter,
    Question,
    Subject,
    Target,
    ask,
    evaluate_each,
    possible,
    vary,
)
from rootcause.sensitivity.reach import lines, values_at

Range = tuple[float, float]
"""The lowest and the highest value."""

_LEAST = 1e-12
_SHOWN = 15
_WIDE = 34


@dataclass(frozen=True, slots=True)
class Bar:
    """One number of a tornado.

    Attributes:
        parameter: Its id, or the entry.
        meaning: It in words.
        point: Its own value.
        low: The lower end of its range.
        high: The upper end.
        at_low: The posterior with it at the lower end.
        at_high: The posterior with it at the upper end.
        range: What the range means; empty for an entry.
        basis: What the number rests on; empty for an entry.
        sources: Keys of its sources.
        tied: Whether it enters several tables at once.
    """

    parameter: str
    meaning: str
    point: float
    low: float
    high: float
    at_low: float
    at_high: float
    range: str
    basis: str
    sources: tuple[str, ...]
    tied: bool

    @property
    def width(self) -> float:
        """How far the two posteriors are apart."""
        return abs(self.at_high - self.at_low)


@dataclass(frozen=True, slots=True)
class Tornado:
    """All bars, the widest first.

    Attributes:
        target: What is asked for.
        value: The posterior with every number at its point.
        bars: One for each number that moves it.
        unmoved: How many numbers do not move it.
    """

    target: str
    value: float
    bars: tuple[Bar, ...]
    unmoved: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        bars = [{**asdict(bar), "sources": list(bar.sources), "width": bar.width} for bar in self.bars]
        return {"target": self.target, "value": self.value, "bars": bars, "unmoved": self.unmoved}

    def to_text(self, most: int = _SHOWN) -> str:
        """Return the widest bars as lines for a terminal."""
        lines_ = [
            f"{self.target}: {self.value:.2%} with every number at its point",
            f"{'at low':>8} {'at high':>8}  {'number':{_WIDE}}  range, basis, sources",
        ]
        for bar in self.bars[:most]:
            said = f"{bar.low:.3g}–{bar.high:.3g}" + "".join(f", {w}" for w in (bar.basis, *bar.sources) if w)
            lines_.append(f"{bar.at_low:>8.2%} {bar.at_high:>8.2%}  {bar.parameter:{_WIDE}}  {said}")
        left = len(self.bars) - most
        lines_ += [f"and {left} narrower ones"] if left > 0 else []
        return "\n".join([*lines_, f"{self.unmoved} numbers do not move it"])


def tornado(
    subject: Subject,
    evidence: Evidence,
    target: Target,
    ranges: Mapping[Entry, Range] | Mapping[Number, Range] | None = None,
) -> Tornado:
    """Return the posterior with each parameter in turn at both ends of its range.

    Args:
        subject: A model, or an engine.
        evidence: A case or its findings; for an engine, observations by node.
        target: A cause of the model, or ``none``, or a node with one of its states.
        ranges: By parameter, its lowest and highest value; left out: the ranges of all numbers of a model.

    Raises:
        InvalidInputError: If the target, the evidence or a parameter is not known, a range is empty or outside of what
            the parameter can take, or an engine is given no ranges.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    question = ask(subject, target, evidence)
    if ranges is not None:
        possible(question)
        return _given(question, dict(ranges.items()))
    if isinstance(subject, Engine):
        raise InvalidInputError("ranges: an engine has no ranges of its own, so they must be given, got none")
    return _published(subject, question)


def _published(model: Modelled, question: Question) -> Tornado:
    figures = figures_of(model)
    events = [question.event]
    found = lines(model, question, events)
    ends = {id_: (figures.parameters[id_].low, figures.parameters[id_].high) for id_ in found.ids}
    bars = []
    values = values_at(model, question, found, ends, events)
    for id_, tied in zip(found.ids, found.tied.tolist(), strict=True):
        joint, below = values[id_]
        at_low, at_high = (joint[0] / below).tolist()
        bars.append(_bar(model, id_, at_low, at_high, tied=tied))
    return _sorted(question, float(found.posterior[0]), bars, len(figures.parameters))


def _bar(model: Modelled, id_: str, at_low: float, at_high: float, *, tied: bool) -> Bar:
    own = figures_of(model).parameters[id_]
    ends = (own.low, own.high, at_low, at_high)
    return Bar(id_, own.meaning, own.point, *ends, own.range, own.basis, own.sources, tied)


def _given(question: Question, ranges: Mapping[Parameter, Range]) -> Tornado:
    bars = []
    said: tuple[str, str, tuple[str, ...]]
    varied = {parameter: vary(question.subject, parameter) for parameter in ranges}
    for parameter, (low, high) in ranges.items():
        least, most = varied[parameter].domain
        if not least <= low < high <= most:
            raise InvalidInputError(
                f"ranges: {parameter} must have a low below a high in [{least:g}, {most:g}], got {low:g} and {high:g}"
            )
    points = {parameter: (low, high, varied[parameter].point) for parameter, (low, high) in ranges.items()}
    value = 0.0
    found = evaluate_each(question, points)
    for parameter, own in found.items():
        at_low, at_high, value = own.posterior[0].tolist()
        low, high = ranges[parameter]
        if isinstance(parameter, Number) and not isinstance(question.subject, Engine):
            number = figures_of(question.subject).parameters[parameter.id]
            said = (number.range, number.basis, number.sources)
        else:
            said = ("", "", ())
        of = varied[parameter]
        ends = (low, high, at_low, at_high)
        range_, basis, sources = said
        bars.append(Bar(str(parameter), of.label, of.point, *ends, range_, basis, sources, of.degree > 1))
    return _sorted(question, value, bars, len(ranges))


def _sorted(question: Question, value: float, bars: list[Bar], numbers: int) -> Tornado:
    kept = tuple(sorted((bar for bar in bars if bar.width > _LEAST), key=lambda bar: -bar.width))
    return Tornado(question.name, value, kept, numbers - len(kept))
