"""The report as PDF: one sheet of A4, shrunk where a case has much to tell; the fonts are those every reader has."""

from __future__ import annotations

import math
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from rootcause_app.components import labels, numbers
from rootcause_app.report_signs import western

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rootcause_app.components.bars import Bar
    from rootcause_app.report import Entry, Listed, Reason, Report

_MARGIN: Final = (13 * mm, 11 * mm)
_WIDE: Final = A4[0] - 2 * _MARGIN[0]
_TALL: Final = A4[1] - 2 * _MARGIN[1]
_GAP: Final = 6 * mm
_BETWEEN: Final = 1.8 * mm
_COLUMNS: Final = 3  # of findings
_LEFT_SHARE: Final = 0.56
_SMALLEST_SHEET: Final = 0.96  # of A4: a short report is drawn a little larger
_TRIES: Final = 24

_INK, _SOFT, _LINE, _GROUND = (HexColor(code) for code in ("#1B2733", "#55626F", "#C9D2DB", "#EDF1F5"))
_BAR, _NONE = HexColor("#5B9BCB"), HexColor("#8B98A5")
_URGENT: Final = {
    "emergency": (HexColor("#A3150F"), HexColor("#FDECEA")),
    "same_day": (HexColor("#7A4B00"), HexColor("#FFF4DF")),
    "within_48h": (HexColor("#7A4B00"), HexColor("#FFF4DF")),
}
_CALM: Final = (HexColor("#22577A"), HexColor("#EAF2F8"))

_PLAIN, _BOLD = "Helvetica", "Helvetica-Bold"
_TEXT = ParagraphStyle("text", fontName=_PLAIN, fontSize=8, leading=10, textColor=_INK)
_RIGHT_TEXT = ParagraphStyle("right", parent=_TEXT, alignment=2)
_QUIET = ParagraphStyle("quiet", parent=_RIGHT_TEXT, textColor=_SOFT)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7, leading=8.6, textColor=_SOFT)
_TINY = ParagraphStyle("tiny", parent=_SMALL, fontSize=6.2, leading=7.5)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName=_BOLD, fontSize=13, leading=16)
_MINOR = ParagraphStyle("minor", parent=_TEXT, fontName=_BOLD)
_HEAD = ParagraphStyle("head", parent=_TEXT, fontName=_BOLD, fontSize=9.5, leading=12, spaceAfter=1)

_TIGHT: Final = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0.6),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("FONTSIZE", (0, 0), (-1, -1), 6),  # of an empty cell, which must not make its row higher
    ("LEADING", (0, 0), (-1, -1), 7),
]


def to_pdf(report: Report) -> bytes:
    """The report as one page of PDF; the same report gives the same bytes.

    Args:
        report: What it says. A sign outside of Western European text is printed as its plain form, or as ``?``.
    """
    held = BytesIO()
    canvas = Canvas(held, pagesize=A4, invariant=1, pageCompression=1, lang="en")
    canvas.setTitle(western(f"{report.title}, {report.time}"))
    canvas.setAuthor("Rootcause")
    canvas.setCreator(western(" ".join(report.provenance[0])))
    canvas.setSubject(western(report.disclaimer))
    canvas.setDateFormatter(lambda *_: _stamp(report.made))
    _draw(canvas, report)
    canvas.showPage()
    canvas.save()
    return held.getvalue()


def _stamp(made: datetime) -> str:
    """A date as PDF writes it (ISO 32000-1, section 7.9.4)."""
    offset = f"{made:%z}"
    return f"D:{made:%Y%m%d%H%M%S}" + (f"{offset[:3]}'{offset[3:5]}'" if offset else "")


def sheet_of(report: Report) -> float:
    """How many times as wide as A4 a sheet must be for the report to fit on it."""
    return _laid_out(Canvas(BytesIO(), pagesize=A4, invariant=1), report)[0]


def _laid_out(canvas: Canvas, report: Report) -> tuple[float, list[tuple[Table, float]], Table]:
    """The least sheet on which all fits, each part with the room it takes on it, and the foot."""
    scale = _SMALLEST_SHEET
    for _ in range(_TRIES):
        story, foot = _story(report, _WIDE * scale), _foot(report, _WIDE * scale)
        room = _TALL * scale - _BETWEEN - foot.wrapOn(canvas, _WIDE * scale, _TALL)[1]
        heights = [part.wrapOn(canvas, _WIDE * scale, room)[1] + _BETWEEN for part in story]
        if sum(heights) <= room:
            break
        scale *= max(1.01, math.sqrt(sum(heights) / room))
    return scale, list(zip(story, heights, strict=True)), foot


def _draw(canvas: Canvas, report: Report) -> None:
    """Draw the sheet in the size of A4."""
    scale, parts, foot = _laid_out(canvas, report)
    canvas.translate(*_MARGIN)
    canvas.scale(1 / scale, 1 / scale)
    foot.drawOn(canvas, 0, 0)
    top = _TALL * scale
    for part, high in parts:
        top -= high
        part.drawOn(canvas, 0, top + _BETWEEN)


