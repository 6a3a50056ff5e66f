"""The model as a user meets it: answers, intervals, rate sets, threads, and the public surface."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rootcause
from rootcause import Model, load_model, shipped_cases
from rootcause.case import parse_case
from rootcause.diagnosis import DRAWS
from rootcause.engine import Drawn
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.priors import RATE_SETS
from rootcause.structure import CAUSES
from rootcause.uncertainty import draw, points

SEED_PATIENT = {
    "procedure": "microdiscectomy",
    "symptom_onset": 7,
    "examination_day": 8,
    "toe_dorsiflexion": "severe",
    "plantarflexion": "normal",
    "numbness_l5": "present",
    "cold_dysesthesia": "present",
}


def test_the_public_surface_is_this_list() -> None:
    """A new public name is a decision."""
    assert sorted(rootcause.__all__) == ["ExampleCase", "Model", "__version__", "load_model", "shipped_cases"]
    with pytest.raises(AttributeError, match="no attribute 'diagnose'"):
        _ = rootcause.diagnose


def test_an_answer_holds_what_the_contract_names(model: Model) -> None:
    """Every key of the contract is there, every number is a probability, and the interval spans something."""
    answer = model.diagnose(SEED_PATIENT).to_dict()
    assert {
        "model",
        "disclaimer",
        "findings",
        "posterior",
        "none",
        "log_evidence",
        "conflict",
        "red_flags",
        "urgency",
        "actions",
    } <= set(answer)
    assert set(answer["model"]) == {"version", "digest", "rates"}
    assert list(answer["posterior"]) == list(CAUSES)
    odd = [
        cause
        for cause, row in answer["posterior"].items()
        if not 0 <= row["low"] <= row["high"] <= 1 or not 0 <= row["mean"] <= 1
    ]
    assert not odd
    hematoma = answer["posterior"]["epidural_hematoma"]
    assert hematoma["low"] < hematoma["mean"] < hematoma["high"]
    assert hematoma["prior"] < hematoma["prior_given_complaint"] < hematoma["mean"]


def test_without_intervals_the_points_are_the_same(model: Model) -> None:
    """The interval adds to the answer and changes nothing of it."""
    with_, without = model.diagnose(SEED_PATIENT), model.diagnose(SEED_PATIENT, intervals=False)
    assert {c: p.mean for c, p in with_.posterior.items()} == {c: p.mean for c, p in without.posterior.items()}
    assert without.posterior["csf_leak"].low is None
    assert without.none_low is None


def test_the_interval_is_that_of_single_draws(model: Model) -> None:
    """A draw of all numbers answers as the model with those numbers would, and there are at least 2,000."""
    case = parse_case(SEED_PATIENT)
    draws = model.draws(case, 3, 7)
    numbers = draw(model.priors.parameters, model.priors.parameters, 3, 7)
    for index in range(3):
        single = {id_: values[index : index + 1] for id_, values in numbers.items()}
        tables = {name: node.fill(single) for name, node in model._nodes.items()}  # noqa: SLF001
        weights = model.engine.weights(case.observations)
        alone = model.engine.marginals(weights, CAUSES, Drawn(tables.__getitem__, 1)).posterior
        for cause in CAUSES:
            assert draws.causes[cause][index] == pytest.approx(alone[cause][1, 0], abs=1e-12)
    assert DRAWS >= 2000


def test_the_same_case_gives_the_same_answer(model: Model) -> None:
    """Draws are seeded."""
    assert model.diagnose(SEED_PATIENT).to_dict() == load_model().diagnose({"findings": SEED_PATIENT}).to_dict()


def test_where_the_technique_is_known_the_interval_is_narrower(model: Model) -> None:
    """The range across techniques counts only where the technique is unknown."""

    def spread(procedure: str) -> float:
        draws = model.draws(parse_case({"procedure": procedure, "symptom_onset": 7}), 500)
        low, high = np.percentile(draws.causes["nerve_root_injury"], (5, 95))
        return float(high / low)

    assert spread("open_microdiscectomy") < spread("microdiscectomy")


def test_the_rate_set_changes_answer_and_digest(model: Model) -> None:
    """Literature rates have fewer hematomas and root injuries after open surgery than the seed's."""
    other = load_model(rates="literature")
    assert other.digest != model.digest
    case = {**SEED_PATIENT, "procedure": "open_microdiscectomy"}
    seed, literature = (m.diagnose(case, intervals=False).posterior for m in (model, other))
    assert literature["nerve_root_injury"].mean < seed["nerve_root_injury"].mean


def test_threads_get_the_same_answers(model: Model) -> None:
    """A model may be asked from several threads at once."""
    cases = [{**SEED_PATIENT, "examination_day": day} for day in (8, 20, 50, 100)] * 2
    alone = [model.diagnose(case, intervals=False).to_dict() for case in cases]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda case: load_once(model, case), cases)) == alone


def load_once(model: Model, case: dict[str, object]) -> dict[str, object]:
    """Return the answer to a case."""
    return model.diagnose(case, intervals=False).to_dict()


