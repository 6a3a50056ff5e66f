"""The printed report, filled by the model: the command line, the HTTP API and the page make it here."""

from __future__ import annotations

import math
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rootcause.case import Case, parse_case
from rootcause.errors import InvalidInputError, nearest
from rootcause.explanation import in_words
from rootcause.files import write_whole
from rootcause.ranking import BEDSIDE
from rootcause.shares import percent, share
from rootcause_app.components import labels
from rootcause_app.report import Report, report_of
from rootcause_app.report_html import to_html
from rootcause_app.report_pdf import to_pdf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from rootcause import Model
    from rootcause.diagnosis import Answer
    from rootcause.explanation import Explanation
    from rootcause.next_steps import NextSteps
    from rootcause.ranking import Step, Whole
    from rootcause.urgent import Waiting

MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType({"html": "text/html; charset=utf-8", "pdf": "application/pdf"})
"""By kind of report, its media type."""

KINDS: Final = tuple(MEDIA_TYPES)

SOON: Final = 168.0
"""Hours until a harm cannot be undone, up to which a cause is listed as one that must not wait: a week."""

_THREE_DAYS: Final = 72.0
_MOST_WAITING: Final = 3
_MOST_SIGNS, _MOST_TESTS = 3, 2
_ENDINGS: Final = (".pdf", ".html")


def full_report(model: Model, data: Mapping[str, Any] | Case, made: datetime) -> Report:
    """Put the report of a case together: the answer, the reasons for the leading cause, what must not wait, what next.

    Args:
        model: Which answers.
        data: The case, as for ``Model.diagnose``.
        made: The time that the report bears.

    Raises:
        InvalidInputError: If the case breaks a rule.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    case = data if isinstance(data, Case) else parse_case(data)
    steps = model.next(case)  # first: without intervals, what cannot be is found out at once
    answer = model.diagnose(case)
    return report_of(
        model,
        case,
        made,
        answer=answer,
        reasons=_reasons(model.explain(case, _leading(answer))),
        must_not_wait=_must_not_wait(answer),
        next_steps=[*_first(answer), *_next_steps(steps)],
    )


def render(report: Report, kind: str) -> bytes:
    """Return a report as a file.

    Args:
        report: What it says.
        kind: ``html`` or ``pdf``.

    Raises:
        InvalidInputError: If the kind is neither.
    """
    if kind not in KINDS:
        msg = f"format: must be {' or '.join(KINDS)}, got {kind!r}{nearest(str(kind), KINDS)}"
        raise InvalidInputError(msg)
    return to_pdf(report) if kind == "pdf" else to_html(report).encode("utf-8")


def check_place(path: str | Path) -> str:
    """Return the kind of report that the ending of a path stands for, if a report can be written there.

    Raises:
        InvalidInputError: If the ending is another, something that is no file has that name, or there is no folder.
    """
    target = Path(path)
    suffix = target.suffix
    if suffix.lower() not in _ENDINGS:
        got = f"{suffix!r}{nearest(suffix, _ENDINGS)}" if suffix else "none"
        raise InvalidInputError(f"{path}: the ending of a report must be {' or '.join(_ENDINGS)}, got {got}")
    if target.exists() and not target.is_file():
        raise InvalidInputError(f"{path}: must be a file, got something else of that name")
    if not target.resolve().parent.is_dir():
        raise InvalidInputError(f"{path}: must be a place to write a file, got a folder that is not there")
    return suffix.lower().removeprefix(".")


def write_report(report: Report, path: str | Path) -> None:
    """Write a report to a file, whole or not at all; the ending decides the kind.

    Args:
        report: What it says.
        path: The file; one that is there already is replaced.

    Raises:
        InvalidInputError: If the ending is unknown, or the file cannot be written.
    """
    content = render(report, check_place(path))
    write_whole(path, lambda: content)


# ---- what is said ---------------------------------------------------------------------------------------------------


def _leading(answer: Answer) -> str:
    return max(answer.posterior, key=lambda cause: answer.posterior[cause].mean)


def _reasons(why: Explanation) -> Iterator[tuple[str, float]]:
    """What each finding says for the cause, free of any order; what decides has a weight without bound."""
    sheet = why.order_free
    for group in sheet.decisive:
        bound = math.inf if sheet.decided == "proved" else -math.inf
        yield " with ".join(in_words(name, why.findings[name]) for name in group), bound
    for item in sheet.shares or ():
        yield in_words(item.finding, why.findings[item.finding]), item.decibans


def _must_not_wait(answer: Answer) -> list[str]:
    """The causes that lose the most by waiting, whether acting on them is worth its risk yet or not."""
    soon = [row for row in answer.must_not_wait if row.loss > 0 and row.hours.value <= SOON]
    return [_waiting(row) for row in soon[:_MOST_WAITING]]


def _waiting(row: Waiting) -> str:
    hours = row.hours.value
    time = f"{hours:g} hours" if hours < _THREE_DAYS else f"{hours / 24:g} days"
    return f"{labels.cause(row.cause)}, {share(row.probability, row.low, row.high)}: irreversible after about {time}."


def _first(answer: Answer) -> list[str]:
    """What the most urgent red flag asks to look at before anything that is ranked."""
    asked = next((flag.first for flag in answer.red_flags if flag.first), ())
    return [f"First: {'; '.join(asked)}."] if asked else []


def _next_steps(steps: NextSteps) -> list[str]:
    """The most telling signs, then the examinations that are worth their price."""
    signs = [step for step in steps.steps if step.where == BEDSIDE and not step.settled and step.worth.bits > 0]
    tests = [item for item in steps.examinations if item.where != BEDSIDE and item.worth.net > 0]
    return [*map(_sign, signs[:_MOST_SIGNS]), *map(_test, tests[:_MOST_TESTS])]


def _sign(step: Step) -> str:
    result = step.most_telling
    moved = f"{labels.cause(result.moved)} from {percent(result.moved_from)} to {percent(result.moved_to)} %"
    chance = f"{percent(result.probability)} %"
    return f"{step.label}: if {labels.state(result.state)} (chance {chance}), {moved}."


def _test(item: Whole) -> str:
    delay = f"{item.worth.delay_hours:g} hours"
    turned = f"{percent(1 - item.same_decisions)} %"
    return f"{item.label}: would change what to do with a chance of {turned}; result after about {delay}."
