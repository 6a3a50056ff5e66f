"""One observation more: for one case, each of many nodes in each of its states, all of them side by side.

Where a node is added to the evidence, the plan hardly changes. So one plan serves many of them, and what is added is a
lane of it: what belongs to another node counts as 1 there. See ``probes`` for what a lane has in it.

Some probabilities are differences of lanes, which lose digits. What that leaves is estimated (``kernels.rounding``);
what is not good enough is asked for again as a sum in which nothing cancels, or at last as a case of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import arrays, cases
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.layout import Shape, Tables
from rootcause.engine.look import Look
from rootcause.engine.machine import TRIES_FOR_ONE, Machine
from rootcause.engine.probes import Probe, Probes
from rootcause.engine.threads import in_threads

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOST_LANES = 512
"""Lanes that are run at a time, so that memory is bounded."""

_LITTLE = 1e-12
"""Error of P(evidence), as such a deviation, from which on chains of links serve better than products."""

_MARGIN = 5.0
"""How many times as far off as those that were estimated a lane may be without being taken for good."""

_HALF = float(np.log(2))

_TOLERATED = cases.TOLERATED / 10
"""Largest standard deviation of the error of a probability, in relation to it: rare states have no digits to lose."""

_ALL = 1.0
"""Error that leaves no digit of any probability."""

_DEAR = 20_000_000.0
"""Multiplications in all lanes from which on it pays to find out which nodes make a plan dear, and to use all cores."""

_ALIKE = 1.3
"""How many times the cheapest plan another may cost to be of the same kind."""

_SIDE_BY_SIDE = 2.5
"""How many times as fast a lane is as a run of its own."""

_WIDE = 200_000
"""Entries of all factors of a plan from which on sixteen lanes of them do not fit in the cache of any processor."""

_FEW = 5
"""Lanes up to which one after another is faster than sixteen side by side."""

_WORTH = 400_000.0
"""Multiplications that a sum in which nothing cancels may take, before a case of its own is cheaper."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What follows from the states of all nodes that were asked about, one node after another.

    Attributes:
        start: By node, where its states begin.
        log: ln P(state and evidence), minus infinity where it is impossible, NaN while it is not known; shape
            ``(states,)``.
        posterior: Posteriors of the targets, their states one after another, shape ``(states, states of targets)``;
            of no meaning where the state is impossible.
    """

    start: Mapping[int, int]
    log: Array
    posterior: Array

    def missing(self, node: int, card: int) -> list[int]:
        """Return the states of a node that are not known yet."""
        missing: list[int] = np.flatnonzero(np.isnan(self.log[self.start[node] : self.start[node] + card])).tolist()
        return missing


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be known of the plan in the room.

    Attributes:
        place: Where the entries that it reads stand, -1 for the others; shape ``(entries,)``.
        probes: All that were planned.
        error: Standard deviation of the error of P(evidence), in relation to it.
    """

    place: Ints
    probes: Sequence[Probe]
    error: float


