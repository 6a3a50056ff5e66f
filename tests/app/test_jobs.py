"""Long work in the background: it ends with its result, or is stopped; and several pieces of it take turns."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootcause_app.jobs import Job, StoppedError, Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[[float], None]

SOON = 30.0
"""Seconds within which what has to happen has happened, however slow the machine."""


def endless(report: Report) -> None:
    """Work that only a stop can end."""
    while True:
        report(0.5)


@settings(max_examples=25, deadline=None)
@given(reports=st.lists(st.floats(-1, 2)), result=st.integers())
def test_the_result_is_what_the_work_returns(reports: list[float], result: int) -> None:
    """Whatever it reports on the way; the share that is shown never falls and never leaves [0, 1]."""
    shown: list[float] = []

    def work(report: Report) -> int:
        for share in reports:
            report(share)
            shown.append(job.share)
        return result

    job = Job(work, turns=Turns())
    assert job.start().result() == result
    assert job.ended
    assert not job.stopped
    assert shown == sorted(shown)
    assert all(0 <= share <= 1 for share in shown)


def test_work_that_is_stopped_ends() -> None:
    """The thread is gone soon after, and there is no result."""
    job = Job(endless, turns=Turns()).start()
    assert not job.ended
    job.stop()
    assert job.wait(SOON)
    assert job.stopped
    assert not job.stopping
    with pytest.raises(StoppedError):
        job.result()


def test_work_that_nobody_waits_for_any_more_ends() -> None:
    """The same when its visitor has gone."""
    gone = threading.Event()
    job = Job(endless, still_wanted=lambda: not gone.is_set(), turns=Turns()).start()
    assert not job.wait(0.05)
    gone.set()
    assert job.wait(SOON)
    assert job.stopped


def test_what_goes_wrong_is_raised_for_whoever_asks() -> None:
    """An error of the work is the error of its result."""

    def work(_: Report) -> None:
        raise ZeroDivisionError("on purpose")

    job = Job(work, turns=Turns()).start()
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        job.result()
    assert job.ended
    assert not job.stopped


def test_one_is_at_work_at_a_time_and_a_long_one_keeps_no_short_one_waiting() -> None:
    """Two that would never end let a third one through, and no two are ever at work together."""
    turns = Turns()
    inside = threading.Lock()
    collided = threading.Event()

    def long(report: Report) -> None:
        while True:
            if not inside.acquire(blocking=False):
                collided.set()
            else:
                inside.release()
            report(0.1)

    def short(report: Report) -> str:
        for done in range(5):
            with inside:
                pass
            report(done / 5)
        return "through"

    endless_ones = [Job(long, turns=turns).start() for _ in range(2)]
    third = Job(short, turns=turns).start()
    assert third.wait(SOON)
    assert third.result() == "through"
    for job in endless_ones:
        assert not job.ended
        job.stop()
    assert all(job.wait(SOON) for job in endless_ones)
    assert not collided.is_set()


def test_what_waits_for_its_turn_can_be_stopped_and_holds_up_nobody() -> None:
    """It leaves the line, and the next one goes on."""
    turns = Turns()
    go_on = threading.Event()

    def first(_: Report) -> int:
        go_on.wait(SOON)
        return 1

    at_work = Job(first, turns=turns).start()
    second = Job(lambda _: 2, turns=turns)
    while at_work.waiting:
        pass
    second.start()
    assert second.waiting
    second.stop()
    assert second.wait(SOON)
    assert second.stopped
    third = Job(lambda _: 3, turns=turns).start()
    go_on.set()
    assert (at_work.result(), third.result()) == (1, 3)


def test_what_is_left_is_told_from_what_was_done() -> None:
    """Nothing before the first report, then time that falls to zero."""
    told: list[float | None] = []

    def work(report: Report) -> None:
        told.append(job.left)
        report(1.0)
        told.append(job.left)

    job = Job(work, turns=Turns())
    job.start().result()
    assert told == [None, 0.0]
    assert job.busy >= 0
