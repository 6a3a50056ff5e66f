"""Numbers of one's own: edits validated as a folder is, the rest byte for byte, and the answers of their folder."""

import difflib
import io
import math
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootcause import load_model, shipped_cases
from rootcause.errors import InvalidInputError, InvalidPriorsError
from rootcause.local_counts import LocalRate, LocalShares
from rootcause.local_rates import updated
from rootcause.own_answers import changes, model_of, sentence, shifts, with_numbers
from rootcause.own_folder import LARGEST_ZIP, Overlay, texts_of, unzip, write_folder, zip_of
from rootcause.own_numbers import FIELDS, Edit, edited, edited_files, folder_of
from rootcause.priors import RATE_SETS, SHARE_GROUPS, Source, load_priors, shipped_priors

PRIORS = load_priors()
FILES = texts_of(shipped_priors())
RATE = "rate.epidural_hematoma.open_microdiscectomy"
LINK = "link.back_pain.epidural_hematoma"
SINGLE = [id_ for id_ in PRIORS.parameters if id_.split(".")[0] not in SHARE_GROUPS]
CASE = dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)

FOUND_SLOW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """A right edit of any single number."""
    id_ = draw(st.sampled_from(SINGLE))
    low, point, high = sorted(draw(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=3, max_size=3, unique=True)))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
    basis = draw(st.sampled_from(["assumed", "derived", None]))
    derivation = draw(text.filter(bool)) if basis == "derived" else None
    if basis is None and PRIORS.parameters[id_].basis == "fitted":
        basis = "assumed"
    return Edit(id_, point, low, high, basis=basis, derivation=derivation, note=draw(st.none() | text))


@FOUND_SLOW
@given(st.lists(edits(), min_size=1, max_size=4, unique_by=lambda edit: edit.id))
def test_what_was_not_edited_stays(listed: list[Edit]) -> None:
    """Every other number, every other field, every other file; and what was edited is what was asked for."""
    own = edited(PRIORS, listed)
    by_id = {edit.id: edit for edit in listed}
    for id_, number in own.parameters.items():
        expected = PRIORS.parameters[id_]
        if id_ in by_id:
            expected = expected.model_copy(update=by_id[id_].values())
        assert number == expected
    assert own.sources == PRIORS.sources
    changed = {change.after.id for change in changes(PRIORS, own)}
    assert changed <= by_id.keys()
    assert (own.digest != PRIORS.digest) == bool(changed)


@FOUND_SLOW
@given(st.lists(edits(), min_size=1, max_size=3, unique_by=lambda edit: edit.id))
def test_undoing_an_edit_gives_the_folder_back_byte_for_byte(listed: list[Edit]) -> None:
    """Values written back where they stood leave no trace; fields that were not there are gone again."""
    texts = edited_files(shipped_priors(), listed, "seed")
    back = []
    for edit in listed:
        old = PRIORS.parameters[edit.id]
        values = {name: getattr(old, name) for name in FIELDS if getattr(edit, name) is not None}
        back.append(replace(edit, **values))
    again = edited_files(Overlay(shipped_priors(), texts), back, "seed")
    for name, text in (texts | again).items():
        assert tomllib.loads(text) == tomllib.loads(FILES[name])
        moved = [line for line in text.splitlines() if line not in FILES[name].splitlines()]
        assert all(line.startswith(("note", "derivation")) for line in moved)  # the same text, otherwise escaped


def lines_of(name: str, texts: dict[str, str]) -> list[str]:
    """The lines of a file that came or went."""
    found = difflib.ndiff(FILES[name].splitlines(), texts[name].splitlines())
    return [line for line in found if line.startswith(("- ", "+ "))]


