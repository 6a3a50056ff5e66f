"""Local rates: a hospital's own counts update a number of the model.

The number's Beta distribution, matched to its range as for all draws, is what the model holds: something published, or
an assumption. It counts with a weight w between 0 and 1, as a power prior (Ibrahim & Chen 2000): Beta(w a, w b). After
k events in n patients the distribution is Beta(w a + k, w b + n - k); its mean is the new point, its central interval
the new range. At w = 0 the number does not count, and Jeffreys' prior Beta(1/2, 1/2) stands in its place. Shares of one
whole are updated together, by a count for each of them: their distribution is a Dirichlet, and each share's own a Beta
as above.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from rootcause.conjugate import Beta
from rootcause.errors import InvalidInputError, nearest
from rootcause.local_counts import Local, LocalRate, LocalShares, check, check_count
from rootcause.own_numbers import Edit
from rootcause.priors import COVERAGE, SHARE_GROUPS, Parameter, share_groups
from rootcause.uncertainty import concentrations

SURPRISE = 0.05
"""Tail probability below which a count is called a surprise."""

_RESTS_ON: Mapping[str, str] = {
    "cited": "the cited number",
    "derived": "the model's derived number",
    "fitted": "the model's fitted number",
    "assumed": "the model's assumption",
}
_DIGITS = 3  # of the narrower half of a range, in what is written down


@dataclass(frozen=True, slots=True)
class Update:
    """A number before and after the local count.

    Attributes:
        before: The number as it stood.
        after: The number as it is to be used: its range holds the posterior's mass as its kind of range says.
        events: The count.
        of: Among how many.
        weight: How much the number counted.
        matched: The number as a Beta distribution, matched to its range; its size is that of the sample that it stands
            for.
        prior: The number as it counted.
        posterior: After the count.
        tail: How probable a count at least as far out, on the same side, is if the range is right for this hospital
            (Beta-binomial); ``None`` where nobody was counted.
    """

    before: Parameter
    after: Parameter
    events: int
    of: int
    weight: float
    matched: Beta
    prior: Beta
    posterior: Beta
    tail: float | None

    @property
    def surprise(self) -> bool:
        """Whether the count is one that the range hardly allows."""
        return self.tail is not None and self.tail < SURPRISE

    @property
    def sentence(self) -> str:
        """Whether the count is a surprise under the range of the number, in one sentence."""
        if self.tail is None:
            return f"Nobody was counted: {rests_on([self.before])} stands alone."
        expected = self.of * self.matched.mean
        side = "few or fewer" if self.events <= expected else "many or more"
        said, surprise = self.before.basis, self.surprise
        ask = " Ask first whether the same thing was counted, in the same patients." if surprise else ""
        return (
            f"{self.events} of {self.of} is {100 * self.events / self.of:.3g} %, where the {said} "
            f"{100 * self.before.point:.3g} % lets one expect {expected:.1f}: if its range held here, so {side} would "
            f"be counted in {_how_often(self.tail)} hospitals of this size, which is {'a' if surprise else 'no'} "
            f"surprise.{ask}"
        )

    @property
    def edit(self) -> Edit:
        """The change as an edit of the folder."""
        new = self.after
        return Edit(
            id=new.id,
            point=new.point,
            low=new.low,
            high=new.high,
            basis=new.basis,
            derivation=new.derivation,
            rates=new.rate_set,
        )


def update(parameters: Mapping[str, Parameter], local: Local) -> tuple[Update, ...]:
    """Return each number that a local count changes, before and after.

    Args:
        parameters: All numbers of a rate set.
        local: What was counted.

    Returns:
        One for a rate; one for each share of a whole, in the order of the numbers.

    Raises:
        InvalidInputError: If the number is unknown, is a share of a whole, or the counts are no counts.
    """
    if isinstance(local, LocalShares):
        return _of_shares(parameters, local)
    if local.id not in parameters:
        raise InvalidInputError(
            f"{local.id}: must be a number of the model, got none of that name{_near(local, parameters)}"
        )
    whole = local.id.rpartition(".")[0]
    if local.id.split(".")[0] in SHARE_GROUPS:
        raise InvalidInputError(f"{local.id}: is a share of a whole: count every share of {whole}, got one of them")
    check(local.id, local.events, local.of, local.weight)
    before = parameters[local.id]
    size = float(concentrations([before])[0])
    matched = Beta(size * before.point, size * (1 - before.point))
    return (_update(before, matched, matched.weighted(local.weight), (local.events, local.of), local),)


def _of_shares(parameters: Mapping[str, Parameter], local: LocalShares) -> tuple[Update, ...]:
    groups = share_groups(parameters)
    if local.id not in groups:
        msg = f"{local.id}: must be what shares have in common, got none of that name{nearest(local.id, groups)}"
        raise InvalidInputError(msg)
    names = {id_.rpartition(".")[2]: id_ for id_ in groups[local.id]}
    if local.counts.keys() != names.keys():
        listed = ", ".join(names)
        raise InvalidInputError(
            f"{local.id}: must have a count for each of {listed}, got {', '.join(local.counts) or 'none'}"
        )
    for name, count in local.counts.items():
        check_count(f"{local.id}.{name}", "count", count)
    of = sum(local.counts.values())
    check(local.id, of, of, local.weight)
    members = [parameters[id_] for id_ in names.values()]
    size = float(np.median(concentrations(members)))  # that of their draws
    updates = []
    for name, number in zip(names, members, strict=True):
        matched = Beta(size * number.point, size * (1 - number.point))
        prior = matched.weighted(local.weight, len(members))
        updates.append(_update(number, matched, prior, (local.counts[name], of), local))
    return _summing_to_one(updates)


def _update(before: Parameter, matched: Beta, prior: Beta, counted: tuple[int, int], local: Local) -> Update:
    posterior = prior.updated(*counted)
    after = before
    events, of = counted
    if of or local.weight < 1:  # nobody counted and nothing taken away: the number stays as it was written
        after = _after(before, posterior, _derivation(before, prior, counted, local))
    tail = matched.tail(events, of) if of else None
    return Update(before, after, events, of, local.weight, matched, prior, posterior, tail)


def _after(before: Parameter, posterior: Beta, derivation: str) -> Parameter:
    low, high = posterior.interval(COVERAGE[before.range])
    point = posterior.mean
    if not 0 < low < point < high < 1:
        raise InvalidInputError(
            f"{before.id}: the counts and the weight must leave a range around the mean, got {low:.3g} to {high:.3g} "
            f"around {point:.3g}: let the number of the model count more"
        )
    low, point, high = _rounded(low, point, high)
    new = {"point": point, "low": low, "high": high, "basis": "derived", "derivation": derivation, "unfitted": None}
    return before.model_copy(update=new)


def _rounded(low: float, point: float, high: float) -> tuple[float, float, float]:
    """Round to digits that a reader can use, so finely that the distribution of the draws stays what it is."""
    places = _DIGITS - math.floor(math.log10(min(point - low, high - point, low, 1 - high)))
    return round(low, places), round(point, places), round(high, places)


def _summing_to_one(updates: Iterable[Update]) -> tuple[Update, ...]:
    """Give the largest share what rounding left over."""
    listed = list(updates)
    largest = max(range(len(listed)), key=lambda index: listed[index].after.point)
    rest = math.fsum(item.after.point for index, item in enumerate(listed) if index != largest)
    item = listed[largest]
    listed[largest] = replace(item, after=item.after.model_copy(update={"point": round(1 - rest, 12)}))
    return tuple(listed)


def _derivation(before: Parameter, prior: Beta, counted: tuple[int, int], local: Local) -> str:
    where = f" ({local.source.strip()})" if local.source.strip() else ""
    if local.weight > 0:
        held = (
            f"Beta({prior.a:.4g}, {prior.b:.4g}), the {before.basis} {before.point:.4g} "
            f"({before.low:.4g} to {before.high:.4g}) counted with weight {local.weight:.4g} (power prior)"
        )
    else:
        held = (
            f"Jeffreys' prior Beta({prior.a:.4g}, {prior.b:.4g}); the {before.basis} {before.point:.4g} does not count"
        )
    own = f"{counted[0]} of {counted[1]} at one's own hospital{where}, added to {held}."
    return f"{before.derivation.rstrip()} {own}".strip()


def rests_on(numbers: Iterable[Parameter]) -> str:
    """Return in words what numbers are: an assumption is never what somebody published.

    Args:
        numbers: One, or the shares of one whole.
    """
    bases = {number.basis for number in numbers}
    return _RESTS_ON[bases.pop()] if len(bases) == 1 else "what the model has"


def _how_often(tail: float) -> str:
    if tail < 0.001:  # noqa: PLR2004 - said in the words that follow
        return "fewer than 1 in 1,000"
    return f"about {100 * tail:.0f} in 100" if tail >= SURPRISE else f"about 1 in {1 / tail:.0f}"


def _near(local: LocalRate, parameters: Mapping[str, Parameter]) -> str:
    groups = share_groups(parameters)
    if local.id in groups:
        return ": it is a whole, give the counts of its shares"
    return nearest(local.id, parameters)


def updated(parameters: Mapping[str, Parameter], every: Iterable[Local]) -> Mapping[str, Update]:
    """Return all updates by the id of the number.

    Args:
        parameters: All numbers of a rate set.
        every: What was counted; each number once.

    Raises:
        InvalidInputError: Naming every problem, one in a line.
    """
    problems: list[str] = []
    found: dict[str, Update] = {}
    for local in every:
        try:
            new = {item.before.id: item for item in update(parameters, local)}
        except InvalidInputError as error:
            problems.append(str(error))
            continue
        twice = next((id_ for id_ in new if id_ in found), None)
        if twice is not None:
            problems.append(f"{twice}: must be counted once, got two counts: add them up")
        found |= new
    if problems:
        raise InvalidInputError("\n".join(problems))
    return MappingProxyType(found)
