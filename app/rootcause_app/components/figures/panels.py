"""A panel of a figure along one number: its axes, and what is marked in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from rootcause_app.components.figures import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause_app.theme import Palette

_ROOM: Final = 0.27  # of the width, for words beside a line


@dataclass(frozen=True, slots=True)
class Panel:
    """A stretch of values of the number, and where it is drawn."""

    low: float
    high: float
    top: float
    tall: float
    title: str


@dataclass(frozen=True, slots=True)
class Axes:
    """Both axes of a panel; the horizontal one stands at the foot of its own panel.

    Attributes:
        panel: The panel.
        top: Its upper edge, in pixels.
        most: The largest posterior that is drawn.
        height: Of the whole picture.
    """

    panel: Panel
    top: float
    most: float
    height: float

    @property
    def bottom(self) -> float:
        """The lower edge of the panel."""
        return self.top + self.panel.tall

    def x(self, field: str) -> alt.X:
        """The place of a value of the number."""
        low, high = self.panel.low, self.panel.high
        ticks, offset = drawing.steps(low, high), self.bottom - self.height
        axis = alt.Axis(values=ticks, labelExpr=drawing.PERCENT, grid=False, orient="bottom", offset=offset)
        scale = alt.Scale(domain=[low, high], nice=False, zero=False)
        return alt.X(f"{field}:Q", title=self.panel.title, scale=scale, axis=axis)

    def y(self, field: str) -> alt.Y:
        """The place of a posterior."""
        ticks = drawing.steps(0, self.most, 4)
        axis = alt.Axis(values=ticks, labelExpr=drawing.PERCENT, orient="left", domain=False, ticks=False)
        scale = alt.Scale(domain=[0, self.most], nice=False, range=[self.bottom, self.top])
        return alt.Y(f"{field}:Q", title=None, scale=scale, axis=axis)


def rules(rows: Sequence[dict[str, Any]], axes: Axes, colour: str, dash: list[int]) -> list[alt.Chart]:
    """Lines from the head to the foot of a panel, each at a ``value`` of the number; none without rows."""
    mark = alt.Chart(drawing.data(rows)).mark_rule(aria=False, color=colour, strokeDash=dash, opacity=0.75)
    return [mark.encode(x=axes.x("value"), **drawing.upright(axes.top, axes.bottom))] if rows else []


def spots(rows: Sequence[dict[str, Any]], axes: Axes, colour: str, shape: str, size: int) -> list[alt.Chart]:
    """Signs at a ``value`` of the number and a ``posterior``: diamonds are filled, circles are not."""
    mark = alt.Chart(drawing.data(rows)).mark_point(
        aria=False, shape=shape, filled=shape == "diamond", size=size, color=colour, strokeWidth=2, opacity=1
    )
    return [mark.encode(x=axes.x("value"), y=axes.y("posterior"), tooltip="words:N")] if rows else []


def _side(value: float, now: float, panel: Panel) -> int:
    """Return on which side of a line its words stand: away from the number's own line where there is room for them."""
    place = (value - panel.low) / (panel.high - panel.low)
    if value == now or not _ROOM < place < 1 - _ROOM:
        return -1 if place > 1 / 2 else 1
    return -1 if value < now else 1


def beside(
    rows: Sequence[dict[str, Any]], now: float, axes: Axes, palette: Palette, colour: str, down: float
) -> list[alt.Chart]:
    """Words beside such lines, so many pixels from the top.

    Args:
        rows: With ``value`` and ``words``.
        now: The number's own value.
        axes: Of the panel.
        palette: The colours.
        colour: Of the words.
        down: Where.
    """
    layers: list[alt.Chart] = []
    for side in (-1, 1):
        here = [row | {"down": down} for row in rows if _side(row["value"], now, axes.panel) == side]
        if here:
            align: drawing.Align = "left" if side > 0 else "right"
            said = drawing.text(here, colour, x=axes.x("value"), align=align, shift=6 * side, bold=True)
            layers += drawing.set_off(said, palette)
    return layers
