"""The report of one page: what stands on it, that it is one page, and that nothing in it can be more than text."""

from __future__ import annotations

import base64
import re
import zlib
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootcause import load_model, shipped_cases
from rootcause.case import parse_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import labels, numbers
from rootcause_app.report import MOST_REASONS, MOST_SOURCES, MOST_STEPS, Report, report_of
from rootcause_app.report_html import to_html
from rootcause_app.report_pdf import sheet_of, to_pdf
from rootcause_app.report_signs import western

if TYPE_CHECKING:
    from pathlib import Path

    from rootcause import Model
    from rootcause.diagnosis import Answer

MADE = datetime(2026, 11, 21, 17, 55)  # noqa: DTZ001 - a time without a place is printed as it was given
CASE = dict(shipped_cases()[0].findings)
REASONS = [("MRI: adjacent stenosis", 11.9), ("Fever (day 4 or later)", -0.24), ("Knee extension", 6.1)]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "&lt;b&gt; & &amp; <b>bold</b> <para> <font color=red> <a href='https://a.org'>x</a>",
    "]]><!-- --> <?xml?> %s {0} \\ \x00\x07\u202e\u200b\ud800",
]
ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "h1",
        "h2",
        "h3",
        "p",
        "time",
        "section",
        "div",
    ),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "span", "i", "b", "dl", "dt", "dd", "footer"),
}
LONG = {
    "procedure": "fusion",
    "level": "L4-L5",
    "symptom_onset": 7,
    "examination_day": 40,
    "preoperative_deficit": "motor",
    **{name: finding.states[-1] for name, finding in load_vocabulary().findings.items()},
}


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped model."""
    return load_model()


@pytest.fixture(scope="module")
def answer(model: Model) -> Answer:
    """The answer to the case, with its intervals."""
    return model.diagnose(CASE)


@pytest.fixture(scope="module")
def report(model: Model, answer: Answer) -> Report:
    """A report as the pages make it."""
    return report_of(
        model,
        CASE,
        MADE,
        answer=answer,
        reasons=REASONS,
        must_not_wait=["Cauda equina: ask for saddle numbness."],
        next_steps=["Knee reflex, at the bedside"],
    )


@pytest.fixture(scope="module")
def long_report(model: Model) -> Report:
    """Everything was looked at and everything is wrong."""
    found = parse_case(LONG)
    waiting = [f"Cause number {number}: {'hours decide, and so this is said at length; ' * 3}" for number in range(9)]
    reasons = [(finding.label, 20.0 - number) for number, finding in enumerate(load_vocabulary().findings.values())]
    quick = model.diagnose(found, intervals=False)
    return report_of(model, found, MADE, answer=quick, reasons=reasons, must_not_wait=waiting, next_steps=waiting)


# ---- reading back ----------------------------------------------------------------------------------------------------


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type /Page\b", pdf))


def words_of(pdf: bytes) -> str:
    """What stands on the pages of a PDF, from the operators that show text."""
    shown = ""
    for stream in re.findall(rb"stream\r?\n(.*?)~>\s*endstream", pdf, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip()))
        for text, line_ends in re.findall(rb"\(((?:[^\\()]|\\.)*)\) Tj|(T\*|ET)", content, re.DOTALL):
            shown += " " if line_ends else _unescaped(text)
    return " ".join(shown.split())


def _unescaped(text: bytes) -> str:
    plain = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found.group(1), 8)]), text)
    return re.sub(rb"\\(.)", rb"\1", plain).decode("cp1252")


class _Page(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words, in one line."""
        return " ".join(" ".join(self.words).split())


# ---- what stands on it -----------------------------------------------------------------------------------------------


