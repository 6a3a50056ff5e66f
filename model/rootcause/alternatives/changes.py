"""What an alternative is made of: numbers with another value, and records whose figure is not taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from rootcause.priors import Parameter, share_groups

Kind = Literal["rates", "technique", "study"]

Standing = Literal["inside", "outside", "set_aside"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""How admissible other numbers are, the most admissible first."""

FOLLOWS = "follows, so that the shares of its whole sum to 1"
"""The ``text`` of a share that has no figure of its own."""

_RANGES = {
    "across_techniques": "across techniques",
    "across_studies": "across studies",
    "ci95": "95 % confidence interval",
    "judgement": "by judgement",
}
_ABOUT = ("basis", "locator", "population", "read", "derivation", "note")
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One number with another value.

    Attributes:
        id: The number.
        before: Its value in the model.
        after: The other value.
        low: Lower end of the range of the other value; ``None`` where nothing is known of that.
        high: Upper end.
        range: What the ends are, in words; empty where there are none.
        text: Where the other value is from: the words of the record, or of what was taken.
        record: Id of the record; empty where it is none.
        sources: Keys of all publications that the other value rests on.
        reason: Why the record was set aside; empty where it was not.
        within: Whether the other value lies in the range that the number has in the model.
        about: What is noted of the other value, by the name of its field: its basis, the place in its sources, its
            population, its derivation and its note, with the counts that it is from; empty for a record.
    """

    id: str
    before: float
    after: float
    low: float | None
    high: float | None
    range: str
    text: str
    record: str
    sources: tuple[str, ...]
    reason: str
    within: bool
    about: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record whose figure is not taken.

    Attributes:
        id: The number that it speaks of.
        text: Its words.
        record: Its id.
        source: Key of its publication.
        why: Why its figure is not taken.
    """

    id: str
    text: str
    record: str
    source: str
    why: str

    def __str__(self) -> str:
        return f"{self.id} cannot be switched: {self.why}: {self.text!r}"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other values for some numbers.

    Attributes:
        kind: What it is.
        key: The rate set, the technique, or the key of the publication.
        label: It in words.
        note: What taking it means.
        changes: The numbers that differ, in the order of the folder; empty where none does.
        refused: What was noted of it and is not taken.
    """

    kind: Kind
    key: str
    label: str
    note: str
    changes: tuple[Change, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def set_aside(self) -> tuple[Change, ...]:
        """The changes whose records were set aside."""
        return tuple(change for change in self.changes if change.reason)

    @property
    def outside(self) -> tuple[Change, ...]:
        """The changes to a value outside the range that the number has in the model."""
        return tuple(change for change in self.changes if not change.within)

    @property
    def standing(self) -> Standing:
        """How admissible it is: inside all ranges, outside of some but never set aside, or both."""
        return "inside" if not self.outside else "set_aside" if self.set_aside else "outside"


def taken(parameter: Parameter, other: Parameter, text: str) -> Change:
    """Return the change of a number to that of another one.

    Args:
        parameter: The number of the model.
        other: The one that is taken.
        text: What that is, in words.
    """
    return Change(
        id=parameter.id,
        before=parameter.point,
        after=other.point,
        low=other.low,
        high=other.high,
        range=_RANGES[other.range],
        text=text,
        record="",
        sources=other.sources,
        reason="",
        within=parameter.low <= other.point <= parameter.high,
        about={name: getattr(other, name) for name in _ABOUT if getattr(other, name)},
    )


def with_shares(
    now: Mapping[str, Parameter], changes: Sequence[Change]
) -> tuple[tuple[Change, ...], tuple[Refused, ...]]:
    """Return changes with the shares that follow them, and those that no whole can hold.

    Args:
        now: The numbers of the model.
        changes: To some of them.

    Returns:
        The changes, in the order of the numbers; and a refusal for each share of a whole that would not sum to 1.
    """
    by_id = {change.id: change for change in changes}
    refused: list[Refused] = []
    for ids in share_groups(now).values():
        own = [by_id[id_] for id_ in ids if id_ in by_id]
        if not own:
            continue
        rest = [id_ for id_ in ids if id_ not in by_id]
        left = 1 - sum(change.after for change in own)
        if (rest and left <= 0) or (not rest and abs(left) > _SAME):
            why = f"its shares sum to {1 - left:.4g}, and a whole is 1"
            for item in own:
                refused.append(Refused(item.id, item.text, item.record, ", ".join(item.sources), why))
                del by_id[item.id]
            continue
        total = sum(now[id_].point for id_ in rest)
        by_id |= {id_: _following(now[id_], now[id_].point * left / total) for id_ in rest}
    return tuple(by_id[id_] for id_ in now if id_ in by_id), tuple(refused)


def _following(parameter: Parameter, point: float) -> Change:
    return Change(
        id=parameter.id,
        before=parameter.point,
        after=point,
        low=None,
        high=None,
        range="",
        text=FOLLOWS,
        record="",
        sources=(),
        reason="",
        within=parameter.low <= point <= parameter.high,
    )
