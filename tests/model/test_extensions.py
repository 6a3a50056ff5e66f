"""What would follow from one more node: lanes of a shared plan, against the whole joint distribution and batches."""

import math
from collections.abc import Mapping
from fractions import Fraction
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from noisy import CAUSES, SIGNS, evidence, network
from rootcause import load_model, shipped_cases
from rootcause.case import parse_case
from rootcause.engine import Engine, Observation
from rootcause.engine.layout import Shape
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from strategies import Case, possible_cases

Array = NDArray[np.float64]

CLOSE = 1e-9


class Layers:
    """Causes, gates of causes, gates of these and of causes, and tables over gates: small enough to write out whole.

    Attributes:
        parents: The parents of each node, as they are meant: a gate's links are not among the nodes.
        states: States of each node.
        joint: Every probability there is, one axis for each node.
        engine: The network with its gates as chains of links.
    """

    def __init__(self, seed: int, scale: float, *, sure: bool) -> None:
        generator = np.random.default_rng(seed)
        self.parents: dict[str, tuple[str, ...]] = {"a": (), "b": ("a",), "c": ()}
        gates = {"g": ("a", "b"), "h": ("b", "c"), "i": ("g", "c"), "j": ("g", "h"), "k": ("a", "b", "c")}
        self.parents |= gates | {"t": ("g", "k"), "u": ("c", "k", "j"), "v": ("b",), "w": (), "x": ("w", "h")}
        cards = {"b": 3, "g": 3, "k": 3, "t": 3}
        self.states = {name: tuple(f"{name}{s}" for s in range(cards.get(name, 2))) for name in self.parents}
        parents: dict[str, tuple[str, ...]] = {}
        tables: dict[str, Array] = {}
        links = []
        whole: dict[str, Array] = {}
        for name, own in self.parents.items():
            size = len(self.states[name])
            if name not in gates:
                parents[name] = own
                sizes = tuple(len(self.states[p]) for p in own)
                rare = name in ("v", "w")
                table = _rare(generator, sizes, size, scale if rare else 1.0, sure=False)
                whole[name] = tables[name] = table
                continue
            parts = [_rare(generator, (), size, scale, sure=False)]
            parts += [_rare(generator, (len(self.states[p]),), size, scale, sure=sure) for p in own]
            before = f"{name}__leak"
            parents[before], tables[before] = (), parts[0]
            for k, (parent, part) in enumerate(zip(own, parts[1:], strict=True)):
                link = name if parent == own[-1] else f"{name}__{k}"
                parents[link], tables[link] = (before, parent), _worse(part)
                links.append(link)
                before = link
            whole[name] = _worst(parts)
        states = {node: self.states[node.split("__")[0]] for node in parents}
        shape = Shape(states, parents, frozenset(links))
        self.engine = Engine(shape, lambda name: tables[name][..., np.newaxis])
        letter = dict(zip(self.parents, ascii_letters, strict=False))
        terms = [f"{''.join(letter[p] for p in own)}{letter[name]}" for name, own in self.parents.items()]
        self.joint = np.einsum(",".join(terms) + "->" + "".join(letter.values()), *whole.values())

    def given(self, evidence: Mapping[str, str]) -> Array:
        """Return the joint distribution with zeros for all that the evidence rules out."""
        left: Array = self.joint.copy()
        for axis, (name, states) in enumerate(self.states.items()):
            if name in evidence:
                out = [k for k, state in enumerate(states) if state != evidence[name]]
                left[(slice(None),) * axis + (out,)] = 0.0
        return left

    def marginal(self, joint: Array, name: str) -> Array:
        """Return what a joint distribution says of one node, not scaled."""
        axis = list(self.states).index(name)
        found: Array = joint.sum(axis=tuple(other for other in range(joint.ndim) if other != axis))
        return found


def _rare(generator: np.random.Generator, shape: tuple[int, ...], size: int, scale: float, *, sure: bool) -> Array:
    """Contributions that are mostly of the lowest state; of each, a first row that is, if it is sure, nothing else."""
    table: Array = scale * np.asarray(generator.dirichlet(np.ones(size), shape))
    table[..., 0] += 1 - scale
    if sure:
        table[0] = np.eye(size)[0]
        table[-1] = np.eye(size)[-1] if generator.random() < 0.3 else table[-1]
    return table


