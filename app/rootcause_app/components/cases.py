"""A case as text: read from what was pasted or uploaded, and written for download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rootcause.case import loads_case
from rootcause.casefile import Opened, case_text, open_case, save_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model


def to_json(findings: Mapping[str, object], model: Model | None = None) -> str:
    """A case as the JSON file that the command line and the HTTP API read.

    Args:
        findings: The table of findings, or a table with ``examinations``.
        model: Whose answer and digest to save with the case, so that whoever opens it sees whether they are the same;
            without one the file holds the case alone.

    Raises:
        InvalidInputError: The model refuses the case. (One whose findings cannot hold together is written without an
            answer.)
    """
    if model is not None:
        return case_text(save_case(model, findings))
    return case_text(dict(findings) if "examinations" in findings else {"findings": dict(findings)})


def opened(text: str, model: Model) -> Opened:
    """A case in JSON or TOML, checked by the model before anything on the page changes.

    Args:
        text: The file; one that starts with a brace is JSON, anything else TOML.
        model: Whose vocabulary the case must fit.

    Returns:
        The case, and in what its answer differs from the one that the file holds.

    Raises:
        InvalidInputError: The text is not a case, or the model refuses it.
    """
    return open_case(model, loads_case(text, format="json" if text.lstrip().startswith(("{", "[")) else "toml"))
