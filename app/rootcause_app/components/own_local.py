"""The form of a local rate: which number, how many of how many, and how much the number of the model counts."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause.local_counts import MOST_PATIENTS, LocalRate, LocalShares
from rootcause.local_rates import rests_on, update
from rootcause.priors import SHARE_GROUPS, share_groups
from rootcause_app.components import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause.local_counts import Local
    from rootcause.local_rates import Update
    from rootcause.priors import Parameter

CHOSEN_KEY: Final = "own_number"
WEIGHT_KEY: Final = "own_weight"
EVENTS: Final = "Patients with the event"
COUNTED: Final = "Patients counted"
_FIRST: Final = "rate."


def choices(parameters: Mapping[str, Parameter]) -> list[str]:
    """What can be counted: numbers, rates first, and wholes in place of their shares."""
    wholes = share_groups(parameters)
    single = [id_ for id_ in parameters if id_.split(".")[0] not in SHARE_GROUPS]
    rates = [id_ for id_ in single if id_.startswith(_FIRST)]
    return [*rates, *wholes, *(id_ for id_ in single if not id_.startswith(_FIRST))]


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form.

    Attributes:
        local: The count; ``None`` while it is none.
        updates: What follows from it, one for each number; while it is none, the numbers as they stand.
        problems: What makes it none, in a sentence each.
        missing: Fields that are empty while others are not.
    """

    local: Local | None
    updates: tuple[Update, ...]
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def surprise(self) -> bool:
        """Whether the count is one that the range of a number hardly allows."""
        return any(item.surprise for item in self.updates)


def form(parameters: Mapping[str, Parameter], first: str) -> Draft:
    """Draw the form.

    Args:
        parameters: The numbers that the counts update.
        first: The number that it opens with.
    """
    wholes = share_groups(parameters)
    listed = choices(parameters)
    chosen = st.selectbox(
        "Number",
        listed,
        index=listed.index(first) if first in listed else 0,
        format_func=lambda id_: _words(id_, parameters, wholes),
        key=CHOSEN_KEY,
        help="Type words of what it means, or of its id.",
        persist_state="session",
    )
    members = wholes.get(chosen, [chosen])
    counts = _shares(members) if chosen in wholes else _rate(chosen, parameters[chosen])
    weight, source = _weight(rests_on(parameters[id_] for id_ in members)), _source()
    empty: Local = LocalRate(chosen, 0, 0)
    if chosen in wholes:
        empty = LocalShares(chosen, dict.fromkeys(map(_last, members), 0))
    as_they_stand = update(parameters, empty)
    missing = tuple(name for name, count in counts.items() if count is None)
    if missing or not any(counts.values()):
        begun = len(missing) < len(counts)
        return Draft(None, as_they_stand, missing=missing if begun else ())
    events, of = counts.get(EVENTS), counts.get(COUNTED)
    if events and events > (of or 0):
        said = f"{EVENTS}: must not be more than the {COUNTED.lower()}, got {events} of {of}."
        return Draft(None, as_they_stand, (said,))
    local: Local
    if chosen in wholes:
        local = LocalShares(chosen, {_last(id_): counts[_label(id_)] or 0 for id_ in members}, weight, source)
    else:
        local = LocalRate(chosen, counts[EVENTS] or 0, counts[COUNTED] or 0, weight, source)
    try:
        return Draft(local, update(parameters, local))
    except InvalidInputError as refusal:  # such as a weight so small that no range is left
        said = str(refusal).removeprefix(f"{chosen}: ")
        return Draft(None, as_they_stand, (f"{said[0].upper()}{said[1:]}.",))


def _words(id_: str, parameters: Mapping[str, Parameter], wholes: Mapping[str, list[str]]) -> str:
    if id_ not in wholes:
        return f"{parameters[id_].meaning.rstrip('.')} · {numbers.parameter(parameters[id_].point)} · {id_}"
    names = ", ".join(_name(member) for member in wholes[id_])
    return f"Shares that sum to 100 %: {names} · {id_}"


def _rate(id_: str, number: Parameter) -> dict[str, int | None]:
    st.html(f'<p class="rc-hint">{escape(_horizon(number))}</p>')
    left, right = st.columns(2)
    with left:
        events = _count(EVENTS, f"own_events.{id_}")
    with right:
        of = _count(COUNTED, f"own_of.{id_}")
    return {EVENTS: events, COUNTED: of}


def _shares(members: list[str]) -> dict[str, int | None]:
    st.html('<p class="rc-hint">Shares of one whole are counted together: a number of patients for each.</p>')
    counts = {}
    for pair in (members[i : i + 2] for i in range(0, len(members), 2)):
        for member, place in zip(pair, st.columns(2), strict=False):
            with place:
                counts[_label(member)] = _count(_label(member), f"own_count.{member}")
    return counts


def _count(label: str, key: str) -> int | None:
    """A count; an empty field is none, and not a count of nobody."""
    return st.number_input(label, 0, MOST_PATIENTS, None, step=1, key=key, persist_state="session")


def _weight(what: str) -> float:
    percent = st.slider(
        f"How much {what} counts",
        0,
        100,
        100,
        5,
        format="%d %%",
        key=WEIGHT_KEY,
        help="100 %: as many patients as its range stands for. 50 %: half as many. 0 %: not at all.",
        persist_state="session",
    )
    return float(percent) / 100


def _source() -> str:
    return st.text_input(
        "Where the counts are from",
        key="own_source",
        placeholder="registry of one's own department, 2019 to 2023",
        max_chars=200,
        persist_state="session",
    )


def _horizon(number: Parameter) -> str:
    horizon = f" Its horizon: {number.horizon}." if number.horizon else ""
    return f"Count the same thing, in the same kind of patient, over the same time.{horizon}"


def _last(member: str) -> str:
    return member.rpartition(".")[2]


def _name(member: str) -> str:
    return _last(member).replace("_", " ")


def _label(member: str) -> str:
    return _name(member).capitalize()
