"""A plan with its last variables side by side against the same plan entry by entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from noisy import SIGNS, NoisyOr, evidence, network
from rootcause.engine import Engine, Shape
from rootcause.engine.kernels import arrays, cases
from rootcause.engine.kernels.split import split

if TYPE_CHECKING:
    from rootcause.engine.machine import Machine

Array = NDArray[np.float64]

CLOSE = 1e-12
TINY = 1e-14
"""Error of P(signs) below which its estimate does not matter: without differences it is a bound, loose in both ways."""
NODES = 8
NO_ROOM = 0.0
"""Numbers that may be taken where nothing is to be laid side by side."""


class Planned:
    """A case of a network, planned: P(signs), the posteriors of the causes, and all derivatives, in both ways."""

    def __init__(self, made: NoisyOr, seen: list[bool | None], *, signed: bool) -> None:
        self.machine: Machine = made.engine()._machine  # noqa: SLF001 - what is below the public engine is compared
        engine = made.engine()
        self.asked = np.array([self.machine.layout.index[cause] for cause in made.causes])
        self.look = engine._codes_of(self.machine, engine.weights(evidence(seen)))  # noqa: SLF001
        self.signed = signed

    def plan(self, *, merge: bool) -> None:
        """Plan, with all factors of a variable in one leaf or not."""
        status = self.machine.plan(
            self.machine.room(),
            self.machine.entries,
            self.look,
            self.asked,
            4,
            lump=True,
            merge=merge,
            signed=self.signed,
        )
        assert status == arrays.PLANNED

    @property
    def lanes(self) -> int:
        """How many lanes the plan has, 0 for none."""
        return int(self.machine.room().ints[arrays.COUNT, arrays.SPLIT_LANES])

    @contextmanager
    def entry_by_entry(self) -> Iterator[None]:
        """Leave the plan without lanes."""
        split(self.machine.room().ints, NO_ROOM)
        assert not self.lanes
        yield

    def answer(self) -> tuple[float, Array]:
        """Return ln P(signs) and the posteriors of the causes."""
        room, entries = self.machine.room(), self.machine.entries
        posterior, logs = np.zeros((1, 2 * len(self.asked))), np.empty(1)
        net, memory = self.machine.layout.net, self.machine.memory()
        cases.run_few(net, room.ints, room.reals, entries.T.copy(), self.asked, posterior, logs, memory)
        return float(logs[0]), posterior[0]

    def error(self) -> float:
        """Return the estimated error of P(signs), in relation to it."""
        room, entries, found = self.machine.room(), self.machine.entries.copy(), np.empty((2, 1))
        cases.deviations(room.ints, room.reals, entries, np.zeros(1, np.int64), found, self.machine.memory())
        return float(np.exp(found[1, 0] - found[0, 0]))

    def bound(self) -> float:
        """Return the same, or a bound on it that is small enough."""
        room = self.machine.room()
        return float(cases.error_of(room.ints, room.reals, self.machine.entries, self.machine.memory()))

    def slopes(self) -> Array:
        """Return the derivatives of ln P(signs) by all entries."""
        room, result = self.machine.room(), np.zeros(len(self.machine.entries))
        cases.run_slopes(room.ints, room.reals, self.machine.entries, result, self.machine.memory())
        return result


patterns = st.lists(st.sampled_from([True, True, False, None]), min_size=SIGNS, max_size=SIGNS)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999), seen=patterns, signed=st.booleans())
def test_lanes_change_no_answer(seed: int, seen: list[bool | None], signed: bool) -> None:
    """P(signs), posteriors, the estimate of the error and all derivatives are those of the plan without lanes."""
    case = Planned(network(seed, 1.0, 1), seen, signed=signed)
    case.plan(merge=True)
    log, posterior = case.answer()
    error = case.error()
    assert case.bound() >= error / 2
    with case.entry_by_entry():
        expected, of_each = case.answer()
        usual = case.error()
        assert case.bound() >= usual / 2
    assert log == pytest.approx(expected, abs=CLOSE)
    np.testing.assert_allclose(posterior, of_each, rtol=0, atol=CLOSE)
    assert usual / 3 <= error <= 3 * usual or max(error, usual) < TINY
    case.plan(merge=False)
    slopes = case.slopes()
    with case.entry_by_entry():
        np.testing.assert_allclose(slopes, case.slopes(), rtol=1e-9, atol=1e-9)


def test_dear_cases_have_lanes_and_cheap_ones_have_none() -> None:
    """All signs there join all causes; a sign that is not there joins nothing."""
    made = network(3, 1.0, 1)
    for signed in (True, False):
        dear = Planned(made, [True] * SIGNS, signed=signed)
        dear.plan(merge=True)
        assert dear.lanes == 16
        cheap = Planned(made, [False] * SIGNS, signed=signed)
        cheap.plan(merge=True)
        assert not cheap.lanes


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 999), node=st.integers(0, NODES - 1), state=st.integers(-1, 2))
def test_lanes_that_are_left_over_count_for_nothing(seed: int, node: int, state: int) -> None:
    """Two variables of three states have nine lanes of sixteen; the answers are those of the joint distribution."""
    generator = np.random.default_rng(seed)
    names = [f"n{k}" for k in range(NODES)]
    parents = {name: tuple(names[:k]) for k, name in enumerate(names)}
    tables = {name: generator.dirichlet(np.ones(3), (3,) * len(own))[..., np.newaxis] for name, own in parents.items()}
    engine = Engine(Shape(dict.fromkeys(names, ("0", "1", "2")), parents), tables.__getitem__)
    joint = np.ones((3,) * NODES)
    for k, (name, own) in enumerate(parents.items()):
        joint *= tables[name].reshape((3,) * (len(own) + 1) + (1,) * (NODES - k - 1))
    seen = {} if state < 0 else {names[node]: str(state)}
    if seen:
        joint *= (np.arange(3) == state).reshape((3,) + (1,) * (NODES - node - 1))
    machine = engine._machine  # noqa: SLF001 - the public way may take one plan for all cases
    look = engine._codes_of(machine, engine.weights(seen))  # noqa: SLF001
    found, logs = machine.each(look, np.arange(NODES))
    assert machine.room().ints[arrays.COUNT, arrays.SPLIT_LANES] == 3**2
    for k, posterior in enumerate(found.reshape(NODES, 3)):
        mass = joint.sum(axis=tuple(axis for axis in range(NODES) if axis != k))
        np.testing.assert_allclose(posterior, mass / mass.sum(), rtol=1e-10)
    assert logs[0] == pytest.approx(np.log(joint.sum()), abs=1e-10)


def test_draws_that_do_not_fit_side_by_side_are_run_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less memory changes no answer and no derivative, as long as one draw fits."""
    made = network(6, 1.0, 20)
    engine = made.engine()
    weights = engine.weights(evidence([True] * SIGNS))
    machine = engine._machine  # noqa: SLF001
    look = engine._codes_of(machine, weights)  # noqa: SLF001
    posterior = engine.marginals(weights, made.causes, made.drawn())
    logs, slopes = machine.slopes_of_draws(look, made.drawn())
    needed = 16 * int(machine.room().ints[arrays.COUNT, arrays.ARENA])
    monkeypatch.setattr("rootcause.engine.machine.MEMORY_LIMIT", 4 * needed)
    found = engine.marginals(weights, made.causes, made.drawn())
    np.testing.assert_allclose(found.log_evidence, posterior.log_evidence, rtol=0, atol=CLOSE)
    for cause in made.causes:
        np.testing.assert_allclose(found.posterior[cause], posterior.posterior[cause], rtol=0, atol=CLOSE)
    one_by_one, each = machine.slopes_of_draws(look, made.drawn())
    np.testing.assert_allclose(one_by_one, logs, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(each, slopes, rtol=1e-9, atol=1e-9)
