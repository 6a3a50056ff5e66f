"""What must not wait: the causes by points lost for each hour of waiting, beside the red flags and apart from them.

The ranking multiplies probability by harm and divides by the hours until the harm cannot be undone. It reads posteriors
and stakes; the red flags read the case alone, and neither changes the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rootcause.errors import InvalidInputError, nearest
from rootcause.shares import Interval, check_posterior, percent, share
from rootcause.stakes import RESTS, Quantity, Stakes, Threshold
from rootcause.vocabulary import load_vocabulary

Side = Literal["above", "below", "across"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waiting costs for one cause.

    Attributes:
        cause: Its id.
        probability: Posterior mean, from 0 to 1.
        low: 5th percentile of the posterior; ``None`` without an interval.
        high: 95th percentile.
        harm: Points lost if it is missed until the loss is irreversible.
        hours: Time until then.
        benefit: Points gained by acting in time when it is there.
        risk: Points lost by acting when it is not there.
        act: What acting on it is, in words.
        loss: Points lost per hour of waiting: probability x harm / hours.
        loss_low: The least that the ranges of all three allow.
        loss_high: The most.
        threshold: Probability above which acting is worth its risk.
        above: Whether the mean lies above the threshold.
        interval: Where the whole interval lies: above the threshold, not above it, or across; ``None`` without one.
        firm: Whether the same is so for every threshold in its range; ``False`` where the interval lies across.
    """

    cause: str
    probability: float
    low: float | None
    high: float | None
    harm: Quantity
    hours: Quantity
    benefit: Quantity
    risk: Quantity
    act: str
    loss: float
    loss_low: float
    loss_high: float
    threshold: Threshold
    above: bool
    interval: Side | None
    firm: bool

    @property
    def assumed(self) -> tuple[str, ...]:
        """Which of harm, hours, benefit and risk no source stands behind."""
        named = {"harm": self.harm, "hours": self.hours, "benefit": self.benefit, "risk": self.risk}
        return tuple(name for name, quantity in named.items() if quantity.basis == "assumed")

    @property
    def sentence(self) -> str:
        """The factors and the verdict in words."""
        label = load_vocabulary().causes[self.cause].label
        factors = (
            f"{share(self.probability, self.low, self.high)} x {self.harm.value:g} points in {self.hours.value:g} h"
        )
        lost = f"{self.loss:.2g} points lost per hour ({self.loss_low:.2g} to {self.loss_high:.2g})"
        assumed = f" Assumed: {', '.join(self.assumed)}." if self.assumed else ""
        return f"{label}: {factors} = {lost}. {self._verdict()}{assumed}"

    def _verdict(self) -> str:
        if self.act == RESTS:
            return "What is done for it alone rests while a red flag is open."
        line = self.threshold
        at = f"{percent(line.value)} % ({percent(line.low)} to {percent(line.high)} % over the ranges)"
        mean = "above" if self.above else "not above"
        said = f"To act ({self.act}) outweighs its risk above {at}: the mean is {mean}"
        if self.interval is None:
            return f"{said}."
        if self.interval == "across":
            return f"{said}, the interval lies on both sides."
        whole = "above" if self.interval == "above" else "not above"
        firm = (
            "whatever threshold of its range is taken"
            if self.firm
            else "which another threshold of its range would change"
        )
        return f"{said}, the whole interval is {whole}, {firm}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "cause": self.cause,
            "probability": {"mean": self.probability, "low": self.low, "high": self.high},
            "harm": _plain(self.harm),
            "hours": _plain(self.hours),
            "benefit": _plain(self.benefit),
            "risk": _plain(self.risk),
            "loss_per_hour": {"value": self.loss, "low": self.loss_low, "high": self.loss_high},
            "act": self.act,
            "threshold": {"value": self.threshold.value, "low": self.threshold.low, "high": self.threshold.high},
            "above": self.above,
            "interval": self.interval,
            "firm": self.firm,
            "assumed": list(self.assumed),
            "sentence": self.sentence,
        }


def _plain(quantity: Quantity) -> dict[str, Any]:
    return {
        "value": quantity.value,
        "low": quantity.low,
        "high": quantity.high,
        "basis": quantity.basis,
        "sources": list(quantity.sources),
    }


def rank_by_stakes(posterior: Mapping[str, Interval], stakes: Stakes) -> tuple[Waiting, ...]:
    """Rank causes by points lost per hour of waiting, the most first.

    Args:
        posterior: By cause, mean and both ends of its interval, from 0 to 1; the ends ``None`` where there is none.
        stakes: The stakes of every cause.

    Returns:
        One row for each cause of ``posterior``; on a tie in the order given.

    Raises:
        InvalidInputError: If a cause has no stakes, or a probability does not lie from 0 to 1.
    """
    rows = [_waiting(cause, item, stakes) for cause, item in posterior.items()]
    return tuple(sorted(rows, key=lambda row: -row.loss))


def must_not_wait_text(rows: tuple[Waiting, ...], shown: int = 5) -> str:
    """Return the first rows as numbered lines for a terminal."""
    lines = [f"{place}. {row.sentence}" for place, row in enumerate(rows[:shown], 1)]
    return "\n".join(["What must not wait, by points lost per hour (100 points: a permanent severe deficit):", *lines])


def _waiting(cause: str, item: Interval, stakes: Stakes) -> Waiting:
    check_posterior(cause, item)
    if cause not in stakes.causes:
        msg = f"posterior: every cause must have stakes, got {cause!r}{nearest(cause, stakes.causes)}"
        raise InvalidInputError(msg)
    mean, low, high = item
    stake = stakes.causes[cause]
    line = stake.threshold
    side = _side(low, high, line.value)
    return Waiting(
        cause=cause,
        probability=mean,
        low=low,
        high=high,
        harm=stake.harm,
        hours=stake.hours,
        benefit=stake.benefit,
        risk=stake.risk,
        act=stake.act,
        loss=mean * stake.harm.value / stake.hours.value,
        loss_low=(mean if low is None else min(low, mean)) * stake.harm.low / stake.hours.high,
        loss_high=(mean if high is None else max(high, mean)) * stake.harm.high / stake.hours.low,
        threshold=line,
        above=mean > line.value,
        interval=side,
        firm=side not in (None, "across") and side == _side(low, high, line.low) == _side(low, high, line.high),
    )


def _side(low: float | None, high: float | None, line: float) -> Side | None:
    if low is None or high is None:
        return None
    return "above" if low > line else "below" if high <= line else "across"
