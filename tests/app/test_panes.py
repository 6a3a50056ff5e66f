"""The panes of the Explorer: each shows what the library says, and a click draws one alone."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

import pytest

from rootcause import load_model, shipped_cases
from rootcause_app.components import labels, links, numbers
from rootcause_app.pages.compare import NOW
from rootcause_app.pages.explorer import PANES
from rootcause_app.settings import OPENING_CASE
from shown import html_of, words_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

SERIAL = {
    "examinations": [
        {"findings": {"procedure": "open_microdiscectomy", "symptom_onset": 1, "examination_day": 1,
                      "toe_dorsiflexion": "normal"}},
        {"findings": {"examination_day": 3, "toe_dorsiflexion": "weak"}},
    ]
}  # fmt: skip


def opening() -> dict[str, object]:
    """The case that the page opens with."""
    return dict(next(case for case in shipped_cases() if case.id == OPENING_CASE).findings)


def shown_in(explorer: AppTest, pane: str) -> str:
    """What is read after choosing a pane."""
    explorer.segmented_control(key="pane").set_value(pane).run()
    assert not explorer.exception
    return words_of(explorer)


def test_the_pane_of_what_to_examine_next_is_the_librarys_ranking(explorer: AppTest) -> None:
    """The stop rule, the first bedside signs and tests in order, and examinations as wholes."""
    shown = shown_in(explorer, "Next to examine")
    steps = load_model().next(opening())
    assert steps.stop.sentence in shown
    tables = [body for body in html_of(explorer) if "rc-next" in body]
    for bedside, table in zip((True, False), tables, strict=False):
        chosen = [step.label for step in steps.steps if (step.where == "bedside") is bedside and not step.settled]
        places = [table.index(f">{escape(label)}<") for label in chosen[:8]]
        assert places == sorted(places)
    assert all(whole.label in shown for whole in steps.examinations)


def test_what_must_not_wait_is_ranked_and_its_stakes_can_be_changed(explorer: AppTest) -> None:
    """The harm of a cause changed on the page moves its place, for this visit and not in the model."""
    shown = shown_in(explorer, "Must not wait")
    waiting = [row for row in load_model().diagnose(opening(), intervals=False).must_not_wait if row.loss > 0]
    table = next(body for body in html_of(explorer) if "rc-waiting" in body)
    assert [table.index(labels.cause(row.cause)) for row in waiting] == sorted(
        table.index(labels.cause(row.cause)) for row in waiting
    )
    assert waiting[0].act in shown
    last = waiting[-1].cause
    explorer.selectbox(key="stakes_cause").set_value(last).run()
    explorer.number_input(key=f"stake.{last}.harm").set_value(1_000_000_000.0).run()
    changed = next(body for body in html_of(explorer) if "rc-waiting" in body)
    assert changed.index(labels.cause(last)) < changed.index(labels.cause(waiting[0].cause))
    assert "for this visit only: harm if missed" in words_of(explorer)
    next(button for button in explorer.button if button.label.startswith("Back to the numbers")).click().run()
    assert next(body for body in html_of(explorer) if "rc-waiting" in body) == table


def test_the_evidence_so_far_is_the_librarys_explanation(explorer: AppTest) -> None:
    """Each finding with its weight; the causes together; whether it fits."""
    shown = shown_in(explorer, "Evidence so far")
    model = load_model()
    leading = model.diagnose(opening(), intervals=False).ranking[0]
    found = model.explain(opening(), leading)
    assert f"{numbers.percent(found.prior)} in this situation" in " ".join(shown.split())
    for weight in found.in_order.weights:
        assert weight.words in shown
    assert model.coherence(opening(), simulated=0).sentence in shown
    assert all(sentence in shown for sentence in model.together(opening()).pair_sentences)
    explorer.selectbox(key="explained").set_value("epidural_hematoma").run()
    assert numbers.percent(model.explain(opening(), "epidural_hematoma").prior) in words_of(explorer)


def test_the_network_is_drawn_and_told(network_page: AppTest) -> None:
    """A table says what the drawing shows, and a node can be put in the middle without a mouse."""
    assert not network_page.exception
    view = load_model().view(opening())
    assert all(node.label in words_of(network_page) for node in view.nodes)
    network_page.selectbox(key="focus").set_value("epidural_hematoma").run()
    assert not network_page.exception
    focused = load_model().view(opening(), "epidural_hematoma")
    table = next(body for body in html_of(network_page) if "<table" in body)
    gone = {node.label for node in view.nodes} - {node.label for node in focused.nodes}
    assert gone
    assert all(escape(node.label) in table for node in focused.nodes)
    assert not any(f">{escape(label)}<" in table for label in gone)
    next(button for button in network_page.button if button.label == "Whole network").click().run()
    assert all(node.label in words_of(network_page) for node in view.nodes)


def test_every_pane_stands_without_findings(explorer: AppTest) -> None:
    """A clean sheet is a case too."""
    next(button for button in explorer.button if button.label == "Clear all").click().run()
    for pane in PANES:
        shown_in(explorer, pane)


def test_an_address_that_carries_a_case_opens_it() -> None:
    """The findings come from the address, which is then cleared so that a reload does not undo what was entered."""
    from streamlit.testing.v1 import AppTest as Test

    page = Test.from_string("from rootcause_app.pages import explorer\nexplorer.page()", default_timeout=60)
    page.query_params[links.PARAMETER] = links.encode({"procedure": "fusion", "fever": "present"})
    page.run()
    assert not page.exception
    assert page.session_state["case"] == {"procedure": "fusion", "fever": "present"}
    assert links.PARAMETER not in page.query_params


@pytest.mark.parametrize("packed", ["1.!!!", "9.abc", "", "1.eJw"])
def test_an_address_that_carries_no_case_says_so(packed: str) -> None:
    """The page opens with its first case, and one sentence."""
    from streamlit.testing.v1 import AppTest as Test

    page = Test.from_string("from rootcause_app.pages import explorer\nexplorer.page()", default_timeout=60)
    page.query_params[links.PARAMETER] = packed
    page.run()
    assert not page.exception
    assert "The case was not loaded." in words_of(page)
    assert page.session_state["case"] == opening()


def test_a_case_of_two_examinations_opens_at_the_last_and_can_be_compared(explorer: AppTest) -> None:
    """The form shows the last moment; both are kept for the page that compares."""
    explorer.text_area(key="pasted").set_value(json.dumps(SERIAL)).run()
    next(button for button in explorer.button if button.label == "Load the case").click().run()
    assert not explorer.exception
    assert explorer.session_state["case"]["toe_dorsiflexion"] == "weak"
    assert explorer.session_state["case"]["progression"] == "worsening"
    assert list(explorer.session_state["moments"]) == ["Examination 1, day 1", "Examination 2, day 3"]


def test_two_cases_stand_side_by_side(compare_page: AppTest) -> None:
    """Both probabilities of every cause, and shares that add up to the change of log-odds."""
    assert not compare_page.exception
    first, second = (compare_page.selectbox(key=key).value for key in ("compare_first", "compare_second"))
    by_title = {case.title: case.findings for case in shipped_cases()} | {NOW: opening()}
    assert first is not None
    assert second is not None
    found = load_model().compare(by_title[first], by_title[second])
    shown = words_of(compare_page)
    for pair in found.causes.values():
        assert numbers.percent(pair.before) in shown
        assert numbers.percent(pair.after) in shown
    compare_page.selectbox(key="compare_second").set_value(first).run()
    assert "Nothing differs." in words_of(compare_page)


def test_a_red_flag_stands_above_every_ranking_and_is_not_put_in_doubt(explorer: AppTest) -> None:
    """Saddle numbness beside a clean scan: the other findings do not explain it, which is no reason to doubt it."""
    case = {"procedure": "open_microdiscectomy", "examination_day": 3, "saddle_anesthesia": "present",
            "mri_epidural_collection": "none", "post_void_residual": 80}  # fmt: skip
    explorer.text_area(key="pasted").set_value(json.dumps(case)).run()
    next(button for button in explorer.button if button.label == "Load the case").click().run()
    flag = load_model().diagnose(case, intervals=False).red_flags[0]
    shown = shown_in(explorer, "Next to examine")
    assert all(words in shown for words in flag.first)
    bodies = html_of(explorer)
    first = next(number for number, body in enumerate(bodies) if "Complete this first" in body)
    assert first < next(number for number, body in enumerate(bodies) if "rc-next" in body)
    assert "see the patient again within days" not in shown
    assert flag.text in shown_in(explorer, "Must not wait")
    shown = shown_in(explorer, "Evidence so far")
    assert "No lesion in between" in shown or "Affected" in shown
    assert "The one that fits least" not in " ".join(warning.value for warning in explorer.warning)
    assert "look again at: Saddle numbness" not in shown
