"""Long work on the page: a button that says what it costs, progress, a way to stop it, and its result when it is there.

What is running or done belongs to the visit and to its question: the case, the numbers and, where it is about one, the
cause. Another question drops it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from rootcause_app import laboratory_answers as laboratory
from rootcause_app.components import findings_form, labels
from rootcause_app.jobs import Job

if TYPE_CHECKING:
    from rootcause_app.laboratory_answers import Question, Task

_KEY: Final = "laboratory_jobs"
_EVERY: Final = 1.0  # seconds between two looks at the progress
_GONE: Final = 30.0  # seconds without a browser after which nobody waits any more
_TELLING: Final = 0.1  # share of the work from which on it says how long the rest will take
_ALMOST: Final = 0.95  # share of the work that time alone can suggest
_MINUTE: Final = 60


@dataclass(slots=True)
class _Held:
    """What a visit holds of one task.

    Attributes:
        about: Its question.
        amount: How much was asked for.
        job: The work.
        before: The result before it.
        cost: Seconds that it was said to take.
    """

    about: str
    amount: int
    job: Job[Any]
    before: Any | None
    cost: float = 0.0


def result_of(task: Task, asked: Question) -> Any | None:  # noqa: ANN401 - what the method returns
    """Draw the controls of a task, and return its result as soon as there is one.

    Args:
        task: What is to be done.
        asked: For which case and cause.

    Raises:
        InvalidInputError: If the library refuses the question.
    """
    own = _current(task, asked)
    if own is None and task.at_once is not None:
        own = _start(task, asked, task.at_once)
        own.job.wait(0.3)  # what is done in no time is shown without a second drawing
    if own is not None and not own.job.ended:
        _watch(task.method)
    else:
        _offer(task, asked, own)
    return None if own is None else _result(task, own)


def firsts(asked: Question) -> laboratory.Firsts:
    """How often each cause is first: over the draws that this visit has, or those with which the page begins."""
    own = _current(laboratory.MONTE_CARLO, asked)
    found = None if own is None else _result(laboratory.MONTE_CARLO, own)
    return laboratory.firsts(asked) if found is None else laboratory.Firsts.of(found)


def drop_all_but(asked: Question | None) -> None:
    """Stop and forget what is about another case, other numbers or another cause than the one that is shown."""
    for task in laboratory.TASKS:
        own = _held().get(task.method)
        if own is not None and (asked is None or own.about != _about(task, asked)):
            own.job.stop()
            del _held()[task.method]


def _held() -> dict[str, _Held]:
    return cast("dict[str, _Held]", st.session_state.setdefault(_KEY, {}))


def _about(task: Task, asked: Question) -> str:
    return labels.token([asked.model.digest, dict(asked.findings), asked.cause if task.of_a_cause else None])


def _current(task: Task, asked: Question) -> _Held | None:
    own = _held().get(task.method)
    return own if own is not None and own.about == _about(task, asked) else None


def _start(task: Task, asked: Question, amount: int) -> _Held:
    """Start a job; the result of an earlier one stays until the new one has its own."""
    earlier = _current(task, asked)
    before = None
    if earlier is not None:
        earlier.job.stop()
        before = _result(task, earlier)
    job: Job[Any] = Job(lambda report: task.work(asked, amount, report), _Wanted(asked))
    own = _Held(_about(task, asked), amount, job.start(), before, laboratory.cost(task, amount))
    _held()[task.method] = own
    return own


def _begin(task: Task, asked: Question, amount: int) -> None:
    _start(task, asked, amount)


def _result(task: Task, own: _Held) -> Any | None:  # noqa: ANN401 - as above
    if not own.job.ended or own.job.stopped:
        return own.before
    found = own.job.result()
    laboratory.learn(task, own.amount, own.job.busy)
    return found


# ---- what is drawn ---------------------------------------------------------------------------------------------------


def _offer(task: Task, asked: Question, own: _Held | None) -> None:
    """The button, and how much is to be done where that can be chosen."""
    if own is not None and own.job.stopped:
        st.html(f'<p class="rc-hint" role="status">Stopped at {own.job.share:.0%}; nothing runs any more.</p>')
    done = own is not None and not own.job.stopped
    if done and len(task.amounts) == 1:
        return
    amount = task.amounts[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(task.amounts) > 1:
            amount = st.selectbox(
                f"How many {task.unit}",
                task.amounts,
                index=0 if task.at_once is None else 1,  # the first of them is there already
                format_func=lambda n: f"{n:,}",
                key=f"laboratory_amount.{task.method}",
                persist_state="session",
                filter_mode=None,
                width=180,
            )
        shown = own is not None and done and amount == own.amount
        label = f"{task.verb.format(amount=f'{amount:,}')} ({duration(laboratory.cost(task, amount))})"
        st.button(
            f"Shown below: {amount:,} {task.unit}" if shown else label,
            on_click=_begin,
            args=(task, asked, amount),
            type="secondary" if done else "primary",
            disabled=shown,
            key=f"laboratory_start.{task.method}",
        )


@st.fragment(run_every=_EVERY)
def _watch(method: str) -> None:
    """How far the work is, and the button that stops it; drawn anew each second until it has ended."""
    own = _held().get(method)
    if own is None or own.job.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share_of(own.job, own.cost), text=progress(own.job, own.cost))
        st.button("Stop", on_click=own.job.stop, disabled=own.job.stopping, key=f"laboratory_stop.{method}")


def share_of(job: Job[Any], cost: float) -> float:
    """How much is done, 0 to 1: what the work reported last, or what the time suggests until it reports at all."""
    return job.share or min(job.spent / cost if cost > 0 else 0.0, _ALMOST)


def progress(job: Job[Any], cost: float) -> str:
    """How far a job is, in words.

    Args:
        job: The job, which has not ended.
        cost: Seconds that it was said to take.
    """
    if job.stopping:
        return "Stopping at the end of this step …"
    if job.waiting and not job.busy:
        return "Waiting for another calculation on this server …"
    left = job.left
    if left is None or job.share < _TELLING:
        left = max(cost - job.spent, 1.0)
    return f"{share_of(job, cost):.0%} done, {duration(left)} left"


def duration(seconds: float) -> str:
    """A time as a reader plans with it: a second, some tens of seconds, minutes."""
    if seconds < 1.5:  # noqa: PLR2004 - what rounds to one
        return "about a second"
    if seconds < 1.5 * _MINUTE:
        rounded = round(seconds) if seconds < 10 else 5 * round(seconds / 5)  # noqa: PLR2004 - two digits
        return f"about {rounded} s"
    return f"about {round(seconds / _MINUTE)} min"


class _Wanted:
    """Whether somebody still waits for a result: the browser is there, and the case in the Explorer is the same.

    A connection that breaks for a moment does not end the work.
    """

    def __init__(self, asked: Question) -> None:
        context = get_script_run_ctx()
        self._session = None if context is None else context.session_id
        self._seen = time.monotonic()
        self._findings = dict(asked.findings)
        entered = findings_form.current_case()  # the form changes it in place
        self._entered = entered if entered == self._findings else self._findings

    def __call__(self) -> bool:
        return self._entered == self._findings and self._there()

    def _there(self) -> bool:
        if self._session is None or not runtime.exists():  # a test of the page, without a server
            return True
        if runtime.get_instance().is_active_session(self._session):
            self._seen = time.monotonic()
        return time.monotonic() - self._seen < _GONE
