"""The page that steps through a case."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from rootcause import load_model, shipped_cases
from rootcause_app.components import labels, numbers, steps
from rootcause_app.settings import OPENING_CASE
from shown import html_of, words_of

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

    from rootcause import ExampleCase


def opening() -> ExampleCase:
    """The case that the page opens with."""
    return next(case for case in shipped_cases() if case.id == OPENING_CASE)


def press(page: AppTest, label: str) -> None:
    """Press the button of that name."""
    next(button for button in page.button if button.label == label).click().run()


def shown_bars(page: AppTest) -> list[tuple[str, str]]:
    """Names and percentages of the list, in order."""
    body = next(body for body in html_of(page) if "rc-list" in body)
    return re.findall(r'class="rc-name">([^<]+)</span>.*?class="rc-mean">([^<]+)', body)


def expected_bars(findings: dict[str, object]) -> list[tuple[str, str]]:
    """What the library says, the most probable first."""
    answer = load_model().diagnose(findings, intervals=False)
    shares = {labels.cause(cause): found.mean for cause, found in answer.posterior.items()}
    shares[labels.NONE_LABEL] = answer.none
    return [(name, numbers.percent(share)) for name, share in sorted(shares.items(), key=lambda pair: -pair[1])]


def test_next_enters_one_finding_at_a_time(step_page: AppTest) -> None:
    """After each press the bars are the answer to one finding more, and its teaching sentence stands there."""
    case = opening()
    assert not step_page.exception
    assert [(name, unescape(share)) for name, share in shown_bars(step_page)] == expected_bars({})
    entered: dict[str, object] = {}
    for finding, given in case.findings.items():
        press(step_page, "Next")
        entered[finding] = given
        assert [(name, unescape(share)) for name, share in shown_bars(step_page)] == expected_bars(entered)
        assert case.teaching.get(finding, "") in words_of(step_page)
    assert step_page.session_state["step"] == len(case.findings)
    assert next(button for button in step_page.button if button.label == "Next").disabled


def test_previous_takes_the_last_finding_back(step_page: AppTest) -> None:
    """One forward, one back is where one was."""
    before = shown_bars(step_page)
    press(step_page, "Next")
    press(step_page, "Previous")
    assert shown_bars(step_page) == before


def test_the_slider_goes_to_any_step(step_page: AppTest) -> None:
    """The slider and the buttons share one step."""
    case = opening()
    step_page.slider(key="step").set_value(len(case.findings)).run()
    assert [(name, unescape(share)) for name, share in shown_bars(step_page)] == expected_bars(dict(case.findings))


@pytest.mark.parametrize("case", shipped_cases(), ids=lambda case: case.id)
def test_an_invented_case_says_so_and_no_other_does(step_page: AppTest, case: object) -> None:
    """A reader can tell a patient from an invention."""
    chosen = next(known for known in shipped_cases() if known == case)
    step_page.selectbox(key="step_case").set_value(chosen.id).run()
    assert not step_page.exception
    assert ("Invented case" in words_of(step_page)) is chosen.invented


def test_choosing_another_case_starts_it_from_the_beginning(step_page: AppTest) -> None:
    """No step is left over from the case before."""
    step_page.slider(key="step").set_value(3).run()
    step_page.selectbox(key="step_case").set_value(
        next(case.id for case in shipped_cases() if case.id != OPENING_CASE)
    ).run()
    assert step_page.session_state["step"] == 0


def test_labels_that_would_overlap_are_moved_apart_in_their_order() -> None:
    """Equal ends still give readable names, inside the chart."""
    heights = steps.spread([0.5, 0.5, 0.01, 0.99, 0.995], gap=0.1)
    assert all(0 <= height <= 1 for height in heights)
    ordered = sorted(heights)
    assert all(upper - lower >= 0.1 - 1e-9 for lower, upper in pairwise(ordered))
    assert heights[2] < heights[0] < heights[3]
