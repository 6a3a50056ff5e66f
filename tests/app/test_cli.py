"""The command line: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rootcause import __version__, load_model
from rootcause.errors import ModelTooLargeError
from rootcause.model import Model
from rootcause.priors import load_priors, shipped_priors
from rootcause_app import server
from rootcause_app.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Runner = Callable[..., tuple[int, str, list[str]]]

CASE = {"procedure": "microdiscectomy", "symptom_onset": 7, "toe_dorsiflexion": "weak", "plantarflexion": "normal"}
ARCHETYPES = Path(__file__).parents[1] / "data" / "archetypes.json"
HEAVY = ("altair", "fastapi", "pandas", "pgmpy", "pyarrow", "sklearn", "streamlit", "uvicorn")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of this kind are of Unix")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A case as a file."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps({"findings": CASE}), "utf-8")
    return file


@pytest.fixture
def own_numbers(tmp_path: Path) -> Path:
    """A copy of the shipped numbers that may be changed."""
    return Path(shutil.copytree(str(shipped_priors()), tmp_path / "priors"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run a command; returns its exit status, its output, and its complaints one by one."""

    def command(*words: object) -> tuple[int, str, list[str]]:
        status = main([*map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return command


def complaint(run: Runner, *words: object) -> str:
    """Return the one sentence about bad input; there is no output, and the status is 2."""
    status, out, said = run(*words)
    assert (status, out) == (2, "")
    assert len(said) == 1
    assert said[0].startswith("rootcause: ")
    return said[0].removeprefix("rootcause: ")


def strict(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON; NaN and infinity, which it does not have, fail."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def process(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    """Run the program as a process of its own."""
    command = [
        sys.executable,
        "-c",
        "import sys; from rootcause_app.cli import main; sys.exit(main())",
        *map(str, words),
    ]
    return subprocess.run(command, text=True, check=False, **{"capture_output": True, **options})


# ---- diagnose -----------------------------------------------------------------------------------------------------


def test_diagnose_prints_the_answer_of_the_library(run: Runner, case: Path) -> None:
    """As JSON it is ``Answer.to_dict``, with intervals, and nothing else is printed."""
    status, out, said = run("diagnose", case, "--format", "json")
    assert (status, said) == (0, [])
    data = strict(out)
    assert data == load_model().diagnose(CASE).to_dict()
    assert data["model"]["version"] == __version__
    item = data["posterior"]["nerve_root_edema"]
    assert item["low"] < item["mean"] < item["high"]


def test_intervals_can_be_left_out(run: Runner, case: Path) -> None:
    """The points are the same without them."""
    _, out, _ = run("diagnose", case, "--format", "json", "--no-intervals")
    data = strict(out)
    assert data["posterior"]["nerve_root_edema"]["low"] is None
    points = load_model().diagnose(CASE, intervals=False)
    assert {cause: row["mean"] for cause, row in data["posterior"].items()} == {
        cause: item.mean for cause, item in points.posterior.items()
    }


def test_diagnose_prints_text_for_people(run: Runner, case: Path) -> None:
    """Urgency first, the causes by their posterior, the disclaimer last."""
    status, out, _ = run("diagnose", case, "--no-intervals")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("Urgency: ")
    assert lines[-1] == load_model().rulebook.disclaimer
    assert "None of these" in out


def test_a_case_comes_from_standard_input(case: Path) -> None:
    """``-`` reads it there, in JSON or TOML."""
    toml = "[findings]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in CASE.items())
    answers = [
        process("diagnose", "-", "--no-intervals", "--format", "json", input=text).stdout
        for text in (case.read_text("utf-8"), toml)
    ]
    assert strict(answers[0]) == load_model().diagnose(CASE, intervals=False).to_dict()
    assert answers[0] == answers[1]


def test_the_rate_set_changes_the_answer(run: Runner, case: Path) -> None:
    """``--rates literature`` answers from the other numbers, and the answer says so."""
    seed, literature = (
        strict(run("diagnose", case, "--no-intervals", "--format", "json", "--rates", rates)[1])
        for rates in ("seed", "literature")
    )
    assert (seed["model"]["rates"], literature["model"]["rates"]) == ("seed", "literature")
    assert seed["model"]["digest"] != literature["model"]["digest"]
    assert seed["posterior"] != literature["posterior"]


def test_own_numbers_change_the_answer(run: Runner, case: Path, own_numbers: Path) -> None:
    """``--priors`` answers from a folder of one's own; an unchanged copy gives the shipped digest."""
    words = ("diagnose", case, "--no-intervals", "--format", "json", "--priors", own_numbers)
    shipped = load_model().diagnose(CASE, intervals=False).to_dict()
    assert strict(run(*words)[1]) == shipped
    doubled(own_numbers, "rate.nerve_root_edema.microdiscectomy")
    changed = strict(run(*words)[1])
    assert changed["model"]["digest"] != shipped["model"]["digest"]
    assert changed["posterior"]["nerve_root_edema"]["mean"] > shipped["posterior"]["nerve_root_edema"]["mean"]


def doubled(folder: Path, number: str) -> None:
    """Double the number of a folder, with its range."""
    file = folder / "rates.toml"
    head, found, rest = file.read_text("utf-8").partition(f"[{number}]\n")
    assert found
    own, bracket, others = rest.partition("\n[")
    lines = own.splitlines()
    for index, line in enumerate(lines):
        key, _, value = line.partition(" = ")
        if key in {"point", "low", "high"}:
            lines[index] = f"{key} = {2 * float(value)!r}"
    file.write_text(head + found + "\n".join(lines) + bracket + others, "utf-8")


# ---- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ({"toe_dorsiflexoin": "weak"}, "got 'toe_dorsiflexoin' (did you mean 'toe_dorsiflexion'?)"),
        ({"toe_dorsiflexion": "waek"}, "got 'waek' (did you mean 'weak'?)"),
        ({"toe_dorsiflexion": 7}, "must be an MRC grade from 0 to 5, got 7"),
        ({"toe_dorsiflexion": {"weak": 0, "normal": 0}}, "got zero for all"),
        ({"toe_dorsiflexion": {"weak": -1, "normal": 1}}, "must not be negative, got -1"),
        ({"toe_dorsiflexion": "severe", "leg_weakness": "absent"}, "cannot hold together"),
        ({"symptom_onset": 9, "examination_day": 2}, "symptom_onset must not be after examination_day"),
    ],
)
def test_a_bad_case_is_one_sentence(run: Runner, tmp_path: Path, findings: Mapping[str, object], said: str) -> None:
    """On standard error, with exit status 2."""
    file = tmp_path / "case.json"
    file.write_text(json.dumps(findings), "utf-8")
    assert said in complaint(run, "diagnose", file, "--no-intervals")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"fever": "present", "fever": "absent"}', '{"fever": NaN}', "[" * 100_000, "\0"]
)
def test_a_broken_file_is_one_sentence(run: Runner, tmp_path: Path, text: str) -> None:
    """It names the file."""
    file = tmp_path / "case.json"
    file.write_text(text, "utf-8")
    assert complaint(run, "diagnose", file).startswith(str(file))


