"""The network is what the design says: its nodes, its structural zeros, and rates that come out as cited."""

from collections.abc import Mapping

import numpy as np
import pytest

from rootcause import Model, load_model
from rootcause.checks import motor_share, rate_of
from rootcause.engine import Drawn
from rootcause.errors import ImpossibleEvidenceError
from rootcause.priors import RATE_SETS
from rootcause.structure import CAUSES, CAUSES_WITH_ONSET, DISCECTOMIES, OLD_DEFICIT, PROCEDURES, UNMODELLED, build
from rootcause.uncertainty import draw, points
from rootcause.vocabulary import WINDOWS

DAYS = {"within_24h": (0, 1), "days_2_to_7": (2, 7), "days_8_to_30": (8, 30), "days_31_to_90": (31, 90)}
EXAMINED = {"days_0_to_3": (0, 3), "days_4_to_14": (4, 14), "days_15_to_42": (15, 42), "days_43_to_90": (43, 90)}


@pytest.fixture(scope="module", params=RATE_SETS)
def model(request: pytest.FixtureRequest) -> Model:
    """Return the shipped model with each rate set."""
    return load_model(rates=request.param)


def test_the_network_holds_the_whole_vocabulary(model: Model) -> None:
    """Five contexts, 13 causes, the unmodelled one and 43 findings are nodes, with the states of the vocabulary."""
    nodes = {node.name: set(node.states) for node in build()}
    words = model.vocabulary
    assert (len(words.contexts), len(words.causes), len(words.findings)) == (5, 13, 43)
    every = {**words.contexts, **words.causes, **words.findings}
    assert {name: nodes.get(name) for name in every} == {name: set(item.states) for name, item in every.items()}
    assert UNMODELLED in nodes


@pytest.mark.parametrize("max_columns", [1, 32, 256])
def test_parents_come_before_children_and_columns_sum_to_one(model: Model, max_columns: int) -> None:
    """However many contributions share a table, every column is a distribution, also for draws."""
    numbers = draw(model.priors.parameters, model.priors.parameters, 3, 5)
    seen: set[str] = set()
    offenders = []
    for node in build(max_columns):
        table = node.fill(numbers)
        if not set(node.parents) <= seen or (table < 0).any() or not np.allclose(table.sum(axis=-2), 1, atol=1e-12):
            offenders.append(node.name)
        seen.add(node.name)
    assert not offenders


def test_onset_shares_sum_back_to_the_cited_rates(model: Model) -> None:
    """P(the cause ever begins | operation) is the rate in the file, exactly; 0 where the operation cannot bring it."""
    numbers = {id_: float(value[0]) for id_, value in points(model.priors.parameters).items()}
    for procedure in PROCEDURES:
        found = model.engine.query({"procedure": procedure}, [f"onset_{cause}" for cause in CAUSES_WITH_ONSET])
        for cause in CAUSES_WITH_ONSET:
            ever = sum(found[f"onset_{cause}"][window] for window in WINDOWS)
            assert ever == pytest.approx(rate_of(numbers, cause, procedure), abs=1e-14), (cause, procedure)


def test_a_window_is_evidence_of_a_complaint(model: Model) -> None:
    """The onset entered raises a hematoma far above its rate per operation, for someone must explain the complaint."""
    case = {"procedure": "open_microdiscectomy"}
    before = model.engine.query(case, ["epidural_hematoma"])["epidural_hematoma"]["present"]
    after = model.engine.query({**case, "symptom_onset": "days_2_to_7"}, ["epidural_hematoma"])["epidural_hematoma"]
    assert after["present"] > 3 * before


def test_symptom_onset_is_the_earliest_onset(model: Model) -> None:
    """P(no complaint) is that no cause has begun, none lasts from before, and none passes by: a product."""
    context = {"procedure": "fusion", "preoperative_deficit": "none", "examination_day": "after_day_90"}
    causes = [*CAUSES, UNMODELLED]
    found = model.engine.query(context, ["symptom_onset", *causes])
    persisting = model.priors.parameters["background.persisting_complaint.no_old_deficit"].point
    passing = sum(p.point for id_, p in model.priors.parameters.items() if id_.startswith("background.new_complaint."))
    nobody = np.prod([found[cause]["absent"] for cause in causes]) * (1 - persisting) * (1 - passing)
    assert found["symptom_onset"]["no_complaint"] == pytest.approx(float(nobody), abs=1e-12)


