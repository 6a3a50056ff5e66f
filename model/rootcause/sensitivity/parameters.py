"""What is varied and what is asked: a parameter of a subject, with what moves along with it, and a posterior.

The subject is an engine, whose parameters are the entries of its tables, or a model, whose parameters are its numbers.
An entry cannot move alone: the rest of its column must still sum to what is left (see ``covariation``). A number of a
model moves in every table that it enters at once; a share of a whole moves the other shares in proportion.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rootcause.case import Case, parse_case
from rootcause.engine import Drawn, Engine
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, nearest
from rootcause.sensitivity.covariation import Covariation, covarying
from rootcause.sensitivity.numbers import Modelled, figures_of
from rootcause.sensitivity.passes import free, together
from rootcause.structure import CAUSES

Array = NDArray[np.float64]

Subject = Engine | Modelled
Evidence = Mapping[str, Any] | Case
Target = str | tuple[str, str]
"""A node with one of its states; of a model also a cause, or ``none``."""

NONE = "none"
"""The hypothesis that no listed cause of the model is present."""

_PRESENT, _ABSENT = "present", "absent"
_BLOCK = 256
"""Tables of a model that are filled at once: more would take memory, not time."""

_UNDERFLOW = -600.0
"""ln P(evidence) below which probabilities are given as multiples of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a table of any network.

    Attributes:
        node: The node whose table it is.
        parents: A state for each parent.
        state: A state of the node.
        covariation: How the rest of its column moves along.
    """

    node: str
    parents: Mapping[str, str]
    state: str
    covariation: Covariation = "proportional"

    def __hash__(self) -> int:
        return hash((self.node, frozenset(self.parents.items()), self.state, self.covariation))

    def __str__(self) -> str:
        given = ", ".join(f"{name}={state}" for name, state in self.parents.items())
        return f"P({self.node}={self.state}{' | ' if given else ''}{given})"


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a model, by its id."""

    id: str

    def __str__(self) -> str:
        return self.id


Parameter = Entry | Number
Varying = TypeVar("Varying", Entry, Number, Parameter)


@dataclass(frozen=True, slots=True)
class Question:
    """A posterior of a subject given evidence.

    Attributes:
        subject: An engine or a model.
        engine: The engine itself, or that of the model.
        weights: The evidence: by node, a likelihood for each state.
        name: What is asked for, in words.
        event: The same as likelihoods of 0 and 1.
        rivals: By name, what it may be compared with: the causes of a model, the states of the node of an engine.
    """

    subject: Subject
    engine: Engine
    weights: Mapping[str, Array]
    name: str
    event: Mapping[str, Array]
    rivals: Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class Values:
    """Probabilities at several values of parameters, all divided by exp(``log_scale``).

    Attributes:
        joint: P(event, evidence), shape ``(events, values)``.
        evidence: P(evidence), shape ``(values,)``.
        log_scale: 0, unless the probabilities would be too small to be numbers.
    """

    joint: Array
    evidence: Array
    log_scale: float

    @property
    def posterior(self) -> Array:
        """P(event | evidence), shape ``(events, values)``; 0 where the evidence is impossible."""
        possible = self.evidence > 0
        return np.where(possible, self.joint, 0.0) / np.where(possible, self.evidence, 1.0)


def ask(subject: Subject, target: Target, evidence: Evidence) -> Question:
    """Check what is asked.

    Args:
        subject: An engine or a model.
        target: A node with one of its states, or a cause of the model, or ``none``.
        evidence: Observations by node; for a model a case or its findings.

    Raises:
        InvalidInputError: If the target or the evidence is not known.
    """
    if isinstance(subject, Engine):
        subject = free(subject)
        engine, observations = subject, dict(evidence) if isinstance(evidence, Mapping) else evidence.observations
    else:
        engine = subject.engine
        observations = (evidence if isinstance(evidence, Case) else parse_case(evidence)).observations
    weights = MappingProxyType(engine.weights(observations))
    if isinstance(target, str):
        if isinstance(subject, Engine):
            raise InvalidInputError(f"target: must be a node with one of its states, got {target!r}")
        rivals = {cause: engine.weights({cause: _PRESENT}) for cause in CAUSES}
        if target == NONE:
            event = engine.weights(dict.fromkeys(CAUSES, _ABSENT))
        elif target in rivals:
            event = rivals[target]
        else:
            raise InvalidInputError(f"target: must be a known cause, got {target!r}{nearest(target, (*CAUSES, NONE))}")
        return Question(subject, engine, weights, target, event, rivals)
    node, state = target
    event = engine.weights({node: state})
    rivals = {own: engine.weights({node: own}) for own in engine.states[node]}
    return Question(subject, engine, weights, f"{node}={state}", event, rivals)