def test_the_page_says_all_that_it_must(model: Model, answer: Answer, report: Report) -> None:
    """Disclaimer, time, urgency, red flags, findings, causes with intervals, reasons, steps, sources, provenance."""
    must = [
        answer.disclaimer,
        "2026-11-21 17:55",
        "Emergency",
        "whatever the probabilities are",
        *(flag.text for flag in answer.red_flags),
        *("Cauda equina: ask for saddle numbness.", "Knee reflex, at the bedside"),
        *("Leg pain", "new or worse", "L4–L5", "day 95", "MRI: adjacent stenosis"),
        *(labels.cause(cause) for cause in answer.ranking),
        *(numbers.percent(answer.posterior[cause].mean) for cause in answer.posterior),
        numbers.percent(answer.none),
        answer.none_sentence,
        *("For and against: Adjacent-segment disease", "+11.9", "+6.1"),
        *(f"Rootcause {model.version}", model.digest, "Seed document"),
        f"{sum(number.basis == 'assumed' for number in model.priors.parameters.values())} of",
        *report.sources.lines,
    ]
    read = words_of(to_pdf(report))
    assert not [text for text in must if western(text) not in read]
    page = _Page(to_html(report))
    assert not [text for text in must if text not in page.text]
    first = [page.text.index(text) for text in ("Red flags", "For and against", "Findings as entered", "Sources")]
    assert first == sorted(first)


def test_intervals_stand_beside_their_causes(answer: Answer, report: Report) -> None:
    """Each cause that may be there has its 90 % interval, in both forms."""
    read, page = words_of(to_pdf(report)), _Page(to_html(report)).text
    intervals = [
        numbers.interval(found.low, found.high)
        for found in answer.posterior.values()
        if found.low is not None and found.high
    ]
    assert len(intervals) > 8
    assert not [interval for interval in intervals if interval not in read or interval not in page]


def test_none_is_on_every_page(model: Model) -> None:
    """Even when nothing was entered, and without intervals."""
    found = report_of(model, {}, MADE, answer=model.diagnose({}, intervals=False))
    for read in (words_of(to_pdf(found)), _Page(to_html(found)).text):
        assert labels.NONE_LABEL in read
        assert "Nothing was entered" in read


def test_values_are_told_as_entered(model: Model) -> None:
    """Grades, days, groups of operations, open states and likelihoods, each in words; the abnormal ones stand out."""
    case = {
        "procedure": "microdiscectomy",
        "examination_day": 8,
        "toe_dorsiflexion": 2,
        "fever": "absent",
        "post_void_residual": 80.5,
        "progression": ["static", "worsening"],
        "back_pain": {"expected": 0.1, "severe": 1},
    }
    told = {
        entry.label: entry
        for entry in report_of(model, case, MADE, answer=model.diagnose(case, intervals=False)).findings
    }
    observable = load_vocabulary().observable
    shown = {name: told[observable[name].label].value for name in case}
    assert shown == {
        "procedure": "microdiscectomy, technique not known",
        "examination_day": "day 8",
        "toe_dorsiflexion": "grade 2 (severe)",
        "fever": "absent",
        "post_void_residual": "80.5 ml (under 200 ml)",
        "progression": "static or worsening",
        "back_pain": "likelihood expected 0.1, severe 1.0",
    }
    abnormal = {name for name in case if told[observable[name].label].abnormal}
    assert abnormal == {"toe_dorsiflexion", "progression"}


def test_an_earlier_examination_is_told(model: Model) -> None:
    """What was found before and not looked at again is marked as such."""
    case = {
        "examinations": [
            {"findings": {"examination_day": 2, "toe_dorsiflexion": "weak", "back_pain": "severe"}},
            {"findings": {"examination_day": 9, "toe_dorsiflexion": "severe"}},
        ]
    }
    found = report_of(model, case, MADE, answer=model.diagnose(case, intervals=False))
    values = {entry.label: entry.value for entry in found.findings}
    assert values[load_vocabulary().findings["back_pain"].label].endswith("(found earlier)")
    assert any("examination 2" in note for note in found.notes)


def test_a_name_in_the_case_file_is_not_printed(model: Model) -> None:
    """A file may say more of a patient than a report must."""
    case = {"title": "Jane Doe", "story": "Jane Doe, born 1970", "findings": {"leg_pain": "new_or_worse"}}
    found = report_of(model, case, MADE, answer=model.diagnose(case, intervals=False))
    assert "Jane" not in to_html(found)
    assert "Jane" not in words_of(to_pdf(found))


