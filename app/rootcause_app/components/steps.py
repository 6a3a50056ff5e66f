"""A case told one finding at a time: the steps, and the chart of how the leading causes move over them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

import altair as alt

from rootcause_app.components import bars, labels, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rootcause import ExampleCase, Model
    from rootcause.diagnosis import Answer
    from rootcause_app.theme import Palette

LEADING: Final = 5
_LABEL_GAP: Final = 0.075  # of the chart's height: two lines of text closer than this would overlap
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4])


@dataclass(frozen=True, slots=True)
class Step:
    """The state after one finding.

    Attributes:
        title: What was found, in words; the first step has found nothing yet.
        teaching: What the finding is there to teach.
        answer: The answer to everything entered so far.
    """

    title: str
    teaching: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Line:
    """One cause over the steps; ``values[i]`` is its posterior after step ``i``."""

    cause: str
    values: tuple[float, ...]


def unfold(model: Model, case: ExampleCase, at: int, diagnose: Callable[[Mapping[str, object]], Answer]) -> list[Step]:
    """The steps of a case up to one: nothing known, then one finding more each time, in the order of entry.

    Args:
        model: Whose words name the findings.
        case: The whole case.
        at: The last step wanted; later ones are not computed.
        diagnose: How findings are answered.
    """
    entered: dict[str, object] = {}
    steps = [Step("Before anything is known", "Where every patient of the model begins.", diagnose({}))]
    for finding, given in list(case.findings.items())[:at]:
        entered[finding] = given
        steps.append(Step(_title(model, finding, given), case.teaching.get(finding, ""), diagnose(entered)))
    return steps


def leading_lines(steps: Sequence[Step], final: Answer) -> list[Line]:
    """The causes that lead at the end of the case or led at a step shown, and always "none of these".

    Those that lead at the end come first, so that a line keeps its colour while the reader steps through.

    Args:
        steps: The steps shown.
        final: The answer to the whole case.
    """
    at_the_end = sorted(final.posterior, key=lambda cause: -final.posterior[cause].mean)
    led = [max(found, key=lambda cause: found[cause].mean) for found in (step.answer.posterior for step in steps)]
    others = [cause for cause in dict.fromkeys(led) if cause not in at_the_end[: LEADING - 1]]
    kept = [*at_the_end[: LEADING - 1 - len(others[-2:])], *others[-2:]]
    lines = [Line(cause, tuple(step.answer.posterior[cause].mean for step in steps)) for cause in kept]
    return [*lines, Line(labels.NONE_ID, tuple(step.answer.none for step in steps))]


def spread(heights: Sequence[float], gap: float = _LABEL_GAP) -> list[float]:
    """Heights moved apart, in their order, until no two are nearer than ``gap``, and kept inside 0 to 1.

    Args:
        heights: Where each label would stand, as a share of the chart's height.
        gap: The least distance.
    """
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = list(heights)
    floor = 0.0
    for index in order:
        placed[index] = max(placed[index], floor)
        floor = placed[index] + gap
    ceiling = 1.0
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed


def lines_chart(lines: Sequence[Line], last_step: int, palette: Palette) -> alt.LayerChart:
    """The leading causes over the steps, each named at the end of its line.

    Args:
        lines: What to draw.
        last_step: The number of the case's last step, so that the axis stands still while the reader steps.
        palette: The colours of the reader's theme.
    """
    names = [labels.cause(line.cause) for line in lines]
    data = alt.InlineData(values=_points(lines))
    ends = alt.InlineData(values=_ends(lines))
    colour = alt.Color(
        "cause:N",
        scale=alt.Scale(domain=names, range=list(palette.lines)),
        legend=None,
    )
    x = alt.X(
        "step:Q",
        title="findings entered",
        scale=alt.Scale(domain=[0, last_step]),
        axis=alt.Axis(tickMinStep=1, format="d", grid=False, tickCount=last_step),
    )
    y = alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5))
    dash = alt.StrokeDash("cause:N", scale=alt.Scale(domain=names, range=[list(dash) for dash in _DASHES]), legend=None)
    tooltip = [alt.Tooltip("cause:N"), alt.Tooltip("step:Q"), alt.Tooltip("share:Q", format=".1%")]
    drawn = alt.Chart(data).mark_line(strokeWidth=2.5).encode(x=x, y=y, color=colour, strokeDash=dash)
    dots = alt.Chart(data).mark_circle(size=45, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip)
    ends_named = (
        alt.Chart(ends)
        .mark_text(align="left", dx=8, fontSize=12, fontWeight=600, limit=400)
        .encode(x=x, y=alt.Y("height:Q"), text="label:N", color=colour)
    )
    layered: alt.LayerChart = (
        alt.layer(drawn, dots, ends_named)
        .properties(height=300, padding={"left": 5, "right": 140, "top": 8, "bottom": 5})
        .configure_view(stroke=None, clip=False)
        .configure_axis(
            labelColor=palette.muted, titleColor=palette.muted, gridColor=palette.grid, domainColor=palette.grid
        )
    )
    return layered


def description(lines: Sequence[Line]) -> str:
    """The chart in words, for those who do not see it."""
    ends = ", ".join(f"{labels.cause(line.cause)} {numbers.percent(line.values[-1])}" for line in lines)
    return f"Line chart of the leading causes after finding {len(lines[0].values) - 1}; now: {ends}."


def table_html(steps: Sequence[Step]) -> str:
    """The same as a table: what was found, and which cause led after it."""
    rows = []
    for number, step in enumerate(steps):
        first = bars.differential(step.answer)[0]
        rows.append(
            f"<tr><td>{number}</td><td>{escape(step.title)}</td><td>{escape(labels.cause(first.cause))}</td>"
            f'<td class="rc-number">{escape(numbers.percent(first.mean))}</td></tr>'
        )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Step", "Finding", "Leading cause", "Probability"))
    return f'<table class="rc-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _title(model: Model, finding: str, given: object) -> str:
    known = model.vocabulary.findings.get(finding) or model.vocabulary.contexts[finding]
    return f"{labels.finding(known)}: {labels.value(known, given)}"


def _points(lines: Sequence[Line]) -> list[dict[str, object]]:
    return [
        {"cause": labels.cause(line.cause), "step": step, "share": share}
        for line in lines
        for step, share in enumerate(line.values)
    ]


def _ends(lines: Sequence[Line]) -> list[dict[str, object]]:
    heights = spread([line.values[-1] for line in lines])
    return [
        {
            "cause": labels.cause(line.cause),
            "step": len(line.values) - 1,
            "height": height,
            "label": labels.cause(line.cause),
        }
        for line, height in zip(lines, heights, strict=True)
    ]
