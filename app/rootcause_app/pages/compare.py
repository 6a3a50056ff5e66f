"""Two moments of one patient, or two patients, side by side, and what each difference carries of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause_app import answers
from rootcause_app.components import compare_view, findings_form, labels, notices
from rootcause_app.pages import frame, opening, snapshots
from rootcause_app.settings import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model

NOW: Final = "The case in the Explorer"
_KEPT_AS: Final = "kept_as"


def page() -> None:
    """Draw the page."""
    frame.head("Two moments, or two patients, side by side, and what each difference carries")
    opening.first_case()
    cases = _cases()
    names = list(cases)
    with st.container(key="toolbar"):
        first, second, rates = st.columns([4, 4, 3], vertical_alignment="bottom")
        with first:
            before = _choose("First", names, len(names) - 1, "compare_first")
        with second:
            after = _choose("Second", names, 0, "compare_second")
        with rates:
            model = frame.rate_switch()
    _keep(cases[NOW])
    if before is None or after is None:
        return
    try:
        _drawn(model, (before, cases[before]), (after, cases[after]))
    except InvalidInputError as refusal:
        st.html(notices.refusal_html("These two cannot be compared.", labels.sentence(model, str(refusal))))
    frame.foot(model)


def _cases() -> dict[str, Mapping[str, object]]:
    """Everything that can be chosen, by name: the Explorer's case, moments that were kept, examples."""
    now = {NOW: dict(findings_form.current_case())}
    shipped = {example.title: example.findings for example in examples().values()}
    return now | snapshots.kept() | shipped


def _choose(label: str, names: list[str], index: int, key: str) -> str | None:
    return st.selectbox(label, names, index=index, key=key, persist_state="session", filter_mode=None)


def _keep(now: Mapping[str, object]) -> None:
    """Let the reader keep the Explorer's case under a name, before going on with it there."""
    with st.expander("Keep the Explorer's case as a moment"):
        st.text_input("Name", key=_KEPT_AS, placeholder="day 2, before the scan", max_chars=60)
        st.button("Keep it", on_click=_kept, args=(dict(now),))
        st.html(
            '<p class="rc-hint">Then change the findings in the Explorer and compare. Kept for this visit only.</p>'
        )


def _kept(now: Mapping[str, object]) -> None:
    name = str(st.session_state.get(_KEPT_AS) or "").strip() or f"Moment {len(snapshots.kept()) + 1}"
    snapshots.keep(name, now)


def _drawn(model: Model, first: tuple[str, Mapping[str, object]], second: tuple[str, Mapping[str, object]]) -> None:
    compared = answers.comparison(first[1], second[1], model.rates)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("The causes in both", anchor=False)
        st.html(compare_view.pairs_html(compared, first[0], second[0]))
    with right:
        st.header("What carries the change", anchor=False)
        ranked = sorted(compared.causes, key=lambda name: -compared.causes[name].after)
        cause = st.selectbox(
            "Cause", ranked, format_func=labels.cause, key="compare_cause", persist_state="session", filter_mode=None
        )
        st.html(compare_view.shares_html(answers.attribution(first[1], second[1], model.rates, cause)))
