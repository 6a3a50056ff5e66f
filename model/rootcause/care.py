"""Care: what is usually looked for, done and told for each cause that is in question, with its basis.

The texts are data (``care.toml``). They are never orders, and each names its sources or says that it has none. Which
causes are shown hangs on the upper end of their interval, so that a cause that may be there is not left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rootcause.errors import InvalidInputError, InvalidPriorsError, nearest
from rootcause.priors import Strict, Text, read_toml, shipped_priors, shipped_sources, validated
from rootcause.rules import LEVELS, Level
from rootcause.shares import Interval, check_posterior, share
from rootcause.vocabulary import load_vocabulary

FILE = "care.toml"
KINDS = ("workup", "management", "prognosis")
"""The three parts of care, in the order in which they are shown."""

DEFAULT_SHOW_FROM = 0.05
NO_SOURCE = "common practice, no source at hand"

Keys = Annotated[tuple[Text, ...], Field(strict=False)]


class CareItem(Strict):
    """One statement about one cause.

    Attributes:
        id: Its path: cause, part and name.
        text: What is usual or possible; never an order.
        basis: ``cited``, or ``assumed`` where no source is at hand.
        sources: Keys into the list of sources.
        records: Ids of the records of evidence behind it.
        claims: Statements of the seed documents that it carries.
        not_when: Levels of urgency under which it rests, lest it soothes.
    """

    id: str
    text: Text
    basis: Literal["cited", "assumed"]
    sources: Keys = ()
    records: Keys = ()
    claims: Keys = ()
    not_when: Annotated[tuple[Level, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.basis == "cited" and not (self.sources and (self.records or self.claims)):
            msg = "a cited text must name its sources, and records or claims, got none"
            raise ValueError(msg)
        if self.basis == "assumed" and (self.sources or self.records or self.claims):
            msg = "an assumed text must name no source, record or claim, got some"
            raise ValueError(msg)
        return self

    @property
    def shown(self) -> str:
        """The text, with a mark where it has no source."""
        return self.text if self.basis == "cited" else f"{self.text} ({NO_SOURCE})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "id": self.id,
            "text": self.shown,
            "basis": self.basis,
            "sources": list(self.sources),
            "records": list(self.records),
            "claims": list(self.claims),
        }


@dataclass(frozen=True, slots=True)
class CauseCare:
    """What is said about one cause, in the order of the file."""

    workup: tuple[CareItem, ...]
    management: tuple[CareItem, ...]
    prognosis: tuple[CareItem, ...]


@dataclass(frozen=True, slots=True)
class Care:
    """What is said about every cause.

    Attributes:
        show_from: Probability from which a cause is shown.
        causes: By cause.
    """

    show_from: float
    causes: Mapping[str, CauseCare]

    @property
    def items(self) -> tuple[CareItem, ...]:
        """Every statement."""
        return tuple(item for cause in self.causes.values() for kind in KINDS for item in getattr(cause, kind))


@dataclass(frozen=True, slots=True)
class CareAdvice:
    """What is shown of one cause for one patient.

    Attributes:
        cause: Its id.
        basis: Why it is shown: its probability with the interval, in words.
        mean: Posterior mean, from 0 to 1.
        low: 5th percentile; ``None`` without an interval.
        high: 95th percentile.
        workup: What is usually looked for.
        management: What is usually done.
        prognosis: What is usually told.
    """

    cause: str
    basis: str
    mean: float
    low: float | None
    high: float | None
    workup: tuple[CareItem, ...]
    management: tuple[CareItem, ...]
    prognosis: tuple[CareItem, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        parts = {kind: [item.to_dict() for item in getattr(self, kind)] for kind in KINDS}
        probability = {"mean": self.mean, "low": self.low, "high": self.high}
        return {"cause": self.cause, "basis": self.basis, "probability": probability, **parts}

    def to_lines(self) -> list[str]:
        """Return it as lines for a terminal."""
        lines = [self.basis]
        for kind in KINDS:
            lines += [f"  {kind.capitalize()}: {item.shown}" for item in getattr(self, kind)]
        return lines


def care_for(care: Care, posterior: Mapping[str, Interval], level: Level) -> tuple[CareAdvice, ...]:
    """Return the care that is shown for a patient, the most probable cause first.

    Args:
        care: All statements.
        posterior: By cause, mean and both ends of its interval, from 0 to 1; the ends ``None`` where there is none.
        level: The urgency of the case; texts that would soothe under it rest.

    Returns:
        One entry for each cause whose upper end (the mean where there is no interval) reaches ``care.show_from``.

    Raises:
        InvalidInputError: If a cause or the level is not known, or a probability does not lie from 0 to 1.
    """
    if level not in LEVELS:
        msg = f"level: must be one of {', '.join(LEVELS)}, got {level!r}"
        raise InvalidInputError(msg)
    shown = []
    for cause, item in posterior.items():
        check_posterior(cause, item)
        if cause not in care.causes:
            msg = f"posterior: every cause must have its care, got {cause!r}{nearest(cause, care.causes)}"
            raise InvalidInputError(msg)
        mean, _, high = item
        if max(mean, high if high is not None else 0.0) >= care.show_from:
            shown.append(_advice(cause, care.causes[cause], item, level))
    return tuple(sorted(shown, key=lambda advice: -advice.mean))


def care_text(advice: Iterable[CareAdvice]) -> str:
    """Return the care of all causes shown as lines for a terminal."""
    return "\n".join(line for item in advice for line in item.to_lines())


def _advice(cause: str, said: CauseCare, item: Interval, level: Level) -> CareAdvice:
    label = load_vocabulary().causes[cause].label
    mean, low, high = item

    def awake(items: tuple[CareItem, ...]) -> tuple[CareItem, ...]:
        return tuple(each for each in items if level not in each.not_when)

    return CareAdvice(
        cause=cause,
        basis=f"{label}: {share(*item)}",
        mean=mean,
        low=low,
        high=high,
        workup=awake(said.workup),
        management=awake(said.management),
        prognosis=awake(said.prognosis),
    )


# ---- reading --------------------------------------------------------------------------------------------------------


class _File(Strict):
    show_from: Annotated[float, Field(gt=0, le=1)] = DEFAULT_SHOW_FROM
    care: dict[str, dict[str, dict[str, dict[str, Any]]]]


def load_care(folder: Traversable, sources: Iterable[str]) -> Care:
    """Read ``care.toml`` of a folder of numbers; a folder without one takes the texts that the package ships.

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
    known = load_vocabulary().causes
    problems += [
        f"{FILE}: every cause must be in the vocabulary, got {cause!r}{nearest(cause, known)}"
        for cause in data.care
        if cause not in known
    ]
    problems += [
        f"{FILE}: every cause must have its care, got none for {cause}" for cause in known if cause not in data.care
    ]
    causes = {cause: _cause(cause, parts, problems) for cause, parts in data.care.items()}
    care = Care(data.show_from, MappingProxyType(causes))
    listed = frozenset(sources)
    problems += [
        f"{FILE}: {item.id}: every source must be listed in sources.toml, got {key!r}{nearest(key, listed)}"
        for item in care.items
        for key in item.sources
        if key not in listed
    ]
    if problems:
        raise InvalidPriorsError(problems)
    return care


def _cause(cause: str, parts: Mapping[str, Mapping[str, Mapping[str, Any]]], problems: list[str]) -> CauseCare:
    problems += [
        f"{FILE}: {cause}: a part must be one of {', '.join(KINDS)}, got {part!r}{nearest(part, KINDS)}"
        for part in parts
        if part not in KINDS
    ]
    problems += [
        f"{FILE}: {cause}: must have at least one text under {kind}, got none" for kind in KINDS if not parts.get(kind)
    ]
    read = {kind: _items(f"{cause}.{kind}", parts.get(kind, {}), problems) for kind in KINDS}
    return CauseCare(**read)


def _items(path: str, rows: Mapping[str, Mapping[str, Any]], problems: list[str]) -> tuple[CareItem, ...]:
    read = (
        validated(CareItem, {**row, "id": f"{path}.{name}"}, f"{FILE}: {path}.{name}", problems)
        for name, row in rows.items()
    )
    return tuple(item for item in read if item is not None)
