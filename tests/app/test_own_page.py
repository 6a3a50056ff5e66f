"""The page of one's own numbers: local rates, edits, and the folder that is taken along."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import AppTest

from rootcause import load_model, shipped_cases
from rootcause.local_counts import LocalRate
from rootcause.local_rates import update
from rootcause.own_answers import shifts, with_numbers
from rootcause.own_folder import unzip, write_folder, zip_of
from rootcause.own_numbers import Edit, edited, folder_of
from rootcause.priors import share_groups, shipped_priors
from rootcause_app import settings
from rootcause_app.components import labels, numbers, own_chart, own_editor, own_local, own_state
from rootcause_app.components.own_state import Own
from rootcause_app.pages.own import EDIT, LOCAL, TAKE
from rootcause_app.theme import DARK, LIGHT
from shown import html_of, words_of

if TYPE_CHECKING:
    from pathlib import Path

RATE = "rate.epidural_hematoma.open_microdiscectomy"
LINK = "link.back_pain.epidural_hematoma"
MORE = b"[a.b]\nmeaning = 'x.'\npoint = 0.2\nlow = 0.1\nhigh = 0.3\nrange = 'judgement'\nbasis = 'assumed'\n"
CASE = dict(next(case for case in shipped_cases() if case.id == settings.OPENING_CASE).findings)


@pytest.fixture
def page() -> AppTest:
    """The page at a first visit."""
    script = "from rootcause_app.pages import own\nown.page()"
    return AppTest.from_string(script, default_timeout=60).run()


def counted(page: AppTest, events: int = 12, of: int = 480) -> AppTest:
    """The page with a local count of hematomas entered."""
    page.number_input(key=f"own_of.{RATE}").set_value(of)
    page.number_input(key=f"own_events.{RATE}").set_value(events).run()
    assert not page.exception
    return page


def kept(page: AppTest) -> AppTest:
    """The page with that count kept."""
    counted(page).button(key="own_keep").click().run()
    assert not page.exception
    return page


def at(page: AppTest, pane: str) -> str:
    """What is read in a pane."""
    page.segmented_control(key="own_pane").set_value(pane).run()
    assert not page.exception
    return words_of(page)


def causes(page: AppTest) -> str:
    """The table of every cause before and after."""
    return next(body for body in html_of(page) if "rc-own-shifts" in body)


# ---- local rates --------------------------------------------------------------------------------------------------


def test_a_count_shows_the_number_and_every_cause_before_and_after(page: AppTest) -> None:
    """As the library has them, in its order, before the count is kept."""
    model = load_model()
    (expected,) = update(model.priors.parameters, LocalRate(RATE, 12, 480))
    assert "Nothing changes for this case" in words_of(page)
    counted(page)
    shown = " ".join(words_of(page).split())
    assert expected.sentence in shown
    assert "0.50 % 0.30 to 0.80 %" in shown
    assert f"{100 * expected.after.point:.2f} %" in shown
    own = with_numbers(model, edited(model.priors, [expected.edit]))
    table, places = causes(page), []
    for item in shifts(model, own, CASE):
        places.append(table.index(f">{labels.cause(item.cause)}<"))
        row = table[places[-1] :].partition("</tr>")[0]
        assert numbers.percent_html(item.after) in row
        assert numbers.points(item.after - item.before) in row
        if item.rank_after != item.rank_before:
            assert f"{item.rank_before} → {item.rank_after}" in row
    assert places == sorted(places)


def test_an_assumption_is_called_one(page: AppTest) -> None:
    """Nowhere the literature; a cited number is called that."""
    assumed, cited = RATE, "rate.nerve_root_injury.microendoscopic_discectomy"
    parameters = load_model().priors.parameters
    assert (parameters[assumed].basis, parameters[cited].basis) == ("assumed", "cited")
    assert page.slider(key=own_local.WEIGHT_KEY).label == "How much the model's assumption counts"
    counted(page)
    assert "the literature" not in words_of(page)
    page.selectbox(key=own_local.CHOSEN_KEY).set_value(cited).run()
    assert page.slider(key=own_local.WEIGHT_KEY).label == "How much the cited number counts"
    assert "Nobody was counted: the cited number stands alone." in words_of(page)


def test_a_surprise_is_weighed_before_it_is_kept(page: AppTest) -> None:
    """The number and the causes with the assumption in full, at half, left out, and as the slider says."""
    model = load_model()
    page.slider(key=own_local.WEIGHT_KEY).set_value(25)
    counted(page)
    table = next(body for body in html_of(page) if "rc-own-weights" in body)
    rows = table.split("<tr>")[2:]
    assert len(rows) == 4
    for row, weight in zip(rows, (1, 0.5, 0.25, 0), strict=True):
        (item,) = update(model.priors.parameters, LocalRate(RATE, 12, 480, weight))
        own = with_numbers(model, edited(model.priors, [item.edit]))
        hematoma = next(shift for shift in shifts(model, own, CASE) if shift.cause == "epidural_hematoma")
        assert f"{100 * weight:.0f} %" in row
        assert f"{100 * item.after.point:.2f} %" in row
        assert numbers.percent_html(hematoma.after) in row
        assert ("as chosen" in row) == (weight == 0.25)
    counted(page, events=2)
    assert not any("rc-own-weights" in body for body in html_of(page))


def test_the_slider_says_how_much_the_number_counts(page: AppTest) -> None:
    """At nought it is Jeffreys' prior alone."""
    counted(page)
    page.slider(key=own_local.WEIGHT_KEY).set_value(0).run()
    (expected,) = update(load_model().priors.parameters, LocalRate(RATE, 12, 480, 0))
    assert "does not count (Jeffreys' prior)" in words_of(page)
    assert f"{100 * expected.after.point:.2f} %" in words_of(page)


