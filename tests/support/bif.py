"""The discrete networks that pgmpy ships, read in seconds: its own reader takes minutes for the large ones."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_VARIABLE = re.compile(r"variable\s+(\S+)\s*\{\s*type\s+discrete\s*\[\s*\d+\s*\]\s*\{([^}]*)\}")
_PROBABILITY = re.compile(r"probability\s*\(\s*([^|)\s]+)\s*(?:\|([^)]*))?\)\s*\{([^}]*)\}")
_FOLDER = files("pgmpy") / "utils" / "example_models"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the attributes of a ``TabularCPD`` that are read of one.

    Attributes:
        variables: The node, then its parents.
        state_names: The states of each of these.
        values: Shape ``(card of the node, *cards of the parents)``.
    """

    variables: tuple[str, ...]
    state_names: dict[str, tuple[str, ...]]
    values: Array


@dataclass(frozen=True, slots=True)
class Bif:
    """A network with the methods of a ``DiscreteBayesianNetwork`` that are called of one.

    Attributes:
        tables: By node, in the order of the file.
        rounding: The furthest that a column in the file is from a sum of 1; here, all are brought to it.
    """

    tables: dict[str, Table]
    rounding: float

    def nodes(self) -> list[str]:
        """Return the nodes."""
        return list(self.tables)

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield each parent with its child."""
        return ((parent, name) for name in self.tables for parent in self.get_parents(name))

    def get_parents(self, name: str) -> list[str]:
        """Return the parents of a node."""
        return list(self.tables[name].variables[1:])

    def get_cpds(self, name: str) -> Table:
        """Return the table of a node."""
        return self.tables[name]


def shipped() -> list[str]:
    """Return the names of the discrete networks in pgmpy's wheel, the smallest file first."""
    found = [file for file in _FOLDER.iterdir() if file.name.endswith(".bif.gz")]
    return [file.name.removesuffix(".bif.gz") for file in sorted(found, key=lambda file: len(file.read_bytes()))]


def text_of(name: str) -> str:
    """Return the file of a network."""
    return gzip.decompress((_FOLDER / f"{name}.bif.gz").read_bytes()).decode("utf-8")


@cache
def read(name: str) -> Bif:
    """Return a network from pgmpy's wheel."""
    text = text_of(name)
    states = {node: _words(listed) for node, listed in _VARIABLE.findall(text)}
    tables = {}
    rounding = 0.0
    for node, listed, body in _PROBABILITY.findall(text):
        family = (node, *_words(listed))
        values = _values(body, [states[other] for other in family])
        sums = values.sum(axis=0)
        rounding = max(rounding, float(abs(sums - 1).max()))
        tables[node] = Table(family, {other: states[other] for other in family}, values / sums)
    return Bif({node: tables[node] for node in states}, rounding)


def _values(body: str, states: list[tuple[str, ...]]) -> Array:
    """Return a table from lines such as ``table .1, .9;`` or ``(yes, no) .1, .9;``."""
    own, *parents = states
    values = np.full([len(names) for names in states], np.nan)
    lines = {_words(key): row for key, row in re.findall(r"(?:table|\(([^)]*)\))\s*([^;]*);", body)}
    for index, key in zip(product(*(range(len(names)) for names in parents)), product(*parents), strict=True):
        row = [float(number) for number in lines[key].split(",")]
        if len(row) != len(own):
            raise ValueError(f"a row must have {len(own)} numbers, got {len(row)}")
        at: Any = (slice(None), *index)
        values[at] = row
    return values


def _words(text: Any) -> tuple[str, ...]:  # noqa: ANN401 - a group that did not match is empty
    return tuple(word.strip() for word in text.split(",")) if text.strip() else ()
