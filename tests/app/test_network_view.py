"""The drawing of the network: boxes that do not touch, words beside it, and what a click selects."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootcause import load_model, shipped_cases
from rootcause.case import parse_case
from rootcause.nodes import LESIONS, Kind, NetworkView, ViewEdge, ViewNode, label_of, view
from rootcause.structure import EVERY_CAUSE
from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import network_view
from rootcause_app.theme import DARK, LIGHT, Palette

KINDS: tuple[Kind, ...] = ("cause", "lesion", "finding")
LONGEST_LABEL = 32  # signs of 13 pixels that fit into a box beside nothing else


@pytest.fixture(scope="module")
def drawn() -> NetworkView:
    """The network of the first shipped case."""
    return view(load_model().engine, parse_case(dict(shipped_cases()[0].findings)))


@st.composite
def views(draw: st.DrawFn) -> NetworkView:
    """Any drawing: as many nodes of each kind as it may be, some entered, and edges between columns."""
    nodes = []
    for kind, most in zip(KINDS, (14, 5, 43), strict=True):
        for number in range(draw(st.integers(0, most))):
            entered = draw(st.sampled_from([(), ("present",), ("absent", "present")])) if kind == "finding" else ()
            share = draw(st.floats(0, 1))
            nodes.append(ViewNode(f"{kind}{number}", kind, f"{kind} {number}", share, entered))
    nodes = nodes or [ViewNode("cause0", "cause", "cause 0", 0.5)]
    pairs = [
        (a.id, b.id) for a in nodes for b in nodes if KINDS.index(a.kind) < KINDS.index(b.kind) or a.kind == b.kind
    ]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=8, unique=True)) if pairs else []
    focus = draw(st.sampled_from([None, *(node.id for node in nodes)]))
    return NetworkView(tuple(nodes), tuple(ViewEdge(a, b, draw(st.floats(0, 1))) for a, b in chosen if a != b), focus)


def spec(drawing: NetworkView, palette: Palette = LIGHT, **size: int) -> dict[str, Any]:
    """The drawing as Vega-Lite, checked against its schema."""
    found: dict[str, Any] = network_view.chart(drawing, palette, **size).to_dict()
    return found


def boxes_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The data of the boxes."""
    rows: list[dict[str, Any]] = found["datasets"]["boxes"]
    return rows


# ---- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(drawing=views())
def test_no_two_boxes_touch_and_none_leaves_the_canvas(drawing: NetworkView) -> None:
    """So no label lies over another, however many findings there are."""
    found = spec(drawing)
    boxes = boxes_of(found)
    assert sorted(box["id"] for box in boxes) == sorted(node.id for node in drawing.nodes)
    for one, other in combinations(boxes, 2):
        apart = one["right"] < other["left"] or other["right"] < one["left"]
        assert apart or one["bottom"] < other["top"] or other["bottom"] < one["top"]
    for box in boxes:
        assert 0 <= box["left"] < box["right"] <= found["width"]
        assert 0 <= box["top"] < box["bottom"] <= found["height"]
        assert box["inner"] <= box["bar_end"] <= box["track_end"] < box["outer"]


@settings(max_examples=25)
@given(drawing=views())
def test_a_way_runs_from_box_to_box(drawing: NetworkView) -> None:
    """It leaves its source on the right, arrives at its target's edge, and bends out where both stand in one column."""
    found = spec(drawing)
    boxes = {box["id"]: box for box in boxes_of(found)}
    lines = {row["way"]: row for row in found["datasets"]["ways"]}
    ways = {(edge.source, edge.target) for edge in drawing.edges if edge.strength > 0}
    assert lines.keys() == {f"{source} {target}" for source, target in ways}
    for source, target in ways:
        line = lines[f"{source} {target}"]
        same_column = boxes[source]["left"] == boxes[target]["left"]
        assert line["from_x"] == boxes[source]["right"]
        assert line["to_x"] == boxes[target]["right" if same_column else "left"]
        assert (line["swing"] > 0) is same_column
        assert boxes[source]["top"] < line["from_y"] < boxes[source]["bottom"]
        assert boxes[target]["top"] < line["to_y"] < boxes[target]["bottom"]