def test_shares_are_counted_together(page: AppTest) -> None:
    """A number of patients for each share of the whole, and all of them change."""
    members = share_groups(load_model().priors.parameters)["context.procedure"]
    page.selectbox(key=own_local.CHOSEN_KEY).set_value("context.procedure").run()
    for member in members:
        page.number_input(key=f"own_count.{member}").set_value(50)
    page.run()
    assert not page.exception
    page.button(key="own_keep").click().run()
    assert "Counts you kept (4)" in [expander.label for expander in page.expander]
    held: Own = page.session_state["own_numbers"]
    held.take_back([(members[0], None)])
    assert not held.edits


def test_what_is_no_count_is_said(page: AppTest) -> None:
    """More events than patients: one sentence, and nothing can be kept."""
    counted(page, events=3, of=2)
    assert "Patients with the event: must not be more than the patients counted, got 3 of 2." in words_of(page)
    assert page.button(key="own_keep").disabled
    assert any("rc-own-updates" in body for body in html_of(page))
    assert "Nothing changes for this case" in words_of(page)


def test_an_emptied_count_is_not_nobody(page: AppTest) -> None:
    """It is asked for; with both fields empty nothing was counted, and 0 of 480 is a count."""
    counted(page, events=2)
    page.number_input(key=f"own_events.{RATE}").set_value(None).run()
    assert "Still to enter (0 where there was nobody): Patients with the event." in words_of(page)
    assert page.button(key="own_keep").disabled
    page.number_input(key=f"own_of.{RATE}").set_value(None).run()
    assert "Still to enter" not in words_of(page)
    assert page.button(key="own_keep").disabled
    counted(page, events=0)
    assert not page.button(key="own_keep").disabled
    page.selectbox(key=own_local.CHOSEN_KEY).set_value("context.procedure").run()
    page.number_input(key="own_count.context.procedure.fusion").set_value(5).run()
    assert "Still to enter (0 where there was nobody): Open microdiscectomy," in words_of(page)


def test_a_weight_that_leaves_no_range_is_said_in_words(page: AppTest) -> None:
    """Without the id of the number, and the number stays drawn."""
    link = "link.crp.surgical_site_infection"
    page.selectbox(key=own_local.CHOSEN_KEY).set_value(link).run()
    page.slider(key=own_local.WEIGHT_KEY).set_value(5)
    page.number_input(key=f"own_events.{link}").set_value(1)
    page.number_input(key=f"own_of.{link}").set_value(1).run()
    shown = words_of(page)
    assert "The counts and the weight must leave a range around the mean" in shown
    assert f"{link}: " not in shown
    assert any("rc-own-updates" in body for body in html_of(page))


