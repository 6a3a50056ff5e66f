"""The commands at the bedside: explain, next, compare, report; cases that were saved or hold two examinations."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import rootcause
from rootcause import Model, load_model, shipped_cases
from rootcause.case import moments, parse_case
from rootcause.casefile import save_case, write_case
from rootcause_app.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Runner = Callable[..., tuple[int, str, list[str]]]

SEED: dict[str, Any] = dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)
SERIAL: dict[str, Any] = {
    "examinations": [
        {"findings": {**SEED, "toe_dorsiflexion": 3}},
        {"findings": {"examination_day": 9, "toe_dorsiflexion": 1, "saddle_anesthesia": "absent"}},
    ]
}
CASES = {"seed": {"findings": SEED}, "serial": SERIAL}
EMERGENCY = {"findings": {"saddle_anesthesia": "present", "leg_weakness": "absent", "toe_dorsiflexion": "severe"}}
"""Findings that cannot hold together, with a red flag among them."""

_loaded = cache(load_model)


def shared(priors: Path | None = None, rates: str = "seed") -> Model:
    """Load each model once for all tests here: what it has planned for one question serves the next."""
    return _loaded(priors, rates)


@pytest.fixture(autouse=True)
def one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands take these models."""
    monkeypatch.setattr(rootcause, "load_model", shared)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run a command; returns its exit status, its output, and its complaints one by one."""

    def command(*words: object) -> tuple[int, str, list[str]]:
        status = main([*map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return command


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Each case as a file."""
    written = {name: tmp_path / f"{name}.json" for name in CASES}
    for name, file in written.items():
        file.write_text(json.dumps(CASES[name]), "utf-8")
    return written


