"""Long work in the background: its progress, a way to stop it, its result.

Work of several visitors takes turns: one piece of work goes on at a time, and whenever it reports how far it is, the
next one in line goes on. So a long one keeps no short one waiting, and takes no more than its share of the machine. A
report is also where a stop takes effect.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[[float], None]
    """Called with the share of the work that is done, 0 to 1; raises ``StoppedError`` once nobody wants the rest."""

Result = TypeVar("Result")

_LOOK: Final = 0.2  # seconds between two looks whether work that waits for its turn is still wanted
_LAST_CALL: Final = 5.0  # seconds that work gets to end when the process does


class StoppedError(Exception):
    """The work was stopped: it is raised inside the work, and by ``Job.result``."""


class Turns:
    """Who goes on: one at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._line: deque[object] = deque()
        self._changed = threading.Condition()

    def take(self, ticket: object, still_wanted: Callable[[], bool]) -> None:
        """Join the line, and come back when it is this one's turn.

        Args:
            ticket: Who asks.
            still_wanted: Asked while waiting.

        Raises:
            StoppedError: If it is not; the line is left.
        """
        with self._changed:
            self._line.append(ticket)
            self._wait(ticket, still_wanted)

    def pass_on(self, ticket: object, still_wanted: Callable[[], bool]) -> None:
        """Let the others in line go first, if there are any; arguments and errors as of ``take``."""
        with self._changed:
            if len(self._line) > 1:
                self._line.remove(ticket)
                self._line.append(ticket)
                self._changed.notify_all()
                self._wait(ticket, still_wanted)

    def leave(self, ticket: object) -> None:
        """Leave the line, wherever one stands in it."""
        with self._changed:
            if ticket in self._line:
                self._line.remove(ticket)
            self._changed.notify_all()

    def _wait(self, ticket: object, still_wanted: Callable[[], bool]) -> None:
        while self._line[0] is not ticket:
            if not still_wanted():
                self._line.remove(ticket)
                raise StoppedError
            self._changed.wait(_LOOK)


_TURNS: Final = Turns()
_JOBS: Final[WeakSet[Job[Any]]] = WeakSet()


class Job(Generic[Result]):
    """One piece of work on a thread of its own.

    Attributes:
        share: How much is done, 0 to 1.
        busy: Seconds for which it has been at work, without those in which it waited for its turn.
    """

    def __init__(
        self, work: Callable[[Report], Result], still_wanted: Callable[[], bool] = lambda: True, turns: Turns = _TURNS
    ) -> None:
        """Keep what is to be done; nothing starts yet.

        Args:
            work: Does it, and reports now and then how far it is.
            still_wanted: Asked at each report and while waiting; once it says no, the work is stopped.
            turns: The line that it stands in.
        """
        self._work, self._still_wanted, self._turns = work, still_wanted, turns
        self._stop, self._ended = threading.Event(), threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._since: float | None = None
        self.share = 0.0
        self.busy = 0.0
        self._thread = threading.Thread(target=self._run, name="rootcause-job", daemon=True)
        _JOBS.add(self)

    def start(self) -> Job[Result]:
        """Start the work, once, and return the job."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ask the work to end: it does so at its next report, and is then forgotten."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, at most some seconds, and return whether it has."""
        return self._ended.wait(timeout)

    @property
    def ended(self) -> bool:
        """Whether it is done, stopped or has failed: nothing runs any more."""
        return self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self._stop.is_set() and not self.ended

    @property
    def stopped(self) -> bool:
        """Whether it ended before it was done."""
        return self.ended and isinstance(self._error, StoppedError)

    @property
    def waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self._since is None and not self.ended

    @property
    def spent(self) -> float:
        """Seconds for which it has been at work, those since its last report included."""
        since = self._since
        return self.busy + (0.0 if since is None else time.monotonic() - since)

    @property
    def left(self) -> float | None:
        """Seconds that it will still be at work, if it goes on as it has; ``None`` until that can be told."""
        return None if self.share <= 0 else self.spent * (1 - self.share) / self.share

    def result(self) -> Result:
        """Wait for the result.

        Raises:
            StoppedError: If it was stopped.
            Exception: Whatever the work raised.
        """
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # it ended without an error

    def _run(self) -> None:
        try:
            self._turns.take(self, self._wanted)
            self._go_on()
            self._result = self._work(self._report)
        except StoppedError:
            self._error = StoppedError()  # without the frames of the work and all that they hold
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the result
            self._error = error
        finally:
            self._pause()
            self._turns.leave(self)
            self._ended.set()

    def _report(self, share: float) -> None:
        self.share = min(max(share, self.share), 1.0)
        self._pause()
        if not self._wanted():
            raise StoppedError
        self._turns.pass_on(self, self._wanted)
        self._go_on()

    def _wanted(self) -> bool:
        return not self._stop.is_set() and self._still_wanted()

    def _go_on(self) -> None:
        self._since = time.monotonic()

    def _pause(self) -> None:
        if self._since is not None:
            self.busy += time.monotonic() - self._since
            self._since = None


@atexit.register
def _stop_all() -> None:
    """Leave no thread inside compiled code when the process ends."""
    running = [job for job in list(_JOBS) if not job.ended]
    for job in running:
        job.stop()
    until = time.monotonic() + _LAST_CALL
    for job in running:
        job.wait(max(0.0, until - time.monotonic()))
