"""The causes: the differential with its intervals, warnings where it does not fit, and what is usually done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app import answers
from rootcause_app.components import bars, care_view, labels, notices, provenance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from rootcause import Model
    from rootcause.diagnosis import Answer

NONE_EXPLAINED: Final = (
    "The probability that no cause of this list is present: the findings then come from outside the model (cord, "
    "plexus, circulation, polyneuropathy, a functional disorder), or there is nothing to explain. It has no prior of "
    "its own to compare with; it is what all causes together leave."
)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the second pass draws: the warnings, each bar by its cause, and the care."""

    warnings: DeltaGenerator
    bars: Mapping[str, DeltaGenerator]
    care: DeltaGenerator


def draw(model: Model, answer: Answer, findings: Mapping[str, object]) -> None:
    """Draw the pane: the point answer at once, then intervals and warnings when they are ready."""
    places = _first_pass(model, answer, findings)

    def still_wanted() -> None:
        # Any call to Streamlit ends a run that a newer click has overtaken.
        first = bars.differential(answer)[0]
        places.bars[first.cause].html(bars.row_html(first, pending=True))

    full = answers.interval_answer(findings, model.rates, still_wanted)
    for bar in bars.differential(full):
        places.bars[bar.cause].html(bars.row_html(bar))
    places.care.html(_care(model, full))
    if warnings := answers.fit(findings, model.rates).warnings:
        places.warnings.html(notices.warnings_html(warnings))


def _first_pass(model: Model, answer: Answer, findings: Mapping[str, object]) -> _Places:
    st.html(notices.frequencies_html(answer))
    warnings = st.empty()
    drawn: dict[str, DeltaGenerator] = {}
    with st.container(key="differential"):
        st.html('<p class="rc-hint">Choose a cause to see the numbers behind it.</p>')
        st.html(bars.legend_html(tick="prior given a complaint", change="points"))
        for bar in bars.differential(answer):
            with st.container(key=f"bar-{bar.cause}", horizontal=True, vertical_alignment="center"):
                _name(model, answer, bar.cause, findings)
                drawn[bar.cause] = st.empty()
                drawn[bar.cause].html(bars.row_html(bar, pending=bar.low is None))
    st.header("What to do", anchor=False)
    st.html(notices.actions_html(model, answer))
    care = st.empty()
    care.html(_care(model, answer))
    return _Places(warnings, drawn, care)


def _care(model: Model, answer: Answer) -> str:
    hint = "By cause, for those that may be present; never a single order, always with its basis."
    return f'<p class="rc-hint">{hint}</p>{care_view.care_html(model, answer.care)}'


def _name(model: Model, answer: Answer, cause: str, findings: Mapping[str, object]) -> None:
    """The name of a cause; a click shows the numbers behind it."""
    if st.button(labels.cause(cause), key=f"why-{cause}", type="tertiary"):
        show = st.dialog(f"Numbers behind: {labels.cause(cause)}", width="large")(_numbers_behind)
        show(model, answer, cause, tuple(findings))


def _numbers_behind(model: Model, answer: Answer, cause: str, findings: tuple[str, ...]) -> None:
    """Every number between a cause and the findings entered; those that were assumed stand apart."""
    if cause == labels.NONE_ID:
        st.markdown(NONE_EXPLAINED)
        return
    if note := model.vocabulary.causes[cause].note:
        st.markdown(note)
    st.html(provenance.way_html(answer.posterior[cause]))
    for section in provenance.sections(model, cause, findings):
        st.html(provenance.section_html(model, section))
