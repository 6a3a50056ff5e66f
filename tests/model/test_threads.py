"""Threads that are kept from one question to the next."""

import multiprocessing
import threading

import numpy as np
import pytest

from noisy import evidence, network
from rootcause.engine import Engine, threads

TWO, ROWS = 2, 64


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads are asked for, whatever this machine has."""
    monkeypatch.setattr(threads, "cores", lambda: TWO)


def which() -> set[int]:
    """Return the threads that a loop over two draws ran in."""
    found: set[int] = set()
    together = threading.Barrier(TWO, timeout=30)

    def part(_start: int, _stop: int) -> None:
        together.wait()  # each thread takes one
        found.add(threading.get_ident())

    threads.in_threads(TWO, part, 1)
    return found


def test_the_threads_of_one_question_serve_the_next() -> None:
    """No thread is made twice."""
    first = which()
    assert len(first) == TWO
    assert which() == first


def test_what_goes_wrong_in_a_thread_is_told_and_the_threads_go_on() -> None:
    """An error reaches whoever asked, and the next question is answered."""

    def part(start: int, _stop: int) -> None:
        if start:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        threads.in_threads(TWO, part, 1)
    assert len(which()) == TWO


def test_chunks_come_in_order_and_every_row_once() -> None:
    """However many chunks there are."""
    for rows, step in ((1, 1), (7, 2), (40, 3)):
        found = threads.in_chunks(
            rows, step, lambda start, stop: (np.arange(start, stop, dtype=float), np.zeros(stop - start))
        )
        starts, parts = zip(*((start, part) for start, part, _ in found), strict=True)
        assert list(starts) == list(range(0, rows, step))
        np.testing.assert_array_equal(np.concatenate(parts), np.arange(rows))


def _ask(engine: Engine) -> float:
    signs = {name: [state] * ROWS for name, state in evidence([True] * 3).items()}
    return float(engine.query_batch(signs, ["c0"])["c0"][-1, 1])


def _child(answers: "multiprocessing.Queue[float]") -> None:
    answers.put(_ask(network(3, 1.0, 1).engine()))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_that_was_forked_has_threads_of_its_own() -> None:
    """The threads of the parent are not there, and nobody waits for them."""
    expected = _ask(network(3, 1.0, 1).engine())
    assert which()
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[float] = context.Queue()
    child = context.Process(target=_child, args=(answers,))
    child.start()
    assert answers.get(timeout=60) == expected
    child.join(timeout=60)
    assert child.exitcode == 0
