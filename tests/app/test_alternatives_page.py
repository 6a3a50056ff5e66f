"""The page that switches sources: it shows what the library says, with the reason beside each figure."""

from __future__ import annotations

import csv
import io
from html import escape
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from rootcause import load_model, shipped_cases
from rootcause.alternatives import alternatives, only, ordered, switch, switch_all
from rootcause_app.components import alternatives_view, findings_form, labels, numbers
from rootcause_app.pages.alternatives import KINDS
from rootcause_app.settings import OPENING_CASE
from shown import html_of, words_of

if TYPE_CHECKING:
    from rootcause import Model
    from rootcause.alternatives import Alternative


@pytest.fixture
def page() -> AppTest:
    """The page at a first visit."""
    script = "from rootcause_app.pages import alternatives\nalternatives.page()"
    return AppTest.from_string(script, default_timeout=60).run()


@pytest.fixture(scope="module")
def model() -> Model:
    """The shipped model."""
    return load_model()


@pytest.fixture(scope="module")
def every(model: Model) -> list[Alternative]:
    """All alternatives to its numbers."""
    return alternatives(model)


def opening() -> dict[str, object]:
    """The case that the page opens with."""
    return dict(next(case for case in shipped_cases() if case.id == OPENING_CASE).findings)


def named(every: list[Alternative], key: str) -> Alternative:
    """One of them."""
    return next(item for item in every if item.key == key)


def plain(page: AppTest) -> str:
    """What is read, with every space a single one."""
    return " ".join(words_of(page).split())


def choose(page: AppTest, kind: str, key: str) -> None:
    """Take an alternative."""
    page.segmented_control(key="switch_kind").set_value(kind).run()
    page.selectbox(key=f"switch_{kind}_seed").set_value(key).run()
    assert not page.exception


def test_the_page_opens_with_the_other_rate_set(page: AppTest, model: Model, every: list[Alternative]) -> None:
    """Every posterior before and after, with its points, and every number that differs."""
    assert not page.exception
    found = switch(model, opening(), next(item for item in every if item.key == "literature"))
    shown = plain(page)
    assert found.sentence in shown
    for name in found.before:
        row = f"{numbers.percent(found.before[name])} {numbers.percent(found.after[name])}"
        assert f"{labels.cause(name)} {row} {numbers.points(found.difference[name])}" in shown
    for change in found.alternative.changes:
        assert change.id in shown
        assert f"{numbers.parameter(change.before)} → {100 * change.after:.3g} %" in shown


def test_the_causes_stand_in_the_order_of_the_new_answer(page: AppTest, model: Model, every: list[Alternative]) -> None:
    """The most probable with the other numbers first, and a rank that changed says so."""
    choose(page, "technique", "microendoscopic_discectomy")
    found = switch(model, opening(), next(item for item in every if item.key == "microendoscopic_discectomy"))
    table = next(body for body in html_of(page) if "rc-switched" in body)
    ranked = sorted(found.after, key=lambda name: -found.after[name])
    places = [table.index(f">{labels.cause(name)}<") for name in ranked if found.after[name] > 0]
    assert places == sorted(places)
    assert f"{found.rank_before['epidural_hematoma']} → {found.rank_after['epidural_hematoma']}" in table


def test_why_a_record_was_set_aside_stands_beside_its_figure(page: AppTest, every: list[Alternative]) -> None:
    """Loudly, before the numbers; and what cannot be switched is told with its words and the reason."""
    study = next(item for item in every if item.set_aside and item.refused)
    choose(page, "study", study.key)
    shown = plain(page)
    assert "set aside when the model was made, for a reason" in shown
    assert "it is not advice" in shown
    for change in study.set_aside:
        assert f"Set aside because: {change.reason}" in shown
        assert f"“{change.text}”" in shown
    for refused in study.refused:
        assert f"cannot be switched: {refused.why}" in shown
        assert f"“{refused.text}”" in shown


def test_figures_of_a_study_can_be_left_out(page: AppTest, model: Model, every: list[Alternative]) -> None:
    """The answer is that of what is left."""
    study = next(item for item in every if item.kind == "study" and len(item.changes) > 2 and len(item.set_aside) > 2)
    choose(page, "study", study.key)
    kept = [study.set_aside[0].id]
    page.multiselect(key=f"switch_taken_{study.key}_seed").set_value(kept).run()
    assert not page.exception
    assert switch(model, opening(), only(model, study, kept)).sentence in plain(page)