def test_a_file_that_is_not_there_is_one_sentence(run: Runner, tmp_path: Path) -> None:
    """For every command that reads one."""
    missing = tmp_path / "none.json"
    for words in (("diagnose", missing), ("evaluate", missing)):
        assert complaint(run, *words).startswith(f"{missing}: must be a readable file, got")
    assert "must be a folder" in complaint(run, "priors", "list", missing)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("diagnos",), "invalid choice: 'diagnos'"),
        (("diagnose",), "diagnose: the following arguments are required: CASE"),
        (("diagnose", "x", "--form", "json"), "unrecognized arguments: --form"),
        (("diagnose", "x", "--format", "xml"), "diagnose: argument --format: invalid choice: 'xml'"),
        (("priors",), "priors: the following arguments are required: check|list|schema|local"),
        (("priors", "list", "--basis", "guessed"), "priors list: argument --basis: invalid choice: 'guessed'"),
        (
            ("priors", "list", "--rates", "seeds"),
            "rates: must be one of seed, literature, got 'seeds' (did you mean 'seed'",
        ),
        (("priors", "schema", "--rates", "seeds"), "rates: must be one of seed, literature, got 'seeds'"),
        (("priors", "check", "a", "--priors", "b"), "priors: the folder must be given once, got a and b"),
        (("export", "network.nett"), "the ending must be one of"),
        (("export", "network", "--format", "xdls"), "got 'xdls' (did you mean 'xdsl'?)"),
        (("serve", "--port", "http"), "serve: argument --port: invalid int value: 'http'"),
        (("serve", "--port", "0"), "serve: the port must be from 1 to 65535, got 0"),
    ],
)
def test_a_slip_in_the_words_is_one_sentence(run: Runner, words: tuple[str, ...], said: str) -> None:
    """Without the usage, and with exit status 2."""
    assert said in complaint(run, *words)


