"""A case: what was found in one patient, read and checked against the vocabulary.

A case is one flat table of findings. What is not mentioned is not examined. A value is a state, a number where the
vocabulary bins one (days, ml) or grades one (MRC), a list of states still possible, or a likelihood for each state.
"""

import json
import math
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from rootcause.engine import Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.vocabulary import Variable, Vocabulary, load_vocabulary

LARGEST_CASE = 1_000_000
"""Bytes of the largest case that is read."""

_LONGEST_SHOWN = 10**18

_ABOUT_THE_CASE = frozenset({"id", "title", "story", "invented", "teaching", "sources"})
"""Keys that may stand beside the findings and say something about the case, not about the patient."""


@dataclass(frozen=True, slots=True)
class Case:
    """A checked case.

    Attributes:
        findings: By id, the value as understood: a state, a list of states, or a likelihood for each state.
        observations: The same for the engine.
        numbers: Numbers as given (days, MRC grades, ml), by id.
    """

    findings: Mapping[str, Any]
    observations: Mapping[str, Observation]
    numbers: Mapping[str, float]

    def possible(self, name: str) -> tuple[str, ...]:
        """Return the states of a context or finding that the case leaves possible; all when it is not mentioned."""
        observed = self.observations.get(name)
        if observed is None:
            return load_vocabulary().observable[name].states
        if isinstance(observed, str):
            return (observed,)
        if isinstance(observed, Mapping):
            return tuple(state for state, weight in observed.items() if weight > 0)
        return tuple(observed)


def parse_case(data: object) -> Case:
    """Check a case.

    Args:
        data: ``{"findings": {...}}``, or the table of findings itself.

    Raises:
        InvalidInputError: Naming the place, the rule and what was got.
    """
    table = _findings_table(data)
    vocabulary = load_vocabulary()
    findings: dict[str, Any] = {}
    observations: dict[str, Observation] = {}
    numbers: dict[str, float] = {}
    for name, value in table.items():
        variable = _variable(vocabulary, name)
        observed = _observation(variable, value)
        if _is_number(value):
            numbers[name] = float(value)
        observations[name] = observed
        findings[name] = dict(observed) if isinstance(observed, Mapping) else observed
        if isinstance(observed, tuple):
            findings[name] = list(observed)
    case = Case(MappingProxyType(findings), MappingProxyType(observations), MappingProxyType(numbers))
    _check_days(case)
    return case


