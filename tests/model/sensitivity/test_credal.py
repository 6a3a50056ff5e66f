"""Credal bounds: Asia, every corner against plain questions, and draws that must not get out of what is certified."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rootcause import Model
from rootcause.engine import Engine, Shape
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.boxes import Box
from rootcause.sensitivity.credal import credal_bounds
from rootcause.sensitivity.knobs import knobs_of_wholes, knobs_one_by_one, vertices
from rootcause.sensitivity.questions import ask
from rootcause.sensitivity.subjects import EntryRange
from strategies import Case, possible_cases

CLOSE = 1e-9
ASIA = (
    EntryRange("asia", {}, "yes", 0.005, 0.02),
    EntryRange("smoke", {}, "yes", 0.3, 0.6),
    EntryRange("tub", {"asia": "yes"}, "yes", 0.02, 0.10),
)
SEEN = {"xray": "yes", "dysp": "yes"}


# ---- Asia -----------------------------------------------------------------------------------------------------------


def test_the_bounds_on_asia_are_those_of_every_corner(asia: Engine) -> None:
    """[.0998755813, .1620333827]: computed by enumeration of all corners, confirmed by pyAgrum's Monte Carlo."""
    found = credal_bounds(asia, SEEN, "tub", "yes", ranges=ASIA)
    assert found.bounds.lower.value == pytest.approx(0.09987558129191228, abs=1e-12)
    assert found.bounds.upper.value == pytest.approx(0.16203338267350995, abs=1e-12)
    assert found.bounds.exact
    assert found.point == pytest.approx(0.11393332539070085, abs=1e-12)


def test_the_corners_on_asia_are_named(asia: Engine) -> None:
    """The lower bound is at .005, .6 and .02, the upper one at .02, .3 and .10."""
    found = credal_bounds(asia, SEEN, "tub", "yes", ranges=ASIA)
    names = [item.name for item in ASIA]
    assert [found.bounds.lower.at[name] for name in names] == [0.005, 0.6, 0.02]
    assert [found.bounds.upper.at[name] for name in names] == [0.02, 0.3, 0.10]


def test_with_fewer_corners_the_search_still_reaches_the_bounds_and_the_certified_ones_hold_them(asia: Engine) -> None:
    """Where two of three numbers are followed, the bounds over all three are reached, and certified wider."""
    found = credal_bounds(asia, SEEN, "tub", "yes", ranges=ASIA, most=2)
    assert found.corners == 4
    assert found.over_all.lower.value == pytest.approx(0.09987558129191228, abs=1e-12)
    assert found.over_all.upper.value == pytest.approx(0.16203338267350995, abs=1e-12)
    assert 0.05 < found.over_all.certified[0] < 0.0998
    assert 0.1621 < found.over_all.certified[1] < 0.5


def test_a_lead_that_holds_at_every_corner_is_said_to_hold_everywhere(asia: Engine) -> None:
    """No tuberculosis stays ahead of tuberculosis; its lower bound is above the other's upper bound."""
    lead = credal_bounds(asia, SEEN, "tub", ranges=ASIA).lead
    assert (lead.leading, lead.everywhere, lead.dominates, lead.over_all_certain) == ("no", True, True, True)
    assert lead.sentence == "no leads everywhere inside the ranges of all numbers."


def test_a_number_that_alone_overturns_the_lead_is_named(asia: Engine) -> None:
    """Lung cancer leads after both findings unless fewer smoke than .2366946663, the tipping value."""
    ranges = [EntryRange("smoke", {}, "yes", 0.2, 0.6), *ASIA[:1]]
    lead = credal_bounds(asia, SEEN, "lung", ranges=ranges).lead
    assert lead.alone == (("P(smoke=yes)", 0.2, "no"),)
    assert (lead.leading, lead.everywhere, lead.rival) == ("yes", False, "no")
    assert lead.sentence == (
        "yes does not lead everywhere: no is already ahead with P(smoke=yes) alone at the low end of its range, 0.2."
    )
    assert lead.to_dict()["alone"] == [{"number": "P(smoke=yes)", "value": 0.2, "rival": "no", "end": "low"}]
    assert credal_bounds(asia, SEEN, "lung", ranges=[EntryRange("smoke", {}, "yes", 0.24, 0.6)]).lead.alone == ()


# ---- any network ----------------------------------------------------------------------------------------------------


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Case, list[EntryRange], str, str]:
    """Draw a case with ranges for some entries that are neither 0 nor 1, and an outcome."""
    case = draw(possible_cases)
    network = case.network
    entries = [
        (node, column, state, float(share))
        for node, table in network.tables.items()
        for column, row in table.items()
        for state, share in enumerate(row)
        if 0 < share < 1
    ]
    assume(entries)
    chosen = draw(st.lists(st.sampled_from(entries), min_size=1, max_size=5, unique=True))
    ranges = []
    for node, column, state, share in chosen:
        parents = dict(zip(network.parents[node], column, strict=True))
        given_ = {parent: network.states[parent][k] for parent, k in parents.items()}
        low, high = draw(st.floats(0.05, 1)), draw(st.floats(0, 0.95))
        ranges.append(EntryRange(node, given_, network.states[node][state], share * low, share + (1 - share) * high))
    target = draw(st.sampled_from([*network.states]))
    return case, ranges, target, draw(st.sampled_from(network.states[target]))


