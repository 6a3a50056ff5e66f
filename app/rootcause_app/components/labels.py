"""Words for people: what a cause, a finding, a state or a value is called on a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.vocabulary import Variable

NONE_ID: Final = "none"
NONE_LABEL: Final = "None of these causes"
NOT_EXAMINED: Final = "Not examined"

STATES: Final[Mapping[str, str]] = {
    "open_microdiscectomy": "open microdiscectomy",
    "microendoscopic_discectomy": "microendoscopic discectomy",
    "percutaneous_discectomy": "percutaneous discectomy",
    "microdiscectomy": "microdiscectomy, technique not known",
    "L3-L4": "L3–L4",
    "L4-L5": "L4–L5",
    "L5-S1": "L5–S1",
    "other_or_several": "other, or several",
    "no_complaint": "no complaint",
    "before_surgery": "before surgery",
    "within_24h": "within 24 hours",
    "days_2_to_7": "days 2 to 7",
    "days_8_to_30": "days 8 to 30",
    "days_31_to_90": "days 31 to 90",
    "after_90_days": "after 90 days",
    "days_0_to_3": "days 0 to 3",
    "days_4_to_14": "days 4 to 14",
    "days_15_to_42": "days 15 to 42",
    "days_43_to_90": "days 43 to 90",
    "after_day_90": "after day 90",
    "new_or_worse": "new or worse",
    "no_deficit": "no deficit",
    "on_waking": "on waking",
    "after_an_interval": "after an interval",
    "operated_side": "operated side",
    "opposite_side": "opposite side",
    "both": "both sides",
    "falling_as_expected": "falling as expected",
    "raised_or_rising": "raised or rising",
    "not_compressive": "not compressive",
    "under_200_ml": "under 200 ml",
    "200_ml_or_more": "200 ml or more",
}

_ID: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+", re.IGNORECASE)

# What the reader is told where a day or a volume is asked for.
UNITS: Final[Mapping[str, str]] = {"symptom_onset": "day", "examination_day": "day", "post_void_residual": "ml"}

RATES: Final[Mapping[str, str]] = {"seed": "Seed document", "literature": "Literature"}

RANGES: Final[Mapping[str, str]] = {
    "across_techniques": "across techniques",
    "across_studies": "across studies",
    "ci95": "95 % confidence interval",
    "judgement": "by judgement",
}

URGENCY: Final[Mapping[str, str]] = {
    "emergency": "Emergency",
    "same_day": "Same day",
    "within_48h": "Within 48 hours",
    "routine": "Routine",
}


def cause(cause_id: str) -> str:
    """The name of a cause, or of "none of these"."""
    if cause_id == NONE_ID:
        return NONE_LABEL
    known = load_vocabulary().causes.get(cause_id)
    return known.label if known else _plain(cause_id)


def finding(variable: Variable) -> str:
    """The name of a finding or a context."""
    return variable.label


def finding_name(model: Model, finding_id: str) -> str:
    """The name of a finding of which only the id is known; an unknown id is shown as it is."""
    known = model.vocabulary.findings.get(finding_id) or model.vocabulary.contexts.get(finding_id)
    return finding(known) if known else finding_id


def finding_label(finding_id: str) -> str:
    """The name of a finding or context of the vocabulary."""
    known = load_vocabulary().observable.get(finding_id)
    return finding(known) if known else finding_id


def value_of(finding_id: str, given: object) -> str:
    """The words for a value of a finding of which only the id is known."""
    known = load_vocabulary().observable.get(finding_id)
    return value(known, given) if known else str(given)


def said(finding_id: str, given: object) -> str:
    """A finding as it was entered: its name and its value."""
    return f"{finding_label(finding_id)}: {value_of(finding_id, given)}"


def clash(model: Model, clashing: str) -> str:
    """A finding of an impossible case in words; it comes as ``name = state``, or as the name alone."""
    name, _, given = clashing.partition(" = ")
    return f"{finding_name(model, name)}: {state(given)}" if given else finding_name(model, name)


def sentence(model: Model, text: str) -> str:
    """A message of the model with its ids put into words; plain words that happen to be ids stay as they are.

    Args:
        model: Whose ids to look for.
        text: The message.
    """
    return _ID.sub(lambda found: _word_for(model, found.group()), text)


def _word_for(model: Model, identifier: str) -> str:
    if identifier in model.vocabulary.contexts or identifier in model.vocabulary.findings:
        return f"“{finding_name(model, identifier)}”"
    if identifier in model.vocabulary.causes:
        return cause(identifier)
    return STATES.get(identifier) or identifier


def state(state_id: str) -> str:
    """The words for one state."""
    return STATES.get(state_id) or _plain(state_id).lower()


def value(variable: Variable, given: object) -> str:
    """The words for a value as it was entered: a state, a number, a list of states, or a table of likelihoods."""
    if isinstance(given, str):
        return state(given)
    if isinstance(given, Mapping):
        return "likelihood " + ", ".join(f"{state(str(name))} {weight}" for name, weight in given.items())
    if isinstance(given, Sequence):
        return " or ".join(state(str(item)) for item in given)
    if variable.mrc:
        return f"grade {given}"
    unit = UNITS.get(variable.id, "")
    return f"{unit} {given}" if unit == "day" else f"{given} {unit}".rstrip()


def short_digest(digest: str) -> str:
    """The first eight digits of a digest, enough to tell two sets of numbers apart by eye."""
    return digest.removeprefix("sha256:")[:8]


def token(given: object) -> str:
    """A value as a string that a widget can hold; ``None`` stands for *not examined*."""
    return json.dumps(given, ensure_ascii=False)


def from_token(held: str) -> object:
    """The value that a token stands for."""
    return json.loads(held)


def _plain(identifier: str) -> str:
    words = identifier.replace("_", " ")
    return words[:1].upper() + words[1:]
