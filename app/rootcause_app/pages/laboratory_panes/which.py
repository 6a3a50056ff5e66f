"""Which numbers the answer hangs on: the verdict on the lead, the tornado, the slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app import laboratory_answers as laboratory
from rootcause_app.components import figures, labels
from rootcause_app.pages.laboratory_panes import verdict
from rootcause_app.pages.laboratory_panes.showing import call_of, picture, show, show_table

if TYPE_CHECKING:
    from rootcause_app.laboratory_answers import Question
    from rootcause_app.theme import Palette

_CLOSEST: Final = 25  # numbers outside of whose range a rival would lead, listed from the nearest
_SEEN: Final = "laboratory_verdict"


def draw(asked: Question, palette: Palette) -> None:
    """Draw the pane: the verdict, where it comes from, then how far each number moves the cause."""
    bars, model = laboratory.tornado(asked), asked.model
    if not bars.bars:
        st.html('<p class="rc-hint">No number moves this cause: with these findings it is settled.</p>')
        return
    call = call_of(asked, "tornado")
    lead, first = st.empty(), st.empty()
    question = labels.token([model.digest, dict(asked.findings), asked.cause])
    if st.session_state.get(_SEEN) != question:
        # The verdict takes longer than the bars: they stand there while it is worked out.
        lead.html(verdict.pending_html())
        with first.container():
            picture(figures.tornado(bars, model, palette, call))
    found = laboratory.stability(asked)
    lead.html(verdict.verdict_html(model, found))
    with first.container():
        show(figures.tornado(bars, model, palette, call, laboratory.swaps(asked)))
    st.session_state[_SEEN] = question
    show(figures.derivatives(laboratory.derivatives(asked), model, palette, call_of(asked, "derivatives")))
    if rows := verdict.rows(model, found, _CLOSEST):
        st.header("Where another cause would take the lead", anchor=False)
        show_table("Every number that could bring it about", rows, "rootcause-stability", call_of(asked, "stability"))
