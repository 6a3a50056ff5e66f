"""What draws of all numbers say: how often each cause is first, second and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from rootcause import Model
    from rootcause.sensitivity.monte_carlo import MonteCarlo
    from rootcause_app.theme import Palette

SHOWN: Final = 8
"""Causes that are drawn; the table has all of them."""

_PLACES: Final = ("1st", "2nd", "3rd", "4th", "5th or later")
_OPACITY: Final = (0.9, 0.45, 0.28, 0.15, 0.06)
_NAMED: Final = 0.1  # share of a row in which the place can be written
_COUNTED: Final = 0.2  # share in which its share fits, too


def ranks(result: MonteCarlo, model: Model, palette: Palette, call: str) -> Figure:
    """How often each cause is first, second and so on, over draws of all numbers.

    Args:
        result: The draws.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
    """
    order = sorted(result.ranks, key=lambda name: (-result.first[name].value, -result.outcomes[name].mean))
    return Figure(
        name="ranks",
        title="How often each cause comes first when all numbers are drawn",
        sentence=_first(result, order),
        chart=_ranks_chart(result, order[:SHOWN], palette),
        rows=tuple(_rank_row(result, name) for name in order),
        call=call,
        source=source_line(model),
    )


def _first(result: MonteCarlo, order: Sequence[str]) -> str:
    own = result.first[result.leading]
    often = f"{numbers.percent(own.value)} (± {100 * drawing.NORMAL * own.error:.1f}) of {result.n:,} draws"
    said = (
        f"{labels.cause(result.leading)}, which leads with every number at its point, is first in {often} of "
        f"{result.count} numbers"
    )
    rivals = [name for name in order if name != result.leading and result.first[name].value > 0][:2]
    told = " and ".join(f"{labels.cause(name)} in {numbers.percent(result.first[name].value)}" for name in rivals)
    stopped = " The draws were stopped early." if result.stopped else ""
    return f"{said}{f'; {told}' if told else ''}.{stopped}"


def _rank_row(result: MonteCarlo, name: str) -> dict[str, object]:
    places = {f"place_{place}": share for place, share in enumerate(result.ranks[name], 1)}
    own = result.outcomes[name]
    return {
        "cause": labels.cause(name),
        "id": name,
        "first": result.first[name].value,
        "first_error": result.first[name].error,
        "posterior_at_points": own.point,
        "posterior_mean": own.mean,
        **places,
    }


def _ranks_chart(result: MonteCarlo, shown: Sequence[str], palette: Palette) -> alt.LayerChart:
    blue = palette.lines[0]
    frame = Frame(palette, [_rank_words(result, name) for name in shown], 4, bar=18)
    x = measure("Share of the draws", [1.0], zero=True, right=8)
    pieces = [piece for index, name in enumerate(shown) for piece in _pieces(result.ranks[name], frame, index, blue)]
    layers = [drawing.bars(pieces, x.x("start")), *frame.words()]
    for first, colour in ((True, drawing.GROUNDS[palette]), (False, palette.text)):
        told = [
            {"words": piece["words"], "down": piece["down"] + frame.bar / 2, "at": (piece["start"] + piece["end"]) / 2}
            for piece in pieces
            if piece["words"] and (piece["place"] == 0) == first
        ]
        if told:
            layers.append(drawing.text(told, colour, x=x.x("at"), align="center", size=drawing.SMALL))
    return drawing.finished(layers, palette, frame.height)


def _rank_words(result: MonteCarlo, name: str) -> Row:
    own = result.first[name]
    mean = f"mean posterior {numbers.percent(result.outcomes[name].mean)}"
    if own.value == 0:
        return Row(labels.cause(name), f"never first, {mean}")
    error = f"± {100 * drawing.NORMAL * own.error:.1f}"
    return Row(labels.cause(name), f"first in {numbers.percent(own.value)} ({error}), {mean}")


def _pieces(shares: Sequence[float], frame: Frame, index: int, colour: str) -> list[dict[str, Any]]:
    """The places of a cause beside each other, from the first; all from the fifth on are one."""
    last = len(_PLACES) - 1
    grouped = [*shares[:last], sum(shares[last:])]
    ends = np.cumsum([0.0, *grouped]).tolist()
    return [
        frame.piece(index, ends[place], min(ends[place + 1], 1.0), f"{_PLACES[place]} in {numbers.percent(share)}")
        | drawing.filling(colour, assumed=False)
        | {"opacity": _OPACITY[place], "place": place, "words": _place(place, share)}
        for place, share in enumerate(grouped)
        if share > 0
    ]


def _place(place: int, share: float) -> str:
    """What is written in a piece: the place, and its share where that fits."""
    if share < (_COUNTED if place == len(_PLACES) - 1 else _NAMED):
        return ""
    return f"{_PLACES[place]} {100 * share:.0f} %" if share >= 1.5 * _COUNTED else _PLACES[place]
