"""The compiled network at work: rooms for threads, chunks of cases and of draws, and the refusal of what is too large.

Memory is bounded whatever the batch: for each thread one room (its size depends on the network alone), the factors of
the case at hand (at most ``MEMORY_LIMIT``; a thread keeps ``_KEPT`` numbers of that from one question to the next),
and one chunk of evidence, of ``CHUNK`` cases; beside these only the answers themselves, eight bytes for each number
asked for.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.kernels import STORE, arrays, cases
from rootcause.engine.kernels.lanes import LANES
from rootcause.engine.layout import Drawn, Layout, Shape, Tables, lay_out
from rootcause.engine.look import NOTHING, Look
from rootcause.engine.threads import cores, in_chunks, in_threads
from rootcause.errors import ModelTooLargeError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMORY_LIMIT = 2_000_000_000
"""Bytes that the factors of one plan may take; a query that would need more is refused before it is run."""

CHUNK = 256
"""Cases that one thread takes at a time."""

_FEWEST = 4
"""Cases that are not worth a second thread."""

_SHARES = 4
"""Chunks that each thread should have at least, lest one waits for another."""

TRIES_FOR_ONE = 4
_TRIES_FOR_DRAWS = 24
_TRIES_ONCE = 32
"""Blurred orders of elimination tried for a plan that is used once, for many draws, and for every case."""

_DENSE = 200_000.0
"""Multiplications for all marginals without evidence up to which one fixed order serves every case."""

_MANY = 4 * LANES
_MOST_TOGETHER = 40_000.0
_MOST_ALONE = 15_000.0
"""From so many cases on they are run side by side by one plan, if it has no more than so many multiplications; one plan
serves fewer cases as well, if it has no more than so many."""

_KEPT = 8_000_000
"""Numbers for which a thread keeps working memory."""

_OF_THREAD = threading.local()
"""What a thread keeps, for all networks."""

_LAST_DIGITS = 1e-14

_LINE = 8
"""Numbers in a line of the cache."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """One plan for all cases of a network whose tables are small together: to plan each takes longer than to run it.

    Attributes:
        room: The plan, in which nothing was seen and every node is a target.
        leaves: Its leaves, and the logarithm of what they were divided by.
        cost: Its multiplications.
    """

    room: "Room"
    leaves: Array
    cost: float


@dataclass(frozen=True, slots=True)
class Room:
    """Working memory of one thread."""

    ints: Ints
    reals: Array
    words: NDArray[np.uint64]


def prepare() -> None:
    """Compile all kernels that are new, by a question of each kind to a network of one node, and keep the code."""
    if STORE.ready:
        return
    with STORE.vector_code():
        _ask_each_kind()
    STORE.finish()


def _ask_each_kind() -> None:
    shape = Shape({"a": ("no", "yes")}, {"a": ()})
    machine = Machine(lay_out(shape, _even), _even)
    asked = np.zeros(1, np.int64)
    machine.one(_nobody(), asked)
    machine.each(_nobody(), asked)
    machine.in_lanes(_nobody(), asked)
    machine.slopes(_nobody(), machine.entries)
    machine.draws(_nobody(), asked, Drawn(_even, 2))
    machine.slopes_of_draws(_nobody(), Drawn(_even, 2))
    machine.joint(_nobody(), asked)
    room, column, nothing, memory = machine.room(), machine.entries, np.zeros(0, np.int64), machine.memory()
    net, rows = machine.layout.net, column.T.copy()
    cases.error_of(room.ints, room.reals, column, memory)
    cases.deviations(room.ints, room.reals, column.copy(), nothing, np.zeros((2, 0)), memory)
    cases.run_few(net, room.ints, room.reals, rows, asked, np.zeros((1, 2)), np.zeros(1), memory)
    cases.spread(column.copy(), asked, nothing, nothing, nothing, np.zeros(0))


def _even(_: str) -> Array:
    return np.full((2, 1), 0.5)


class Machine:
    """A layout with its numbers, ready to run."""

    def __init__(self, layout: Layout, tables: Tables) -> None:
        """Keep the layout and its entries; look for one fixed order if the network is small enough."""
        self.layout = layout
        self.entries = layout.entries(tables)
        self.entries.setflags(write=False)
        layout.net[arrays.SURE, : len(layout.parts)] = _sure(layout, self.entries[:, 0])
        self._rooms = threading.local()
        self._sizes = arrays.room_sizes(layout.net)
        self._whole: _Whole | None = None
        self.dense = not layout.gates and self._fix_order()
        nodes = len(layout.names)
        gates = np.array([name in layout.gates for name in layout.names], dtype=np.bool_)
        self.lean: NDArray[np.bool_] = np.asarray(layout.above[:, gates].sum(axis=1) == 0)
        self.cards = layout.net[arrays.CARD, :nodes].copy()

    def _fix_order(self) -> bool:
        """Give all cases of a small network one order of elimination; return whether it is small."""
        net = self.layout.net
        nodes = len(self.layout.names)
        room = self._new_room()
        if self.plan(room, self.entries, _nobody(), np.arange(nodes), _TRIES_ONCE, lump=False) != arrays.PLANNED:
            return False
        cost = cases.multiplications(room.ints)
        if cost > _DENSE:
            return False
        if cost <= _MOST_TOGETHER and _sum_to_one(self.layout, self.entries[:, 0]):
            arena = np.empty(int(room.ints[arrays.COUNT, arrays.MEMORY]))
            log = cases.fill_leaves(room.ints, room.reals, self.entries, arena)
            last = int(room.ints[arrays.COUNT, arrays.LEAVES]) - 1
            size = int(room.ints[arrays.FAC_OFF, last] + room.ints[arrays.FAC_SIZE, last])
            self._whole = _Whole(room, np.append(arena[:size], log), cost)
        count = room.ints[arrays.COUNT, arrays.VARS]
        net[arrays.FIXED, :count] = room.ints[arrays.NODE, room.ints[arrays.ORDER, :count]]
        net[arrays.SIZES, 1] = count
        return True

    def room(self) -> Room:
        """Return the working memory of this thread."""
        room: Room | None = getattr(self._rooms, "room", None)
        if room is None:
            room = self._rooms.room = self._new_room()
        return room

    def _new_room(self) -> Room:
        ints, reals, words = self._sizes
        return Room(
            np.zeros((arrays.ROOM_ROWS, ints), dtype=np.int64),
            np.zeros((arrays.REAL_ROWS, reals)),
            np.zeros((arrays.WORD_ROWS, words), dtype=np.uint64),
        )

    def plan(  # noqa: PLR0913 - the case, and how to plan it
        self,
        room: Room,
        sig: Array,
        look: Look,
        asked: Ints,
        tries: int,
        *,
        lump: bool,
        merge: bool = True,
        signed: bool = False,
    ) -> int:
        """Plan one case and leave the plan in the room; the rest as in ``planner.plan``."""
        return int(
            cases.plan_case(
                self.layout.net,
                self.layout.above,
                room.ints,
                room.reals,
                room.words,
                sig,
                look.seen,
                look.codes[0],
                look.likelihoods,
                asked,
                lump,
                merge,
                signed,
                MEMORY_LIMIT / 16,
                tries,
            )
        )

    def one(self, look: Look, asked: Ints) -> tuple[Array, Array]:
        """Return posteriors and ln P(evidence) of few cases, in this thread."""
        whole = self._whole
        if whole is None or whole.cost > _MOST_ALONE:
            return self.each(look, asked)
        posterior = np.zeros((len(look.codes), int(self.cards[asked].sum())))
        logs = np.empty(len(look.codes))
        rare = cases.run_whole(
            self.layout.net,
            whole.room.ints,
            whole.leaves,
            look.seen,
            look.codes,
            look.likelihoods,
            asked,
            posterior,
            logs,
            self.memory(),
        )
        if rare:
            self._ask_again(look, asked, posterior, logs)
        return posterior, logs

    def _ask_again(self, look: Look, asked: Ints, posterior: Array, logs: Array) -> None:
        """Answer the cases that are too rare for the plan of all cases, or impossible, with plans of their own."""
        rare = np.flatnonzero(logs < cases.RARE)
        if len(rare):
            posterior[rare], logs[rare] = self.each(Look(look.seen, look.codes[rare], look.likelihoods), asked)

    def in_lanes(self, look: Look, asked: Ints) -> tuple[Array, Array]:
        """Do the same for many cases of a network whose tables are small together, side by side."""
        assert self._whole is not None  # noqa: S101 - see ``many``
        ints, rows = self._whole.room.ints, len(look.codes)
        lanes = -(-rows // LANES) * LANES
        posterior, logs = np.zeros((int(self.cards[asked].sum()), lanes)), np.empty(lanes)
        size = 2 * LANES * (int(ints[arrays.COUNT, arrays.ARENA]) + 1)
        cases.run_whole_in_lanes(
            self.layout.net,
            ints,
            self._whole.leaves,
            look.seen,
            look.codes,
            look.likelihoods,
            asked,
            posterior,
            logs,
            self.memory(size)[:size],
        )
        found, own = posterior[:, :rows].T, logs[:rows]
        self._ask_again(look, asked, found, own)
        return found, own

    def each(self, look: Look, asked: Ints) -> tuple[Array, Array]:
        """Do the same with a plan for each case."""
        rows = len(look.codes)
        posterior = np.zeros((rows, int(self.cards[asked].sum())))
        logs = np.empty(rows)
        status = np.zeros(rows, dtype=np.int64)
        room = self.room()
        cases.run_cases(
            self.layout.net,
            self.layout.above,
            room.ints,
            room.reals,
            room.words,
            self.entries,
            look.seen,
            look.codes,
            look.likelihoods,
            asked,
            not self.dense,
            MEMORY_LIMIT / 16,
            TRIES_FOR_ONE,
            posterior,
            logs,
            status,
            self.memory(),
        )
        if arrays.TOO_LARGE in status:
            raise self._too_large(room)
        return posterior, logs

    def many(self, rows: int, chunk: Callable[[int, int], Look], asked: Ints) -> Iterator[tuple[int, Array, Array]]:
        """Return the answers to many cases, chunk by chunk, each with the number of its first case.

        Args:
            rows: How many cases.
            chunk: Gives the evidence of the cases from one number up to another.
            asked: Numbers of the targets.
        """
        side_by_side = self._whole and rows >= _MANY
        least = _MANY if side_by_side else _FEWEST
        step = min(CHUNK, max(least, rows // (_SHARES * cores())))  # dear cases come in runs: many small shares
        if side_by_side:
            return in_chunks(rows, step, lambda start, stop: self.in_lanes(chunk(start, stop), asked))
        return in_chunks(rows, step, lambda start, stop: self.one(chunk(start, stop), asked))

    def every(self, look: Look, asked: Ints) -> tuple[Array, Array]:
        """Return posteriors and ln P(evidence) of all cases of a look, from as many threads as there are cores."""
        rows = len(look.codes)
        posterior, every = np.zeros((rows, int(self.cards[asked].sum()))), np.empty(rows)
        for start, part, logs in self.many(rows, look.rows, asked):
            posterior[start : start + len(logs)], every[start : start + len(logs)] = part, logs
        return posterior, every

    def draws(self, look: Look, asked: Ints, drawn: Drawn) -> tuple[Array, Array]:
        """Return posteriors, shape ``(states of the targets, draws)``, and ln P(evidence) for draws of the tables.

        Gates become products. Digits cancel in these, the more the rarer the evidence; if rounding may have taken one
        that counts from the draw in which it is rarest, gates become chains instead, in which nothing cancels.
        """
        wanted = self._wanted(look, asked)
        entries = drawn.entries(self.layout, wanted)
        sig = _mixtures(self.layout, entries, wanted)
        if not self.layout.gates:
            return self._run_draws(look, asked, entries, sig, signed=False)
        found = self._run_draws(look, asked, entries, sig, signed=True)
        if self._precise(entries, found[1]):
            return found
        return self._run_draws(look, asked, entries, sig, signed=False)

    def _run_draws(self, look: Look, asked: Ints, entries: Array, sig: Array, *, signed: bool) -> tuple[Array, Array]:
        """Return posteriors and ln P(evidence) for draws of the entries, shape ``(entries, draws)``."""
        room, draws = self.room(), entries.shape[1]
        padded = _padded(entries)
        posterior = np.zeros((int(self.cards[asked].sum()), padded.shape[1]))
        logs = np.full(padded.shape[1], -np.inf)
        if self._planned(room, sig, look, asked, _TRIES_FOR_DRAWS, signed=signed):
            in_threads(draws, lambda start, stop: self.run(room, padded, asked, (start, stop), posterior, logs))
        return posterior[:, :draws], logs[:draws]

    def run(
        self, room: Room, entries: Array, asked: Ints, lanes: tuple[int, int], posterior: Array, logs: Array
    ) -> None:
        """Run the plan in a room for draws from one number up to another, as ``run_lanes`` does, in this thread."""
        size = (int(room.ints[arrays.COUNT, arrays.ARENA]) + 1) * LANES
        if 2 * size > MEMORY_LIMIT / 8:
            self._one_by_one(room, entries, asked, lanes, posterior, logs)
            return
        arena, slopes = self.memory(2 * size)[: 2 * size].reshape(2, size)
        net = self.layout.net
        cases.run_draws(net, room.ints, room.reals, entries, asked, *lanes, posterior, logs, arena, slopes)

    def _one_by_one(
        self, room: Room, entries: Array, asked: Ints, draws: tuple[int, int], posterior: Array, logs: Array
    ) -> None:
        """Run draws that do not fit in memory side by side."""
        for draw in range(*draws):
            row, found = np.ascontiguousarray(entries[:, [draw]].T), np.zeros((1, len(posterior)))
            part = logs[draw : draw + 1]
            cases.run_few(self.layout.net, room.ints, room.reals, row, asked, found, part, self.memory())
            posterior[:, draw] = found[0]

    @staticmethod
    def memory(size: int = 0) -> Array:
        """Return working memory of this thread for so many numbers, which begins where a line of the cache does.

        Up to a bound the thread keeps it, for new memory takes long to get; what is never written to takes none.
        """
        if size > _KEPT:
            return np.empty(size)
        kept: Array | None = getattr(_OF_THREAD, "memory", None)
        if kept is None:
            whole = np.empty(_KEPT + _LINE)
            kept = whole[-(whole.ctypes.data // whole.itemsize) % _LINE :][:_KEPT]
            _OF_THREAD.memory = kept
        return kept

    def slopes_of_draws(self, look: Look, drawn: Drawn) -> tuple[Array, Array]:
        """Return ln P(evidence), shape ``(draws,)``, and its derivative by every entry, shape ``(entries, draws)``."""
        nobody = np.zeros(0, np.int64)
        wanted = self._wanted(look, nobody)
        entries = drawn.entries(self.layout, wanted)
        sig = _mixtures(self.layout, entries, wanted)
        room, draws = self.room(), entries.shape[1]
        padded = _padded(entries)
        result, logs = np.zeros(padded.shape), np.full(padded.shape[1], -np.inf)

        def part(start: int, stop: int) -> None:
            if 2 * LANES * int(room.ints[arrays.COUNT, arrays.ARENA]) <= MEMORY_LIMIT / 8:
                cases.run_slopes_of_lanes(room.ints, room.reals, padded, start, stop, result, logs)
                return
            for draw in range(start, stop):
                own, slopes = np.ascontiguousarray(padded[:, [draw]]), np.zeros(len(padded))
                own.setflags(write=False)
                logs[draw] = cases.run_slopes(room.ints, room.reals, own, slopes, self.memory())
                result[:, draw] = slopes

        for signed in (True, False) if self.layout.gates else (False,):
            result[:] = 0.0
            logs[:] = -np.inf
            if self._planned(room, sig, look, nobody, _TRIES_FOR_DRAWS, merge=False, signed=signed):
                in_threads(draws, part)
            if not signed or self._precise(entries, logs[:draws]):
                break
        return logs[:draws], result[:, :draws]

    def _precise(self, entries: Array, logs: Array) -> bool:
        """Return whether the plan in the room leaves enough digits where the evidence is rarest."""
        if not np.isfinite(logs).all():
            return False
        rarest = np.ascontiguousarray(entries[:, [int(logs.argmin())]])
        rarest.setflags(write=False)
        room = self.room()
        return bool(cases.error_of(room.ints, room.reals, rarest, self.memory()) <= cases.TOLERATED)

    def _planned(
        self,
        room: Room,
        sig: Array,
        look: Look,
        asked: Ints,
        tries: int,
        *,
        merge: bool = True,
        signed: bool = False,
    ) -> bool:
        """Plan; return whether the evidence is possible."""
        status = self.plan(room, sig, look, asked, tries, lump=True, merge=merge, signed=signed)
        if status == arrays.TOO_LARGE:
            raise self._too_large(room)
        return status != arrays.IMPOSSIBLE

    def _wanted(self, look: Look, asked: Ints) -> NDArray[np.uint8]:
        """Return which parts belong to nodes that evidence or targets hang on."""
        relevant = self.layout.above[np.concatenate([look.seen, asked])].any(axis=0)
        owner = self.layout.net[arrays.CON_NODE, : len(self.layout.parts)]
        wanted: NDArray[np.uint8] = relevant[owner].astype(np.uint8)
        return wanted

    def joint(self, look: Look, asked: Ints) -> Array | None:
        """Return P(targets and evidence) up to a factor, one axis for each target; ``None`` if impossible.

        Args:
            look: The evidence, of one case.
            asked: Numbers of the targets, each once.
        """
        room = self.room()
        ints = room.ints
        ints[arrays.OPEN, asked] = 1
        try:
            status = self.plan(room, self.entries, look, asked, _TRIES_FOR_DRAWS, lump=not self.dense)
        finally:
            ints[arrays.OPEN, asked] = 0
        if status == arrays.TOO_LARGE:
            raise self._too_large(room)
        if status == arrays.IMPOSSIBLE:
            return None
        arena = np.empty(int(ints[arrays.COUNT, arrays.ARENA]) + 1)
        cases.run_joint(ints, room.reals, self.entries, arena)
        axis = {int(ints[arrays.VAR, node]): k for k, node in enumerate(asked) if self._free(ints, int(node))}
        joint = np.ones([int(ints[arrays.NCLS, node]) if k in axis.values() else 1 for k, node in enumerate(asked)])
        for factor in ints[arrays.ALIVE, : ints[arrays.COUNT, arrays.LEFT]]:
            joint *= self._factor(ints, arena, int(factor), axis, joint.ndim)
        return self._by_states(ints, joint, asked)

    @staticmethod
    def _free(ints: Ints, node: int) -> bool:
        """Return whether evidence leaves a target more than one class of states."""
        return bool(ints[arrays.HARD, node] < 0 and ints[arrays.NCLS, node] > 1)

    @staticmethod
    def _factor(ints: Ints, arena: Array, factor: int, axis: Mapping[int, int], ndim: int) -> Array:
        """Return a factor over variables that were left in, with an axis for each target."""
        scope = ints[arrays.SCOPE, ints[arrays.SCOPE_START, factor] : ints[arrays.SCOPE_START, factor + 1]].tolist()
        dims = [int(ints[arrays.DIM, var]) for var in scope]
        start = int(ints[arrays.FAC_OFF, factor])
        table = arena[start : start + int(np.prod(dims))].reshape(dims)
        places = [axis[var] for var in scope]
        shape = [1] * ndim
        for place, dim in zip(places, dims, strict=True):
            shape[place] = dim
        return table.transpose(np.argsort(places)).reshape(shape)

    def _by_states(self, ints: Ints, joint: Array, asked: Ints) -> Array:
        """Turn axes of classes into axes of states; a target's states are never merged, but may be ruled out."""
        for k, node in enumerate(asked):
            first, card = self.layout.net[arrays.FIRST, node], int(self.cards[node])
            classes = ints[arrays.CLS, first : first + card]
            if ints[arrays.HARD, node] >= 0:
                chosen = np.where(np.arange(card) == ints[arrays.HARD, node], 0, -1)
            else:
                chosen = classes
            whole = np.zeros((*joint.shape[:k], card, *joint.shape[k + 1 :]))
            states = np.flatnonzero(chosen >= 0)
            whole[(slice(None),) * k + (states,)] = np.take(joint, chosen[states], axis=k)
            joint = whole
        return joint

    def slopes(self, look: Look, sig: Array) -> tuple[float, Array]:
        """Return ln P(evidence) and its derivative by every entry of the tables, shape ``(entries,)``."""
        room, nobody = self.room(), np.zeros(0, np.int64)
        sig.setflags(write=False)
        for signed in (True, False) if self.layout.gates else (False,):
            result = np.zeros(len(self.entries))
            if not self._planned(room, sig, look, nobody, TRIES_FOR_ONE, merge=False, signed=signed):
                return -np.inf, result
            if not signed or cases.error_of(room.ints, room.reals, self.entries, self.memory()) <= cases.TOLERATED:
                break
        return float(cases.run_slopes(room.ints, room.reals, self.entries, result, self.memory())), result

    def _too_large(self, room: Room) -> ModelTooLargeError:
        """Say what table does not fit, and over which nodes."""
        ints = room.ints
        first, last = ints[arrays.FIRST_AXIS, ints[arrays.COUNT, arrays.STEPS]], ints[arrays.COUNT, arrays.AXES]
        size = 8.0 * float(np.prod(ints[arrays.AXIS_DIM, first:last].astype(float)))
        blamed = dict.fromkeys(self.layout.names[ints[arrays.NODE, v]] for v in ints[arrays.BLAMED, : last - first])
        return ModelTooLargeError(
            f"network: the tables of a plan must fit in {MEMORY_LIMIT / 1e9:g} GB with their derivatives, "
            f"got one that takes {size / 1e9:.3g} GB over {', '.join(blamed)}"
        )


