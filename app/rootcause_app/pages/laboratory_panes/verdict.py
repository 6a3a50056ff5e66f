"""Whether the lead is steady, in one sentence, and for each number where it would change."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from rootcause_app.components import labels, numbers
from rootcause_app.components.figures import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from rootcause import Model
    from rootcause.sensitivity.stability import Overtaking, RankStability
    from rootcause_app.laboratory_answers import Firsts


def verdict_html(model: Model, found: RankStability, firsts: Firsts | None = None) -> str:
    """The sentence in a frame that says by its sign, too, whether the lead is steady.

    Args:
        model: Whose numbers.
        found: The verdict, which moves one number at a time.
        firsts: What all numbers at once do; ``None`` until that is there.
    """
    told = [sentence(model, found), sourced(model, found), together(found, firsts)]
    paragraphs = "".join(f"<p>{escape(words_)}</p>" for words_ in told if words_)
    level, mark = ("routine", "=") if found.stable else ("within_48h", "!")
    return (
        f'<section class="rc-urgency rc-{level}" aria-label="Verdict on the leading cause">'
        f'<span class="rc-mark" aria-hidden="true">{mark}</span>'
        f"<div><strong>{heading(found)}</strong>{paragraphs}</div></section>"
    )


def heading(found: RankStability) -> str:
    """The verdict in a few words, which claim no more than was looked at: one number at a time."""
    if found.stable:
        return "Steady while one number moves at a time"
    inside = sum(item.inside for item in found.overtakings)
    return "The lead hangs on one number" if inside == 1 else f"The lead hangs on any of {inside} numbers"


def sourced(model: Model, found: RankStability) -> str:
    """How many of the numbers that change the lead inside their ranges have a source, and the first of those."""
    inside = [item for item in found.overtakings if item.inside]
    if not inside:
        return ""
    known = [(item, source) for item in inside if (source := words.published(model, item.number))]
    if not known:
        return "It has no source." if len(inside) == 1 else f"None of the {len(inside)} has a source."
    item, source = known[0]
    told = f"“{words.number(model, item.number)}” at {words.tipping(item.value)} ({words.source(source)})"
    if len(inside) == 1:
        return f"It has a source: {words.source(source)}."
    count = "1 has" if len(known) == 1 else f"{len(known)} have"
    return f"Of the {len(inside)}, {count} a source; the first is {told}."


def together(found: RankStability, firsts: Firsts | None) -> str:
    """How often the leading cause is first, and the one that is first most often otherwise, over draws of all."""
    if firsts is None:
        return ""
    own = firsts.shares.get(found.leading, 0.0)
    said = f"With all numbers drawn at once it is first in {numbers.percent(own)} of {firsts.n:,} draws"
    others = {name: share for name, share in firsts.shares.items() if name != found.leading and share > 0}
    if not others:
        return f"{said}."
    rival = max(others, key=lambda name: others[name])
    return f"{said}, {labels.cause(rival)} in {numbers.percent(others[rival])}."


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


def rows(
    model: Model, found: RankStability, most: int, kept: Callable[[str], bool] = lambda _: True
) -> list[dict[str, object]]:
    """Where each number would change the lead: those that can inside their ranges, and the nearest of the others.

    Args:
        model: Whose numbers.
        found: The verdict.
        most: How many of the others.
        kept: Which numbers are shown, by their ids.
    """
    shown = [item for item in found.overtakings if kept(item.number)]
    inside = [item for item in shown if item.inside]
    outside = [item for item in shown if not item.inside][:most]
    return [
        {
            "number": item.number,
            "meaning": words.number(model, item.number),
            "basis": model.priors.parameters[item.number].basis,
            "source": words.source(source) if (source := words.published(model, item.number)) else "",
            "now": item.point,
            "low": item.low,
            "high": item.high,
            "tips at": item.value,
            "inside its range": item.inside,
            "odds miss it by a factor of": (
                item.missed_by if math.isfinite(item.missed_by) and not item.inside else None
            ),
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
