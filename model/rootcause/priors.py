"""The numbers: every parameter with its meaning, range, basis and sources, read from a folder of TOML files.

The folder's ``README.md`` is the dictionary of the fields. A file holds one table per number; the path of a table is
the id of the number (``rate.epidural_hematoma.fusion``). A last part ``seed`` or ``literature`` makes it the variant of
that rate set. Everything is validated once, here, and every problem is reported at once.
"""

import hashlib
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rootcause.errors import InvalidInputError, InvalidPriorsError, nearest

RateSet = Literal["seed", "literature"]
RATE_SETS: tuple[RateSet, ...] = ("seed", "literature")
DEFAULT_RATES: RateSet = "seed"
COVERAGE: Mapping[str, float] = MappingProxyType(
    {"across_techniques": 0.90, "across_studies": 0.90, "judgement": 0.90, "ci95": 0.95}
)
"""The probability that each meaning of a range is read as; only ``ci95`` is what its source calls it."""

SHARE_GROUPS = ("context", "onset", "unplaced_side")
"""Families whose numbers are shares: those with one parent path sum to one."""

_SHOWN_WITH_ANSWERS = ("rules.toml", "advice.toml", "stakes.toml", "care.toml")
_NOT_PARAMETERS = frozenset({"sources.toml", "not_used.toml", "checks.toml", "claims.toml", *_SHOWN_WITH_ANSWERS})
_LARGEST_FILE = 5_000_000
_SHARE_TOLERANCE = 1e-9

Probability = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """A row of a file: no field that is not known, no text where a number belongs."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Considered(Strict):
    """A record on the same quantity that was set aside, and why."""

    record: Text
    source: Text
    value: str = ""
    reason: Text


class Parameter(Strict):
    """One number of the model. The fields are those of ``priors/README.md``."""

    meaning: Text
    point: Probability
    low: Probability
    high: Probability
    range: Literal["across_techniques", "across_studies", "ci95", "judgement"]
    basis: Literal["cited", "derived", "fitted", "assumed"]
    horizon: str | None = None
    sources: tuple[str, ...] = Field(default=(), strict=False)
    records: tuple[str, ...] = Field(default=(), strict=False)
    locator: str = ""
    population: str = ""
    read: str = ""
    derivation: str = ""
    unfitted: Probability | None = None
    note: str = ""
    considered: tuple[Considered, ...] = Field(default=(), strict=False)
    id: str = ""
    rate_set: RateSet | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low < self.point < self.high:
            msg = f"low < point < high must hold, got low = {self.low:g}, point = {self.point:g}, high = {self.high:g}"
            raise ValueError(msg)
        if self.basis == "cited" and not self.sources:
            msg = "a cited number must name its sources, got none"
            raise ValueError(msg)
        if self.basis == "derived" and not self.derivation:
            msg = "a derived number must state its arithmetic in 'derivation', got none"
            raise ValueError(msg)
        if self.basis == "fitted" and self.unfitted is None:
            msg = "a fitted number must keep its unfitted value, got none"
            raise ValueError(msg)
        return self


class Source(Strict):
    """One publication, by key."""

    title: Text
    authors: str = ""
    year: int | None = None
    journal: str = ""
    doi: str = ""
    url: str = ""
    kind: Literal["publication", "seed"] = "publication"
    key: str = ""

    @property
    def citation(self) -> str:
        """The source in one line."""
        year = str(self.year) if self.year else ""
        who = f"{self.authors} ({year})" if self.authors and year else self.authors
        parts = (who, self.title, self.journal, "" if self.authors else year)
        return ". ".join(part.rstrip(".") for part in parts if part) + "."


@dataclass(frozen=True, slots=True)
class Priors:
    """All numbers of one rate set, validated.

    Attributes:
        parameters: The numbers, by id.
        sources: The publications, by key.
        rates: The rate set that was chosen.
        digest: sha256, in hex, over every number, rule, piece of advice, stake and item of care of the folder, and the
            rate set.
        folder: Where the numbers were read from; the other data of the model lie beside them.
    """

    parameters: Mapping[str, Parameter]
    sources: Mapping[str, Source]
    rates: RateSet
    digest: str
    folder: Traversable


class Provenance(Protocol):
    """What says where an answer, a table or a file came from."""

    @property
    def version(self) -> str:
        """Version of the software."""

    @property
    def digest(self) -> str:
        """Digest of every number and of the rate set."""

    @property
    def rates(self) -> str:
        """The rate set."""


def shipped_priors() -> Traversable:
    """Return the folder of numbers in the wheel, or that of the checkout this file lies in."""
    inside = files("rootcause") / "_priors"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "priors"


def check_rates(rates: str) -> RateSet:
    """Return ``rates`` if it names a rate set.

    Raises:
        InvalidInputError: If it does not.
    """
    for known in RATE_SETS:
        if rates == known:
            return known
    msg = f"rates: must be one of {', '.join(RATE_SETS)}, got {rates!r}{nearest(rates, RATE_SETS)}"
    raise InvalidInputError(msg)


def read_toml(file: Traversable, problems: list[str]) -> dict[str, Any]:
    """Read one TOML file; what is wrong with the file as a whole is added to ``problems``."""
    try:
        raw = file.read_bytes()
        if len(raw) > _LARGEST_FILE:
            problems.append(f"{file.name}: must be smaller than {_LARGEST_FILE} bytes, got {len(raw)}")
            return {}
        data = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        problems.append(f"{file.name}: must be a readable file, got {error.strerror or error}")
        return {}
    except UnicodeDecodeError as error:
        problems.append(f"{file.name}: must be UTF-8 text, got byte {error.object[error.start]:#04x} at {error.start}")
        return {}
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        problems.append(f"{file.name}: must be valid TOML (a key may stand once), got: {error}")
        return {}
    if not data:
        problems.append(f"{file.name}: must hold at least one table, got an empty file")
    return data


@cache
def shipped_sources() -> Mapping[str, Source]:
    """Return the publications of the shipped folder, by key: for what a folder of one's own leaves to the package."""
    return load_priors().sources


