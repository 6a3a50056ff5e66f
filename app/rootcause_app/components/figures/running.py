"""Whether the draws are enough: what fewer of them would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import altair as alt
import numpy as np

from rootcause.errors import InvalidInputError, nearest
from rootcause.sensitivity.monte_carlo import QUANTILES
from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rootcause import Model
    from rootcause.sensitivity.monte_carlo import MonteCarlo
    from rootcause_app.theme import Palette

_LOOKS: Final = 60  # at the draws, on the way to all of them
_FIRST_LOOK: Final = 20
_TALL: Final = 260


def convergence(result: MonteCarlo, model: Model, palette: Palette, call: str, cause: str | None = None) -> Figure:
    """What the draws had said after fewer of them.

    Args:
        result: The draws.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
        cause: Of which cause; ``None`` takes the one that leads.

    Raises:
        InvalidInputError: If the result has no samples of the cause.
    """
    name = cause or result.leading
    if name not in result.samples or not len(result.samples[name]):
        raise InvalidInputError(f"cause: must have samples, got {name!r}{nearest(name, result.samples)}")
    rows = _looks(result, name)
    own = result.outcomes[name]
    low, high = QUANTILES[0], QUANTILES[-1]
    known = [100 * drawing.NORMAL * error for error in (_finite(own.mean_error), own.errors[low], own.errors[high])]
    return Figure(
        name="convergence",
        title=f"{labels.cause(name)}: what fewer draws would have said",
        sentence=(
            f"After {result.n:,} draws the mean of {labels.cause(name)} is {numbers.percent(own.mean)}, known to "
            f"± {known[0]:.2g} points; its 5th and 95th percentile, "
            f"{numbers.percent(own.quantiles[low])} and {numbers.percent(own.quantiles[high])}, are known to "
            f"± {known[1]:.2g} and ± {known[2]:.2g} points."
        ),
        chart=_looks_chart(rows, palette),
        rows=tuple(rows),
        call=call,
        about=name,
        source=source_line(model),
    )


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 0.0


def _looks(result: MonteCarlo, name: str) -> list[dict[str, Any]]:
    values = result.samples[name]
    n = len(values)
    first = min(_FIRST_LOOK, n)
    places = np.unique(np.geomspace(first, n, _LOOKS).round().astype(int)).tolist()
    sums, squares = np.cumsum(values), np.cumsum(values * values)
    leads = np.cumsum(_leads(result, name))
    rows = []
    for place in places:
        mean = float(sums[place - 1] / place)
        spread = max(0.0, float(squares[place - 1] / place) - mean * mean)
        low, middle, high = np.quantile(values[:place], QUANTILES).tolist()
        rows.append(
            {
                "draws": place,
                "mean": mean,
                "mean_error": (spread / max(place - 1, 1)) ** 0.5,
                "percentile_5": low,
                "median": middle,
                "percentile_95": high,
                "first": float(leads[place - 1] / place) if name in result.first else None,
            }
        )
    return rows


def _leads(result: MonteCarlo, name: str) -> NDArray[np.bool_]:
    """Return in which draws a cause is first; of equal ones the first listed is first."""
    names = np.array(list(result.first))
    first = np.stack([result.samples[other] for other in result.first]).argmax(axis=0)
    found: NDArray[np.bool_] = names[first] == name
    return found


def _looks_chart(rows: Sequence[dict[str, Any]], palette: Palette) -> alt.LayerChart:
    blue, orange, green = palette.lines[:3]
    signs = [
        Sign("mean", blue, "line"),
        Sign("5th and 95th percentile", green, "dashes"),
        *([Sign("how often it is first", orange, "line")] if rows[0]["first"] is not None else []),
        Sign("mean ± 1.96 standard errors", blue, "shade"),
    ]
    head, above = key(signs, palette)
    top = above + 8
    drawn = [
        row
        | {
            "low": max(0.0, row["mean"] - drawing.NORMAL * row["mean_error"]),
            "high": row["mean"] + drawing.NORMAL * row["mean_error"],
        }
        for row in rows
    ]
    least, most = rows[0]["draws"], max(rows[-1]["draws"], rows[0]["draws"] + 1)
    highest = max(value for row in drawn for value in (row["percentile_95"], row["high"], row["first"] or 0.0))
    x_axis = alt.Axis(values=_powers(least, most), format=",d", grid=False)
    x = alt.X("draws:Q", title="Draws", scale=alt.Scale(type="log", domain=[least, most], nice=False), axis=x_axis)

    def y(field: str) -> alt.Y:
        high = min(1.0, 1.08 * highest) or 1.0
        axis = alt.Axis(values=drawing.steps(0, high, 4), labelExpr=drawing.PERCENT, domain=False, ticks=False)
        scale = alt.Scale(domain=[0, high], nice=False, range=[top + _TALL, top])
        return alt.Y(f"{field}:Q", title=None, scale=scale, axis=axis)

    band = alt.Chart(drawing.data(drawn)).mark_area(aria=False, color=blue, opacity=drawing.SHADE)
    layers = [band.encode(x=x, y=y("low"), y2="high:Q")]
    lines = [("percentile_5", green, drawing.DASH), ("percentile_95", green, drawing.DASH), ("mean", blue, [1, 0])]
    lines += [("first", orange, [1, 0])] if rows[0]["first"] is not None else []
    for field, colour, dash in lines:
        line = alt.Chart(drawing.data(drawn)).mark_line(aria=False, color=colour, strokeDash=dash, strokeWidth=2)
        layers.append(line.encode(x=x, y=y(field)))
    return drawing.finished([drawing.layered(head), drawing.layered(layers)], palette, top + _TALL, apart=True)


def _powers(low: float, high: float) -> list[float]:
    """Round numbers of draws between two: 1, 2 and 5 times powers of ten, powers alone where there are many."""
    every = [factor * 10.0**power for power in range(8) for factor in (1, 2, 5)]
    inside = [value for value in every if low <= value <= high]
    whole = [10.0**power for power in range(8) if low <= 10.0**power <= high]
    return inside if len(whole) < 3 else whole  # noqa: PLR2004 - enough of them
