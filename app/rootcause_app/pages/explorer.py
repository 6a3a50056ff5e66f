"""The Explorer: what was found on the left, what it means on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.case import parse_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app.answers import interval_answer, point_answer
from rootcause_app.components import bars, cases, findings_form, labels, notices, provenance
from rootcause_app.pages import frame
from rootcause_app.settings import OPENING_CASE, examples

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
_CHOSEN_KEY: Final = "example"
_PASTED_KEY: Final = "pasted"
_UPLOADED_KEY: Final = "uploaded"
_REFUSED_KEY: Final = "refused"


def page() -> None:
    """Draw the page."""
    frame.head("What remains after lumbar surgery with a new or lasting leg deficit, and how sure that is")
    _open_first_case()
    with st.container(key="toolbar"):
        model = _toolbar()
    left, right = st.columns(2, gap="medium")
    with left:
        st.header("Findings", anchor=False)
        st.html('<p class="rc-hint">A dash means not examined; only what you enter counts.</p>')
        findings_form.form(model)
    with right, st.container(key="answer"):
        _answer(model)
        frame.foot(model)


def _open_first_case() -> None:
    if findings_form.CASE_KEY not in st.session_state:
        _load_example(OPENING_CASE)


def _load_example(case_id: str | None) -> None:
    found = examples().get(case_id or "")
    findings_form.load(found.findings if found else {})
    st.session_state[_CHOSEN_KEY] = found.id if found else None
    st.session_state.pop(_REFUSED_KEY, None)


def _toolbar() -> Model:
    """The switch of rates, the examples, a clean sheet, and a case in or out as a file."""
    shipped = examples()
    example, rates, files = st.columns([5, 3, 4], vertical_alignment="bottom")
    with files:
        clear, file = st.columns(2, wrap=False)
    with example:
        st.selectbox(
            "Example case",
            list(shipped),
            key=_CHOSEN_KEY,
            index=None,
            placeholder="Your own case",
            format_func=lambda name: shipped[name].title,
            on_change=lambda: _load_example(st.session_state[_CHOSEN_KEY]),
            persist_state="session",
            filter_mode=None,
        )
    with rates:
        model = frame.rate_switch()
    with clear:
        st.button("Clear all", on_click=_load_example, args=(None,), width="stretch")
    with file, st.popover("Case file", width="stretch"):
        _case_file(model)
    if refused := st.session_state.get(_REFUSED_KEY):
        st.html(notices.refusal_html("The case was not loaded.", labels.sentence(model, refused)))
    return model


def _case_file(model: Model) -> None:
    st.download_button(
        "Download this case",
        cases.to_json(findings_form.current_case()),
        file_name="case.json",
        mime="application/json",
        on_click="ignore",
        width="stretch",
    )
    st.file_uploader("Open a case (JSON or TOML)", type=["json", "toml"], key=_UPLOADED_KEY)
    st.text_area("or paste one", key=_PASTED_KEY, height=120, placeholder='{"findings": {"procedure": "fusion"}}')
    st.button("Load the case", on_click=_load_text, args=(model,), type="primary", width="stretch")
    st.html('<p class="rc-hint">A case stays in this server\'s memory; nothing is written to disk.</p>')


def _load_text(model: Model) -> None:
    uploaded = st.session_state.get(_UPLOADED_KEY)
    pasted: str = st.session_state.get(_PASTED_KEY) or ""
    try:
        text = pasted if uploaded is None else uploaded.getvalue().decode("utf-8")
        findings = cases.from_text(text, model)
    except UnicodeDecodeError:
        st.session_state[_REFUSED_KEY] = "The file is not text in UTF-8."
    except InvalidInputError as refusal:
        st.session_state[_REFUSED_KEY] = str(refusal)
    else:
        findings_form.load(findings)
        st.session_state[_CHOSEN_KEY] = None
        st.session_state.pop(_REFUSED_KEY, None)


def _answer(model: Model) -> None:
    findings = dict(findings_form.current_case())
    st.header("Answer", anchor="answer")
    try:
        answer = point_answer(findings, model.rates)
    except InvalidInputError as refusal:
        _refusal(model, refusal, findings)
        return
    _opening(model, answer)
    places = _differential(model, answer, findings)
    st.header("What to do next", anchor=False)
    st.html(notices.actions_html(model, answer))
    with st.container(key="summary"):
        st.html(notices.summary_html(answer))
    _add_intervals(answer, findings, model.rates, places)


def _refusal(model: Model, refusal: InvalidInputError, findings: Mapping[str, object]) -> None:
    """One sentence, the findings by name, and everything that was entered left as it is."""
    clashing: tuple[str, ...] = ()
    if isinstance(refusal, ImpossibleEvidenceError):
        clashing = refusal.findings
        # The rules stand apart from the probabilities: a red flag is shown though there is no posterior to show.
        flags = model.rulebook.red_flags(parse_case(findings))
        if flags:
            st.html(notices.urgency_html(model, model.rulebook.urgency_of(flags), flags))
    names = [labels.clash(model, finding) for finding in clashing]
    st.html(notices.refusal_html("There is no answer for these findings.", labels.sentence(model, str(refusal)), names))
    with st.container(key="summary"):
        st.html(notices.summary_refused_html())


def _opening(model: Model, answer: Answer) -> None:
    st.html(notices.urgency_html(model, answer.urgency, answer.red_flags))
    st.html(notices.frequencies_html(answer))
    if answer.conflict.suspect:
        suspect = labels.finding_name(model, answer.conflict.suspect)
        st.warning(f"These findings rarely occur together. The one that fits least: **{suspect}**.")


def _differential(model: Model, answer: Answer, findings: Mapping[str, object]) -> dict[str, DeltaGenerator]:
    """Draw the bars at the point answer and return where each one stands, so that its interval can follow."""
    places: dict[str, DeltaGenerator] = {}
    with st.container(key="differential"):
        st.html('<p class="rc-hint">Choose a cause to see the numbers behind it.</p>')
        st.html(bars.legend_html(tick="prior given a complaint", change="points"))
        for bar in bars.differential(answer):
            with st.container(key=f"bar-{bar.cause}", horizontal=True, vertical_alignment="center"):
                _name(model, answer, bar.cause, findings)
                places[bar.cause] = st.empty()
                places[bar.cause].html(bars.row_html(bar, pending=bar.low is None))
    return places


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


def _add_intervals(
    answer: Answer, findings: Mapping[str, object], rates: str, places: Mapping[str, DeltaGenerator]
) -> None:
    """The second pass: when the draws are ready, each bar gets its whisker in place."""
    first = bars.differential(answer)[0]

    def still_wanted() -> None:
        # Any call to Streamlit ends a run that a newer click has overtaken.
        places[first.cause].html(bars.row_html(first, pending=True))

    for bar in bars.differential(interval_answer(findings, rates, still_wanted)):
        places[bar.cause].html(bars.row_html(bar))