def load_priors(folder: str | Path | Traversable | None = None, rates: str = DEFAULT_RATES) -> Priors:
    """Read and validate a folder of numbers.

    Args:
        folder: The folder; ``None`` is the one that the package ships.
        rates: The rate set to take where a number has a variant for it.

    Raises:
        InvalidPriorsError: Naming every broken rule of every file at once.
        InvalidInputError: If ``rates`` is unknown.
    """
    rate_set = check_rates(rates)
    root = shipped_priors() if folder is None else Path(folder) if isinstance(folder, str) else folder
    if not root.is_dir():
        raise InvalidPriorsError([f"{root}: must be a folder of TOML files, got something else"])
    problems: list[str] = []
    tables = {file.name: read_toml(file, problems) for file in _toml_files(root)}
    if "sources.toml" not in tables:
        problems.append("sources.toml: must be in the folder, got no such file")
    sources = _sources(tables.get("sources.toml", {}), problems)
    every, places = _parameters(tables, sources, problems)
    chosen = _choose(every, rate_set)
    problems += _share_problems(chosen, places)
    if problems:
        raise InvalidPriorsError(problems)
    return Priors(
        parameters=MappingProxyType(chosen),
        sources=MappingProxyType(sources),
        rates=rate_set,
        digest=_digest(every.values(), rate_set, [tables.get(name) for name in _SHOWN_WITH_ANSWERS]),
        folder=root,
    )


def _toml_files(root: Traversable) -> list[Traversable]:
    return sorted((f for f in root.iterdir() if f.name.endswith(".toml") and f.is_file()), key=lambda f: f.name)


_Row = TypeVar("_Row", bound=BaseModel)


def _sources(table: Mapping[str, Any], problems: list[str]) -> dict[str, Source]:
    found: dict[str, Source] = {}
    rows = table.get("source", {})
    if not isinstance(rows, dict):
        problems.append("sources.toml: 'source' must be a table of sources by key, got something else")
        return found
    for key, row in rows.items():
        source = validated(
            Source, {**row, "key": key} if isinstance(row, dict) else row, f"sources.toml: {key}", problems
        )
        if source is not None:
            found[key] = source
    return found


def validated(kind: type[_Row], row: Any, where: str, problems: list[str]) -> _Row | None:  # noqa: ANN401
    """Return the row as ``kind``, or add one sentence per broken rule."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        problems.extend(f"{where}: {_rule(item, kind)}" for item in error.errors(include_url=False))
        return None


def _rule(item: Any, kind: type[BaseModel]) -> str:  # noqa: ANN401
    """Say one pydantic error as field, rule and what was got."""
    field = ".".join(str(part) for part in item["loc"])
    got = item.get("input")
    shown = repr(got) if isinstance(got, str | int | float | bool) or got is None else type(got).__name__
    if item["type"] == "extra_forbidden":
        return f"must not have a field {field!r}{nearest(field, kind.model_fields)}"
    if item["type"] == "missing":
        return f"must have a field {field!r}, got none"
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    message = item["msg"][0].lower() + item["msg"][1:]
    if field in {"point", "low", "high", "unfitted"} and item["type"] in {"greater_than", "less_than", "finite_number"}:
        return f"{field} must lie strictly between 0 and 1, got {shown}"
    return f"{field}: {message.replace('input should be', 'must be')}, got {shown}"


def _leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the tables that are numbers: those that hold something other than tables."""
    for key, value in table.items():
        here = (*path, key)
        if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
            yield from _leaves(value, here)
        else:
            yield here, value


