"""Where an answer tips: against published values, and within the bound of Chan & Darwiche."""

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from entries import Asked, asked
from published import fire, fire_alarm, pregnancy
from rootcause import Model
from rootcause.case import parse_case
from rootcause.engine import Engine
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.functions import SensitivityFunction, sensitivity_function
from rootcause.sensitivity.joint_change import smallest_joint_change
from rootcause.sensitivity.parameters import Entry, Number, vary
from rootcause.sensitivity.passes import slopes
from rootcause.sensitivity.stability import rank_stability
from rootcause.sensitivity.tipping import cd_distance, odds_factor, tipping
from rootcause.sensitivity.tornado import tornado
from rootcause.structure import CAUSES
from strategies import random_networks

Array = NDArray[np.float64]

ALARM_SEEN = {"report": "yes", "smoke": "no"}
ALL_NEGATIVE = {"scan": "no", "blood": "no", "urine": "no"}
PREGNANT = ("pregnant", "yes")
TAMPERING = ("tampering", "yes")


# ---- properties ----------------------------------------------------------------------------------------------------


@random_networks
@given(question=asked(), share=st.floats(0.01, 0.99))
def test_odds_change_by_no_more_than_the_distance(question: Asked, share: float) -> None:
    """Chan & Darwiche 2005: the log-odds of any posterior move by at most the distance of the change."""
    engine = question.engine()
    varied = vary(engine, question.entry)
    value = share * varied.domain[1]
    distance = cd_distance(varied.column(np.array([varied.point]))[:, 0], varied.column(np.array([value]))[:, 0])
    if question.entry.covariation == "proportional" and 0 < varied.point < 1:
        assert distance == pytest.approx(abs(math.log(odds_factor(varied.point, value))), abs=1e-9)
    function = sensitivity_function(engine, question.target, question.entry, question.evidence)
    if function.pieces[-1].denominator(value) <= 1e-9 or function.pieces[0].denominator(varied.point) <= 1e-9:
        return
    before, after = function.value(varied.point), function.value(value)
    if 1e-6 < before < 1 - 1e-6 and 1e-9 < after < 1 - 1e-9:
        assert abs(math.log(odds_factor(before, after))) <= distance + 1e-6


@random_networks
@given(question=asked(), level=st.floats(0.01, 0.99))
def test_every_tipping_point_is_one_and_none_is_missed(question: Asked, level: float) -> None:
    """The posterior has the level at each of them, and between two of them stays on one side."""
    found = tipping(question.engine(), question.target, question.entry, question.evidence, threshold=level)
    assert all(point.posterior == pytest.approx(level, abs=1e-7) for point in found.points)
    assert [p.distance for p in found.points] == sorted(p.distance for p in found.points)
    function = found.function
    edges = sorted({*function.domain, *(point.value for point in found.points)})
    for low, high in pairwise(edges):
        inside = np.linspace(low, high, 7)[1:-1]
        sides = {bool(side) for side in np.sign(excess(function, inside, level)) > 0}
        assert len(sides) == 1


def excess(function: SensitivityFunction, values: Array, level: float) -> Array:
    """Return P(target, evidence) less the level times P(evidence), zero where it is rounding."""
    rows = []
    for value in values.tolist():
        piece = next(own for own in reversed(function.pieces) if own.low <= value <= own.high)
        gap = float(piece.numerator(value) - level * piece.denominator(value))
        rows.append(0.0 if abs(gap) < 1e-9 * float(piece.denominator(value)) else gap)
    return np.array(rows)


@given(
    before=st.lists(st.integers(1, 50), min_size=2, max_size=5),
    after=st.lists(st.integers(1, 50), min_size=5, max_size=5),
)
def test_the_distance_is_one(before: list[int], after: list[int]) -> None:
    """It is zero for the same, symmetric, and obeys the triangle inequality."""
    first = np.array(before) / sum(before)
    second = np.array(after[: len(before)]) / sum(after[: len(before)])
    third = np.full(len(before), 1 / len(before))
    assert cd_distance(first, first) == 0
    assert cd_distance(first, second) == pytest.approx(cd_distance(second, first), abs=1e-12)
    assert cd_distance(first, second) <= cd_distance(first, third) + cd_distance(third, second) + 1e-12


