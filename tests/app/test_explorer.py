"""The Explorer, used as its readers use it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from rootcause import load_model, shipped_cases
from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import labels, numbers
from rootcause_app.settings import OPENING_CASE
from shown import bars_of, html_of, words_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


def opening_findings() -> dict[str, object]:
    """The case that the page opens with."""
    return dict(next(case for case in shipped_cases() if case.id == OPENING_CASE).findings)


def expected_bars(findings: dict[str, object], rates: str = "seed") -> dict[str, str]:
    """What the bars must show, from the library itself."""
    answer = load_model(rates=rates).diagnose(findings, intervals=False)
    shares = {labels.cause(cause): found.mean for cause, found in answer.posterior.items()}
    shares[labels.NONE_LABEL] = answer.none
    return {name: numbers.percent(share) for name, share in sorted(shares.items(), key=lambda pair: -pair[1])}


def finding(page: AppTest, name: str) -> str:
    """The key of a finding's widget in the case that is loaded."""
    return f"finding.{page.session_state['loads']}.{name}"


def test_the_opening_case_shows_every_cause_and_none_in_order(explorer: AppTest) -> None:
    """The bars are the library's posteriors, the most probable first."""
    assert not explorer.exception
    assert list(bars_of(explorer).items()) == list(expected_bars(opening_findings()).items())
    assert len(bars_of(explorer)) == 14


def test_a_first_visit_opens_the_explorer(whole: AppTest) -> None:
    """The navigation leads to the Explorer first."""
    assert not whole.exception
    assert list(bars_of(whole).items()) == list(expected_bars(opening_findings()).items())


def test_each_bar_gets_its_interval(explorer: AppTest) -> None:
    """After the second pass no interval is pending, and each is the library's."""
    answer = load_model().diagnose(opening_findings())
    bodies = [body for body in html_of(explorer) if '<div class="rc-track"' in body]
    for body, cause in zip(bodies, answer.ranking, strict=True):
        low, high = answer.none_low, answer.none_high
        if cause != labels.NONE_ID:
            low, high = answer.posterior[cause].low, answer.posterior[cause].high
        assert low is not None
        assert high is not None
        assert (numbers.interval(low, high) in body) is (high > 0)
    assert not any("being computed" in body for body in bodies)


def test_entering_a_finding_moves_the_bars(explorer: AppTest) -> None:
    """A finding entered on the page is one given to the library."""
    explorer.radio(key=finding(explorer, "saddle_anesthesia")).set_value(labels.token("present")).run()
    expected = expected_bars(opening_findings() | {"saddle_anesthesia": "present"})
    assert not explorer.exception
    assert list(bars_of(explorer).items()) == list(expected.items())
    assert expected != expected_bars(opening_findings())


def test_a_finding_taken_back_counts_no_more(explorer: AppTest) -> None:
    """*Not examined* is the state before a finding was touched."""
    before = bars_of(explorer)
    key = finding(explorer, "saddle_anesthesia")
    explorer.radio(key=key).set_value(labels.token("present")).run()
    explorer.radio(key=key).set_value(labels.token(None)).run()
    assert bars_of(explorer) == before
    assert "saddle_anesthesia" not in explorer.session_state["case"]


def test_an_mrc_grade_is_kept_as_a_grade(explorer: AppTest) -> None:
    """A grade entered is the grade diagnosed and downloaded, not its state."""
    explorer.radio(key=finding(explorer, "ankle_dorsiflexion")).set_value(labels.token(1)).run()
    assert explorer.session_state["case"]["ankle_dorsiflexion"] == 1
    assert bars_of(explorer) == expected_bars(opening_findings() | {"ankle_dorsiflexion": 1})


def test_a_day_may_be_a_number_or_a_window_and_the_last_one_stands(explorer: AppTest) -> None:
    """A window chosen clears the number, and the other way round."""
    loads = explorer.session_state["loads"]
    explorer.selectbox(key=finding(explorer, "symptom_onset")).set_value(labels.token("within_24h")).run()
    assert explorer.session_state["case"]["symptom_onset"] == "within_24h"
    assert explorer.number_input(key=f"number.{loads}.symptom_onset").value is None
    explorer.number_input(key=f"number.{loads}.symptom_onset").set_value(3).run()
    assert explorer.session_state["case"]["symptom_onset"] == 3
    assert explorer.selectbox(key=finding(explorer, "symptom_onset")).value == labels.token(None)


def test_clear_all_leaves_nothing_entered(explorer: AppTest) -> None:
    """A clean sheet is a case without findings."""
    next(button for button in explorer.button if button.label == "Clear all").click().run()
    assert not explorer.exception
    assert explorer.session_state["case"] == {}
    assert bars_of(explorer) == expected_bars({})


@pytest.mark.parametrize("case_id", [case.id for case in shipped_cases()])
def test_every_shipped_case_can_be_opened(explorer: AppTest, case_id: str) -> None:
    """An example loads whole, in the order in which it was entered."""
    explorer.selectbox(key="example").set_value(case_id).run()
    assert not explorer.exception
    findings = dict(next(case for case in shipped_cases() if case.id == case_id).findings)
    assert list(explorer.session_state["case"].items()) == list(findings.items())
    assert bars_of(explorer) == expected_bars(findings)


