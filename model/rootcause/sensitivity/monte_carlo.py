"""What the ranges of all numbers together leave of an answer: intervals and ranks over draws of the numbers.

All numbers that the answer hangs on are drawn at once, those that are tied or shares of one whole together, and the
network is asked exactly for each draw. Memory is bounded: the tables of one chunk, and one number for each outcome and
draw. The standard error of a quantile is that of its place among the sorted draws, which is binomial whatever the
distribution (Conover 1999); that of a probability is binomial as well.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.sensitivity.draws import SEED, Progress, check, draws
from rootcause.sensitivity.questions import Findings, ask
from rootcause.sensitivity.subjects import EntryRange

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Spread:
    """What draws of the numbers leave of one posterior.

    Attributes:
        point: The posterior at the points of all numbers.
        mean: Over the draws.
        mean_error: Standard error of the mean.
        quantiles: By probability.
        errors: Standard error of each quantile, by probability.
    """

    point: float
    mean: float
    mean_error: float
    quantiles: Mapping[float, float]
    errors: Mapping[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "point": self.point,
            "mean": self.mean,
            "mean_error": self.mean_error,
            "quantiles": {f"{share:g}": value for share, value in self.quantiles.items()},
            "errors": {f"{share:g}": value for share, value in self.errors.items()},
        }


@dataclass(frozen=True, slots=True)
class Share:
    """How often something holds over the draws, with its standard error."""

    value: float
    error: float

    def to_dict(self) -> dict[str, float]:
        """Return it as plain data."""
        return {"value": self.value, "error": self.error}


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """What draws of all numbers leave of an answer.

    Attributes:
        n: Draws that were made.
        stopped: Whether fewer were made than asked for.
        seed: Seed of the draws.
        alternative: The family of distributions, ``beta`` or ``logit_normal``.
        count: How many numbers were drawn.
        outcomes: By outcome, and of a model ``none``, the spread of its posterior.
        leading: The outcome that is first at the points.
        first: By outcome, how often it is first.
        ranks: By outcome, how often it is first, second, and so on.
        samples: By outcome, its posterior in every draw, shape ``(n,)``.
    """

    n: int
    stopped: bool
    seed: int
    alternative: str
    count: int
    outcomes: Mapping[str, Spread]
    leading: str
    first: Mapping[str, Share]
    ranks: Mapping[str, tuple[float, ...]]
    samples: Mapping[str, Array]

    @property
    def sentence(self) -> str:
        """How steady the lead is, in one sentence."""
        own = self.first[self.leading]
        text = f"{self.leading} is first in {own.value:.1%} (± {1.96 * own.error:.1%}) of {self.n:,} draws"
        rivals = {name: share.value for name, share in self.first.items() if name != self.leading and share.value > 0}
        if not rivals:
            return f"{text}."
        rival = max(rivals, key=lambda name: rivals[name])
        return f"{text}, {rival} in {rivals[rival]:.1%}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the samples."""
        return {
            "n": self.n,
            "stopped": self.stopped,
            "seed": self.seed,
            "alternative": self.alternative,
            "count": self.count,
            "outcomes": {name: item.to_dict() for name, item in self.outcomes.items()},
            "leading": self.leading,
            "first": {name: item.to_dict() for name, item in self.first.items()},
            "ranks": {name: list(shares) for name, shares in self.ranks.items()},
            "sentence": self.sentence,
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        lines = [self.sentence, f"{self.count} numbers drawn ({self.alternative}), seed {self.seed}.", ""]
        lines.append(f"{'':26}{'point':>8}{'mean':>8}{'first':>8}   90 % interval (standard errors)")
        for name in sorted(self.outcomes, key=lambda name: -self.outcomes[name].mean):
            item = self.outcomes[name]
            (low, high), (below, above) = (
                (found[QUANTILES[0]], found[QUANTILES[-1]]) for found in (item.quantiles, item.errors)
            )
            first = f"{self.first[name].value:.1%}" if name in self.first else ""
            interval = f"{low:.2%} to {high:.2%} ({below:.2%}, {above:.2%})"
            lines.append(f"{name:26}{item.point:>8.1%}{item.mean:>8.1%}{first:>8}   {interval}")
        return "\n".join(lines)


def monte_carlo(  # noqa: PLR0913 - the question, and how to draw
    subject: "Model | Engine",
    findings: Findings,
    n: int = 10_000,
    seed: int = SEED,
    *,
    alternative: str = "beta",
    target: str | None = None,
    ranges: Sequence[EntryRange] = (),
    progress: Progress = lambda _done, _all: None,
) -> MonteCarlo:
    """Return intervals of all posteriors, and how often each outcome is first, over draws of all numbers.

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        n: How many draws.
        seed: Seed; the same seed gives the same draws, and more draws keep the first full chunks of fewer.
        alternative: ``beta``, or ``logit_normal`` to see what the family of distributions does to the answer.
        target: Of a network, a node.
        ranges: Of a network, the entries that have a range, each read as covering 90 %.
        progress: Called after each chunk.

    Raises:
        InvalidInputError: If a name is unknown, or ``n``, ``alternative`` or a range breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    check(n, alternative)
    question, _ = ask(subject, findings, target, None, ranges)
    point, log = question.answer()
    none = question.none(log)
    names = list(question.outcomes)
    kept = np.empty((len(names) + (none is not None), n))
    ranks = np.zeros((len(names), len(names)), dtype=np.int64)
    done = 0
    for part in draws(question, n, seed, alternative):
        stop = done + part.posteriors.shape[1]
        kept[: len(names), done:stop] = part.posteriors
        if part.none is not None:
            kept[-1, done:stop] = part.none
        _count(part.posteriors, ranks)
        done = stop
        if progress(done, n) is False:
            break
    kept = kept[:, :done]
    points = [*point[:, 0], *(none if none is not None else ())]
    every = [*names, *(["none"] if none is not None else [])]
    shares = ranks / done
    return MonteCarlo(
        n=done,
        stopped=done < n,
        seed=seed,
        alternative=alternative,
        count=len(question.ids()),
        outcomes=MappingProxyType(
            {name: _spread(float(at), own) for name, at, own in zip(every, points, kept, strict=True)}
        ),
        leading=names[int(point[:, 0].argmax())],
        first=MappingProxyType({name: _share(float(own[0]), done) for name, own in zip(names, shares, strict=True)}),
        ranks=MappingProxyType({name: tuple(own.tolist()) for name, own in zip(names, shares, strict=True)}),
        samples=MappingProxyType(dict(zip(every, kept, strict=True))),
    )


def _count(posteriors: Array, ranks: NDArray[np.int64]) -> None:
    """Add to how often each outcome has each rank; of equal ones the first listed is first."""
    order = np.argsort(-posteriors, axis=0, kind="stable")
    for rank, row in enumerate(order):
        ranks[:, rank] += np.bincount(row, minlength=len(ranks))


def _share(value: float, n: int) -> Share:
    """Return a share with its standard error; one that is 0 or 1 is known no better than to 1 / n."""
    return Share(value, max(math.sqrt(value * (1 - value) / n), 1 / n if value in {0.0, 1.0} else 0.0))


def _spread(point: float, values: Array) -> Spread:
    ordered = np.sort(values)
    n = len(ordered)
    found = {share: float(np.quantile(ordered, share)) for share in QUANTILES}
    errors = {share: _quantile_error(ordered, share) for share in QUANTILES}
    error = float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return Spread(point, float(values.mean()), error, MappingProxyType(found), MappingProxyType(errors))


def _quantile_error(ordered: Array, share: float) -> float:
    """Return half the distance between the draws one standard error of the place below and above a quantile."""
    n = len(ordered)
    place, error = n * share, math.sqrt(n * share * (1 - share))
    low, high = (min(max(round(place + step) - 1, 0), n - 1) for step in (-error, error))
    return float(ordered[high] - ordered[low]) / 2
