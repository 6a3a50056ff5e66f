"""Which number the spread comes from, and which would be worth knowing: Sobol indices and the value of each number."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause import Model
    from rootcause.sensitivity.indices import Index, Sobol
    from rootcause.sensitivity.value_of_parameters import ParameterValue, ValueOfParameters
    from rootcause_app.components.figures.rows import Measure
    from rootcause_app.theme import Palette

SHOWN: Final = 10
"""Numbers that are drawn; the table has all of them."""

_PLAIN: Final = "format(datum.value, '.3~g')"
_BAR: Final = 24
_HALF: Final = 11
_ROOM: Final = 110  # pixels for a value with its error beside a bar


# ---- Sobol indices ---------------------------------------------------------------------------------------------------


def sobol(result: Sobol, model: Model, palette: Palette, call: str) -> Figure:
    """First-order and total indices with their intervals, the largest total first.

    Args:
        result: The indices.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
    """
    cause = labels.cause(result.outcome)
    shown = list(result.indices)[:SHOWN]
    return Figure(
        name="sobol",
        title=f"{cause}: which number its spread comes from",
        sentence=_most(result, model),
        chart=_indices_chart(result, shown, model, palette),
        rows=tuple(_index_row(name, item, model) for name, item in result.indices.items()),
        call=call,
        about=result.outcome,
        source=source_line(model),
    )


def _most(result: Sobol, model: Model) -> str:
    cause = labels.cause(result.outcome)
    if not result.indices or result.variance <= 0:
        return f"{cause} does not vary."
    name, own = next(iter(result.indices.items()))
    stopped = f" Stopped after {result.n:,} base points." if result.stopped else ""
    return (
        f"Over all ranges {cause} has a standard deviation of {100 * result.variance**0.5:.1f} points. Of its variance "
        f"{_share(own.first)} ({_within(own.first_low, own.first_high)}) would go if “{words.number(model, name)}” "
        f"became known, and {_share(own.total)} ({_within(own.total_low, own.total_high)}) would stay if all others "
        f"did ({100 * result.level:.0f} % intervals, {result.n:,} base points).{stopped}"
    )


def _within(low: float, high: float) -> str:
    return f"{100 * _drawn(low):.0f} to {100 * _drawn(high):.0f} %"


def _written(index: float) -> str:
    """An index with two digits, and no minus before a zero."""
    return f"{round(index, 2) + 0.0:.2f}".replace("-", "−")


def _drawn(value: float) -> float:
    """An index as far as there are any: what lies below 0 or above 1 is noise of the estimate."""
    return min(max(value, 0.0), 1.0)


def _share(value: float) -> str:
    return f"{100 * _drawn(value):.0f} %"


def _index_row(name: str, item: Index, model: Model) -> dict[str, object]:
    return {
        "number": name,
        "meaning": words.number(model, name),
        "first": item.first,
        "first_low": item.first_low,
        "first_high": item.first_high,
        "total": item.total,
        "total_low": item.total_low,
        "total_high": item.total_high,
        "total_minus_first": item.together,
        "note": item.note,
        "base_points": item.n,
        "basis": words.resting(model, name),
    }


def _mixed(model: Model, name: str) -> str:
    return "mixed basis · " if words.resting(model, name) == "mixed" else ""


def _index_words(item: Index) -> str:
    said = f"first order {_written(item.first)}, total {_written(item.total)}"
    return f"{said} · {item.note}" if item.note else said


def _indices_chart(result: Sobol, shown: Sequence[str], model: Model, palette: Palette) -> alt.LayerChart:
    blue, orange = palette.lines[:2]
    signs = [
        Sign("first order: known alone", blue),
        Sign("total: left if all others are known", orange),
        Sign(f"{result.level:.0%} interval".replace("%", " %"), palette.text, "line"),
        Sign("dashed: assumed throughout", palette.muted, assumed=True),
    ]
    head, top = key(signs, palette)
    items = [result.indices[name] for name in shown]
    rows = [
        Row(words.number(model, name), f"{_mixed(model, name)}{_index_words(item)}")
        for name, item in zip(shown, items, strict=True)
    ]
    frame = Frame(palette, rows, top + 4, bar=_BAR)
    highest = max(chain.from_iterable((i.first_high, i.total_high, i.first, i.total) for i in items), default=1.0)
    x = measure("Share of the variance", [min(max(highest, 0.01), 1.0)], zero=True, right=10, written=_PLAIN)
    pieces: list[dict[str, Any]] = []
    whiskers: list[dict[str, Any]] = []
    for index, (name, item) in enumerate(zip(shown, items, strict=True)):
        both = (
            (item.first, item.first_low, item.first_high, blue),
            (item.total, item.total_low, item.total_high, orange),
        )
        for half, (value, low, high, colour) in enumerate(both):
            start = frame.bar_top(index) + half * (_HALF + 2)
            place = {"start": 0.0, "end": _drawn(value), "down": start, "bottom": start + _HALF}
            said = f"{rows[index].label}: {value:.3f} ({low:.3f} to {high:.3f})"
            pieces.append(place | drawing.filling(colour, assumed=words.assumed(model, name)) | {"said": said})
            whiskers.append({"at": _drawn(low), "end": _drawn(high), "down": start + _HALF / 2})
    layers = [*head, frame.grid(x), drawing.bars(pieces, x.x("start")), *frame.words()]
    layers += _whiskers(whiskers, x, palette)
    return drawing.finished(layers, palette, frame.height)


def _whiskers(rows: Sequence[dict[str, Any]], x: Measure, palette: Palette) -> list[alt.Chart]:
    """Lines over the bars for what an estimate leaves open; none without rows."""
    if not rows:
        return []
    mark = alt.Chart(drawing.data(rows)).mark_rule(aria=False, color=palette.text, strokeWidth=1.6)
    return [mark.encode(x=x.x("at"), x2="end:Q", y=drawing.down("down"))]


# ---- what a number is worth ------------------------------------------------------------------------------------------


def value(result: ValueOfParameters, model: Model, palette: Palette, call: str) -> Figure:
    """What it would be worth to know each number before deciding (EVPPI), the largest first.

    Args:
        result: The values.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
    """
    shown = [name for name, item in result.values.items() if item.value > 0][:SHOWN]
    return Figure(
        name="value",
        title="Which number, better known, would steady the decisions",
        sentence=_worth(result, model),
        chart=_worth_chart(result, shown, model, palette),
        rows=tuple(_worth_row(name, item, model) for name, item in result.values.items()),
        call=call,
        source=source_line(model),
    )


def _worth(result: ValueOfParameters, model: Model) -> str:
    told = {name: item for name, item in result.values.items() if item.told}
    stopped = f" Stopped after {result.n:,} draws." if result.stopped else ""
    if not told:
        return (
            "Of no single number is it told that knowing it better would change what to do; all of them together are "
            f"worth {_points(result.everything, result.everything_error)} points.{_scale(result)}{stopped}"
        )
    (name, item), *others = told.items()
    like = sum(item.value - other.value <= math.hypot(item.error, other.error) for _, other in others)
    close = f" Within the errors, {like} more {'is' if like == 1 else 'are'} worth as much." if like else ""
    own, every = _points(item.value, item.error), _points(result.everything, result.everything_error)
    return (
        f"Knowing “{words.number(model, name)}” would be worth most: {own} of the {every} points that knowing every "
        f"number is worth{_above_all(item)}. It would turn a decision with {numbers.percent(item.turns)} probability. "
        f"± is one standard error.{close}{_scale(result)}{stopped}"
    )


def _points(value: float, error: float) -> str:
    return f"{value:.2g} ± {error:.2g}"


def _scale(result: ValueOfParameters) -> str:
    """What the points are, as a sentence after another; empty where the stakes are the caller's own."""
    return f" {result.scale[:1].upper()}{result.scale[1:]}." if result.scale else ""


