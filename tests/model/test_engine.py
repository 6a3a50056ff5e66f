"""The engine against the definition on random networks, and against published numbers."""

import gzip
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pgmpy.factors.discrete import TabularCPD
from pgmpy.models import DiscreteBayesianNetwork
from pgmpy.readwrite import BIFReader

from rootcause.engine import Drawn, Engine, Observation, Shape, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError, ModelTooLargeError
from strategies import CLOSE, Case, cases, differences, distributions, networks, possible_cases, random_networks

Array = np.ndarray[Any, np.dtype[np.float64]]


@random_networks
@given(possible_cases)
def test_every_posterior_is_that_of_enumeration(case: Case) -> None:
    """Favourable mass over possible mass, for every node, with evidence on it or not."""
    found = case.network.engine().query(case.given, targets=case.network.states)
    assert not differences(found, case.network.posterior(case.weights))


@random_networks
@given(possible_cases)
def test_log_evidence_is_that_of_enumeration(case: Case) -> None:
    """Ln P(evidence) counts every likelihood, even on a node whose state the other evidence settles."""
    expected = math.log(case.network.mass(case.weights))
    assert case.network.engine().log_evidence(case.given) == pytest.approx(expected, rel=CLOSE, abs=CLOSE)


@random_networks
@given(cases().filter(lambda case: case.network.mass(case.weights) == 0))
def test_impossible_evidence_names_a_smallest_clash(case: Case) -> None:
    """What is named cannot hold together, and can as soon as any one of it is left out."""
    engine = case.network.engine()
    with pytest.raises(ImpossibleEvidenceError) as caught:
        engine.query(case.given)
    named = [finding.split(" = ")[0] for finding in caught.value.findings]
    clash = {name: case.weights[name] for name in named}
    assert case.network.mass(clash) == 0
    for left_out in named:
        assert case.network.mass({name: weight for name, weight in clash.items() if name != left_out}) > 0
    with pytest.raises(ImpossibleEvidenceError):
        engine.log_evidence(case.given)


@random_networks
@given(possible_cases, st.randoms(use_true_random=False))
def test_the_order_of_evidence_and_targets_does_not_matter(case: Case, shuffle: Random) -> None:
    """Evidence is a set, and a target's posterior does not hang on what else is asked."""
    engine = case.network.engine()
    items, targets = list(case.given.items()), list(case.network.states)
    shuffle.shuffle(items)
    shuffle.shuffle(targets)
    found = engine.query(dict(items), targets=targets)
    one_by_one = {name: tuple(engine.query(case.given, targets=[name])[name].values()) for name in targets}
    assert list(found) == targets
    assert not differences(found, one_by_one)


@random_networks
@given(possible_cases)
def test_unknown_is_left_out(case: Case) -> None:
    """``None``, all states in a list, and equal likelihoods say nothing; nothing but the targets left open is asked."""
    engine = case.network.engine()
    expected = {name: tuple(row.values()) for name, row in engine.query(case.given).items()}
    assert list(expected) == [name for name in case.network.states if name not in case.given]
    for name in expected:
        states = case.network.states[name]
        for nothing in (None, list(states), dict.fromkeys(states, 0.25)):
            found = engine.query({**case.given, name: nothing}, targets=expected)
            assert not differences(found, expected)
    assert list(engine.query({**case.given, **dict.fromkeys(expected)})) == list(expected)


@random_networks
@given(possible_cases, st.floats(1e-300, 1e300))
def test_only_ratios_of_likelihoods_matter(case: Case, factor: float) -> None:
    """Likelihoods times a constant are the same evidence, for the posteriors and for ln P(evidence)."""
    engine = case.network.engine()
    scaled = {
        name: {state: weight * factor for state, weight in value.items()} if isinstance(value, dict) else value
        for name, value in case.given.items()
    }
    assume(all(0 < max(value.values()) < math.inf for value in scaled.values() if isinstance(value, dict)))
    expected = {name: tuple(row.values()) for name, row in engine.query(case.given).items()}
    assert not differences(engine.query(scaled), expected)
    assert engine.log_evidence(scaled) == pytest.approx(engine.log_evidence(case.given), rel=CLOSE, abs=CLOSE)


