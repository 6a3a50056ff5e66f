"""What further findings could still do: against enumeration of every future, and the numbers of Asia."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bif
from rootcause.engine import Engine, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.decisions import Act
from rootcause.reasoning.futures import (
    Wish,
    climb,
    closure_bounds,
    reachable_bounds,
    same_decision_probability,
    same_decisions,
)
from rootcause.reasoning.information import ask
from strategies import Case, possible_cases

CLOSE = 1e-9
some_networks = settings(max_examples=80)


@pytest.fixture(scope="module")
def asia() -> Engine:
    """The network of Lauritzen & Spiegelhalter (1988)."""
    return compile_network(bif.read("asia"))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Case, str, str, list[str]]:
    """Draw a case, a state of a node, and other findings still hidden."""
    case = draw(possible_cases)
    target = draw(st.sampled_from([*case.network.states]))
    others = [name for name in case.network.states if name != target]
    hidden = draw(st.lists(st.sampled_from(others), unique=True, max_size=3)) if others else []
    return case, target, draw(st.sampled_from(case.network.states[target])), hidden


def futures(
    case: Case, target: str, state: str, hidden: list[str], *, partial: bool
) -> list[tuple[Fraction, Fraction]]:
    """Return P(future | evidence) and P(state | evidence, future) of each possible future, by enumeration."""
    network = case.network
    own = {name: case.weights.get(name, (Fraction(1),) * len(network.states[name])) for name in hidden}
    found = []
    for future in product(*(range(-1 if partial else 0, len(network.states[name])) for name in hidden)):
        seen = {
            name: tuple(w if code in {k, -1} else Fraction(0) for k, w in enumerate(own[name]))
            for name, code in zip(hidden, future, strict=True)
        }
        weights = {**case.weights, **seen}
        mass = network.mass(weights)
        if mass:
            at = network.states[target].index(state)
            found.append((mass / network.mass(case.weights), network.posterior(weights)[target][at]))
    return found


# ---- laws -----------------------------------------------------------------------------------------------------------


@some_networks
@given(questions(), st.integers(0, 20).map(lambda n: n / 20))
def test_the_same_decision_probability_is_that_of_enumeration(
    question: tuple[Case, str, str, list[str]], threshold: float
) -> None:
    """The mass of the futures in which the threshold is reached just if it is now."""
    case, target, state, hidden = question
    engine = case.network.engine()
    found = same_decision_probability(engine, case.given, target, state, threshold, hidden)
    limit = Fraction(threshold).limit_denominator(20) - Fraction(1, 10**12)
    now = case.network.posterior(case.weights)[target][case.network.states[target].index(state)] >= limit
    every = futures(case, target, state, hidden, partial=False)
    assert found == pytest.approx(float(sum(mass for mass, p in every if (p >= limit) == now)), abs=CLOSE)


@some_networks
@given(questions())
def test_closure_bounds_are_those_of_every_future(question: tuple[Case, str, str, list[str]]) -> None:
    """No future leaves less or more, whether it leaves findings open or not; and a witness is what it says."""
    case, target, state, hidden = question
    engine = case.network.engine()
    bounds = closure_bounds(engine, case.given, target, state, hidden)
    for partial in (False, True):
        values = [p for _, p in futures(case, target, state, hidden, partial=partial)]
        assert (bounds.low, bounds.high) == pytest.approx((float(min(values)), float(max(values))), abs=CLOSE)
    assert bounds.exact
    for value, witness in zip((bounds.low, bounds.high), bounds.witnesses, strict=True):
        assert engine.query({**case.given, **witness}, [target])[target][state] == pytest.approx(value, abs=CLOSE)


@some_networks
@given(questions(), st.sampled_from([0, 5, 1000]))
def test_reachable_bounds_lie_inside_and_can_be_reached(
    question: tuple[Case, str, str, list[str]], most_rows: int
) -> None:
    """Inner bounds around what is known now, at least as wide as any one finding makes them, each with its witness."""
    case, target, state, hidden = question
    engine = case.network.engine()
    outer = closure_bounds(engine, case.given, target, state, hidden)
    inner = reachable_bounds(engine, case.given, target, state, hidden, most_rows=most_rows)
    now = engine.query(case.given, [target])[target][state]
    assert outer.low - CLOSE <= inner.low <= now + CLOSE
    assert now - CLOSE <= inner.high <= outer.high + CLOSE
    assert not inner.exact
    for name in hidden:
        alone = closure_bounds(engine, case.given, target, state, [name])
        assert inner.low <= alone.low + CLOSE
        assert alone.high <= inner.high + CLOSE
    for value, witness, chance in zip((inner.low, inner.high), inner.witnesses, inner.probability, strict=True):
        assert engine.query({**case.given, **witness}, [target])[target][state] == pytest.approx(value, abs=CLOSE)
        assert 0 < chance <= 1


@some_networks
@given(questions(), st.sampled_from([0.05, 0.3, 1.0]))
def test_a_search_among_likely_futures_stays_among_them(
    question: tuple[Case, str, str, list[str]], at_least: float
) -> None:
    """No witness is less probable than was asked for."""
    case, target, state, hidden = question
    found = reachable_bounds(case.network.engine(), case.given, target, state, hidden, at_least=at_least)
    assert min(found.probability) >= at_least


@some_networks
@given(questions())
def test_a_decision_that_nothing_hangs_on_stays(question: tuple[Case, str, str, list[str]]) -> None:
    """A threshold of zero is always reached, and with nothing hidden nothing changes."""
    case, target, state, hidden = question
    engine = case.network.engine()
    now = engine.query(case.given, [target])[target][state]
    assert same_decision_probability(engine, case.given, target, state, 0.0, hidden) == pytest.approx(1)
    assert same_decision_probability(engine, case.given, target, state, now, []) == pytest.approx(1)


# ---- Asia ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "threshold", "hidden", "expected"),
    [
        (("xray", "dysp"), 0.5, ["smoke", "asia"], 0.7856103860517293),
        (("dysp",), 0.05, ["xray", "smoke"], 0.16209832589628753),
        (("dysp",), 0.05, ["xray"], 0.1620983258962875),
    ],
)
def test_same_decision_in_asia(
    asia: Engine, evidence: tuple[str, ...], threshold: float, hidden: list[str], expected: float
) -> None:
    """Lung cancer, with the threshold reached now."""
    known = dict.fromkeys(evidence, "yes")
    assert same_decision_probability(asia, known, "lung", "yes", threshold, hidden) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize(
    ("evidence", "target", "hidden", "low", "high"),
    [
        (("dysp",), "lung", ["xray", "smoke", "asia"], 0.0005260572600176098, 0.7255431642205016),
        (("dysp", "asia"), "tub", ["xray", "smoke"], 0.0019305564711311182, 0.6323294565515463),
    ],
)
def test_bounds_in_asia(
    asia: Engine, evidence: tuple[str, ...], target: str, hidden: list[str], low: float, high: float
) -> None:
    """Both by enumeration and by search."""
    known = dict.fromkeys(evidence, "yes")
    for bounds in (
        closure_bounds(asia, known, target, "yes", hidden),
        reachable_bounds(asia, known, target, "yes", hidden),
    ):
        assert (bounds.low, bounds.high) == pytest.approx((low, high), abs=1e-12)


def test_several_decisions_stay_together_at_most_as_often_as_each(asia: Engine) -> None:
    """The probability that all stay is no larger than that of any one."""
    acts = [Act("lung", "yes", 1, 1), Act("bronc", "yes", 1, 4)]
    found = ask(asia, {"dysp": "yes"}, [["xray", "smoke"]], ["lung", "bronc"])[0]
    each = [same_decisions(found, [act]) for act in acts]
    assert same_decisions(found, acts) <= min(each) + CLOSE
    assert each[0] == pytest.approx(
        same_decision_probability(asia, {"dysp": "yes"}, "lung", "yes", 0.5, ["xray", "smoke"])
    )


def test_wishes_are_pushed_side_by_side(asia: Engine) -> None:
    """Several probabilities at once end where each ends alone; no wish ends nowhere."""
    hidden = ["xray", "smoke", "asia", "bronc"]
    wishes = [Wish("lung", "yes", up=True), Wish("tub", "yes", up=False)]
    both = climb(asia, {"dysp": "yes"}, wishes, hidden)
    each = [climb(asia, {"dysp": "yes"}, [wish], hidden)[0] for wish in wishes]
    assert [end.value for end in both] == pytest.approx([end.value for end in each])
    assert climb(asia, {"dysp": "yes"}, [], hidden) == ()


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_what_cannot_be_asked_is_refused(asia: Engine) -> None:
    """A threshold that is no probability, an unknown state, a target among the hidden, too many futures."""
    with pytest.raises(InvalidInputError, match="threshold: must be from 0 to 1, got"):
        same_decision_probability(asia, {}, "lung", "yes", 1.5, ["xray"])
    with pytest.raises(InvalidInputError, match="lung: must be one of yes, no, got 'present'"):
        closure_bounds(asia, {}, "lung", "present", ["xray"])
    with pytest.raises(InvalidInputError, match="hidden: the target must not be among the findings still to come"):
        reachable_bounds(asia, {}, "lung", "yes", ["lung"])
    with pytest.raises(ImpossibleEvidenceError):
        closure_bounds(asia, {"either": "no", "tub": "yes"}, "lung", "yes", ["xray"])
    alarm = compile_network(bif.read("alarm"))
    hidden = [name for name in alarm.states if name != "HYPOVOLEMIA"]
    with pytest.raises(InvalidInputError, match="may have 20,000 joint states, got"):
        closure_bounds(alarm, {}, "HYPOVOLEMIA", "TRUE", hidden)


def test_a_search_goes_where_enumeration_cannot() -> None:
    """Over all other nodes of ALARM the bounds hold what any one of them does."""
    alarm = compile_network(bif.read("alarm"))
    hidden = ["CVP", "BP", "HRBP", "PCWP", "HISTORY", "TPR", "CO", "HR", "SAO2", "EXPCO2", "HREKG", "HRSAT", "PRESS"]
    found = reachable_bounds(alarm, {}, "HYPOVOLEMIA", "TRUE", hidden, most_rows=600)
    alone = [closure_bounds(alarm, {}, "HYPOVOLEMIA", "TRUE", [name]) for name in hidden]
    assert found.low <= min(item.low for item in alone)
    assert found.high > max(item.high for item in alone)
