"""Numbers and sources: every parameter of the model, with what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.components import provenance
from rootcause_app.pages import frame

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.priors import Parameter

PER_PAGE: Final = 25


def page() -> None:
    """Draw the page."""
    frame.head("Every number of the model, with its range, its basis and its sources")
    with st.container(key="toolbar"):
        words, basis, rates = st.columns([5, 5, 3], vertical_alignment="bottom")
    with words:
        text = st.text_input("Words to look for", key="words", placeholder="hematoma MRI", persist_state="session")
    with basis:
        bases = st.multiselect("Basis", list(provenance.BASES), key="bases", placeholder="All", persist_state="session")
    with rates:
        model = frame.rate_switch()
    _explanation()
    found = provenance.matching(model.priors.parameters.values(), text, bases)
    published, assumed = provenance.split_by_basis(found)
    footing, judged = st.tabs([f"Cited, derived or fitted ({len(published)})", f"Assumed ({len(assumed)})"])
    with footing:
        _listing(model, published, "published")
    with judged:
        told = "No published number was found for these: each is a judgement, drawn with a dashed edge."
        st.html(f'<p class="rc-hint">{told}</p>')
        _listing(model, assumed, "assumed")
    frame.foot(model)


def _explanation() -> None:
    with st.expander("How to read a number"):
        st.markdown("\n".join(f"- **{basis}**: {words}" for basis, words in provenance.BASES.items()))
        st.markdown(
            "The range says how far the number may be off, and of what kind it is: across techniques, across studies, "
            "a 95 % confidence interval, or a judgement. All ranges together make the 90 % interval of an answer."
        )


def _listing(model: Model, parameters: list[Parameter], name: str) -> None:
    if not parameters:
        st.info("No number matches.")
        return
    pages = -(-len(parameters) // PER_PAGE)
    number = 1
    if pages > 1:
        number = st.selectbox(
            "Part",
            range(1, pages + 1),
            key=f"part.{name}.{pages}",
            format_func=lambda part: f"{(part - 1) * PER_PAGE + 1} to {min(part * PER_PAGE, len(parameters))}",
            filter_mode=None,
            width=200,
        )
    st.html(provenance.table_html(model, parameters[(number - 1) * PER_PAGE : number * PER_PAGE]))
