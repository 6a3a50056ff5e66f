"""Sobol indices: closed forms, SALib as a second witness, exact indices by enumeration, swaps against questions."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from SALib.analyze import sobol as salib

import concrete
from oracle import Network
from rootcause import Model
from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.draws import Sampler
from rootcause.sensitivity.indices import Index, Sobol, estimate
from rootcause.sensitivity.questions import ask
from rootcause.sensitivity.sobol import sobol, sobol_of
from rootcause.sensitivity.sobol_exact import sobol_joint, sobol_multilinear, sobol_nodes
from rootcause.sensitivity.subjects import EntryRange
from rootcause.sensitivity.swaps import Swaps
from strategies import Case, networks, possible_cases

Array = NDArray[np.float64]
Wanted = tuple[str, dict[str, str], float]
"""Node, states of its parents, and P(y)."""

YES_NO = ("n", "y")


@pytest.fixture(scope="module")
def medicaltest() -> Engine:
    """Two tests and a disease: T1 .4, T2 .3, P(D | nn, ny, yn, yy) .3 .4 .4 .95 (bnRep's medicaltest)."""

    def row(share: str) -> tuple[Fraction, ...]:
        return 1 - Fraction(share), Fraction(share)

    diseased = zip(product((0, 1), repeat=2), map(row, ("0.3", "0.4", "0.4", "0.95")), strict=True)
    states: dict[str, tuple[str, ...]] = {"T1": YES_NO, "T2": YES_NO, "D": YES_NO}
    return Network(
        states,
        {"T1": (), "T2": (), "D": ("T1", "T2")},
        {"T1": {(): row("0.4")}, "T2": {(): row("0.3")}, "D": dict(diseased)},
    ).engine()


def ranges_around(*wanted: Wanted, share: float) -> list[EntryRange]:
    """Return ranges of plus or minus a share of each entry, clipped at 1."""
    return [
        EntryRange(node, parents, "y", value * (1 - share), min(1.0, value * (1 + share)))
        for node, parents, value in wanted
    ]


TESTS: tuple[Wanted, ...] = (("T1", {}, 0.4), ("T2", {}, 0.3))
DISEASE: tuple[Wanted, ...] = tuple(
    ("D", {"T1": one, "T2": two}, value)
    for (one, two), value in zip(product(YES_NO, repeat=2), (0.3, 0.4, 0.4, 0.95), strict=True)
)


# ---- closed forms ---------------------------------------------------------------------------------------------------


def test_two_numbers_of_the_medical_test(medicaltest: Engine) -> None:
    """Both tests ± 20 %: S .5546460710, .4429133858; ST .5570866141, .4453539290; Var .0002124117."""
    found = sobol_joint(medicaltest, {"D": "y"}, ranges_around(*TESTS, share=0.2))
    one, two = (found.indices[name] for name in ("P(T1=y)", "P(T2=y)"))
    assert (one.first, two.first) == pytest.approx((0.5546460710268358, 0.44291338582677175), abs=1e-12)
    assert (one.total, two.total) == pytest.approx((0.5570866141732282, 0.44535392897316417), abs=1e-12)
    assert found.variance == pytest.approx(0.0002124117333333333, rel=1e-10)


def test_two_numbers_of_the_medical_test_over_everything(medicaltest: Engine) -> None:
    """Both uniform from 0 to 1: S = .4630136986 each, ST .5369863014, Var .0190104167."""

    def diseased(t: Array) -> Array:
        one, two = t
        return np.asarray(0.3 + 0.1 * one + 0.1 * two + 0.45 * one * two)

    exact = sobol_multilinear(diseased, dict.fromkeys("ab", 0.5), dict.fromkeys("ab", 12**-0.5))
    ranges = [EntryRange(name, {}, "y", 0.0, 1.0) for name in ("T1", "T2")]
    for found in (exact, sobol_joint(medicaltest, {"D": "y"}, ranges)):
        assert found.variance == pytest.approx(0.019010416666666658, rel=1e-10)
        for index in found.indices.values():
            assert (index.first, index.total) == pytest.approx((0.463013698630137, 0.536986301369863), abs=1e-12)


def test_six_numbers_of_the_medical_test(medicaltest: Engine) -> None:
    """All six entries ± 10 %, clipped at 1: mean .4213, Var 1.876181844e-4, and twelve indices."""
    found = sobol_joint(medicaltest, {"D": "y"}, ranges_around(*TESTS, *DISEASE, share=0.1))
    expected = {
        "P(T1=y)": (0.14809669657346697, 0.1500006579556501),
        "P(T2=y)": (0.1174315808738884, 0.1186544900533989),
        "P(D=y | T1=n, T2=n)": (0.2820622113826612, 0.2826530283140166),
        "P(D=y | T1=n, T2=y)": (0.09210194657393084, 0.09254585521519543),
        "P(D=y | T1=y, T2=n)": (0.22286396948753442, 0.22374375153851167),
        "P(D=y | T1=y, T2=y)": (0.1344752379664482, 0.13537323372220378),
    }
    assert {name: (own.first, own.total) for name, own in found.indices.items()} == {
        name: pytest.approx(pair, abs=1e-10) for name, pair in expected.items()
    }
    assert found.mean == pytest.approx(0.4213, abs=1e-12)
    assert found.variance == pytest.approx(0.0001876181844444446, rel=1e-9)


def test_the_ishigami_function_has_its_published_indices() -> None:
    """S .3139, .4424, 0 and ST .5576, .4424, .2437 for a = 7, b = .1 (Ishigami & Homma 1990)."""

    def ishigami(x: Array) -> Array:
        one, two, three = x
        return np.asarray(np.sin(one) + 7 * np.sin(two) ** 2 + 0.1 * three**4 * np.sin(one))

    def uniform(u: Array) -> Array:
        return np.pi * (2 * u - 1)

    found = sobol_of(ishigami, dict.fromkeys("abc", uniform), n=4096).indices
    firsts, totals = (0.31390519, 0.44241114, 0.0), (0.55758886, 0.44241114, 0.24368366)
    for name, first, total in zip("abc", firsts, totals, strict=True):
        own = found[name]
        assert own.first == pytest.approx(first, abs=0.02)
        assert own.total == pytest.approx(total, abs=0.02)
        assert own.first_low - 0.01 < first < own.first_high + 0.01
        assert own.total_low - 0.01 < total < own.total_high + 0.01


# ---- a second witness -----------------------------------------------------------------------------------------------


def test_salib_gives_the_same_indices_from_the_same_values() -> None:
    """Saltelli's and Jansen's estimates; all sets have one mean, as SALib centers by that of all values."""
    generator = np.random.default_rng(4)
    first, second = generator.normal(size=(2, 256))
    mixed = [0.5 * first + 0.3 * second + 0.1 * generator.normal(size=256) for _ in "abc"]
    first, second, *mixed = (values - values.mean() + 3 for values in (first, second, *mixed))
    swapped = dict(zip("abc", mixed, strict=True))
    rows = np.stack([first, *swapped.values(), second], axis=1)
    problem = {"num_vars": 3, "names": [*"abc"], "bounds": [[0, 1]] * 3}
    expected = salib.analyze(problem, rows.ravel(), calc_second_order=False, seed=1)
    found = estimate(first, second, swapped)
    np.testing.assert_allclose([found[name].first for name in "abc"], expected["S1"], rtol=1e-9)
    np.testing.assert_allclose([found[name].total for name in "abc"], expected["ST"], rtol=1e-9)
    width = np.array([found[name].total_high - found[name].total_low for name in "abc"]) / 2
    assert (width / expected["ST_conf"] > 0.6).all()
    assert (width / expected["ST_conf"] < 1.6).all()


# ---- laws -----------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    st.lists(st.floats(-2, 2), min_size=8, max_size=8),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.1, 2)), min_size=3, max_size=3),
)
def test_exact_indices_are_those_of_the_expansion(values: list[float], moments: list[tuple[float, float]]) -> None:
    """Of a function with known coefficients in centred inputs: V_S is a coefficient squared times the variances."""
    coefficients = np.round(values, 3).reshape(2, 2, 2)
    center, width = np.round(np.array(moments).T, 3)

    def function(x: Array) -> Array:
        steps = x - center[:, np.newaxis]
        powers = [np.stack([np.ones_like(step), step]) for step in steps]
        return np.asarray(np.einsum("abc,an,bn,cn->n", coefficients, *powers))

    scale = np.einsum("a,b,c->abc", *np.stack([np.ones(3), width], axis=1))
    parts = (coefficients * scale) ** 2
    variance = parts.sum() - parts[0, 0, 0]
    assume(variance > 1e-3)
    found = sobol_multilinear(function, dict(zip("abc", center, strict=True)), dict(zip("abc", width, strict=True)))
    assert found.variance == pytest.approx(variance, rel=1e-6)
    assert found.mean == pytest.approx(coefficients[0, 0, 0], abs=1e-9)
    assert found.indices["a"].first == pytest.approx(parts[1, 0, 0] / variance, abs=1e-6)
    assert found.indices["b"].total == pytest.approx(parts[:, 1].sum() / variance, abs=1e-6)


