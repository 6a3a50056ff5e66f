"""The panes of long work: intervals and ranks, shares of the spread, structure, what to measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app import laboratory_answers as laboratory
from rootcause_app.components import figures
from rootcause_app.pages.laboratory_panes.showing import call_of, show
from rootcause_app.pages.laboratory_panes.working import result_of

if TYPE_CHECKING:
    from rootcause_app.laboratory_answers import Question
    from rootcause_app.theme import Palette

_RANKS: Final = (
    "All numbers are drawn at once from distributions matched to their ranges, and the network answers each draw "
    "exactly: how often does each cause come first, and between what does its probability lie?"
)
_BOUNDS: Final = (
    "Bounds ask what the ranges allow, not what is likely: the 20 numbers that move the chosen cause most go to every "
    "corner of their ranges together. Bounds that are certified hold for all values inside."
)
_SHARES: Final = (
    "Of the spread that all ranges together leave of this cause: how much would go if one number became known (first "
    "order), and how much would stay if all others became known (total)?"
)
_EDITS: Final = (
    "What the answer owes to the structure: each finding without one of its arcs or its leak, or with its reasons in "
    "the same patients; and all tables without the technique."
)
_VALUE: Final = (
    "What it would be worth to know one number before deciding, in points of the stakes: the gain from deciding "
    "otherwise where the number turns out so. A number that changes no decision is worth nothing, however unsure it is."
)


def intervals(asked: Question, palette: Palette) -> None:
    """Draw how often each cause is first, and credal beside Monte Carlo intervals."""
    _hint(_RANKS)
    drawn = result_of(laboratory.MONTE_CARLO, asked)
    if drawn is not None:
        call = call_of(asked, "monte-carlo", draws=drawn.n)
        show(figures.ranks(drawn, asked.model, palette, call))
    title = st.empty()
    _hint(_BOUNDS)
    bounds = result_of(laboratory.CREDAL, asked)
    if bounds is None:
        title.header("Bounds beside intervals", anchor=False)
    if drawn is None:
        return
    if bounds is not None:
        show(figures.intervals(bounds, drawn, asked.model, palette, call_of(asked, "credal")))
    show(figures.convergence(drawn, asked.model, palette, call, asked.cause))


def shares(asked: Question, palette: Palette) -> None:
    """Draw Sobol indices."""
    _hint(_SHARES)
    found = result_of(laboratory.SOBOL, asked)
    if found is not None:
        show(figures.sobol(found, asked.model, palette, call_of(asked, "sobol", draws=found.n)))


def structure(asked: Question, palette: Palette) -> None:
    """Draw what each edit of the structure does."""
    _hint(_EDITS)
    found = result_of(laboratory.STRUCTURAL, asked)
    if found is not None:
        show(figures.structural(found, asked.model, palette, call_of(asked, "structural")))


def value(asked: Question, palette: Palette) -> None:
    """Draw which number is worth knowing."""
    _hint(_VALUE)
    found = result_of(laboratory.VALUE, asked)
    if found is not None:
        show(figures.value(found, asked.model, palette, call_of(asked, "value", draws=found.n)))


def _hint(words: str) -> None:
    st.html(f'<p class="rc-hint">{words}</p>')
