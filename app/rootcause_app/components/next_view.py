"""What to examine next as a table that reads aloud: what each finding tells, what it is worth, and what it takes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause.stakes import RESTS
from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rootcause.next_steps import Pair
    from rootcause.ranking import Step, Whole, Worth
    from rootcause.rules import RedFlag
    from rootcause.stopping import StopRule

BEDSIDE: Final = "bedside"
_MOST: Final = 8
_HOURS_IN_DAY: Final = 24

EXPLAINED: Final = (
    "Tells: how far the uncertainty over all causes is expected to fall, as a share of what is left. Worth: what "
    "deciding after it is expected to gain over deciding now, less its price, in points (100 is a permanent severe "
    "deficit). Both take the stakes as they stand under “Must not wait”; most of these are assumed."
)


def decided_html(stop: StopRule) -> str:
    """The stop rule in one sentence, and what would be acted on as things stand."""
    acted = [item for item in stop.decisions if item.taken and item.act != RESTS]
    rows = "".join(
        f"<li>{escape(labels.cause(item.cause))}, {numbers.percent_html(item.probability)} (acted on from "
        f"{numbers.percent_html(item.threshold)} on): {escape(item.act)}.</li>"
        for item in acted
    )
    now = f"<p>{_ACTED}</p><ul>{rows}</ul>" if rows else f"<p>{_NOT_ACTED}</p>"
    return f'<div class="rc-stop" role="status"><p>{escape(stop.sentence)}</p>{now}</div>'


def first_html(flags: Sequence[RedFlag]) -> str:
    """What the red flags ask to look at before anything that is ranked; nothing where none fired."""
    blocks = "".join(
        f"<p><b>{escape(labels.URGENCY[flag.level])}</b> · {_signs(flag)}</p>"
        f"<ul>{''.join(f'<li>{escape(words)}</li>' for words in flag.first)}</ul>"
        for flag in flags
        if flag.first and flag.level == flags[0].level
    )
    if not blocks:
        return ""
    return f'<section class="rc-first" aria-label="First"><strong>Complete this first</strong>{blocks}</section>'


def _signs(flag: RedFlag) -> str:
    return escape(", ".join(map(labels.finding_label, flag.signs)))


_ACTED: Final = (
    "By these mostly assumed stakes alone, probable enough to act on as things stand (imaging is not at issue here: "
    "the red flags ask for it, whatever the probabilities):"
)
_NOT_ACTED: Final = "By these mostly assumed stakes alone, no cause is probable enough to act on as things stand."


def pending_html() -> str:
    """The place of the stop rule while it is being worked out."""
    return '<div class="rc-stop" role="status">Asking whether anything left could still change what to do …</div>'


def steps_html(steps: Sequence[Step], *, bedside: bool) -> str:
    """The findings at the bedside, or those of tests, the most telling first.

    Args:
        steps: All of them, ranked.
        bedside: Which of the two.
    """
    chosen = [step for step in steps if (step.where == BEDSIDE) is bedside and not step.settled]
    if not chosen:
        return '<p class="rc-hint">Nothing is left to examine here.</p>'
    most = max(step.worth.share for step in steps)
    first, rest = chosen[:_MOST], chosen[_MOST:]
    table = _table("Finding", [_row(step.label, step.worth, most, _found(step)) for step in first])
    if not rest:
        return table
    more = _table("Finding", [_row(step.label, step.worth, most, _found(step)) for step in rest])
    return f'{table}<details class="rc-more"><summary>{len(rest)} more that tell less</summary>{more}</details>'


def wholes_html(wholes: Sequence[Whole]) -> str:
    """Examinations that show several findings at once, as wholes."""
    most = max((whole.worth.share for whole in wholes), default=0.0)
    rows = [_row(_counted(whole), whole.worth, most, "") for whole in wholes]
    return _table("Examination, all of its findings", rows)


def pairs_html(pairs: Sequence[Pair]) -> str:
    """Two findings looked at together, the most telling first."""
    rows = "".join(
        f'<tr><th scope="row">{_both(pair)}</th><td class="rc-number">{pair.bits:.3f}</td>'
        f'<td class="rc-number">{" + ".join(f"{bits:.3f}" for bits in pair.alone)}</td>'
        f'<td class="rc-number">{pair.synergy:+.3f}</td></tr>'
        for pair in pairs[:_MOST]
    )
    head = (
        '<th scope="col">Two findings</th><th scope="col" class="rc-number">Together, bits</th>'
        '<th scope="col" class="rc-number">Alone</th><th scope="col" class="rc-number">Synergy</th>'
    )
    return (
        f'<table class="rc-table rc-pairs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{_hidden(pairs)}'
    )


def _hidden(pairs: Iterable[Pair]) -> str:
    misleading = [pair for pair in pairs if pair.misleads]
    if not misleading:
        return '<p class="rc-hint">No pair hides behind findings that tell little alone.</p>'
    items = "".join(f"<li>{_both(pair)}: little alone, together {pair.bits:.3f} bits.</li>" for pair in misleading)
    return f"<p>One look ahead would pass over these pairs:</p><ul>{items}</ul>"


def _both(pair: Pair) -> str:
    return escape(" with ".join(labels.finding_label(name) for name in pair.findings))


def _table(first: str, rows: Iterable[str]) -> str:
    head = (
        f'<th scope="col">{first}</th><th scope="col">Tells</th>'
        '<th scope="col" class="rc-number">Worth</th><th scope="col" class="rc-number">Takes</th>'
    )
    return f'<table class="rc-table rc-next"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _row(label: str, worth: Worth, most: float, found: str) -> str:
    width = 100 * worth.share / most if most > 0 else 0.0
    small = f"<small>{escape(found)}</small>" if found else ""
    return (
        f'<tr><th scope="row">{escape(label)}{small}</th>'
        f'<td><span class="rc-tells"><i aria-hidden="true" style="width:{width:.1f}%"></i></span>'
        f'<span class="rc-tells-number">{numbers.percent_html(worth.share)}</span></td>'
        f'<td class="rc-number" data-label="worth">{_signed(worth.net)}</td>'
        f'<td class="rc-number" data-label="takes">{_time(worth.delay_hours)}</td></tr>'
    )


def _found(step: Step) -> str:
    result = step.most_telling
    moved = f"{labels.cause(result.moved)} {numbers.percent(result.moved_from)} → {numbers.percent(result.moved_to)}"
    return f"if {labels.state(result.state)} ({numbers.percent(result.probability)}): {moved}"


def _counted(whole: Whole) -> str:
    return f"{whole.label} (at least)" if len(whole.counted) < len(whole.findings) else whole.label


def _signed(points: float) -> str:
    rounded = round(points, 2)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded):.2f}"


def _time(hours: float) -> str:
    if hours < 1:
        return f"{round(60 * hours)} min"
    return f"{hours:g} h" if hours < 2 * _HOURS_IN_DAY else f"{hours / _HOURS_IN_DAY:g} days"
