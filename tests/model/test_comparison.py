"""Two cases side by side, and the difference told apart by what differs."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations, product
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import bif
from oracle import Likelihoods, Network
from rootcause import load_model, shipped_cases
from rootcause.case import moments, parse_case
from rootcause.comparison import DECIBANS, Attribution, attribute, changed, compare
from rootcause.diagnosis import posterior
from rootcause.engine import Engine, Observation, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.findings import Case
from strategies import networks, random_networks


def case_of(observed: Mapping[str, Observation]) -> Case:
    """Return a case of any network."""
    return Case(observed, observed, MappingProxyType({}))


@pytest.fixture(scope="module")
def asia() -> Engine:
    """The network of Lauritzen & Spiegelhalter 1988."""
    return compile_network(bif.read("asia"))


# ---- by the definition, on any network -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two sets of evidence on one network, both possible, and what is asked for."""

    network: Network
    before: dict[str, str]
    after: dict[str, str]
    node: str
    state: str

    def odds(self, observed: Mapping[str, str]) -> Fraction | None:
        """Return the odds of the state asked for, in fractions; ``None`` where there are none."""
        weights: Likelihoods = {
            name: tuple(Fraction(state == seen) for state in self.network.states[name])
            for name, seen in observed.items()
        }
        if not self.network.mass(weights):
            return None
        share = self.network.posterior(weights)[self.node][self.network.states[self.node].index(self.state)]
        return share / (1 - share) if 0 < share < 1 else None

    def mixture(self, players: Iterable[tuple[str, ...]], chosen: Iterable[bool]) -> dict[str, str]:
        """Return the evidence with some players from the second case and the rest from the first."""
        names = {name for name in self.before if self.before[name] == self.after.get(name)}
        observed = {name: self.before[name] for name in names}
        for player, one in zip(players, chosen, strict=True):
            side = self.after if one else self.before
            observed |= {name: side[name] for name in player if name in side}
        return observed


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Draw a network with two sets of evidence, both with odds for one state of another node."""
    network = draw(networks(5))
    node = draw(st.sampled_from([*network.states]))
    others = [name for name in network.states if name != node]
    sides = []
    for _ in range(2):
        names = draw(st.lists(st.sampled_from(others), unique=True, max_size=4)) if others else []
        sides.append({name: draw(st.sampled_from(network.states[name])) for name in names})
    pair = Pair(network, sides[0], sides[1], node, draw(st.sampled_from(network.states[node])))
    assume(pair.odds(pair.before) is not None and pair.odds(pair.after) is not None)
    return pair


def told_apart(pair: Pair) -> Attribution:
    """Return what the engine says of a pair."""
    return attribute(pair.network.engine(), case_of(pair.before), case_of(pair.after), pair.node, state=pair.state)


@random_networks
@given(pairs())
def test_the_shares_are_those_of_the_definition(pair: Pair) -> None:
    """Averaged over all orders in exact fractions, each player brings what it is said to bring, and all add up."""
    found = told_apart(pair)
    players = [tuple(change.name for change in share.changes) for share in found.shares]
    worth = {}
    for chosen in product((False, True), repeat=len(players)):
        odds = pair.odds(pair.mixture(players, chosen))
        assert odds is not None
        worth[chosen] = math.log(odds)
    assert found.total is not None
    assert math.isclose(sum(share.nats for share in found.shares), found.total, abs_tol=1e-9)
    for player, share in enumerate(found.shares):
        gains = []
        for order in permutations(range(len(players))):
            before = order[: order.index(player)]
            without = tuple(other in before for other in range(len(players)))
            with_it = tuple(other in before or other == player for other in range(len(players)))
            gains.append(worth[with_it] - worth[without])
        assert math.isclose(share.nats, sum(gains) / len(gains), abs_tol=1e-9)


@random_networks
@given(pairs())
def test_every_difference_has_one_place_and_is_joined_only_where_it_must(pair: Pair) -> None:
    """What differs is in exactly one share, and alone unless some mixture of the two cases has no odds."""
    found = told_apart(pair)
    names = [change.name for share in found.shares for change in share.changes]
    differing = {name for name in {**pair.before, **pair.after} if pair.before.get(name) != pair.after.get(name)}
    relevant = {name for name in differing if len(pair.network.states[name]) > 1}  # one state says nothing
    assert sorted(names) == sorted(relevant)
    alone = [(name,) for name in names]
    mixtures = (pair.mixture(alone, chosen) for chosen in product((False, True), repeat=len(alone)))
    if all(pair.odds(mixture) is not None for mixture in mixtures):
        assert all(len(share.changes) == 1 for share in found.shares)
    elif len(names) > 1:
        assert any(len(share.changes) > 1 for share in found.shares)


@random_networks
@given(pairs())
def test_the_way_back_is_the_way_there(pair: Pair) -> None:
    """With the cases exchanged, the total changes its sign."""
    there = told_apart(pair)
    back = told_apart(Pair(pair.network, pair.after, pair.before, pair.node, pair.state))
    assert there.total is not None
    assert back.total is not None
    assert math.isclose(there.total, -back.total, abs_tol=1e-9)
    assert (there.posterior.before, there.posterior.after) == (back.posterior.after, back.posterior.before)


# ---- known numbers -------------------------------------------------------------------------------------------------


def test_the_reference_shares_of_asia(asia: Engine) -> None:
    """From nothing to x-ray and dyspnea: the Shapley values of both for lung cancer, in nats."""
    found = attribute(asia, case_of({}), case_of({"xray": "yes", "dysp": "yes"}), "lung", state="yes")
    shares = {share.changes[0].name: share.nats for share in found.shares}
    assert shares == pytest.approx({"xray": 2.730247211, "dysp": 0.608473638}, abs=1e-9)
    assert found.total == pytest.approx(3.338720849, abs=1e-9)
    assert found.exact
    assert found.shares[0].decibans == pytest.approx(2.730247211 * DECIBANS)


def test_what_cannot_be_mixed_is_one_player(asia: Engine) -> None:
    """Tuberculosis with neither disease cannot be: both changes come together, the x-ray by itself."""
    before, after = case_of({"either": "no", "xray": "no"}), case_of({"tub": "yes", "xray": "yes"})
    found = attribute(asia, before, after, "bronc", state="yes")
    assert {frozenset(change.name for change in share.changes) for share in found.shares} == {
        frozenset({"either", "tub"}),
        frozenset({"xray"}),
    }
    assert found.total is not None
    assert sum(share.nats for share in found.shares) == pytest.approx(found.total, abs=1e-9)
    assert "cannot be told apart" in found.to_text()


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"tub": "yes"}, {}, "The first case makes it certain"),
        ({}, {"tub": "yes"}, "The second case makes it certain"),
        ({"tub": "no", "lung": "no"}, {}, "The first case rules it out"),
        ({"tub": "no", "lung": "no"}, {"tub": "yes"}, "The first case rules it out and the second makes it certain"),
        ({"tub": "yes"}, {"lung": "yes"}, "Both cases make it certain"),
        ({"tub": "no", "lung": "no"}, {"either": "no"}, "Both cases rule it out"),
    ],
)
def test_a_cause_that_is_settled_has_no_shares(
    asia: Engine, before: dict[str, str], after: dict[str, str], sentence: str
) -> None:
    """Where one side knows, there are no odds to compare: said in words, with no number that is not one."""
    found = attribute(asia, case_of(before), case_of(after), "either", state="yes")
    assert found.decisive is not None
    assert found.decisive.startswith(sentence)
    assert (found.total, found.shares) == (None, ())
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.decisive in found.to_text()


def test_many_differences_are_sampled_and_still_add_up(asia: Engine) -> None:
    """Above the limit the shares are estimates with an error, and their sum is exact."""
    before = case_of({"xray": "no", "dysp": "no", "smoke": "no", "asia": "no"})
    after = case_of({"xray": "yes", "dysp": "yes", "smoke": "yes", "asia": "yes"})
    exact = attribute(asia, before, after, "lung", state="yes")
    found = attribute(asia, before, after, "lung", state="yes", exact_up_to=3, samples=100, seed=7)
    assert not found.exact
    assert found.total is not None
    assert math.isclose(sum(share.nats for share in found.shares), found.total, abs_tol=1e-9)
    known = {share.changes: share.nats for share in exact.shares}
    for share in found.shares:
        assert share.error is not None
        assert abs(share.nats - known[share.changes]) <= 5 * share.error + 1e-9
    assert "±" in found.to_text()


def test_likelihoods_differ_by_their_ratios(asia: Engine) -> None:
    """Twice the likelihoods say the same; a likelihood that says nothing is no difference to not looking."""
    one, two = case_of({"xray": {"yes": 0.8, "no": 0.1}}), case_of({"xray": {"yes": 0.4, "no": 0.05}})
    assert changed(asia, one, two) == ()
    assert changed(asia, case_of({}), case_of({"xray": ["yes", "no"]})) == ()
    (change,) = changed(asia, one, case_of({"xray": "yes"}))
    assert (change.before, change.after) == ({"yes": 0.8, "no": 0.1}, "yes")
    found = attribute(asia, one, two, "lung", state="yes")
    assert (found.total, found.shares) == (0.0, ())
    assert "Nothing differs." in found.to_text()
    assert "Nothing differs." in compare(asia, one, two, {"lung": "yes"}).to_text()


# ---- the shipped network -------------------------------------------------------------------------------------------

TWO_DAYS = {
    "examinations": [
        {
            "findings": {
                "procedure": "open_microdiscectomy",
                "level": "L4-L5",
                "preoperative_deficit": "none",
                "symptom_onset": 0,
                "examination_day": 1,
                "leg_weakness": "absent",
            }
        },
        {"findings": {"examination_day": 20, "symptom_onset": 15, "toe_dorsiflexion": 3, "numbness_l5": "present"}},
    ]
}


def test_two_moments_side_by_side() -> None:
    """Both columns are the answers of the model; what differs is listed, the derived course among it."""
    model = load_model()
    before, after = moments(TWO_DAYS)
    found = compare(model.engine, before, after)
    for side, case in (("before", before), ("after", after)):
        alone = posterior(model.engine, case)
        assert {c: getattr(pair, side) for c, pair in found.causes.items()} == pytest.approx(
            {cause: float(values[0]) for cause, values in alone.causes.items()}, abs=1e-12
        )
        assert found.none is not None
        assert getattr(found.none, side) == pytest.approx(float(alone.none[0]), abs=1e-12)
        assert found.log_evidence[side == "after"] == pytest.approx(float(alone.log_evidence[0]), abs=1e-12)
    names = {change.name for change in found.changes}
    assert {"toe_dorsiflexion", "leg_weakness", "progression", "deficit_onset", "examination_day"} <= names
    assert "procedure" not in names
    json.dumps(found.to_dict(), allow_nan=False)
    text = found.to_text("day 1", "day 20")
    assert "Epidural hematoma" in text
    assert "- Big toe up (EHL): not examined → weak" in text
    first = max({**found.causes, "none": found.none}.items(), key=lambda item: item[1].after if item[1] else 0)[0]
    label = "None of these" if first == "none" else model.vocabulary.causes[first].label
    assert text.splitlines()[1].startswith(label)


def test_an_onset_and_a_day_that_clash_come_together() -> None:
    """A complaint of the third week cannot be examined on day 1: the two contexts are one player."""
    model = load_model()
    before, after = moments(TWO_DAYS)
    found = attribute(model.engine, before, after, "epidural_hematoma")
    assert found.total is not None
    assert sum(share.nats for share in found.shares) == pytest.approx(found.total, abs=1e-9)
    players = [{change.name for change in share.changes} for share in found.shares]
    assert any({"symptom_onset", "examination_day"} <= player for player in players)
    assert any({"toe_dorsiflexion", "leg_weakness"} <= player for player in players)
    assert math.log(found.posterior.after / (1 - found.posterior.after)) - math.log(
        found.posterior.before / (1 - found.posterior.before)
    ) == pytest.approx(found.total, abs=1e-9)
    json.dumps(found.to_dict(), allow_nan=False)
    assert "dB  together" in found.to_text("day 1", "day 20")


def test_a_cause_that_one_operation_cannot_bring_is_decisive() -> None:
    """Two patients, one without screws."""
    model = load_model()
    one, other = (parse_case(dict(example.findings)) for example in shipped_cases()[:2])
    without, with_screws = sorted((one, other), key=lambda case: case.findings["procedure"] == "fusion")
    found = attribute(model.engine, without, with_screws, "hardware_malposition")
    assert found.decisive == "The first case rules it out: there are no odds to tell apart."
    assert found.posterior.before == 0.0 < found.posterior.after


# ---- what is refused -----------------------------------------------------------------------------------------------


def test_unknown_causes_and_impossible_cases_are_refused(asia: Engine) -> None:
    """One sentence each."""
    nothing, clash = case_of({}), case_of({"tub": "yes", "either": "no"})
    for ask in (
        lambda: compare(asia, nothing, clash, {"lung": "yes"}),
        lambda: compare(asia, clash, nothing, {"lung": "yes"}),
        lambda: attribute(asia, nothing, clash, "lung", state="yes"),
    ):
        with pytest.raises(ImpossibleEvidenceError, match=r"tub = yes and either = no cannot hold together"):
            ask()
    with pytest.raises(InvalidInputError, match=r"cause: must be a known node, got 'lungs' \(did you mean 'lung'\?\)"):
        attribute(asia, nothing, nothing, "lungs")
    with pytest.raises(InvalidInputError, match="the state of lung must be one of yes, no, got 'present'"):
        compare(asia, nothing, nothing, ["lung"])
    with pytest.raises(InvalidInputError, match="at least one node must be named, got none"):
        compare(asia, nothing, nothing, [])


def test_nothing_found_on_both_sides_is_an_answer(asia: Engine) -> None:
    """Two empty cases have the prior on both sides."""
    found = compare(asia, case_of({}), case_of({}), {"lung": "yes"})
    assert (found.causes["lung"].before, found.causes["lung"].after) == pytest.approx((0.055, 0.055))
    assert found.none is None
    assert np.allclose(found.log_evidence, 0)
