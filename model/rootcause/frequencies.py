"""The answer in natural frequencies: counts of patients, which people judge better than percentages."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rootcause.engine import Engine, Observation
from rootcause.vocabulary import load_vocabulary

_SMALLEST_COUNT = 100
_PATIENTS = 10_000
_NAMED_IN_SENTENCE = 3

Situated = tuple[Mapping[str, Observation], Mapping[str, Observation]]
"""What is known of the situation, and what was found in the patient."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """The answer in natural frequencies (Gigerenzer & Hoffrage 1995).

    Attributes:
        operated: Patients in the same context, a power of ten that makes ``with_findings`` at least 100 where it can.
        with_findings: How many of them show these findings.
        with_cause: How many of those have each cause; a patient may have several.
        none: How many of those have none of the causes.
        sentence: The same in words.
    """

    operated: int
    with_findings: int
    with_cause: Mapping[str, int]
    none: int
    sentence: str


def frequencies(
    engine: Engine, situated: Situated, log_evidence: float, causes: Mapping[str, float], none: float
) -> Frequencies:
    """Return the answer as counts of patients.

    Args:
        engine: The network.
        situated: The situation and the findings.
        log_evidence: ln P(context and findings).
        causes: Posterior of each cause.
        none: Posterior of none of them.
    """
    context, findings = situated
    log_context = float(engine.log_probability(engine.weights(context))[0])
    share = math.exp(min(0.0, log_evidence - log_context))
    operated = _PATIENTS
    while operated * share < _SMALLEST_COUNT and operated < 10**15:
        operated *= 10
    count = round(operated * share)
    counts = {cause: round(count * value) for cause, value in causes.items()}
    nobody = round(count * none)
    return Frequencies(operated, count, counts, nobody, _sentence(operated, count, counts, nobody, bool(findings)))


def _sentence(operated: int, count: int, counts: Mapping[str, int], nobody: int, findings: bool) -> str:
    vocabulary = load_vocabulary()
    leading = sorted(counts, key=lambda cause: -counts[cause])[:_NAMED_IN_SENTENCE]
    named = ", ".join(f"{counts[cause]:,} have {_in_sentence(vocabulary.causes[cause].label)}" for cause in leading)
    if count < _SMALLEST_COUNT:
        return f"Fewer than {_SMALLEST_COUNT} of {operated:,} operated patients in this situation show these findings."
    shown = "these findings" if findings else "no finding entered yet"
    return (
        f"Of {operated:,} operated patients in this situation, about {count:,} show {shown}; "
        f"of those, {named}, and {nobody:,} have none of the listed causes (a patient may have several)."
    )


def _in_sentence(label: str) -> str:
    return label if label.split(maxsplit=1)[0].isupper() else label[0].lower() + label[1:]
