"""Stakes: what missing a cause costs, how fast, what acting gains and risks; and what each examination takes.

All points lie on one scale: 100 is a permanent severe deficit such as a foot drop with incontinence. The numbers are
data (``stakes.toml``), most of them openly assumed, and a user's own file replaces them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from rootcause.errors import InvalidInputError, InvalidPriorsError, nearest
from rootcause.priors import Strict, Text, read_toml, shipped_priors, shipped_sources, validated
from rootcause.rules import Level
from rootcause.vocabulary import load_vocabulary

FILE = "stakes.toml"
RESTS = "nothing for it alone while a red flag is open"
"""Stands in the place of an act that rests."""

FIELDS = ("harm", "hours", "benefit", "risk")
Where = Literal["bedside", "laboratory", "imaging", "electrophysiology"]
Keys = Annotated[tuple[Text, ...], Field(strict=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Quantity(Strict):
    """A number with its range and where it comes from.

    Attributes:
        value: In points, or in hours.
        low: Lower end of the range, at most ``value``.
        high: Upper end of the range.
        basis: ``cited`` (a record gives it), ``derived`` (arithmetic on records, in the note) or ``assumed``.
        sources: Keys into the list of sources.
        records: Ids of the records of evidence that were read there.
        note: Why this number, and what is weak about it.
    """

    value: Amount
    low: Amount
    high: Amount
    basis: Literal["cited", "derived", "assumed"]
    sources: Keys = ()
    records: Keys = ()
    note: Text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low <= self.value <= self.high:
            msg = (
                f"low <= value <= high must hold, got low = {self.low:g}, value = {self.value:g}, high = {self.high:g}"
            )
            raise ValueError(msg)
        named = bool(self.sources and self.records)
        if self.basis != "assumed" and not named:
            msg = f"a {self.basis} number must name its sources and records, got none"
            raise ValueError(msg)
        if self.basis == "assumed" and (self.sources or self.records):
            msg = "an assumed number must name no source or record (say in the note what points its way), got some"
            raise ValueError(msg)
        if self.basis == "assumed" and self.low == self.high:
            msg = f"an assumed number must have a range, got {self.value:g} alone"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class Threshold:
    """A probability above which acting is worth its risk, with the range that the ranges of its parts allow."""

    value: float
    low: float
    high: float


class Stake(Strict):
    """What hangs on one cause.

    Attributes:
        cause: Its id.
        act: What acting on it is, in words.
        test: The finding that shows it best, where one does.
        not_when: Levels of urgency under which the act is not named, lest it soothes.
        harm: Points lost if the cause is there and missed until the loss is irreversible.
        hours: Time until then.
        benefit: Points gained by acting in time when the cause is there.
        risk: Points lost by acting when it is not there.
    """

    cause: str
    act: Text
    test: str | None = None
    not_when: Annotated[tuple[Level, ...], Field(strict=False)] = ()
    harm: Quantity
    hours: Quantity
    benefit: Quantity
    risk: Quantity

    @model_validator(mode="after")
    def _check(self) -> Self:
        known = load_vocabulary().findings
        if self.test is not None and self.test not in known:
            msg = f"test must be a known finding, got {self.test!r}{nearest(self.test, known)}"
            raise ValueError(msg)
        if self.hours.low <= 0:
            msg = f"hours must be above 0, got low = {self.hours.low:g}"
            raise ValueError(msg)
        if self.benefit.low <= 0 or self.benefit.value > self.harm.value:
            got = f"low = {self.benefit.low:g}, value = {self.benefit.value:g}, harm = {self.harm.value:g}"
            msg = f"benefit must be above 0 and at most the harm, got {got}"
            raise ValueError(msg)
        return self

    @property
    def threshold(self) -> Threshold:
        """Probability of the cause above which acting is worth its risk: R / (B + R).

        Source: Pauker & Kassirer 1975, N Engl J Med.
        """
        benefit, risk = self.benefit, self.risk
        return Threshold(
            risk.value / (benefit.value + risk.value),
            risk.low / (benefit.high + risk.low),
            risk.high / (benefit.low + risk.high),
        )


class Examination(Strict):
    """One thing that is done to learn about one or more findings at once.

    Attributes:
        id: Its name.
        label: Words for people.
        findings: What it shows.
        where: At the bedside, in the laboratory, by imaging or by electrophysiology.
        cost: Points, for the patient's burden and the service's effort; on the scale of the stakes.
        delay_hours: From the request to the result.
        harm: Points that the examination itself is expected to cost the patient.
    """

    id: str
    label: Text
    findings: Annotated[Keys, Field(min_length=1)]
    where: Where
    cost: Quantity
    delay_hours: Quantity
    harm: Quantity


@dataclass(frozen=True, slots=True)
class Stakes:
    """The stakes of every cause and the price of every examination, in the order of the file."""

    causes: Mapping[str, Stake]
    examinations: Mapping[str, Examination]

    def under(self, level: Level) -> "Stakes":
        """Return the same with every act that would soothe under a level of urgency laid to rest."""
        causes = {
            name: stake.model_copy(update={"act": RESTS}) if level in stake.not_when else stake
            for name, stake in self.causes.items()
        }
        return Stakes(MappingProxyType(causes), self.examinations)

    def with_values(self, values: Mapping[tuple[str, str], float]) -> "Stakes":
        """Return the same with other values, each openly assumed and its range moved to hold it.

        Args:
            values: By cause and field (``harm``, ``hours``, ``benefit`` or ``risk``), the value, above 0.

        Raises:
            InvalidInputError: If a cause or field is unknown, or a value is not finite and above 0.
        """
        causes = dict(self.causes)
        for (cause, field), value in values.items():
            if cause not in causes:
                raise InvalidInputError(f"stakes: must name a known cause, got {cause!r}{nearest(cause, causes)}")
            if field not in FIELDS:
                raise InvalidInputError(f"stakes: {cause}: must name one of {', '.join(FIELDS)}, got {field!r}")
            if not (math.isfinite(value) and value > 0):
                raise InvalidInputError(f"stakes: {cause}: {field} must be finite and above 0, got {value!r}")
            old: Quantity = getattr(causes[cause], field)
            span = {"value": value, "low": min(old.low, value), "high": max(old.high, value)}
            unsourced = {"basis": "assumed", "sources": (), "records": (), "note": "Changed by the reader."}
            new = old.model_copy(update=span | unsourced)
            causes[cause] = causes[cause].model_copy(update={field: new})
        return Stakes(MappingProxyType(causes), self.examinations)

    def examination_of(self, finding: str) -> Examination:
        """Return the one examination that shows a finding.

        Raises:
            KeyError: If the finding is not in the vocabulary.
        """
        for examination in self.examinations.values():
            if finding in examination.findings:
                return examination
        raise KeyError(finding)


class _File(Strict):
    cause: dict[str, dict[str, Any]]
    examination: dict[str, dict[str, Any]]


# ---- reading --------------------------------------------------------------------------------------------------------


def load_stakes(folder: Traversable, sources: Iterable[str]) -> Stakes:
    """Read ``stakes.toml`` of a folder of numbers; a folder without one takes the stakes that the package ships.

    Args:
        folder: The folder.
        sources: Keys of the sources that may be named.

    Raises:
        InvalidPriorsError: Naming every broken rule at once.
    """
    if not (folder / FILE).is_file():
        folder, sources = shipped_priors(), shipped_sources()
    problems: list[str] = []
    data = validated(_File, read_toml(folder / FILE, problems), FILE, problems)
    if data is None:
        raise InvalidPriorsError(problems)
    causes = _rows(Stake, "cause", data.cause, problems)
    examinations = _rows(Examination, "id", data.examination, problems)
    problems += _unknown_sources(causes, examinations, frozenset(sources))
    problems += _wrong_causes(data.cause)
    if len(examinations) == len(data.examination):  # else a broken row would be told of twice
        problems += _wrong_findings(examinations)
    if problems:
        raise InvalidPriorsError(problems)
    return Stakes(MappingProxyType(causes), MappingProxyType(examinations))


_Kind = TypeVar("_Kind", Stake, Examination)


def _rows(kind: type[_Kind], name: str, rows: Mapping[str, Mapping[str, Any]], problems: list[str]) -> dict[str, _Kind]:
    table = "cause" if kind is Stake else "examination"
    read = {id_: validated(kind, {**row, name: id_}, f"{FILE}: {table}.{id_}", problems) for id_, row in rows.items()}
    return {id_: item for id_, item in read.items() if item is not None}


def _quantities(item: Stake | Examination) -> dict[str, Quantity]:
    return {name: value for name, value in item if isinstance(value, Quantity)}


def _unknown_sources(
    causes: Mapping[str, Stake], examinations: Mapping[str, Examination], known: frozenset[str]
) -> list[str]:
    rows: dict[str, Stake | Examination] = {f"cause.{id_}": item for id_, item in causes.items()}
    rows |= {f"examination.{id_}": item for id_, item in examinations.items()}
    return [
        f"{FILE}: {id_}.{name}: every source must be listed in sources.toml, got {key!r}{nearest(key, known)}"
        for id_, item in rows.items()
        for name, quantity in _quantities(item).items()
        for key in quantity.sources
        if key not in known
    ]


def _wrong_causes(rows: Iterable[str]) -> list[str]:
    known, named = load_vocabulary().causes, set(rows)
    missing = [f"{FILE}: every cause must have its stakes, got none for {cause}" for cause in known.keys() - named]
    strange = named - known.keys()
    return sorted(missing) + [
        f"{FILE}: every cause must be in the vocabulary, got {cause!r}{nearest(cause, known)}"
        for cause in sorted(strange)
    ]


def _wrong_findings(examinations: Mapping[str, Examination]) -> list[str]:
    """Each finding stands in one examination; what one test shows comes together and with nothing else."""
    known = load_vocabulary().findings
    named = Counter(finding for item in examinations.values() for finding in item.findings)
    problems = [
        f"{FILE}: every finding must be in the vocabulary, got {finding!r}{nearest(finding, known)}"
        for finding in named
        if finding not in known
    ]
    problems += [
        f"{FILE}: every finding must stand in exactly one examination, got {named[finding]} for {finding}"
        for finding in known
        if named[finding] != 1
    ]
    if problems:
        return problems
    places: dict[str, str] = {}
    for item in examinations.values():
        tests = {known[finding].test for finding in item.findings}
        if len(tests) > 1:
            said = " and ".join(sorted(test or "the bedside" for test in tests))
            problems.append(f"{FILE}: examination.{item.id}: its findings must come from one test, got {said}")
        problems += [
            f"{FILE}: examination.{item.id}: what {test} shows must stand together, got it in {places[test]} as well"
            for test in sorted(test for test in tests if test)
            if places.setdefault(test, item.id) != item.id
        ]
        if tests == {None} and item.where != "bedside":
            problems.append(f"{FILE}: examination.{item.id}: a sign must be found at the bedside, got {item.where!r}")
    return problems