def test_contradictory_findings_are_named_and_kept(explorer: AppTest) -> None:
    """One sentence, the two findings by name, and everything entered still there."""
    explorer.radio(key=finding(explorer, "leg_weakness")).set_value(labels.token("absent")).run()
    shown = words_of(explorer)
    assert not explorer.exception
    assert "There is no answer for these findings." in shown
    assert load_vocabulary().observable["leg_weakness"].label in shown
    assert load_vocabulary().observable["toe_dorsiflexion"].label in shown
    assert explorer.session_state["case"] == opening_findings() | {"leg_weakness": "absent"}
    assert bars_of(explorer) == {}


def test_a_red_flag_stands_even_where_there_is_no_answer(explorer: AppTest) -> None:
    """The rules need no posterior: saddle numbness is an emergency beside findings that clash."""
    explorer.radio(key=finding(explorer, "saddle_anesthesia")).set_value(labels.token("present")).run()
    explorer.radio(key=finding(explorer, "leg_weakness")).set_value(labels.token("absent")).run()
    expected = load_model().diagnose({"saddle_anesthesia": "present"}, intervals=False)
    assert expected.urgency.level == "emergency"
    assert "There is no answer for these findings." in words_of(explorer)
    assert expected.urgency.text in words_of(explorer)


def test_the_rates_can_be_switched(explorer: AppTest) -> None:
    """The other rate set gives the other answer, and says so at the foot."""
    explorer.selectbox(key="rates").set_value("literature").run()
    assert bars_of(explorer) == expected_bars(opening_findings(), "literature")
    model = load_model(rates="literature")
    assert "rates: Literature" in words_of(explorer)
    assert labels.short_digest(model.digest) in words_of(explorer)


def test_the_disclaimer_the_urgency_and_the_frequencies_are_shown(explorer: AppTest) -> None:
    """What must stand with every answer stands with it."""
    answer = load_model().diagnose(opening_findings(), intervals=False)
    shown = words_of(explorer)
    assert load_model().rulebook.disclaimer in shown
    assert answer.urgency.text in shown
    assert answer.frequencies.sentence in shown
    assert all(flag.text in shown for flag in answer.red_flags)
    assert all(action.text in shown for action in answer.actions)


def test_a_click_on_a_cause_shows_the_numbers_behind_it(explorer: AppTest) -> None:
    """Every number between the cause and the findings is there with its basis and its sources."""
    model = load_model()
    explorer.button(key="why-epidural_hematoma").click().run()
    shown = words_of(explorer)
    for key in model.parameters_for("epidural_hematoma", tuple(opening_findings())):
        parameter = model.priors.parameters[key]
        assert parameter.meaning in shown
        assert all(model.priors.sources[source].citation in shown for source in parameter.sources)
        assert all(other.reason in shown for other in parameter.considered)


def test_assumed_numbers_stand_apart_in_words(explorer: AppTest) -> None:
    """An assumed number carries the word, and comes after those with a published footing."""
    model = load_model()
    findings = tuple(opening_findings())
    used = [model.priors.parameters[key] for key in model.parameters_for("epidural_hematoma", findings)]
    explorer.button(key="why-epidural_hematoma").click().run()
    lists = re.findall(
        r'<ul class="rc-cards">.*?(?=<p class="rc-assumed-head">|</section>)', " ".join(html_of(explorer))
    )
    assumed = [text.count(">assumed<") for text in lists]
    cards = [text.count('<li class="rc-card') for text in lists]
    assert all(count in {0, of} for count, of in zip(assumed, cards, strict=True))
    assert sum(cards) == len(used)
    assert sum(assumed) == sum(parameter.basis == "assumed" for parameter in used)
    assert 0 < sum(assumed) < len(used)


def test_a_pasted_case_is_loaded(explorer: AppTest) -> None:
    """A case as the command line reads it, with set and virtual evidence, is one the page keeps and answers."""
    case = {"findings": {"procedure": "fusion", "examination_day": 12, "progression": ["static", "worsening"],
                         "back_pain": {"expected": 0.3, "severe": 0.9}}}  # fmt: skip
    explorer.text_area(key="pasted").set_value(json.dumps(case)).run()
    next(button for button in explorer.button if button.label == "Load the case").click().run()
    assert not explorer.exception
    assert explorer.session_state["case"] == case["findings"]
    assert bars_of(explorer) == expected_bars(dict(case["findings"]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"findings": {"toe_dorsiflexion": "week"}}',
        '{"findings": {"toe_lift": "weak"}}',
        '{"findings": {"level": "L4-L5", "level": "L5-S1"}}',
        '{"examinations": []}',
        '{"findings": {"back_pain": {"severe": NaN}}}',
        "level = ",
    ],
)
def test_a_broken_case_changes_nothing(explorer: AppTest, text: str) -> None:
    """The page says why, in one sentence, and keeps the case it had."""
    before = dict(explorer.session_state["case"])
    explorer.text_area(key="pasted").set_value(text).run()
    next(button for button in explorer.button if button.label == "Load the case").click().run()
    assert not explorer.exception
    assert "The case was not loaded." in words_of(explorer)
    assert explorer.session_state["case"] == before


def test_text_from_a_case_is_shown_as_text(explorer: AppTest) -> None:
    """Nothing that a file holds can become markup."""
    case = json.dumps({"findings": {"<img src=x onerror=alert(1)>": "present"}})
    explorer.text_area(key="pasted").set_value(case).run()
    next(button for button in explorer.button if button.label == "Load the case").click().run()
    assert not any("<img" in body for body in html_of(explorer))
