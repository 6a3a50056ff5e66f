"""Whether a case fits: on the shipped model."""

import json
import math
from typing import Any

import numpy as np
import pytest

from rootcause import Model, shipped_cases
from rootcause.case import parse_case
from rootcause.coherence import Coherence, coherence
from rootcause.diagnosis import posterior
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError

SITUATION = {"procedure": "open_microdiscectomy", "level": "L4-L5", "examination_day": 8}
CASES = {item.id: item.findings for item in shipped_cases()}


def fit(model: Model, findings: Any, simulated: int = 100) -> Coherence:  # noqa: ANN401 - a case
    """Return the coherence of a case."""
    case = parse_case(findings)
    return coherence(model.engine, case, float(posterior(model.engine, case).none[0]), simulated=simulated)


@pytest.mark.parametrize("id_", list(CASES))
def test_the_score_is_given_the_context(model: Model, id_: str) -> None:
    """The logarithm of the product of P(finding | context) over P(findings | context), by plain questions."""
    case = parse_case(CASES[id_])
    context = {name: seen for name, seen in case.observations.items() if name in model.vocabulary.contexts}
    before = model.engine.log_evidence(context)
    findings = {name: seen for name, seen in case.observations.items() if name not in context}
    alone = [model.engine.log_evidence({**context, name: seen}) - before for name, seen in findings.items()]
    together = model.engine.log_evidence(case.observations) - before
    found = fit(model, CASES[id_], simulated=0)
    assert found.conflict.score == pytest.approx(sum(alone) - together, abs=1e-9)
    assert [one.name for one in found.conflict.findings] == list(findings)


def test_findings_that_pull_apart_are_told(model: Model) -> None:
    """Numb in the skin of L5 without numbness below the knee of any kind would clash; mild forms pull apart."""
    found = fit(model, {**SITUATION, "symptom_onset": 2, "leg_weakness": "absent", "progression": "worsening"})
    assert found.conflict.score > 0
    assert found.conflict.suspect in {"leg_weakness", "progression"}
    assert "pull apart" in found.to_text()


def test_none_of_these_is_warned_of_where_it_leads(model: Model) -> None:
    """The warning stands exactly where ``none`` is more probable than each listed cause."""
    case = parse_case({**SITUATION, "symptom_onset": 2, "leg_weakness": "absent"})
    first = coherence(model.engine, case, 0.0, simulated=0).leading[1]
    assert coherence(model.engine, case, first - 0.01, simulated=0).warnings == ()
    warned = coherence(model.engine, case, first + 0.01, simulated=0)
    assert len(warned.warnings) == 1
    assert warned.warnings[0].startswith("Look beyond the list")
    assert warned.warnings[0] in warned.to_text()


def test_the_leading_cause_is_that_of_the_answer(model: Model) -> None:
    """The same cause with the same probability as in the diagnosis."""
    findings = CASES["post_fusion_weakness"]
    means = {cause: value[0] for cause, value in posterior(model.engine, parse_case(findings)).causes.items()}
    name, value = fit(model, findings, simulated=0).leading
    assert name == max(means, key=means.__getitem__)
    assert value == pytest.approx(means[name], abs=1e-12)


def test_strange_findings_are_warned_of_and_ordinary_ones_are_not(model: Model) -> None:
    """A foot that cannot be pushed down, in a leg that is otherwise normal: rare. Everything normal: not."""
    onset = {"symptom_onset": 5}
    strange = fit(model, {**SITUATION, **onset, "plantarflexion": "severe", "leg_pain": "none", "numbness": "absent"})
    plain = fit(model, {**SITUATION, **onset, "plantarflexion": "normal", "calf_swelling": "absent"})
    assert strange.percentile is not None
    assert strange.percentile.share < 0.05
    assert any(text.startswith("Unusual for the model") for text in strange.warnings)
    assert plain.percentile is not None
    assert plain.percentile.share > 0.05
    assert not any(text.startswith("Unusual for the model") for text in plain.warnings)


