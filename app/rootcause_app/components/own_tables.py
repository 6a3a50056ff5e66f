"""Numbers of one's own as tables: a number before and after, every cause before and after, all that was changed."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from rootcause.own_answers import sentence
from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import labels, numbers, provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rootcause.local_rates import Update
    from rootcause.own_answers import Change, Shift
    from rootcause.priors import Parameter

_NUMBER: Final = ' class="rc-number"'
_FIELDS: Final = {
    "point": "value",
    "low": "range",
    "high": "range",
    "range": "kind of range",
    "unfitted": "value before fitting",
}


def updates_html(updates: Iterable[Update]) -> str:
    """Each number: as the model has it, the own count, and both together, with what each counts as."""
    rows = "".join(_update(item) for item in updates)
    head = (
        f'<th scope="col">Number</th><th scope="col"{_NUMBER}>Before</th><th scope="col"{_NUMBER}>Own count</th>'
        f'<th scope="col"{_NUMBER}>After</th>'
    )
    return table(head, rows, "rc-own-updates")


def _update(item: Update) -> str:
    digits = decimals(item.before, item.after)
    own = f"{100 * item.events / item.of:.{digits}f} %<small>{item.events} of {item.of}</small>" if item.of else "–"
    size = f"{escape(item.before.basis)}; {counts_as(item)}"
    return (
        f'<tr><th scope="row">{escape(item.before.meaning)}<small>{escape(item.before.id)}</small></th>'
        f'<td{_NUMBER} data-label="Before">{value(item.before, digits)}<small>{size}</small></td>'
        f'<td{_NUMBER} data-label="Own count">{own}</td>'
        f'<td{_NUMBER} data-label="After">{value(item.after, digits, strong=True)}</td></tr>'
    )


def counts_as(item: Update) -> str:
    """As how many patients the number of the model counts."""
    return f"counts as {item.prior.size:,.0f} patients" if item.weight > 0 else "does not count (Jeffreys' prior)"


def shifts_html(found: Sequence[Shift]) -> str:
    """Every cause with both probabilities as bars and numbers, the change in points, and its rank."""
    rows = "".join(_shift(item) for item in found)
    head = (
        '<th scope="col">Cause</th><th scope="col"><span class="rc-key"><i class="rc-before"></i>the server\'s</span> '
        f'<span class="rc-key"><i class="rc-after"></i>yours</span></th><th scope="col"{_NUMBER}>before</th>'
        f'<th scope="col"{_NUMBER}>after</th><th scope="col"{_NUMBER}>points</th><th scope="col"{_NUMBER}>rank</th>'
    )
    return f'<p class="rc-verdict" role="status">{escape(said(found))}</p>{table(head, rows, "rc-pairs rc-own-shifts")}'


def said(found: Sequence[Shift]) -> str:
    """Whether the leading cause stays, in one sentence."""
    if all(item.before == item.after for item in found):
        return "Nothing changes for this case: no change yet, or none that reaches its answer."
    words = {name: labels.cause(name) for name in (*load_vocabulary().causes, labels.NONE_ID)}
    return sentence(tuple(found), words)


def _shift(item: Shift) -> str:
    rank = str(item.rank_after)
    if item.rank_before != item.rank_after:
        rank = f"<b>{item.rank_before} → {item.rank_after}</b>"
    return (
        f'<tr><th scope="row">{escape(labels.cause(item.cause))}</th>'
        f'<td><span class="rc-two" aria-hidden="true"><i class="rc-before" style="width:{100 * item.before:.2f}%"></i>'
        f'<i class="rc-after" style="width:{100 * item.after:.2f}%"></i></span></td>'
        f"<td{_NUMBER}>{numbers.percent_html(item.before)}</td><td{_NUMBER}>{numbers.percent_html(item.after)}</td>"
        f"<td{_NUMBER}>{numbers.points(item.after - item.before)}</td><td{_NUMBER}>{rank}</td></tr>"
    )


def changes_html(found: Iterable[Change]) -> str:
    """Everything that differs from the server's numbers."""
    rows = "".join(_change(item) for item in found)
    head = (
        f'<th scope="col">Number</th><th scope="col"{_NUMBER}>Before</th><th scope="col"{_NUMBER}>After</th>'
        '<th scope="col">What differs</th>'
    )
    return table(head, rows, "rc-own-changes")


def _change(item: Change) -> str:
    digits = decimals(item.before, item.after)
    return (
        f'<tr><th scope="row">{escape(item.after.meaning)}<small>{escape(item.after.id)}</small></th>'
        f'<td{_NUMBER} data-label="Before">{value(item.before, digits)}</td>'
        f'<td{_NUMBER} data-label="After">{value(item.after, digits, strong=True)}</td>'
        f'<td data-label="What differs">{provenance.badge_html(item.after.basis)}'
        f"<small>{escape(_fields(item))}</small></td></tr>"
    )


def _fields(change: Change) -> str:
    return ", ".join(dict.fromkeys(_FIELDS.get(name, name) for name in change.fields))


def problems_html(title: str, problems: Sequence[str]) -> str:
    """Every broken rule in its own sentence."""
    items = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return f'<div class="rc-refusal" role="alert"><strong>{escape(title)}</strong><ul>{items}</ul></div>'


def decimals(*both: Parameter) -> int:
    """How many decimals of a percentage numbers that stand side by side share.

    One that was worked out has two digits of the narrower half of its range, any other those of its file.

    Args:
        both: The numbers.
    """
    return max(_decimals(number) for number in both)


def _decimals(number: Parameter) -> int:
    if number.basis == "derived":
        half = 100 * min(number.point - number.low, number.high - number.point)
        return max(0, 1 - math.floor(math.log10(half)))
    written = (numbers.parameter(share, sign=False) for share in (number.point, number.low, number.high))
    return max(len(digits.partition(".")[2]) for digits in written)


def value(number: Parameter, digits: int, *, strong: bool = False) -> str:
    """A number with its range, all with the same decimals.

    Args:
        number: The number.
        digits: Decimals of a percentage.
        strong: Whether its point stands out.
    """
    point, low, high = (f"{100 * share:.{digits}f}" for share in (number.point, number.low, number.high))
    return f"{f'<b>{point} %</b>' if strong else f'{point} %'}<small>{low} to {high}&nbsp;%</small>"


def table(head: str, rows: str, kind: str) -> str:
    """A table of this page.

    Args:
        head: Its head cells.
        rows: Its rows.
        kind: Its classes.
    """
    return f'<table class="rc-table {kind}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
