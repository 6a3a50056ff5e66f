"""The command that switches sources: it prints what the library says, and refuses in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rootcause import load_model, shipped_cases
from rootcause.alternatives import alternatives, ordered, switch, switch_all
from rootcause_app.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from rootcause import Model
    from rootcause.alternatives import Alternative


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped model."""
    return load_model()


@pytest.fixture(scope="module")
def every(model: Model) -> list[Alternative]:
    """Its alternatives."""
    return alternatives(model)


@pytest.fixture(scope="module")
def findings() -> dict[str, object]:
    """A shipped case."""
    return dict(shipped_cases()[0].findings)


@pytest.fixture
def case(tmp_path: Path, findings: dict[str, object]) -> Path:
    """The case as a file."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"findings": findings}), "utf-8")
    return file


def test_the_keys_are_told_apart(every: list[Alternative]) -> None:
    """Each alternative can be asked for by its key alone."""
    assert len({item.key for item in every}) == len(every)


def test_every_alternative_has_a_line_the_most_admissible_first(
    case: Path,
    model: Model,
    every: list[Alternative],
    findings: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With its key and what it does, in the order of the library."""
    assert main(["switch", str(case)]) == 0
    text = capsys.readouterr().out
    found = ordered(switch_all(model, findings, every))
    turned = [item.leading[0] != item.leading[1] for item in found]
    lines = text.splitlines()
    assert lines[0].startswith(f"{sum(turned)} of {len(found)} alternatives change the leading cause")
    listed = lines[3 : 3 + len(found)]
    for line, item in zip(listed, found, strict=True):
        own = item.alternative
        assert line.split()[:4] == [own.key, *(str(len(some)) for some in (own.changes, own.outside, own.set_aside))]
        assert line.endswith(item.sentence)
    assert model.digest[:12] in text
    assert model.rulebook.disclaimer in text


def test_the_list_is_data_as_well(
    case: Path,
    model: Model,
    every: list[Alternative],
    findings: dict[str, object],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same in JSON, with what has no number to change."""
    assert main(["switch", str(case), "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    found = ordered(switch_all(model, findings, every))
    assert [row["key"] for row in content["alternatives"]] == [item.alternative.key for item in found]
    assert [tuple(row["leading"].values()) for row in content["alternatives"]] == [item.leading for item in found]
    assert content["without"] == [item.key for item in every if not item.changes]
    assert content["model"]["digest"] == model.digest


@pytest.mark.parametrize("kind", ["rates", "technique", "study"])
def test_one_of_each_kind_is_printed_in_full(
    case: Path,
    model: Model,
    every: list[Alternative],
    findings: dict[str, object],
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As the library prints it, and as its data."""
    chosen = next(item for item in every if item.kind == kind and item.changes)
    expected = switch(model, findings, chosen)
    assert main(["switch", str(case), "--to", chosen.key]) == 0
    assert capsys.readouterr().out.startswith(expected.to_text())
    assert main(["switch", str(case), "--to", chosen.key, "--format", "json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert expected.to_dict().items() <= content.items()
    assert content["model"] == {"version": model.version, "digest": model.digest, "rates": "seed"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--to", "literatur"],
            "to: must be the key of a rate set, a technique or a study, got 'literatur' (did you mean",
        ),
        (["--to", "x" * 500], f"got '{'x' * 60}'"),
        (["--to", ""], "to: must be the key of a rate set, a technique or a study, got ''"),
        (["--to"], "switch: argument --to: expected one argument"),
        (["--rates", "seeds"], "rates: must be one of seed, literature, got 'seeds'"),
    ],
)
def test_a_slip_is_one_sentence(case: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2, and nothing printed."""
    assert main(["switch", str(case), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert said in err


def test_findings_that_cannot_be_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Here as with every other question."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"findings": {"toe_dorsiflexion": "strong"}}), "utf-8")
    assert main(["switch", str(file)]) == 2
    assert "toe_dorsiflexion" in capsys.readouterr().err