def _worse(part: Array) -> Array:
    """The table of the worse of what came before and of a contribution, shape ``(before, parent, state)``."""
    size = part.shape[-1]
    table = np.zeros((size, *part.shape))
    for before in range(size):
        table[before, :, before] = part[:, : before + 1].sum(axis=-1)
        table[before, :, before + 1 :] = part[:, before + 1 :]
    return table


def _worst(parts: list[Array]) -> Array:
    """The table of the worst of contributions: a leak, and one for each parent; nothing is subtracted."""
    found = parts[0]
    for part in parts[1:]:
        below = np.cumsum(found, axis=-1)[..., np.newaxis, :]
        others = np.cumsum(part, axis=-1)
        lower = np.concatenate([np.zeros((*others.shape[:-1], 1)), others[..., :-1]], axis=-1)
        found = below * part + found[..., np.newaxis, :] * lower
    return found


@st.composite
def asked(draw: st.DrawFn) -> tuple[Layers, dict[str, str], list[str]]:
    """A network, possible evidence, and targets."""
    made = Layers(
        draw(st.integers(0, 999)), draw(st.sampled_from([1.0, 0.3, 1e-3, 1e-6, 1e-9, 1e-13])), sure=draw(st.booleans())
    )
    evidence: dict[str, str] = {}
    for name in draw(st.lists(st.sampled_from([*made.states]), unique=True, max_size=5)):
        left = made.marginal(made.given(evidence), name)
        possible = [state for state, mass in zip(made.states[name], left, strict=True) if mass > 0]
        evidence[name] = draw(st.sampled_from(possible))
    targets = draw(st.lists(st.sampled_from(["a", "b", "c", "g", "u"]), unique=True, max_size=3))
    return made, evidence, targets


@settings(deadline=None, max_examples=150)
@given(asked())
def test_each_node_is_as_the_whole_joint_distribution_says(question: tuple[Layers, dict[str, str], list[str]]) -> None:
    """Every node in every state, whether it is a gate, a table, or has others hang on it; zero is zero exactly."""
    made, evidence, targets = question
    found = made.engine.query_each(evidence, made.states, targets)
    total = made.given(evidence).sum()
    assert list(found) == list(made.states)
    for name, states in made.states.items():
        for k, state in enumerate(states):
            left = made.given({**evidence, name: state}) if evidence.get(name, state) == state else np.zeros(1)
            share = left.sum() / total
            assert found[name].probability[k] == pytest.approx(share, rel=CLOSE, abs=1e-300)
            assert (found[name].probability[k] == 0) == (share == 0)
            for target in targets:
                expected = made.marginal(left, target) / left.sum() if share else np.zeros(len(made.states[target]))
                np.testing.assert_allclose(found[name].posterior[target][k], expected, rtol=0, atol=CLOSE)


@settings(deadline=None, max_examples=150)
@given(asked())
def test_marginals_of_gates_are_as_the_whole_joint_distribution_says(
    question: tuple[Layers, dict[str, str], list[str]],
) -> None:
    """A query for all nodes goes the same way, alone and in a batch, to the last bit."""
    made, evidence, _ = question
    left = made.given(evidence)
    found = made.engine.query(evidence, [*made.states])
    batch = made.engine.query_batch({name: [state, state] for name, state in evidence.items()}, [*made.states])
    for name, states in made.states.items():
        expected = made.marginal(left, name) / left.sum()
        np.testing.assert_allclose([found[name][state] for state in states], expected, rtol=0, atol=CLOSE)
        for row in batch[name][: 2 if evidence else 1]:
            assert row.tolist() == [found[name][state] for state in states]


