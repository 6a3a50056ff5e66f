"""Curves as a plain SVG: logarithmic axes with numbers, a panel for each."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .report import time_in_words

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 420, 320, 70, 56, 20, 48
COLOURS = {"rootcause": "#0072b2", "rootcause, all cores": "#56b4e9", "pyAgrum": "#d55e00", "pgmpy": "#009e73"}
OTHER = "#555555"


def svg(curves: Mapping[str, Mapping[str, Points]]) -> str:
    """Return all panels side by side."""
    width = WIDTH * max(1, len(curves))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}">',
        "<style>text { font: 11px sans-serif }</style>",
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>',
    ]
    for number, (title, engines) in enumerate(curves.items()):
        lines.append(f'<g transform="translate({number * WIDTH},0)">')
        lines += _panel(title, engines)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _panel(title: str, engines: Mapping[str, Points]) -> Iterator[str]:
    points = [point for own in engines.values() for point in own]
    if not points:
        return
    xs = sorted({x for x, _ in points})
    wide = xs[0] > 0 and xs[-1] / xs[0] > 100
    low = math.floor(math.log10(min(y for _, y in points)))
    high = max(math.ceil(math.log10(max(y for _, y in points))), low + 1)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def across(x: float) -> float:
        first, last, at = (math.log10(v) for v in (xs[0], xs[-1], x)) if wide else (xs[0], xs[-1], x)
        return LEFT + (right - LEFT) * (at - first) / max(last - first, 1e-9)

    def down(y: float) -> float:
        return bottom - (bottom - TOP) * (math.log10(y) - low) / (high - low)

    yield f'<text x="{(LEFT + right) / 2}" y="18" text-anchor="middle" font-weight="bold">Time for one case</text>'
    yield f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(title)}</text>'
    for power in range(low, high + 1):
        y = down(10.0**power)
        yield f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{time_in_words(10.0**power)}</text>'
    for x in xs:
        yield f'<path d="M{across(x):.1f} {bottom}v5" stroke="black"/>'
        yield f'<text x="{across(x):.1f}" y="{bottom + 17}" text-anchor="middle">{x:,.0f}</text>'
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" stroke="black" fill="none"/>'
    for number, (name, own) in enumerate(engines.items()):
        colour = COLOURS.get(name, OTHER)
        line = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in own)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in own:
            yield f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>'
        yield f'<text x="{LEFT + 110 * number}" y="40" fill="{colour}">● {escape(name)}</text>'
