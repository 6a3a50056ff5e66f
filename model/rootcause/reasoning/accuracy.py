"""How well one finding tells one hypothesis apart, in the patient at hand: sensitivity and specificity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rootcause.engine import Engine, Observation
from rootcause.errors import InvalidInputError, nearest


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A finding as a test for a hypothesis.

    Attributes:
        positive: The states that count as a positive test.
        sensitivity: P(positive | hypothesis, evidence), from 0 to 1.
        specificity: P(not positive | not the hypothesis, evidence), from 0 to 1.
    """

    positive: tuple[str, ...]
    sensitivity: float
    specificity: float


def accuracy(
    engine: Engine,
    evidence: Mapping[str, Observation],
    hypothesis: tuple[str, str],
    finding: str,
    positive: Iterable[str] | None = None,
) -> Accuracy | None:
    """Return how well a finding would tell a hypothesis apart, given all that is known.

    Within a patient these are not the numbers of a textbook: what is known already, and the other reasons for the
    finding, are in them (spectrum: Ransohoff & Feinstein 1978).

    Args:
        engine: Any network.
        evidence: By node, what was found.
        hypothesis: A node and the state of it that is asked about, not in the evidence.
        finding: A node that is not in the evidence.
        positive: Its states that count as positive; ``None``: all but the first.

    Returns:
        ``None`` where the hypothesis is sure or impossible, so that one of the two has no meaning.

    Raises:
        InvalidInputError: If a node or state is unknown, or has evidence.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    node, state = hypothesis
    for name in (node, finding):
        if name not in engine.states:
            raise InvalidInputError(f"accuracy: must name a known node, got {name!r}{nearest(name, engine.states)}")
        if evidence.get(name) is not None:
            raise InvalidInputError(f"accuracy: {name} must have no evidence yet, got some")
    states = engine.states[finding]
    chosen = tuple(states[1:] if positive is None else positive)
    for name, known, wanted in ((finding, states, chosen), (node, engine.states[node], (state,))):
        for one in wanted:
            if one not in known:
                raise InvalidInputError(f"accuracy: {name} must be one of {', '.join(known)}, got {one!r}")
    engine.log_evidence(evidence)  # refuses what is impossible by itself
    others = tuple(other for other in engine.states[node] if other != state)
    columns = {name: [seen, seen] for name, seen in evidence.items()}
    found = engine.run_batch({**columns, node: [state, others]}, [finding])
    if not all(log > float("-inf") for log in found.log_evidence):
        return None
    at = [states.index(one) for one in chosen]
    with_it, without = (float(row[at].sum()) for row in found.posterior[finding])
    return Accuracy(chosen, min(1.0, with_it), max(0.0, 1.0 - without))
