"""Causes taken together, on the shipped model; five of them, so that their joint distribution is a quick question."""

import json
import math
from itertools import product

import pytest

from rootcause import Model, shipped_cases
from rootcause.case import Case, parse_case
from rootcause.diagnosis import posterior
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.together import Together, together

FIVE = ("epidural_hematoma", "nerve_root_injury", "residual_compression", "nerve_root_edema", "unmodelled_cause")
LISTED = FIVE[:4]
L5 = next(item.findings for item in shipped_cases() if item.id == "post_microdiscectomy_l5")


@pytest.fixture(scope="module")
def case() -> Case:
    """The seed's patient."""
    return parse_case(L5)


@pytest.fixture(scope="module")
def found(model: Model, case: Case) -> Together:
    """All sixteen combinations of the four listed causes."""
    return together(model.engine, case, 16, causes=FIVE)


def test_each_combination_has_its_own_probability(model: Model, case: Case, found: Together) -> None:
    """P(exactly these) by the chain rule of P(evidence), for every subset; all of them add up to 1."""
    base = model.engine.log_evidence(case.observations)
    named = {item.present: item.probability for item in found.combinations}
    assert len(named) == 16
    for states in product(("absent", "present"), repeat=4):
        present = tuple(name for name, state in zip(LISTED, states, strict=True) if state == "present")
        own = model.engine.log_probability(
            model.engine.weights({**case.observations, **dict(zip(LISTED, states, strict=True))})
        )[0]
        assert named[present] == pytest.approx(math.exp(own - base), rel=1e-9)
    assert found.covered == pytest.approx(1.0, abs=1e-12)
    assert [item.probability for item in found.combinations] == sorted(named.values(), reverse=True)


def test_each_cause_on_its_own_is_that_of_the_answer(model: Model, case: Case, found: Together) -> None:
    """And ``none`` is the empty combination."""
    answer = posterior(model.engine, case)
    assert set(found.alone) == set(LISTED)
    for cause, value in found.alone.items():
        assert value == pytest.approx(answer.causes[cause][0], abs=1e-12)
    empty = next(item for item in found.combinations if not item.present)
    assert found.none == pytest.approx(empty.probability, abs=1e-15)


def test_fewer_are_the_first_of_all(model: Model, case: Case, found: Together) -> None:
    """Three asked for are the three most probable, and what they cover is said."""
    three = together(model.engine, case, 3, causes=FIVE)
    assert three.combinations == found.combinations[:3]
    assert three.covered == pytest.approx(sum(item.probability for item in three.combinations))


def test_explanations_compare_with_the_context_and_a_complaint(model: Model, case: Case, found: Together) -> None:
    """Each factor is P(findings | x) over P(findings | not x) in that context, from plain queries."""
    context = {name: seen for name, seen in case.observations.items() if name in model.vocabulary.contexts}
    assert found.explanations
    single = [item for item in found.explanations if len(item.assignment) == 1]
    assert single
    for item in single:
        (name, state), *_ = item.assignment.items()
        prior = model.engine.query(context, [name])[name][state]
        posterior = model.engine.query(case.observations, [name])[name][state]
        assert item.prior == pytest.approx(prior, rel=1e-9)
        assert item.factor == pytest.approx(posterior / (1 - posterior) / (prior / (1 - prior)), rel=1e-9)


def test_without_an_onset_a_complaint_is_given_before_and_after(model: Model) -> None:
    """So that the factor is one of the findings, not of having come at all."""
    case = parse_case({name: value for name, value in L5.items() if name != "symptom_onset"})
    found = together(model.engine, case, 2, causes=FIVE)
    complaint = [state for state in model.engine.states["symptom_onset"] if state != "no_complaint"]
    for item in found.explanations:
        if len(item.assignment) > 1:
            continue
        (name, state), *_ = item.assignment.items()
        given = {"procedure": case.observations["procedure"], "symptom_onset": complaint}
        given["examination_day"] = case.observations["examination_day"]
        assert item.prior == pytest.approx(model.engine.query(given, [name])[name][state], rel=1e-9)
        after = model.engine.query({**case.observations, "symptom_onset": complaint}, [name])[name][state]
        assert item.posterior == pytest.approx(after, rel=1e-9)


def test_pairs_explain_each_other_away(model: Model, case: Case, found: Together) -> None:
    """Each pair lowers each other, by as much as queries say."""
    assert found.pairs
    for item in found.pairs:
        (a, state), (b, _) = item.target, item.other
        for seen, value in (("present", item.with_other), ("absent", item.without_other)):
            expected = model.engine.query({**case.observations, b: seen}, [a])[a][state]
            assert value == pytest.approx(expected, abs=1e-9)
        assert item.with_other is not None
        assert item.with_other < item.posterior


def test_a_situation_alone_has_no_explanations(model: Model) -> None:
    """Nothing was found that could speak for a cause; the combinations are those of the prior."""
    found = together(model.engine, parse_case({"procedure": "fusion"}), 2, causes=FIVE)
    assert found.explanations == ()
    assert found.combinations[0].present == ()


def test_it_is_plain_data_and_plain_text(found: Together) -> None:
    """No NaN and no infinity in the data; labels, not ids, in the text."""
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["combinations"][0]["present"] == list(found.combinations[0].present)
    text = found.to_text()
    assert "Nerve root edema" in text
    assert "None of these" in text
    assert "nerve_root" not in text


@pytest.mark.parametrize(
    ("causes", "k", "message"),
    [
        (("nerve_root_oedema",), 3, r"got 'nerve_root_oedema' \(did you mean 'nerve_root_edema'\?\)"),
        (("unmodelled_cause",), 3, "causes: at least one listed cause must be named, got none"),
        (FIVE, 0, "k: must be a whole number from 1, got 0"),
    ],
)
def test_what_breaks_a_rule_is_refused(model: Model, case: Case, causes: tuple[str, ...], k: int, message: str) -> None:
    """One sentence says what was got."""
    with pytest.raises(InvalidInputError, match=message):
        together(model.engine, case, k, causes=causes)


def test_findings_that_cannot_be_are_named(model: Model) -> None:
    """A weak toe in a leg that is not weak."""
    case = parse_case({"leg_weakness": "absent", "toe_dorsiflexion": "weak"})
    with pytest.raises(ImpossibleEvidenceError, match="toe_dorsiflexion = weak"):
        together(model.engine, case, causes=FIVE)
