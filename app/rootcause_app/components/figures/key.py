"""What the marks of a figure mean: signs and words above it, in as many lines as a phone needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from rootcause_app.components.figures import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause_app.theme import Palette

_WIDTH: Final = 350
_LINE: Final = 17
_LETTER: Final = 6.4  # width of a letter, on average
_SIGN: Final = 20  # pixels from a sign to its words


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a key.

    Attributes:
        words: What it means.
        colour: Its colour.
        shape: A symbol of Vega, or ``ring``, ``line``, ``dashes``, ``box`` or ``shade``.
        assumed: Whether a box is drawn as for an assumed number.
    """

    words: str
    colour: str
    shape: str = "box"
    assumed: bool = False


def key(signs: Sequence[Sign], palette: Palette) -> tuple[list[alt.Chart], float]:
    """What the marks mean, above the picture, in as many lines as a phone needs.

    Returns:
        The layers, and how many pixels they take.
    """
    placed = _placed(signs)
    rows = [{"words": sign.words, "left": left + _SIGN, "down": at} for sign, left, at in placed]
    layers = [drawing.text(rows, palette.muted, x=drawing.across("left"), size=drawing.SMALL)]
    boxes = [
        {"start": left, "end": left + 14, "down": at - 5, "bottom": at + 5, "said": sign.words} | _filled(sign)
        for sign, left, at in placed
        if sign.shape in {"box", "shade"}
    ]
    if boxes:
        layers.append(drawing.bars(boxes, drawing.across("start")))
    for sign, left, at in placed:
        if sign.shape in {"line", "dashes"}:
            dash = drawing.DASH if sign.shape == "dashes" else [1, 0]
            mark = alt.Chart(drawing.data([{"left": left, "right": left + 15, "down": at}]))
            rule = mark.mark_rule(aria=False, color=sign.colour, strokeWidth=2, strokeDash=dash)
            layers.append(rule.encode(x=drawing.across("left"), x2="right:Q", y=drawing.down("down")))
        elif sign.shape not in {"box", "shade"}:
            spot = [{"left": left + 7, "down": at, "said": sign.words}]
            layers.append(drawing.points(spot, sign.colour, sign.shape, x=drawing.across("left")))
    return layers, (placed[-1][2] + _LINE) if placed else 0


def _filled(sign: Sign) -> dict[str, Any]:
    shade = sign.shape == "shade"
    return drawing.shading(sign.colour) if shade else drawing.filling(sign.colour, assumed=sign.assumed)


def _placed(signs: Sequence[Sign]) -> list[tuple[Sign, float, float]]:
    placed = []
    left, line = 0.0, _LINE / 2
    for sign in signs:
        wide = _SIGN + _LETTER * len(sign.words) + 14
        if left and left + wide > _WIDTH:
            left, line = 0.0, line + _LINE
        placed.append((sign, left, line))
        left += wide
    return placed
