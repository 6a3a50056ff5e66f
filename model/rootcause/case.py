"""A case: what was found in one patient, at one moment or several, read from a table, a text or a file.

A case is one flat table of findings (see ``rootcause.findings``), or a list of examinations with a table each (see
``rootcause.serial``). Keys beside these that say something about the case, and what a saved case file adds (see
``rootcause.casefile``), are accepted and not read.
"""

import json
import math
import sys
import tomllib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from rootcause.errors import InvalidInputError
from rootcause.findings import Case, kind_of_value
from rootcause.serial import flat_table, moments

__all__ = [
    "LARGEST_CASE",
    "Case",
    "flat_table",
    "load_case",
    "loads_case",
    "loads_json",
    "moments",
    "parse_case",
    "read_text",
]

LARGEST_CASE = 1_000_000
"""Bytes of the largest case that is read."""


def parse_case(data: object) -> Case:
    """Check a case.

    Args:
        data: ``{"findings": {...}}``, the table of findings itself, or ``{"examinations": [{"findings": {...}}, ...]}``
            in the order of time.

    Returns:
        The case at the last moment; ``earlier`` holds it at the moments before.

    Raises:
        InvalidInputError: Naming the place, the rule and what was got.
    """
    return moments(data)[-1]


def load_case(path: str | Path) -> dict[str, Any]:
    """Read a case from a TOML or JSON file; ``-`` reads standard input.

    Raises:
        InvalidInputError: If the file cannot be read, is too large, or is not valid TOML or JSON.
    """
    name = "standard input" if str(path) == "-" else str(path)
    text = read_text(path, LARGEST_CASE)
    return loads_case(text, _format(name, text), name)


def read_text(path: str | Path, largest: int) -> str:
    """Read a file of UTF-8 text; ``-`` reads standard input.

    Args:
        path: The file.
        largest: Bytes of the largest file that is read.

    Raises:
        InvalidInputError: If the file cannot be read, is too large, or is not UTF-8.
    """
    if str(path) == "-":
        name, raw = "standard input", sys.stdin.buffer.read(largest + 1)
    else:
        name = str(path)
        try:
            with Path(path).open("rb") as file:
                raw = file.read(largest + 1)
        except OSError as error:
            msg = f"{name}: must be a readable file, got: {error.strerror or error}"
            raise InvalidInputError(msg) from None
    if len(raw) > largest:
        msg = f"{name}: must not be larger than {largest} bytes, got more"
        raise InvalidInputError(msg)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{name}: must be UTF-8 text, got a byte that is not at position {error.start}"
        raise InvalidInputError(msg) from None


def _format(name: str, text: str) -> Literal["json", "toml"]:
    suffix = Path(name).suffix.lower()
    if suffix in {".json", ".toml"}:
        return "json" if suffix == ".json" else "toml"
    return "json" if text.lstrip().startswith(("{", "[{")) else "toml"


def loads_case(text: str, format: Literal["json", "toml"] = "json", where: str = "case") -> dict[str, Any]:  # noqa: A002
    """Read a case from text; a key that stands twice, and a number that is not finite, are refused.

    Raises:
        InvalidInputError: If the text is empty or not valid.
    """
    data = loads_json(text, where) if format == "json" else _loads_toml(text, where)
    if not isinstance(data, dict):
        msg = f"{where}: must hold a table, got {kind_of_value(data)}"
        raise InvalidInputError(msg)
    return data


def _once(where: str, items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in items:
        if key in table:
            msg = f"{where}: a key may stand once in a table, got {key!r} twice"
            raise InvalidInputError(msg)
        table[key] = value
    return table


def _not_finite(where: str, name: str) -> float:
    msg = f"{where}: a number must be finite, got {name}"
    raise InvalidInputError(msg)


def _number(where: str, digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _not_finite(where, digits)


def loads_json(text: str, where: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON strictly.

    Raises:
        InvalidInputError: If the text is empty, not JSON, has a key twice in one table, or NaN or infinity.
    """
    if not text.strip():
        msg = f"{where}: must hold a case, got nothing"
        raise InvalidInputError(msg)

    try:
        return json.loads(
            text,
            object_pairs_hook=partial(_once, where),
            parse_constant=partial(_not_finite, where),
            parse_float=partial(_number, where),
        )
    except InvalidInputError:
        raise
    except json.JSONDecodeError as error:
        msg = f"{where}: must be valid JSON, got: {error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        msg = f"{where}: must be nested a few levels at most, got too many"
    except ValueError:
        msg = f"{where}: a number must have a sensible length, got one with thousands of digits"
    raise InvalidInputError(msg)


def _loads_toml(text: str, where: str) -> dict[str, Any]:
    if not text.strip():
        msg = f"{where}: must hold a case, got nothing"
        raise InvalidInputError(msg)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        msg = f"{where}: must be valid TOML (a key may stand once), got: {error}"
        raise InvalidInputError(msg) from None
