"""The regression test of a model: what is written down, how it is compared, and what never turns a rank."""

from __future__ import annotations

import json
import re
import tomllib
from argparse import ArgumentParser
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause import Model, load_model, shipped_cases
from rootcause.errors import InvalidInputError
from rootcause.evaluation import VIEWS, CodedCase, Evaluation, evaluate, load_coded_cases
from rootcause.expectation_file import load_expectations, to_json, to_toml, write_expectations
from rootcause.expectations import (
    DRIFT,
    TOLERANCE,
    Expectations,
    ExpectedCase,
    changed_places,
    compare_with,
    expectations_of,
)
from rootcause.outcomes import OUTCOMES
from rootcause_app import expect_commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from rootcause.evaluation import View

DATA = Path(__file__).parents[1] / "data"
CASES, EXPECTED = DATA / "archetypes.json", DATA / "archetypes.expected.toml"


@cache
def model(rates: str = "seed") -> Model:
    """The shipped model."""
    return load_model(rates=rates)


@cache
def cases() -> tuple[CodedCase, ...]:
    """One invented patient for each cause, and the shipped examples."""
    return tuple(load_coded_cases(CASES))


@cache
def answered(rates: str = "seed") -> Evaluation:
    """Their answers."""
    return evaluate(model(rates), cases())


def expected(rates: str = "seed") -> Expectations:
    """What is expected from these answers on."""
    return expectations_of(answered(rates), cases())


# ---- the shipped numbers ---------------------------------------------------------------------------------------------


def test_the_shipped_numbers_keep_the_ranks_of_every_case() -> None:
    """If this fails on purpose: ``rootcause evaluate tests/data/archetypes.json --write-expected`` the file anew."""
    found = compare_with(load_expectations(EXPECTED), answered(), cases())
    assert found.passed, found.to_text()
    assert not found.new
    assert not found.missing
    assert not any(item.recoded for item in found.differences)


def test_every_cause_and_every_shipped_case_is_watched() -> None:
    """A cause without a patient in the file could fall without a test noticing."""
    assert {*OUTCOMES} - {"none"} | {"other"} == {case.cause for case in cases()}
    by_id = {case.id: case for case in cases()}
    for example in shipped_cases():
        assert by_id[example.id].with_tests.findings == _parsed(example.findings), example.id


def _parsed(findings: Any) -> Any:  # noqa: ANN401 - a case is anything
    from rootcause.case import parse_case

    return parse_case({"findings": dict(findings)}).findings


# ---- when a rank changes ---------------------------------------------------------------------------------------------

probabilities = st.lists(st.floats(0, 1), min_size=len(OUTCOMES), max_size=len(OUTCOMES)).map(
    lambda values: dict(zip(OUTCOMES, values, strict=True))
)
tolerances = st.floats(DRIFT, 0.4)


@given(probabilities, tolerances, st.data())
def test_a_shift_within_half_the_tolerance_turns_no_rank(
    then: dict[str, float], tolerance: float, data: st.DataObject
) -> None:
    """However many outcomes move, and however near they were."""
    half = tolerance * 0.499
    now = {name: value + data.draw(st.floats(-half, half)) for name, value in then.items()}
    assert not changed_places(then, now, tolerance)


@given(probabilities, probabilities, tolerances)
def test_changing_places_is_mutual(then: dict[str, float], now: dict[str, float], tolerance: float) -> None:
    """The same outcomes have changed places on the way back, and with a smaller tolerance no fewer."""
    there = changed_places(then, now, tolerance)
    assert there == changed_places(now, then, tolerance)
    assert there <= changed_places(then, now, DRIFT)
    assert len(there) != 1


@given(probabilities, probabilities, tolerances)
def test_places_change_by_the_definition(then: dict[str, float], now: dict[str, float], tolerance: float) -> None:
    """Each outcome that is named was clearly on one side of another and is clearly on its other side."""
    found = changed_places(then, now, tolerance)
    above = {
        one
        for one in OUTCOMES
        for other in OUTCOMES
        if (then[one] > then[other] + tolerance and now[other] > now[one] + tolerance)
        or (then[other] > then[one] + tolerance and now[one] > now[other] + tolerance)
    }
    assert found ^ above <= {name for name in OUTCOMES if _at_the_edge(name, then, now, tolerance)}


def _at_the_edge(name: str, then: dict[str, float], now: dict[str, float], tolerance: float) -> bool:
    """Whether a difference is the tolerance to the last digits, so that either answer may stand."""
    return any(
        abs(abs(own[name] - own[other]) - tolerance) < 1e-12
        for own in (then, now)
        for other in OUTCOMES
        if other != name
    )


def case_of(posterior: dict[str, float], rank: int = 1) -> ExpectedCase:
    """One answer of a case of epidural hematoma."""
    return ExpectedCase("epidural_hematoma", rank, "0" * 12, MappingProxyType(posterior))


