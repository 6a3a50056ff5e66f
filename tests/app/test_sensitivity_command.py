"""The command of the modeler: every method on the seed's patient, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rootcause import load_model, shipped_cases
from rootcause import sensitivity as library
from rootcause_app.cli import main
from rootcause_app.sensitivity import LEAST_DRAWS, LONG, METHODS, MOST_DRAWS, NUMBERS_NEEDED

if TYPE_CHECKING:
    from pathlib import Path

FINDINGS = {"procedure": "open_microdiscectomy", "level": "L4-L5", "preoperative_deficit": "none", "symptom_onset": 3,
            "examination_day": 4, "toe_dorsiflexion": "weak", "back_pain": "severe"}  # fmt: skip
NUMBERS = ("rate.epidural_hematoma.open_microdiscectomy", "deficit.epidural_hematoma")
QUICK = tuple(method for method in METHODS if method not in {"credal", "sobol", "value"})
"""Methods that take a second at most; the library's tests have the others."""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case as a file."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"findings": FINDINGS}), "utf-8")
    return file


def test_the_methods_have_the_librarys_names() -> None:
    """In Python, on the command line and over HTTP."""
    assert tuple(library.METHODS) == METHODS
    assert set(NUMBERS_NEEDED) | set(LONG) | set(LEAST_DRAWS) <= set(METHODS)
    assert LEAST_DRAWS.keys() == MOST_DRAWS.keys()


@pytest.mark.parametrize("method", QUICK)
def test_every_method_prints_text_and_json(case: Path, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the model it was made from, the cause, and the disclaimer."""
    words = ["sensitivity", str(case), "--cause", "epidural_hematoma", "--method", method, "--draws", "64"]
    for number in NUMBERS[: NUMBERS_NEEDED.get(method, 0)]:
        words += ["--number", number]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert load_model().rulebook.disclaimer in text
    assert main([*words, "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["model"]["digest"] == load_model().digest
    assert len(content) > 2


def test_the_tornado_is_the_default_and_the_librarys(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each number over its range, with its basis and sources."""
    from rootcause.case import parse_case
    from rootcause.sensitivity.tornado import tornado

    assert main(["sensitivity", str(case), "--cause", "epidural_hematoma"]) == 0
    expected = tornado(load_model(), parse_case(FINDINGS), "epidural_hematoma").to_text()
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cause", "hematoma"], "cause: must be a known cause, got 'hematoma'"),
        (["--cause", "csf_leak", "--method", "tornados"], "method: must be one of one-way, tornado"),
        (["--cause", "csf_leak", "--method", "one-way"], "number: one-way needs 1 of the model's numbers, got 0"),
        (["--cause", "csf_leak", "--method", "one-way"], "got 0; these move csf_leak most: "),
        (["--cause", "leak", "--method", "one-way"], "cause: must be a known cause, got 'leak'"),
        (
            ["--cause", "epidural_hematoma", "--method", "two-way", "--number", NUMBERS[0]],
            "got 1; these move epidural_hematoma most: rate.nerve_root_edema.microdiscectomy, onset.",
        ),
        (
            ["--cause", "csf_leak", "--method", "credal", "--number", "rate.csf_leak.fusion"],
            "number: credal takes no number, got 1",
        ),
        (["--cause", "csf_leak", "--method", "one-way", "--number", "rate.x"], "number: must be one of the model's"),
        (
            ["--cause", "csf_leak", "--method", "two-way", *2 * ["--number", NUMBERS[0]]],
            "number: two-way needs two",
        ),
        (["--cause", "csf_leak", "--method", "value", "--draws", "99"], "draws: must be 100 or more for value, got 99"),
        (
            ["--cause", "csf_leak", "--method", "monte-carlo", "--draws", "0"],
            "draws: must be 2 or more for monte",
        ),
        ([], "the following arguments are required: --cause"),
    ],
)
def test_a_slip_is_one_sentence(case: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the place, the rule and what was got; nothing is printed."""
    assert main(["sensitivity", str(case), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_shipped_patient_can_be_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict on the order of the causes, in one sentence, with the number that turns it."""
    findings = dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"findings": findings}), "utf-8")
    assert main(["sensitivity", str(file), "--cause", "nerve_root_edema", "--method", "stability"]) == 0
    printed = capsys.readouterr().out
    assert "overtakes" in printed
    assert "more numbers, " in printed
    assert "(assumed)" in printed
