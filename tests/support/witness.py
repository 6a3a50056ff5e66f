"""Two engines that others wrote, asked about the shipped network: pgmpy and pyAgrum.

Neither merges states nor drops what the evidence rules out, and both get slow or run out of memory where an order of
elimination is unlucky. So each is given the same network in three shapes (``build`` with chains of many small links or
of few large ones), takes the one in which its own plan is the cheapest, and where even that is too large it is asked
once for each state of a variable that nobody observed, and the answers are added up.

pyAgrum is filled through its interface: its readers of files keep single precision.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import opt_einsum
import pyagrum
from numpy.typing import NDArray
from pgmpy.factors.discrete import DiscreteFactor
from pgmpy.inference import VariableElimination
from pgmpy.models import DiscreteMarkovNetwork

from rootcause.model import Model
from rootcause.network import to_pgmpy
from rootcause.structure import CAUSES, build
from rootcause.uncertainty import points

Array = NDArray[np.float64]
Likelihoods = Mapping[str, Array]
"""By node, a likelihood for each state."""

COLUMNS = (1, 16)
"""Shapes of the network beside the one that ``model.network`` has."""

SPLIT_ON = ("level", "examination_day", "procedure", "unmodelled_cause", "slow_nerve_recovery", "epidural_hematoma")
"""Variables to take state by state, in this order, where a plan is too large."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a witness says, times P(evidence).

    Attributes:
        causes: P(cause present, evidence), in the order of ``CAUSES``.
        none: P(no cause present, evidence).
        evidence: P(evidence).
    """

    causes: Array
    none: float
    evidence: float

    def __add__(self, other: "Weighed") -> "Weighed":
        return Weighed(self.causes + other.causes, self.none + other.none, self.evidence + other.evidence)


NOTHING = Weighed(np.zeros(len(CAUSES)), 0.0, 0.0)


def shapes_of(model: Model) -> list[Any]:
    """Return the network of a model in several shapes, the one that it hands out first."""
    numbers = points(model.priors.parameters)
    return [model.network, *(to_pgmpy(build(columns), numbers) for columns in COLUMNS)]


def likelihoods(states: Mapping[str, Sequence[str]], case: Mapping[str, Any]) -> dict[str, Array]:
    """Return a case of states, lists of states and tables as one likelihood for each state, the largest being 1.

    Args:
        states: States of every node, in the order of the network.
        case: What was found.
    """
    found: dict[str, Array] = {}
    for name, value in case.items():
        allowed = {value: 1.0} if isinstance(value, str) else value
        table = allowed if isinstance(allowed, Mapping) else dict.fromkeys(allowed, 1.0)
        weight = np.array([float(table.get(state, 0.0)) for state in states[name]])
        found[name] = weight / weight.max()
    return found


class Witness(ABC):
    """An engine with the network in several shapes."""

    largest: float
    """What the price of a plan may be before the question is split."""

    def ask(self, evidence: Likelihoods) -> Weighed:
        """Return the answer to evidence, however large the question is."""
        plans = self.plans(evidence)
        price, plan = min(plans, key=lambda item: item[0])
        left = [name for name in SPLIT_ON if np.count_nonzero(evidence.get(name, np.ones(2))) > 1]
        if price <= self.largest or not left:
            return self.run(plan)
        name = left[0]
        weight = evidence.get(name, np.ones(self.card(name)))
        total = NOTHING
        for state in np.flatnonzero(weight):
            only = np.zeros(len(weight))
            only[state] = weight[state]
            total += self.ask({**evidence, name: only})
        return total

    @abstractmethod
    def card(self, name: str) -> int:
        """Return the number of states of a node."""

    @abstractmethod
    def plans(self, evidence: Likelihoods) -> Sequence[tuple[float, Any]]:
        """Return plans with their prices."""

    @abstractmethod
    def run(self, plan: Any) -> Weighed:  # noqa: ANN401
        """Run a plan."""


@dataclass(frozen=True, slots=True)
class _Product:
    """Factors of a question for pgmpy."""

    factors: tuple[Any, ...]
    sure: Mapping[str, str]


class Pgmpy(Witness):
    """pgmpy's variable elimination.

    Asked as a Markov network its answer is not normalised: the joint of the causes with the evidence, and so P(evidence).
    """

    largest = 4e8  # multiplications

    def __init__(self, networks: Sequence[Any]) -> None:
        self._networks = [(network, tables_of(network)) for network in networks]

    def card(self, name: str) -> int:
        return int(self._networks[0][1][name].variable_card)

    def plans(self, evidence: Likelihoods) -> list[tuple[float, _Product]]:
        products = [_product(network, tables, evidence) for network, tables in self._networks]
        return [(_multiplications(product), product) for product in products]

    def run(self, plan: _Product) -> Weighed:
        markov = DiscreteMarkovNetwork()
        markov.add_nodes_from({name for factor in plan.factors for name in factor.variables})
        markov.add_edges_from(pair for factor in plan.factors for pair in _pairs(factor.variables))
        markov.add_factors(*plan.factors)
        free = [cause for cause in CAUSES if cause not in plan.sure]  # pgmpy wants no evidence among the variables asked
        joint = VariableElimination(markov).query(free, evidence=dict(plan.sure), show_progress=False)
        total = float(joint.values.sum())
        causes = np.zeros(len(CAUSES))
        for index, cause in enumerate(CAUSES):
            if cause in plan.sure:
                causes[index] = total if plan.sure[cause] == "present" else 0.0
            else:
                others = [other for other in free if other != cause]
                causes[index] = joint.marginalize(others, inplace=False).values[1]
        nobody = all(plan.sure.get(cause, "absent") == "absent" for cause in CAUSES)
        return Weighed(causes, float(joint.values[(0,) * len(free)]) if nobody else 0.0, total)


def tables_of(network: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the tables of a network by name: pgmpy looks through all of them for each."""
    return {table.variable: table for table in network.get_cpds()}


