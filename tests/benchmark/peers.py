"""pgmpy and pyAgrum, asked in every exact way that was found; the fastest right one of each is what counts.

Tried for every question, each in every shape of the network that there is:

* pyAgrum: lazy propagation with the causes as one joint target, lazy propagation and Shafer-Shenoy with each node as a
  target. Its variable elimination and lazy propagation without targets were never the fastest.
* pgmpy: variable elimination on the network, which it prunes itself, and on the Markov network of the factors that
  matter, which are put together before the clock starts; the causes in one joint query, the others one at a time or
  several in one joint query; for each query its fastest shape. Its belief propagation runs out of memory from ALARM on.

Which way is the fastest is found out for each question, before the clock starts. An error or a wrong answer is loud.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import opt_einsum  # type: ignore[import-untyped]
import pyagrum
from pgmpy.factors.discrete import DiscreteFactor
from pgmpy.inference import VariableElimination
from pgmpy.models import DiscreteMarkovNetwork

from witness import filled, tables_of

from .timing import Answer, Array, fastest

Run = Callable[[], Answer]

LARGEST_TREE = 5e7
"""Entries of all cliques up to which pyAgrum is asked."""

LARGEST_PRODUCT = 2e8
"""Multiplications of one query up to which pgmpy is asked: by the order of elimination that it takes itself."""

UNPRICED = 300
"""Nodes of a network from which on the search for that order takes too long to be done beforehand."""

GROUPS = (1, 6)
"""How many nodes pgmpy is asked for in one query."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to an engine.

    Attributes:
        evidence: By node, the state seen.
        targets: The nodes whose marginals are asked for.
        together: Those of them that a peer may ask for as one joint distribution.
    """

    evidence: Mapping[str, str]
    targets: tuple[str, ...]
    together: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[str, ...]:
        """The targets that are not asked for together."""
        return tuple(name for name in self.targets if name not in self.together)


class PyAgrum:
    """pyAgrum with a network in several shapes."""

    def __init__(self, networks: Sequence[Any]) -> None:
        pyagrum.setNumberOfThreads(1)
        self.networks = [filled(network) for network in networks]

    def way(self, question: Question, expected: Answer, limit: float) -> Run | None:
        """Return the fastest way to ask a question."""
        return best(self._ways(question), expected, limit)

    def _ways(self, question: Question) -> list[tuple[str, Run]]:
        lazy, shafer = pyagrum.LazyPropagation, pyagrum.ShaferShenoyInference
        found: list[tuple[str, Run]] = []
        for number, network in enumerate(self.networks):
            if question.together and _fits(network, question, together=True):
                found.append((f"pyAgrum, joint, {number}", partial(agrum_joint, network, question)))
            if _fits(network, question, together=False):
                found.append((f"pyAgrum, lazy, {number}", partial(agrum_targets, lazy, network, question)))
                found.append((f"pyAgrum, Shafer-Shenoy, {number}", partial(agrum_targets, shafer, network, question)))
        return found


def _evidence(network: Any, question: Question) -> dict[str, int]:  # noqa: ANN401
    return {name: network.variable(name).labels().index(state) for name, state in question.evidence.items()}


def _fits(network: Any, question: Question, *, together: bool) -> bool:  # noqa: ANN401
    inference = pyagrum.LazyPropagation(network)  # type: ignore[no-untyped-call]
    inference.setEvidence(_evidence(network, question))
    _aim(inference, question, together=together)
    tree = inference.joinTree()
    cliques = (tree.clique(node) for node in tree.nodes())
    sizes = (np.prod([float(network.variable(node).domainSize()) for node in clique]) for clique in cliques)
    return float(sum(sizes)) <= LARGEST_TREE


def _aim(inference: Any, question: Question, *, together: bool) -> None:  # noqa: ANN401
    if together:
        inference.addJointTarget(set(question.together))
    for name in question.others if together else question.targets:
        inference.addTarget(name)


def agrum_joint(network: Any, question: Question) -> Answer:  # noqa: ANN401
    """Ask pyAgrum with a joint target."""
    inference = pyagrum.LazyPropagation(network)  # type: ignore[no-untyped-call]
    inference.setEvidence(_evidence(network, question))
    _aim(inference, question, together=True)
    inference.makeInference()
    joint = inference.jointPosterior(set(question.together))
    answer = dict(_margins(list(reversed(joint.names)), _array(joint)))
    return answer | {name: _array(inference.posterior(name)) for name in question.others}


def agrum_targets(engine: Any, network: Any, question: Question) -> Answer:  # noqa: ANN401
    """Ask pyAgrum with single targets."""
    inference = engine(network)
    inference.setEvidence(_evidence(network, question))
    _aim(inference, question, together=False)
    inference.makeInference()
    return {name: _array(inference.posterior(name)) for name in question.targets}


def _array(tensor: Any) -> Array:  # noqa: ANN401
    values: Array = tensor.toarray()
    return values


def agrum_with_finding(network: Any, question: Question, finding: str) -> float:  # noqa: ANN401
    """Return the expected entropy after a finding, from the joint of it and the causes."""
    inference = pyagrum.LazyPropagation(network)  # type: ignore[no-untyped-call]
    inference.setEvidence(_evidence(network, question))
    both = {*question.together, finding}
    inference.addJointTarget(both)
    inference.makeInference()
    joint = inference.jointPosterior(both)
    return expected_entropy(list(reversed(joint.names)), _array(joint), finding)


def filling(empty: Any, network: Any) -> list[tuple[Any, list[float]]]:  # noqa: ANN401
    """Return the tables of a pyAgrum network, each with the numbers to fill it with."""
    found = []
    for name in network.nodes():
        table = network.get_cpds(name)
        own = empty.cpt(name)
        axes = [table.variables.index(axis) for axis in reversed(own.names)]
        found.append((own, np.ascontiguousarray(table.values.transpose(axes)).ravel().tolist()))
    return found


class Pgmpy:
    """pgmpy with a network in several shapes."""

    def __init__(self, networks: Sequence[Any]) -> None:
        self.networks = [(network, tables_of(network)) for network in networks]

    def way(self, question: Question, expected: Answer, limit: float) -> Run | None:
        """Return the fastest way to ask a question: for each group of targets the fastest query of it."""
        ways = []
        for size in GROUPS if question.others and self.few else GROUPS[:1]:
            runs = [self._way_to(group, question, expected, limit) for group in _groups(question, size)]
            if all(runs):
                ways.append((f"pgmpy, {size}", partial(merged, [run for run in runs if run])))
        return best(ways, expected, limit)

    @property
    def few(self) -> bool:
        """Whether there are so few nodes that queries are priced."""
        return len(self.networks[0][1]) < UNPRICED

    def _way_to(self, group: tuple[str, ...], question: Question, expected: Answer, limit: float) -> Run | None:
        ways: list[tuple[str, Run]] = []
        for number, (network, tables) in enumerate(self.networks):
            factors = factors_of(network, tables, question.evidence, group)
            if not self.few or price(factors, question.evidence, group) <= LARGEST_PRODUCT:
                ways.append((f"pgmpy, {number}", partial(pgmpy_network, network, question.evidence, group)))
                ways.append((f"pgmpy, Markov, {number}", partial(pgmpy_markov, factors, question.evidence, group)))
        return best(ways, {name: expected[name] for name in group}, limit)


def merged(runs: Sequence[Run]) -> Answer:
    """Run one after another and put the answers together."""
    return {name: value for run in runs for name, value in run().items()}


def price(factors: Sequence[Any], seen: Mapping[str, str], group: Sequence[str]) -> float:
    """Return the multiplications that pgmpy's order of elimination ('greedy', by opt_einsum) will take."""
    number = {name: index for index, name in enumerate(dict.fromkeys(n for f in factors for n in f.variables))}
    operands: list[Any] = []
    for factor in factors:
        left = [name for name in factor.variables if name not in seen]
        cards = factor.get_cardinality(left)
        operands += [np.broadcast_to(1.0, [cards[name] for name in left]), [number[name] for name in left]]
    _, info = opt_einsum.contract_path(*operands, [number[name] for name in group], optimize="greedy")
    return math.inf if isinstance(info, str) else float(info.opt_cost)


