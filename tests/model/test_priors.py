"""The numbers: laws over the whole shipped table, and every way in which a folder can be refused."""

import json
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rootcause import load_model
from rootcause.errors import InvalidInputError, InvalidPriorsError
from rootcause.priors import RATE_SETS, load_priors, priors_schema, shipped_priors

FOLDER = Path(str(shipped_priors()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the shipped numbers that a test may break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "priors"))


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def problems_of(folder: Path) -> tuple[str, ...]:
    """Return what is wrong with a folder."""
    with pytest.raises(InvalidPriorsError) as caught:
        load_priors(folder)
    return caught.value.problems


# ---- laws over the shipped table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", RATE_SETS)
def test_every_meaning_is_a_sentence_of_its_own(rates: str) -> None:
    """Each number says what it is, ends with a period, and says what no other says."""
    parameters = load_priors(None, rates).parameters
    offenders = [id_ for id_, parameter in parameters.items() if not parameter.meaning.endswith(".")]
    assert not offenders, f"no period after the meaning of {offenders}"
    again = [text for text, count in Counter(p.meaning for p in parameters.values()).items() if count > 1]
    assert not again, f"said of more than one number: {again}"


def raw_considered() -> list[tuple[str, dict[str, str]]]:
    """Return every record set aside in any file, with the path of its table."""
    found: list[tuple[str, dict[str, str]]] = []

    def walk(table: dict[str, object], path: str) -> None:
        for key, value in table.items():
            if key == "considered" and isinstance(value, list):
                found.extend((path, item) for item in value)
            elif isinstance(value, dict):
                walk(value, f"{path}.{key}")

    for file in sorted(FOLDER.glob("*.toml")):
        walk(tomllib.loads(file.read_text("utf-8")), file.stem)
    unused = tomllib.loads((FOLDER / "not_used.toml").read_text("utf-8"))["record"]
    return found + [("not_used", item) for item in unused]


def test_no_reason_is_used_twice() -> None:
    """Each record set aside has a reason of its own; the variants of a number may share one record's reason."""
    seen: dict[str, set[tuple[str, str]]] = {}
    for path, item in raw_considered():
        number = path.removesuffix(".seed").removesuffix(".literature")
        seen.setdefault(item["reason"].casefold().strip(), set()).add((number, item["record"]))
    again = {reason: sorted(where) for reason, where in seen.items() if len(where) > 1}
    assert not again, f"reasons used more than once: {again}"


def test_no_source_is_listed_in_vain_and_none_is_missing() -> None:
    """Every listed source is cited somewhere, and every cited one is listed."""
    listed = set(tomllib.loads((FOLDER / "sources.toml").read_text("utf-8"))["source"])
    cited = {item["source"] for _, item in raw_considered()}
    for rates in RATE_SETS:
        cited |= {key for parameter in load_priors(None, rates).parameters.values() for key in parameter.sources}
    book = load_model().rulebook
    cited |= {key for rule in book.rules for key in rule.sources} | {
        key for item in book.advice for key in item.sources
    }
    checks = tomllib.loads((FOLDER / "checks.toml").read_text("utf-8"))["check"]
    cited |= {key for rows in checks.values() for row in rows.values() for key in row["sources"]}
    assert listed == cited


@pytest.mark.parametrize("rates", RATE_SETS)
def test_a_cited_number_says_where_it_was_read(rates: str) -> None:
    """Cited and derived numbers have records, a place in the source, and how far they were read."""
    parameters = load_priors(None, rates).parameters
    offenders = [
        id_
        for id_, p in parameters.items()
        if p.basis == "cited" and not (p.records and p.locator and p.read and "not read" not in p.read)
    ]
    assert not offenders, f"cited without a record that was read: {offenders}"
    sourceless = [id_ for id_, p in parameters.items() if p.basis == "assumed" and p.records]
    assert not sourceless, f"assumed, and yet with records: {sourceless}"


def test_both_rates_stand_in_the_file_where_the_seed_and_the_literature_differ() -> None:
    """Hematoma and root injury differ between the rate sets, each with its own sources."""
    seed, literature = (load_priors(None, rates).parameters for rates in RATE_SETS)
    for id_ in ("rate.epidural_hematoma.open_microdiscectomy", "rate.nerve_root_injury.open_microdiscectomy"):
        assert seed[id_].point != literature[id_].point
        assert seed[id_].sources != literature[id_].sources


def test_the_exported_schema_is_the_current_one() -> None:
    """``schema.json`` is what the command prints."""
    assert json.loads((FOLDER / "schema.json").read_text("utf-8")) == priors_schema()


# ---- digest ----


