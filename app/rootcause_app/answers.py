"""Answers for the pages: the point at once, the interval when it is ready; kept in memory only, and few of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import streamlit as st

from rootcause_app.components import labels
from rootcause_app.settings import current_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rootcause.diagnosis import Answer

_KEPT: Final = 256

# The draws of one answer keep a core busy. One at a time, so that a quick run of clicks does not queue up work nobody
# waits for any more and slow down the point answers.
_DRAWING: Final = threading.Lock()


def point_answer(findings: Mapping[str, object], rates: str) -> Answer:
    """The exact posterior without its interval.

    Args:
        findings: The case as entered.
        rates: The rate set.

    Raises:
        InvalidInputError: The case does not fit the vocabulary, or its findings clash.
    """
    return _diagnosed(labels.token(dict(findings)), current_model(rates).digest, rates, intervals=False)


def interval_answer(findings: Mapping[str, object], rates: str, still_wanted: Callable[[], None]) -> Answer:
    """The same answer with its 90 % interval.

    Args:
        findings: The case as entered.
        rates: The rate set.
        still_wanted: Called while another answer is being drawn; raises to give up waiting.
    """
    held, digest = labels.token(dict(findings)), current_model(rates).digest
    while not _DRAWING.acquire(timeout=0.1):
        still_wanted()
    try:
        return _diagnosed(held, digest, rates, intervals=True)
    finally:
        _DRAWING.release()


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _diagnosed(held: str, digest: str, rates: str, *, intervals: bool) -> Answer:
    del digest  # a part of the key only: other numbers, another answer
    findings = labels.from_token(held)
    if not isinstance(findings, dict):
        raise TypeError(f"a case is a table, got {type(findings).__name__}")
    return current_model(rates).diagnose(findings, intervals=intervals)
