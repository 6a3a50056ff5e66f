"""The answer as a function of two numbers at once: a map over the box of their ranges, with lines of equal value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import altair as alt
import numpy as np

from rootcause.errors import InvalidInputError
from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.contours import Box, box_of, lead_lines, lines_of, values
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rootcause import Model
    from rootcause.sensitivity.two_way import TwoWay
    from rootcause_app.theme import Palette

    Array = NDArray[np.float64]

_CELLS: Final = 32  # along one side of the map
_ROWS: Final = 9  # along one side of the table
_LINES: Final = 6
_TALL: Final = 380
_LEAST: Final = 1e-9


def two_way(result: TwoWay, model: Model, palette: Palette, call: str, rivals: Sequence[TwoWay] = ()) -> Figure:
    """The posterior over the box of both ranges.

    Args:
        result: The function.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
        rivals: The same of the other causes, to draw where the cause wins or loses the lead.

    Raises:
        InvalidInputError: If a rival is a function of other numbers.
    """
    if any((rival.x, rival.y) != (result.x, result.y) for rival in rivals):
        raise InvalidInputError("rivals: must be functions of the same two numbers, got others")
    box = box_of(result)
    return Figure(
        name="two-way",
        title=f"{labels.cause(result.target)} as a function of two numbers",
        sentence=_verdict(result, box, model, rivals),
        chart=_chart(result, box, model, palette, rivals),
        rows=tuple(_rows(result, box, rivals)),
        call=call,
        about=f"{result.target}-{result.x}-{result.y}",
        source=source_line(model),
    )


def _verdict(result: TwoWay, box: Box, model: Model, rivals: Sequence[TwoWay]) -> str:
    cause = labels.cause(result.target)
    own = values(result, *box.spread(_CELLS))
    low, high = (numbers.percent(float(value)) for value in (np.nanmin(own), np.nanmax(own)))
    x, y = (words.number(model, str(name)) for name in (result.x, result.y))
    said = f"{cause} lies between {low} and {high} while “{x}” and “{y}” go through their ranges together."
    if not rivals:
        return said
    every = np.stack([values(rival, *box.spread(_CELLS)) for rival in rivals])
    possible = ~np.isnan(own)
    ahead = own[possible] >= every[:, possible].max(axis=0)
    share = float(ahead.mean())
    if share == 1:
        return f"{said} It leads everywhere in the box."
    first = every[:, possible].argmax(axis=0)[~ahead]
    order = np.argsort(-np.bincount(first, minlength=len(rivals)), kind="stable")
    others = [labels.cause(rivals[number].target) for number in order.tolist() if number in first]
    elsewhere = f"{' or '.join(others)} leads"
    if share == 0:
        return f"{said} It leads nowhere in the box: {elsewhere}."
    return f"{said} It leads in {100 * share:.0f} % of it; elsewhere, {elsewhere}."


def _rows(result: TwoWay, box: Box, rivals: Sequence[TwoWay]) -> list[dict[str, object]]:
    """The point, then a coarse grid over the box."""
    x, y = box.spread(_ROWS)
    places = [result.point, *((float(a), float(b)) for b in y for a in x)]
    rows: list[dict[str, object]] = []
    for number, (a, b) in enumerate(places):
        row: dict[str, object] = {"what": "grid" if number else "now", str(result.x): a, str(result.y): b}
        own = _value(result, a, b)
        row[f"posterior_of_{result.target}"] = own
        if rivals:
            others = {rival.target: _value(rival, a, b) for rival in rivals}
            first = max(others, key=lambda name: others[name] or 0.0)
            row |= {"posterior_of_the_first_other": others[first], "first_other": first if own is not None else ""}
        rows.append(row)
    return rows


def _value(function: TwoWay, x: float, y: float) -> float | None:
    """Return the posterior; ``None`` where both numbers cannot be so."""
    found = float(values(function, np.array([x]), np.array([y]))[0, 0])
    return None if np.isnan(found) else found


# ---- the picture -----------------------------------------------------------------------------------------------------


def _chart(result: TwoWay, box: Box, model: Model, palette: Palette, rivals: Sequence[TwoWay]) -> alt.LayerChart:
    swaps = lead_lines(result, rivals, box, _CELLS) if rivals else []
    signs = [Sign("equal values", palette.muted, "line"), Sign("now", palette.text, "ring")]
    signs += [Sign("the lead changes", palette.lines[1], "dashes")] if rivals else []
    head, above = key(signs, palette)
    x, y = (words.number(model, str(name)) for name in (result.x, result.y))
    told = [
        {"words": f"Up: {y}", "down": above + 9},
        {"words": f"Across: {x}", "down": above + 9 + LABEL},
    ]
    top = above + 2 * LABEL + 12
    axes = _Axes(box, top, top + _TALL)
    above_it = drawing.layered([*head, drawing.text(told, palette.text, limit="width", bold=True)])
    layers = [_heat(result, box, axes, palette)]
    own = values(result, *box.spread(_CELLS))
    levels = _levels(float(np.nanmin(own)), float(np.nanmax(own)))
    traced = [(level, line) for level in levels for line in lines_of(result, result.numerator, level, box)]
    layers += _traced([line for _, line in traced], axes, palette.muted, [1, 0], 1.2)
    layers += _traced(swaps, axes, palette.lines[1], drawing.DASH, 2.6)
    layers += _labelled(traced, axes, palette)
    layers.append(_point(result, axes, palette))
    return drawing.finished([above_it, drawing.layered(layers)], palette, top + _TALL, apart=True)


@dataclass(frozen=True, slots=True)
class _Axes:
    """Both axes: values of the two numbers."""

    box: Box
    top: float
    bottom: float

    def x(self, field: str = "x") -> alt.X:
        """The place of a value of the first number."""
        ticks = drawing.steps(*self.box.x)
        axis = alt.Axis(values=ticks, labelExpr=drawing.PERCENT, grid=False)
        scale = alt.Scale(domain=list(self.box.x), nice=False, zero=False)
        return alt.X(f"{field}:Q", title=None, scale=scale, axis=axis)

    def y(self, field: str = "y") -> alt.Y:
        """The place of a value of the second one."""
        axis = alt.Axis(values=drawing.steps(*self.box.y), labelExpr=drawing.PERCENT, grid=False)
        ends = [self.bottom, self.top]
        scale = alt.Scale(domain=list(self.box.y), nice=False, zero=False, range=ends)
        return alt.Y(f"{field}:Q", title=None, scale=scale, axis=axis)


def _heat(result: TwoWay, box: Box, axes: _Axes, palette: Palette) -> alt.Chart:
    x, y = box.spread(_CELLS, middles=True)
    found = values(result, x, y)
    half = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    rows = [
        {
            "x": float(a - half[0]),
            "x2": float(a + half[0]),
            "y": float(b - half[1]),
            "y2": float(b + half[1]),
            "posterior": float(found[j, i]),
        }
        for j, b in enumerate(y)
        for i, a in enumerate(x)
        if not np.isnan(found[j, i])
    ]
    low, high = float(np.nanmin(found)), float(np.nanmax(found))
    scale = alt.Scale(domain=[low, max(high, low + _LEAST)], range=list(drawing.HEAT[palette]), interpolate="rgb")
    mark = alt.Chart(drawing.data(rows)).mark_rect(aria=False, strokeWidth=0.6)
    shade: dict[str, Any] = {"scale": scale, "legend": None}
    drawn: alt.Chart = mark.encode(
        x=axes.x(),
        x2="x2:Q",
        y=axes.y(),
        y2="y2:Q",
        fill=alt.Fill("posterior:Q", **shade),
        stroke=alt.Stroke("posterior:Q", **shade),  # closes the seams between the cells
        tooltip=alt.Tooltip("posterior:Q", format=".1%", title="posterior"),
    )
    return drawn


def _levels(low: float, high: float) -> list[float]:
    """Round values strictly between two."""
    return [value for value in drawing.steps(low, high, _LINES) if low < value < high]


def _traced(lines: list[Array], axes: _Axes, colour: str, dash: list[int], width: float) -> list[alt.Chart]:
    rows = [
        {"x": x, "y": y, "line": number, "order": order}
        for number, line in enumerate(lines)
        for order, (x, y) in enumerate(line.tolist())
    ]
    if not rows:
        return []
    mark = alt.Chart(drawing.data(rows)).mark_line(aria=False, color=colour, strokeDash=dash, strokeWidth=width)
    return [mark.encode(x=axes.x(), y=axes.y(), detail="line:N", order="order:Q")]


def _labelled(traced: list[tuple[float, Array]], axes: _Axes, palette: Palette) -> list[alt.Chart]:
    """The value of each line on it, at the place that is nearest to the falling diagonal of the box."""
    rows = []
    for level, line in traced:
        place = (line - [axes.box.x[0], axes.box.y[0]]) / [
            axes.box.x[1] - axes.box.x[0],
            axes.box.y[1] - axes.box.y[0],
        ]
        inner = abs(place.sum(axis=1) - 1) + 4 * (abs(place - 0.5).max(axis=1) > 0.44)  # noqa: PLR2004 - off the edge
        at = line[int(inner.argmin())]
        rows.append({"x": float(at[0]), "y": float(at[1]), "words": f"{100 * level:.4g} %"})
    if not rows:
        return []
    mark = alt.Chart(drawing.data(rows)).mark_text(aria=False, fontSize=12, fontWeight=600, color=palette.text)
    return drawing.set_off(mark.encode(x=axes.x(), y=axes.y(), text="words:N"), palette)


def _point(result: TwoWay, axes: _Axes, palette: Palette) -> alt.Chart:
    x, y = result.point
    own = numbers.percent(float(result.value(x, y)))
    rows = [{"x": x, "y": y, "words": f"now: {own}"}]
    mark = alt.Chart(drawing.data(rows)).mark_point(
        aria=False, shape="circle", size=110, color=palette.text, strokeWidth=2.4, opacity=1
    )
    drawn: alt.Chart = mark.encode(x=axes.x(), y=axes.y(), tooltip="words:N")
    return drawn
