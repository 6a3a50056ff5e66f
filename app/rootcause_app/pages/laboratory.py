"""Sensitivity: which number the answer hangs on, and whether the leading cause would change inside the ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app import answers
from rootcause_app.components import findings_form, labels, notices, numbers
from rootcause_app.laboratory_answers import Question
from rootcause_app.pages import frame, opening, snapshots
from rootcause_app.pages.compare import NOW
from rootcause_app.pages.laboratory_panes import drawn, one_or_two, which, working
from rootcause_app.settings import examples
from rootcause_app.theme import palette

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rootcause import Model
    from rootcause_app.theme import Palette

PANES: Final[Mapping[str, Callable[[Question, Palette], None]]] = {
    "Which numbers": which.draw,
    "One or two numbers": one_or_two.draw,
    "Intervals and ranks": drawn.intervals,
    "Shares of the spread": drawn.shares,
    "Structure": drawn.structure,
    "What to measure": drawn.value,
}

_CASE_KEY: Final = "laboratory_case"
_CAUSE_KEY: Final = "laboratory_cause"
_PANE_KEY: Final = "laboratory_pane"
_ABOUT_KEY: Final = "laboratory_about"


def page() -> None:
    """Draw the page."""
    frame.head("Which number the answer hangs on, and whether the leading cause would change inside its range")
    opening.first_case()
    with st.container(key="toolbar"):
        case, cause, rates = st.columns([4, 4, 3], vertical_alignment="bottom")
        with rates:
            model = frame.rate_switch()
        with case:
            findings = _case()
        try:
            with cause:
                asked = _question(model, findings)
        except InvalidInputError as refusal:
            working.drop_all_but(None)
            _refused(model, refusal)
            asked = None
    if asked is not None:
        working.drop_all_but(asked)
        _pane(asked)
    frame.foot(model)


def _case() -> Mapping[str, object]:
    """The Explorer's case, a moment that was kept, or an example."""
    shipped = {example.title: example.findings for example in examples().values()}
    cases: dict[str, Mapping[str, object]] = {NOW: dict(findings_form.current_case()), **snapshots.kept(), **shipped}
    chosen = st.selectbox("Case", list(cases), key=_CASE_KEY, persist_state="session", filter_mode=None)
    return cases[chosen or NOW]


def _question(model: Model, findings: Mapping[str, object]) -> Question:
    """Let the reader choose the cause, the most probable first; those that the findings rule out are left out."""
    answer = answers.point_answer(findings, model.rates)
    ranked = [name for name in answer.ranking if name in answer.posterior]
    open_ = [name for name in ranked if answer.posterior[name].mean > 0] or ranked
    shown = {name: f"{labels.cause(name)} · {numbers.percent(answer.posterior[name].mean)}" for name in open_}
    case = labels.token(dict(findings))
    if st.session_state.get(_ABOUT_KEY, case) != case:  # another patient: begin with what leads there
        st.session_state[_CAUSE_KEY] = open_[0]
    st.session_state[_ABOUT_KEY] = case
    cause = st.selectbox(
        "Cause",
        open_,
        format_func=lambda name: shown.get(name, name),
        key=_CAUSE_KEY,
        persist_state="session",
        filter_mode=None,
    )
    cause = cause or open_[0]
    return Question(model, dict(findings), cause, next(name for name in ranked if name != cause))


def _pane(asked: Question) -> None:
    with st.container(key="pane"):
        pane = st.segmented_control(
            "Pane",
            list(PANES),
            default=next(iter(PANES)),
            required=True,
            key=_PANE_KEY,
            label_visibility="collapsed",
            persist_state="session",
        )
    try:
        PANES[pane or next(iter(PANES))](asked, palette(st.context.theme.type))
    except InvalidInputError as refusal:
        _refused(asked.model, refusal)


def _refused(model: Model, refusal: InvalidInputError) -> None:
    clashing = refusal.findings if isinstance(refusal, ImpossibleEvidenceError) else ()
    names = [labels.clash(model, finding) for finding in clashing]
    st.html(notices.refusal_html("There is no answer for these findings.", labels.sentence(model, str(refusal)), names))
