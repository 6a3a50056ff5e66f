"""Edits of the structure: against enumeration of the edited network, closed forms of gates, and on a case."""

import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracle import Network
from rootcause import Model
from rootcause.case import parse_case
from rootcause.engine import Engine, Shape
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.edits import AddArc, DropArc, DropLeak, DropParent, SamePatients, TableEdit
from rootcause.sensitivity.structural import structural
from rootcause.tables import link_table
from strategies import Case, possible_cases

OFF_ON = ("off", "on")
LEAK, STRENGTHS = 0.05, (0.7, 0.4)


def gate_as_table() -> Engine:
    """Return two reasons and their noisy-OR as one table."""
    absent = {
        (a, b): (1 - LEAK) * (1 - STRENGTHS[0]) ** a * (1 - STRENGTHS[1]) ** b for a, b in product((0, 1), repeat=2)
    }
    tables = {
        "a": np.array([0.8, 0.2]),
        "b": np.array([0.9, 0.1]),
        "f": np.array([[[absent[a, b], 1 - absent[a, b]] for b in (0, 1)] for a in (0, 1)]),
    }
    shape = Shape(dict.fromkeys(tables, OFF_ON), {"a": (), "b": (), "f": ("a", "b")})
    return Engine(shape, lambda name: tables[name][..., np.newaxis])


def gate_as_chain() -> Engine:
    """Return the same as a chain of links: a leak, then each reason."""
    links = [np.array([[1.0, 0.0], [1 - strength, strength]]) for strength in STRENGTHS]
    tables = {
        "a": np.array([0.8, 0.2]),
        "b": np.array([0.9, 0.1]),
        "f__1": np.array([1 - LEAK, LEAK]),
        "f__2": link_table(links[0][..., np.newaxis])[..., 0],
        "f": link_table(links[1][..., np.newaxis])[..., 0],
    }
    parents = {"a": (), "b": (), "f__1": (), "f__2": ("f__1", "a"), "f": ("f__2", "b")}
    shape = Shape(dict.fromkeys(tables, OFF_ON), parents, frozenset({"f__2", "f"}))
    return Engine(shape, lambda name: tables[name][..., np.newaxis])


GATES = pytest.mark.parametrize("engine", [gate_as_table(), gate_as_chain()], ids=["table", "chain"])


# ---- laws -----------------------------------------------------------------------------------------------------------


@st.composite
def arcs(draw: st.DrawFn) -> tuple[Case, str, str, str]:
    """Draw a case with an arc of its network, and a target."""
    case = draw(possible_cases)
    found = [(parent, child) for child, parents in case.network.parents.items() for parent in parents]
    assume(found)
    parent, child = draw(st.sampled_from(found))
    return case, parent, child, draw(st.sampled_from([*case.network.states]))


def averaged(network: Network, parent: str, child: str) -> Network:
    """Return the network in which a table is averaged over one parent, given the others, by the definition."""
    parents = network.parents[child]
    at = parents.index(parent)
    mass: dict[tuple[int, ...], Fraction] = {column: Fraction(0) for column in network.tables[child]}
    for world, weight in network.worlds():
        mass[tuple(world[name] for name in parents)] += weight
    rows = {}
    for column in network.tables[child]:
        same = [(*column[:at], k, *column[at + 1 :]) for k in range(len(network.states[parent]))]
        total = sum(mass[other] for other in same)
        weights = [mass[other] / total if total else Fraction(1, len(same)) for other in same]
        rows[column] = tuple(
            sum((w * network.tables[child][o][k] for w, o in zip(weights, same, strict=True)), Fraction(0))
            for k in range(len(network.states[child]))
        )
    return Network(network.states, network.parents, {**network.tables, child: rows})