@random_networks
@given(possible_cases, st.randoms(use_true_random=False))
def test_names_and_order_of_nodes_and_states_do_not_matter(case: Case, shuffle: Random) -> None:
    """A network with other names, its nodes and states in another order, gives the same answers."""
    old = case.network
    names = [f"m{index}" for index in range(len(old.states))]
    shuffle.shuffle(names)
    new_name = dict(zip(old.states, names, strict=True))
    turned = {name: shuffle.sample(range(len(states)), len(states)) for name, states in old.states.items()}
    waiting, order = list(old.states), []
    while waiting:
        ready = [name for name in waiting if not set(old.parents[name]) & set(waiting)]
        order.append(ready[shuffle.randrange(len(ready))])
        waiting.remove(order[-1])
    tables = {}
    for name in order:
        family = (*old.parents[name], name)
        table = old.array(name)[np.ix_(*(turned[other] for other in family), [0])]
        tables[new_name[name]] = np.moveaxis(table, range(len(family) - 1), range(len(family) - 2, -1, -1))
    states = {new_name[name]: tuple(old.states[name][index].upper() for index in turned[name]) for name in order}
    parents = {new_name[name]: tuple(new_name[parent] for parent in reversed(old.parents[name])) for name in order}
    engine = Engine(Shape(states, parents), tables.__getitem__)
    evidence = {new_name[name]: _upper(value) for name, value in case.given.items()}
    found = engine.query(evidence, targets=[new_name[name] for name in old.states])
    back = {name: {state: found[new_name[name]][state.upper()] for state in old.states[name]} for name in old.states}
    assert not differences(back, old.posterior(case.weights))


def _upper(value: Observation) -> Observation:
    if isinstance(value, str):
        return value.upper()
    if isinstance(value, Mapping):
        return {state.upper(): weight for state, weight in value.items()}
    return [state.upper() for state in value or ()]


