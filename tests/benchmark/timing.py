"""Timing several engines in turns, and the checks that go with it."""

import math
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .report import OURS

Array = NDArray[np.float64]
Answer = Mapping[str, Array]
"""By node, the probability of each state; or by finding, an entropy."""

CLOSE = 1e-9
SHORTEST = 0.01
"""Seconds that one measurement takes at least: what is faster is repeated."""


class DisagreementError(Exception):
    """Two engines gave different answers to one question."""


class TimeLimitError(Exception):
    """A run took longer than it may."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to time.

    Attributes:
        key: The question; engines with the same key must give the same answer.
        run: Asks it.
        items: Cases or draws in it.
    """

    key: str
    run: Callable[[], Answer]
    items: int = 1


@dataclass(frozen=True, slots=True)
class Timed:
    """What a race found.

    Attributes:
        seconds: By engine, seconds for one item.
        single: By engine and question, seconds for one item.
        answers: By engine and question.
    """

    seconds: Mapping[str, float]
    single: Mapping[str, Mapping[str, float]]
    answers: Mapping[str, Mapping[str, Answer]]

    def difference(self) -> float:
        """Return the largest difference of an answer from ours; loud if it is not small."""
        ours = self.answers[OURS]
        return max(
            (
                differing(f"{engine}, {key}", answer, ours[key])
                for engine, answers in self.answers.items()
                for key, answer in answers.items()
                if engine != OURS and key in ours
            ),
            default=0.0,
        )


def differing(what: str, theirs: Answer, ours: Answer) -> float:
    """Return the largest difference between two answers.

    Raises:
        DisagreementError: If it is above ``CLOSE``, not a number, or one of them answers less.
    """
    if theirs.keys() != ours.keys():
        msg = f"{what}: answers about {sorted(theirs.keys() ^ ours.keys())} are missing"
        raise DisagreementError(msg)
    worst = max((float(np.abs(np.asarray(theirs[n]) - np.asarray(ours[n])).max()) for n in ours), default=0.0)
    if not worst <= CLOSE:
        msg = f"{what}: the answers differ by {worst:.3g}"
        raise DisagreementError(msg)
    return worst


def race(tasks: Mapping[str, Sequence[Task]], rounds: Mapping[str, int]) -> Timed:
    """Time the tasks of several engines in turns.

    Args:
        tasks: By engine; the first of each are run after each other, then the second, and so on, round after round.
        rounds: How often each engine runs its tasks; the median counts.
    """
    spans: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    answers: dict[str, dict[str, Answer]] = defaultdict(dict)
    for turn in range(max(rounds.values())):
        for at in range(max(map(len, tasks.values()))):
            for engine, own in tasks.items():
                if at < len(own) and turn < rounds[engine]:
                    span, answer = _timed(own[at].run)
                    spans[engine][own[at].key].append(span)
                    answers[engine][own[at].key] = answer
    items = {engine: {task.key: task.items for task in own} for engine, own in tasks.items()}
    middle = {engine: {key: median(found) for key, found in own.items()} for engine, own in spans.items()}
    return Timed(
        {engine: sum(own.values()) / sum(items[engine].values()) for engine, own in middle.items()},
        {engine: {key: span / items[engine][key] for key, span in own.items()} for engine, own in middle.items()},
        answers,
    )


def _timed(run: Callable[[], Answer]) -> tuple[float, Answer]:
    """Return the seconds of one run, which is repeated if it is short, and its answer."""
    start = time.perf_counter()
    answer = run()
    span = time.perf_counter() - start
    if span >= SHORTEST:
        return span, answer
    loops = math.ceil(SHORTEST / max(span, 1e-6))
    start = time.perf_counter()
    for _ in range(loops):
        run()
    return (time.perf_counter() - start) / loops, answer


def fastest(runs: Sequence[tuple[str, Callable[[], Answer]]], expected: Answer, limit: float) -> int | None:
    """Return the number of the fastest of several ways to the right answer; ``None`` if none gets there in time.

    Args:
        runs: The ways, each with its name.
        expected: The right answer.
        limit: Seconds that a way may take.
    """
    best: tuple[float, int] | None = None
    for number, (name, run) in enumerate(runs):
        allowed = limit if best is None else min(limit, 1.0 + 3 * best[0])
        try:
            with time_limit(allowed):
                start = time.perf_counter()
                answer = run()
                span = time.perf_counter() - start
        except (TimeLimitError, MemoryError):
            continue
        differing(name, answer, expected)
        if best is None or span < best[0]:
            best = (span, number)
    return None if best is None else best[1]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stop what runs inside after some time; a single call of machine code is stopped only when it comes back."""

    def stop(*_: Any) -> None:  # noqa: ANN401 - a number and a frame
        msg = f"took longer than {seconds:g} s"
        raise TimeLimitError(msg)

    before = signal.signal(signal.SIGALRM, stop)
    start = time.monotonic()
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # a limit around this one
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 0.001))


ALL_CORES = frozenset(os.sched_getaffinity(0))


@contextmanager
def on_cores(cores: frozenset[int]) -> Iterator[None]:
    """Run what is inside on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
