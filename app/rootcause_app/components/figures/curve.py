"""The answer as a function of one number: round its range, and over everything that it could be.

Beside the cause that is asked about runs the most probable other one, whichever that is: where both meet, the lead is
won or lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import altair as alt
import numpy as np

from rootcause.structure import CAUSES
from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.panels import Axes, Panel, beside, rules, spots

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.sensitivity.functions import SensitivityFunction
    from rootcause.sensitivity.tipping import Tipping
    from rootcause_app.theme import Palette

_DENSE: Final = 160  # points of a curve
_ROWS: Final = 41  # points of the table, over each of the two stretches
_MARGIN: Final = 0.35  # of the range, left and right of it
_CLOSE: Final = 0.8  # share of everything from which on one picture is enough
_LARGE, _SMALL, _BETWEEN = 230, 110, 66
_MEETS: Final = "meets "


def function(result: SensitivityFunction, tip: Tipping | None, model: Model, palette: Palette, call: str) -> Figure:
    """The posterior along one number, its range shaded, the number itself and what tips marked.

    Args:
        result: The function.
        tip: Where the cause wins or loses the lead, or reaches a level; ``None`` marks nothing.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
    """
    name = words.number(model, str(result.parameter))
    return Figure(
        name="function",
        title=f"{labels.cause(result.target)} as a function of one number",
        sentence=_verdict(result, tip, name),
        chart=_chart(result, tip, name, palette),
        rows=tuple(_rows(result, tip)),
        call=call,
        about=f"{result.target}-{result.parameter}",
        source=source_line(model),
    )


def _verdict(result: SensitivityFunction, tip: Tipping | None, name: str) -> str:
    cause = labels.cause(result.target)
    if result.low_high is None:
        now = numbers.percent(result.value(result.point))
        said = f"{cause} stands at {now} with “{name}” at {words.tipping(result.point)}"
    else:
        low, high = result.low_high
        ends = f"{numbers.percent(result.value(low))} to {numbers.percent(result.value(high))}"
        through = f"{words.span(low, high)} ({result.basis})"
        said = f"{cause} goes from {ends} as “{name}” goes through its range, {through}"
    return f"{said}. {_tips(tip)}".rstrip()


def _tips(tip: Tipping | None) -> str:
    if tip is None:
        return ""
    found, cause = tip.nearest, labels.cause(tip.target)
    if _meets(tip):
        ahead = _ahead(tip.function, tip.point)
        if found is None:
            return f"It {'leads' if ahead else 'does not lead'}, whatever the number is."
        other = labels.cause(_first_other(tip.function, np.array([found.value]))[0][0])
        what = f"loses the lead to {other}" if ahead else f"takes the lead from {other}"
    else:
        what = tip.what
        if found is None:
            return f"It never {what}, whatever the number is."
    where = f"{cause} {what} at {words.tipping(found.value)}"
    if found.inside or found.missed_by is None:
        return f"{where}{', inside the range' if found.inside else ''}."
    missed = f"a factor of {found.missed_by:.3g} in its odds" if np.isfinite(found.missed_by) else "any factor"
    return f"{where}, which the range misses by {missed}."


def _tipped(tip: Tipping | None) -> str:
    return "lead changes at" if _meets(tip) else "tips at"


def _meets(tip: Tipping | None) -> bool:
    """Whether it is about the lead and not about a level."""
    return tip is not None and tip.what.startswith(_MEETS)


def _ahead(function: SensitivityFunction, value: float) -> bool:
    """Whether the cause leads at a value of the number."""
    return float(function.value(value)) >= _first_other(function, np.array([value]))[0][1]


# ---- numbers ---------------------------------------------------------------------------------------------------------


def _first_other(function: SensitivityFunction, values: np.ndarray[Any, Any]) -> list[tuple[str, float]]:
    """Return the most probable cause but the one that is asked about, with its posterior, at values of the number."""
    names = [name for name in function.outcomes if name in CAUSES and name != function.target]
    found = np.array([posteriors(function, name, values) for name in names])
    best = found.argmax(axis=0)
    return [(names[row], float(found[row, column])) for column, row in enumerate(best.tolist())]


def posteriors(function: SensitivityFunction, outcome: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the posterior of another outcome at values of the number, shape ``(values,)``."""
    place = function.outcomes.index(outcome)
    found = np.empty(len(values))
    for piece in reversed(function.pieces):
        inside = (values >= piece.low) & (values <= piece.high)
        found[inside] = piece.outcomes[place](values[inside]) / piece.denominator(values[inside])
    return found


def _possible(function: SensitivityFunction, low: float, high: float, count: int) -> np.ndarray[Any, Any]:
    """Return values between two, without those at which the findings could not be."""
    values = np.unique(np.append(np.linspace(low, high, count), np.clip(function.point, low, high)))
    kept = np.zeros(len(values), dtype=bool)
    for piece in function.pieces:
        inside = (values >= piece.low) & (values <= piece.high)
        kept[inside] = np.asarray(piece.denominator(values[inside])) > 0
    found: np.ndarray[Any, Any] = values[kept]
    return found


def _curve(function: SensitivityFunction, low: float, high: float, count: int, *, other: bool) -> list[dict[str, Any]]:
    values = _possible(function, low, high, count)
    own = [float(value) for value in function.value(values)]
    rivals: list[tuple[str, float | None]] = [("", None)] * len(own)
    if other and own:
        rivals = [*_first_other(function, values)]
    return [
        {"value": float(value), "posterior": mine, "rival": theirs, "who": name}
        for value, mine, (name, theirs) in zip(values, own, rivals, strict=True)
    ]


