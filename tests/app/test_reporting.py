"""The report filled by the model, and written whole or not at all."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rootcause import load_model, shipped_cases
from rootcause.case import parse_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.explanation import in_words
from rootcause.reasoning.weights import DECIBANS_PER_NAT
from rootcause_app import reporting
from rootcause_app.components import labels
from rootcause_app.reporting import full_report, render, write_report

if TYPE_CHECKING:
    from pathlib import Path

    from rootcause import Model
    from rootcause_app.report import Report

MADE = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SEED: dict[str, Any] = dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)


@cache
def model() -> Model:
    """Load the model once: what it has planned for one question serves the next."""
    return load_model()


@cache
def seeds_report() -> Report:
    """Make the report of the seed's patient once."""
    return full_report(model(), SEED, MADE)


def test_the_reasons_add_up_to_the_change_of_the_leading_cause() -> None:
    """They are its order-free weights; none is left out."""
    report = seeds_report()
    why = model().explain(SEED)
    assert report.leading == labels.cause(why.cause)
    assert why.order_free.change is not None
    total = sum(reason.decibans for reason in report.reasons)
    assert total == pytest.approx(why.order_free.change * DECIBANS_PER_NAT, abs=1e-9)
    assert "Big toe up (EHL): severe" in [reason.label for reason in report.reasons]


def test_what_must_not_wait_is_in_the_order_of_its_loss() -> None:
    """Only what cannot wait for a visit, the most pressing first; no threshold stands beside a red flag."""
    rows = [row for row in model().diagnose(SEED, intervals=False).must_not_wait if row.hours.value <= reporting.SOON]
    lines = seeds_report().must_not_wait.lines
    assert len(lines) == 3
    for row, line in zip(rows, lines, strict=False):
        assert line.startswith(f"{labels.cause(row.cause)}, ")
        assert "irreversible after about" in line
        assert "worth its risk" not in line


def test_what_the_red_flags_ask_comes_before_the_bedside_and_that_before_tests() -> None:
    """Of what to examine next: first things, signs with what the most telling result would do, whole examinations."""
    steps = model().next(SEED)
    lines = seeds_report().next_steps.lines
    flag = model().diagnose(SEED, intervals=False).red_flags[0]
    signs = [step for step in steps.steps if step.where == "bedside" and not step.settled]
    assert lines[0].startswith("First: ")
    assert all(words in lines[0] for words in flag.first)
    assert [line.split(":")[0] for line in lines[1:4]] == [step.label for step in signs[:3]]
    assert all("hours" in line for line in lines[4:])
    assert len(lines) > 4


@pytest.mark.parametrize(("decided", "said"), [("ruled_out", -math.inf), ("proved", math.inf)])
def test_a_finding_that_decides_has_a_weight_without_bound(
    monkeypatch: pytest.MonkeyPatch, decided: str, said: float
) -> None:
    """Alone or together with others; there are no shares beside it."""
    sheet = SimpleNamespace(decided=decided, decisive=(("fever",), ("level", "fever")), shares=None)
    why = SimpleNamespace(order_free=sheet, findings={"fever": "present", "level": "L4-L5"})
    monkeypatch.setattr(type(model()), "explain", lambda *_: why)
    report = full_report(model(), {"fever": "present"}, MADE)
    assert [reason.decibans for reason in report.reasons] == [said, said]
    named = [in_words(name, why.findings[name]) for name in ("level", "fever")]
    assert report.reasons[1].label == " with ".join(named)


def test_a_case_that_cannot_be_has_no_report() -> None:
    """Nor has one that breaks a rule."""
    with pytest.raises(ImpossibleEvidenceError):
        full_report(model(), {"leg_weakness": "absent", "toe_dorsiflexion": 1}, MADE)
    with pytest.raises(InvalidInputError, match="did you mean 'fever'"):
        full_report(model(), {"fevre": "present"}, MADE)


def test_a_report_is_rendered_as_html_or_pdf() -> None:
    """The same report gives the same bytes; another kind is one sentence."""
    for kind, start in (("html", b"<!doctype html>"), ("pdf", b"%PDF-")):
        content = render(seeds_report(), kind)
        assert content.startswith(start)
        assert content == render(seeds_report(), kind)
    assert b"default-src &#x27;none&#x27;" in render(seeds_report(), "html")
    with pytest.raises(InvalidInputError, match=r"^format: must be html or pdf, got 'pfd' \(did you mean 'pdf'\?\)$"):
        render(seeds_report(), "pfd")


@pytest.mark.parametrize("name", ["report.pdf", "report.PDF", "report.html"])
def test_a_report_is_written_whole(tmp_path: Path, name: str) -> None:
    """In place of what was there, with nothing left beside it; a link is followed."""
    file = tmp_path / name
    file.write_text("old", "utf-8")
    link = tmp_path / f"link{file.suffix}"
    link.symlink_to(file)
    write_report(seeds_report(), link)
    assert link.is_symlink()
    assert file.read_bytes() == render(seeds_report(), file.suffix[1:].lower())
    assert {*tmp_path.iterdir()} == {file, link}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a report is never seen."""
    file = tmp_path / "report.html"
    file.write_text("old", "utf-8")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidInputError, match="must be a place to write a file, got: No space left on device"):
        write_report(seeds_report(), file)
    assert file.read_text("utf-8") == "old"
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("name", ["report", "report.docx", "report.htm", ".pdf", ""])
def test_another_ending_is_one_sentence(tmp_path: Path, name: str) -> None:
    """It says which ones there are."""
    with pytest.raises(InvalidInputError, match=r"the ending of a report must be \.pdf or \.html, got"):
        write_report(seeds_report(), tmp_path / name if name else "")
    assert not [*tmp_path.iterdir()]


def test_a_checked_case_and_its_table_give_the_same_report() -> None:
    """Whoever has parsed the case already need not do it again."""
    assert full_report(model(), parse_case(SEED), MADE) == seeds_report()