@random_networks
@given(question=asked(("proportional",)), level=st.floats(0.05, 0.95))
def test_no_smaller_change_of_a_table_would_do(question: Asked, level: float) -> None:
    """The change found reaches the level, and with a smaller distance a linear programme cannot."""
    engine = question.engine()
    found = smallest_joint_change(engine, question.target, question.entry.node, question.evidence, level)
    gains = gains_of(engine, question, level)
    wanted = abs(found.before - level)
    if found.table is None or found.distance is None:
        assert best_gain(found.old, gains, 12.0) < wanted * (1 + 1e-6) + 1e-12
        return
    assert found.after == pytest.approx(level, abs=1e-4)
    np.testing.assert_allclose(found.table.sum(axis=-1), 1, atol=1e-12)
    assert ((found.table > 0) == (found.old > 0)).all()
    assert found.distance == pytest.approx(cd_distance(found.old, found.table))
    if 1e-3 < found.distance < 15:
        assert best_gain(found.old, gains, found.distance * 0.98) < wanted
        single = tipping(engine, question.target, question.entry, question.evidence, threshold=level).nearest
        assert single is None or found.distance <= single.distance + 1e-6


@random_networks
@given(question=asked(("proportional",)), off=st.floats(-9e-13, 9e-13))
def test_rounding_asks_for_no_change_of_a_table(question: Asked, off: float) -> None:
    """A level that is where the posterior is, to 1e-12, needs no change: the table stays as it is to the last digit."""
    engine = question.engine()
    node, state = question.target
    weights = engine.weights(question.evidence)
    now = float(engine.marginals(weights, [node]).posterior[node][engine.states[node].index(state), 0])
    assume(0.01 < now < 0.99)
    found = smallest_joint_change(engine, question.target, question.entry.node, question.evidence, now + off)
    assert found.distance == 0
    assert found.table is not None
    assert (found.table == found.old).all()
    assert found.after == pytest.approx(found.before, abs=1e-12)
    assert not found.changed()


def gains_of(engine: Engine, question: Asked, level: float) -> Array:
    """Return what each entry of the table of the question's entry gains, towards the level."""
    node, state = question.target
    found = slopes(engine, engine.weights(question.evidence), [engine.weights({node: state})])
    own = next(k for k, part in enumerate(found.parts) if part.node == question.entry.node)
    gains = found.joint[own][0] - level * found.evidence[own]
    sign = 1 if found.posterior[0] < level else -1
    return np.asarray(sign * gains.reshape(engine.table(question.entry.node).shape))


def best_gain(old: Array, gains: Array, distance: float) -> float:
    """Return the most that any table within a distance gains: a linear programme in its entries and the least ratio."""
    rows, states = old.reshape(-1, old.shape[-1]), old.shape[-1]
    size = rows.size
    above = np.column_stack([np.eye(size), -rows.ravel() * math.exp(distance)])
    below = np.column_stack([-np.eye(size), rows.ravel()])
    sums = np.column_stack([np.kron(np.eye(len(rows)), np.ones(states)), np.zeros(len(rows))])
    solved = linprog(
        np.append(-gains.ravel(), 0.0),
        A_ub=np.vstack([above, below]),
        b_ub=np.zeros(2 * size),
        A_eq=sums,
        b_eq=np.ones(len(rows)),
        bounds=[(0, 1)] * (size + 1),
    )
    assert solved.fun is not None
    return -float(solved.fun) - float((gains * old).sum())


# ---- published -----------------------------------------------------------------------------------------------------


