"""The network drawn: causes, lesions and findings with their probabilities; a click puts one in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause.nodes import LESIONS, label_of
from rootcause_app import answers
from rootcause_app.components import findings_form, labels, network_view, notices
from rootcause_app.pages import frame, opening
from rootcause_app.theme import palette

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.nodes import NetworkView

_FOCUS_KEY: Final = "focus"


def page() -> None:
    """Draw the page: the case that stands in the Explorer."""
    frame.head("The network of the case in the Explorer: causes, lesions and findings, and what hangs on what")
    opening.first_case()
    findings = dict(findings_form.current_case())
    with st.container(key="toolbar"):
        choose, whole, rates = st.columns([5, 2, 3], vertical_alignment="bottom")
        with rates:
            model = frame.rate_switch()
        with choose:
            focus = _choose(model)
        with whole:
            st.button("Whole network", on_click=_forget, disabled=focus is None, width="stretch")
    try:
        view = answers.network(findings, model.rates, focus)
    except InvalidInputError as refusal:
        st.html(notices.refusal_html("There is no answer for these findings.", labels.sentence(model, str(refusal))))
    else:
        _drawn(view, focus)
    frame.foot(model)


def _choose(model: Model) -> str | None:
    return st.selectbox(
        "In the middle",
        [*model.vocabulary.causes, *LESIONS, *model.vocabulary.findings],
        index=None,
        format_func=label_of,
        key=_FOCUS_KEY,
        placeholder="Choose a node here, or click one in the drawing",
        persist_state="session",
    )


def _drawn(view: NetworkView, focus: str | None) -> None:
    st.html(network_view.legend_html())
    with st.container(key="network-drawing"):
        # The key holds the focus: a chart that is drawn anew has nothing selected, so any box can be clicked again.
        st.altair_chart(
            network_view.chart(view, palette(st.context.theme.type)),
            key=_chart_key(focus),
            on_select=_clicked,
            selection_mode=network_view.SELECTION,
            theme=None,
            width="content",
            alt=network_view.description(view),
        )
    with st.expander("The same as a table"):
        st.html(network_view.table_html(view))


def _chart_key(focus: str | None) -> str:
    return f"network-{focus}"


def _clicked() -> None:
    found = network_view.focused(st.session_state[_chart_key(st.session_state.get(_FOCUS_KEY))])
    if found is not None:
        st.session_state[_FOCUS_KEY] = found


def _forget() -> None:
    st.session_state[_FOCUS_KEY] = None