def held(posterior: dict[str, float]) -> Expectations:
    """Expectations of one case that answers this in both views."""
    about = {"version": "0", "digest": "f" * 64, "rates": "seed"}
    both: dict[tuple[str, View], ExpectedCase] = {("HEM01", view): case_of(posterior) for view in VIEWS}
    return Expectations(about, TOLERANCE, both)


def regression(then: dict[str, float], now: dict[str, float], tolerance: float | None = None) -> Any:  # noqa: ANN401
    """How one answer differs, through an evaluation that says what it is told."""
    from rootcause.evaluation import CaseResult, Score

    rank = 1 + sum(value > now["epidural_hematoma"] for value in now.values()) if now else len(OUTCOMES)
    score = Score(rank, 0.0, now, None if now else "impossible")
    result = CaseResult("HEM01", "epidural_hematoma", score, score)
    coded = CodedCase("HEM01", "epidural_hematoma", cases()[0].bedside, cases()[0].with_tests)
    evaluation = Evaluation({"version": "1", "digest": "e" * 64, "rates": "seed"}, (result,))
    return compare_with(held(then), evaluation, [coded], tolerance)


def flat(**named: float) -> dict[str, float]:
    """An answer in which all but a few outcomes are most improbable."""
    return {name: named.get(name, 0.001) for name in OUTCOMES}


def test_a_change_of_rank_is_told_in_one_line() -> None:
    """Both outcomes with rank and probability then and now, and the rank of the true cause."""
    found = regression(
        flat(nerve_root_edema=0.282, epidural_hematoma=0.25), flat(nerve_root_edema=0.21, epidural_hematoma=0.3)
    )
    assert not found.passed
    assert str(found.changed[0]).startswith(
        "case HEM01, at the bedside: Epidural hematoma 2nd → 1st (25.0 % → 30.0 %), "
        "Nerve root edema 1st → 2nd (28.2 % → 21.0 %)"
    )
    assert found.changed[0].leads
    text = found.to_text()
    assert text.splitlines()[0].startswith("Ranks have changed in 2 of 2 answers, the first rank in 2")
    assert "case HEM01, at the bedside and with tests: " in text


def test_a_drift_is_no_change() -> None:
    """A probability that moves without passing another is told, and passes."""
    found = regression(flat(nerve_root_edema=0.282), flat(nerve_root_edema=0.21))
    assert found.passed
    assert found.drifted[0].sentence.startswith("Nerve root edema (28.2 % → 21.0 %)")
    assert "No rank has changed" in found.to_text()


def test_ties_may_turn_round() -> None:
    """Within the tolerance the order says nothing; a smaller tolerance makes it a change."""
    then, now = flat(nerve_root_edema=0.2500, csf_leak=0.2495), flat(nerve_root_edema=0.2495, csf_leak=0.2500)
    assert regression(then, now).passed
    assert not regression(then, now, 0.0001).passed


def test_findings_that_became_impossible_are_a_change() -> None:
    """And those that became possible; both at once are the same."""
    then, now = flat(nerve_root_edema=0.5), flat(nerve_root_edema=0.5)
    lost = regression(then, {})
    assert not lost.passed
    assert "cannot hold together now" in lost.to_text()
    assert "can hold together now" in regression({}, now).to_text()
    assert not [item for item in regression({}, {}).differences if item.kind == "changed"]


def test_a_recoded_case_says_so() -> None:
    """What changed in the case is not taken for a change of the model alone."""
    found = regression(flat(nerve_root_edema=0.5), flat(nerve_root_edema=0.5))
    assert all(item.recoded for item in found.differences)
    assert "its findings are others than then" in found.to_text()


def test_other_numbers_move_some_and_the_same_numbers_none() -> None:
    """The two rate sets against each other, and each against itself."""
    same = compare_with(expected(), answered(), cases())
    assert same.passed
    assert not same.differences
    assert same.compared == 2 * len(cases())
    other = compare_with(expected(), answered("literature"), cases())
    assert not other.passed
    data = other.to_dict()
    assert data["passed"] is False
    assert len(data["changed"]) + len(data["drifted"]) == len(other.differences)
    assert other.expected["rates"] == "seed"
    assert other.model["rates"] == "literature"


def test_new_and_missing_cases_are_named() -> None:
    """A case that is only on one side is told and not compared; none on both sides is refused."""
    first, rest = cases()[:1], cases()[1:]
    some = evaluate(model(), rest)
    found = compare_with(expected(), some, rest)
    assert found.missing == (first[0].id,)
    assert found.passed
    known = expectations_of(some, rest)
    found = compare_with(known, answered(), cases())
    assert found.new == (first[0].id,)
    assert first[0].id in found.to_text()
    with pytest.raises(InvalidInputError, match="at least one of the cases"):
        compare_with(known, evaluate(model(), first), first)


# ---- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_what_is_written_is_read_back(tmp_path: Path, ending: str) -> None:
    """Both formats hold the same."""
    file = tmp_path / f"expected.{ending}"
    write_expectations(expected(), file)
    assert load_expectations(file) == expected()


