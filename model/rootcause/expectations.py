"""What a model is expected to answer: a regression test of its numbers on cases whose cause is known.

A file of expectations holds, for each coded case at the bedside and with its tests, the probability of every outcome,
and which numbers gave it. Compared with the answers of other numbers, it says which cases change rank, and which only
drift.

**When a rank changes.** Two outcomes have changed places where one was more probable by more than the tolerance and the
other is so now. Outcomes nearer to each other than the tolerance are tied, then or now, and no change of their order
counts: neither the last digits of a sum nor the rounding of the file (six decimals, far below any tolerance) can turn a
rank. A case whose findings became impossible, or possible, has changed as well.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from rootcause.case import Case
from rootcause.errors import InvalidInputError
from rootcause.evaluation import OTHER, VIEWS, CodedCase, Evaluation, Score, View
from rootcause.outcomes import NONE, OUTCOMES
from rootcause.regression import Difference, Moved, Regression

TOLERANCE = 0.001
"""Difference of probabilities up to which two outcomes are tied, unless a file says otherwise: what a page shows."""

DECIMALS = 6
"""Decimals of a probability in a file."""

DRIFT = 2 * 10.0**-DECIMALS
"""Difference of probabilities up to which an outcome has not moved: more than rounding can make."""


@dataclass(frozen=True, slots=True)
class ExpectedCase:
    """What is expected of one case in one view.

    Attributes:
        cause: The confirmed cause, or ``other``.
        rank: Of the true outcome, from 1.
        findings: Digest of the findings, so that a changed case is not taken for a changed model.
        posterior: Of every outcome, the most probable first; empty where the findings are impossible.
    """

    cause: str
    rank: int
    findings: str
    posterior: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a file of expectations holds.

    Attributes:
        model: Version, digest and rate set of the numbers that gave the answers.
        tolerance: Difference of probabilities up to which two outcomes are tied.
        cases: By id of the case and view.
    """

    model: Mapping[str, str]
    tolerance: float
    cases: Mapping[tuple[str, View], ExpectedCase]


# ---- from answers to expectations, and back --------------------------------------------------------------------------


def expectations_of(evaluation: Evaluation, cases: Iterable[CodedCase], tolerance: float = TOLERANCE) -> Expectations:
    """Return what a file of expectations holds of the answers to coded cases.

    Args:
        evaluation: The answers.
        cases: The cases that were answered, in the same order.
        tolerance: As in ``Expectations``.
    """
    found = {
        (result.id, view): ExpectedCase(
            cause=result.cause,
            rank=result.score(view).rank,
            findings=findings_digest(case.bedside if view == "bedside" else case.with_tests),
            posterior=_rounded(result.score(view)),
        )
        for result, case in zip(evaluation.results, cases, strict=True)
        for view in VIEWS
    }
    return Expectations(evaluation.model, tolerance, MappingProxyType(found))


def findings_digest(case: Case) -> str:
    """Return a short checksum over what was found, whatever the order in which it was entered."""
    plain = {name: _sorted(value) for name, value in case.findings.items()}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, default=list)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]


def _sorted(value: object) -> object:
    return sorted(value) if isinstance(value, list | tuple) else dict(value) if isinstance(value, Mapping) else value


def _rounded(score: Score) -> Mapping[str, float]:
    order = sorted(score.posterior, key=lambda name: -score.posterior[name])
    return MappingProxyType({name: round(score.posterior[name], DECIMALS) for name in order})


# ---- the comparison --------------------------------------------------------------------------------------------------


def compare_with(
    expected: Expectations, evaluation: Evaluation, cases: Sequence[CodedCase], tolerance: float | None = None
) -> Regression:
    """Return how the answers to coded cases differ from what was expected.

    Args:
        expected: What a file holds.
        evaluation: The answers now.
        cases: The cases that were answered, in the same order.
        tolerance: Difference of probabilities up to which two outcomes are tied; ``None`` takes that of the file.

    Raises:
        InvalidInputError: If the tolerance is none, or nothing is expected of any of the cases.
    """
    now = expectations_of(evaluation, cases)
    tied = expected.tolerance if tolerance is None else tolerance
    check_tolerance(tied)
    both = [key for key in now.cases if key in expected.cases]
    if not both:
        raise InvalidInputError("expect: something must be expected of at least one of the cases, got nothing of any")
    found = (_difference(key, expected.cases[key], now.cases[key], tied) for key in both)
    return Regression(
        expected=expected.model,
        model=now.model,
        tolerance=tied,
        differences=tuple(item for item in found if item is not None),
        compared=len(both),
        new=_ids(key for key in now.cases if key not in expected.cases),
        missing=_ids(key for key in expected.cases if key not in now.cases),
    )


def _ids(keys: Iterable[tuple[str, View]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_ for id_, _ in keys))


def _difference(key: tuple[str, View], then: ExpectedCase, now: ExpectedCase, tolerance: float) -> Difference | None:
    id_, view = key
    truth, recoded = (then.rank, now.rank), then.findings != now.findings
    if bool(then.posterior) != bool(now.posterior):
        why = "the findings cannot hold together now" if then.posterior else "the findings can hold together now"
        return Difference(id_, view, "changed", (), truth, why, recoded)
    if not then.posterior:
        return None
    swapped = changed_places(then.posterior, now.posterior, tolerance)
    if swapped:
        own = NONE if then.cause == OTHER else then.cause
        ranks = truth if own in swapped else (then.rank, then.rank)
        return Difference(id_, view, "changed", _moved(then, now, swapped), ranks, "", recoded)
    most = max(OUTCOMES, key=lambda name: abs(now.posterior[name] - then.posterior[name]))
    if abs(now.posterior[most] - then.posterior[most]) <= DRIFT and not recoded:
        return None
    return Difference(id_, view, "drifted", _moved(then, now, {most}), (then.rank, then.rank), "", recoded)


def check_tolerance(tolerance: float) -> None:
    """Refuse a tolerance within which rounding could turn a rank, or in which everything is tied.

    Raises:
        InvalidInputError: If it is none.
    """
    if not DRIFT <= tolerance < 1:
        raise InvalidInputError(f"tolerance: must be a probability from {DRIFT:g} to below 1, got {tolerance:g}")


def changed_places(then: Mapping[str, float], now: Mapping[str, float], tolerance: float) -> set[str]:
    """Return the outcomes that changed places with another: apart by more than the tolerance both then and now.

    Args:
        then: Probabilities by outcome.
        now: Of the same outcomes.
        tolerance: Difference up to which two are tied.
    """
    found: set[str] = set()
    for one, other in combinations(then, 2):
        before, after = then[one] - then[other], now[one] - now[other]
        if before * after < 0 and min(abs(before), abs(after)) > tolerance:
            found |= {one, other}
    return found


def _moved(then: ExpectedCase, now: ExpectedCase, names: Iterable[str]) -> tuple[Moved, ...]:
    old, new = _places(then.posterior), _places(now.posterior)
    found = [Moved(name, (old[name], new[name]), (then.posterior[name], now.posterior[name])) for name in names]
    kept = [item for item in found if item.rank[0] != item.rank[1]] or found
    return tuple(sorted(kept, key=lambda item: (item.rank[1], item.rank[0])))


def _places(posterior: Mapping[str, float]) -> dict[str, int]:
    order = sorted(posterior, key=lambda name: (-posterior[name], OUTCOMES.index(name)))
    return {name: place for place, name in enumerate(order, start=1)}
