"""How the cost grows: with the causes, with the findings that are present, and with the size of a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from pgmpy.factors.discrete import TabularCPD
from pgmpy.models import DiscreteBayesianNetwork

from rootcause.engine import compile_network
from rootcause.engine.pgmpy_networks import read_network
from rootcause.structure import CAUSES

from .cases import SEED, patients, rows_of, sample
from .peers import Pgmpy, PyAgrum, Question
from .report import OURS, PGMPY, PYAGRUM
from .timing import ALL_CORES, Answer, Array, Task, on_cores, race
from .workloads import Bench, peer_tasks, query

Curve = Mapping[str, Sequence[tuple[float, float]]]

CONTEXTS = (4, 3, 4, 5)
FINDINGS = 200
OBSERVED = 40
CAUSES_SHOWN = 20
JOINTLY = 14
"""Causes up to which a peer is asked for their joint distribution."""

STATES = ("absent", "present")


@dataclass(frozen=True, slots=True)
class Gate:
    """A noisy-OR of some causes."""

    leak: float
    links: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Contexts, causes that hang on one or two of them, and findings that are each a noisy-OR of three to eight causes.

    Attributes:
        contexts: Their distributions.
        causes: By cause, its contexts and P(present) for each of their states.
        findings: By finding, its gate.
    """

    contexts: Mapping[str, Array]
    causes: Mapping[str, tuple[tuple[str, ...], Array]]
    findings: Mapping[str, Gate]

    def network(self, *, chains: bool) -> Any:  # noqa: ANN401 - pgmpy has no types
        """Return the network with a whole table for each finding, or with a chain of links."""
        tables = [_table(name, values.reshape(-1, 1), {}) for name, values in self.contexts.items()]
        for name, (parents, present) in self.causes.items():
            evidence = {parent: len(self.contexts[parent]) for parent in parents}
            tables.append(_table(name, np.array([1 - present.ravel(), present.ravel()]), evidence))
        for name, gate in self.findings.items():
            tables += _chain(name, gate) if chains else [_whole(name, gate)]
        network = DiscreteBayesianNetwork()
        network.add_nodes_from([table.variable for table in tables])
        network.add_edges_from((parent, table.variable) for table in tables for parent in table.variables[1:])
        network.add_cpds(*tables)
        return network


def synthetic(causes: int, findings: int = FINDINGS) -> Synthetic:
    """Return a random network."""
    draw = np.random.default_rng(SEED)
    contexts = {f"context{k}": draw.dirichlet(np.full(card, 3.0)) for k, card in enumerate(CONTEXTS)}
    roots = {}
    for k in range(causes):
        parents = tuple(draw.choice(list(contexts), size=draw.integers(1, 3), replace=False).tolist())
        roots[f"cause{k}"] = (parents, draw.uniform(0.01, 0.2, [len(contexts[parent]) for parent in parents]))
    gates = {}
    for k in range(findings):
        reasons = draw.choice(list(roots), size=min(causes, int(draw.integers(3, 9))), replace=False).tolist()
        links = {reason: float(draw.uniform(0.2, 0.95)) for reason in reasons}
        gates[f"finding{k}"] = Gate(float(draw.uniform(0.01, 0.1)), links)
    return Synthetic(contexts, roots, gates)


def _table(name: str, columns: Array, parents: Mapping[str, int]) -> TabularCPD:
    states = {parent: [f"s{k}" for k in range(card)] if card > 2 else list(STATES) for parent, card in parents.items()}
    own = list(STATES) if len(columns) == 2 else [f"s{k}" for k in range(len(columns))]
    cards = list(parents.values())
    return TabularCPD(name, len(columns), columns, list(parents), cards, state_names={name: own, **states})


def _whole(name: str, gate: Gate) -> TabularCPD:
    absent = np.full([2] * len(gate.links), 1 - gate.leak)
    for axis, link in enumerate(gate.links.values()):
        shape = [1] * len(gate.links)
        shape[axis] = 2
        absent = absent * np.array([1.0, 1 - link]).reshape(shape)
    return _table(name, np.array([absent.ravel(), 1 - absent.ravel()]), dict.fromkeys(gate.links, 2))


