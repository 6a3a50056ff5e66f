"""Other numbers for the same case: the answer before and after, what differs, and why a record was set aside."""

from __future__ import annotations

from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers, provenance, sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rootcause import Model
    from rootcause.alternatives import Alternative, Change, Refused, Switched

_NUMBER: Final = ' class="rc-number"'
_TITLE: Final = 60  # letters of a study's title in a list to choose from
_SHOWN: Final = 12
_FIELDS: Final = (
    "kind", "key", "label", "numbers", "set_aside", "outcome", "before", "after", "rank_before", "rank_after",
)  # fmt: skip


# ---- what to choose from ---------------------------------------------------------------------------------------------


def short(model: Model, alternative: Alternative) -> str:
    """What an alternative is called in a list: of a study, its first author and year, or its title."""
    if alternative.kind != "study":
        return alternative.label
    source = model.priors.sources[alternative.key]
    title = source.title if len(source.title) <= _TITLE else f"{source.title[:_TITLE].rstrip()}…"
    first = source.authors.partition(",")[0].partition(" et al")[0].partition(" (")[0].strip()
    return " · ".join(filter(None, (f"{first} {source.year or ''}".strip(), title)))


def option(model: Model, alternative: Alternative) -> str:
    """The same with how many numbers differ."""
    count = len(alternative.changes)
    in_force = alternative.kind == "rates" and not count
    said = "in force" if in_force else f"{count} {'number' if count == 1 else 'numbers'}"
    return f"{short(model, alternative)} ({said})"


# ---- one alternative -------------------------------------------------------------------------------------------------


def verdict_html(switched: Switched) -> str:
    """What the other numbers do to the answer; above it, loudly, that some were set aside, and for a reason."""
    aside = switched.alternative.set_aside
    loud = ""
    if aside:
        count = len(aside)
        them = "One of these figures was" if count == 1 else f"{count} of these figures were"
        loud = (
            f'<p class="rc-set-aside" role="note"><b>{them} set aside when the model was made, for a reason.</b> '
            "Taking them here explores how much hangs on that; it is not advice. The reason stands beside each.</p>"
        )
    return (
        f'<div class="rc-stop" role="status"><b>{escape(switched.sentence)}</b>'
        f"<p>{escape(switched.alternative.note)}</p></div>{loud}"
    )


def posteriors_html(switched: Switched) -> str:
    """Every cause before and after, with the difference in points and its ranks; the most probable after first."""
    before, after = switched.rank_before, switched.rank_after
    rows = "".join(
        f'<tr><th scope="row">{escape(labels.cause(name))}</th>'
        f'<td><span class="rc-two" aria-hidden="true">'
        f'<i class="rc-before" style="width:{100 * switched.before[name]:.2f}%"></i>'
        f'<i class="rc-after" style="width:{100 * switched.after[name]:.2f}%"></i></span></td>'
        f'<td{_NUMBER} data-label="before">{numbers.percent_html(switched.before[name])}</td>'
        f'<td{_NUMBER} data-label="after">{numbers.percent_html(switched.after[name])}</td>'
        f'<td{_NUMBER} data-label="points">{numbers.points(switched.difference[name])}</td>'
        f'<td{_NUMBER} data-label="rank">{_rank(before[name], after[name])}</td></tr>'
        for name in sorted(switched.after, key=lambda name: (after[name], before[name]))
    )
    head = (
        '<th scope="col">Cause</th><th scope="col"><span class="rc-key"><i class="rc-before"></i>before</span> '
        f'<span class="rc-key"><i class="rc-after"></i>after</span></th><th scope="col"{_NUMBER}>before</th>'
        f'<th scope="col"{_NUMBER}>after</th><th scope="col"{_NUMBER}>points</th><th scope="col"{_NUMBER}>rank</th>'
    )
    return f'<table class="rc-table rc-switched"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _rank(before: int, after: int) -> str:
    return str(after) if before == after else f'<b class="rc-leads">{before} → {after}</b>'


def changes_html(model: Model, alternative: Alternative) -> str:
    """The numbers that differ: value and range before and after, where the other is from, why it was set aside."""
    if not alternative.changes:
        return '<p class="rc-hint">No number differs.</p>'
    cards = "".join(_card(model, alternative, change) for change in alternative.changes)
    return f'<ul class="rc-cards">{cards}</ul>'