def test_every_problem_of_a_folder_is_said_at_once(run: Runner, own_numbers: Path) -> None:
    """One sentence for each, each with the name of the program before it."""
    (own_numbers / "bad.toml").write_text('[a]\nmeaning = ""\n[b]\npoint = 1.5\n', "utf-8")
    for words in (("priors", "list", own_numbers), ("priors", "check", "--priors", own_numbers)):
        status, out, said = run(*words)
        assert (status, out) == (2, "")
        assert all(line.startswith("rootcause: bad.toml: ") for line in said)
        assert any("b: point must lie strictly between 0 and 1, got 1.5" in line for line in said)
        assert {line.split(": ")[2] for line in said} == {"a", "b"}


# ---- what goes wrong inside ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ZeroDivisionError("a\nb"), 1, ["rootcause: something went wrong inside: ZeroDivisionError: a b"]),
        (MemoryError(), 1, ["rootcause: something went wrong inside: MemoryError"]),
        (ModelTooLargeError("too large"), 1, ["rootcause: something went wrong inside: ModelTooLargeError: too large"]),
        (KeyboardInterrupt(), 130, []),
        (BrokenPipeError(), 141, []),
    ],
)
def test_what_goes_wrong_inside_is_one_sentence(
    run: Runner,
    case: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    said: list[str],
) -> None:
    """Never a traceback; an interruption and a reader that went away need no words."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Model, "diagnose", fail)
    assert run("diagnose", case) == (status, "", said)


def test_a_number_that_is_not_finite_is_never_printed(
    run: Runner,
    case: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JSON has no NaN: that is a fault of ours, and nothing is printed."""

    class Answer:
        def to_dict(self) -> dict[str, float]:
            return {"none": math.nan}

    monkeypatch.setattr(Model, "diagnose", lambda *_, **__: Answer())
    status, out, said = run("diagnose", case, "--format", "json")
    assert (status, out, len(said)) == (1, "", 1)