@random_networks
@given(st.data())
def test_a_batch_is_its_cases_one_by_one(data: st.DataObject) -> None:
    """Each row of a batch is the query of that row; ``None`` in a column is not observed."""
    network = data.draw(networks(4))
    engine = network.engine()
    columns = data.draw(st.lists(st.sampled_from([*network.states]), unique=True))
    rows = [
        {name: data.draw(st.sampled_from([None, *network.states[name]]), label=name) for name in columns}
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    indices = [{name: network.states[name].index(state) for name, state in row.items() if state} for row in rows]
    weights = [
        {
            name: tuple(Fraction(int(index == state)) for index in range(len(network.states[name])))
            for name, state in row.items()
        }
        for row in indices
    ]
    assume(all(network.mass(row) > 0 for row in weights))
    asked = [*network.states]
    found = engine.query_batch({name: [row[name] for row in rows] for name in columns}, targets=asked)
    for number, row in enumerate(rows if columns else [{}]):
        expected = engine.query(row, targets=asked)
        for name, distribution in expected.items():
            np.testing.assert_allclose(found[name][number], list(distribution.values()), rtol=CLOSE, atol=CLOSE)
    assert set(engine.query_batch({name: [row[name] for row in rows] for name in columns})) == set(asked) - set(columns)


@random_networks
@given(cases(), st.integers(64, 300))
def test_a_case_among_many_is_that_of_enumeration(case: Case, rows: int) -> None:
    """One plan serves all cases of a small network: those in which something was seen, and those in which nothing was.

    What cannot hold together has a probability of exactly zero, and no posterior.
    """
    network = case.network
    columns = {name: [value if row % 3 else None for row in range(rows)] for name, value in case.given.items()}
    assume(columns)
    found = network.engine().run_batch(columns, targets=network.states)
    mass = network.mass(case.weights)
    nothing = network.posterior({})
    expected = network.posterior(case.weights) if mass else {name: (0.0,) * len(row) for name, row in nothing.items()}
    for name in network.states:
        for row, posterior in enumerate(found.posterior[name]):
            wanted = expected[name] if row % 3 else nothing[name]
            np.testing.assert_allclose(posterior, [float(share) for share in wanted], rtol=CLOSE, atol=CLOSE)
    logs = np.where(np.arange(rows) % 3, math.log(mass) if mass else -np.inf, 0.0)
    np.testing.assert_allclose(found.log_evidence, logs, rtol=CLOSE, atol=CLOSE)


@random_networks
@given(possible_cases, st.integers(2, 4), st.data())
def test_each_draw_is_as_if_alone(case: Case, draws: int, data: st.DataObject) -> None:
    """Draws of the tables go through together and come out as each would alone, whatever is zero or equal in some."""
    network = case.network
    tables = {}
    for name, states in network.states.items():
        columns = len(network.tables[name])
        count = draws if data.draw(st.booleans(), label=f"{name} varies") else 1
        rows = [data.draw(distributions(len(states))) for _ in range(count * columns)]
        shape = (count, *network.array(name).shape[:-1])
        tables[name] = np.moveaxis(np.array(rows, dtype=np.float64).reshape(shape), 0, -1)
    engine = network.engine()
    weights = engine.weights(case.given)
    alone = []
    for number in range(draws):
        one = {name: table[..., [number if table.shape[-1] > 1 else 0]] for name, table in tables.items()}
        alone.append(engine.log_probability(weights, Drawn(one.__getitem__, 1))[0])
    assume(np.isfinite(alone).any())
    together = engine.marginals(weights, network.states, Drawn(tables.__getitem__, draws))
    np.testing.assert_allclose(together.log_evidence, alone, rtol=CLOSE, atol=CLOSE)
    for number in np.flatnonzero(np.isfinite(alone)).tolist():
        one = {name: table[..., [number if table.shape[-1] > 1 else 0]] for name, table in tables.items()}
        single = engine.marginals(weights, network.states, Drawn(one.__getitem__, 1))
        for name in network.states:
            np.testing.assert_allclose(
                together.posterior[name][:, number], single.posterior[name][:, 0], rtol=CLOSE, atol=CLOSE
            )


def test_many_draws_are_as_if_alone() -> None:
    """More draws than fit in one go come out in their order."""
    generator = np.random.default_rng(3)
    shape = Shape({"a": ("0", "1", "2"), "b": ("0", "1"), "c": ("0", "1")}, {"a": (), "b": ("a",), "c": ("a", "b")})
    draws = 1_001
    tables = {
        "a": generator.dirichlet(np.ones(3), draws).T,
        "b": np.moveaxis(generator.dirichlet(np.ones(2), (draws, 3)), 0, -1),
        "c": np.moveaxis(generator.dirichlet(np.ones(2), (3, 2)), -1, -1)[..., np.newaxis],
    }
    engine = Engine(shape, {name: table[..., :1] for name, table in tables.items()}.__getitem__)
    found = engine.marginals(engine.weights({"c": "1"}), ["a"], Drawn(tables.__getitem__, draws))
    joint = np.einsum("an,abn,ab->an", tables["a"], tables["b"], tables["c"][:, :, 1, 0])
    np.testing.assert_allclose(found.log_evidence, np.log(joint.sum(axis=0)), rtol=CLOSE)
    np.testing.assert_allclose(found.posterior["a"], joint / joint.sum(axis=0), rtol=CLOSE)


@pytest.mark.parametrize("signs", [20, 32, 33, 60, 120])
def test_evidence_far_rarer_than_what_it_rules_out_keeps_its_posterior(signs: int) -> None:
    """Signs that point to a state that was ruled out: alone, among many, with one more; it or its twin was seen.

    The state that is ruled out explains the signs 1e300 times better and more, and must not drown the others.
    """
    rare = 1e-10
    shape = Shape(
        {"c": ("n", "m", "y"), "twin": ("no", "yes"), **{f"s{k}": ("n", "y") for k in range(signs)}},
        {"c": (), "twin": ("c",), **{f"s{k}": ("c",) for k in range(signs)}},
    )
    tables = {"c": np.array([0.3, 0.2, 0.5]), "twin": np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])}
    tables |= {f"s{k}": np.array([[1 - rare, rare], [1 - rare / 1.1, rare / 1.1], [0.5, 0.5]]) for k in range(signs)}
    engine = Engine(shape, {name: table[..., np.newaxis] for name, table in tables.items()}.__getitem__)
    odds = 1.5 * 1.1**signs
    expected = [odds / (1 + odds), 1 / (1 + odds), 0.0]
    log = math.log(0.3 + 0.2 * 1.1**-signs) + signs * math.log(rare)
    seen: dict[str, Observation] = {f"s{k}": "y" for k in range(signs)}
    for own in ({**seen, "c": ["n", "m"]}, {**seen, "twin": "no"}):
        assert list(engine.query(own, targets=["c"])["c"].values()) == pytest.approx(expected, rel=1e-9)
        many = engine.run_batch({name: [value] * 70 for name, value in own.items()}, targets=["c"])
        np.testing.assert_allclose(many.posterior["c"], [expected] * 70, rtol=1e-9)
        np.testing.assert_allclose(many.log_evidence, log, rtol=1e-12)
        last = f"s{signs - 1}"
        fewer = {name: value for name, value in own.items() if name != last}
        after = engine.query_each(fewer, [last], ["c"])[last]
        assert after.posterior["c"][1].tolist() == pytest.approx(expected, rel=1e-9)
        assert after.probability.sum() == pytest.approx(1)


