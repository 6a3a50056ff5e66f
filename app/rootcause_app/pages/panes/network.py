"""The network drawn: causes, lesions and findings with their probabilities; a click puts one in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.nodes import LESIONS, label_of
from rootcause_app import answers
from rootcause_app.components import network_view
from rootcause_app.theme import palette

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model

_FOCUS_KEY: Final = "focus"


def draw(model: Model, findings: Mapping[str, object]) -> None:
    """Draw the pane."""
    choose, whole = st.columns([3, 1], vertical_alignment="bottom")
    with choose:
        focus = st.selectbox(
            "In the middle",
            [*model.vocabulary.causes, *LESIONS, *model.vocabulary.findings],
            index=None,
            format_func=label_of,
            key=_FOCUS_KEY,
            placeholder="Choose a node here, or click one in the drawing",
            persist_state="session",
        )
    with whole:
        st.button("Whole network", on_click=_forget, disabled=focus is None, width="stretch")
    view = answers.network(findings, model.rates, focus)
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
