"""What each finding says for or against a hypothesis: in the order of entry, and free of any order.

The weight of a finding is the change of log-odds that it brings given what is known already,
ln [P(finding | hypothesis, known) / P(finding | not the hypothesis, known)] (Good 1950, 1985), in nats or in decibans,
10 log10 of the ratio. In the order of entry the weights add up; free of an order, each finding gets its Shapley value
in the game whose worth is the log-odds (Lundberg & Lee 2017), and these add up to the same.

Where findings rule a hypothesis out, or prove it, log-odds are infinite. Then the finding that decides is named, those
after it have no weight left to give, and infinity is not shared out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Unpack

import numpy as np

from rootcause.engine import Engine
from rootcause.reasoning.scales import Array, Evidence, Scales, log_odds, probabilities
from rootcause.reasoning.shapley import EXACT_UP_TO, Coalitions, Sampling, shapley_values

Decided = Literal["ruled_out", "proved"]

DECIBANS_PER_NAT = 10 / math.log(10)

NEXT_TO_NOTHING = 1.02
"""Ratio below which a finding is said to speak neither for nor against: 0.1 decibans."""

STRENGTHS = ((2.0, "barely"), (5.0, "slightly"), (10.0, "moderately"), (100.0, "strongly"), (math.inf, "decisively"))
"""Words for ratios below each bound, in either direction.

A convention, not a fact: the bounds 2, 5 and 10 are those of readers of diagnostic tests (Jaeschke, Guyatt & Sackett
1994), 100 is Jeffreys' (1961) for decisive.
"""


def grade(nats: float) -> int:
    """Return how strong a weight is: 0 for next to nothing, then 1 to 5, negative where it speaks against."""
    ratio = math.exp(min(abs(nats), 700.0))
    if ratio < NEXT_TO_NOTHING:
        return 0
    number = next(k for k, (bound, _) in enumerate(STRENGTHS, 1) if ratio < bound)
    return number if nats > 0 else -number


def in_words(nats: float) -> str:
    """Return a weight of evidence in words, such as ``strongly against``."""
    number = grade(nats)
    if number == 0:
        return "neither for nor against"
    return f"{STRENGTHS[abs(number) - 1][1]} {'for' if number > 0 else 'against'}"


@dataclass(frozen=True, slots=True)
class Weight:
    """What one finding adds to those entered before it.

    Attributes:
        finding: Its node.
        nats: Change of log-odds; ``None`` where the finding decides, or the matter was decided before it.
        before: P(hypothesis) before it, from 0 to 1.
        after: P(hypothesis) with it.
        decides: Whether the hypothesis is ruled out, or proved, from this finding on.
    """

    finding: str
    nats: float | None
    before: float
    after: float
    decides: Decided | None = None

    @property
    def decibans(self) -> float | None:
        """The weight in decibans."""
        return None if self.nats is None else self.nats * DECIBANS_PER_NAT

    @property
    def words(self) -> str:
        """The weight in words."""
        if self.nats is not None:
            return in_words(self.nats)
        if self.decides is not None:
            return "rules it out" if self.decides == "ruled_out" else "proves it"
        return "adds nothing: decided"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Weights of evidence in the order of entry.

    Attributes:
        prior: P(hypothesis) before the findings, given the context.
        posterior: P(hypothesis) with all of them.
        change: Of the log-odds, in nats, which is the sum of the weights; ``None`` where it is infinite.
        weights: One for each finding, in the order of entry.
        decided: Whether the hypothesis is ruled out or proved.
        decisive: The finding from which on it is; ``None`` where it never is, or was by the context.
    """

    prior: float
    posterior: float
    change: float | None
    weights: tuple[Weight, ...]
    decided: Decided | None
    decisive: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one finding in the change of log-odds, averaged over all orders of entry.

    Attributes:
        finding: Its node.
        nats: Its share.
        error: Standard error of the share, in nats; ``None`` where it is exact.
    """

    finding: str
    nats: float
    error: float | None

    @property
    def decibans(self) -> float:
        """The share in decibans."""
        return self.nats * DECIBANS_PER_NAT

    @property
    def words(self) -> str:
        """The share in words."""
        return in_words(self.nats)


@dataclass(frozen=True, slots=True)
class OrderFreeSheet:
    """Weights of evidence that hang on no order.

    Attributes:
        prior: P(hypothesis) before the findings, given the context.
        posterior: P(hypothesis) with all of them.
        change: Of the log-odds, in nats, which is the sum of the shares; ``None`` where it is infinite.
        shares: One for each finding, in the order of entry; ``None`` where the change is infinite.
        exact: Whether every set of findings was weighed; else random orders were, and each share has an error.
        decided: Whether the hypothesis is ruled out or proved.
        decisive: The findings that decide: each of them alone, or, where none does alone, one set that decides together
            and of which none can be left out. Empty where nothing is decided, or the context has decided.
    """

    prior: float
    posterior: float
    change: float | None
    shares: tuple[Share, ...] | None
    exact: bool
    decided: Decided | None
    decisive: tuple[tuple[str, ...], ...]

    def statement(self, name: Callable[[str], str] = str) -> str | None:
        """Return why there are no shares, in a sentence; ``None`` where there are.

        Args:
            name: Words for a finding.
        """
        if self.decided is None:
            return None
        groups = [" with ".join(map(name, group)) for group in self.decisive]
        by = ", and by ".join(groups) or "the context, before any finding"
        return f"{self.decided.replace('_', ' ').capitalize()} by {by}: an infinite weight has no shares."


# ---- questions ------------------------------------------------------------------------------------------------------


def weights_in_order(
    engine: Engine, evidence: Evidence, target: str, state: str, given: Evidence | None = None
) -> Sheet:
    """Return the weight of each finding given those entered before it (Good 1950, 1985).

    Args:
        engine: Any network.
        evidence: By node, what was found, in order of entry.
        target: A node that is not in the evidence.
        state: The state of it that is asked about.
        given: What is known throughout, before the findings (the context).

    Raises:
        InvalidInputError: If a node, a state or an observation is unknown, or a node is named in two places.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return sheet_in_order(Scales(engine, {target: state}, evidence, given or {}))


