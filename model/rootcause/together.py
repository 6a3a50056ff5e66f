"""Together: which causes are present at once, which the findings speak for, and which explain each other away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.case import Case
from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.reasoning.hypotheses import (
    ExplainingAway,
    Explanation,
    explaining_away_in,
    most_probable_combinations,
    most_relevant_explanations,
)
from rootcause.structure import EVERY_CAUSE, ONSET_ORDER, UNMODELLED
from rootcause.vocabulary import load_vocabulary

Array = NDArray[np.float64]

COMBINATIONS = 8
_EXPLANATIONS = 6
_LEADING = 5
_SEARCHED = 40
"""Explanations looked through: those that only say which causes are absent explain nothing."""

_LEAST_POSTERIOR = 0.05
"""Least posterior of an explanation: three rare causes at once fit anything well, and hardly ever happen."""

_PAIRS = 3
_OUTSIDE = "A cause outside the list"


@dataclass(frozen=True, slots=True)
class CauseCombination:
    """The listed causes that are present, all others being absent.

    Attributes:
        present: Causes, in the order of the vocabulary; empty for none of these.
        probability: P(exactly these | findings).
    """

    present: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True)
class Together:
    """The causes of a case taken together.

    Attributes:
        combinations: The most probable ones, the most probable first (exact MAP: Park & Darwiche 2004).
        covered: Their probability in all.
        alone: P(cause | findings) of each, whatever the others do; they may add up to more than 1.
        none: P(none of the listed causes | findings).
        explanations: Some causes present or absent for which the findings speak the most, by generalised Bayes factor
            (Yuan, Lim & Lu 2011). Their ``prior`` is given the context and a complaint, and so is their ``posterior``.
        pairs: Of the leading causes, those that explain each other away the most.
    """

    combinations: tuple[CauseCombination, ...]
    covered: float
    alone: Mapping[str, float]
    none: float
    explanations: tuple[Explanation, ...]
    pairs: tuple[ExplainingAway, ...]

    @property
    def pair_sentences(self) -> tuple[str, ...]:
        """The causes that explain each other away, in words."""
        return tuple(map(_away, self.pairs))

    @property
    def explanation_sentences(self) -> tuple[str, ...]:
        """What the findings speak for the most, in words."""
        return tuple(map(_spoken_for, self.explanations))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; a number without bound is ``None``."""
        return {
            "combinations": [
                {"present": list(item.present), "probability": item.probability} for item in self.combinations
            ],
            "covered": self.covered,
            "alone": dict(self.alone),
            "none": self.none,
            "explanations": [item.to_dict() for item in self.explanations],
            "pairs": [_pair(item) for item in self.pairs],
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        lines = ["Most probable together:"]
        lines += [f"{item.probability:>8.1%}  {_in_words(item.present)}" for item in self.combinations]
        lines += [f"{self.covered:>8.1%}  in all", "", "Each on its own:"]
        ranked = sorted(self.alone.items(), key=lambda item: -item[1])[:_LEADING]
        lines += [f"{value:>8.1%}  {_label(name)}" for name, value in ranked]
        if self.explanations:
            lines += ["", "What the findings speak for the most (how many times likelier with it than without it):"]
            lines += [_explained(item) for item in self.explanations]
        lines += ["", *self.pair_sentences] if self.pairs else []
        return "\n".join(lines)


def together(engine: Engine, case: Case, k: int = COMBINATIONS, *, causes: Sequence[str] = EVERY_CAUSE) -> Together:
    """Take the causes of a case together.

    The Bayes factors compare what is known with the context and a complaint alone: where the case does not say when the
    complaint began, any onset but ``no_complaint`` is taken as given for them.

    Args:
        engine: The network.
        case: What was found.
        k: How many combinations to return at most.
        causes: The causes to look at; the others are summed out.

    Raises:
        InvalidInputError: If ``k`` is below 1, or a cause is unknown.
        ImpossibleEvidenceError: If the findings have probability zero.
    """
    asked = _checked(causes)
    states = {name: engine.states[name] for name in asked}
    posterior = engine.joint(case.observations, asked)
    listed = [name for name in asked if name != UNMODELLED]
    of_listed = posterior.sum(axis=asked.index(UNMODELLED)) if UNMODELLED in asked else posterior
    found = most_probable_combinations(of_listed, listed, states, k)
    best = tuple(
        CauseCombination(tuple(name for name in listed if item.assignment[name] == "present"), item.probability)
        for item in found
    )
    alone = {name: float(_marginal(posterior, [number])[1]) for number, name in enumerate(asked)}
    return Together(
        combinations=best,
        covered=sum(item.probability for item in best),
        alone=MappingProxyType({name: alone[name] for name in listed}),
        none=float(of_listed.flat[0]),
        explanations=_explanations(engine, case, asked, posterior),
        pairs=_pairs(posterior, asked, alone),
    )


def _checked(causes: Sequence[str]) -> list[str]:
    asked = list(dict.fromkeys(causes))
    for name in asked:
        if name not in EVERY_CAUSE:
            raise InvalidInputError(f"causes: must name known causes, got {name!r}{nearest(str(name), EVERY_CAUSE)}")
    if not [name for name in asked if name != UNMODELLED]:
        raise InvalidInputError("causes: at least one listed cause must be named, got none")
    return asked


def _explanations(engine: Engine, case: Case, asked: list[str], posterior: Array) -> tuple[Explanation, ...]:
    context, findings = case.split()
    if not findings:
        return ()
    complaint: dict[str, Observation] = {"symptom_onset": ONSET_ORDER[1:]}
    unsaid = "symptom_onset" not in context
    if unsaid and not engine.possible(engine.weights({**complaint, **case.observations})):
        return ()
    before = engine.joint({**complaint, **context}, asked)
    after = engine.joint({**complaint, **case.observations}, asked) if unsaid else posterior
    found = most_relevant_explanations(before, after, asked, engine.states, _SEARCHED, least=_LEAST_POSTERIOR)
    return tuple(item for item in found if "present" in item.assignment.values())[:_EXPLANATIONS]


def _pairs(posterior: Array, asked: list[str], alone: Mapping[str, float]) -> tuple[ExplainingAway, ...]:
    """Return the pairs of leading causes that are present together the least, for how often each is (covariance)."""
    leading = sorted(range(len(asked)), key=lambda number: -alone[asked[number]])[:_LEADING]
    found = []
    for one, other in combinations(leading, 2):
        pair = _marginal(posterior, [one, other])
        excess = float(pair[1, 1] - pair[1].sum() * pair[:, 1].sum())
        item = explaining_away_in(pair, (asked[one], "present"), (asked[other], "present"))
        if item.interaction is not None and item.interaction < 0:
            found.append((excess, item))
    found.sort(key=lambda entry: entry[0])
    return tuple(item for _, item in found[:_PAIRS])


def _marginal(joint: Array, kept: list[int]) -> Array:
    """Return the distribution of some axes, in the order given."""
    summed: Array = joint.sum(axis=tuple(axis for axis in range(joint.ndim) if axis not in kept))
    return summed if kept == sorted(kept) else summed.T


def _pair(item: ExplainingAway) -> dict[str, Any]:
    finite = item.interaction is not None and np.isfinite(item.interaction)
    return {
        "cause": item.target[0],
        "other": item.other[0],
        "posterior": item.posterior,
        "with_other": item.with_other,
        "without_other": item.without_other,
        "interaction": item.interaction if finite else None,
    }


def _label(name: str) -> str:
    return _OUTSIDE if name == UNMODELLED else load_vocabulary().causes[name].label


def _in_words(present: Sequence[str]) -> str:
    return " + ".join(_label(name) for name in present) or "None of these"


def _assigned(assignment: Mapping[str, str]) -> str:
    words = [_label(name) if state == "present" else f"no {_label(name)}" for name, state in assignment.items()]
    return " + ".join(words)


def _explained(item: Explanation) -> str:
    change = f"{item.prior:.2%} before, {item.posterior:.1%} now"
    return f"{_times(item.factor):>8}  {_assigned(item.assignment)} ({change})"


def _spoken_for(item: Explanation) -> str:
    change = f"{item.prior:.2%} before, {item.posterior:.1%} now"
    return (
        f"{_assigned(item.assignment)}: findings {_times(item.factor)} times likelier with it than without ({change})."
    )


def _times(factor: float) -> str:
    return f"{factor:,.1f}" if np.isfinite(factor) else "certain"


def _away(item: ExplainingAway) -> str:
    first, second = _label(item.target[0]), _label(item.other[0])
    now = f"{first} {item.posterior:.1%}"
    if item.with_other is None or item.without_other is None:
        return f"{now}."
    return f"{now}: {item.with_other:.1%} if {second} is present, {item.without_other:.1%} if it is not."