def _story(report: Report, wide: float) -> list[Table]:
    left = _LEFT_SHARE * (wide - _GAP)
    right = wide - _GAP - left
    sides = _table([[_causes(report, left), "", _side(report, right)]], [left, _GAP, right])
    head = _table([[_head(report, wide)], [_said(report.disclaimer, _SMALL)]], [wide])
    return [head, _urgency(report, wide), sides, *_findings(report, wide), *_sources(report, wide)]


def _table(rows: list[list[Any]], widths: Sequence[float], *style: tuple[Any, ...]) -> Table:
    return Table(rows, colWidths=list(widths), style=[*_TIGHT, *style])


# ---- parts -----------------------------------------------------------------------------------------------------------


def _head(report: Report, wide: float) -> Table:
    row = [_said(report.title, _TITLE), _said(f"Rootcause, {report.time}", _RIGHT_TEXT)]
    ruled = (("LINEBELOW", (0, 0), (-1, -1), 1.2, _INK), ("VALIGN", (0, 0), (-1, -1), "BOTTOM"))
    return _table([row], [wide - 56 * mm, 56 * mm], *ruled)


def _urgency(report: Report, wide: float) -> Table:
    level, word, text = report.urgency
    edge, ground = _URGENT.get(level, _CALM)
    head = ParagraphStyle("urgency", parent=_HEAD, textColor=edge, fontSize=10.5, leading=13)
    sub = ParagraphStyle("sub", parent=_TEXT, fontName=_BOLD, textColor=edge, spaceBefore=2)
    parts = [_said(word, head), _said(text)]
    if report.red_flags:
        parts += [_said("Red flags", sub), *(_said(flag, bullet="•") for flag in report.red_flags)]
    if report.must_not_wait.lines:
        parts += [_said("What must not wait", sub), *_lines(report.must_not_wait)]
    style = (
        ("BACKGROUND", (0, 0), (-1, -1), ground),
        ("LINEBEFORE", (0, 0), (0, -1), 4, edge, "butt"),
        ("LEFTPADDING", (0, 0), (-1, -1), 9),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    )
    return _table([[parts]], [wide], *style)


def _causes(report: Report, wide: float) -> list[Flowable]:
    name, chance, interval = 39 * mm, 13 * mm, 15 * mm
    track = wide - name - chance - interval
    head = [_said("Cause", _SMALL), "", _said("now", _right(_SMALL)), _said("90 %", _right(_SMALL))]
    rows = [head, *([*_cause(bar, track)] for bar in report.bars)]
    at = next(row for row, bar in enumerate(report.bars, start=1) if bar.cause == labels.NONE_ID)
    apart = tuple((side, (0, at), (-1, at), 0.4, _LINE) for side in ("LINEABOVE", "LINEBELOW"))
    table = _table(rows, [name, track, chance, interval], *apart)
    return [_said("Causes", _HEAD), table, Spacer(1, 1 * mm), _said(" ".join(report.notes), _SMALL)]


def _cause(bar: Bar, track: float) -> tuple[Any, ...]:
    bold = ParagraphStyle("bold", parent=_RIGHT_TEXT, fontName=_BOLD)
    interval = ""
    if bar.low is not None and bar.high is not None and not bar.impossible:
        interval = numbers.interval(bar.low, bar.high)
    name, chance = _said(labels.cause(bar.cause)), _said(numbers.percent(bar.mean), bold)
    return name, _Track(bar, track), chance, _said(interval, _QUIET)


def _side(report: Report, wide: float) -> list[Flowable]:
    parts: list[Flowable] = []
    if report.reasons:
        parts += [_said(f"For and against: {report.leading}", _HEAD), _reasons(report.reasons, wide)]
        if report.more_reasons:
            parts.append(_said(f"And {report.more_reasons} that weigh less.", _SMALL))
        parts.append(Spacer(1, 2.5 * mm))
    if report.next_steps.lines:
        parts += [_said("Examine next", _HEAD), *_lines(report.next_steps, numbered=True)]
    return parts or [Spacer(1, 1)]


def _reasons(reasons: Sequence[Reason], wide: float) -> Table:
    longest = max((abs(reason.decibans) for reason in reasons if math.isfinite(reason.decibans)), default=1.0) or 1.0
    said, balance = 15 * mm, 19 * mm
    head = [_said("Finding", _SMALL), "", _said("decibans", _right(_SMALL))]
    rows = [
        [
            _said(reason.label),
            _Balance(min(1.0, max(-1.0, reason.decibans / longest)), balance),
            _said(reason.said, _RIGHT_TEXT),
        ]
        for reason in reasons
    ]
    return _table([head, *rows], [wide - said - balance, balance, said])


def _findings(report: Report, wide: float) -> list[Table]:
    parts: list[list[Any]] = [[_said("Findings as entered", _HEAD)]]
    for group, entries in groupby(report.findings, key=lambda entry: entry.group):
        parts.append([_grid(group, list(entries), wide)])
    if not report.findings:
        parts.append([_said("Nothing was entered.")])
    return [_table(parts, [wide])]