@given(
    event=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["selection", "node", "id", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_whatever_a_browser_sends_is_a_node_or_nothing(event: object) -> None:
    """The page never fails over a selection."""
    found = network_view.focused(event)
    assert found is None or isinstance(found, str)


@settings(max_examples=25)
@given(drawing=views())
def test_words_and_table_say_every_node(drawing: NetworkView) -> None:
    """What is seen is also read: each name, once in the description and in the head of one row."""
    words = network_view.description(drawing)
    cells = _Cells()
    cells.feed(network_view.table_html(drawing))
    assert cells.rows == [node.label for node in drawing.nodes]
    for node in drawing.nodes:
        assert f"{node.label} " in words


# ---- examples --------------------------------------------------------------------------------------------------------


def test_a_click_selects_a_box_by_its_id(drawn: NetworkView) -> None:
    """One point selection, on the layer on top, which covers whole boxes; and the event that it sends is read."""
    found = spec(drawn)
    (parameter,) = found["params"]
    assert parameter["name"] == network_view.SELECTION
    assert parameter["select"]["fields"] == ["id"]
    (on,) = parameter["views"]
    assert [layer.get("name") for layer in found["layer"]].index(on) == len(found["layer"]) - 2
    assert network_view.focused({"selection": {"node": [{"id": "root_L5"}]}}) == "root_L5"
    assert network_view.focused({"selection": {"node": []}}) is None
    assert network_view.focused({"selection": {}}) is None


def test_entered_findings_are_told_by_shape_and_by_word(drawn: NetworkView) -> None:
    """Not by colour alone: square corners, a thick edge, and *entered*."""
    found = spec(drawn)
    boxes = {box["id"]: box for box in boxes_of(found)}
    assert boxes["leg_pain"]["said"] == "entered: new or worse"
    assert boxes["fever"]["said"] == "entered: absent"
    assert not [node.id for node in drawn.nodes if boxes[node.id]["entered"] != bool(node.entered)]
    frames = [layer for layer in found["layer"] if layer["mark"]["type"] == "rect" and "stroke" in layer["encoding"]]
    assert [layer["mark"].get("cornerRadius", 0) > 0 for layer in frames] == [True, False]
    assert frames[0]["transform"] == [{"filter": "!datum.entered"}]
    assert frames[1]["transform"] == [{"filter": "datum.entered"}]


def test_bars_are_as_long_as_they_are_probable(drawn: NetworkView) -> None:
    """Half the track is one half, and the number stands beside it."""
    half = ViewNode("a", "cause", "A", 0.5)
    box = boxes_of(spec(NetworkView((half,), ())))[0]
    assert box["bar_end"] - box["inner"] == pytest.approx((box["track_end"] - box["inner"]) / 2)
    assert box["said"] == "50.0 %"
    shown = {box["id"]: box["bar_end"] - box["inner"] for box in boxes_of(spec(drawn))}
    causes = [shown[node.id] for node in drawn.of("cause")]
    assert causes == sorted(causes, reverse=True)


def test_strong_ways_lie_on_top(drawn: NetworkView) -> None:
    """A faint way never crosses over a dark one, and a way without strength is not drawn."""
    ways = spec(drawn)["datasets"]["ways"]
    weights = [row["weight"] for row in ways]
    assert weights == sorted(weights)
    assert min(row["strength"] for row in ways) > 0


def test_the_drawing_grows_but_never_shrinks(drawn: NetworkView) -> None:
    """A larger pane is filled; a smaller one scrolls."""
    least = spec(drawn)
    assert spec(drawn, width=100, height=100) == least
    wide = spec(drawn, width=1200, height=1500)
    assert (wide["width"], wide["height"]) == (1200, 1500)
    assert max(box["right"] for box in boxes_of(wide)) > max(box["right"] for box in boxes_of(least))


def test_every_label_fits_into_its_box() -> None:
    """No name of the vocabulary is cut off."""
    names = (*EVERY_CAUSE, *LESIONS, *load_vocabulary().findings)
    assert not [label_of(name) for name in names if len(label_of(name)) > LONGEST_LABEL]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_bars_stand_out_from_their_box(drawn: NetworkView, palette: Palette) -> None:
    """WCAG 2: 4.5 to 1 for text, 3 to 1 for bars and edges."""
    layers = spec(drawn, palette)["layer"]
    rects = [layer["mark"]["fill"] for layer in layers if layer["mark"].get("fill")]
    ground, track, bar = rects[0], rects[2], rects[3]
    assert rects[1] == ground
    texts = {layer["mark"]["color"] for layer in layers if layer["mark"]["type"] == "text"}
    assert all(contrast(text, ground) >= 4.5 for text in texts)
    assert contrast(bar, ground) >= 3
    assert contrast(bar, track) >= 3
    assert contrast(palette.muted, ground) >= 3
    assert contrast(palette.lines[1], ground) >= 3


def test_a_hostile_label_stays_text() -> None:
    """A name is escaped in the table."""
    node = ViewNode("a", "finding", "<script>alert(1)</script>", 0.5)
    table = network_view.table_html(NetworkView((node,), ()))
    assert "<script" not in table
    assert "&lt;script&gt;" in table


def test_the_description_names_the_focus() -> None:
    """A reader who does not see the drawing hears what it is about."""
    node = ViewNode("root_L5", "lesion", "L5 root", 0.25)
    assert network_view.description(NetworkView((node,), (), "root_L5")).startswith("Network around L5 root")


def contrast(one: str, two: str) -> float:
    """The ratio of two colours by WCAG 2."""
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a colour such as ``#1B2733``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class _Cells(HTMLParser):
    """The heads of the rows of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "th" and ("scope", "row") in attrs

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows.append(data)
