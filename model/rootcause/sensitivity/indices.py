"""Sobol indices: what they are of, how they are said, and how they are estimated from the values of a design."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.sensitivity.draws import SEED

Array = NDArray[np.float64]

LEVEL = 0.95
"""Coverage of the intervals."""

RESAMPLES = 200
_LEAST_VARIANCE = 1e-30


@dataclass(frozen=True, slots=True)
class Index:
    """The indices of one factor, each with its bootstrap interval.

    Attributes:
        first: Share of the variance that goes if the factor becomes known.
        first_low: Lower end of its interval.
        first_high: Upper end.
        total: Share that stays if all others become known.
        total_low: Lower end of its interval.
        total_high: Upper end.
        n: Base points that the estimate is made of; 0 where it is exact.
    """

    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float
    n: int

    @property
    def together(self) -> float:
        """Total less first-order index: what the factor does only together with others."""
        return self.total - self.first

    @property
    def told(self) -> bool:
        """Whether the first-order index is told from 0: its interval lies above."""
        return self.n == 0 or self.first_low > 0

    @property
    def note(self) -> str:
        """What the estimate does not show, in words; empty where there is nothing to say."""
        if not self.told:
            return "first not told from 0"
        return "first above total: more base points needed" if self.n and self.first > self.total else ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "first": self.first,
            "first_low": self.first_low,
            "first_high": self.first_high,
            "total": self.total,
            "total_low": self.total_low,
            "total_high": self.total_high,
            "n": self.n,
            "together": self.together,
            "told": self.told,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Sobol:
    """Where the variance of an answer comes from.

    Attributes:
        outcome: What varies.
        indices: By factor, the one with the largest total index first; a whole stands for all of its shares.
        mean: Of the answer.
        variance: Of the answer.
        n: Base points; 0 where the indices are exact.
        stopped: Whether fewer were made than asked for.
        level: Coverage of the intervals.
        seed: Seed of the draws; ``None`` where there are none.
    """

    outcome: str
    indices: Mapping[str, Index]
    mean: float
    variance: float
    n: int
    stopped: bool
    level: float
    seed: int | None

    @property
    def sentence(self) -> str:
        """What most of the spread comes from, in one sentence."""
        if not self.indices or self.variance <= _LEAST_VARIANCE:
            return f"{self.outcome} does not vary."
        name, own = next(iter(self.indices.items()))
        told = [min(item.first, item.total) for item in self.indices.values() if item.told]
        one = "the number whose first-order index is told from 0 explains"
        many = f"the {len(told)} numbers whose first-order index is told from 0 explain, one by one,"
        none = "no first-order index is told from 0" if not told else ""
        return (
            f"The variance of {self.outcome} comes first of all from {name} (first-order index "
            f"{self._within(own.first, own.first_low, own.first_high)}, total "
            f"{self._within(own.total, own.total_low, own.total_high)}); "
            f"{none or f'{one if len(told) == 1 else many} {min(max(sum(told), 0.0), 1.0):.0%} of it'}."
        )

    def _within(self, value: float, low: float, high: float) -> str:
        """Return an index in words, with its interval where it is an estimate."""
        return f"{value:.2f}" if self.n == 0 else f"{value:.2f} ({self.level:.0%} interval {low:.2f} to {high:.2f})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "outcome": self.outcome,
            "indices": {name: item.to_dict() for name, item in self.indices.items()},
            "mean": self.mean,
            "variance": self.variance,
            "n": self.n,
            "stopped": self.stopped,
            "level": self.level,
            "seed": self.seed,
            "sentence": self.sentence,
        }

    def to_text(self, most: int = 20) -> str:
        """Return the factors that matter most as lines for a terminal."""
        lines = [self.sentence, f"mean {self.mean:.4f}, standard deviation {self.variance**0.5:.4f}", ""]
        lines.append(
            f"{'':50}{'first':>8}{f'{self.level:.0%} interval':>18}{'total':>8}{f'{self.level:.0%} interval':>18}"
            f"{'total-first':>13}"
        )
        for name, item in list(self.indices.items())[:most]:
            first, total = (
                f"{low:.3f} to {high:.3f}"
                for low, high in ((item.first_low, item.first_high), (item.total_low, item.total_high))
            )
            row = f"{name:50}{item.first:>8.3f}{first:>18}{item.total:>8.3f}{total:>18}{item.together:>13.3f}"
            lines.append(f"{row}  {item.note}".rstrip())
        left = [item.total for item in list(self.indices.values())[most:]]
        return "\n".join([*lines, *([f"and {len(left)} more, total at most {max(left):.3f}"] if left else [])])


def estimate(
    first: Array, second: Array, swapped: Mapping[str, Array], *, level: float = LEVEL, seed: int = SEED
) -> dict[str, Index]:
    """Return the indices from the values of a function at a Sobol design.

    Args:
        first: At the base points, shape ``(n,)``.
        second: At the points of the second, independent set, shape ``(n,)``.
        swapped: By factor, at the base points with that factor from the second set; shape ``(n,)``, or ``(m,)`` for the
            first m points alone.
        level: Coverage of the intervals.
        seed: Seed of the resampling.
    """
    n = len(first)
    both = np.concatenate([first, second])
    variance = float(both.var())
    if variance <= _LEAST_VARIANCE:
        return {name: Index(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, n) for name in swapped}
    a, b = first - both.mean(), second - both.mean()
    result: dict[str, Index] = {}
    for size in sorted({len(values) for values in swapped.values()}):
        names = [name for name, values in swapped.items() if len(values) == size]
        mixed = np.stack([swapped[name] for name in names], axis=1) - both.mean()
        own_a, own_b = a[:size], b[:size]
        products = own_b[:, np.newaxis] * (mixed - own_a[:, np.newaxis])
        squares = (own_a[:, np.newaxis] - mixed) ** 2 / 2
        weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), RESAMPLES) / size
        spreads = weights @ ((own_a**2 + own_b**2) / 2) - (weights @ ((own_a + own_b) / 2)) ** 2
        spreads = np.where(spreads > 0, spreads, np.inf)[:, np.newaxis]
        tails = (1 - level) / 2, (1 + level) / 2
        low_first, high_first = np.quantile(weights @ products / spreads, tails, axis=0)
        low_total, high_total = np.quantile(weights @ squares / spreads, tails, axis=0)
        ends = np.stack([products.mean(axis=0) / variance, low_first, high_first])
        ends = np.concatenate([ends, np.stack([squares.mean(axis=0) / variance, low_total, high_total])])
        for name, (one, below, above, all_, least, most) in zip(names, ends.T.tolist(), strict=True):
            result[name] = Index(one, below, above, all_, least, most, size)
    return dict(sorted(result.items(), key=lambda item: -item[1].total))
