"""What further findings would tell, against enumeration of every world and against published networks."""

import math
from collections import defaultdict
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bif
from oracle import Network
from rootcause.engine import Engine, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.information import (
    MOST_OUTCOMES,
    Information,
    ask,
    joint_states,
    misleads,
    outcomes,
    pair_information,
    rank_by_information,
)
from strategies import Case, possible_cases

CLOSE = 1e-9
some_networks = settings(max_examples=80)


@pytest.fixture(scope="module")
def asia() -> Engine:
    """The network of Lauritzen & Spiegelhalter (1988)."""
    return compile_network(bif.read("asia"))


def bits_by_enumeration(case: Case, group: list[str], target: str) -> float:
    """Return I(group; target | evidence) from the mass of every world."""
    masses: dict[tuple[tuple[int, ...], int], Fraction] = defaultdict(Fraction)
    for world, probability in case.network.worlds():
        mass = probability * math.prod(row[world[name]] for name, row in case.weights.items())
        masses[tuple(world[name] for name in group), world[target]] += mass
    total = sum(masses.values())
    shown: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    states: dict[int, Fraction] = defaultdict(Fraction)
    for (seen, state), mass in masses.items():
        shown[seen] += mass
        states[state] += mass
    return sum(
        float(mass / total) * math.log2(mass * total / (shown[seen] * states[state]))
        for (seen, state), mass in masses.items()
        if mass > 0
    )


def nodes_of(case: Case, most: int) -> st.SearchStrategy[list[str]]:
    """Draw some nodes of a network."""
    return st.lists(st.sampled_from([*case.network.states]), unique=True, min_size=1, max_size=most)


# ---- laws -----------------------------------------------------------------------------------------------------------


@some_networks
@given(possible_cases, st.data())
def test_the_information_is_that_of_enumeration(case: Case, data: st.DataObject) -> None:
    """Whatever the evidence, of one finding or of several, added over the targets; a finding in evidence included."""
    group, targets = data.draw(nodes_of(case, 3)), data.draw(nodes_of(case, 2))
    found = rank_by_information(case.network.engine(), case.given, [group], targets)[0]
    expected = {target: bits_by_enumeration(case, group, target) for target in targets}
    assert {name: pytest.approx(bits, abs=CLOSE) for name, bits in found.by_target.items()} == expected
    assert found.bits == pytest.approx(sum(expected.values()), abs=CLOSE)
    assert found.bits >= 0


@some_networks
@given(possible_cases, st.data())
def test_outcomes_are_those_of_enumeration(case: Case, data: st.DataObject) -> None:
    """Chance and consequence of any assignment, with findings that it leaves open, possible or not."""
    network = case.network
    nodes = data.draw(nodes_of(case, 3))
    row = [data.draw(st.integers(-1, len(network.states[name]) - 1)) for name in nodes]
    target = data.draw(st.sampled_from([*network.states]))
    found = outcomes(network.engine(), case.given, nodes, np.array([row]), [target])
    weights = dict(case.weights)
    for name, code in zip(nodes, row, strict=True):
        if code >= 0:
            own = case.weights.get(name, (Fraction(1),) * len(network.states[name]))
            weights[name] = tuple(weight if k == code else Fraction(0) for k, weight in enumerate(own))
    mass = network.mass(weights)
    assert found.probability[0] == pytest.approx(float(mass / network.mass(case.weights)), abs=1e-12)
    expected = network.posterior(weights)[target] if mass else (Fraction(0),) * len(network.states[target])
    np.testing.assert_allclose(found.posterior[target][0], [float(p) for p in expected], atol=1e-12)
    assert found.assignment(0) == {
        name: network.states[name][code] for name, code in zip(nodes, row, strict=True) if code >= 0
    }


@some_networks
@given(possible_cases, st.data())
def test_two_findings_tell_as_much_of_each_other(case: Case, data: st.DataObject) -> None:
    """I(T; C) is I(C; T)."""
    first, second = (
        data.draw(st.sampled_from([*case.network.states])),
        data.draw(st.sampled_from([*case.network.states])),
    )
    engine = case.network.engine()
    there = rank_by_information(engine, case.given, [first], [second])[0].bits
    back = rank_by_information(engine, case.given, [second], [first])[0].bits
    assert there == pytest.approx(back, abs=CLOSE)


