"""The discrete networks that pgmpy ships, against pyAgrum; and numbers that others published for them."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np
import pyagrum
import pytest
from pgmpy.readwrite import BIFReader

from bif import Bif, read, shipped, text_of
from rootcause.engine import Engine, Observation, compile_network
from rootcause.errors import ModelTooLargeError
from witness import filled

CLOSE = 1e-9
SEED = 20_261_121
SHARE_SEEN = 0.2
LARGEST_TREE = 3e7
"""Entries of all cliques of a junction tree that pyAgrum is asked to fill."""

FEW = 30
"""Targets that are asked one by one where nothing is observed, so that pyAgrum has only their ancestors to carry."""

NETWORKS = [
    *("alarm", "andes", "asia", "barley", "cancer", "child", "diabetes", "earthquake", "hailfinder", "hepar2"),
    *("insurance", "link", "mildew", "munin", "munin1", "munin2", "munin3", "munin4", "pathfinder", "pigs", "sachs"),
    *("survey", "water", "win95pts"),
]

REFUSED = {"link": "1.07e+03 MB", "munin1": "269 MB"}
"""Networks whose most probable explanation is refused with nothing observed, with the size; no other question is."""

CHAINS = {"andes"}
"""Networks with chains of links: their inner nodes are no nodes of the gate that the engine makes of them."""


@dataclass(frozen=True)
class Pair:
    """A network in the engine and in pyAgrum."""

    network: Bif
    engine: Engine
    witness: Any


@cache
def pair(name: str) -> Pair:
    """Return a network from pgmpy's wheel, compiled, and filled into pyAgrum."""
    network = read(name)
    return Pair(network, compile_network(network), filled(network))


def worlds(network: Bif, generator: np.random.Generator) -> Iterator[dict[str, int]]:
    """Yield the number of a state for every node, drawn from the top of the network down."""
    graph = nx.DiGraph()
    graph.add_nodes_from(network.nodes())
    graph.add_edges_from(network.edges())
    order = list(nx.topological_sort(graph))
    while True:
        drawn: dict[str, int] = {}
        for name in order:
            table = network.get_cpds(name)
            at: Any = (slice(None), *(drawn[parent] for parent in table.variables[1:]))
            column = table.values[at]
            drawn[name] = int(generator.choice(len(column), p=column))
        yield drawn


def possible_evidence(network: Bif, generator: np.random.Generator) -> Iterator[dict[str, Observation]]:
    """Yield what a drawn world shows: one node in five, and one as a set of two states, and one as likelihoods."""
    states = {name: network.get_cpds(name).state_names[name] for name in network.nodes()}
    for world in worlds(network, generator):
        names: list[str] = generator.permutation(network.nodes()).tolist()
        count = max(1, int(SHARE_SEEN * len(names)))
        seen, rest = names[:count], names[count:]
        evidence: dict[str, Observation] = {name: states[name][world[name]] for name in seen}
        in_two = max(rest, key=lambda name: len(states[name]) > 2)
        rest.remove(in_two)
        others = [state for number, state in enumerate(states[in_two]) if number != world[in_two]]
        evidence[in_two] = [states[in_two][world[in_two]], *generator.choice(others, 1).tolist()]
        blurred = states[rest[0]]
        evidence[rest[0]] = dict(zip(blurred, generator.uniform(0.1, 1, len(blurred)).tolist(), strict=True))
        yield evidence


def asked(both: Pair, evidence: dict[str, Observation]) -> Any:  # noqa: ANN401
    """Return pyAgrum's inference, given evidence as likelihoods."""
    inference = pyagrum.LazyPropagation(both.witness)  # type: ignore[no-untyped-call]
    inference.setEvidence({name: weight.tolist() for name, weight in both.engine.weights(evidence).items()})
    return inference


def tree_of(both: Pair, inference: Any) -> float:  # noqa: ANN401
    """Return the entries of all cliques of pyAgrum's junction tree."""
    tree = inference.joinTree()
    cliques = (tree.clique(node) for node in tree.nodes())
    return float(sum(math.prod(both.witness.variable(node).domainSize() for node in clique) for clique in cliques))