def test_an_edit_changes_its_line_and_no_other() -> None:
    """Comments, the other rate set and the order of the fields stay; a new field stands below the last one."""
    listed = [Edit(RATE, point=0.006, derivation="my own"), Edit(LINK, note="mine")]
    texts = edited_files(shipped_priors(), listed, "seed")
    assert lines_of("rates.toml", texts) == ["- point = 0.005", "+ point = 0.006", '+ derivation = "my own"']
    assert lines_of("findings.toml", texts) == ['+ note = "mine"']
    assert set(texts) == {"rates.toml", "findings.toml"}
    seed, literature = (load_priors(Overlay(shipped_priors(), texts), rates).parameters[RATE] for rates in RATE_SETS)
    assert seed.point == 0.006
    assert literature == load_priors(rates="literature").parameters[RATE]


def test_a_comment_above_the_next_number_stays_with_it() -> None:
    """A field that is added goes before the comment, not after it."""
    text = "# all\n[a.x] # why\npoint = 0.2 # so\nlow = 0.1\n\n# about y\n[a.y]\npoint = 0.3\n"
    folder = Overlay(shipped_priors(), {"a.toml": text})
    found = edited_files(folder, [Edit("a.x", point=0.25, note="mine")], "seed")["a.toml"]
    assert found == '# all\n[a.x] # why\npoint = 0.25 # so\nlow = 0.1\nnote = "mine"\n\n# about y\n[a.y]\npoint = 0.3\n'


def test_the_variant_of_the_rate_set_is_edited() -> None:
    """The one that is loaded, or the one that the edit names."""
    literature = load_priors(rates="literature")
    own = edited(literature, [Edit(RATE, point=0.003), Edit(RATE, point=0.004, rates="seed")])
    assert own.parameters[RATE].point == 0.003
    assert edited(PRIORS, [Edit(RATE, point=0.004)]).parameters[RATE].point == 0.004
    with pytest.raises(InvalidPriorsError, match="must be edited once, got two edits"):
        edited(PRIORS, [Edit(RATE, point=0.004), Edit(RATE, point=0.004, rates="seed")])


def test_every_problem_is_told_at_once_by_number_and_field() -> None:
    """As of a folder: what is no probability, no order, no source, and of the other rate set as well; and the sums."""
    wrong = [
        Edit(RATE, point=math.nan, low=2.0),
        Edit(LINK, point=0.99999, sources=("nobody-1900",)),
        Edit("context.procedure.fusion", point=0.31),
        Edit("deficit.epidural_hematoma", range="guess", basis="derived", derivation=""),
        Edit("rate.epidural_hematoma.fusion", low=0.9, rates="literature"),
    ]
    with pytest.raises(InvalidPriorsError) as refused:
        edited(PRIORS, wrong)
    said = "\n".join(refused.value.problems)
    assert f"{RATE}.seed: point must lie strictly between 0 and 1, got nan" in said
    assert f"{RATE}.seed: low must lie strictly between 0 and 1, got 2.0" in said
    assert f"{LINK}: low < point < high must hold" in said
    assert "context.procedure: the shares must sum to 1, got 1.01" in said
    assert "deficit.epidural_hematoma: range: " in said
    assert "rate.epidural_hematoma.fusion" in said
    assert len(refused.value.problems) == len(set(refused.value.problems))


def test_a_slip_in_an_id_is_told_with_the_nearest_number() -> None:
    """Without the name of a rate set, which no id has."""
    with pytest.raises(InvalidPriorsError) as refused:
        edited(PRIORS, [Edit("rate.epidural_hematoma.open_microdiscectom", point=0.1)])
    assert refused.value.problems[0].endswith(f"(did you mean {RATE!r}?)")


