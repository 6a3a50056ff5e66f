"""The answer to a case: posteriors with their intervals, and what is shown with them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.care import Care, CareAdvice, care_for, care_text
from rootcause.case import Case
from rootcause.engine import Drawn, Engine
from rootcause.frequencies import Frequencies, frequencies
from rootcause.reasoning.conflict import conflict as reasoning_conflict
from rootcause.rules import LEVELS, Action, RedFlag, Rulebook, Urgency
from rootcause.stakes import Stakes
from rootcause.structure import CAUSES, CAUSES_WITH_ONSET, ONSET_ORDER, UNMODELLED
from rootcause.urgent import Waiting, must_not_wait_text, rank_by_stakes
from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rootcause.shares import Interval

Array = NDArray[np.float64]
DRAWS = 2_000
SEED = 20_261_121
LOW, HIGH = 5.0, 95.0
"""Percentiles of the 90 % interval."""

_CONTEXT_OF_PRIOR = "procedure"
_SOON_HOURS, _MUCH_HARM = 168.0, 30.0
"""A cause that takes a week at most and costs so many points is named even where no rule fired."""

_TELLING_CONFLICT = 0.5
"""Score from which the text mentions a conflict."""


@dataclass(frozen=True, slots=True)
class CausePosterior:
    """Probability of one cause, before and after the findings.

    Attributes:
        prior: Per operation, over the whole horizon of its rate.
        prior_given_complaint: Among patients after such an operation who have a complaint.
        mean: Given all findings, at the points of all numbers.
        low: 5th percentile over draws of all numbers; ``None`` where no interval was asked for.
        high: 95th percentile.
    """

    prior: float
    prior_given_complaint: float
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """How far the findings pull against each other.

    Attributes:
        score: ln of the product of P(finding | context) over P(all findings | context); above 0 they surprise each
            other (Jensen, Chamberlain, Nordahl & Jensen 1990).
        suspect: Where the score is above 0, the finding that the others make least likely.
    """

    score: float
    suspect: str | None


@dataclass(frozen=True, slots=True)
class Data:
    """What is shown with posteriors: rules and advice, stakes, care."""

    rulebook: Rulebook
    stakes: Stakes
    care: Care


@dataclass(frozen=True, slots=True)
class Before:
    """Probability of each cause before the findings: per operation, and given a complaint."""

    per_operation: Mapping[str, float]
    given_complaint: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of a case; ``to_dict`` is the JSON of the command line and of the HTTP service.

    Attributes:
        model: Version, digest and rate set.
        disclaimer: What the answer is not.
        findings: The findings as understood.
        posterior: By cause.
        none: P(none of the listed causes).
        none_low: 5th percentile of that over draws of all numbers.
        none_high: 95th percentile.
        none_unmodelled: The part of ``none`` in which a cause outside the list is at work; the rest has none at all.
        log_evidence: ln P(findings).
        conflict: How far the findings pull against each other.
        red_flags: Rules that fired, the most urgent first.
        urgency: The most urgent level.
        actions: Advice that applies.
        must_not_wait: The causes by points lost for each hour of waiting, the most first.
        care: Work-up, management and prognosis of the causes that are probable enough, the most probable first.
        derived: Findings that nobody entered: they follow from two examinations.
        carried: Findings from an earlier examination that were not looked at again.
        frequencies: The answer in counts of patients.
    """

    model: Mapping[str, str]
    disclaimer: str
    findings: Mapping[str, Any]
    posterior: Mapping[str, CausePosterior]
    none: float
    none_low: float | None
    none_high: float | None
    none_unmodelled: float
    log_evidence: float
    conflict: Conflict
    red_flags: tuple[RedFlag, ...]
    urgency: Urgency
    actions: tuple[Action, ...]
    must_not_wait: tuple[Waiting, ...]
    care: tuple[CareAdvice, ...]
    derived: tuple[str, ...]
    carried: tuple[str, ...]
    frequencies: Frequencies

    @property
    def ranking(self) -> tuple[str, ...]:
        """All causes and ``none``, the most probable first."""
        values = {**{cause: item.mean for cause, item in self.posterior.items()}, "none": self.none}
        return tuple(sorted(values, key=lambda name: -values[name]))

    @property
    def conflict_sentence(self) -> str:
        """What pulls apart, in words; a sign that fired a red flag is never put in doubt. Empty without a conflict."""
        suspect = self.conflict.suspect
        if suspect is None:
            return ""
        label = load_vocabulary().observable[suspect].label
        if any(suspect in flag.signs for flag in self.red_flags):
            return (
                f"The other findings do not explain this one: {label}. That is no reason to doubt it: act on the red "
                "flag, and image again what does not explain it."
            )
        return f"These findings rarely occur together. The one that fits least: {label}."

    @property
    def none_sentence(self) -> str:
        """What "none of these" is made of, in words."""
        well = max(0.0, self.none - self.none_unmodelled)
        return (
            f"None of these, {self.none:.1%}: {well:.1%} no lasting cause at all, {self.none_unmodelled:.1%} a cause "
            "outside the list (vessels, plexus, cord, polyneuropathy, functional)."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {
            "model": dict(self.model),
            "disclaimer": self.disclaimer,
            "findings": {name: _plain(value) for name, value in self.findings.items()},
            "posterior": {cause: _fields(item) for cause, item in self.posterior.items()},
            "none": self.none,
            "none_interval": {"low": self.none_low, "high": self.none_high},
            "none_unmodelled": self.none_unmodelled,
            "log_evidence": self.log_evidence,
            "conflict": {"score": self.conflict.score, "suspect": self.conflict.suspect},
            "red_flags": [
                {
                    "id": flag.id,
                    "text": flag.text,
                    "level": flag.level,
                    "sources": list(flag.sources),
                    "certain": flag.certain,
                    "unknown": list(flag.unknown),
                    "earlier": flag.earlier,
                    "first": list(flag.first),
                    "signs": list(flag.signs),
                }
                for flag in self.red_flags
            ],
            "urgency": {"level": self.urgency.level, "text": self.urgency.text},
            "actions": [
                {"id": item.id, "text": item.text, "claims": list(item.claims), "sources": list(item.sources)}
                for item in self.actions
            ],
            "must_not_wait": [item.to_dict() for item in self.must_not_wait],
            "care": [item.to_dict() for item in self.care],
            "derived": list(self.derived),
            "carried": list(self.carried),
            "frequencies": {
                "operated": self.frequencies.operated,
                "with_findings": self.frequencies.with_findings,
                "with_cause": dict(self.frequencies.with_cause),
                "none": self.frequencies.none,
                "sentence": self.frequencies.sentence,
            },
        }

    def to_text(self) -> str:
        """Return the answer as lines for a terminal."""
        labels = {id_: item.label for id_, item in load_vocabulary().causes.items()} | {"none": "None of these"}
        lines = [f"Urgency: {self.urgency.level.replace('_', ' ')}. {self.urgency.text}"]
        for flag in self.red_flags:
            lines.append(f"RED FLAG ({flag.level.replace('_', ' ')}): {flag.text}")
            lines += [f"    first: {words}" for words in flag.first if flag.level == self.urgency.level]
        lines += ["", f"{'':25}{'per operation':>15}{'with complaint':>16}{'posterior':>11}   90 % interval"]
        lines += [self._row(name, labels[name]) for name in self.ranking]
        lines += ["", self.none_sentence, self.frequencies.sentence, ""]
        lines += [f"- {item.text}" for item in self.actions]
        lines += ["", must_not_wait_text(self.must_not_wait), "", care_text(self.care)]
        lines += self._of_earlier()
        if self.conflict.score > _TELLING_CONFLICT and self.conflict_sentence:
            lines += ["", self.conflict_sentence]
        model = self.model
        lines += ["", f"Rootcause {model['version']}, rates {model['rates']}, digest {model['digest'][:12]}."]
        return "\n".join([*lines, self.disclaimer])

    def _of_earlier(self) -> list[str]:
        """Say what came from earlier examinations: nobody entered it, or nobody looked again."""
        words = load_vocabulary().observable
        lines = [
            f"{title}: {', '.join(words[name].label for name in names)}."
            for title, names in (
                ("Nobody entered this; it follows from the examinations", self.derived),
                ("Carried on from an earlier examination, read as if found at the last", self.carried),
            )
            if names
        ]
        return ["", *lines] if lines else []

    def _row(self, name: str, label: str) -> str:
        if name == "none":
            return f"{label:25}{'':31}{self.none:>11.1%}{_interval(self.none_low, self.none_high)}"
        item = self.posterior[name]
        before = f"{item.prior:>15.2%}{item.prior_given_complaint:>16.2%}"
        return f"{label:25}{before}{item.mean:>11.1%}{_interval(item.low, item.high)}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"   {low:.1%} to {high:.1%}"


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value


def _fields(item: CausePosterior) -> dict[str, float | None]:
    return {
        "prior": item.prior,
        "prior_given_complaint": item.prior_given_complaint,
        "mean": item.mean,
        "low": item.low,
        "high": item.high,
    }


@dataclass(frozen=True, slots=True)
class Posterior:
    """Posterior of each cause and of none of them, for each draw.

    Attributes:
        causes: By cause, shape ``(draws,)``.
        none: Shape ``(draws,)``.
        log_evidence: Shape ``(draws,)``.
    """

    causes: Mapping[str, Array]
    none: Array
    log_evidence: Array


def posterior(engine: Engine, case: Case, drawn: Drawn | None = None) -> Posterior:
    """Return the posterior of every cause and of none of the listed ones.

    Args:
        engine: The network.
        case: What was found.
        drawn: Tables to use instead of the engine's own.

    Raises:
        ImpossibleEvidenceError: If the findings have probability zero.
    """
    weights = engine.weights(case.observations)
    found = engine.marginals(weights, CAUSES, drawn)
    absent = engine.weights(dict.fromkeys(CAUSES, "absent"))
    log_none = engine.log_probability({**weights, **absent}, drawn)
    causes = {cause: found.posterior[cause][1] for cause in CAUSES}
    none = np.minimum(np.exp(log_none - found.log_evidence), 1.0)
    return Posterior(MappingProxyType(causes), none, found.log_evidence)


def priors(engine: Engine, case: Case) -> Before:
    """Return each cause's probability before the findings, after the operation that the case names."""
    operation = {n: o for n, o in case.observations.items() if n == _CONTEXT_OF_PRIOR}
    weights = engine.weights(operation)
    onsets = [f"onset_{cause}" for cause in CAUSES_WITH_ONSET if cause in CAUSES]
    without_onset = [cause for cause in CAUSES if f"onset_{cause}" not in onsets]
    before = engine.marginals(weights, [*onsets, *without_onset]).posterior
    complaint = engine.weights({"symptom_onset": ONSET_ORDER[1:]})
    given = engine.marginals({**weights, **complaint}, CAUSES).posterior
    per_operation = {
        cause: 1 - float(before[f"onset_{cause}"][-1, 0]) if cause not in without_onset else float(before[cause][1, 0])
        for cause in CAUSES
    }
    return Before(per_operation, {cause: float(given[cause][1, 0]) for cause in CAUSES})


def conflict(engine: Engine, case: Case) -> Conflict:
    """Return how far the findings pull against each other, given the context."""
    context, findings = case.split()
    report = reasoning_conflict(engine, findings, context)
    return Conflict(report.score, report.suspect)


def interval(values: Array) -> tuple[float, float]:
    """Return the 5th and 95th percentile over draws."""
    low, high = np.percentile(values, (LOW, HIGH))
    return float(low), float(high)


def answer(
    *,
    engine: Engine,
    data: Data,
    case: Case,
    before: Before,
    point: Posterior,
    draws: Posterior | None,
    model: Mapping[str, str],
) -> Answer:
    """Put the answer to a case together.

    Args:
        engine: The network at the points of all numbers.
        data: What is shown with posteriors.
        case: What was found.
        before: Probabilities before the findings.
        point: Posteriors at the points of all numbers.
        draws: Posteriors over draws of all numbers, for the intervals; ``None`` leaves them out.
        model: Version, digest and rate set.
    """
    means = {cause: float(values[0]) for cause, values in point.causes.items()}
    none = float(point.none[0])
    log_evidence = float(point.log_evidence[0])
    flags = data.rulebook.red_flags(case)
    urgency = data.rulebook.urgency_of(flags)
    nothing = engine.weights({**case.observations, **dict.fromkeys((*CAUSES, UNMODELLED), "absent")})
    no_cause = math.exp(float(engine.log_probability(nothing)[0]) - log_evidence)
    none_low, none_high = (None, None) if draws is None else interval(draws.none)
    causes = _causes(means, before, draws)
    intervals: dict[str, Interval] = {cause: (item.mean, item.low, item.high) for cause, item in causes.items()}
    waiting = rank_by_stakes(intervals, data.stakes.under(urgency.level))
    return Answer(
        model=MappingProxyType(dict(model)),
        disclaimer=data.rulebook.disclaimer,
        findings=case.findings,
        posterior=MappingProxyType(causes),
        none=none,
        none_low=none_low,
        none_high=none_high,
        none_unmodelled=max(0.0, none - no_cause),
        log_evidence=log_evidence,
        conflict=conflict(engine, case),
        red_flags=flags,
        urgency=_not_lulled(urgency, waiting),
        actions=data.rulebook.actions(case, means, urgency.level),
        must_not_wait=waiting,
        care=care_for(data.care, intervals, urgency.level),
        derived=case.derived,
        carried=case.carried,
        frequencies=frequencies(engine, case.split(), log_evidence, means, none),
    )


def _not_lulled(urgency: Urgency, waiting: Sequence[Waiting]) -> Urgency:
    """Say under "routine" that a dangerous cause is probable all the same; the level stays that of the rules."""
    soon = [row for row in waiting if row.above and row.hours.value <= _SOON_HOURS and row.harm.value >= _MUCH_HARM]
    if urgency.level != LEVELS[-1] or not soon:
        return urgency
    causes = load_vocabulary().causes
    named = " and ".join(f"{causes[row.cause].label} stands at {row.probability:.0%}" for row in soon)
    return Urgency(urgency.level, f"{urgency.text} But {named}: speak to the operating team today.")


def _causes(means: Mapping[str, float], before: Before, draws: Posterior | None) -> dict[str, CausePosterior]:
    result = {}
    for cause, mean in means.items():
        low, high = (None, None) if draws is None else interval(draws.causes[cause])
        result[cause] = CausePosterior(before.per_operation[cause], before.given_complaint[cause], mean, low, high)
    return result


__all__: Sequence[str] = (
    "DRAWS",
    "SEED",
    "Answer",
    "Before",
    "CausePosterior",
    "Conflict",
    "Data",
    "Posterior",
    "answer",
    "posterior",
    "priors",
)
