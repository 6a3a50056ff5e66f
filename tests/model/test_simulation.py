"""Simulated cases have the distribution asked for, and the percentile of a case is calibrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings

import bif
from rootcause.engine import Engine, Observation, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning import simulation
from rootcause.reasoning.simulation import percentile_of_evidence, simulate
from strategies import Case, possible_cases

DRAWN = 3_000
SIGMAS = 6


@pytest.fixture(scope="module")
def asia() -> Engine:
    """Lauritzen & Spiegelhalter 1988."""
    return compile_network(bif.read("asia"))


@pytest.fixture(scope="module")
def alarm() -> Engine:
    """Beinlich, Suermondt, Chavez & Cooper 1989."""
    return compile_network(bif.read("alarm"))


@contextmanager
def rejecting_at_most(tries: int) -> Iterator[None]:
    """Make rejection the way up to some number of tries."""
    with patch.object(simulation, "MOST_TRIES", tries):
        yield


def allowed(p: float, n: int) -> float:
    """Return how far a share of ``n`` draws may be from its probability: six standard errors, and a few cases."""
    return float(SIGMAS * np.sqrt(p * (1 - p) / n) + 12 / n)


def check_frequencies(case: Case, tries: int) -> None:
    """Compare the states of simulated cases with the exact posteriors of every node."""
    with rejecting_at_most(tries):
        found = simulate(case.network.engine(), DRAWN, 0, case.given)
    assert set(found) == set(case.network.states)
    for name, posterior in case.network.posterior(case.weights).items():
        shares = np.bincount(found[name], minlength=len(posterior)) / DRAWN
        for share, p in zip(shares, posterior, strict=True):
            assert share == pytest.approx(float(p), abs=allowed(float(p), DRAWN))
            assert p > 0 or share == 0, "what is impossible never comes out"


@settings(max_examples=60)
@given(possible_cases)
def test_cases_by_rejection_follow_the_exact_posterior(case: Case) -> None:
    """States, lists and likelihoods alike: every node has its posterior, within six standard errors."""
    check_frequencies(case, 20_000_000)


@settings(max_examples=60)
@given(possible_cases)
def test_cases_by_the_chain_rule_follow_the_exact_posterior(case: Case) -> None:
    """The same where what is given is taken as too rare for rejection."""
    check_frequencies(case, 0)


@pytest.mark.parametrize(("tries", "method"), [(10**7, "rejection"), (0, "chain")])
def test_nodes_come_out_together_as_they_should(asia: Engine, tries: int, method: str) -> None:
    """Not only each on its own: the joint distribution of three nodes given two findings."""
    findings = {"dysp": "yes", "xray": "yes"}
    names = ["tub", "lung", "bronc"]
    with rejecting_at_most(tries):
        found = simulate(asia, DRAWN, 1, findings, names)
    assert found.method == method
    assert list(found) == names
    exact = asia.joint(findings, names)
    for states in product(range(2), repeat=3):
        share = np.all([found[name] == state for name, state in zip(names, states, strict=True)], axis=0).mean()
        p = float(exact[states])
        assert share == pytest.approx(p, abs=allowed(p, DRAWN))


def test_what_is_given_at_the_roots_needs_no_rejection(asia: Engine) -> None:
    """A root, and a node below it that is given too, are simply set."""
    found = simulate(asia, 50, 0, {"asia": "yes", "smoke": ["yes", "no"], "tub": {"yes": 0.3, "no": 0.1}})
    assert found.method == "direct"
    assert (found["asia"] == asia.states["asia"].index("yes")).all()


def test_the_rarest_of_findings_can_be_given(alarm: Engine) -> None:
    """Findings seen once in 150,000: each case meets them all, and the posteriors are right."""
    findings = {"HRBP": "LOW", "CVP": "HIGH", "BP": "HIGH", "EXPCO2": "LOW", "PAP": "LOW", "PRESS": "ZERO"}
    assert alarm.log_evidence(findings) < np.log(1e-5)
    found = simulate(alarm, 1_000, 0, findings, [*findings, "LVFAILURE", "HYPOVOLEMIA"])
    assert found.method == "chain"
    for name, state in findings.items():
        assert (found[name] == alarm.states[name].index(state)).all()
    for name, posterior in alarm.query(findings, ["LVFAILURE", "HYPOVOLEMIA"]).items():
        share = float((found[name] == 0).mean())
        first = posterior[alarm.states[name][0]]
        assert share == pytest.approx(first, abs=allowed(first, 1_000))


def test_the_same_seed_gives_the_same_cases(asia: Engine) -> None:
    """And another seed gives others."""
    first, again, other = (simulate(asia, 200, seed, {"dysp": "yes"}) for seed in (5, 5, 6))
    assert all((first[name] == again[name]).all() for name in first)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize(
    ("n", "before", "nodes", "message"),
    [
        (0, {}, None, "n: must be a whole number from 1, got 0"),
        (10, {}, ["lungs"], r"nodes: must name known nodes, got 'lungs' \(did you mean 'lung'\?\)"),
        (10, {"xray": "maybe"}, None, "xray: must be one of yes, no, got 'maybe'"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    asia: Engine, n: int, before: dict[str, Observation], nodes: list[str] | None, message: str
) -> None:
    """One sentence says what was got."""
    with pytest.raises(InvalidInputError, match=message):
        simulate(asia, n, 0, before, nodes)


def test_impossible_circumstances_are_named(asia: Engine) -> None:
    """What cannot be is not simulated."""
    with pytest.raises(ImpossibleEvidenceError, match="either = no and tub = yes"):
        simulate(asia, 10, 0, {"either": "no", "tub": "yes"})


# ---- percentile --------------------------------------------------------------------------------------------------


def test_the_percentile_estimates_the_mass_of_what_is_as_improbable(asia: Engine) -> None:
    """All patterns of four findings, enumerated: the share is near the probability of those not above this one."""
    evidence = {"xray": "yes", "dysp": "no", "smoke": "no", "bronc": "yes"}
    names = list(evidence)
    exact = asia.joint({"asia": "yes"}, names)
    own = exact[tuple(asia.states[name].index(state) for name, state in evidence.items())]
    mass = float(exact[exact <= own * (1 + 1e-9)].sum())
    found = percentile_of_evidence(asia, evidence, {"asia": "yes"}, n=DRAWN, seed=2)
    assert found.share == pytest.approx(mass, abs=allowed(mass, DRAWN))
    assert found.log_evidence == pytest.approx(np.log(own), abs=1e-9)
    assert found.share == (found.as_improbable + 1) / (DRAWN + 1)
    assert found.patterns <= exact.size


def test_a_vague_observation_is_compared_with_ones_as_vague(asia: Engine) -> None:
    """A likelihood is a test with two outcomes: as reported with that chance, else the opposite."""
    likelihood = {"yes": 1.0, "no": 0.2}
    found = percentile_of_evidence(asia, {"dysp": likelihood, "smoke": "no"}, n=DRAWN, seed=3)
    joint = asia.joint({}, ["dysp", "smoke"])
    chance = np.array([likelihood[state] for state in asia.states["dysp"]])
    patterns = np.stack([(1 - chance) @ joint, chance @ joint])
    own = patterns[1, asia.states["smoke"].index("no")]
    mass = float(patterns[patterns <= own * (1 + 1e-9)].sum())
    assert 0 < mass < 1
    assert found.share == pytest.approx(mass, abs=allowed(mass, DRAWN))
    assert found.log_evidence == pytest.approx(np.log(own), abs=1e-9)


def test_the_most_probable_findings_are_as_improbable_as_all(asia: Engine) -> None:
    """Everyone is at least as improbable as a patient with the most probable pattern."""
    found = percentile_of_evidence(asia, {"asia": "no", "tub": "no", "xray": "no"})
    assert found.share == 1.0


@pytest.mark.parametrize("vague", [["yes", "no"], {"yes": 2.0, "no": 2.0}, None])
def test_an_observation_that_rules_nothing_out_changes_nothing(asia: Engine, vague: Observation) -> None:
    """It is left out of the comparison."""
    assert percentile_of_evidence(asia, {"dysp": "yes", "xray": vague}) == percentile_of_evidence(asia, {"dysp": "yes"})


def test_percentiles_of_cases_from_the_model_are_about_uniform(alarm: Engine) -> None:
    """Of cases that the network makes, a share p comes out at p or below, within the error of 150 of them.

    Patterns that tie push a percentile up, never down (Besag & Clifford 1989); with 14 findings ties are few.
    """
    names = ["HRBP", "CVP", "BP", "EXPCO2", "PAP", "PRESS", "HREKG", "HRSAT", "SAO2", "HISTORY", "MINVOL", "CO"]
    names += ["PCWP", "TPR"]
    cases = 150
    drawn = simulate(alarm, cases, 11, nodes=names)
    shares = np.array(
        [
            percentile_of_evidence(
                alarm, {name: alarm.states[name][drawn[name][row]] for name in names}, n=200, seed=1_000 + row
            ).share
            for row in range(cases)
        ]
    )
    for p in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9):
        assert (shares <= p).mean() == pytest.approx(p, abs=3 * np.sqrt(p * (1 - p) / cases) + 0.02)
    assert shares.mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("evidence", "before", "message"),
    [
        ({"xray": "yes"}, {"xray": "yes"}, "evidence: must not name what is given, got 'xray' in both"),
        ({}, {}, "evidence: at least one observation must rule something out, got none"),
        ({"xray": ["yes", "no"]}, {}, "evidence: at least one observation must rule something out, got none"),
    ],
)
def test_nothing_to_compare_is_refused(
    asia: Engine, evidence: dict[str, Observation], before: dict[str, Observation], message: str
) -> None:
    """One sentence says why."""
    with pytest.raises(InvalidInputError, match=message):
        percentile_of_evidence(asia, evidence, before)


def test_impossible_findings_have_no_percentile(asia: Engine) -> None:
    """They are named instead."""
    with pytest.raises(ImpossibleEvidenceError, match="either = no and tub = yes"):
        percentile_of_evidence(asia, {"tub": "yes"}, {"either": "no"})
