"""Exact answers from any discrete Bayesian network: the questions that can be asked of an engine."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.coding import Coder
from rootcause.engine.evidence import Observation, in_words, known, weight_of
from rootcause.engine.layout import Drawn, Part, Shape, Tables, lay_out
from rootcause.engine.look import Look
from rootcause.engine.pgmpy_networks import check_table, read_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError

if TYPE_CHECKING:
    from rootcause.engine.explanation import Explanation
    from rootcause.engine.extensions import Extensions
    from rootcause.engine.machine import Machine

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights = Mapping[str, Array]
"""By node, a likelihood for each state, shape ``(states,)``."""

_KEPT_TARGETS = 256

LARGEST_JOINT = 1_000_000
"""Entries of the largest joint distribution that is returned."""


@dataclass(frozen=True, slots=True)
class Marginals:
    """Posterior of each target and the logarithm of P(evidence), for each draw.

    Attributes:
        posterior: By node, shape ``(states, draws)``; zero in a draw in which the evidence is impossible.
        log_evidence: Shape ``(draws,)``.
    """

    posterior: Mapping[str, Array]
    log_evidence: Array


@dataclass(frozen=True, slots=True)
class Batch:
    """Posteriors of many cases.

    Attributes:
        posterior: By target, shape ``(cases, states)``; zero for a case whose evidence is impossible.
        log_evidence: ln P(evidence), minus infinity where it is impossible, shape ``(cases,)``.
    """

    posterior: dict[str, Array]
    log_evidence: Array


@dataclass(frozen=True, slots=True)
class Continuation:
    """What would follow from one more node, for each of its states.

    Attributes:
        probability: P(state | evidence), shape ``(states,)``.
        posterior: By target, given the evidence and the state, shape ``(states, states of the target)``; zero where
            the state is impossible.
    """

    probability: Array
    posterior: Mapping[str, Array]


class Engine:
    """A compiled network. Its methods change nothing and may be called from several threads.

    The arrays are made at the first question, and machine code is compiled, once for each version of the package, at
    the first question of all (it is kept on disk; see ``rootcause.engine.kernels``).
    """

    def __init__(self, shape: Shape, tables: Tables) -> None:
        """Keep the structure and the tables to use where a question brings none of its own."""
        self._shape = shape
        self._tables = tables
        self._inside = frozenset(shape.parents[name][0] for name in shape.links)
        self._kept_targets: dict[tuple[Machine, tuple[str, ...]], tuple[list[str], list[str], Ints]] = {}
        self._coder = Coder(shape.states)

    @property
    def states(self) -> Mapping[str, tuple[str, ...]]:
        """States of every node."""
        return self._shape.states

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the parents of a node, in the order of its table's axes.

        Raises:
            InvalidInputError: If there is no such node.
        """
        known(name, self.states)
        return self._shape.parents[name]

    def table(self, name: str) -> Array:
        """Return the table of a node, shape ``(*cards of parents, card of the node)``, read-only.

        Raises:
            InvalidInputError: If there is no such node.
        """
        known(name, self.states)
        table: Array = self._tables(name)[..., 0]
        table = table.view()
        table.setflags(write=False)
        return table

    @cached_property
    def _machine(self) -> "Machine":
        """Gates recognised, unless the network is so small that plain tables are faster."""
        found = lay_out(self._shape, self._tables)
        if not found.gates or (not self._shape.links and self._plain.dense):
            return self._plain
        return _machine()(found, self._tables)

    @cached_property
    def _plain(self) -> "Machine":
        """Every table as it is."""
        return _machine()(lay_out(self._shape, self._tables, gates=False), self._tables)

    @cached_property
    def _extensions(self) -> "Extensions":
        """The network ready for one observation more."""
        from rootcause.engine.extensions import Extensions

        return Extensions(self._shape, self._tables, self._machine)

    def _machine_for(self, names: Iterable[str], drawn: Drawn | None = None) -> "Machine":
        """Return the machine that knows all the nodes, and whose gates hold for the tables."""
        machine = self._machine
        if drawn is not None and machine.layout.numeric:
            return self._plain
        index = machine.layout.index
        if len(index) == len(self.states) or all(name in index for name in names):
            return machine
        return self._plain

    # ---- questions ---------------------------------------------------------------------------------------------------

    def query(
        self,
        evidence: Mapping[str, Observation],
        targets: Iterable[str] | None = None,
        *,
        do: Mapping[str, str] | None = None,
    ) -> dict[str, dict[str, float]]:
        """Return the posterior distribution of each target.

        Args:
            evidence: By node, what was observed.
            targets: The nodes asked for; ``None`` asks for every node without evidence that is no inner link of a gate.
            do: By node, the state it is set to by an intervention (Pearl 2009): what it hung on is cut off.

        Raises:
            InvalidInputError: If a node or state is unknown, or a likelihood is negative, not finite or all zero.
            ImpossibleEvidenceError: If the evidence has probability zero.
            ModelTooLargeError: If no plan fits in memory.
        """
        if do:
            return self.do(do).query(evidence, targets)
        asked = self._targets(targets, (name for name, observed in evidence.items() if observed is not None))
        machine = self._machine_for((*evidence, *asked))
        look = self._coder.of_case(machine.layout.index, evidence)
        found = self._posteriors(machine, look, asked)
        if found is None:
            raise ImpossibleEvidenceError(self.clash(self.weights(evidence)))
        value = iter(found[0].tolist())
        states = self._shape.states
        return {name: dict(zip(states[name], value, strict=False)) for name in asked}

    def query_batch(
        self, evidence: Mapping[str, Sequence[Observation] | Ints], targets: Iterable[str] | None = None
    ) -> dict[str, Array]:
        """Return the posteriors for many cases, each with its own pattern of evidence.

        Args:
            evidence: By node, one observation for each case, ``None`` for what was not observed; or an array of whole
                numbers: the number of the state, from 0, and -1 for what was not observed.
            targets: The nodes asked for; ``None`` asks for every node that has no column.

        Returns:
            By target, shape ``(cases, states)``.

        Raises:
            InvalidInputError: If columns differ in length, or as for ``query``.
            ImpossibleEvidenceError: If the evidence of a case has probability zero; the message says which.
            ModelTooLargeError: If no plan fits in memory.
        """
        found = self.run_batch(evidence, targets)
        impossible = np.flatnonzero(found.log_evidence == -np.inf)
        if len(impossible):
            row = int(impossible[0])
            raise ImpossibleEvidenceError(self.clash(self.weights(self._coder.case_of(evidence, row))), row=row)
        return found.posterior

    def run_batch(
        self, evidence: Mapping[str, Sequence[Observation] | Ints], targets: Iterable[str] | None = None
    ) -> Batch:
        """Return the posteriors for many cases and how probable each case was; impossible ones are told, not refused.

        Args:
            evidence: As for ``query_batch``.
            targets: As for ``query_batch``.

        Raises:
            InvalidInputError: As for ``query_batch``.
            ModelTooLargeError: If no plan fits in memory.
        """
        lengths = {name: len(column) for name, column in evidence.items()}
        if len(set(lengths.values())) > 1:
            msg = f"evidence: every column must have the same length, got {lengths}"
            raise InvalidInputError(msg)
        rows = next(iter(lengths.values()), 1)
        for name in evidence:
            known(name, self.states)
        asked = self._targets(targets, evidence)
        machine = self._machine_for((*evidence, *asked))
        columns = {name: self._coder.column(name, column) for name, column in evidence.items()}
        direct, apart, numbers = self._targets_of(machine, asked)
        result = {name: np.empty((rows, len(self.states[name]))) for name in asked}
        every = np.empty(rows)

        def chunk(start: int, stop: int) -> Look:
            part = {name: column[start:stop] for name, column in columns.items()}
            return self._coder.of_columns(machine.layout.index, part, stop - start)

        for start, posterior, logs in machine.many(rows, chunk, numbers):
            stop = start + len(logs)
            every[start:stop] = logs
            for name, part in self._cut(direct, posterior.T).items():
                result[name][start:stop] = part.T
            if apart:
                for name, part in zip(apart, self._apart(machine, chunk(start, stop), apart, logs), strict=True):
                    result[name][start:stop] = part
        return Batch(result, every)

    def query_each(
        self, evidence: Mapping[str, Observation], nodes: Iterable[str], targets: Iterable[str]
    ) -> dict[str, Continuation]:
        """Return what would follow from seeing each of some nodes, one at a time, in each of its states.

        It is what a batch with a row for each state of each node would say, and where gates meet it takes less time.

        Args:
            evidence: By node, what was observed.
            nodes: The nodes that might be seen next.
            targets: The nodes asked for.

        Raises:
            InvalidInputError: As for ``query``.
            ImpossibleEvidenceError: If the evidence has probability zero.
            ModelTooLargeError: If no plan fits in memory.
        """
        names, asked = self._targets(nodes, ()), self._targets(targets, ())
        weights = self.weights(evidence)
        if not names:
            if not self.possible(weights):
                raise ImpossibleEvidenceError(self.clash(weights))
            return {}
        machine = self._machine_for((*weights, *names, *asked))
        look, added = self._codes_of(machine, weights), self._numbers(machine, names)
        direct, apart, numbers = self._targets_of(machine, asked)
        if machine.layout.gates:
            logs, values = self._extensions.ask(look, added, numbers)
        else:
            values, logs = machine.every(look.with_each(added, machine.cards[added]), numbers)
        most = logs.max()
        if most == -np.inf:
            raise ImpossibleEvidenceError(self.clash(weights))
        found = self._cut(direct, np.where(logs > -np.inf, values.T, 0.0))
        if apart:
            whole = look.with_each(added, machine.cards[added])
            found |= {name: part.T for name, part in zip(apart, self._apart(machine, whole, apart, logs), strict=True)}
        shares = {name: share / share.sum() for name, share in self._cut(names, np.exp(logs - most)).items()}
        posterior = {target: self._cut(names, found[target].T) for target in asked}
        return {name: Continuation(shares[name], {t: posterior[t][name] for t in asked}) for name in names}

    def log_evidence(self, evidence: Mapping[str, Observation]) -> float:
        """Return the natural logarithm of P(evidence).

        Virtual evidence counts with its largest likelihood taken as 1.

        Raises:
            InvalidInputError: As for ``query``.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        weights = self.weights(evidence)
        found = float(self.log_probability(weights)[0])
        if not math.isfinite(found):
            raise ImpossibleEvidenceError(self.clash(weights))
        return found

    def joint(self, evidence: Mapping[str, Observation], targets: Sequence[str]) -> Array:
        """Return the joint posterior distribution of some nodes.

        Returns:
            One axis for each target, in their order; sums to 1.

        Raises:
            InvalidInputError: As for ``query``, or if the distribution has more than ``LARGEST_JOINT`` entries.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        asked = self._targets(targets, ())
        if not asked:
            msg = "targets: at least one node must be named, got none"
            raise InvalidInputError(msg)
        shape = tuple(len(self.states[name]) for name in asked)
        size = math.prod(shape)
        if size > LARGEST_JOINT:
            msg = f"targets: a joint distribution may have {LARGEST_JOINT:,} entries, got {size:,}"
            raise InvalidInputError(msg)
        machine = self._machine_for((*evidence, *asked))
        weights = self.weights(evidence)
        joint = machine.joint(self._codes_of(machine, weights), self._numbers(machine, asked))
        if joint is None or not joint.any():
            raise ImpossibleEvidenceError(self.clash(weights))
        joint /= joint.sum()
        return joint

    def most_probable(self, evidence: Mapping[str, Observation]) -> "Explanation":
        """Return the most probable explanation: the likeliest state of all nodes together, given the evidence.

        Raises:
            InvalidInputError: As for ``query``.
            ImpossibleEvidenceError: If the evidence has probability zero.
            ModelTooLargeError: If no plan fits in memory.
        """
        from rootcause.engine.explanation import most_probable

        weights = self.weights(evidence)
        found = most_probable(self._shape, self._tables, weights)
        if found is None:
            raise ImpossibleEvidenceError(self.clash(weights))
        return found

    def gradient(self, evidence: Mapping[str, Observation], target: str, state: str) -> dict[str, Array]:
        """Return the derivative of one posterior by every entry of every table (Darwiche 2003).

        Each entry is taken as a number of its own; nodes that the answer does not hang on are left out first. So a
        derivative has its meaning along changes that keep every column a distribution: what one entry gains, others
        of its column lose.

        Args:
            evidence: By node, what was observed.
            target: A node.
            state: One of its states.

        Returns:
            By node, d P(state | evidence) / d entry; shape ``(*cards of parents, card of the node)``.

        Raises:
            InvalidInputError: As for ``query``.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        machine = self._plain
        weights = self.weights(evidence)
        asked = weight_of(target, state, self.states)
        free = np.random.default_rng(0).uniform(0.5, 1.5, machine.entries.shape)  # no entry is zero or equals another
        slopes = self._posterior_slopes(machine, weights, target, asked, free)
        return {part.node: own.reshape(self._tables(part.node).shape[:-1]) for part, own in slopes}

    def slopes(self, weights: Weights, target: str, state: str, structure: Drawn) -> list[tuple[Part, Array]]:
        """Return the derivative of one posterior by every entry of the tables that the engine works with.

        Where ``gradient`` takes each entry as a number of its own, this takes entries that are zero, or equal, whatever
        the parameters, as what they are, and so is as fast as a query.

        Args:
            weights: By node, a likelihood for each state.
            target: A node.
            state: One of its states.
            structure: Tables at two or more draws of all parameters: what is zero or equal in all of them counts as so.

        Returns:
            Each table with d P(state | evidence) / d entry, shape ``(entries,)``.

        Raises:
            InvalidInputError: If the target or the state is unknown.
            ImpossibleEvidenceError: If the evidence has probability zero.
        """
        asked = weight_of(target, state, self.states)
        machine = self._machine_for((*weights, target))
        sig = machine.layout.entries(structure.tables, structure.draws)
        return self._posterior_slopes(machine, weights, target, asked, sig)

    def log_slopes(
        self, weights: Weights, drawn: Drawn, also: Iterable[str] = ()
    ) -> tuple[Array, list[tuple[Part, Array]]]:
        """Return ln P(evidence) and its derivative by every entry of the tables that the engine works with, by draw.

        Args:
            weights: By node, a likelihood for each state.
            drawn: The tables.
            also: Other nodes that the tables must have as they are, so that two pieces of evidence get the same ones.

        Returns:
            ln P(evidence), minus infinity where it is impossible, shape ``(draws,)``; and each table with its
            derivatives, shape ``(entries, draws)``, zero where the evidence is impossible.
        """
        machine = self._machine_for((*weights, *also), drawn)
        logs, slopes = machine.slopes_of_draws(self._codes_of(machine, weights), drawn)
        starts = machine.layout.offsets
        return logs, [(part, slopes[starts[k] : starts[k + 1]]) for k, part in enumerate(machine.layout.parts)]

    def _posterior_slopes(
        self, machine: "Machine", weights: Weights, target: str, asked: Array, sig: Array
    ) -> list[tuple[Part, Array]]:
        """Return each table with d P(asked | evidence) / d entry."""
        slopes = self._entry_slopes(machine, weights, target, asked, sig)
        starts = machine.layout.offsets
        return [(part, slopes[starts[k] : starts[k + 1]]) for k, part in enumerate(machine.layout.parts)]

    def _entry_slopes(self, machine: "Machine", weights: Weights, target: str, asked: Array, sig: Array) -> Array:
        """Return d P(asked | evidence) / d entry: P(asked | e) times the difference of two logarithmic derivatives."""
        log_all, all_ = machine.slopes(self._codes_of(machine, weights), sig)
        if not math.isfinite(log_all):
            raise ImpossibleEvidenceError(self.clash(weights))
        own = weights.get(target, np.ones(len(asked)))
        both = {**weights, target: own * asked}
        if not both[target].any():
            return np.zeros(len(machine.entries))
        log_both, with_target = machine.slopes(self._codes_of(machine, both), sig)
        if math.isfinite(log_both):
            return math.exp(log_both - log_all) * (with_target - all_)
        rest = {**weights, target: own * (1 - asked)}  # a posterior of 0 is 1 less that of the rest, which is 1
        _, without = machine.slopes(self._codes_of(machine, rest), sig)
        return all_ - without

    # ---- other networks ----------------------------------------------------------------------------------------------

    def do(self, settings: Mapping[str, str]) -> "Engine":
        """Return the engine of the network in which nodes are set by intervention: cut off from what they hung on.

        Raises:
            InvalidInputError: If a node or state is unknown, or a setting is not one state.
        """
        tables: dict[str, Array] = {}
        for name, state in settings.items():
            weight = weight_of(name, state, self.states)
            if np.count_nonzero(weight) != 1:
                msg = f"do: {name} must be set to one state, got {state!r}"
                raise InvalidInputError(msg)
            tables[name] = weight.reshape(-1, 1)
        parents = {name: () if name in settings else own for name, own in self._shape.parents.items()}
        shape = Shape(self.states, parents, self._shape.links - settings.keys())
        return Engine(shape, lambda name: tables[name] if name in tables else self._tables(name))

    def replaced(self, tables: Mapping[str, Array]) -> "Engine":
        """Return the engine of the same network with other tables for some nodes.

        Args:
            tables: By node, shape ``(*cards of parents, card of the node)``.

        Raises:
            InvalidInputError: If a node is unknown, or a table has another shape or columns that do not sum to 1.
        """
        checked: dict[str, Array] = {}
        for name, table in tables.items():
            known(name, self.states, "tables")
            values = np.array(table, dtype=np.float64)[..., np.newaxis]
            expected = self._tables(name).shape[:-1]
            if values.shape[:-1] != expected:
                msg = f"{name}: its table must have the shape {expected}, got {values.shape[:-1]}"
                raise InvalidInputError(msg)
            check_table(name, values)
            values.setflags(write=False)
            checked[name] = values
        shape = Shape(self.states, self._shape.parents)  # whether a link is still one is looked up in its new numbers
        return Engine(shape, lambda name: checked[name] if name in checked else self._tables(name))

    # ---- what the rest of the library asks ---------------------------------------------------------------------------

    def weights(self, evidence: Mapping[str, Observation]) -> dict[str, Array]:
        """Return the evidence as one likelihood vector for each observed node, scaled to a maximum of 1."""
        return {name: weight_of(name, seen, self.states) for name, seen in evidence.items() if seen is not None}

    def log_probability(self, weights: Weights, drawn: Drawn | None = None) -> Array:
        """Return ln P(evidence) for likelihood vectors, for each draw; minus infinity where it is impossible.

        Returns:
            Shape ``(draws,)``.
        """
        return self._run(weights, (), drawn).log_evidence

    def possible(self, weights: Weights) -> bool:
        """Return whether evidence has a probability above zero."""
        return bool(np.isfinite(self.log_probability(weights)[0]))

    def marginals(self, weights: Weights, targets: Iterable[str], drawn: Drawn | None = None) -> Marginals:
        """Return posteriors for likelihood vectors, for each draw of the tables.

        Args:
            weights: By node, a likelihood for each state, shape ``(states,)``.
            targets: The nodes asked for.
            drawn: Tables to use instead of the engine's own.

        Raises:
            ImpossibleEvidenceError: If the evidence has probability zero in every draw. A single draw in which it has
                is told by a ``log_evidence`` of minus infinity.
        """
        found = self._run(weights, tuple(targets), drawn)
        if not np.isfinite(found.log_evidence).any():
            raise ImpossibleEvidenceError(self.clash(weights))
        return found

    def relevant(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the nodes that the given nodes hang on, and these, parents before children."""
        found = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in found:
                found.add(name)
                stack.extend(self._shape.parents[name])
        return tuple(name for name in self.states if name in found)

    def clash(self, weights: Weights) -> list[str]:
        """Return a clashing set of observations from which nothing can be left out, in words."""
        kept = dict(weights)
        for name in weights:
            rest = {other: weight for other, weight in kept.items() if other != name}
            if not self.possible(rest):
                kept = rest
        return [in_words(name, weight, self.states) for name, weight in kept.items()]

    # ---- from names to numbers and back ------------------------------------------------------------------------------

    def _run(self, weights: Weights, targets: tuple[str, ...], drawn: Drawn | None) -> Marginals:
        machine = self._machine_for((*weights, *targets), drawn)
        look = self._codes_of(machine, weights)
        if drawn is None:
            found = self._posteriors(machine, look, targets)
            if found is None:
                return Marginals(MappingProxyType({}), np.full(1, -np.inf))
            values, logs = found[0][:, np.newaxis], found[1]
        else:
            values, logs = machine.draws(look, self._numbers(machine, targets), drawn)
        return Marginals(MappingProxyType(self._cut(targets, values)), logs)

    def _posteriors(self, machine: "Machine", look: Look, asked: tuple[str, ...]) -> tuple[Array, Array] | None:
        """Return the posteriors of one case, one target after another, and ln P(evidence); ``None`` if impossible."""
        direct, apart, numbers = self._targets_of(machine, asked)
        posterior, logs = machine.one(look, numbers)
        if logs[0] == -np.inf:
            return None
        if not apart:
            return posterior[0], logs
        found = self._cut(direct, posterior[0])
        found |= {name: part[0] for name, part in zip(apart, self._apart(machine, look, apart, logs), strict=True)}
        return np.concatenate([found[name] for name in asked]), logs

    def _split(self, machine: "Machine", asked: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Split the targets into those that come with one run, and those that are cheaper asked state by state.

        A gate that is left open joins all of its reasons. The split does not hang on the evidence, so that a case of a
        network with gates gets the same answer alone and in a batch, to the last bit.
        """
        if not machine.layout.gates:
            return list(asked), []
        index = machine.layout.index
        direct = [name for name in asked if machine.lean[index[name]]]
        return direct, [name for name in asked if not machine.lean[index[name]]]

    def _apart(self, machine: "Machine", look: Look, asked: Sequence[str], logs: Array) -> list[Array]:
        """Return the posteriors of targets that are asked for by adding each to the evidence; by target, as a batch."""
        numbers = self._numbers(machine, asked)
        shares = np.zeros((len(look.codes), int(machine.cards[numbers].sum())))
        for row, log in enumerate(logs.tolist()):
            if log > -np.inf:  # an impossible case gets zeros
                shares[row] = np.exp(self._extensions.ask(look.rows(row, row + 1), numbers, numbers[:0])[0] - log)
        parts = self._cut(asked, shares.T).values()
        return [(part / np.where(logs == -np.inf, 1.0, part.sum(axis=0))).T for part in parts]

    def _cut(self, names: Sequence[str], values: Array) -> dict[str, Array]:
        """Cut rows, the states of one node after another, into one array for each node."""
        result = {}
        start = 0
        for name in names:
            stop = start + len(self.states[name])
            result[name] = values[start:stop]
            start = stop
        return result

    def _numbers(self, machine: "Machine", names: Sequence[str]) -> Ints:
        index = machine.layout.index
        return np.array([index[name] for name in names], dtype=np.int64)

    def _targets_of(self, machine: "Machine", asked: tuple[str, ...]) -> tuple[list[str], list[str], Ints]:
        """Return ``_split`` and the numbers of its first part, kept for targets that are asked for again."""
        key = (machine, asked)
        found = self._kept_targets.get(key)
        if found is None:
            direct, apart = self._split(machine, asked)
            found = (direct, apart, self._numbers(machine, direct))
            if len(self._kept_targets) < _KEPT_TARGETS:
                self._kept_targets[key] = found
        return found

    def _codes_of(self, machine: "Machine", weights: Weights) -> Look:
        return self._coder.of_weights(machine.layout.index, weights)

    def _targets(self, targets: Iterable[str] | None, observed: Iterable[str]) -> tuple[str, ...]:
        if targets is None:
            left_out = self._inside.union(observed)
            return tuple(name for name in self.states if name not in left_out)
        asked = tuple(dict.fromkeys([targets] if isinstance(targets, str) else targets))
        for name in asked:
            known(name, self.states, "targets")
        return asked


def _machine() -> "type[Machine]":
    """Import what is compiled only when the first question is asked."""
    from rootcause.engine.machine import Machine, prepare

    prepare()
    return Machine


def compile_network(network: Any) -> Engine:  # noqa: ANN401 - pgmpy has no types
    """Compile a discrete network into an engine that answers exactly.

    Args:
        network: A pgmpy ``DiscreteBayesianNetwork`` (or any object with its ``nodes``, ``get_parents`` and
            ``get_cpds``) with a table for every node.

    Raises:
        InvalidInputError: If a node has no table, or the tables do not fit together.
    """
    shape, tables = read_network(network)
    return Engine(shape, tables.__getitem__)
