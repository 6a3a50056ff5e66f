"""Answers for the pages: the point at once, the interval when it is ready; kept in memory only, and few of them."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import streamlit as st

from rootcause.case import parse_case
from rootcause.next_steps import next_from
from rootcause.ranking import Situation
from rootcause.reasoning.accuracy import accuracy as accuracy_of
from rootcause_app.components import labels
from rootcause_app.settings import current_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rootcause.coherence import Coherence
    from rootcause.comparison import Attribution, Comparison
    from rootcause.diagnosis import Answer
    from rootcause.explanation import Explanation
    from rootcause.next_steps import NextSteps
    from rootcause.nodes import NetworkView
    from rootcause.reasoning.accuracy import Accuracy
    from rootcause.reasoning.shapley import Sampling
    from rootcause.together import Together

    Findings = Mapping[str, object]
    Edited = tuple[tuple[str, str, float], ...]

Result = TypeVar("Result")

_KEPT: Final = 256

_SAMPLING: Final[Sampling] = {"exact_up_to": 8, "samples": 20}
"""On a page the order-free weights of many findings are sampled, and say so; the command line has the time."""

# The draws of one answer keep a core busy. One at a time, so that a quick run of clicks does not queue up work nobody
# waits for any more and slow down the point answers.
_DRAWING: Final = threading.Lock()


def point_answer(findings: Findings, rates: str) -> Answer:
    """The exact posterior without its interval.

    Args:
        findings: The case as entered.
        rates: The rate set.

    Raises:
        InvalidInputError: The case does not fit the vocabulary, or its findings clash.
    """
    return kept("diagnose", findings, rates, lambda case: current_model(rates).diagnose(case, intervals=False))


def interval_answer(findings: Findings, rates: str, still_wanted: Callable[[], None]) -> Answer:
    """The same answer with its 90 % interval.

    Args:
        findings: The case as entered.
        rates: The rate set.
        still_wanted: Called while another answer is being drawn; raises to give up waiting.
    """
    while not _DRAWING.acquire(timeout=0.1):
        still_wanted()
    try:
        return kept("intervals", findings, rates, current_model(rates).diagnose)
    finally:
        _DRAWING.release()


def explanation(findings: Findings, rates: str, cause: str) -> Explanation:
    """What speaks for and against a cause."""
    work = partial(current_model(rates).explain, cause=cause, **_SAMPLING)
    return kept(f"explain {cause}", findings, rates, work)


def fit(findings: Findings, rates: str) -> Coherence:
    """Whether the findings fit together and the model."""
    return kept("fit", findings, rates, current_model(rates).coherence)


def together(findings: Findings, rates: str) -> Together:
    """The most probable combinations of causes."""
    return kept("together", findings, rates, current_model(rates).together)


def situation(findings: Findings, rates: str, edited: Edited) -> Situation:
    """The case with what each finding alone would tell: the first part of what to examine next.

    Args:
        findings: The case as entered.
        rates: The rate set.
        edited: Stakes that the reader changed: cause, field and value.
    """
    model = current_model(rates)
    stakes = model.stakes.with_values({(cause, field): value for cause, field, value in edited})

    def work(findings: dict[str, Any]) -> Situation:
        case = parse_case(findings)
        return Situation(model.engine, case, model.stakes_of(case, stakes))

    return kept(f"situation {edited}", findings, rates, work)


def next_steps(findings: Findings, rates: str, edited: Edited, ahead: int) -> NextSteps:
    """What to examine next, with the stop rule.

    Args:
        findings: As for ``situation``.
        rates: As for ``situation``.
        edited: As for ``situation``.
        ahead: 1, or 2 for pairs as well.
    """
    first = situation(findings, rates, edited)
    return kept(f"next {ahead} {edited}", findings, rates, lambda _: next_from(first, ahead=ahead))


def accuracy(findings: Findings, rates: str, cause: str, finding: str) -> Accuracy | None:
    """How well a finding would tell a cause apart in this patient."""

    def work(case: Mapping[str, object]) -> Accuracy | None:
        return accuracy_of(current_model(rates).engine, parse_case(case).observations, (cause, "present"), finding)

    return kept(f"accuracy {cause} {finding}", findings, rates, work)


def network(findings: Findings, rates: str, focus: str | None) -> NetworkView:
    """The network as it is to be drawn."""
    return kept(f"network {focus}", findings, rates, partial(current_model(rates).view, focus=focus))


def comparison(before: Findings, after: Findings, rates: str) -> Comparison:
    """Both answers side by side."""
    work = partial(current_model(rates).compare, dict(before))
    return kept(f"compare {labels.token(dict(before))}", after, rates, work)


def attribution(before: Findings, after: Findings, rates: str, cause: str) -> Attribution:
    """What each difference carries of the change of one cause."""
    work = partial(current_model(rates).attribute, dict(before), cause=cause, **_SAMPLING)
    return kept(f"attribute {cause} {labels.token(dict(before))}", after, rates, work)


def kept(question: str, findings: Findings, rates: str, work: Callable[[dict[str, Any]], Result]) -> Result:
    """Answer a question about a case, or hand out the answer that was given before.

    Args:
        question: What is asked, in words that tell it from every other question.
        findings: The case as entered.
        rates: The rate set.
        work: Answers it, given the case.
    """
    result: Result = _answered(question, labels.token(dict(findings)), current_model(rates).digest, work)
    return result


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def _answered(question: str, held: str, digest: str, _work: Callable[[dict[str, Any]], Any]) -> Any:  # noqa: ANN401
    """Work an answer out once; other numbers, another digest, another answer."""
    del question, digest
    findings = labels.from_token(held)
    if not isinstance(findings, dict):
        raise TypeError(f"a case is a table, got {type(findings).__name__}")
    return _work(findings)