def test_a_publication_of_ones_own_is_listed_and_cited() -> None:
    """It stands below the others in sources.toml; the same one twice is one, another of its key is refused."""
    mine = Source(key="me-2024", title="What we saw", year=2024, doi="10.1000/182")
    own = edited(PRIORS, [Edit(LINK, basis="cited", sources=("me-2024",))], [mine])
    assert own.sources["me-2024"] == mine
    text = edited_files(shipped_priors(), [], "seed", [mine])["sources.toml"]
    assert text.startswith(FILES["sources.toml"].rstrip())
    again = edited(own, [], [mine])
    assert again.sources == own.sources
    for wrong, said in (
        (Source(key="me-2024", title="Another"), "me-2024: must be a new key, got one of another source"),
        (Source(key="me 2024", title="Another"), "a key must be of letters, digits, '-' and '_', got 'me 2024'"),
    ):
        with pytest.raises(InvalidPriorsError) as refused:
            edited(own, [], [wrong])
        assert said in str(refused.value)


def test_a_number_that_is_no_longer_fitted_loses_its_value_before() -> None:
    """It would be compared with a number that nobody fitted."""
    text = '[a.x]\npoint = 0.2\nunfitted = 0.1\nbasis = "fitted"\n'
    folder = Overlay(shipped_priors(), {"a.toml": text})
    found = edited_files(folder, [Edit("a.x", basis="assumed")], "seed")["a.toml"]
    assert "unfitted" not in found
    assert "unfitted" in edited_files(folder, [Edit("a.x", point=0.25)], "seed")["a.toml"]


# ---- the folder that is taken along -------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", RATE_SETS)
def test_the_folder_answers_as_the_edited_model_in_memory(tmp_path: Path, rates: str) -> None:
    """The same digest, and the same answer to the last digit."""
    model = load_model(rates=rates)
    counted = updated(
        model.priors.parameters,
        [
            LocalRate(RATE, 12, 480, 0.5, "registry"),
            LocalShares("context.procedure", {"open_microdiscectomy": 400, "microendoscopic_discectomy": 10,
                        "percutaneous_discectomy": 3, "fusion": 100}),
        ],
    )  # fmt: skip
    listed = [*(item.edit for item in counted.values()), Edit(LINK, point=0.5, low=0.3, high=0.7, note="mine")]
    own = with_numbers(model, edited(model.priors, listed))
    write_folder(tmp_path / "mine", folder_of(shipped_priors(), listed, model.priors.rates))
    written = load_model(tmp_path / "mine", rates=rates)
    assert written.digest == own.digest != model.digest
    assert written.priors.parameters == own.priors.parameters
    assert written.diagnose(CASE, intervals=False).to_dict() == own.diagnose(CASE, intervals=False).to_dict()


