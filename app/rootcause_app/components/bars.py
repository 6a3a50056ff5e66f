"""The differential as bars: real text and CSS, so that it reads aloud, wraps on a phone and follows the theme."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from rootcause.diagnosis import Answer


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the differential.

    Attributes:
        cause: The cause's id, or ``"none"``.
        mean: The posterior.
        before: What it is compared with: the prior given a complaint, or the step before; ``None`` where there is none.
        low: 5th percentile, once it is known.
        high: 95th percentile, once it is known.
    """

    cause: str
    mean: float
    before: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def impossible(self) -> bool:
        """Whether the case rules it out altogether, as fusion hardware after a discectomy."""
        return self.mean == 0 and not self.high

    @property
    def change(self) -> float | None:
        """How far the findings moved it, as a difference of probabilities."""
        return None if self.before is None else self.mean - self.before


def differential(answer: Answer, before: Answer | None = None) -> list[Bar]:
    """Every cause and "none of these", the most probable first.

    Args:
        answer: The answer to draw.
        before: The answer to compare with; without it each cause is compared with its prior given a complaint.
    """
    bars = [
        Bar(
            cause,
            found.mean,
            found.prior_given_complaint if before is None else before.posterior[cause].mean,
            found.low,
            found.high,
        )
        for cause, found in answer.posterior.items()
    ]
    none_before = None if before is None else before.none
    bars.append(Bar(labels.NONE_ID, answer.none, none_before, answer.none_low, answer.none_high))
    return sorted(bars, key=lambda bar: -bar.mean)


def row_html(bar: Bar, *, compared_with: str = "prior given a complaint", pending: bool = False) -> str:
    """The bar of one cause with its whisker, its tick, and every length also written as a number.

    Args:
        bar: What to draw.
        compared_with: What the tick stands for, in words for a screen reader.
        pending: The interval is still being computed, and its place says so.
    """
    kind = " rc-none" if bar.cause == labels.NONE_ID else ""
    return (
        f'<div class="rc-row{kind}"><div class="rc-track" aria-hidden="true">{_drawing(bar)}</div>'
        f'<span class="rc-mean">{escape(numbers.percent(bar.mean))}</span>'
        f'<span class="rc-interval">{_interval(bar, pending=pending)}</span>'
        f'<span class="rc-change">{_change(bar, compared_with)}</span></div>'
    )


def legend_html(*, tick: str, change: str, interval: bool = True) -> str:
    """The line above the bars that says what is drawn, in the same grid as the bars themselves."""
    whisker = '<span class="rc-key"><i class="rc-key-whisker"></i>90 % interval</span>' if interval else ""
    return (
        '<div class="rc-row rc-head"><div class="rc-keys">'
        '<span class="rc-key"><i class="rc-key-bar"></i>probability</span>'
        f'{whisker}<span class="rc-key"><i class="rc-key-tick"></i>{escape(tick)}</span></div>'
        f'<span class="rc-mean">now</span><span class="rc-interval">{"90 %" if interval else ""}</span>'
        f'<span class="rc-change">{escape(change)}</span></div>'
    )


def list_html(bars: list[Bar], compared_with: str) -> str:
    """All bars as one list with their names, for a page on which a bar is not a button."""
    items = "".join(
        f'<li><span class="rc-name">{escape(labels.cause(bar.cause))}</span>'
        f"{row_html(bar, compared_with=compared_with)}</li>"
        for bar in bars
    )
    return f'<ol class="rc-list rc-no-interval">{items}</ol>'


def _drawing(bar: Bar) -> str:
    if bar.impossible:
        return ""
    parts = [f'<i class="rc-fill" style="width:{_at(bar.mean)}"></i>']
    if bar.low is not None and bar.high is not None and not bar.impossible:
        parts.append(f'<i class="rc-whisker" style="left:{_at(bar.low)};width:{_at(bar.high - bar.low)}"></i>')
    if bar.before:
        parts.append(f'<i class="rc-tick" style="left:{_at(bar.before)}"></i>')
    return "".join(parts)


def _interval(bar: Bar, *, pending: bool) -> str:
    if bar.impossible:
        return ""
    if bar.low is not None and bar.high is not None:
        return f'<span class="rc-sr">90 % interval </span>{numbers.interval(bar.low, bar.high)}'
    return '<span class="rc-sr">interval is being computed</span><span aria-hidden="true">…</span>' if pending else ""


def _change(bar: Bar, compared_with: str) -> str:
    if bar.before is None or bar.change is None or (bar.impossible and bar.before == 0):
        return ""
    words = f"points from the {compared_with} of {numbers.percent(bar.before)}"
    return f'{numbers.points(bar.change)}<span class="rc-sr"> {escape(words)}</span>'


def _at(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