def test_rows_that_do_not_quite_sum_to_one_are_answered_alike_alone_and_among_many() -> None:
    """Files round their numbers; what nothing hangs on is left out then, whether a case is alone or one of many."""
    shape = Shape({"a": ("0", "1"), "b": ("0", "1")}, {"a": (), "b": ("a",)})
    tables = {"a": np.array([0.5, 0.5]), "b": np.array([[0.2, 0.8 + 4e-7], [0.5, 0.5]])}
    engine = Engine(shape, {name: table[..., np.newaxis] for name, table in tables.items()}.__getitem__)
    assert engine.query({}, targets=["a"])["a"]["0"] == 0.5
    many = engine.query_batch({"b": [None, *["1"] * 99]}, targets=["a"])["a"]
    assert many[0].tolist() == [0.5, 0.5]
    assert many[1].tolist() == list(engine.query({"b": "1"}, targets=["a"])["a"].values())


# ---- very small probabilities ---------------------------------------------------------------------------------------


def stars(rows: Sequence[tuple[float, float]]) -> Engine:
    """Return a fair root with one sign for each row: the chance of ``yes`` given that the root is ``off`` or ``on``."""
    states = {"root": ("off", "on"), **{f"s{index}": ("no", "yes") for index in range(len(rows))}}
    tables = {"root": np.full((2, 1), 0.5)}
    tables |= {f"s{i}": np.array([[1 - off, off], [1 - on, on]])[..., np.newaxis] for i, (off, on) in enumerate(rows)}
    parents = {name: () if name == "root" else ("root",) for name in states}
    return Engine(Shape(states, parents), tables.__getitem__)


@pytest.mark.parametrize("each", [1e-3, 1e-12, 1e-100, 1e-200, 1e-300])
def test_log_evidence_stays_finite_far_below_what_a_float_holds(each: float) -> None:
    """Three hundred rare signs: the logarithm is right to twelve digits, and the root's odds are as they were."""
    engine = stars([(each, 2 * each)] * 300)
    evidence = {f"s{index}": "yes" for index in range(300)}
    expected = 300 * math.log(each) + math.log(0.5) + 300 * math.log(2)
    assert engine.log_evidence(evidence) == pytest.approx(expected, rel=CLOSE)
    assert expected < -700
    few = {f"s{index}": "yes" for index in range(3)}
    assert engine.query(few, ["root"])["root"]["on"] == pytest.approx(8 / 9, rel=CLOSE)


@pytest.mark.parametrize("each", [1e-100, 1e-200, 1e-300])
def test_rare_signs_of_a_hidden_lesion_do_not_vanish(each: float) -> None:
    """Tables that are small before any step is taken are scaled as well: signs meet each other before their cause."""
    states = {"cause": ("off", "on"), "lesion": ("none", "some", "all"), "s0": ("no", "yes"), "s1": ("no", "yes")}
    parents = {"cause": (), "lesion": ("cause",), "s0": ("lesion",), "s1": ("lesion",)}
    sign = np.array([[1 - grade * each, grade * each] for grade in (1, 2, 3)])[..., np.newaxis]
    lesion = np.array([[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]])[..., np.newaxis]
    tables = {"cause": np.full((2, 1), 0.5), "lesion": lesion, "s0": sign, "s1": sign}
    engine = Engine(Shape(states, parents), tables.__getitem__)
    off, on = (0.5 * (row[0] + 4 * row[1] + 9 * row[2]) for row in lesion[..., 0])
    evidence = {"s0": "yes", "s1": "yes"}
    assert engine.log_evidence(evidence) == pytest.approx(2 * math.log(each) + math.log(off + on), rel=CLOSE)
    assert engine.query(evidence, ["cause"])["cause"]["on"] == pytest.approx(on / (off + on), rel=CLOSE)