def _card(model: Model, alternative: Alternative, change: Change) -> str:
    own = model.priors.parameters[change.id]
    given = f" ({_ends(change.low, change.high)}, {change.range})" if change.range else " (no range was noted)"
    outside = "" if change.within else '<span class="rc-outside">outside its range in the model</span>'
    aside = f'<p class="rc-set-aside"><b>Set aside because:</b> {escape(change.reason)}</p>' if change.reason else ""
    known = model.priors.sources.get(change.source) if alternative.kind != "study" else None
    source = f" {provenance.source_html(known)}" if known else ""
    record = f", record {escape(change.record)}" if change.record else ""
    return (
        f'<li class="rc-card"><div class="rc-card-head"><span class="rc-value">{numbers.parameter(own.point)} → '
        f'{_instead(change)}</span><span class="rc-range">in the model {_ends(own.low, own.high)}, {escape(own.basis)};'
        f" instead {_instead(change)}{escape(given)}</span>{outside}</div>"
        f'<p class="rc-meaning">{escape(own.meaning)}</p>'
        f'<p class="rc-from">“{escape(change.text)}”{record}.{source}</p>{aside}'
        f'<code class="rc-id">{escape(change.id)}</code></li>'
    )


def _instead(change: Change) -> str:
    return f"{100 * change.after:.3g} %"


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.3g} to {100 * high:.3g} %"


def _record(record: str) -> str:
    return f"<small>record {escape(record)}</small>" if record else ""


def refused_html(model: Model, refused: Sequence[Refused]) -> str:
    """What was noted of a study and is not taken, with its words and the reason."""
    rows = "".join(
        f'<tr><th scope="row">{escape(_meaning(model, item.id))}<small>{escape(item.id)}</small></th>'
        f"<td>“{escape(item.text)}”{_record(item.record)}</td><td>cannot be switched: {escape(item.why)}</td></tr>"
        for item in refused
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Number", "What was noted", "Why not"))
    return f'<table class="rc-table rc-refused"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _meaning(model: Model, id_: str) -> str:
    known = model.priors.parameters.get(id_)
    return known.meaning if known else id_


# ---- all of them -----------------------------------------------------------------------------------------------------


def all_html(model: Model, every: Sequence[Switched]) -> str:
    """Every alternative in a row; the first ones stand open, the others can be unfolded."""
    first, rest = every[:_SHOWN], every[_SHOWN:]
    more = ""
    if rest:
        summary = f"The other {len(rest)}, by how far a probability moves"
        more = f'<details class="rc-more"><summary>{summary}</summary>{_table(model, rest)}</details>'
    return f"{_table(model, first)}{more}"


def _table(model: Model, every: Sequence[Switched]) -> str:
    titles = ("Instead of the model's numbers", "Numbers", "Leads then", "Moves most", "Taken although set aside")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    rows = "".join(_row(model, item) for item in every)
    return f'<table class="rc-table rc-switches"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(model: Model, item: Switched) -> str:
    first, second = item.leading
    leads = escape(labels.cause(second))
    if first != second:
        leads = f'<b class="rc-leads">{leads}</b> <small>in place of {escape(labels.cause(first))}</small>'
    aside, outside = len(item.alternative.set_aside), sum(not change.within for change in item.alternative.changes)
    return (
        f'<tr><th scope="row">{escape(short(model, item.alternative))}</th>'
        f'<td data-label="numbers:">{len(item.alternative.changes)}'
        f"{f' <small>{outside} outside the range</small>' if outside else ''}</td>"
        f'<td data-label="leads then:">{leads}</td>'
        f'<td data-label="moves most:">{escape(labels.cause(item.most))} '
        f'<span class="rc-moves">{numbers.percent_html(item.before[item.most])} → '
        f"{numbers.percent_html(item.after[item.most])}</span></td>"
        f'<td data-label="set aside:">{aside or "none"}</td></tr>'
    )


def to_csv(every: Iterable[Switched]) -> str:
    """Every alternative with every posterior before and after, a row for each outcome, in full precision."""
    return sheets.to_csv(_FIELDS, chain.from_iterable(map(_lines, every)))


def _lines(item: Switched) -> Iterator[dict[str, object]]:
    own, before, after = item.alternative, item.rank_before, item.rank_after
    about = (own.kind, own.key, own.label, len(own.changes), len(own.set_aside))
    for name in item.before:
        values = (*about, name, item.before[name], item.after[name], before[name], after[name])
        yield dict(zip(_FIELDS, values, strict=True))