def test_contradictory_findings_name_the_pair(model: Model) -> None:
    """The sentence names the two that clash and no third."""
    with pytest.raises(ImpossibleEvidenceError) as caught:
        model.diagnose({**SEED_PATIENT, "leg_weakness": "absent"})
    assert caught.value.findings == ("toe_dorsiflexion = severe", "leg_weakness = absent")
    assert str(caught.value).startswith("findings: toe_dorsiflexion = severe and leg_weakness = absent cannot hold")


def test_nothing_entered_gives_the_rates_and_routine(model: Model) -> None:
    """An empty case is a case."""
    answer = model.diagnose({}, intervals=False)
    assert answer.urgency.level == "routine"
    assert answer.log_evidence == pytest.approx(0, abs=1e-12)
    assert 0 < answer.none_unmodelled < answer.none < 1


def test_the_numbers_behind_a_cause_are_those_on_its_way(model: Model) -> None:
    """Moving a number that is listed can change the link to the finding; one of another cause is not listed."""
    listed = model.parameters_for("epidural_hematoma", ["toe_dorsiflexion"])
    assert {
        "rate.epidural_hematoma.fusion",
        "onset.epidural_hematoma.within_24h",
        "deficit.epidural_hematoma",
        "reach.broad.L4-L5.root_L5",
        "strength.toe_dorsiflexion.root_L5.severe",
        "grade.severe_in_severe",
        "leak.root_L5",
    } <= set(listed)
    strangers = ("peroneal", "recurrent", "course", "waking", "reoperation")
    assert not [id_ for id_ in listed if any(word in id_ for word in strangers)]
    with pytest.raises(InvalidInputError, match="must be a known cause, got 'hematoma'"):
        model.parameters_for("hematoma")


def test_every_shipped_case_is_answered_and_explained(model: Model) -> None:
    """Each has a title, a story, a sentence for each finding; the seed's patient names no technique and no level."""
    cases = {case.id: case for case in shipped_cases()}
    for case in cases.values():
        assert case.title
        assert case.story
        assert set(case.teaching) == set(case.findings), case.id
        assert model.diagnose(case.findings, intervals=False).frequencies.with_findings >= 100
    seed = cases["post_microdiscectomy_l5"]
    assert (seed.findings["procedure"], "level" in seed.findings, seed.invented) == ("microdiscectomy", False, False)
    assert cases["post_fusion_weakness"].invented


@pytest.mark.parametrize("rates", RATE_SETS)
def test_the_gradient_is_that_of_finite_differences(rates: str) -> None:
    """For the numbers that matter most, and for others; one that the answer cannot hang on is not among them."""
    model = load_model(rates=rates)
    case = parse_case(
        {
            "procedure": "open_microdiscectomy",
            "symptom_onset": 5,
            "toe_dorsiflexion": "severe",
            "crp": "raised_or_rising",
        }
    )
    cause = "epidural_hematoma"
    found = model.gradient(case, cause)
    largest = sorted(found, key=lambda id_: -abs(found[id_]))[:12]
    weights = model.engine.weights(case.observations)
    step = 1e-5
    for id_ in [*largest, *list(found)[::40]]:
        point = model.priors.parameters[id_].point
        numbers = {name: np.repeat(value, 2) for name, value in points(model.priors.parameters).items()}
        numbers[id_] = np.array([point - step, point + step])
        tables = {name: node.fill(numbers) for name, node in model._nodes.items()}  # noqa: SLF001
        below, above = model.engine.marginals(weights, [cause], Drawn(tables.__getitem__, 2)).posterior[cause][1]
        assert found[id_] == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=2e-8), id_
    assert "leak.positional_headache" not in found


def test_every_table_is_a_line_in_each_number() -> None:
    """The gradient takes the slope between 0 and 1: halfway, the table must be halfway."""
    model = load_model()
    for name, node in model._nodes.items():  # noqa: SLF001
        for id_ in model._numbers_of(name):  # noqa: SLF001
            numbers = {**points(model.priors.parameters), id_: np.array([0.0, 0.5, 1.0])}
            low, half, high = np.moveaxis(node.fill(numbers), -1, 0)
            np.testing.assert_allclose(half, (low + high) / 2, atol=1e-15, err_msg=f"{name} {id_}")


def test_an_unknown_cause_has_no_gradient() -> None:
    """It is refused in one sentence."""
    with pytest.raises(InvalidInputError, match="cause: must be a known cause, got 'hematoma'"):
        load_model().gradient({}, "hematoma")


def test_all_nodes_are_those_with_a_name_of_their_own(model: Model) -> None:
    """Asked for everything, the engine leaves out the links inside of its gates."""
    found = model.engine.query({"procedure": "fusion", "leg_pain": "new_or_worse"})
    assert {"csf_leak", "root_L5", "crp"} <= set(found)
    assert not [name for name in found if "__" in name or name in {"procedure", "leg_pain"}]