def _product(network: Any, tables: Mapping[str, Any], evidence: Likelihoods) -> _Product:  # noqa: ANN401
    """Return the factors that matter to the causes and the evidence; pgmpy leaves the others out."""
    needed = network.get_ancestral_graph([*evidence, *CAUSES]).nodes()
    factors = [tables[name].to_factor() for name in needed]
    sure = {}
    for name, weight in evidence.items():
        states = tables[name].state_names[name]
        factors.append(DiscreteFactor([name], [len(states)], weight, {name: states}))
        if np.count_nonzero(weight) == 1:
            sure[name] = states[int(np.argmax(weight))]
    return _Product(tuple(factors), sure)


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((a, b) for index, a in enumerate(names) for b in names[index + 1 :])


def _multiplications(product: _Product) -> float:
    """Return what the order of pgmpy ('greedy', by opt_einsum) will cost."""
    number = {name: index for index, name in enumerate(dict.fromkeys(n for f in product.factors for n in f.variables))}
    operands: list[Any] = []
    for factor in product.factors:
        open_ = [name for name in factor.variables if name not in product.sure]
        shape = tuple(factor.get_cardinality(open_)[name] for name in open_)
        operands += [np.broadcast_to(1.0, shape), [number[name] for name in open_]]
    kept = [number[cause] for cause in CAUSES if cause not in product.sure]
    _, info = opt_einsum.contract_path(*operands, kept, optimize="greedy")
    return float(info.opt_cost) if not isinstance(info, str) else math.inf


class PyAgrum(Witness):
    """pyAgrum's Shafer-Shenoy inference."""

    largest = 3e7  # entries of the largest clique

    def __init__(self, networks: Sequence[Any]) -> None:
        self._networks = [_filled(network) for network in networks]

    def card(self, name: str) -> int:
        return int(self._networks[0].variable(name).domainSize())

    def plans(self, evidence: Likelihoods) -> list[tuple[float, Any]]:
        return [self._plan(network, evidence) for network in self._networks]

    def _plan(self, network: Any, evidence: Likelihoods) -> tuple[float, Any]:  # noqa: ANN401
        inference = pyagrum.ShaferShenoyInference(network)
        inference.setEvidence({name: weight.tolist() for name, weight in evidence.items()})
        inference.setTargets(set(CAUSES))
        tree = inference.joinTree()
        cliques = (tree.clique(node) for node in tree.nodes())
        size = max(math.prod(network.variable(node).domainSize() for node in clique) for clique in cliques)
        return float(size), (network, evidence, inference)

    def run(self, plan: Any) -> Weighed:  # noqa: ANN401
        network, evidence, inference = plan
        inference.makeInference()
        total = float(inference.evidenceProbability())
        causes = np.array([inference.posterior(cause).toarray()[1] for cause in CAUSES]) * total
        absent = {cause: np.array([1.0, 0.0]) * evidence.get(cause, np.ones(2)) for cause in CAUSES}
        if not all(weight.any() for weight in absent.values()):
            return Weighed(causes, 0.0, total)
        nobody = pyagrum.ShaferShenoyInference(network)
        nobody.setEvidence({name: weight.tolist() for name, weight in {**evidence, **absent}.items()})
        nobody.makeInference()
        return Weighed(causes, float(nobody.evidenceProbability()), total)


def _filled(network: Any) -> Any:  # noqa: ANN401
    """Return the network as pyAgrum has it, every table set through its interface by the names of its axes."""
    copy = pyagrum.BayesNet()
    for name in network.nodes():
        copy.add(pyagrum.LabelizedVariable(name, name, list(network.get_cpds(name).state_names[name])))
    for parent, child in network.edges():
        copy.addArc(parent, child)
    for name in network.nodes():
        table = network.get_cpds(name)
        axes = [table.variables.index(axis) for axis in reversed(copy.cpt(name).names)]
        copy.cpt(name).fillWith(np.ascontiguousarray(table.values.transpose(axes)).ravel().tolist())
    return copy