def evaluate(question: Question, drawn: Drawn, events: Iterable[Mapping[str, Array]] | None = None) -> Values:
    """Return the probabilities of events and of the evidence, for each draw of the tables.

    Args:
        question: What is asked.
        drawn: The tables.
        events: Likelihoods of 0 and 1 by node; left out: the one asked for.

    Raises:
        ImpossibleEvidenceError: If the evidence is impossible in every draw.
    """
    asked = [question.event] if events is None else list(events)
    single = {name for event in asked if len(event) == 1 for name in event}
    found = question.engine.marginals(question.weights, sorted(single), drawn)
    log_scale = _scale(found.log_evidence)
    evidence = np.exp(found.log_evidence - log_scale)
    rows = []
    for event in asked:
        if len(event) == 1:
            ((name, weight),) = event.items()
            rows.append(evidence * (weight @ found.posterior[name]))
            continue
        both = together(question.weights, event)
        log = question.engine.log_probability(both, drawn) if all(w.any() for w in both.values()) else -np.inf
        rows.append(np.broadcast_to(np.exp(log - log_scale), evidence.shape))
    return Values(np.array(rows), evidence, log_scale)


def _scale(logs: Array) -> float:
    highest = float(logs.max())
    return highest if highest < _UNDERFLOW else 0.0


# ---- one parameter at several values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Varied:
    """A parameter of a subject, checked, and how the tables follow it.

    Attributes:
        parameter: The parameter.
        label: It in words.
        point: Its value in the subject.
        domain: The least and the greatest value it can take.
        breaks: Values between them at which what moves along changes its line.
        low_high: The range of a number of a model.
        tables: Returns the tables for values of the parameter, shape ``(n,)``.
        degree: The highest degree that P(evidence) can have as a polynomial in it between two breaks.
        column: Returns the distribution that it is part of, shape ``(states, n)``: an entry's column; a number and the
            rest.
        basis: What a number and its range rest on; empty for an entry.
        sources: Keys of its sources.
    """

    parameter: Parameter
    label: str
    point: float
    domain: tuple[float, float]
    breaks: tuple[float, ...]
    low_high: tuple[float, float] | None
    degree: int
    tables: Callable[[Array], Callable[[str], Array]] = field(repr=False)
    column: Callable[[Array], Array] = field(repr=False)
    basis: str = ""
    sources: tuple[str, ...] = ()

    def drawn(self, values: Array) -> Drawn:
        """Return the tables at some values."""
        return Drawn(self.tables(values), len(values))


def vary(subject: Subject, parameter: Parameter) -> Varied:
    """Check a parameter of a subject.

    Raises:
        InvalidInputError: If the subject has no such parameter, or the covariation is impossible for it.
    """
    if isinstance(parameter, Number):
        if isinstance(subject, Engine):
            raise InvalidInputError(f"parameter: an engine has entries and no numbers, got the number {parameter.id!r}")
        return _number(subject, parameter)
    if not isinstance(subject, Engine):
        raise InvalidInputError(f"parameter: the numbers of a model must be named by their ids, got {parameter}")
    return _entry(subject, parameter)


def _number(model: Modelled, parameter: Number) -> Varied:
    figures = figures_of(model)
    found = figures.known(parameter.id)
    nodes = {name for id_ in figures.together(parameter.id) for name in figures.nodes_of[id_]}
    return Varied(
        parameter=parameter,
        label=found.meaning,
        point=found.point,
        domain=(0.0, 1.0),
        breaks=(),
        low_high=(found.low, found.high),
        degree=len(nodes),
        tables=lambda values: figures.tables(model.engine, figures.moved(parameter.id, values)),
        column=lambda values: np.stack([values, 1 - values]),
        basis=found.basis,
        sources=found.sources,
    )


def _entry(engine: Engine, entry: Entry) -> Varied:
    index, state = place_of(engine, entry)
    table = engine.table(entry.node)
    before = table[index]
    point = float(before[state])
    if len(before) == 1:
        raise InvalidInputError(f"parameter: {entry} is the only state there is and cannot move")
    column, highest = covarying(before, state, entry.covariation, entry)

    def tables(values: Array) -> Callable[[str], Array]:
        moved = np.repeat(table[..., np.newaxis], len(values), axis=-1)
        moved[index] = column(values)
        return lambda name: moved if name == entry.node else engine.table(name)[..., np.newaxis]

    breaks = (point,) if entry.covariation == "order_preserving" and 0 < point < highest else ()
    return Varied(
        parameter=entry,
        label=str(entry),
        point=point,
        domain=(0.0, highest),
        breaks=breaks,
        low_high=None,
        degree=1,
        tables=tables,
        column=column,
    )


