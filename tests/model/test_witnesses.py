"""The shipped network against two engines that others wrote: all posteriors, none of these, and P(evidence)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pytest
from pgmpy.inference import VariableElimination

from rootcause import Model, load_model
from rootcause.case import parse_case
from rootcause.diagnosis import posterior
from rootcause.errors import ImpossibleEvidenceError
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary
from witness import Pgmpy, PyAgrum, Weighed, Witness, likelihoods, shapes_of, tables_of

CASES = {"seed": 300, "literature": 30}
"""How many random cases for each rate set."""

SEED = 20_261_121
CONTEXT_KNOWN = 0.8
CLOSE = 1e-9
Findings = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What Rootcause says of the random cases of a rate set.

    Attributes:
        network: The network of the model.
        shapes: The same network in several shapes.
        answers: Each case with the posterior of every cause, that of none of them, and ln P(evidence).
        impossible: The cases that were refused.
    """

    network: Any
    shapes: list[Any]
    answers: list[tuple[Findings, np.ndarray[Any, np.dtype[np.float64]], float, float]]
    impossible: list[Findings]


def patients(network: Any, generator: np.random.Generator) -> Iterator[dict[str, str]]:  # noqa: ANN401
    """Yield a state for every node, drawn from the top of the network down."""
    tables = tables_of(network)
    order = list(nx.topological_sort(network))
    while True:
        drawn: dict[str, int] = {}
        for name in order:
            column = tables[name].values[(slice(None), *(drawn[parent] for parent in tables[name].variables[1:]))]
            drawn[name] = int(generator.choice(len(column), p=column / column.sum()))
        yield {name: tables[name].state_names[name][state] for name, state in drawn.items()}


def random_cases(network: Any, generator: np.random.Generator) -> Iterator[Findings]:  # noqa: ANN401
    """Yield cases: what a drawn patient shows, with some findings at random, some as sets, some as likelihoods."""
    vocabulary = load_vocabulary()
    for patient in patients(network, generator):
        many = generator.random() < 0.3
        count = generator.integers(1, len(vocabulary.findings) + 1) if many else generator.integers(1, 16)
        contexts = [name for name in vocabulary.contexts if generator.random() < CONTEXT_KNOWN]
        findings = generator.choice(list(vocabulary.findings), size=count, replace=False).tolist()
        case: Findings = {}
        for name in (*contexts, *findings):
            states = vocabulary.observable[name].states
            at_random = states[generator.integers(len(states))]
            kind = generator.random()
            if kind < 0.8:
                case[name] = patient[name]
            elif kind < 0.9:
                case[name] = at_random
            elif kind < 0.95:
                case[name] = sorted({patient[name], at_random})
            else:
                case[name] = dict(zip(states, generator.random(len(states)).tolist(), strict=True))
        yield case


def ask(model: Model, count: int) -> Told:
    """Ask a model about random cases until it has answered ``count`` of them."""
    told = Told(model.network, shapes_of(model), [], [])
    for case in random_cases(model.network, np.random.default_rng(SEED)):
        try:
            answer = posterior(model.engine, parse_case(case))
        except ImpossibleEvidenceError:
            told.impossible.append(case)
            continue
        causes = np.array([answer.causes[cause][0] for cause in CAUSES])
        told.answers.append((case, causes, float(answer.none[0]), float(answer.log_evidence[0])))
        if len(told.answers) == count:
            break
    return told


@pytest.fixture(scope="module")
def seed() -> Told:
    """Cases of the seed's rates."""
    return ask(load_model(), CASES["seed"])


@pytest.fixture(scope="module")
def literature() -> Told:
    """Cases of the literature's rates."""
    return ask(load_model(rates="literature"), CASES["literature"])


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """The cases of a rate set, by its name."""
    result: Told = request.getfixturevalue(request.param)
    return result


def disagreement(witness: Witness, told: Told) -> list[str]:
    """Return a line for each case in which a witness says something else."""
    offenders = []
    for case, causes, none, log_evidence in told.answers:
        said: Weighed = witness.ask(likelihoods(told.network.states, case))
        found = np.array([*causes, none, log_evidence])
        expected = np.array([*said.causes / said.evidence, said.none / said.evidence, np.log(said.evidence)])
        worst = int(np.argmax(np.abs(found - expected)))
        if not np.abs(found - expected).max() <= CLOSE:
            where = (*CAUSES, "none", "log evidence")[worst]
            offenders.append(f"{where}: {found[worst]!r}, witness {expected[worst]!r}: {case}")
    return offenders


@pytest.mark.parametrize("told", list(CASES), indirect=True)
@pytest.mark.parametrize("witness", [Pgmpy, PyAgrum], ids=["pgmpy", "pyagrum"])
def test_the_witness_agrees(witness: type[Pgmpy | PyAgrum], told: Told) -> None:
    """Every cause, none of them and ln P(evidence) agree to 1e-9 in every case."""
    offenders = disagreement(witness(told.shapes), told)
    assert not offenders, "\n".join([f"{len(offenders)} of {len(told.answers)}", *offenders[:10]])


def test_the_plain_query_of_pgmpy_agrees(seed: Told) -> None:
    """Pgmpy asked as its manual shows, one cause at a time on the network as it is handed out, says the same."""
    engine = VariableElimination(seed.network)
    plain = [row for row in seed.answers if all(isinstance(value, str) for value in row[0].values())]
    complete = [row for row in plain if set(load_vocabulary().contexts) <= set(row[0]) and len(row[0]) < 15][:10]
    assert len(complete) == 10
    offenders = [
        (cause, case)
        for case, causes, _, _ in complete
        for cause, mean in zip(CAUSES, causes, strict=True)
        if abs(engine.query([cause], evidence=case, show_progress=False).get_value(**{cause: "present"}) - mean) > CLOSE
    ]
    assert not offenders


def test_what_is_refused_is_impossible(seed: Told) -> None:
    """The witness gives probability zero to every case that was refused."""
    witness = PyAgrum(seed.shapes)
    assert seed.impossible
    states = seed.network.states
    offenders = [case for case in seed.impossible if witness.ask(likelihoods(states, case)).evidence > 0]
    assert not offenders


def test_the_cases_are_varied(seed: Told) -> None:
    """At least 300 cases: every state of every finding, sets and likelihoods, few findings and many."""
    assert len(seed.answers) >= 300
    mentioned = {
        (name, state)
        for case, *_ in seed.answers
        for name, value in case.items()
        for state in ([value] if isinstance(value, str) else value)
    }
    known = {(name, state) for name, item in load_vocabulary().observable.items() for state in item.states}
    sizes = [len(case) for case, *_ in seed.answers]
    kinds = {type(value) for case, *_ in seed.answers for value in case.values()}
    assert mentioned == known
    assert kinds == {str, list, dict}
    assert (min(sizes) <= 5, max(sizes) >= 40) == (True, True)
