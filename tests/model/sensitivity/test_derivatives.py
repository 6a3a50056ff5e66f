"""Slopes by every parameter in one pass: against sensitivity functions, finite differences and published ones."""

import json
import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bif
from entries import Asked, asked
from published import fire, medical_test, pregnancy
from rootcause import Model
from rootcause.engine import Engine, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.derivatives import derivatives
from rootcause.sensitivity.functions import sensitivity_function
from rootcause.sensitivity.parameters import Entry, Number, ask
from rootcause.sensitivity.reach import lines
from strategies import random_networks


@random_networks
@given(question=asked(("proportional",)))
def test_each_slope_is_that_of_the_sensitivity_function(question: Asked) -> None:
    """One pass gives for any entry what its own function gives at its own value."""
    engine = question.engine()
    found = derivatives(engine, question.target, question.evidence)
    function = sensitivity_function(engine, question.target, question.entry, question.evidence)
    # 1 - t of an entry t that is all but 1 has lost the digits that P(evidence), if it is as small, is made of.
    possible = float(function.pieces[0].denominator(function.point)) * math.exp(function.log_scale)
    assert found.value == pytest.approx(function.value(function.point), abs=1e-12 + 1e-15 / possible)
    slope = found.of(question.entry)
    assert slope == pytest.approx(function.derivative(function.point), rel=1e-5, abs=1e-9)


@random_networks
@given(question=asked(("proportional",)))
def test_no_slope_is_steeper_than_the_bound(question: Asked) -> None:
    """Chan & Darwiche 2002: at most P(1 - P) / (t(1 - t)), for any entry."""
    found = derivatives(question.engine(), question.target, question.evidence)
    for item in found.largest(50):
        share = found.share_of_bound(item)
        assert share is None or share <= 1 + 1e-6


@given(x=st.floats(0.05, 0.95), y=st.floats(0.05, 0.95))
def test_equal_shares_are_another_slope(x: float, y: float) -> None:
    """With equal shares, the slope is that along the line on which the others lose alike."""
    engine = fire().replaced({"fire": np.array([x, 1 - x]), "tampering": np.array([y, 1 - y])})
    alike = derivatives(engine, ("fire", "yes"), {"report": "yes"}, "uniform")
    proportional = derivatives(engine, ("fire", "yes"), {"report": "yes"})
    for name, table in alike.tables.items():  # of two states, the other one loses all: both schemes are one
        np.testing.assert_allclose(table, proportional.tables[name], atol=1e-9)
        np.testing.assert_allclose(table.sum(axis=-1), 0, atol=1e-9)


def test_equal_shares_by_finite_differences() -> None:
    """On a node of three states the slopes by equal shares are those of differences, and not the proportional ones."""
    hailfinder = compile_network(bif.read("hailfinder"))
    target, evidence = ("AMCINInScen", "Average"), {"VISCloudCov": "Clear"}
    found = derivatives(hailfinder, target, evidence, "uniform")
    table, step = hailfinder.table("Scenario"), 1e-6
    moved = np.array(table)
    moved[2] -= step / 10
    moved[2, 4] += step + step / 10
    after = hailfinder.replaced({"Scenario": moved}).query(evidence, [target[0]])[target[0]][target[1]]
    assert found.tables["Scenario"][2, 4] == pytest.approx((after - found.value) / step, abs=1e-6)
    assert abs(found.tables["Scenario"] - derivatives(hailfinder, target, evidence).tables["Scenario"]).max() > 1e-4


def test_yodo_on_hailfinder() -> None:
    """P(AMCINInScen = Average | VISCloudCov = Clear) and its slopes by P(Scenario | Date), to the digits printed."""
    found = derivatives(compile_network(bif.read("hailfinder")), ("AMCINInScen", "Average"), {"VISCloudCov": "Clear"})
    assert found.value == pytest.approx(0.43215278834, abs=5e-12)
    published = {
        "A": [0.0320, 0.0167, 0.0141, 0.0282, 0.0100, 0.0299],
        "B": [0.0342, 0.0189, 0.0156, 0.0311, 0.0108, 0.0320],
        "C": [0.0112, 0.0046, 0.0031, 0.0061, 0.0019, 0.0060],
        "K": [0.0122, 0.0047, 0.0030, 0.0060, 0.0019, 0.0065],
    }
    states = found.engine.states["Scenario"]
    for state, slopes in published.items():
        np.testing.assert_allclose(abs(found.tables["Scenario"][:, states.index(state)]), slopes, atol=5.01e-5)


