"""What would be believed without a finding, and in the twin case, in which one finding is another.

Both change one finding of a case and keep all others. Two findings that say the same hide each other here: without
either, the other still speaks.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine
from rootcause.reasoning.scales import Evidence, Scales, log_shares, probabilities

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Removal:
    """What would be believed without one finding.

    Attributes:
        finding: Its node.
        without: P(hypothesis) with all other findings.
        change: That, less P(hypothesis) with all of them.
        divergence: KL(P(h | all) || P(h | all but this one)) over the hypothesis and its opposite, in nats, 0 or more.
    """

    finding: str
    without: float
    change: float
    divergence: float


@dataclass(frozen=True, slots=True)
class Twin:
    """The same case with one finding in another state.

    Attributes:
        finding: Its node.
        state: Its state in the twin.
        posterior: P(hypothesis) of the twin; ``None`` where the other findings do not allow for this state.
        change: That, less P(hypothesis) of the case.
    """

    finding: str
    state: str
    posterior: float | None
    change: float | None


def removals(
    engine: Engine, evidence: Evidence, target: str, state: str, given: Evidence | None = None
) -> tuple[Removal, ...]:
    """Return what would be believed without each finding (INSITE: Suermondt 1992).

    Args:
        engine: Any network.
        evidence: By node, what was found.
        target: A node that is not in the evidence.
        state: The state of it that is asked about.
        given: What is known throughout (the context).

    Raises:
        InvalidInputError: If a node, a state or an observation is unknown, or a node is named in two places.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return removals_of(Scales(engine, {target: state}, evidence, given or {}))


def twins(
    engine: Engine, evidence: Evidence, target: str, state: str, given: Evidence | None = None
) -> tuple[Twin, ...]:
    """Return what would be believed had a finding been another, each in turn.

    Args:
        engine: Any network.
        evidence: By node, what was found.
        target: A node that is not in the evidence.
        state: The state of it that is asked about.
        given: What is known throughout (the context).

    Raises:
        InvalidInputError: If a node, a state or an observation is unknown, or a node is named in two places.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return twins_of(Scales(engine, {target: state}, evidence, given or {}))


def removals_of(scales: Scales) -> tuple[Removal, ...]:
    """Return what ``removals`` does."""
    with_all = scales.log_masses(scales.in_order()[-1:])
    without = scales.log_masses(scales.one_left_out())
    posterior = float(probabilities(with_all)[0])
    logs = log_shares(with_all)[0]
    chance, own = probabilities(without).tolist(), log_shares(without)
    return tuple(
        Removal(name, chance[k], chance[k] - posterior, _divergence(logs, own[k]))
        for k, name in enumerate(scales.findings)
    )


def twins_of(scales: Scales) -> tuple[Twin, ...]:
    """Return what ``twins`` does."""
    named, cases = scales.other_states()
    posterior = float(probabilities(scales.log_masses(scales.in_order()[-1:]))[0])
    found = []
    for (name, state), chance in zip(named, probabilities(scales.log_masses(cases)).tolist(), strict=True):
        possible = not math.isnan(chance)
        found.append(Twin(name, state, chance if possible else None, chance - posterior if possible else None))
    return tuple(found)


def _divergence(logs: Array, others: Array) -> float:
    terms = [math.exp(log) * (log - other) for log, other in zip(logs, others, strict=True) if log > -math.inf]
    return max(0.0, math.fsum(terms))  # a rounding error below 0 is no divergence
