"""The network ``concrete`` of bnsobol, whose Sobol indices are published; the figures are in ``concrete.txt``."""

from functools import cache
from pathlib import Path
from string import ascii_letters

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Engine, Shape

Array = NDArray[np.float64]

STATES = ("low", "medium", "high")
SCORES = {"low": 0.0, "medium": 1.0, "high": 2.0}
INPUTS = tuple(f"E{number}" for number in range(1, 17))
_FILE = Path(__file__).with_suffix(".txt")


@cache
def tables() -> dict[str, tuple[tuple[str, ...], Array]]:
    """Return, by node, its parents and its table as published; the last axis is the node, rows sum to 1 within 1e-6."""
    rows: dict[str, list[list[str]]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for line in _FILE.read_text("utf-8").splitlines():
        words = line.partition("#")[0].replace("|", " ").split()
        if words and words[0] not in STATES and not words[0][0].isdigit():
            name, *above = words
            rows[name], parents[name] = [], tuple(above)
        elif words:
            rows[name].append(words)
    return {name: (above, _table(rows[name], len(above))) for name, above in parents.items()}


def _table(rows: list[list[str]], parents: int) -> Array:
    table = np.full((len(STATES),) * (parents + 1), np.nan)
    for row in rows:
        table[tuple(STATES.index(state) for state in row[:parents])] = [float(number) for number in row[parents:]]
    return table


def concrete() -> Engine:
    """Return the network."""
    own = tables()
    shape = Shape(dict.fromkeys(own, STATES), {name: parents for name, (parents, _) in own.items()})
    return Engine(shape, lambda name: own[name][1][..., np.newaxis])


def mass() -> float:
    """Return the sum over all states of the products of all entries: 1, but for the rounding of the published rows."""
    letters = dict(zip(tables(), ascii_letters, strict=False))
    scopes = ["".join(letters[other] for other in (*parents, name)) for name, (parents, _) in tables().items()]
    return float(np.einsum(",".join(scopes) + "->", *(table for _, table in tables().values()), optimize="greedy"))