def test_simulated_patients_have_a_complaint(model: Model) -> None:
    """Where the case does not say when it began, P(findings) is taken given any onset but none."""
    findings = {"leg_pain": "new_or_worse", "leg_weakness": "present"}
    found = fit(model, {**SITUATION, **findings})
    case = parse_case({**SITUATION, **findings})
    complaint = {"symptom_onset": [s for s in model.engine.states["symptom_onset"] if s != "no_complaint"]}
    situation = parse_case(SITUATION).observations
    log_situation = model.engine.log_evidence({**situation, **complaint})
    expected = model.engine.log_evidence({**case.observations, **complaint}) - log_situation
    assert found.percentile is not None
    assert found.percentile.log_evidence == pytest.approx(expected, abs=1e-9)


def test_an_onset_that_the_case_names_is_kept(model: Model) -> None:
    """And so is the absence of a complaint."""
    case = {**SITUATION, "symptom_onset": "no_complaint", "leg_pain": "none", "leg_weakness": "absent"}
    found = fit(model, case)
    assert found.percentile is not None
    context = {name: seen for name, seen in parse_case(case).observations.items() if name in model.vocabulary.contexts}
    expected = model.engine.log_evidence(parse_case(case).observations) - model.engine.log_evidence(context)
    assert found.percentile.log_evidence == pytest.approx(expected, abs=1e-9)


def test_no_findings_no_warning(model: Model) -> None:
    """A situation alone fits; the reason for the missing percentile is said."""
    found = fit(model, SITUATION)
    assert (found.conflict.score, found.percentile, found.warnings) == (0.0, None, ())
    assert "at least one observation" in found.no_percentile
    assert "Fewer than two findings" in found.to_text()


def test_simulation_can_be_left_out(model: Model) -> None:
    """With 0 patients there is no percentile, and the rest is the same."""
    findings = CASES["post_microdiscectomy_l5"]
    without, whole = fit(model, findings, simulated=0), fit(model, findings)
    assert without.percentile is None
    assert without.no_percentile == "Not compared with simulated patients."
    assert without.conflict == whole.conflict


def test_vague_findings_are_understood(model: Model) -> None:
    """Lists and likelihoods go through; the result is plain data without NaN."""
    findings = {
        **SITUATION,
        "procedure": "microdiscectomy",
        "progression": ["static", "worsening"],
        "back_pain": {"expected": 0.3, "severe": 0.9},
        "leg_weakness": "present",
    }
    found = fit(model, findings)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {item["id"] for item in data["conflict"]["findings"]} == {"progression", "back_pain", "leg_weakness"}
    assert 0 < data["percentile"]["share"] <= 1
    assert np.isfinite([item["drop"] for item in data["conflict"]["findings"]]).all()


def test_the_text_names_findings_in_words(model: Model) -> None:
    """Every finding has its row, under its label, the most surprising first."""
    found = fit(model, CASES["post_fusion_weakness"], simulated=0)
    rows = found.to_text().splitlines()[-len(found.conflict.findings) :]
    labels = {model.vocabulary.findings[one.name].label for one in found.conflict.findings}
    assert all(any(row.startswith(label[:44]) for label in labels) for row in rows)
    worst = max(found.conflict.findings, key=lambda one: one.drop)
    assert rows[0].startswith(model.vocabulary.findings[worst.name].label)
    assert math.isfinite(found.conflict.score)


def test_findings_that_cannot_be_are_refused(model: Model) -> None:
    """A weak toe in a leg that is not weak."""
    case = parse_case({**SITUATION, "leg_weakness": "absent", "toe_dorsiflexion": "weak"})
    with pytest.raises(ImpossibleEvidenceError, match="leg_weakness = absent and toe_dorsiflexion = weak"):
        coherence(model.engine, case, 0.1)


def test_fewer_than_no_patients_are_refused(model: Model) -> None:
    """One sentence says so."""
    with pytest.raises(InvalidInputError, match="simulated: must be a whole number from 0, got -1"):
        coherence(model.engine, parse_case(SITUATION), 0.1, simulated=-1)
