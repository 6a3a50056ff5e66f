"""Step through a case: one finding at a time, the differential moving with each."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.answers import point_answer
from rootcause_app.components import bars, notices, steps
from rootcause_app.pages import frame
from rootcause_app.settings import examples
from rootcause_app.theme import palette

if TYPE_CHECKING:
    from rootcause import ExampleCase, Model
    from rootcause.diagnosis import Answer

_CASE_KEY: Final = "step_case"
_STEP_KEY: Final = "step"


def page() -> None:
    """Draw the page."""
    frame.head("Step through a case: one finding at a time, and what each is worth")
    with st.container(key="toolbar"):
        choose, rates = st.columns([5, 2], vertical_alignment="bottom")
    with choose:
        case = _choose()
    with rates:
        model = frame.rate_switch()
    _story(case)
    last = len(case.findings)
    at = _controls(last)
    told = steps.unfold(model, case, at, lambda findings: point_answer(findings, model.rates))
    left, right = st.columns(2, gap="large")
    with left:
        _finding(model, told[-1])
        _bars(told)
    with right:
        _lines(told, point_answer(case.findings, model.rates), last)
    frame.foot(model)


def _choose() -> ExampleCase:
    shipped = examples()
    chosen = st.selectbox(
        "Case",
        list(shipped),
        key=_CASE_KEY,
        format_func=lambda name: shipped[name].title,
        on_change=lambda: st.session_state.update({_STEP_KEY: 0}),
        persist_state="session",
        filter_mode=None,
    )
    return shipped[chosen]


def _story(case: ExampleCase) -> None:
    if case.invented:
        st.html('<p class="rc-invented">Invented case: no such patient; made to teach.</p>')
    st.markdown(case.story)


def _controls(last: int) -> int:
    """Previous, Next, and a slider: three ways to the same step."""
    st.session_state.setdefault(_STEP_KEY, 0)
    at = int(st.session_state[_STEP_KEY])
    buttons, where = st.columns([4, 8], vertical_alignment="bottom", gap="medium")
    with buttons:
        back, forward = st.columns(2, wrap=False)
    with back:
        st.button("Previous", on_click=_move, args=(-1, last), disabled=at <= 0, width="stretch")
    with forward:
        st.button("Next", on_click=_move, args=(1, last), disabled=at >= last, width="stretch", type="primary")
    with where:
        st.slider("Findings entered", 0, last, key=_STEP_KEY, persist_state="session")
    return int(st.session_state[_STEP_KEY])


def _move(by: int, last: int) -> None:
    st.session_state[_STEP_KEY] = min(max(st.session_state[_STEP_KEY] + by, 0), last)


def _finding(model: Model, step: steps.Step) -> None:
    st.html(
        f'<div class="rc-teaching" role="status"><strong>{escape(step.title)}</strong>{escape(step.teaching)}</div>'
    )
    st.html(notices.urgency_html(model, step.answer.urgency, step.answer.red_flags))


def _bars(told: list[steps.Step]) -> None:
    before = told[-2].answer if len(told) > 1 else None
    tick = "step before" if before else "prior given a complaint"
    st.header("The differential after this step", anchor=False)
    st.html(
        f'<div class="rc-no-interval">{bars.legend_html(tick=tick, change="points", interval=False)}</div>'
        f"{bars.list_html(bars.differential(told[-1].answer, before), tick)}"
    )


def _lines(told: list[steps.Step], final: Answer, last: int) -> None:
    st.header("The leading causes, step by step", anchor=False)
    lines = steps.leading_lines(told, final)
    st.altair_chart(
        steps.lines_chart(lines, last, palette(st.context.theme.type)),
        width="stretch",
        theme=None,
        alt=steps.description(lines),
    )
    st.html(steps.table_html(told))