def data_of(result: tuple[int, str, list[str]]) -> Any:  # noqa: ANN401 - JSON is anything
    """Return what a command printed as strict JSON, with success and without a complaint."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    status, out, said = result
    assert (status, said) == (0, [])
    return json.loads(out, parse_constant=refuse)


def plain(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON is anything
    """Return plain data as JSON gives it back."""
    return json.loads(json.dumps(content))


def beside(model: Model) -> dict[str, Any]:
    """Return what stands before every answer."""
    about = {"version": model.version, "digest": model.digest, "rates": model.rates}
    return {"model": about, "disclaimer": model.rulebook.disclaimer}


def complaint(run: Runner, *words: object) -> str:
    """Return the one sentence about bad input; there is no output, and the status is 2."""
    status, out, said = run(*words)
    assert (status, out, len(said)) == (2, "", 1)
    assert said[0].startswith("rootcause: ")
    return said[0].removeprefix("rootcause: ")


# ---- good answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "cause"), [("seed", None), ("serial", "none")])
def test_explain_prints_what_the_library_says(
    run: Runner, files: Mapping[str, Path], name: str, cause: str | None
) -> None:
    """Explanation, fit and causes together; without a cause named, for the most probable one."""
    model = shared()
    words = ("--cause", cause) if cause else ()
    assert data_of(run("explain", files[name], *words, "--format", "json")) == plain(
        {
            **beside(model),
            "explanation": model.explain(CASES[name], cause).to_dict(),
            "fit": model.coherence(CASES[name]).to_dict(),
            "together": model.together(CASES[name]).to_dict(),
        }
    )


def test_next_prints_what_the_library_says(run: Runner, files: Mapping[str, Path]) -> None:
    """Below the red flags, which are those of the diagnosis; one step ahead there are no pairs."""
    model = shared()
    data = data_of(run("next", files["seed"], "--format", "json"))
    flags = model.diagnose(CASES["seed"], intervals=False).to_dict()["red_flags"]
    assert flags
    assert data == plain({**beside(model), "red_flags": flags, **model.next(CASES["seed"]).to_dict()})
    assert data["pairs"] == []


def test_next_looks_two_ahead(run: Runner, files: Mapping[str, Path]) -> None:
    """For pairs as well, of a case with two examinations; all else is as it is one step ahead."""
    data = data_of(run("next", files["serial"], "--ahead", 2, "--format", "json"))
    pairs = data.pop("pairs")
    assert pairs
    assert all(pair["bits"] == pytest.approx(sum(pair["alone"]) + pair["synergy"]) for pair in pairs)
    one = plain(shared().next(SERIAL).to_dict())
    assert one.pop("pairs") == []
    assert {name: data[name] for name in one} == one


def test_compare_tells_two_examinations_of_one_case_apart(run: Runner, files: Mapping[str, Path]) -> None:
    """The last two; the shares add up to the change of the cause that leads afterwards."""
    model = shared()
    before, after = moments(SERIAL)
    compared = model.compare(before, after)
    leading = max(compared.causes, key=lambda cause: compared.causes[cause].after)
    shares = model.attribute(before, after, leading)
    data = data_of(run("compare", files["serial"], "--format", "json"))
    assert data == plain({**beside(model), "comparison": compared.to_dict(), "attribution": shares.to_dict()})
    assert sum(share["nats"] for share in data["attribution"]["shares"]) == pytest.approx(shares.total, abs=1e-9)


def test_compare_tells_two_files_apart(run: Runner, files: Mapping[str, Path]) -> None:
    """Each at its last moment, for the cause that was named."""
    words = ("compare", files["seed"], files["serial"], "--cause", "nerve_root_injury", "--format", "json")
    attribution = data_of(run(*words))["attribution"]
    cases = parse_case(CASES["seed"]), parse_case(SERIAL)
    assert attribution == plain(shared().attribute(*cases, "nerve_root_injury").to_dict())


def test_a_case_of_two_examinations_is_diagnosed_at_the_last(run: Runner, files: Mapping[str, Path]) -> None:
    """What was derived and carried on is said."""
    data = data_of(run("diagnose", files["serial"], "--no-intervals", "--format", "json"))
    assert data == plain(shared().diagnose(SERIAL, intervals=False).to_dict())
    assert data["derived"] == ["progression"]
    assert "numbness_l5" in data["carried"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "seed"), ("In the order of entry", "Does it fit?", "Most probable together:")),
        (("next", "seed"), ("RED FLAG (within 48h): ", "At the bedside", "Tests")),
        (("compare", "serial"), ("What differs (before → after):", "together")),
    ],
)
def test_text_is_for_people(
    run: Runner, files: Mapping[str, Path], words: tuple[str, str], said: tuple[str, ...]
) -> None:
    """Each part has its head, the numbers used stand below, and the disclaimer comes last."""
    command, name = words
    status, out, complaints = run(command, files[name])
    assert (status, complaints) == (0, [])
    assert all(part in out for part in said)
    *_, about, last = out.splitlines()
    assert about.startswith("Rootcause ")
    assert last == shared().rulebook.disclaimer


@pytest.mark.parametrize("command", ["explain", "compare"])
def test_the_rate_set_can_be_chosen(run: Runner, files: Mapping[str, Path], command: str) -> None:
    """The answer is from the other numbers, and says so."""
    words = (command, files["serial"], "--format", "json", "--rates")
    seed, literature = (data_of(run(*words, rates)) for rates in ("seed", "literature"))
    assert (seed.pop("model")["rates"], literature.pop("model")["rates"]) == ("seed", "literature")
    assert seed != literature


# ---- saved cases --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_saved_case_is_answered_in_silence_while_nothing_has_changed(run: Runner, tmp_path: Path, name: str) -> None:
    """It is a case like any other."""
    file = tmp_path / "saved.json"
    write_case(shared(), CASES[name], file)
    data = data_of(run("diagnose", file, "--no-intervals", "--format", "json"))
    assert data == plain(shared().diagnose(CASES[name], intervals=False).to_dict())


def saved_otherwise(file: Path, **changes: object) -> None:
    """Save the seed's patient as another version of the numbers would have."""
    saved = save_case(shared(), CASES["seed"])
    saved["rootcause"] |= changes.pop("rootcause", {})
    file.write_text(json.dumps({**saved, **changes}), "utf-8")


