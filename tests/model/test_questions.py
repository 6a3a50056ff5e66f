"""Every question that can be asked of an engine, against the definition on random networks."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracle import Network
from rootcause.engine import Engine, Observation, Shape, layout, machine
from rootcause.engine.kernels import store
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.model import load_model
from strategies import CLOSE, Case, cases, differences, distributions, networks, possible_cases, random_networks

few_networks = settings(max_examples=60)
Array = np.ndarray[Any, np.dtype[np.float64]]


def weighed(network: Network, weights: Mapping[str, tuple[Fraction, ...]]) -> Iterator[tuple[dict[str, int], Fraction]]:
    """Yield every world with P(world and evidence)."""
    for world, probability in network.worlds():
        yield world, probability * math.prod(row[world[name]] for name, row in weights.items())


# ---- joint distributions --------------------------------------------------------------------------------------------


@random_networks
@given(possible_cases, st.data())
def test_a_joint_distribution_is_that_of_enumeration(case: Case, data: st.DataObject) -> None:
    """One axis for each target in their order, with evidence on some of them or not."""
    network = case.network
    targets = data.draw(st.lists(st.sampled_from([*network.states]), unique=True, min_size=1, max_size=3))
    expected = np.zeros([len(network.states[name]) for name in targets])
    for world, mass in weighed(network, case.weights):
        expected[tuple(world[name] for name in targets)] += float(mass / network.mass(case.weights))
    found = network.engine().joint(case.given, targets)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE)


@few_networks
@given(cases().filter(lambda case: case.network.mass(case.weights) == 0))
def test_nothing_is_said_of_what_cannot_be(case: Case) -> None:
    """Every question refuses impossible evidence."""
    engine = case.network.engine()
    target = next(iter(case.network.states))
    with pytest.raises(ImpossibleEvidenceError):
        engine.joint(case.given, [*case.network.states])
    with pytest.raises(ImpossibleEvidenceError):
        engine.most_probable(case.given)
    with pytest.raises(ImpossibleEvidenceError):
        engine.gradient(case.given, target, case.network.states[target][0])


def test_a_joint_distribution_that_nobody_can_read_is_refused() -> None:
    """The entries are counted before any is computed."""
    names = [f"n{index}" for index in range(20)]
    shape = Shape(dict.fromkeys(names, ("no", "yes")), dict.fromkeys(names, ()))
    engine = Engine(shape, lambda _: np.full((2, 1), 0.5))
    with pytest.raises(InvalidInputError, match=r"^targets: .* may have 1,000,000 entries, got 1,048,576$"):
        engine.joint({}, names)
    assert engine.joint({}, names[:2]).tolist() == [[0.25, 0.25], [0.25, 0.25]]


# ---- the most probable explanation ----------------------------------------------------------------------------------


@random_networks
@given(possible_cases)
def test_the_most_probable_explanation_has_the_largest_mass(case: Case) -> None:
    """Of several that are equally likely any may be named."""
    network = case.network
    found = network.engine().most_probable(case.given)
    masses = {tuple(world.values()): mass for world, mass in weighed(network, case.weights)}
    own = masses[tuple(states.index(found.states[name]) for name, states in network.states.items())]
    assert list(found.states) == list(network.states)
    assert float(own / max(masses.values())) == pytest.approx(1, rel=CLOSE)
    assert found.log_probability == pytest.approx(math.log(own), rel=CLOSE, abs=CLOSE)


# ---- other networks -------------------------------------------------------------------------------------------------


@random_networks
@given(possible_cases, st.data())
def test_an_intervention_is_the_truncated_factorisation(case: Case, data: st.DataObject) -> None:
    """The tables of what is set are left out of the product, and only worlds with these states count."""
    network = case.network
    chosen = data.draw(st.lists(st.sampled_from([*network.states]), unique=True, max_size=2))
    settings_ = {name: data.draw(st.integers(0, len(network.states[name]) - 1), label=name) for name in chosen}
    masses = {name: [Fraction(0)] * len(states) for name, states in network.states.items()}
    total = Fraction(0)
    for indices in product(*(range(len(states)) for states in network.states.values())):
        world = dict(zip(network.states, indices, strict=True))
        if any(world[name] != state for name, state in settings_.items()):
            continue
        mass = math.prod(row[world[name]] for name, row in case.weights.items())
        for name in network.states:
            if name not in settings_:
                mass *= network.tables[name][tuple(world[parent] for parent in network.parents[name])][world[name]]
        total += mass
        for name, state in world.items():
            masses[name][state] += mass
    do = {name: network.states[name][state] for name, state in settings_.items()}
    if not total:
        with pytest.raises(ImpossibleEvidenceError):
            network.engine().query(case.given, do=do)
        return
    expected = {name: [mass / total for mass in row] for name, row in masses.items()}
    assert not differences(network.engine().query(case.given, network.states, do=do), expected)


@pytest.mark.parametrize(
    ("do", "message"),
    [
        ({"c": "yes"}, "evidence: every node must be in the network, got 'c'"),
        ({"a": "yess"}, "a: must be one of no, yes, got 'yess' (did you mean 'yes'?)"),
        ({"a": ["no", "yes"]}, "do: a must be set to one state, got ['no', 'yes']"),
    ],
    ids=["unknown node", "unknown state", "two states"],
)
def test_a_bad_intervention_is_refused_in_one_sentence(do: Any, message: str) -> None:  # noqa: ANN401
    """An intervention sets a node of the network to one state."""
    with pytest.raises(InvalidInputError) as caught:
        pair().query({}, do=do)
    assert str(caught.value) == message


@random_networks
@given(possible_cases, st.data())
def test_an_engine_with_other_tables_is_as_if_made_with_them(case: Case, data: st.DataObject) -> None:
    """Any tables may be replaced, and the first engine stays as it is."""
    network = case.network
    engine = network.engine()
    before = engine.query(case.given)
    changed = {
        name: {column: data.draw(distributions(len(states))) for column in network.tables[name]}
        for name, states in network.states.items()
        if data.draw(st.booleans(), label=f"{name} replaced")
    }
    other = Network(network.states, network.parents, {**network.tables, **changed})
    new = engine.replaced({name: other.array(name)[..., 0] for name in changed})
    assert engine.query(case.given) == before
    assume(other.mass(case.weights) > 0)
    assert not differences(new.query(case.given, other.states), other.posterior(case.weights))
    assert new.log_evidence(case.given) == pytest.approx(math.log(other.mass(case.weights)), rel=CLOSE, abs=CLOSE)


def pair() -> Engine:
    """Return a cause with one sign: .3, and .2 or .9."""
    tables = {"a": np.array([[0.7], [0.3]]), "b": np.array([[0.8, 0.2], [0.1, 0.9]])[..., np.newaxis]}
    states = dict.fromkeys(tables, ("no", "yes"))
    return Engine(Shape(states, {"a": (), "b": ("a",)}), tables.__getitem__)


NO_DISTRIBUTION = "b: every column of its table must be a distribution that sums to 1, got another"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"c": [0.5, 0.5]}, "tables: every node must be in the network, got 'c'"),
        ({"b": [0.5, 0.5]}, "b: its table must have the shape (2, 2), got (2,)"),
        ({"b": [[0.5, 0.4], [0.5, 0.5]]}, NO_DISTRIBUTION),
        ({"b": [[1.5, -0.5], [0.5, 0.5]]}, NO_DISTRIBUTION),
        ({"b": [[math.nan, 0.5], [0.5, 0.5]]}, NO_DISTRIBUTION),
    ],
    ids=["unknown node", "shape", "sum", "negative", "not a number"],
)
def test_a_bad_table_is_refused_in_one_sentence(tables: Mapping[str, Any], message: str) -> None:
    """The message says which table, the rule, and what was got."""
    with pytest.raises(InvalidInputError) as caught:
        pair().replaced({name: np.array(table) for name, table in tables.items()})
    assert str(caught.value) == message


# ---- derivatives ----------------------------------------------------------------------------------------------------


@few_networks
@given(cases(4).filter(lambda case: case.network.mass(case.weights) > 0), st.data())
def test_a_gradient_is_the_exact_derivative(case: Case, data: st.DataObject) -> None:
    """By the quotient rule, a mass being linear in each entry, for every change that keeps the sum of a column.

    The derivative of a mass by an entry is that of the worlds that use it, with 1 in place of the entry.
    """
    network = case.network
    target = data.draw(st.sampled_from([*network.states]))
    state = data.draw(st.integers(0, len(network.states[target]) - 1))
    found = network.engine().gradient(case.given, target, network.states[target][state])
    slope_all = {name: np.zeros(network.array(name).shape[:-1], dtype=object) for name in network.states}
    slope_own = {name: np.zeros(network.array(name).shape[:-1], dtype=object) for name in network.states}
    for indices in product(*(range(len(states)) for states in network.states.values())):
        world = dict(zip(network.states, indices, strict=True))
        at = {name: tuple(world[node] for node in (*network.parents[name], name)) for name in network.states}
        entries = {name: network.tables[name][index[:-1]][index[-1]] for name, index in at.items()}
        seen = math.prod((row[world[name]] for name, row in case.weights.items()), start=Fraction(1))
        for name in network.states:
            mass = seen * math.prod(entry for other, entry in entries.items() if other != name)
            slope_all[name][at[name]] += mass
            if world[target] == state:
                slope_own[name][at[name]] += mass
    total = network.mass(case.weights)
    share = network.posterior(case.weights)[target][state]
    assume(share > 0 or not case.weights.get(target, (1,) * (state + 1))[state])
    for name in network.states:
        expected = ((slope_own[name] - share * slope_all[name]) / total).astype(np.float64)
        difference = found[name] - expected
        np.testing.assert_allclose(difference - difference[..., :1], 0, atol=1e-10 * max(1.0, np.abs(expected).max()))


def test_the_slope_of_a_posterior_of_zero() -> None:
    """What is impossible becomes possible as its entry rises from 0: d u / d u = 1, and with a sign, hit / miss."""
    engine = pair().replaced({"a": np.array([1.0, 0.0])})
    np.testing.assert_allclose(engine.gradient({"b": "yes"}, "a", "yes")["a"], [0, 0.9 / 0.2], rtol=CLOSE)


def test_a_gradient_means_something_along_changes_that_keep_the_columns() -> None:
    """With nothing observed too: what P(a = yes) gains, P(a = no) loses."""
    found = pair().gradient({}, "a", "yes")["a"]
    assert found @ [-1, 1] == pytest.approx(1.0, rel=CLOSE)


def test_the_gradient_of_a_pair_in_closed_form() -> None:
    """P(a | b) = uv / (uv + (1-u)w) with the prior, the chance of the sign with the cause, and that without."""
    prior, hit, miss = 0.3, 0.9, 0.2
    other = 1 - prior
    total = prior * hit + other * miss
    found = pair().gradient({"b": "yes"}, "a", "yes")
    cross = prior * other / total**2
    np.testing.assert_allclose(found["a"], [-prior * hit * miss / total**2, hit * other * miss / total**2], rtol=CLOSE)
    np.testing.assert_allclose(found["b"], [[0, -cross * hit], [0, cross * miss]], rtol=CLOSE, atol=1e-15)


# ---- batches --------------------------------------------------------------------------------------------------------


@st.composite
def batches(draw: st.DrawFn) -> tuple[Network, dict[str, Any], list[dict[str, Observation]]]:
    """Draw a network and a batch: columns of numbers, or lists of states, sets, likelihoods; and its rows."""
    network = draw(networks(5))
    rows = draw(st.integers(1, 7))
    columns: dict[str, Any] = {}
    cases_: list[dict[str, Observation]] = [{} for _ in range(rows)]
    for name in draw(st.lists(st.sampled_from([*network.states]), unique=True, min_size=1)):
        states = network.states[name]
        if draw(st.booleans()):
            codes = draw(st.lists(st.integers(-1, len(states) - 1), min_size=rows, max_size=rows))
            columns[name] = np.array(codes, dtype=draw(st.sampled_from([np.int8, np.int64])))
            observed: list[Observation] = [None if code < 0 else states[code] for code in codes]
        else:
            likelihoods = st.dictionaries(st.sampled_from(states), st.integers(1, 9).map(float), min_size=1)
            kinds = (st.none(), st.sampled_from(states), st.lists(st.sampled_from(states), min_size=1), likelihoods)
            observed = draw(st.lists(st.one_of(*kinds), min_size=rows, max_size=rows))
            columns[name] = observed
        for row, value in zip(cases_, observed, strict=True):
            row[name] = value
    return network, columns, cases_


def impossible(engine: Engine, case: Mapping[str, Observation]) -> bool:
    """Return whether evidence is refused as impossible."""
    return not engine.possible(engine.weights(case))


@random_networks
@given(batches(), st.integers(1, 4))
def test_each_row_of_a_batch_is_its_query_to_the_last_bit(
    batch: tuple[Network, dict[str, Any], list[dict[str, Observation]]], chunk: int
) -> None:
    """Whatever the pattern of each row, and wherever the batch is cut; the first impossible row is named."""
    network, columns, rows = batch
    engine = network.engine()
    wrong = [number for number, row in enumerate(rows) if impossible(engine, row)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "CHUNK", chunk)
        if wrong:
            with pytest.raises(ImpossibleEvidenceError, match=rf"^row {wrong[0]}: findings: ") as caught:
                engine.query_batch(columns, network.states)
            assert caught.value.row == wrong[0]
            return
        found = engine.query_batch(columns, network.states)
    for number, row in enumerate(rows):
        alone = engine.query(row, network.states)
        assert {name: found[name][number].tolist() for name in alone} == {
            name: list(distribution.values()) for name, distribution in alone.items()
        }


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
def test_an_impossible_row_is_named(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """The number is that of the row in the whole batch, from 0, as numbers or as names."""
    monkeypatch.setattr(machine, "CHUNK", chunk)
    engine = pair().replaced({"b": np.array([[1.0, 0.0], [0.1, 0.9]])})
    for yes, no in (("yes", "no"), (1, 0)):
        a, b = [no, yes, yes, no, no], [no, yes, no, yes, yes]
        columns: dict[str, Any] = {"a": a, "b": b} if yes == "yes" else {"a": np.array(a), "b": np.array(b)}
        with pytest.raises(ImpossibleEvidenceError, match=r"^row 3: findings: a = no and b = yes cannot") as caught:
            engine.query_batch(columns)
        assert caught.value.row == 3


@pytest.mark.parametrize(
    "column", [[0, 2], [-2, 0], [[0, 1], [1, 0]]], ids=["too large", "below nothing", "two dimensions"]
)
def test_a_bad_column_of_numbers_is_refused(column: Sequence[Any]) -> None:
    """Numbers of states, and -1."""
    with pytest.raises(InvalidInputError) as caught:
        pair().query_batch({"b": np.array(column)})
    assert str(caught.value) == "b: numbers of states must be from -1 (not observed) to 1, got others"


@pytest.mark.parametrize("column", [[0.0, 1.0], [True, False]], ids=["floats", "truth values"])
def test_numbers_that_are_not_whole_are_refused(column: Sequence[Any]) -> None:
    """An array of anything but whole numbers is read as observations, and its numbers are no states."""
    with pytest.raises(InvalidInputError, match=r"^b: must be "):
        pair().query_batch({"b": np.array(column)})


# ---- gates ----------------------------------------------------------------------------------------------------------


def noisy_max(generator: np.random.Generator, cards: Sequence[int], size: int) -> dict[tuple[int, ...], Array]:
    """Return the table of the worst of a leak and of one contribution of each parent, none in its lowest state."""
    leak = generator.dirichlet(np.ones(size))
    below = [np.cumsum(generator.dirichlet(np.ones(size), card), axis=-1) for card in cards]
    for rows in below:
        rows[0] = 1.0
    table = {}
    for column in product(*(range(card) for card in cards)):
        cumulative = np.cumsum(leak) * math.prod(rows[state] for rows, state in zip(below, column, strict=True))
        cumulative[-1] = 1.0
        table[column] = np.diff(cumulative, prepend=0.0)
    return table


def diseases(seed: int, signs: int = 3, causes: int = 5) -> Network:
    """Return causes of two or three states with signs that are noisy-MAX gates of three to five of them."""
    generator = np.random.default_rng(seed)
    states = {f"c{index}": tuple("012"[: generator.integers(2, 4)]) for index in range(causes)}
    parents: dict[str, tuple[str, ...]] = dict.fromkeys(states, ())
    tables: dict[str, Any] = {name: {(): generator.dirichlet(np.ones(len(own)))} for name, own in states.items()}
    names = list(states)
    for index in range(signs):
        name = f"s{index}"
        chosen = sorted(generator.choice(names, generator.integers(3, causes + 1), replace=False).tolist())
        states[name] = tuple("012"[: generator.integers(2, 4)])
        parents[name] = tuple(chosen)
        tables[name] = noisy_max(generator, [len(states[parent]) for parent in chosen], len(states[name]))
    exact = {
        name: {column: tuple(map(Fraction, row.tolist())) for column, row in table.items()}
        for name, table in tables.items()
    }
    return Network(states, parents, exact)


def gates_of(engine: Engine) -> frozenset[str]:
    """Return the nodes that were recognised as gates, however small the network is."""
    return layout.lay_out(engine._shape, engine._tables).gates  # noqa: SLF001


def with_gates(engine: Engine) -> Engine:
    """Return the engine, made to work with gates even where plain tables are faster."""
    shape, tables = engine._shape, engine._tables  # noqa: SLF001
    vars(engine)["_machine"] = machine.Machine(layout.lay_out(shape, tables), tables)
    return engine


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.data())
def test_a_gate_answers_as_its_table_and_as_the_definition(seed: int, data: st.DataObject) -> None:
    """Noisy-MAX signs of three to five causes: taken apart, left whole, and by enumeration, the same."""
    network = diseases(seed)
    engine = with_gates(network.engine())
    assert engine._machine.layout.gates == {"s0", "s1", "s2"}  # noqa: SLF001
    evidence: dict[str, Observation] = {}
    weights = {}
    for name in data.draw(st.lists(st.sampled_from([*network.states]), unique=True, max_size=5)):
        states = network.states[name]
        numbers = data.draw(st.lists(st.integers(0, 3), min_size=len(states), max_size=len(states)).filter(any))
        evidence[name] = {state: float(number) for state, number in zip(states, numbers, strict=True)}
        weights[name] = tuple(Fraction(number, max(numbers)) for number in numbers)
    plain = network.engine()
    vars(plain)["_machine"] = plain._plain  # noqa: SLF001
    expected = network.posterior(weights)
    assert not differences(engine.query(evidence, network.states), expected)
    assert not differences(plain.query(evidence, network.states), expected)
    logs = [one.log_evidence(evidence) for one in (engine, plain)]
    assert logs == pytest.approx([math.log(network.mass(weights))] * 2, rel=CLOSE, abs=CLOSE)


def test_large_gates_are_used_without_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty signs of six causes out of forty: gates on their own; with plain tables, which still fit, the same."""
    monkeypatch.setattr(machine, "_DENSE", 0)  # with one order for all cases, plain tables would be faster here
    generator = np.random.default_rng(7)
    causes = [f"c{index}" for index in range(40)]
    states: dict[str, tuple[str, ...]] = dict.fromkeys(causes, ("no", "yes"))
    parents: dict[str, tuple[str, ...]] = dict.fromkeys(causes, ())
    tables = {name: np.array([[0.95], [0.05]]) for name in causes}
    for index in range(40):
        name = f"s{index}"
        states[name] = ("no", "yes", "very")
        parents[name] = tuple(f"c{(index + step) % 40}" for step in range(6))
        rows = noisy_max(generator, [2] * 6, 3)
        tables[name] = np.array(list(rows.values())).reshape(*[2] * 6, 3, 1)
    engine = Engine(Shape(states, parents), tables.__getitem__)
    plain = Engine(Shape(states, parents), tables.__getitem__)
    vars(plain)["_machine"] = plain._plain  # noqa: SLF001
    assert len(engine._machine.layout.gates) == 40  # noqa: SLF001
    evidence: dict[str, Observation] = {f"s{index}": ("no", "yes", "very")[index % 3] for index in range(0, 40, 2)}
    expected = {name: tuple(row.values()) for name, row in plain.query(evidence).items()}
    assert not differences(engine.query(evidence), expected)
    assert engine.log_evidence(evidence) == pytest.approx(plain.log_evidence(evidence), rel=CLOSE)


