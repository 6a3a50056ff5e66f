"""The network of one patient, to be drawn: causes, lesions and findings with their probabilities, and what joins them.

The links inside of a gate and the nodes that only carry a message on (the course, the two sides, the dating) are left
out: an edge says that the model has a way from one node to the other through nothing that is drawn.

The strength of an edge is the link of a noisy-OR gate (Pearl 1988, Henrion 1989): the chance that the source alone, in
the patient's situation and beyond the leak, brings the target. It does not hang on what was found.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from rootcause.case import Case
from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.structure import EVERY_CAUSE, ROOTS, UNMODELLED, build
from rootcause.vocabulary import load_vocabulary

Kind = Literal["cause", "lesion", "finding"]

LESIONS = (*ROOTS, "cauda_equina", "peroneal_nerve")
OTHERS = 6
"""Findings that are drawn although nobody has looked for them."""

_NAMES = {
    UNMODELLED: "A cause outside the list",
    "root_L4": "L4 root",
    "root_L5": "L5 root",
    "root_S1": "S1 root",
    "cauda_equina": "Cauda equina",
    "peroneal_nerve": "Peroneal nerve",
}
_CERTAIN = 1e-9
"""A finding nearer than this to 0 or 1 follows from the others, and looking for it teaches nothing."""


@dataclass(frozen=True, slots=True)
class ViewNode:
    """One node of the drawing.

    Attributes:
        id: Its id in the network.
        kind: Cause, lesion or finding.
        label: Words for people.
        probability: P(present), or P(any state but the first, normal one), given all findings; in [0, 1].
        entered: For a finding that was entered, the states that are left possible; else empty.
    """

    id: str
    kind: Kind
    label: str
    probability: float
    entered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewEdge:
    """One way from a node of the drawing to another.

    Attributes:
        source: A cause or a lesion.
        target: A lesion or a finding.
        strength: Chance that the source alone brings the target, in [0, 1]; of a lesion, in its worst state.
    """

    source: str
    target: str
    strength: float


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What is drawn.

    Attributes:
        nodes: Causes, lesions, findings; of each kind the most probable first, entered findings before the others.
        edges: Between these, the weakest first, so that the strongest are drawn last.
        focus: The node that the drawing is about, or ``None``.
    """

    nodes: tuple[ViewNode, ...]
    edges: tuple[ViewEdge, ...]
    focus: str | None = None

    def of(self, kind: Kind) -> tuple[ViewNode, ...]:
        """Return the nodes of one kind, in their order."""
        return tuple(node for node in self.nodes if node.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """Return the drawing as plain data."""
        return {
            "focus": self.focus,
            "nodes": [
                {
                    "id": node.id,
                    "kind": node.kind,
                    "label": node.label,
                    "probability": node.probability,
                    "entered": list(node.entered),
                }
                for node in self.nodes
            ],
            "edges": [{"source": e.source, "target": e.target, "strength": e.strength} for e in self.edges],
        }


def label_of(name: str) -> str:
    """Return the words for a node that can be drawn.

    Raises:
        InvalidInputError: If there is no such node.
    """
    _known(name)
    vocabulary = load_vocabulary()
    variable = vocabulary.causes.get(name) or vocabulary.findings.get(name)
    return variable.label if variable else _NAMES[name]


def view(engine: Engine, case: Case, focus: str | None = None, *, others: int = OTHERS) -> NetworkView:
    """Return the network of a patient as it is to be drawn.

    All causes and lesions are drawn, the findings that were entered, and a few that were not: without a focus those
    whose probability the entered ones changed the most; with one, those that the focused node alone would most likely
    bring. With a focus, only what it hangs on and what hangs on it is kept.

    Args:
        engine: The engine of the model.
        case: What was found.
        focus: A cause, a lesion or a finding.
        others: How many findings are drawn that were not entered, 0 or more.

    Raises:
        InvalidInputError: If the focus is no such node, or ``others`` is below 0.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    if focus is not None:
        _known(focus, "focus")
    if others < 0:
        raise InvalidInputError(f"others: must be 0 or more, got {others}")
    names, edges = _around(focus)
    findings = [name for name in load_vocabulary().findings if name in names]
    waiting = [name for name in findings if name not in case.observations]
    chances, before = _chances(engine, case, names, waiting)
    if focus is None:
        worth = {name: abs(chances[name] - before[name]) for name in waiting}
    else:
        worth = _reached(focus, edges, _strengths(engine, case, edges))
    open_ = [name for name in waiting if _CERTAIN < chances[name] < 1 - _CERTAIN and name != focus]
    chosen = sorted(open_, key=lambda name: (-worth.get(name, 0.0), -chances[name]))[:others]
    left_out = {name for name in waiting if name not in chosen and name != focus}
    kept = [edge for edge in edges if left_out.isdisjoint(edge)]
    strengths = _strengths(engine, case, kept)
    return NetworkView(
        nodes=tuple(_nodes(engine, case, [name for name in names if name not in left_out], chances)),
        edges=tuple(sorted((ViewEdge(*edge, strengths[edge]) for edge in kept), key=lambda edge: edge.strength)),
        focus=focus,
    )


# ---- structure -------------------------------------------------------------------------------------------------------


def _known(name: str, where: str = "node") -> None:
    known = (*EVERY_CAUSE, *LESIONS, *load_vocabulary().findings)
    if name not in known:
        hint = nearest(str(name), known)
        raise InvalidInputError(f"{where}: must be a cause, a lesion or a finding, got {name!r}{hint}")


@cache
def ways() -> tuple[tuple[str, str], ...]:
    """Return every edge that can be drawn, as (source, target).

    From a cause or a lesion to a lesion or a finding, through nothing but nodes that are neither cause nor lesion.
    """
    sources = {*EVERY_CAUSE, *LESIONS}
    targets = {*LESIONS, *load_vocabulary().findings}
    found: dict[str, dict[str, None]] = {}  # by node, the causes and lesions behind it, in the order of the network
    for node in build():
        behind: dict[str, None] = {}
        for parent in node.parents:
            behind |= {parent: None} if parent in sources else found[parent]
        found[node.name] = behind
    return tuple((source, name) for name in found if name in targets for source in found[name])


def _around(focus: str | None) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the nodes above and below one, itself between them, and the edges on the ways through it."""
    every = [*EVERY_CAUSE, *LESIONS, *load_vocabulary().findings]
    if focus is None:
        return every, list(ways())
    above, below = {focus}, {focus}
    for source, target in reversed(ways()):  # children before parents
        if target in above:
            above.add(source)
    for source, target in ways():
        if source in below:
            below.add(target)
    edges = [edge for edge in ways() if above.issuperset(edge) or below.issuperset(edge)]
    return [name for name in every if name in above | below], edges


# ---- numbers ---------------------------------------------------------------------------------------------------------


def _chances(
    engine: Engine, case: Case, names: Sequence[str], waiting: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return P(not normal) of nodes given all findings, and of findings not entered given the situation alone.

    Two questions: a gate is cheap to ask for its lowest state, which all of its contributions must be in, and dear to
    ask for as a whole; so causes are asked for as they are, and all else by P(normal and findings) in one batch.
    """
    causes = [name for name in names if name in EVERY_CAUSE]
    found = engine.query(case.observations, causes)
    chances = {name: 1 - found[name][engine.states[name][0]] for name in causes}
    situation = case.split()[0]
    rest = [name for name in names if name not in causes]
    rows: list[Mapping[str, Observation]] = [case.observations, situation]
    rows += [{**case.observations, name: engine.states[name][0]} for name in rest]
    rows += [{**situation, name: engine.states[name][0]} for name in waiting]
    logs = _logs(engine, rows)
    weights = engine.weights({name: seen for name, seen in case.observations.items() if name in rest})
    for name, log in zip(rest, logs[2:], strict=False):
        weight = float(weights[name][0]) if name in weights else 1.0
        chances[name] = _beyond(log - logs[0], weight)
    before = {name: _beyond(log - logs[1]) for name, log in zip(waiting, logs[2 + len(rest) :], strict=True)}
    return chances, before


def _strengths(engine: Engine, case: Case, edges: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Return the strength of each edge; 0 where the source cannot be there in this situation.

    The source stands alone when no other cause is there, and no other lesion on the way to the target. With it and
    without it, the target keeps its normal state with chances whose ratio is that of a gate without the leak.
    """
    situation = case.split()[0]
    pairs = dict.fromkeys(pair for source, target in edges for pair in ((source, target), (None, target)))
    alone = {(source, _held(target)): _alone(engine, situation, source, _held(target)) for source, target in pairs}
    rows = [*alone.values()]
    rows += [{**alone[source, _held(target)], target: engine.states[target][0]} for source, target in pairs]
    logs = _logs(engine, rows)
    whole = dict(zip(alone, logs, strict=False))
    normal = dict(zip(pairs, logs[len(alone) :], strict=True))

    def strength(source: str, target: str) -> float:
        with_it, without = whole[source, _held(target)], whole[None, _held(target)]
        if not all(map(math.isfinite, (with_it, without, normal[None, target]))):
            return 0.0
        return _beyond((normal[source, target] - with_it) - (normal[None, target] - without))

    return {edge: strength(*edge) for edge in edges}


@cache
def _held(target: str) -> tuple[str, ...]:
    """Return the lesions that are held intact, beside all causes, where a source is to stand alone before a target."""
    return tuple(name for name in LESIONS if target not in LESIONS or (name, target) in ways())


def _alone(
    engine: Engine, situation: Mapping[str, Observation], source: str | None, lesions: Sequence[str]
) -> dict[str, Observation]:
    held: dict[str, Observation] = {name: engine.states[name][0] for name in (*EVERY_CAUSE, *lesions)}
    if source is not None:
        held[source] = engine.states[source][-1]
    return {**situation, **held}


def _logs(engine: Engine, rows: Sequence[Mapping[str, Observation]]) -> list[float]:
    """Return ln P of many pieces of evidence, in one batch."""
    columns = dict.fromkeys(name for row in rows for name in row)
    found = engine.run_batch({name: [row.get(name) for row in rows] for name in columns}, ())
    logs: list[float] = found.log_evidence.tolist()
    return logs


def _beyond(log: float, weight: float = 1.0) -> float:
    """Return ``1 - weight * exp(log)`` without losing a small chance, kept inside 0 to 1."""
    if weight <= 0:
        return 1.0
    return 0.0 + min(max(-math.expm1(log + math.log(weight)), 0.0), 1.0)  # 0.0 + turns -0.0 into 0.0


def _reached(
    focus: str, edges: Iterable[tuple[str, str]], strengths: Mapping[tuple[str, str], float]
) -> dict[str, float]:
    """Return, for each node below one, the product of strengths along the strongest way to it."""
    best = {focus: 1.0}
    for source, target in edges:
        if source in best:
            best[target] = max(best.get(target, 0.0), best[source] * strengths[source, target])
    return best


def _nodes(engine: Engine, case: Case, drawn: Iterable[str], chances: Mapping[str, float]) -> list[ViewNode]:
    kinds: dict[str, Kind] = dict.fromkeys(EVERY_CAUSE, "cause")
    kinds |= dict.fromkeys(LESIONS, "lesion")
    nodes = []
    for name in drawn:
        entered = case.possible(name) if name in case.observations else ()
        nodes.append(ViewNode(name, kinds.get(name, "finding"), label_of(name), chances[name], entered))
    order = {"cause": 0, "lesion": 1, "finding": 2}
    place = {name: number for number, name in enumerate(engine.states)}
    return sorted(nodes, key=lambda n: (order[n.kind], not n.entered, -n.probability, place[n.id]))


__all__ = ["LESIONS", "OTHERS", "Kind", "NetworkView", "ViewEdge", "ViewNode", "label_of", "view", "ways"]
