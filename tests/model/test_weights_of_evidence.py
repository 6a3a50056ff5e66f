"""Weights of evidence, their order-free shares, removals and twins: against the definition on random networks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import bif
from oracle import Network
from rootcause.engine import Engine, Observation, Shape, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.removals import removals, twins
from rootcause.reasoning.scales import Scales
from rootcause.reasoning.weights import (
    DECIBANS_PER_NAT,
    STRENGTHS,
    OrderFreeSheet,
    Sheet,
    in_words,
    shares_of_evidence,
    weights_in_order,
)
from strategies import Case, networks, possible_cases, random_networks

CLOSE = 1e-9
Weights = Mapping[str, tuple[Fraction, ...]]


@dataclass(frozen=True)
class Question:
    """A case, how many of its findings are context, and what is asked about."""

    case: Case
    context: int
    target: str
    state: str

    @property
    def given(self) -> dict[str, Observation]:
        """The context."""
        return dict(list(self.case.given.items())[: self.context])

    @property
    def findings(self) -> dict[str, Observation]:
        """The findings."""
        return dict(list(self.case.given.items())[self.context :])

    @property
    def base(self) -> dict[str, tuple[Fraction, ...]]:
        """The context in the form of the definition."""
        return {name: self.case.weights[name] for name in self.given}

    @property
    def arguments(self) -> tuple[dict[str, Observation], str, str, dict[str, Observation]]:
        """What every question takes after the engine."""
        return self.findings, self.target, self.state, self.given

    def masses(self, findings: Weights) -> tuple[Fraction, Fraction]:
        """Return P(state, context, findings) and P(another state, context, findings)."""
        network, evidence = self.case.network, {**self.base, **findings}
        states = network.states[self.target]
        holds = network.mass({**evidence, self.target: tuple(Fraction(s == self.state) for s in states)})
        return holds, network.mass(evidence) - holds

    def as_found(self, names: object) -> dict[str, tuple[Fraction, ...]]:
        """Return the chosen findings, as found."""
        return {name: self.case.weights[name] for name in self.findings if name in list(names)}  # type: ignore[call-overload]


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Draw a possible case with a target on which there is no evidence."""
    case = draw(possible_cases)
    free = [name for name in case.network.states if name not in case.given]
    assume(free)
    target = draw(st.sampled_from(free))
    state = draw(st.sampled_from(case.network.states[target]))
    return Question(case, draw(st.integers(0, min(2, len(case.given)))), target, state)


def chance(masses: tuple[Fraction, Fraction]) -> float:
    """Return P(hypothesis)."""
    return float(masses[0] / sum(masses))


def odds(masses: tuple[Fraction, Fraction]) -> float:
    """Return ln of the odds, infinite where decided."""
    if not all(masses):
        return math.inf if masses[0] else -math.inf
    return math.log(masses[0]) - math.log(masses[1])


@random_networks
@given(questions())
def test_a_weight_is_the_log_ratio_of_how_well_both_sides_foretell_the_finding(question: Question) -> None:
    """Good's definition, finding after finding; and the first that leaves one side alone decides."""
    found = weights_in_order(question.case.network.engine(), *question.arguments)
    names = [*question.findings]
    assert [weight.finding for weight in found.weights] == names
    assert found.prior == pytest.approx(chance(question.masses({})), abs=CLOSE)
    decisive = None
    for k, weight in enumerate(found.weights):
        before, after = (question.masses(question.as_found(names[:n])) for n in (k, k + 1))
        assert weight.before == pytest.approx(chance(before), abs=CLOSE)
        assert weight.after == pytest.approx(chance(after), abs=CLOSE)
        if all(after):
            foretold = [one / other for one, other in zip(after, before, strict=True)]
            assert weight.nats == pytest.approx(math.log(foretold[0] / foretold[1]), abs=CLOSE)
            assert weight.decides is None
        else:
            assert weight.nats is None
            expected = ("proved" if after[0] else "ruled_out") if all(before) else None
            assert weight.decides == expected
            decisive = weight.finding if expected else decisive
    final = question.masses(question.as_found(names))
    assert found.posterior == pytest.approx(chance(final), abs=CLOSE)
    assert found.decisive == decisive
    assert found.decided == (None if all(final) else "proved" if final[0] else "ruled_out")