@pytest.mark.parametrize("change", [1e-9, 1e-6, 1e-2])
def test_a_table_that_is_nearly_a_gate_is_none(change: float) -> None:
    """A change in one column, and the table stays whole, and its answer is exact."""
    network = diseases(1, signs=1)
    assert gates_of(network.engine()) == {"s0"}
    table = dict(network.tables["s0"])
    column = next(iter(reversed(table)))
    first, second, *others = table[column]
    table[column] = (first - Fraction(change) * first, second + Fraction(change) * first, *others)
    other = Network(network.states, network.parents, {**network.tables, "s0": table})
    assert not gates_of(other.engine())
    first_state = other.states["s0"][0]
    seen = {"s0": tuple(Fraction(int(state == first_state)) for state in other.states["s0"])}
    assert not differences(with_gates(other.engine()).query({"s0": first_state}, other.states), other.posterior(seen))


def chain(length: int, seed: int, change: float = 0.0) -> Network:
    """Return causes whose sign is a chain of links, each the maximum of the one before and of one contribution."""
    generator = np.random.default_rng(seed)
    causes = [f"c{index}" for index in range(length)]
    states: dict[str, tuple[str, ...]] = dict.fromkeys(causes, ("0", "1"))
    parents: dict[str, tuple[str, ...]] = dict.fromkeys(causes, ())
    tables: dict[str, Any] = {name: {(): exact(generator)} for name in causes}
    for index, cause in enumerate(causes):
        name = f"l{index}"
        states[name] = ("0", "1", "2")
        rows = [(Fraction(1), Fraction(0), Fraction(0)), exact(generator, 3)]
        parents[name] = (cause,) if index == 0 else (f"l{index - 1}", cause)
        tables[name] = {(state,): rows[state] for state in range(2)}
        if index:
            tables[name] = {(b, c): maximum(b, rows[c]) for b in range(3) for c in range(2)}
    last = tables[f"l{length - 1}"]
    moved = Fraction(change)
    low, middle, high = last[2, 1]
    last[2, 1] = (low + moved, middle, high - moved)
    return Network(states, parents, tables)


