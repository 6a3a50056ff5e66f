"""Why a cause stands where it does, on the shipped cases: against the engine's own posteriors, and in words."""

import json
import math
from typing import Any

import pytest

from rootcause import Model, shipped_cases
from rootcause.case import Case, parse_case
from rootcause.diagnosis import posterior
from rootcause.engine import Engine
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.explanation import LESIONS, NONE, Explanation, explain, in_words, lesions_between
from rootcause.reasoning.removals import removals, twins
from rootcause.reasoning.weights import grade, shares_of_evidence, weights_in_order
from rootcause.reasoning.wording import bar, percent, signed
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary

CLOSE = 1e-9
FUSION, DISC = (parse_case(example.findings) for example in shipped_cases())
SOFT = parse_case(
    {
        "procedure": "fusion",
        "level": ["L4-L5", "L5-S1"],
        "examination_day": 20,
        "progression": ["static", "worsening"],
        "back_pain": {"expected": 0.3, "severe": 0.9},
        "toe_dorsiflexion": "weak",
    }
)
ASKED = [
    pytest.param(FUSION, "adjacent_segment_disease", id="fusion-adjacent"),
    pytest.param(DISC, "epidural_hematoma", id="disc-hematoma"),
    pytest.param(DISC, "peroneal_neuropathy", id="disc-peroneal"),
    pytest.param(DISC, NONE, id="disc-none"),
    pytest.param(SOFT, "hardware_malposition", id="soft-hardware"),
]


