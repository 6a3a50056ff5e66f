"""The workloads: what is asked of all three engines, and how often."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any

import numpy as np

from rootcause import Model, load_model
from rootcause.diagnosis import DRAWS
from rootcause.engine import Drawn, Engine, compile_network
from rootcause.network import MAX_COLUMNS, to_pgmpy
from rootcause.structure import CAUSES, build
from rootcause.uncertainty import draw, points
from rootcause.vocabulary import load_vocabulary
from witness import filled, shapes_of, tables_of

from .cases import (
    SEED,
    Columns,
    case_of,
    classic,
    partly_seen,
    patients,
    rows_of,
    shipped,
)
from .peers import (
    Pgmpy,
    PyAgrum,
    Question,
    agrum_joint,
    agrum_with_finding,
    best,
    entropy,
    factors_of,
    filling,
    merged,
    pgmpy_markov,
    pgmpy_with_finding,
)
from .report import OURS, PGMPY, PYAGRUM, Row, time_in_words
from .timing import (
    ALL_CORES,
    CLOSE,
    Answer,
    Array,
    DisagreementError,
    Task,
    Timed,
    TimeLimitError,
    fastest,
    on_cores,
    race,
    time_limit,
)

SCOUTING = 5
"""Times its limit that the search for the fastest way to a question may take."""

SHAPES_OF_DRAWS = (1, 16, MAX_COLUMNS)

CLASSICS: Mapping[str, Mapping[str, float]] = {
    **{name: {PYAGRUM: 25.0, PGMPY: 100.0} for name in ("asia", "alarm", "win95pts", "hailfinder", "hepar2")},
    "insurance": {PYAGRUM: 4.0, PGMPY: 10.0},
    **{name: {} for name in ("water", "munin1", "munin")},
}
CLASSIC_BATCHES: Mapping[str, Mapping[str, float]] = {
    "alarm": {PYAGRUM: 100.0, PGMPY: 200.0},
    "hailfinder": {PYAGRUM: 35.0, PGMPY: 200.0},
}


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is timed.

    Attributes:
        rounds: Rounds for us.
        peer_rounds: Rounds for the peers.
        single: Cases that are asked one at a time.
        batch: Cases of a batch of the shipped model.
        sampled: How many of a batch the peers are asked about.
        draws: Draws of all parameters.
        peer_draws: How many of them the peers are asked about.
        entropies: Cases for the expected entropies.
        classic_batch: Cases of a batch of a classic network.
        limit: Seconds that a peer may take for one question, and any engine for a network of the reported ones.
    """

    rounds: int = 7
    peer_rounds: int = 3
    single: int = 12
    batch: int = 100_000
    sampled: int = 16
    draws: int = 100_000
    peer_draws: int = 5
    entropies: int = 3
    classic_batch: int = 10_000
    limit: float = 60.0


QUICK = Effort(
    rounds=2,
    peer_rounds=1,
    single=2,
    batch=1_000,
    sampled=2,
    draws=2_000,
    peer_draws=2,
    entropies=1,
    classic_batch=1_000,
    limit=20.0,
)


