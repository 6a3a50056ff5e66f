"""A posterior with its interval: what it must be, and how it is said."""

import math

from rootcause.errors import InvalidInputError

Interval = tuple[float, float | None, float | None]
"""Mean, 5th and 95th percentile of a posterior; both ends ``None`` where there is no interval."""


def check_posterior(cause: str, item: Interval) -> None:
    """Refuse what is no probability with its interval.

    Raises:
        InvalidInputError: Naming the cause, the rule and what was got.
    """
    mean, low, high = item
    if (low is None) != (high is None):
        msg = f"posterior: {cause}: an interval must have both ends or none, got one"
        raise InvalidInputError(msg)
    for name, value in (("mean", mean), ("low", low), ("high", high)):
        if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
            msg = f"posterior: {cause}: {name} must lie from 0 to 1, got {value!r}"
            raise InvalidInputError(msg)
    if low is not None and high is not None and low > high:
        msg = f"posterior: {cause}: low must not be above high, got {low:g} and {high:g}"
        raise InvalidInputError(msg)


def share(mean: float, low: float | None, high: float | None) -> str:
    """Return a probability with its 90 % interval in words: ``21 % (90 % interval 6 to 45 %)``."""
    if low is None or high is None:
        return f"{percent(mean)} %"
    return f"{percent(mean)} % (90 % interval {percent(low)} to {percent(high)} %)"


def percent(probability: float) -> str:
    """Return per cent without decimals, with one below 1 % and above 99 %."""
    percent = 100 * probability
    return f"{percent:.1f}" if 0 < percent < 1 or 99 < percent < 100 else f"{percent:.0f}"  # noqa: PLR2004 - see above