def split(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the context and the findings of a case."""
    contexts = load_vocabulary().contexts
    given = {name: seen for name, seen in case.observations.items() if name in contexts}
    return given, {name: seen for name, seen in case.observations.items() if name not in contexts}


@pytest.mark.parametrize(("case", "cause"), ASKED)
def test_an_explanation_begins_and_ends_at_the_posteriors_of_the_diagnosis(
    model: Model, case: Case, cause: str
) -> None:
    """Both sheets lead from P(cause | context) to P(cause | findings) and add up to 1e-9."""
    found = explain(model.engine, case, cause)
    ends = [
        posterior(model.engine, c) for c in (parse_case({name: case.findings[name] for name in split(case)[0]}), case)
    ]
    expected = [float((end.none if cause == NONE else end.causes[cause])[0]) for end in ends]
    assert [found.prior, found.posterior] == pytest.approx(expected, abs=CLOSE)
    change = math.log(expected[1] / (1 - expected[1])) - math.log(expected[0] / (1 - expected[0]))
    assert found.order_free.shares is not None
    for parts in (found.in_order.weights, found.order_free.shares):
        assert [part.finding for part in parts] == [*split(case)[1]]
        assert math.fsum(part.nats or 0 for part in parts) == pytest.approx(change, abs=CLOSE)
    for sheet in (found.in_order, found.order_free):
        assert sheet.change == pytest.approx(change, abs=CLOSE)
        assert (sheet.prior, sheet.posterior) == (found.prior, found.posterior)


def test_an_explanation_says_what_the_single_questions_say(model: Model) -> None:
    """The sheets, removals and twins are those of any network."""
    given, findings = split(FUSION)
    question = (model.engine, findings, "surgical_site_infection", "present", given)
    found = explain(model.engine, FUSION, "surgical_site_infection")
    assert found.in_order == weights_in_order(*question)
    assert found.order_free == shares_of_evidence(*question)
    assert found.removals == removals(*question)
    assert found.twins == twins(*question)


@pytest.mark.parametrize(("case", "cause"), ASKED)
def test_lesions_move_as_the_engine_says(model: Model, case: Case, cause: str) -> None:
    """Before, after, and on both sides of the hypothesis, which mix to what is believed now."""
    engine = model.engine
    given, _ = split(case)
    everything = dict(case.observations)
    found = explain(engine, case, cause)
    assert found.lesions
    names = [lesion.id for lesion in found.lesions]
    sides = dict.fromkeys(CAUSES, "absent") if cause == NONE else {cause: "present"}
    before, after = engine.query(given, names), engine.query(everything, names)
    holds = engine.query({**everything, **sides}, names)
    for lesion in found.lesions:
        assert lesion.label == LESIONS[lesion.id]
        assert lesion.before == pytest.approx(before[lesion.id], abs=CLOSE)
        assert lesion.after == pytest.approx(after[lesion.id], abs=CLOSE)
        assert lesion.if_present == pytest.approx(holds[lesion.id], abs=CLOSE)
        assert lesion.if_present is not None
        assert lesion.if_absent is not None
        assert math.fsum(lesion.if_absent.values()) == pytest.approx(1, abs=CLOSE)
        for state, probability in lesion.after.items():
            mixed = found.posterior * lesion.if_present[state] + (1 - found.posterior) * lesion.if_absent[state]
            assert mixed == pytest.approx(probability, abs=CLOSE)


def test_where_none_is_sure_its_opposite_cannot_be(model: Model) -> None:
    """Nothing to complain of and no deficit before: no cause is left, and no rounding error takes its place."""
    case = {
        "procedure": "fusion",
        "symptom_onset": "no_complaint",
        "preoperative_deficit": "none",
        "side": "no_deficit",
    }
    found = explain(model.engine, parse_case(case), NONE)
    assert found.in_order.decided == "proved"
    assert found.posterior == 1
    assert found.order_free.decisive == ()
    assert found.lesions
    assert all(lesion.if_present == lesion.after and lesion.if_absent is None for lesion in found.lesions)


def test_the_opposite_of_none_is_the_same_summed_up_or_left_over(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesions if any cause is present: by a difference, or cause by cause as where ``none`` is all but sure."""
    by_difference = explain(model.engine, DISC, NONE).lesions
    monkeypatch.setattr("rootcause.explanation._ALMOST_ALL", 0.0)
    summed = explain(model.engine, DISC, NONE).lesions
    assert [lesion.if_absent for lesion in summed] == [
        pytest.approx(lesion.if_absent, abs=CLOSE) for lesion in by_difference
    ]


def test_lesions_are_those_between_the_cause_and_what_was_found() -> None:
    """A trapped peroneal nerve moves no root; a clot moves nothing; a root injury moves the roots its signs hang on."""
    assert lesions_between("peroneal_neuropathy", {"toe_dorsiflexion": "weak"}) == ("peroneal_nerve",)
    assert lesions_between("venous_thromboembolism", {"calf_swelling": "present"}) == ()
    assert lesions_between("nerve_root_injury", {"numbness_s1": "present"}) == ("root_L5", "root_S1")
    assert set(lesions_between("nerve_root_injury", {"progression": "static"})) >= {"root_L5", "course"}
    assert lesions_between("epidural_hematoma", {}) == ()
    every = dict.fromkeys(load_vocabulary().findings)
    assert lesions_between(NONE, every) == tuple(LESIONS)


def test_a_case_costs_three_batches(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sheets, shares and lesions are asked at once each, and nothing is asked one by one."""
    rows: list[int] = []
    run_batch = Engine.run_batch

    def counted(engine: Engine, *args: Any) -> Any:  # noqa: ANN401 - handed on
        found = run_batch(engine, *args)
        rows.append(len(found.log_evidence))
        return found

    def alone(*_: object, **__: object) -> None:
        pytest.fail("a case was asked alone")

    monkeypatch.setattr(Engine, "run_batch", counted)
    for name in ("query", "joint", "log_evidence", "log_probability", "marginals"):
        monkeypatch.setattr(Engine, name, alone)
    explain(model.engine, FUSION, "epidural_fibrosis")
    assert len(rows) == 3
    assert rows[0] + rows[1] <= 2 * (2**9 + 16)


def test_more_findings_than_are_weighed_exactly_are_sampled(model: Model) -> None:
    """With their errors; the sum is kept, and text says that it is an estimate."""
    found = explain(model.engine, FUSION, "epidural_fibrosis", exact_up_to=4, samples=20)
    shares = found.order_free.shares
    assert shares is not None
    assert not found.order_free.exact
    assert all(share.error is not None and share.error >= 0 for share in shares)
    assert math.fsum(share.nats for share in shares) == pytest.approx(found.in_order.change, abs=CLOSE)
    assert "Estimated from random orders" in found.to_text()


# ---- words and plain data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "cause"), ASKED)
def test_an_explanation_is_plain_data(model: Model, case: Case, cause: str) -> None:
    """JSON without NaN or infinity that says the same, with ids."""
    found = explain(model.engine, case, cause)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["cause"] == cause
    assert {**data["context"], **data["findings"]} == json.loads(json.dumps(dict(case.findings)))
    assert [row["finding"] for row in data["in_order"]["weights"]] == [*found.findings]
    nats = [row["nats"] for row in data["order_free"]["shares"]]
    assert math.fsum(nats) == pytest.approx(data["order_free"]["change"]["nats"], abs=CLOSE)
    assert [row["id"] for row in data["lesions"]] == [lesion.id for lesion in found.lesions]
    assert {row["finding"] for row in data["twins"]} == set(found.findings)
    assert all(row["possible"] == (row["posterior"] is not None) for row in data["twins"])


@pytest.mark.parametrize(("case", "cause"), ASKED)
def test_the_text_says_what_speaks_for_and_against(model: Model, case: Case, cause: str) -> None:
    """Every finding in words in both lists, marked on its side; no line is wider than a wide terminal."""
    found = explain(model.engine, case, cause)
    text = found.to_text()
    assert text.startswith(
        f"{found.label}: {percent(found.prior)} before the findings, {percent(found.posterior)} with"
    )
    assert max(map(len, text.splitlines())) <= 140
    assert not [word for word in ("nan", "inf ", "None of None", "{") if word in text]
    in_order = text.split("In the order of entry")[1].split("\n\n")[0].splitlines()
    for line, weight in zip(in_order[2:], found.in_order.weights, strict=False):
        assert in_words(weight.finding, found.findings[weight.finding]) in line
        assert weight.words in line
        number = grade(weight.nats or 0)
        assert (("-|" in line), ("|+" in line)) == (number < 0, number > 0)
        assert f" {signed(weight.decibans or 0)}  " in line
    for note in ("Weights hang on", "another order gives other weights", "hangs on none", "a convention"):
        assert note in " ".join(text.split())
    for lesion in found.lesions:
        assert f"  {lesion.label}: " in text


def test_what_cannot_be_is_said_in_words(model: Model) -> None:
    """A twin that the other findings exclude, and a cause that the operation excludes."""
    text = explain(model.engine, FUSION, "adjacent_segment_disease").to_text()
    assert "Course of the deficit: no deficit       cannot be, given the other findings" in text
    ruled_out = explain(model.engine, DISC, "hardware_malposition")
    assert ruled_out.in_order.decided == "ruled_out"
    assert ruled_out.order_free.shares is None
    assert all(lesion.if_present is None and lesion.if_absent is not None for lesion in ruled_out.lesions)
    assert ruled_out.to_text().endswith(
        "Ruled out by the context, before any finding: an infinite weight has no shares. No finding can change that."
    )
    json.dumps(ruled_out.to_dict(), allow_nan=False)


def test_without_findings_there_is_nothing_to_weigh(model: Model) -> None:
    """The prior is the posterior."""
    found: Explanation = explain(model.engine, parse_case({"procedure": "fusion"}), "csf_leak")
    assert found.prior == found.posterior
    assert found.in_order.change == 0
    assert (found.lesions, found.removals, found.twins) == ((), (), ())
    assert found.to_text().endswith("No finding has been entered yet: there is nothing to weigh.")
    assert "Situation: nothing entered." in explain(model.engine, parse_case({}), NONE).to_text()


def test_observations_are_worded() -> None:
    """A state, a group, states still possible and likelihoods."""
    assert in_words("leg_pain", "new_or_worse") == "Leg pain: new or worse"
    group = load_vocabulary().contexts["procedure"].groups["microdiscectomy"]
    assert in_words("procedure", [*group]) == "Operation: microdiscectomy"
    assert in_words("progression", ["static", "worsening"]) == "Course of the deficit: static or worsening"
    assert in_words("back_pain", {"expected": 0.3, "severe": 0.9}) == "Back pain: expected 0.3, severe 0.9"


def test_numbers_are_worded_without_claiming_too_much() -> None:
    """0 % and 100 % are for what is certain; what rounds to nothing has no sign."""
    said = [percent(p) for p in (0.0, 1e-9, 0.0004, 0.0006, 0.5, 0.9994, 0.9996, 1.0)]
    assert said == ["0.0%", "<0.1%", "<0.1%", "0.1%", "50.0%", "99.9%", ">99.9%", "100.0%"]
    assert [signed(value) for value in (-0.04, 0.0, 0.06, -12.34)] == ["0.0", "0.0", "+0.1", "-12.3"]
    assert [bar(number) for number in (-5, -1, 0, 2)] == ["-----|     ", "    -|     ", "     |     ", "     |++   "]


def test_what_cannot_be_explained_is_refused(model: Model) -> None:
    """An unknown cause with a hint; findings that clash with their names."""
    with pytest.raises(InvalidInputError, match=r"^cause: must be a known cause or none, got 'csf' \(did you mean"):
        explain(model.engine, DISC, "csf")
    clash = parse_case({"procedure": "fusion", "leg_weakness": "absent", "toe_dorsiflexion": "weak"})
    with pytest.raises(ImpossibleEvidenceError, match=r"leg_weakness = absent and toe_dorsiflexion = weak cannot hold"):
        explain(model.engine, clash, "csf_leak")
