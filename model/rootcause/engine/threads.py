"""Work in several threads at once: the compiled loops let go of the interpreter lock.

The threads are kept from one question to the next, and with them their working memory, which takes longer to get than a
small batch takes to run. What runs in one of them must not ask for others.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels.lanes import LANES

Array = NDArray[np.float64]

_FEW = 4 * LANES
"""Draws that are not worth a second thread."""

_pools: dict[int, ThreadPoolExecutor] = {}
"""By number of threads."""

_lock = threading.Lock()


def cores() -> int:
    """Return on how many cores this process may run."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _pool(workers: int) -> ThreadPoolExecutor:
    with _lock:
        if workers not in _pools:
            _pools[workers] = ThreadPoolExecutor(workers, thread_name_prefix="rootcause")
        return _pools[workers]


def _forget() -> None:
    """Begin anew in a process that was forked: threads stay behind."""
    global _lock  # noqa: PLW0603 - another thread may have held it
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def in_chunks(
    rows: int, step: int, answer: Callable[[int, int], tuple[Array, Array]]
) -> Iterator[tuple[int, Array, Array]]:
    """Yield answers to many cases, so many at a time, from as many threads as there are cores.

    Args:
        rows: How many cases.
        step: How many at a time.
        answer: Gives posteriors and ln P(evidence) of the cases from one number up to another.
    """

    def part(start: int) -> tuple[int, Array, Array]:
        return start, *answer(start, min(start + step, rows))

    starts = range(0, rows, step)
    workers = min(cores(), len(starts))
    if workers <= 1:
        yield from map(part, starts)
        return
    for wave in range(0, len(starts), 2 * workers):  # answers that nobody has taken yet do not pile up
        yield from _pool(workers).map(part, starts[wave : wave + 2 * workers])


def in_threads(draws: int, part: Callable[[int, int], None], few: int = _FEW) -> None:
    """Run a loop over draws in as many threads as there are cores, if there are enough draws for each."""
    workers = min(cores(), max(1, draws // few))
    if workers == 1:
        part(0, draws)
        return
    bounds = [*(np.arange(workers) * draws // workers // few * few).tolist(), draws]
    list(_pool(workers).map(part, bounds[:-1], bounds[1:]))


__all__ = ["cores", "in_chunks", "in_threads"]
