"""Switch sources: the same case with other published numbers, and what that does to every posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from rootcause.alternatives import FOLLOWS, alternatives, only, ordered, switch, switch_all
from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause_app import answers
from rootcause_app.components import alternatives_view, findings_form, labels, notices
from rootcause_app.pages import frame, opening

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rootcause import Model
    from rootcause.alternatives import Alternative, Switched

KINDS: Final = {"rates": "A rate set", "technique": "One technique", "study": "One study"}
_KIND_KEY: Final = "switch_kind"


def page() -> None:
    """Draw the page: the case that stands in the Explorer."""
    frame.head("The case in the Explorer with other published numbers: what would they change?")
    opening.first_case()
    findings = dict(findings_form.current_case())
    with st.container(key="toolbar"):
        kinds, rates = st.columns([8, 3], vertical_alignment="bottom")
        with rates:
            model = frame.rate_switch()
        with kinds:
            kind = st.segmented_control(
                "Take instead the numbers of",
                list(KINDS),
                key=_KIND_KEY,
                default=next(iter(KINDS)),
                required=True,
                format_func=KINDS.__getitem__,
                persist_state="session",
            )
    every: Sequence[Alternative] = _found(model.digest, model)
    try:
        switched = _answers(findings, model, [item for item in every if item.changes or item.kind != "study"])
    except InvalidInputError as refusal:
        st.html(notices.refusal_html("There is no answer for these findings.", labels.sentence(model, str(refusal))))
    else:
        _one(model, findings, switched, str(kind))
        if kind == "study":
            _without(model, every)
        _all(model, switched)
    frame.foot(model)


@st.cache_resource(max_entries=8, show_spinner=False)
def _found(digest: str, _model: Model) -> Sequence[Alternative]:
    """Read the records once for each set of numbers."""
    del digest
    return alternatives(_model)


def _answers(findings: Mapping[str, object], model: Model, every: Sequence[Alternative]) -> Sequence[Switched]:
    def work(case: dict[str, Any]) -> Sequence[Switched]:
        return switch_all(model, parse_case(case), every)

    return answers.kept("switch sources", findings, model.rates, work)


# ---- one alternative -------------------------------------------------------------------------------------------------


def _one(model: Model, findings: Mapping[str, object], switched: Sequence[Switched], kind: str) -> None:
    by_key = {item.alternative.key: item for item in switched if item.alternative.kind == kind}
    if not by_key:
        st.info("No study has a figure that could be taken.")
        return
    key = st.selectbox(
        KINDS[kind],
        list(by_key),
        index=_first(by_key),
        format_func=lambda own: alternatives_view.option(model, by_key[own].alternative),
        key=f"switch_{kind}_{model.rates}",
        persist_state="session",
        filter_mode=None if kind != "study" else "fuzzy",
    )
    chosen = _restricted(model, findings, by_key[str(key)])
    st.html(alternatives_view.verdict_html(chosen))
    left, right = st.columns([5, 6], gap="large")
    with left:
        st.header("The causes before and after", anchor=False)
        st.html(alternatives_view.posteriors_html(chosen))
    with right:
        st.header(f"Numbers that differ ({len(chosen.alternative.changes)})", anchor=False)
        st.html(alternatives_view.changes_html(model, chosen.alternative))
    if chosen.alternative.refused:
        count = len(chosen.alternative.refused)
        with st.expander(f"Cannot be switched: what else was noted of this study ({count})"):
            st.html(alternatives_view.refused_html(model, chosen.alternative.refused))


def _first(by_key: Mapping[str, Switched]) -> int:
    """Open with what differs from the numbers in force."""
    return next((place for place, item in enumerate(by_key.values()) if item.alternative.changes), 0)


def _restricted(model: Model, findings: Mapping[str, object], switched: Switched) -> Switched:
    """Let the reader leave out some of the figures of a study."""
    whole = switched.alternative
    ids = [change.id for change in whole.changes if change.text != FOLLOWS]
    if whole.kind != "study" or len(ids) < 2:  # noqa: PLR2004 - one figure is taken or the study is not
        return switched
    taken = st.multiselect(
        "Which of its figures to take",
        ids,
        default=ids,
        key=f"switch_taken_{whole.key}_{model.rates}",
        placeholder="None: the numbers of the model",
        persist_state="session",
    )
    if set(taken) == set(ids):
        return switched
    return switch(model, parse_case(dict(findings)), only(model, whole, taken))


def _without(model: Model, every: Sequence[Alternative]) -> None:
    """Keep within reach what was noted of studies that have no figure to take."""
    others = [item for item in every if item.kind == "study" and not item.changes and item.refused]
    refused = [item for own in others for item in own.refused]
    if refused:
        with st.expander(f"Cannot be switched: records of {len(others)} studies without a figure ({len(refused)})"):
            st.html(alternatives_view.refused_html(model, refused))


# ---- all of them -----------------------------------------------------------------------------------------------------


def _all(model: Model, switched: Sequence[Switched]) -> None:
    rows = ordered(switched)
    changed = [item for item in rows if item.leading[0] != item.leading[1]]
    inside = sum(item.alternative.standing == "inside" for item in changed)
    st.header("All of them at once", anchor=False)
    leader = labels.cause(switched[0].leading[0])
    told = (
        f"{len(changed)} of {len(rows)} alternatives would put another cause in place of {leader}, {inside} of them "
        "with numbers that all lie inside their ranges in the model: these stand first, and last those with figures "
        "that were set aside and lie outside. Every one is taken alone; choose one above to read all of it."
    )
    st.html(f'<p class="rc-hint">{told}</p>')
    st.html(alternatives_view.all_html(model, rows))
    st.download_button(
        "All as CSV",
        lambda: alternatives_view.to_csv(rows),
        file_name=f"rootcause-switched-sources-{model.rates}-{model.digest[:12]}.csv",
        mime="text/csv",
        on_click="ignore",
    )