def test_states_that_are_nearly_alike_are_kept_apart() -> None:
    """States are merged when no table tells them apart; a difference in the tenth digit does."""
    states = {"root": ("a", "b"), "sign": ("no", "yes")}
    yes = np.array([0.5, 0.5 * (1 + 1e-9)])
    tables = {"root": np.full((2, 1), 0.5), "sign": np.array([1 - yes, yes]).T[..., np.newaxis]}
    engine = Engine(Shape(states, {"root": (), "sign": ("root",)}), tables.__getitem__)
    assert engine.log_evidence({"sign": "yes"}) == pytest.approx(math.log(yes.mean()), rel=1e-14)


def test_what_a_float_cannot_hold_is_not_called_impossible() -> None:
    """Signs that pull apart by more than the range of a float still have a probability above zero."""
    engine = stars([(1e-200, 0.5), (0.5, 1e-200)] * 2)
    evidence = {f"s{index}": "yes" for index in range(4)}
    assert engine.log_evidence(evidence) == pytest.approx(2 * math.log(1e-200 * 0.5), rel=CLOSE)
    assert engine.query(evidence, ["root"])["root"]["on"] == pytest.approx(0.5, rel=CLOSE)


# ---- what is refused ------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Mapping[str, Any], str]] = {
    "unknown node": ({"rot": "on"}, "evidence: every node must be in the network, got 'rot' (did you mean 'root'?)"),
    "unknown state": ({"root": "onn"}, "root: must be one of off, on, got 'onn' (did you mean 'on'?)"),
    "unknown state in a list": ({"root": ["on", "of"]}, "root: must be one of off, on, got 'of' (did you mean 'off'?)"),
    "unknown state with a likelihood": ({"root": {"x": 1.0}}, "root: must be one of off, on, got 'x'"),
    "negative": ({"root": {"on": -0.5, "off": 1}}, "root: no likelihood may be negative, got [1.0, -0.5]"),
    "not a number": ({"root": {"on": math.nan}}, "root: every likelihood must be finite, got [0.0, nan]"),
    "infinite": ({"root": {"on": math.inf}}, "root: every likelihood must be finite, got [0.0, inf]"),
    "beyond a float": (
        {"root": {"on": 10**400}},
        "root: a likelihood must be finite, got an integer beyond floating point",
    ),
    "zero everywhere": (
        {"root": {"on": 0, "off": 0.0}},
        "root: at least one state must be possible, got a likelihood that is zero everywhere",
    ),
    "no state left": (
        {"root": []},
        "root: at least one state must be possible, got a likelihood that is zero everywhere",
    ),
    "a text as likelihood": ({"root": {"on": "0.5"}}, "root: a likelihood must be a number, got '0.5'"),
    "a truth value as likelihood": ({"root": {"on": True}}, "root: a likelihood must be a number, got True"),
    "a number": (
        {"root": 3.5},
        "root: must be a state, a list of states or a likelihood for each state, got 3.5",
    ),
    "a list of lists": ({"root": [["on"]]}, "root: must be one of off, on, got ['on'] (did you mean 'on'?)"),
}


@pytest.mark.parametrize("ask", ["query", "log_evidence"])
@pytest.mark.parametrize("evidence", [pytest.param(value, id=name) for name, value in REFUSED.items()])
def test_bad_evidence_is_refused_in_one_sentence(ask: str, evidence: tuple[Mapping[str, Any], str]) -> None:
    """The message says where, the rule, and what was got."""
    engine = stars([(0.1, 0.9)])
    method: Callable[[Mapping[str, Any]], object] = getattr(engine, ask)
    with pytest.raises(InvalidInputError) as caught:
        method(evidence[0])
    assert str(caught.value) == evidence[1]


def test_an_unknown_target_is_refused() -> None:
    """A target is checked as evidence is."""
    with pytest.raises(
        InvalidInputError, match=r"every node must be in the network, got 'rot' \(did you mean 'root'\?\)"
    ):
        stars([(0.1, 0.9)]).query({}, targets=["rot"])


