"""The network of causes, root lesions and signs: which node hangs on which, and by which numbers.

Contexts and causes come first, then the onset of the complaint, the lesions, and the findings at the bedside and from
tests. Nothing here is a number: every probability is looked up by its id (see ``priors/README.md``), except structural
zeros and ones, which say what cannot be otherwise (a foot weak without a lesion, hardware where none was placed).
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from rootcause.tables import Array, Contribution, Fill, Node, binary, certain, chain, graded, stack
from rootcause.uncertainty import Draws
from rootcause.vocabulary import WINDOWS, load_vocabulary

UNMODELLED = "unmodelled_cause"
OLD_DEFICIT = "slow_nerve_recovery"
ROOTS = ("root_L4", "root_L5", "root_S1")
GRADES = ("intact", "sensory", "motor", "severe")
ABSENT_PRESENT = ("absent", "present")

_VOCABULARY = load_vocabulary()
_CONTEXTS = _VOCABULARY.contexts
_FINDINGS = _VOCABULARY.findings
CAUSES = tuple(_VOCABULARY.causes)
CAUSES_WITH_ONSET = (*(c for c in CAUSES if c != OLD_DEFICIT), UNMODELLED)
EVERY_CAUSE = (*CAUSES, UNMODELLED)
PROCEDURES = _CONTEXTS["procedure"].states
DISCECTOMIES = _CONTEXTS["procedure"].groups["microdiscectomy"]
LEVELS = _CONTEXTS["level"].states
DAYS = _CONTEXTS["examination_day"].states
ONSET_ORDER = ("no_complaint", *reversed(WINDOWS), "before_surgery")
"""States of the onset of the complaint from the latest to the earliest: the earliest is the maximum."""

REACH = {
    "epidural_hematoma": "broad",
    "surgical_site_infection": "broad",
    "csf_leak": "broad",
    "hardware_malposition": "hardware",
    "adjacent_segment_disease": "adjacent",
}
"""Which table of ``reach`` says the roots that a cause gets at; the others stay at the operated disc."""

ROOT_CAUSES = tuple(c for c in CAUSES if c not in {"venous_thromboembolism", "peroneal_neuropathy", OLD_DEFICIT})
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
REOPERATED = ROOT_CAUSES
"""Causes for which one is operated on again; their ``reoperation`` numbers are used by the checks alone."""


_LATENT: Mapping[str, tuple[str, ...]] = {
    "symptom_onset": ONSET_ORDER,
    "cauda_equina": ("intact", "lesion"),
    "course": ("improving", "static", "worsening"),
    **dict.fromkeys((*ROOTS, "peroneal_nerve"), GRADES),
    **{f"onset_{cause}": (*WINDOWS, "never") for cause in CAUSES_WITH_ONSET},
}


def states_of(name: str) -> tuple[str, ...]:
    """Return the states of a node that others hang on."""
    if name in _LATENT:
        return _LATENT[name]
    variable = _CONTEXTS.get(name) or _FINDINGS.get(name)
    return variable.states if variable else ABSENT_PRESENT


def _card(name: str) -> int:
    return len(states_of(base_of(name)))


def _worst(name: str, contributions: Sequence[Contribution], max_columns: int) -> Iterator[Node]:
    yield from chain(name, states_of(name), contributions, _card, max_columns)


def _leak(*ids: str) -> Contribution:
    return Contribution((), lambda n: graded(*(n[id_] for id_ in ids)))


def _by_state(parent: str, fill_of: Mapping[str, Fill], otherwise: Fill) -> Contribution:
    """A contribution of one parent, with a distribution of its own for some of its states."""
    states = states_of(parent)
    return Contribution((parent,), lambda n: stack([fill_of.get(state, otherwise)(n) for state in states]))


def _if_present(parent: str, size: int, fill: Fill) -> Contribution:
    return _by_state(parent, {states_of(parent)[1]: fill}, lambda _: certain(0, size))


def _link(finding: str, cause: str) -> Contribution:
    """A plain noisy-OR link from a cause to a binary finding."""
    return _if_present(cause, 2, lambda n: binary(n[f"link.{finding}.{cause}"]))


def _when(day: str) -> str:
    """Return the key of a number that has an early and a later value."""
    return "early" if day == DAYS[0] else "later"


# ---- context, causes and onset ----------------------------------------------------------------------------------


def kind_of(procedure: str) -> str:
    """Return the key under which numbers that hold for a whole group of operations are kept."""
    return "microdiscectomy" if procedure in DISCECTOMIES else procedure


def _contexts() -> Iterator[Node]:
    yield Node("procedure", PROCEDURES, (), lambda n: stack([n[f"context.procedure.{p}"] for p in PROCEDURES]))
    for name in ("level", "preoperative_deficit"):
        states = states_of(name)

        def fill(n: Draws, name: str = name, states: tuple[str, ...] = states) -> Array:
            return stack([stack([n[f"context.{name}.{kind_of(p)}.{s}"] for s in states]) for p in PROCEDURES])

        yield Node(name, states, ("procedure",), fill)
    yield Node("examination_day", DAYS, (), lambda n: stack([n[f"context.examination_day.{d}"] for d in DAYS]))


def rate_id(ids: Container[str], cause: str, procedure: str) -> str | None:
    """Return the id of the rate of a cause per operation: the operation's own, or its group's.

    ``None`` where the operation cannot bring the cause.
    """
    if cause in CAUSES and procedure not in _VOCABULARY.procedures_of(cause):
        return None
    own = f"rate.{cause}.{procedure}"
    return own if own in ids else f"rate.{cause}.{kind_of(procedure)}"


def _rate(n: Draws, cause: str, procedure: str) -> Array:
    id_ = rate_id(n, cause, procedure)
    return np.zeros(1) if id_ is None else n[id_]


def _onsets() -> Iterator[Node]:
    for cause in CAUSES_WITH_ONSET:

        def fill(n: Draws, cause: str = cause) -> Array:
            rows = []
            for procedure in PROCEDURES:
                total = _rate(n, cause, procedure)
                rows.append(stack([*(total * n[f"onset.{cause}.{w}"] for w in WINDOWS), 1 - total]))
            return stack(rows)

        yield Node(f"onset_{cause}", states_of(f"onset_{cause}"), ("procedure",), fill)


def _visible(n: Draws, window: str, day: str) -> Array:
    """Chance that a cause which begins in the window has begun by the examination."""
    ahead = WINDOWS.index(window) - DAYS.index(day)
    if window != WINDOWS[-1] and ahead in {0, 1}:  # the two windows overlap in part
        return n[f"visible.{window}.{day}"]
    return np.ones(1) if ahead <= 0 else np.zeros(1)


def _causes() -> Iterator[Node]:
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
    rows = [stack([binary(_visible(n, window, day)) for day in DAYS]) for window in WINDOWS]
    return stack([*rows, stack([certain(0, 2) for _ in DAYS])])


def _symptom_onset(max_columns: int) -> Iterator[Node]:
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
            shares = [n[f"background.new_complaint.{w}"] * _visible(n, w, day) for w in reversed(WINDOWS)]
            return stack([1 - sum(shares, np.zeros(1)), *shares, np.zeros(1)])

        return stack([row(day) for day in DAYS])

    def seen(_: Draws) -> Array:
        rows = [stack([certain(0, size), certain(ONSET_ORDER.index(window), size)]) for window in WINDOWS]
        return stack([*rows, stack([certain(0, size), certain(0, size)])])

    residual = "residual_compression"
    contributions = [
        Contribution((OLD_DEFICIT,), background),
        Contribution(("examination_day",), harmless),
        _if_present(residual, size, lambda n: persisting(n, residual)),
    ]
    contributions += [Contribution((f"onset_{cause}", cause), seen) for cause in CAUSES_WITH_ONSET]
    yield from _worst("symptom_onset", contributions, max_columns)


# ---- lesions ----------------------------------------------------------------------------------------------------


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
    return _if_present(
        UNMODELLED,
        len(GRADES),
        lambda n: graded(n[f"deficit.{UNMODELLED}.{lesion}"], n[f"motor.{UNMODELLED}"], n[f"severe.{UNMODELLED}"]),
    )


def _lesions(max_columns: int) -> Iterator[Node]:
    cauda = [_leak("leak.cauda_equina")]
    cauda += [_if_present(c, 2, lambda n, c=c: binary(n[f"cauda.{c}"])) for c in _CAUDA_CAUSES]  # type: ignore[misc]
    yield from _worst("cauda_equina", cauda, max_columns)
    for root in ROOTS:
        reasons = [_leak(f"leak.{root}", "leak_grade.motor", "leak_grade.severe"), _old_root(root)]
        reasons += [_root_contribution(cause, root) for cause in ROOT_CAUSES]
        reasons.append(_unmodelled_lesion(root))

        def from_cauda(n: Draws, root: str = root) -> Array:
            return graded(n[f"cauda_to_root.{root}"], n["cauda_to_root.motor"], n["cauda_to_root.severe"])

        reasons.append(_if_present("cauda_equina", len(GRADES), from_cauda))
        yield from _worst(root, reasons, max_columns)
    peroneal = "peroneal_neuropathy"
    nerve = [
        _leak("leak.peroneal_nerve", "leak_grade.motor", "leak_grade.severe"),
        _if_present(
            peroneal,
            len(GRADES),
            lambda n: graded(n[f"deficit.{peroneal}"], n[f"motor.{peroneal}"], n[f"severe.{peroneal}"]),
        ),
        _unmodelled_lesion("peroneal_nerve"),
    ]
    yield from _worst("peroneal_nerve", nerve, max_columns)
    lesions = (*ROOTS, "peroneal_nerve", "cauda_equina")
    yield from _worst("any_deficit", [_follows(lesion) for lesion in lesions], max_columns)


def _follows(part: str) -> Contribution:
    """Sure presence from any state of ``part`` but its first."""

    def fill(_: Draws) -> Array:
        return stack([certain(int(index > 0), 2) for index in range(len(states_of(part)))])

    return Contribution((part,), fill)


# ---- signs ------------------------------------------------------------------------------------------------------


def _strength(sign: str, nerve: str) -> Contribution:
    id_ = f"strength.{sign}.{nerve}"
    spared = nerve == "peroneal_nerve" and sign in _SPARED_BY_PERONEAL
    has_severe = len(states_of(sign)) > len(ABSENT_PRESENT)

    def row(n: Draws, grade: str) -> Array:
        weak = n[f"{id_}.{'motor' if spared else grade}"]
        return graded(weak, n[f"grade.severe_in_{grade}"]) if has_severe else graded(weak)

    size = len(states_of(sign))
    fills: dict[str, Fill] = {"motor": lambda n: row(n, "motor"), "severe": lambda n: row(n, "severe")}
    return _by_state(nerve, fills, lambda _: certain(0, size))


def _graded_sign(family: str, sign: str, nerve: str) -> Contribution:
    """A binary sign with one number for a sensory lesion and one for a motor lesion, severe or not."""

    def row(kind: str) -> Fill:
        return lambda n: binary(n[f"{family}.{sign}.{nerve}.{kind}"])

    fills = {"sensory": row("sensory"), "motor": row("motor"), "severe": row("motor")}
    return _by_state(nerve, fills, lambda _: certain(0, 2))


def _cold(root: str) -> Contribution:
    def row(n: Draws) -> Array:
        return binary(n[f"sensation.cold_dysesthesia.{root}"])

    return _by_state(root, dict.fromkeys(GRADES[1:], row), lambda _: certain(0, 2))


def _signs(max_columns: int) -> Iterator[Node]:
    for sign, nerves in _STRENGTH.items():
        elsewhere = [_leak(f"leak.{sign}")] if sign in _BEYOND_THE_ROOTS else []
        yield from _worst(sign, [*elsewhere, *(_strength(sign, nerve) for nerve in nerves)], max_columns)
    for sign, nerves in _SENSATION.items():
        yield from _worst(sign, [_graded_sign("sensation", sign, nerve) for nerve in nerves], max_columns)
    for covering in ("leg_weakness", "numbness"):
        yield from _worst(covering, [_follows(part) for part in _FINDINGS[covering].covers], max_columns)
    yield from _worst("cold_dysesthesia", [_leak("leak.cold_dysesthesia"), *map(_cold, ROOTS)], max_columns)
    for sign, nerves in _REFLEX.items():
        reasons = [_leak(f"leak.{sign}"), *(_graded_sign("reflex", sign, nerve) for nerve in nerves)]
        yield from _worst(sign, reasons, max_columns)
    retention = Contribution(
        ("examination_day",),
        lambda n: stack([binary(n["retention." + ("days_0_to_3" if d == DAYS[0] else "later")]) for d in DAYS]),
    )
    yield from _worst("retention", [retention], max_columns)
    yield from _binary("saddle_anesthesia", ("cauda_equina",), max_columns)
    for sign in ("bladder_bowel_dysfunction", "post_void_residual"):
        yield from _binary(sign, ("cauda_equina", "retention"), max_columns)


def _binary(finding: str, reasons: Sequence[str], max_columns: int, leak: Contribution | None = None) -> Iterator[Node]:
    """A leaky noisy-OR."""
    first = leak or _leak(f"leak.{finding}")
    yield from _worst(finding, [first, *(_link(finding, reason) for reason in reasons)], max_columns)


def _leak_by_day(family: str) -> Contribution:
    """A leak with an early and a later value."""
    return Contribution(
        ("examination_day",), lambda n: stack([binary(n[f"leak.{family}.{_when(day)}"]) for day in DAYS])
    )


def _leak_each_day(finding: str) -> Contribution:
    return Contribution(("examination_day",), lambda n: stack([binary(n[f"leak.{finding}.{day}"]) for day in DAYS]))


# ---- pain, course, wound and general ----------------------------------------------------------------------------

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

    return _if_present(cause, 3, fill)


def _by_onset(cause: str, row: Mapping[str, Fill]) -> Contribution:
    """A binary contribution of a cause that is present, by the window in which it began."""

    def fill(n: Draws) -> Array:
        none = certain(0, 2)
        return stack([stack([none, row[w](n) if w in row else none]) for w in states_of(f"onset_{cause}")])

    return Contribution((f"onset_{cause}", cause), fill)


def _interval(cause: str) -> Contribution:
    def early(n: Draws) -> Array:
        return binary(n[f"link.pain_free_interval.{cause}"] * n["interval.within_24h"])

    def later(n: Draws) -> Array:
        return binary(n[f"link.pain_free_interval.{cause}"])

    return _by_onset(cause, {WINDOWS[0]: early, **dict.fromkeys(WINDOWS[1:], later)})


def _fever(cause: str) -> Contribution:
    def fill(n: Draws) -> Array:
        strength = n[f"link.fever.{cause}"]
        early = strength * n["fever.early_factor"]
        present = stack([binary(early if _when(day) == "early" else strength) for day in DAYS])
        return stack([stack([certain(0, 2) for _ in DAYS]), present])

    return Contribution((cause, "examination_day"), fill)


def _course(cause: str) -> Contribution:
    def fill(n: Draws) -> Array:
        worse, static = n[f"course.{cause}.worsening"], n[f"course.{cause}.static"]
        return stack([(1 - worse) * (1 - static), (1 - worse) * static, worse])

    return _if_present(cause, 3, fill)


def _pain(max_columns: int) -> Iterator[Node]:
    yield from _binary("back_pain", _BACK_PAIN, max_columns, _leak_by_day("back_pain"))

    def leak(n: Draws) -> Array:
        worse, unchanged = n["leak.leg_pain.new_or_worse"], n["leak.leg_pain.unchanged"]
        return stack([(1 - worse) * (1 - unchanged), (1 - worse) * unchanged, worse])

    reasons = [Contribution((), leak), *map(_leg_pain, EVERY_CAUSE)]
    yield from _worst("leg_pain", reasons, max_columns)
    reasons = [_leak("leak.pain_free_interval"), *map(_interval, CAUSES_WITH_ONSET)]
    yield from _worst("pain_free_interval", reasons, max_columns)
    yield from _binary("straight_leg_raise", _RAISED_LEG, max_columns)
    yield from _binary("positional_headache", ("csf_leak",), max_columns)


def _course_and_side(max_columns: int) -> Iterator[Node]:
    def leak(n: Draws) -> Array:
        worse, static = n["leak.course.worsening"], n["leak.course.static"]
        return stack([(1 - worse) * (1 - static), (1 - worse) * static, worse])

    yield from _worst("course", [Contribution((), leak), *map(_course, _DEFICIT_CAUSES)], max_columns)
    yield Node("progression", states_of("progression"), ("any_deficit", "course"), _progression)
    for side in ("operated", "opposite"):
        reasons = [
            _if_present(reason, 2, lambda n, reason=reason, side=side: binary(n[f"side.{reason}.{side}"]))  # type: ignore[misc]
            for reason in (*_DEFICIT_CAUSES, "cauda_equina")
        ]
        yield from _worst(f"side_{side}", reasons, max_columns)
    yield Node("side", states_of("side"), ("any_deficit", "side_operated", "side_opposite"), _side)

    def waking(cause: str) -> Contribution:
        return _by_onset(cause, {WINDOWS[0]: lambda n: binary(n[f"waking.{cause}"])})

    yield from _worst("begun_on_waking", list(map(waking, _WAKING)), max_columns)
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


def _general(max_columns: int) -> Iterator[Node]:
    reasons = [_leak_each_day("fever"), *map(_fever, _FEVER)]
    yield from _worst("fever", reasons, max_columns)
    yield from _binary("limb_ischemia_signs", (UNMODELLED,), max_columns)
    clot = "venous_thromboembolism"
    yield from _binary("chest_pain_or_breathlessness", (clot, UNMODELLED), max_columns)
    yield from _binary("wound_drainage", _SWELLING, max_columns)
    yield from _binary("wound_swelling", _SWELLING, max_columns)
    yield from _binary("calf_swelling", (clot, UNMODELLED), max_columns)


# ---- tests ------------------------------------------------------------------------------------------------------


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

        return _if_present(cause, 3, fill)

    causes = ("epidural_hematoma", "surgical_site_infection", "csf_leak", UNMODELLED)
    yield from _worst(name, [Contribution(("examination_day",), leak), *map(shown, causes)], max_columns)


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


def _tests(max_columns: int) -> Iterator[Node]:
    blood = ("epidural_hematoma", "surgical_site_infection", "venous_thromboembolism", UNMODELLED)
    yield from _binary("crp", blood, max_columns, _leak_each_day("crp"))
    yield from _collection(max_columns)
    fragment = ("residual_compression", "recurrent_herniation", UNMODELLED)
    leak = Contribution(("procedure", "examination_day"), _fragment_leak)
    yield from _binary("mri_disc_fragment", fragment, max_columns, leak)
    yield from _binary("mri_enhancing_scar", ("epidural_fibrosis",), max_columns, _leak_each_day("mri_enhancing_scar"))
    yield from _binary("mri_infection", ("surgical_site_infection",), max_columns)
    yield from _binary("mri_csf_collection", ("csf_leak",), max_columns)
    next_door = Contribution(
        ("procedure",), lambda n: stack([binary(n[f"leak.mri_adjacent_stenosis.{kind_of(p)}"]) for p in PROCEDURES])
    )
    yield from _binary("mri_adjacent_stenosis", ("adjacent_segment_disease",), max_columns, next_door)
    breach = Contribution(
        ("procedure",),
        lambda n: stack(
            [certain(0, 2) if p in DISCECTOMIES else binary(n["leak.ct_hardware_breach"]) for p in PROCEDURES]
        ),
    )
    yield from _binary("ct_hardware_breach", ("hardware_malposition",), max_columns, breach)
    yield from _binary("ultrasound_dvt", ("venous_thromboembolism",), max_columns)
    yield from _worst(
        "emg_root_denervation", [_leak("leak.emg_root_denervation"), *map(_denervation, ROOTS)], max_columns
    )
    block = "ncs_peroneal_block"
    injured: dict[str, Fill] = dict.fromkeys(GRADES[1:], lambda n: binary(n[f"link.{block}.peroneal_nerve"]))
    yield from _worst(
        block, [_leak(f"leak.{block}"), _by_state("peroneal_nerve", injured, lambda _: certain(0, 2))], max_columns
    )


def base_of(link: str) -> str:
    """Return the node that a link of a chain belongs to; any other node itself."""
    base, _, number = link.rpartition("__")
    return base if number.isdigit() else link


def between(nodes: Iterable[Node], cause: str, findings: set[str]) -> list[str]:
    """Return the nodes on the ways from a cause to findings, with the leaks met on the way.

    Args:
        nodes: All nodes, parents before children, each contribution a link of its own.
        cause: A cause.
        findings: Where the ways end.

    Returns:
        Names of nodes and links, the cause and its onset first.
    """
    nodes = tuple(nodes)
    reasons = {node.name: [p for p in node.parents if base_of(p) != base_of(node.name)] for node in nodes}
    start = [name for name in (f"onset_{cause}", cause) if name in reasons]
    reached = set(start)
    for node in nodes:
        if reached & set(reasons[node.name]):
            reached.add(base_of(node.name))
    wanted = findings & reached
    for node in reversed(nodes):
        if base_of(node.name) in wanted:
            wanted |= {reason for reason in reasons[node.name] if reason in reached}
    on_the_way = wanted & reached
    return start + [
        node.name
        for node in nodes
        if base_of(node.name) in on_the_way - set(start)
        and (on_the_way & set(reasons[node.name]) or set(reasons[node.name]) <= set(_CONTEXTS))
    ]


@cache
def build(max_columns: int = 1) -> tuple[Node, ...]:
    """Return all nodes, parents before children.

    Args:
        max_columns: How many columns the table of a link may have when several contributions share it. With 1 each
            contribution is a link of its own (fastest to eliminate); larger values give fewer, larger tables (easier to
            read in another tool). The distribution is the same.
    """
    return (
        *_contexts(),
        *_onsets(),
        *_causes(),
        *_symptom_onset(max_columns),
        *_lesions(max_columns),
        *_signs(max_columns),
        *_pain(max_columns),
        *_course_and_side(max_columns),
        *_general(max_columns),
        *_tests(max_columns),
    )
