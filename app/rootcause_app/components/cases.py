"""A case as text: read from what was pasted or uploaded, and written for download."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rootcause.case import loads_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model


def to_json(findings: Mapping[str, object]) -> str:
    """A case as the JSON file that the command line and the HTTP API read."""
    return json.dumps({"findings": dict(findings)}, ensure_ascii=False, indent=2) + "\n"


def from_text(text: str, model: Model) -> dict[str, object]:
    """The findings of a case in JSON or TOML, checked by the model before anything on the page changes.

    Args:
        text: The file; one that starts with a brace is JSON, anything else TOML.
        model: Whose vocabulary the case must fit.

    Raises:
        InvalidInputError: The text is not a case, or the model refuses it.
    """
    case = loads_case(text, format="json" if text.lstrip().startswith(("{", "[")) else "toml")
    model.diagnose(case, intervals=False)
    return dict(case.get("findings", case))
