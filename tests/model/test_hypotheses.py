"""Hypotheses of several nodes: against their definitions on random networks, and against published numbers."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rootcause.engine import Engine, Shape
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.hypotheses import (
    explaining_away,
    explaining_away_in,
    most_probable_combinations,
    most_relevant_explanations,
)
from strategies import Case, possible_cases, random_networks

Array = NDArray[np.float64]
Assignment = frozenset[tuple[str, str]]

SAME = Fraction(1, 10**9)
"""Relative difference up to which two factors are equal."""


def built(
    tables: dict[str, tuple[tuple[str, ...], list[float]]], states: tuple[str, str] = ("ok", "defective")
) -> Engine:
    """Return the engine of a binary network: by node its parents, and P(second state) by their states."""
    arrays = {}
    for name, (parents, chances) in tables.items():
        second = np.array(chances).reshape((2,) * len(parents))
        arrays[name] = np.stack([1 - second, second], axis=-1)[..., np.newaxis]
    shape = Shape(dict.fromkeys(tables, states), {name: parents for name, (parents, _) in tables.items()})
    return Engine(shape, arrays.__getitem__)


GATES = ("A", "B", "C", "D")


def circuit(passing: tuple[float, float, float, float], flow: list[float]) -> Engine:
    """Return the circuit of Yuan, Lim & Lu (2011), in which a current passes gates that are defective.

    From the input to the output, it may go through A, through B and C, or through B and D.

    Args:
        passing: P(a defective gate passes the current on that reaches it), of A, B, C and D.
        flow: P(current at the output) by the currents out of A, C and D.
    """
    a, b, c, d = passing
    return built(
        {
            "A": ((), [0.016]),
            "B": ((), [0.1]),
            "C": ((), [0.15]),
            "D": ((), [0.1]),
            "out_A": (("A",), [0, a]),
            "out_B": (("B",), [0, b]),
            "out_C": (("out_B", "C"), [0, 0, 0, c]),
            "out_D": (("out_B", "D"), [0, 0, 0, d]),
            "output": (("out_A", "out_C", "out_D"), flow),
        }
    )


NOISY = circuit((0.999, 0.99, 0.985, 0.995), [0, 0.995, 0.99, 0.99995, 0.9, 0.9995, 0.999, 0.999995])
SURE = circuit((1, 1, 1, 1), [0, 1, 1, 1, 1, 1, 1, 1])
CURRENT = {"output": "defective"}  # the second state of the output: a current


def relevant(engine: Engine, k: int, largest: int = 4) -> list[tuple[dict[str, int], float, float]]:
    """Return the most relevant explanations of a current by gates: 1 is defective; factor, posterior."""
    found = most_relevant_explanations(
        engine.joint({}, GATES), engine.joint(CURRENT, GATES), GATES, engine.states, k, largest=largest
    )
    return [
        ({name: int(state == "defective") for name, state in item.assignment.items()}, item.factor, item.posterior)
        for item in found
    ]


def test_the_noisy_circuit() -> None:
    """Yuan, Lim & Lu 2011: B and C together are the most relevant, GBF 42.62, then A alone, 39.45; P(e) .0369.

    The four that lie between them by factor say more than B and C do, for less: dominated.
    """
    assert math.exp(NOISY.log_evidence(CURRENT)) == pytest.approx(0.0369054816073326, abs=1e-12)
    first, second = relevant(NOISY, 2)
    assert first[0] == {"B": 1, "C": 1}
    assert first[1:] == pytest.approx((42.61521577006454, 0.39355813559082226), abs=1e-9)
    assert second[0] == {"A": 1}
    assert second[1:] == pytest.approx((39.451280365741354, 0.3907952452193907), abs=1e-9)


def test_the_circuit_without_noise() -> None:
    """The same with gates that pass all or nothing: now A alone comes first."""
    assert math.exp(SURE.log_evidence(CURRENT)) == pytest.approx(0.039124, abs=1e-12)
    first, second = relevant(SURE, 2)
    assert first[0] == {"A": 1}
    assert first[1:] == pytest.approx((42.55319148936168, 0.4089561394540434), abs=1e-9)
    assert second[0] == {"B": 1, "C": 1}
    assert second[1:] == pytest.approx((40.830708008622096, 0.3833963807381656), abs=1e-9)


def odds(p: Fraction) -> Fraction:
    """Return the odds of a probability below 1."""
    return p / (1 - p)


def masses(case: Case, names: list[str]) -> dict[tuple[str, ...], tuple[Fraction, Fraction]]:
    """Return for every assignment of the nodes P(it) and P(it, evidence)."""
    network = case.network
    found: dict[tuple[str, ...], tuple[Fraction, Fraction]] = {}
    for world, weight in network.worlds():
        seen = math.prod((weights[world[name]] for name, weights in case.weights.items()), start=weight)
        key = tuple(network.states[name][world[name]] for name in names)
        before, after = found.get(key, (Fraction(0), Fraction(0)))
        found[key] = (before + weight, after + seen)
    return found


def by_definition(case: Case, names: list[str], largest: int) -> dict[Assignment, Fraction | float]:
    """Return the minimal explanations with their factors, in fractions."""
    every = {frozenset(zip(names, key, strict=True)): mass for key, mass in masses(case, names).items()}
    total = case.network.mass(case.weights)
    factors: dict[Assignment, Fraction | float] = {}
    for size in range(1, largest + 1):
        for key in {frozenset(part) for whole in every for part in combinations(sorted(whole), size)}:
            prior = sum((before for whole, (before, _) in every.items() if key <= whole), Fraction(0))
            posterior = sum((after for whole, (_, after) in every.items() if key <= whole), Fraction(0)) / total
            if 0 < prior < 1:
                factors[key] = math.inf if posterior == 1 else odds(posterior) / odds(prior)
    relevant = {key: factor for key, factor in factors.items() if factor > 1 + SAME}
    return {
        key: factor
        for key, factor in relevant.items()
        if not any(other < key and more >= factor * (1 - SAME) for other, more in relevant.items())
        and not any(other > key and more > factor * (1 + SAME) for other, more in relevant.items())
    }


@random_networks
@given(possible_cases, st.integers(1, 3))
def test_relevant_explanations_are_the_minimal_ones_by_definition(case: Case, largest: int) -> None:
    """All partial assignments enumerated in fractions: the same explanations, with the same factors, in their order."""
    names = list(case.network.states)[-4:]
    engine = case.network.engine()
    expected = by_definition(case, names, min(largest, len(names)))
    found = most_relevant_explanations(
        engine.joint({}, names), engine.joint(case.given, names), names, engine.states, 1_000, largest=largest
    )
    assert {frozenset(item.assignment.items()) for item in found} == set(expected)
    for item in found:
        factor = expected[frozenset(item.assignment.items())]
        assert item.factor == pytest.approx(float(factor), rel=1e-6)
    assert [item.factor for item in found] == sorted((item.factor for item in found), reverse=True)


@random_networks
@given(possible_cases, st.integers(1, 40))
def test_the_most_probable_combinations_are_those_of_the_whole_list(case: Case, k: int) -> None:
    """Every assignment, sorted by its probability in fractions; each is a possible one."""
    names = list(case.network.states)[:4]
    engine = case.network.engine()
    mass = {key: after for key, (_, after) in masses(case, names).items()}
    total = case.network.mass(case.weights)
    ranked = sorted((value / total for value in mass.values() if value > 0), reverse=True)
    found = most_probable_combinations(engine.joint(case.given, names), names, engine.states, k)
    assert [item.probability for item in found] == pytest.approx([float(p) for p in ranked[:k]], abs=1e-12)
    for item in found:
        own = mass[tuple(item.assignment[name] for name in names)] / total
        assert item.probability == pytest.approx(float(own), abs=1e-12)
    assert len({tuple(item.assignment.items()) for item in found}) == len(found)


def test_the_most_probable_combination_is_not_read_off_the_whole_world() -> None:
    """Park & Darwiche 2004: the likeliest world has a cause present, the likeliest state of the cause is absent.

    Present in .4, it leaves its child certain; absent in .6, it leaves the child as it may be, .3 and .3.
    """
    engine = built({"cause": ((), [0.4]), "child": (("cause",), [0.5, 1.0])})
    assert engine.most_probable({}).states["cause"] == "defective"
    best = most_probable_combinations(engine.joint({}, ["cause"]), ["cause"], engine.states, 1)[0]
    assert best.assignment["cause"] == "ok"
    assert best.probability == pytest.approx(0.6)


def test_an_explanation_that_had_to_be_has_no_bound() -> None:
    """Where the evidence cannot be without it, the factor is infinite, and plain data says so without infinity."""
    engine = built({"cause": ((), [0.1]), "sign": (("cause",), [0.0, 0.5])})
    found = most_relevant_explanations(
        engine.joint({}, ["cause"]), engine.joint({"sign": "defective"}, ["cause"]), ["cause"], engine.states, 3
    )
    assert [(dict(item.assignment), item.factor) for item in found] == [({"cause": "defective"}, math.inf)]
    assert found[0].to_dict()["factor"] is None


def test_without_evidence_nothing_is_relevant() -> None:
    """A factor of 1 explains nothing."""
    assert relevant(NOISY, 5) != []
    before = NOISY.joint({}, GATES)
    assert most_relevant_explanations(before, before, GATES, NOISY.states, 5) == ()


def test_what_stays_improbable_can_be_kept_from_dominating() -> None:
    """With a least posterior, explanations below it are neither returned nor compared with."""
    before, after = NOISY.joint({}, GATES), NOISY.joint(CURRENT, GATES)
    found = most_relevant_explanations(before, after, GATES, NOISY.states, 5, least=0.5)
    assert found
    assert all(item.posterior >= 0.5 for item in found)
    assert {"B": "defective"} in [dict(item.assignment) for item in found]


# ---- explaining away -------------------------------------------------------------------------------------------------

# Pearl 1988, in the numbers of Russell & Norvig.
BURGLARY = built(
    {
        "burglary": ((), [0.001]),
        "earthquake": ((), [0.002]),
        "alarm": (("burglary", "earthquake"), [0.001, 0.29, 0.94, 0.95]),
        "john": (("alarm",), [0.05, 0.90]),
        "mary": (("alarm",), [0.01, 0.70]),
    },
    states=("no", "yes"),
)


def test_an_earthquake_explains_the_alarm_away() -> None:
    """Pearl 1988: P(burglary | alarm) .3736; with the earthquake also felt .0033."""
    found = explaining_away(BURGLARY, {"alarm": "yes"}, "burglary", "earthquake", ("yes", "yes"))
    assert found.posterior == pytest.approx(0.373551228281836, abs=1e-12)
    assert found.with_other == pytest.approx(0.003268423587696965, abs=1e-12)
    assert found.without_other is not None
    assert found.without_other > found.posterior
    assert found.interaction is not None
    assert found.interaction < 0
    assert BURGLARY.query({"john": "yes", "mary": "yes"}, ["burglary"])["burglary"]["yes"] == pytest.approx(0.28417184)


def test_causes_without_evidence_do_not_touch_each_other() -> None:
    """Before the alarm, burglary and earthquake are independent: no interaction."""
    found = explaining_away(BURGLARY, {}, "burglary", "earthquake", ("yes", "yes"))
    assert found.interaction == pytest.approx(0.0, abs=1e-9)


@random_networks
@given(possible_cases, st.data())
def test_explaining_away_is_what_queries_say(case: Case, data: st.DataObject) -> None:
    """P(a | e, b) and P(a | e, not b) by queries; the interaction is the same with the two exchanged."""
    engine = case.network.engine()
    open_ = [name for name in engine.states if name not in case.given]
    if len(open_) < 2:
        return
    a, b = data.draw(st.permutations(open_))[:2]
    states = (data.draw(st.sampled_from(engine.states[a])), data.draw(st.sampled_from(engine.states[b])))
    found = explaining_away(engine, case.given, a, b, states)
    back = explaining_away(engine, case.given, b, a, (states[1], states[0]))
    assert found.posterior == pytest.approx(engine.query(case.given, [a])[a][states[0]], abs=1e-12)
    rest = [state for state in engine.states[b] if state != states[1]]
    for seen, value in (([states[1]], found.with_other), (rest, found.without_other)):
        if value is None:
            assert not seen or not engine.possible(engine.weights({**case.given, b: seen}))
        else:
            assert value == pytest.approx(engine.query({**case.given, b: seen}, [a])[a][states[0]], abs=1e-9)
    if found.interaction is None or math.isinf(found.interaction):
        assert back.interaction == found.interaction
    else:
        assert back.interaction == pytest.approx(found.interaction, rel=1e-6, abs=1e-9)


def test_causes_that_exclude_each_other() -> None:
    """If both can never hold, the interaction has no bound; if one is certain, there is none."""
    pair = np.array([[0.2, 0.3], [0.5, 0.0]])
    assert explaining_away_in(pair, ("a", "yes"), ("b", "yes")).interaction == -math.inf
    sure = explaining_away_in(np.array([[0.4, 0.0], [0.6, 0.0]]), ("a", "yes"), ("b", "yes"))
    assert (sure.with_other, sure.interaction) == (None, None)


# ---- what is refused ------------------------------------------------------------------------------------------------


def test_a_joint_of_another_shape_is_refused() -> None:
    """The axes are those of the nodes."""
    with pytest.raises(InvalidInputError, match=r"joint: must have the shape \(2, 2\) of its nodes, got \(2,\)"):
        most_probable_combinations(np.array([0.5, 0.5]), ["A", "B"], NOISY.states, 3)


@pytest.mark.parametrize(("k", "largest", "message"), [(0, 3, "k: must be"), (3, 0, "largest: must be")])
def test_counts_start_from_one(k: int, largest: int, message: str) -> None:
    """Neither none asked for nor explanations of nothing."""
    with pytest.raises(InvalidInputError, match=message):
        relevant(NOISY, k, largest)


def test_a_node_does_not_explain_itself_away() -> None:
    """Target and other are two nodes."""
    with pytest.raises(InvalidInputError, match="other: must be another node than the target, got 'john' twice"):
        explaining_away(BURGLARY, {}, "john", "john", ("yes", "no"))


def test_impossible_evidence_is_named() -> None:
    """No current, where gates are sure, with A defective."""
    with pytest.raises(ImpossibleEvidenceError, match="A = defective"):
        explaining_away(SURE, {"output": "ok", "A": "defective"}, "B", "C", ("defective", "defective"))
