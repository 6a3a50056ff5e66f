"""Moments of a case, kept for this visit so that two of them can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import streamlit as st

from rootcause.case import flat_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rootcause.case import Case

_KEY: Final = "moments"
_MOST: Final = 20


def kept() -> dict[str, dict[str, object]]:
    """The moments by name, the oldest first."""
    return cast("dict[str, dict[str, object]]", st.session_state.setdefault(_KEY, {}))


def keep(name: str, findings: Mapping[str, object]) -> None:
    """Keep a case as it stands; the oldest go when there are many.

    Args:
        name: What to call it.
        findings: The table of findings.
    """
    held = kept()
    held[name] = dict(findings)
    for oldest in list(held)[:-_MOST]:
        del held[oldest]


def keep_all(moments: Sequence[Case]) -> None:
    """Keep every examination of a case that has several."""
    if len(moments) > 1:
        for number, case in enumerate(moments, 1):
            keep(f"Examination {number}{_day(case)}", flat_table(case))


def _day(case: Case) -> str:
    day = case.numbers.get("examination_day")
    return "" if day is None else f", day {day:g}"