def _sure(layout: Layout, entries: Array) -> list[int]:
    """Return for each contribution the states, as bits, that none of its rows rules out."""
    net = layout.net
    cards = net[arrays.CARD, net[arrays.CON_NODE, : len(layout.parts)]].tolist()
    tables = np.split(entries, layout.offsets[:-1])[1:]  # entry 0 is the number 1
    possible = [
        np.atleast_1d((table.reshape(-1, card) > 0).all(axis=0)) for table, card in zip(tables, cards, strict=True)
    ]
    return [sum(1 << int(s) for s in np.flatnonzero(own[: arrays.STATES_AS_BITS])) for own in possible]


def _sum_to_one(layout: Layout, entries: Array) -> bool:
    """Return whether all rows sum to one: else it matters whether what nothing hangs on is left out."""
    cards = layout.net[arrays.CARD, layout.net[arrays.CON_NODE, : len(layout.parts)]].tolist()
    tables = np.split(entries, layout.offsets[:-1])[1:]
    sums = [table.reshape(-1, card).sum(axis=1) for table, card in zip(tables, cards, strict=True)]
    return all(bool((np.abs(own - 1) < _LAST_DIGITS).all()) for own in sums)


def _nobody() -> Look:
    return Look(np.zeros(0, np.int64), np.zeros((1, 0), np.int64), NOTHING)


def _padded(entries: Array) -> Array:
    """Return entries with at least as many draws as run side by side, the first ones repeated."""
    draws = entries.shape[1]
    return entries if draws >= LANES else np.ascontiguousarray(entries[:, np.arange(LANES) % draws])


def _mixtures(layout: Layout, entries: Array, wanted: NDArray[np.uint8]) -> Array:
    """Return two random mixtures of all draws: zero where every draw is, equal where all draws are (but by chance)."""
    mixed = np.zeros((len(entries), 2))
    weights = np.random.default_rng(0).uniform(0.5, 1.5, (2, entries.shape[1]))
    edges = np.flatnonzero(np.diff(wanted, prepend=0, append=0)).tolist()  # where runs of wanted parts begin and end
    runs = [slice(0, 1), *(slice(*layout.offsets[edges[k : k + 2]].tolist()) for k in range(0, len(edges), 2))]
    for run in runs:
        for k in range(2):  # each reads the entries at the speed of memory, which both together do not
            mixed[run, k] = entries[run] @ weights[k]
    mixed.setflags(write=False)  # for the compiler, an array that may be written to is another type
    return mixed


__all__: Sequence[str] = ("CHUNK", "MEMORY_LIMIT", "Machine", "prepare")
