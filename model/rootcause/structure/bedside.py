"""Findings at the bedside that hang on causes: pain, course and side, wound and general."""

from collections.abc import Iterator

import numpy as np

from rootcause.structure.gates import (
    by_onset,
    early_or_later,
    if_present,
    leak_each_day,
    leak_early_or_later,
    noisy_or,
    plain_leak,
    worst,
)
from rootcause.structure.words import (
    CAUSES_WITH_ONSET,
    DAYS,
    EVERY_CAUSE,
    OLD_DEFICIT,
    ROOT_CAUSES,
    UNMODELLED,
    states_of,
)
from rootcause.tables import Array, Contribution, Node, binary, certain, stack
from rootcause.uncertainty import Draws
from rootcause.vocabulary import WINDOWS

_BACK_PAIN = (
    "epidural_hematoma",
    "residual_compression",
    "recurrent_herniation",
    "nerve_root_edema",
    "epidural_fibrosis",
    "hardware_malposition",
    "adjacent_segment_disease",
    "surgical_site_infection",
    "csf_leak",
    UNMODELLED,
)

_LEG_PAIN_WORSE = tuple(c for c in EVERY_CAUSE if c != OLD_DEFICIT)

_LEG_PAIN_UNCHANGED = (
    "residual_compression",
    "epidural_fibrosis",
    OLD_DEFICIT,
    "nerve_root_injury",
    "nerve_root_edema",
)

_DEFICIT_CAUSES = tuple(c for c in EVERY_CAUSE if c != "venous_thromboembolism")

_RAISED_LEG = (*ROOT_CAUSES, UNMODELLED)

_WAKING = (
    "epidural_hematoma",
    "nerve_root_injury",
    "residual_compression",
    "nerve_root_edema",
    "hardware_malposition",
    "csf_leak",
    "peroneal_neuropathy",
    UNMODELLED,
)

_FEVER = ("epidural_hematoma", "surgical_site_infection", "venous_thromboembolism", "csf_leak", UNMODELLED)

_SWELLING = ("epidural_hematoma", "surgical_site_infection", "csf_leak")


def _leg_pain(cause: str) -> Contribution:
    def fill(n: Draws) -> Array:
        zero = np.zeros(1)
        worse = n[f"link.leg_pain.new_or_worse.{cause}"] if cause in _LEG_PAIN_WORSE else zero
        unchanged = n[f"link.leg_pain.unchanged.{cause}"] if cause in _LEG_PAIN_UNCHANGED else zero
        return stack([(1 - worse) * (1 - unchanged), (1 - worse) * unchanged, worse])

    return if_present(cause, 3, fill)


def _interval(cause: str) -> Contribution:
    def early(n: Draws) -> Array:
        return binary(n[f"link.pain_free_interval.{cause}"] * n["interval.within_24h"])

    def later(n: Draws) -> Array:
        return binary(n[f"link.pain_free_interval.{cause}"])

    return by_onset(cause, {WINDOWS[0]: early, **dict.fromkeys(WINDOWS[1:], later)})


def _fever(cause: str) -> Contribution:
    def fill(n: Draws) -> Array:
        strength = n[f"link.fever.{cause}"]
        early = strength * n["fever.early_factor"]
        present = stack([binary(early if early_or_later(day) == "early" else strength) for day in DAYS])
        return stack([stack([certain(0, 2) for _ in DAYS]), present])

    return Contribution((cause, "examination_day"), fill)


def _course(cause: str) -> Contribution:
    def fill(n: Draws) -> Array:
        worse, static = n[f"course.{cause}.worsening"], n[f"course.{cause}.static"]
        return stack([(1 - worse) * (1 - static), (1 - worse) * static, worse])

    return if_present(cause, 3, fill)


