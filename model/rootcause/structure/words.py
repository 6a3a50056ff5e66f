"""The words that the network is built of: its latent nodes, its causes, and the states of every node."""

from collections.abc import Container, Mapping

from rootcause.vocabulary import WINDOWS, load_vocabulary

UNMODELLED = "unmodelled_cause"
OLD_DEFICIT = "slow_nerve_recovery"
ROOTS = ("root_L4", "root_L5", "root_S1")
GRADES = ("intact", "sensory", "motor", "severe")
ABSENT_PRESENT = ("absent", "present")

VOCABULARY = load_vocabulary()
CONTEXTS = VOCABULARY.contexts
FINDINGS = VOCABULARY.findings
CAUSES = tuple(VOCABULARY.causes)
CAUSES_WITH_ONSET = (*(c for c in CAUSES if c != OLD_DEFICIT), UNMODELLED)
EVERY_CAUSE = (*CAUSES, UNMODELLED)
PROCEDURES = CONTEXTS["procedure"].states
DISCECTOMIES = CONTEXTS["procedure"].groups["microdiscectomy"]
LEVELS = CONTEXTS["level"].states
DAYS = CONTEXTS["examination_day"].states
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
    variable = CONTEXTS.get(name) or FINDINGS.get(name)
    return variable.states if variable else ABSENT_PRESENT


def base_of(link: str) -> str:
    """Return the node that a link of a chain belongs to; any other node itself."""
    base, _, number = link.rpartition("__")
    return base if number.isdigit() else link


def kind_of(procedure: str) -> str:
    """Return the key under which numbers that hold for a whole group of operations are kept."""
    return "microdiscectomy" if procedure in DISCECTOMIES else procedure


def rate_id(ids: Container[str], cause: str, procedure: str) -> str | None:
    """Return the id of the rate of a cause per operation: the operation's own, or its group's.

    ``None`` where the operation cannot bring the cause.
    """
    if cause in CAUSES and procedure not in VOCABULARY.procedures_of(cause):
        return None
    own = f"rate.{cause}.{procedure}"
    return own if own in ids else f"rate.{cause}.{kind_of(procedure)}"
