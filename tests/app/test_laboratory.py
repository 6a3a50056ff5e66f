"""The page on sensitivity: each pane says what the library says, and long work can be stopped and is dropped."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rootcause import load_model, shipped_cases
from rootcause.sensitivity import Number, monte_carlo, sensitivity_function
from rootcause.sensitivity.stability import Overtaking, RankStability, rank_stability
from rootcause.sensitivity.tornado import tornado
from rootcause.structure import CAUSES
from rootcause_app import laboratory_answers
from rootcause_app.components import findings_form, labels, numbers
from rootcause_app.components.figures import words
from rootcause_app.pages.laboratory import PANES
from rootcause_app.pages.laboratory_panes import showing, verdict, which, working
from rootcause_app.settings import OPENING_CASE
from shown import html_of, words_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from rootcause import Model
    from rootcause_app.jobs import Job

PATIENCE = 60.0
SHARES = "Shares of the spread"
IMPOSSIBLE = {"leg_weakness": "absent", "toe_dorsiflexion": "weak"}


def opened(pane: str = "Which numbers", case: dict[str, object] | None = None) -> AppTest:
    """The page at a first visit, with a pane and a case other than the first."""
    from streamlit.testing.v1 import AppTest as Test

    script = "from rootcause_app.pages import laboratory\nlaboratory.page()"
    page = Test.from_string(script, default_timeout=PATIENCE)
    page.session_state["laboratory_pane"] = pane
    if case is not None:
        page.session_state["case"] = case
    page.run()
    assert not page.exception
    for job in jobs(page).values():
        assert job.wait(PATIENCE)
    if jobs(page):
        page.run()
    assert not page.exception
    return page


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long work that is short: the fewest draws, at once."""
    sizes = {"monte-carlo": 100, "sobol": 4, "value": 100, "structural": 1}
    for name in ("MONTE_CARLO", "SOBOL", "VALUE", "STRUCTURAL"):
        task = getattr(laboratory_answers, name)
        size = sizes[task.method]
        monkeypatch.setattr(laboratory_answers, name, replaced(task, amounts=(size,), at_once=size))


def replaced(task: laboratory_answers.Task, **changes: Any) -> laboratory_answers.Task:  # noqa: ANN401
    """A task with something else in it."""
    return replace(task, **changes)


def opening() -> dict[str, object]:
    """The case that the page opens with."""
    return dict(next(case for case in shipped_cases() if case.id == OPENING_CASE).findings)


def cause_of(page: AppTest) -> str:
    """The cause that is chosen."""
    return str(page.selectbox(key="laboratory_cause").value)


def jobs(page: AppTest) -> dict[str, Job[Any]]:
    """The jobs that the visit holds, by method."""
    if "laboratory_jobs" not in page.session_state:
        return {}
    return {method: held.job for method, held in page.session_state["laboratory_jobs"].items()}


def headers(page: AppTest) -> list[str]:
    """The titles of what is shown."""
    return [header.value for header in page.header]


def test_the_first_pane_gives_the_verdict_and_the_tornado() -> None:
    """One sentence on the lead, every bar with its numbers, every place where another cause would lead."""
    page = opened()
    model, case = load_model(), opening()
    lead = rank_stability(model, case)
    assert lead.leading == cause_of(page)
    shown = words_of(page)
    assert verdict.sentence(model, lead) in shown
    bars = tornado(model, case, lead.leading).bars
    table = next(body for body in html_of(page) if "<table" in body)
    assert all(f">{bar.parameter}<" in table for bar in bars)
    assert all(words.number(model, item.number) in shown for item in lead.overtakings if item.inside)
    charts = page.get("arrow_vega_lite_chart") or page.get("vega_lite_chart")
    assert len(charts) == 2


def test_the_most_influential_number_is_chosen_first_and_another_can_be() -> None:
    """The numbers stand in the order of the tornado."""
    page = opened("One or two numbers")
    model = load_model()
    ids = [bar.parameter for bar in tornado(model, opening(), cause_of(page)).bars]
    first, second = (page.selectbox(key=f"laboratory_{name}") for name in ("first", "second"))
    assert first.value == ids[0]
    assert second.value == ids[1]
    ranking = model.diagnose(opening(), intervals=False).ranking
    rival = labels.cause(next(name for name in ranking if name != cause_of(page)))
    assert f"loses the lead to {rival} at" in words_of(page)
    assert f"of it; elsewhere, {rival}" in words_of(page)
    assert [option.partition(" · ")[0] for option in first.options] == [words.number(model, id_) for id_ in ids]
    first.set_value(ids[1]).run()
    assert not page.exception
    assert page.selectbox(key="laboratory_second").value != ids[1]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("pane", [*PANES])