@settings(deadline=None, max_examples=150)
@given(possible_cases)
def test_any_network_and_any_evidence_give_what_each_case_of_its_own_gives(case: Case) -> None:
    """Networks without gates, and evidence of sets and likelihoods, against exact fractions."""
    network = case.network
    engine = network.engine()
    found = engine.query_each(case.given, network.states, network.states)
    total = network.mass(case.weights)
    for name, states in network.states.items():
        for k in range(len(states)):
            own = case.weights.get(name, (Fraction(1),) * len(states))
            one = tuple(weight if s == k else Fraction(0) for s, weight in enumerate(own))
            seen = {**case.weights, name: one}
            mass = network.mass(seen)
            assert found[name].probability[k] == pytest.approx(float(mass / total), rel=CLOSE)
            for target, posterior in found[name].posterior.items():
                assert posterior[k].sum() == pytest.approx(1.0 if mass else 0.0)
                if target == name and mass:
                    assert posterior[k][k] == pytest.approx(1.0)


@pytest.mark.parametrize("number", range(len(shipped_cases())))
def test_the_shipped_model_says_the_same_in_a_batch(number: int) -> None:
    """Every finding that was not observed, in every state, of every shipped patient; and the share of each state."""
    model = load_model()
    engine = model.engine
    evidence: dict[str, Observation] = dict(parse_case(dict(shipped_cases()[number].findings)).observations)
    names = [name for name in model.vocabulary.findings if name not in evidence]
    causes = [*model.vocabulary.causes]
    found = engine.query_each(evidence, names, causes)
    rows = [(name, state) for name in names for state in engine.states[name]]
    columns = {name: [seen] * len(rows) for name, seen in evidence.items()}
    columns |= {name: [state if own == name else None for own, state in rows] for name in names}
    batch = engine.run_batch(columns, causes)
    before = engine.log_evidence(evidence)
    for row, (name, state) in enumerate(rows):
        k = engine.states[name].index(state)
        share = math.exp(batch.log_evidence[row] - before)
        assert found[name].probability[k] == pytest.approx(share, rel=CLOSE)
        for cause in causes:
            np.testing.assert_allclose(found[name].posterior[cause][k], batch.posterior[cause][row], rtol=0, atol=CLOSE)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 999),
    scale=st.sampled_from([1.0, 0.1, 1e-3, 1e-6, 1e-9, 1e-13, 1e-16]),
    asked=st.sampled_from([0, 1, CAUSES]),
    seen=st.lists(st.sampled_from([True, True, False, None]), min_size=SIGNS - 1, max_size=SIGNS - 1),
)
def test_signs_are_as_the_sum_over_all_causes_says_however_rare_they_are(
    seed: int, scale: float, asked: int, seen: list[bool | None]
) -> None:
    """Whether lanes keep enough digits, or a sum or a case of its own must take over."""
    made = network(seed, scale, 1)
    known: list[bool | None] = [*seen, None]
    found = made.engine().query_each(evidence(known), made.signs, made.causes[:asked])
    before = made.expected(known)[1][0]
    for j, sign in enumerate(made.signs):
        for k, there in enumerate((False, True)):
            if known[j] not in (None, there):
                assert found[sign].probability[k] == 0
                continue
            posterior, log = made.expected([*known[:j], there, *known[j + 1 :]])
            assert found[sign].probability[k] == pytest.approx(math.exp(log[0] - before), rel=CLOSE)
            after = [found[sign].posterior[cause][k, 1] for cause in made.causes[:asked]]
            np.testing.assert_allclose(after, posterior[:asked, 0], rtol=0, atol=CLOSE)


def test_what_is_asked_wrongly_is_refused() -> None:
    """One sentence: an unknown node, or evidence that cannot be."""
    made = Layers(1, 0.3, sure=True)
    with pytest.raises(InvalidInputError, match="nobody"):
        made.engine.query_each({}, ["nobody"], ["a"])
    with pytest.raises(InvalidInputError, match="targets"):
        made.engine.query_each({}, ["g"], ["nobody"])
    impossible = Layers(1, 0.3, sure=True)
    engine = impossible.engine.replaced({"a": np.array([1.0, 0.0])})
    with pytest.raises(ImpossibleEvidenceError):
        engine.query_each({"a": "a1"}, ["g"], ["b"])
    assert engine.query_each({}, [], ["a"]) == {}