@pytest.mark.parametrize("command", ["diagnose", "explain"])
def test_other_numbers_than_those_of_the_file_are_told_in_a_line(run: Runner, tmp_path: Path, command: str) -> None:
    """On standard error; the answer is given all the same."""
    file = tmp_path / "saved.json"
    saved_otherwise(file, rootcause={"digest": "0" * 64})
    status, out, said = run(command, file)
    assert status == 0
    assert out.endswith(f"{shared().rulebook.disclaimer}\n")
    assert len(said) == 1
    assert said[0].startswith(f"rootcause: {file}: the answer is not the one that was saved: The numbers or rules")
    assert "(digest 000000000000 then, " in said[0]


def test_several_differences_are_one_line(run: Runner, tmp_path: Path) -> None:
    """The first one in words, the others counted."""
    file = tmp_path / "saved.json"
    write_case(shared(None, "literature"), CASES["seed"], file)
    status, _, said = run("diagnose", file, "--no-intervals")
    assert (status, len(said)) == (0, 1)
    assert "answered with the rates literature; now the rates are seed (and " in said[0]
    assert said[0].endswith(" more differences)")


def test_what_was_saved_with_a_case_must_be_readable(run: Runner, tmp_path: Path) -> None:
    """Else nobody could say whether the answer is the same."""
    file = tmp_path / "saved.json"
    saved_otherwise(file, rootcause={"format": 99})
    assert "the format of a case file must be 1, got 99" in complaint(run, "diagnose", file, "--no-intervals")


# ---- the report ---------------------------------------------------------------------------------------------------


def test_a_report_is_written(run: Runner, files: Mapping[str, Path], tmp_path: Path) -> None:
    """Of the case at its last moment, by this model."""
    status, out, said = run("report", files["serial"], tmp_path / "report.html")
    assert (status, said) == (0, [])
    assert out.startswith(f"Wrote {tmp_path / 'report.html'}. Rootcause ")
    text = (tmp_path / "report.html").read_text("utf-8")
    assert shared().digest in text
    assert "This is examination 2" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("report.doc", "the ending of a report must be .pdf or .html, got '.doc'"),
        ("report.htm", "got '.htm' (did you mean '.html'?)"),
        ("report", "must be .pdf or .html, got none"),
    ],
)
def test_another_ending_is_told_before_the_case_is_read(run: Runner, tmp_path: Path, name: str, said: str) -> None:
    """One sentence that names the file."""
    told = complaint(run, "report", tmp_path / "no case", tmp_path / name)
    assert told.startswith(f"{tmp_path / name}: ")
    assert said in told


