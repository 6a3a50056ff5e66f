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
import opt_einsum  # type: ignore[import-untyped]
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

SPLIT_ON = ("level", "examination_day", "procedure", "preoperative_deficit", "unmodelled_cause")
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

    def plus(self, other: "Weighed", weight: float) -> "Weighed":
        """Return the sum of this answer and of ``weight`` times another."""
        causes = self.causes + weight * other.causes
        return Weighed(causes, self.none + weight * other.none, self.evidence + weight * other.evidence)


def from_joint(joint: Array, evidence: float) -> Weighed:
    """Return the answer from the joint of all causes, an axis of two states for each in the order of ``CAUSES``."""
    axes = range(len(CAUSES))
    causes = [joint.sum(axis=tuple(other for other in axes if other != axis))[1] for axis in axes]
    return Weighed(np.array(causes) * evidence, float(joint[(0,) * len(CAUSES)]) * evidence, evidence)


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
            only[state] = 1.0
            total = total.plus(self.ask({**evidence, name: only}), weight[state])
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

    Asked as a Markov network its answer is not normalised: the joint of the causes with the evidence.
    """

    largest = 4e8  # multiplications

    def __init__(self, networks: Sequence[Any]) -> None:
        self._networks = [(network, tables_of(network)) for network in networks]

    def card(self, name: str) -> int:
        """Return the number of states of a node."""
        return int(self._networks[0][1][name].variable_card)

    def plans(self, evidence: Likelihoods) -> list[tuple[float, _Product]]:
        """Return the factors of every shape, priced by the multiplications that pgmpy's order will take."""
        products = [_product(network, tables, evidence) for network, tables in self._networks]
        return [(_multiplications(product), product) for product in products]

    def run(self, plan: _Product) -> Weighed:
        """Let pgmpy eliminate all but the causes."""
        markov = DiscreteMarkovNetwork()
        markov.add_nodes_from({name for factor in plan.factors for name in factor.variables})
        markov.add_edges_from(pair for factor in plan.factors for pair in _pairs(factor.variables))
        markov.add_factors(*plan.factors)
        joint = VariableElimination(markov).query(list(CAUSES), evidence=dict(plan.sure), show_progress=False)
        total = float(joint.values.sum())
        order = [joint.variables.index(cause) for cause in CAUSES]
        return from_joint(joint.values.transpose(order) / total, total) if total else NOTHING


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
    kept = [number[cause] for cause in CAUSES]
    _, info = opt_einsum.contract_path(*operands, kept, optimize="greedy")
    return float(info.opt_cost) if not isinstance(info, str) else math.inf


class PyAgrum(Witness):
    """pyAgrum's lazy propagation, with the joint of the causes as its target."""

    largest = 6e7  # entries of all cliques

    def __init__(self, networks: Sequence[Any]) -> None:
        self._networks = [filled(network) for network in networks]

    def card(self, name: str) -> int:
        """Return the number of states of a node."""
        return int(self._networks[0].variable(name).domainSize())

    def plans(self, evidence: Likelihoods) -> list[tuple[float, Any]]:
        """Return an inference for every shape, priced by the size of its junction tree."""
        return [_tree(network, evidence) for network in self._networks]

    def run(self, plan: Any) -> Weighed:  # noqa: ANN401
        """Let pyAgrum pass its messages."""
        try:
            plan.makeInference()
            total = float(plan.evidenceProbability())
        except pyagrum.IncompatibleEvidence:
            return NOTHING
        joint = plan.jointPosterior(set(CAUSES))
        order = [list(reversed(joint.names)).index(cause) for cause in CAUSES]
        return from_joint(joint.toarray().transpose(order), total)


def _tree(network: Any, evidence: Likelihoods) -> tuple[float, Any]:  # noqa: ANN401
    """Return the entries of all cliques of a junction tree, and the inference that has it."""
    inference = pyagrum.LazyPropagation(network)  # type: ignore[no-untyped-call]
    inference.setEvidence({name: weight.tolist() for name, weight in evidence.items()})
    inference.addJointTarget(set(CAUSES))
    tree = inference.joinTree()
    cliques = (tree.clique(node) for node in tree.nodes())
    size = sum(math.prod(network.variable(node).domainSize() for node in clique) for clique in cliques)
    return float(size), inference


def filled(network: Any) -> Any:  # noqa: ANN401
    """Return the network as pyAgrum has it, every table set through its interface by the names of its axes."""
    copy = pyagrum.BayesNet()  # type: ignore[no-untyped-call]
    for name in network.nodes():
        states = list(network.get_cpds(name).state_names[name])
        copy.add(pyagrum.LabelizedVariable(name, name, states))  # type: ignore[no-untyped-call]
    for parent, child in network.edges():
        copy.addArc(parent, child)
    for name in network.nodes():
        table = network.get_cpds(name)
        axes = [table.variables.index(axis) for axis in reversed(copy.cpt(name).names)]
        copy.cpt(name).fillWith(np.ascontiguousarray(table.values.transpose(axes)).ravel().tolist())
    return copy
