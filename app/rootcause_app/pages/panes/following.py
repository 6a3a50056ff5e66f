"""What to examine next: bedside signs first, then tests; whether anything could still change what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.next_steps import NO_DELAY
from rootcause_app import answers
from rootcause_app.components import next_view
from rootcause_app.pages.panes import stakes_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.diagnosis import Answer

_AHEAD_KEY: Final = "ahead"


def draw(model: Model, answer: Answer, findings: Mapping[str, object]) -> None:
    """Draw the pane: what the red flags ask for, the ranking, then whether anything could still change what to do."""
    if asked := next_view.first_html(answer.red_flags):
        st.html(asked)
    st.html(f'<p class="rc-hint">{NO_DELAY}</p>')
    edited = stakes_form.edited()
    first = answers.situation(findings, model.rates, edited).steps()
    stop = st.empty()
    stop.html(next_view.pending_html())
    st.html(f'<p class="rc-hint">{next_view.EXPLAINED}</p>')
    st.header("Tells most about the cause: at the bedside", anchor=False)
    st.html(next_view.steps_html(first, bedside=True))
    st.header("Tests", anchor=False)
    st.html(next_view.steps_html(first, bedside=False))
    wholes = st.empty()
    st.header("Two looks ahead", anchor=False)
    ahead = 2 if st.toggle("Look at pairs of findings as well (takes some seconds)", key=_AHEAD_KEY) else 1
    pairs = st.empty()
    steps = answers.next_steps(findings, model.rates, edited, ahead)
    stop.html(next_view.decided_html(steps.stop))
    wholes.html(next_view.wholes_html(steps.examinations))
    if ahead > 1:
        pairs.html(next_view.pairs_html(steps.pairs))
