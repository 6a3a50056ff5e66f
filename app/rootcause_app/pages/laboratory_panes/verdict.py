"""Whether the lead is steady, in one sentence, and for each number where it would change."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from rootcause_app.components import labels
from rootcause_app.components.figures import words

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.sensitivity.stability import Overtaking, RankStability


def verdict_html(model: Model, found: RankStability) -> str:
    """The sentence in a frame that says by its sign, too, whether the lead is steady."""
    level, mark = ("routine", "=") if found.stable else ("within_48h", "!")
    return (
        f'<section class="rc-urgency rc-{level}" aria-label="Verdict on the leading cause">'
        f'<span class="rc-mark" aria-hidden="true">{mark}</span>'
        f"<div><strong>{'The lead is steady' if found.stable else 'The lead hangs on a number'}</strong>"
        f"<p>{escape(sentence(model, found))}</p></div></section>"
    )


def pending_html() -> str:
    """What stands in the place of the verdict until it is there."""
    return '<p class="rc-hint" role="status">Looking where another cause would take the lead …</p>'


def sentence(model: Model, found: RankStability) -> str:
    """The verdict in one sentence, with names in place of ids."""
    leading = labels.cause(found.leading)
    if not found.overtakings:
        return f"{leading} leads whatever any one of the numbers is."
    first = found.overtakings[0]
    told = f"“{words.number(model, first.number)}”"
    now = words.tipping(first.point)
    if first.inside:
        alone = sum(item.inside for item in found.overtakings) - 1
        more = f"; {alone} more {'number' if alone == 1 else 'numbers'} could do so alone" if alone else ""
        moved = "falls" if first.value < first.point else "rises"
        return (
            f"{labels.cause(first.rival)} overtakes {leading} when {told} {moved} to {words.tipping(first.value)} "
            f"(now {now}, {_range(model, first)}){more}."
        )
    return (
        f"{leading} leads everywhere inside the range of each number; the nearest to changing that is {told} at "
        f"{words.tipping(first.value)} (now {now}, {_range(model, first)}), {_missed(first)}."
    )


def rows(model: Model, found: RankStability, most: int) -> list[dict[str, object]]:
    """Where each number would change the lead: those that can inside their ranges, and the nearest of the others.

    Args:
        model: Whose numbers.
        found: The verdict.
        most: How many of the others.
    """
    inside = [item for item in found.overtakings if item.inside]
    outside = [item for item in found.overtakings if not item.inside][:most]
    return [
        {
            "number": item.number,
            "meaning": words.number(model, item.number),
            "basis": model.priors.parameters[item.number].basis,
            "now": item.point,
            "low": item.low,
            "high": item.high,
            "tips at": item.value,
            "inside its range": item.inside,
            "odds miss it by": item.missed_by if math.isfinite(item.missed_by) else None,
            "who leads then": labels.cause(item.rival),
        }
        for item in (*inside, *outside)
    ]


def _range(model: Model, item: Overtaking) -> str:
    basis = model.priors.parameters[item.number].basis
    return f"{'published' if basis == 'cited' else basis} {words.span(item.low, item.high)}"


def _missed(item: Overtaking) -> str:
    if not math.isfinite(item.missed_by):
        return "which no factor of its odds reaches"
    return f"a factor of {item.missed_by:.2g} in its odds beyond the range"
