"""The page of all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rootcause import load_model
from rootcause_app.components import provenance
from shown import html_of, words_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


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
