"""Decisions and the value of tests: laws on random networks, the oil wildcatter, thresholds."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import bif
from oracle import Network
from rootcause.engine import Engine, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.decisions import (
    Act,
    Utilities,
    best_decision,
    expected_value_of_perfect_information,
    expected_value_of_test,
    pauker_kassirer,
    value_of_tests,
)
from strategies import Case, possible_cases

CLOSE = 1e-9
some_networks = settings(max_examples=80)
points = st.integers(-20, 100).map(float)
shares = st.floats(0, 1).map(lambda share: round(share, 3))
amounts = st.floats(0, 50).map(lambda amount: round(amount, 2))


@st.composite
def problems(draw: st.DrawFn) -> tuple[Case, Utilities, list[str]]:
    """Draw a case with something to decide about one node, and findings to look for."""
    case = draw(possible_cases)
    target = draw(st.sampled_from([*case.network.states]))
    names = ["wait", "test", "treat"][: draw(st.integers(1, 3))]
    values = {name: {state: draw(points) for state in case.network.states[target]} for name in names}
    test = draw(st.lists(st.sampled_from([*case.network.states]), unique=True, min_size=1, max_size=2))
    return case, Utilities(target, values), test


# ---- laws -----------------------------------------------------------------------------------------------------------


@some_networks
@given(problems())
def test_a_test_is_worth_something_from_nothing_to_knowing_all(problem: tuple[Case, Utilities, list[str]]) -> None:
    """0 <= value of a test <= value of the target itself; more findings are never worth less."""
    case, utilities, test = problem
    engine = case.network.engine()
    perfect = expected_value_of_perfect_information(engine, case.given, utilities)
    worth = expected_value_of_test(engine, case.given, test, utilities).gross
    part = expected_value_of_test(engine, case.given, test[0], utilities).gross
    assert -CLOSE <= part - CLOSE <= worth <= perfect + CLOSE


@some_networks
@given(problems())
def test_the_value_of_a_test_is_that_of_enumeration(problem: tuple[Case, Utilities, list[str]]) -> None:
    """The best decision for each result, weighed by its chance, less the best now; the policy names these decisions."""
    case, utilities, test = problem
    network = case.network
    own = {name: case.weights.get(name, (Fraction(1),) * len(network.states[name])) for name in test}
    total = network.mass(case.weights)
    best = Fraction(0)
    for result in product(*(range(len(network.states[name])) for name in test)):
        seen = {
            name: tuple(w if k == code else Fraction(0) for k, w in enumerate(own[name]))
            for name, code in zip(test, result, strict=True)
        }
        weights = {**case.weights, **seen}
        mass = network.mass(weights)
        if mass:
            shares_ = network.posterior(weights)[utilities.target]
            best += mass / total * max(_expected(network, utilities, shares_))
    now = max(_expected(network, utilities, network.posterior(case.weights)[utilities.target]))
    found = expected_value_of_test(network.engine(), case.given, test, utilities, cost=1.5)
    assert found.gross == pytest.approx(float(best - now), abs=1e-8)
    assert found.net == pytest.approx(found.gross - 1.5)
    assert found.now.expected == pytest.approx(float(now), abs=1e-8)
    assert {decision for _, decision in found.policy} <= set(utilities.values)


def _expected(network: Network, utilities: Utilities, shares_: tuple[Fraction, ...]) -> list[Fraction]:
    states = network.states[utilities.target]
    return [
        sum((share * Fraction(row[state]) for state, share in zip(states, shares_, strict=True)), Fraction(0))
        for row in utilities.values.values()
    ]


@some_networks
@given(possible_cases, st.data())
def test_acts_on_several_causes_add_up(case: Case, data: st.DataObject) -> None:
    """An act for each of several causes is a decision about each, and the values of a test for them are added."""
    engine = case.network.engine()
    nodes = data.draw(st.lists(st.sampled_from([*case.network.states]), unique=True, min_size=1, max_size=3))
    test = data.draw(st.sampled_from([*case.network.states]))
    acts = []
    for node in nodes:
        benefit, risk = data.draw(st.integers(0, 20)), data.draw(st.integers(1, 20))
        acts.append(Act(node, data.draw(st.sampled_from(case.network.states[node])), benefit, risk))
    each = 0.0
    for act in acts:
        do = {state: act.benefit if state == act.state else -act.risk for state in case.network.states[act.node]}
        table = Utilities(act.node, {"leave": dict.fromkeys(do, 0.0), "act": do})
        each += expected_value_of_test(engine, case.given, test, table).gross
    assert value_of_tests(engine, case.given, [test], acts)[0] == pytest.approx(each, abs=1e-8)


@given(benefit=amounts, risk=amounts, test_risk=amounts, se=shares, sp=shares, p=shares)
def test_the_thresholds_are_where_the_best_choice_turns(
    benefit: float, risk: float, test_risk: float, se: float, sp: float, p: float
) -> None:
    """Waiting below, testing between, treating above: at any probability the thresholds name a best choice."""
    assume(benefit + risk > 0)
    found = pauker_kassirer(benefit, risk, test_risk, se, sp)
    assert all(0 <= value <= 1 for value in (found.treat, found.testing, found.test_treatment))
    expected = {
        "wait": 0.0,
        "treat": p * benefit - (1 - p) * risk,
        "test": p * se * benefit - (1 - p) * (1 - sp) * risk - test_risk,
    }
    if found.worth_testing:
        chosen = "wait" if p < found.testing else "test" if p < found.test_treatment else "treat"
    else:
        chosen = "wait" if p < found.treat else "treat"
    assert expected[chosen] >= max(expected.values()) - 1e-9


@given(benefit=amounts.filter(bool), risk=amounts.filter(bool))
def test_a_flawless_free_test_is_always_worth_doing(benefit: float, risk: float) -> None:
    """Testing from 0 to 1; a test that is worth nothing never."""
    free = pauker_kassirer(benefit, risk, 0, 1, 1)
    assert (free.testing, free.test_treatment, free.worth_testing) == (0, 1, True)
    assert not pauker_kassirer(benefit, risk, 0.1, 0.5, 0.5).worth_testing


# ---- published problems ----------------------------------------------------------------------------------------------


def oil() -> Engine:
    """The oil wildcatter (Raiffa 1968): an uncertain field and a seismic test of it."""
    rows = ((1, 3, 6), (3, 4, 3), (5, 4, 1))
    tables: dict[str, dict[tuple[int, ...], tuple[Fraction, ...]]] = {
        "oil": {(): (Fraction(5, 10), Fraction(3, 10), Fraction(2, 10))},
        "seismic": {(k,): tuple(Fraction(tenths, 10) for tenths in row) for k, row in enumerate(rows)},
    }
    states: dict[str, tuple[str, ...]] = {"oil": ("dry", "wet", "soaking"), "seismic": ("closed", "open", "diffuse")}
    return Network(states, {"oil": (), "seismic": ("oil",)}, tables).engine()


DRILL = Utilities(
    "oil",
    {"drill": {"dry": -70, "wet": 50, "soaking": 200}, "leave": {"dry": 0, "wet": 0, "soaking": 0}},
)


def test_the_oil_wildcatter() -> None:
    """20 without the test, 22.5 with it at a cost of 10; drill if closed or open, not if diffuse."""
    engine = oil()
    decision = best_decision(engine, {}, DRILL)
    assert decision.name == "drill"
    assert decision.expected == pytest.approx(20)
    assert decision.every == pytest.approx({"drill": 20, "leave": 0})
    found = expected_value_of_test(engine, {}, "seismic", DRILL, cost=10)
    assert [found.gross, found.net] == pytest.approx([12.5, 2.5])
    assert decision.expected + found.net == pytest.approx(22.5)
    policy = {result["seismic"]: chosen for result, chosen in found.policy}
    assert policy == {"closed": "drill", "open": "drill", "diffuse": "leave"}
    assert expected_value_of_perfect_information(engine, {}, DRILL) == pytest.approx(0.3 * 50 + 0.2 * 200 - 20)


def test_pauker_and_kassirer() -> None:
    """B 10, R 2, risk of the test 0.1, sensitivity 0.9, specificity 0.8."""
    found = pauker_kassirer(10, 2, 0.1, 0.9, 0.8)
    assert found.treat == pytest.approx(0.16666666666666666, abs=1e-12)
    assert found.testing == pytest.approx(0.053191489361702114, abs=1e-12)
    assert found.test_treatment == pytest.approx(0.576923076923077, abs=1e-12)
    assert found.worth_testing


def test_a_test_that_harms_more_than_it_tells_is_never_done() -> None:
    """With a risk of the test above what it spares, testing lies at or above test-treatment."""
    assert not pauker_kassirer(10, 2, 2.0, 0.9, 0.8).worth_testing


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((-1, 2, 0.1, 0.9, 0.8), "thresholds: benefit must be finite and at least 0, got -1"),
        ((1, float("nan"), 0.1, 0.9, 0.8), "thresholds: risk must be finite and at least 0, got nan"),
        ((1, 2, float("inf"), 0.9, 0.8), "thresholds: test_risk must be finite and at least 0, got inf"),
        ((1, 2, 0.1, 1.2, 0.8), "thresholds: sensitivity must be from 0 to 1, got 1.2"),
        ((1, 2, 0.1, 0.9, float("nan")), "thresholds: specificity must be from 0 to 1, got nan"),
        ((0, 0, 0.1, 0.9, 0.8), "thresholds: benefit and risk must not both be zero"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers: tuple[float, float, float, float, float], message: str) -> None:
    """Each number of the thresholds has its range."""
    with pytest.raises(InvalidInputError, match=message):
        pauker_kassirer(*numbers)


@pytest.mark.parametrize(
    ("target", "values", "message"),
    [
        ("oils", {}, r"the target must be in the network, got 'oils' \(did you mean 'oil'\?\)"),
        ("oil", {}, "at least one decision must be named, got none"),
        ("oil", {"drill": {"dry": 1.0}}, r"every state of oil \(dry, wet, soaking\) must stand once, got dry$"),
        ("oil", {"drill": {"dry": 1.0, "wet": float("inf"), "soaking": 0.0}}, "every value must be finite"),
    ],
)
def test_incomplete_utilities_are_refused(target: str, values: dict[str, dict[str, float]], message: str) -> None:
    """Every decision has a value in every state."""
    with pytest.raises(InvalidInputError, match=message):
        best_decision(oil(), {}, Utilities(target, values))


def test_a_cost_and_an_act_must_be_numbers() -> None:
    """What makes no threshold and what has no end is refused."""
    with pytest.raises(InvalidInputError, match="cost: must be finite, got nan"):
        expected_value_of_test(oil(), {}, "seismic", DRILL, cost=float("nan"))
    with pytest.raises(InvalidInputError, match="act on oil: benefit and risk must not both be zero"):
        Act("oil", "wet", 0, 0)
    with pytest.raises(InvalidInputError, match="oil: must be one of dry, wet, soaking, got 'gusher'"):
        value_of_tests(oil(), {}, ["seismic"], [Act("oil", "gusher", 1, 1)])


def test_impossible_evidence_is_refused() -> None:
    """There is nothing to decide about what cannot be."""
    asia = compile_network(bif.read("asia"))
    table = Utilities("lung", {"treat": {"yes": 1.0, "no": -1.0}})
    with pytest.raises(ImpossibleEvidenceError):
        best_decision(asia, {"either": "no", "tub": "yes"}, table)
