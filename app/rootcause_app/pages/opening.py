"""Opening a case: the first example, one that the address carries, or one that was read from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.case import flat_table, moments
from rootcause.casefile import open_case
from rootcause.errors import InvalidInputError
from rootcause_app.components import findings_form, labels, links
from rootcause_app.pages import frame, snapshots
from rootcause_app.settings import OPENING_CASE, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause.case import Case
    from rootcause.casefile import Opened

CHOSEN_KEY: Final = "example"
REFUSED_KEY: Final = "refused"
NOTED_KEY: Final = "noted"


def first_case() -> None:
    """Open the case that the address carries, or the first example."""
    if findings_form.CASE_KEY in st.session_state:
        return
    load_example(OPENING_CASE)
    packed = st.query_params.get(links.PARAMETER)
    if packed is None:
        return
    del st.query_params[links.PARAMETER]  # or a reload would undo what was entered since
    try:
        load(open_case(frame.chosen_model(), links.decode(packed)))
    except InvalidInputError as refusal:
        st.session_state[REFUSED_KEY] = str(refusal)


def load_example(case_id: str | None) -> None:
    """Put an example into the form, or nothing at all."""
    found = examples().get(case_id or "")
    findings_form.load(found.findings if found else {})
    st.session_state[CHOSEN_KEY] = found.id if found else None
    st.session_state.pop(REFUSED_KEY, None)
    st.session_state.pop(NOTED_KEY, None)


def load(opened: Opened) -> None:
    """Put a case that was read into the form, at its last moment; the earlier ones go to the page that compares."""
    every = moments(opened.data)
    findings_form.load(opened.data.get("findings") or flat_table(every[-1]))
    snapshots.keep_all(every)
    st.session_state[CHOSEN_KEY] = None
    st.session_state.pop(REFUSED_KEY, None)
    notes = list(opened.differences)
    if len(every) > 1:
        notes += _of_several(every)
    st.session_state[NOTED_KEY] = notes


def _of_several(every: Sequence[Case]) -> list[str]:
    """What a reader should know of a case that was put together from several examinations."""
    last = every[-1]
    notes = [f"The case has {len(every)} examinations: the last is shown here, all of them under “Compare”."]
    if last.derived:
        said = "; ".join(labels.said(name, last.findings[name]) for name in last.derived)
        notes.append(f"Nobody entered this; it follows from the examinations: {said}.")
    if last.carried:
        named = ", ".join(labels.finding_label(name) for name in last.carried)
        notes.append(f"Carried on from an earlier examination, read as if found at the last: {named}.")
    return notes
