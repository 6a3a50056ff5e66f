"""A case file: the same numbers later, or the reasons why not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootcause import Model, load_model, shipped_cases
from rootcause.case import load_case, parse_case
from rootcause.casefile import case_text, open_case, save_case, write_case
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.priors import load_priors, shipped_priors
from rootcause.rules import load_rulebook
from rootcause.vocabulary import load_vocabulary

FINDINGS = load_vocabulary().findings
CASE = {"findings": {"procedure": "fusion", "examination_day": 8, "toe_dorsiflexion": 2, "fever": {"absent": 2}}}
SERIAL = {"examinations": [{"findings": {"toe_dorsiflexion": 5}}, {"findings": {"toe_dorsiflexion": 3}}]}
CLASH = {"findings": {"leg_weakness": "absent", "toe_dorsiflexion": "weak"}}


def read_again(saved: dict[str, Any]) -> dict[str, Any]:
    """Return what a file holds after it was written and read."""
    found: dict[str, Any] = json.loads(case_text(saved))
    return found


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from([*FINDINGS]), st.integers(0, 1), max_size=6))
def test_a_saved_case_opens_without_a_difference(chosen: dict[str, int]) -> None:
    """Written, read and opened by the same model, it is the same case with the same answer."""
    model = load_model()
    table = {name: FINDINGS[name].states[number] for name, number in chosen.items()}
    saved = save_case(model, table)
    opened = open_case(model, read_again(saved))
    assert opened.differences == ()
    assert opened.data == {"findings": table}
    assert opened.case == parse_case(table)
    assert parse_case(read_again(saved)) == opened.case


@pytest.mark.parametrize("data", [CASE, SERIAL, {**CASE, "title": "x"}, CLASH, {"findings": {}}])
def test_every_kind_of_case_is_saved_and_opened(model: Model, data: dict[str, Any]) -> None:
    """One examination or several, with a title or without, and also one that cannot be."""
    saved = read_again(save_case(model, data))
    assert saved["rootcause"] == {
        "format": 1,
        "version": model.version,
        "digest": model.digest,
        "rates": model.rates,
    }
    opened = open_case(model, saved)
    assert (opened.data, opened.differences) == (data, ())
    assert (saved["answer"] is None) == (data is CLASH)


def test_the_answer_in_the_file_is_that_of_the_model(model: Model) -> None:
    """What is saved is what ``diagnose`` says, in full precision."""
    saved = save_case(model, CASE)["answer"]
    answer = model.diagnose(CASE, intervals=False)
    assert saved["posterior"] == {cause: item.mean for cause, item in answer.posterior.items()}
    assert (saved["none"], saved["log_evidence"]) == (answer.none, answer.log_evidence)


def test_a_plain_case_has_nothing_to_differ_from(model: Model) -> None:
    """Also the bare table of findings."""
    assert open_case(model, CASE).differences == ()
    assert open_case(model, {"fever": "absent"}).data == {"findings": {"fever": "absent"}}
    with pytest.raises(ImpossibleEvidenceError):
        open_case(model, CLASH)


# ---- what differs is said ------------------------------------------------------------------------------------------


def test_other_numbers_are_named_and_each_answer_that_moved(model: Model) -> None:
    """One number changed: the digest, the causes that moved, then and now."""
    priors = load_priors()
    changed = dict(priors.parameters)
    id_ = next(name for name in changed if name.startswith("rate.epidural_hematoma.fusion"))
    changed[id_] = changed[id_].model_copy(update={"point": changed[id_].point * 1.5})
    other = Model(replace(priors, parameters=changed, digest="0" * 64), load_rulebook(shipped_priors(), priors.sources))
    saved = save_case(model, CASE)
    differences = open_case(other, saved).differences
    assert f"digest {model.digest[:12]} then, 000000000000 now" in differences[0]
    then = saved["answer"]["posterior"]["epidural_hematoma"]
    now = other.diagnose(CASE, intervals=False).posterior["epidural_hematoma"].mean
    assert f"Epidural hematoma: {100 * then:.1f} % then, {100 * now:.1f} % now." in differences
    assert then < now
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in differences)


def test_other_rates_are_named() -> None:
    """The rate set is a choice, not other numbers: it is said by name."""
    case = {"procedure": "microdiscectomy", "symptom_onset": 3, "examination_day": 8, "toe_dorsiflexion": 2}
    differences = open_case(load_model(rates="literature"), save_case(load_model(), case)).differences
    assert differences[0] == "The file was answered with the rates seed; now the rates are literature."
    assert not any("digest" in sentence for sentence in differences)
    assert len(differences) > 1


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("version", "0.0.1", "The file is from version 0.0.1 of the software; this is "),
        ("digest", "f" * 64, "The numbers or rules of the model are others than then (digest ffffffffffff then, "),
        ("version", "a\nb", "The file is from version a b of the software"),
    ],
)
def test_another_model_is_named(model: Model, key: str, value: str, sentence: str) -> None:
    """Version and digest are compared though the answer is the same."""
    saved = save_case(model, CASE)
    saved["rootcause"][key] = value
    (difference,) = open_case(model, saved).differences
    assert difference.startswith(sentence)


def test_a_small_move_is_shown_with_the_digits_it_needs(model: Model) -> None:
    """Two numbers that are told to differ are seen to differ; below the limit they are the same."""
    saved = save_case(model, CASE)
    saved["answer"]["none"] += 2e-7
    (difference,) = open_case(model, saved).differences
    then, now = difference.removeprefix("None of these: ").removesuffix(" now.").split(" then, ")
    assert then != now
    saved["answer"]["none"] -= 2e-7 - 5e-10
    assert open_case(model, saved).differences == ()


def test_what_came_or_went_is_named(model: Model) -> None:
    """A cause that only one side knows, findings that only one side could explain, and how usual they are."""
    saved = save_case(model, CASE)
    held = saved["answer"]
    held["posterior"]["old_cause"] = held["posterior"].pop("csf_leak")
    held["log_evidence"] -= 1
    differences = open_case(model, saved).differences
    assert len(differences) == 3
    assert differences[0].startswith("CSF leak: not in the file, ")
    assert differences[1].startswith("old_cause: ")
    assert "ln probability" in differences[2]
    saved["answer"] = None
    assert open_case(model, saved).differences == ("The findings could not hold together then and can now.",)
    impossible = {**save_case(model, CLASH), "answer": held}
    assert open_case(model, impossible).differences == ("The findings could hold together then and cannot now.",)


# ---- what is refused -----------------------------------------------------------------------------------------------

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"rootcause": []}, "'rootcause' must be a table beside 'answer', got a list"),
    ({"rootcause": None}, "'rootcause' must be a table beside 'answer', got nothing (null)"),
    ({"rootcause": {"format": 2}}, "the format of a case file must be 1, got 2"),
    ({"rootcause": {"format": True}}, "the format of a case file must be 1, got true or false"),
    ({"rootcause": {"format": "1"}}, "the format of a case file must be 1, got '1'"),
    ({"rootcause": {"format": 1, "version": 3}}, "'rootcause' must name the version in a text, got 3"),
    ({"answer": []}, "'answer' must be a table, got a list"),
    ({"answer": {}}, "'answer' must hold the table 'posterior', got nothing (null)"),
    ({"answer": {"posterior": {"csf_leak": 1.5}}}, "the answer for 'csf_leak' must be from 0 to 1, got 1.5"),
    ({"answer": {"posterior": {"csf_leak": "x"}}}, "the answer for 'csf_leak' must be from 0 to 1, got 'x'"),
    ({"answer": {"posterior": {"csf_leak": 10**400}}}, "must be from 0 to 1"),
    ({"answer": {"posterior": {}}}, "'log_evidence' must be a finite number, got nothing (null)"),
    ({"answer": {"posterior": {}, "log_evidence": True}}, "'log_evidence' must be a finite number"),
    ({"answer": {"posterior": {}, "log_evidence": 10**400}}, "'log_evidence' must be a finite number"),
    ({"answer": {"posterior": {}, "log_evidence": -1.0}}, "the answer for 'none' must be from 0 to 1, got nothing"),
]


@pytest.mark.parametrize(("change", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_a_broken_file_is_refused(model: Model, change: dict[str, Any], sentence: str) -> None:
    """What stands beside the findings is checked as well, in one sentence."""
    with pytest.raises(InvalidInputError) as caught:
        open_case(model, {**save_case(model, CASE), **change})
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_of_nobody_is_refused(model: Model) -> None:
    """An answer says which numbers it is from."""
    saved = save_case(model, CASE)
    del saved["rootcause"]
    with pytest.raises(InvalidInputError, match="'rootcause' must be a table"):
        open_case(model, saved)


def test_what_json_cannot_hold_is_not_saved(model: Model) -> None:
    """A story that goes round in a circle."""
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(InvalidInputError, match="every value must be one that JSON can hold"):
        save_case(model, {**CASE, "story": circle})


# ---- on disk -------------------------------------------------------------------------------------------------------


def test_a_file_is_written_whole_and_read_by_every_command(model: Model, tmp_path: Path) -> None:
    """The file replaces the one before, leaves nothing beside it, and is a case like any other."""
    path = tmp_path / "case.json"
    path.write_text("old")
    write_case(model, CASE, path)
    assert [file.name for file in tmp_path.iterdir()] == ["case.json"]
    data = load_case(path)
    assert parse_case(data) == parse_case(CASE)
    assert open_case(model, data).differences == ()


def test_a_case_that_is_refused_leaves_the_file_as_it_was(model: Model, tmp_path: Path) -> None:
    """Nothing is written of a case that breaks a rule, and nothing over a folder."""
    path = tmp_path / "case.json"
    path.write_text("old")
    with pytest.raises(InvalidInputError, match="fevr"):
        write_case(model, {"fevr": "absent"}, path)
    assert path.read_text() == "old"
    with pytest.raises(InvalidInputError, match="must be a file"):
        write_case(model, CASE, tmp_path)
    with pytest.raises(InvalidInputError, match="must be a place to write a file"):
        write_case(model, CASE, tmp_path / "none" / "case.json")


def test_the_shipped_cases_are_saved_with_their_stories(model: Model, tmp_path: Path) -> None:
    """What a case says about itself stays with it."""
    for example in shipped_cases():
        data = load_case(Path(str(shipped_priors() / "cases" / f"{example.id}.toml")))
        path = tmp_path / f"{example.id}.json"
        write_case(model, data, path)
        opened = open_case(model, load_case(path))
        assert opened.data == data
        assert opened.differences == ()
