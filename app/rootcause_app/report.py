"""A report of one page: what was found, what must not wait, the causes with their intervals, why, and from what.

It holds no name and no place for one. What it says is fixed by the case, the model and the time that is passed in, so
the same input gives the same page to the byte.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause.findings import Case
from rootcause.structure import rate_id
from rootcause_app.components import bars, labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rootcause import Model
    from rootcause.diagnosis import Answer
    from rootcause.vocabulary import Variable
    from rootcause_app.components.bars import Bar

TITLE: Final = "Causes of a leg deficit after lumbar surgery"
MOST_REASONS: Final = 8
MOST_STEPS: Final = 6
MOST_SOURCES: Final = 10

_LONGEST: Final = 280  # characters of one line that is passed in
_LEADING: Final = 3  # causes whose rates are cited
_TELLING_CONFLICT: Final = 0.5
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # controls, invisible and unassigned characters

_SITUATION, _BEDSIDE, _TESTS = "Situation", "At the bedside", "Tests"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding as it was entered.

    Attributes:
        group: The situation, the bedside or the tests.
        label: Its name.
        value: What was found, in words.
        abnormal: Whether the normal state is excluded, so that it is set in bold.
    """

    group: str
    label: str
    value: str
    abnormal: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """What one finding says for or against the leading cause.

    Attributes:
        label: The finding.
        decibans: Ten times the decimal logarithm of its factor on the odds; infinite where it decides.
    """

    label: str
    decibans: float

    @property
    def said(self) -> str:
        """The weight with its sign, or what an infinite one means."""
        if math.isinf(self.decibans):
            return "proves it" if self.decibans > 0 else "rules it out"
        rounded = round(self.decibans, 1)
        return "±0.0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"


@dataclass(frozen=True, slots=True)
class Listed:
    """Lines of a list, the first so many.

    Attributes:
        lines: Those that are shown.
        more: How many others there are.
    """

    lines: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All that stands on the page.

    Attributes:
        title: Its title.
        made: When it was made, as it was passed in.
        disclaimer: What it is not.
        urgency: Level as in the rules, the same in a word, and what it asks for.
        red_flags: Rules that fired, the most urgent first.
        must_not_wait: What cannot be missed, beside the red flags.
        findings: As entered.
        bars: Every cause and none of them, the most probable first.
        leading: The most probable listed cause.
        reasons: For and against it, the weightiest first.
        more_reasons: How many lighter ones are left out.
        next_steps: What to examine next, the best first.
        notes: What a reader should know of the numbers.
        sources: Citations behind the red flags and the rates of the leading causes.
        provenance: Version, digest, rate set, and how many numbers are assumed.
    """

    title: str
    made: datetime
    disclaimer: str
    urgency: tuple[str, str, str]
    red_flags: tuple[str, ...]
    must_not_wait: Listed
    findings: tuple[Entry, ...]
    bars: tuple[Bar, ...]
    leading: str
    reasons: tuple[Reason, ...]
    more_reasons: int
    next_steps: Listed
    notes: tuple[str, ...]
    sources: Listed
    provenance: tuple[tuple[str, str], ...]

    @property
    def time(self) -> str:
        """When it was made, to the minute, with the offset from UTC where that is known."""
        return self.made.isoformat(sep=" ", timespec="minutes")


def report_of(
    model: Model,
    data: Mapping[str, object] | Case,
    made: datetime,
    *,
    answer: Answer | None = None,
    reasons: Iterable[tuple[str, float]] = (),
    must_not_wait: Iterable[str] = (),
    next_steps: Iterable[str] = (),
) -> Report:
    """Put a report together.

    Args:
        model: The model that answers, or has answered.
        data: The case, as for ``Model.diagnose``.
        made: The time that the report bears.
        answer: The model's answer to the case, if it is at hand; without it, it is computed with its intervals.
        reasons: By the name of a finding, what it says for the leading cause in decibans, below 0 against it.
        must_not_wait: What cannot be missed, in words, the most pressing first.
        next_steps: What to examine next, in words, the best first.

    Raises:
        InvalidInputError: If the case breaks a rule, or something passed in is no text, number or time.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    if not isinstance(made, datetime):
        raise InvalidInputError(f"made: must be a date with a time, got {type(made).__name__}")
    case = data if isinstance(data, Case) else parse_case(data)
    found = answer or model.diagnose(case)
    sorted_bars = bars.differential(found)
    listed = [bar.cause for bar in sorted_bars if bar.cause != labels.NONE_ID]
    weighty = sorted(_reasons(reasons), key=lambda reason: -abs(reason.decibans))
    level = found.urgency.level
    return Report(
        title=TITLE,
        made=made,
        disclaimer=_clean(found.disclaimer, "disclaimer", None),
        urgency=(level, *_urgency(found)),
        red_flags=tuple(_clean(flag.text, "red flag", None) for flag in found.red_flags),
        must_not_wait=_texts(must_not_wait, "must_not_wait"),
        findings=tuple(_entries(model, case)),
        bars=tuple(sorted_bars),
        leading=labels.cause(listed[0]),
        reasons=tuple(weighty[:MOST_REASONS]),
        more_reasons=max(0, len(weighty) - MOST_REASONS),
        next_steps=_texts(next_steps, "next_steps"),
        notes=tuple(_notes(case, found)),
        sources=_capped(_sources(model, case, found, listed[:_LEADING]), MOST_SOURCES),
        provenance=_provenance(model, found),
    )


