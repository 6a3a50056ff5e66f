"""The Python that makes a result of the page again: a short script that runs as it stands."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rootcause.errors import InvalidInputError, nearest
from rootcause.priors import DEFAULT_RATES, shipped_priors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rootcause import Model

_FOLDER: Final = "# the folder of numbers that the server was started with: write the path to your copy"

_WIDTH: Final = 100

# By method: its function, how many numbers of the model it is told, and its arguments after the model.
_CALLS: Final[Mapping[str, tuple[str, int, tuple[str, ...]]]] = {
    "one-way": ("sensitivity_function", 1, ("cause", "numbers", "case")),
    "tornado": ("tornado", 0, ("case", "cause")),
    "two-way": ("two_way", 2, ("cause", "numbers", "case")),
    "tipping": ("tipping", 1, ("cause", "numbers", "case", "rival")),
    "credal": ("credal_bounds", 0, ("case", "cause", "most")),
    "monte-carlo": ("monte_carlo", 0, ("case", "draws")),
    "sobol": ("sobol", 0, ("case", "cause", "draws")),
    "derivatives": ("derivatives", 0, ("cause", "case")),
    "stability": ("rank_stability", 0, ("case",)),
    "structural": ("structural", 0, ("case", "target")),
    "value": ("value_of_parameters", 0, ("case", "draws")),
}


def python_call(  # noqa: PLR0913 - the question, and its options
    method: str,
    model: Model,
    case_findings: Mapping[str, Any],
    cause: str,
    numbers: Sequence[str] = (),
    draws: int | None = None,
    *,
    rival: str | None = None,
    most: int | None = None,
) -> str:
    """A script that asks the same question and prints the answer; it leaves it in ``result``.

    Args:
        method: As on the command line: ``tornado``, ``one-way`` and so on.
        model: Whose numbers; of a folder of one's own only the name is told, since a visitor of a server need not know
            where on it that lies.
        case_findings: What was found.
        cause: The cause that is asked about.
        numbers: Ids of the numbers that a one-way, two-way or tipping question is about.
        draws: For methods that draw; ``None`` takes the usual number.
        rival: For a tipping point, with which cause it changes places; ``None`` takes the most probable other one.
        most: For credal bounds, how many numbers to follow to every corner; ``None`` takes the usual number.

    Raises:
        InvalidInputError: If the method is unknown, or the wrong count of numbers is named.
        ImpossibleEvidenceError: If a rival is looked for and the findings cannot hold together.
    """
    if method not in _CALLS:
        raise InvalidInputError(f"method: must be one of {', '.join(_CALLS)}, got {method!r}{nearest(method, _CALLS)}")
    function, needed, arguments = _CALLS[method]
    if len(numbers) != needed:
        said = f"needs {needed} of the model's numbers" if needed else "takes no number"
        raise InvalidInputError(f"number: {method} {said}, got {len(numbers)}")
    if method == "tipping":
        rival = rival or _rival(model, case_findings, cause)
    words = {
        "case": ["case"],
        "cause": [_quoted(cause)],
        "target": [f"target={_quoted(cause)}"],
        "numbers": [f"Number({_quoted(id_)})" for id_ in numbers],
        "rival": [f"rival={_quoted(rival or '')}"],
        "draws": [] if draws is None else [f"n={draws}"],
        "most": [] if most is None else [f"most={most}"],
    }
    names = ", ".join([*(["Number"] if needed else []), function])
    lines = ["from rootcause import load_model", f"from rootcause.sensitivity import {names}", ""]
    lines += [_FOLDER] if _own(model) else []
    lines.append(f"model = load_model({_loading(model)})")
    lines.append(f"case = {_written(dict(case_findings))}")
    lines.append(_called(function, ["model", *chain.from_iterable(words[name] for name in arguments)]))
    return "\n".join([*lines, "print(result.to_text())", ""])


def _called(function: str, arguments: Sequence[str]) -> str:
    """The call in one line, or with an argument to a line where that would be too long."""
    line = f"result = {function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"result = {function}(", *(f"    {argument}," for argument in arguments), ")"])


def _rival(model: Model, findings: Mapping[str, Any], cause: str) -> str:
    found = model.diagnose(dict(findings), intervals=False).posterior
    return max((name for name in found if name != cause), key=lambda name: found[name].mean)


def _own(model: Model) -> bool:
    """Whether the numbers are not the shipped ones."""
    return str(model.priors.folder) != str(shipped_priors())


def _name(model: Model) -> str:
    """The name of the folder: where on a server it lies is nothing that a visitor need know."""
    return Path(str(model.priors.folder)).resolve().name or "priors"


def _loading(model: Model) -> str:
    """The arguments of ``load_model``: nothing for the shipped numbers with their usual rates."""
    said = []
    if _own(model):
        said.append(_quoted(_name(model)))
    if model.rates != DEFAULT_RATES:
        said.append(f"rates={_quoted(model.rates)}")
    return ", ".join(said)


def _written(findings: dict[str, Any]) -> str:
    """The findings, one to a line."""
    if not findings:
        return "{}"
    lines = [f"    {_quoted(name)}: {_value(found)}," for name, found in findings.items()]
    return "\n".join(["{", *lines, "}"])


def _value(found: object) -> str:
    if isinstance(found, str):
        return _quoted(found)
    if isinstance(found, dict):
        return "{" + ", ".join(f"{_quoted(str(name))}: {_value(part)}" for name, part in found.items()) + "}"
    if isinstance(found, list | tuple):
        return "[" + ", ".join(_value(part) for part in found) + "]"
    return repr(found)


def _quoted(text: str) -> str:
    """A text as a literal of Python in double quotes."""
    plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else repr(text)
