"""The page of all numbers."""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import TYPE_CHECKING

from rootcause import load_model, shipped_cases
from rootcause.sensitivity.tornado import tornado
from rootcause_app.components import findings_form, influence_view, provenance
from rootcause_app.pages.numbers import MOST_FIRST
from rootcause_app.settings import OPENING_CASE
from shown import html_of, words_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from rootcause_app.components.influence_view import Influence

LEADING = "nerve_root_edema"


@cache
def influence(cause: str = LEADING) -> Influence:
    """What moves the answer to the case that the page opens with."""
    findings = next(case for case in shipped_cases() if case.id == OPENING_CASE).findings
    return influence_view.influence_of(tornado(load_model(), dict(findings), cause))


def rows_of(page: AppTest) -> list[str]:
    """The rows of both tables, those of the first tab first."""
    return [row for body in html_of(page) if "rc-parameters" in body for row in body.split("<tr ")[1:]]


def test_every_parameter_is_counted_and_the_assumed_ones_apart(numbers_page: AppTest) -> None:
    """The two tabs together hold all numbers of the model."""
    published, assumed = provenance.split_by_basis(load_model().priors.parameters.values())
    assert not numbers_page.exception
    assert [tab.label for tab in numbers_page.tabs] == [
        f"Cited, derived or fitted ({len(published)})",
        f"Assumed ({len(assumed)})",
    ]
    assert {parameter.basis for parameter in assumed} <= {"assumed"}


def test_the_table_shows_meaning_point_range_basis_and_sources(numbers_page: AppTest) -> None:
    """The first row holds all of it."""
    model = load_model()
    first = provenance.split_by_basis(model.priors.parameters.values())[0][0]
    shown = words_of(numbers_page)
    assert first.meaning in shown
    assert f"{100 * first.low:.4g} to {100 * first.high:.4g} %" in shown
    assert all(model.priors.sources[key].citation in shown for key in first.sources)


def test_words_and_basis_filter_the_table(numbers_page: AppTest) -> None:
    """Only what matches is left, and nothing that matches is missing."""
    numbers_page.text_input(key="words").set_value("hematoma").run()
    numbers_page.multiselect(key="bases").set_value(["cited"]).run()
    expected = provenance.matching(load_model().priors.parameters.values(), "hematoma", ["cited"])
    assert expected
    assert numbers_page.tabs[0].label == f"Cited, derived or fitted ({len(expected)})"
    assert numbers_page.tabs[1].label == "Assumed (0)"
    assert all(">assumed<" not in body for body in html_of(numbers_page))


def test_words_that_match_nothing_say_so(numbers_page: AppTest) -> None:
    """An empty table is explained."""
    numbers_page.text_input(key="words").set_value("zzzz").run()
    assert {info.value for info in numbers_page.info} == {"No number matches."}


def test_every_row_says_how_far_its_number_moves_the_answer(numbers_page: AppTest) -> None:
    """For the Explorer's case and its most probable cause: the swing in points, or that it cannot reach the answer."""
    found = influence()
    rows = rows_of(numbers_page)
    assert rows
    for row in rows:
        id_ = row.split("</small>")[1].split("<small>")[-1]
        assert id_ in load_model().priors.parameters
        bar = found.bars.get(id_)
        if bar is None:
            assert "cannot reach this answer" in row
        elif bar.width > 0.001:
            assert f"{100 * bar.width:.1f} points" in row
    assert "Moves Nerve root edema" in words_of(numbers_page)


def test_what_moves_the_answer_most_can_stand_first(numbers_page: AppTest) -> None:
    """In both tabs, each in the order of the tornado."""
    numbers_page.selectbox(key="influence_order").set_value(MOST_FIRST).run()
    assert not numbers_page.exception
    found = influence()
    parameters = load_model().priors.parameters
    published, assumed = provenance.split_by_basis(parameters[id_] for id_ in found.bars)
    tables = [body for body in html_of(numbers_page) if "rc-parameters" in body]
    for table, expected in zip(tables, (published, assumed), strict=True):
        places = [table.index(f"<small>{number.id}</small>") for number in expected[:10]]
        assert places == sorted(places)


def test_only_what_moves_the_answer_can_be_left(numbers_page: AppTest) -> None:
    """The tabs count what is left; every number can come back."""
    numbers_page.toggle(key="influence_only").set_value(True).run()
    found = influence()
    parameters = load_model().priors.parameters
    published, assumed = provenance.split_by_basis(parameters[id_] for id_ in found.bars)
    assert [tab.label for tab in numbers_page.tabs] == [
        f"Cited, derived or fitted ({len(published)})",
        f"Assumed ({len(assumed)})",
    ]
    assert len(found.bars) < len(parameters)


def test_another_cause_can_be_asked_about(numbers_page: AppTest) -> None:
    """The column follows the cause that is chosen."""
    numbers_page.selectbox(key="influence_cause").set_value("epidural_hematoma").run()
    assert "Moves Epidural hematoma" in words_of(numbers_page)
    first = influence("epidural_hematoma").bars
    assert max(first, key=lambda id_: first[id_].width) != max(influence().bars, key=influence().width)


def test_findings_without_an_answer_leave_the_numbers_readable(numbers_page: AppTest) -> None:
    """Nothing hangs on the numbers then, and they are shown all the same."""
    numbers_page.session_state[findings_form.CASE_KEY] = {"toe_dorsiflexion": "severe", "leg_weakness": "absent"}
    numbers_page.run()
    assert not numbers_page.exception
    assert "nothing hangs on these numbers" in words_of(numbers_page)
    assert len(rows_of(numbers_page)) == 50


def test_the_whole_table_can_be_taken_along() -> None:
    """Every number with all that is known of it, what was set aside too, and how far it moves the answer."""
    model, found = load_model(), influence()
    rows = list(csv.DictReader(io.StringIO(influence_view.to_csv(model, found))))
    assert [row["id"] for row in rows] == list(model.priors.parameters)
    for row, number in zip(rows, model.priors.parameters.values(), strict=True):
        assert (float(row["point"]), float(row["low"]), float(row["high"])) == (number.point, number.low, number.high)
        assert (row["meaning"], row["basis"], row["note"]) == (number.meaning, number.basis, number.note)
        assert row["sources"] == "; ".join(number.sources)
        assert all(item.reason in row["considered"] for item in number.considered)
        assert float(row["swing_points"]) == 100 * found.width(number.id)
        assert row["digest"] == model.digest
    without = list(csv.DictReader(io.StringIO(influence_view.to_csv(model, None))))
    assert {row["swing_points"] for row in without} == {""}