def test_a_count_that_is_kept_stays_for_this_visit_alone(page: AppTest) -> None:
    """The server's model and another visitor's page know nothing of it."""
    before = settings.current_model().digest
    kept(page)
    assert page.button(key="own_keep").disabled
    assert "Counts you kept (1)" in [expander.label for expander in page.expander]
    assert settings.current_model().digest == before
    other = AppTest.from_string("from rootcause_app.pages import own\nown.page()", default_timeout=60).run()
    assert "Nothing changes for this case" in words_of(other)


def test_every_number_that_can_be_counted_is_offered() -> None:
    """Rates first; a whole stands for its shares."""
    parameters = load_model().priors.parameters
    listed = own_local.choices(parameters)
    shares = {id_ for ids in share_groups(parameters).values() for id_ in ids}
    assert set(listed) == (parameters.keys() - shares) | share_groups(parameters).keys()
    assert listed[0].startswith("rate.")


@pytest.mark.parametrize(("weight", "of", "names"), [(1, 480, 3), (0, 480, 2), (1, 0, 2)])
def test_the_chart_draws_what_there_is(weight: float, of: int, names: int) -> None:
    """The literature where it counts, the count where there is one, and both together; in words as well."""
    (found,) = update(load_model().priors.parameters, LocalRate(RATE, min(of, 12), of, weight))
    assert len(own_chart.curves(found)) == names
    for palette in (LIGHT, DARK):
        drawn = own_chart.chart(found, palette).to_dict()
        assert drawn["layer"]
    assert all(name in own_chart.description(found) for name in own_chart.curves(found))


# ---- editing ------------------------------------------------------------------------------------------------------


Typed = dict[str, dict[str, Any]]


def typed(table: own_editor.Table, changed: Typed) -> list[dict[str, Any]]:
    """The rows of a table with some cells typed over."""
    return [row | changed.get(row["id"], {}) for row in table.rows]


def a_table(held: Own, *ids: str) -> own_editor.Table:
    """A table of some numbers."""
    parameters = load_model().priors.parameters
    return own_editor.table_of([parameters[id_] for id_ in ids], len(ids), held, "words", 1)


def test_what_is_typed_is_an_edit_of_the_number() -> None:
    """In percent, of the variant that is shown; cells that were not touched are no part of it."""
    held = Own()
    table = a_table(held, RATE, LINK)
    cells: Typed = {RATE: {"point": 0.6}, LINK: {"sources": ["ahn-2004"], "basis": "cited", "note": None}}
    start = load_model().priors.parameters
    assert own_editor.take_over(table, typed(table, cells), start, held) == []
    assert held.edits[RATE, "seed"] == Edit(RATE, point=0.006, rates="seed")
    assert held.edits[LINK, None].sources == ("ahn-2004",)
    assert held.edits[LINK, None].point is None


def test_a_cell_that_is_typed_back_is_no_edit() -> None:
    """Neither of a number as it was, nor of one that had been edited before."""
    start = load_model().priors.parameters
    held = Own()
    table = a_table(held, RATE)
    own_editor.take_over(table, typed(table, {RATE: {"point": 0.6}}), start, held)
    own_editor.take_over(table, typed(table, {}), start, held)
    assert not held.edits
    (counted_,) = update(start, LocalRate(RATE, 12, 480))
    held.keep([counted_])
    table = a_table(held, RATE)
    own_editor.take_over(table, typed(table, {RATE: {"high": 2.0}}), start, held)
    assert held.edits[RATE, "seed"].high == 0.02
    assert not held.updates  # it is no longer what was counted
    own_editor.take_over(table, typed(table, {}), start, held)
    assert held.edits[RATE, "seed"] == counted_.edit
    assert held.updates[RATE, "seed"] == counted_
    own_editor.take_over(table, typed(table, {RATE: {"point": 0.5, "low": 0.3, "high": 0.8}}), start, held)
    assert set(held.edits[RATE, "seed"].values()) == {"basis", "derivation"}


def test_an_empty_cell_is_said_and_changes_nothing() -> None:
    """The row keeps the edit that it had."""
    held = Own()
    table = a_table(held, RATE, LINK)
    cells: Typed = {RATE: {"point": None}, LINK: {"low": float("nan"), "range": None}}
    problems = own_editor.take_over(table, typed(table, cells), load_model().priors.parameters, held)
    assert problems == [
        f"{RATE}: point must be given, got an empty cell",
        f"{LINK}: low must be given, got an empty cell",
        f"{LINK}: range must be given, got an empty cell",
    ]
    assert not held.edits