def test_every_pane_stands_and_its_figures_can_be_taken_along(pane: str) -> None:
    """Each figure has its sentence, its table, its downloads and a call that is Python."""
    page = opened(pane)
    assert headers(page)
    assert page.code
    for code in page.code:
        compile(code.value, "the call", "exec")
        assert "rootcause" in code.value
    assert len(page.get("download_button")) >= 3


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("pane", [*PANES])
def test_every_pane_stands_without_findings(pane: str) -> None:
    """A clean sheet is a case too."""
    opened(pane, {})


def test_impossible_findings_get_one_sentence() -> None:
    """The findings that clash are named, and nothing else is drawn."""
    page = opened(case=dict(IMPOSSIBLE))
    assert "There is no answer for these findings." in words_of(page)
    assert not headers(page)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sobol indices that never come."""

    def work(_asked: object, _amount: int, report: Callable[[float], None]) -> None:
        while True:
            report(0.4)
            time.sleep(0.001)

    monkeypatch.setattr(laboratory_answers, "SOBOL", replaced(laboratory_answers.SOBOL, work=work))


def started(page: AppTest) -> Job[Any]:
    """The endless work, begun by its button."""
    assert not jobs(page)
    button = page.button(key="laboratory_start.sobol")
    assert working.duration(laboratory_answers.cost(laboratory_answers.SOBOL, 1_024)) in button.label
    button.click().run()
    assert not page.exception
    return jobs(page)["sobol"]


@pytest.mark.usefixtures("endless")
def test_work_that_is_stopped_ends() -> None:
    """Stop ends the thread; the page says so and offers to begin again."""
    page = opened(SHARES)
    job = started(page)
    assert not job.ended
    page.button(key="laboratory_stop.sobol").click().run()
    assert job.wait(PATIENCE)
    assert job.stopped
    page.run()
    assert "Stopped at 40%" in words_of(page)
    assert not page.button(key="laboratory_start.sobol").disabled


@pytest.mark.usefixtures("endless")
def test_work_outlives_a_change_of_pane() -> None:
    """Another pane and back: the same job, still at it."""
    page = opened(SHARES)
    job = started(page)
    page.segmented_control(key="laboratory_pane").set_value("Which numbers").run()
    assert not job.ended
    page.segmented_control(key="laboratory_pane").set_value(SHARES).run()
    assert jobs(page)["sobol"] is job
    assert not page.button(key="laboratory_stop.sobol").disabled
    job.stop()


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("change", ["case", "cause", "rates", "impossible"])
def test_work_on_an_old_question_is_dropped(change: str) -> None:
    """Another case, cause or rate set, and it is stopped and forgotten."""
    page = opened(SHARES)
    job = started(page)
    if change == "case":
        page.session_state["case"] = {"procedure": "fusion"}
        page.run()
    elif change == "impossible":
        page.session_state["case"] = dict(IMPOSSIBLE)
        page.run()
    elif change == "cause":
        box = page.selectbox(key="laboratory_cause")
        box.set_value("epidural_hematoma" if box.value != "epidural_hematoma" else "nerve_root_edema").run()
    else:
        page.selectbox(key="rates").set_value("literature").run()
    assert not page.exception
    assert job.wait(PATIENCE)
    assert job.stopped
    assert "sobol" not in jobs(page)


@pytest.mark.usefixtures("endless")
def test_work_ends_as_soon_as_the_case_is_changed_on_another_page() -> None:
    """The Explorer's form changes the case in place; nobody has to come back for the work to end."""
    page = opened(SHARES)
    job = started(page)
    page.session_state["case"]["fever"] = "present"
    assert job.wait(PATIENCE)
    assert job.stopped


@pytest.mark.usefixtures("small")
def test_draws_of_all_causes_outlive_a_change_of_cause() -> None:
    """They are about the case and not about one cause."""
    page = opened("Intervals and ranks")
    job = jobs(page)["monte-carlo"]
    page.selectbox(key="laboratory_cause").set_value("epidural_hematoma").run()
    assert jobs(page)["monte-carlo"] is job


