"""Other numbers for the same case: the answer before and after, what differs, and why a record was set aside."""

from __future__ import annotations

from html import escape
from itertools import chain
from textwrap import shorten
from typing import TYPE_CHECKING, Final

from rootcause.alternatives import STANDINGS
from rootcause_app.components import labels, numbers, provenance, sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rootcause import Model
    from rootcause.alternatives import Alternative, Change, Refused, Switched
    from rootcause.alternatives.changes import Standing

_NUMBER: Final = ' class="rc-number"'
_TITLE: Final = 60  # letters of a study's title in a list to choose from
_SHOWN: Final = 12
_REASONS: Final = 2
_GROUPS: Final[Mapping[Standing, str]] = {
    "inside": "Inside all ranges of the model",
    "outside": "Outside a range, and never set aside",
    "set_aside": "Outside a range, with figures that were set aside for a reason",
}
_ABOUT: Final = {
    "note": "Note",
    "derivation": "Derivation",
    "locator": "Where",
    "population": "Population",
    "read": "Read",
}
_FIELDS: Final = (
    "kind", "key", "label", "numbers", "outside", "set_aside", "standing", "outcome", "before", "after",
    "rank_before", "rank_after",
)  # fmt: skip


# ---- what to choose from ---------------------------------------------------------------------------------------------


def short(model: Model, alternative: Alternative) -> str:
    """What an alternative is called in a list: of a study, its first author, year and title; no author, title first."""
    if alternative.kind != "study":
        return alternative.label
    source = model.priors.sources[alternative.key]
    title = shorten(source.title, _TITLE, placeholder=" …")
    first = source.authors.partition(",")[0].partition(" et al")[0].partition(" (")[0].strip()
    year = str(source.year or "")
    if not first:
        return f"{title} ({year})" if year else title
    return f"{first} {year}".strip() + f" · {title}"


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
    sources = _sources(model, change) if alternative.kind != "study" else ""
    record = f", record {escape(change.record)}" if change.record else ""
    basis = f", {change.about['basis']}" if change.about else ""
    said = "" if alternative.kind == "rates" else _from(change, record)
    return (
        f'<li class="rc-card"><div class="rc-card-head"><span class="rc-value">{numbers.parameter(own.point)} → '
        f'{_instead(change)}</span><span class="rc-range">in the model {_ends(own.low, own.high)}, {escape(own.basis)};'
        f" instead {_instead(change)}{escape(given + basis)}</span>{outside}</div>"
        f'<p class="rc-meaning">{escape(own.meaning)}</p>'
        f"{said}{_about(change)}{sources}{aside}"
        f'<code class="rc-id">{escape(change.id)}</code></li>'
    )


def _from(change: Change, record: str) -> str:
    """The words of a record, quoted, or which number of the folder it is."""
    said = f"“{escape(change.text)}”{record}." if record else f"{escape(change.text.capitalize())}."
    return f'<p class="rc-from">{said}</p>'


def _about(change: Change) -> str:
    """What is noted of the other value: the counts that it is from, the place in its sources, in whom."""
    rows = "".join(
        f"<dt>{title}</dt><dd>{escape(change.about[name])}</dd>"
        for name, title in _ABOUT.items()
        if name in change.about
    )
    return f"<dl>{rows}</dl>" if rows else ""


def _sources(model: Model, change: Change) -> str:
    if not change.sources:
        return '<p class="rc-nosource">No published source.</p>' if change.about else ""
    items = "".join(f"<li>{provenance.source_html(model.priors.sources[key])}</li>" for key in change.sources)
    return f'<ul class="rc-sources">{items}</ul>'


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
    """Every alternative in a row, the most admissible numbers first; those set aside and outside are folded away.

    Args:
        model: Whose numbers they replace.
        every: In the order of ``rootcause.alternatives.ordered``.
    """
    groups = {name: [item for item in every if item.alternative.standing == name] for name in STANDINGS}
    return "".join(_group_html(model, name, items) for name, items in groups.items() if items)


def _group_html(model: Model, standing: Standing, items: Sequence[Switched]) -> str:
    turned = sum(item.leading[0] != item.leading[1] for item in items)
    told = f"{_GROUPS[standing]}: {len(items)}, of which {turned or 'none'} would change the leading cause"
    if standing == "set_aside":
        return _folded(told, _table(model, items))
    more = ""
    if len(items) > _SHOWN:
        more = _folded(f"The other {len(items) - _SHOWN} of these, which move less", _table(model, items[_SHOWN:]))
    return f"<h3>{told}</h3>{_table(model, items[:_SHOWN])}{more}"


def _folded(summary: str, body: str) -> str:
    return f'<details class="rc-more"><summary>{summary}</summary>{body}</details>'


def _table(model: Model, every: Sequence[Switched]) -> str:
    titles = ("Instead of the model's numbers", "Numbers", "Leads then", "Moves most", "Set aside because")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    rows = "".join(_row(model, item) for item in every)
    return f'<table class="rc-table rc-switches"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(model: Model, item: Switched) -> str:
    first, second = item.leading
    leads = escape(labels.cause(second))
    if first != second:
        leads = f'<b class="rc-leads">{leads}</b>'
    outside = len(item.alternative.outside)
    return (
        f'<tr><th scope="row">{escape(short(model, item.alternative))}</th>'
        f'<td data-label="numbers:">{len(item.alternative.changes)}'
        f"{f' <small>{outside} outside the range</small>' if outside else ''}</td>"
        f'<td data-label="leads then:">{leads}</td>'
        f'<td data-label="moves most:">{escape(labels.cause(item.most))} '
        f'<span class="rc-moves">{numbers.percent_html(item.before[item.most])} → '
        f"{numbers.percent_html(item.after[item.most])}</span></td>"
        f'<td data-label="set aside:">{_reasons(item.alternative)}</td></tr>'
    )


def _reasons(alternative: Alternative) -> str:
    """Why figures of an alternative were set aside: the first reasons, and how many more there are."""
    reasons = list(dict.fromkeys(change.reason for change in alternative.set_aside))
    if not reasons:
        return "never set aside"
    more = f" · {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return f"<small>{escape(' · '.join(reasons[:_REASONS]))}{more}</small>"


def to_csv(every: Iterable[Switched]) -> str:
    """Every alternative with every posterior before and after, a row for each outcome, in full precision."""
    return sheets.to_csv(_FIELDS, chain.from_iterable(map(_lines, every)))


def _lines(item: Switched) -> Iterator[dict[str, object]]:
    own, before, after = item.alternative, item.rank_before, item.rank_after
    about = (own.kind, own.key, own.label, len(own.changes), len(own.outside), len(own.set_aside), own.standing)
    for name in item.before:
        values = (*about, name, item.before[name], item.after[name], before[name], after[name])
        yield dict(zip(_FIELDS, values, strict=True))