def test_sources_are_those_of_the_flags_and_of_the_leading_rates(model: Model, answer: Answer, report: Report) -> None:
    """Each once, the red flags' first, and no more than fit."""
    flagged = [key for flag in answer.red_flags for key in flag.sources]
    assert report.sources.lines[0].startswith(model.priors.sources[flagged[0]].citation[:40])
    assert len(set(report.sources.lines)) == len(report.sources.lines) <= MOST_SOURCES
    rated = model.priors.parameters["rate.adjacent_segment_disease.fusion"].sources
    assert {model.priors.sources[key].citation[:40] for key in rated} <= {line[:40] for line in report.sources.lines}


# ---- one page, the same each time ------------------------------------------------------------------------------------


def test_the_longest_case_fits_on_one_page_and_can_be_read(long_report: Report) -> None:
    """With every finding abnormal and every list full, nothing is left out and no text falls under 5 points."""
    pdf = to_pdf(long_report)
    assert pages_of(pdf) == 1
    read = words_of(pdf)
    assert len(long_report.findings) == len(LONG) >= 48
    assert not [entry for entry in long_report.findings if f"{entry.label}: {entry.value}" not in read]
    assert not [flag for flag in long_report.red_flags if western(flag) not in read]
    assert 8 / sheet_of(long_report) > 5


def test_long_lists_say_how_many_they_leave_out(long_report: Report) -> None:
    """Nothing disappears without a word."""
    assert len(long_report.reasons) == MOST_REASONS
    assert long_report.more_reasons == len(load_vocabulary().findings) - MOST_REASONS
    assert (len(long_report.next_steps.lines), long_report.next_steps.more) == (MOST_STEPS, 9 - MOST_STEPS)
    for read in (words_of(to_pdf(long_report)), _Page(to_html(long_report)).text):
        assert f"And {long_report.more_reasons} that weigh less." in read
        assert f"And {9 - MOST_STEPS} more." in read


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    """Nothing hangs on the clock: the date in the file is the one that was passed in."""
    pdf = to_pdf(report)
    assert pdf == to_pdf(report)
    assert to_html(report) == to_html(report)
    assert pages_of(pdf) == 1
    assert b"(D:20261121175500)" in pdf
    assert b"/Title (Causes of a leg deficit after lumbar surgery, 2026-11-21 17:55)" in pdf


