"""The Beta distribution, and what counts do to it."""

from dataclasses import dataclass

import numpy as np

_JEFFREYS = 0.5


@dataclass(frozen=True, slots=True)
class Beta:
    """A Beta distribution.

    Attributes:
        a: As of so many with the event, above 0.
        b: As of so many without, above 0.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Its mean."""
        return self.a / (self.a + self.b)

    @property
    def size(self) -> float:
        """As how many patients it counts."""
        return self.a + self.b

    def interval(self, coverage: float) -> tuple[float, float]:
        """Return its central interval of a coverage."""
        from scipy.special import betaincinv

        tail = (1 - coverage) / 2
        return float(betaincinv(self.a, self.b, tail)), float(betaincinv(self.a, self.b, 1 - tail))

    def weighted(self, weight: float, shares: int = 2) -> "Beta":
        """Return its power (Ibrahim & Chen 2000); at 0 Jeffreys' prior.

        Args:
            weight: The power, from 0 to 1.
            shares: Of how many shares of a whole this is one; the event and its absence are two.
        """
        if weight > 0:
            return Beta(weight * self.a, weight * self.b)
        return Beta(_JEFFREYS, _JEFFREYS * (shares - 1))

    def updated(self, events: int, of: int) -> "Beta":
        """Return what it is after so many events in so many patients."""
        return Beta(self.a + events, self.b + of - events)

    def tail(self, events: int, of: int) -> float:
        """Return the Beta-binomial probability of a count at least as far from the mean, on the same side."""
        from scipy.special import betaln, gammaln

        k = np.arange(events + 1) if events <= of * self.mean else np.arange(events, of + 1)
        ways = gammaln(of + 1) - gammaln(k + 1) - gammaln(of - k + 1)
        log = ways + betaln(k + self.a, of - k + self.b) - betaln(self.a, self.b)
        return min(float(np.exp(log).sum()), 1.0)
