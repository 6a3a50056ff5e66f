"""What is known of a posterior inside a box of ranges: its bounds, where they are reached, and who leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[float, float]
"""The lower and the upper end of a range."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """An end of a range of posteriors that is reached, and where.

    Attributes:
        value: The posterior.
        at: Values of the numbers there; those that are not named stand at their points.
    """

    value: float
    at: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"value": self.value, "at": dict(self.at)}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a posterior lies.

    Attributes:
        lower: The least that is reached.
        upper: The largest.
        certified: What no values in the ranges can go beyond.
        exact: Whether what is reached is what is certified.
    """

    lower: Extreme
    upper: Extreme
    certified: Pair
    exact: bool

    def to_dict(self) -> dict[str, Any]:
        """Return them as plain data."""
        return {
            "lower": self.lower.to_dict(),
            "upper": self.upper.to_dict(),
            "certified": list(self.certified),
            "exact": self.exact,
        }


@dataclass(frozen=True, slots=True)
class Lead:
    """Whether the first outcome is first everywhere.

    Attributes:
        leading: The outcome that is first at the points of all numbers.
        everywhere: Whether it is first at every corner of the numbers that are followed (and so, where the bounds are
            exact, everywhere in between).
        rival: What overtakes it at some corner; ``None`` if nothing does.
        at: Values of the numbers at the corner where the rival is furthest ahead.
        alone: Numbers each of which alone overturns the lead at an end of its range: id, value and rival.
        dominates: Whether its lower bound over the followed numbers is above the upper bound of every other outcome.
        over_all: The rival that overtakes it furthest when all numbers move; ``None`` if the search found none, which
            is no proof that there is none.
        over_all_certain: Whether the certified bounds over all numbers prove the lead.
        ends: By number of ``alone``, which end of its range that is: ``low`` or ``high``.
    """

    leading: str
    everywhere: bool
    rival: str | None
    at: Mapping[str, float]
    alone: tuple[tuple[str, float, str], ...]
    dominates: bool
    over_all: str | None
    over_all_certain: bool
    ends: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        lead = self.leading
        if self.over_all_certain:
            return f"{lead} leads everywhere inside the ranges of all numbers."
        if self.alone:
            id_, value, rival = self.alone[0]
            more = f" ({len(self.alone)} numbers can do so alone)" if len(self.alone) > 1 else ""
            end = f"at the {self.ends[id_]} end of its range, {value:.4g}" if id_ in self.ends else f"at {value:.4g}"
            return f"{lead} does not lead everywhere: {rival} is already ahead with {id_} alone {end}{more}."
        if not self.everywhere:
            return f"{lead} does not lead everywhere: {self.rival} overtakes it when several numbers move together."
        if self.over_all:
            return (
                f"{lead} leads at every corner of the numbers that matter most, but {self.over_all} overtakes it when "
                "all numbers move together."
            )
        return (
            f"{lead} leads at every corner of the numbers that matter most, and no values of all numbers were found "
            "where it does not; that is no proof that there are none."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "leading": self.leading,
            "everywhere": self.everywhere,
            "rival": self.rival,
            "at": dict(self.at),
            "alone": [
                {"number": id_, "value": value, "rival": rival, "end": self.ends.get(id_)}
                for id_, value, rival in self.alone
            ],
            "dominates": self.dominates,
            "over_all": self.over_all,
            "over_all_certain": self.over_all_certain,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class Credal:
    """Lower and upper posteriors.

    Attributes:
        outcome: What is asked for.
        point: Its posterior at the points of all numbers.
        numbers: The numbers that are followed to every corner, the one that moves the answer most first.
        tied: Those of them that stand in several tables, or move a table along a curve.
        corners: How many corners there are.
        bounds: Over these numbers, the others at their points.
        every: By outcome, the least and the largest posterior at the corners.
        count: How many numbers reach the answer at all.
        over_all: Over all of them.
        lead: Whether the first outcome is first everywhere.
    """

    outcome: str
    point: float
    numbers: tuple[str, ...]
    tied: tuple[str, ...]
    corners: int
    bounds: Bounds
    every: Mapping[str, Pair]
    count: int
    over_all: Bounds
    lead: Lead

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "outcome": self.outcome,
            "point": self.point,
            "numbers": list(self.numbers),
            "tied": list(self.tied),
            "corners": self.corners,
            "bounds": self.bounds.to_dict(),
            "every": {name: {"lower": low, "upper": high} for name, (low, high) in self.every.items()},
            "count": self.count,
            "over_all": self.over_all.to_dict(),
            "lead": self.lead.to_dict(),
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        own, whole = self.bounds, self.over_all
        few, every = (_range((bounds.lower.value, bounds.upper.value)) for bounds in (own, whole))
        status = "exact" if own.exact else f"reached; certified {_range(own.certified)}"
        lines = [
            f"{self.outcome}: {self.point:.2%} at the points of all numbers.",
            f"Over the {len(self.numbers)} numbers that move it most ({self.corners:,} corners): {few} ({status}).",
            f"Over all {self.count} numbers: {every} reached, {_range(whole.certified)} certified.",
            self.lead.sentence,
            "",
            f"{'at these corners':34}{'lower':>9}{'upper':>9}",
        ]
        rows = sorted(self.every.items(), key=lambda item: -item[1][1])
        lines += [f"{name:34}{low:>9.2%}{high:>9.2%}" for name, (low, high) in rows]
        lines += ["", f"{'':50}{'at lower':>12}{'at upper':>12}"]
        lines += [self._row(name) for name in self.numbers]
        return "\n".join(lines)

    def _row(self, name: str) -> str:
        words = f"{name} (tied)" if name in self.tied else name
        return f"{words:50}{self.bounds.lower.at[name]:>12.4g}{self.bounds.upper.at[name]:>12.4g}"


def _range(pair: Pair) -> str:
    return f"{pair[0]:.2%} to {pair[1]:.2%}"