def _groups(question: Question, size: int) -> Iterator[tuple[str, ...]]:
    if question.together:
        yield question.together
    for start in range(0, len(question.others), size):
        yield question.others[start : start + size]


def factors_of(network: Any, tables: Mapping[str, Any], seen: Mapping[str, str], group: Sequence[str]) -> list[Any]:  # noqa: ANN401
    """Return the factors that matter to some targets."""
    return [tables[name].to_factor() for name in network.get_ancestral_graph([*seen, *group]).nodes()]


def pgmpy_network(network: Any, seen: Mapping[str, str], group: Sequence[str]) -> Answer:  # noqa: ANN401
    """Ask pgmpy for some targets."""
    joint = VariableElimination(network).query(list(group), evidence=dict(seen), show_progress=False)
    return dict(_margins(joint.variables, joint.values))


def pgmpy_markov(factors: Sequence[Any], seen: Mapping[str, str], group: Sequence[str]) -> Answer:
    """Ask pgmpy for some targets, from the factors that matter to them."""
    joint = markov_joint(factors, seen, group)
    return dict(_margins(joint.variables, joint.values))


def markov_joint(factors: Sequence[Any], evidence: Mapping[str, str], group: Sequence[str]) -> DiscreteFactor:
    """Return the joint of some targets, not normalised."""
    markov = DiscreteMarkovNetwork()
    names = [factor.variables for factor in factors]
    markov.add_nodes_from({name for scope in names for name in scope})
    markov.add_edges_from((a, b) for scope in names for index, a in enumerate(scope) for b in scope[index + 1 :])
    markov.add_factors(*factors)
    return VariableElimination(markov).query(list(group), evidence=dict(evidence), show_progress=False)


