"""Random questions about an entry of a table of a random network, for Hypothesis."""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from oracle import Likelihoods, Network
from rootcause.engine import Engine
from rootcause.sensitivity.covariation import Covariation
from rootcause.sensitivity.parameters import Entry
from strategies import networks

SCHEMES: tuple[Covariation, ...] = ("proportional", "uniform", "order_preserving")


@dataclass(frozen=True)
class Asked:
    """A posterior, possible evidence, and an entry that may move.

    Attributes:
        network: In exact fractions.
        evidence: Observed states.
        target: A node that was not observed, with one of its states.
        entry: The entry.
    """

    network: Network
    evidence: dict[str, str]
    target: tuple[str, str]
    entry: Entry

    @property
    def weights(self) -> Likelihoods:
        """The evidence as likelihoods."""
        return {
            name: tuple(Fraction(state == seen) for state in self.network.states[name])
            for name, seen in self.evidence.items()
        }

    @property
    def place(self) -> tuple[tuple[int, ...], int]:
        """Where the entry is: the column, and the state."""
        states, parents = self.network.states, self.network.parents[self.entry.node]
        column = tuple(states[name].index(self.entry.parents[name]) for name in parents)
        return column, states[self.entry.node].index(self.entry.state)

    @property
    def column(self) -> tuple[Fraction, ...]:
        """The column that it is in."""
        return self.network.tables[self.entry.node][self.place[0]]

    def posterior(self, column: tuple[Fraction, ...]) -> Fraction | None:
        """Return the posterior by the definition with another column; ``None`` where the evidence is impossible."""
        tables = dict(self.network.tables)
        tables[self.entry.node] = {**tables[self.entry.node], self.place[0]: column}
        changed = Network(self.network.states, self.network.parents, tables)
        if not changed.mass(self.weights):
            return None
        node, state = self.target
        return changed.posterior(self.weights)[node][self.network.states[node].index(state)]

    def engine(self) -> Engine:
        """Return the engine of the network."""
        return self.network.engine()


@st.composite
def asked(draw: st.DrawFn, schemes: tuple[Covariation, ...] = SCHEMES, most_nodes: int = 4) -> Asked:
    """Draw a question about an entry whose column can move as the scheme wants it."""
    network = draw(networks(most_nodes).filter(lambda drawn: any(len(own) > 1 for own in drawn.states.values())))
    node = draw(st.sampled_from([*network.states]))
    others = [name for name in network.states if name != node]
    seen = draw(st.lists(st.sampled_from(others), unique=True, max_size=3)) if others else []
    world = draw(st.sampled_from([world for world, weight in network.worlds() if weight > 0]))
    evidence = {name: network.states[name][world[name]] for name in seen}
    moving = draw(st.sampled_from([name for name, own in network.states.items() if len(own) > 1]))
    parents = {name: draw(st.sampled_from(network.states[name])) for name in network.parents[moving]}
    scheme = draw(st.sampled_from(schemes))
    column = network.tables[moving][tuple(network.states[name].index(state) for name, state in parents.items())]
    states = network.states[moving]
    if scheme == "order_preserving":
        last = max(range(len(column)), key=lambda number: (column[number], number))
        states = tuple(state for number, state in enumerate(states) if number != last)
    entry = Entry(moving, parents, draw(st.sampled_from(states)), scheme)
    return Asked(network, evidence, (node, draw(st.sampled_from(network.states[node]))), entry)