def _findings_table(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        msg = f"case: must be a table of findings, got {_kind(data)}"
        raise InvalidInputError(msg)
    if "examinations" in data:
        msg = "case: must hold one examination under 'findings', got 'examinations' (serial ones are not supported yet)"
        raise InvalidInputError(msg)
    if "findings" not in data:
        return data
    for key in data:
        if key != "findings" and key not in _ABOUT_THE_CASE:
            hint = nearest(str(key), ["findings", *_ABOUT_THE_CASE])
            msg = f"case: must not have a key {key!r} beside 'findings'{hint}"
            raise InvalidInputError(msg)
    table = data["findings"]
    if not isinstance(table, Mapping):
        msg = f"case: 'findings' must be a table, got {_kind(table)}"
        raise InvalidInputError(msg)
    return table


def _variable(vocabulary: Vocabulary, name: object) -> Variable:
    known = vocabulary.observable
    if not isinstance(name, str) or name not in known:
        msg = f"findings: every name must be a known context or finding, got {name!r}{nearest(str(name), known)}"
        raise InvalidInputError(msg)
    return known[name]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _observation(variable: Variable, value: object) -> Observation:
    if isinstance(value, str):
        states = _states(variable, value)
        return states[0] if len(states) == 1 else states
    if _is_number(value):
        return _from_number(variable, value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return _likelihoods(variable, value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return _from_list(variable, value)
    msg = f"{variable.id}: must be {_accepted(variable)}, got {_kind(value)}"
    raise InvalidInputError(msg)


def _states(variable: Variable, name: str) -> tuple[str, ...]:
    """Return the states that a name stands for: one, or those of a group."""
    if name in variable.states:
        return (name,)
    if name in variable.groups:
        return variable.groups[name]
    known = (*variable.states, *variable.groups)
    msg = f"{variable.id}: must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}"
    raise InvalidInputError(msg)


def _from_number(variable: Variable, number: float) -> str:
    if not variable.bins and not variable.mrc:
        msg = f"{variable.id}: must be one of {', '.join(variable.states)}, got the number {number!r}"
        raise InvalidInputError(msg)
    volume = variable.id == "post_void_residual"
    whole = _finite(number) and (volume or number == int(number))
    state = variable.state_of(number) if whole else None
    if state is None:
        rule = (
            "an MRC grade from 0 to 5"
            if variable.mrc
            else "a volume in ml"
            if volume
            else "a whole number of days from 0"
        )
        msg = f"{variable.id}: a number must be {rule}, got {_shown(number)}"
        raise InvalidInputError(msg)
    return state


def _likelihoods(variable: Variable, table: Mapping[Any, Any]) -> Mapping[str, float]:
    where = variable.id
    for state, weight in table.items():
        if state not in variable.states:
            known = ", ".join(variable.states)
            msg = (
                f"{where}: a likelihood must be for one of {known}, got {state!r}{nearest(str(state), variable.states)}"
            )
            raise InvalidInputError(msg)
        if not _is_number(weight) or not _finite(weight):
            msg = f"{where}: the likelihood of {state} must be a finite number, got {_shown(weight)}"
            raise InvalidInputError(msg)
        if weight < 0:
            msg = f"{where}: the likelihood of {state} must not be negative, got {weight!r}"
            raise InvalidInputError(msg)
    if not any(weight > 0 for weight in table.values()):
        msg = f"{where}: the likelihood of some state must be above zero, got zero for all"
        raise InvalidInputError(msg)
    return MappingProxyType({state: float(weight) for state, weight in table.items()})


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _from_list(variable: Variable, names: Sequence[object]) -> Observation:
    if not names:
        msg = f"{variable.id}: a list must name at least one state that is still possible, got an empty list"
        raise InvalidInputError(msg)
    chosen: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str):
            msg = f"{variable.id}: a list must hold states, got {_kind(name)}"
            raise InvalidInputError(msg)
        chosen.update(dict.fromkeys(_states(variable, name)))
    states = tuple(state for state in variable.states if state in chosen)
    return states[0] if len(states) == 1 else states


def _check_days(case: Case) -> None:
    """Refuse an onset after the examination where a number of days shows it; the network sees windows alone."""
    onset, day = "symptom_onset", "examination_day"
    if not {onset, day} <= case.observations.keys() or not {onset, day} & case.numbers.keys():
        return
    if _days(case, onset)[0] > _days(case, day)[1]:
        got = f"{_dated(case, onset)} and {_dated(case, day)}"
        msg = f"findings: symptom_onset must not be after examination_day, got {got}"
        raise InvalidInputError(msg)


def _days(case: Case, name: str) -> tuple[float, float]:
    """Return the first and the last day that a case leaves possible."""
    if name in case.numbers:
        return case.numbers[name], case.numbers[name]
    variable = load_vocabulary().contexts[name]
    windows = [variable.states.index(state) - variable.lowest_state for state in case.possible(name)]
    ends = (-math.inf, *variable.bins, math.inf)
    return ends[min(windows)] + 1 if min(windows) >= 0 else -math.inf, ends[max(windows) + 1]


def _dated(case: Case, name: str) -> str:
    return f"day {case.numbers[name]:g}" if name in case.numbers else " or ".join(case.possible(name))


def _accepted(variable: Variable) -> str:
    number = ", an MRC grade" if variable.mrc else ", a number" if variable.bins else ""
    return f"a state{number}, a list of states or a table of likelihoods"


def _kind(value: object) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", type(None): "nothing (null)"}
    return names.get(type(value), f"a {type(value).__name__}")


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) > _LONGEST_SHOWN:
        return "one with more digits than can be meant"
    return repr(value) if isinstance(value, int | float) else _kind(value)


# ---- files --------------------------------------------------------------------------------------------------------


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
        msg = f"{where}: must hold a table, got {_kind(data)}"
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