def pgmpy_with_finding(factors: Sequence[Any], question: Question, finding: str) -> float:
    """Return the expected entropy after a finding, from the joint of it and the causes."""
    joint = markov_joint(factors, question.evidence, (*question.together, finding))
    return expected_entropy(joint.variables, joint.values, finding)


def _margins(names: Sequence[str], joint: Array) -> Iterator[tuple[str, Array]]:
    """Yield the marginal of each axis of a joint distribution."""
    total = joint.sum()
    while len(names) > 1:  # halves of halves: cheaper than one sum over everything for each axis
        middle = len(names) // 2
        yield from _margins(names[:middle], joint.sum(axis=tuple(range(middle, len(names)))))
        names, joint = names[middle:], joint.sum(axis=tuple(range(middle)))
    yield names[0], joint / total


def expected_entropy(names: Sequence[str], joint: Array, finding: str) -> float:
    """Return the expected sum of the entropies of all other axes, given one."""
    at = list(names).index(finding)
    rest = [name for name in names if name != finding]
    total = float(joint.sum())
    parts = [part for part in np.moveaxis(joint, at, 0) if part.sum() > 0]
    return sum(float(part.sum()) / total * entropy(dict(_margins(rest, part)).values()) for part in parts)


def entropy(margins: Any) -> float:  # noqa: ANN401 - arrays, in any collection
    """Return the sum of the entropies of some distributions, in bits."""
    values = np.concatenate([np.ravel(margin) for margin in margins])
    values = values[values > 0]
    return float(-(values * np.log2(values)).sum())


def best(ways: Sequence[tuple[str, Run]], expected: Answer, limit: float) -> Run | None:
    """Return the fastest way to the right answer; ``None`` if none gets there in time."""
    at = fastest(ways, expected, limit)
    return None if at is None else ways[at][1]
