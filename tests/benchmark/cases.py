"""Networks and cases to ask about."""

import gzip
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgmpy.readwrite import BIFReader

from rootcause.engine import Shape
from rootcause.engine.layout import Tables
from rootcause.engine.pgmpy_networks import read_network
from rootcause.structure import build
from rootcause.uncertainty import points
from rootcause.vocabulary import load_vocabulary

Ints = NDArray[np.int64]
Columns = dict[str, Ints]
"""By node, the number of the state in each case, -1 for what was not observed."""

SEED = 20_261_121
OBSERVED = 0.4


def classic(name: str) -> Any:  # noqa: ANN401 - pgmpy has no types
    """Return a network that pgmpy ships, its columns brought to a sum of 1.

    Some columns are off by up to 1e-7, and then what an engine leaves out as barren changes the answer.
    """
    data = (files("pgmpy") / "utils" / "example_models" / f"{name}.bif.gz").read_bytes()
    network = BIFReader(string=gzip.decompress(data).decode("utf-8")).get_model()
    for table in network.get_cpds():
        table.values = table.values / table.values.sum(axis=0)
    return network


def shipped(parameters: Any) -> tuple[Shape, Tables]:  # noqa: ANN401
    """Return structure and tables of the shipped model."""
    nodes = {node.name: node for node in build()}
    numbers = points(parameters)
    tables = {name: node.fill(numbers) for name, node in nodes.items()}
    links = frozenset(name for name, node in nodes.items() if node.link)
    states = {name: node.states for name, node in nodes.items()}
    shape = Shape(states, {name: node.parents for name, node in nodes.items()}, links)
    return shape, tables.__getitem__


def sample(shape: Shape, tables: Tables, cases: int, generator: np.random.Generator) -> Columns:
    """Draw a state for every node in many cases, from the top of the network down."""
    drawn: Columns = {}
    for name, parents in shape.parents.items():
        below = np.cumsum(tables(name)[..., 0], axis=-1)
        rows = below[tuple(drawn[parent] for parent in parents)] if parents else below[np.newaxis]
        height = generator.random(cases)[:, np.newaxis] * rows[:, -1:]
        drawn[name] = (height >= rows[:, :-1]).sum(axis=1)
    return drawn


def patients(shape: Shape, tables: Tables, cases: int, *, complaint: bool = False, seed: int = SEED) -> Columns:
    """Return cases with all contexts and some of the findings, each with a pattern of its own.

    Args:
        shape: The shipped model.
        tables: Its tables.
        cases: How many.
        complaint: Whether to leave out those who have no complaint.
        seed: Seed of the draws.
    """
    generator = np.random.default_rng(seed)
    vocabulary = load_vocabulary()
    drawn = sample(shape, tables, 8 * cases + 64 if complaint else cases, generator)
    if complaint:
        kept = np.flatnonzero(drawn["symptom_onset"] > 0)[:cases]
        drawn = {name: column[kept] for name, column in drawn.items()}
    columns = {name: drawn[name] for name in vocabulary.contexts}
    return columns | {name: _some(drawn[name], OBSERVED, generator) for name in vocabulary.findings}


def _some(column: Ints, share: float, generator: np.random.Generator) -> Ints:
    return np.where(generator.random(len(column)) < share, column, -1)


def partly_seen(network: Any, cases: int, share: float = 0.2) -> Columns:  # noqa: ANN401
    """Return cases of any network with a part of its nodes observed, in states that are possible together."""
    generator = np.random.default_rng(SEED)
    shape, tables = read_network(network)
    drawn = sample(shape, tables.__getitem__, cases, generator)
    return {name: _some(column, share, generator) for name, column in drawn.items()}


def case_of(columns: Mapping[str, Ints], row: int, states: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return one case with the names of its states."""
    return {name: states[name][column[row]] for name, column in columns.items() if column[row] >= 0}


def rows_of(columns: Mapping[str, Ints], start: int, stop: int) -> Columns:
    """Return some of the cases."""
    return {name: column[start:stop] for name, column in columns.items()}
