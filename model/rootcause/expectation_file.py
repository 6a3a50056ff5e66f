"""Expectations as a file, in TOML or JSON: written by one command, kept beside the cases, read by the next run.

One table for each case and view: the confirmed cause, the rank of the true outcome, a checksum over the findings, and
the probability of every outcome with six decimals, the most probable first.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from rootcause.case import loads_case, read_text
from rootcause.errors import InvalidInputError, nearest
from rootcause.evaluation import LARGEST_FILE, OTHER, VIEWS, View
from rootcause.expectations import DECIMALS, Expectations, ExpectedCase, check_tolerance
from rootcause.files import write_whole
from rootcause.outcomes import OUTCOMES
from rootcause.priors import Strict, Text, validated
from rootcause.structure import CAUSES

FORMAT = 1
"""Format of the files that are written, and the only one that is read."""

_HEAD = (
    "# What Rootcause answered to these cases. A test reads it: rootcause evaluate CASES --expect THIS",
    "# Written anew by: rootcause evaluate CASES --write-expected THIS",
)

_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Answer(Strict):
    """The table of one case and view."""

    cause: Text
    rank: Annotated[int, Field(ge=1, le=len(OUTCOMES))]
    findings: Text
    posterior: dict[str, _Share]


class _About(Strict):
    """The table of the numbers that gave the answers."""

    version: Text
    digest: Text
    rates: Text


class _File(Strict):
    """The whole file, its cases not yet looked into."""

    format: Literal[1]
    tolerance: Annotated[float, Field(allow_inf_nan=False)]
    model: _About
    case: dict[str, Any]


def format_of(path: str | Path) -> Literal["json", "toml"]:
    """Return the format that the ending of a file says.

    Raises:
        InvalidInputError: If it says neither.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        return "json"
    if suffix == ".toml":
        return "toml"
    raise InvalidInputError(f"{path}: the ending of a file of expectations must be .toml or .json, got {suffix!r}")


# ---- writing ---------------------------------------------------------------------------------------------------------


def write_expectations(expected: Expectations, path: str | Path) -> None:
    """Write a file of expectations, whole or not at all.

    Args:
        expected: What to write.
        path: The file; its ending says the format.

    Raises:
        InvalidInputError: If the ending says no format, or the file cannot be written.
    """
    text = to_json(expected) if format_of(path) == "json" else to_toml(expected)
    write_whole(path, lambda: text.encode("utf-8"))


def to_json(expected: Expectations) -> str:
    """Return the file as JSON."""
    cases: dict[str, dict[str, Any]] = {}
    for (id_, view), item in expected.cases.items():
        held = {"cause": item.cause, "rank": item.rank, "findings": item.findings, "posterior": dict(item.posterior)}
        cases.setdefault(id_, {})[view] = held
    content = {"format": FORMAT, "tolerance": expected.tolerance, "model": dict(expected.model), "case": cases}
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_toml(expected: Expectations) -> str:
    """Return the file as TOML."""
    lines = [*_HEAD, f"format = {FORMAT}", f"tolerance = {expected.tolerance!r}", "", "[model]"]
    lines += [f"{key} = {_quoted(value)}" for key, value in expected.model.items()]
    for (id_, view), item in expected.cases.items():
        shares = ", ".join(f"{name} = {value:.{DECIMALS}f}" for name, value in item.posterior.items())
        lines += [
            "",
            f"[case.{_quoted(id_)}.{view}]",
            f"cause = {_quoted(item.cause)}",
            f"rank = {item.rank}",
            f"findings = {_quoted(item.findings)}",
            f"posterior = {{ {shares} }}" if shares else "posterior = {}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as TOML and JSON both write it; TOML alone escapes the character that deletes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


# ---- reading ---------------------------------------------------------------------------------------------------------


def load_expectations(path: str | Path) -> Expectations:
    """Read a file of expectations.

    Raises:
        InvalidInputError: If the file cannot be read or breaks rules; one line for each broken rule.
    """
    where = str(path)
    data = loads_case(read_text(path, LARGEST_FILE), format_of(path), where)
    problems: list[str] = []
    held = validated(_File, data, where, problems)
    if held is None:
        raise InvalidInputError("\n".join(problems))
    try:
        check_tolerance(held.tolerance)
    except InvalidInputError as error:
        problems.append(f"{where}: {error}")
    cases = dict(_cases(held.case, where, problems))
    if not cases and not problems:
        problems.append(f"{where}: something must be expected of at least one case, got an empty table")
    if problems:
        raise InvalidInputError("\n".join(problems))
    return Expectations(MappingProxyType(held.model.model_dump()), held.tolerance, MappingProxyType(cases))


def _cases(
    table: Mapping[str, Any], where: str, problems: list[str]
) -> Iterator[tuple[tuple[str, View], ExpectedCase]]:
    for id_, row in table.items():
        place = f"{where}: case {id_}"
        if not isinstance(row, dict) or set(row) != set(VIEWS):
            got = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
            problems.append(f"{place}: must hold the tables {' and '.join(VIEWS)}, got {got or 'neither'}")
            continue
        for view in VIEWS:
            here = f"{place}: {view}"
            answer = validated(_Answer, row[view], here, problems)
            if answer is None:
                continue
            problems += [f"{here}: {problem}" for problem in _wrong(answer)]
            yield (
                (id_, view),
                ExpectedCase(answer.cause, answer.rank, answer.findings, MappingProxyType(answer.posterior)),
            )


def _wrong(answer: _Answer) -> Iterator[str]:
    known = (*CAUSES, OTHER)
    if answer.cause not in known:
        yield f"cause must be a known cause or {OTHER!r}, got {answer.cause!r}{nearest(answer.cause, known)}"
    unknown = [name for name in answer.posterior if name not in OUTCOMES]
    for name in unknown:
        yield f"posterior must be of known outcomes, got {name!r}{nearest(name, OUTCOMES)}"
    lacking = [name for name in OUTCOMES if name not in answer.posterior]
    if answer.posterior and lacking and not unknown:
        yield f"posterior must have every outcome, got none for {', '.join(lacking)}: write the file anew"
