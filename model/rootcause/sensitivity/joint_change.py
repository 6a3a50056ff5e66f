"""The smallest change of a whole table that brings a posterior to a level (the question of Chan & Darwiche 2004).

Smallest is by the Chan–Darwiche distance between the two distributions: ln of the largest ratio of a new entry to the
old one, less ln of the least, over all possible columns. P(event, evidence) less the level times P(evidence) is linear
in the entries of one table. With the ratios held in [b, κb], the most that can be gained is a linear programme that
falls apart into columns, each of which is filled greedily; the gain is concave in b, and grows with κ. So the least κ
is found by bisection, and its logarithm is the distance. Entries that are 0 stay 0.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.parameters import Evidence, Target, ask
from rootcause.sensitivity.passes import slopes
from rootcause.sensitivity.tipping import cd_distance

Array = NDArray[np.float64]

_FARTHEST = 40.0
_HALVINGS = 50
_GOLDEN = (math.sqrt(5) - 1) / 2
_SEARCHES = 50
_SURELY = 1 + 1e-12
"""More must be gained than by making the evidence impossible: of nothing, any level is nothing."""

_REACHED = 1e-12
"""Nearer than that a posterior is at the level: what is left is rounding, and no change is due to it."""

_MOVED = 1e-9


@dataclass(frozen=True, slots=True)
class JointChange:
    """The smallest change of a table.

    Attributes:
        target: What is asked for.
        node: Whose table it is.
        threshold: The level to reach.
        before: The posterior as it is.
        after: The posterior with the new table; ``None`` where no table reaches the level.
        distance: Chan–Darwiche distance of the change; ``None`` as above.
        table: The new table, shape ``(*cards of parents, card)``; ``None`` as above.
        old: The table as it is.
        parents: The parents, in the order of the axes.
        states: States of the parents, then of the node.
    """

    target: str
    node: str
    threshold: float
    before: float
    after: float | None
    distance: float | None
    table: Array | None
    old: Array
    parents: tuple[str, ...]
    states: tuple[tuple[str, ...], ...]

    def changed(self) -> list[tuple[dict[str, str], Array, Array]]:
        """Return the columns that change: the states of the parents, the old and the new distribution."""
        if self.table is None:
            return []
        found = []
        for place in product(*(range(size) for size in self.old.shape[:-1])):
            if abs(self.table[place] - self.old[place]).max() > _MOVED:
                given = {p: s[i] for p, s, i in zip(self.parents, self.states, place, strict=False)}
                found.append((given, self.old[place], self.table[place]))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        columns = [
            {"parents": given, "before": old.tolist(), "after": new.tolist()} for given, old, new in self.changed()
        ]
        return {
            "target": self.target,
            "node": self.node,
            "states": list(self.states[-1]),
            "threshold": self.threshold,
            "before": self.before,
            "after": self.after,
            "distance": self.distance,
            "columns": columns,
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        if self.after is None:
            return f"{self.target} is {self.before:.6g}; no table of {self.node} brings it to {self.threshold:g}."
        lines = [
            f"{self.target} is {self.before:.6g}; the smallest change of {self.node} for {self.threshold:g}:",
            f"  Chan–Darwiche distance {self.distance:.4g}",
        ]
        for given, old, new in self.changed():
            said = ", ".join(f"{name}={state}" for name, state in given.items()) or "always"
            moves = zip(self.states[-1], old.tolist(), new.tolist(), strict=True)
            lines.append(f"  {said}: " + ", ".join(f"{state} {a:.4g} to {b:.4g}" for state, a, b in moves))
        return "\n".join(lines)


def smallest_joint_change(
    engine: Engine, target: Target, node: str, evidence: Evidence, threshold: float
) -> JointChange:
    """Return the smallest change of all entries of one table together that brings a posterior to a level.

    A posterior within 1e-12 of the level is there already: no entry changes, and the distance is 0.

    Args:
        engine: The network.
        target: A node with one of its states.
        node: Whose table may change.
        evidence: Observations by node.
        threshold: The level, from whichever side the posterior is.

    Raises:
        InvalidInputError: If a node or a state is not known, or the level does not lie strictly between 0 and 1.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    if not 0 < threshold < 1:
        raise InvalidInputError(f"threshold: must lie between 0 and 1, got {threshold!r}")
    question = ask(engine, target, evidence)
    old = question.engine.table(node)
    found = slopes(question.engine, question.weights, [question.event])
    before = float(found.posterior[0])
    gains = np.zeros(old.shape)
    for part, below, above in zip(found.parts, found.evidence, found.joint, strict=True):
        if part.node == node:
            gains = (above[0] - threshold * below).reshape(old.shape)
    sign = 1.0 if before < threshold else -1.0
    problem = _Problem(old.reshape(-1, old.shape[-1]), sign * gains.reshape(-1, old.shape[-1]), abs(before - threshold))
    table = problem.solve()
    after, distance = None, None
    if table is not None:
        table = table.reshape(old.shape)
        changed = question.engine.replaced({node: table})
        node_asked = next(iter(question.event))
        posterior = changed.marginals(question.weights, [node_asked]).posterior[node_asked]
        after = float(question.event[node_asked] @ posterior[:, 0])
        distance = cd_distance(old, table)
    parents = engine.parents(node)
    states = tuple(tuple(map(str, engine.states[name])) for name in (*parents, node))
    return JointChange(
        target=question.name,
        node=node,
        threshold=threshold,
        before=before,
        after=after,
        distance=distance,
        table=table,
        old=old,
        parents=parents,
        states=states,
    )


