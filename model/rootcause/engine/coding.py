"""Observations, as users give them, turned into numbers and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.evidence import Observation, weight_of
from rootcause.engine.look import NOTHING, Look
from rootcause.errors import InvalidInputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Coder:
    """The numbers of the states of a network.

    Nodes have other numbers in a layout with gates than in one without, so their numbers are given each time.

    Attributes:
        states: States of every node.
    """

    def __init__(self, states: Mapping[str, tuple[str, ...]]) -> None:
        """Number the states."""
        self.states = states
        self._number = {name: {s: k for k, s in enumerate(own)} for name, own in states.items()}

    def of_case(self, index: Mapping[str, int], evidence: Mapping[str, Observation]) -> Look:
        """Return the evidence of one case; a plain state takes the short way."""
        seen: list[int] = []
        codes: list[int] = []
        rows: list[Array] = []
        for name, observed in evidence.items():
            if observed is None:
                continue
            code = self._number[name].get(observed) if type(observed) is str and name in self._number else None
            if code is None:
                weight = weight_of(name, observed, self.states)
                code = _code(weight, rows)
            seen.append(index[name])
            codes.append(code)
        likelihoods = _stacked(rows) if rows else NOTHING
        return Look(np.array(seen, dtype=np.int64), np.array([codes], dtype=np.int64), likelihoods)

    def of_weights(self, index: Mapping[str, int], weights: Mapping[str, Array]) -> Look:
        """Return the evidence of one case, given as a likelihood for each state of every observed node."""
        rows: list[Array] = []
        codes = [_code(weight, rows) for weight in weights.values()]
        likelihoods = _stacked(rows) if rows else NOTHING
        return Look(_numbers(index, weights), np.array([codes], dtype=np.int64), likelihoods)

    def of_columns(self, index: Mapping[str, int], columns: Mapping[str, Any], rows: int) -> Look:
        """Return the evidence of a chunk of cases."""
        codes = np.empty((rows, len(columns)), dtype=np.int64)
        soft: list[Array] = []
        for k, (name, column) in enumerate(columns.items()):
            if isinstance(column, np.ndarray):
                codes[:, k] = column
                continue
            number = self._number[name]
            for row, observed in enumerate(column):
                if observed is None:
                    codes[row, k] = -1
                elif type(observed) is str and observed in number:
                    codes[row, k] = number[observed]
                else:
                    codes[row, k] = _code(weight_of(name, observed, self.states), soft)
        return Look(_numbers(index, columns), codes, _stacked(soft) if soft else NOTHING)

    def column(self, name: str, column: Any) -> Any:  # noqa: ANN401 - observations, or numbers of states
        """Return a column of a batch as a sequence of observations, or as an array of numbers of states.

        Raises:
            InvalidInputError: If a number is that of no state.
        """
        if not (isinstance(column, np.ndarray) and np.issubdtype(column.dtype, np.integer)):
            return column if isinstance(column, Sequence) else list(column)
        most = len(self.states[name]) - 1
        if column.ndim != 1 or (len(column) and (column.min() < -1 or column.max() > most)):
            msg = f"{name}: numbers of states must be from -1 (not observed) to {most}, got others"
            raise InvalidInputError(msg)
        return column

    def case_of(self, evidence: Mapping[str, Sequence[Observation] | Ints], row: int) -> dict[str, Observation]:
        """Return one case of a batch, in states."""
        case = {}
        for name, column in evidence.items():
            observed: Any = column[row]
            if isinstance(column, np.ndarray) and np.issubdtype(column.dtype, np.integer):
                observed = None if observed < 0 else self.states[name][observed]
            case[name] = observed
        return case


def _code(weight: Array, rows: list[Array]) -> int:
    """Return the number of the only possible state, or a reference to a row of likelihoods."""
    if np.count_nonzero(weight) == 1 and weight.max() == 1.0:
        return int(np.argmax(weight))
    rows.append(weight)
    return -1 - len(rows)


def _stacked(rows: Sequence[Array]) -> Array:
    result = np.zeros((len(rows), max(map(len, rows))))
    for row, weight in zip(result, rows, strict=True):
        row[: len(weight)] = weight
    return result


def _numbers(index: Mapping[str, int], names: Iterable[str]) -> Ints:
    return np.array([index[name] for name in names], dtype=np.int64)


__all__ = ["Coder"]
