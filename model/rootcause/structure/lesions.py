"""Lesions: the roots, the cauda equina and the peroneal nerve, and which causes reach them."""

from collections.abc import Iterator

from rootcause.structure.gates import follows, if_present, plain_leak, worst
from rootcause.structure.words import (
    GRADES,
    LEVELS,
    OLD_DEFICIT,
    REACH,
    ROOT_CAUSES,
    ROOTS,
    UNMODELLED,
    states_of,
)
from rootcause.tables import Array, Contribution, Node, binary, certain, graded, stack
from rootcause.uncertainty import Draws

_CAUDA_CAUSES = (
    "epidural_hematoma",
    "residual_compression",
    "recurrent_herniation",
    "surgical_site_infection",
    "csf_leak",
    "hardware_malposition",
    "adjacent_segment_disease",
    UNMODELLED,
)


def _root_contribution(cause: str, root: str) -> Contribution:
    table = REACH.get(cause, "operated")

    def fill(n: Draws) -> Array:
        def present(level: str) -> Array:
            reached = n[f"deficit.{cause}"] * n[f"reach.{table}.{level}.{root}"]
            return graded(reached, n[f"motor.{cause}"], n[f"severe.{cause}"])

        intact = stack([certain(0, len(GRADES)) for _ in LEVELS])
        return stack([intact, stack([present(level) for level in LEVELS])])

    return Contribution((cause, "level"), fill)


def _old_root(root: str) -> Contribution:
    """The old deficit, sensory or motor as it was before the operation, where it persists."""

    def fill(n: Draws) -> Array:
        intact = stack([certain(0, len(GRADES)) for _ in LEVELS])

        def persisting(kind: str, level: str) -> Array:
            reached = n[f"reach.operated.{level}.{root}"]
            if kind == "none":
                return certain(0, len(GRADES))
            if kind == "sensory":
                return stack([1 - reached, reached, 0 * reached, 0 * reached])
            severe = n[f"severe.{OLD_DEFICIT}"]
            return stack([1 - reached, 0 * reached, reached * (1 - severe), reached * severe])

        kinds = states_of("preoperative_deficit")
        present = [stack([persisting(kind, level) for level in LEVELS]) for kind in kinds]
        return stack([stack([intact] * len(kinds)), stack(present)])

    return Contribution((OLD_DEFICIT, "preoperative_deficit", "level"), fill)


def _unmodelled_lesion(lesion: str) -> Contribution:
    return if_present(
        UNMODELLED,
        len(GRADES),
        lambda n: graded(n[f"deficit.{UNMODELLED}.{lesion}"], n[f"motor.{UNMODELLED}"], n[f"severe.{UNMODELLED}"]),
    )


def lesions(max_columns: int) -> Iterator[Node]:
    """Yield the cauda equina, the roots, the peroneal nerve, and whether any of them has a lesion."""
    cauda = [plain_leak("leak.cauda_equina")]
    cauda += [if_present(c, 2, lambda n, c=c: binary(n[f"cauda.{c}"])) for c in _CAUDA_CAUSES]  # type: ignore[misc]
    yield from worst("cauda_equina", cauda, max_columns)
    for root in ROOTS:
        reasons = [plain_leak(f"leak.{root}", "leak_grade.motor", "leak_grade.severe"), _old_root(root)]
        reasons += [_root_contribution(cause, root) for cause in ROOT_CAUSES]
        reasons.append(_unmodelled_lesion(root))

        def from_cauda(n: Draws, root: str = root) -> Array:
            return graded(n[f"cauda_to_root.{root}"], n["cauda_to_root.motor"], n["cauda_to_root.severe"])

        reasons.append(if_present("cauda_equina", len(GRADES), from_cauda))
        yield from worst(root, reasons, max_columns)
    peroneal = "peroneal_neuropathy"
    nerve = [
        plain_leak("leak.peroneal_nerve", "leak_grade.motor", "leak_grade.severe"),
        if_present(
            peroneal,
            len(GRADES),
            lambda n: graded(n[f"deficit.{peroneal}"], n[f"motor.{peroneal}"], n[f"severe.{peroneal}"]),
        ),
        _unmodelled_lesion("peroneal_nerve"),
    ]
    yield from worst("peroneal_nerve", nerve, max_columns)
    lesions = (*ROOTS, "peroneal_nerve", "cauda_equina")
    yield from worst("any_deficit", [follows(lesion) for lesion in lesions], max_columns)
