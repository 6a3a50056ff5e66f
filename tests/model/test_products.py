"""Gates as products of cumulative probabilities, in which digits cancel, against sums in which nothing does."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from noisy import CAUSES, SIGNS, NoisyOr, evidence, link_table, network
from rootcause.engine.kernels import cases

if TYPE_CHECKING:
    from rootcause.engine.machine import Machine

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSE = 1e-9


# From evidence that is common to evidence of which products would keep no digit at all.
scales = st.sampled_from([1.0, 0.1, 1e-3, 1e-6, 1e-9])
patterns = st.lists(st.booleans(), min_size=SIGNS, max_size=SIGNS)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), scale=scales, seen=patterns, draws=st.sampled_from([1, 2, 5, 16, 21]))
def test_draws_are_those_of_the_sum_however_rare_the_evidence(
    seed: int, scale: float, seen: list[bool], draws: int
) -> None:
    """Whether products are taken or chains, the answer is the sum over all states."""
    made = network(seed, scale, draws)
    engine = made.engine()
    found = engine.marginals(engine.weights(evidence(seen)), made.causes, made.drawn())
    posterior, logs = made.expected(seen)
    np.testing.assert_allclose(found.log_evidence, logs, rtol=0, atol=CLOSE)
    np.testing.assert_allclose([found.posterior[cause][1] for cause in made.causes], posterior, rtol=0, atol=CLOSE)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 999), scale=scales)
def test_a_single_case_is_that_of_the_sum_however_rare_the_evidence(seed: int, scale: float) -> None:
    """Products are taken only where they lose nothing."""
    made = network(seed, scale, 1)
    seen = [True] * SIGNS
    found = made.engine().query(evidence(seen), made.causes)
    posterior, logs = made.expected(seen)
    np.testing.assert_allclose([found[cause]["yes"] for cause in made.causes], posterior[:, 0], rtol=0, atol=CLOSE)
    assert made.engine().log_evidence(evidence(seen)) == pytest.approx(float(logs[0]), abs=CLOSE)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 999), scale=scales, seen=patterns, draws=st.sampled_from([1, 3, 18, 33]))
def test_slopes_of_draws_are_those_of_finite_differences(seed: int, scale: float, seen: list[bool], draws: int) -> None:
    """The derivatives of ln P(evidence), for every draw, and ln P(evidence) itself."""
    made = network(seed, scale, draws)
    engine = made.engine()
    weights = engine.weights(evidence(seen))
    logs, slopes = engine.log_slopes(weights, made.drawn(), made.causes)
    np.testing.assert_allclose(logs, made.expected(seen)[1], rtol=0, atol=CLOSE)
    of = {part.node: own for part, own in slopes}
    step = 1e-6
    moved = [NoisyOr(made.prior.copy(), made.link, made.leak) for _ in range(2)]
    for other, change in zip(moved, (step, -step), strict=True):
        other.prior[3] += change
    difference = (moved[0].expected(seen)[1] - moved[1].expected(seen)[1]) / (2 * step)
    np.testing.assert_allclose(of["c3"][1] - of["c3"][0], difference, rtol=1e-6, atol=1e-6)


def test_evidence_that_no_draw_allows_is_told_and_not_guessed() -> None:
    """What cancels to almost nothing is not taken for a small probability."""
    made = network(1, 0.5, 20)
    for sign in made.signs:
        made.made[f"{sign}__leak"][:] = np.array([1.0, 0.0])[:, np.newaxis]
    made.made["c0"][:] = np.array([0.0, 1.0])[:, np.newaxis]
    for i, cause in enumerate(made.causes[1:], start=1):
        made.made[cause][:] = np.array([1.0, 0.0])[:, np.newaxis]
        assert made.shape.parents[f"s0__{i}" if i < CAUSES - 1 else "s0"][1] == cause
    made.made["s0__0"][:] = link_table(np.zeros(20))
    engine = made.engine()
    assert (engine.log_probability(engine.weights({"s0": "yes"}), made.drawn()) == -math.inf).all()


class WithProducts:
    """Draws of a network whose plan has products, whatever they lose."""

    def __init__(self, made: NoisyOr, seen: list[bool], draws: int) -> None:
        engine = made.engine()
        self.machine: Machine = engine._machine  # noqa: SLF001 - the only way to such a plan
        look = engine._codes_of(self.machine, engine.weights(evidence(seen)))  # noqa: SLF001
        wanted = np.ones(len(self.machine.layout.parts), dtype=np.uint8)
        self.entries = made.drawn().entries(self.machine.layout, wanted)
        sig = np.ascontiguousarray(self.entries[:, np.arange(2) % draws])
        sig.setflags(write=False)
        nobody = np.zeros(0, np.int64)
        _, self.logs = self.machine._run_draws(look, nobody, self.entries, sig, signed=True)  # noqa: SLF001

    def error_of(self, draw: int) -> float:
        """Return the estimated error of P(evidence) in a draw, in relation to it."""
        room, column = self.machine.room(), np.ascontiguousarray(self.entries[:, [draw]])
        column.setflags(write=False)
        return float(cases.error_of(room.ints, room.reals, column, self.machine.memory()))

    def deviations(self, draws: Ints) -> Array:
        """Return ln P(evidence) and ln of the deviation of its error for some draws."""
        room, found = self.machine.room(), np.empty((2, len(draws)))
        cases.deviations(room.ints, room.reals, self.entries, draws, found, self.machine.memory())
        return found


def test_the_estimate_of_the_error_grows_as_the_evidence_becomes_rare_and_covers_what_is_lost() -> None:
    """The estimate decides between products and chains, so it must not be smaller than the errors that there are."""
    seen = [True] * SIGNS
    estimates = []
    for scale in (1.0, 1e-2, 1e-4):
        made = network(7, scale, 16)
        planned = WithProducts(made, seen, 16)
        lost = np.abs(np.expm1(planned.logs - made.expected(seen)[1])).max()
        worst = max(planned.error_of(draw) for draw in range(16))
        estimates.append(worst)
        assert lost <= 5 * worst
    assert estimates == sorted(estimates)
    assert estimates[0] < cases.TOLERATED < estimates[-1]


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 999),
    scale=st.sampled_from([1.0, 0.5, 0.25]),
    seen=patterns,
    count=st.sampled_from([1, 3, 4, 16, 18, 33]),
)
def test_errors_of_many_draws_are_those_of_each(seed: int, scale: float, seen: list[bool], count: int) -> None:
    """Side by side, in any number and order, P(evidence) and its error are estimated as for one draw alone."""
    planned = WithProducts(network(seed, scale, 40), seen, 40)
    draws = np.random.default_rng(seed).permutation(40)[:count]
    logs, lost = planned.deviations(draws)
    np.testing.assert_allclose(logs, planned.logs[draws], rtol=0, atol=1e-5)
    alone = np.concatenate([planned.deviations(draws[k : k + 1]) for k in range(count)], axis=1)
    np.testing.assert_allclose(np.exp(lost - logs), np.exp(alone[1] - alone[0]), rtol=1.0, atol=1e-15)
    bounds = np.array([planned.error_of(int(draw)) for draw in draws])
    assert (bounds >= np.exp(lost - logs) / 2).all()
