"""The report: one page to print, as HTML or PDF, made when it is asked for."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from rootcause_app import reporting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model


def offer(model: Model, findings: Mapping[str, object]) -> None:
    """Draw the two buttons.

    Args:
        model: The model that answers.
        findings: The case as it stands.
    """
    case = dict(findings)
    for kind, mime in (("pdf", "application/pdf"), ("html", "text/html")):
        st.download_button(
            f"Download as {kind.upper()}",
            partial(_made, model, case, kind),
            file_name=f"report.{kind}",
            mime=mime,
            on_click="ignore",
            width="stretch",
        )
    st.html(
        '<p class="rc-hint">One page: findings, probabilities with intervals, reasons, sources, version. It names no '
        "patient. Making it takes a few seconds.</p>"
    )


def _made(model: Model, case: dict[str, object], kind: str) -> bytes:
    return reporting.render(reporting.full_report(model, case, datetime.now().astimezone()), kind)
