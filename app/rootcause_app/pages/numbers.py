"""Numbers and sources: every parameter of the model, what it rests on, and how much an answer hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause_app import answers
from rootcause_app.components import findings_form, influence_view, labels, notices, provenance
from rootcause_app.pages import frame, opening

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.priors import Parameter
    from rootcause_app.components.influence_view import Influence

PER_PAGE: Final = 25
IN_ORDER: Final = "as in the files"
MOST_FIRST: Final = "what moves the answer most, first"


def page() -> None:
    """Draw the page."""
    frame.head("Every number of the model, with its range, its basis and its sources")
    opening.first_case()
    with st.container(key="toolbar"):
        words, basis, rates = st.columns([5, 5, 3], vertical_alignment="bottom")
    with words:
        text = st.text_input("Words to look for", key="words", placeholder="hematoma MRI", persist_state="session")
    with basis:
        bases = st.multiselect("Basis", list(provenance.BASES), key="bases", placeholder="All", persist_state="session")
    with rates:
        model = frame.rate_switch()
    influence, order, moving = _influence(model)
    _explanation(influence)
    found = provenance.matching(model.priors.parameters.values(), text, bases)
    if influence is not None and moving:
        found = influence_view.those_that_count(found, influence)
    if influence is not None and order == MOST_FIRST:
        found = influence_view.by_influence(found, influence)
    published, assumed = provenance.split_by_basis(found)
    footing, judged = st.tabs([f"Cited, derived or fitted ({len(published)})", f"Assumed ({len(assumed)})"])
    with footing:
        _listing(model, published, "published", influence)
    with judged:
        told = "No published number was found for these: each is a judgement, drawn with a dashed edge."
        st.html(f'<p class="rc-hint">{told}</p>')
        _listing(model, assumed, "assumed", influence)
    frame.foot(model)


def _influence(model: Model) -> tuple[Influence | None, str, bool]:
    """Let the reader choose the cause, the order and what to leave out; the case is the one in the Explorer."""
    findings = dict(findings_form.current_case())
    try:
        ranking = answers.point_answer(findings, model.rates).ranking
    except InvalidInputError as refusal:
        title = "There is no answer for the findings in the Explorer, so nothing hangs on these numbers."
        st.html(notices.refusal_html(title, labels.sentence(model, str(refusal))))
        _download(model, None)
        return None, IN_ORDER, False
    causes = [cause for cause in ranking if cause != labels.NONE_ID]
    with st.container(key="influence"):
        which, order, only, take = st.columns([4, 4, 4, 2], vertical_alignment="bottom")
    with which:
        cause = st.selectbox(
            "How much hangs on each: probability of",
            causes,
            format_func=labels.cause,
            key="influence_cause",
            persist_state="session",
            filter_mode=None,
            help="For the case in the Explorer. The most probable cause stands first.",
        )
    with order:
        chosen = st.selectbox(
            "Order", (IN_ORDER, MOST_FIRST), key="influence_order", persist_state="session", filter_mode=None
        )
    with only:
        moving = st.toggle("Only those that move it", key="influence_only", persist_state="session")
    influence = _influence_on(findings, model, cause)
    with take:
        _download(model, influence)
    return influence, chosen, moving


def _influence_on(findings: Mapping[str, object], model: Model, cause: str) -> Influence:
    def work(case: dict[str, Any]) -> Influence:
        from rootcause.sensitivity.tornado import tornado

        return influence_view.influence_of(tornado(model, parse_case(case), cause))

    return answers.kept(f"influence {cause}", findings, model.rates, work)


def _download(model: Model, influence: Influence | None) -> None:
    st.download_button(
        "All as CSV",
        lambda: influence_view.to_csv(model, influence),
        file_name=f"rootcause-numbers-{model.rates}-{model.digest[:12]}.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        help="Every number with all that is known of it, and how far it moves the answer, in full precision.",
    )


def _explanation(influence: Influence | None) -> None:
    with st.expander("How to read a number"):
        st.markdown("\n".join(f"- **{basis}**: {words}" for basis, words in provenance.BASES.items()))
        st.markdown(
            "The range says how far the number may be off, and of what kind it is: across techniques, across studies, "
            "a 95 % confidence interval, or a judgement. All ranges together make the 90 % interval of an answer."
        )
        if influence is not None:
            st.markdown(
                "The last column moves each number over its range, the others staying at their points, and says how "
                f"far the probability of {labels.cause(influence.cause)} in the Explorer's case goes, in percentage "
                "points. Shares of one whole move together. A number that cannot reach the answer says so."
            )


def _listing(model: Model, parameters: list[Parameter], name: str, influence: Influence | None) -> None:
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
    st.html(provenance.table_html(model, parameters[(number - 1) * PER_PAGE : number * PER_PAGE], influence))
