"""A case file: what was found, which numbers answered it, and the answer; opened later, it says what has changed since.

A saved file is a case like any other, with two keys beside its findings or examinations:

``rootcause``
    ``format`` of the file, ``version`` of the software, ``digest`` of all numbers and rules, and the ``rates``.
``answer``
    The ``posterior`` of every cause, ``none`` and ``log_evidence`` at the points of all numbers, in full precision;
    ``null`` where the findings could not hold together.

The same software with the same numbers gives the same answer, to the last digits that arithmetic keeps; where it does
not, the file and the model differ, and the differences are told in plain sentences.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rootcause import diagnosis
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.files import write_whole
from rootcause.findings import Case, kind_of_value
from rootcause.serial import moments
from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rootcause.model import Model

FORMAT = 1
"""Format of the case files that are written, and the only one that is read."""

SAME = 1e-9
"""Difference of probabilities up to which an answer is the same."""

_ADDED = ("rootcause", "answer")
_FIELDS: Mapping[str, type] = {"version": str, "digest": str, "rates": str}
_SHORT = 12
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was read from a file.

    Attributes:
        data: The case as it was saved, without what the saving added: ``{"findings": {...}}``, or with
            ``examinations``, and what the file says about the case.
        case: The same, checked, at the last moment.
        differences: One sentence for everything in which the answer of the file is not the one that is given now; empty
            where there is none, and for a plain case, which holds no answer.
    """

    data: dict[str, Any]
    case: Case
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """The probability of each cause and of none of them, and ln P(findings)."""

    posterior: Mapping[str, float]
    none: float
    log_evidence: float


# ---- saving --------------------------------------------------------------------------------------------------------


def save_case(model: "Model", data: object) -> dict[str, Any]:
    """Return a case as a file holds it.

    Args:
        model: Whose numbers answer.
        data: A case: ``{"findings": {...}}``, the table of findings itself, or ``{"examinations": [...]}``; values and
            order stay as they are.

    Returns:
        Plain data, for JSON.

    Raises:
        InvalidInputError: If the case breaks a rule, or a value cannot be written as JSON.
    """
    case = moments(data)[-1]
    answer = _answer(model, case)
    plain = _without_added(data)
    about = {"format": FORMAT, "version": model.version, "digest": model.digest, "rates": model.rates}
    held = None
    if answer is not None:
        held = {"posterior": dict(answer.posterior), "none": answer.none, "log_evidence": answer.log_evidence}
    return {"rootcause": about, **_as_json(plain), "answer": held}


