"""The network as a pgmpy ``DiscreteBayesianNetwork``, for other tools and as a witness.

pgmpy takes more than a second to import, so it is imported here only when the network is asked for.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rootcause.tables import Node
from rootcause.uncertainty import Draws

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

MAX_COLUMNS = 256
"""Columns up to which the contributions to a node share one table in the exported network."""


def to_pgmpy(nodes: Iterable[Node], numbers: Draws) -> "DiscreteBayesianNetwork":
    """Return the network with every table at the given numbers.

    Args:
        nodes: All nodes, parents before children.
        numbers: The numbers at their points, each of shape ``(1,)``.
    """
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    nodes = tuple(nodes)
    states = {node.name: list(node.states) for node in nodes}
    network = DiscreteBayesianNetwork()
    network.add_nodes_from(states)
    network.add_edges_from((parent, node.name) for node in nodes for parent in node.parents)
    for node in nodes:
        table = node.fill(numbers)[..., 0]
        columns = table.reshape(-1, len(node.states)).T  # pgmpy wants the node on the first axis of a 2-D table
        network.add_cpds(
            TabularCPD(
                node.name,
                len(node.states),
                columns,
                evidence=list(node.parents),
                evidence_card=[len(states[parent]) for parent in node.parents],
                state_names={name: states[name] for name in (node.name, *node.parents)},
            )
        )
    network.check_model()
    return network
