"""What every page shares: the title, the disclaimer, the rate switch and the foot."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.components import labels, notices, styles
from rootcause_app.settings import RATES, current_model, default_rates

if TYPE_CHECKING:
    from rootcause import Model

_RATES_KEY: Final = "rates"


def head(subtitle: str) -> None:
    """The title with the disclaimer below it, first on every page."""
    st.html(styles.style_html(st.context.theme.type))
    st.html(
        f'<header class="rc-title"><h1>Rootcause</h1><p>{escape(subtitle)}</p></header>'
        f"{notices.disclaimer_html(current_model().rulebook.disclaimer)}"
    )


def rate_switch() -> Model:
    """Let the reader choose the rate set, for all pages at once, and return its model."""
    if _RATES_KEY not in st.session_state:
        st.session_state[_RATES_KEY] = default_rates()
    rates = st.selectbox(
        "Base rates",
        RATES,
        key=_RATES_KEY,
        format_func=lambda name: labels.RATES[name],
        help="The ranges of the seed documents where they give one, or the better evidence of the literature.",
        persist_state="session",
        filter_mode=None,
    )
    return current_model(rates)


def chosen_model() -> Model:
    """The model of the rate set that was chosen, before the switch is drawn."""
    return current_model(st.session_state.get(_RATES_KEY, default_rates()))


def foot(model: Model) -> None:
    """Which model and which numbers the page was drawn from."""
    st.html(notices.provenance_html(model))