# ---- what is passed in -----------------------------------------------------------------------------------------------


def _clean(text: object, where: str, longest: int | None = _LONGEST) -> str:
    """A text in one line, without characters that hide or turn others around, and not without end."""
    if not isinstance(text, str):
        raise InvalidInputError(f"{where}: must be a text, got {type(text).__name__}")
    visible = "".join(" " if unicodedata.category(sign) in _DROPPED else sign for sign in text)
    line = " ".join(visible.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _texts(given: Iterable[str], where: str) -> Listed:
    if isinstance(given, str):
        raise InvalidInputError(f"{where}: must be a list of texts, got one text")
    return _capped([_clean(text, where) for text in given], MOST_STEPS)


def _capped(texts: Sequence[str], most: int) -> Listed:
    return Listed(tuple(texts[:most]), max(0, len(texts) - most))


def _reasons(given: Iterable[object]) -> list[Reason]:
    found = []
    for pair in given:
        if not isinstance(pair, tuple | list) or len(pair) != 2:  # noqa: PLR2004 - a pair
            raise InvalidInputError(f"reasons: each must be a name with its decibans, got {pair!r}")
        label, decibans = _clean(pair[0], "reasons"), pair[1]
        if isinstance(decibans, bool) or not isinstance(decibans, int | float) or math.isnan(decibans):
            raise InvalidInputError(f"reasons: the decibans of {label} must be a number, got {decibans!r}")
        found.append(Reason(label, float(decibans)))
    return found


# ---- what the model says ---------------------------------------------------------------------------------------------


def _entries(model: Model, case: Case) -> list[Entry]:
    """The findings, in the order of the vocabulary within each group."""
    entries = []
    for name, variable in model.vocabulary.observable.items():
        if name not in case.findings:
            continue
        group = _SITUATION if variable.kind == "context" else _TESTS if variable.test else _BEDSIDE
        abnormal = variable.kind == "finding" and variable.normal not in case.possible(name)
        entries.append(Entry(group, labels.finding(variable), _value(variable, case), abnormal))
    order = (_SITUATION, _BEDSIDE, _TESTS)
    return sorted(entries, key=lambda entry: order.index(entry.group))


def _value(variable: Variable, case: Case) -> str:
    found = case.findings[variable.id]
    number = case.numbers.get(variable.id)
    if number is not None:
        shown = labels.value(variable, int(number) if number.is_integer() else number)
        said = f"{shown} ({labels.state(found)})" if variable.kind == "finding" else shown
    else:
        whole = next((name for name, states in variable.groups.items() if list(states) == found), found)
        said = labels.value(variable, whole)
    if variable.id in case.derived:
        return f"{said} (from two examinations)"
    return f"{said} (found earlier)" if variable.id in case.carried else said


def _urgency(answer: Answer) -> tuple[str, str]:
    """How soon, in a word, and the sentence that goes with it, without the word again."""
    word = labels.URGENCY.get(answer.urgency.level, answer.urgency.level)
    text = _clean(answer.urgency.text, "urgency", None)
    rest = text[len(word) + 1 :].strip() if text.lower().startswith(f"{word.lower()}:") else text
    return word, f"{rest[:1].upper()}{rest[1:]}"


def _notes(case: Case, answer: Answer) -> list[str]:
    notes = ["Several causes may be present, so the bars need not sum to 100 %.", answer.none_sentence]
    if answer.conflict.score > _TELLING_CONFLICT and answer.conflict_sentence:
        notes.append(answer.conflict_sentence)
    if case.earlier:
        notes.append(f"This is examination {len(case.earlier) + 1}; earlier ones are counted in.")
    return [_clean(note, "note", None) for note in notes]


def _sources(model: Model, case: Case, answer: Answer, causes: Iterable[str]) -> list[str]:
    """Citations, each once: first of the red flags, then of the rates of some causes after the operation."""
    numbers = model.priors.parameters
    keys = [key for flag in answer.red_flags for key in flag.sources]
    for cause in causes:
        rates = dict.fromkeys(rate_id(numbers, cause, procedure) for procedure in case.possible("procedure"))
        keys += [key for rate in rates if rate and rate in numbers for key in numbers[rate].sources]
    known = [model.priors.sources[key] for key in dict.fromkeys(keys) if key in model.priors.sources]
    return [_clean(f"{source.citation}{f' doi:{source.doi}' if source.doi else ''}", "source") for source in known]


def _provenance(model: Model, answer: Answer) -> tuple[tuple[str, str], ...]:
    every = model.priors.parameters.values()
    assumed = sum(number.basis == "assumed" for number in every)
    said = answer.model
    rows = (
        ("Model", f"Rootcause {said['version']}"),
        ("Rates", labels.RATES.get(said["rates"], said["rates"])),
        ("Numbers", f"{assumed} of {len(every)} are assumed, not published"),
        ("Digest", said["digest"]),
    )
    return tuple((name, _clean(value, name)) for name, value in rows)


__all__ = ["Entry", "Reason", "Report", "report_of"]