def test_estimates_come_to_the_exact_indices(medicaltest: Engine) -> None:
    """P(D) over Beta distributions: the estimates lie in their intervals round the exact indices."""
    ranges = ranges_around(*TESTS, *DISEASE[:3], share=0.3)
    exact = sobol_joint(medicaltest, {"D": "y"}, ranges, family="beta")
    found = sobol(medicaltest, {}, "D", "y", ranges=ranges, n=8192)
    assert found.mean == pytest.approx(exact.mean, abs=5 * (exact.variance / 8192) ** 0.5)
    assert found.variance == pytest.approx(exact.variance, rel=0.06)
    for name, index in exact.indices.items():
        own = found.indices[name]
        assert own.first_low - 0.02 < index.first < own.first_high + 0.02
        assert own.total_low - 0.02 < index.total < own.total_high + 0.02


@st.composite
def swap_problems(draw: st.DrawFn) -> tuple[Case, list[EntryRange], str, str]:
    """Draw a case with ranges for entries of one or more tables, and an outcome."""
    case = draw(possible_cases)
    network = case.network
    entries = [
        (node, column, state, float(share))
        for node, table in network.tables.items()
        for column, row in table.items()
        for state, share in enumerate(row)
        if 0.001 < share < 0.999
    ]
    assume(entries)
    ranges: list[EntryRange] = []
    for node, column, state, share in draw(st.lists(st.sampled_from(entries), min_size=1, max_size=4, unique=True)):
        parents = dict(zip(network.parents[node], column, strict=True))
        named = {parent: network.states[parent][k] for parent, k in parents.items()}
        item = EntryRange(node, named, network.states[node][state], share / 2, (1 + share) / 2)
        if item.column not in {other.column for other in ranges}:
            ranges.append(item)
    target = draw(st.sampled_from([*network.states]))
    return case, ranges, target, draw(st.sampled_from(network.states[target]))


