"""The form of a local rate: which number, how many of how many, and how much the literature counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.local_counts import MOST_PATIENTS, LocalRate, LocalShares
from rootcause.local_rates import update
from rootcause.priors import SHARE_GROUPS, share_groups
from rootcause_app.components import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause.local_counts import Local
    from rootcause.local_rates import Update
    from rootcause.priors import Parameter

CHOSEN_KEY: Final = "own_number"
WEIGHT_KEY: Final = "own_weight"
_FIRST: Final = "rate."


def choices(parameters: Mapping[str, Parameter]) -> list[str]:
    """What can be counted: numbers, rates first, and wholes in place of their shares."""
    wholes = share_groups(parameters)
    single = [id_ for id_ in parameters if id_.split(".")[0] not in SHARE_GROUPS]
    rates = [id_ for id_ in single if id_.startswith(_FIRST)]
    return [*rates, *wholes, *(id_ for id_ in single if not id_.startswith(_FIRST))]


def form(parameters: Mapping[str, Parameter], first: str) -> tuple[Update, ...]:
    """Draw the form.

    Args:
        parameters: The numbers that the counts update.
        first: The number that it opens with.

    Returns:
        What follows from it, one for each number.

    Raises:
        InvalidInputError: If the counts are no counts.
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
    local = _shares(chosen, wholes[chosen]) if chosen in wholes else _rate(chosen, parameters[chosen])
    return update(parameters, local)


def _words(id_: str, parameters: Mapping[str, Parameter], wholes: Mapping[str, list[str]]) -> str:
    if id_ not in wholes:
        return f"{parameters[id_].meaning.rstrip('.')} · {numbers.parameter(parameters[id_].point)} · {id_}"
    names = ", ".join(_name(member) for member in wholes[id_])
    return f"Shares that sum to 100 %: {names} · {id_}"


def _rate(id_: str, number: Parameter) -> Local:
    st.html(f'<p class="rc-hint">{_horizon(number)}</p>')
    left, right = st.columns(2)
    with left:
        events = _count("Patients with the event", f"own_events.{id_}")
    with right:
        of = _count("Patients counted", f"own_of.{id_}")
    return LocalRate(id_, events, of, _weight(), _source())


def _shares(whole: str, members: list[str]) -> Local:
    st.html('<p class="rc-hint">Shares of one whole are counted together: a number of patients for each.</p>')
    counts = {}
    for pair in (members[i : i + 2] for i in range(0, len(members), 2)):
        for member, place in zip(pair, st.columns(2), strict=False):
            with place:
                counts[member.rpartition(".")[2]] = _count(_name(member).capitalize(), f"own_count.{member}")
    return LocalShares(whole, counts, _weight(), _source())


def _count(label: str, key: str) -> int:
    return int(st.number_input(label, 0, MOST_PATIENTS, 0, key=key, persist_state="session"))


def _weight() -> float:
    percent = st.slider(
        "How much the literature counts",
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


def _name(member: str) -> str:
    return member.rpartition(".")[2].replace("_", " ")
