"""The network of one patient as it is drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rootcause.case import parse_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.nodes import LESIONS, OTHERS, NetworkView, label_of, view, ways
from rootcause.structure import EVERY_CAUSE, UNMODELLED
from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rootcause import Model

VOCABULARY = load_vocabulary()
FINDINGS = tuple(VOCABULARY.findings)
EVERYTHING = (*EVERY_CAUSE, *LESIONS, *FINDINGS)
CASE = {
    "procedure": "fusion",
    "level": "L4-L5",
    "examination_day": 95,
    "toe_dorsiflexion": 3,
    "leg_pain": "new_or_worse",
    "fever": "absent",
    "ankle_dorsiflexion": {"normal": 0.2, "weak": 1.0, "severe": 0.4},
    "back_pain": ["expected", "severe"],
}

SOME = st.dictionaries(st.sampled_from(FINDINGS), st.integers(0, 3), max_size=4).map(
    lambda chosen: {
        name: VOCABULARY.findings[name].states[k % len(VOCABULARY.findings[name].states)] for name, k in chosen.items()
    }
)


def seen(model: Model, case: dict[str, Any], focus: str | None = None, others: int = OTHERS) -> NetworkView:
    """The drawing of a case."""
    return view(model.engine, parse_case(case), focus, others=others)


def possible(model: Model, case: dict[str, Any]) -> bool:
    """Whether findings can hold together."""
    return model.engine.possible(model.engine.weights(parse_case(case).observations))


# ---- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=SOME)
def test_every_probability_is_the_engines(model: Model, case: dict[str, Any]) -> None:
    """A node shows what a query of the same node says."""
    assume(possible(model, case))
    drawn = seen(model, case)
    asked = model.engine.query(parse_case(case).observations, [node.id for node in drawn.nodes])
    for node in drawn.nodes:
        assert node.probability == pytest.approx(1 - next(iter(asked[node.id].values())), abs=1e-10)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=SOME, focus=st.sampled_from(EVERYTHING))
def test_with_a_focus_every_way_leads_through_it(model: Model, case: dict[str, Any], focus: str) -> None:
    """Each node is the focus, above it or below it, and no edge joins two that meet elsewhere."""
    assume(possible(model, case))
    drawn = seen(model, case, focus)
    above, below = closure(focus, up=True), closure(focus, up=False)
    names = {node.id for node in drawn.nodes}
    assert focus in names
    assert names <= above | below
    assert {*EVERY_CAUSE, *LESIONS} & (above | below) <= names
    for edge in drawn.edges:
        assert {edge.source, edge.target} <= above or {edge.source, edge.target} <= below


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=SOME, focus=st.none() | st.sampled_from(EVERYTHING), others=st.integers(0, 8))
def test_a_drawing_holds_together(model: Model, case: dict[str, Any], focus: str | None, others: int) -> None:
    """Edges join drawn nodes and are ways of the model; order, number and ranges are as said."""
    assume(possible(model, case))
    drawn = seen(model, case, focus, others)
    names = [node.id for node in drawn.nodes]
    assert len(set(names)) == len(names)
    assert {(edge.source, edge.target) for edge in drawn.edges} <= set(ways())
    assert all({edge.source, edge.target} <= set(names) for edge in drawn.edges)
    assert all(0 <= edge.strength <= 1 for edge in drawn.edges)
    assert all(0 <= node.probability <= 1 for node in drawn.nodes)
    assert len([node for node in drawn.of("finding") if not node.entered and node.id != focus]) <= others
    for kind in ("cause", "lesion", "finding"):
        order = [(not node.entered, -node.probability) for node in drawn.of(kind)]
        assert order == sorted(order)
    assert json.loads(json.dumps(drawn.to_dict(), allow_nan=False)) == drawn.to_dict()


def closure(name: str, *, up: bool) -> set[str]:
    """A node and all that it hangs on, or that hangs on it."""
    found = {name}
    while True:
        more = {(s if up else t) for s, t in ways() if (t if up else s) in found} - found
        if not more:
            return found
        found |= more


# ---- structure -------------------------------------------------------------------------------------------------------


def test_ways_join_causes_lesions_and_findings_alone() -> None:
    """Neither links of a gate, nor contexts, nor latent carriers are drawn, and no way is listed twice."""
    assert len(set(ways())) == len(ways())
    assert {source for source, _ in ways()} <= {*EVERY_CAUSE, *LESIONS}
    assert {target for _, target in ways()} == {*LESIONS, *FINDINGS}
    assert {source for source, _ in ways()} == {*EVERY_CAUSE, *LESIONS}


def test_ways_are_those_of_the_structure() -> None:
    """Direct links, links of a chain, and ways through a carrier that is not drawn."""
    for way in (
        ("root_L5", "toe_dorsiflexion"),
        ("cauda_equina", "root_S1"),
        ("peroneal_neuropathy", "peroneal_nerve"),
        ("csf_leak", "positional_headache"),
        ("epidural_hematoma", "progression"),
        ("root_L4", "leg_weakness"),
    ):
        assert way in ways()
    assert ("peroneal_neuropathy", "root_L5") not in ways()
    assert ("epidural_hematoma", "toe_dorsiflexion") not in ways()


def test_every_node_has_words() -> None:
    """No id reaches a reader."""
    assert not [name for name in EVERYTHING if "_" in label_of(name)]
    assert len({label_of(name) for name in EVERYTHING}) == len(EVERYTHING)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_the_strength_of_a_plain_link_is_its_number(model: Model) -> None:
    """A noisy-OR link comes back as the number that it was built of, whatever the leak and the other reasons."""
    drawn = seen(model, {"procedure": "fusion", "examination_day": 20}, others=len(FINDINGS))
    strength = {(edge.source, edge.target): edge.strength for edge in drawn.edges}
    numbers = {
        (cause, finding): model.priors.parameters[f"link.{finding}.{cause}"].point
        for cause in EVERY_CAUSE
        for finding in FINDINGS
        if f"link.{finding}.{cause}" in model.priors.parameters and finding not in {"fever", "pain_free_interval"}
    }
    assert len(numbers) > 30
    assert {way: strength[way] for way in numbers} == pytest.approx(numbers, abs=1e-9)


def test_the_strength_from_a_cause_to_a_lesion_is_deficit_times_reach(model: Model) -> None:
    """At a known level, an injured root is a deficit that reaches it."""
    drawn = seen(model, {"procedure": "fusion", "level": "L4-L5"})
    strength = {(edge.source, edge.target): edge.strength for edge in drawn.edges}
    point = {id_: number.point for id_, number in model.priors.parameters.items()}
    expected = point["deficit.nerve_root_injury"] * point["reach.operated.L4-L5.root_L5"]
    assert strength["nerve_root_injury", "root_L5"] == pytest.approx(expected, abs=1e-9)
    assert strength["csf_leak", "cauda_equina"] == pytest.approx(point["cauda.csf_leak"], abs=1e-9)
    assert strength["cauda_equina", "root_S1"] == pytest.approx(point["cauda_to_root.root_S1"], abs=1e-9)


def test_a_strength_does_not_hang_on_the_findings(model: Model) -> None:
    """It is a property of the model in a situation, not of the patient."""
    situation = {name: value for name, value in CASE.items() if name in VOCABULARY.contexts}
    with_findings = {(e.source, e.target): e.strength for e in seen(model, CASE).edges}
    before = {(e.source, e.target): e.strength for e in seen(model, situation, others=len(FINDINGS)).edges}
    assert with_findings.keys() <= before.keys()
    assert with_findings == pytest.approx({way: before[way] for way in with_findings}, abs=1e-9)


def test_soft_findings_keep_their_probability(model: Model) -> None:
    """A likelihood and a list of states leave something open, and the posterior of that is shown."""
    drawn = {node.id: node for node in seen(model, CASE).nodes}
    asked = model.engine.query(parse_case(CASE).observations, ["ankle_dorsiflexion", "back_pain"])
    for name in ("ankle_dorsiflexion", "back_pain"):
        normal = VOCABULARY.findings[name].normal
        assert drawn[name].probability == pytest.approx(1 - asked[name][normal], abs=1e-10)
    assert drawn["ankle_dorsiflexion"].entered == ("normal", "weak", "severe")
    assert drawn["toe_dorsiflexion"].entered == ("weak",)
    assert (drawn["toe_dorsiflexion"].probability, drawn["fever"].probability) == (1.0, 0.0)


def test_what_cannot_be_is_drawn_as_such(model: Model) -> None:
    """After a discectomy there is no hardware: probability 0, and no way from it has a strength."""
    drawn = seen(model, {"procedure": "open_microdiscectomy", "leg_pain": "new_or_worse"})
    assert next(node for node in drawn.nodes if node.id == "hardware_malposition").probability == 0
    assert {edge.strength for edge in drawn.edges if edge.source == "hardware_malposition"} == {0.0}


# ---- which findings --------------------------------------------------------------------------------------------------


def test_findings_not_entered_are_those_that_moved_the_most(model: Model) -> None:
    """Without a focus, the change from the situation alone decides; what follows for sure is not shown."""
    drawn = seen(model, CASE)
    case = parse_case(CASE)
    waiting = [name for name in FINDINGS if name not in case.observations]
    situation = {name: value for name, value in case.observations.items() if name in VOCABULARY.contexts}
    now = model.engine.query(case.observations, waiting)
    before = model.engine.query(situation, waiting)
    moved = {
        name: abs(now[name][VOCABULARY.findings[name].normal] - before[name][VOCABULARY.findings[name].normal])
        for name in waiting
        if now[name][VOCABULARY.findings[name].normal] > 1e-6
    }
    shown = {node.id for node in drawn.of("finding") if not node.entered}
    assert shown == set(sorted(moved, key=lambda name: -moved[name])[:OTHERS])
    assert "leg_weakness" not in shown


def test_a_focus_shows_what_it_would_bring(model: Model) -> None:
    """The sign that a cause alone brings most often is drawn although nobody has looked for it."""
    drawn = seen(model, CASE, "csf_leak", others=2)
    waiting = {node.id for node in drawn.of("finding") if not node.entered}
    assert "positional_headache" in waiting
    assert len(waiting) == 2
    assert [node.id for node in drawn.of("cause")] == ["csf_leak"]


def test_a_focus_that_was_not_entered_is_drawn(model: Model) -> None:
    """Even when no other finding is asked for."""
    drawn = seen(model, CASE, "calf_swelling", others=0)
    assert {node.id for node in drawn.nodes} == {"venous_thromboembolism", UNMODELLED, "calf_swelling"}


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_bad_input_is_refused_in_one_sentence(model: Model) -> None:
    """The place, the rule, and what was got."""
    with pytest.raises(InvalidInputError, match=r"^focus: must be a cause, a lesion or a finding, got 'root_L6'.*L5"):
        seen(model, CASE, "root_L6")
    with pytest.raises(InvalidInputError, match=r"^focus: .*got 'procedure'"):
        seen(model, CASE, "procedure")
    with pytest.raises(InvalidInputError, match=r"^others: must be 0 or more, got -1$"):
        seen(model, CASE, others=-1)
    with pytest.raises(InvalidInputError, match=r"^node: .*got 'course'"):
        label_of("course")
    with pytest.raises(ImpossibleEvidenceError, match="cannot hold together"):
        seen(model, {"leg_weakness": "absent", "toe_dorsiflexion": "weak"})