@settings(max_examples=80)
@given(arcs())
def test_a_dropped_arc_is_that_of_enumeration(problem: tuple[Case, str, str, str]) -> None:
    """The posterior is that of the network whose table is averaged over the parent; so are divergence and distance."""
    case, parent, child, target = problem
    network, other = case.network, averaged(case.network, parent, child)
    change = structural(network.engine(), case.given, [DropArc(parent, child)], target).changes[0]
    if not other.mass(case.weights):
        assert not change.possible
        return
    expected = [float(share) for share in other.posterior(case.weights)[target]]
    np.testing.assert_allclose(list(change.every.values()), expected, atol=1e-9)
    divergence = math.fsum(
        float(p) * (math.log(p) - math.log(q)) if q else math.inf
        for (_, p), (_, q) in zip(network.worlds(), other.worlds(), strict=True)
        if p
    )
    assert change.divergence == pytest.approx(divergence, abs=1e-9)


@settings(max_examples=80)
@given(arcs())
def test_no_odds_move_further_than_the_distance(problem: tuple[Case, str, str, str]) -> None:
    """|change of ln odds| <= distance of the two networks (Chan & Darwiche 2005)."""
    case, parent, child, target = problem
    for state in case.network.states[target]:
        change = structural(case.network.engine(), case.given, [DropArc(parent, child)], target, state).changes[0]
        if change.distance is not None and change.log_odds is not None:
            assert abs(change.log_odds) <= change.distance + 1e-9


def test_dropping_an_arc_of_asia(asia: Engine) -> None:
    """Without smoking -> bronchitis, P(bronc) = .45 for all; without smoking at all, P(lung) = .055."""
    after = structural(asia, {"smoke": "yes"}, [DropArc("smoke", "bronc")], "bronc", "yes")
    assert after.posterior == pytest.approx(0.6)
    assert after.changes[0].posterior == pytest.approx(0.45)
    both = structural(asia, {"smoke": "yes"}, [DropParent("smoke")], "lung", "yes").changes[0]
    assert both.posterior == pytest.approx(0.055)


# ---- gates ----------------------------------------------------------------------------------------------------------


@GATES
def test_without_its_leak_a_finding_comes_of_its_reasons_alone(engine: Engine) -> None:
    """P(f | a, not b) is the strength of a; with neither, the finding cannot be."""
    only_a = structural(engine, {"a": "on", "b": "off"}, [DropLeak("f")], "f", "on").changes[0]
    assert only_a.posterior == pytest.approx(STRENGTHS[0])
    neither = structural(engine, {"a": "off", "f": "on"}, [DropLeak("f")], "b", "on").changes[0]
    assert neither.posterior == pytest.approx(1.0)
    impossible = structural(engine, {"a": "off", "b": "off", "f": "on"}, [DropLeak("f")], "f", "on").changes[0]
    assert not impossible.possible
    assert impossible.to_dict()["posterior"] is None


@GATES
def test_reasons_in_the_same_patients_bring_no_more_than_the_strongest(engine: Engine) -> None:
    """P(f | a, b) is the largest of leak and strengths, where a noisy-OR gives 1 - (1 - leak)(1 - .7)(1 - .4)."""
    rows = product(OFF_ON, repeat=2)
    for a, b in rows:
        found = structural(engine, {"a": a, "b": b}, [SamePatients("f")], "f", "on")
        own = [strength for seen, strength in zip((a, b), STRENGTHS, strict=True) if seen == "on"]
        # In a table the leak is part of every row: what a reason brings alone cannot be told from it.
        assert found.changes[0].posterior == pytest.approx(max([LEAK, *own]), abs=1e-9)
        assert found.posterior == pytest.approx(1 - (1 - LEAK) * math.prod(1 - strength for strength in own))


@GATES
def test_one_more_reason_is_a_noisy_or(engine: Engine) -> None:
    """With an arc from a to b that brings .5: P(b | a) = 1 - (1 - .1)(1 - .5), and P(b | not a) = .1 as before."""
    found = structural(engine, {"a": "on"}, [AddArc("a", "on", "b", (0.5,))], "b", "on").changes[0]
    assert found.posterior == pytest.approx(1 - 0.9 * 0.5)
    off = structural(engine, {"a": "off"}, [AddArc("a", "on", "b", (0.5,))], "b", "on").changes[0]
    assert off.posterior == pytest.approx(0.1)