def furthest(found: dict[str, dict[str, float]], inference: Any) -> float:  # noqa: ANN401
    """Return the largest difference to pyAgrum's marginals."""
    return max(
        float(np.abs(inference.posterior(name).toarray() - list(row.values())).max()) for name, row in found.items()
    )


def test_every_network_in_the_wheel_is_tried() -> None:
    """A network that pgmpy adds does not go unnoticed."""
    assert sorted(shipped()) == NETWORKS


@pytest.mark.parametrize("name", ["asia", "alarm", "sachs", "insurance", "hepar2"])
def test_the_quick_reader_reads_what_pgmpy_reads(name: str) -> None:
    """The same nodes, parents, states and numbers, but for the rounding of columns that do not sum to 1."""
    own, other = read(name), BIFReader(string=text_of(name)).get_model()
    assert set(own.nodes()) == set(other.nodes())
    for node in own.nodes():
        mine, theirs = own.get_cpds(node), other.get_cpds(node)
        assert list(mine.variables) == theirs.variables
        assert {name: list(states) for name, states in mine.state_names.items()} == theirs.state_names
        np.testing.assert_allclose(mine.values, theirs.values, rtol=0, atol=own.rounding + 1e-15)


@pytest.mark.parametrize("name", NETWORKS)
def test_marginals_and_log_evidence_are_those_of_pyagrum(name: str) -> None:
    """All unobserved nodes, with states, a set and likelihoods observed, in cases whose tree pyAgrum can carry."""
    both = pair(name)
    generator = np.random.default_rng(SEED)
    count = 10 if len(both.network.nodes()) < 100 else 3
    cases = (
        (evidence, inference)
        for evidence in possible_evidence(both.network, generator)
        if tree_of(both, inference := asked(both, evidence)) < LARGEST_TREE
    )
    for evidence, inference in islice(cases, count):
        inference.makeInference()
        found = both.engine.query(evidence)
        assert set(found) == set(both.network.nodes()) - set(evidence)
        assert furthest(found, inference) < CLOSE
        expected = math.log(inference.evidenceProbability())
        assert both.engine.log_evidence(evidence) == pytest.approx(expected, rel=CLOSE, abs=CLOSE)


@pytest.mark.parametrize("name", NETWORKS)
def test_priors_are_those_of_pyagrum(name: str) -> None:
    """With nothing observed all nodes are asked at once; pyAgrum is asked for some, each with its ancestors alone."""
    both = pair(name)
    assert both.engine.log_evidence({}) == pytest.approx(0, abs=CLOSE)
    found = both.engine.query({})
    assert set(found) == set(both.network.nodes())
    names: list[str] = np.random.default_rng(SEED).permutation(both.network.nodes())[:FEW].tolist()
    for node in names:
        inference = asked(both, {})
        inference.eraseAllTargets()
        inference.addTarget(node)
        assert tree_of(both, inference) < LARGEST_TREE
        assert furthest({node: found[node]}, inference) < CLOSE


