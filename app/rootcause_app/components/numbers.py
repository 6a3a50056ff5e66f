"""How a probability is written: two digits that matter, and never a false zero or a false certainty."""

from __future__ import annotations

from html import escape

_LEAST = 0.001  # what one decimal of a percent can still show
_WHOLE_FROM = 10.0  # percent; from here on a tenth would be false precision


def percent(share: float) -> str:
    """A probability as a percentage: ``0.0312`` is ``3.1 %``.

    Only a true zero is ``0 %``: ``0.00004`` is ``<0.1 %``, and ``0.9999`` is ``>99.9 %``.
    """
    if share == 0:
        return "0 %"
    if 0 < share < _LEAST:
        return "<0.1 %"
    if 1 - _LEAST < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f} %"


def percent_html(share: float) -> str:
    """The same for HTML."""
    return escape(percent(share))


def interval(low: float, high: float) -> str:
    """An interval in percent, with whole numbers where a tenth would be false precision."""
    return f"{_short(low)}–{_short(high)} %"


def points(change: float) -> str:
    """A change in percentage points, always with its sign."""
    rounded = round(100 * change, 1)
    if rounded == 0:
        return "±0.0"
    return f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"


def parameter(value: float, *, sign: bool = True) -> str:
    """A parameter in percent with the digits that it has in its file, without a tail of binary ones.

    Args:
        value: A probability.
        sign: Whether the percent sign follows.
    """
    return f"{100 * value:.4g}{' %' if sign else ''}"


def _short(share: float) -> str:
    hundred = 100 * share
    return f"{hundred:.1f}" if hundred < _WHOLE_FROM else f"{hundred:.0f}"