def test_columns_of_different_lengths_are_refused() -> None:
    """A batch is a table."""
    with pytest.raises(InvalidInputError, match=r"every column must have the same length, got \{'root': 2, 's0': 1\}"):
        stars([(0.1, 0.9)]).query_batch({"root": ["on", None], "s0": ["yes"]})


def test_a_plan_that_does_not_fit_is_refused_before_it_is_run() -> None:
    """Twelve nodes of eight states, tied pair by pair, make a table that no memory holds; that is said, not tried."""
    names = [f"p{index}" for index in range(12)]
    signs = {f"{a}{b}": (a, b) for index, a in enumerate(names) for b in names[:index]}
    states = {name: tuple("abcdefgh") for name in names} | dict.fromkeys(signs, ("no", "yes"))
    generator = np.random.default_rng(0)
    tables = {name: generator.dirichlet(np.ones(8))[:, np.newaxis] for name in names}
    tables |= {sign: generator.dirichlet(np.ones(2), (8, 8))[..., np.newaxis] for sign in signs}
    parents: dict[str, tuple[str, ...]] = {**dict.fromkeys(names, ()), **signs}
    engine = Engine(Shape(states, parents), tables.__getitem__)
    with pytest.raises(
        ModelTooLargeError, match=r"tables of a plan must fit in 2 GB .* got one that takes .* GB over p0, p1"
    ):
        engine.query(dict.fromkeys(signs, "yes"), ["p0"])


# ---- networks of pgmpy ----------------------------------------------------------------------------------------------


def sprinkler() -> DiscreteBayesianNetwork:
    """Return a network made by hand; ``grass`` has pgmpy's own names for its states, the numbers from 0."""
    network = DiscreteBayesianNetwork([("rain", "sprinkler"), ("rain", "grass"), ("sprinkler", "grass")])
    yes_no = {"rain": ["yes", "no"], "sprinkler": ["off", "on"]}
    network.add_cpds(
        TabularCPD("rain", 2, [[0.2], [0.8]], state_names={"rain": yes_no["rain"]}),
        TabularCPD("sprinkler", 2, [[0.99, 0.6], [0.01, 0.4]], ["rain"], [2], state_names=yes_no),
        TabularCPD(
            "grass",
            2,
            [[0.2, 0.01, 1.0, 0.1], [0.8, 0.99, 0.0, 0.9]],
            ["rain", "sprinkler"],
            [2, 2],
            state_names={**yes_no, "grass": [0, 1]},
        ),
    )
    return network


def test_a_network_made_by_hand_is_compiled_with_its_axes_right() -> None:
    """P(rain | wet grass) by hand, the axes of two parents not mixed up; numbers as names of states are accepted."""
    engine = compile_network(sprinkler())
    wet = {"rain": 0.2 * (0.99 * 0.8 + 0.01 * 0.99), "dry sky": 0.8 * (0.6 * 0.0 + 0.4 * 0.9)}
    expected = wet["rain"] / sum(wet.values())
    wet_grass: Any = 1
    assert engine.query({"grass": wet_grass}, ["rain"])["rain"]["yes"] == pytest.approx(expected, rel=CLOSE)
    assert engine.query({"grass": {1: 1.0}}, ["rain"])["rain"]["yes"] == pytest.approx(expected, rel=CLOSE)  # type: ignore[dict-item]
    assert engine.log_evidence({"grass": wet_grass}) == pytest.approx(math.log(sum(wet.values())), rel=CLOSE)
    assert engine.states["rain"] == ("yes", "no")


def test_a_network_without_a_table_is_refused() -> None:
    """A node without a table is named."""
    network = DiscreteBayesianNetwork([("a", "b")])
    network.add_cpds(TabularCPD("a", 2, [[0.5], [0.5]]))
    with pytest.raises(InvalidInputError, match="b: every node must have a table, got none"):
        compile_network(network)


def test_a_table_that_does_not_fit_the_network_is_refused() -> None:
    """A table that hangs on other parents than the network says is named."""
    network = DiscreteBayesianNetwork([("a", "b")])
    network.add_cpds(TabularCPD("a", 2, [[0.5], [0.5]]), TabularCPD("b", 2, [[0.5], [0.5]]))
    with pytest.raises(InvalidInputError, match="b: its table must hang on its parents in the network, got none"):
        compile_network(network)