@some_networks
@given(possible_cases, st.data())
def test_more_findings_never_tell_less(case: Case, data: st.DataObject) -> None:
    """The ranking is sorted, and what is seen together tells at least as much as any part of it."""
    group = data.draw(nodes_of(case, 3))
    target = data.draw(st.sampled_from([*case.network.states]))
    ranked = rank_by_information(case.network.engine(), case.given, [group, *group], [target])
    assert [item.bits for item in ranked] == sorted((item.bits for item in ranked), reverse=True)
    whole = next(item.bits for item in ranked if set(item.nodes) == set(group))
    assert all(item.bits <= whole + CLOSE for item in ranked)


@some_networks
@given(possible_cases.filter(lambda case: len(case.network.states) > 1), st.data())
def test_a_pair_tells_what_its_set_tells(case: Case, data: st.DataObject) -> None:
    """Two looks ahead, each alone, and what they tell beyond that, in either order."""
    first, second = data.draw(st.permutations([*case.network.states]))[:2]
    target = data.draw(st.sampled_from([*case.network.states]))
    engine = case.network.engine()
    pair, turned = pair_information(engine, case.given, [(first, second), (second, first)], [target])
    together, alone, other = (
        rank_by_information(engine, case.given, [group], [target])[0].bits for group in ((first, second), first, second)
    )
    assert pair.bits == pytest.approx(together, abs=CLOSE)
    assert dict(zip(pair.nodes, pair.alone, strict=True)) == pytest.approx({first: alone, second: other}, abs=CLOSE)
    assert pair.synergy == pytest.approx(together - alone - other, abs=CLOSE)
    assert turned.synergy == pytest.approx(pair.synergy, abs=CLOSE)


@some_networks
@given(possible_cases, st.data())
def test_joint_outcomes_hold_those_of_each_finding(case: Case, data: st.DataObject) -> None:
    """Summed over the others, the joint states of several findings are the states of one."""
    group = data.draw(nodes_of(case, 3))
    target = data.draw(st.sampled_from([*case.network.states]))
    name = data.draw(st.sampled_from(group))
    together, alone = ask(case.network.engine(), case.given, [group, [name]], [target])
    summed = together.marginal(name)
    np.testing.assert_allclose(summed.probability, alone.probability, atol=1e-12)
    possible = alone.probability > 1e-9
    np.testing.assert_allclose(summed.posterior[target][possible], alone.posterior[target][possible], atol=1e-9)


# ---- published networks, and networks made for one point -------------------------------------------------------------


def test_asia_from_nothing(asia: Engine) -> None:
    """Information about lung cancer in bits, as two other programs give it."""
    found = rank_by_information(asia, {}, ["asia", "tub", "bronc", "dysp", "smoke", "xray"], ["lung"])
    expected = {
        "xray": 0.184807236453158,
        "smoke": 0.03237399511816336,
        "dysp": 0.025382488297765404,
        "bronc": 0.002539798463511489,
        "asia": 0.0,
        "tub": 0.0,
    }
    assert {item.nodes[0]: item.bits for item in found} == pytest.approx(expected, abs=1e-12)
    assert [item.nodes[0] for item in found][:4] == ["xray", "smoke", "dysp", "bronc"]
    known = rank_by_information(asia, {}, ["lung"], ["lung"])[0]
    assert known.bits == pytest.approx(0.30726835986075957, abs=1e-12)


def test_asia_after_dyspnoea_and_a_visit(asia: Engine) -> None:
    """The same given dysp and asia."""
    evidence = {"dysp": "yes", "asia": "yes"}
    found = {i.nodes[0]: i.bits for i in rank_by_information(asia, evidence, ["xray", "smoke", "lung"], ["lung"])}
    expected = {"xray": 0.22990482480089072, "smoke": 0.03465328011217028, "lung": 0.4674885293299747}
    assert found == pytest.approx(expected, abs=1e-12)