def test_the_digest_covers_numbers_and_choice_but_not_layout(folder: Path) -> None:
    """A changed number or rate set changes it; comments and the order of tables do not."""
    before = load_priors(folder).digest
    assert load_priors(folder, "literature").digest != before
    file = folder / "course.toml"
    head, *tables = file.read_text("utf-8").split("\n\n[")
    file.write_text(head + "\n# another comment\n\n[" + "\n\n[".join(reversed(tables)), "utf-8")
    assert load_priors(folder).digest == before
    edit(folder / "findings.toml", "point = 0.58", "point = 0.59")
    assert load_priors(folder).digest != before


# ---- refusals ----

BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "a point above one": (
        lambda f: edit(f / "findings.toml", "point = 0.58", "point = 1.5"),
        "findings.toml: link.back_pain.epidural_hematoma: point must lie strictly between 0 and 1, got 1.5",
    ),
    "a point of zero": (
        lambda f: edit(f / "findings.toml", "point = 0.58", "point = 0"),
        "point must lie strictly between 0 and 1, got 0",
    ),
    "a point that is no number": (
        lambda f: edit(f / "findings.toml", "point = 0.58", "point = nan"),
        "findings.toml: link.back_pain.epidural_hematoma: point",
    ),
    "a text for a number": (
        lambda f: edit(f / "findings.toml", "point = 0.58", 'point = "0.58"'),
        "must be a valid number, got '0.58'",
    ),
    "low above point": (
        lambda f: edit(f / "findings.toml", "low = 0.37", "low = 0.7"),
        "low < point < high must hold, got low = 0.7, point = 0.58",
    ),
    "a source that is not listed": (
        lambda f: edit(f / "rates.toml", '"ahn-2004"', '"ahn-2005"'),
        "every source must be listed in sources.toml, got 'ahn-2005' (did you mean 'ahn-2004'?)",
    ),
    "an unknown field": (
        lambda f: edit(f / "findings.toml", "low = 0.37", "lowest = 0.37"),
        "must not have a field 'lowest' (did you mean 'low'?)",
    ),
    "an unknown basis": (
        lambda f: edit(f / "findings.toml", 'basis = "cited"', 'basis = "guessed"'),
        "basis: must be 'cited', 'derived', 'fitted' or 'assumed', got 'guessed'",
    ),
    "a key that stands twice": (
        lambda f: edit(f / "findings.toml", "low = 0.37", "low = 0.37\nlow = 0.38"),
        "findings.toml: must be valid TOML (a key may stand once)",
    ),
    "a number in two files": (
        lambda f: shutil.copy(f / "onset.toml", f / "other.toml"),
        "other.toml: onset.epidural_hematoma.within_24h: must stand once in the folder, got it in onset.toml as well",
    ),
    "an empty file": (lambda f: (f / "course.toml").write_text(""), "course.toml: must hold at least one table"),
    "a file that is no text": (
        lambda f: (f / "course.toml").write_bytes(b"\xff\xfe"),
        "course.toml: must be UTF-8 text",
    ),
    "no sources": (lambda f: (f / "sources.toml").unlink(), "sources.toml: must be in the folder"),
    "shares that do not sum": (
        lambda f: edit(f / "onset.toml", "point = 0.5\n", "point = 0.6\n"),
        "onset.toml: onset.epidural_hematoma: the shares must sum to 1, got 1.1",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_folder_is_refused_in_one_sentence(folder: Path, broken: str) -> None:
    """Each broken rule is said with its place, the rule and what was got."""
    damage, sentence = BROKEN[broken]
    damage(folder)
    problems = problems_of(folder)
    assert any(sentence in problem for problem in problems), problems


def test_every_problem_is_reported_at_once(folder: Path) -> None:
    """Mistakes in three files are lines of one error."""
    edit(folder / "findings.toml", "point = 0.58", "point = 2.0")
    edit(folder / "rates.toml", '"ahn-2004"', '"nobody"')
    (folder / "course.toml").write_text("not toml")
    problems = problems_of(folder)
    assert {problem.split(":")[0] for problem in problems} == {"findings.toml", "rates.toml", "course.toml"}


def test_a_number_that_is_missing_or_has_no_place_is_named(folder: Path) -> None:
    """The network asks for every number, and no number lies idle."""
    edit(folder / "rates.toml", "[rate.csf_leak.fusion]", "[rate.csf_leek.fusion]")
    with pytest.raises(InvalidPriorsError) as caught:
        load_model(folder)
    missing, idle = caught.value.problems
    assert "must have the number rate.csf_leak.fusion" in missing
    assert "got rate.csf_leek.fusion (did you mean 'rate.csf_leak.fusion'?)" in idle


def test_a_folder_that_is_none_and_a_rate_set_that_is_none(tmp_path: Path) -> None:
    """Both are said plainly."""
    with pytest.raises(InvalidPriorsError, match="must be a folder of TOML files"):
        load_priors(tmp_path / "nowhere")
    with pytest.raises(
        InvalidInputError, match=r"must be one of seed, literature, got 'seeds' \(did you mean 'seed'\?\)"
    ):
        load_priors(None, "seeds")
