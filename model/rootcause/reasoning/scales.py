"""A hypothesis against its opposite, weighed with any part of the findings of a case.

What is weighed is ln P(hypothesis, findings) against ln P(not the hypothesis, findings): two sums of their own, so that
nothing is lost where a posterior is next to 0 or 1. Each set of findings is weighed once, many in one batch.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Observation
from rootcause.engine.evidence import known, weight_of
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError

Array = NDArray[np.float64]
Choices = NDArray[np.int16]
"""For each case and finding: ``LEFT_OUT``, ``AS_FOUND``, or 1 + the number of another state; ``(cases, findings)``."""

Evidence = Mapping[str, Observation]

LEFT_OUT = -1
AS_FOUND = 0

_NEARLY_ALL = -1e-4
"""ln of a share of P(findings) above which what is left is summed up by itself, and not got by a difference."""


class Scales:
    """A hypothesis, the findings of a case in their order of entry, and what is given throughout.

    The hypothesis holds where each of some nodes is in one state: one node for a hypothesis such as "lung = yes", many
    for one such as "no cause is present".
    """

    def __init__(self, engine: Engine, hypothesis: Mapping[str, str], findings: Evidence, given: Evidence) -> None:
        """Check what is asked; nothing is computed yet.

        Args:
            engine: The network.
            hypothesis: By node, the state in which the hypothesis has it; at least one.
            findings: By node, what was found, in order of entry; ``None`` is left out.
            given: What is known throughout (the context).

        Raises:
            InvalidInputError: If a node, a state or an observation is unknown, or a node is named in two places.
        """
        if not hypothesis:
            msg = "target: must name at least one node, got none"
            raise InvalidInputError(msg)
        self.engine = engine
        self.hypothesis = dict(hypothesis)
        for name, state in hypothesis.items():
            known(name, engine.states, "target")
            weight_of(name, {state: 1.0}, engine.states)
        self.weights = engine.weights(findings)
        self.given = engine.weights(given)
        self.findings = tuple(self.weights)
        for name in (*self.weights, *self.given):
            if name in hypothesis:
                msg = f"findings: must not hold what is asked about, got {name!r}"
                raise InvalidInputError(msg)
            if name in self.weights and name in self.given:
                msg = f"findings: must not hold what is given as context, got {name!r}"
                raise InvalidInputError(msg)
        self._known: dict[bytes, tuple[float, float]] = {}

    # ---- which cases there are ---------------------------------------------------------------------------------------

    def coalition(self, coalitions: NDArray[np.bool_]) -> Choices:
        """Return cases in which some findings are as found and the others are left out."""
        return np.where(coalitions, AS_FOUND, LEFT_OUT).astype(np.int16)

    def in_order(self) -> Choices:
        """Return the cases of no finding, the first, the first two, and so on; shape ``(findings + 1, findings)``."""
        size = len(self.findings)
        return self.coalition(np.tri(size + 1, size, -1) > 0)

    def one_left_out(self) -> Choices:
        """Return the cases of all findings but one; shape ``(findings, findings)``."""
        return self.coalition(~np.eye(len(self.findings), dtype=bool))

    def other_states(self) -> tuple[list[tuple[str, str]], Choices]:
        """Return each finding with each state that it was not found in, and the case that differs in this alone."""
        named: list[tuple[str, str]] = []
        rows: list[list[int]] = []
        for column, name in enumerate(self.findings):
            found = _only_state(self.weights[name])
            for number, state in enumerate(self.engine.states[name]):
                if number != found:
                    named.append((name, state))
                    rows.append([0] * len(self.findings))
                    rows[-1][column] = number + 1
        return named, np.array(rows, dtype=np.int16).reshape(len(rows), len(self.findings))

    # ---- weighing ----------------------------------------------------------------------------------------------------

    def log_masses(self, cases: Choices) -> Array:
        """Return ln P(hypothesis, case) and ln P(not the hypothesis, case); minus infinity where it is impossible.

        Returns:
            Shape ``(cases, 2)``.

        Raises:
            ImpossibleEvidenceError: If the case itself, with all findings as found, has probability zero.
        """
        everything = np.zeros((1, len(self.findings)), np.int16)
        wanted = {row.tobytes(): row for row in (*cases, *everything)}
        missing = {key: row for key, row in wanted.items() if key not in self._known}
        if missing:
            found = self._weigh(np.array([*missing.values()], np.int16).reshape(len(missing), len(self.findings)))
            self._known |= zip(missing, map(tuple, found.tolist()), strict=True)
        if max(self._known[everything.tobytes()]) == -math.inf:
            raise ImpossibleEvidenceError(self.engine.clash({**self.given, **self.weights}))
        return np.array([self._known[row.tobytes()] for row in cases]).reshape(len(cases), 2)

    def _weigh(self, cases: Choices) -> Array:
        if len(self.hypothesis) == 1:
            parts = self._pieces([self.hypothesis, *self.parts_of_opposite()], cases)
            return np.stack([parts[0], np.logaddexp.reduce(parts[1:], axis=0)], axis=1)
        holds, every = self._pieces([self.hypothesis, {}], cases)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(every == -np.inf, -np.inf, holds - every)
            opposite = every + np.log(-np.expm1(np.minimum(share, _NEARLY_ALL)))
        near = np.flatnonzero(share > _NEARLY_ALL)
        if len(near):
            opposite[near] = np.logaddexp.reduce(self._pieces([*self.parts_of_opposite()], cases[near]), axis=0)
        return np.stack([holds, opposite], axis=1)

    def parts_of_opposite(self) -> Iterator[Evidence]:
        """Yield disjoint pieces of evidence that together say that the hypothesis does not hold.

        The first node is in another state; or it is not, but the second is; and so on.
        """
        before: dict[str, Observation] = {}
        for name, state in self.hypothesis.items():
            others = [other for other in self.engine.states[name] if other != state]
            if others:
                yield {**before, name: others}
            before[name] = state

    def _pieces(self, pieces: Sequence[Evidence], cases: Choices) -> Array:
        """Return ln P(piece, case), shape ``(pieces, cases)``, from one batch."""
        size = len(cases)
        if not pieces:
            return np.empty((0, size))
        columns: dict[str, _Column] = {}
        for name, weight in self.given.items():
            columns[name] = self._column(name, [weight], np.zeros(len(pieces) * size, np.int64))
        for column, name in enumerate(self.findings):
            options = [self.weights[name], *np.eye(len(self.engine.states[name])), None]  # LEFT_OUT, -1, is the last
            columns[name] = self._column(name, options, np.tile(cases[:, column], len(pieces)))
        for name in dict.fromkeys(name for piece in pieces for name in piece):
            said = [weight_of(name, piece[name], self.engine.states) if name in piece else None for piece in pieces]
            columns[name] = self._column(name, said, np.repeat(np.arange(len(pieces)), size))
        return self.engine.run_batch(columns, ()).log_evidence.reshape(len(pieces), size)

    def _column(self, name: str, options: Sequence[Array | None], which: NDArray[np.integer[Any]]) -> "_Column":
        """Return observations as numbers of states where each is one state, else as likelihoods."""
        codes = [-1 if weight is None else _only_state(weight) for weight in options]
        if None not in codes:
            column: _Column = np.array(codes, dtype=np.int64)[which]
            return column
        states = self.engine.states[name]
        words = [None if weight is None else dict(zip(states, weight.tolist(), strict=True)) for weight in options]
        return [words[k] for k in which.tolist()]


def log_odds(masses: Array) -> Array:
    """Return log-odds from ln P(hypothesis, case) and ln P(not it, case); infinite where one of them is impossible."""
    with np.errstate(invalid="ignore"):
        odds: Array = masses[:, 0] - masses[:, 1]
    return odds


def probabilities(masses: Array) -> Array:
    """Return P(hypothesis | case) from the same; not a number where the case is impossible."""
    return np.exp(log_shares(masses)[:, 0])


def log_shares(masses: Array) -> Array:
    """Return ln P(hypothesis | case) and ln P(not it | case), shape ``(cases, 2)``; not a number where impossible."""
    with np.errstate(invalid="ignore"):
        shares: Array = masses - np.logaddexp(masses[:, 0], masses[:, 1])[:, np.newaxis]
    return shares


_Column = list[Observation] | NDArray[np.int64]


def _only_state(weight: Array) -> int | None:
    """Return the number of the only possible state, if there is only one."""
    return int(np.argmax(weight)) if np.count_nonzero(weight) == 1 else None
