"""What an answer gives a probability to: every cause, and none of them; collected, ranked and named."""

from collections.abc import Mapping
from typing import Protocol

from rootcause import diagnosis
from rootcause.case import Case
from rootcause.engine import Engine
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary

NONE = "none"
OUTCOMES = (*CAUSES, NONE)
"""Every cause, then none of them."""

SAME = 1e-9
"""Relative difference up to which two probabilities are one, summed in another order."""


class Inferring(Protocol):
    """What holds the engine of a model."""

    @property
    def engine(self) -> Engine:
        """Exact inference."""


def posterior_of(model: Inferring, case: Case) -> dict[str, float]:
    """Return the probability of every outcome, every number at its point.

    Args:
        model: What answers.
        case: What was found.

    Raises:
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    found = diagnosis.posterior(model.engine, case)
    return {name: float((found.none if name == NONE else found.causes[name])[0]) for name in OUTCOMES}


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Return the rank of every outcome, from 1; equal ones share a rank."""
    return {name: 1 + sum(other > value * (1 + SAME) for other in values.values()) for name, value in values.items()}


def label(outcome: str) -> str:
    """Return an outcome in words."""
    return "None of these" if outcome == NONE else load_vocabulary().causes[outcome].label