def test_medical_test_in_closed_form() -> None:
    """P(D) = .424, with slopes .235 and .28 by the two tests, and by each entry of D the share of its column."""
    found = derivatives(medical_test(), ("D", "yes"), {})
    assert found.value == pytest.approx(0.424, abs=1e-15)
    assert found.of(Entry("T1", {}, "yes")) == pytest.approx(0.235, abs=1e-15)
    assert found.of(Entry("T2", {}, "yes")) == pytest.approx(0.28, abs=1e-15)
    np.testing.assert_allclose(found.tables["D"][..., 0], [[0.12, 0.28], [0.18, 0.42]], atol=1e-15)


def test_a_posterior_of_zero_has_slopes() -> None:
    """What is ruled out by one entry alone becomes possible when that entry moves."""
    engine = pregnancy().replaced({"scan": np.array([[0.0, 1.0], [0.01, 0.99]])})
    found = derivatives(engine, ("pregnant", "yes"), {"scan": "yes"})
    assert found.value == 0
    entry = Entry("scan", {"pregnant": "yes"}, "yes")
    assert found.of(entry) == pytest.approx(0.87 / (0.13 * 0.01))
    assert found.share_of_bound(next(item for item in found.largest() if item.parameter == entry)) is None


# ---- a model's numbers ---------------------------------------------------------------------------------------------


def test_numbers_agree_with_the_gradient_and_with_differences(model: Model, findings: Mapping[str, object]) -> None:
    """Free numbers have the slopes of ``Model.gradient``; shares those of their functions, as tied numbers have."""
    cause = "recurrent_herniation"
    found = derivatives(model, cause, findings)
    free = model.gradient(findings, cause)
    shares = ("onset.", "context.", "unplaced_side.")
    off = {id_: item.slope - free.get(id_, 0.0) for id_, item in found.numbers.items() if not id_.startswith(shares)}
    assert max(map(abs, off.values())) < 1e-12
    for id_ in ("onset.recurrent_herniation.days_31_to_90", "deficit.recurrent_herniation", "grade.severe_in_motor"):
        function = sensitivity_function(model, cause, Number(id_), findings)
        slope = found.of(Number(id_))
        assert slope == pytest.approx(function.derivative(function.point), abs=1e-9)
        step = 1e-5
        secant = (function.value(function.point + step) - function.value(function.point - step)) / (2 * step)
        assert slope == pytest.approx(secant, abs=1e-7)
    assert found.of(Number("rate.csf_leak.open_microdiscectomy")) == 0
    answer = model.diagnose(findings, intervals=False).posterior[cause].mean
    assert found.value == pytest.approx(answer, abs=1e-12)


def test_what_does_not_reach_the_answer_is_left_out(model: Model, findings: Mapping[str, object]) -> None:
    """No number that is missing among the slopes moves the posterior."""
    question = ask(model, "recurrent_herniation", findings)
    found = lines(model, question, [question.event])
    idle = [id_ for id_ in model.priors.parameters if id_ not in found.ids]
    assert len(idle) > 100
    for id_ in idle[::40]:
        function = sensitivity_function(model, "recurrent_herniation", Number(id_), findings)
        values = function.value(np.array([0.1, 0.9]))
        np.testing.assert_allclose(values, found.posterior[0], atol=1e-12)


def test_it_can_be_written_down(model: Model, findings: Mapping[str, object]) -> None:
    """As plain data and as text; for a model, what moves the answer most over its range comes first."""
    found = derivatives(model, "recurrent_herniation", findings)
    rows = json.loads(json.dumps(found.to_dict()))["derivatives"]
    assert len(rows) == len(found.numbers)
    assert rows[0]["parameter"] == "rate.recurrent_herniation.fusion"
    assert [abs(row["reach"]) for row in rows] == sorted((abs(row["reach"]) for row in rows), reverse=True)
    assert len(found.to_text(5).splitlines()) == 8
    assert found.to_text(5).endswith(f"and {len(rows) - 5} smaller ones")
    assert rows[0]["published"] == (None if rows[0]["basis"] == "assumed" else rows[0]["low_high"])
    by_entries = derivatives(fire(), ("fire", "yes"), {"report": "yes"})
    assert json.loads(json.dumps(by_entries.to_dict(3)))["derivatives"][0]["published"] is None
    assert "P(" in by_entries.to_text(3)


def test_refusals(model: Model, asia: Engine) -> None:
    """One sentence each."""
    with pytest.raises(InvalidInputError, match="one slope"):
        derivatives(fire(), ("fire", "yes"), {}, "order_preserving")
    with pytest.raises(InvalidInputError, match="in proportion"):
        derivatives(model, "recurrent_herniation", {}, "uniform")
    with pytest.raises(InvalidInputError, match="no table of"):
        derivatives(fire(), ("fire", "yes"), {}).of(Entry("fires", {}, "yes"))
    with pytest.raises(ImpossibleEvidenceError):
        derivatives(asia, ("lung", "yes"), {"tub": "yes", "either": "no"})
