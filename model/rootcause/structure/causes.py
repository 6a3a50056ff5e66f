"""Contexts, causes with their latent onsets, and the onset of the complaint."""

from collections.abc import Iterator

import numpy as np

from rootcause.structure.gates import if_present, worst
from rootcause.structure.words import (
    ABSENT_PRESENT,
    CAUSES_WITH_ONSET,
    DAYS,
    EVERY_CAUSE,
    OLD_DEFICIT,
    ONSET_ORDER,
    PROCEDURES,
    kind_of,
    rate_id,
    states_of,
)
from rootcause.tables import Array, Contribution, Node, binary, certain, stack
from rootcause.uncertainty import Draws
from rootcause.vocabulary import WINDOWS


def contexts() -> Iterator[Node]:
    """Yield operation, level, state before surgery and day of the examination."""
    yield Node("procedure", PROCEDURES, (), lambda n: stack([n[f"context.procedure.{p}"] for p in PROCEDURES]))
    for name in ("level", "preoperative_deficit"):
        states = states_of(name)

        def fill(n: Draws, name: str = name, states: tuple[str, ...] = states) -> Array:
            return stack([stack([n[f"context.{name}.{kind_of(p)}.{s}"] for s in states]) for p in PROCEDURES])

        yield Node(name, states, ("procedure",), fill)
    yield Node("examination_day", DAYS, (), lambda n: stack([n[f"context.examination_day.{d}"] for d in DAYS]))


def _rate(n: Draws, cause: str, procedure: str) -> Array:
    id_ = rate_id(n, cause, procedure)
    return np.zeros(1) if id_ is None else n[id_]


def onsets() -> Iterator[Node]:
    """Yield the latent onset of each cause: rate times share for each window, or never."""
    for cause in CAUSES_WITH_ONSET:

        def fill(n: Draws, cause: str = cause) -> Array:
            rows = []
            for procedure in PROCEDURES:
                total = _rate(n, cause, procedure)
                rows.append(stack([*(total * n[f"onset.{cause}.{w}"] for w in WINDOWS), 1 - total]))
            return stack(rows)

        yield Node(f"onset_{cause}", states_of(f"onset_{cause}"), ("procedure",), fill)


def visible(n: Draws, window: str, day: str) -> Array:
    """Chance that a cause which begins in the window has begun by the examination."""
    ahead = WINDOWS.index(window) - DAYS.index(day)
    if window != WINDOWS[-1] and ahead in {0, 1}:  # the two windows overlap in part
        return n[f"visible.{window}.{day}"]
    return np.ones(1) if ahead <= 0 else np.zeros(1)


def causes() -> Iterator[Node]:
    """Yield each cause: present when it has begun by the examination, or when the old deficit persists."""
    for cause in EVERY_CAUSE:
        if cause == OLD_DEFICIT:
            yield Node(cause, ABSENT_PRESENT, ("preoperative_deficit", "examination_day"), _persistence)
        else:
            onset = f"onset_{cause}"
            yield Node(cause, ABSENT_PRESENT, (onset, "examination_day"), _begun)


def _persistence(n: Draws) -> Array:
    never = stack([certain(0, 2) for _ in DAYS])
    kinds = [stack([binary(n[f"persistence.{kind}.{day}"]) for day in DAYS]) for kind in ("sensory", "motor")]
    return stack([never, *kinds])


def _begun(n: Draws) -> Array:
    rows = [stack([binary(visible(n, window, day)) for day in DAYS]) for window in WINDOWS]
    return stack([*rows, stack([certain(0, 2) for _ in DAYS])])


def symptom_onset(max_columns: int) -> Iterator[Node]:
    """The earliest onset among the causes present and a complaint from before the operation."""
    size = len(ONSET_ORDER)

    def persisting(n: Draws, id_: str) -> Array:
        p = n[f"background.persisting_complaint.{id_}"]
        return stack([1 - p, *(0 * p for _ in WINDOWS), p])

    def background(n: Draws) -> Array:
        return stack([persisting(n, "no_old_deficit"), persisting(n, "old_deficit")])

    def harmless(n: Draws) -> Array:
        """A complaint with no lasting cause; like a cause, it is there from its onset on."""

        def row(day: str) -> Array:
            shares = [n[f"background.new_complaint.{w}"] * visible(n, w, day) for w in reversed(WINDOWS)]
            return stack([1 - sum(shares, np.zeros(1)), *shares, np.zeros(1)])

        return stack([row(day) for day in DAYS])

    def seen(_: Draws) -> Array:
        rows = [stack([certain(0, size), certain(ONSET_ORDER.index(window), size)]) for window in WINDOWS]
        return stack([*rows, stack([certain(0, size), certain(0, size)])])

    residual = "residual_compression"
    contributions = [
        Contribution((OLD_DEFICIT,), background),
        Contribution(("examination_day",), harmless),
        if_present(residual, size, lambda n: persisting(n, residual)),
    ]
    contributions += [Contribution((f"onset_{cause}", cause), seen) for cause in CAUSES_WITH_ONSET]
    yield from worst("symptom_onset", contributions, max_columns)
