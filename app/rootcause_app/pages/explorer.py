"""The Explorer: what was found on the left, what it means on the right, in panes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause.case import parse_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app.answers import point_answer
from rootcause_app.components import cases, findings_form, labels, links, notices
from rootcause_app.pages import frame, opening, printing
from rootcause_app.pages.panes import causes, evidence, following, waiting
from rootcause_app.settings import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.diagnosis import Answer

_PASTED_KEY: Final = "pasted"
_UPLOADED_KEY: Final = "uploaded"
_PANE_KEY: Final = "pane"

PANES: Final = ("Causes", "Next to examine", "Must not wait", "Evidence so far")


def page() -> None:
    """Draw the page."""
    frame.head("What remains after lumbar surgery with a new or lasting leg deficit, and how sure that is")
    opening.first_case()
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


def _toolbar() -> Model:
    """The switch of rates, the examples, a clean sheet, and a case in or out as a file."""
    shipped = examples()
    example, rates, files = st.columns([5, 3, 5], vertical_alignment="bottom")
    with files:
        clear, file, print_ = st.columns(3, wrap=False)
    with example:
        st.selectbox(
            "Example case",
            list(shipped),
            key=opening.CHOSEN_KEY,
            index=None,
            placeholder="Your own case",
            format_func=lambda name: shipped[name].title,
            on_change=lambda: opening.load_example(st.session_state[opening.CHOSEN_KEY]),
            persist_state="session",
            filter_mode=None,
        )
    with rates:
        model = frame.rate_switch()
    with clear:
        st.button("Clear all", on_click=opening.load_example, args=(None,), width="stretch")
    with file, st.popover("Case file", width="stretch"):
        _case_file(model)
    with print_, st.popover("Report", width="stretch"):
        printing.offer(model, findings_form.current_case())
    for note in st.session_state.get(opening.NOTED_KEY, ()):
        st.info(labels.sentence(model, note))
    if refused := st.session_state.get(opening.REFUSED_KEY):
        st.html(notices.refusal_html("The case was not loaded.", labels.sentence(model, refused)))
    return model


def _case_file(model: Model) -> None:
    findings = dict(findings_form.current_case())
    st.download_button(
        "Download this case",
        lambda: cases.to_json(findings, model),
        file_name="case.json",
        mime="application/json",
        on_click="ignore",
        width="stretch",
    )
    st.file_uploader("Open a case (JSON or TOML)", type=["json", "toml"], key=_UPLOADED_KEY)
    st.text_area("or paste one", key=_PASTED_KEY, height=120, placeholder='{"findings": {"procedure": "fusion"}}')
    st.button("Load the case", on_click=_load_text, args=(model,), type="primary", width="stretch")
    st.html('<p class="rc-hint">A case stays in this server\'s memory; nothing is written to disk.</p>')
    with st.expander("A link to this case"):
        st.html(f'<p class="rc-hint">{links.WARNING}</p>')
        address = f"{(st.context.url or '').partition('?')[0]}?{links.PARAMETER}={links.encode(findings)}"
        st.code(address, language=None, wrap_lines=True)


def _load_text(model: Model) -> None:
    uploaded = st.session_state.get(_UPLOADED_KEY)
    pasted: str = st.session_state.get(_PASTED_KEY) or ""
    try:
        text = pasted if uploaded is None else uploaded.getvalue().decode("utf-8")
        opened = cases.opened(text, model)
        model.diagnose(opened.case, intervals=False)
    except UnicodeDecodeError:
        st.session_state[opening.REFUSED_KEY] = "The file is not text in UTF-8."
    except InvalidInputError as refusal:
        st.session_state[opening.REFUSED_KEY] = str(refusal)
    else:
        opening.load(opened)


def _answer(model: Model) -> None:
    findings = dict(findings_form.current_case())
    st.header("Answer", anchor="answer")
    try:
        answer = point_answer(findings, model.rates)
    except InvalidInputError as refusal:
        _refusal(model, refusal, findings)
        return
    st.html(notices.urgency_html(model, answer.urgency, answer.red_flags))
    if answer.conflict_sentence:
        st.warning(answer.conflict_sentence)
    with st.container(key="summary"):
        st.html(notices.summary_html(answer))
    _panes(model, answer, findings)


@st.fragment
def _panes(model: Model, answer: Answer, findings: Mapping[str, object]) -> None:
    """One pane at a time: a change of pane draws that pane alone, and only what it shows is worked out."""
    pane = st.segmented_control(
        "Pane",
        PANES,
        default=PANES[0],
        required=True,
        key=_PANE_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    if pane == "Next to examine":
        following.draw(model, answer, findings)
    elif pane == "Must not wait":
        waiting.draw(model, answer, findings)
    elif pane == "Evidence so far":
        evidence.draw(model, answer, findings)
    else:
        causes.draw(model, answer, findings)


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
