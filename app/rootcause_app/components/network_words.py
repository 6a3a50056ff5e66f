"""The network of one patient in words: a description, a table that says what the drawing says, and its legend."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from rootcause_app.components import labels, numbers

if TYPE_CHECKING:
    from rootcause.nodes import Kind, NetworkView, ViewEdge, ViewNode

COLUMNS: Final[tuple[tuple[Kind, str], ...]] = (("cause", "Causes"), ("lesion", "Lesions"), ("finding", "Findings"))
_NAMED_WAYS: Final = 3


def description(view: NetworkView) -> str:
    """The drawing in words, for those who do not see it."""
    about = "" if view.focus is None else f" around {_label(view, view.focus)}"
    parts = [f"Network{about} in three columns."]
    for kind, title in COLUMNS:
        nodes = view.of(kind)
        if nodes:
            parts.append(f"{title}: {', '.join(f'{node.label} {said(node)}' for node in nodes)}.")
    return " ".join(parts)


def table_html(view: NetworkView) -> str:
    """The same as a table: each node, how probable it is, and the ways from a cause, or to a lesion or a finding."""
    rows = "".join(_row(view, node, title) for kind, title in COLUMNS for node in view.of(kind))
    titles = ("Part", "Name", "Probability", "Ways that weigh most now")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    caption = '<caption class="rc-sr">The network as a table</caption>'
    return f'<table class="rc-table">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def legend_html() -> str:
    """What the marks of the drawing mean, in words."""
    return (
        '<p class="rc-hint">Bar: probability that it is present, or not normal. Square box with a thick edge: entered. '
        "A line is as wide as the chance that its source alone brings its target, and the fainter the less probable "
        "that source is now. Click a box to see only what it hangs on and what hangs on it.</p>"
    )


def sure(node: ViewNode) -> bool:
    """Whether it was entered as one state: there is nothing left to show as a bar."""
    return len(node.entered) == 1


def said(node: ViewNode) -> str:
    """What stands in a box: what was entered, or how probable it is."""
    if sure(node):
        return f"entered: {labels.state(node.entered[0])}"
    share = numbers.percent(node.probability)
    return f"entered: {share}" if node.entered else share


def weights_of(view: NetworkView) -> dict[ViewEdge, float]:
    """The ways there are: the chance that a source alone brings its target, times that the source is there."""
    chance = {node.id: node.probability for node in view.nodes}
    return {edge: edge.strength * chance[edge.source] for edge in view.edges if edge.strength > 0}


def _label(view: NetworkView, name: str) -> str:
    return next((node.label for node in view.nodes if node.id == name), name)


def _row(view: NetworkView, node: ViewNode, title: str) -> str:
    return (
        f'<tr><td>{escape(title.removesuffix("s"))}</td><th scope="row">{escape(node.label)}</th>'
        f'<td class="rc-number">{escape(said(node))}</td><td>{escape(_told(view, node))}</td></tr>'
    )


def _told(view: NetworkView, node: ViewNode) -> str:
    """The ways that weigh most: from a cause, each with the chance that it alone brings the other end; else to it."""
    weights = weights_of(view)
    ways = [edge for edge in weights if (edge.source if node.kind == "cause" else edge.target) == node.id]
    ways.sort(key=lambda edge: -weights[edge])
    ends = [edge.target if node.kind == "cause" else edge.source for edge in ways[:_NAMED_WAYS]]
    told = [f"{_label(view, end)} {numbers.percent(edge.strength)}" for end, edge in zip(ends, ways, strict=False)]
    if len(ways) > _NAMED_WAYS:
        told.append(f"{len(ways) - _NAMED_WAYS} more")
    word = "to" if node.kind == "cause" else "from"
    return f"{word} {'; '.join(told)}".replace(" %", "\N{NO-BREAK SPACE}%") if told else ""