def test_fire_network_of_samiam() -> None:
    """P(tampering | report, no smoke) is .50; .65 takes P(tampering) = .036 or P(report | nobody leaving) = .005."""
    engine = fire()
    tampering = tipping(engine, TAMPERING, Entry("tampering", {}, "yes"), ALARM_SEEN, threshold=0.65)
    assert tampering.posterior == pytest.approx(0.5007970090785232, abs=1e-14)
    assert engine.query(ALARM_SEEN, ["fire"])["fire"]["yes"] == pytest.approx(0.029369221598632454, abs=1e-14)
    assert [point.value for point in tampering.points] == [pytest.approx(0.03640485355269966, abs=1e-13)]
    report = tipping(engine, TAMPERING, Entry("report", {"leaving": "no"}, "yes"), ALARM_SEEN, threshold=0.65)
    assert [point.value for point in report.points] == [pytest.approx(0.004704726597734854, abs=1e-12)]


def test_fire_network_has_no_other_single_parameter_of_the_alarm() -> None:
    """SamIam suggests these two alone: neither the alarm's nor the leaving table can bring .65, not even as a whole."""
    for node in ("alarm", "leaving"):
        found = smallest_joint_change(fire(), TAMPERING, node, ALARM_SEEN, 0.65)
        assert (found.after, found.distance, found.table) == (None, None, None)
        assert "no table of" in found.to_text()


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (Entry("scan", {"pregnant": "yes"}, "no"), 0.04628251663642118),
        (Entry("pregnant", {}, "yes"), 0.7559409120102761),
        (Entry("level", {"pregnant": "yes"}, "yes"), 0.9966914700544464),
    ],
    ids=str,
)
def test_pregnancy_network(entry: Entry, value: float) -> None:
    """P(pregnant | three negative tests) is 10.21 %; 5 % takes one of three changes (Chan & Darwiche 2004)."""
    found = tipping(pregnancy(), PREGNANT, entry, ALL_NEGATIVE, threshold=0.05)
    assert found.posterior == pytest.approx(0.10210668388005396, abs=1e-14)
    assert found.nearest is not None
    assert found.nearest.value == pytest.approx(value, abs=1e-12)


def test_a_prior_moves_the_odds_by_all_of_its_distance() -> None:
    """Pregnancy: the log-odds change of the posterior by the prior equals the distance .7704, exactly."""
    found = tipping(pregnancy(), PREGNANT, Entry("pregnant", {}, "yes"), ALL_NEGATIVE, threshold=0.05)
    assert found.nearest is not None
    assert found.nearest.distance == pytest.approx(0.7704059066532019, abs=1e-12)
    assert abs(math.log(odds_factor(found.posterior, 0.05))) == pytest.approx(0.7704059066532019, abs=1e-12)
    joint = smallest_joint_change(pregnancy(), PREGNANT, "pregnant", ALL_NEGATIVE, 0.05)
    assert joint.distance == pytest.approx(0.7704059066532019, abs=1e-9)


@pytest.mark.parametrize(
    ("entry", "value", "distance"),
    [
        (Entry("Leaving", {"Alarm": "MALFUNCTION"}, "yes"), 0.7983960556, 0.3816771),
        (Entry("Report", {"Leaving": "yes"}, "yes"), 0.8164951086, 0.3941673),
        (Entry("Tampering", {}, "yes"), 0.2018769456, 2.5172158),
        (Entry("Fire", {}, "yes"), 0.1252059448, 2.6510913),
        (Entry("Alarm", {"Fire": "no", "Tampering": "no"}, "TRUE"), 0.1106591, 7.1262142),
        (Entry("Alarm", {"Fire": "no", "Tampering": "no"}, "FALSE"), None, 0.28337),
    ],
    ids=str,
)
def test_bnmonitor_fire_alarm(entry: Entry, value: float | None, distance: float) -> None:
    """P(Report) is .3678446997 and P(Report | Alarm = TRUE) .6612; the changes that bring .4, as the vignette lists."""
    engine = fire_alarm()
    found = tipping(engine, ("Report", "yes"), entry, {}, threshold=0.4)
    assert found.posterior == pytest.approx(0.3678446997, abs=5e-11)
    assert engine.query({"Alarm": "TRUE"}, ["Report"])["Report"]["yes"] == pytest.approx(0.6612, abs=1e-14)
    assert found.nearest is not None
    if value is not None:
        assert found.nearest.value == pytest.approx(value, abs=5e-8 if value < 0.12 else 5e-11)
    assert found.nearest.distance == pytest.approx(distance, abs=5e-6 if value is None else 5e-8)


