"""The query parameters of the HTTP API: each stands at most once, and only where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from rootcause.errors import nearest
from rootcause.explanation import NONE
from rootcause.nodes import LESIONS
from rootcause.structure import CAUSES, EVERY_CAUSE
from rootcause.vocabulary import load_vocabulary
from rootcause_app.problems import ProblemError
from rootcause_app.reporting import KINDS
from rootcause_app.settings import RATES as RATE_SETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

_LONGEST_SHOWN: Final = 60
_LONGEST_LIST: Final = 4  # values that a refusal names one by one


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter.

    Attributes:
        name: Its name.
        values: What it may be.
        kind: What these are, in words.
        description: What it does, and what happens without it.
        default: What it is where it is left out; ``None`` is for the question to decide.
    """

    name: str
    values: tuple[str, ...]
    kind: str
    description: str
    default: str | None = None


RATES: Final = Parameter(
    "rates",
    RATE_SETS,
    "a rate set",
    "The set of base rates; without it, the one that the server was started with.",
)
CAUSE: Final = Parameter(
    "cause",
    tuple(CAUSES),
    "a known cause",
    "The cause whose change is told apart; without it, the one that is the most probable after.",
)
CAUSE_OR_NONE: Final = Parameter(
    "cause",
    (*CAUSES, NONE),
    f"a known cause or {NONE}",
    f"The cause, or `{NONE}` for none of the listed ones; without it, the most probable cause.",
)
AHEAD: Final = Parameter(
    "ahead", ("1", "2"), "a number of steps", "2 looks at pairs of findings as well, which takes longer.", "1"
)
FORMAT: Final = Parameter("format", KINDS, "a kind of file", "The kind of file.", KINDS[0])
FOCUS: Final = Parameter(
    "focus",
    (*EVERY_CAUSE, *LESIONS, *load_vocabulary().findings),
    "a cause, a lesion or a finding",
    "The node that the drawing is about; without it, the whole network.",
)


def read_query(request: Request, *known: Parameter) -> dict[str, str | None]:
    """The parameters of a request, each with its value or its default.

    Args:
        request: Whose query to read.
        *known: The parameters that its path takes.

    Raises:
        ProblemError: 400 for an unknown parameter or value, and for a parameter that stands twice.
    """
    by_name = {parameter.name: parameter for parameter in known}
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in by_name:
            raise _bad(f"query: {_which(known)}, got {_shown(name)}")
        if name in found:
            raise _bad(f"query: {name} may stand once, got it more often")
        found[name] = _checked(by_name[name], value)
    return {parameter.name: found.get(parameter.name, parameter.default) for parameter in known}


def _checked(parameter: Parameter, value: str) -> str:
    values = parameter.values
    if value in values:
        return value
    must = " or ".join(values) if len(values) <= _LONGEST_LIST else parameter.kind
    raise _bad(f"{parameter.name}: must be {must}, got {_shown(value)}{nearest(value[:_LONGEST_SHOWN], values)}")


def _which(known: Sequence[Parameter]) -> str:
    if not known:
        return "this path takes no parameter"
    names = " and ".join(parameter.name for parameter in known)
    return f"the only parameter is {names}" if len(known) == 1 else f"the only parameters are {names}"


def _shown(text: str) -> str:
    return repr(text[:_LONGEST_SHOWN])


def _bad(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