def place_of(engine: Engine, entry: Entry) -> tuple[tuple[int, ...], int]:
    """Return the place of the column of an entry in its table, and its place in the column.

    Raises:
        InvalidInputError: If there is no such entry.
    """
    parents = engine.parents(entry.node)
    if set(entry.parents) != set(parents):
        listed = ", ".join(parents) or "no parent"
        raise InvalidInputError(f"parameter: {entry.node} needs a state for {listed}, got {dict(entry.parents)}")
    named = [(name, entry.parents[name]) for name in parents] + [(entry.node, entry.state)]
    for name, state in named:
        if state not in engine.states[name]:
            listed = ", ".join(map(str, engine.states[name]))
            raise InvalidInputError(f"parameter: {name} must be one of {listed}, got {state!r}")
    *index, own = [engine.states[name].index(state) for name, state in named]
    return tuple(index), own


# ---- many parameters at once -----------------------------------------------------------------------------------------


def evaluate_each(
    question: Question, values: Mapping[Varying, Sequence[float]], events: Iterable[Mapping[str, Array]] | None = None
) -> dict[Varying, Values]:
    """Return the probabilities at values of one parameter after another, the others at their points.

    Args:
        question: What is asked.
        values: By parameter, where to evaluate.
        events: As for ``evaluate``.

    Raises:
        InvalidInputError: If the subject has no such parameter.
        ImpossibleEvidenceError: If the evidence is impossible throughout.
    """
    if not values:
        return {}
    asked = [question.event] if events is None else list(events)
    columns = [(parameter, float(value)) for parameter, own in values.items() for value in own]
    parts = []
    for start in range(0, len(columns), _BLOCK):
        block = columns[start : start + _BLOCK]
        parts.append(evaluate(question, Drawn(_one_by_one(question.subject, block), len(block)), asked))
    scale = max(part.log_scale for part in parts)
    shares = [np.exp(part.log_scale - scale) for part in parts]
    joint = np.concatenate([p.joint * share for p, share in zip(parts, shares, strict=True)], axis=1)
    evidence = np.concatenate([p.evidence * share for p, share in zip(parts, shares, strict=True)])
    result: dict[Varying, Values] = {}
    start = 0
    for parameter, own in values.items():
        stop = start + len(own)
        result[parameter] = Values(joint[:, start:stop], evidence[start:stop], scale)
        start = stop
    return result


def _one_by_one(subject: Subject, columns: Sequence[tuple[Parameter, float]]) -> Callable[[str], Array]:
    """Return tables whose draws have one parameter after another at a value of its own."""
    if isinstance(subject, Engine):
        return _entries_one_by_one(subject, columns)
    figures = figures_of(subject)
    numbers: dict[str, Array] = {}
    for draw, (parameter, value) in enumerate(columns):
        if not isinstance(parameter, Number):
            raise InvalidInputError(f"parameter: the numbers of a model must be named by their ids, got {parameter}")
        for id_, moved in figures.moved(parameter.id, np.array([value])).items():
            if id_ not in numbers:
                numbers[id_] = np.repeat(figures.points[id_], len(columns))
            numbers[id_][draw] = moved[0]
    return figures.tables(subject.engine, numbers)


def _entries_one_by_one(engine: Engine, columns: Sequence[tuple[Parameter, float]]) -> Callable[[str], Array]:
    tables: dict[str, Array] = {}
    for draw, (parameter, value) in enumerate(columns):
        varied = vary(engine, parameter)
        if not isinstance(parameter, Entry):
            continue  # refused above
        node = parameter.node
        if node not in tables:
            tables[node] = np.repeat(engine.table(node)[..., np.newaxis], len(columns), axis=-1)
        index, _ = place_of(engine, parameter)
        tables[node][index][..., draw] = varied.column(np.array([value]))[:, 0]
    return lambda name: tables[name] if name in tables else engine.table(name)[..., np.newaxis]


def possible(question: Question) -> None:
    """Refuse evidence that is impossible as things are.

    Raises:
        ImpossibleEvidenceError: Naming the observations that clash.
    """
    if not question.engine.possible(question.weights):
        raise ImpossibleEvidenceError(question.engine.clash(question.weights))
