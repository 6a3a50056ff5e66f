"""A figure read from the words that a record was noted in: strictly, or not at all.

``8 of 2951 = 0.27 %`` and ``0.8 (0.6 to 0.95)`` are read. What could be read in two ways is refused with the reason: a
second figure, a bound, a denominator that is not patients, a count of none or of all. Words after the figure say which
events were counted where it is a rate. Anywhere else they may turn its sense round (52 of 71 *improved* is no share
that did not) or its time (54 % *by day 5* is no first week), so there only the size of the sample may follow it.
"""

import re
from dataclasses import dataclass

from rootcause.errors import InvalidInputError

LEVEL = 0.95
"""Probability that the interval of a count is given."""

_JEFFREYS = "Jeffreys 95 % interval of the count"

_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})"
_DECIMAL = r"[0-9]{1,3}(?:\.[0-9]{1,12})?"
_SHARE = rf"(?:{_DECIMAL}\s?%|0\.[0-9]{{1,12}})"
_RANGE = rf"(?:\s*\((?P<low>{_DECIMAL})\s?%?\s?(?:-|–|to)\s?(?P<high>{_DECIMAL})\s?(?P<sign>%?)\))?"
_COUNT = re.compile(
    rf"(?P<events>{_WHOLE})\s?(?:/|\sof\s|of\s)\s?(?P<of>{_WHOLE})(?:\s?=\s?(?P<share>{_SHARE}))?{_RANGE}(?P<tail>.*)"
)
_PLAIN = re.compile(rf"(?P<share>{_SHARE})(?:\s?of\s(?P<of>{_WHOLE}))?{_RANGE}(?P<tail>.*)")
_SIZE = re.compile(rf"[,;]?\s*\(?\bn\s?=?\s?(?P<of>{_WHOLE})\)?")
_TIME = re.compile(
    r"\b(?:(?:at|by|within|in|on|after|before|from|to|until|the|a)\s+)*"
    r"(?:(?:day|days|week|weeks|month|months|year)\s+\d+|\d+(?:(?:-|–|\sto\s)\d+)?[\s-]?(?:hours?|h|days?|weeks?|months?|years?))\b"
)
_STUDIES = re.compile(r"\b\d+ (?:prospective |randomi[sz]ed )?(?:series|studies|trials|cohorts)\b")
_PLACE = re.compile(r"\b[LS]\d(?:[-–/][LS]?\d)?\b")
_BOUND = re.compile(
    r"\b(?:at (?:the )?(?:most|least)|or (?:more|less|fewer)|up to|upper|lower|about|under|over|above|below|than)\b"
)
_TURNED = re.compile(
    r"\b(?:without|not|no|none|never|free|improved|recovered|silent|asymptomatic|normal|negative|specificity)\b"
)
_OTHER_UNIT = re.compile(r"^\s*(?:screws?|levels?|pedicles?)\b|\b(?:per|a) (?:screw|level|pedicle|year)\b")


class UnreadableError(InvalidInputError):
    """Words that hold no figure, or more than one reading; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure as a record has it.

    Attributes:
        point: A probability, strictly between 0 and 1: the count, where there is one, else the figure as printed.
        low: Lower end of its range; ``None`` where the record says nothing of that.
        high: Upper end.
        interval: What the ends are: the Jeffreys interval of a count, or as printed; empty where there are none.
        counted: Whether it is a count of patients.
        words: What the record says besides the figure.
    """

    point: float
    low: float | None
    high: float | None
    interval: str
    counted: bool
    words: str


def read_figure(text: str, *, is_rate: bool) -> Reading:
    """Read the figure of a record.

    Args:
        text: The words of the record.
        is_rate: Whether it is a record on how often something happens, whose words say which events were counted.

    Raises:
        UnreadableError: If there is not exactly one reading.
    """
    stripped = text.strip()
    found = _COUNT.fullmatch(stripped) or _PLAIN.fullmatch(stripped)
    if found is None:
        raise UnreadableError("does not begin with a count or a share")
    tail, size = _tail(found["tail"])
    _check_tail(tail, is_rate=is_rate)
    if "events" in found.re.groupindex:
        return _counted(found, tail)
    return _printed(found, found["of"] or size, tail)


def jeffreys(events: float, of: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the Jeffreys interval of a share (Brown, Cai & DasGupta 2001).

    Args:
        events: Patients with the event, above 0.
        of: All patients, more than that.
        level: Probability of the interval.
    """
    from scipy.special import betaincinv

    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = (float(betaincinv(events + 0.5, of - events + 0.5, tail)) for tail in tails)
    return low, high


def _tail(words: str) -> tuple[str, str | None]:
    """Return the words after a figure, and the size of the sample that they name."""
    size = _SIZE.search(words)
    return (words[: size.start()] + words[size.end() :], size["of"]) if size else (words, None)


def _check_tail(tail: str, *, is_rate: bool) -> None:
    if tail and tail[0] not in " ,;(":
        raise UnreadableError("the figure is part of something longer")
    if not is_rate and re.search(r"\w", tail):
        raise UnreadableError("the words beside the figure may say that something else was counted")
    plain = _STUDIES.sub("", _PLACE.sub("", _TIME.sub("", tail)))
    if re.search(r"[\d%‰]|\b(?:half|third|quarter)\b", plain):
        raise UnreadableError("holds more than one figure")
    if _BOUND.search(plain):
        raise UnreadableError("is a bound or an estimate, not a figure")
    if _TURNED.search(plain):
        raise UnreadableError("the words beside the figure may turn its sense round")
    if _OTHER_UNIT.search(plain):
        raise UnreadableError("does not count patients")


def _counted(found: re.Match[str], tail: str) -> Reading:
    events, of = _whole(found["events"]), _whole(found["of"])
    if not 0 < events < of:
        got = "none" if events == 0 else "all" if events == of else f"{events} of {of}"
        raise UnreadableError(f"a count must be of some and not of all, got {got}")
    point = events / of
    if found["share"] and abs(point - _share(found["share"])) > _last_digit(found["share"]):
        raise UnreadableError(f"{events} of {of} is not {found['share']}")
    low, high = jeffreys(events, of)
    return Reading(point, low, high, _JEFFREYS, counted=True, words=tail.strip(" ,;"))


def _printed(found: re.Match[str], size: str | None, tail: str) -> Reading:
    point, words = _share(found["share"]), tail.strip(" ,;")
    if not 0 < point < 1:
        raise UnreadableError(f"a share must lie strictly between 0 and 1, got {found['share']}")
    if found["low"]:
        unit = 100.0 if "%" in found["share"] else 1.0
        low, high = float(found["low"]) / unit, float(found["high"]) / unit
        if (found["sign"] and unit == 1) or not 0 < low < point < high < 1:
            raise UnreadableError("its range does not hold its figure")
        return Reading(point, low, high, "range as printed", counted=False, words=words)
    of = _whole(size) if size else 0
    if of > 1 and 0 < point * of < of:
        low, high = jeffreys(point * of, of)
        if low < point < high:
            return Reading(point, low, high, _JEFFREYS, counted=False, words=words)
    return Reading(point, None, None, "", counted=False, words=words)


def _whole(digits: str) -> int:
    return int(digits.replace(",", ""))


def _share(words: str) -> float:
    return float(words.rstrip("% ")) / (100 if "%" in words else 1)


def _last_digit(words: str) -> float:
    """Return what one in the last digit of a share is worth: a figure may be rounded up or down."""
    decimals = len(words.rstrip("% ").partition(".")[2])
    return 10.0**-decimals / (100 if "%" in words else 1) * 1.000001