@random_networks
@given(questions())
def test_both_sheets_add_up_to_the_change_of_log_odds(question: Question) -> None:
    """To 1e-9; where the change is infinite neither gives a number for it."""
    engine = question.case.network.engine()
    in_order = weights_in_order(engine, *question.arguments)
    without = shares_of_evidence(engine, *question.arguments)
    sampled = shares_of_evidence(engine, *question.arguments, exact_up_to=0, samples=6)
    final = question.masses(question.as_found(question.findings))
    if not all(final):
        assert in_order.change is None
        assert without.change is None
        assert without.shares is None
        assert without.statement() is not None
        return
    change = odds(final) - odds(question.masses({}))
    for sheet in (without, sampled):
        assert sheet.shares is not None
        assert math.fsum(share.nats for share in sheet.shares) == pytest.approx(change, abs=CLOSE)
        assert sheet.statement() is None
    assert in_order.change == pytest.approx(change, abs=CLOSE)
    assert math.fsum(weight.nats or 0 for weight in in_order.weights) == pytest.approx(change, abs=CLOSE)


@st.composite
def open_questions(draw: st.DrawFn) -> Question:
    """Draw up to four findings, all of whose states stay possible, and a target that is not decided."""
    network = draw(networks())
    evens = {name: (Fraction(1),) * len(states) for name, states in network.states.items()}
    prior = network.posterior(evens)
    undecided = [
        (name, state)
        for name, states in network.states.items()
        for state, p in zip(states, prior[name], strict=True)
        if 0 < p < 1
    ]
    assume(undecided)
    target, state = draw(st.sampled_from(undecided))
    others = [name for name in network.states if name != target]
    chosen = draw(st.lists(st.sampled_from(others), unique=True, max_size=4)) if others else []
    size = {name: len(network.states[name]) for name in chosen}
    drawn = {name: draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)) for name, n in size.items()}
    observed: dict[str, Observation] = {
        name: dict(zip(network.states[name], map(float, numbers), strict=True)) for name, numbers in drawn.items()
    }
    weights = {name: tuple(Fraction(n, max(numbers)) for n in numbers) for name, numbers in drawn.items()}
    return Question(Case(network, observed, weights), 0, target, state)


@random_networks
@given(open_questions())
def test_shares_are_weights_averaged_over_all_orders_of_entry(question: Question) -> None:
    """And so hang on none of them, neither exact nor sampled."""
    engine = question.case.network.engine()
    total = dict.fromkeys(question.findings, 0.0)
    orders = [dict(order) for order in permutations(question.findings.items())]
    for order in orders:
        for weight in weights_in_order(engine, order, *question.arguments[1:]).weights:
            total[weight.finding] += (weight.nats or 0) / len(orders)
    for order in orders:
        shares = shares_of_evidence(engine, order, *question.arguments[1:]).shares
        assert {share.finding: share.nats for share in shares or ()} == pytest.approx(total, abs=CLOSE)
    sampled = [
        shares_of_evidence(engine, order, *question.arguments[1:], exact_up_to=0, samples=4, seed=3).shares
        for order in orders
    ]
    first = {share.finding: share.nats for share in sampled[0] or ()}
    for shares in sampled:
        assert {share.finding: share.nats for share in shares or ()} == pytest.approx(first, abs=CLOSE)