@pytest.mark.parametrize("name", NETWORKS)
def test_a_batch_of_different_patterns_is_its_cases_to_the_last_bit(name: str) -> None:
    """Each row has its own pattern of states, sets and likelihoods, and is answered as if it were alone."""
    both = pair(name)
    rows = list(islice(possible_evidence(both.network, np.random.default_rng(SEED)), 3))
    columns = {node: [row.get(node) for row in rows] for node in both.network.nodes()}
    targets = both.network.nodes()[:5]
    found = both.engine.query_batch(columns, targets)
    inside = name in CHAINS  # a column for what is inside of a gate is answered without gates, a case alone with them
    for number, row in enumerate(rows):
        alone = both.engine.query(row, targets)
        for node in targets:
            expected = list(alone[node].values())
            assert found[node][number].tolist() == (pytest.approx(expected, abs=1e-15) if inside else expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_drawn_world_is_likelier_than_the_most_probable_explanation(name: str) -> None:
    """Its logarithm is the sum over all tables at its states; the networks that are too large are known."""
    both = pair(name)
    if name in REFUSED:
        with pytest.raises(ModelTooLargeError, match=rf"may take 250 MB, got {re.escape(REFUSED[name])} over "):
            both.engine.most_probable({})
        return
    best = both.engine.most_probable({})
    states = {node: both.network.get_cpds(node).state_names[node] for node in both.network.nodes()}
    own = {node: states[node].index(state) for node, state in best.states.items()}
    assert log_of(both.network, own) == pytest.approx(best.log_probability, rel=CLOSE)
    for world in islice(worlds(both.network, np.random.default_rng(SEED)), 20):
        assert log_of(both.network, world) <= best.log_probability + CLOSE


def log_of(network: Bif, world: dict[str, int]) -> float:
    """Return the logarithm of the probability of a world."""
    tables = (network.get_cpds(name) for name in network.nodes())
    return sum(math.log(table.values[tuple(world[name] for name in table.variables)]) for table in tables)


# ---- published numbers ----------------------------------------------------------------------------------------------


@cache
def as_in_pgmpy(name: str) -> Engine:
    """Return a network as pgmpy's own reader has it, columns rounded as in the file."""
    return compile_network(BIFReader(string=text_of(name)).get_model())


ALARM = {"HRBP": "HIGH", "CVP": "LOW", "BP": "LOW"}
HEPAR = {"sex": "female", "itching": "present", "ama": "present", "alt": "a199_100"}
SEEN: list[tuple[str, dict[str, str], dict[str, dict[str, float]]]] = [
    (
        "alarm",
        ALARM,
        {
            "HYPOVOLEMIA": {"TRUE": 0.15198012991298537},
            "LVFAILURE": {"TRUE": 0.5725208462556084},
            "ANAPHYLAXIS": {"TRUE": 0.019867168765171132},
            "KINKEDTUBE": {"TRUE": 0.04054326769592077},
            "PULMEMBOLUS": {"TRUE": 0.010051661816874958},
        },
    ),
    (
        "alarm",
        {},
        {
            "HYPOVOLEMIA": {"TRUE": 0.2},
            "CVP": {"LOW": 0.114341, "NORMAL": 0.731104, "HIGH": 0.154555},
            "BP": {"LOW": 0.3899930877293073, "NORMAL": 0.20470776251984765, "HIGH": 0.40529914975084497},
            "HRBP": {"LOW": 0.17602605960060663, "NORMAL": 0.06057554477617554, "HIGH": 0.7633983956232178},
        },
    ),
    (
        "hepar2",
        HEPAR,
        {
            "PBC": {"present": 0.9887048969045185},
            "Cirrhosis": {
                "decompensate": 0.04015533679200593,
                "compensate": 0.019264875640517938,
                "absent": 0.9405797875674762,
            },
            "ChHepatitis": {
                "active": 0.15769383121787806,
                "persistent": 0.03969716115811024,
                "absent": 0.8026090076240117,
            },
            "Steatosis": {"present": 0.058320592205240954},
            "RHepatitis": {"present": 0.030933725441864016},
            "THepatitis": {"present": 0.02157040291330203},
            "Hyperbilirubinemia": {"present": 0.031096668989074417},
        },
    ),
    (
        "asia",
        {},
        {
            "asia": {"yes": 0.01},
            "bronc": {"yes": 0.45},
            "dysp": {"yes": 0.4359706},
            "either": {"yes": 0.064828},
            "lung": {"yes": 0.055},
            "smoke": {"yes": 0.5},
            "tub": {"yes": 0.0104},
            "xray": {"yes": 0.11029004},
        },
    ),
]


@pytest.mark.parametrize(
    ("name", "evidence", "expected"), SEEN, ids=["alarm", "alarm, nothing seen", "hepar2", "asia, nothing seen"]
)
def test_posteriors_known_of_a_network(
    name: str, evidence: dict[str, str], expected: dict[str, dict[str, float]]
) -> None:
    """ALARM (Beinlich 1989), Hepar II (Oniśko 2001) and Asia: what pgmpy, pyAgrum and a plain contraction agree on."""
    found = as_in_pgmpy(name).query(evidence, expected)
    got = {node: {state: found[node][state] for state in row} for node, row in expected.items()}
    for node, row in expected.items():
        assert got[node] == pytest.approx(row, abs=CLOSE)


@pytest.mark.parametrize(
    ("name", "evidence", "expected"),
    [("alarm", ALARM, 0.04398783437893708), ("hepar2", HEPAR, 0.016847662846521456)],
    ids=["alarm", "hepar2"],
)
def test_probability_of_evidence_known_of_a_network(name: str, evidence: dict[str, str], expected: float) -> None:
    """P(evidence) of the posteriors above, from a plain contraction."""
    assert math.exp(as_in_pgmpy(name).log_evidence(evidence)) == pytest.approx(expected, rel=CLOSE)


def test_a_posterior_of_hailfinder() -> None:
    """P(AMCINInScen = Average | VISCloudCov = Clear), printed in the example of YODO (Ballester-Ripoll & Leonelli)."""
    found = as_in_pgmpy("hailfinder").query({"VISCloudCov": "Clear"}, ["AMCINInScen"])
    assert found["AMCINInScen"]["Average"] == pytest.approx(0.43215278834, abs=1e-11)


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        (0, (0.032, 0.0167, 0.0141, 0.0282, 0.01, 0.0299)),
        (1, (0.0342, 0.0189, 0.0156, 0.0311, 0.0108, 0.032)),
        (2, (0.0112, 0.0046, 0.0031, 0.0061, 0.0019, 0.006)),
        (10, (0.0122, 0.0047, 0.003, 0.006, 0.0019, 0.0065)),
    ],
    ids="ABCK",
)
def test_sensitivities_of_hailfinder(scenario: int, expected: tuple[float, ...]) -> None:
    """How that posterior moves with P(Scenario | Date), the rest of a column in proportion: YODO, to four digits."""
    engine = as_in_pgmpy("hailfinder")
    slopes = engine.gradient({"VISCloudCov": "Clear"}, "AMCINInScen", "Average")["Scenario"]
    columns = np.moveaxis(read("hailfinder").get_cpds("Scenario").values, 0, -1)
    rest = np.delete(columns * slopes, scenario, axis=-1).sum(axis=-1) / (1 - columns[:, scenario])
    assert np.abs(slopes[:, scenario] - rest).tolist() == pytest.approx(expected, abs=5.1e-5)


