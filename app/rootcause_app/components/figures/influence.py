"""How far one number after another moves the answer over its range, and where in it another cause takes the lead."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rootcause.sensitivity.parameters import Number
from rootcause.sensitivity.tornado import tornado as bars_of
from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import altair as alt

    from rootcause import Model
    from rootcause.case import Case
    from rootcause.sensitivity.stability import RankStability
    from rootcause.sensitivity.tornado import Bar, Tornado
    from rootcause_app.theme import Palette

SHOWN: Final = 12
"""Bars that are drawn unless told otherwise; the table has all of them."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A value of a number, inside its range, at which another cause takes the lead.

    Attributes:
        value: The value.
        posterior: The posterior that is asked for, there.
        rival: The cause that leads from there on.
    """

    value: float
    posterior: float
    rival: str


_NO_SWAPS: Final[Mapping[str, Swap]] = MappingProxyType({})


def swaps(
    model: Model, case: Case | Mapping[str, Any], target: str, stability: RankStability, ids: Sequence[str]
) -> dict[str, Swap]:
    """Return where in the bars of a tornado another cause takes the lead, by the id of the number.

    Args:
        model: The model.
        case: What was found.
        target: The cause of the tornado.
        stability: Where the lead changes.
        ids: The numbers whose bars are drawn.

    Raises:
        InvalidInputError: If the case or the target is not known.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    tips = {item.number: item for item in stability.overtakings if item.inside and item.number in ids}
    ranges = {Number(id_): (min(tip.value, tip.point), max(tip.value, tip.point)) for id_, tip in tips.items()}
    moved = {id_: ends for id_, ends in ranges.items() if ends[0] < ends[1]}
    found = {bar.parameter: bar for bar in bars_of(model, case, target, moved).bars} if moved else {}
    return {
        id_: Swap(tip.value, found[id_].at_low if tip.value < tip.point else found[id_].at_high, tip.rival)
        for id_, tip in tips.items()
        if id_ in found
    }


def tornado(
    result: Tornado,
    model: Model,
    palette: Palette,
    call: str,
    swaps: Mapping[str, Swap] = _NO_SWAPS,
    most: int = SHOWN,
    among: str = "",
) -> Figure:
    """Bars over the ranges of the numbers, the widest first.

    Args:
        result: The tornado.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
        swaps: Where another cause takes the lead, by the id of the number (see ``swaps``).
        most: Bars that are drawn, at most.
        among: Which numbers the bars are of, as ``with a source``; empty for all.
    """
    shown = result.bars[:most]
    cause = labels.cause(result.target)
    return Figure(
        name="tornado",
        title=f"{cause}: each number {among}{' ' if among else ''}over its range",
        sentence=_verdict(result, model, sum(bar.parameter in swaps for bar in shown), among),
        chart=_tornado_chart(result.value, shown, model, palette, swaps),
        rows=tuple(_tornado_row(bar, model, swaps.get(bar.parameter)) for bar in result.bars),
        call=call,
        about=result.target,
        source=source_line(model),
    )


def _verdict(result: Tornado, model: Model, swaps: int, among: str) -> str:
    now = f"{labels.cause(result.target)} stands at {numbers.percent(result.value)}"
    if not result.bars:
        return f"{now}; none of these numbers moves it."
    first = result.bars[0]
    ends = " to ".join(numbers.percent(value) for value in (first.at_low, first.at_high))
    most = f"moves it most of those {among}" if among else "moves it most"
    said = (
        f"{now}; “{words.number(model, first.parameter)}” {most}, from {ends} over its range, "
        f"{words.span(first.low, first.high)} ({first.basis or 'range given'})."
    )
    if not swaps:
        return said
    many = "1 of the numbers drawn lets" if swaps == 1 else f"{swaps} of the numbers drawn let"
    return f"{said} Alone and inside its range, {many} another cause take the lead."


def _tornado_row(bar: Bar, model: Model, swap: Swap | None) -> dict[str, object]:
    return {
        "number": bar.parameter,
        "meaning": words.number(model, bar.parameter),
        "point": bar.point,
        "low": bar.low,
        "high": bar.high,
        "posterior_at_low": bar.at_low,
        "posterior_at_high": bar.at_high,
        "width": bar.width,
        "range": labels.RANGES.get(bar.range, bar.range),
        "basis": bar.basis,
        "sources": "; ".join(bar.sources),
        "another_leads_at": None if swap is None else swap.value,
        "who_leads_then": "" if swap is None else labels.cause(swap.rival),
    }