def test_a_table_has_a_heading_for_every_column_and_scrolls_by_keyboard() -> None:
    """Numbers to the right, words escaped, what is missing left empty."""
    html = showing.table_html("Some <title>", [{"who": "<b>", "how_many": 0.25}, {"who": "c", "how_many": None}])
    assert html.count('scope="col"') == 2
    assert html.count('scope="row"') == 2
    assert "How many" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert 'class="rc-number">0.25<' in html
    named = showing.table_html("Some", [{"number": "rate.x", "meaning": "How often", "point": 0.5}])
    assert named.count('scope="col"') == 2
    assert "How often<small>rate.x</small>" in named
    assert 'tabindex="0"' in html


@pytest.mark.parametrize(
    ("seconds", "words_"),
    [(0.2, "about a second"), (4.4, "about 4 s"), (13.0, "about 15 s"), (80, "about 80 s"), (300, "about 5 min")],
)
def test_a_duration_is_said_as_one_plans_with_it(seconds: float, words_: str) -> None:
    """No false precision."""
    assert working.duration(seconds) == words_


def test_the_cause_is_chosen_with_its_probability() -> None:
    """The most probable first; those that the findings rule out are not offered."""
    page = opened(SHARES)
    answer = load_model().diagnose(opening(), intervals=False)
    open_ = [cause for cause in answer.ranking if cause in answer.posterior and answer.posterior[cause].mean > 0]
    assert page.selectbox(key="laboratory_cause").options == [
        f"{labels.cause(cause)} · {numbers.percent(answer.posterior[cause].mean)}" for cause in open_
    ]


def overtaking(*, inside: bool, value: float) -> Overtaking:
    """A number of the model whose value of 5 % lies in a range from 1.5 to 18 %."""
    return Overtaking(
        number="rate.nerve_root_edema.microdiscectomy",
        meaning="",
        point=0.05,
        low=0.015,
        high=0.18,
        value=value,
        rival="slow_nerve_recovery",
        inside=inside,
        missed_by=1.0 if inside else 2.5,
        sources=(),
    )


@pytest.mark.parametrize(
    ("overtakings", "said", "stable"),
    [
        ((), "whatever any one of the numbers is", True),
        ((overtaking(inside=False, value=0.4),), "a factor of 2.5 in its odds beyond the range", True),
        ((overtaking(inside=True, value=0.04),), "falls to 4 % (now 5 %, assumed 1.5 to 18 %).", False),
        (
            (overtaking(inside=True, value=0.07), overtaking(inside=True, value=0.09)),
            "rises to 7 % (now 5 %, assumed 1.5 to 18 %); 1 more number could do so alone.",
            False,
        ),
    ],
)
def test_the_verdict_is_one_sentence(overtakings: tuple[Overtaking, ...], said: str, stable: bool) -> None:
    """Steady whatever happens, steady in every range, or not: with the number, the value and its range."""
    found = RankStability("nerve_root_edema", 0.3, "slow_nerve_recovery", 0.28, overtakings, 10)
    model = load_model()
    assert said in verdict.sentence(model, found)
    assert ("Steady while one number moves at a time" in verdict.verdict_html(model, found)) is stable
    assert len(verdict.rows(model, found, 25)) == len(overtakings)


def test_the_verdict_names_the_first_number_with_a_source() -> None:
    """How many there are, and how many of them have one; a judgement has none."""
    model = load_model()
    assumed, found = overtaking(inside=True, value=0.04), "onset.epidural_hematoma.days_2_to_7"
    known = model.priors.parameters[found]
    derived = replace(assumed, number=found, value=0.46, sources=known.sources)
    lead = RankStability("nerve_root_edema", 0.3, "slow_nerve_recovery", 0.28, (assumed, derived), 10)
    assert verdict.heading(lead) == "The lead hangs on any of 2 numbers"
    told = verdict.sourced(model, lead)
    assert told.startswith("Of the 2, 1 has a source; the first is")
    assert words.source(model.priors.sources[known.sources[0]]) in told
    assert verdict.sourced(model, replace(lead, overtakings=(assumed, assumed))) == "None of the 2 has a source."
    rows = verdict.rows(model, lead, 5, lambda id_: id_ == found)
    assert [row["number"] for row in rows] == [found]
    assert rows[0]["odds miss it by a factor of"] is None


