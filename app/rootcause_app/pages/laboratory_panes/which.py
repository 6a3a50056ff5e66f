"""Which numbers the answer hangs on: the verdict on the lead, the tornado, the slopes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app import laboratory_answers as laboratory
from rootcause_app.components import figures, labels
from rootcause_app.components.figures import influence, words
from rootcause_app.pages.laboratory_panes import verdict, working
from rootcause_app.pages.laboratory_panes.showing import call_of, picture, show, show_table

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.sensitivity.stability import RankStability
    from rootcause.sensitivity.tornado import Tornado
    from rootcause_app.laboratory_answers import Question
    from rootcause_app.theme import Palette

_CLOSEST: Final = 25  # numbers outside of whose range a rival would lead, listed from the nearest
_SEEN: Final = "laboratory_verdict"
_MORE: Final = 40  # bars that are drawn where more of them are asked for

ALL: Final = "All numbers"
SOURCED: Final = "Only with a source"


def draw(asked: Question, palette: Palette) -> None:
    """Draw the pane: the verdict, where it comes from, then how far each number moves the cause."""
    every, model = laboratory.tornado(asked), asked.model
    if not every.bars:
        st.html('<p class="rc-hint">No number moves this cause: with these findings it is settled.</p>')
        return
    lead = st.empty()
    bars, most, only = _chosen(every, model)
    first, among = st.empty(), "with a source" if only else ""
    call = call_of(asked, "tornado")
    question = labels.token([model.digest, dict(asked.findings), asked.cause])
    if st.session_state.get(_SEEN) != question:
        # The verdict takes longer than the bars: they stand there while it is worked out.
        lead.html(verdict.pending_html())
        with first.container():
            picture(figures.tornado(bars, model, palette, call, most=most, among=among))
    found = laboratory.stability(asked)
    lead.html(verdict.verdict_html(model, found))
    with first.container():
        show(figures.tornado(bars, model, palette, call, laboratory.swaps(asked), most, among))
    slopes, slopes_call = laboratory.derivatives(asked), call_of(asked, "derivatives")
    show(
        figures.derivatives(slopes, model, palette, slopes_call, lambda id_: _kept(model, id_, only=only), most, among)
    )
    _changes(asked, found, only=only)
    st.session_state[_SEEN] = question
    lead.html(verdict.verdict_html(model, found, working.firsts(asked)))


def _chosen(every: Tornado, model: Model) -> tuple[Tornado, int, bool]:
    """The bars that the reader wants to see, how many of them are drawn, and whether only those with a source are."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = st.segmented_control(
            "Numbers", [ALL, SOURCED], default=ALL, required=True, key="laboratory_basis", persist_state="session"
        )
        only = which == SOURCED
        kept = tuple(bar for bar in every.bars if _kept(model, bar.parameter, only=only))
        more = len(kept) > influence.SHOWN and st.toggle(
            f"Draw up to {min(_MORE, len(kept))} bars", key="laboratory_more", persist_state="session"
        )
    return replace(every, bars=kept), _MORE if more else influence.SHOWN, only


def _kept(model: Model, id_: str, *, only: bool) -> bool:
    return not only or words.published(model, id_) is not None


def _changes(asked: Question, found: RankStability, *, only: bool) -> None:
    """The numbers that could change the lead."""
    model = asked.model
    rows = verdict.rows(model, found, _CLOSEST, lambda id_: _kept(model, id_, only=only))
    if rows:
        st.header("Where another cause would take the lead", anchor=False)
        title = "Every number that could bring it about"
        show_table(title, rows, "rootcause-stability", call_of(asked, "stability"))