def test_a_zip_is_read_back_as_it_was() -> None:
    """The same files make the same bytes; what a desktop adds, and the cases, are left out."""
    packed = zip_of(FILES)
    assert packed == zip_of(FILES)
    assert unzip(packed) == {name: text for name, text in FILES.items() if name.endswith(".toml")}
    more = io.BytesIO(packed)
    with zipfile.ZipFile(more, "a") as archive:
        archive.writestr("__MACOSX/my-priors/._rates.toml", b"\xff")
        archive.writestr("my-priors/cases/mine.toml", "x = 1")
        archive.writestr("my-priors/notes.txt", "x")
    assert unzip(more.getvalue()) == unzip(packed)


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP of any files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "must be a whole ZIP without a password"),
        (b"PK\x03\x04 no", "must be a whole ZIP without a password"),
        (zip_of(FILES)[:-30], "must be a whole ZIP without a password"),
        (zipped({"readme.txt": b"x"}), "must hold one folder of TOML files, got no TOML file"),
        (zipped({"a/x.toml": b"", "b/x.toml": b""}), "got 2 folders with TOML files"),
        (zipped({"a/x.toml": b"\xff"}), "x.toml: must be UTF-8 text, got other bytes at 0"),
        (zipped({"a/x.toml": b" " * (LARGEST_ZIP + 1)}), "must unpack to at most"),
        (zipped({f"a/{n}.toml": b"" for n in range(201)}), "must unpack to at most 200 files"),
    ],
)
def test_what_is_no_folder_in_a_zip_is_refused(raw: bytes, said: str) -> None:
    """In one sentence."""
    with pytest.raises(InvalidInputError) as refused:
        unzip(raw)
    assert said in str(refused.value)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_a_damaged_zip_is_refused_or_read(at: int, content: bytes) -> None:
    """Whatever was changed in it: never another error."""
    raw = bytearray(zipped({"a/x.toml": b"point = 0.2\n" * 40, "a/y.toml": b"low = 0.1\n"}))
    place = at % len(raw)
    raw[place : place + len(content)] = content
    try:
        found = unzip(bytes(raw))
    except InvalidInputError:
        return
    assert all(name.endswith(".toml") for name in found)


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Into an empty or a new folder, and nothing is left behind where that cannot be."""
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", {"a.toml": "x = 1\r\n"})
    assert (tmp_path / "empty" / "a.toml").read_bytes() == b"x = 1\r\n"
    with pytest.raises(InvalidInputError, match="must be a new or an empty folder, got one that holds something"):
        write_folder(tmp_path / "empty", {"a.toml": "y = 1"})
    assert (tmp_path / "empty" / "a.toml").read_bytes() == b"x = 1\r\n"
    with pytest.raises(InvalidInputError, match="must be a place to write a folder"):
        write_folder(tmp_path / "new", {"no/such.toml": "y = 1"})
    with pytest.raises(InvalidInputError, match="must be a place to write a folder"):
        write_folder(tmp_path / "no" / "new", {"a.toml": "y = 1"})
    with pytest.raises(InvalidInputError, match="must be a new or an empty folder"):
        write_folder(tmp_path / "empty" / "a.toml", {"a.toml": "y = 1"})
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


# ---- what numbers of one's own change -----------------------------------------------------------------------------


def test_a_folder_that_is_laid_over_another_is_checked_whole() -> None:
    """Numbers, rules and texts; a number more or less than the network has is named."""
    model = load_model()
    same = model_of(Overlay(shipped_priors(), {}), model)
    assert same.digest == model.digest
    row = 'meaning = "x."\npoint = 0.2\nlow = 0.1\nhigh = 0.3\nrange = "judgement"\nbasis = "assumed"\n'
    texts = {
        "more.toml": f"[link.back_pain.hematoma]\n{row}",
        "checks.toml": FILES["checks.toml"],
        "stakes.toml": FILES["stakes.toml"].replace("[cause.", "[causes.", 1),
        "signs.toml": FILES["signs.toml"].replace("[strength.", "[strengths.", 1),
    }
    with pytest.raises(InvalidPriorsError) as refused:
        model_of(Overlay(shipped_priors(), texts), model)
    said = "\n".join(refused.value.problems)
    assert "link.back_pain.hematoma: must have a place in the network" in said
    assert "must be in the folder, got no such number" in said
    assert "stakes.toml" in said


def test_what_changes_is_every_cause_with_its_rank() -> None:
    """Twelve hematomas in 480 of one's own put it first in the shipped case; without an edit nothing moves."""
    model = load_model()
    counted = updated(model.priors.parameters, [LocalRate(RATE, 12, 480)])
    own = with_numbers(model, edited(model.priors, [item.edit for item in counted.values()]))
    found = shifts(model, own, CASE)
    labels = {id_: cause.label for id_, cause in model.vocabulary.causes.items()} | {"none": "None of these"}
    before = model.diagnose(CASE, intervals=False)
    assert {item.cause: item.before for item in found} == {
        **{cause: item.mean for cause, item in before.posterior.items()},
        "none": before.none,
    }
    assert [item.rank_after for item in found] == sorted(item.rank_after for item in found)
    hematoma = next(item for item in found if item.cause == "epidural_hematoma")
    assert hematoma.points > 0
    assert hematoma.rank_after < hematoma.rank_before
    assert sentence(found, labels).startswith("Epidural hematoma leads now; before, Nerve root edema did.")
    same = shifts(model, model, CASE)
    assert all(item.points == 0 and item.rank_after == item.rank_before for item in same)
    assert "leads before and after; no rank changes." in sentence(same, labels)
