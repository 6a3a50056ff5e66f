"""Mixtures of two sets of evidence: what some observations of the one and the rest of the other say of a state.

They are the coalitions for telling apart what carries the difference between two answers. Mixtures that have no odds,
because they are impossible or settle the state, show which observations cannot be told apart.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.reasoning.shapley import Coalitions

Array = NDArray[np.float64]
Evidence = Mapping[str, Observation]
Player = tuple[str, ...]
"""Observations that come together."""

Players = Sequence[Player]


def probes(players: int) -> Coalitions:
    """Return the coalitions of one player, and of all but one."""
    alone = np.eye(players, dtype=np.bool_)
    return np.concatenate([alone, ~alone])


class Mixtures:
    """Evidence that takes some observations from one case and the rest from another."""

    def __init__(self, engine: Engine, before: Evidence, after: Evidence, asked: tuple[str, str]) -> None:
        """Keep the evidence of both, and the node and its state that are asked for."""
        self.engine = engine
        self.sides = (before, after)
        self.node, state = asked
        self.index = engine.states[self.node].index(state)
        self.number = {name: {s: k for k, s in enumerate(states)} for name, states in engine.states.items()}

    def odds(self, names: Sequence[str], from_after: Coalitions) -> tuple[Array, Array, Array]:
        """Return log-odds and posterior of the state asked for, and ln P(findings), for each mixture.

        Args:
            names: What differs.
            from_after: Which of these are from the second case, shape ``(mixtures, names)``, or ``(mixtures, 1)``.
        """
        chosen = np.broadcast_to(from_after, (len(from_after), max(1, len(names))))
        columns = {name: self._column(name, chosen[:, k]) for k, name in enumerate(names)}
        for name in self.sides[0]:
            if name not in columns:
                columns[name] = self._column(name, chosen[:, 0])
        columns.setdefault(self.node, np.full(len(chosen), -1))
        found = self.engine.run_batch(columns, [self.node])
        posterior = found.posterior[self.node]
        others = np.delete(posterior, self.index, axis=1).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(posterior[:, self.index]) - np.log(others)
        return odds, posterior[:, self.index], found.log_evidence

    def _column(self, name: str, chosen: NDArray[np.bool_]) -> Sequence[Observation] | NDArray[np.int64]:
        first, second = (side.get(name) for side in self.sides)
        number = self.number[name]
        if all(seen is None or (isinstance(seen, str) and seen in number) for seen in (first, second)):
            codes = [-1 if seen is None else number[str(seen)] for seen in (first, second)]
            return np.where(chosen, codes[1], codes[0])
        return [second if one else first for one in chosen.tolist()]

    def clash(self, players: Players, from_after: Sequence[bool]) -> list[int]:
        """Return the numbers of players that take the odds of a mixture away, and of which none can be left out."""
        kept = list(range(len(players)))
        for player in range(len(players)):
            rest = [other for other in kept if other != player]
            if not self._has_odds(players, from_after, rest):
                kept = rest
        return kept

    def _has_odds(self, players: Players, from_after: Sequence[bool], kept: Iterable[int]) -> bool:
        differing = {name for names in players for name in names}
        evidence = {name: seen for name, seen in self.sides[0].items() if name not in differing}
        for player in kept:
            side = self.sides[from_after[player]]
            evidence |= {name: side[name] for name in players[player] if name in side}
        answer = self.engine.run_batch({self.node: [None], **{n: [seen] for n, seen in evidence.items()}}, [self.node])
        posterior = answer.posterior[self.node][0]
        return bool(posterior[self.index] > 0 and np.delete(posterior, self.index).sum() > 0)


class ApartError(Exception):
    """Some players cannot be told apart.

    Attributes:
        joined: The players, with these joined.
    """

    def __init__(self, joined: list[Player]) -> None:
        super().__init__("some differences cannot be told apart")
        self.joined = joined


class Worth:
    """The log-odds of each coalition of players."""

    def __init__(self, mixtures: Mixtures, players: Players) -> None:
        self._mixtures = mixtures
        self._players = players
        self._names = [name for names in players for name in names]
        self._owner = np.array([player for player, names in enumerate(players) for _ in names], dtype=np.int64)

    def __call__(self, coalitions: Coalitions) -> Array:
        """Return what each coalition is worth, shape ``(coalitions,)``.

        Raises:
            ApartError: If a coalition has no odds.
        """
        if not self._names:
            return np.zeros(len(coalitions))
        odds, _, _ = self._mixtures.odds(self._names, coalitions[:, self._owner])
        without = np.flatnonzero(~np.isfinite(odds))
        if len(without):
            raise ApartError(self._joined(coalitions[without]))
        return odds

    def _joined(self, coalitions: Coalitions) -> list[Player]:
        """Return the players, with those joined that clash in any of the coalitions."""
        group = list(range(len(self._players)))
        for coalition in coalitions.tolist():
            if any(len({one for one, own in zip(coalition, group, strict=True) if own == g}) > 1 for g in set(group)):
                continue  # with what has been joined so far, this mixture is gone
            clashing = {group[player] for player in self._mixtures.clash(self._players, coalition)}
            if len(clashing) <= 1:  # both cases have odds, so this is rounding: nothing here can be told apart
                clashing = set(group)
            group = [min(clashing) if own in clashing else own for own in group]
        return [
            tuple(name for own, names in zip(group, self._players, strict=True) if own == g for name in names)
            for g in sorted(set(group))
        ]
