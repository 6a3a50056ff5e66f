"""Coded cases: how they are read, and how answers to them are scored."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from rootcause.errors import InvalidInputError
from rootcause.evaluation import (
    FLOOR,
    METHOD,
    NOTE,
    VIEWS,
    CaseResult,
    Evaluation,
    Score,
    evaluate,
    load_coded_cases,
    rank_of,
)
from rootcause.outcomes import OUTCOMES
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from rootcause import Model

HEMATOMA: dict[str, Any] = {
    "id": "hematoma",
    "cause": "epidural_hematoma",
    "source": {"title": "A note that is not read"},
    "context": {"procedure": "microdiscectomy", "symptom_onset": "within_24h"},
    "bedside": {"back_pain": "severe", "leg_weakness": "present", "progression": "worsening"},
    "tests": {"mri_epidural_collection": "compressive"},
}
OLD: dict[str, Any] = {
    "id": "old",
    "cause": "slow_nerve_recovery",
    "context": {"procedure": "microdiscectomy", "preoperative_deficit": "motor", "symptom_onset": "before_surgery"},
    "bedside": {"leg_weakness": "present", "progression": "improving"},
    "tests": {},
}
OTHER: dict[str, Any] = {
    "id": "other",
    "cause": "other",
    "context": {"procedure": "fusion"},
    "bedside": {"fever": "absent"},
}
CLASH: dict[str, Any] = {
    "id": "clash",
    "cause": "epidural_hematoma",
    "context": {},
    "bedside": {"toe_dorsiflexion": "severe", "leg_weakness": "absent"},
    "tests": {},
}


def written(folder: Path, content: object) -> Path:
    """Return a file with the content as JSON, or as it is where it is text."""
    file = folder / "cases.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return file


def problems(folder: Path, content: object) -> list[str]:
    """Return what is said of a file of cases, one sentence for each problem, without the place of the file."""
    file = written(folder, content)
    with pytest.raises(InvalidInputError) as caught:
        load_coded_cases(file)
    return [line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines()]


def test_a_case_is_read_in_two_views(tmp_path: Path) -> None:
    """The first view leaves the tests out, the second has everything, and the truth of ``other`` is ``none``."""
    hematoma, other = load_coded_cases(written(tmp_path, [HEMATOMA, OTHER]))
    assert set(hematoma.bedside.findings) == {*HEMATOMA["context"], *HEMATOMA["bedside"]}
    assert set(hematoma.with_tests.findings) == {*hematoma.bedside.findings, "mri_epidural_collection"}
    assert (hematoma.truth, other.truth) == ("epidural_hematoma", "none")


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """Each broken rule of each case is a sentence of its own that names the case."""
    content = [
        {"cause": "other", "context": {}},
        HEMATOMA | {"id": "a", "cause": "epidural_haematoma"},
        HEMATOMA | {"id": "b", "bedside": {"fever": "high", "back_pian": "severe"}},
        HEMATOMA | {"id": "c", "bedside": {"crp": "raised_or_rising"}, "tests": {"fever": "present"}},
        HEMATOMA | {"id": "d", "tests": []},
        OTHER | {"id": "d", "test": {"crp": "raised_or_rising"}},
        HEMATOMA | {"id": "e", "context": {"symptom_onset": 9, "examination_day": 2}},
        "f",
        HEMATOMA | {"id": ""},
    ]
    known = ", ".join(load_vocabulary().findings["fever"].states)
    unknown = "findings: every name must be a known context or finding, got 'back_pian' (did you mean 'back_pain'?)"
    assert problems(tmp_path, content) == [
        "case number 1: must have 'id', got none",
        "case a: cause must be a known cause or 'other', got 'epidural_haematoma' (did you mean 'epidural_hematoma'?)",
        f"case b: bedside: fever: must be one of {known}, got 'high'",
        f"case b: bedside: {unknown}",
        "case c: bedside: crp must stand under 'tests', got it under 'bedside'",
        "case c: tests: fever must stand under 'bedside', got it under 'tests'",
        "case d: tests must be a table of findings, got a list",
        "case d: must not have a key 'test' (did you mean 'tests'?)",
        "case d: an id may stand once in the file, got it again",
        "case e: findings: symptom_onset must not be after examination_day, got day 9 and day 2",
        "case number 8: must be a table, got a text",
        "case number 9: id must be a text, got an empty text",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "must hold a case, got nothing"),
        ("[]", "must hold a list of at least one case, got an empty list"),
        ("{}", "must hold a list of at least one case, got a table"),
        ("[{", "must be valid JSON"),
        ('[{"id": "a", "id": "b"}]', "a key may stand once in a table, got 'id' twice"),
        ('[{"id": "a", "cause": "other", "bedside": {"fever": NaN}}]', "a number must be finite, got NaN"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: str, problem: str) -> None:
    """What is wrong with the file as a whole is said with its place, rule and what was got."""
    (said,) = problems(tmp_path, content)
    assert said.startswith(problem)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """So is a file that is not text."""
    with pytest.raises(InvalidInputError, match="must be a readable file"):
        load_coded_cases(tmp_path / "none.json")
    (tmp_path / "cases.json").write_bytes(b"[\xff]")
    with pytest.raises(InvalidInputError, match="must be UTF-8 text"):
        load_coded_cases(tmp_path / "cases.json")


def test_a_score_is_that_of_the_answer(model: Model, tmp_path: Path) -> None:
    """Rank and log loss are those of the posterior that ``diagnose`` gives for the same findings."""
    (case,) = load_coded_cases(written(tmp_path, [HEMATOMA]))
    (result,) = evaluate(model, [case]).results
    for score, findings in ((result.bedside, case.bedside), (result.with_tests, case.with_tests)):
        answer = model.diagnose(findings, intervals=False)
        means = {cause: answer.posterior[cause].mean for cause in CAUSES}
        assert score.posterior == pytest.approx({**means, "none": answer.none}, rel=1e-9, abs=1e-15)
        assert score.rank == 1 + answer.ranking.index("epidural_hematoma")
        assert score.first == answer.ranking[0]
        chances = [p if cause == "epidural_hematoma" else 1 - p for cause, p in means.items()]
        assert score.log_loss == pytest.approx(-sum(map(math.log, chances)), rel=1e-9)


def test_a_decisive_test_helps_the_truth(model: Model, tmp_path: Path) -> None:
    """A compressive collection on MRI makes a true hematoma more probable and its loss smaller."""
    (result,) = evaluate(model, load_coded_cases(written(tmp_path, [HEMATOMA]))).results
    assert result.with_tests.posterior["epidural_hematoma"] > result.bedside.posterior["epidural_hematoma"]
    assert result.with_tests.log_loss is not None
    assert result.bedside.log_loss is not None
    assert result.with_tests.log_loss < result.bedside.log_loss
    assert result.with_tests.rank <= result.bedside.rank


def test_other_is_right_when_none_is_probable(model: Model, tmp_path: Path) -> None:
    """Where the truth is outside the list every listed cause counts as absent, and ``none`` is what is ranked."""
    (result,) = evaluate(model, load_coded_cases(written(tmp_path, [OTHER]))).results
    score = result.bedside
    assert score.rank == rank_of("none", score.posterior)
    expected = -sum(math.log(1 - score.posterior[cause]) for cause in CAUSES)
    assert score.log_loss == pytest.approx(expected, rel=1e-9)
    assert result.with_tests == score  # there were no tests


def test_an_impossible_case_does_not_end_the_run(model: Model, tmp_path: Path) -> None:
    """It ranks last, has no loss, names the findings that clash, and the others are scored as without it."""
    cases = load_coded_cases(written(tmp_path, [CLASH, HEMATOMA]))
    found = evaluate(model, cases)
    clash, hematoma = found.results
    for score in (clash.bedside, clash.with_tests):
        assert score.rank == len(OUTCOMES) == 14
        assert score.log_loss is None
        assert score.first is None
        assert score.impossible is not None
        assert "toe_dorsiflexion = severe" in score.impossible
        assert "leg_weakness = absent" in score.impossible
    assert hematoma == evaluate(model, cases[1:]).results[0]
    summary = found.summary("bedside")
    assert (summary.cases, summary.impossible) == (2, 1)
    assert summary.mean_rank == (14 + hematoma.bedside.rank) / 2
    assert summary.log_loss == hematoma.bedside.log_loss
    text = found.to_text()
    assert "Impossible under the model:" in text
    assert text.count("clash, ") == len(VIEWS)


def test_no_case_at_all_is_refused(model: Model) -> None:
    """An average over nothing is not reported."""
    with pytest.raises(InvalidInputError, match="at least one case"):
        evaluate(model, [])


@pytest.mark.parametrize(
    ("truth", "rank"), [("epidural_hematoma", 1), ("csf_leak", 3), ("nerve_root_injury", 3), ("none", 4)]
)
def test_ties_count_against_the_model(truth: str, rank: int) -> None:
    """An outcome that shares its probability with another stands behind it."""
    posterior = {"epidural_hematoma": 0.5, "csf_leak": 0.2, "nerve_root_injury": 0.2 * (1 + 1e-15), "none": 0.1}
    assert rank_of(truth, posterior) == rank


def test_a_cause_that_cannot_be_costs_the_floor(model: Model, tmp_path: Path) -> None:
    """A misplaced screw without hardware has probability 0: the loss is finite, and that of the stated floor."""
    screw = {"id": "screw", "cause": "hardware_malposition", "context": {"procedure": "microdiscectomy"}}
    (result,) = evaluate(model, load_coded_cases(written(tmp_path, [screw]))).results
    score = result.bedside
    assert score.posterior["hardware_malposition"] == 0
    assert score.rank == 14  # adjacent-segment disease is impossible as well, and the tie counts against the model
    rest = -sum(math.log(1 - score.posterior[cause]) for cause in CAUSES)
    assert score.log_loss == pytest.approx(rest - math.log(FLOOR))


def scored(id_: str, cause: str, bedside: int, with_tests: int) -> CaseResult:
    """Return a result with given ranks; every posterior is the same."""
    posterior = dict.fromkeys(OUTCOMES, 0.5)
    return CaseResult(id_, cause, Score(bedside, 1.0, posterior, None), Score(with_tests, 0.5, posterior, None))


@pytest.fixture
def three_causes() -> Evaluation:
    """Four cases of three causes with given ranks."""
    results = (
        scored("a", "csf_leak", 1, 1),
        scored("b", "other", 4, 2),
        scored("c", "csf_leak", 3, 1),
        scored("d", "epidural_fibrosis", 4, 4),
    )
    return Evaluation({"version": "0", "digest": "0" * 64, "rates": "seed"}, results)


def test_averages_are_over_the_cases_of_a_cause(three_causes: Evaluation) -> None:
    """Mean rank, top-1 and top-3 rates and mean loss, by cause and over all."""
    leak = three_causes.summary("bedside", "csf_leak")
    assert (leak.cases, leak.mean_rank, leak.top_1, leak.top_3, leak.log_loss) == (2, 2.0, 0.5, 1.0, 1.0)
    every = three_causes.summary("with_tests")
    assert (every.cases, every.mean_rank, every.top_1, every.top_3, every.log_loss) == (4, 2.0, 0.5, 0.75, 0.5)


def test_the_weakest_cause_comes_first(three_causes: Evaluation) -> None:
    """By mean rank at the bedside, and where that is equal with tests; the text keeps the order of the data."""
    order = ["epidural_fibrosis", "other", "csf_leak"]
    assert list(three_causes.causes) == order
    assert [row["cause"] for row in three_causes.to_dict()["by_cause"]] == order
    text = three_causes.to_text()
    assert text.index("Epidural fibrosis") < text.index("\nOther ") < text.index("\nCSF leak ") < text.index("\nAll ")


def test_the_text_is_an_aligned_table(three_causes: Evaluation) -> None:
    """Every row of a table ends its columns where the heading does."""
    lines = three_causes.to_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("True cause"))
    table = lines[start : start + 5]
    assert {len(line) for line in table} == {len(table[0])}


def test_what_the_table_cannot_show_is_said(three_causes: Evaluation) -> None:
    """Text and data say in one line that the cases show separation and not calibration, and how they were scored."""
    data = three_causes.to_dict()
    assert three_causes.to_text().splitlines()[0] == data["note"] == NOTE
    assert "not calibration" in NOTE
    assert data["method"] == METHOD
    assert f"{FLOOR:g}" in METHOD
    assert "ties count against the model" in METHOD


def test_the_data_are_json(model: Model, tmp_path: Path) -> None:
    """Numbers are finite, also with an impossible case, and the model is named by its digest."""
    cases = load_coded_cases(written(tmp_path, [HEMATOMA, OLD, OTHER, CLASH]))
    found = evaluate(model, cases)
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["model"] == {"version": model.version, "digest": model.digest, "rates": "seed"}
    assert [row["id"] for row in data["cases"]] == ["hematoma", "old", "other", "clash"]
    assert set(data["overall"]) == set(VIEWS)
    assert {row["cause"] for row in data["by_cause"]} == {"epidural_hematoma", "slow_nerve_recovery", "other"}
    assert all(row["cases"] for cause in data["by_cause"] for row in (cause["bedside"], cause["with_tests"]))
    old = next(row for row in data["cases"] if row["id"] == "old")
    assert (old["bedside"]["rank"], old["bedside"]["first"]) == (1, "slow_nerve_recovery")
