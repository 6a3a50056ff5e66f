"""What is usually done for each cause that is probable enough: work-up, management, prognosis, each with its basis."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import notices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause import Model
    from rootcause.care import CareAdvice, CareItem

_PARTS: Final = (("workup", "Work-up"), ("management", "Management"), ("prognosis", "Prognosis"))
_UNSOURCED: Final = "common practice; no source at hand"


def care_html(model: Model, care: Sequence[CareAdvice]) -> str:
    """One fold for each cause, the most probable first.

    Args:
        model: Whose sources to name.
        care: What is shown of each cause.
    """
    return "".join(_cause(model, advice) for advice in care)


def _cause(model: Model, advice: CareAdvice) -> str:
    parts = "".join(
        f"<h4>{title}</h4><ul>{''.join(_item(model, item) for item in items)}</ul>"
        for kind, title in _PARTS
        if (items := getattr(advice, kind))
    )
    return f'<details class="rc-care"><summary>{escape(advice.basis)}</summary>{parts}</details>'


def _item(model: Model, item: CareItem) -> str:
    if item.basis == "assumed":
        return f'<li>{escape(item.text)} <span class="rc-unsourced">{_UNSOURCED}</span></li>'
    return f"<li>{escape(item.text)}{notices.sources_html(model, item.sources)}</li>"
