"""A local rate drawn: the number of the model, the own counts, and both together, as densities over the same axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import altair as alt
import numpy as np

from rootcause.conjugate import Beta
from rootcause.local_rates import rests_on

if TYPE_CHECKING:
    from rootcause.local_rates import Update
    from rootcause_app.theme import Palette

COUNTS: Final = "own counts alone"
TOGETHER: Final = "together"

_MODELS: Final = ", as it counts"  # after the words for the number of the model
_DASHES: Final = {_MODELS: [6, 3], COUNTS: [2, 2], TOGETHER: [1, 0]}
_POINTS: Final = 240
_MOST_OF_IT: Final = 0.998


def curves(update: Update) -> dict[str, Beta]:
    """The densities that there are, by their name."""
    found = {}
    if update.weight > 0:
        found[f"{rests_on([update.before])}{_MODELS}"] = update.prior
    if update.of:
        found[COUNTS] = Beta(update.events + 1, update.of - update.events + 1)  # the likelihood, made to sum to one
    found[TOGETHER] = update.posterior
    return found


def chart(update: Update, palette: Palette) -> alt.LayerChart:
    """Draw them; each line has its own dashes besides its colour, and is named in the legend.

    Args:
        update: The number before and after.
        palette: The colours of the reader's theme.
    """
    from scipy.stats import beta

    drawn = curves(update)
    ends = [curve.interval(_MOST_OF_IT) for curve in drawn.values()]
    x = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), _POINTS)
    rows = [
        {"curve": name, "value": float(value), "density": float(density)}
        for name, curve in drawn.items()
        for value, density in zip(x, np.nan_to_num(beta.pdf(x, curve.a, curve.b), posinf=0.0), strict=True)
    ]
    names = list(drawn)
    places = [name if name in _DASHES else _MODELS for name in names]
    colours = {_MODELS: palette.lines[1], COUNTS: palette.lines[2], TOGETHER: palette.lines[0]}
    legend = alt.Legend(title=None, orient="top", labelColor=palette.text, labelLimit=300, symbolSize=400, columns=2)
    colour = alt.Color("curve:N", scale=alt.Scale(domain=names, range=[colours[at] for at in places]), legend=legend)
    dash = alt.StrokeDash(
        "curve:N", scale=alt.Scale(domain=names, range=[_DASHES[place] for place in places]), legend=legend
    )
    y = alt.Y("density:Q", title="density", stack=None, axis=alt.Axis(labels=False, ticks=False, grid=False))
    along = alt.X("value:Q", title="the number", axis=alt.Axis(format="~p", tickCount=6, grid=True))
    data = alt.InlineData(values=rows)
    filled = (
        alt.Chart(data)
        .transform_filter(alt.datum.curve == TOGETHER)
        .mark_area(opacity=0.16, color=palette.lines[0])
        .encode(x=along, y=y)
    )
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5)
        .encode(x=along, y=y, color=colour, strokeDash=dash, tooltip=["curve:N", alt.Tooltip("value:Q", format=".3~p")])
    )
    layered: alt.LayerChart = (
        alt.layer(filled, lines)
        .properties(height=240)
        .configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=palette.muted, titleColor=palette.muted, gridColor=palette.grid, domainColor=palette.grid
        )
    )
    return layered


def description(update: Update) -> str:
    """The chart in words, for those who do not see it."""
    said = ", ".join(f"{name} around {100 * curve.mean:.3g} %" for name, curve in curves(update).items())
    return f"Densities of the number: {said}. The table below has the ranges."
