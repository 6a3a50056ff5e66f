"""Figures made of rows, of which each is a label above its bar.

A label stands above its bar and not beside it, so that a figure can be read at 400 pixels: it takes the whole width,
and what does not fit is cut off there and stands in full in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import altair as alt

from rootcause_app.components.figures.drawing import PERCENT, SIZE, SMALL, data, down, steps, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rootcause_app.components.figures.drawing import Align
    from rootcause_app.theme import Palette

BAR: Final = 15  # height of a bar
LABEL: Final = 17  # height of a line of words
GAP: Final = 13  # between two rows
PAD: Final = 54  # pixels left and right of the bars, for the words at their ends

_FITTING: Final = f"width < 480 ? 11 : {SIZE}"  # of a label, an expression of Vega
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a figure.

    Attributes:
        label: What it is about.
        note: A smaller line below; empty for none.
    """

    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows one below the other, in pixels from the top.

    Attributes:
        palette: The colours.
        rows: The rows.
        top: Where the first row begins.
        bar: Height of a bar.
    """

    palette: Palette
    rows: Sequence[Row]
    top: float
    bar: float = BAR

    @property
    def step(self) -> float:
        """From one row to the next."""
        return LABEL + (LABEL - 2 if any(row.note for row in self.rows) else 0) + self.bar + GAP

    @property
    def height(self) -> float:
        """Of the whole picture."""
        return self.top + self.step * len(self.rows)

    def bar_top(self, index: int) -> float:
        """The upper edge of the bar of a row."""
        return self.top + self.step * (index + 1) - GAP - self.bar

    def middle(self, index: int) -> float:
        """The middle of the bar of a row."""
        return self.bar_top(index) + self.bar / 2

    def piece(self, index: int, start: float, end: float, said: str) -> dict[str, Any]:
        """A bar of a row from one value to another, for ``drawing.bars``, with what is said to a pointer on it."""
        top = self.bar_top(index)
        said = f"{self.rows[index].label}: {said}"
        return {"start": start, "end": end, "down": top, "bottom": top + self.bar, "said": said}

    def words(self) -> list[alt.Chart]:
        """The labels and the notes."""
        starts = [self.top + self.step * index for index in range(len(self.rows))]
        labels = [{"words": row.label, "down": start + LABEL / 2} for row, start in zip(self.rows, starts, strict=True)]
        notes = [
            {"words": row.note, "down": start + 1.4 * LABEL}
            for row, start in zip(self.rows, starts, strict=True)
            if row.note
        ]
        drawn = [text(labels, self.palette.text, size=_FITTING, limit="width", bold=True)]
        return [*drawn, text(notes, self.palette.muted, size=SMALL, limit="width")] if notes else drawn

    def grid(self, across_: Measure) -> alt.Chart:
        """The marks of the axis, behind the bars and not behind the words."""
        return self._lines(across_, across_.ticks, self.palette.grid, 1, 2)

    def rule(self, across_: Measure, at: float, colour: str) -> alt.Chart:
        """A line down through all bars at one value."""
        return self._lines(across_, [at], colour, 1.5, 3)

    def ends(self, across_: Measure, base: float, told: Sequence[tuple[float, str]]) -> list[alt.Chart]:
        """Words beyond the end of each bar: one value with its words for each row, on its side of the base."""
        layers = []
        sides: tuple[tuple[int, Align], ...] = ((-1, "right"), (1, "left"))
        for side, align in sides:
            here = [
                {"at": at, "down": self.middle(index), "words": words}
                for index, (at, words) in enumerate(told)
                if (at >= base) == (side > 0)
            ]
            if here:
                x = across_.x("at")
                layers.append(text(here, self.palette.text, x=x, align=align, shift=9 * side, size=SMALL))
        return layers

    def _lines(self, across_: Measure, places: Iterable[float], colour: str, wide: float, over: float) -> alt.Chart:
        rows = [
            {"at": at, "down": self.bar_top(index) - over, "end": self.bar_top(index) + self.bar + over}
            for index in range(len(self.rows))
            for at in places
        ]
        mark = alt.Chart(data(rows)).mark_rule(aria=False, color=colour, strokeWidth=wide)
        drawn: alt.Chart = mark.encode(x=across_.x("at"), y=down("down"), y2="end:Q")
        return drawn


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured across a picture made of rows.

    Attributes:
        title: In words.
        low: The least value that is drawn.
        high: The greatest.
        left: Pixels that are left free for words.
        right: The same at the other side.
        written: How Vega writes a value.
    """

    title: str
    low: float
    high: float
    left: float = PAD
    right: float = PAD
    written: str = PERCENT

    @property
    def ticks(self) -> list[float]:
        """The values that are marked."""
        return steps(self.low, self.high)

    def x(self, field: str) -> alt.X:
        """The place of a field."""
        ends: list[Any] = [self.left, alt.expr(f"max(width - {self.right}, {self.left + 60})")]
        scale = alt.Scale(domain=[self.low, self.high], nice=False, zero=False, range=ends)
        axis = alt.Axis(values=self.ticks, labelExpr=self.written, grid=False)
        return alt.X(f"{field}:Q", title=self.title, scale=scale, axis=axis)


def measure(
    title: str,
    values: Iterable[float],
    *,
    zero: bool = False,
    left: float = PAD,
    right: float = PAD,
    written: str = PERCENT,
) -> Measure:
    """What is measured, wide enough for all values.

    Args:
        title: In words.
        values: Everything that is drawn.
        zero: Whether it begins at zero, at the left edge.
        left: As in ``Measure``.
        right: As in ``Measure``.
        written: As in ``Measure``.
    """
    every = [*values, *([0.0] if zero else [])]
    low, high = min(every), max(every)
    if high - low < _SAME:  # nothing that could be told apart
        low, high = (low, low + 0.01) if zero or low <= 0 else (low - min(0.01, low), high)
    return Measure(title, low, high, 1 if zero else left, right, written)
