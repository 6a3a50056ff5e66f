"""What to decide, and what a test is worth to the decision: expected utility on any compiled network.

The value of a test is the expected utility of deciding after it less that of deciding now (Howard 1966); before its
cost it is never negative. Two forms: a table of utilities over the states of one target, and an act of its own for each
of several causes that may be there together, whose values are added. All values are in the units of the utilities.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.reasoning.information import Outcomes, ask

Array = NDArray[np.float64]

SAME = 1e-12
"""A probability that falls short of a threshold by no more than this has reached it: rounding decides nothing."""


@dataclass(frozen=True, slots=True)
class Utilities:
    """What each decision is worth in each state of a target.

    Attributes:
        target: A node.
        values: By decision, by state of the target.
    """

    target: str
    values: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision with the highest expected utility.

    Attributes:
        name: The decision; of equal ones the first.
        expected: Its expected utility.
        every: Expected utility of each decision.
    """

    name: str
    expected: float
    every: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ValueOfTest:
    """What a test is worth to a decision.

    Attributes:
        nodes: The findings that the test shows.
        gross: Expected gain of deciding after it, before its cost; at least 0.
        cost: What the test costs.
        net: ``gross`` less ``cost``.
        now: The best decision without the test.
        policy: Each result that can come out, with the best decision after it.
    """

    nodes: tuple[str, ...]
    gross: float
    cost: float
    net: float
    now: Decision
    policy: tuple[tuple[Mapping[str, str], str], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """An act against one cause, taken or not, whatever is done about the others.

    Attributes:
        node: The cause.
        state: The state in which acting gains.
        benefit: Gain of acting when the cause is there, at least 0.
        risk: Loss of acting when it is not there, at least 0; with ``benefit`` not both zero.
    """

    node: str
    state: str
    benefit: float
    risk: float

    def __post_init__(self) -> None:
        """Refuse what makes no threshold."""
        _not_negative(f"act on {self.node}", benefit=self.benefit, risk=self.risk)
        if self.benefit + self.risk <= 0:
            msg = f"act on {self.node}: benefit and risk must not both be zero, got zero for both"
            raise InvalidInputError(msg)

    @property
    def threshold(self) -> float:
        """Probability from which acting is worth its risk: R / (B + R) (Pauker & Kassirer 1975)."""
        return self.risk / (self.benefit + self.risk)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities of a disease that part waiting, testing and treating (Pauker & Kassirer 1975, 1980).

    Attributes:
        treat: Without a test, treat from here on.
        testing: With the test at hand, test from here on; below, wait.
        test_treatment: Treat without testing from here on.
        worth_testing: Whether testing lies below test-treatment; if not, the test is never the best choice.
    """

    treat: float
    testing: float
    test_treatment: float
    worth_testing: bool


# ---- one decision over one target ------------------------------------------------------------------------------------


def best_decision(engine: Engine, evidence: Mapping[str, Observation], utilities: Utilities) -> Decision:
    """Return the decision with the highest expected utility given the evidence.

    Raises:
        InvalidInputError: If the target is unknown, or the utilities lack a state, name another or are not finite.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return expected_value_of_test(engine, evidence, (), utilities).now


def expected_value_of_test(
    engine: Engine,
    evidence: Mapping[str, Observation],
    test: str | Sequence[str],
    utilities: Utilities,
    cost: float = 0.0,
) -> ValueOfTest:
    """Return what a test is worth: E over its results of the best expected utility, less the best now (Howard 1966).

    Args:
        engine: The network.
        evidence: By node, what was observed.
        test: A finding, or those that the test shows together.
        utilities: What each decision is worth.
        cost: What the test costs, in the units of the utilities.

    Raises:
        InvalidInputError: As for ``best_decision``, or if the cost is not finite, a finding is unknown, or the findings
            have too many joint states.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if not math.isfinite(cost):
        msg = f"cost: must be finite, got {cost!r}"
        raise InvalidInputError(msg)
    table = _table(engine, utilities)
    found = ask(engine, evidence, [(test,) if isinstance(test, str) else test], [utilities.target])[0]
    names = tuple(utilities.values)
    now = table @ found.before[utilities.target]
    then = found.posterior[utilities.target] @ table.T
    gross = float(found.probability @ then.max(axis=1) / found.probability.sum() - now.max())
    decision = Decision(
        names[int(now.argmax())], float(now.max()), MappingProxyType(dict(zip(names, now.tolist(), strict=True)))
    )
    policy = tuple(
        (MappingProxyType(found.assignment(row)), names[int(then[row].argmax())])
        for row in np.flatnonzero(found.probability > 0).tolist()
    )
    gross = max(0.0, gross)
    return ValueOfTest(found.nodes, gross, cost, gross - cost, decision, policy)


def expected_value_of_perfect_information(
    engine: Engine, evidence: Mapping[str, Observation], utilities: Utilities
) -> float:
    """Return what it is worth to know the target itself; no test is worth more (Howard 1966).

    Raises:
        InvalidInputError: As for ``best_decision``.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    return expected_value_of_test(engine, evidence, utilities.target, utilities).gross


def _table(engine: Engine, utilities: Utilities) -> Array:
    """Return the utilities, checked; shape ``(decisions, states)``."""
    if utilities.target not in engine.states:
        hint = nearest(utilities.target, engine.states)
        msg = f"utilities: the target must be in the network, got {utilities.target!r}{hint}"
        raise InvalidInputError(msg)
    states = engine.states[utilities.target]
    if not utilities.values:
        msg = "utilities: at least one decision must be named, got none"
        raise InvalidInputError(msg)
    for name, row in utilities.values.items():
        if set(row) != set(states):
            listed, got = ", ".join(map(str, states)), ", ".join(map(str, row))
            msg = f"utilities of {name}: every state of {utilities.target} ({listed}) must stand once, got {got}"
            raise InvalidInputError(msg)
        if not all(math.isfinite(value) for value in row.values()):
            msg = f"utilities of {name}: every value must be finite, got {dict(row)}"
            raise InvalidInputError(msg)
    return np.array([[row[state] for state in states] for row in utilities.values.values()], dtype=np.float64)


# ---- an act of its own for each cause --------------------------------------------------------------------------------


def taken(act: Act, probability: Array | float) -> NDArray[np.bool_]:
    """Return where an act is taken: where its cause's probability has reached the threshold."""
    return np.asarray(probability >= act.threshold - SAME)


def value_of_acts(acts: Iterable[Act], probability: Mapping[str, Array]) -> Array:
    """Return the value of the best acts: sum over causes of max(p B - (1 - p) R, 0).

    Args:
        acts: One for each cause.
        probability: By cause, of the state in which acting gains; all of one shape.
    """
    every = [
        np.maximum(probability[act.node] * act.benefit - (1 - probability[act.node]) * act.risk, 0.0) for act in acts
    ]
    return np.asarray(np.sum(every, axis=0), dtype=np.float64)


def value_of_outcomes(found: Outcomes, acts: Sequence[Act]) -> float:
    """Return what findings are worth to acts on several causes, before their cost; at least 0.

    Args:
        found: Rows that exclude each other and leave nothing out, with every act's cause among the targets.
        acts: One for each cause.
    """
    now, then = in_question(found, acts)
    gain = found.probability @ value_of_acts(acts, then) / found.probability.sum() - value_of_acts(acts, now)
    return max(0.0, float(gain))


def in_question(found: Outcomes, acts: Iterable[Act]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the probability of the state that each act is about: now, shape ``()``, and by row, ``(rows,)``."""
    at = {act.node: found.states[act.node].index(act.state) for act in acts}
    return (
        {name: found.before[name][k] for name, k in at.items()},
        {name: found.posterior[name][:, k] for name, k in at.items()},
    )


def value_of_tests(
    engine: Engine, evidence: Mapping[str, Observation], tests: Iterable[str | Sequence[str]], acts: Sequence[Act]
) -> tuple[float, ...]:
    """Return what each test is worth to acts on several causes, before its cost, in the order of the tests.

    Args:
        engine: The network.
        evidence: By node, what was observed.
        tests: Findings; several seen together stand as a sequence.
        acts: One for each cause.

    Raises:
        InvalidInputError: If a node or state is unknown, or findings have too many joint states.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    for act in acts:
        engine.weights({act.node: act.state})  # says which node or state is unknown
    groups = [(item,) if isinstance(item, str) else tuple(item) for item in tests]
    return tuple(value_of_outcomes(found, acts) for found in ask(engine, evidence, groups, [a.node for a in acts]))


# ---- thresholds for one test -----------------------------------------------------------------------------------------


def pauker_kassirer(
    benefit: float, risk: float, test_risk: float, sensitivity: float, specificity: float
) -> Thresholds:
    """Return the probabilities that part waiting, testing and treating.

    treat = R / (B + R); testing = ((1 - sp) R + T) / ((1 - sp) R + se B); test-treatment = (sp R - T) / (sp R +
    (1 - se) B), with T the risk of the test, all held between 0 and 1. They are where the lines of expected utility of
    waiting, testing and treating cross (Pauker & Kassirer 1975, 1980, N Engl J Med).

    Args:
        benefit: Gain of treating the diseased, B, at least 0.
        risk: Loss of treating the well, R, at least 0.
        test_risk: Loss by the test itself, T, at least 0, on the same scale.
        sensitivity: P(positive | diseased), se.
        specificity: P(negative | well), sp.

    Raises:
        InvalidInputError: If a number is out of its range, or benefit and risk are both zero.
    """
    _not_negative("thresholds", benefit=benefit, risk=risk, test_risk=test_risk)
    for name, share in {"sensitivity": sensitivity, "specificity": specificity}.items():
        if not 0 <= share <= 1:
            msg = f"thresholds: {name} must be from 0 to 1, got {share!r}"
            raise InvalidInputError(msg)
    if benefit + risk <= 0:
        msg = "thresholds: benefit and risk must not both be zero, got zero for both"
        raise InvalidInputError(msg)
    harmed, helped = (1 - specificity) * risk, sensitivity * benefit
    spared, missed = specificity * risk, (1 - sensitivity) * benefit
    # Without a denominator the test acts on nobody (testing never pays) or on everybody (treating is as good).
    testing = min(1.0, (harmed + test_risk) / (harmed + helped)) if harmed + helped > 0 else 1.0
    test_treatment = max(0.0, (spared - test_risk) / (spared + missed)) if spared + missed > 0 else 0.0
    return Thresholds(risk / (benefit + risk), testing, test_treatment, testing < test_treatment)


def _not_negative(where: str, **numbers: float) -> None:
    for name, value in numbers.items():
        if not (math.isfinite(value) and value >= 0):
            msg = f"{where}: {name} must be finite and at least 0, got {value!r}"
            raise InvalidInputError(msg)
