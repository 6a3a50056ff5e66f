"""Causes and signs joined by noisy-OR gates, small enough to add up all states of the causes."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine
from rootcause.engine.layout import Shape

Array = NDArray[np.float64]

CAUSES, SIGNS = 9, 7


class NoisyOr:
    """Causes, each of which may bring about each of the signs; each sign has a leak.

    Attributes:
        prior: P(cause), shape ``(causes, draws)``.
        link: P(sign | this cause alone), shape ``(signs, causes, draws)``.
        leak: P(sign | no cause), shape ``(signs, draws)``.
    """

    def __init__(self, prior: Array, link: Array, leak: Array) -> None:
        self.prior, self.link, self.leak = prior, link, leak
        self.causes = [f"c{i}" for i in range(len(prior))]
        self.signs = [f"s{j}" for j in range(len(leak))]
        parents: dict[str, tuple[str, ...]] = dict.fromkeys(self.causes, ())
        self.made: dict[str, Array] = {c: np.stack([1 - p, p]) for c, p in zip(self.causes, prior, strict=True)}
        links = []
        for j, sign in enumerate(self.signs):
            before = f"{sign}__leak"
            parents[before] = ()
            self.made[before] = np.stack([1 - leak[j], leak[j]])
            for i, cause in enumerate(self.causes):
                own = sign if i == len(self.causes) - 1 else f"{sign}__{i}"
                parents[own] = (before, cause)
                self.made[own] = link_table(link[j, i])
                links.append(own)
                before = own
        self.shape = Shape(dict.fromkeys(parents, ("no", "yes")), parents, frozenset(links))

    def tables(self, name: str) -> Array:
        """Return a table with all draws."""
        return self.made[name]

    def engine(self) -> Engine:
        """Return the engine of the first draw."""
        return Engine(self.shape, lambda name: self.made[name][..., :1])

    def drawn(self) -> Drawn:
        """Return all draws."""
        return Drawn(self.tables, self.prior.shape[1])

    def expected(self, seen: Sequence[bool | None]) -> tuple[Array, Array]:
        """Return P(cause | signs), shape ``(causes, draws)``, and ln P(signs): a sum over all states of the causes.

        Args:
            seen: For each sign, whether it is there; ``None`` if nobody looked.
        """
        looked = [j for j, own in enumerate(seen) if own is not None]
        there = np.array([seen[j] for j in looked], dtype=bool)[:, np.newaxis]
        total = np.zeros(self.prior.shape[1])
        present = np.zeros(self.prior.shape)
        for state in product((False, True), repeat=len(self.prior)):
            on = np.array(state)
            share = np.where(on[:, np.newaxis], self.prior, 1 - self.prior).prod(axis=0)
            absent = np.log1p(-self.leak[looked]) + np.log1p(-self.link[looked][:, on]).sum(axis=1)
            signs = np.where(there, -np.expm1(absent), np.exp(absent))
            share = share * signs.prod(axis=0)
            total += share
            present[on] += share
        return present / total, np.log(total)


def link_table(probability: Array) -> Array:
    """The table of the worse of what came before and of one cause, shape ``(before, cause, sign, draws)``."""
    table = np.zeros((2, 2, 2, len(probability)))
    table[0, 0, 0] = 1.0
    table[0, 1, 0], table[0, 1, 1] = 1 - probability, probability
    table[1, :, 1] = 1.0
    return table


def network(seed: int, scale: float, draws: int) -> NoisyOr:
    """A network whose links and leaks are about ``scale``."""
    generator = np.random.default_rng(seed)
    return NoisyOr(
        generator.uniform(0.05, 0.3, (CAUSES, draws)),
        scale * generator.uniform(0.2, 0.9, (SIGNS, CAUSES, draws)),
        scale * generator.uniform(0.01, 0.1, (SIGNS, draws)),
    )


def evidence(seen: Sequence[bool | None]) -> dict[str, str]:
    """Return signs as they were seen."""
    return {f"s{j}": "yes" if own else "no" for j, own in enumerate(seen) if own is not None}
