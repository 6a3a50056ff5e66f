"""P(evidence), P(event, evidence) and their derivatives by every entry of every table: two passes back (Darwiche 2003).

``Engine.gradient`` gives the derivative of a posterior. A sensitivity function takes the derivatives of its two parts,
which come from the same passes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from rootcause.engine import Drawn, Engine, Part
from rootcause.errors import ImpossibleEvidenceError

if TYPE_CHECKING:
    from rootcause.engine.machine import Machine

Array = NDArray[np.float64]
Weights = Mapping[str, Array]

_freed: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()


def free(engine: Engine) -> Engine:
    """Return an engine of the same network in whose tables any entry may move.

    In an engine that is told which nodes are links of a chain, whatever the numbers, most entries are not read.
    """
    if not engine._shape.links:  # noqa: SLF001
        return engine
    found = _freed.get(engine)
    if found is None:
        found = _freed[engine] = engine.replaced({})
    return found


@dataclass(frozen=True, slots=True)
class Slopes:
    """Probabilities of some events with the evidence and their derivatives by the entries of each table.

    Attributes:
        log_evidence: ln P(evidence).
        posterior: P(event | evidence), shape ``(events,)``.
        parts: The tables that the engine works with.
        evidence: d P(evidence) / d entry, divided by P(evidence), for each table, shape ``(entries,)``.
        joint: d P(event, evidence) / d entry, divided by P(evidence), shape ``(events, entries)``.
    """

    log_evidence: float
    posterior: Array
    parts: Sequence[Part]
    evidence: Sequence[Array]
    joint: Sequence[Array]


def slopes(engine: Engine, weights: Weights, events: Sequence[Weights], structure: Drawn | None = None) -> Slopes:
    """Return the derivatives of P(evidence) and of P(event, evidence) by every entry.

    Args:
        engine: The network.
        weights: The evidence: by node, a likelihood for each state.
        events: Each as likelihoods of 0 and 1 by node.
        structure: Tables at two or more draws of what the entries are made of: what is zero or equal in all of them is
            taken as so. Left out: every entry is a number of its own.

    Raises:
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    names = (*weights, *dict.fromkeys(name for event in events for name in event))
    machine, sig = _machine(engine, names, structure)
    log_all, all_ = _pass(engine, machine, weights, sig)
    if not math.isfinite(log_all):
        raise ImpossibleEvidenceError(engine.clash(weights))
    posterior = np.zeros(len(events))
    joint = np.zeros((len(events), len(all_)))
    for row, event in enumerate(events):
        log, own = _pass(engine, machine, together(weights, event), sig)
        if math.isfinite(log):
            posterior[row] = math.exp(log - log_all)
            joint[row] = posterior[row] * own
        elif len(event) == 1:  # what the others of the node lose, the event gains
            others = {name: 1 - weight for name, weight in event.items()}
            joint[row] = all_ - _pass(engine, machine, together(weights, others), sig)[1]
    starts = machine.layout.offsets
    spans = [slice(starts[k], starts[k + 1]) for k in range(len(machine.layout.parts))]
    return Slopes(
        log_evidence=log_all,
        posterior=posterior,
        parts=machine.layout.parts,
        evidence=[all_[span] for span in spans],
        joint=[joint[:, span] for span in spans],
    )


def together(weights: Weights, event: Weights) -> dict[str, Array]:
    """Return the evidence with an event as further evidence."""
    return {**weights, **{name: weights.get(name, 1.0) * weight for name, weight in event.items()}}


def _machine(engine: Engine, names: Sequence[str], structure: Drawn | None) -> tuple["Machine", Array]:
    """Return the machine to use, and for each entry what tells it from others."""
    if structure is None:
        machine = engine._plain  # noqa: SLF001
        return machine, _random(len(machine.entries))
    machine = engine._machine_for(names)  # noqa: SLF001
    return machine, structure.entries(machine.layout, np.ones(len(machine.layout.parts), dtype=np.uint8))


@lru_cache(maxsize=8)
def _random(size: int) -> Array:
    """Return numbers of which none is zero or equals another."""
    return np.random.default_rng(0).uniform(0.5, 1.5, (size, 1))


def _pass(engine: Engine, machine: "Machine", weights: Weights, sig: Array) -> tuple[float, Array]:
    if not all(weight.any() for weight in weights.values()):
        return -math.inf, np.zeros(len(machine.entries))
    log, found = machine.slopes(engine._codes_of(machine, weights), sig)  # noqa: SLF001
    return log, found.reshape(-1)