class Extensions:
    """A network ready for one observation more."""

    def __init__(self, shape: Shape, tables: Tables, usual: Machine) -> None:
        """Prepare the network.

        Args:
            shape: The network.
            tables: Its tables.
            usual: The same network at work, with gates; its nodes have the same numbers here.
        """
        self._usual = usual
        self._probes = Probes(shape, tables, usual.layout)
        self._machine = Machine(self._probes.layout, self._probes.tables)

    def ask(self, look: Look, nodes: Ints, asked: Ints) -> tuple[Array, Array]:
        """Return what follows from each state of each node.

        Args:
            look: The evidence, of one case.
            nodes: Numbers of the nodes, each once.
            asked: Numbers of the targets.

        Returns:
            ln P(state and evidence), minus infinity where it is impossible, for the states of one node after another,
            shape ``(states,)``; and the posteriors of the targets, their states one after another, shape
            ``(states, states of targets)``, which have no meaning where the state is impossible.
        """
        cards = self._usual.cards
        ends = np.cumsum(cards[nodes]).tolist()
        found = _Found(
            dict(zip(nodes.tolist(), [0, *ends], strict=False)),
            np.full(ends[-1] if ends else 0, np.nan),
            np.zeros((ends[-1] if ends else 0, int(cards[asked].sum()))),
        )
        known = set(look.seen[look.codes[0] != -1].tolist())
        free = [node for node in nodes.tolist() if node not in known]
        for group in self._probes.groups(look, free, asked.tolist()):
            self._together(look, group, asked, found)
        self._one_by_one(look, nodes, asked, found)
        return found.log, found.posterior

    # ---- the nodes of one plan ---------------------------------------------------------------------------------------

    def _together(
        self, look: Look, probes: Sequence[Probe], asked: Ints, found: _Found, alone: Mapping[int, float] | None = None
    ) -> None:
        """Write what follows from nodes that share a plan; NaN stays where too few digits are left.

        Where the plan is dear, nodes that make it so are planned apart from the others.

        Args:
            look: The evidence.
            probes: Of the nodes.
            asked: The targets.
            found: Written to.
            alone: By node, how many multiplications a plan of its own has, if that is known already.
        """
        cost = self._cost(look, probes, asked)
        if len(probes) > 1 and cost * _lanes(probes) > _DEAR:
            alone = alone or {own.node: self._cost(look, [own], asked) for own in probes}
            parts = _parts(probes, cost, alone)
            if len(parts) > 1:
                for part in parts:
                    self._together(look, part, asked, found, alone)
                return
            self._planned(look, probes, asked)
        if cost < np.inf:
            self._by_plan(look, probes, asked, found, cost)

    def _by_plan(self, look: Look, probes: Sequence[Probe], asked: Ints, found: _Found, cost: float) -> None:
        """Write what follows, from the plan in the room or, where that loses digits, from one with chains.

        Args:
            look: The evidence.
            probes: What was planned.
            asked: The targets.
            found: Written to.
            cost: Multiplications of the plan.
        """
        plan = self._ready(probes)
        if plan.error > _LITTLE:
            chains = self._cost(look, probes, asked, signed=False)
            if chains * _lanes(probes) <= _DEAR:
                cost = chains
            elif plan.error <= cases.TOLERATED:
                self._planned(look, probes, asked)
            else:
                return
            plan = self._ready(probes)
        for part in _slices(probes):
            self._answer(plan, part, asked, found)
        missing = [(own.node, s) for own in probes if own.level for s in found.missing(own.node, len(own.weights))]
        sums = [self._probes.sum(node, s) for node, s in missing if s > 0]
        for part in _slices([own for own in sums if len(own.values) * cost <= _WORTH]):
            self._answer(plan, part, asked, found)

    def _ready(self, probes: Sequence[Probe]) -> _Plan:
        """Let the plan in the room read only the entries that it needs, and estimate its error."""
        place = self._compact()
        log, lost = self._deviation(self._filled(place, [], [1], probes), np.zeros(1, np.int64))[:, 0]
        return _Plan(place, probes, float(np.exp(lost - log)) if log > -np.inf else np.inf)

    def _cost(self, look: Look, probes: Sequence[Probe], asked: Ints, *, signed: bool = True) -> float:
        """Plan, and return how many multiplications that takes; infinity if it does not fit in memory."""
        if not self._planned(look, probes, asked, signed=signed):
            return np.inf
        return float(cases.multiplications(self._machine.room().ints))

    def _planned(self, look: Look, probes: Sequence[Probe], asked: Ints, *, signed: bool = True) -> bool:
        """Plan with everything in the evidence, gates as products or as chains; return whether that fits in memory."""
        sig = self._machine.entries.copy()
        for own in probes:
            sig[own.rows] = own.mixed
        sig.setflags(write=False)
        added = np.array(sorted({node for own in probes for node in own.added}), dtype=np.int64)
        codes = np.concatenate([look.codes, np.zeros((1, len(added)), np.int64)], axis=1)
        whole = Look(np.concatenate([look.seen, added]), codes, look.likelihoods)
        room = self._machine.room()
        status = self._machine.plan(room, sig, whole, asked, TRIES_FOR_ONE, lump=True, signed=signed)
        return status == arrays.PLANNED

    def _compact(self) -> Ints:
        """Let the plan read only the entries that it needs; return where each stands then, -1 for the others."""
        ints = self._machine.room().ints
        sources = ints[arrays.SRC, : ints[arrays.COUNT, arrays.SOURCES]]
        place = np.full(len(self._machine.entries), -1)
        used = np.flatnonzero(np.bincount(sources))
        place[used] = np.arange(len(used))
        sources[:] = place[sources]
        return place

    def _answer(self, plan: _Plan, probes: Sequence[Probe], asked: Ints, found: _Found) -> None:
        """Run the plan in the room for some of its probes, or for sums that it serves, and write what follows."""
        ends = np.cumsum([1, *(len(own.values) for own in probes)]).tolist()
        values = self._filled(plan.place, probes, ends, plan.probes)
        logs, posterior = self._run(values, ends[-1], asked)
        if not np.isfinite(logs[0]):
            return
        mass = np.exp(logs - logs[0])
        weights = _weights(probes, ends)
        share = weights @ mass
        enough = self._enough(plan, values, logs, weights, share)
        with np.errstate(divide="ignore", invalid="ignore"):
            log = logs[0] + np.log(share)
            after = np.maximum(weights @ (mass[:, np.newaxis] * posterior), 0.0) / share[:, np.newaxis]
        rows = np.concatenate([found.start[own.node] + own.first + np.arange(len(own.weights)) for own in probes])
        enough &= np.isnan(found.log[rows])
        found.log[rows[enough]] = log[enough]
        found.posterior[rows[enough]] = after[enough]

    def _run(self, values: Array, count: int, asked: Ints) -> tuple[Array, Array]:
        """Return ln P of each lane, shape ``(count,)``, and the posteriors in it, shape ``(count, states)``."""
        room, net = self._machine.room(), self._machine.layout.net
        width, padded = int(self._usual.cards[asked].sum()), values.shape[1]
        logs = np.full(padded, -np.inf)
        dear = cases.multiplications(room.ints) * count > _DEAR
        if count <= _FEW or room.ints[arrays.COUNT, arrays.ARENA] > _WIDE:
            rows, posterior = np.ascontiguousarray(values[:, :count].T), np.zeros((count, width))

            def some(start: int, stop: int) -> None:
                part = slice(start, stop)
                memory = self._machine.memory()
                cases.run_few(net, room.ints, room.reals, rows[part], asked, posterior[part], logs[part], memory)

            in_threads(count, some, 1 if dear else count)
            return logs[:count], posterior
        lanes = np.zeros((width, padded))

        def stretch(start: int, stop: int) -> None:
            self._machine.run(room, values, asked, (start, stop), lanes, logs)

        in_threads(padded, stretch, LANES if dear else padded)
        return logs[:count], lanes[:, :count].T

    def _filled(self, place: Ints, probes: Sequence[Probe], ends: Sequence[int], planned: Sequence[Probe]) -> Array:
        """Return the entries that the plan reads in every lane; lane 0, and what is left over, has nothing added."""
        values = np.repeat(self._machine.entries[place >= 0], -(-ends[-1] // LANES) * LANES, axis=1)
        nothing = np.zeros(sum(len(own.rows) for own in planned), dtype=np.int64)
        counts = np.array([len(own.rows) for own in probes], dtype=np.int64)
        bounds = np.array(ends, dtype=np.int64)
        cases.spread(
            values,
            place,
            np.concatenate([own.rows for own in (*probes, *planned)]),
            np.concatenate([np.repeat(bounds[:-1], counts), nothing]),
            np.concatenate([np.repeat(bounds[1:], counts), nothing]),
            np.concatenate([np.zeros(0), *(own.values.T.ravel() for own in probes)]),
        )
        return values

    def _deviation(self, values: Array, lanes: Ints) -> Array:
        """Return ln P of some lanes and the logarithm of the standard deviation of its error, shape ``(2, lanes)``."""
        found = np.empty((2, len(lanes)))
        room = self._machine.room()
        cases.deviations(room.ints, room.reals, values, lanes, found, self._machine.memory())
        return found

    def _enough(self, plan: _Plan, values: Array, logs: Array, weights: Array, share: Array) -> Bools:
        """Return of which states enough digits are left, shape ``(states,)``.

        The deviation is known for lane 0, and estimated for the rarest lane and for the rarest that is at least half as
        likely as lane 0; no other lane is taken to be much further off. Where that might matter, it is estimated too.

        Args:
            plan: The plan in the room.
            values: The lanes.
            logs: ln P of each.
            weights: What makes the states of the lanes.
            share: P of each state, for a P(evidence) of 1.
        """
        possible = np.flatnonzero(np.isfinite(logs))
        order = possible[np.argsort(logs[possible])]
        half = order[np.argmax(logs[order] > logs[0] - _HALF)]
        known, lost = np.zeros(len(logs), dtype=np.bool_), np.zeros(len(logs))
        known[0], lost[0] = True, plan.error
        size, bound = np.abs(weights), _TOLERATED * share

        def estimate(lanes: Ints) -> None:
            lost[lanes] = np.minimum(np.exp(self._deviation(values, lanes)[1] - logs[0]), _ALL)  # it may be unknown
            known[lanes] = True
            some = lost[known & (lost < _ALL)]
            lost[~known] = some.max() if len(some) else _ALL

        estimate(np.unique([order[0], half]))
        doubtful = (size[:, known] @ lost[known] <= bound) & (size @ lost > bound / _MARGIN)
        estimate(np.flatnonzero(~known & (size[doubtful] > 0).any(axis=0)))
        enough: Bools = size @ lost <= bound
        return enough

    # ---- what has no short way ---------------------------------------------------------------------------------------

    def _one_by_one(self, look: Look, nodes: Ints, asked: Ints, found: _Found) -> None:
        """Ask for what is still NaN, each state of a node as a case of its own, and write it there."""
        missing = np.flatnonzero(np.isnan(found.log))
        if not len(missing):
            return
        whole = look.with_each(nodes, self._usual.cards[nodes])
        rest = Look(whole.seen, whole.codes[missing], whole.likelihoods)
        found.posterior[missing], found.log[missing] = self._usual.every(rest, asked)


def _lanes(probes: Sequence[Probe]) -> int:
    return sum(len(own.values) for own in probes)


def _slices(probes: Sequence[Probe]) -> Iterator[list[Probe]]:
    """Yield probes in parts that do not have more lanes than are run at a time."""
    part: list[Probe] = []
    lanes = 1
    for own in probes:
        if part and lanes + len(own.values) > _MOST_LANES:
            yield part
            part, lanes = [], 1
        part.append(own)
        lanes += len(own.values)
    if part:
        yield part


def _parts(probes: Sequence[Probe], cost: float, alone: Mapping[int, float]) -> list[list[Probe]]:
    """Return probes in parts that are better planned apart: the cheap and the others, or each by itself.

    Args:
        probes: Two or more.
        cost: Multiplications of their plan.
        alone: By node, those of a plan of its own.
    """
    bound = _ALIKE * min(alone[own.node] for own in probes)
    cheap = [own for own in probes if alone[own.node] <= bound]
    if cost > bound and len(cheap) < len(probes):
        return [cheap, [own for own in probes if alone[own.node] > bound]]
    lanes = _lanes(probes)
    if sum(alone[own.node] * (1 + len(own.values)) for own in probes) < cost * lanes / _SIDE_BY_SIDE:
        return [[own] for own in probes]
    return [list(probes)]


def _weights(probes: Sequence[Probe], ends: Sequence[int]) -> Array:
    """Return what makes the states of all probes of their lanes, shape ``(states, 1 + lanes)``."""
    weights = np.zeros((sum(len(own.weights) for own in probes), ends[-1]))
    row = 0
    for own, start, stop in zip(probes, ends, ends[1:], strict=False):
        below = row + len(own.weights)
        weights[row:below, 0], weights[row:below, start:stop] = own.weights[:, 0], own.weights[:, 1:]
        row = below
    return weights


__all__ = ["Extensions"]