def _act(item: ParameterValue) -> str:
    return max(item.acts, key=lambda name: item.acts[name]) if item.acts else ""


def _above_all(item: ParameterValue) -> str:
    act = _act(item)
    return f", above all for acting on {labels.cause(act)}" if act else ""


def _worth_row(name: str, item: ParameterValue, model: Model) -> dict[str, object]:
    act = _act(item)
    return {
        "number": name,
        "meaning": words.number(model, name),
        "value": item.value,
        "standard_error": item.error,
        "turns": item.turns,
        "told_from_nothing": "yes" if item.told else "no",
        "above_all_for": labels.cause(act) if act else "",
        "basis": words.resting(model, name),
    }


def _worth_chart(result: ValueOfParameters, shown: Sequence[str], model: Model, palette: Palette) -> alt.LayerChart:
    blue = palette.lines[0]
    signs = [
        Sign("worth knowing", blue),
        Sign("dashed: assumed throughout", palette.muted, assumed=True),
        Sign("grey: not told from nothing", palette.muted),
        Sign("± 1.96 standard errors", palette.text, "line"),
    ]
    head, top = key(signs, palette)
    items = [result.values[name] for name in shown]
    rows = [
        Row(
            words.number(model, name),
            f"{_mixed(model, name)}turns a decision with {numbers.percent(item.turns)} probability{_above_all(item)}",
        )
        for name, item in zip(shown, items, strict=True)
    ]
    frame = Frame(palette, rows, top + 4)
    reached = [item.value + drawing.NORMAL * item.error for item in items]
    x = measure("Points of the stakes", [*reached, 1e-6], zero=True, right=_ROOM, written=_PLAIN)
    pieces = [
        frame.piece(index, 0.0, item.value, f"{_points(item.value, item.error)} points")
        | drawing.filling(blue if item.told else palette.muted, assumed=words.assumed(model, name))
        for index, (name, item) in enumerate(zip(shown, items, strict=True))
    ]
    told = [
        {"at": at, "down": frame.middle(index), "words": _points(item.value, item.error)}
        for index, (item, at) in enumerate(zip(items, reached, strict=True))
    ]
    whiskers = [
        {"at": max(0.0, item.value - drawing.NORMAL * item.error), "end": at, "down": frame.middle(index)}
        for index, (item, at) in enumerate(zip(items, reached, strict=True))
    ]
    layers = [*head, frame.grid(x), drawing.bars(pieces, x.x("start")), *frame.words()]
    layers += _whiskers(whiskers, x, palette)
    layers.append(drawing.text(told, palette.text, x=x.x("at"), shift=6, size=drawing.SMALL))
    return drawing.finished(layers, palette, frame.height)