@contextmanager
def refused_corners_left_out() -> Iterator[None]:
    """Pass over a box with a corner that rules the evidence out: see ``test_a_corner_that_rules_...``."""
    try:
        yield
    except ImpossibleEvidenceError as error:
        assume("at some corner" not in str(error))
        raise


@settings(max_examples=60)
@given(boxes(), st.integers(0, 2**32 - 1))
def test_no_values_in_the_ranges_get_out_of_the_bounds(
    problem: tuple[Case, list[EntryRange], str, str], seed: int
) -> None:
    """Random values inside the box, and its corners, stay within exact bounds and within certified ones over fewer."""
    case, ranges, target, state = problem
    engine = case.network.engine()
    with refused_corners_left_out():
        exact = credal_bounds(engine, case.given, target, state, ranges=ranges)
    fewer = credal_bounds(engine, case.given, target, state, ranges=ranges, most=1)
    question, outcome = ask(engine, case.given, target, state, ranges)
    subject = question.subject
    generator = np.random.default_rng(seed)
    values: dict[str, Any] = {}
    for knob in knobs_of_wholes(subject, subject.points):
        shares = generator.dirichlet(np.full(len(knob.settings), 0.5), 40) @ knob.settings
        values.update(zip(knob.ids, shares.T, strict=True))
    found = question.posteriors(subject.drawn(values, 40))[list(question.outcomes).index(outcome)]
    assert exact.bounds.exact
    assert exact.bounds.lower.value - CLOSE <= found.min() <= found.max() <= exact.bounds.upper.value + CLOSE
    low, high = fewer.over_all.certified
    assert low - CLOSE <= exact.bounds.lower.value <= exact.bounds.upper.value <= high + CLOSE


@pytest.mark.parametrize("target", ["a", "b"])
def test_a_corner_that_rules_the_evidence_out_is_refused(target: str) -> None:
    """What is left beside the fixed shares may all go to the last state, also where the observed node is asked for."""
    tables = {"a": np.array([1, 1, 1, 0]) / 3, "b": np.array([[0.5, 0.5]] * 4)}
    shape = Shape({"a": tuple("0123"), "b": ("no", "yes")}, {"a": (), "b": ("a",)})
    engine = Engine(shape, {name: table[..., np.newaxis] for name, table in tables.items()}.__getitem__)
    ranges = [EntryRange("a", {}, state, 1 / 3, 1 / 3) for state in "12"]
    with pytest.raises(ImpossibleEvidenceError, match="at some corner of the ranges"):
        credal_bounds(engine, {"a": "0"}, target, ranges=ranges)


@settings(max_examples=60)
@given(boxes())
def test_every_corner_is_that_of_plain_questions(problem: tuple[Case, list[EntryRange], str, str]) -> None:
    """P(outcome, evidence) at all corners from one elimination equals one network after another."""
    case, ranges, target, state = problem
    engine = case.network.engine()
    question, outcome = ask(engine, case.given, target, state, ranges)
    subject = question.subject
    knobs = tuple(knobs_of_wholes(subject, question.ids()))
    box = Box(question, knobs, tuple(subject.nodes_of(question.names)[knob.ids[0]] for knob in knobs))
    masses, evidence = box.masses(question.outcomes[outcome]), box.masses(None)
    for corner in product(*(range(size) for size in box.shape)):
        at = {}
        for knob, setting in zip(knobs, corner, strict=True):
            at.update({id_: np.array([value]) for id_, value in zip(knob.ids, knob.settings[setting], strict=True)})
        drawn = subject.drawn(at, 1)
        log = engine.log_probability(question.weights, drawn)[0]
        assert evidence[corner] == pytest.approx(np.exp(log), rel=1e-9, abs=1e-15)
        if np.isfinite(log):
            expected = question.posteriors(drawn)[list(question.outcomes).index(outcome), 0]
            assert masses[corner] == pytest.approx(expected * np.exp(log), rel=1e-9, abs=1e-15)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=5))