@random_networks
@given(questions())
def test_the_findings_that_decide_are_named(question: Question) -> None:
    """Each that decides alone; or a set that decides together, and without any one of them does not."""
    found = shares_of_evidence(question.case.network.engine(), *question.arguments)
    final = question.masses(question.as_found(question.findings))
    alone = [name for name in question.findings if not all(question.masses(question.as_found([name])))]
    if all(final) or not all(question.masses({})):
        assert found.decisive == ()
    elif alone:
        assert found.decisive == tuple((name,) for name in alone)
    else:
        (group,) = found.decisive
        assert not all(question.masses(question.as_found(group)))
        for name in group:
            assert all(question.masses(question.as_found([other for other in group if other != name])))


@random_networks
@given(questions())
def test_a_removal_leaves_the_other_findings(question: Question) -> None:
    """The posterior without each finding, and the divergence of the two by its definition."""
    found = removals(question.case.network.engine(), *question.arguments)
    final = chance(question.masses(question.as_found(question.findings)))
    assert [removal.finding for removal in found] == [*question.findings]
    for removal in found:
        rest = [name for name in question.findings if name != removal.finding]
        without = chance(question.masses(question.as_found(rest)))
        assert removal.without == pytest.approx(without, abs=CLOSE)
        assert removal.change == pytest.approx(without - final, abs=CLOSE)
        pairs = [(final, without), (1 - final, 1 - without)]
        expected = math.fsum(p * math.log(p / q) for p, q in pairs if p > 0)
        assert removal.divergence == pytest.approx(expected, abs=1e-7)
        assert removal.divergence >= 0


@random_networks
@given(questions())
def test_a_twin_differs_in_one_finding(question: Question) -> None:
    """Every other state of every finding, and what cannot be is said to be so."""
    network = question.case.network
    found = {(twin.finding, twin.state): twin for twin in twins(network.engine(), *question.arguments)}
    final = chance(question.masses(question.as_found(question.findings)))
    expected = []
    for name in question.findings:
        weight = question.case.weights[name]
        for k, state in enumerate(network.states[name]):
            if weight[k] and not any(weight[:k] + weight[k + 1 :]):
                continue
            expected.append((name, state))
            other = tuple(Fraction(s == state) for s in network.states[name])
            masses = question.masses({**question.as_found(question.findings), name: other})
            twin = found[name, state]
            if not any(masses):
                assert twin.posterior is None
                assert twin.change is None
            else:
                assert twin.posterior == pytest.approx(chance(masses), abs=CLOSE)
                assert twin.change == pytest.approx(chance(masses) - final, abs=CLOSE)
    assert [*found] == expected


@random_networks
@given(networks(), st.data())
def test_a_hypothesis_may_speak_of_several_nodes(network: Network, data: st.DataObject) -> None:
    """Its opposite is that any of them is in another state, however little of the whole that is."""
    chosen = data.draw(st.lists(st.sampled_from([*network.states]), unique=True, min_size=1))
    hypothesis = {name: data.draw(st.sampled_from(network.states[name]), label=name) for name in chosen}
    findings = {
        name: data.draw(st.sampled_from(network.states[name]), label=name)
        for name in network.states
        if name not in hypothesis
    }

    def sure(states: Mapping[str, str]) -> Weights:
        return {name: tuple(Fraction(s == state) for s in network.states[name]) for name, state in states.items()}

    assume(network.mass(sure(findings)))
    scales = Scales(network.engine(), hypothesis, findings, {})
    for row, masses in zip(scales.in_order(), scales.log_masses(scales.in_order()).tolist(), strict=True):
        entered = {name: findings[name] for name, choice in zip(findings, row, strict=True) if choice == 0}
        holds = network.mass({**sure(entered), **sure(hypothesis)})
        opposite = network.mass(sure(entered)) - holds
        for log, mass in zip(masses, (holds, opposite), strict=True):
            assert log == (pytest.approx(math.log(mass), abs=CLOSE) if mass else -math.inf)