def test_cells_show_the_digits_of_the_file() -> None:
    """Every number of the model goes to a cell and back without a change."""
    start = load_model().priors.parameters
    held = Own()
    table = own_editor.table_of(list(start.values()), len(start), held, "all", 1)
    assert own_editor.take_over(table, typed(table, {}), start, held) == []
    assert not held.edits
    cells = {row["id"]: {"note": f"{row['note']} mine"} for row in table.rows}
    own_editor.take_over(table, typed(table, cells), start, held)
    assert {tuple(edit.values()) for edit in held.edits.values()} == {("note",)}


def test_every_problem_of_the_edits_is_listed(page: AppTest) -> None:
    """In sentences, by the number; the counts that were kept still count, and nothing invalid can be taken along."""
    kept(page)
    before = causes(page)
    held: Own = page.session_state["own_numbers"]
    held.edits[LINK, None] = Edit(LINK, point=0.99999, sources=("nobody-1900",))
    held.edits["context.procedure.fusion", None] = Edit("context.procedure.fusion", point=0.31)
    shown = " ".join(at(page, EDIT).split())
    assert f"{LINK}: low < point < high must hold" in shown
    assert causes(page) == before
    held.edits[LINK, None] = Edit(LINK, sources=("nobody-1900",))
    shown = " ".join(at(page, TAKE).split())
    assert "every source must be listed in sources.toml, got 'nobody-1900'" in shown
    assert "context.procedure: the shares must sum to 1, got 1.01" in shown


def test_words_basis_and_what_was_changed_choose_the_rows(page: AppTest) -> None:
    """And an empty table is explained."""
    kept(page)
    at(page, EDIT)
    page.text_input(key="own_words").set_value("epidural hematoma rate").run()
    table: own_editor.Table = page.session_state["own_table"]
    assert all("epidural_hematoma" in row["id"] for row in table.rows)
    page.text_input(key="own_words").set_value("").run()
    page.checkbox(key="own_only").check().run()
    changed: own_editor.Table = page.session_state["own_table"]
    assert [row["id"] for row in changed.rows] == [RATE]
    assert changed.rows[0]["basis"] == "derived"
    page.text_input(key="own_words").set_value("zzzz").run()
    assert [info.value for info in page.info] == ["No number matches."]


def test_a_publication_can_be_added_and_cited(page: AppTest) -> None:
    """One that is listed already, or has no title, is refused."""
    at(page, EDIT)
    add = "Add the publication"

    def given(key: str, title: str) -> None:
        page.text_input(key="own_source_key").set_value(key)
        page.text_input(key="own_source_title").set_value(title)
        next(button for button in page.button if button.label == add).click().run()

    given("ahn-2004", "Another")
    assert "must be a new key" in words_of(page)
    given("mine 2024", "Mine")
    assert "a key must be of letters" in words_of(page)
    given("mine-2024", "")
    assert "publication: title" in words_of(page)
    given("mine-2024", "What <b>we</b> saw")
    assert "What <b>we</b> saw" in words_of(page)
    held: Own = page.session_state["own_numbers"]
    held.edits[LINK, None] = Edit(LINK, basis="cited", sources=("mine-2024",))
    at(page, TAKE)
    assert LINK in next(body for body in html_of(page) if "rc-own-changes" in body)


# ---- taking along -------------------------------------------------------------------------------------------------


def test_the_folder_that_is_taken_along_answers_as_the_page(page: AppTest, tmp_path: Path) -> None:
    """The download holds the folder whose digest the page shows."""
    kept(page)
    shown = at(page, TAKE)
    assert RATE in shown
    held: Own = page.session_state["own_numbers"]
    files = folder_of(shipped_priors(), held.edits.values(), "seed")
    write_folder(tmp_path / "mine", unzip(zip_of(files)))
    written = load_model(tmp_path / "mine")
    assert labels.short_digest(written.digest) in page.code[1].value
    for line in (
        "rootcause serve --priors my-priors --rates seed",
        "rootcause sensitivity case.json --cause epidural_hematoma --priors my-priors --rates seed",
    ):
        assert line in page.code[0].value.splitlines()
    expected = shifts(load_model(), written, CASE)
    table = causes(page)
    assert all(numbers.percent_html(item.after) in table for item in expected)


