"""What one hospital counted: of one number, or of the shares of one whole; and a file of such counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rootcause.errors import InvalidInputError, nearest
from rootcause.priors import Strict, Text, read_toml, validated

MOST_PATIENTS = 1_000_000
_TABLE = "local"


@dataclass(frozen=True, slots=True)
class LocalRate:
    """What one hospital counted of one number.

    Attributes:
        id: The number.
        events: How many had it.
        of: Among how many.
        weight: How much the number of the model counts, from 0 to 1.
        source: Where the counts are from, in words.
    """

    id: str
    events: int
    of: int
    weight: float = 1.0
    source: str = ""


@dataclass(frozen=True, slots=True)
class LocalShares:
    """What one hospital counted of the shares of one whole.

    Attributes:
        id: What the ids of the shares have in common, such as ``context.procedure``.
        counts: Of each share, by the last part of its id.
        weight: As for ``LocalRate``.
        source: As for ``LocalRate``.
    """

    id: str
    counts: Mapping[str, int]
    weight: float = 1.0
    source: str = ""


Local = LocalRate | LocalShares


def check(id_: str, events: int, of: int, weight: float) -> None:
    """Refuse what is no count of patients, or no weight.

    Raises:
        InvalidInputError: Naming the number, the rule and what was got.
    """
    check_count(id_, "events", events)
    check_count(id_, "of", of)
    if events > of:
        raise InvalidInputError(f"{id_}: events must not be more than the patients, got {events} of {of}")
    if of > MOST_PATIENTS:
        raise InvalidInputError(f"{id_}: of must be at most {MOST_PATIENTS} patients, got {of}")
    if not 0 <= weight <= 1:
        raise InvalidInputError(f"{id_}: weight must lie from 0 to 1, got {weight!r}")
    if weight == 0 and of == 0:
        raise InvalidInputError(f"{id_}: the model's number or the own counts must count, got weight 0 and no patient")


def check_count(id_: str, name: str, count: int) -> None:
    """Refuse what is no whole number of at least 0.

    Raises:
        InvalidInputError: Naming the number, the rule and what was got.
    """
    if not (count >= 0 and count % 1 == 0):  # what is no number at all is refused, too
        raise InvalidInputError(f"{id_}: {name} must be a whole number of at least 0, got {count!r}")


class _Row(Strict):
    """A table of the file."""

    id: Text
    events: int | None = None
    of: int | None = None
    counts: dict[str, int] | None = None
    weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: str = ""


def read_local(path: str | Path) -> tuple[Local, ...]:
    """Read a file of local counts: TOML, a table ``[[local]]`` for each number.

    A table has ``id``, ``events``, ``of``, and if wanted ``weight`` (1 where it is left out) and ``source``; for shares
    of one whole ``counts``, a table of counts, stands for ``events`` and ``of``.

    Args:
        path: The file.

    Raises:
        InvalidInputError: Naming every problem, one in a line.
    """
    file = Path(path)
    problems: list[str] = []
    data = read_toml(file, problems)
    problems += [
        f"{file.name}: must hold tables [[{_TABLE}]] alone, got {key!r}{nearest(key, [_TABLE])}"
        for key in data
        if key != _TABLE
    ]
    rows = data.get(_TABLE, [])
    if not isinstance(rows, list):
        problems.append(
            f"{file.name}: {_TABLE} must be a list of tables, written [[{_TABLE}]], got another kind of value"
        )
        rows = []
    found = [_local(row, f"{file.name}: {_TABLE} {number}", problems) for number, row in enumerate(rows, 1)]
    if not rows and not problems:
        problems.append(f"{file.name}: must hold at least one table [[{_TABLE}]], got none")
    if problems:
        raise InvalidInputError("\n".join(problems))
    return tuple(local for local in found if local is not None)


def _local(row: object, where: str, problems: list[str]) -> Local | None:
    read = validated(_Row, row, where, problems)
    if read is None:
        return None
    if read.counts is not None and read.events is None and read.of is None:
        return LocalShares(read.id, read.counts, read.weight, read.source)
    if read.events is not None and read.of is not None and read.counts is None:
        return LocalRate(read.id, read.events, read.of, read.weight, read.source)
    problems.append(f"{where}: must have events and of, or counts of every share, got {_given(read)}")
    return None


def _given(row: _Row) -> str:
    given = [name for name in ("events", "of", "counts") if getattr(row, name) is not None]
    return " and ".join(given) or "none of these"