def test_a_column_that_does_not_sum_to_one_is_refused() -> None:
    """The table is named; pgmpy lets it pass until ``check_model``."""
    network = DiscreteBayesianNetwork()
    network.add_node("a")
    table = TabularCPD("a", 2, [[0.5], [0.5]])
    table.values = np.array([0.5, 0.4])
    network.add_cpds(table)
    with pytest.raises(InvalidInputError, match="a: every column of its table must be a distribution"):
        compile_network(network)


def test_an_engine_does_not_follow_later_changes_of_the_network() -> None:
    """What is compiled is a copy."""
    network = sprinkler()
    engine = compile_network(network)
    before = engine.query({})
    network.get_cpds("rain").values[:] = [0.9, 0.1]
    assert engine.query({}) == before


# Lauritzen & Spiegelhalter 1988, the network "asia" (bnlearn's file, which pgmpy ships); the posteriors were computed
# by pgmpy and pyAgrum alike and by a contraction of their own: P(evidence), then tub, lung and bronc.
ASIA: list[tuple[dict[str, str], float, tuple[float, float, float]]] = [
    ({"dysp": "yes"}, 0.4359706, (0.01884531, 0.10275922, 0.83396734)),
    ({"dysp": "yes", "asia": "yes"}, 0.004501375, (0.08775096, 0.09952515, 0.81140207)),
    ({"dysp": "yes", "asia": "yes", "smoke": "yes"}, 0.0028175, (0.07275954, 0.14551908, 0.86725821)),
    ({"dysp": "yes", "asia": "yes", "smoke": "no"}, 0.001683875, (0.11283498, 0.02256700, 0.71794225)),
    ({"dysp": "yes", "asia": "yes", "xray": "yes"}, 0.00098822675, (0.39171172, 0.44427051, 0.62882178)),
    ({"xray": "yes"}, 0.11029004, (0.09241088, 0.48871140, 0.50632616)),
    ({"xray": "yes", "dysp": "yes"}, 0.070670104, (0.11393333, 0.62125280, 0.68186854)),
    ({"xray": "no", "dysp": "yes"}, 0.3653005, (0.00044982, 0.00245278, 0.86339198)),
    (
        {"asia": "yes", "smoke": "yes", "xray": "yes", "dysp": "yes"},
        0.00069376,
        (0.28958141, 0.57916282, 0.70091963),
    ),
    (
        {"asia": "yes", "smoke": "no", "xray": "no", "dysp": "yes"},
        0.0013894083,
        (0.00273498, 0.00054700, 0.77283009),
    ),
]


@cache
def asia() -> Engine:
    """The network asia, from the file in pgmpy's wheel."""
    packed = (files("pgmpy") / "utils" / "example_models" / "asia.bif.gz").read_bytes()
    return compile_network(BIFReader(string=gzip.decompress(packed).decode("utf-8")).get_model())


@pytest.mark.parametrize(
    ("evidence", "probability", "posteriors"),
    ASIA,
    ids=[" ".join(f"{n}={s}" for n, s in row[0].items()) for row in ASIA],
)
def test_asia(evidence: dict[str, str], probability: float, posteriors: tuple[float, float, float]) -> None:
    """Published posteriors of Lauritzen & Spiegelhalter's network, to the digits printed."""
    found = asia().query(evidence, ["tub", "lung", "bronc"])
    assert [row["yes"] for row in found.values()] == pytest.approx(posteriors, abs=5.1e-9)
    assert math.exp(asia().log_evidence(evidence)) == pytest.approx(probability, rel=1e-7)


def test_asia_with_virtual_evidence() -> None:
    """An X-ray read as positive with likelihoods .8 to .1 gives P(lung) = .2439574565 (pgmpy and pyAgrum alike)."""
    assert asia().query({"xray": {"yes": 0.8, "no": 0.1}}, ["lung"])["lung"]["yes"] == pytest.approx(
        0.2439574565, abs=1e-10
    )


def test_asia_cannot_have_tuberculosis_without_either() -> None:
    """`either` is a logical or: the pair that clashes is named, and what has no part in it is not."""
    with pytest.raises(
        ImpossibleEvidenceError, match=r"^findings: tub = yes and either = no cannot hold together"
    ) as caught:
        asia().query({"smoke": "yes", "tub": "yes", "dysp": "no", "either": "no"})
    assert caught.value.findings == ("tub = yes", "either = no")
