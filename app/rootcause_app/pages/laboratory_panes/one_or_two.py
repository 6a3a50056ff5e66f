"""One number, or two at once: the posterior as their function, and where the lead would change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from rootcause.errors import InvalidInputError
from rootcause_app import laboratory_answers as laboratory
from rootcause_app.components import figures, labels, notices, numbers
from rootcause_app.components.figures import words
from rootcause_app.pages.laboratory_panes.showing import call_of, show

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause_app.laboratory_answers import Question
    from rootcause_app.theme import Palette


def draw(asked: Question, palette: Palette) -> None:
    """Draw the pane: the number that moves the answer most is chosen first."""
    ids = [bar.parameter for bar in laboratory.tornado(asked).bars]
    if not ids:
        st.html('<p class="rc-hint">No number moves this cause: with these findings it is settled.</p>')
        return
    first = _choose("Number, the most influential first", ids, asked.model, "laboratory_first")
    found = laboratory.tipping(asked, first)
    call = call_of(asked, "one-way", (first,))
    show(figures.function(found.function, found, asked.model, palette, call))
    others = [id_ for id_ in ids if id_ != first]
    if not others:
        return
    second = _choose("Second number", others, asked.model, "laboratory_second")
    try:
        both = laboratory.two_way(asked, first, second)
        rivals = laboratory.rivals(asked, first, second)
    except InvalidInputError as refusal:
        told = labels.sentence(asked.model, str(refusal))
        st.html(notices.refusal_html("These two cannot be moved together.", told))
        return
    call = call_of(asked, "two-way", (first, second))
    show(figures.two_way(both, asked.model, palette, call, rivals))


def _choose(label: str, ids: list[str], model: Model, key: str) -> str:
    chosen = st.selectbox(label, ids, format_func=partial(_said, model), key=key, persist_state="session")
    return chosen or ids[0]


def _said(model: Model, id_: str) -> str:
    own = model.priors.parameters[id_]
    return f"{words.number(model, id_)} · {numbers.parameter(own.point)}, {own.basis} {words.span(own.low, own.high)}"
