"""One observation more: for one case, each of many nodes in each of its states, all of them side by side.

Where a node is added to the evidence, the plan hardly changes. So one plan serves many of them, and what is added is a
lane of it: what belongs to another node counts as 1 there. See ``probes`` for what a lane has in it.

Some probabilities are differences of lanes, which lose digits. What that leaves is estimated (``kernels.rounding``);
what is not good enough is asked for again as a sum in which nothing cancels, or at last as a case of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import cases, planner
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.layout import Shape, Tables
from rootcause.engine.machine import TRIES_FOR_ONE, Look, Machine, in_threads
from rootcause.engine.probes import Probe, Probes

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_IMPOSSIBLE = 8
"""Lanes that came out impossible of which the error is estimated, at most."""

_HALF = float(np.log(2))

_TOLERATED = float(np.log(cases.TOLERATED))

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


class Extensions:
    """A network ready for one observation more."""

    def __init__(self, shape: Shape, tables: Tables, plain: Machine) -> None:
        """Prepare the network.

        Args:
            shape: The network.
            tables: Its tables.
            plain: The same network at work; its nodes have the same numbers here.
        """
        self._plain = plain
        self._probes = Probes(shape, tables, plain.layout)
        self._machine = Machine(self._probes.layout, self._probes.tables)
        self._base = np.repeat(self._machine.entries, 2, axis=1)

    def ask(self, look: Look, nodes: Ints, asked: Ints) -> tuple[Array, Array]:
        """Return what follows from each state of each node.

        Args:
            look: The evidence, of one case, which is possible.
            nodes: Numbers of the nodes, each once.
            asked: Numbers of the targets.

        Returns:
            ln P(state and evidence), minus infinity where it is impossible, for the states of one node after another,
            shape ``(states,)``; and the posteriors of the targets, their states one after another, shape
            ``(states, states of targets)``, which have no meaning where the state is impossible.
        """
        cards = self._plain.cards
        ends = np.cumsum(cards[nodes]).tolist()
        found = _Found(
            dict(zip(nodes.tolist(), [0, *ends], strict=False)),
            np.full(ends[-1] if ends else 0, np.nan),
            np.zeros((ends[-1] if ends else 0, int(cards[asked].sum()))),
        )
        if self._plain.layout.gates:
            known = set(look.seen[look.codes[0] != -1].tolist())
            open_ = [node for node in nodes.tolist() if node not in known]
            for group in self._probes.groups(look, open_, asked.tolist()):
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
        if len(probes) > 1 and cost * sum(len(own.values) for own in probes) > _DEAR:
            alone = alone or {own.node: self._cost(look, [own], asked) for own in probes}
            parts = _parts(probes, cost, alone)
            if len(parts) > 1:
                for part in parts:
                    self._together(look, part, asked, found, alone)
                return
            self._planned(look, probes, asked)
        if cost == np.inf:
            return
        place = self._compact()
        if not self._answer(place, probes, asked, found):
            return
        missing = [(own.node, s) for own in probes if own.level for s in found.missing(own.node, len(own.weights))]
        sums = [self._probes.sum(node, s) for node, s in missing if s > 0]
        sums = [own for own in sums if len(own.values) * cost <= _WORTH]
        if sums:
            self._answer(place, sums, asked, found, probes)

    def _cost(self, look: Look, probes: Sequence[Probe], asked: Ints) -> float:
        """Plan, and return how many multiplications that takes; infinity if it does not fit in memory."""
        if not self._planned(look, probes, asked):
            return np.inf
        return float(cases.multiplications(self._machine.room().ints))

    def _planned(self, look: Look, probes: Sequence[Probe], asked: Ints) -> bool:
        """Plan with everything in the evidence."""
        sig = self._base.copy()
        for own in probes:
            sig[own.rows] = own.mixed
        sig.setflags(write=False)
        added = np.array(sorted({node for own in probes for node in own.added}), dtype=np.int64)
        codes = np.concatenate([look.codes, np.zeros((1, len(added)), np.int64)], axis=1)
        whole = Look(np.concatenate([look.seen, added]), codes, look.likelihoods)
        room = self._machine.room()
        status = self._machine.plan(room, sig, whole, asked, TRIES_FOR_ONE, lump=True, signed=True)
        return status == planner.PLANNED

    def _compact(self) -> Ints:
        """Let the plan read only the entries that it needs; return where each stands then, -1 for the others."""
        ints = self._machine.room().ints
        sources = ints[planner.SRC, : ints[planner.COUNT, planner.SOURCES]]
        place = np.full(len(self._base), -1)
        used = np.flatnonzero(np.bincount(sources))
        place[used] = np.arange(len(used))
        sources[:] = place[sources]
        return place

    def _answer(
        self, place: Ints, probes: Sequence[Probe], asked: Ints, found: _Found, others: Sequence[Probe] = ()
    ) -> bool:
        """Run the plan in the room for some probes and write what follows; others were planned as well.

        Returns:
            Whether enough digits are left of P(evidence); if not, nothing is written.
        """
        ends = np.cumsum([1, *(len(own.values) for own in probes)]).tolist()
        values = self._filled(place, probes, ends, others)
        log, lost = self._deviation(values, np.zeros(1, np.int64))[:, 0]
        if not lost - log <= _TOLERATED:
            return False
        logs, posterior = self._run(values, ends[-1], asked)
        mass = np.exp(logs - logs[0])
        deviations = self._deviations(values, logs, lost)
        weights = _weights(probes, ends)
        share = weights @ mass
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = np.abs(weights) @ deviations <= cases.TOLERATED * share
            log = logs[0] + np.log(share)
            after = np.maximum(weights @ (mass[:, np.newaxis] * posterior), 0.0) / share[:, np.newaxis]
        rows = np.concatenate([found.start[own.node] + own.first + np.arange(len(own.weights)) for own in probes])
        enough &= np.isnan(found.log[rows])
        found.log[rows[enough]] = log[enough]
        found.posterior[rows[enough]] = after[enough]
        return True

    def _run(self, values: Array, count: int, asked: Ints) -> tuple[Array, Array]:
        """Return ln P of each lane, shape ``(count,)``, and the posteriors in it, shape ``(count, states)``."""
        room, net = self._machine.room(), self._machine.layout.net
        width, padded = int(self._plain.cards[asked].sum()), values.shape[1]
        logs = np.full(padded, -np.inf)
        dear = cases.multiplications(room.ints) * count > _DEAR
        if count <= _FEW or room.ints[planner.COUNT, planner.ARENA] > _WIDE:
            rows, posterior = np.ascontiguousarray(values[:, :count].T), np.zeros((count, width))

            def some(start: int, stop: int) -> None:
                part = slice(start, stop)
                cases.run_few(net, room.ints, room.reals, rows[part], asked, posterior[part], logs[part])

            in_threads(count, some, 1 if dear else count)
            return logs[:count], posterior
        lanes = np.zeros((width, padded))

        def stretch(start: int, stop: int) -> None:
            self._machine.run(room, values, asked, (start, stop), lanes, logs)

        in_threads(padded, stretch, LANES if dear else padded)
        return logs[:count], lanes[:, :count].T

    def _filled(self, place: Ints, probes: Sequence[Probe], ends: Sequence[int], others: Sequence[Probe]) -> Array:
        """Return the entries that the plan reads in every lane; lane 0, and what is left over, has nothing added."""
        values = np.repeat(self._machine.entries[place >= 0], -(-ends[-1] // LANES) * LANES, axis=1)
        nothing = np.zeros(sum(len(own.rows) for own in others), dtype=np.int64)
        counts = [len(own.rows) for own in probes]
        cases.spread(
            values,
            place,
            np.concatenate([own.rows for own in (*probes, *others)]),
            np.concatenate([np.repeat(ends[:-1], counts), nothing]),
            np.concatenate([np.repeat(ends[1:], counts), nothing]),
            np.concatenate([own.values.T.ravel() for own in probes]),
        )
        return values

    def _deviation(self, values: Array, lanes: Ints) -> Array:
        """Return ln P of some lanes and the logarithm of the standard deviation of its error, shape ``(2, lanes)``."""
        found = np.empty((2, len(lanes)))
        room = self._machine.room()
        cases.deviations(room.ints, room.reals, values, lanes, found)
        return found

    def _deviations(self, values: Array, logs: Array, base: float) -> Array:
        """Return the standard deviation of the error of each lane, for a P(evidence) of 1, shape ``(lanes,)``.

        It is estimated for lane 0, for the rarest, for the rarest that is at least half as likely as lane 0, and for
        some of those that came out impossible. No lane is taken to be further off than the worst of these, nor, in
        relation to itself, further than one of these that is as rare.

        Args:
            values: The lanes.
            logs: ln P of each.
            base: The logarithm of the standard deviation for lane 0.
        """
        impossible = np.flatnonzero(~np.isfinite(logs))
        order = np.argsort(logs)[len(impossible) :]
        half = order[np.argmax(logs[order] > logs[0] - _HALF)]
        some = np.unique([*impossible[:_IMPOSSIBLE], order[0], half])
        own = np.exp(np.append(self._deviation(values, some)[1], base) - logs[0])
        some = np.append(some, 0)
        mass = np.exp(logs - logs[0])
        result = np.full(len(logs), own.max())
        for lane, deviation in zip(some.tolist(), own.tolist(), strict=True):
            if mass[lane]:
                alike = logs >= logs[lane]
                result[alike] = np.minimum(result[alike], mass[alike] * (deviation / mass[lane]))
        result[some] = own
        return result

    # ---- what has no short way ---------------------------------------------------------------------------------------

    def _one_by_one(self, look: Look, nodes: Ints, asked: Ints, found: _Found) -> None:
        """Ask for what is still NaN, each state of a node as a case of its own, and write it there."""
        missing = np.flatnonzero(np.isnan(found.log))
        if not len(missing):
            return
        codes = look.with_each(nodes, self._plain.cards[nodes]).codes[missing]
        seen = np.concatenate([look.seen, nodes])
        for start, posterior, logs in self._plain.many(
            len(missing), lambda start, stop: Look(seen, codes[start:stop], look.likelihoods), asked
        ):
            rows = missing[start : start + len(logs)]
            found.posterior[rows], found.log[rows] = posterior, logs


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
    lanes = sum(len(own.values) for own in probes)
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
