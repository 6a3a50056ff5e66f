"""What the modeler's figures share: type, colours, marks, and how layers become one picture.

Positions down the page are pixels; positions across it are data, or pixels where a key is drawn.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import altair as alt

from rootcause_app import theme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rootcause_app.theme import Palette

FONT: Final = '"Source Sans", "Segoe UI", Helvetica, Arial, sans-serif'
DASH: Final = [4, 3]  # the edge of what is assumed
SIZE: Final = 12.5
SMALL: Final = 11.5
NORMAL: Final = 1.96  # standard errors to either side of an estimate
SHADE: Final = 0.17  # opacity of a stretch in the background
PERCENT: Final = "format(100 * datum.value, '.4~g') + ' %'"  # how Vega writes a probability
POINTS: Final = "(datum.value > 0 ? '+' : '') + format(100 * datum.value, '.4~g')"

_TICKS: Final = 5
_EDGE: Final = f"datum.dashed ? {DASH} : [1, 0]"  # Streamlit hands on no lists in data

# Streamlit's ground, which words over a picture are set off with; and a colour map from it to a colour that the words
# of the same palette can still be read on.
GROUNDS: Final = {theme.LIGHT: "#FFFFFF", theme.DARK: "#10161D"}
HEAT: Final = {theme.LIGHT: ("#F4F8FB", "#8DBBE0"), theme.DARK: ("#141D27", "#2F6496")}

Align = Literal["left", "center", "right"]


# ---- marks -----------------------------------------------------------------------------------------------------------


def data(rows: Iterable[Mapping[str, Any]]) -> alt.InlineData:
    """Rows as they go to the browser."""
    return alt.InlineData(values=[dict(row) for row in rows])


def down(field: str) -> alt.Y:
    """A position in pixels from the top."""
    return alt.Y(f"{field}:Q", scale=None, axis=None)


def across(field: str) -> alt.X:
    """A position in pixels from the left."""
    return alt.X(f"{field}:Q", scale=None, axis=None)


def fixed(left: float) -> alt.XValue:
    """The same place across for all, in pixels from the left."""
    return alt.XValue(left)  # type: ignore[no-untyped-call]


def upright(top: float, bottom: float) -> dict[str, Any]:
    """From one place to another one below it for all, in pixels from the top: the encodings ``y`` and ``y2``."""
    return {"y": alt.YValue(top), "y2": alt.Y2Value(bottom)}  # type: ignore[no-untyped-call]


def text(  # noqa: PLR0913 - what a piece of text has
    rows: Iterable[Mapping[str, Any]],
    colour: str,
    *,
    x: alt.X | None = None,
    size: float | str = SIZE,
    bold: bool = False,
    align: Align = "left",
    shift: float = 0,
    limit: str = "",
) -> alt.Chart:
    """Words at ``down`` pixels from the top; at the left edge unless told otherwise.

    Args:
        rows: With ``words`` and ``down``, and what ``x`` takes.
        colour: Of the words.
        x: Where across.
        size: In pixels, or an expression of Vega.
        bold: Whether they are heavier.
        align: Which part of them stands at the place.
        shift: Pixels to the right.
        limit: An expression of Vega for the greatest width.
    """
    how: dict[str, Any] = {"limit": alt.expr(limit)} if limit else {}
    mark = alt.Chart(data(rows)).mark_text(
        aria=False,
        align=align,
        baseline="middle",
        fontSize=alt.expr(size) if isinstance(size, str) else size,
        fontWeight=600 if bold else 400,
        color=colour,
        dx=shift,
        **how,
    )
    drawn: alt.Chart = mark.encode(x=fixed(0) if x is None else x, y=down("down"), text="words:N")
    return drawn


def bars(rows: Iterable[Mapping[str, Any]], x: alt.X) -> alt.Chart:
    """Bars from ``start`` to ``end``, ``down`` to ``bottom`` pixels from the top, filled as each row says.

    Args:
        rows: With ``fill``, ``edge``, ``dashed`` (see ``filling``) and ``opacity``, and ``said`` for a pointer on it.
        x: The axis of ``start``.
    """
    mark = alt.Chart(data(rows)).mark_rect(aria=False, strokeWidth=1.2, strokeDash=alt.expr(_EDGE))
    drawn: alt.Chart = mark.encode(
        x=x,
        x2="end:Q",
        y=down("down"),
        y2="bottom:Q",
        fill=alt.Fill("fill:N", scale=None),
        stroke=alt.Stroke("edge:N", scale=None),
        fillOpacity=alt.FillOpacity("opacity:Q", scale=None),
        tooltip=alt.Tooltip("said:N", title=" "),
    )
    return drawn


def filling(colour: str, *, assumed: bool) -> dict[str, Any]:
    """How a bar is filled: full where its number is published, faint with a dashed edge where it is assumed."""
    return {"fill": colour, "edge": colour, "dashed": assumed, "opacity": 0.3 if assumed else 0.85}


def shading(colour: str) -> dict[str, Any]:
    """How a stretch in the background is filled."""
    return {"fill": colour, "edge": "transparent", "dashed": False, "opacity": SHADE}


def points(rows: Iterable[Mapping[str, Any]], colour: str, shape: str, *, x: alt.X, size: int = 70) -> alt.Chart:
    """Signs of one shape, each with what is ``said`` to a pointer on it; a ``ring`` is a circle that is not filled."""
    how: dict[str, Any] = {"shape": "circle", "filled": False} if shape == "ring" else {"shape": shape, "filled": True}
    mark = alt.Chart(data(rows)).mark_point(aria=False, size=size, color=colour, opacity=1, strokeWidth=2, **how)
    drawn: alt.Chart = mark.encode(x=x, y=down("down"), tooltip=alt.Tooltip("said:N", title=" "))
    return drawn


def set_off(words: alt.Chart, palette: Palette) -> list[alt.Chart]:
    """Words with a rim in the colour of the ground, so that they can be read over lines."""
    rim = words.copy(deep=["mark"])
    rim.mark.stroke = rim.mark.color = GROUNDS[palette]
    rim.mark.strokeWidth = 4
    rim.mark.strokeJoin = "round"
    return [rim, words]


# ---- axes ------------------------------------------------------------------------------------------------------------


def steps(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Round values inside a range, at most so many and one: multiples of 1, 2 or 5 times a power of ten."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


# ---- the whole -------------------------------------------------------------------------------------------------------


def layered(layers: Sequence[alt.Chart | alt.LayerChart]) -> alt.LayerChart:
    """Layers on top of each other that share their axes."""
    return alt.LayerChart(layer=list(layers))


def finished(
    layers: Sequence[alt.Chart | alt.LayerChart], palette: Palette, height: float, *, apart: bool = False
) -> alt.LayerChart:
    """The layers as one picture, as wide as its place; put together at once, since each further step copies the data.

    Args:
        layers: From the back to the front.
        palette: The colours.
        height: Pixels.
        apart: Whether each layer has axes of its own.
    """
    colours: dict[str, Any] = {"gridColor": palette.grid, "domainColor": palette.grid, "tickColor": palette.grid}
    type_: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 400}
    colours |= {"labelColor": palette.muted, "titleColor": palette.muted}
    axes = alt.AxisConfig(**colours, **type_, labelOverlap="greedy", labelFlush=False)
    own: dict[str, Any] = {"resolve": alt.Resolve(scale={"x": "independent", "y": "independent"})} if apart else {}
    return alt.LayerChart(
        layer=list(layers),
        width="container",
        # Only the width is given: axes and titles add to the height.
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        height=height,
        padding={"left": 2, "right": 6, "top": 4, "bottom": 2},
        config=alt.Config(font=FONT, background="transparent", view=alt.ViewConfig(stroke=None), axis=axes),
        **own,
    )
