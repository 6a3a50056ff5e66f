"""Sobol indices without draws, where the function is multilinear or its inputs are nodes of a network.

A function that is a line in each of its independent inputs has the same indices whatever their distributions, as long
as means and variances are the same. So each input may take two values alone, and the indices are sums of squares of the
function's coefficients over all corners. P(state, evidence) is such a function of the entries of its tables.

Where the inputs are nodes without parents, and the function is the expected score of another node given all of them,
its variance and all indices are second moments, which a network of two copies that share some inputs gives exactly.
References: Sobol' 1993; Ballester-Ripoll & Leonelli 2022 (indices in probabilistic graphical models).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation, Shape
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.boxes import Box, straight
from rootcause.sensitivity.indices import LEVEL, Index, Sobol
from rootcause.sensitivity.knobs import Knob
from rootcause.sensitivity.questions import Question
from rootcause.sensitivity.subjects import EntryRange, subject_of_engine

Array = NDArray[np.float64]

MOST_INPUTS = 20
"""Inputs of a multilinear function: all corners are visited."""


def sobol_multilinear(
    function: Callable[[Array], Array],
    means: Mapping[str, float],
    deviations: Mapping[str, float],
    *,
    outcome: str = "the answer",
) -> Sobol:
    """Return the exact indices of a function that is a line in each of its independent inputs.

    Args:
        function: From inputs, shape ``(inputs, m)``, to values, shape ``(m,)``.
        means: By name, the mean of each input.
        deviations: By name, its standard deviation.
        outcome: What varies, in words.

    Raises:
        InvalidInputError: If the names differ, there are too many, or a deviation is negative.
    """
    if set(means) != set(deviations) or not 1 <= len(means) <= MOST_INPUTS:
        raise InvalidInputError(f"means: must name 1 to {MOST_INPUTS} inputs, as deviations does, got {len(means)}")
    if min(deviations.values()) < 0:
        raise InvalidInputError(f"deviations: must be at least 0, got {min(deviations.values())!r}")
    size = len(means)
    signs = 2.0 * np.indices((2,) * size).reshape(size, -1) - 1
    center = np.array(list(means.values()))[:, np.newaxis]
    width = np.array([deviations[name] for name in means])[:, np.newaxis]
    values = np.asarray(function(center + signs * width), dtype=np.float64)
    return _from_corners(values.reshape((2,) * size), dict.fromkeys(means, 0.5), outcome)


def sobol_joint(
    engine: Engine, observed: Mapping[str, Observation], ranges: Sequence[EntryRange], *, family: str = "uniform"
) -> Sobol:
    """Return the exact indices of P(observed) in entries with ranges, each independent of the others.

    What an entry gains, the others of its column lose in proportion.

    Args:
        engine: The network.
        observed: By node, what was observed.
        ranges: The entries, at most one of a column and at most ``MOST_INPUTS``.
        family: ``uniform`` over each range, or ``beta`` with the entry as mean and 90 % of it in the range.

    Raises:
        InvalidInputError: If a name is unknown, a range breaks a rule, or there are too many.
    """
    subject = subject_of_engine(engine, ranges)
    if subject.wholes or not 1 <= len(ranges) <= MOST_INPUTS:
        raise InvalidInputError(f"ranges: must be 1 to {MOST_INPUTS} entries of different columns, got {len(ranges)}")
    moments = {item.name: _moments(item, subject.points[item.name], family) for item in ranges}
    question = Question(subject, observed, {}, exclusive=True)
    nodes_of = subject.nodes_of(question.names)
    knobs, chances = [], {}
    for item in ranges:
        mean, deviation = moments[item.name]
        low, high, chance = _two_points(mean, deviation)
        knobs.append(Knob(item.name, (item.name,), np.array([[low], [high]])))
        chances[item.name] = chance
    if not all(straight(subject, knob, node) for knob in knobs for node in nodes_of.get(knob.name, ())):
        raise InvalidInputError("ranges: the tables must move in a straight line, got one that does not")
    box = Box(question, tuple(knobs), tuple(nodes_of.get(knob.name, ()) for knob in knobs))
    return _from_corners(box.masses(None), chances, "P(observed)")


def _moments(item: EntryRange, point: float, family: str) -> tuple[float, float]:
    """Return mean and standard deviation of an entry."""
    if family == "uniform":
        return (item.low + item.high) / 2, (item.high - item.low) / math.sqrt(12)
    if family != "beta":
        raise InvalidInputError(f"family: must be uniform or beta, got {family!r}")
    from rootcause.priors import Parameter
    from rootcause.uncertainty import concentrations

    row = Parameter(meaning=item.name, point=point, low=item.low, high=item.high, range="judgement", basis="assumed")
    return point, math.sqrt(point * (1 - point) / (float(concentrations([row])[0]) + 1))


def _two_points(mean: float, deviation: float) -> tuple[float, float, float]:
    """Return two probabilities with a mean and a deviation, and the chance of the upper one.

    They are as far below and above the mean as 0 and 1 allow: d r below and d / r above, with chances 1 / (1 + r^2) and
    r^2 / (1 + r^2).
    """
    if deviation <= 0:
        return mean, mean, 0.5
    ratio = min(max(1.0, deviation / (1 - mean)), mean / deviation)
    return mean - deviation * ratio, mean + deviation / ratio, ratio**2 / (1 + ratio**2)


def _from_corners(values: Array, upper: Mapping[str, float], outcome: str) -> Sobol:
    """Return the indices from the values at all corners.

    Args:
        values: Shape ``(2, ..., 2)``, an axis for each input, in the order of ``upper``.
        upper: By input, the chance of its upper value.
        outcome: What varies.
    """
    parts = values
    for axis, chance in enumerate(upper.values()):
        low, high = np.take(parts, 0, axis=axis), np.take(parts, 1, axis=axis)
        mean, slope = (1 - chance) * low + chance * high, (high - low) * math.sqrt(chance * (1 - chance))
        parts = np.stack([mean, slope], axis=axis)
    squares = parts**2
    mean = float(parts.flat[0])
    squares.flat[0] = 0.0
    variance = float(squares.sum())
    scale = variance if variance > 0 else 1.0
    found = {}
    for axis, name in enumerate(upper):
        alone = tuple(int(k == axis) for k in range(len(upper)))
        found[name] = _exact(float(squares[alone]) / scale, float(np.take(squares, 1, axis=axis).sum()) / scale)
    return _sobol(outcome, found, mean, variance)


def _exact(first: float, total: float) -> Index:
    return Index(first, first, first, total, total, total, 0)


def _sobol(outcome: str, found: Mapping[str, Index], mean: float, variance: float) -> Sobol:
    ordered = dict(sorted(found.items(), key=lambda item: -item[1].total))
    return Sobol(outcome, MappingProxyType(ordered), mean, variance, n=0, stopped=False, level=LEVEL, seed=None)


# ---- inputs that are nodes -------------------------------------------------------------------------------------------


def sobol_nodes(engine: Engine, target: str, scores: Mapping[str, float], inputs: Sequence[str]) -> Sobol:
    """Return the exact indices of E[score of a node | inputs] in inputs that are nodes without parents.

    Args:
        engine: The network.
        target: The node that is scored.
        scores: By state of the target.
        inputs: Nodes without parents, and so independent; the target is not among them.

    Raises:
        InvalidInputError: If a node or state is unknown, an input has parents, or a score is missing or not finite.
        ModelTooLargeError: If no plan for two copies of the network fits in memory.
    """
    for name in (target, *inputs):
        if engine.parents(name) and name != target:
            raise InvalidInputError(f"inputs: must have no parents, got {name} with {', '.join(engine.parents(name))}")
    if target in inputs or not inputs:
        raise InvalidInputError(f"inputs: must name at least one node, and not the target, got {list(inputs)}")
    states = engine.states[target]
    if set(scores) != set(states) or not all(map(math.isfinite, scores.values())):
        raise InvalidInputError(f"scores: every state of {target} must have one that is finite, got {dict(scores)}")
    worth = np.array([scores[state] for state in states])
    mean = float(worth @ np.array(list(engine.query({}, [target])[target].values())))

    def moment(shared: Sequence[str]) -> float:
        """Return Var(E[score | shared])."""
        joint = _twins(engine, target, shared).joint({}, [target, _twin(target)])
        return max(0.0, float(worth @ joint @ worth) - mean**2)

    variance = moment(inputs)
    scale = variance if variance > 0 else 1.0
    found = {
        name: _exact(
            min(1.0, moment([name]) / scale),
            max(0.0, 1 - moment([other for other in inputs if other != name]) / scale) if variance > 0 else 0.0,
        )
        for name in inputs
    }
    return _sobol(f"E[{target}]", found, mean, variance)


def _twin(name: str) -> str:
    return f"{name} (twin)"


def _twins(engine: Engine, target: str, shared: Sequence[str]) -> Engine:
    """Return the network with a copy of every node that the target hangs on, but for those that are shared."""
    own = engine.relevant([target])
    kept = set(shared)
    states, parents, tables = {}, {}, {}
    for name in own:
        states[name], parents[name], tables[name] = engine.states[name], engine.parents(name), name
    for name in own:
        if name not in kept:
            states[_twin(name)] = engine.states[name]
            parents[_twin(name)] = tuple(p if p in kept else _twin(p) for p in engine.parents(name))
            tables[_twin(name)] = name
    return Engine(Shape(states, parents), cache(lambda name: engine.table(tables[name])[..., np.newaxis]))