def _chain(name: str, gate: Gate) -> list[TabularCPD]:
    tables = []
    before = ""
    for number, (cause, link) in enumerate(gate.links.items(), start=1):
        own = name if number == len(gate.links) else f"{name}_{number}"
        if not before:
            absent = np.array([1 - gate.leak, (1 - gate.leak) * (1 - link)])
            tables.append(_table(own, np.array([absent, 1 - absent]), {cause: 2}))
        else:
            absent = np.array([1.0, 1 - link, 0.0, 0.0])
            tables.append(_table(own, np.array([absent, 1 - absent]), {before: 2, cause: 2}))
        before = own
    return tables


def curves(bench: Bench, *, quick: bool) -> dict[str, Curve]:
    """Return all curves: seconds for one case."""
    return {
        f"causes ({FINDINGS} findings known, {OBSERVED} observed)": over_causes(bench, (6, 12) if quick else SIZES),
        f"findings present ({CAUSES_SHOWN} causes, {FINDINGS} findings observed)": over_present(
            bench, (0, 4) if quick else PRESENT
        ),
        "cases in a batch (shipped model)": over_batch(bench, (1, 100) if quick else BATCHES),
    }


SIZES = (6, 8, 10, 12, 16, 20, 25, 30)
PRESENT = (0, 2, 4, 8, 12, 16, 24)
BATCHES = (1, 10, 100, 1_000, 10_000)


def over_causes(bench: Bench, sizes: Sequence[int]) -> Curve:
    """Return the cost of one case for networks of more and more causes."""
    found: dict[str, list[tuple[float, float]]] = {}
    for size in sizes:
        made = synthetic(size)
        shape, tables = read_network(made.network(chains=False))
        generator = np.random.default_rng(SEED)
        drawn = sample(shape, tables.__getitem__, 1, generator)
        shown = [*made.contexts, *generator.choice(list(made.findings), OBSERVED, replace=False).tolist()]
        case = {name: shape.states[name][drawn[name][0]] for name in shown}
        _point(bench, made, case, size, found)
    return found


def over_present(bench: Bench, counts: Sequence[int]) -> Curve:
    """Return the cost of one case with all findings observed, more and more of which are present."""
    found: dict[str, list[tuple[float, float]]] = {}
    made = synthetic(CAUSES_SHOWN)
    names = np.random.default_rng(SEED).permutation(list(made.findings)).tolist()
    for count in counts:
        case = dict.fromkeys(made.contexts, "s0")
        case |= {name: STATES[int(at < count)] for at, name in enumerate(names)}
        _point(bench, made, case, count, found)
    return found


def _point(
    bench: Bench, made: Synthetic, case: Mapping[str, str], at: int, found: dict[str, list[tuple[float, float]]]
) -> None:
    """Time one case; a peer that once gave no answer in time is not asked again."""
    networks = [made.network(chains=False), made.network(chains=True)]
    engine = compile_network(networks[0])
    names = tuple(made.causes)
    question = Question(case, names, names if len(names) <= JOINTLY else ())
    ours = Task("0", partial(query, engine, question))
    limit = bench.effort.limit / 4
    questions, expected = {"0": question}, {"0": ours.run()}
    peers: dict[str, PyAgrum | Pgmpy] = {PYAGRUM: PyAgrum(networks), PGMPY: Pgmpy(networks)}
    asked = {name: peer for name, peer in peers.items() if len(found.get(name, ())) == len(found.get(OURS, ()))}
    timed = race({OURS: [ours], **peer_tasks(asked, questions, expected, limit)}, bench.rounds)
    timed.difference()
    for name, seconds in timed.seconds.items():
        found.setdefault(name, []).append((float(at), seconds))


def over_batch(bench: Bench, sizes: Sequence[int]) -> Curve:
    """Return the cost of one case in batches of more and more cases, on one core and on all."""
    columns = patients(bench.shape, bench.tables, max(sizes))
    found: dict[str, list[tuple[float, float]]] = {OURS: [], "rootcause, all cores": []}
    bench.engine.query_batch(rows_of(columns, 0, 1), CAUSES)  # warm
    for size in sizes:
        part = rows_of(columns, 0, size)

        def ask(part: Mapping[str, Any] = part) -> Answer:
            return bench.engine.query_batch(part, CAUSES)

        with_all = partial(_with_all, ask)
        tasks = {OURS: [Task("0", ask, size)], "rootcause, all cores": [Task("0", with_all, size)]}
        timed = race(tasks, dict.fromkeys(tasks, bench.effort.peer_rounds))
        for name, seconds in timed.seconds.items():
            found[name].append((float(size), seconds))
    return found


def _with_all(ask: Any) -> Answer:  # noqa: ANN401
    with on_cores(ALL_CORES):
        answer: Answer = ask()
    return answer