def parity() -> Engine:
    """Two coins, whether they fell alike, and a witness of that who is wrong one time in four."""
    sure, wrong = Fraction(1), Fraction(1, 4)
    tables: dict[str, dict[tuple[int, ...], tuple[Fraction, ...]]] = {
        "first": {(): (Fraction(1, 2), Fraction(1, 2))},
        "second": {(): (Fraction(1, 2), Fraction(1, 2))},
        "differ": {(a, b): (sure - (a != b), Fraction(a != b)) for a, b in product((0, 1), repeat=2)},
        "witness": {(0,): (1 - wrong, wrong), (1,): (wrong, 1 - wrong)},
    }
    parents: dict[str, tuple[str, ...]] = {
        "first": (),
        "second": (),
        "differ": ("first", "second"),
        "witness": ("differ",),
    }
    states: dict[str, tuple[str, ...]] = dict.fromkeys(tables, ("no", "yes"))
    return Network(states, parents, tables).engine()


def test_one_look_ahead_passes_over_what_tells_only_together() -> None:
    """Each coin alone says nothing of whether they fell alike, both say all of it."""
    engine = parity()
    best = rank_by_information(engine, {}, ["first", "second", "witness"], ["differ"])[0]
    assert best.nodes == ("witness",)
    pair, with_witness = pair_information(engine, {}, [("first", "second"), ("first", "witness")], ["differ"])
    assert [pair.bits, *pair.alone, pair.synergy] == pytest.approx([1, 0, 0, 1])
    assert misleads(pair, best)
    assert not misleads(with_witness, best)
    assert not misleads(pair, Information(("other",), 1.0, {}))


def test_nothing_known_and_nothing_asked_is_certain(asia: Engine) -> None:
    """An assignment that names no finding has probability 1 and changes nothing."""
    found = outcomes(asia, {}, (), np.zeros((3, 0), dtype=np.int64), ["lung"])
    assert found.probability.tolist() == [1.0, 1.0, 1.0]
    np.testing.assert_allclose(found.posterior["lung"][2], found.before["lung"])
    assert rank_by_information(asia, {"dysp": "yes"}, [()], ["lung"])[0].bits == 0


def test_the_last_finding_runs_fastest(asia: Engine) -> None:
    """Joint states come in the order that their shape says."""
    assert joint_states(asia, ["smoke", "xray"]).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_too_many_joint_states_are_refused() -> None:
    """Enumeration has a bound, and the sentence names it and what was got."""
    engine = compile_network(bif.read("alarm"))
    with pytest.raises(InvalidInputError, match=rf"may have {MOST_OUTCOMES:,} joint states, got [\d,]+$"):
        rank_by_information(engine, {}, [[*engine.states]], ["HYPOVOLEMIA"])


def test_unknown_names_are_refused(asia: Engine) -> None:
    """A finding, a target or an observed state that is not there; no target; a pair of one."""
    with pytest.raises(
        InvalidInputError, match=r"findings: every node must be in the network, got 'xrays' \(did you mean 'xray'"
    ):
        rank_by_information(asia, {}, ["xrays"], ["lung"])
    with pytest.raises(InvalidInputError, match="targets: every node must be in the network, got 'lungs'"):
        rank_by_information(asia, {}, ["xray"], ["lungs"])
    with pytest.raises(InvalidInputError, match="targets: at least one node must be named, got none"):
        rank_by_information(asia, {}, ["xray"], [])
    with pytest.raises(InvalidInputError, match="dysp: must be one of yes, no, got 'maybe'"):
        rank_by_information(asia, {"dysp": "maybe"}, ["xray"], ["lung"])
    with pytest.raises(InvalidInputError, match="pairs: the two findings must differ, got 'xray' twice"):
        pair_information(asia, {}, [("xray", "xray")], ["lung"])


def test_impossible_evidence_is_refused(asia: Engine) -> None:
    """Nothing is said of what cannot be."""
    with pytest.raises(ImpossibleEvidenceError, match="either = no and tub = yes"):
        rank_by_information(asia, {"either": "no", "tub": "yes"}, ["xray"], ["lung"])