def test_one_more_reason_at_the_end_of_a_chain() -> None:
    """A link takes the worse of what it had and of the new reason, and the network stays a chain."""
    chain = gate_as_chain()
    tables = {name: chain.table(name) for name in chain.states} | {"c": np.array([0.7, 0.3])}
    parents = {name: chain.parents(name) for name in chain.states} | {"c": ()}
    shape = Shape(dict.fromkeys(tables, OFF_ON), parents, frozenset({"f__2", "f"}))
    engine = Engine(shape, lambda name: tables[name][..., np.newaxis])
    seen = {"a": "on", "b": "on", "c": "on"}
    found = structural(engine, seen, [AddArc("c", "on", "f", (0.25,))], "f", "on").changes[0]
    assert found.posterior == pytest.approx(1 - (1 - LEAK) * 0.3 * 0.6 * 0.75)
    assert found.divergence is None


# ---- the model ------------------------------------------------------------------------------------------------------


def test_the_usual_edits_of_a_case(model: Model, patient: Mapping[str, object]) -> None:
    """Arcs, leaks, reasons and the technique; sorted by how far they move the posterior; the verdict counts them."""
    found = structural(model, patient)
    moved = [abs(item.posterior - found.posterior) for item in found.changes if item.possible]
    assert moved == sorted(moved, reverse=True)
    words = [item.edit for item in found.changes]
    assert "nothing depends on procedure" in words
    assert "without the leak of cold_dysesthesia" in words
    assert "causes act together on toe_dorsiflexion, not independently" in words
    assert found.to_dict()["sentence"] in found.to_text()
    assert found.leading == "nerve_root_edema"
    overturned = [item for item in found.changes if item.possible and item.leading != found.leading]
    assert f"after {len(overturned)} of {len(found.changes)} edits" in found.sentence


def test_one_run_for_all_edits_gives_what_each_gives_alone(model: Model, patient: Mapping[str, object]) -> None:
    """The edited networks answer side by side as they do one by one."""
    edits: list[TableEdit] = [
        DropArc("root_L5", "toe_dorsiflexion"),
        DropParent("procedure"),
        DropLeak("cold_dysesthesia"),
    ]
    engine = model.engine
    together = {item.edit: item.every for item in structural(model, patient, edits).changes}
    for edit in edits:
        changed = edit.tables(engine)
        every = {name: (changed[name] if name in changed else engine.table(name)) for name in engine.states}
        parents = {name: engine.parents(name) for name in engine.states}
        other = Engine(Shape(engine.states, parents), lambda name, every=every: every[name][..., np.newaxis])  # type: ignore[misc]
        expected = other.query(dict(parse_case(patient).observations), [*together[str(edit)]])
        assert together[str(edit)] == pytest.approx({name: own["present"] for name, own in expected.items()}, abs=1e-9)


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (DropArc("b", "a"), "a must hang on b"),
        (DropArc("a", "g"), "must name a known node, got 'g'"),
        (DropParent("f"), "something must hang on f"),
        (DropLeak("a"), "must take the worst of its reasons"),
        (AddArc("f", "on", "a", (0.5,)), "a must not lead to f"),
        (AddArc("a", "high", "b", (0.5,)), "a must have the state"),
        (AddArc("a", "on", "b", (0.5, 0.5)), "1 chances that sum to at most 1"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(edit: Any, words: str) -> None:  # noqa: ANN401 - any edit
    """In one sentence."""
    with pytest.raises(InvalidInputError, match=words):
        structural(gate_as_table(), {}, [edit], "f", "on")


def test_a_network_that_is_not_the_model_needs_its_edits_named(asia: Engine) -> None:
    """There are no usual ones for it; and impossible evidence is refused before any edit."""
    with pytest.raises(InvalidInputError, match="edits: must be named"):
        structural(gate_as_table(), {}, None, "f")
    with pytest.raises(ImpossibleEvidenceError):
        structural(asia, {"either": "no", "tub": "yes"}, [DropParent("smoke")], "lung")
