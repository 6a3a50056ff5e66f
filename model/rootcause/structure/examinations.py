"""Blood, imaging and electrical tests, with their false positives."""

from collections.abc import Iterator

from rootcause.structure.gates import by_state, if_present, leak_each_day, noisy_or, plain_leak, worst
from rootcause.structure.words import (
    DAYS,
    DISCECTOMIES,
    GRADES,
    PROCEDURES,
    ROOTS,
    UNMODELLED,
    kind_of,
)
from rootcause.tables import Array, Contribution, Fill, Node, binary, certain, stack
from rootcause.uncertainty import Draws


def _collection(max_columns: int) -> Iterator[Node]:
    name = "mri_epidural_collection"

    def grade(compressive: Array, other: Array) -> Array:
        return stack([(1 - compressive) * (1 - other), (1 - compressive) * other, compressive])

    def leak(n: Draws) -> Array:
        id_ = f"leak.{name}"
        return stack([grade(n[f"{id_}.compressive.{d}"], n[f"{id_}.not_compressive.{d}"]) for d in DAYS])

    def shown(cause: str) -> Contribution:
        def fill(n: Draws) -> Array:
            other = f"link.{name}.not_compressive.{cause}"
            compressive = n[f"link.{name}.compressive.{cause}"]
            return grade(compressive, n[other] if other in n else 0 * compressive)

        return if_present(cause, 3, fill)

    causes = ("epidural_hematoma", "surgical_site_infection", "csf_leak", UNMODELLED)
    yield from worst(name, [Contribution(("examination_day",), leak), *map(shown, causes)], max_columns)


def _fragment_leak(n: Draws) -> Array:
    def row(procedure: str, day: str) -> Array:
        p = n[f"leak.mri_disc_fragment.microdiscectomy.{day}"]
        return binary(p if procedure in DISCECTOMIES else p * n["leak.mri_disc_fragment.fusion_factor"])

    return stack([stack([row(procedure, day) for day in DAYS]) for procedure in PROCEDURES])


def _denervation(root: str) -> Contribution:
    """EMG is silent for two to three weeks."""
    by_day = dict(zip(DAYS, ("before_day_15", "before_day_15", "days_15_to_42", "late", "late"), strict=True))

    def fill(n: Draws) -> Array:
        silent = stack([certain(0, 2) for _ in DAYS])
        shown = stack([binary(n[f"link.emg_root_denervation.{by_day[day]}"]) for day in DAYS])
        return stack([silent, silent, shown, shown])

    return Contribution((root, "examination_day"), fill)


def examinations(max_columns: int) -> Iterator[Node]:
    """Yield all tests."""
    blood = ("epidural_hematoma", "surgical_site_infection", "venous_thromboembolism", UNMODELLED)
    yield from noisy_or("crp", blood, max_columns, leak_each_day("crp"))
    yield from _collection(max_columns)
    fragment = ("residual_compression", "recurrent_herniation", UNMODELLED)
    leak = Contribution(("procedure", "examination_day"), _fragment_leak)
    yield from noisy_or("mri_disc_fragment", fragment, max_columns, leak)
    yield from noisy_or("mri_enhancing_scar", ("epidural_fibrosis",), max_columns, leak_each_day("mri_enhancing_scar"))
    yield from noisy_or("mri_infection", ("surgical_site_infection",), max_columns)
    yield from noisy_or("mri_csf_collection", ("csf_leak",), max_columns)
    next_door = Contribution(
        ("procedure",), lambda n: stack([binary(n[f"leak.mri_adjacent_stenosis.{kind_of(p)}"]) for p in PROCEDURES])
    )
    yield from noisy_or("mri_adjacent_stenosis", ("adjacent_segment_disease",), max_columns, next_door)
    breach = Contribution(
        ("procedure",),
        lambda n: stack(
            [certain(0, 2) if p in DISCECTOMIES else binary(n["leak.ct_hardware_breach"]) for p in PROCEDURES]
        ),
    )
    yield from noisy_or("ct_hardware_breach", ("hardware_malposition",), max_columns, breach)
    yield from noisy_or("ultrasound_dvt", ("venous_thromboembolism",), max_columns)
    yield from worst(
        "emg_root_denervation", [plain_leak("leak.emg_root_denervation"), *map(_denervation, ROOTS)], max_columns
    )
    block = "ncs_peroneal_block"
    injured: dict[str, Fill] = dict.fromkeys(GRADES[1:], lambda n: binary(n[f"link.{block}.peroneal_nerve"]))
    yield from worst(
        block, [plain_leak(f"leak.{block}"), by_state("peroneal_nerve", injured, lambda _: certain(0, 2))], max_columns
    )
