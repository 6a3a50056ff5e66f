"""Signs of lesions: strength, sensation, reflexes, saddle and bladder."""

from collections.abc import Iterator

from rootcause.structure.gates import by_state, follows, noisy_or, plain_leak, worst
from rootcause.structure.words import (
    ABSENT_PRESENT,
    DAYS,
    FINDINGS,
    GRADES,
    ROOTS,
    states_of,
)
from rootcause.tables import Array, Contribution, Fill, Node, binary, certain, graded, stack
from rootcause.uncertainty import Draws

_STRENGTH = {
    "toe_dorsiflexion": ("root_L5", "peroneal_nerve"),
    "ankle_dorsiflexion": ("root_L4", "root_L5", "peroneal_nerve"),
    "plantarflexion": ("root_S1",),
    "knee_extension": ("root_L4",),
    "hip_flexion": ("root_L4",),
    "hip_abduction": ("root_L5", "root_S1", "peroneal_nerve"),
    "ankle_inversion": ("root_L4", "root_L5", "peroneal_nerve"),
}

_BEYOND_THE_ROOTS = ("hip_flexion",)
"""Signs that depend on nerves above the modelled roots (L1 to L3, the plexus) as well."""

_SPARED_BY_PERONEAL = ("hip_abduction", "ankle_inversion")

_SENSATION = {
    "numbness_l4": ("root_L4",),
    "numbness_l5": ("root_L5", "root_S1", "peroneal_nerve"),
    "numbness_s1": ("root_L5", "root_S1"),
}

_REFLEX = {"ankle_reflex": ("root_L5", "root_S1"), "knee_reflex": ("root_L4",)}


def _strength(sign: str, nerve: str) -> Contribution:
    id_ = f"strength.{sign}.{nerve}"
    spared = nerve == "peroneal_nerve" and sign in _SPARED_BY_PERONEAL
    has_severe = len(states_of(sign)) > len(ABSENT_PRESENT)

    def row(n: Draws, grade: str) -> Array:
        weak = n[f"{id_}.{'motor' if spared else grade}"]
        return graded(weak, n[f"grade.severe_in_{grade}"]) if has_severe else graded(weak)

    size = len(states_of(sign))
    fills: dict[str, Fill] = {"motor": lambda n: row(n, "motor"), "severe": lambda n: row(n, "severe")}
    return by_state(nerve, fills, lambda _: certain(0, size))


def _graded_sign(family: str, sign: str, nerve: str) -> Contribution:
    """A binary sign with one number for a sensory lesion and one for a motor lesion, severe or not."""

    def row(kind: str) -> Fill:
        return lambda n: binary(n[f"{family}.{sign}.{nerve}.{kind}"])

    fills = {"sensory": row("sensory"), "motor": row("motor"), "severe": row("motor")}
    return by_state(nerve, fills, lambda _: certain(0, 2))


def _cold(root: str) -> Contribution:
    def row(n: Draws) -> Array:
        return binary(n[f"sensation.cold_dysesthesia.{root}"])

    return by_state(root, dict.fromkeys(GRADES[1:], row), lambda _: certain(0, 2))


def signs(max_columns: int) -> Iterator[Node]:
    """Yield strength, sensation, reflexes, and the signs of the cauda equina."""
    for sign, nerves in _STRENGTH.items():
        elsewhere = [plain_leak(f"leak.{sign}")] if sign in _BEYOND_THE_ROOTS else []
        yield from worst(sign, [*elsewhere, *(_strength(sign, nerve) for nerve in nerves)], max_columns)
    for sign, nerves in _SENSATION.items():
        yield from worst(sign, [_graded_sign("sensation", sign, nerve) for nerve in nerves], max_columns)
    for covering in ("leg_weakness", "numbness"):
        yield from worst(covering, [follows(part) for part in FINDINGS[covering].covers], max_columns)
    yield from worst("cold_dysesthesia", [plain_leak("leak.cold_dysesthesia"), *map(_cold, ROOTS)], max_columns)
    for sign, nerves in _REFLEX.items():
        reasons = [plain_leak(f"leak.{sign}"), *(_graded_sign("reflex", sign, nerve) for nerve in nerves)]
        yield from worst(sign, reasons, max_columns)
    retention = Contribution(
        ("examination_day",),
        lambda n: stack([binary(n["retention." + ("days_0_to_3" if d == DAYS[0] else "later")]) for d in DAYS]),
    )
    yield from worst("retention", [retention], max_columns)
    yield from noisy_or("saddle_anesthesia", ("cauda_equina",), max_columns)
    for sign in ("bladder_bowel_dysfunction", "post_void_residual"):
        yield from noisy_or(sign, ("cauda_equina", "retention"), max_columns)