def test_what_was_changed_can_be_taken_back(page: AppTest) -> None:
    """One number, or everything."""
    kept(page)
    at(page, TAKE)
    page.multiselect(key="own_back").set_value([(RATE, "seed")]).run()
    page.button(key="own_undo").click().run()
    assert not page.exception
    assert "No number of this rate set differs" in words_of(page)
    at(page, LOCAL)
    page.button(key="own_keep").click().run()
    at(page, TAKE)
    page.button(key="own_undo").click().run()
    assert "No number of this rate set differs" in words_of(page)


def load(page: AppTest, name: str, content: bytes) -> AppTest:
    """Hand a file in and load it."""
    at(page, TAKE)
    page.file_uploader[0].set_value([(name, content, "application/octet-stream")])
    page.run()
    next(button for button in page.button if button.label == "Load them").click().run()
    assert not page.exception
    return page


def test_a_folder_can_be_brought_back(page: AppTest) -> None:
    """As a ZIP or as files; what it leaves out is the server's, and its edits go on from there."""
    files = folder_of(shipped_priors(), [Edit(RATE, point=0.0061)], "seed")
    load(page, "my-priors.zip", zip_of(files))
    assert "0.61 %" in next(body for body in html_of(page) if "rc-own-changes" in body)
    at(page, LOCAL)
    kept(page)
    held: Own = page.session_state["own_numbers"]
    assert held.updates[RATE, "seed"].before.point == 0.0061
    again = files["rates.toml"].replace("point = 0.0061", "point = 0.0062")
    load(page, "rates.toml", again.encode())
    assert "0.62 %" in next(body for body in html_of(page) if "rc-own-changes" in body)
    assert settings.current_model().priors.parameters[RATE].point == 0.005


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("my.zip", b"no", "ZIP: must be a whole ZIP"),
        ("rates.toml", b"\xff", "rates.toml: must be UTF-8 text"),
        ("rates.toml", b"[rate.x]\npoint = 2", "rates.toml: rate.x: point must lie strictly between 0 and 1"),
        ("more.toml", MORE, "a.b: must have a place in the network"),
    ],
)
def test_a_folder_that_breaks_a_rule_is_refused(page: AppTest, name: str, content: bytes, said: str) -> None:
    """With every problem, and what was there before stays."""
    kept(page)
    load(page, name, content)
    assert said in words_of(page)
    assert list(page.session_state["own_numbers"].edits) == [(RATE, "seed")]


def test_both_rate_sets_are_taken_along(page: AppTest) -> None:
    """A change in one stays while the other is looked at, and says so."""
    kept(page)
    at(page, TAKE)
    page.selectbox(key="rates").set_value("literature").run()
    assert not page.exception
    assert f"Changed in the other rate set: {RATE} (Seed document)" in words_of(page)
    assert "No number of this rate set differs" in words_of(page)
    held: Own = page.session_state["own_numbers"]
    server = settings.current_model("literature")
    files = folder_of(server.priors.folder, held.edits.values(), server.priors.rates)
    with zipfile.ZipFile(io.BytesIO(zip_of(files))) as archive:
        assert b"12 of 480 at one's own hospital" in archive.read("my-priors/rates.toml")


def test_findings_that_cannot_hold_together_leave_the_page_standing(page: AppTest) -> None:
    """The numbers can be edited all the same."""
    page.session_state["case"] = {"saddle_anesthesia": "absent", "numbness": "absent", "numbness_l5": "present"}
    page.run()
    assert not page.exception
    assert "There is no answer for the Explorer's findings." in words_of(page)


def test_taking_back_a_number_leaves_the_others() -> None:
    """One that was counted alone does not drag others of its family along."""
    held = Own()
    parameters = load_model().priors.parameters
    other = "rate.epidural_hematoma.fusion"
    for id_ in (RATE, other):
        held.keep(update(parameters, LocalRate(id_, 3, 100)))
    held.take_back([own_state.key_of(parameters[RATE])])
    assert [key[0] for key in held.edits] == [other]