class Bench:
    """The shipped model, ours and the peers', and the workloads."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self.model: Model = load_model()
        self.engine: Engine = self.model.engine
        self.findings = tuple(load_vocabulary().findings)
        self.shape, self.tables = shipped(self.model.priors.parameters)

    @cached_property
    def networks(self) -> list[Any]:
        """The shipped network in three shapes."""
        return shapes_of(self.model)

    @cached_property
    def pyagrum(self) -> PyAgrum:
        """PyAgrum with the shipped network."""
        return PyAgrum(self.networks)

    @cached_property
    def pgmpy(self) -> Pgmpy:
        """Pgmpy with the shipped network."""
        return Pgmpy(self.networks)

    @cached_property
    def peers(self) -> dict[str, PyAgrum | Pgmpy]:
        """Both peers."""
        return {PYAGRUM: self.pyagrum, PGMPY: self.pgmpy}

    @cached_property
    def complaints(self) -> list[dict[str, str]]:
        """Cases with a complaint, for the questions about one case at a time."""
        columns = patients(self.shape, self.tables, self.effort.single, complaint=True)
        return [case_of(columns, row, self.shape.states) for row in range(len(columns["level"]))]

    @property
    def rounds(self) -> dict[str, int]:
        """How often each engine is asked."""
        return {OURS: self.effort.rounds, PYAGRUM: self.effort.peer_rounds, PGMPY: self.effort.peer_rounds}

    # ---- the shipped model -------------------------------------------------------------------------------------------

    def causes(self) -> Row:
        """One case, all causes."""
        questions = {str(k): Question(case, CAUSES, CAUSES) for k, case in enumerate(self.complaints)}
        timed = contest(self.engine, self.peers, questions, self.effort.limit, self.rounds)
        return row("one case, all causes", timed, {PYAGRUM: 30, PGMPY: 100}, note=f"mean of {len(questions)} cases")

    def everything(self) -> Row:
        """One case, all causes and all findings that were not observed."""
        questions = {
            str(k): Question(case, (*CAUSES, *(name for name in self.findings if name not in case)), CAUSES)
            for k, case in enumerate(self.complaints[: (self.effort.single + 1) // 2])
        }
        timed = contest(self.engine, self.peers, questions, self.effort.limit, self.rounds)
        name = "one case, all causes and unobserved findings"
        return row(name, timed, {PYAGRUM: 60, PGMPY: 1000}, note=f"mean of {len(questions)} cases")

    def batch(self) -> Row:
        """Many cases, each with its own pattern."""
        cases = self.effort.batch
        columns = patients(self.shape, self.tables, cases)
        ask = partial(self.engine.query_batch, targets=CAUSES)
        name = f"{cases:,} cases of different patterns, per case"
        return self._batch(
            name, columns, ask, (CAUSES, CAUSES), {PYAGRUM: 300, PGMPY: 1000}, self.peers, self.shape.states
        )

    def _batch(
        self,
        name: str,
        columns: Columns,
        ask: Callable[[Columns], Answer],
        targets: tuple[tuple[str, ...], tuple[str, ...]],
        wanted: Mapping[str, float],
        peers: Mapping[str, PyAgrum | Pgmpy],
        states: Mapping[str, tuple[str, ...]],
    ) -> Row:
        """Time a batch of ours, in slices between which the peers are asked about some of its cases."""
        cases = len(next(iter(columns.values())))
        sampled = min(self.effort.sampled, cases)
        starts = np.linspace(0, cases, sampled + 1).astype(int).tolist()
        slices = [rows_of(columns, a, b) for a, b in pairwise(starts)]
        questions = {}
        for at in range(sampled):
            case = case_of(slices[at], 0, states)
            names = targets[0] or tuple(name for name in states if name not in case)
            questions[str(at)] = Question(case, names, targets[1])

        def first(at: int) -> Answer:
            answer = ask(slices[at])
            return {name: answer[name][0] for name in questions[str(at)].targets}

        ours = [Task(str(at), partial(first, at), starts[at + 1] - starts[at]) for at in range(sampled)]
        sample = {name: column[starts[:-1]] for name, column in columns.items()}
        ask(sample)  # warm
        same = race({OURS: [Task("sample", partial(ask, sample), sampled)]}, {OURS: self.effort.rounds})
        found = same.answers[OURS]["sample"]
        expected = {key: {name: found[name][int(key)] for name in asked.targets} for key, asked in questions.items()}
        tasks = {OURS: ours, **peer_tasks(peers, questions, expected, self.effort.limit)}
        rounds = {**self.rounds, OURS: self.effort.peer_rounds}
        timed = race(tasks, rounds)
        start = time.perf_counter()
        with on_cores(ALL_CORES):
            ask(columns)
        all_cores = (time.perf_counter() - start) / cases
        note = f"peers on {sampled} of the cases, which take us {time_in_words(same.seconds[OURS])} each"
        return row(name, timed, wanted, all_cores=all_cores, note=note)

    def draws(self) -> Row:
        """Draws of all parameters that reach the answer, one case."""
        case = self.complaints[0]
        count = self.effort.draws
        nodes = {node.name: node for node in build()}
        parameters = self.model.priors.parameters
        weights = self.engine.weights(case)
        numbers = points(parameters) | draw(parameters, parameters, count, SEED)

        def chunk(start: int) -> Array:
            part = {
                id_: values[start : start + DRAWS] if len(values) > 1 else values for id_, values in numbers.items()
            }
            size = min(DRAWS, count - start)
            tables = Drawn(lambda name: nodes[name].fill(part), size, lambda name: nodes[name].first_row(part))
            found = self.engine.marginals(weights, CAUSES, tables).posterior
            return np.array([found[cause][:, : self.effort.peer_draws].T for cause in CAUSES])

        def ours() -> Answer:
            chunks = [chunk(start) for start in range(0, count, DRAWS)]
            first = chunks[0]
            return {f"{cause} {d}": first[k, d] for k, cause in enumerate(CAUSES) for d in range(first.shape[1])}

        expected = ours()
        timed = race(
            {OURS: [Task("all", ours, count)], **self._peer_draws(case, numbers, expected)},
            {**self.rounds, OURS: self.effort.peer_rounds},
        )
        start = time.perf_counter()
        with on_cores(ALL_CORES):
            ours()
        all_cores = (time.perf_counter() - start) / count
        worst = 0.0
        for engine in (PYAGRUM, PGMPY):
            for key, answer in timed.answers.get(engine, {}).items():
                worst = max(worst, *(float(np.abs(answer[c] - expected[f"{c} {key}"]).max()) for c in CAUSES))
        if worst > CLOSE:
            msg = f"draws: the answers differ by {worst:.3g}"
            raise DisagreementError(msg)
        note = f"peers on {self.effort.peer_draws} draws, their numbers given as whole tables"
        name = f"{count:,} draws of all parameters, one case"
        return row(name, timed, {PYAGRUM: 1000, PGMPY: 1500}, all_cores=all_cores, difference=worst, note=note)

    def _peer_draws(
        self, case: Mapping[str, str], numbers: Mapping[str, Array], expected: Answer
    ) -> dict[str, list[Task]]:
        """Return the peers' tasks: set all tables, and ask; in the shape in which the first draw is the fastest."""
        question = Question(case, CAUSES, CAUSES)
        tasks: dict[str, list[Task]] = {PYAGRUM: [], PGMPY: []}
        choices: dict[str, list[list[Callable[[], Answer]]]] = {PYAGRUM: [], PGMPY: []}
        for columns in SHAPES_OF_DRAWS:
            networks = [
                to_pgmpy(build(columns), {id_: v[d : d + 1] if len(v) > 1 else v for id_, v in numbers.items()})
                for d in range(self.effort.peer_draws)
            ]
            empty = filled(networks[0])
            needed = networks[0].get_ancestral_graph([*case, *CAUSES]).nodes()
            fillings = [
                [(cpt, values) for cpt, values in filling(empty, network) if cpt.variable(0).name() in needed]
                for network in networks
            ]
            choices[PYAGRUM].append([partial(_agrum_draw, empty, own, question) for own in fillings])
            choices[PGMPY].append([partial(_pgmpy_draw, network, tables_of(network), question) for network in networks])
        first = {cause: expected[f"{cause} 0"] for cause in CAUSES}
        for engine, runs in choices.items():
            at = fastest([(engine, own[0]) for own in runs], first, self.effort.limit)
            if at is not None:
                tasks[engine] = [Task(str(d), run) for d, run in enumerate(runs[at])]
        return {engine: own for engine, own in tasks.items() if own}

    def entropies(self) -> Row:
        """Return the expected entropy of the causes after each finding that was not observed."""
        tasks: dict[str, list[Task]] = {OURS: [], PYAGRUM: [], PGMPY: []}
        for key, case in enumerate(self.complaints[: self.effort.entropies]):
            names = tuple(name for name in self.findings if name not in case)
            ours = partial(expected_entropies, self.engine, case, names)
            expected = ours()
            tasks[OURS].append(Task(str(key), ours))
            for engine, ways in (
                (PYAGRUM, self._agrum_entropies(case, names)),
                (PGMPY, self._pgmpy_entropies(case, names)),
            ):
                chosen = [
                    best(
                        [(name, partial(_named, finding, way)) for name, way in own],
                        {finding: expected[finding]},
                        self.effort.limit,
                    )
                    for finding, own in ways
                ]
                if all(chosen):
                    tasks[engine].append(Task(str(key), partial(merged, [run for run in chosen if run])))
        timed = race({engine: own for engine, own in tasks.items() if own}, self.rounds)
        name = "expected entropy for every unobserved finding"
        note = f"mean of {self.effort.entropies} cases"
        return row(name, timed, {PYAGRUM: 500, PGMPY: 1000}, note=note)

    def _agrum_entropies(self, case: Mapping[str, str], names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield for each finding the ways: the joint of causes and finding, or state by state, in every shape."""
        question = Question(case, CAUSES, CAUSES)
        for finding in names:
            ways: list[tuple[str, Callable[[], float]]] = []
            for number, network in enumerate(self.pyagrum.networks):
                ways.append((f"pyAgrum, joint, {number}", partial(agrum_with_finding, network, question, finding)))
                ask = partial(agrum_joint, network)
                ways.append((f"pyAgrum, states, {number}", partial(self._by_state, ask, case, finding)))
            yield finding, ways

    def _pgmpy_entropies(self, case: Mapping[str, str], names: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield for each finding the ways, as for pyAgrum."""
        question = Question(case, CAUSES, CAUSES)
        for finding in names:
            ways: list[tuple[str, Callable[[], float]]] = []
            for number, (network, tables) in enumerate(self.pgmpy.networks):
                factors = factors_of(network, tables, case, [*CAUSES, finding])
                ways.append((f"pgmpy, joint, {number}", partial(pgmpy_with_finding, factors, question, finding)))
                ask = partial(_markov, factors)
                ways.append((f"pgmpy, states, {number}", partial(self._by_state, ask, case, finding)))
            yield finding, ways

    def _by_state(self, ask: Callable[[Question], Answer], case: Mapping[str, str], finding: str) -> float:
        """Return the expected entropy after a finding from one question for each of its states, and one for it."""
        before = ask(Question(case, (finding,), (finding,)))[finding]
        total = 0.0
        for state, share in zip(self.shape.states[finding], before, strict=True):
            if share > 0:
                after = ask(Question({**case, finding: state}, CAUSES, CAUSES))
                total += float(share) * entropy(after.values())
        return total

    # ---- classic networks --------------------------------------------------------------------------------------------

    def classics(self, names: Sequence[str] | None = None) -> Iterator[Callable[[], Row]]:
        """Yield the classic networks, one query each; those without a target only need to finish in time."""
        for name, wanted in CLASSICS.items():
            if names is None or name in names:
                yield partial(self.classic, name, wanted)

    def classic_batches(self, names: Sequence[str] | None = None) -> Iterator[Callable[[], Row]]:
        """Yield the classic networks of which many cases are asked."""
        for name, wanted in CLASSIC_BATCHES.items():
            if names is None or name in names:
                yield partial(self.classic_batch, name, wanted)

    def classic(self, name: str, wanted: Mapping[str, float]) -> Row:
        """One query to a classic network, all marginals."""
        title = f"{name}: one query, all marginals"
        network = classic(name)
        engine = compile_network(network)
        columns = partly_seen(network, self.effort.single if wanted else 1)
        questions = {}
        for at in range(len(next(iter(columns.values())))):
            case = case_of(columns, at, engine.states)
            questions[str(at)] = Question(case, tuple(node for node in engine.states if node not in case))
        limit = self.effort.limit
        try:
            with time_limit(limit):
                for question in questions.values():
                    engine.query(question.evidence)
            timed = contest(engine, peers_of(network), questions, limit, self.rounds)
        except TimeLimitError as error:
            return Row(title, {}, wanted, note=str(error))
        return row(title, timed, wanted, note=f"mean of {len(questions)} cases")

    def classic_batch(self, name: str, wanted: Mapping[str, float]) -> Row:
        """Many cases of a classic network, all marginals."""
        network = classic(name)
        engine = compile_network(network)
        cases = self.effort.classic_batch
        ask = partial(engine.query_batch, targets=list(engine.states))
        title = f"{name}: {cases:,} cases of different patterns, per case"
        columns = partly_seen(network, cases)
        return self._batch(title, columns, ask, ((), ()), wanted, peers_of(network), engine.states)


def peers_of(network: Any) -> dict[str, PyAgrum | Pgmpy]:  # noqa: ANN401
    """Return both peers with a network as it is."""
    return {PYAGRUM: PyAgrum([network]), PGMPY: Pgmpy([network])}


def contest(
    engine: Engine,
    peers: Mapping[str, PyAgrum | Pgmpy],
    questions: Mapping[str, Question],
    limit: float,
    rounds: Mapping[str, int],
) -> Timed:
    """Ask all three engines the same questions, in turns."""
    ours = [Task(key, partial(query, engine, question)) for key, question in questions.items()]
    expected = {task.key: task.run() for task in ours}
    return race({OURS: ours, **peer_tasks(peers, questions, expected, limit)}, rounds)


def peer_tasks(
    peers: Mapping[str, PyAgrum | Pgmpy],
    questions: Mapping[str, Question],
    expected: Mapping[str, Answer],
    limit: float,
) -> dict[str, list[Task]]:
    """Return the fastest way of each peer to ask each question; none for a peer that fails one of them."""
    found: dict[str, list[Task]] = {}
    for engine, peer in peers.items():
        runs = {}
        for key, question in questions.items():
            try:
                with time_limit(SCOUTING * limit):
                    run = peer.way(question, expected[key], limit)
            except TimeLimitError:
                break
            if run is None:
                break
            runs[key] = run
        if len(runs) == len(questions):
            found[engine] = [Task(key, run) for key, run in runs.items()]
    return found


def query(engine: Engine, question: Question) -> Answer:
    """Ask our engine through its public interface."""
    found = engine.query(question.evidence, question.targets)
    return Lazily(found)


class Lazily(Mapping[str, Array]):
    """An answer of ours, turned into arrays only when it is looked at: that is no part of what is timed."""

    def __init__(self, found: Mapping[str, Mapping[str, float]]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Array:
        return np.array(list(self._found[name].values()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def expected_entropies(engine: Engine, case: Mapping[str, str], names: Sequence[str]) -> Answer:
    """Return the expected entropy of the causes after each of some findings."""
    found = engine.query_each(case, names, CAUSES)
    values = np.concatenate([np.concatenate([*own.posterior.values()], axis=1) for own in found.values()])
    entropies = -(values * np.log2(np.where(values > 0, values, 1.0))).sum(axis=1)
    ends = np.cumsum([len(own.probability) for own in found.values()]).tolist()
    return {
        name: np.array(own.probability @ entropies[end - len(own.probability) : end])
        for (name, own), end in zip(found.items(), ends, strict=True)
    }


def row(
    name: str,
    timed: Timed,
    wanted: Mapping[str, float],
    *,
    all_cores: float | None = None,
    difference: float | None = None,
    note: str = "",
) -> Row:
    """Return the row of a workload, its answers checked."""
    worst = timed.difference() if difference is None else difference
    return Row(name, timed.seconds, wanted, all_cores=all_cores, difference=worst, note=note)


def _agrum_draw(network: Any, tables: Sequence[tuple[Any, list[float]]], question: Question) -> Answer:  # noqa: ANN401
    for table, values in tables:
        table.fillWith(values)
    return agrum_joint(network, question)


def _pgmpy_draw(network: Any, tables: Mapping[str, Any], question: Question) -> Answer:  # noqa: ANN401
    factors = factors_of(network, tables, question.evidence, CAUSES)
    return pgmpy_markov(factors, question.evidence, CAUSES)


def _markov(factors: list[Any], question: Question) -> Answer:
    return pgmpy_markov(factors, question.evidence, question.targets)


def _named(name: str, run: Callable[[], float]) -> Answer:
    return {name: np.array(run())}
