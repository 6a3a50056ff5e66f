"""The gates that join reasons to what they bring: noisy-MAX and noisy-OR, leaks, and what follows for sure."""

from collections.abc import Iterator, Mapping, Sequence

from rootcause.structure.words import (
    DAYS,
    base_of,
    states_of,
)
from rootcause.tables import Array, Contribution, Fill, Node, binary, certain, chain, graded, stack
from rootcause.uncertainty import Draws


def card(name: str) -> int:
    """Return the number of states of a node or of a link of its chain."""
    return len(states_of(base_of(name)))


def worst(name: str, contributions: Sequence[Contribution], max_columns: int) -> Iterator[Node]:
    """Yield the links of a node that takes the worst of its contributions."""
    yield from chain(name, states_of(name), contributions, card, max_columns)


def plain_leak(*ids: str) -> Contribution:
    """A leak from numbers: successive conditional probabilities of the ordered states."""
    return Contribution((), lambda n: graded(*(n[id_] for id_ in ids)))


def by_state(parent: str, fill_of: Mapping[str, Fill], otherwise: Fill) -> Contribution:
    """A contribution of one parent, with a distribution of its own for some of its states."""
    states = states_of(parent)
    return Contribution((parent,), lambda n: stack([fill_of.get(state, otherwise)(n) for state in states]))


def if_present(parent: str, size: int, fill: Fill) -> Contribution:
    """A contribution of a binary reason that is present."""
    return by_state(parent, {states_of(parent)[1]: fill}, lambda _: certain(0, size))


def link(finding: str, cause: str) -> Contribution:
    """A plain noisy-OR link from a cause to a binary finding."""
    return if_present(cause, 2, lambda n: binary(n[f"link.{finding}.{cause}"]))


def by_onset(cause: str, row: Mapping[str, Fill]) -> Contribution:
    """A binary contribution of a cause that is present, by the window in which it began."""

    def fill(n: Draws) -> Array:
        none = certain(0, 2)
        return stack([stack([none, row[w](n) if w in row else none]) for w in states_of(f"onset_{cause}")])

    return Contribution((f"onset_{cause}", cause), fill)


def follows(part: str) -> Contribution:
    """Sure presence from any state of ``part`` but its first."""

    def fill(_: Draws) -> Array:
        return stack([certain(int(index > 0), 2) for index in range(len(states_of(part)))])

    return Contribution((part,), fill)


def noisy_or(
    finding: str, reasons: Sequence[str], max_columns: int, leak: Contribution | None = None
) -> Iterator[Node]:
    """A leaky noisy-OR."""
    first = leak or plain_leak(f"leak.{finding}")
    yield from worst(finding, [first, *(link(finding, reason) for reason in reasons)], max_columns)


def early_or_later(day: str) -> str:
    """Return the key of a number that has an early and a later value."""
    return "early" if day == DAYS[0] else "later"


def leak_early_or_later(family: str) -> Contribution:
    """A leak with an early and a later value."""
    return Contribution(
        ("examination_day",), lambda n: stack([binary(n[f"leak.{family}.{early_or_later(day)}"]) for day in DAYS])
    )


def leak_each_day(finding: str) -> Contribution:
    """A leak with a value for each window of examination days."""
    return Contribution(("examination_day",), lambda n: stack([binary(n[f"leak.{finding}.{day}"]) for day in DAYS]))