def _rows(result: SensitivityFunction, tip: Tipping | None) -> list[dict[str, object]]:
    """The marked values first, then both stretches."""
    other = _meets(tip)
    special = {"now": result.point}
    if result.low_high:
        special |= {"low end of the range": result.low_high[0], "high end of the range": result.low_high[1]}
    special |= {f"tipping point {i}": point.value for i, point in enumerate(tip.points if tip else (), 1)}
    rows: list[tuple[str, dict[str, Any]]] = []
    for what, value in special.items():
        rows += [(what, row) for row in _curve(result, value, value, 1, other=other)]
    panels = _panels(result, tip)
    for panel in panels:
        rows += [("curve", row) for row in _curve(result, panel.low, panel.high, _ROWS, other=other)]
    own = f"posterior_of_{result.target}"
    return [
        {"what": what, "number": str(result.parameter), "value": row["value"], own: row["posterior"]}
        | ({"posterior_of_the_first_other": row["rival"], "first_other": row["who"]} if other else {})
        for what, row in rows
    ]


# ---- the picture -----------------------------------------------------------------------------------------------------


def _panels(result: SensitivityFunction, tip: Tipping | None) -> list[Panel]:
    """The stretch round the range above everything that the number can be; one of them where they are much alike."""
    least, most = result.domain
    whole = "Everything that it could be"
    if result.low_high is None:
        return [Panel(least, most, 0, _LARGE, whole)]
    ends = [*result.low_high, result.point]
    margin = _MARGIN * (max(ends) - min(ends))
    near = [p.value for p in (tip.points if tip else ()) if min(ends) - margin <= p.value <= max(ends) + margin]
    low, high = max(least, min(ends) - margin), min(most, max([*ends, *near]) + margin)
    if high - low > _CLOSE * (most - least):
        return [Panel(least, most, 0, _LARGE, whole)]
    return [
        Panel(low, high, 0, _LARGE, "Round its range"),
        Panel(least, most, _LARGE + _BETWEEN, _SMALL, whole),
    ]


def _chart(result: SensitivityFunction, tip: Tipping | None, name: str, palette: Palette) -> alt.LayerChart:
    own, other = palette.lines[0], _meets(tip)
    signs = [Sign(labels.cause(result.target), own, "line")]
    signs += [Sign("most probable other cause", palette.lines[1], "dashes")] if other else []
    signs += [Sign("now", palette.text, "ring")]
    signs += [Sign("its range", palette.muted, "shade")] if result.low_high else []
    mark = "the lead changes" if other else "tipping point"
    signs += [Sign(mark, palette.lines[1], "diamond")] if tip and tip.points else []
    head, top = key(signs, palette)
    told = [{"words": f"Across: {name}", "down": top + 9}]
    top += 30
    panels = _panels(result, tip)
    height = top + panels[-1].top + panels[-1].tall
    above = drawing.layered([*head, drawing.text(told, palette.text, limit="width", bold=True)])
    drawn = [_drawn(result, tip, panel, (top, height), palette) for panel in panels]
    return drawing.finished([above, *drawn], palette, height, apart=True)


def _drawn(
    result: SensitivityFunction, tip: Tipping | None, panel: Panel, ends: tuple[float, float], palette: Palette
) -> alt.LayerChart:
    """One panel; ``ends`` are where the first panel begins and where the picture ends."""
    rows = _curve(result, panel.low, panel.high, _DENSE, other=_meets(tip))
    heights = [row[key] for row in rows for key in ("posterior", "rival") if row[key] is not None]
    axes = Axes(panel, ends[0] + panel.top, min(1.0, 1.15 * max(heights, default=1.0)) or 1.0, ends[1])
    layers: list[alt.Chart] = []
    if result.low_high:
        low, high = (min(max(end, panel.low), panel.high) for end in result.low_high)
        band = alt.Chart(drawing.data([{"value": low, "end": high}]))
        mark = band.mark_rect(aria=False, color=palette.muted, opacity=drawing.SHADE)
        layers.append(mark.encode(x=axes.x("value"), x2="end:Q", **drawing.upright(axes.top, axes.bottom)))
    for field, colour, dash in (("rival", palette.lines[1], drawing.DASH), ("posterior", palette.lines[0], [1, 0])):
        if rows and rows[0][field] is not None:
            line = alt.Chart(drawing.data(rows)).mark_line(aria=False, color=colour, strokeWidth=2.2, strokeDash=dash)
            layers.append(line.encode(x=axes.x("value"), y=axes.y(field), order="value:Q"))
    layers += _marked(result, tip, panel, palette, axes)
    return drawing.layered(layers)


def _marked(
    result: SensitivityFunction, tip: Tipping | None, panel: Panel, palette: Palette, axes: Axes
) -> list[alt.Chart]:
    """Where the number is now, told at the foot, and where something tips, told at the head, where both have room."""
    tips = [
        {"value": point.value, "posterior": point.posterior, "words": f"{_tipped(tip)} {words.tipping(point.value)}"}
        for point in (tip.points if tip else ())
        if panel.low <= point.value <= panel.high
    ]
    here = result.value(result.point)
    said = f"now {words.tipping(result.point)}: {numbers.percent(here)}"
    own = {"value": result.point, "posterior": here, "words": said}
    orange = palette.lines[1]
    layers = rules([own], axes, palette.text, [1, 0]) + rules(tips, axes, orange, [2, 2])
    layers += spots([own], axes, palette.text, "circle", 110) + spots(tips, axes, orange, "diamond", 80)
    if panel.tall == _LARGE:
        layers += beside([own], result.point, axes, palette, palette.text, axes.bottom - 11)
        layers += beside(tips, result.point, axes, palette, orange, axes.top + 10)
    return layers