def test_interventions_in_asia() -> None:
    """P(dysp | do(smoke)), and P(lung | do(bronc), dysp), which is less than if bronchitis had been seen."""
    engine = as_in_pgmpy("asia")
    assert engine.query({}, ["dysp"], do={"smoke": "yes"})["dysp"]["yes"] == pytest.approx(0.552808, abs=CLOSE)
    done = engine.query({"dysp": "yes"}, ["lung"], do={"bronc": "yes"})["lung"]["yes"]
    seen = engine.query({"dysp": "yes", "bronc": "yes"}, ["lung"])["lung"]["yes"]
    assert (done, seen) == pytest.approx((0.06137762640443169, 0.07797346228906324), abs=CLOSE)


def test_the_slope_of_asia() -> None:
    """P(lung | xray, dysp) in P(smoke): .3219783901 at one half, the other column falling as the first one rises."""
    slopes = as_in_pgmpy("asia").gradient({"xray": "yes", "dysp": "yes"}, "lung", "yes")["smoke"]
    states = as_in_pgmpy("asia").states["smoke"]
    slope = slopes[states.index("yes")] - slopes[states.index("no")]
    assert slope == pytest.approx(0.32197839010323476, abs=CLOSE)


@pytest.mark.parametrize(
    ("evidence", "present", "joint"),
    [
        ({"dysp": "yes", "asia": "yes", "smoke": "no"}, {"asia", "bronc", "dysp"}, 0.00107217),
        (
            dict.fromkeys(["asia", "smoke", "xray", "dysp"], "yes"),
            {"asia", "smoke", "xray", "dysp", "bronc", "lung", "either"},
            0.00025137,
        ),
        ({"dysp": "yes"}, {"bronc", "dysp", "smoke"}, 0.20111652),
    ],
    ids=["dysp asia no smoke", "all four", "dysp"],
)
def test_most_probable_explanations_of_asia(evidence: dict[str, str], present: set[str], joint: float) -> None:
    """The states of all eight nodes and their probability, as pyAgrum has them."""
    found = as_in_pgmpy("asia").most_probable(evidence)
    assert {name for name, state in found.states.items() if state == "yes"} == present
    assert math.exp(found.log_probability) == pytest.approx(joint, rel=CLOSE)
