"""Evidence so rare, or in so many parts, that plain numbers end: nothing is lost, and nothing impossible passes."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from noisy import link_table
from rootcause.engine import Engine, Shape
from rootcause.errors import ImpossibleEvidenceError

if TYPE_CHECKING:
    from rootcause.engine.evidence import Observation

Array = NDArray[np.float64]

PLAIN = ("no", "yes")
CLOSE = 1e-9


class Builder:
    """A network of nodes with two states, put together piece by piece."""

    def __init__(self) -> None:
        self.parents: dict[str, tuple[str, ...]] = {}
        self.tables: dict[str, Array] = {}
        self.links: list[str] = []

    def node(self, name: str, yes: float | list[float], parent: str = "") -> None:
        """Add a node with P(yes), or with P(yes) for each state of its parent."""
        chance = np.asarray(yes, dtype=float)
        self.parents[name] = (parent,) if parent else ()
        self.tables[name] = np.stack([1 - chance, chance], axis=-1)[..., np.newaxis]

    def gate(self, name: str, causes: tuple[str, str], link: float, leak: float) -> None:
        """Add a noisy-OR of two causes, as a chain of links."""
        self.node(f"{name}__leak", leak)
        for before, after, cause in ((f"{name}__leak", f"{name}__0", causes[0]), (f"{name}__0", name, causes[1])):
            self.parents[after] = (before, cause)
            self.tables[after] = link_table(np.array([link]))
            self.links.append(after)

    def engine(self) -> Engine:
        """Compile."""
        shape = Shape(dict.fromkeys(self.parents, PLAIN), self.parents, frozenset(self.links))
        return Engine(shape, self.tables.__getitem__)


def test_many_parts_that_have_nothing_to_do_with_each_other() -> None:
    """P(evidence) is the product of more parts than a number has room for."""
    parts, prior, link, leak = 120, 1e-3, 0.5, 1e-4
    made = Builder()
    for k in range(parts):
        made.node(f"a{k}", prior)
        made.node(f"b{k}", prior)
        made.gate(f"s{k}", (f"a{k}", f"b{k}"), link, leak)
    engine = made.engine()
    seen = {f"s{k}": "yes" for k in range(parts)}
    one = 1 - (1 - leak) * (1 - prior * link) ** 2
    assert engine.log_evidence(seen) == pytest.approx(parts * math.log(one), rel=1e-12)
    assert engine.query(seen, ["a0"])["a0"]["yes"] == pytest.approx(
        prior * (1 - (1 - leak) * (1 - link) * (1 - prior * link)) / one, abs=CLOSE
    )


@pytest.mark.parametrize(("chance", "chains"), [(1e-30, 12), (1e-100, 2), (1e-100, 3), (1e-150, 2)])
def test_a_bound_that_is_too_large_for_a_number_is_not_taken_for_none(chance: float, chains: int) -> None:
    """A rare gate beside chains of rare events: its digits are looked after all the same."""
    rare = 1e-13
    made = Builder()
    made.node("w", 0.4)
    for k in range(chains):
        made.node(f"y{k}", [chance, 2 * chance], "w")
        made.node(f"z{k}", [chance, 0.5], f"y{k}")
    made.node("a", rare)
    made.node("b", rare)
    made.gate("s", ("a", "b"), 0.5, rare)
    seen = {"s": "yes"} | {f"z{k}": "yes" for k in range(chains)}
    assert made.engine().query(seen, ["a"])["a"]["yes"] == pytest.approx(0.25, abs=CLOSE)


@pytest.mark.parametrize("chance", [1e-100, 1e-163, 1e-250])
def test_a_scale_whose_square_is_too_small_for_a_number(chance: float) -> None:
    """A table is divided by its largest entry however small that is."""
    made = Builder()
    made.node("a", 0.1)
    made.node("b", 0.1)
    made.gate("s", ("a", "b"), 0.5, 0.1)
    made.node("x", chance)
    made.node("y", [chance, 1 - chance], "x")
    made.node("z", [chance, 0.5], "y")
    found = made.engine().log_evidence({"s": "yes", "z": "yes"})
    gate = 1 - 0.9 * (1 - 0.1 * 0.5) ** 2
    assert found == pytest.approx(math.log(gate) + math.log(2 * chance), rel=1e-12)


def grades() -> Engine:
    """A gate of four grades whose contributions stay in the lowest one for sure if ``x`` is so."""
    grade = np.array([[0.5, 0.2, 0.2, 0.1], [1.0, 0.0, 0.0, 0.0]])[..., np.newaxis]
    linked = np.zeros((4, 2, 4, 1))
    for before in range(4):
        for after in range(4):
            linked[max(before, 0), :, max(before, after)] += grade[:, after]
    states = {"x": PLAIN, "m": tuple("abcd"), "s": tuple("abcd")}
    parents: dict[str, tuple[str, ...]] = {"x": (), "m": ("x",), "s": ("m", "x")}
    tables = {"x": np.full((2, 1), 0.5), "m": grade, "s": linked}
    return Engine(Shape(states, parents, frozenset(["s"])), tables.__getitem__)


def test_what_products_leave_of_an_impossible_case_is_no_probability() -> None:
    """Likelihoods that rule out all that can be: refused, alone and in a batch, whatever rounding makes of it."""
    engine = grades()
    for seed in range(40):
        weights = np.random.default_rng(seed).choice(np.arange(0.1, 1.05, 0.1), 3)
        likelihoods = {"a": 0.0, **dict(zip("bcd", weights.tolist(), strict=True))}
        seen: dict[str, Observation] = {"x": "yes", "s": likelihoods}
        with pytest.raises(ImpossibleEvidenceError):
            engine.log_evidence(seen)
        assert engine.run_batch({"x": ["yes"], "s": [likelihoods]}, ["m"]).log_evidence[0] == -math.inf


def test_likelihoods_that_leave_no_state_are_impossible() -> None:
    """In a network with gates and in one without."""
    made = Builder()
    made.node("x", 0.3)
    made.node("y", [0.2, 0.6], "x")
    for engine, name in ((made.engine(), "y"), (grades(), "s")):
        assert not engine.possible({name: np.zeros(len(engine.states[name]))})