def test_asia_tips_and_hugin(asia: Engine) -> None:
    """P(lung | xray, dysp) is .5 at P(smoke) = .2367; without findings, bronchitis draws level at 2/3."""
    smoke = Entry("smoke", {}, "yes")
    lung = tipping(asia, ("lung", "yes"), smoke, {"xray": "yes", "dysp": "yes"}, threshold=0.5)
    assert [point.value for point in lung.points] == [pytest.approx(0.2366946662513738, abs=1e-12)]
    level = tipping(asia, ("bronc", "yes"), smoke, {}, rival="no")
    assert [point.value for point in level.points] == [pytest.approx(2 / 3, abs=1e-12)]
    never = tipping(asia, ("lung", "yes"), smoke, {}, threshold=0.5)
    assert never.nearest is None
    assert "never reaches 0.5" in never.sentence


# ---- a model -------------------------------------------------------------------------------------------------------


def test_numbers_tell_by_how_much_their_range_misses(model: Model, findings: Mapping[str, object]) -> None:
    """Where two causes change places, and by what factor of its odds its range misses it."""
    number = model.priors.parameters["rate.adjacent_segment_disease.fusion"]
    found = tipping(model, "adjacent_segment_disease", Number(number.id), findings, rival="epidural_fibrosis")
    (point,) = found.points
    assert point.inside is False
    assert point.missed_by == pytest.approx(odds_factor(point.value, number.low))
    assert point.distance == pytest.approx(abs(math.log(odds_factor(number.point, point.value))), abs=1e-12)
    assert "misses that by a factor of" in found.to_text()
    assert json.loads(json.dumps(found.to_dict()))["points"][0]["inside"] is False
    inside = tipping(model, "adjacent_segment_disease", Number(number.id), findings, threshold=0.9)
    assert inside.nearest is not None
    assert (inside.nearest.inside, inside.nearest.missed_by) == (True, 1.0)
    assert "inside its range, 0.0074 to 0.049 (cited: " in inside.sentence


def test_rank_stability_agrees_with_every_function(model: Model, findings: Mapping[str, object]) -> None:
    """For numbers of one table and tied ones, the nearest overtaking is where the admissible deviation ends."""
    found = rank_stability(model, findings)
    posterior = model.engine.query(parse_case(findings).observations, CAUSES)
    best = {cause: posterior[cause]["present"] for cause in CAUSES}
    assert found.leading == max(best, key=lambda cause: best[cause])
    assert found.stable
    assert "leads everywhere inside the range of each" in found.sentence
    missed = [item.missed_by for item in found.overtakings]
    assert missed == sorted(missed)
    tied = [item for item in found.overtakings if item.number.startswith(("deficit", "motor", "severe"))]
    chosen = [*found.overtakings[:4], *tied[:2]]
    for item in chosen:
        admissible = sensitivity_function(model, found.leading, Number(item.number), findings).admissible_deviation
        assert (admissible.high if item.value > item.point else admissible.low) == pytest.approx(item.value, abs=1e-8)
    assert json.loads(json.dumps(found.to_dict()))["stable"] is True
    assert len(found.to_text().splitlines()) == 15


def test_a_lead_that_hangs_by_a_thread_is_told(model: Model, patient: Mapping[str, object]) -> None:
    """Where another cause takes the lead inside a range, the sentence names it, the number and the value."""
    found = rank_stability(model, patient)
    assert not found.stable
    first = found.overtakings[0]
    assert (first.inside, first.missed_by) == (True, 1.0)
    assert "overtakes" in found.sentence
    assert first.number in found.sentence
    assert f"{first.low:.3g} to {first.high:.3g} (assumed)" in found.sentence
    assert (first.basis, found.to_dict()["overtakings"][0]["basis"]) == ("assumed", "assumed")
    inside = [item for item in found.overtakings if item.inside]
    assert f"any of {len(inside)} numbers" in found.sentence
    assert f"and {len(found.overtakings) - 10} more numbers, {len(inside) - 10} of them inside" in found.to_text()


