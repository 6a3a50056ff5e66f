"""Two cases side by side: both probabilities of each cause, and the share of each difference in the change of one."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import evidence_view, labels, numbers

if TYPE_CHECKING:
    from rootcause.comparison import Attribution, Change, Comparison, Share

_NUMBER: Final = ' class="rc-number"'
_SAMPLED: Final = "Too many differences for every order: sampled, with its error."


def pairs_html(found: Comparison, before: str, after: str) -> str:
    """Every cause with both probabilities as bars and numbers, the most probable in the second case first.

    Args:
        found: The comparison.
        before: What the first case is called.
        after: What the second case is called.
    """
    pairs = dict(found.causes) | ({} if found.none is None else {labels.NONE_ID: found.none})
    rows = "".join(
        f'<tr><th scope="row">{escape(labels.cause(name))}</th>'
        f'<td><span class="rc-two" aria-hidden="true"><i class="rc-before" style="width:{100 * pair.before:.2f}%"></i>'
        f'<i class="rc-after" style="width:{100 * pair.after:.2f}%"></i></span></td>'
        f"<td{_NUMBER}>{numbers.percent_html(pair.before)}</td><td{_NUMBER}>{numbers.percent_html(pair.after)}</td>"
        f"<td{_NUMBER}>{numbers.points(pair.after - pair.before)}</td></tr>"
        for name, pair in sorted(pairs.items(), key=lambda item: -item[1].after)
    )
    head = (
        '<th scope="col">Cause</th><th scope="col"><span class="rc-key"><i class="rc-before"></i>first</span> '
        f'<span class="rc-key"><i class="rc-after"></i>second</span></th><th scope="col"{_NUMBER}>first</th>'
        f'<th scope="col"{_NUMBER}>second</th><th scope="col"{_NUMBER}>points</th>'
    )
    named = f'<p class="rc-hint">First: {escape(before)}. Second: {escape(after)}.</p>'
    return f'{named}<table class="rc-table rc-pairs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def shares_html(found: Attribution) -> str:
    """What each difference carries of the change of log-odds; the shares add up to all of it."""
    pair = found.posterior
    opening = (
        f'<p class="rc-from-to">{escape(labels.cause(found.cause))}: <b>{numbers.percent_html(pair.before)}</b> '
        f"in the first, <b>{numbers.percent_html(pair.after)}</b> in the second.</p>"
    )
    if found.total is None:
        return f'{opening}<p class="rc-hint">{escape(found.decisive or "")}</p>'
    if not found.shares:
        return f'{opening}<p class="rc-hint">Nothing differs.</p>'
    top = evidence_view.scale(share.decibans for share in found.shares)
    rows = "".join(_share(share, top) for share in found.shares)
    summed = evidence_view.decibans(sum(share.decibans for share in found.shares))
    total = f'<tr><th scope="row">Together</th><td>{summed}</td></tr>'
    sampled = "" if found.exact else f'<p class="rc-hint">{_SAMPLED}</p>'
    return (
        f'{opening}<table class="rc-table rc-weights"><thead><tr><th scope="col">Difference</th>'
        f'<th scope="col">against · for</th></tr></thead><tbody>{rows}{total}</tbody></table>{sampled}'
        '<p class="rc-hint">Shares of the change of log-odds over all orders of change (Shapley), in decibans. '
        "Differences on one line cannot be told apart.</p>"
    )


def _share(share: Share, top: float) -> str:
    words = "; ".join(_change(change) for change in share.changes)
    error = "" if share.error is None else f" ± {share.error * share.decibans / share.nats:.1f}" if share.nats else ""
    return (
        f'<tr><th scope="row">{escape(words)}</th><td>{evidence_view.bar(share.decibans, top)}'
        f"<small>{evidence_view.decibans(share.decibans)}{error}</small></td></tr>"
    )


def _change(change: Change) -> str:
    before, after = (
        labels.NOT_EXAMINED.lower() if value is None else labels.value_of(change.name, value)
        for value in (change.before, change.after)
    )
    return f"{labels.finding_label(change.name)}: {before} → {after}"
