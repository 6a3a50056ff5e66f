"""The report as HTML: one file without scripts and without anything to fetch, laid out for one sheet of A4."""

from __future__ import annotations

import math
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers
from rootcause_app.report_pdf import sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rootcause_app.components.bars import Bar
    from rootcause_app.report import Entry, Listed, Reason, Report


_LOOSER: Final = 1.14  # how much more room a browser's fonts and lines take than those of the PDF


def to_html(report: Report) -> str:
    """The report as a page of its own.

    Args:
        report: What it says; every text is escaped.

    Returns:
        A whole HTML document, which may neither run nor load anything.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}, {escape(report.time)}</title><style>{_sheet()}</style></head>"
        f'<body style="--sheet:{max(1.0, _LOOSER * sheet_of(report)):.3f}"><main>'
        f"{_head(report)}{_urgency(report)}"
        f'<div class="columns"><section class="causes">{_causes(report)}</section>'
        f'<div class="side">{_reasons(report)}{_list("Examine next", report.next_steps, "steps")}</div></div>'
        f"{_findings(report)}{_list('Sources', report.sources, 'sources')}{_foot(report)}"
        "</main></body></html>\n"
    )


@cache
def _sheet() -> str:
    return (files(__package__) / "report.css").read_text("utf-8")


def _head(report: Report) -> str:
    return (
        f"<header><h1>{escape(report.title)}</h1><p>Rootcause, "
        f'<time datetime="{escape(report.made.isoformat())}">{escape(report.time)}</time></p></header>'
        f'<p class="disclaimer">{escape(report.disclaimer)}</p>'
    )


def _urgency(report: Report) -> str:
    level, word, text = report.urgency
    flags = "".join(f"<li>{escape(flag)}</li>" for flag in report.red_flags)
    listed = f"<h3>Red flags</h3><ul>{flags}</ul>" if flags else ""
    if report.must_not_wait.lines:
        listed += f"<h3>What must not wait</h3>{_lines(report.must_not_wait, 'ul')}"
    return f'<section class="urgency {escape(level)}"><h2>{escape(word)}</h2><p>{escape(text)}</p>{listed}</section>'


def _causes(report: Report) -> str:
    rows = "".join(_cause(bar) for bar in report.bars)
    notes = " ".join(map(escape, report.notes))
    return (
        '<h2>Causes</h2><table><thead><tr><th scope="col">Cause</th><th scope="col"><span class="sr">Bar</span></th>'
        f'<th scope="col">Probability</th><th scope="col">90 % interval</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="notes">{notes}</p>'
    )


def _cause(bar: Bar) -> str:
    none = ' class="none"' if bar.cause == labels.NONE_ID else ""
    whisker, interval = "", ""
    if bar.low is not None and bar.high is not None and not bar.impossible:
        whisker = f'<b style="left:{_at(bar.low)};width:{_at(bar.high - bar.low)}"></b>'
        interval = numbers.interval(bar.low, bar.high)
    filled = f'<i style="width:{_at(bar.mean)}"></i>' if bar.mean > 0 else ""
    drawn = f'<span class="track" aria-hidden="true">{filled}{whisker}</span>'
    return (
        f'<tr{none}><th scope="row">{escape(labels.cause(bar.cause))}</th><td>{drawn}</td>'
        f"<td>{escape(numbers.percent(bar.mean))}</td><td>{escape(interval)}</td></tr>"
    )


def _reasons(report: Report) -> str:
    if not report.reasons:
        return ""
    longest = max((abs(reason.decibans) for reason in report.reasons if math.isfinite(reason.decibans)), default=1.0)
    rows = "".join(_reason(reason, longest or 1.0) for reason in report.reasons)
    more = f'<p class="notes">And {report.more_reasons} that weigh less.</p>' if report.more_reasons else ""
    return (
        f'<section class="reasons"><h2>For and against: {escape(report.leading)}</h2><table><thead><tr>'
        '<th scope="col">Finding</th><th scope="col"><span class="sr">Bar</span></th>'
        f'<th scope="col">Decibans</th></tr></thead><tbody>{rows}</tbody></table>{more}</section>'
    )


def _reason(reason: Reason, longest: float) -> str:
    share = min(1.0, abs(reason.decibans) / longest)
    side = "left:50%" if reason.decibans >= 0 else f"left:{_at(0.5 - share / 2)}"
    drawn = f'<span class="balance" aria-hidden="true"><i style="{side};width:{_at(share / 2)}"></i></span>'
    return f'<tr><th scope="row">{escape(reason.label)}</th><td>{drawn}</td><td>{escape(reason.said)}</td></tr>'


def _list(title: str, listed: Listed, name: str) -> str:
    return f'<section class="{name}"><h2>{title}</h2>{_lines(listed, "ol")}</section>' if listed.lines else ""


def _lines(listed: Listed, kind: str) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in listed.lines)
    more = f'<p class="notes">And {listed.more} more.</p>' if listed.more else ""
    return f"<{kind}>{items}</{kind}>{more}"


def _findings(report: Report) -> str:
    if not report.findings:
        return '<section class="findings"><h2>Findings</h2><p>Nothing was entered.</p></section>'
    groups = "".join(
        f"<h3>{escape(group)}</h3><dl>{_entries(entries)}</dl>"
        for group, entries in groupby(report.findings, key=lambda entry: entry.group)
    )
    return f'<section class="findings"><h2>Findings as entered</h2>{groups}</section>'


def _entries(entries: Iterable[Entry]) -> str:
    return "".join(
        f"<div><dt>{escape(entry.label)}</dt><dd{' class=abnormal' if entry.abnormal else ''}>"
        f"{escape(entry.value)}</dd></div>"
        for entry in entries
    )


def _foot(report: Report) -> str:
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.provenance)
    return f"<footer><dl>{items}</dl></footer>"


def _at(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