def shares_of_evidence(
    engine: Engine,
    evidence: Evidence,
    target: str,
    state: str,
    given: Evidence | None = None,
    **sampling: Unpack[Sampling],
) -> OrderFreeSheet:
    """Return the Shapley value of each finding in the change of log-odds (Shapley 1953; Lundberg & Lee 2017).

    Args:
        engine: Any network.
        evidence: As for ``weights_in_order``; its order does not matter.
        target: As there.
        state: As there.
        given: As there.
        **sampling: ``exact_up_to`` how many findings every set of them is weighed, how many random orders
            (``samples``) are above that, and their ``seed``; as for ``shapley_values``.

    Raises:
        InvalidInputError: As for ``weights_in_order``.
        ImpossibleEvidenceError: As there.
    """
    scales = Scales(engine, {target: state}, evidence, given or {})
    return sheet_without_order(scales, **sampling)


# ---- the same of a case on the scales -------------------------------------------------------------------------------


def sheet_in_order(scales: Scales) -> Sheet:
    """Return the sheet of ``weights_in_order``."""
    masses = scales.log_masses(scales.in_order())
    odds, chance = log_odds(masses), probabilities(masses)
    weights = []
    decisive = None
    for k, name in enumerate(scales.findings):
        finite = math.isfinite(odds[k + 1])
        decides = _decided(odds[k + 1]) if math.isfinite(odds[k]) else None
        decisive = decisive if decides is None else name
        nats = float(odds[k + 1] - odds[k]) if finite else None
        weights.append(Weight(name, nats, float(chance[k]), float(chance[k + 1]), decides))
    return Sheet(
        prior=float(chance[0]),
        posterior=float(chance[-1]),
        change=_change(odds[0], odds[-1]),
        weights=tuple(weights),
        decided=_decided(odds[-1]),
        decisive=decisive,
    )


def sheet_without_order(scales: Scales, **sampling: Unpack[Sampling]) -> OrderFreeSheet:
    """Return the sheet of ``shares_of_evidence``."""
    size = len(scales.findings)
    masses = scales.log_masses(scales.in_order()[[0, -1]])
    odds, chance = log_odds(masses), probabilities(masses)
    decided = _decided(odds[1])
    shares = None
    if decided is None:
        by_name = np.argsort(np.array(scales.findings))  # random orders are those of the names, not of the entry

        def worth(coalitions: Coalitions) -> Array:
            entered = np.empty_like(coalitions)
            entered[:, by_name] = coalitions
            return log_odds(scales.log_masses(scales.coalition(entered)))

        found = shapley_values(worth, size, **sampling)
        place = np.argsort(by_name)
        errors = [None] * size if found.error is None else found.error[place].tolist()
        each = zip(scales.findings, found.values[place].tolist(), errors, strict=True)
        shares = tuple(Share(*share) for share in each)
    return OrderFreeSheet(
        prior=float(chance[0]),
        posterior=float(chance[1]),
        change=_change(odds[0], odds[1]),
        shares=shares,
        exact=size <= sampling.get("exact_up_to", EXACT_UP_TO),
        decided=decided,
        decisive=() if decided is None or not math.isfinite(odds[0]) else _decisive(scales),
    )


def _change(before: float, after: float) -> float | None:
    return float(after - before) if math.isfinite(after) else None


def _decided(odds: float) -> Decided | None:
    return None if math.isfinite(odds) else "proved" if odds > 0 else "ruled_out"


def _decisive(scales: Scales) -> tuple[tuple[str, ...], ...]:
    """Return the findings that decide alone, or else one set that does and of which none can be left out."""
    size = len(scales.findings)
    alone = log_odds(scales.log_masses(scales.coalition(np.eye(size, dtype=bool))))
    if not np.isfinite(alone).all():
        return tuple((name,) for name, odds in zip(scales.findings, alone, strict=True) if not math.isfinite(odds))
    kept = np.ones(size, dtype=bool)
    for k in range(size):
        kept[k] = False
        kept[k] = bool(np.isfinite(log_odds(scales.log_masses(scales.coalition(kept[np.newaxis]))))[0])
    return (tuple(name for name, stays in zip(scales.findings, kept, strict=True) if stays),)
