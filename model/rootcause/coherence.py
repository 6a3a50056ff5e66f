"""Does it fit? How far the findings of a case pull against each other, and whether the model knows such a patient."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rootcause.case import Case
from rootcause.engine import Engine, Observation
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.conflict import ConflictReport, Surprise, conflict
from rootcause.reasoning.simulation import Percentile, percentile_of_evidence
from rootcause.structure import CAUSES, ONSET_ORDER
from rootcause.vocabulary import load_vocabulary

SIMULATED = 400
SEED = 20_261_121
LOWEST = 0.01
"""Share of simulated patients with findings as improbable, below which a case looks like nothing in the model.

So many of the model's own patients are warned of in vain. A larger share warns of every patient with a rare cause.
"""

_COMPLAINT: Mapping[str, Observation] = {"symptom_onset": ONSET_ORDER[1:]}
_NAMED = 3
_AS_IMPROBABLE = "show findings as improbable as these, or more"


@dataclass(frozen=True, slots=True)
class Coherence:
    """How well the findings of a case fit together and the model.

    Attributes:
        conflict: Jensen's conflict given the context, each finding's surprise, the one to look at again, and the causes
            that would reconcile them.
        none: P(none of the listed causes).
        leading: The most probable listed cause and its probability.
        percentile: How usual the findings are among simulated patients with a complaint, in the same context, in whom
            the same things were examined; ``None`` where it was not asked for or cannot be had.
        no_percentile: Why there is none, in one sentence; empty where there is one.
        warnings: Plain sentences where the findings look like nothing in the model: ``none`` leads, or the percentile
            is below ``LOWEST``.
        flagged: Signs that fired a red flag: they are never put in doubt.
    """

    conflict: ConflictReport
    none: float
    leading: tuple[str, float]
    percentile: Percentile | None
    no_percentile: str
    warnings: tuple[str, ...]
    flagged: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        found = self.percentile
        return {
            "conflict": self.conflict.to_dict(),
            "none": self.none,
            "leading": {"id": self.leading[0], "probability": self.leading[1]},
            "percentile": None
            if found is None
            else {
                "share": found.share,
                "as_improbable": found.as_improbable,
                "simulated": found.n,
                "method": found.method,
            },
            "no_percentile": self.no_percentile,
            "warnings": list(self.warnings),
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        lines = [*self.warnings, self.sentence]
        if self.conflict.resolved_by:
            named = ", ".join(
                f"{_cause(item.name)} ({item.posterior:.1%})" for item in self.conflict.resolved_by[:_NAMED]
            )
            lines.append(f"Reconciled by: {named}.")
        if self.percentile is None or self.percentile.share >= LOWEST:  # else it is among the warnings
            lines.append(self.compared)
        if self.conflict.findings:
            lines += ["", f"{'':45}{'alone':>9}{'given the others':>18}"]
            lines += [_row(item) for item in sorted(self.conflict.findings, key=lambda item: -item.drop)]
        return "\n".join(lines)

    @property
    def compared(self) -> str:
        """How the findings compare with simulated patients, in words."""
        if self.percentile is None:
            return self.no_percentile
        return f"Compared with simulated patients: {_among(self.percentile)} {_AS_IMPROBABLE}."

    @property
    def sentence(self) -> str:
        """Whether the findings pull against each other, in words."""
        report = self.conflict
        if len(report.findings) < 2:  # noqa: PLR2004 - it takes two
            return "Fewer than two findings: nothing that could pull apart."
        if report.suspect is None:
            return f"The findings support each other (conflict {report.score:.2f})."
        if report.suspect in self.flagged:
            return (
                f"The other findings do not explain this one (conflict {report.score:.2f}): "
                f"{_finding(report.suspect)}. That is no reason to doubt it: act on the red flag, and image again what "
                "does not explain it."
            )
        return f"The findings pull apart (conflict {report.score:.2f}); look again at: {_finding(report.suspect)}."


def coherence(
    engine: Engine, case: Case, none_posterior: float, *, simulated: int = SIMULATED, flagged: Iterable[str] = ()
) -> Coherence:
    """Say how well the findings of a case fit together and the model.

    The conflict is taken given the contexts that the case names. The percentile is taken among patients with a
    complaint: where the case does not say when that began, any onset but ``no_complaint`` is given. A list of states
    or a table of likelihoods is compared with simulated observations that are as vague (``percentile_of_evidence``).

    Args:
        engine: The network.
        case: What was found.
        none_posterior: P(none of the listed causes | findings), as ``diagnosis`` gives it.
        flagged: Signs that fired a red flag.
        simulated: How many patients to simulate; 0 leaves the percentile out, which takes most of the time.

    Raises:
        InvalidInputError: If ``simulated`` is below 0.
        ImpossibleEvidenceError: If the findings have probability zero.
    """
    context, findings = case.split()
    report = conflict(engine, findings, context, [(cause, "present") for cause in CAUSES])
    first = max(report.hypotheses, key=lambda item: item.posterior)
    percentile, reason = _percentile(engine, findings, context, simulated)
    return Coherence(
        conflict=report,
        none=none_posterior,
        leading=(first.name, first.posterior),
        percentile=percentile,
        no_percentile=reason,
        warnings=_warnings(none_posterior, first.posterior, percentile, report.score) if findings else (),
        flagged=tuple(flagged),
    )


def _percentile(
    engine: Engine, findings: Mapping[str, Observation], context: Mapping[str, Observation], simulated: int
) -> tuple[Percentile | None, str]:
    if simulated < 0:
        raise InvalidInputError(f"simulated: must be a whole number from 0, got {simulated!r}")
    if simulated == 0:
        return None, "Not compared with simulated patients."
    try:
        return percentile_of_evidence(engine, findings, {**_COMPLAINT, **context}, simulated, SEED), ""
    except ImpossibleEvidenceError:  # the case itself is possible: without a complaint
        return None, "Not compared with simulated patients: these findings do not occur with a complaint."
    except InvalidInputError as error:
        return None, f"Not compared with simulated patients: {error}."


def _warnings(none: float, leading: float, percentile: Percentile | None, score: float) -> tuple[str, ...]:
    """Return what to warn of; a rare case whose findings support each other is told from one in which they do not."""
    result = []
    if none > leading:
        result.append(
            f"Look beyond the list: that none of its causes is present ({none:.1%}) is more probable than any of them "
            f"({leading:.1%})."
        )
    if percentile is not None and percentile.share < LOWEST:
        rare = "; they support each other, so this may be a rare patient rather than one unknown to the model"
        why = rare if score < 0 and not result else ""
        result.append(f"Unusual for the model: {_among(percentile)} {_AS_IMPROBABLE}{why}.")
    return tuple(result)


def _among(found: Percentile) -> str:
    return (
        f"{found.as_improbable:,} of {found.n:,} simulated patients with a complaint in this situation, in whom the "
        "same things were examined,"
    )


def _row(item: Surprise) -> str:
    return f"{_finding(item.name)[:44]:45}{item.alone:>9.1%}{item.given_others:>18.1%}"


def _cause(name: str) -> str:
    return load_vocabulary().causes[name].label


def _finding(name: str) -> str:
    return load_vocabulary().observable[name].label
