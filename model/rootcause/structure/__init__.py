"""The network of causes, root lesions and signs: which node hangs on which, and by which numbers.

Contexts and causes come first, then the onset of the complaint, the lesions, and the findings at the bedside and from
tests. Nothing here is a number: every probability is looked up by its id (see ``priors/README.md``), except structural
zeros and ones, which say what cannot be otherwise (a foot weak without a lesion, hardware where none was placed).
"""

from collections.abc import Iterable
from functools import cache

from rootcause.structure.bedside import course_and_side, general, pain
from rootcause.structure.causes import causes, contexts, onsets, symptom_onset
from rootcause.structure.examinations import examinations
from rootcause.structure.lesions import lesions
from rootcause.structure.signs import signs
from rootcause.structure.words import (
    CAUSES,
    CAUSES_WITH_ONSET,
    CONTEXTS,
    DISCECTOMIES,
    EVERY_CAUSE,
    GRADES,
    LEVELS,
    OLD_DEFICIT,
    ONSET_ORDER,
    PROCEDURES,
    REACH,
    REOPERATED,
    ROOT_CAUSES,
    ROOTS,
    UNMODELLED,
    base_of,
    kind_of,
    rate_id,
    states_of,
)
from rootcause.tables import Node


def between(nodes: Iterable[Node], cause: str, findings: set[str]) -> list[str]:
    """Return the nodes on the ways from a cause to findings, with the leaks met on the way.

    Args:
        nodes: All nodes, parents before children, each contribution a link of its own.
        cause: A cause.
        findings: Where the ways end.

    Returns:
        Names of nodes and links, the cause and its onset first.
    """
    nodes = tuple(nodes)
    reasons = {node.name: [p for p in node.parents if base_of(p) != base_of(node.name)] for node in nodes}
    start = [name for name in (f"onset_{cause}", cause) if name in reasons]
    reached = set(start)
    for node in nodes:
        if reached & set(reasons[node.name]):
            reached.add(base_of(node.name))
    wanted = findings & reached
    for node in reversed(nodes):
        if base_of(node.name) in wanted:
            wanted |= {reason for reason in reasons[node.name] if reason in reached}
    on_the_way = wanted & reached
    return start + [
        node.name
        for node in nodes
        if base_of(node.name) in on_the_way - set(start)
        and (on_the_way & set(reasons[node.name]) or set(reasons[node.name]) <= set(CONTEXTS))
    ]


@cache
def build(max_columns: int = 1) -> tuple[Node, ...]:
    """Return all nodes, parents before children.

    Args:
        max_columns: How many columns the table of a link may have when several contributions share it. With 1 each
            contribution is a link of its own (fastest to eliminate); larger values give fewer, larger tables (easier to
            read in another tool). The distribution is the same.
    """
    return (
        *contexts(),
        *onsets(),
        *causes(),
        *symptom_onset(max_columns),
        *lesions(max_columns),
        *signs(max_columns),
        *pain(max_columns),
        *course_and_side(max_columns),
        *general(max_columns),
        *examinations(max_columns),
    )


__all__ = [
    "CAUSES",
    "CAUSES_WITH_ONSET",
    "DISCECTOMIES",
    "EVERY_CAUSE",
    "GRADES",
    "LEVELS",
    "OLD_DEFICIT",
    "ONSET_ORDER",
    "PROCEDURES",
    "REACH",
    "REOPERATED",
    "ROOTS",
    "ROOT_CAUSES",
    "UNMODELLED",
    "base_of",
    "between",
    "build",
    "kind_of",
    "rate_id",
    "states_of",
]