# ---- reference numbers and what is far out --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def asia() -> Engine:
    """Lauritzen & Spiegelhalter 1988, in the file of the bnlearn repository."""
    return compile_network(bif.read("asia"))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (("xray", "dysp"), (2.7986896730117556, 0.5400311755156142)),
        (("dysp", "xray"), (0.6769160997199386, 2.661804748807431)),
    ],
)
def test_weights_of_evidence_on_asia(asia: Engine, order: tuple[str, ...], expected: tuple[float, ...]) -> None:
    """For lung cancer; computed apart from this engine by summing over the whole joint distribution."""
    found = weights_in_order(asia, dict.fromkeys(order, "yes"), "lung", "yes")
    assert [weight.nats for weight in found.weights] == pytest.approx(expected, abs=CLOSE)
    assert found.change == pytest.approx(3.3387208485273696, abs=CLOSE)
    assert (found.prior, found.posterior) == pytest.approx((0.055, 0.62125280), abs=1e-8)
    decibans = [weight.decibans for weight in found.weights]
    assert decibans == pytest.approx([value * 10 / math.log(10) for value in expected])


def test_shapley_values_on_asia(asia: Engine) -> None:
    """The same two findings, free of their order."""
    case = {"xray": "yes", "dysp": "yes"}
    found = shares_of_evidence(asia, case, "lung", "yes")
    assert found.exact
    assert found.shares is not None
    expected = {"xray": 2.730247210909593, "dysp": 0.6084736376177764}
    assert {share.finding: share.nats for share in found.shares} == pytest.approx(expected, abs=CLOSE)
    assert [share.words for share in found.shares] == ["strongly for", "barely for"]
    without = {removal.finding: removal.without for removal in removals(asia, case, "lung", "yes")}
    assert without == pytest.approx({"xray": 0.10275922, "dysp": 0.48871140}, abs=1e-8)


def test_what_is_given_is_no_finding_and_changes_the_weights(asia: Engine) -> None:
    """With the visit and smoking as context, breathlessness weighs otherwise than without."""
    given_ = {"asia": "yes", "smoke": "yes"}
    found = weights_in_order(asia, {"dysp": "yes"}, "lung", "yes", given_)
    assert found.prior == pytest.approx(0.1)
    assert found.posterior == pytest.approx(0.14551908, abs=1e-8)
    assert found.weights[0].nats == pytest.approx(math.log(0.14551908 / 0.85448092 * 9), abs=1e-6)
    alone = weights_in_order(asia, {"dysp": "yes"}, "lung", "yes").weights[0].nats
    assert alone == pytest.approx(0.6769160997199386, abs=CLOSE)


def test_a_decided_hypothesis_is_no_longer_weighed(asia: Engine) -> None:
    """Neither tuberculosis nor cancer: cancer is ruled out by that, and what comes after adds nothing."""
    case: dict[str, Observation] = {"xray": "yes", "either": "no", "dysp": "yes"}
    found = weights_in_order(asia, case, "lung", "yes")
    assert [weight.words for weight in found.weights] == [
        "strongly for",
        "rules it out",
        "adds nothing: decided",
    ]
    assert found.decisive == "either"
    assert [weight.decibans for weight in found.weights[1:]] == [None, None]
    shared = shares_of_evidence(asia, case, "lung", "yes")
    assert shared.statement() == "Ruled out by either: an infinite weight has no shares."
    together = shares_of_evidence(asia, {"either": "yes", "xray": "yes", "tub": "no"}, "lung", "yes")
    assert together.decisive == (("either", "tub"),)
    assert together.statement(str.upper) == "Proved by EITHER with TUB: an infinite weight has no shares."
    before = shares_of_evidence(asia, {"xray": "yes"}, "lung", "yes", {"either": "no"})
    assert before.decisive == ()
    assert before.statement() == "Ruled out by the context, before any finding: an infinite weight has no shares."
    assert weights_in_order(asia, {"xray": "yes"}, "lung", "yes", {"either": "no"}).weights[0].decides is None