def _grid(group: str, entries: Sequence[Entry], wide: float) -> Table:
    """Findings in columns, each read downwards, with a line under each."""
    gap = 5 * mm
    column = (wide - (_COLUMNS - 1) * gap) / _COLUMNS
    deep = math.ceil(len(entries) / _COLUMNS)
    cells: list[list[Any]] = [["" for _ in range(2 * _COLUMNS - 1)] for _ in range(deep + 1)]
    cells[0][0] = _said(group, ParagraphStyle("group", parent=_SMALL, fontName=_BOLD))
    lines = []
    for number, entry in enumerate(entries):
        at = (2 * (number // deep), 1 + number % deep)
        value = escape(western(entry.value))
        shown = f"<b>{value}</b>" if entry.abnormal else value
        label = f'<font color="#55626F">{escape(western(entry.label))}:</font>'
        cells[at[1]][at[0]] = Paragraph(f"{label} {shown}", _TEXT)
        lines.append(("LINEBELOW", at, at, 0.3, _LINE))
    return _table(cells, [column, *[gap, column] * (_COLUMNS - 1)], *lines)


def _sources(report: Report, wide: float) -> list[Table]:
    if not report.sources.lines:
        return []
    items = _lines(report.sources, _TINY, numbered=True)
    half = math.ceil(len(items) / 2)
    each = (wide - _GAP) / 2
    both = _table([[items[:half], "", items[half:] or ""]], [each, _GAP, each])
    return [_table([[_said("Sources", _MINOR)], [both]], [wide])]


def _foot(report: Report, wide: float) -> Table:
    words = " · ".join(f"{name}: {value}" for name, value in report.provenance)
    ruled = (("LINEABOVE", (0, 0), (-1, -1), 0.6, _INK), ("TOPPADDING", (0, 0), (-1, -1), 3))
    return _table([[_said(words, _TINY)]], [wide], *ruled)


# ---- drawings --------------------------------------------------------------------------------------------------------


class _Track(Flowable):
    """A bar for a probability, with its interval as a whisker."""

    def __init__(self, bar: Bar, width: float) -> None:
        super().__init__()
        self.bar, self.width, self.height = bar, width - 3 * mm, 8.6

    def draw(self) -> None:
        bar, canvas, wide = self.bar, self.canv, self.width
        canvas.setFillColor(_GROUND)
        canvas.rect(0, 1, wide, 6, stroke=0, fill=1)
        canvas.setFillColor(_NONE if bar.cause == labels.NONE_ID else _BAR)
        if bar.mean > 0:
            canvas.rect(0, 1, max(0.6, wide * bar.mean), 6, stroke=0, fill=1)
        if bar.low is None or bar.high is None or bar.impossible:
            return
        canvas.setStrokeColor(_INK)
        canvas.setLineWidth(0.7)
        canvas.line(wide * bar.low, 4, wide * bar.high, 4)
        for end in (bar.low, bar.high):
            canvas.line(wide * end, 2.2, wide * end, 5.8)


class _Balance(Flowable):
    """A bar to the right for what speaks for a cause, to the left for what speaks against it."""

    def __init__(self, share: float, width: float) -> None:
        super().__init__()
        self.share, self.width, self.height = share, width, 8.6

    def draw(self) -> None:
        canvas, middle = self.canv, self.width / 2
        canvas.setFillColor(_GROUND)
        canvas.rect(0, 1, self.width, 6, stroke=0, fill=1)
        canvas.setFillColor(_BAR)
        canvas.rect(middle, 1, middle * self.share, 6, stroke=0, fill=1)
        canvas.setStrokeColor(_INK)
        canvas.setLineWidth(0.6)
        canvas.line(middle, 0.2, middle, 7.8)


# ---- words -----------------------------------------------------------------------------------------------------------


def _said(text: str, style: ParagraphStyle = _TEXT, *, bullet: str | None = None) -> Paragraph:
    """A paragraph of plain text: no sign in it is markup."""
    if bullet is None:
        return Paragraph(escape(western(text)), style)
    indent = 1.5 * style.fontSize
    item = ParagraphStyle(
        f"{style.name}-item", parent=style, leftIndent=indent, bulletFontName=_PLAIN, bulletFontSize=style.fontSize
    )
    return Paragraph(escape(western(text)), item, bulletText=bullet)


def _lines(listed: Listed, style: ParagraphStyle = _TEXT, *, numbered: bool = False) -> list[Paragraph]:
    lines = [
        _said(line, style, bullet=f"{number}." if numbered else "•")
        for number, line in enumerate(listed.lines, start=1)
    ]
    return [*lines, _said(f"And {listed.more} more.", style)] if listed.more else lines


def _right(style: ParagraphStyle) -> ParagraphStyle:
    return ParagraphStyle(f"{style.name}-right", parent=style, alignment=2)