def case_text(saved: Mapping[str, Any]) -> str:
    """Return a saved case as the text of its file."""
    return json.dumps(saved, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def write_case(model: "Model", data: object, path: str | Path) -> None:
    """Write a case to a JSON file, whole or not at all.

    Args:
        model: Whose numbers answer.
        data: As for ``save_case``.
        path: The file; one that is there already is replaced.

    Raises:
        InvalidInputError: If the case breaks a rule or the file cannot be written.
    """
    text = case_text(save_case(model, data))
    write_whole(path, lambda: text.encode("utf-8"))


def _answer(model: "Model", case: Case) -> _Answer | None:
    try:
        found = diagnosis.posterior(model.engine, case)
    except ImpossibleEvidenceError:
        return None
    causes = {cause: float(values[0]) for cause, values in found.causes.items()}
    return _Answer(causes, float(found.none[0]), float(found.log_evidence[0]))


def _without_added(data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):  # what has been checked as a case is a table
        raise InvalidInputError(f"case: must be a table of findings, got {kind_of_value(data)}")
    if "findings" not in data and "examinations" not in data:
        return {"findings": dict(data)}
    return {key: value for key, value in data.items() if key not in _ADDED}


def _as_json(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in plain data, as it would be read back."""
    try:
        found: dict[str, Any] = json.loads(json.dumps(data, allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError("case: every value must be one that JSON can hold, got another") from None
    return found


def _plain(value: object) -> object:
    """Return tables and dates, which are not of JSON's own kind, as what JSON has for them."""
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


# ---- opening -------------------------------------------------------------------------------------------------------


def open_case(model: "Model", data: object) -> Opened:
    """Open a case, and say in what its answer differs from the one that the file holds.

    Args:
        model: Whose numbers answer now.
        data: A saved case, or a plain one.

    Raises:
        InvalidInputError: If the case, or what was saved with it, breaks a rule.
        ImpossibleEvidenceError: If a plain case cannot be. (Of a saved one it is told as a difference, lest what was
            entered be lost.)
    """
    case = moments(data)[-1]
    plain = _without_added(data)
    added = {key: data[key] for key in _ADDED if key in data} if isinstance(data, Mapping) else {}
    if not added:
        diagnosis.posterior(model.engine, case)
        return Opened(plain, case, ())
    about = _about(added.get("rootcause"))
    differences = [*_of_model(model, about)]
    if "answer" in added:
        now = _answer(model, case)
        differences += _of_answer(_held(added["answer"]), now)
    return Opened(plain, case, tuple(differences))


def _about(about: object) -> Mapping[str, Any]:
    if not isinstance(about, Mapping):
        raise InvalidInputError(f"case: 'rootcause' must be a table beside 'answer', got {kind_of_value(about)}")
    if isinstance(about.get("format"), bool) or about.get("format") != FORMAT:
        raise InvalidInputError(f"case: the format of a case file must be {FORMAT}, got {_short(about.get('format'))}")
    for key, kind in _FIELDS.items():
        if not isinstance(about.get(key), kind):
            raise InvalidInputError(f"case: 'rootcause' must name the {key} in a text, got {_short(about.get(key))}")
    return about


def _held(answer: object) -> _Answer | None:
    if answer is None:
        return None
    if not isinstance(answer, Mapping):
        raise InvalidInputError(f"case: 'answer' must be a table, got {kind_of_value(answer)}")
    posterior = answer.get("posterior")
    if not isinstance(posterior, Mapping):
        raise InvalidInputError(f"case: 'answer' must hold the table 'posterior', got {kind_of_value(posterior)}")
    causes = {str(cause): _probability(str(cause), value) for cause, value in posterior.items()}
    log_evidence = answer.get("log_evidence")
    if log_evidence is None or not _is_finite(log_evidence):
        raise InvalidInputError(f"case: 'log_evidence' must be a finite number, got {_short(log_evidence)}")
    return _Answer(causes, _probability("none", answer.get("none")), float(log_evidence))


def _probability(name: str, value: Any) -> float:  # noqa: ANN401 - whatever stands in the file
    if not _is_finite(value) or not 0 <= value <= 1:
        raise InvalidInputError(f"case: the answer for {name[:60]!r} must be from 0 to 1, got {_short(value)}")
    return float(value)


def _is_finite(value: Any) -> bool:  # noqa: ANN401 - whatever stands in the file
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(value: object) -> str:
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18):
        return repr(value)
    return repr(value[:60]) if isinstance(value, str) else kind_of_value(value)


# ---- what differs --------------------------------------------------------------------------------------------------


def _of_model(model: "Model", about: Mapping[str, Any]) -> Iterator[str]:
    if about["version"] != model.version:
        yield f"The file is from version {_clip(about['version'])} of the software; this is {model.version}."
    if about["rates"] != model.rates:
        yield f"The file was answered with the rates {_clip(about['rates'])}; now the rates are {model.rates}."
    elif about["digest"] != model.digest:
        then, now = about["digest"][:_SHORT], model.digest[:_SHORT]
        yield f"The numbers or rules of the model are others than then (digest {_clip(then)} then, {now} now)."


def _of_answer(then: _Answer | None, now: _Answer | None) -> Iterator[str]:
    if then is None or now is None:
        if then is not now:
            could = ("could", "cannot") if now is None else ("could not", "can")
            yield f"The findings {could[0]} hold together then and {could[1]} now."
        return
    old, new = ({**answer.posterior, "none": answer.none} for answer in (then, now))
    for name in dict.fromkeys([*new, *old]):
        if name not in old:
            yield f"{_label(name)}: not in the file, {_percent(new[name], 1)} now."
        elif name not in new:
            yield f"{_clip(name)}: {_percent(old[name], 1)} then, not in the model now."
        elif abs(old[name] - new[name]) > SAME:
            yield f"{_label(name)}: {' then, '.join(_apart(old[name], new[name]))} now."
    if abs(then.log_evidence - now.log_evidence) > SAME * max(1.0, abs(now.log_evidence)):
        yield (
            f"The findings together: ln probability {then.log_evidence:.10g} then, {now.log_evidence:.10g} now; "
            "they are more or less usual than they were."
        )


def _apart(then: float, now: float) -> tuple[str, str]:
    """Return two probabilities in per cent, with as many digits as it takes to tell them apart."""
    for digits in range(1, _MOST_DIGITS):
        found = _percent(then, digits), _percent(now, digits)
        if found[0] != found[1]:
            return found
    return f"{then!r}", f"{now!r}"


def _percent(value: float, digits: int) -> str:
    return f"{100 * value:.{digits}f} %"


def _label(name: str) -> str:
    known = load_vocabulary().causes.get(name)
    return "None of these" if name == "none" else known.label if known else _clip(name)


def _clip(text: str) -> str:
    """Return a text from a file, fit for a sentence."""
    return " ".join(str(text).split())[:60] or "nothing"