_Key = tuple[str, RateSet | None]


def _parameters(
    tables: Mapping[str, Mapping[str, Any]], sources: Mapping[str, Source], problems: list[str]
) -> tuple[dict[_Key, Parameter], dict[str, str]]:
    every: dict[_Key, Parameter] = {}
    places: dict[str, str] = {}
    for name, table in tables.items():
        if name in _NOT_PARAMETERS:
            continue
        for path, row in _leaves(table):
            variant = next((rates for rates in RATE_SETS if path[-1] == rates), None)
            id_ = ".".join(path[:-1] if variant else path)
            where = f"{name}: {'.'.join(path)}"
            if not isinstance(row, dict):
                problems.append(f"{where}: must be a table with the fields of a number, got {row!r}")
                continue
            if (id_, variant) in every:
                problems.append(f"{where}: must stand once in the folder, got it in {places[id_]} as well")
                continue
            if any((id_, other) in every for other in ((None,) if variant else RATE_SETS)):
                problems.append(f"{where}: a number must stand once or by rate set, got it both ways in the folder")
                continue
            parameter = validated(Parameter, {**row, "id": id_, "rate_set": variant}, where, problems)
            if parameter is None:
                continue
            problems += _unknown_sources(parameter, sources, where)
            every[id_, variant] = parameter
            places.setdefault(id_, name)
    return every, places


def _unknown_sources(parameter: Parameter, sources: Mapping[str, Source], where: str) -> list[str]:
    named = [*parameter.sources, *(item.source for item in parameter.considered)]
    return [
        f"{where}: every source must be listed in sources.toml, got {key!r}{nearest(key, sources)}"
        for key in dict.fromkeys(named)
        if key not in sources
    ]


def _choose(every: Mapping[_Key, Parameter], rates: RateSet) -> dict[str, Parameter]:
    """Take the variant of the rate set where there is one, else the number that holds for both."""
    chosen: dict[str, Parameter] = {}
    for (id_, variant), parameter in every.items():
        if variant in (None, rates):
            chosen[id_] = parameter
    return chosen


def share_groups(ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the numbers that are shares of one whole, by the path they have in common."""
    groups: dict[str, list[str]] = defaultdict(list)
    for id_ in ids:
        parent, _, _ = id_.rpartition(".")
        if parent.split(".")[0] in SHARE_GROUPS:
            groups[parent].append(id_)
    return groups


def _share_problems(parameters: Mapping[str, Parameter], places: Mapping[str, str]) -> list[str]:
    problems = []
    for parent, ids in share_groups(parameters).items():
        total = sum(parameters[id_].point for id_ in ids)
        if abs(total - 1) > _SHARE_TOLERANCE:
            problems.append(f"{places[ids[0]]}: {parent}: the shares must sum to 1, got {total:.12g}")
    return problems


def _digest(parameters: Iterable[Parameter], rates: RateSet, others: Sequence[object]) -> str:
    """Hash the numbers of every rate set, the choice, and what is shown with answers, whatever the files' layout."""
    rows = sorted((p.model_dump(mode="json", exclude_defaults=True) for p in parameters), key=_sort_key)
    text = json.dumps([rates, rows, others], default=str, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _sort_key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["id"], row.get("rate_set") or ""


def priors_schema() -> dict[str, Any]:
    """Return the JSON Schema of one number as it stands in a file, with its sources' beside it."""
    parameter = Parameter.model_json_schema()
    source = Source.model_json_schema()
    for schema, filled in ((parameter, ("id", "rate_set")), (source, ("key",))):
        for name in filled:  # filled in by the reader: the path of the table
            schema["properties"].pop(name)
    source.pop("$defs", None)
    definitions = parameter.pop("$defs", {})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Numbers of Rootcause",
        "description": "A file of numbers: nested tables whose leaves are numbers; sources.toml holds 'source' tables.",
        "anyOf": [{"$ref": "#/$defs/Sources"}, {"$ref": "#/$defs/Numbers"}],
        "$defs": {
            **definitions,
            "Parameter": parameter,
            "Source": source,
            "Sources": {
                "type": "object",
                "properties": {"source": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Source"}}},
                "required": ["source"],
                "additionalProperties": False,
            },
            "Numbers": {
                "type": "object",
                "additionalProperties": {"anyOf": [{"$ref": "#/$defs/Parameter"}, {"$ref": "#/$defs/Numbers"}]},
            },
        },
    }
