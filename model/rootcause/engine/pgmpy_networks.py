"""Networks of pgmpy, checked and copied into a shape and tables. pgmpy itself is not imported."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.engine.layout import Shape
from rootcause.errors import InvalidInputError

Array = NDArray[np.float64]


def read_network(network: Any) -> tuple[Shape, Mapping[str, Array]]:  # noqa: ANN401 - pgmpy has no types
    """Return the structure and the tables of a discrete pgmpy network.

    Returns:
        The tables have the shape ``(*cards of parents, card of the node, 1)`` and are read-only copies.

    Raises:
        InvalidInputError: If a node has no table, the tables do not fit together, or the network has a cycle.
    """
    tables: dict[str, Array] = {}
    states: dict[str, tuple[str, ...]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for name in _sorted(network):
        table = network.get_cpds(name)
        if table is None:
            msg = f"{name}: every node must have a table, got none"
            raise InvalidInputError(msg)
        first, *rest = table.variables
        if set(rest) != set(network.get_parents(name)):
            got = ", ".join(map(str, rest)) or "none"
            msg = f"{name}: its table must hang on its parents in the network, got {got}"
            raise InvalidInputError(msg)
        values = np.moveaxis(np.asarray(table.values, dtype=np.float64), 0, -1)[..., np.newaxis].copy()
        check_table(name, values)
        values.setflags(write=False)
        tables[first] = values
        states[first] = tuple(table.state_names[first])
        parents[first] = tuple(rest)
        for parent in rest:
            if tuple(table.state_names[parent]) != states[parent]:
                msg = f"{first}: its parent {parent} must have the states {states[parent]}, got others"
                raise InvalidInputError(msg)
    return Shape(MappingProxyType(states), MappingProxyType(parents)), MappingProxyType(tables)


def check_table(name: str, table: Array) -> None:
    """Refuse a table that is not a distribution in every column; shape ``(*cards of parents, card, draws)``."""
    if not np.isfinite(table).all() or (table < 0).any() or not np.allclose(table.sum(axis=-2), 1, atol=1e-6):
        msg = f"{name}: every column of its table must be a distribution that sums to 1, got another"
        raise InvalidInputError(msg)


def _sorted(network: Any) -> list[str]:  # noqa: ANN401
    """Return the nodes, parents before children."""
    try:
        return list(TopologicalSorter({name: network.get_parents(name) for name in network.nodes()}).static_order())
    except CycleError as error:
        msg = f"network: must have no cycle, got one among {', '.join(map(str, error.args[1]))}"
        raise InvalidInputError(msg) from None