def test_a_report_that_cannot_be_written_is_told_before_the_work(
    run: Runner, files: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of that name stays, a folder that is not there is not made, and no model is asked."""
    monkeypatch.delattr(rootcause, "load_model")
    (tmp_path / "taken.html").mkdir()
    assert "must be a file" in complaint(run, "report", files["seed"], tmp_path / "taken.html")
    assert "must be a place to write" in complaint(run, "report", files["seed"], tmp_path / "none" / "report.html")
    assert not (tmp_path / "none").exists()


# ---- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["explain", "next", "compare", "report"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "must be valid JSON"),
        ('{"toe_dorsiflexoin": "weak"}', "(did you mean 'toe_dorsiflexion'?)"),
        ('{"examinations": []}', "must hold 1 to 20 examinations, got an empty list"),
        ('{"examinations": [{"findings": {"fever": "high"}}]}', "examination 1: fever: must be one of"),
    ],
)
def test_a_bad_case_is_one_sentence(run: Runner, tmp_path: Path, command: str, content: str, said: str) -> None:
    """For every command, before a model is loaded."""
    file = tmp_path / "case.json"
    file.write_text(content, "utf-8")
    others = {"compare": (file,), "report": (tmp_path / "report.pdf",)}.get(command, ())
    assert said in complaint(run, command, file, *others)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "seed", "--cause", "epidural_hematom"), "(did you mean 'epidural_hematoma'?)"),
        (("explain", "seed", "--cause", ""), "cause: must be a known cause or none, got ''"),
        (("compare", "serial", "--cause", "none"), "cause: must be a known cause, got 'none'"),
        (("compare", "seed"), "compare: must have two cases, or one with two examinations, got one examination"),
        (("next", "seed", "--ahead", "3"), "next: argument --ahead: invalid choice: 3"),
        (("next", "seed", "--ahead", "two"), "next: argument --ahead: invalid int value: 'two'"),
        (("next", "seed", "--rates", "guess"), "rates: must be one of seed, literature, got 'guess'"),
        (("explain", "seed", "--format", "pdf"), "explain: argument --format: invalid choice: 'pdf'"),
        (("report", "seed", "report.pdf", "--format", "pdf"), "unrecognized arguments: --format pdf"),
        (("report", "seed"), "report: the following arguments are required: FILE"),
        (("compare", "-", "-"), "compare: standard input can be read once, got - for both cases"),
    ],
)
def test_a_slip_in_the_words_is_one_sentence(
    run: Runner, files: Mapping[str, Path], words: tuple[str, ...], said: str
) -> None:
    """With exit status 2."""
    assert said in complaint(run, *(files.get(word, word) for word in words))


def test_of_two_files_the_bad_one_is_named(run: Runner, files: Mapping[str, Path], tmp_path: Path) -> None:
    """The refusal says which of them to mend."""
    bad = tmp_path / "bad.json"
    bad.write_text('{"fever": "high"}', "utf-8")
    for words in ((files["seed"], bad), (bad, files["seed"])):
        assert complaint(run, "compare", *words).startswith(f"{bad}: fever: must be one of")


@pytest.mark.parametrize("command", ["diagnose", "explain", "next", "report", "compare"])
def test_red_flags_stand_where_there_is_no_answer(
    run: Runner, files: Mapping[str, Path], tmp_path: Path, command: str
) -> None:
    """Findings that cannot hold together silence no rule: the sentence that refuses them names it."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps(EMERGENCY), "utf-8")
    others = {"compare": (files["seed"],), "diagnose": ("--no-intervals",), "report": (tmp_path / "report.pdf",)}
    told = complaint(run, command, file, *others.get(command, ()))
    assert "cannot hold together" in told
    flags = shared().rulebook.red_flags(parse_case(EMERGENCY))
    assert flags[0].level == "emergency"
    assert all(flag.id in told for flag in flags)


def test_findings_without_a_red_flag_are_refused_without_one(run: Runner, tmp_path: Path) -> None:
    """Nothing is made up."""
    file = tmp_path / "case.json"
    file.write_text('{"progression": "improving", "side": "no_deficit"}', "utf-8")
    told = complaint(run, "diagnose", file, "--no-intervals")
    assert "cannot hold together" in told
    assert "red flag" not in told


def test_a_case_is_saved_with_its_answer(run: Runner, files: dict[str, Path], tmp_path: Path) -> None:
    """Opened again it gives the same numbers without a word; with other rates it says what differs."""
    saved = tmp_path / "saved.json"
    status, _, complaints = run("diagnose", files["serial"], "--no-intervals", "--save", saved)
    assert (status, complaints) == (0, [])
    assert json.loads(saved.read_text("utf-8")) == json.loads(json.dumps(save_case(shared(), SERIAL)))
    assert run("diagnose", saved, "--no-intervals")[2] == []
    assert run("diagnose", saved, "--no-intervals", "--rates", "literature")[2]


def test_what_cannot_be_saved_is_one_sentence(run: Runner, files: dict[str, Path], tmp_path: Path) -> None:
    """A folder that is not there, and standard input, which can be read once."""
    for words in (
        ("diagnose", files["seed"], "--save", tmp_path / "no" / "case.json"),
        ("diagnose", "-", "--save", "x"),
    ):
        status, out, complaints = run(*words)
        assert (status, out, len(complaints)) == (2, "", 1)


def test_the_text_says_what_nobody_entered(run: Runner, files: dict[str, Path]) -> None:
    """A course that follows from two grades is told apart from one that was reported."""
    text = run("diagnose", files["serial"], "--no-intervals")[1]
    assert "Nobody entered this; it follows from the examinations: Course of the deficit" in text
    assert "Carried on from an earlier examination" in text
