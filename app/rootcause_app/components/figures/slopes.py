"""The slope of the answer by each number, where all numbers stand now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import altair as alt

    from rootcause import Model
    from rootcause.sensitivity.derivatives import Derivative, Derivatives
    from rootcause_app.theme import Palette

SHOWN: Final = 12
"""Bars that are drawn unless told otherwise; the table has all of them."""


def derivatives(
    result: Derivatives,
    model: Model,
    palette: Palette,
    call: str,
    kept: Callable[[str], bool] = lambda _: True,
    most: int = SHOWN,
    among: str = "",
) -> Figure:
    """The slope by each number, times the width of its range, the largest first.

    Args:
        result: The slopes of a cause of the model.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
        kept: Which numbers are shown, by their ids.
        most: Bars that are drawn, at most.
        among: Which numbers those are, as ``with a source``; empty for all.
    """
    every = [item for item in result.largest(len(result.numbers)) if item.slope and kept(str(item.parameter))]
    cause = labels.cause(result.target)
    return Figure(
        name="derivatives",
        title=f"{cause}: slope by each number{' ' if among else ''}{among}",
        sentence=_steepest(every, result, model),
        chart=_slopes_chart(every[:most], model, palette),
        rows=tuple(_slope_row(item, result, model) for item in every),
        call=call,
        about=result.target,
        source=source_line(model),
    )


def _steepest(every: Sequence[Derivative], result: Derivatives, model: Model) -> str:
    cause = labels.cause(result.target)
    if not every:
        return f"{cause} stands at {numbers.percent(result.value)}; none of these numbers moves it."
    first = every[0]
    name, slope = words.number(model, str(first.parameter)), f"{numbers.points(0.01 * first.slope)} points"
    return (
        f"Where it stands now, {cause} moves by {slope} for each percentage point of “{name}”: as steep over its "
        f"whole range, that would be {numbers.points(first.reach or 0.0)} points."
    )


def _slope_row(item: Derivative, result: Derivatives, model: Model) -> dict[str, object]:
    low, high = item.low_high or (None, None)
    return {
        "number": str(item.parameter),
        "meaning": words.number(model, str(item.parameter)),
        "point": item.point,
        "low": low,
        "high": high,
        "slope": item.slope,
        "slope_times_range": item.reach,
        "share_of_the_greatest_slope": result.share_of_bound(item),
        "basis": item.basis,
    }


def _slopes_chart(shown: Sequence[Derivative], model: Model, palette: Palette) -> alt.LayerChart:
    down, up = palette.lines[1], palette.lines[0]
    signs = [
        Sign("the answer rises with it", up, "triangle-right"),
        Sign("falls", down, "triangle-left"),
        Sign("dashed: assumed", palette.muted, assumed=True),
    ]
    head, top = key(signs, palette)
    frame = Frame(palette, [_slope_words(item, model) for item in shown], top + 6)
    reaches = [item.reach or 0.0 for item in shown]
    x = measure("Slope times width of the range, points", [0.0, *reaches], written=drawing.POINTS)
    pieces = [
        frame.piece(index, 0.0, reach, f"{numbers.points(reach)} points")
        | drawing.filling(up if reach > 0 else down, assumed=item.basis == "assumed")
        for index, (item, reach) in enumerate(zip(shown, reaches, strict=True))
    ]
    layers = [*head, frame.grid(x), drawing.bars(pieces, x.x("start")), frame.rule(x, 0.0, palette.text)]
    layers += [*frame.words(), *frame.ends(x, 0.0, [(reach, numbers.points(reach)) for reach in reaches])]
    return drawing.finished(layers, palette, frame.height)


def _slope_words(item: Derivative, model: Model) -> Row:
    resting = words.basis(model, item.basis, item.sources)
    range_ = "" if item.low_high is None else words.span(*item.low_high)
    slope = f"slope {item.slope:+.3g}".replace("-", "−")
    said = f"{range_}, {slope}" if range_ else slope
    return Row(words.number(model, str(item.parameter)), " · ".join(filter(None, (said, resting))))