def test_a_posterior_that_rounds_to_one_is_not_proved() -> None:
    """Ten findings of a ratio of 10^12 each: 1200 decibans, all of them kept."""
    names = [f"sign{k}" for k in range(10)]
    shape = Shape(dict.fromkeys(["cause", *names], ("no", "yes")), {"cause": (), **dict.fromkeys(names, ("cause",))})
    sign = np.array([[1 - 1e-13, 1e-13], [0.9, 0.1]])[..., np.newaxis]
    engine = Engine(shape, lambda name: np.full((2, 1), 0.5) if name == "cause" else sign)
    for state, way in (("yes", 1), ("no", -1)):
        found = weights_in_order(engine, dict.fromkeys(names, "yes"), "cause", state)
        assert found.decided is None
        assert found.posterior == (1.0 if way > 0 else pytest.approx(1e-120))
        assert [weight.decibans for weight in found.weights] == pytest.approx([way * 120] * 10)
        shares = shares_of_evidence(engine, dict.fromkeys(names, "yes"), "cause", state).shares
        assert [share.decibans for share in shares or ()] == pytest.approx([way * 120] * 10)


def test_without_findings_nothing_is_said(asia: Engine) -> None:
    """Both sheets are empty and change nothing."""
    in_order = weights_in_order(asia, {}, "lung", "yes")
    assert in_order == Sheet(in_order.prior, in_order.prior, 0.0, (), None, None)
    shared = shares_of_evidence(asia, {"xray": None}, "lung", "yes")
    assert shared == OrderFreeSheet(in_order.prior, in_order.prior, 0.0, (), exact=True, decided=None, decisive=())
    assert removals(asia, {}, "lung", "yes") == ()
    assert twins(asia, {}, "lung", "yes") == ()


@given(st.floats(-60, 60))
def test_words_follow_the_size_and_the_direction(nats: float) -> None:
    """The stronger the finding the stronger the word, and the mirror image speaks for the other side."""
    words = [word for _, word in STRENGTHS]
    said, *_, direction = in_words(nats).split()
    if said == "neither":
        assert abs(nats) * DECIBANS_PER_NAT < 0.1
        return
    assert direction == ("for" if nats > 0 else "against")
    assert in_words(-nats).split()[0] == said
    stronger = in_words(nats * 1.5).split()[0]
    assert words.index(stronger) >= words.index(said)
    assert (math.exp(abs(nats)) < 2) == (said == "barely")
    assert (math.exp(abs(nats)) >= 100) == (said == "decisively")


@pytest.mark.parametrize(
    ("evidence", "target", "state", "given_", "message"),
    [
        (
            {"xray": "yes"},
            "lungs",
            "yes",
            {},
            r"^target: every node must be in the network, got 'lungs' \(did you mean",
        ),
        ({"xray": "yes"}, "lung", "maybe", {}, r"^lung: must be one of yes, no, got 'maybe'"),
        ({"x": "yes"}, "lung", "yes", {}, r"^evidence: every node must be in the network, got 'x'"),
        ({"lung": "yes"}, "lung", "yes", {}, r"^findings: must not hold what is asked about, got 'lung'$"),
        ({"xray": "yes"}, "lung", "yes", {"xray": "yes"}, r"^findings: must not hold what is given .*, got 'xray'$"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    asia: Engine,
    evidence: dict[str, Observation],
    target: str,
    state: str,
    given_: dict[str, Observation],
    message: str,
) -> None:
    """All four questions say the same."""
    for ask in (weights_in_order, shares_of_evidence, removals, twins):
        with pytest.raises(InvalidInputError, match=message):
            ask(asia, evidence, target, state, given_)


def test_impossible_findings_are_refused(asia: Engine) -> None:
    """With the findings that clash."""
    case = {"tub": "yes", "xray": "yes", "either": "no"}
    for ask in (weights_in_order, shares_of_evidence, removals, twins):
        with pytest.raises(ImpossibleEvidenceError, match=r"tub = yes and either = no cannot hold together"):
            ask(asia, case, "lung", "yes")
    with pytest.raises(InvalidInputError, match=r"^target: must name at least one node, got none$"):
        Scales(asia, {}, {}, {})