@settings(max_examples=60)
@given(swap_problems())
def test_a_swap_along_the_slopes_is_a_question(problem: tuple[Case, list[EntryRange], str, str]) -> None:
    """What the derivatives give for a number in one table is what the network answers, to the last digits."""
    case, ranges, target, state = problem
    question, outcome = ask(case.network.engine(), case.given, target, state, ranges)
    subject = question.subject
    sampler = Sampler(subject, subject.points)
    first, second = sampler.sample(5, 1), sampler.sample(5, 2)
    swaps = Swaps(question, outcome, first, 5)
    row = list(question.outcomes).index(outcome)
    np.testing.assert_allclose(swaps.posterior, question.posteriors(subject.drawn(first, 5))[row], atol=1e-12)
    for item in ranges:
        found = swaps.swapped((item.name,), second, (item.node,))
        mixed = {**first, item.name: second[item.name]}
        np.testing.assert_allclose(found, question.posteriors(subject.drawn(mixed, 5))[row], atol=1e-11)


def test_swaps_in_the_model_are_questions(model: Model, patient: Mapping[str, object]) -> None:
    """For a number in one table, a number tied across tables, and the shares of a whole."""
    question, outcome = ask(model, patient)
    subject = question.subject
    sampler = Sampler(subject, question.ids())
    first, second = sampler.sample(6, 1), sampler.sample(6, 2)
    swaps = Swaps(question, outcome, first, 6)
    nodes_of = subject.nodes_of(question.names)
    row = list(question.outcomes).index(outcome)
    for name in ("rate.nerve_root_edema.microdiscectomy", "motor.nerve_root_edema", "onset.nerve_root_edema"):
        ids = sampler.blocks[name]
        nodes = tuple(dict.fromkeys(node for id_ in ids for node in nodes_of[id_]))
        found = swaps.swapped(ids, second, nodes)
        mixed = first | {id_: second[id_] for id_ in ids}
        np.testing.assert_allclose(found, question.posteriors(subject.drawn(mixed, 6))[row], atol=1e-12)


# ---- a published network --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def strength() -> Engine:
    """The strength of concrete in sixteen causes (bnsobol)."""
    return concrete.concrete()


