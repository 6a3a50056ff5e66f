"""The network of one patient drawn in three columns: causes, lesions, findings; a bar in each box, a click to focus.

Positions are pixels, so that no text can outgrow its box: on a narrow screen the drawing scrolls sideways, and the
table says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from rootcause_app import theme
from rootcause_app.components.network_words import COLUMNS, description, legend_html, said, sure, table_html, weights_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rootcause.nodes import NetworkView, ViewNode
    from rootcause_app.theme import Palette

SELECTION: Final = "node"
WIDTH: Final = 940  # pixels; the least in which three columns of boxes and the ways between them can be read

_BOXES, _WAYS, _HEADS = "boxes", "ways", "heads"  # names of the data, each of which goes to the browser once
_BOX: Final = 226
_TALL: Final = 40
_STEP: Final = 48
_HEAD: Final = 30
_LOOSE: Final = 2.2  # how much further apart than other boxes the few lesions may stand
_INSIDE: Final = 9  # from the edge of a box to its words
_TRACK: Final = 136  # length of a bar that stands for 1
_BEND: Final = 6  # pieces of a curve, which the browser rounds off
_ARC: Final = 34  # how far a way between two lesions swings out
_FAINTEST: Final = 0.04

# Streamlit's grounds, which a drawing must paint over the ways behind its boxes: (box, bar's track).
_GROUNDS: Final = {theme.LIGHT: ("#FFFFFF", "#E6EBF0"), theme.DARK: ("#10161D", "#2C3947")}


@dataclass(frozen=True, slots=True)
class _Place:
    """Left and upper edge of a box, in pixels."""

    left: float
    top: float

    @property
    def right(self) -> float:
        return self.left + _BOX

    @property
    def middle(self) -> float:
        return self.top + _TALL / 2


@dataclass(frozen=True, slots=True)
class _Canvas:
    """The ground that is drawn on: pixels from the upper left corner, and the colours."""

    wide: float
    tall: float
    palette: Palette

    def x(self, field: str) -> alt.X:
        return alt.X(f"{field}:Q", axis=None, scale=alt.Scale(domain=[0, self.wide], nice=False))

    def y(self, field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", axis=None, scale=alt.Scale(domain=[self.tall, 0], nice=False))

    @property
    def grounds(self) -> tuple[str, str]:
        return _GROUNDS.get(self.palette, _GROUNDS[theme.LIGHT])


def chart(view: NetworkView, palette: Palette, *, width: int = WIDTH, height: int | None = None) -> alt.LayerChart:
    """The drawing; a click on a box selects its node under the name ``SELECTION``.

    Args:
        view: What to draw.
        palette: The colours of the reader's theme.
        width: Pixels, at least ``WIDTH``.
        height: Pixels; what the boxes of the longest column take if that is more, or if it is not given.
    """
    wide = max(width, WIDTH)
    most = max(len(view.of(kind)) for kind, _ in COLUMNS)
    tall = max(height or 0, _HEAD + most * _STEP)
    places = _placed(view, wide, tall)
    layered = _empty(_Canvas(wide, tall, palette)).copy(deep=False)
    layered.datasets = {
        _BOXES: [_box(node, places[node.id], focused=node.id == view.focus) for node in view.nodes],
        _WAYS: _lines(view, places),
        _HEADS: _titles(places, wide),
    }
    return layered


@lru_cache(maxsize=32)
def _empty(canvas: _Canvas) -> alt.LayerChart:
    """The drawing without its data: Altair takes longer to put it together than the model to answer."""
    layered: alt.LayerChart = (
        alt.layer(*_ways(canvas), *_boxes(canvas), _heads(canvas))
        .properties(width=canvas.wide, height=canvas.tall, padding={"left": 2, "right": 2, "top": 2, "bottom": 2})
        .configure(font='"Source Sans", "Segoe UI", Helvetica, Arial, sans-serif', background="transparent")
        .configure_view(stroke=None, clip=False)
    )
    return layered


def focused(event: object) -> str | None:
    """The node that was clicked last, from what ``st.altair_chart(..., on_select="rerun")`` returns.

    Args:
        event: Its value; anything else that holds no selection gives ``None``.
    """
    selection = event.get("selection") if isinstance(event, Mapping) else None
    picked = selection.get(SELECTION) if isinstance(selection, Mapping) else None
    first = picked[0] if isinstance(picked, Sequence) and not isinstance(picked, str) and picked else None
    found = first.get("id") if isinstance(first, Mapping) else None
    return found if isinstance(found, str) else None


# ---- places ----------------------------------------------------------------------------------------------------------


def _lefts(wide: float) -> list[float]:
    gap = (wide - 2 - len(COLUMNS) * _BOX) / (len(COLUMNS) - 1)
    return [1 + column * (_BOX + gap) for column in range(len(COLUMNS))]


def _placed(view: NetworkView, wide: float, tall: float) -> dict[str, _Place]:
    """Where each box stands: causes and findings from the top, the lesions spread out in the middle."""
    places: dict[str, _Place] = {}
    for left, (kind, _) in zip(_lefts(wide), COLUMNS, strict=True):
        nodes = view.of(kind)
        step, top = float(_STEP), float(_HEAD)
        if kind == "lesion" and nodes:
            step = min(_LOOSE * _STEP, max(_STEP, (tall - _HEAD) / len(nodes)))
            top += max(0.0, (tall - _HEAD - step * (len(nodes) - 1) - _STEP) / 2)
        places |= {node.id: _Place(left, top + row * step) for row, node in enumerate(nodes)}
    return places


# ---- data ------------------------------------------------------------------------------------------------------------


def _lines(view: NetworkView, places: Mapping[str, _Place]) -> list[dict[str, object]]:
    """The ends of the ways, the darkest last, so that it is drawn on top; in one column they swing out to the right."""
    weights = weights_of(view)
    rows: list[dict[str, object]] = []
    for edge in sorted(weights, key=lambda edge: weights[edge]):
        start, end = places[edge.source], places[edge.target]
        same = start.left == end.left
        rows.append(
            {
                "way": f"{edge.source} {edge.target}",
                "from_x": start.right,
                "from_y": start.middle,
                "to_x": end.right if same else end.left,
                "to_y": end.middle,
                "swing": 4 * _ARC if same else 0,
                "strength": edge.strength,
                "weight": weights[edge],
            }
        )
    return rows


def _box(node: ViewNode, place: _Place, *, focused: bool) -> dict[str, object]:
    inner = place.left + _INSIDE
    return {
        "id": node.id,
        "name": node.label,
        "said": said(node),
        "hint": "already in focus" if focused else "only what belongs to it",
        "entered": bool(node.entered),
        "sure": sure(node),
        "focused": focused,
        "left": place.left,
        "right": place.right,
        "top": place.top,
        "bottom": place.top + _TALL,
        "inner": inner,
        "outer": place.right - _INSIDE,
        "name_y": place.top + 12.5,
        "said_y": place.top + 28.5,
        "bar_top": place.top + 25.5,
        "bar_bottom": place.top + 32.5,
        "track_end": inner + _TRACK,
        "bar_end": inner + _TRACK * min(max(node.probability, 0.0), 1.0),
    }


def _titles(places: Mapping[str, _Place], wide: float) -> list[dict[str, object]]:
    """The name of each column that has a box."""
    filled = {place.left for place in places.values()}
    columns = zip(_lefts(wide), COLUMNS, strict=True)
    return [{"left": left, "y": _HEAD / 2 - 2, "title": title} for left, (_, title) in columns if left in filled]


# ---- layers ----------------------------------------------------------------------------------------------------------


def _ways(canvas: _Canvas) -> Iterator[alt.Chart]:
    """Lines that the browser bends: a few points on a curve that leaves and arrives level."""
    width = alt.Scale(domain=[0, 1], range=[0.6, 5])
    dark = alt.Scale(type="sqrt", domain=[0, 1], range=[_FAINTEST, 0.95])  # small differences tell at the lower end
    points = (
        alt.Chart(alt.NamedData(name=_WAYS))
        .transform_calculate(at=f"sequence(0, {_BEND + 1})")
        .transform_flatten(["at"])
        .transform_calculate(t=f"datum.at / {_BEND}")
        .transform_calculate(
            x="datum.from_x + (datum.to_x - datum.from_x) * datum.t + datum.swing * datum.t * (1 - datum.t)",
            y="datum.from_y + (datum.to_y - datum.from_y) * datum.t * datum.t * (3 - 2 * datum.t)",
        )
    )
    yield points.mark_line(aria=False, interpolate="catmull-rom", strokeCap="round", color=canvas.palette.muted).encode(
        x=canvas.x("x"),
        y=canvas.y("y"),
        detail="way:N",
        order="at:Q",
        strokeWidth=alt.StrokeWidth("strength:Q", scale=width, legend=None),
        opacity=alt.Opacity("weight:Q", scale=dark, legend=None),
    )


def _boxes(canvas: _Canvas) -> Iterator[alt.Chart]:
    """The boxes with their bars and words; on top of all, what is clicked.

    To a screen reader the marks say nothing: the description and the table do, and a mark without data has no name.
    """
    box, track = canvas.grounds
    palette = canvas.palette
    every = alt.Chart(alt.NamedData(name=_BOXES))
    bars, entered = every.transform_filter("!datum.sure"), every.transform_filter("datum.entered")
    frame: dict[str, Any] = {"x": canvas.x("left"), "x2": "right:Q", "y": canvas.y("top"), "y2": "bottom:Q"}
    edge: dict[str, Any] = {
        "stroke": alt.condition("datum.focused", alt.value(palette.lines[1]), alt.value(palette.muted)),
        "strokeWidth": alt.condition("datum.entered || datum.focused", alt.value(2.4), alt.value(1)),
    }
    yield (
        every.transform_filter("!datum.entered").mark_rect(aria=False, cornerRadius=8, fill=box).encode(**frame, **edge)
    )
    yield entered.mark_rect(aria=False, fill=box).encode(**frame, **edge)
    slot: dict[str, Any] = {"x": canvas.x("inner"), "y": canvas.y("bar_top"), "y2": "bar_bottom:Q"}
    yield bars.mark_rect(aria=False, fill=track, cornerRadius=3).encode(**slot, x2="track_end:Q")
    yield bars.mark_rect(aria=False, fill=palette.lines[0], cornerRadius=3).encode(**slot, x2="bar_end:Q")
    text: dict[str, Any] = {"baseline": "middle", "fontSize": 13, "color": palette.text, "limit": _BOX - 2 * _INSIDE}
    strong = {**text, "fontWeight": 600}
    yield every.mark_text(aria=False, align="left", **text).encode(
        x=canvas.x("inner"), y=canvas.y("name_y"), text="name:N"
    )
    yield bars.mark_text(aria=False, align="right", **strong).encode(
        x=canvas.x("outer"), y=canvas.y("said_y"), text="said:N"
    )
    plain = every.transform_filter("datum.sure").mark_text(aria=False, align="left", **strong)
    yield plain.encode(x=canvas.x("inner"), y=canvas.y("said_y"), text="said:N")
    click = alt.selection_point(name=SELECTION, fields=["id"], on="click", clear="dblclick", empty=False)
    tip = [
        alt.Tooltip("name:N", title="node"),
        alt.Tooltip("said:N", title="now"),
        alt.Tooltip("hint:N", title="click"),
    ]
    yield every.mark_rect(aria=False, opacity=0, cursor="pointer").encode(**frame, tooltip=tip).add_params(click)


def _heads(canvas: _Canvas) -> alt.Chart:
    text: dict[str, Any] = {"align": "left", "baseline": "middle", "fontSize": 13, "fontWeight": 600}
    drawn = alt.Chart(alt.NamedData(name=_HEADS)).mark_text(aria=False, color=canvas.palette.muted, **text)
    heads: alt.Chart = drawn.encode(x=canvas.x("left"), y=canvas.y("y"), text="title:N")
    return heads


__all__ = ["SELECTION", "WIDTH", "chart", "description", "focused", "legend_html", "table_html"]