def _tornado_chart(
    value: float, shown: Sequence[Bar], model: Model, palette: Palette, swaps: Mapping[str, Swap]
) -> alt.LayerChart:
    low, high = palette.lines[0], palette.lines[1]
    signs = [
        Sign("number at its low end", low, "triangle-down"),
        Sign("at its high end", high, "triangle-up"),
        Sign("dashed: assumed", palette.muted, assumed=True),
    ]
    signs += (
        [Sign("another cause takes the lead", palette.text, "diamond")]
        if any(bar.parameter in swaps for bar in shown)
        else []
    )
    head, top = key(signs, palette)
    frame = Frame(palette, [_tornado_words(bar, model, swaps.get(bar.parameter)) for bar in shown], top + 24)
    x = measure("Posterior", [value, *chain.from_iterable((bar.at_low, bar.at_high) for bar in shown)])
    ends = [end for index, bar in enumerate(shown) for end in _ends(frame, index, bar, value)]
    marks = [
        {"at": swap.posterior, "down": frame.middle(index), "said": f"{labels.cause(swap.rival)} leads"}
        for index, bar in enumerate(shown)
        if (swap := swaps.get(bar.parameter))
    ]
    now = [{"words": f"now {numbers.percent(value)}", "down": top + 12, "at": value}]
    layers = [
        *head,
        frame.grid(x),
        drawing.bars([_piece(end, (low, high)[end["upper"]]) for end in ends], x.x("start")),
        frame.rule(x, value, palette.text),
        drawing.text(now, palette.text, x=x.x("at"), align="center", size=drawing.SMALL),
        *frame.words(),
    ]
    for upper, shape in enumerate(("triangle-down", "triangle-up")):
        own = [end for end in ends if end["upper"] == upper]
        for side in (-1, 1):
            here = [end for end in own if end["side"] == side]
            if here:
                layers += _end_words(here, (low, high)[upper], shape, side, x.x("at"), palette)
    layers += [drawing.points(marks, palette.text, "diamond", x=x.x("at"), size=90)] if marks else []
    return drawing.finished(layers, palette, frame.height)


def _tornado_words(bar: Bar, model: Model, swap: Swap | None) -> Row:
    """What a narrow screen cuts off comes last."""
    range_ = f"{words.span(bar.low, bar.high)}, now {numbers.parameter(bar.point)}"
    said = [range_, words.basis(model, bar.basis, bar.sources)]
    if swap is not None:
        side = "below" if swap.value < bar.point else "above"
        said.insert(0, f"{labels.cause(swap.rival)} leads {side} {words.tipping(swap.value)}")
    return Row(words.number(model, bar.parameter), " · ".join(filter(None, said)))


def _ends(frame: Frame, index: int, bar: Bar, value: float) -> Iterator[dict[str, Any]]:
    """Both ends of a bar; where they lie on one side of the posterior, each has half of the height."""
    one_side = (bar.at_low - value) * (bar.at_high - value) > 0
    top, height = frame.bar_top(index), frame.bar / (2 if one_side else 1)
    for upper, (number, posterior) in enumerate(((bar.low, bar.at_low), (bar.high, bar.at_high))):
        start = top + (upper * height if one_side else 0)
        other = bar.at_low if upper else bar.at_high
        yield {
            "upper": upper,
            "start": value,
            "end": posterior,
            "at": posterior,
            "side": 1 if posterior > other or (posterior == other and upper) else -1,
            "down": start,
            "bottom": start + height,
            "middle": start + height / 2,
            "assumed": bar.basis == "assumed",
            "said": f"{frame.rows[index].label}: {numbers.percent(posterior)} at {numbers.parameter(number)}",
        }


def _piece(end: Mapping[str, Any], colour: str) -> dict[str, Any]:
    kept = {name: end[name] for name in ("start", "end", "down", "bottom", "said")}
    return kept | drawing.filling(colour, assumed=end["assumed"])


def _end_words(
    ends: Sequence[Mapping[str, Any]], colour: str, shape: str, side: int, at: alt.X, palette: Palette
) -> list[alt.Chart]:
    """The posterior at an end of a bar with the sign that says which end of the range gives it."""
    told = [{"at": end["at"], "down": end["middle"], "words": numbers.percent(end["at"])} for end in ends]
    align: drawing.Align = "left" if side > 0 else "right"
    signs = drawing.points([row | {"said": row["words"]} for row in told], colour, shape, x=at, size=38)
    signs.mark.xOffset = 8 * side
    return [signs, drawing.text(told, palette.text, x=at, align=align, shift=15 * side, size=drawing.SMALL)]