def exact(generator: np.random.Generator, size: int = 2) -> tuple[Fraction, ...]:
    """Return a random distribution in 64ths, which a float holds exactly."""
    cuts = sorted(generator.choice(np.arange(1, 64), size - 1, replace=False).tolist())
    return tuple(Fraction(b - a, 64) for a, b in zip([0, *cuts], [*cuts, 64], strict=True))


def maximum(before: int, contribution: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return the distribution of the maximum of a state and of a contribution."""
    below = sum(contribution[: before + 1], Fraction(0))
    return (*[Fraction(0)] * before, below, *contribution[before + 1 :])


@pytest.mark.parametrize("seed", range(4))
def test_a_chain_of_links_is_one_gate(seed: int) -> None:
    """The links inside are no nodes of the gate; asked for, they are answered all the same."""
    network = chain(4, seed)
    assert gates_of(network.engine()) == {"l3"}
    engine = with_gates(network.engine())
    assert not {"l0", "l1", "l2"} & {*engine._machine.layout.names}  # noqa: SLF001
    weights = {"l3": (Fraction(0), Fraction(1), Fraction(1)), "c0": (Fraction(1, 2), Fraction(1))}
    evidence: dict[str, Observation] = {"l3": ["1", "2"], "c0": {"0": 1.0, "1": 2.0}}
    causes = ["c0", "c1", "c2", "c3", "l3"]
    assert not differences(engine.query(evidence, causes), network.posterior(weights))
    assert not differences(engine.query(evidence, network.states), network.posterior(weights))


def test_a_chain_with_a_link_that_is_none_ends_before_it() -> None:
    """A link that goes down now and then is no maximum."""
    network = chain(4, 0, change=2.0**-20)
    assert gates_of(network.engine()) == {"l2"}
    weights = {"l3": (Fraction(1), Fraction(0), Fraction(0))}
    assert not differences(with_gates(network.engine()).query({"l3": "0"}, network.states), network.posterior(weights))


# ---- evidence far below what a float holds ---------------------------------------------------------------------------


def log_of(fraction: Fraction) -> float:
    """Return the logarithm of a fraction that no float holds."""
    return math.log(fraction.numerator) - math.log(fraction.denominator)


@pytest.mark.parametrize("kind", ["states", "likelihoods"])
@pytest.mark.parametrize("each", [1e-3, 1e-9, 1e-40])
def test_deep_evidence_of_one_root_is_exact(kind: str, each: float) -> None:
    """Four hundred signs, each of small chance or likelihood, that in the end weigh alike on both sides."""
    generator = np.random.default_rng(11)
    shares = generator.uniform(0.5, 1.5, (400, 2))
    shares[200:] = shares[:200, ::-1]
    chances = each * shares if kind == "states" else generator.uniform(0.2, 0.8, (400, 2))
    states = {"root": ("off", "on"), **{f"s{index}": ("no", "yes") for index in range(400)}}
    parents = {name: () if name == "root" else ("root",) for name in states}
    tables = {"root": np.array([[0.25], [0.75]])}
    tables |= {f"s{index}": np.array([1 - row, row]).T[..., np.newaxis] for index, row in enumerate(chances)}
    engine = Engine(Shape(states, parents), tables.__getitem__)
    evidence: dict[str, Observation] = {}
    masses = [Fraction(1, 4), Fraction(3, 4)]
    for index in range(400):
        name = f"s{index}"
        weights = (0.0, 1.0) if kind == "states" else (1.0, each)
        observed: Observation = "yes" if kind == "states" else {"yes": each, "no": 1.0}
        evidence[name] = observed
        for state, row in enumerate(tables[name][..., 0].tolist()):
            masses[state] *= sum(Fraction(w) * Fraction(p) for w, p in zip(weights, row, strict=True))
    total = sum(masses, Fraction(0))
    if kind == "states":
        assert log_of(total) < -700
    assert engine.log_evidence(evidence) == pytest.approx(log_of(total), rel=CLOSE)
    expected = {"root": [mass / total for mass in masses]}
    assert not differences(engine.query(evidence, ["root"]), expected)


def rare(chances: Array) -> Engine:
    """Return signs of three causes at one in four, gates if they can be: a row of eight chances for each sign."""
    causes = ["c0", "c1", "c2"]
    tables = {name: np.array([[0.75], [0.25]]) for name in causes}
    parents: dict[str, tuple[str, ...]] = dict.fromkeys(causes, ())
    for index, row in enumerate(chances):
        tables[f"s{index}"] = np.array([1 - row, row]).T.reshape(2, 2, 2, 2, 1)
        parents[f"s{index}"] = ("c0", "c1", "c2")
    return with_gates(Engine(Shape(dict.fromkeys(tables, ("no", "yes")), parents), tables.__getitem__))


def masses_of(chances: Array, weights: tuple[float, float]) -> dict[tuple[int, ...], Fraction]:
    """Return the mass of each combination of the three causes, every sign having these likelihoods."""
    no, yes = map(Fraction, weights)
    return {
        column: Fraction(1, 4) ** sum(column)
        * Fraction(3, 4) ** (3 - sum(column))
        * math.prod(no * Fraction(1 - row) + yes * Fraction(row) for row in chances[:, number].tolist())
        for number, column in enumerate(product((0, 1), repeat=3))
    }


def noisy_or(signs: int, size: float) -> Array:
    """Return the chances of noisy-OR signs of three causes, shape ``(signs, 8)``, with links of about this size."""
    columns = np.array(list(product((0, 1), repeat=3)))
    links = size * np.random.default_rng(5).uniform(0.2, 0.8, (signs, 4))
    chances: Array = -np.expm1(np.log1p(-links[:, :1]) + np.log1p(-links[:, 1:]) @ columns.T)
    return chances


@pytest.mark.parametrize("each", [1e-9, 1e-40, 1e-150])
def test_deep_evidence_of_gates_is_exact(each: float) -> None:
    """A hundred noisy-OR signs of three causes, none sure: likelihoods whose product no float holds."""
    chances = noisy_or(100, 1.0)
    engine = rare(chances)
    assert len(engine._machine.layout.gates) == 100  # noqa: SLF001
    weights = (1.0, 0.9)
    factors: dict[str, Observation] = {f"s{index}": {"no": 1.0, "yes": 0.9} for index in range(100)}
    masses = masses_of(chances, weights)
    total = sum(masses.values(), Fraction(0))
    depth = {"c0": (1.0, each), "c1": (each, 1.0)}
    evidence = factors | {name: dict(zip(("no", "yes"), row, strict=True)) for name, row in depth.items()}
    assert engine.log_evidence(factors) == pytest.approx(log_of(total), rel=CLOSE)
    own = {
        column: mass * math.prod(Fraction(row[state]) for row, state in zip(depth.values(), column[:2], strict=True))
        for column, mass in masses.items()
    }
    total = sum(own.values(), Fraction(0))
    expected = {
        f"c{k}": [sum(m for c, m in own.items() if c[k] == state) / total for state in (0, 1)] for k in range(3)
    }
    assert engine.log_evidence(evidence) == pytest.approx(log_of(total), rel=CLOSE)
    assert not differences(engine.query(evidence, expected), expected)


@pytest.mark.parametrize("each", [1e-2, *(each for each in (1e-10, 1e-20, 1e-200))])
def test_rare_signs_of_gates_are_exact(each: float) -> None:
    """Signs that are hardly ever there, all of them there: their chance counts to the last digits, however small."""
    chances = noisy_or(100, each)
    masses = masses_of(chances, (0.0, 1.0))
    total = sum(masses.values(), Fraction(0))
    engine = rare(chances)
    evidence: dict[str, Observation] = {f"s{index}": "yes" for index in range(100)}
    expected = {
        f"c{k}": [sum(m for c, m in masses.items() if c[k] == state) / total for state in (0, 1)] for k in range(3)
    }
    assert engine.log_evidence(evidence) == pytest.approx(log_of(total), rel=CLOSE)
    assert not differences(engine.query(evidence, expected), expected)


# ---- machine code that is kept --------------------------------------------------------------------------------------


def filled_store(folder: Path, patch: pytest.MonkeyPatch, text: str = "code") -> store.Store:
    """Return a store that a process has filled, and not yet finished."""
    patch.setenv("ROOTCAUSE_CACHE", str(folder))
    made = store.Store()
    (made.folder / "deep").mkdir()
    (made.folder / "deep" / "a.nbi").write_text(text, encoding="utf-8")
    (made.folder / "b.nbi").write_text(text, encoding="utf-8")
    return made


def test_a_finished_folder_is_found_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its final name, nothing else is left beside it, and the next process uses it and does not touch it."""
    made = filled_store(tmp_path, monkeypatch)
    assert not made.ready
    assert made.folder != made.final
    made.finish()
    assert list(tmp_path.iterdir()) == [made.final]
    after = store.Store()
    assert after.ready
    assert after.folder == made.final
    after.finish()
    assert store._whole(made.final)  # noqa: SLF001


DAMAGE = {
    "a file was changed": ("deep/a.nbi", "cod"),
    "a file is missing": ("b.nbi", None),
    "the list is missing": ("complete.json", None),
    "the list is no JSON": ("complete.json", "{"),
    "the list is a list": ("complete.json", json.dumps(["b.nbi"])),
    "the list is no text": ("complete.json", "\udcff"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_made_anew(
    damage: tuple[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not whole, the next process fills one of its own, and that one takes its place."""
    made = filled_store(tmp_path, monkeypatch)
    made.finish()
    name, text = damage
    if text is None:
        (made.final / name).unlink()
    else:
        (made.final / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    assert not store._whole(made.final)  # noqa: SLF001
    after = filled_store(tmp_path, monkeypatch, "new")
    assert not after.ready
    after.finish()
    assert list(tmp_path.iterdir()) == [made.final]
    assert store._whole(made.final)  # noqa: SLF001
    assert (made.final / "b.nbi").read_text("utf-8") == "new"


def test_of_two_processes_the_first_to_finish_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fills a folder of its own; the second leaves what the first has named, and drops its own."""
    first, second = (filled_store(tmp_path, monkeypatch, text) for text in ("first", "second"))
    assert first.folder != second.folder
    first.finish()
    second.finish()
    assert list(tmp_path.iterdir()) == [first.final]
    assert store._whole(first.final)  # noqa: SLF001
    assert (first.final / "b.nbi").read_text("utf-8") == "first"


def test_a_folder_that_cannot_be_kept_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file has the name of the cache, a temporary folder is used, and nothing is left behind."""
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    made = filled_store(tmp_path / "cache", monkeypatch)
    made.finish()
    assert not made.folder.exists()
    assert (tmp_path / "cache").read_text("utf-8") == "a file"


def test_the_joint_of_every_cause_sums_to_the_posterior_of_each() -> None:
    """Left in, thirteen nodes with their gates: summed over all others, each is what a query says."""
    model = load_model()
    causes = list(model.vocabulary.causes)
    evidence: dict[str, Observation] = {
        "procedure": "open_microdiscectomy",
        "toe_dorsiflexion": "weak",
        "back_pain": {"severe": 0.9, "expected": 0.1},
    }
    joint = model.engine.joint(evidence, causes)
    query = model.engine.query(evidence, causes)
    for axis, cause in enumerate(causes):
        own = joint.sum(axis=tuple(other for other in range(joint.ndim) if other != axis))
        assert own == pytest.approx([query[cause][state] for state in model.engine.states[cause]], abs=1e-12)
