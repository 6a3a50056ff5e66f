"""The command of local rates: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from rootcause import load_model
from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause.local_counts import LocalRate
from rootcause.local_rates import update
from rootcause_app import local_commands
from rootcause_app.cli import main

RATE = "rate.epidural_hematoma.open_microdiscectomy"
FINDINGS = {"procedure": "open_microdiscectomy", "symptom_onset": 1, "examination_day": 1, "toe_dorsiflexion": "weak"}


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """A file of one count."""
    file = tmp_path / "local.toml"
    file.write_text(f'[[local]]\nid = "{RATE}"\nevents = 12\nof = 480\nsource = "own registry"\n', "utf-8")
    return file


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case as a file."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"findings": FINDINGS}), "utf-8")
    return file


def run(*words: object) -> int:
    """The command with its words."""
    parser = argparse.ArgumentParser()
    local_commands.add_arguments(parser)
    parser.add_argument("--priors", type=Path)
    parser.add_argument("--rates", default="seed")
    parser.add_argument("--format", default="text")
    return local_commands.local(parser.parse_args([str(word) for word in words]))


def test_each_number_is_printed_before_and_after(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the surprise in a sentence, the disclaimer, and word that nothing was written."""
    assert run(counts) == 0
    text = capsys.readouterr().out
    (expected,) = update(load_model().priors.parameters, LocalRate(RATE, 12, 480))
    row = next(line for line in text.splitlines() if line.startswith(RATE))
    assert " ".join(row.split()) == f"{RATE} 0.5 % [0.3, 0.8] 12/480 2.5 % 1 0.844 % [0.581, 1.15]"
    assert expected.sentence in text
    assert "1 of 545 numbers differ; nothing was written (--out DIR writes the folder)." in text
    assert load_model().rulebook.disclaimer in text


def test_the_folder_that_is_written_answers_the_case_as_printed(
    counts: Path, case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its digest and its posteriors are those of the JSON, and its own checks can be asked."""
    out = tmp_path / "mine"
    assert run(counts, "--out", out, "--case", case, "--format", "json") == 0
    content = json.loads(capsys.readouterr().out)
    written, shipped = load_model(out), load_model()
    assert content["own"]["digest"] == written.digest != content["model"]["digest"] == shipped.digest
    for model, name in ((shipped, "before"), (written, "after")):
        answer = model.diagnose(parse_case(FINDINGS), intervals=False)
        for cause, item in answer.posterior.items():
            assert content["posterior"][cause][name] == pytest.approx(item.mean, abs=1e-12)
    assert content["local"][0]["after"]["point"] == written.priors.parameters[RATE].point
    assert main(["priors", "list", "--priors", str(out)]) == 0


def test_every_cause_is_printed_with_its_rank(counts: Path, case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In text, with the sentence on the order."""
    assert run(counts, "--case", case) == 0
    text = capsys.readouterr().out
    assert "Nerve root injury leads before and after; no rank changes." in text
    assert sum(label.label in text for label in load_model().vocabulary.causes.values()) == 13


def test_the_folder_can_be_started_from(counts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second count goes on from the first, and a folder that holds something is not written over."""
    out = tmp_path / "mine"
    assert run(counts, "--out", out) == 0
    assert f"Use it with --priors {out}." in capsys.readouterr().out
    assert run(counts, "--priors", out, "--format", "json") == 0
    first = json.loads(capsys.readouterr().out)["local"][0]
    assert first["before"]["point"] == load_model(out).priors.parameters[RATE].point
    with pytest.raises(InvalidInputError, match="must be a new or an empty folder"):
        run(counts, "--out", out)


@pytest.mark.parametrize(
    ("text", "findings", "said"),
    [
        ('[[local]]\nid = "rate.x"\nevents = 1\nof = 2', FINDINGS, "rate.x: must be a number of the model"),
        ('[[local]]\nid = "context.procedure"\nevents = 1\nof = 2', FINDINGS, "it is a whole, give the counts"),
        (f'[[local]]\nid = "{RATE}"\nevents = 1', FINDINGS, "must have events and of"),
        (None, {"procedure": "knee"}, "procedure"),
        (None, {"saddle_anesthesia": "absent", "numbness": "absent", "numbness_l5": "present"}, "cannot hold together"),
    ],
)
def test_a_slip_is_one_sentence_and_nothing_is_written(
    counts: Path, case: Path, tmp_path: Path, text: str | None, findings: dict[str, object], said: str
) -> None:
    """It names the place, the rule and what was got."""
    if text is not None:
        counts.write_text(text, "utf-8")
    case.write_text(json.dumps({"findings": findings}), "utf-8")
    with pytest.raises(InvalidInputError) as refused:
        run(counts, "--case", case, "--out", tmp_path / "mine")
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert not (tmp_path / "mine").exists()
