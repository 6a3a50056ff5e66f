"""What must not wait: causes by what each hour costs, the stakes behind that, and when testing and acting pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rootcause.case import parse_case
from rootcause.reasoning.decisions import pauker_kassirer
from rootcause.urgent import rank_by_stakes
from rootcause_app import answers
from rootcause_app.components import labels, waiting_view
from rootcause_app.pages.panes import stakes_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.diagnosis import Answer
    from rootcause.stakes import Stakes


def draw(model: Model, answer: Answer, findings: Mapping[str, object]) -> None:
    """Draw the pane."""
    if pinned := waiting_view.flags_html(answer.red_flags):
        st.html(pinned)
    st.html(f'<p class="rc-hint">{waiting_view.EXPLAINED}</p>')
    stakes = model.stakes_of(parse_case(dict(findings)), stakes_form.current(model))
    posterior = {cause: (item.mean, item.low, item.high) for cause, item in answer.posterior.items()}
    st.html(waiting_view.ranking_html(rank_by_stakes(posterior, stakes)))
    with st.expander("The stakes, and when a test or an act pays, by these assumed numbers alone"):
        _stakes(model, answer, findings, stakes)


def _stakes(model: Model, answer: Answer, findings: Mapping[str, object], stakes: Stakes) -> None:
    """The stakes of one cause, to be changed for this visit, and the thresholds that follow."""
    by_probability = sorted(answer.posterior, key=lambda name: -answer.posterior[name].mean)
    cause = st.selectbox(
        "Cause",
        [name for name in by_probability if answer.posterior[name].mean > 0],
        format_func=labels.cause,
        key="stakes_cause",
        persist_state="session",
        filter_mode=None,
    )
    stakes_form.form(model, cause)
    _thresholds(model, answer, findings, stakes, cause)


def _thresholds(model: Model, answer: Answer, findings: Mapping[str, object], stakes: Stakes, cause: str) -> None:
    """Test and treatment thresholds for one finding, with the network's own sensitivity and specificity."""
    open_ = [name for name in _linked(model, cause) if name not in findings]
    if not open_:
        st.html('<p class="rc-hint">No sign or test of its own is left to examine for this cause.</p>')
        return
    usual = model.stakes.causes[cause].test
    tests_first = sorted(open_, key=lambda name: (name != usual, model.vocabulary.findings[name].test is None))
    finding = st.selectbox(
        "Test or sign", tests_first, format_func=labels.finding_label, key=f"stakes_test.{cause}", filter_mode=None
    )
    found = answers.accuracy(findings, model.rates, cause, finding)
    if found is None:
        st.html('<p class="rc-hint">The cause is settled; there is nothing to test for.</p>')
        return
    stake, examination = stakes.causes[cause], stakes.examination_of(finding)
    price = examination.cost.value + examination.harm.value
    thresholds = pauker_kassirer(stake.benefit.value, stake.risk.value, price, found.sensitivity, found.specificity)
    named = f"{labels.finding_label(finding)} {' or '.join(labels.state(state) for state in found.positive)}"
    st.html(waiting_view.thresholds_html(thresholds, answer.posterior[cause].mean, named))
    st.html(waiting_view.accuracy_html(found, price))


def _linked(model: Model, cause: str) -> list[str]:
    """The findings that a cause brings by itself, in the order of the vocabulary."""
    links = [id_.split(".") for id_ in model.priors.parameters if id_.startswith("link.")]
    found = {link[1] for link in links if link[-1] == cause}
    return [name for name in model.vocabulary.findings if name in found]