def pain(max_columns: int) -> Iterator[Node]:
    """Yield back pain, leg pain, the pain-free interval, straight-leg raise and headache."""
    yield from noisy_or("back_pain", _BACK_PAIN, max_columns, leak_early_or_later("back_pain"))

    def leak(n: Draws) -> Array:
        worse, unchanged = n["leak.leg_pain.new_or_worse"], n["leak.leg_pain.unchanged"]
        return stack([(1 - worse) * (1 - unchanged), (1 - worse) * unchanged, worse])

    reasons = [Contribution((), leak), *map(_leg_pain, EVERY_CAUSE)]
    yield from worst("leg_pain", reasons, max_columns)
    reasons = [plain_leak("leak.pain_free_interval"), *map(_interval, CAUSES_WITH_ONSET)]
    yield from worst("pain_free_interval", reasons, max_columns)
    yield from noisy_or("straight_leg_raise", _RAISED_LEG, max_columns)
    yield from noisy_or("positional_headache", ("csf_leak",), max_columns)


def course_and_side(max_columns: int) -> Iterator[Node]:
    """Yield course, side and dating of a deficit, with the latent nodes they follow from."""

    def leak(n: Draws) -> Array:
        worse, static = n["leak.course.worsening"], n["leak.course.static"]
        return stack([(1 - worse) * (1 - static), (1 - worse) * static, worse])

    yield from worst("course", [Contribution((), leak), *map(_course, _DEFICIT_CAUSES)], max_columns)
    yield Node("progression", states_of("progression"), ("any_deficit", "course"), _progression)
    for side in ("operated", "opposite"):
        reasons = [
            if_present(reason, 2, lambda n, reason=reason, side=side: binary(n[f"side.{reason}.{side}"]))  # type: ignore[misc]
            for reason in (*_DEFICIT_CAUSES, "cauda_equina")
        ]
        yield from worst(f"side_{side}", reasons, max_columns)
    yield Node("side", states_of("side"), ("any_deficit", "side_operated", "side_opposite"), _side)

    def waking(cause: str) -> Contribution:
        return by_onset(cause, {WINDOWS[0]: lambda n: binary(n[f"waking.{cause}"])})

    yield from worst("begun_on_waking", list(map(waking, _WAKING)), max_columns)
    yield Node("deficit_onset", states_of("deficit_onset"), ("any_deficit", OLD_DEFICIT, "begun_on_waking"), _dating)


def _progression(_: Draws) -> Array:
    nothing = stack([certain(0, 4)] * 3)
    return stack([nothing, stack([certain(1 + index, 4) for index in range(3)])])


def _side(n: Draws) -> Array:
    states = states_of("side")
    unplaced = stack([0 * n["unplaced_side.both"], *(n[f"unplaced_side.{side}"] for side in states[1:])])
    placed = stack([stack([unplaced, certain(2, 4)]), stack([certain(1, 4), certain(3, 4)])])
    return stack([stack([stack([certain(0, 4)] * 2)] * 2), placed])


def _dating(n: Draws) -> Array:
    """P(deficit_onset | any deficit, an old one that persists, a new one there on waking)."""
    before, waking, later = n["dating.old_deficit"], n["dating.on_waking"], n["dating.after_an_interval"]
    slip = n["dating.misdated_before_surgery"]
    nothing = 0 * before
    fresh = [
        stack([nothing, (1 - later) * slip, (1 - later) * (1 - slip), later]),
        stack([nothing, (1 - waking) * slip, waking, (1 - waking) * (1 - slip)]),
    ]
    old = [stack([nothing, before, nothing, 1 - before]), stack([nothing, before, 1 - before, nothing])]
    return stack([stack([stack([certain(0, 4)] * 2)] * 2), stack([stack(fresh), stack(old)])])


def general(max_columns: int) -> Iterator[Node]:
    """Yield fever, signs of ischemia and embolism, wound and calf."""
    reasons = [leak_each_day("fever"), *map(_fever, _FEVER)]
    yield from worst("fever", reasons, max_columns)
    yield from noisy_or("limb_ischemia_signs", (UNMODELLED,), max_columns)
    clot = "venous_thromboembolism"
    yield from noisy_or("chest_pain_or_breathlessness", (clot, UNMODELLED), max_columns)
    yield from noisy_or("wound_drainage", _SWELLING, max_columns)
    yield from noisy_or("wound_swelling", _SWELLING, max_columns)
    yield from noisy_or("calf_swelling", (clot, UNMODELLED), max_columns)