@dataclass(frozen=True, slots=True)
class _Problem:
    """Gain at least ``wanted`` by the linear function ``gains`` of the change of a table.

    Attributes:
        old: Shape ``(columns, states)``.
        gains: The same.
        wanted: At least 0.
    """

    old: Array
    gains: Array
    wanted: float

    def solve(self) -> Array | None:
        """Return the table with the least ratio of ratios, or ``None``."""
        if self.wanted <= _REACHED:
            return self.old.copy()
        low, high, wanted = 0.0, _FARTHEST, self.wanted * _SURELY
        if self._most(high)[0] < wanted:
            return None
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self._most(middle)[0] >= wanted else (middle, high)
        return self._table(math.exp(self._evenest(high, self._most(high)[1])), math.exp(high))

    def _evenest(self, log_ratio: float, least: float) -> float:
        """Return ln b of the solution in which the ratios are spread most evenly round 1: there may be many."""
        middle, wanted = -log_ratio / 2, self.wanted * (2 - _SURELY)
        for _ in range(_HALVINGS):
            nearer = (least + middle) / 2
            if self._gain(nearer, log_ratio) >= wanted:
                least = nearer
            else:
                middle = nearer
        return least

    def _gain(self, log_least: float, log_ratio: float) -> float:
        table = self._table(math.exp(log_least), math.exp(log_ratio))
        return float((self.gains * (table - self.old)).sum())

    def _most(self, log_ratio: float) -> tuple[float, float]:
        """Return the most that can be gained with ratios in [b, κb], and ln b, which is sought in [-ln κ, 0]."""

        def gain(log_least: float) -> float:
            return self._gain(log_least, log_ratio)

        low, high = -log_ratio, 0.0
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        gains = [gain(first), gain(second)]
        for _ in range(_SEARCHES):
            if gains[0] >= gains[1]:
                high, second = second, first
                first = high - _GOLDEN * (high - low)
                gains = [gain(first), gains[0]]
            else:
                low, first = first, second
                second = low + _GOLDEN * (high - low)
                gains = [gains[1], gain(second)]
        return max((gain(at), at) for at in (low, (low + high) / 2, high))

    def _table(self, least: float, ratio: float) -> Array:
        """Return the best table with all ratios in ``[least, least · ratio]``: in each column, the best entries first.

        A column whose gains are all equal has nothing to win and stays as it is, as far as it may.
        """
        idle = np.ptp(np.where(self.old > 0, self.gains, self.gains.max(axis=1, keepdims=True)), axis=1) <= 0
        order = np.argsort(-self.gains, axis=1, kind="stable")
        sorted_ = np.take_along_axis(self.old, order, axis=1)
        room = sorted_ * least * (ratio - 1)
        spare = 1 - least * sorted_.sum(axis=1, keepdims=True)
        before = np.cumsum(room, axis=1) - room
        filled = sorted_ * least + np.clip(spare - before, 0.0, room)
        table = np.empty_like(self.old)
        np.put_along_axis(table, order, filled, axis=1)
        table[idle] = self.old[idle]
        total: Array = table / table.sum(axis=1, keepdims=True)
        return total