def test_the_published_indices_of_concrete(strength: Engine) -> None:
    """bnsobol, all of E1 to E16: E6 .062810892729 and .07860427463662, E7 .017834962355 and .02502635437597.

    The published variance, .24176897867295, is that of tables whose rows do not quite sum to 1, and were not scaled.
    """
    found = sobol_nodes(strength, "O", concrete.SCORES, concrete.INPUTS)
    ph, humidity = found.indices["E6"], found.indices["E7"]
    assert (ph.first, humidity.first) == pytest.approx((0.062810892729, 0.017834962355), abs=1e-12)
    assert (ph.total, humidity.total) == pytest.approx((0.07860427463662, 0.02502635437597), abs=1e-14)
    assert found.variance * concrete.mass() ** 2 == pytest.approx(0.24176897867295, abs=1e-14)


def test_the_printed_indices_of_concrete(strength: Engine) -> None:
    """The notebook of bnsobol leaves E16 out and prints the totals .07964388863195926 and .025356869386768177."""
    found = sobol_nodes(strength, "O", concrete.SCORES, concrete.INPUTS[:-1])
    totals = found.indices["E6"].total, found.indices["E7"].total
    assert totals == pytest.approx((0.07964388863195926, 0.025356869386768177), abs=1e-13)


def test_drawn_indices_of_concrete_surround_the_published_ones(strength: Engine) -> None:
    """From 256 points, every interval holds its exact index, and the estimates lie within .03 of them."""
    scores = np.array(list(concrete.SCORES.values()))

    def expected(x: Array) -> Array:
        states = {name: [concrete.STATES[int(code)] for code in row] for name, row in zip(names, x, strict=True)}
        return np.asarray(strength.query_batch(states, ["O"])["O"] @ scores)

    def thirds(u: Array) -> Array:
        return np.minimum(np.floor(3 * u), 2)

    names = concrete.INPUTS
    exact = sobol_nodes(strength, "O", concrete.SCORES, names).indices
    drawn = sobol_of(expected, dict.fromkeys(names, thirds), n=256)
    for name, own in drawn.indices.items():
        assert own.first_low <= exact[name].first <= own.first_high, name
        assert own.total_low <= exact[name].total <= own.total_high, name
        assert (own.first, own.total) == pytest.approx((exact[name].first, exact[name].total), abs=0.03), name


# ---- inputs that are nodes ------------------------------------------------------------------------------------------


@st.composite
def scored(draw: st.DrawFn) -> tuple[Network, str, list[str]]:
    """Draw a network, a node with at least one other node above it that has no parents, and some such nodes."""
    network = draw(networks(4))
    roots = [name for name, parents in network.parents.items() if not parents]
    targets = [name for name, parents in network.parents.items() if parents] or roots[1:]
    assume(targets)
    target = draw(st.sampled_from(targets))
    others = [name for name in roots if name != target]
    return network, target, draw(st.lists(st.sampled_from(others), min_size=1, unique=True))


@settings(max_examples=60)
@given(scored())
def test_indices_of_nodes_are_those_of_enumeration(problem: tuple[Network, str, list[str]]) -> None:
    """Var(E[score | some inputs]) over Var(E[score | all inputs]), by the definition, in fractions."""
    network, target, inputs = problem
    scores = {state: k**2 for k, state in enumerate(network.states[target])}
    worth = [Fraction(score) for score in scores.values()]

    def moment(given_: list[str]) -> Fraction:
        total = Fraction(0)
        for codes in product(*(range(len(network.states[name])) for name in given_)):
            seen = {
                name: tuple(Fraction(int(k == code)) for k in range(len(network.states[name])))
                for name, code in zip(given_, codes, strict=True)
            }
            mass = network.mass(seen)
            if mass:
                shares = network.posterior(seen)[target]
                total += mass * sum(share * value for share, value in zip(shares, worth, strict=True)) ** 2
        return total

    mean = sum(share * value for share, value in zip(network.posterior({})[target], worth, strict=True))
    variance = moment(inputs) - mean**2
    found = sobol_nodes(network.engine(), target, {state: float(value) for state, value in scores.items()}, inputs)
    assert found.variance == pytest.approx(float(variance), abs=1e-9)
    for name, own in found.indices.items() if variance > Fraction(1, 10**4) else ():
        rest = [other for other in inputs if other != name]
        assert own.first == pytest.approx(float((moment([name]) - mean**2) / variance), abs=1e-7)
        assert own.total == pytest.approx(float(1 - (moment(rest) - mean**2) / variance), abs=1e-7)


# ---- the model ------------------------------------------------------------------------------------------------------


