"""What to examine next, and when to stop, on the shipped model with the shipped stakes."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from rootcause import Model, shipped_cases
from rootcause.case import Case, parse_case
from rootcause.engine import Batch, Engine
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.next_steps import NextSteps, next_steps
from rootcause.priors import load_priors, shipped_priors
from rootcause.ranking import BEDSIDE, PRESENT, ROWS_OF_WHOLES, Situation
from rootcause.reasoning.decisions import Act, value_of_tests
from rootcause.reasoning.futures import closure_bounds, same_decision_probability
from rootcause.reasoning.information import rank_by_information
from rootcause.stakes import Stakes, load_stakes
from rootcause.stopping import HIGH_HARM, PLAUSIBLE, ROWS_OF_SEARCH

CASES: dict[str, Mapping[str, Any]] = {
    **{example.id: example.findings for example in shipped_cases()},
    "nothing_known": {},
    "weak_toe": {
        "procedure": "open_microdiscectomy",
        "symptom_onset": 2,
        "examination_day": 3,
        "toe_dorsiflexion": "weak",
        "leg_pain": ["none", "unchanged"],
    },
}


@pytest.fixture(scope="module")
def stakes() -> Stakes:
    """The shipped stakes."""
    return load_stakes(shipped_priors(), load_priors().sources)


@pytest.fixture(scope="module")
def answers(model: Model, stakes: Stakes) -> dict[str, tuple[Case, NextSteps]]:
    """Each case with its answer."""
    cases = {name: parse_case(findings) for name, findings in CASES.items()}
    return {name: (case, next_steps(model.engine, case, stakes)) for name, case in cases.items()}


def acts_of(stakes: Stakes) -> list[Act]:
    """Return the act for each cause."""
    return [Act(name, PRESENT, item.benefit.value, item.risk.value) for name, item in stakes.causes.items()]


def dearer(stakes: Stakes, risk: float) -> Stakes:
    """Return stakes in which acting in vain costs so much."""
    causes = {}
    for name, item in stakes.causes.items():
        loss = item.risk.model_copy(update={"value": risk, "low": risk, "high": risk})
        causes[name] = item.model_copy(update={"risk": loss})
    return Stakes(MappingProxyType(causes), stakes.examinations)


# ---- the ranking -----------------------------------------------------------------------------------------------------


def test_every_finding_not_examined_stands_once(model: Model, answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """No finding that was entered, no context, and none left out."""
    for case, answer in answers.values():
        listed = [step.finding for step in answer.steps]
        assert len(listed) == len(set(listed))
        assert set(listed) == model.vocabulary.findings.keys() - case.observations.keys()


def test_bits_and_worth_are_those_of_the_definitions(
    model: Model, stakes: Stakes, answers: dict[str, tuple[Case, NextSteps]]
) -> None:
    """As the functions for any network give them, with all causes as targets and an act for each."""
    for case, answer in answers.values():
        names = [step.finding for step in answer.steps]
        ranked = rank_by_information(model.engine, case.observations, names, model.vocabulary.causes)
        bits = {item.nodes[0]: item.bits for item in ranked}
        worth = dict(zip(names, value_of_tests(model.engine, case.observations, names, acts_of(stakes)), strict=True))
        for step in answer.steps:
            assert step.worth.bits == pytest.approx(bits[step.finding], abs=1e-9)
            assert step.worth.gross == pytest.approx(worth[step.finding], abs=1e-9)
            examination = stakes.examination_of(step.finding)
            assert step.worth.price == examination.cost.value + examination.harm.value
            assert step.worth.net == pytest.approx(step.worth.gross - step.worth.price)
            assert step.worth.delay_hours == examination.delay_hours.value
            assert step.worth.share == pytest.approx(step.worth.bits / answer.bits_left)


def test_bedside_signs_stand_before_tests_and_settled_ones_last(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """Within each part, what tells more stands first."""
    for _, answer in answers.values():
        order = [(step.settled, step.where != BEDSIDE, -step.worth.bits) for step in answer.steps]
        assert order == sorted(order)


def test_what_follows_from_what_was_entered_is_settled(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """A weak toe makes weakness of the leg certain: it is at the end, and tells nothing."""
    answer = answers["weak_toe"][1]
    settled = [step for step in answer.steps if step.settled]
    assert [step.finding for step in settled] == ["leg_weakness"]
    assert answer.steps[-1] == settled[0]
    assert settled[0].worth.bits == pytest.approx(0, abs=1e-9)
    assert not any(step.settled for step in answers["nothing_known"][1].steps)


def test_results_are_a_distribution_around_what_is_known(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """Chances sum to 1, and the probabilities of the leader average to what it is now."""
    for _, answer in answers.values():
        for step in answer.steps:
            assert sum(result.probability for result in step.results) == pytest.approx(1)
            mean = sum(result.probability * result.leader_now for result in step.results)
            assert mean == pytest.approx(answer.leading_probability, abs=1e-9)
            assert step.most_telling.state == step.telling
            moves = [abs(result.moved_to - result.moved_from) for result in step.results]
            assert abs(step.most_telling.moved_to - step.most_telling.moved_from) == max(moves)
            for result in step.results:
                assert result.leading_probability >= result.leader_now - 1e-12


def test_worth_is_the_gain_of_the_decisions_that_would_turn(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """Chance times gain, summed over results and turned decisions, is the value of looking (Howard 1966)."""
    some = 0
    for _, answer in answers.values():
        for step in answer.steps:
            gain = sum(result.probability * change.gain for result in step.results for change in result.changes)
            assert step.worth.gross == pytest.approx(gain, abs=1e-8)
            some += step.worth.gross > 1e-6
    assert some > 20


def test_a_whole_examination_tells_no_less_than_its_findings(
    model: Model, stakes: Stakes, answers: dict[str, tuple[Case, NextSteps]]
) -> None:
    """Its joint results are followed as far as the rows reach, the most telling findings first; tests before signs."""
    for case, answer in answers.values():
        bits = {step.finding: step.worth.bits for step in answer.steps}
        assert {name for whole in answer.examinations for name in whole.findings} == bits.keys()
        for whole in answer.examinations:
            assert set(whole.counted) <= set(whole.findings)
            assert whole.worth.bits >= max(bits[name] for name in whole.findings) - 1e-9
            assert min(bits[name] for name in whole.counted) >= 0
            joint = rank_by_information(model.engine, case.observations, [whole.counted], model.vocabulary.causes)
            assert whole.worth.bits == pytest.approx(joint[0].bits, abs=1e-9)
    case, answer = answers["weak_toe"]
    wholes = {whole.examination: whole for whole in answer.examinations}
    assert len(wholes["mri"].counted) >= 4
    assert set(wholes["emg"].counted) == set(wholes["emg"].findings)
    together = value_of_tests(model.engine, case.observations, [wholes["mri"].counted], acts_of(stakes))[0]
    assert wholes["mri"].worth.gross == pytest.approx(together, abs=1e-9)


# ---- the stop rule ---------------------------------------------------------------------------------------------------


def test_every_decision_is_whether_its_threshold_is_reached(
    stakes: Stakes, answers: dict[str, tuple[Case, NextSteps]]
) -> None:
    """One for each cause, the most harm first, by R / (B + R)."""
    for _, answer in answers.values():
        decisions = answer.stop.decisions
        assert {item.cause for item in decisions} == stakes.causes.keys()
        assert [item.harm for item in decisions] == sorted((item.harm for item in decisions), reverse=True)
        for item in decisions:
            assert item.threshold == pytest.approx(stakes.causes[item.cause].threshold.value)
            assert item.taken == (item.probability >= item.threshold)


def test_decisions_stay_with_their_same_decision_probability(
    model: Model, answers: dict[str, tuple[Case, NextSteps]]
) -> None:
    """Of each cause over the few next findings, as enumeration gives it; all together stay at most as often."""
    for case, answer in answers.values():
        stop = answer.stop
        assert stop.few
        for item in stop.decisions[::4]:
            expected = same_decision_probability(
                model.engine, case.observations, item.cause, PRESENT, item.threshold, stop.few
            )
            assert item.stays == pytest.approx(expected, abs=1e-9)
        assert stop.same_after_few <= min(item.stays for item in stop.decisions) + 1e-9
        assert stop.same_after_next is not None
        step = next(step for step in answer.steps if step.finding == stop.next_best)
        at_hand = [other for other in answer.steps if other.where == BEDSIDE and not other.settled]
        assert step.worth.gross == max(other.worth.gross for other in at_hand)
        turning = sum(result.probability for result in step.results if result.changes)
        assert stop.same_after_next == pytest.approx(1 - turning, abs=1e-9)
        assert stop.gain_of_few >= max(s.worth.gross for s in answer.steps if s.finding in stop.few) - 1e-9


def test_bounds_hold_what_is_known_and_are_exact_over_the_few(
    model: Model, stakes: Stakes, answers: dict[str, tuple[Case, NextSteps]]
) -> None:
    """Of the leading cause and of every possible one with much harm (McSherry 1997)."""
    for case, answer in answers.values():
        now = {item.cause: item.probability for item in answer.stop.decisions}
        acted = {item.cause for item in answer.stop.decisions if item.taken}
        severe = {name for name, item in stakes.causes.items() if item.harm.value >= HIGH_HARM and 0 < now[name] < 1}
        assert {item.cause for item in answer.stop.bounds} == severe | {answer.leading}
        for item in answer.stop.bounds:
            assert item.few.low - 1e-9 <= now[item.cause] <= item.few.high + 1e-9
            if item.cause != answer.leading:  # searched in the direction that could turn the decision
                assert (item.reached_low is not None) == (item.cause in acted)
                assert (item.reached_high is not None) == (item.cause not in acted)
            for end, up in ((item.reached_low, False), (item.reached_high, True)):
                if end is not None:
                    assert end.probability >= PLAUSIBLE
                    assert (end.value - now[item.cause]) * (1 if up else -1) >= 0
                    found = model.engine.query({**case.observations, **end.witness}, [item.cause])[item.cause]
                    assert found[PRESENT] == pytest.approx(end.value, abs=1e-9)
        leader = next(item for item in answer.stop.bounds if item.cause == answer.leading)
        assert leader.reached_low is not None
        assert leader.reached_high is not None
        exact = closure_bounds(model.engine, case.observations, answer.leading, PRESENT, answer.stop.few)
        assert (leader.few.low, leader.few.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_the_sentence_names_what_could_change_it(model: Model, answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """The finding, its result, the cause, and what would then be done."""
    for _, answer in answers.values():
        label, _, rest = answer.stop.sentence.partition(" could still change it: if ")
        step = next(step for step in answer.steps if step.label == label)
        result = next(result for result in step.results if rest.startswith(result.state.replace("_", " ")))
        assert result.changes
        assert model.vocabulary.causes[result.changes[0].cause].label in rest


def test_when_nothing_would_change_anything_it_says_so(model: Model, stakes: Stakes) -> None:
    """Where acting in vain costs without measure, no finding makes it right, and none is worth anything."""
    answer = next_steps(model.engine, parse_case(CASES["weak_toe"]), dearer(stakes, 1e9))
    assert answer.stop.sentence.startswith("Nothing left at the bedside would change what to do (")
    assert answer.stop.sentence.endswith("no test that is left is likely to change what to do.")
    assert answer.stop.same_after_few == pytest.approx(1)
    assert max(step.worth.gross for step in answer.steps) == pytest.approx(0, abs=1e-3)
    assert "No cause is probable enough to act on now." in answer.to_text()


def test_a_test_that_could_still_change_it_is_named(model: Model, stakes: Stakes) -> None:
    """With every bedside sign entered, only tests are left."""
    normal = {name: item.normal for name, item in model.vocabulary.findings.items() if item.test is None}
    situation = {"procedure": "open_microdiscectomy", "symptom_onset": "within_24h", "examination_day": 2}
    found = {**normal, **situation, "leg_pain": "new_or_worse", "back_pain": "severe", "post_void_residual": 20}
    answer = next_steps(model.engine, parse_case(found), stakes)
    assert {step.where for step in answer.steps} == {"laboratory", "imaging", "electrophysiology"}
    assert answer.stop.few == ()
    assert answer.stop.same_after_few == pytest.approx(1)
    assert answer.stop.sentence.startswith("Nothing is left to find at the bedside; this test could: ")
    assert "hours)" in answer.stop.sentence


def test_with_everything_examined_nothing_is_left(model: Model, stakes: Stakes) -> None:
    """An answer without steps, and a sentence that says why."""
    normal = {name: item.normal for name, item in model.vocabulary.findings.items()}
    answer = next_steps(model.engine, parse_case({"procedure": "fusion", **normal}), stakes, ahead=2)
    assert (answer.steps, answer.examinations, answer.pairs) == ((), (), ())
    assert answer.stop.next_best is None
    assert answer.stop.same_after_next is None
    assert answer.stop.sentence.startswith("Nothing is left to find at the bedside")
    assert answer.to_text()


# ---- two looks ahead, and the form of the answer ---------------------------------------------------------------------


def test_two_looks_ahead_agree_with_one(
    answers: dict[str, tuple[Case, NextSteps]], model: Model, stakes: Stakes
) -> None:
    """Pairs are sorted, hold the most telling finding, and each finding alone tells what one look says."""
    case, one = answers["post_fusion_weakness"]
    two = next_steps(model.engine, case, stakes, ahead=2)
    assert (two.steps, one.pairs) == (one.steps, ())
    bits = {step.finding: step.worth.bits for step in one.steps}
    best = max(bits, key=bits.__getitem__)
    assert any(best in pair.findings for pair in two.pairs)
    assert [pair.bits for pair in two.pairs] == sorted((pair.bits for pair in two.pairs), reverse=True)
    for pair in two.pairs:
        assert pair.alone == pytest.approx([bits[name] for name in pair.findings], abs=1e-9)
        assert pair.bits >= max(pair.alone) - 1e-9
        if pair.misleads:
            assert best not in pair.findings
    assert "Two looks ahead" in two.to_text()


def test_the_answer_is_plain_data(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """It goes through JSON without a change, and holds no number that is not finite."""
    for _, answer in answers.values():
        data = answer.to_dict()
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        assert {"steps", "examinations", "pairs", "stop", "red_flags_first"} <= data.keys()
        assert data["steps"][0]["results"][0]["probability"] > 0


def test_the_text_never_stands_a_red_flag_down(answers: dict[str, tuple[Case, NextSteps]]) -> None:
    """Its first line says that red flags come first; delays stand beside the worth."""
    for _, answer in answers.values():
        lines = answer.to_text().splitlines()
        assert "a red flag is acted on first" in lines[0]
        assert answer.stop.sentence in lines
        assert sum("hours" in line and "worth" in line for line in lines) >= 2


@pytest.mark.parametrize("name", [*CASES])
def test_a_call_asks_for_few_rows(name: str, model: Model, stakes: Stakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most some 120 for the ranking and 80 for the stop rule: heavy cases take milliseconds for each."""
    rows: list[int] = []
    run = Engine.run_batch

    def counted(self: Engine, evidence: Any, targets: Any = None) -> Batch:  # noqa: ANN401 - as in the engine
        found = run(self, evidence, targets)
        rows.append(len(found.log_evidence))
        return found

    monkeypatch.setattr(Engine, "run_batch", counted)
    situation = Situation(model.engine, parse_case(CASES[name]), stakes)
    situation.wholes(situation.steps())
    assert sum(rows) <= 102 + ROWS_OF_WHOLES
    rows.clear()
    next_steps(model.engine, parse_case(CASES[name]), stakes)
    assert sum(rows) <= 102 + ROWS_OF_WHOLES + 40 + ROWS_OF_SEARCH


def test_what_cannot_be_asked_is_refused(model: Model, stakes: Stakes) -> None:
    """Three looks ahead, and findings that cannot hold together."""
    with pytest.raises(InvalidInputError, match="ahead: must be 1 or 2, got 3"):
        next_steps(model.engine, parse_case({}), stakes, ahead=3)
    clash = parse_case({"leg_weakness": "absent", "toe_dorsiflexion": "weak"})
    with pytest.raises(ImpossibleEvidenceError, match="cannot hold together"):
        next_steps(model.engine, clash, stakes)