@on_posix
@pytest.mark.parametrize("words", [("priors", "list", "--format", "json"), ("priors", "schema"), ("--help",)])
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...]) -> None:
    """A closed pipe ends the program without a word."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = process(*words, stdout=writing, stderr=subprocess.PIPE, capture_output=False, env=buffered)
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device to try")
def test_a_full_disk_is_one_sentence() -> None:
    """What could not be written is no success."""
    with Path("/dev/full").open("w") as full:
        done = process("priors", "schema", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("rootcause: something went wrong inside: OSError")


def test_a_terminal_without_the_letters_is_no_error(case: Path) -> None:
    """Text goes out where the encoding knows only ASCII, and JSON is ASCII anyway."""
    for chosen in ("text", "json"):
        words = ("diagnose", case, "--no-intervals", "--format", chosen)
        done = process(*words, env={**os.environ, "PYTHONIOENCODING": "ascii"})
        assert (done.returncode, done.stderr) == (0, "")


# ---- priors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", ["seed", "literature"])
def test_the_shipped_numbers_pass_their_checks(run: Runner, rates: str) -> None:
    """Each derived rate stands beside its range, as text and as data."""
    status, text, said = run("priors", "check", "--rates", rates)
    assert (status, said) == (0, [])
    assert "Every derived rate is in its range." in text
    data = strict(run("priors", "check", "--rates", rates, "--format", "json")[1])
    assert data["model"]["rates"] == rates
    assert data["passed"] is True
    assert all(row["low"] <= row["derived"] <= row["high"] for row in data["checks"])
    assert any("reoperation" in row["id"] for row in data["checks"])


def test_numbers_outside_a_range_fail_the_check(run: Runner, own_numbers: Path) -> None:
    """The table is printed, the verdict says it, and the exit status is 1; the folder may be given either way."""
    file = own_numbers / "checks.toml"
    low = "\nlow = 0.037\nhigh = 0.102\n"
    assert low in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(low, "\nlow = 0.9\nhigh = 0.95\n"), "utf-8")
    first = run("priors", "check", own_numbers)
    assert first == run("priors", "check", "--priors", own_numbers)
    status, out, said = first
    assert (status, said) == (1, [])
    assert "A derived rate is outside its range." in out
    data = strict(run("priors", "check", own_numbers, "--format", "json")[1])
    assert data["passed"] is False
    assert {row["id"] for row in data["checks"] if not row["passed"]} == {"reoperation"}


def test_a_folder_without_checks_passes_nothing(run: Runner, own_numbers: Path) -> None:
    """That nothing was compared is not reported as success."""
    (own_numbers / "checks.toml").unlink()
    assert "must hold checks.toml" in complaint(run, "priors", "check", own_numbers)


def test_every_number_is_listed(run: Runner) -> None:
    """With point, range, basis and sources, as an aligned text and as data with every field."""
    priors = load_priors()
    status, text, _ = run("priors", "list")
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert status == 0
    assert priors.parameters.keys() <= rows.keys()
    cited = next(p for p in priors.parameters.values() if p.basis == "cited")
    assert f"{cited.point:.4g}" in rows[cited.id]
    assert "  cited " in rows[cited.id]
    assert ", ".join(cited.sources) in rows[cited.id]
    starts = {
        line.index(p.basis, line.index(p.range) + len(p.range))
        for p in priors.parameters.values()
        for line in [rows[p.id]]
    }
    assert len(starts) == 1
    data = strict(run("priors", "list", "--format", "json")[1])
    assert data["model"]["digest"] == priors.digest
    assert [row["id"] for row in data["parameters"]] == list(priors.parameters)
    assert next(row for row in data["parameters"] if row["id"] == cited.id) == cited.model_dump(mode="json")


def test_local_counts_update_a_number_and_write_a_folder(run: Runner, tmp_path: Path, case: Path) -> None:
    """What is written is taken by --priors; what cannot be read is one sentence."""
    counts, out = tmp_path / "local.toml", tmp_path / "mine"
    number = "rate.epidural_hematoma.open_microdiscectomy"
    counts.write_text(f'[[local]]\nid = "{number}"\nevents = 12\nof = 480\nsource = "registry"\n', "utf-8")
    status, text, said = run("priors", "local", counts, "--out", out, "--case", case, "--format", "json")
    assert (status, said) == (0, [])
    assert strict(text)["own"]["digest"] == load_model(out).digest
    assert run("diagnose", case, "--priors", out)[0] == 0
    assert "12/480" in run("priors", "local", counts, "--rates", "literature")[1]
    counts.write_text(f'[[local]]\nid = "{number}x"\nevents = 12\nof = 480\n', "utf-8")
    assert "did you mean" in complaint(run, "priors", "local", counts)
    assert "must be a readable file" in complaint(run, "priors", "local", tmp_path / "none.toml")
    assert "required: FILE" in complaint(run, "priors", "local")


@pytest.mark.parametrize("basis", ["cited", "derived", "assumed"])
def test_numbers_are_filtered_by_basis(run: Runner, basis: str) -> None:
    """Only those of the basis are left, and none of them is missing."""
    rows = strict(run("priors", "list", "--basis", basis, "--format", "json")[1])["parameters"]
    assert rows
    assert [row["id"] for row in rows] == [p.id for p in load_priors().parameters.values() if p.basis == basis]


def test_the_schema_is_printed(run: Runner) -> None:
    """It is JSON, says which draft it is of, and describes a number."""
    status, out, _ = run("priors", "schema")
    schema = strict(out)
    assert status == 0
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"point", "low", "high", "basis"} <= schema["$defs"]["Parameter"]["properties"].keys()


# ---- evaluate, export, serve --------------------------------------------------------------------------------------


def test_evaluate_prints_a_table_or_data(run: Runner, tmp_path: Path) -> None:
    """From a file of coded cases; both say what the table does not show."""
    file = tmp_path / "cases.json"
    coded = {
        "id": "one",
        "cause": "nerve_root_injury",
        "context": {"procedure": "fusion"},
        "bedside": {"numbness": "present"},
    }
    file.write_text(json.dumps([coded]), "utf-8")
    status, text, said = run("evaluate", file)
    assert (status, said) == (0, [])
    assert "Nerve root injury" in text
    assert "not calibration" in text
    data = strict(run("evaluate", file, "--format", "json", "--rates", "literature")[1])
    assert data["model"]["rates"] == "literature"
    assert data["overall"]["bedside"]["cases"] == 1
    file.write_text(json.dumps([coded, coded | {"cause": "none"}]), "utf-8")
    _, _, said = run("evaluate", file)
    assert len(said) == 2
    assert all(line.startswith(f"rootcause: {file}: case one: ") for line in said)


def test_a_model_is_tested_against_what_was_expected(run: Runner, tmp_path: Path) -> None:
    """Write what is expected, compare; other rates change a rank, and the exit status says so."""
    cases, file = ARCHETYPES, tmp_path / "expected.toml"
    status, text, said = run("evaluate", cases, "--write-expected", file)
    assert (status, said) == (0, [])
    assert text.startswith(f"Wrote {file}: what is expected of ")
    assert run("evaluate", cases, "--expect", file)[0] == 0
    status, text, said = run("evaluate", cases, "--expect", file, "--rates", "literature", "--format", "json")
    assert (status, said) == (1, [])
    assert strict(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tolerance", "0.01"), "evaluate: --tolerance must stand with --expect or --write-expected, got neither"),
        (("--expect", "a.toml", "--write-expected", "b.toml"), "not allowed with argument"),
        (("--write-expected", "b.yaml"), "must be .toml or .json, got '.yaml'"),
        (("--expect", "none.toml"), "none.toml"),
    ],
)
def test_a_slip_in_what_is_expected_is_told_before_the_cases_are_read(
    run: Runner, words: tuple[str, ...], said: str
) -> None:
    """The file of cases does not exist, and nobody has looked."""
    assert said in complaint(run, "evaluate", "no-cases.json", *words)


@pytest.mark.parametrize(("name", "words"), [("network.net", ()), ("network", ("--format", "bif"))])
def test_export_writes_a_file(tmp_path: Path, name: str, words: tuple[str, ...]) -> None:
    """By its ending or the named format; pgmpy's warnings about itself are not shown."""
    done = process("export", tmp_path / name, *words, "--rates", "literature")
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / name).read_text("utf-8")
    assert "rates literature" in text.splitlines()[0]
    assert str(tmp_path / name) in done.stdout


