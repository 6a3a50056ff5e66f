"""A case: every form of a value, and every way in which one can be refused."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause.case import load_case, loads_case, parse_case
from rootcause.errors import InvalidInputError
from rootcause.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()


@pytest.mark.parametrize(
    ("name", "number", "state"),
    [
        ("symptom_onset", 0, "within_24h"),
        ("symptom_onset", 1, "within_24h"),
        ("symptom_onset", 2, "days_2_to_7"),
        ("symptom_onset", 7, "days_2_to_7"),
        ("symptom_onset", 8, "days_8_to_30"),
        ("symptom_onset", 90, "days_31_to_90"),
        ("symptom_onset", 91, "after_90_days"),
        ("examination_day", 0, "days_0_to_3"),
        ("examination_day", 3, "days_0_to_3"),
        ("examination_day", 4, "days_4_to_14"),
        ("examination_day", 42, "days_15_to_42"),
        ("examination_day", 91, "after_day_90"),
        ("post_void_residual", 199.5, "under_200_ml"),
        ("post_void_residual", 200, "200_ml_or_more"),
        ("toe_dorsiflexion", 5, "normal"),
        ("toe_dorsiflexion", 4, "weak"),
        ("toe_dorsiflexion", 3, "weak"),
        ("toe_dorsiflexion", 2, "severe"),
        ("toe_dorsiflexion", 0, "severe"),
        ("hip_abduction", 0, "weak"),
        ("hip_abduction", 4, "weak"),
        ("hip_abduction", 5, "normal"),
    ],
)
def test_a_number_falls_into_its_state(name: str, number: float, state: str) -> None:
    """Days and volumes fall into bins as the vocabulary ends them, grades into strength; the number is kept."""
    case = parse_case({name: number})
    assert case.observations[name] == state
    assert case.numbers[name] == number


def test_a_group_a_list_and_a_likelihood() -> None:
    """A group is the set of its operations, a list a set, a table a likelihood; one state left is that state."""
    case = parse_case(
        {
            "findings": {
                "procedure": "microdiscectomy",
                "progression": ["worsening", "static"],
                "back_pain": {"expected": 0.3, "severe": 0.9},
                "fever": ["absent"],
            }
        }
    )
    assert case.findings == {
        "procedure": ["open_microdiscectomy", "microendoscopic_discectomy", "percutaneous_discectomy"],
        "progression": ["static", "worsening"],
        "back_pain": {"expected": 0.3, "severe": 0.9},
        "fever": "absent",
    }
    assert case.possible("calf_swelling") == ("absent", "present")


REFUSED: list[tuple[Any, str]] = [
    ([], "case: must be a table of findings, got a list"),
    ({"findings": []}, "case: 'findings' must be a table, got a list"),
    ({"findings": {}, "finding": {}}, "must not have a key 'finding' beside 'findings'"),
    ({"findings": {}, "finding": {}, "answer": {}}, "must not have a key 'finding' beside 'findings'"),
    ({"examinations": []}, "'examinations' must hold 1 to 20 examinations, got an empty list"),
    ({"toe_dorsiflexon": "weak"}, "got 'toe_dorsiflexon' (did you mean 'toe_dorsiflexion'?)"),
    ({"epidural_hematoma": "present"}, "every name must be a known context or finding, got 'epidural_hematoma'"),
    ({"toe_dorsiflexion": "week"}, "must be one of normal, weak, severe, got 'week' (did you mean 'weak'?)"),
    ({"toe_dorsiflexion": 6}, "a number must be an MRC grade from 0 to 5, got 6"),
    ({"toe_dorsiflexion": 3.5}, "a number must be an MRC grade from 0 to 5, got 3.5"),
    ({"toe_dorsiflexion": True}, "got true or false"),
    ({"toe_dorsiflexion": None}, "got nothing (null)"),
    ({"fever": 1}, "must be one of absent, present, got the number 1"),
    ({"symptom_onset": -1}, "a number must be a whole number of days from 0, got -1"),
    ({"symptom_onset": 1.5}, "a whole number of days"),
    ({"symptom_onset": math.nan}, "a whole number of days from 0, got nan"),
    ({"post_void_residual": math.inf}, "a volume in ml, got inf"),
    ({"symptom_onset": 9, "examination_day": 8}, "must not be after examination_day, got day 9 and day 8"),
    ({"symptom_onset": 20, "examination_day": "days_4_to_14"}, "got day 20 and days_4_to_14"),
    (
        {"symptom_onset": ["after_90_days", "days_8_to_30"], "examination_day": 7},
        "got days_8_to_30 or after_90_days and",
    ),
    ({"fever": []}, "must name at least one state that is still possible, got an empty list"),
    ({"fever": [1]}, "a list must hold states"),
    ({"fever": {"present": -0.1}}, "the likelihood of present must not be negative, got -0.1"),
    ({"fever": {"present": math.nan}}, "must be a finite number, got nan"),
    ({"fever": {"present": 10**400}}, "must be a finite number"),
    ({"fever": {"present": "high"}}, "must be a finite number, got a text"),
    ({"fever": {"present": 0, "absent": 0.0}}, "must be above zero, got zero for all"),
    ({"fever": {}}, "must be above zero"),
    ({"fever": {"high": 1}}, "a likelihood must be for one of absent, present, got 'high'"),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_bad_input_is_refused_in_one_sentence(data: object, sentence: str) -> None:
    """The message names the place, the rule and what was got, in one line."""
    with pytest.raises(InvalidInputError) as caught:
        parse_case(data)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must hold a case, got nothing"),
        ("{", "must be valid JSON, got: Expecting property name"),
        ('{"a": 1, "a": 2}', "a key may stand once in a table, got 'a' twice"),
        ('{"a": NaN}', "a number must be finite, got NaN"),
        ('{"a": 1e999}', "a number must be finite, got 1e999"),
        ("[1]", "must hold a table, got a list"),
        ("[" * 100_000, "nested a few levels at most"),
    ],
)
def test_broken_json_is_refused(text: str, sentence: str) -> None:
    """Nothing is read loosely: no second key, no NaN, no overflow."""
    with pytest.raises(InvalidInputError) as caught:
        loads_case(text, "json")
    assert sentence in str(caught.value)


def test_files_are_read_by_their_ending(tmp_path: Path) -> None:
    """TOML and JSON say the same; a missing, broken, huge or binary file is refused by name."""
    toml, json_ = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text('[findings]\nfever = "absent"\n')
    json_.write_text('\ufeff{"findings": {"fever": "absent"}}', "utf-8")
    assert load_case(toml) == load_case(json_) == {"findings": {"fever": "absent"}}
    for name, content, rule in (
        ("gone.toml", None, "must be a readable file"),
        ("twice.toml", b"a = 1\na = 2\n", "must be valid TOML (a key may stand once)"),
        ("bytes.json", b"\xff\xfe\xff", "must be UTF-8 text"),
        ("huge.json", b" " * 1_000_001, "must not be larger than"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInputError) as caught:
            load_case(tmp_path / name)
        assert name in str(caught.value)
        assert rule in str(caught.value)


def test_what_a_saved_file_adds_is_not_read() -> None:
    """A case file with its answer is the case that was saved."""
    plain = {"findings": {"fever": "absent"}}
    assert parse_case({"rootcause": {"format": 1}, **plain, "answer": None, "title": "x"}) == parse_case(plain)


def test_a_case_of_one_examination_has_no_other_moment() -> None:
    """The fields that came with serial examinations are empty."""
    case = parse_case({"fever": "absent"})
    assert (case.earlier, case.derived, case.carried) == ((), (), ())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*VOCABULARY.observable, "x"]), values, max_size=4))
def test_whatever_is_entered_is_read_or_refused(table: dict[str, Any]) -> None:
    """No input raises anything but the one error, and what is read names states of the vocabulary."""
    try:
        case = parse_case(table)
    except InvalidInputError:
        return
    for name in table:
        assert case.possible(name)
        assert set(case.possible(name)) <= set(VOCABULARY.observable[name].states)