def test_the_first_pane_says_what_all_numbers_at_once_do_and_filters_by_source() -> None:
    """The draws with which the page begins; then only the bars of numbers that have a source."""
    page = opened()
    model, case = load_model(), opening()
    draws = laboratory_answers.MONTE_CARLO.at_once
    assert draws is not None
    first = monte_carlo(model, case, draws).first
    lead = rank_stability(model, case).leading
    assert f"is first in {numbers.percent(first[lead].value)} of {draws:,} draws" in words_of(page)
    page.segmented_control(key="laboratory_basis").set_value(which.SOURCED).run()
    assert not page.exception
    bars = tornado(model, case, lead).bars
    assert "moves it most of those with a source" in words_of(page)
    table = next(body for body in html_of(page) if "<table" in body)
    for bar in bars:
        assert (f">{bar.parameter}<" in table) is (words.published(model, bar.parameter) is not None)
    assert sum(f">{bar.parameter}<" in table for bar in bars)


def test_a_number_at_which_a_third_cause_leads_is_marked_there() -> None:
    """The days 2 to 7 of a hematoma: it takes the lead before edema falls behind slow recovery."""
    model, number = load_model(), "onset.epidural_hematoma.days_2_to_7"
    asked = laboratory_answers.Question(model, opening(), "nerve_root_edema", "slow_nerve_recovery")
    (expected,) = [item for item in rank_stability(model, opening()).overtakings if item.number == number]
    assert expected.rival == "epidural_hematoma"
    found = laboratory_answers.tipping(asked, number)
    assert expected.value == pytest.approx(found.points[0].value, abs=1e-6)
    for point in found.points:
        every = diagnosed(model, number, point.value)
        assert every[asked.cause] == pytest.approx(max(every.values()), abs=1e-6)


def diagnosed(model: Model, number: str, value: float) -> dict[str, float]:
    """By cause, its posterior in the opening case with one number at a value."""
    return {
        cause: float(sensitivity_function(model, cause, Number(number), opening()).value(value)) for cause in CAUSES
    }


def test_another_case_begins_with_what_leads_there() -> None:
    """A cause that was chosen for one patient is none that was chosen for the next."""
    page = opened(SHARES)
    box = page.selectbox(key="laboratory_cause")
    box.set_value("csf_leak").run()
    assert cause_of(page) == "csf_leak"
    page.run()
    assert cause_of(page) == "csf_leak"
    case = {"procedure": "fusion", "symptom_onset": 12}
    page.session_state["case"] = case
    page.run()
    assert not page.exception
    ranking = load_model().diagnose(case, intervals=False).ranking
    assert cause_of(page) == next(name for name in ranking if name in CAUSES)


def test_work_that_has_not_reported_yet_says_a_share_all_the_same() -> None:
    """From the time that it was said to take, and never that it is done."""
    job = SimpleNamespace(share=0.0, spent=2.0, left=None, stopping=False, waiting=False, busy=0.0)
    assert working.progress(job, 8.0) == "25% done, about 6 s left"  # type: ignore[arg-type]
    job.spent = 80.0
    assert working.share_of(job, 8.0) < 1  # type: ignore[arg-type]
    job.share, job.left = 0.5, 80.0
    assert working.progress(job, 8.0) == "50% done, about 80 s left"  # type: ignore[arg-type]


def test_work_ends_when_the_browser_has_gone_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks for a moment ends nothing; one that does not come back does."""
    asked = laboratory_answers.Question(load_model(), opening(), "nerve_root_edema", "slow_nerve_recovery")
    there, now = True, 0.0
    server = SimpleNamespace(
        exists=lambda: True, get_instance=lambda: SimpleNamespace(is_active_session=lambda _: there)
    )
    monkeypatch.setattr(working, "runtime", server)
    monkeypatch.setattr(working, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(working, "get_script_run_ctx", lambda: SimpleNamespace(session_id="one"))
    monkeypatch.setattr(findings_form, "current_case", opening)
    wanted = working._Wanted(asked)  # noqa: SLF001 - it lives on a thread that a test cannot reach
    assert wanted()
    there, now = False, 5.0
    assert wanted()
    there, now = True, 20.0
    assert wanted()
    there, now = False, 45.0
    assert wanted()
    now = 60.0
    assert not wanted()
