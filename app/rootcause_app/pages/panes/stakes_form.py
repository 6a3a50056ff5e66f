"""The stakes as a reader may change them for this visit: nothing is written, and what was changed says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.components import waiting_view

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.stakes import Stakes

_EDITED_KEY: Final = "edited_stakes"
_FIELDS: Final = (
    ("harm", "Harm if missed, points"),
    ("hours", "Irreversible after, hours"),
    ("benefit", "Gain of acting in time, points"),
    ("risk", "Loss of acting in vain, points"),
)
Edited = tuple[tuple[str, str, float], ...]
"""Cause, field and value of each number that was changed."""


def edited() -> Edited:
    """What was changed during this visit."""
    held: dict[tuple[str, str], float] = st.session_state.get(_EDITED_KEY, {})
    return tuple(sorted((cause, field, value) for (cause, field), value in held.items()))


def current(model: Model) -> Stakes:
    """The stakes with what was changed."""
    return model.stakes.with_values({(cause, field): value for cause, field, value in edited()})


def form(model: Model, cause: str) -> None:
    """Draw the four numbers of a cause, each to be changed, and below them range, basis and reason."""
    held: dict[tuple[str, str], float] = st.session_state.setdefault(_EDITED_KEY, {})
    stake = model.stakes.causes[cause]
    for (field, words), place in zip(_FIELDS, st.columns(len(_FIELDS)), strict=True):
        with place:
            key = f"stake.{cause}.{field}"
            st.session_state.setdefault(key, held.get((cause, field), getattr(stake, field).value))
            st.number_input(
                words, min_value=0.0, step=1.0, format="%g", key=key, on_change=_changed, args=(cause, field, key)
            )
    changed = [words for field, words in _FIELDS if (cause, field) in held]
    if changed:
        st.button("Back to the numbers of the folder", on_click=_forget, args=(cause,))
        st.html(f'<p class="rc-hint">Changed here, for this visit only: {", ".join(changed).lower()}.</p>')
    notes = "".join(waiting_view.quantity_html(words, getattr(stake, field)) for field, words in _FIELDS)
    st.html(f'<details class="rc-more"><summary>Where these numbers come from</summary>{notes}</details>')


def _changed(cause: str, field: str, key: str) -> None:
    held: dict[tuple[str, str], float] = st.session_state[_EDITED_KEY]
    value = st.session_state[key]
    if value is not None and value > 0:
        held[cause, field] = float(value)


def _forget(cause: str) -> None:
    held: dict[tuple[str, str], float] = st.session_state[_EDITED_KEY]
    for field, _ in _FIELDS:
        held.pop((cause, field), None)
        st.session_state.pop(f"stake.{cause}.{field}", None)
