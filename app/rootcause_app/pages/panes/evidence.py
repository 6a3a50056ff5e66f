"""The evidence so far: what speaks for and against a cause, through what; whether it fits; the causes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app import answers
from rootcause_app.components import evidence_view, labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.diagnosis import Answer

_CAUSE_KEY: Final = "explained"


def draw(model: Model, answer: Answer, findings: Mapping[str, object]) -> None:
    """Draw the pane."""
    cause = st.selectbox(
        "For and against",
        answer.ranking,
        format_func=labels.cause,
        key=_CAUSE_KEY,
        persist_state="session",
        filter_mode=None,
    )
    found = answers.explanation(findings, model.rates, cause)
    st.html(evidence_view.opening_html(found))
    if not found.findings:
        st.html('<p class="rc-hint">No finding has been entered yet: there is nothing to weigh.</p>')
        return
    st.html(evidence_view.in_order_html(found))
    st.html(evidence_view.order_free_html(found))
    st.html(f'<p class="rc-hint">{evidence_view.WEIGHTS_EXPLAINED}</p>')
    with st.expander("Through which lesions"):
        st.html(evidence_view.lesions_html(found.lesions))
    with st.expander("Without a finding, or had it been another"):
        st.html(evidence_view.removals_html(found))
    st.header("Does it fit?", anchor=False)
    words = {name: labels.said(name, given) for name, given in findings.items()}
    st.html(evidence_view.fit_html(answers.fit(findings, model.rates), words))
    st.header("The causes together", anchor=False)
    st.html(evidence_view.together_html(answers.together(findings, model.rates)))