@given(st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable() or "\x7f" in text))
def test_any_id_survives_either_format(id_: str) -> None:
    """Quotes, dots, emoji and control characters in the name of a case."""
    both: dict[tuple[str, View], ExpectedCase] = {(id_, view): case_of({}, len(OUTCOMES)) for view in VIEWS}
    one = Expectations(expected().model, TOLERANCE, both)
    assert list(tomllib.loads(to_toml(one))["case"]) == [id_]
    assert list(json.loads(to_json(one))["case"]) == [id_]


BROKEN: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda data: data.pop("tolerance"), "must have a field 'tolerance', got none"),
    (lambda data: data.update(format=2), "format"),
    (lambda data: data.update(tolerance=0.0), "tolerance: must be a probability from 2e-06 to below 1, got 0"),
    (lambda data: data.update(extra=1), "must not have a field 'extra'"),
    (lambda data: data["model"].pop("rates"), "must have a field 'model.rates'"),
    (lambda data: data.update(case={}), "at least one case"),
    (
        lambda data: data["case"]["hematoma"].pop("bedside"),
        "must hold the tables bedside and with_tests, got",
    ),
    (lambda data: data["case"]["hematoma"]["bedside"].update(rank=0), "case hematoma: bedside: rank"),
    (lambda data: data["case"]["hematoma"]["bedside"].update(cause="hematoma"), "did you mean 'epidural_hematoma'?"),
    (
        lambda data: data["case"]["hematoma"]["bedside"]["posterior"].pop("none"),
        "got none for none: write",
    ),
    (lambda data: data["case"]["hematoma"]["bedside"]["posterior"].update(csf=0.1), "got 'csf'"),
    (lambda data: data["case"]["hematoma"]["bedside"]["posterior"].update(none=1.5), "posterior.none"),
    (lambda data: data["case"]["hematoma"]["bedside"]["posterior"].update(none="x"), "posterior.none"),
]


@pytest.mark.parametrize(("breaking", "said"), BROKEN, ids=[row[1] for row in BROKEN])
def test_a_broken_file_is_refused_in_a_sentence(
    tmp_path: Path, breaking: Callable[[dict[str, Any]], object], said: str
) -> None:
    """With the file, the place and the rule."""
    data = json.loads(to_json(expected()))
    breaking(data)
    file = tmp_path / "expected.json"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(InvalidInputError) as refusal:
        load_expectations(file)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith(str(file))


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """Two broken answers are two lines."""
    data = json.loads(to_json(expected()))
    for id_ in ("hematoma", "fibrosis"):
        data["case"][id_]["with_tests"]["rank"] = 99
    file = tmp_path / "expected.json"
    file.write_text(json.dumps(data), "utf-8")
    with pytest.raises(InvalidInputError) as refusal:
        load_expectations(file)
    assert len(str(refusal.value).splitlines()) == 2


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    """TOML has nan and inf; a probability is neither."""
    file = tmp_path / "expected.toml"
    text = to_toml(expected())
    for value in ("nan", "inf", "-0.1"):
        file.write_text(re.sub(r"none = [0-9.]+", f"none = {value}", text, count=1), "utf-8")
        with pytest.raises(InvalidInputError, match=r"posterior\.none"):
            load_expectations(file)


# ---- the command -----------------------------------------------------------------------------------------------------


def run(*words: str, rates: str = "seed") -> int | None:
    """The options as the command uses them."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--format", default="text")
    expect_commands.add(parser)
    arguments = parser.parse_args(words)
    known = expect_commands.prepared(arguments)
    return expect_commands.finish(arguments, known, answered(rates), cases())


def test_the_command_writes_and_then_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 where nothing changes, 1 where a rank does; without the options there is nothing to do."""
    file = str(tmp_path / "expected.toml")
    assert run() is None
    assert run("--write-expected", file) == 0
    assert f"Wrote {file}" in capsys.readouterr().out
    assert run("--expect", file) == 0
    assert "No rank has changed" in capsys.readouterr().out
    assert run("--expect", file, "--format", "json", rates="literature") == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
    assert run("--expect", file, "--tolerance", "0.3", rates="literature") == 0
    assert run("--write-expected", file, "--tolerance", "0.01") == 0
    assert load_expectations(file).tolerance == 0.01


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tolerance", "0.01"], "must stand with --expect or --write-expected"),
        (["--write-expected", "expected.yaml"], "must be .toml or .json, got '.yaml'"),
        (["--write-expected", "nowhere/expected.toml"], "got no such folder"),
        (["--expect", "nowhere.toml"], "must be a readable file"),
        (["--expect", str(EXPECTED), "--tolerance", "nan"], "must be a probability"),
        (["--expect", str(EXPECTED), "--tolerance", "1"], "must be a probability"),
    ],
)
def test_a_slip_is_told_in_a_sentence_before_the_work(words: list[str], said: str) -> None:
    """What is wrong with the options or the file."""
    with pytest.raises(InvalidInputError, match=said):
        run(*words)