@pytest.mark.parametrize(
    ("made", "shown", "stamped"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04+00:00", b"D:20260102030405+00'00'"),
        (
            datetime(2026, 1, 2, 3, 4, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
            "-03:30",
            b"D:20260102030400-03'30'",
        ),
    ],
)
def test_a_time_with_an_offset_keeps_it(
    model: Model, answer: Answer, made: datetime, shown: str, stamped: bytes
) -> None:
    """On the page and in the file's own date."""
    found = report_of(model, CASE, made, answer=answer)
    assert found.time.endswith(shown)
    assert stamped in to_pdf(found)


# ---- nothing but text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(model: Model, answer: Answer, report: Report, text: str) -> None:
    """It adds no element, no attribute and nothing to load, and is printed as it was written."""
    found = report_of(model, CASE, MADE, answer=answer, reasons=[(text, 1.0)], must_not_wait=[text], next_steps=[text])
    page, plain = _Page(to_html(found)), _Page(to_html(report))
    assert set(page.tags) <= ALLOWED
    assert page.attributes.keys() == plain.attributes.keys()
    assert not {
        name for name in page.attributes if name.startswith("on") or name in {"src", "href", "srcset", "action"}
    }
    visible = found.next_steps.lines[0]
    assert page.text.count(visible) == 3
    assert western(visible) in words_of(to_pdf(found))


@settings(max_examples=30)
@given(text=st.text(st.characters(), max_size=400), decibans=st.floats(allow_nan=False))
def test_any_text_makes_one_page(text: str, decibans: float) -> None:
    """Whatever is passed in: one PDF page, and the same elements as any other text gives."""
    model = load_model()
    quick = _quick()
    found = report_of(
        model, {}, MADE, answer=quick, reasons=[(text, decibans)], must_not_wait=[text], next_steps=[text]
    )
    plain = report_of(model, {}, MADE, answer=quick, reasons=[("a", decibans)], must_not_wait=["a"], next_steps=["a"])
    assert _Page(to_html(found)).tags == _Page(to_html(plain)).tags
    assert pages_of(to_pdf(found)) == 1
    assert not set(found.next_steps.lines[0]) & set("\x00\n\r\u202e\u2066\u200b")


_KEPT: list[Any] = []


def _quick() -> Answer:
    """An answer to nothing at all, computed once."""
    if not _KEPT:
        _KEPT.append(load_model().diagnose({}, intervals=False))
    found: Answer = _KEPT[0]
    return found


@given(text=st.text())
def test_every_sign_has_a_form_in_the_standard_fonts(text: str) -> None:
    """And what they have is kept, but for the few signs that look alike."""
    shown = western(text)
    shown.encode("cp1252")
    if text.isascii():
        assert shown == text


def test_signs_beyond_the_standard_fonts_have_a_plain_form() -> None:
    """Letters lose what the fonts lack; what has no plain form is a question mark."""
    assert western("−3 → Č ≥ ﬁ µ é 漢") == "–3 -> C >= fi µ é ?"


def test_the_html_may_neither_run_nor_load_anything(report: Report) -> None:
    """Its own policy forbids it, and it holds no address."""
    page = to_html(report)
    assert "default-src 'none'" in _Page(page).attributes["content"].pop() + "".join(_Page(page).attributes["content"])
    assert not re.findall(r"url\(|@import|<script|<link|<img", page)


@pytest.mark.browser
def test_the_html_prints_on_one_sheet(chromium: Path, report: Report, long_report: Report) -> None:
    """A browser's own print makes one page of each, the long one too, and the page has nothing to complain about."""
    from served import running_browser

    with running_browser(chromium) as browser:
        said: list[str] = []
        for found in (report, long_report):
            page = browser.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.set_content(to_html(found))
            assert pages_of(page.pdf(prefer_css_page_size=True, print_background=True)) == 1
            page.set_viewport_size({"width": 400, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == 400
            page.close()
        assert said == []


# ---- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"made": "today"}, r"^made: must be a date with a time, got str$"),
        ({"reasons": [("Fever", float("nan"))]}, r"^reasons: the decibans of Fever must be a number, got nan$"),
        ({"reasons": [("Fever", True)]}, r"^reasons: the decibans of Fever must be a number, got True$"),
        ({"reasons": [("Fever", "1")]}, r"^reasons: the decibans of Fever must be a number, got '1'$"),
        ({"reasons": ["Fever"]}, r"^reasons: each must be a name with its decibans, got 'Fever'$"),
        ({"reasons": [(3, 1.0)]}, r"^reasons: must be a text, got int$"),
        ({"next_steps": "Fever"}, r"^next_steps: must be a list of texts, got one text$"),
        ({"must_not_wait": [None]}, r"^must_not_wait: must be a text, got NoneType$"),
        ({"data": {"fewer": "absent"}}, r"'fewer' \(did you mean 'fever'\?\)$"),
        ({"data": ["fever"]}, r"^case: must be a table"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(model: Model, given_: dict[str, Any], sentence: str) -> None:
    """The place, the rule, and what was got."""
    with pytest.raises(InvalidInputError, match=sentence):
        report_of(model, **{"data": {}, "made": MADE, "answer": _quick(), **given_})


def test_findings_that_clash_have_no_report(model: Model) -> None:
    """The model's own refusal is passed on."""
    with pytest.raises(ImpossibleEvidenceError, match="cannot hold together"):
        report_of(model, {"leg_weakness": "absent", "toe_dorsiflexion": "weak"}, MADE)


def test_an_infinite_weight_is_told_in_words(model: Model, answer: Answer) -> None:
    """A finding that decides has no finite number of decibans."""
    reasons = [("Side", float("-inf")), ("Fever", 0.01), ("Pain", float("inf"))]
    found = report_of(model, CASE, MADE, answer=answer, reasons=reasons)
    assert {reason.label: reason.said for reason in found.reasons} == {
        "Side": "rules it out",
        "Pain": "proves it",
        "Fever": "±0.0",
    }
    assert "rules it out" in words_of(to_pdf(found))
    assert "proves it" in _Page(to_html(found)).text
