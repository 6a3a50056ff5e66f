"""What the ranges allow one cause, beside draws of all numbers: credal bounds and Monte Carlo intervals.

The bounds follow the numbers that move one cause most: of another cause they would be no bounds, so it has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rootcause.sensitivity.monte_carlo import QUANTILES
from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from rootcause import Model
    from rootcause.sensitivity.bounds import Credal, Lead
    from rootcause.sensitivity.monte_carlo import MonteCarlo
    from rootcause_app.theme import Palette

SHOWN: Final = 8
"""Causes that are drawn; the table has all of them."""

_LOW, _HIGH = QUANTILES[0], QUANTILES[-1]
_BAR: Final = 18
_THIN: Final = 5


def intervals(credal: Credal, monte_carlo: MonteCarlo, model: Model, palette: Palette, call: str) -> Figure:
    """Credal bounds against Monte Carlo intervals.

    Args:
        credal: Lower and upper posteriors over the box of ranges.
        monte_carlo: Draws of all numbers, for the same case.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the bounds.
    """
    every = [name for name in credal.every if name in monte_carlo.outcomes]
    order = sorted(every, key=lambda name: (name != credal.outcome, -monte_carlo.outcomes[name].mean))
    return Figure(
        name="intervals",
        title=f"{labels.cause(credal.outcome)}: what the ranges allow, beside draws of all numbers",
        sentence=_verdict(credal, monte_carlo, model),
        chart=_chart(credal, monte_carlo, order[:SHOWN], palette),
        rows=tuple(_row(credal, monte_carlo, name) for name in order),
        call=call,
        about=credal.outcome,
        source=source_line(model),
    )


def _verdict(credal: Credal, drawn: MonteCarlo, model: Model) -> str:
    own = credal.bounds
    reached = _between(own.lower.value, own.upper.value)
    status = "exactly" if own.exact else f"certified within {_between(*own.certified)}"
    return (
        f"{labels.cause(credal.outcome)} can be {reached} while the {len(credal.numbers)} numbers that move it most go "
        f"through their ranges together ({status}); in nine of ten draws of all numbers it is "
        f"{_between(*_likely(drawn, credal.outcome))}. A draw leaves each range one time in ten (a 95 % confidence "
        f"interval one in twenty). {_lead(credal.lead, model)}"
    )


def _lead(lead: Lead, model: Model) -> str:
    leading = labels.cause(lead.leading)
    if lead.over_all_certain:
        return f"{leading} leads everywhere inside the ranges of all numbers."
    if lead.alone:
        id_, value, rival = lead.alone[0]
        more = f", and {len(lead.alone) - 1} more numbers can do so alone" if len(lead.alone) > 1 else ""
        end = f"the {lead.ends[id_]} end of its range, " if id_ in lead.ends else ""
        told = f"with “{words.number(model, id_)}” alone at {end}{words.tipping(value)}"
        return f"{leading} does not lead everywhere: {told}, {labels.cause(rival)} is already ahead{more}."
    if not lead.everywhere and lead.rival:
        return (
            f"{leading} does not lead everywhere: several numbers together let {labels.cause(lead.rival)} overtake it."
        )
    if lead.over_all:
        return f"{leading} leads at every corner of these, but {labels.cause(lead.over_all)} can overtake it over all."
    return f"{leading} leads at every corner of these; none was found over all numbers, which is no proof."


def _row(credal: Credal, drawn: MonteCarlo, name: str) -> dict[str, object]:
    low, high = credal.every[name]
    own, whole = credal.bounds, credal.over_all
    about = name == credal.outcome
    found = drawn.outcomes[name]
    return {
        "cause": labels.cause(name),
        "id": name,
        "posterior_at_points": found.point,
        "lower_reached": low if about else None,
        "upper_reached": high if about else None,
        "lower_certified": own.certified[0] if about else None,
        "upper_certified": own.certified[1] if about else None,
        "lower_reached_over_all": whole.lower.value if about else None,
        "upper_reached_over_all": whole.upper.value if about else None,
        "lower_certified_over_all": whole.certified[0] if about else None,
        "upper_certified_over_all": whole.certified[1] if about else None,
        "percentile_5": found.quantiles[_LOW],
        "mean": found.mean,
        "percentile_95": found.quantiles[_HIGH],
    }


def _chart(credal: Credal, drawn: MonteCarlo, shown: Sequence[str], palette: Palette) -> alt.LayerChart:
    blue, orange = palette.lines[:2]
    signs = [
        Sign(f"corners of the {len(credal.numbers)} ranges that move {labels.cause(credal.outcome)}", blue, "shade"),
        Sign("90 % of the draws", orange, "line"),
        Sign("their mean", orange, "circle"),
        Sign("numbers at their points", palette.text, "diamond"),
        *([] if credal.bounds.exact else [Sign("certified", blue, "dashes")]),
    ]
    head, top = key(signs, palette)
    frame = Frame(palette, [_words(credal, drawn, name) for name in shown], top + 4, bar=_BAR)
    reached = credal.every[credal.outcome]
    ends = [_likely(drawn, name)[1] for name in shown]
    x = measure("Posterior", [*ends, reached[1], credal.bounds.certified[1]], zero=True, right=10)
    spans = [
        _span(reached, frame, index, drawing.shading(blue))
        for index, name in enumerate(shown)
        if name == credal.outcome
    ]
    likely = [_span(_likely(drawn, name), frame, index, _line(orange), _THIN) for index, name in enumerate(shown)]
    if credal.outcome in shown and not credal.bounds.exact:
        edge = {"fill": "transparent", "edge": blue, "dashed": True, "opacity": 0}
        spans.append(_span(credal.bounds.certified, frame, shown.index(credal.outcome), edge))
    means = [_spot(drawn.outcomes[name].mean, frame, index) for index, name in enumerate(shown)]
    own = [_spot(drawn.outcomes[name].point, frame, index) for index, name in enumerate(shown)]
    layers = [*head, frame.grid(x), drawing.bars([*spans, *likely], x.x("start")), *frame.words()]
    layers.append(drawing.points(own, palette.text, "diamond", x=x.x("at"), size=70))
    layers.append(drawing.points(means, orange, "circle", x=x.x("at"), size=60))
    return drawing.finished(layers, palette, frame.height)


def _likely(drawn: MonteCarlo, name: str) -> tuple[float, float]:
    found = drawn.outcomes[name].quantiles
    return found[_LOW], found[_HIGH]


def _words(credal: Credal, drawn: MonteCarlo, name: str) -> Row:
    likely = _between(*_likely(drawn, name))
    corners = f"corners {_between(*credal.every[name])} · " if name == credal.outcome else ""
    return Row(labels.cause(name), f"{corners}90 % of the draws {likely}")


def _line(colour: str) -> dict[str, Any]:
    return {"fill": colour, "edge": "transparent", "dashed": False, "opacity": 1}


def _span(
    ends: tuple[float, float], frame: Frame, index: int, filled: dict[str, Any], tall: float = _BAR
) -> dict[str, Any]:
    middle = frame.middle(index)
    said = f"{frame.rows[index].label}: {_between(*ends)}"
    return (
        {"start": ends[0], "end": ends[1], "down": middle - tall / 2, "bottom": middle + tall / 2}
        | filled
        | {"said": said}
    )


def _spot(value: float, frame: Frame, index: int) -> dict[str, Any]:
    said = f"{frame.rows[index].label}: {numbers.percent(value)}"
    return {"at": value, "down": frame.middle(index), "said": said}


def _between(low: float, high: float) -> str:
    return f"{numbers.percent(low)} to {numbers.percent(high)}"
