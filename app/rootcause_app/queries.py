"""The query parameters of the HTTP API: each stands no more often than it may, and only where it is known."""

from __future__ import annotations

from collections.abc import Mapping
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
from rootcause_app.sensitivity import METHODS, MOST_DRAWS
from rootcause_app.settings import RATES as RATE_SETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request

_LONGEST_SHOWN: Final = 60
_LONGEST_LIST: Final = 4  # values that a refusal names one by one


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter.

    Attributes:
        name: Its name.
        values: What it may be: one of some words, a whole number, or ``None`` for what the model alone can judge.
        kind: What these are, in words.
        description: What it does, and what happens without it.
        default: What it is where it is left out; ``None`` is for the question to decide.
        required: Whether it must stand.
        most: How often it may stand.
    """

    name: str
    values: tuple[str, ...] | range | None
    kind: str
    description: str
    default: str | None = None
    required: bool = False
    most: int = 1


class Query(Mapping[str, "str | None"]):
    """The parameters of a request, each with its value or its default."""

    def __init__(self, known: Sequence[Parameter], found: Mapping[str, Sequence[str]]) -> None:
        self._found = {
            parameter.name: tuple(found.get(parameter.name, () if parameter.default is None else (parameter.default,)))
            for parameter in known
        }

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter, in the order in which they stood."""
        return self._found[name]

    def __getitem__(self, name: str) -> str | None:
        return next(iter(self._found[name]), None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


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

METHOD: Final = Parameter("method", METHODS, "a method", "What is asked of the numbers.", "tornado")
OF_CAUSE: Final = Parameter(
    "cause", tuple(CAUSES), "a known cause", "The cause whose posterior is asked about.", required=True
)
NUMBER: Final = Parameter(
    "number",
    None,
    "one of the model's numbers",
    "The id of a number: `one-way` and `tipping` need one, `two-way` needs two, the others take all that reach the "
    "answer.",
    most=2,
)
DRAWS: Final = Parameter(
    "draws",
    range(2, max(MOST_DRAWS.values()) + 1),
    "a whole number",
    "For the methods that draw; without it, the usual number. At most "
    + ", ".join(f"{most:,} for `{method}`" for method, most in MOST_DRAWS.items())
    + "; the command line takes more.",
)


def read_query(request: Request, *known: Parameter) -> Query:
    """The parameters of a request.

    Args:
        request: Whose query to read.
        *known: The parameters that its path takes.

    Raises:
        ProblemError: 400 for an unknown parameter or value, and for one that stands too often or not at all.
    """
    by_name = {parameter.name: parameter for parameter in known}
    found: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if name not in by_name:
            raise _bad(f"query: {_which(known)}, got {_shown(name)}")
        values, most = found.setdefault(name, []), by_name[name].most
        if len(values) == most:
            raise _bad(f"query: {name} may stand {_times(most)}, got it more often")
        values.append(_checked(by_name[name], value))
    for parameter in known:
        if parameter.required and parameter.name not in found:
            raise _bad(f"{parameter.name}: must be {parameter.kind}, got none")
    return Query(known, found)


def _checked(parameter: Parameter, value: str) -> str:
    values = parameter.values
    if values is None:
        return value
    if isinstance(values, range):
        # Few digits first: Python itself refuses to read thousands of them.
        if value.isascii() and value.isdigit() and len(value) <= len(str(values.stop)) and int(value) in values:
            return value
        must = f"{parameter.kind} from {values.start:,} to {values.stop - 1:,}"
        raise _bad(f"{parameter.name}: must be {must}, got {_shown(value)}")
    if value in values:
        return value
    must = " or ".join(values) if len(values) <= _LONGEST_LIST else parameter.kind
    raise _bad(f"{parameter.name}: must be {must}, got {_shown(value)}{nearest(value[:_LONGEST_SHOWN], values)}")


def _times(most: int) -> str:
    return "once" if most == 1 else "twice"


def _which(known: Sequence[Parameter]) -> str:
    if not known:
        return "this path takes no parameter"
    *names, last = (parameter.name for parameter in known)
    return f"the only parameters are {', '.join(names)} and {last}" if names else f"the only parameter is {last}"


def _shown(text: str) -> str:
    return repr(text[:_LONGEST_SHOWN])


def _bad(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
