"""What the answer owes to the structure: the posterior before and after one edit after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import drawing, words
from rootcause_app.components.figures.figure import Figure, source_line
from rootcause_app.components.figures.key import Sign, key
from rootcause_app.components.figures.rows import Frame, Row, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from rootcause import Model
    from rootcause.sensitivity.structural import Change, Structural
    from rootcause_app.theme import Palette

SHOWN: Final = 14
"""Edits that are drawn; the table has all of them."""

_BAR: Final = 12


def structural(result: Structural, model: Model, palette: Palette, call: str) -> Figure:
    """The posterior before and after each edit, the one that moves it most first.

    Args:
        result: What each edit does.
        model: Whose numbers.
        palette: The colours.
        call: Python that makes the result.
    """
    shown = [item for item in result.changes if item.possible][:SHOWN]
    return Figure(
        name="structural",
        title=f"{labels.cause(result.outcome)}: what each edit of the structure does",
        sentence=_verdict(result),
        chart=_chart(result, shown, palette),
        rows=tuple(_row(result, item) for item in result.changes),
        call=call,
        about=result.outcome,
        source=source_line(model),
    )


def _verdict(result: Structural) -> str:
    leading = labels.cause(result.leading)
    count = len(result.changes)
    overturned = [item for item in result.changes if item.possible and item.leading != result.leading]
    if not overturned:
        return f"{leading} leads after each of the {count} edits."
    first = overturned[0]
    many = f"{len(overturned)} of {count} edits"
    return (
        f"{leading} leads, but not after {many}: {words.edit(first.edit)}, and {labels.cause(first.leading or '')} "
        "leads."
    )


def _row(result: Structural, item: Change) -> dict[str, object]:
    return {
        "edit": words.edit(item.edit),
        "findings_possible": "yes" if item.possible else "no",
        "posterior_before": result.posterior,
        "posterior_after": item.posterior if item.possible else None,
        "leads_then": labels.cause(item.leading) if item.leading else "",
        "change_of_log_odds": item.log_odds,
        "divergence": item.divergence,
        "distance": item.distance,
    }


def _chart(result: Structural, shown: Sequence[Change], palette: Palette) -> alt.LayerChart:
    same, other = palette.lines[0], palette.lines[1]
    leading = labels.cause(result.leading)
    signs = [Sign(f"{leading} still leads", same), Sign("another cause leads", other, "diamond")]
    head, top = key(signs, palette)
    turned = [item.leading != result.leading for item in shown]
    rows = [Row(words.edit(item.edit), _note(result, item)) for item in shown]
    frame = Frame(palette, rows, top + 22, bar=_BAR)
    x = measure("Posterior", [result.posterior, *(item.posterior for item in shown)])
    pieces = [
        _piece(result, item, frame, index, other if flips else same)
        for index, (item, flips) in enumerate(zip(shown, turned, strict=True))
    ]
    now = [{"words": f"as it is {numbers.percent(result.posterior)}", "down": top + 11, "at": result.posterior}]
    layers = [*head, frame.grid(x), drawing.bars(pieces, x.x("start")), frame.rule(x, result.posterior, palette.text)]
    layers += [drawing.text(now, palette.text, x=x.x("at"), align="center", size=drawing.SMALL), *frame.words()]
    layers += frame.ends(x, result.posterior, [(item.posterior, numbers.percent(item.posterior)) for item in shown])
    flipped = [
        {"at": item.posterior, "down": frame.middle(index), "said": rows[index].note}
        for index, (item, flips) in enumerate(zip(shown, turned, strict=True))
        if flips
    ]
    layers += [drawing.points(flipped, other, "diamond", x=x.x("at"))] if flipped else []
    return drawing.finished(layers, palette, frame.height)


def _note(result: Structural, item: Change) -> str:
    lead = "the lead stays" if item.leading == result.leading else f"{labels.cause(item.leading or '')} leads then"
    return f"{numbers.points(item.posterior - result.posterior)} points, {lead}"


def _piece(result: Structural, item: Change, frame: Frame, index: int, colour: str) -> dict[str, Any]:
    piece = frame.piece(index, result.posterior, item.posterior, numbers.percent(item.posterior))
    return piece | drawing.filling(colour, assumed=False)
