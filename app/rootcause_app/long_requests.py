"""Long work for a request: it takes its turn, and goes on only as long as somebody waits for it."""

from __future__ import annotations

import threading
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from rootcause_app.jobs import Job, StoppedError
from rootcause_app.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from rootcause_app.jobs import Report

Result = TypeVar("Result")

LONGEST_WORK: Final = 60.0
"""Seconds at work after which an answer is given up; the limits on draws keep it well below that on two cores."""

_MOST_IN_LINE: Final = 8


async def while_wanted(request: Request, work: Callable[[Report], Result]) -> Result:
    """Do long work in its turn, and return its result.

    It ends at its next report when the client goes away, and after ``LONGEST_WORK``.

    Args:
        request: Whose body has been read; it is listened to until the client closes the connection.
        work: Does it, on a thread of its own, and reports the share that is done.

    Raises:
        ProblemError: 503 if it ended before it was done; or whatever the work raised.
    """

    def limited(report: Report) -> Result:
        def report_and_look(share: float) -> None:
            report(share)
            if job.busy > LONGEST_WORK:
                detail = (
                    f"query: an answer may take {LONGEST_WORK:.0f} s of work over HTTP, got {share:.0%} of it by then"
                )
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail)

        return work(report_and_look)

    gone = threading.Event()
    job = Job(limited, still_wanted=lambda: not gone.is_set())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, request, gone, tasks.cancel_scope)
        # What is cancelled is standing in line; work that goes on is waited for, and ends at its next report.
        await anyio.to_thread.run_sync(lambda: job.start().wait(), limiter=_waiting())
        tasks.cancel_scope.cancel()
    try:
        if job.ended:
            return job.result()
    except StoppedError:
        pass
    raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "connection: must stay open until the answer, got closed")


async def _until_gone(request: Request, gone: threading.Event, scope: anyio.CancelScope) -> None:
    """Tell when the client has closed the connection, or when the server gives the request up."""
    try:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        scope.cancel()
    finally:
        gone.set()


@cache
def _waiting() -> anyio.CapacityLimiter:
    """How many requests may stand in line for long work: each holds two threads, of which one in all is at work."""
    return anyio.CapacityLimiter(_MOST_IN_LINE)
