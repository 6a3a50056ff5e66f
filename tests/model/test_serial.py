"""Several examinations: what is carried on, what is superseded, what is derived, and what is refused."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rootcause import load_model
from rootcause.case import parse_case
from rootcause.errors import InvalidInputError
from rootcause.findings import Case, read_findings
from rootcause.serial import MOST_EXAMINATIONS, flat_table, moments
from rootcause.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
SIGNS = [name for name, item in VOCABULARY.findings.items() if item.mrc or item.covers or name.startswith("numbness")]
SUMMARIES = ["progression", "deficit_onset", "side"]


def serial(*tables: dict[str, Any]) -> dict[str, Any]:
    """Return a case of several examinations."""
    return {"examinations": [{"findings": table} for table in tables]}


def last(*tables: dict[str, Any]) -> Case:
    """Return the case at the last of several examinations."""
    return parse_case(serial(*tables))


# ---- laws ----------------------------------------------------------------------------------------------------------


@st.composite
def values(draw: st.DrawFn, name: str) -> Any:  # noqa: ANN401 - a value of any form
    """Draw a value of a context or finding in any form that is accepted."""
    item = VOCABULARY.observable[name]
    forms: list[st.SearchStrategy[Any]] = [st.sampled_from(item.states)]
    forms.append(st.lists(st.sampled_from(item.states), min_size=1, max_size=3))
    forms.append(st.dictionaries(st.sampled_from(item.states), st.floats(0.1, 1), min_size=1))
    if item.mrc:
        forms.append(st.integers(0, 5))
    return draw(st.one_of(forms))


@st.composite
def tables(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """Draw the findings of one examination."""
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=5))
    return {name: draw(values(name)) for name in chosen}


@given(st.lists(tables([*VOCABULARY.findings]), min_size=1, max_size=4))
def test_what_is_found_today_stands_and_nothing_is_invented(found: list[dict[str, Any]]) -> None:
    """The last examination stands as entered, and every other value was entered once or is marked as derived."""
    every = moments(serial(*found))
    case = every[-1]
    today = read_findings(found[-1])
    for name, value in today.findings.items():
        if name not in case.derived:
            assert case.findings[name] == value
    assert "progression" not in case.derived or "progression" not in found[-1]
    for name, value in case.findings.items():
        entered = [read_findings(table).findings.get(name) for table in found]
        assert name in case.derived or value in entered
    assert set(case.carried) == {name for name in case.findings if name not in found[-1]} - set(case.derived)
    assert case.earlier == every[:-1]


@given(st.lists(tables([*VOCABULARY.findings]), min_size=1, max_size=4))
def test_a_later_moment_does_not_change_an_earlier_one(found: list[dict[str, Any]]) -> None:
    """The moments of the first examinations are those of the case that ends there."""
    every = moments(serial(*found))
    for number in range(1, len(found)):
        assert moments(serial(*found[:number])) == every[:number]


@given(tables([*VOCABULARY.observable]))
def test_one_examination_is_the_flat_case(found: dict[str, Any]) -> None:
    """A list of one says the same as the table itself."""
    try:
        case = parse_case({"findings": found})
    except InvalidInputError:
        with pytest.raises(InvalidInputError):
            last(found)
    else:
        assert last(found) == case


@given(tables([*VOCABULARY.findings]), st.integers(2, 5))
def test_the_same_examination_again_is_no_evidence(found: dict[str, Any], times: int) -> None:
    """The same signs found twice or five times are the case of one examination: nothing is counted twice."""
    assert last(*[found] * times).observations == parse_case(found).observations


@given(st.lists(tables([*SIGNS, *SUMMARIES]), min_size=2, max_size=4))
def test_a_flat_table_reads_back(found: list[dict[str, Any]]) -> None:
    """The case at the last moment, as one table, is the same evidence with the same numbers."""
    case = last(*found)
    again = parse_case(flat_table(case))
    assert (again.observations, again.numbers) == (case.observations, case.numbers)


@settings(max_examples=40)
@given(st.lists(tables([*SIGNS, *SUMMARIES, "saddle_anesthesia", "symptom_onset"]), min_size=2, max_size=3))
def test_possible_examinations_stay_possible_together(found: list[dict[str, Any]]) -> None:
    """Where every examination can be by itself, the moments can be: what is outdated never clashes with what is new.

    Left out are examinations that say "no deficit" beside a deficit: of a weak hip the network allows it, until a later
    examination finds the hip strong.
    """
    engine = load_model().engine
    for table in found:
        alone = read_findings(table)
        normal = {name: VOCABULARY.observable[name].normal in alone.possible(name) for name in table}
        denied = any(alone.possible(name) == ("no_deficit",) for name in SUMMARIES)
        assume(not denied or all(normal[name] for name in table if name not in VOCABULARY.contexts))
        assume(engine.possible(engine.weights(alone.observations)))
    for case in moments(serial(*found)):
        assert engine.possible(engine.weights(case.observations)), dict(case.findings)


@given(st.sampled_from([name for name in SIGNS if VOCABULARY.findings[name].mrc]), st.integers(0, 5), st.integers(0, 5))
def test_the_course_is_the_sign_of_the_change(sign: str, first: int, then: int) -> None:
    """Fewer grades are worse, more are better, as many are nothing."""
    case = last({sign: first}, {sign: then})
    better: Any = "improving" if VOCABULARY.findings[sign].state_of(then) != "normal" else ["no_deficit", "improving"]
    expected = "worsening" if then < first else better if then > first else None
    assert case.findings.get("progression") == expected
    assert ("progression" in case.derived) == (first != then)


# ---- what is derived -----------------------------------------------------------------------------------------------

COURSES: list[tuple[list[dict[str, Any]], Any]] = [
    ([{"toe_dorsiflexion": "weak"}, {"toe_dorsiflexion": "severe"}], "worsening"),
    ([{"toe_dorsiflexion": 4}, {"toe_dorsiflexion": "severe"}], "worsening"),
    ([{"toe_dorsiflexion": "weak"}, {"toe_dorsiflexion": 3}], None),  # weak may have been grade 3
    ([{"toe_dorsiflexion": ["normal", "weak"]}, {"toe_dorsiflexion": "weak"}], None),
    ([{"toe_dorsiflexion": ["normal", "weak"]}, {"toe_dorsiflexion": 2}], "worsening"),
    ([{"toe_dorsiflexion": {"normal": 0.9, "weak": 0.1}}, {"toe_dorsiflexion": "weak"}], None),
    ([{"hip_flexion": "weak"}, {"hip_flexion": 0}], None),  # without "severe", weak is any grade below 5
    ([{"numbness_s1": "absent"}, {"numbness_s1": "present"}], "worsening"),
    ([{"leg_weakness": "absent"}, {"leg_weakness": "present"}], "worsening"),
    ([{"leg_weakness": "absent"}, {"plantarflexion": "weak"}], "worsening"),  # no weakness: no weak calf either
    ([{"leg_weakness": "present"}, {"plantarflexion": "normal"}], None),
    ([{"numbness_l4": "present"}, {"numbness": "absent"}], ["no_deficit", "improving"]),
    ([{"side": "no_deficit"}, {"numbness_l5": "present"}], "worsening"),
    ([{"toe_dorsiflexion": 2, "numbness_l5": "present"}, {"toe_dorsiflexion": 4}], "improving"),
    ([{"toe_dorsiflexion": 2, "plantarflexion": 5}, {"toe_dorsiflexion": 4, "plantarflexion": 4}], None),  # both ways
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": 3}, {"toe_dorsiflexion": 3}], "worsening"),  # no warning is lost
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": 2}, {"toe_dorsiflexion": 3}], "improving"),
    ([{"toe_dorsiflexion": 5}, {"fever": "absent"}, {"toe_dorsiflexion": 3}], "worsening"),
    ([{"back_pain": "expected"}, {"back_pain": "severe"}], None),
    ([{"saddle_anesthesia": "absent"}, {"saddle_anesthesia": "present"}], "worsening"),
]


@pytest.mark.parametrize(("found", "course"), COURSES)
def test_the_course_is_derived_where_it_is_certain(found: list[dict[str, Any]], course: object) -> None:
    """A change that the values leave no doubt of is a course; anything else is none."""
    case = last(*found)
    assert case.findings.get("progression") == course
    assert ("progression" in case.derived) == (course is not None)


def test_an_entered_course_stands_until_a_later_change() -> None:
    """What was entered is evidence; a change that came after it is newer."""
    weak, severe = {"toe_dorsiflexion": 4}, {"toe_dorsiflexion": 1}
    case = last(weak, {**severe, "progression": "static"})
    assert (case.findings["progression"], case.derived) == ("static", ())
    case = last({**weak, "progression": "improving"}, severe)
    assert (case.findings["progression"], case.derived) == ("worsening", ("progression",))
    case = last(weak, {**severe, "progression": "static"}, severe)
    assert (case.findings["progression"], case.derived) == ("static", ())


DATINGS: list[tuple[list[dict[str, Any]], Any]] = [
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": 4}], "after_an_interval"),
    ([{"numbness": "absent"}, {"numbness_l5": "present"}], "after_an_interval"),
    ([{"deficit_onset": "no_deficit"}, {"leg_weakness": "present"}], "after_an_interval"),
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": ["normal", "weak"]}], None),
    ([{"toe_dorsiflexion": 4}, {"toe_dorsiflexion": 3}], None),
    ([{"toe_dorsiflexion": 5, "numbness_s1": "present"}, {"toe_dorsiflexion": 3}], None),  # there was a deficit before
    ([{"toe_dorsiflexion": 5, "side": "operated_side"}, {"toe_dorsiflexion": 3}], None),
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": 3}, {"toe_dorsiflexion": 5}], None),  # there is none any more
    ([{"toe_dorsiflexion": 5}, {"numbness_s1": "present"}, {"toe_dorsiflexion": 3}], "after_an_interval"),
    ([{"toe_dorsiflexion": 5}, {"toe_dorsiflexion": 3, "deficit_onset": "on_waking"}], "on_waking"),
]


@pytest.mark.parametrize(("found", "dating"), DATINGS)
def test_the_dating_is_derived_where_it_is_certain(found: list[dict[str, Any]], dating: object) -> None:
    """A sign that was normal when nothing was wrong and is abnormal now began after an interval."""
    case = last(*found)
    assert case.findings.get("deficit_onset") == dating
    assert ("deficit_onset" in case.derived) == (dating == "after_an_interval")


def test_an_examination_without_a_day_was_not_before_the_last_one() -> None:
    """A day is not carried on: the sign of today was not found on day 20."""
    case = last({"examination_day": 20}, {"fever": "absent"})
    assert case.findings["examination_day"] == ["days_15_to_42", "days_43_to_90", "after_day_90"]
    assert "examination_day" in case.derived
    assert "examination_day" not in case.numbers
    assert last({"examination_day": 100}, {}).findings["examination_day"] == "after_day_90"
    assert "examination_day" not in last({}, {"fever": "absent"}).findings


# ---- what is carried on --------------------------------------------------------------------------------------------


def test_contexts_carry_on_and_the_day_is_the_last() -> None:
    """The operation need not be said twice; the latest value of a sign wins; what comes from before is listed."""
    first = {"procedure": "fusion", "level": ["L4-L5", "L5-S1"], "examination_day": 1, "fever": "absent", "crp": []}
    first["crp"] = "falling_as_expected"
    case = last(first, {"examination_day": 8, "level": "L5-S1", "fever": "present"})
    assert case.findings == {
        "procedure": "fusion",
        "examination_day": "days_4_to_14",
        "level": "L5-S1",
        "crp": "falling_as_expected",
        "fever": "present",
    }
    assert case.numbers == {"examination_day": 8}
    assert case.carried == ("crp",)
    assert [dict(moment.findings)["fever"] for moment in case.earlier] == ["absent"]


OUTLIVED: list[tuple[list[dict[str, Any]], str]] = [
    ([{"toe_dorsiflexion": "weak"}, {"leg_weakness": "absent"}], "toe_dorsiflexion"),
    ([{"leg_weakness": "absent"}, {"toe_dorsiflexion": "weak"}], "leg_weakness"),
    ([{"side": "no_deficit"}, {"numbness": "present"}], "side"),
    ([{"numbness": "present"}, {"progression": "no_deficit"}], "numbness"),
    ([{"symptom_onset": "no_complaint"}, {"toe_dorsiflexion": 2}], "symptom_onset"),
    (
        [{"numbness": "present"}, {"numbness_l4": "absent", "numbness_l5": "absent", "numbness_s1": "absent"}],
        "numbness",
    ),
    ([{"numbness": "present", "numbness_l5": "present"}, {"numbness_l5": "absent"}], "numbness"),
    ([{"side": "both", "toe_dorsiflexion": 3}, {"toe_dorsiflexion": 5}], "side"),
    ([{"leg_weakness": "absent"}, {"toe_dorsiflexion": 3}, {"toe_dorsiflexion": 5}], "leg_weakness"),
]


@pytest.mark.parametrize(("found", "gone"), OUTLIVED)
def test_what_a_later_examination_settles_is_not_carried_on(found: list[dict[str, Any]], gone: str) -> None:
    """A value ends with the examination that says otherwise, and does not come back."""
    assert gone not in last(*found).findings
    assert gone in moments(serial(*found))[0].findings


def test_what_a_later_examination_leaves_open_is_carried_on() -> None:
    """One normal muscle does not end a weakness of no named muscle."""
    case = last({"leg_weakness": "present"}, {"toe_dorsiflexion": "normal"})
    assert case.carried == ("leg_weakness",)


def test_a_red_flag_is_not_stood_down_by_the_next_examination() -> None:
    """Two days of worsening are an emergency, also where nobody said the word."""
    model = load_model()
    case = last({"toe_dorsiflexion": 4}, {"toe_dorsiflexion": 2}, {"fever": "absent"})
    assert "worsening" in {flag.id for flag in model.rulebook.red_flags(case)}


# ---- what is refused -----------------------------------------------------------------------------------------------

REFUSED: list[tuple[Any, str]] = [
    ({"examinations": []}, "case: 'examinations' must hold 1 to 20 examinations, got an empty list"),
    ({"examinations": [{}] * (MOST_EXAMINATIONS + 1)}, "must hold 1 to 20 examinations, got 21"),
    ({"examinations": {}}, "case: 'examinations' must be a list of examinations, got a table"),
    ({"examinations": "x"}, "must be a list of examinations, got a text"),
    ({"examinations": [[]]}, "examination 1: must be a table with 'findings', got a list"),
    ({"examinations": [{}], "findings": {}}, "case: must have 'findings' or 'examinations', got both"),
    ({"examinations": [{}], "fever": "absent"}, "case: must not have a key 'fever' beside 'examinations'"),
    (serial({}, {"fevr": "absent"}), "examination 2: findings: every name must be a known"),
    ({"examinations": [{"findings": {}, "finding": {}}]}, "examination 1: must not have a key 'finding'"),
    ({"examinations": [{"findings": []}]}, "examination 1: 'findings' must be a table, got a list"),
    ({"examinations": [serial({})]}, "got 'examinations'"),
    (serial({}, {"fever": "mild"}), "examination 2: fever: must be one of absent, present, got 'mild'"),
    (
        serial({"examination_day": 8}, {}, {"examination_day": 7}),
        "examination 3: examination_day must not go backwards, got day 8 and then day 7",
    ),
    (
        serial({"examination_day": "days_15_to_42"}, {"examination_day": 14}),
        "must not go backwards, got days_15_to_42 and then day 14",
    ),
    (
        serial({"symptom_onset": 3, "examination_day": 5}, {"symptom_onset": 9, "examination_day": 8}),
        "examination 2: findings: symptom_onset must not be after examination_day",
    ),
    (
        serial({"examination_day": 5}, {"examination_day": 6}, {"symptom_onset": 9, "examination_day": 8}),
        "examination 3: findings: symptom_onset must not be after",
    ),
    (
        serial({"symptom_onset": 9}, {"examination_day": 8}),
        "examination 2: findings: symptom_onset must not be after examination_day, got day 9 and day 8",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_bad_input_is_refused_in_one_sentence(data: object, sentence: str) -> None:
    """The message names the examination, the rule and what was got."""
    with pytest.raises(InvalidInputError) as caught:
        parse_case(data)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_days_may_stand_still_and_windows_may_overlap() -> None:
    """Two examinations of one day, and a window in which the day may still be."""
    assert len(moments(serial({"examination_day": 5}, {"examination_day": 5}))) == 2
    assert len(moments(serial({"examination_day": 5}, {"examination_day": "days_4_to_14"}))) == 2
    assert len(moments(serial({"examination_day": 5}, {}, {"examination_day": 6}))) == 3


def test_the_model_answers_the_last_moment() -> None:
    """A serial case is diagnosed as the flat case of its last moment."""
    model = load_model()
    case = serial(
        {"procedure": "fusion", "examination_day": 1, "toe_dorsiflexion": 5},
        {"examination_day": 4, "toe_dorsiflexion": 2},
    )
    answer = model.diagnose(case, intervals=False)
    flat = model.diagnose(flat_table(parse_case(case)), intervals=False)
    assert (answer.posterior, answer.none) == (flat.posterior, flat.none)
    assert answer.findings["progression"] == "worsening"