def test_the_indices_of_the_model(model: Model, patient: Mapping[str, object]) -> None:
    """The rate of the leading cause matters most; a whole stands for its shares; stopping keeps what is done."""
    found = sobol(model, patient, n=64, pilot=32, progress=lambda done, _: done < 32)
    assert (found.n, found.stopped) == (32, True)
    assert next(iter(found.indices)) == "rate.nerve_root_edema.microdiscectomy"
    assert "onset.nerve_root_edema" in found.indices
    totals = [own.total for own in found.indices.values()]
    assert totals == sorted(totals, reverse=True)
    assert all(own.total_low <= own.total <= own.total_high for own in found.indices.values())
    assert found.to_dict()["sentence"] in found.to_text()
    assert "rate.nerve_root_edema.microdiscectomy" in found.to_text(most=1)


def test_tied_numbers_that_matter_little_are_not_followed_further(model: Model, patient: Mapping[str, object]) -> None:
    """They keep the estimate of the pilot, and say from how many points it is."""
    found = sobol(model, patient, n=20, pilot=8, screen=1.0)
    counts = {own.n for own in found.indices.values()}
    assert counts == {8, 20}


def test_work_within_a_chunk_is_told_and_can_be_stopped(model: Model, patient: Mapping[str, object]) -> None:
    """Before each factor, with the base points it amounts to, never backwards; an error ends it there."""
    seen: list[tuple[int, int]] = []
    found = sobol(model, patient, n=32, pilot=16, progress=lambda *done: seen.append(done))
    assert len(seen) > len(found.indices)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == ((0, 32), (32, 32))
    assert len({done for done, _ in seen}) > 10

    def stop(done: int, _: int) -> None:
        stopped.append(done)
        if len(stopped) == 9:
            raise InterruptedError

    stopped: list[int] = []
    with pytest.raises(InterruptedError):
        sobol(model, patient, n=32, pilot=32, progress=stop)
    assert len(stopped) == 9


def test_an_index_that_its_points_do_not_show_is_marked() -> None:
    """An interval that holds 0, a first-order index above the total; an exact one needs no mark."""
    plain = Index(0.3, 0.2, 0.4, 0.5, 0.4, 0.6, 64)
    assert (plain.told, plain.note) == (True, "")
    assert plain.together == pytest.approx(0.2)
    assert replace(plain, first=-0.01, first_low=-0.03).note == "first not told from 0"
    assert replace(plain, first=0.6).note == "first above total: more base points needed"
    assert replace(plain, first=0.0, first_low=0.0, n=0).note == ""
    indices = {"a": plain, "b": replace(plain, first=-0.01, first_low=-0.03, total=0.07)}
    found = Sobol("x", indices, 0.5, 0.1, 64, stopped=False, level=0.95, seed=1)
    assert "a (first-order index 0.30 (95% interval 0.20 to 0.40), total 0.50 (95% interval" in found.sentence
    assert found.sentence.endswith("the number whose first-order index is told from 0 explains 30% of it.")
    assert "first not told from 0" in found.to_text().splitlines()[-1]
    assert found.to_text(most=1).endswith("and 1 more, total at most 0.070")


# ---- refusals -------------------------------------------------------------------------------------------------------


def test_what_has_no_indices_is_refused(medicaltest: Engine) -> None:
    """No inputs, a node that has parents, a missing score, a level that is none."""
    with pytest.raises(InvalidInputError, match="inputs: at least one must be named"):
        sobol_of(lambda x: x[0], {})
    with pytest.raises(InvalidInputError, match="inputs: must have no parents, got D with T1, T2"):
        sobol_nodes(medicaltest, "T1", {"n": 0, "y": 1}, ["D"])
    with pytest.raises(InvalidInputError, match="scores: every state of D must have one"):
        sobol_nodes(medicaltest, "D", {"y": 1}, ["T1"])
    with pytest.raises(InvalidInputError, match="level: must be above 0 and below 1, got 95"):
        sobol(medicaltest, {}, "D", ranges=ranges_around(*TESTS, share=0.2), level=95)
    with pytest.raises(InvalidInputError, match="different columns"):
        sobol_joint(medicaltest, {"D": "y"}, [])


def test_what_does_not_vary_is_said_not_to_vary(medicaltest: Engine) -> None:
    """Evidence that settles the answer leaves no variance to share out."""
    found = sobol(medicaltest, {"D": "y"}, "D", "y", ranges=ranges_around(*TESTS, share=0.2), n=64)
    assert found.sentence == "y does not vary."
    assert all(own.total == 0 for own in found.indices.values())