@pytest.mark.parametrize(
    "findings",
    [
        {"procedure": "open_microdiscectomy", "hardware_malposition": "present"},
        {"procedure": "percutaneous_discectomy", "adjacent_segment_disease": "present"},
        {"procedure": "open_microdiscectomy", "ct_hardware_breach": "present"},
        {"preoperative_deficit": "none", "slow_nerve_recovery": "present"},
        {"toe_dorsiflexion": "weak", "leg_weakness": "absent"},
        {"numbness_s1": "present", "numbness": "absent"},
        {"symptom_onset": "days_31_to_90", "examination_day": "days_0_to_3"},
        {"progression": "no_deficit", "numbness": "present"},
        {"side": "no_deficit", "plantarflexion": "severe"},
        {"deficit_onset": "no_deficit", "saddle_anesthesia": "absent", "knee_extension": "weak"},
    ],
    ids=str,
)
def test_what_cannot_be_is_impossible(model: Model, findings: Mapping[str, str]) -> None:
    """Structural zeros are zeros, and the error names nothing that could be left out."""
    with pytest.raises(ImpossibleEvidenceError) as caught:
        model.engine.query(findings, ["root_L5"])
    named = [text.split(" = ")[0] for text in caught.value.findings]
    assert set(named) <= set(findings)
    for left_out in named:
        model.engine.query({name: findings[name] for name in named if name != left_out}, ["root_L5"])


def test_every_other_finding_is_possible_in_a_well_patient(model: Model) -> None:
    """Leaks leave no single finding impossible after any operation, but for hardware after discectomy."""
    impossible = []
    for procedure in PROCEDURES:
        found = model.engine.query({"procedure": procedure})
        for name in model.vocabulary.findings:
            impossible += [(procedure, name, state) for state, p in found[name].items() if p <= 0]
    assert impossible == [(procedure, "ct_hardware_breach", "present") for procedure in DISCECTOMIES]


def test_a_finding_and_what_covers_it_count_once(model: Model) -> None:
    """Where the toe is known to be weak, hearing that the leg is weak adds nothing."""
    case = {"procedure": "fusion", "toe_dorsiflexion": "weak"}
    once = model.engine.query(case, CAUSES)
    twice = model.engine.query({**case, "leg_weakness": "present"}, CAUSES)
    for cause in CAUSES:
        assert once[cause]["present"] == pytest.approx(twice[cause]["present"], abs=1e-14)


def test_the_numbers_of_begun_by_the_examination_follow_from_the_windows(model: Model) -> None:
    """``visible`` is the share of pairs of days, uniform in both windows, with the onset not after the examination."""
    listed = {id_: p.point for id_, p in model.priors.parameters.items() if id_.startswith("visible.")}
    for window, (first, last) in DAYS.items():
        for day, (start, end) in EXAMINED.items():
            pairs = [(o, e) for o in range(first, last + 1) for e in range(start, end + 1)]
            share = sum(o <= e for o, e in pairs) / len(pairs)
            if 0 < share < 1:
                assert listed.pop(f"visible.{window}.{day}") == pytest.approx(share, abs=1e-6)
    assert not listed, f"no pair of windows overlaps for {sorted(listed)}"


def test_the_derived_motor_share_is_that_of_the_network(model: Model) -> None:
    """The coherence checks speak of this network: their share is P(a motor lesion) with the cause alone present."""
    numbers = {id_: float(value[0]) for id_, value in points(model.priors.parameters).items()}
    tiny = {id_: np.array([1e-12 if id_.startswith("leak.") else value]) for id_, value in numbers.items()}
    tables = {node.name: node.fill(tiny) for node in build()}
    nerves = ["root_L4", "root_L5", "root_S1", "peroneal_nerve"]
    for cause in CAUSES:
        if cause == OLD_DEFICIT:
            continue
        alone = {**dict.fromkeys([*CAUSES, UNMODELLED], "absent"), cause: "present"}
        procedure = (
            "fusion" if cause in {"hardware_malposition", "adjacent_segment_disease"} else "open_microdiscectomy"
        )
        case = {"procedure": procedure, **alone}
        weights = model.engine.weights({**case, **{nerve: ["intact", "sensory"] for nerve in nerves}})
        spared = model.engine.log_probability(weights, Drawn(tables.__getitem__, 1)) - model.engine.log_probability(
            model.engine.weights(case), Drawn(tables.__getitem__, 1)
        )
        assert 1 - np.exp(spared[0]) == pytest.approx(motor_share(numbers, cause, procedure), abs=1e-9), cause


def test_the_exported_network_is_well_formed(model: Model) -> None:
    """Pgmpy accepts it, and it has the nodes of the model."""
    assert model.network.check_model()
    assert {*CAUSES, UNMODELLED, *model.vocabulary.findings} <= set(model.network.nodes())
