"""Red flags, urgency and advice: what fires, what rests, and that no probability silences a rule."""

from pathlib import Path
from typing import Any

import pytest

from rootcause import Model, load_model
from rootcause.case import parse_case
from rootcause.errors import InvalidPriorsError
from rootcause.priors import shipped_priors
from rootcause.rules import load_rulebook


@pytest.fixture(scope="module")
def model() -> Model:
    """Return the shipped model."""
    return load_model()


def fired(model: Model, findings: dict[str, Any]) -> dict[str, str]:
    """Return level by rule."""
    return {flag.id: flag.level for flag in model.rulebook.red_flags(parse_case(findings))}


@pytest.mark.parametrize(
    ("findings", "rule", "level"),
    [
        ({"saddle_anesthesia": "present"}, "cauda_equina", "emergency"),
        ({"bladder_bowel_dysfunction": "present", "post_void_residual": 50}, "cauda_equina", "emergency"),
        ({"post_void_residual": 200}, "cauda_equina", "emergency"),
        ({"side": "both"}, "both_sides", "emergency"),
        ({"progression": "worsening"}, "worsening", "emergency"),
        ({"limb_ischemia_signs": "present"}, "cold_leg", "emergency"),
        ({"chest_pain_or_breathlessness": "present"}, "embolism", "emergency"),
        ({"toe_dorsiflexion": 4}, "new_motor_deficit", "within_48h"),
        ({"hip_abduction": "weak", "examination_day": 2}, "early_motor_deficit", "same_day"),
        ({"ankle_dorsiflexion": 2, "examination_day": 1}, "early_severe_motor_deficit", "emergency"),
        ({"numbness": "present", "preoperative_deficit": "none"}, "new_numbness", "within_48h"),
        ({"positional_headache": "present", "wound_swelling": "present"}, "csf_leak", "same_day"),
        ({"leg_pain": "new_or_worse", "examination_day": 5}, "severe_pain", "same_day"),
        ({"fever": "present"}, "late_fever_or_crp", "same_day"),
        ({"leg_weakness": "present"}, "new_motor_deficit", "within_48h"),
        ({"fever": "present", "examination_day": 5}, "late_fever_or_crp", "same_day"),
        ({"wound_drainage": "present"}, "wound", "same_day"),
        ({"crp": "raised_or_rising", "examination_day": 9}, "late_fever_or_crp", "same_day"),
        ({"calf_swelling": "present"}, "calf", "same_day"),
        ({"back_pain": "severe", "examination_day": 2}, "severe_pain", "same_day"),
    ],
    ids=str,
)
def test_a_rule_fires(model: Model, findings: dict[str, Any], rule: str, level: str) -> None:
    """Each red flag fires on its finding, at its level."""
    assert fired(model, findings)[rule] == level


@pytest.mark.parametrize(
    "findings",
    [
        {},
        {"fever": "present", "examination_day": 2},
        {
            "leg_weakness": "present",
            "preoperative_deficit": "motor",
            "deficit_onset": "before_surgery",
            "progression": "improving",
        },
        {"crp": "raised_or_rising", "examination_day": 2},
        {"side": "both", "deficit_onset": "before_surgery", "progression": "static"},
        {"saddle_anesthesia": "absent", "calf_swelling": "absent"},
    ],
    ids=str,
)
def test_a_rule_rests(model: Model, findings: dict[str, Any]) -> None:
    """Early fever, an old deficit that improves, and absent signs fire nothing."""
    assert not fired(model, findings)
    assert model.rulebook.urgency_of(()).level == "routine"


def test_a_sign_that_is_only_possible_fires_and_says_so(model: Model) -> None:
    """A likelihood or a list fires the rule; the text says that it is not certain."""
    for value in ({"absent": 0.9, "present": 0.2}, ["absent", "present"]):
        (flag,) = model.rulebook.red_flags(parse_case({"saddle_anesthesia": value}))
        assert flag.text.startswith("Not certain from what was entered")


def test_an_old_deficit_that_only_may_be_old_counts_as_new(model: Model) -> None:
    """The rule rests on certainty alone."""
    case = {"leg_weakness": "present", "deficit_onset": ["before_surgery", "on_waking"], "progression": "static"}
    assert "new_motor_deficit" in fired(model, case)


def test_weakness_without_a_motor_deficit_before_is_new_whatever_its_dating(model: Model) -> None:
    """A history that contradicts itself does not silence the rule."""
    case = {"leg_weakness": "present", "deficit_onset": "before_surgery", "progression": "static"}
    for before in ("none", "sensory"):
        assert "new_motor_deficit" in fired(model, {**case, "preoperative_deficit": before})


def test_nothing_soothes_under_an_emergency(model: Model) -> None:
    """Advice to wait and watch rests while a rule calls for haste; it is there without it."""
    case = {"procedure": "microdiscectomy", "examination_day": 8, "toe_dorsiflexion": "severe"}
    soothing = {"root_injury", "swelling", "trajectory", "physical_therapy", "persistent"}
    calm = {action.id for action in model.diagnose(case, intervals=False).actions}
    haste = {action.id for action in model.diagnose({**case, "side": "both"}, intervals=False).actions}
    assert soothing & calm
    assert not soothing & haste


def test_no_scan_and_no_posterior_silences_a_rule(model: Model) -> None:
    """With a clean scan and a small residual the emergency stands."""
    answer = model.diagnose(
        {
            "procedure": "fusion",
            "examination_day": 3,
            "saddle_anesthesia": "present",
            "post_void_residual": 20,
            "mri_epidural_collection": "none",
            "mri_disc_fragment": "absent",
        },
        intervals=False,
    )
    assert answer.urgency.level == "emergency"
    assert "cauda_equina" in {flag.id for flag in answer.red_flags}


def test_no_text_advises_anticoagulation(model: Model) -> None:
    """Where a clot is thought of, anticoagulation is left to the surgeon."""
    texts = [rule.text for rule in model.rulebook.rules] + [item.text for item in model.rulebook.advice]
    about = [text for text in texts if "nticoagula" in text]
    assert about
    assert all("surgeon's decision" in text for text in about)


def test_every_rule_and_text_has_a_source_or_says_what_it_does(model: Model) -> None:
    """Rules end with a period and are said once."""
    texts = [rule.text for rule in model.rulebook.rules] + [item.text for item in model.rulebook.advice]
    assert len(texts) == len(set(texts))
    assert not [text for text in texts if not text.endswith(".")]


def test_a_broken_rule_is_refused_with_all_its_problems(tmp_path: Path, model: Model) -> None:
    """Unknown findings, states, levels, sources and fields are named at once."""
    (tmp_path / "rules.toml").write_text(
        'disclaimer = "x"\n[urgency]\nemergency = "a"\nsame_day = "b"\nwithin_48h = "c"\nroutine = "d"\n'
        '[rule.a]\nlevel = "now"\ntext = "t."\nany = [{ fevr = ["present"] }, { fever = ["high"] }]\n'
        "foo = 1\n"
    )
    shipped = Path(str(shipped_priors()))
    (tmp_path / "advice.toml").write_text((shipped / "advice.toml").read_text())
    with pytest.raises(InvalidPriorsError) as caught:
        load_rulebook(tmp_path, model.priors.sources)
    said = "\n".join(caught.value.problems)
    for piece in ("level: must be", "got 'fevr' (did you mean 'fever'?)", "got 'high'", "'foo'"):
        assert piece in said