EDEMA_AFTER_FUSION = {
    "procedure": "fusion",
    "toe_dorsiflexion": "weak",
    "plantarflexion": "severe",
    "fever": "absent",
    "symptom_onset": 12,
}
"""A number crosses on both sides of its point: just below its range, and, further off by odds, inside it."""


def test_the_side_on_which_the_lead_changes_inside_the_range_is_told(model: Model) -> None:
    """Edema's rate after fusion, 0.05 in 0.028 to 0.2: infection leads below 0.0264, another cause from 0.1707."""
    number = "rate.nerve_root_edema.fusion"
    found = rank_stability(model, EDEMA_AFTER_FUSION)
    item = next(item for item in found.overtakings if item.number == number)
    assert (item.inside, item.missed_by) == (True, 1.0)
    assert item.value == pytest.approx(0.1707, abs=1e-4)
    admissible = sensitivity_function(model, found.leading, Number(number), EDEMA_AFTER_FUSION).admissible_deviation
    assert admissible.low == pytest.approx(0.0264, abs=1e-4)
    assert abs(math.log(odds_factor(item.point, admissible.low))) < abs(math.log(odds_factor(item.point, item.value)))
    tip = tipping(model, found.leading, Number(number), EDEMA_AFTER_FUSION, rival=item.rival)
    assert "inside its range, 0.028 to 0.2 (" in tip.sentence


@settings(max_examples=4)
@example(findings=EDEMA_AFTER_FUSION)
@given(
    findings=st.fixed_dictionaries(
        {"procedure": st.sampled_from(["microdiscectomy", "open_microdiscectomy", "fusion"])},
        optional={
            "toe_dorsiflexion": st.sampled_from(["normal", "weak", "severe"]),
            "plantarflexion": st.sampled_from(["normal", "weak", "severe"]),
            "fever": st.sampled_from(["present", "absent"]),
            "symptom_onset": st.sampled_from([1, 3, 12, 45]),
        },
    )
)
def test_a_lead_that_is_lost_at_an_end_of_a_range_is_lost_inside_it(model: Model, findings: dict[str, object]) -> None:
    """Whoever leads at an end of a tornado of all causes: if not the leading cause, the number overtakes inside."""
    found = rank_stability(model, findings)
    inside = {item.number for item in found.overtakings if item.inside}
    tornadoes = {cause: tornado(model, findings, cause) for cause in CAUSES}
    ends = {cause: {bar.parameter: (bar.at_low, bar.at_high) for bar in own.bars} for cause, own in tornadoes.items()}
    for number in dict.fromkeys(number for own in ends.values() for number in own):
        for end in (0, 1):
            at = {c: ends[c][number][end] if number in ends[c] else own.value for c, own in tornadoes.items()}
            assert max(at.values()) <= at[found.leading] + 1e-9 or number in inside


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_refusals(model: Model, asia: Engine) -> None:
    """One sentence each."""
    engine, tampering = fire(), Entry("tampering", {}, "yes")
    mistakes: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "a threshold or a rival"),
        ({"threshold": 0.5, "rival": "no"}, "not both"),
        ({"threshold": 1.5}, r"\[0, 1\]"),
        ({"rival": "perhaps"}, "rival"),
    )
    for more, said in mistakes:
        with pytest.raises(InvalidInputError, match=said):
            tipping(engine, TAMPERING, tampering, {}, **more)
    with pytest.raises(InvalidInputError, match="threshold"):
        smallest_joint_change(engine, TAMPERING, "fire", {}, 1.0)
    with pytest.raises(InvalidInputError, match="fires"):
        smallest_joint_change(engine, TAMPERING, "fires", {}, 0.5)
    with pytest.raises(InvalidInputError, match="one shape"):
        cd_distance(np.array([0.5, 0.5]), np.array([1.0]))
    with pytest.raises(ImpossibleEvidenceError):
        smallest_joint_change(asia, ("lung", "yes"), "smoke", {"tub": "yes", "either": "no"}, 0.5)
    with pytest.raises(InvalidInputError, match="got an engine"):
        rank_stability(model.engine, {})  # type: ignore[arg-type]
    assert cd_distance(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == math.inf
