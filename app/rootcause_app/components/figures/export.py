"""A figure as a file: SVG or PNG on white with its title, verdict and source inside, or the numbers as CSV."""

from __future__ import annotations

import textwrap
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import vl_convert

from rootcause_app import theme
from rootcause_app.components import sheets
from rootcause_app.components.figures.drawing import GROUNDS, HEAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause_app.components.figures.figure import Figure
    from rootcause_app.theme import Palette

WIDTH: Final = 700
_FONT: Final = "Helvetica, Arial, sans-serif"  # what the converter carries with it
_MARGIN: Final = 22
_LETTERS: Final = 112  # of the verdict in one line
_HEADLINE: Final = 72
_WHOLE: Final = ("$schema", "config", "datasets", "padding", "autosize", "background", "usermeta")


def svg(figure: Figure) -> str:
    """The picture as SVG, in light colours on white, whatever the palette it was drawn with."""
    drawn: str = vl_convert.vegalite_to_svg(specification(figure), allowed_base_urls=[])
    return drawn


def png(figure: Figure, scale: float = 2) -> bytes:
    """The picture as PNG.

    Args:
        figure: The figure.
        scale: Pixels of the file for each pixel of the drawing, above 0.
    """
    drawn: bytes = vl_convert.vegalite_to_png(specification(figure), scale=scale, allowed_base_urls=[])
    return drawn


def csv(figure: Figure) -> str:
    """The numbers as CSV: a header, then one line for each row, with every digit."""
    names = list(dict.fromkeys(chain.from_iterable(figure.rows)))
    return sheets.to_csv(names, figure.rows)


def specification(figure: Figure) -> dict[str, Any]:
    """The picture with its words around it, as Vega-Lite of a fixed width."""
    drawn = figure.chart.to_dict()
    # Altair names data by what they hold, colours and all.
    names = {name: f"data-{number}" for number, name in enumerate(drawn.get("datasets", {}))}
    inner: dict[str, Any] = _replaced(drawn, _LIGHT_OF | names)
    whole = {name: inner.pop(name) for name in _WHOLE if name in inner}
    inner |= {"width": WIDTH, "title": _title(figure)}
    return {
        "$schema": whole["$schema"],
        "description": figure.alternative,
        "datasets": whole.get("datasets", {}),
        "background": GROUNDS[theme.LIGHT],
        "padding": _MARGIN,
        "config": whole["config"] | {"font": _FONT, "background": GROUNDS[theme.LIGHT]},
        "vconcat": [inner, _foot(figure)],
        "spacing": 12,
    }


def _title(figure: Figure) -> dict[str, Any]:
    return {
        "text": textwrap.wrap(figure.title, _HEADLINE),
        "subtitle": textwrap.wrap(figure.sentence, _LETTERS),
        "anchor": "start",
        "frame": "group",
        "fontSize": 17,
        "fontWeight": 600,
        "color": theme.LIGHT.text,
        "subtitleColor": theme.LIGHT.text,
        "subtitleFontSize": 13,
        "subtitleLineHeight": 18,
        "subtitlePadding": 6,
        "offset": 14,
    }


def _foot(figure: Figure) -> dict[str, Any]:
    return {
        "data": {"values": [{"words": figure.source}]},
        "mark": {"type": "text", "align": "left", "baseline": "top", "fontSize": 11, "color": theme.LIGHT.muted},
        "encoding": {"text": {"field": "words"}, "x": {"value": 0}, "y": {"value": 0}},
        "width": WIDTH,
        "height": 14,
    }


# ---- colours ---------------------------------------------------------------------------------------------------------


def _colours(palette: Palette) -> tuple[str, ...]:
    return (palette.text, palette.muted, palette.grid, *palette.lines, GROUNDS[palette], *HEAT[palette])


_LIGHT_OF: Final = dict(zip(_colours(theme.DARK), _colours(theme.LIGHT), strict=True))


def _replaced(value: Any, twins: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a specification
    """The same with each text that has a twin replaced by it, names of fields included."""
    if isinstance(value, dict):
        return {twins.get(name, name): _replaced(part, twins) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, twins) for part in value]
    return twins.get(value, value) if isinstance(value, str) else value