def test_every_study_can_be_reached(page: AppTest, every: list[Alternative]) -> None:
    """Those with a figure to choose, the records of the others below with the reason."""
    page.segmented_control(key="switch_kind").set_value("study").run()
    usable = [item for item in every if item.kind == "study" and item.changes]
    assert len(page.selectbox(key="switch_study_seed").options) == len(usable)
    without = [refused for item in every if item.kind == "study" and not item.changes for refused in item.refused]
    shown = plain(page)
    assert all(f"“{refused.text}”" in shown for refused in without[::20])


def test_all_at_once_begins_inside_the_ranges(page: AppTest, model: Model, every: list[Alternative]) -> None:
    """Then those never set aside; those set aside and outside are folded away, each with why; and all of it as CSV."""
    every_one = ordered(switch_all(model, opening(), [item for item in every if item.changes]))
    turned = [item for item in every_one if item.leading[0] != item.leading[1]]
    inside = [item for item in turned if not item.alternative.outside]
    shown = plain(page)
    assert f"{len(turned)} of {len(every_one)} alternatives would put another cause in place of" in shown
    assert f", {len(inside)} of them with numbers that all lie inside" in shown
    table = next(body for body in html_of(page) if "rc-switches" in body)
    open_part, folded = table.split("with figures that were set aside for a reason")
    for item in every_one:
        name = escape(alternatives_view.short(model, item.alternative))
        set_aside = item.alternative.standing == "set_aside"
        assert name in (folded if set_aside else open_part)
        if set_aside:
            row = folded[folded.index(f'<th scope="row">{name}</th>') :].partition("</tr>")[0]
            assert escape(item.alternative.set_aside[0].reason) in row
    rows = list(csv.DictReader(io.StringIO(alternatives_view.to_csv(every_one))))
    assert len(rows) == sum(len(item.before) for item in every_one)
    assert float(rows[0]["after"]) == every_one[0].after[rows[0]["outcome"]]


def test_a_number_comes_with_all_its_sources(page: AppTest, model: Model, every: list[Alternative]) -> None:
    """With the counts that it is from and the place in its sources; an assumption says that it has none."""
    change = next(
        item for item in named(every, "literature").changes if item.id.endswith("hematoma.open_microdiscectomy")
    )
    assert len(change.sources) == 5
    card = next(body for body in html_of(page) if "rc-cards" in body).partition(change.id)[0]
    for key in change.sources:
        assert escape(model.priors.sources[key].title) in card
    assert "303 of 108,627 pooled" in card
    assert "a52: abstract (0.16%)" in card
    assert "No published source." in plain(page)
    assert "number of the rate set" not in plain(page)


def test_a_study_without_an_author_is_called_by_its_title(model: Model, every: list[Alternative]) -> None:
    """Cut at a word, with its year."""
    name = alternatives_view.short(model, named(every, "incidence-and-risk-2020"))
    assert name == "Incidence and risk factors of spinal epidural hemorrhage … (2020)"


def test_the_numbers_in_force_say_so(page: AppTest) -> None:
    """Nothing differs from the rates that the page answers with."""
    choose(page, "rates", "seed")
    assert "No number differs." in plain(page)


def test_the_other_rates_are_switched_back(page: AppTest) -> None:
    """With the literature's rates in force, the seed's are the alternative."""
    page.selectbox(key="rates").set_value("literature").run()
    assert not page.exception
    chosen = page.selectbox(key="switch_rates_literature")
    assert chosen.value == "seed"


def test_findings_without_an_answer_are_told(page: AppTest) -> None:
    """One sentence, and nothing that was entered is lost."""
    clash = {"toe_dorsiflexion": "severe", "leg_weakness": "absent"}
    page.session_state[findings_form.CASE_KEY] = clash
    page.run()
    assert not page.exception
    assert "There is no answer for these findings." in plain(page)
    assert page.session_state[findings_form.CASE_KEY] == clash


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_for_an_empty_case(page: AppTest, kind: str) -> None:
    """A patient of whom nothing is known is a case too."""
    page.session_state[findings_form.CASE_KEY] = {}
    page.segmented_control(key="switch_kind").set_value(kind).run()
    assert not page.exception
    assert "All of them at once" in [header.value for header in page.header]