def test_the_corners_of_shares_are_distributions_within_their_ranges(rows: list[tuple[float, float, float]]) -> None:
    """They sum to one and keep to the ranges, all but one share at an end, as far as the others let each go."""
    point = np.array([row[0] for row in rows]) / sum(row[0] for row in rows)
    low = point * np.array([row[1] for row in rows])
    high = point + (1 - point) * np.array([row[2] for row in rows])
    corners = vertices(low, high)
    np.testing.assert_allclose(corners.sum(axis=1), 1, atol=1e-9)
    at_end = np.isclose(corners, low, atol=1e-8) | np.isclose(corners, high, atol=1e-8)
    assert (at_end.sum(axis=1) >= len(rows) - 1).all()
    reachable = np.maximum(low, 1 - (high.sum() - high)), np.minimum(high, 1 - (low.sum() - low))
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], reachable, atol=1e-8)


# ---- the model ------------------------------------------------------------------------------------------------------


def test_the_corners_of_the_model_are_those_of_its_tables(model: Model, patient: Mapping[str, object]) -> None:
    """The bounds that are said to be reached are reached: the model's own tables at those values give them."""
    found = credal_bounds(model, patient, most=6)
    question, outcome = ask(model, patient)
    row = list(question.outcomes).index(outcome)
    for bounds in (found.bounds, found.over_all):
        for end in (bounds.lower, bounds.upper):
            at = {id_: np.array([value]) for id_, value in end.at.items()}
            assert question.posteriors(question.subject.drawn(at, 1))[row, 0] == pytest.approx(end.value, abs=1e-10)


def test_draws_of_the_model_stay_within_what_is_certified(model: Model, patient: Mapping[str, object]) -> None:
    """Over the six numbers that move the answer most, and over all of them; tied numbers are not said to be exact."""
    found = credal_bounds(model, patient, most=6)
    assert found.tied
    assert not found.bounds.exact
    question, outcome = ask(model, patient)
    subject = question.subject
    row = list(question.outcomes).index(outcome)
    generator = np.random.default_rng(1)
    few = [knob for knob in knobs_one_by_one(subject, question.ids()) if knob.name in found.numbers]
    for knobs, bounds in ((few, found.bounds), (knobs_of_wholes(subject, question.ids()), found.over_all)):
        values: dict[str, Any] = {}
        for knob in knobs:
            shares = generator.dirichlet(np.full(len(knob.settings), 0.3), 200) @ knob.settings
            values.update(zip(knob.ids, shares.T, strict=True))
        posteriors = question.posteriors(subject.drawn(values, 200))[row]
        assert bounds.certified[0] <= posteriors.min() < posteriors.max() <= bounds.certified[1]
        assert bounds.certified[0] <= bounds.lower.value < bounds.upper.value <= bounds.certified[1]


def test_a_share_and_the_others_of_its_whole_keep_to_their_ranges(model: Model) -> None:
    """A knob of a share sums to one and gets no share of its whole out of its range."""
    question, _ = ask(model, {})
    subject = question.subject
    offenders = [
        knob.name
        for knob in knobs_one_by_one(subject, subject.points)
        if (knob.settings < np.array([subject.low[i] for i in knob.ids]) - CLOSE).any()
        or (knob.settings > np.array([subject.high[i] for i in knob.ids]) + CLOSE).any()
        or (len(knob.ids) > 1 and not np.allclose(knob.settings.sum(axis=1), 1))
    ]
    assert not offenders, f"out of range: {offenders}"


def test_the_answer_is_plain_data_and_text(model: Model, patient: Mapping[str, object]) -> None:
    """Both name the outcome, the verdict and the numbers."""
    found = credal_bounds(model, patient, "epidural_hematoma", most=4)
    data = found.to_dict()
    assert data["outcome"] == "epidural_hematoma"
    assert data["lead"]["leading"] == "nerve_root_edema"
    assert len(data["numbers"]) == 4
    text = found.to_text()
    assert data["lead"]["sentence"] in text
    assert all(name in text for name in found.numbers)


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (EntryRange("asia", {}, "yes", 0.02, 0.03), "0 <= low <= its value <= high <= 1"),
        (EntryRange("asia", {}, "maybe", 0, 1), "must have the state"),
        (EntryRange("tub", {}, "yes", 0, 1), "must be given all of its parents"),
        (EntryRange("either", {"lung": "yes", "tub": "yes"}, "yes", 0.5, 1), "an entry that is certain"),
    ],
)
def test_a_range_that_breaks_a_rule_is_refused(asia: Engine, item: EntryRange, words: str) -> None:
    """In one sentence that says where and why."""
    with pytest.raises(InvalidInputError, match=words):
        credal_bounds(asia, SEEN, "tub", ranges=[item])


def test_too_many_numbers_are_refused(asia: Engine) -> None:
    """The corners must fit in memory."""
    with pytest.raises(InvalidInputError, match="most: must be from 0 to 22, got 40"):
        credal_bounds(asia, SEEN, "tub", ranges=ASIA, most=40)


def test_a_range_twice_is_refused(asia: Engine) -> None:
    """An entry has one range."""
    with pytest.raises(InvalidInputError, match="every entry must stand once"):
        credal_bounds(asia, SEEN, "tub", ranges=[*ASIA, ASIA[0]])