def test_serve_is_started_with_what_was_given(run: Runner, own_numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Host, port, numbers and rates reach the server; without words it stays on this machine."""
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(server, "serve", lambda *given: calls.append(given))
    assert run("serve") == (0, "", [])
    assert run("serve", "--host", "::1", "--port", 9000, "--priors", own_numbers, "--rates", "literature")[0] == 0
    assert calls == [("127.0.0.1", 8501, None, "seed"), ("::1", 9000, own_numbers, "literature")]


# ---- the program itself -------------------------------------------------------------------------------------------


def test_help_and_version_succeed(run: Runner) -> None:
    """Each command has a help of its own, and the disclaimer is in each."""
    assert run("--version") == (0, f"rootcause {__version__}\n", [])
    questions = (("diagnose",), ("explain",), ("next",), ("switch",), ("compare",), ("report",))
    numbers = (("priors", "check"), ("priors", "local"))
    for words in ((), *questions, *numbers, ("evaluate",), ("export",), ("serve",)):
        status, out, said = run(*words, "--help")
        assert (status, said) == (0, [])
        assert "not a medical device" in out
        assert not words or ("--priors" in out and "--rates" in out)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("diagnose", "CASE"),
        ("explain", "CASE"),
        ("next", "CASE"),
        ("switch", "CASE"),
        ("compare", "CASE", "CASE"),
        ("report", "CASE", "REPORT"),
        ("priors", "list"),
        ("evaluate", "CASES"),
    ],
)
def test_a_command_imports_only_what_it_needs(tmp_path: Path, case: Path, words: tuple[str, ...]) -> None:
    """No pages, no web and no pgmpy where a case is answered; so it answers in a second or two."""
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps([{"id": "one", "cause": "other"}]), "utf-8")
    files = {"CASE": case, "CASES": cases, "REPORT": tmp_path / "report.html"}
    real = [str(files.get(word, word)) for word in words]
    code = (
        "import sys; from rootcause_app.cli import main; status = main(sys.argv[1:]); "
        f"print(*sorted({{*{HEAVY!r}}} & {{*sys.modules}}), file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code, *real], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.split()) == (0, [])


def test_the_program_is_installed(case: Path) -> None:
    """The console script runs, and helps at once."""
    script = shutil.which("rootcause", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.skip("not installed as a script")
    start = time.perf_counter()
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.perf_counter() - start < 3  # 0.06 s on an idle machine
    done = subprocess.run([script, "diagnose", case, "--no-intervals"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
