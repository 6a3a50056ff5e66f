"""Every number of a model at once: how P(evidence) and P(event, evidence) move with it, from one pass back for each.

A number that enters one table alone moves both along lines, so their slopes say all there is to say of it. One that is
tied across tables does not; its slopes hold for small changes only.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootcause.sensitivity.numbers import Figures, Modelled, figures_of
from rootcause.sensitivity.parameters import Number, Question, evaluate_each
from rootcause.sensitivity.passes import slopes

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lines:
    """P(event, evidence) and P(evidence), divided by P(evidence) as it is, as lines in each number that reaches them.

    Attributes:
        ids: The numbers that reach the answer, in the order of the folder.
        log_evidence: ln P(evidence).
        posterior: P(event | evidence) with all numbers at their points, shape ``(events,)``.
        joint: Slope of P(event, evidence) by each number, shape ``(events, numbers)``; the other shares of a whole move
            along in proportion.
        evidence: Slope of P(evidence), shape ``(numbers,)``.
        tables: How many tables of those that matter a number enters; where there are several, the line holds near its
            point only, shape ``(numbers,)``.
    """

    ids: tuple[str, ...]
    log_evidence: float
    posterior: Array
    joint: Array
    evidence: Array
    tables: Ints

    @property
    def tied(self) -> Bools:
        """Whether a number enters several tables, shape ``(numbers,)``."""
        found: Bools = np.greater(self.tables, 1)
        return found

    @property
    def derivative(self) -> Array:
        """D P(event | evidence) / d number, shape ``(events, numbers)``."""
        found: Array = self.joint - self.posterior[:, np.newaxis] * self.evidence
        return found


def lines(model: Modelled, question: Question, events: Sequence[Mapping[str, Array]]) -> Lines:
    """Return how all numbers of a model move the probabilities of some events.

    Args:
        model: The model.
        question: What is known.
        events: Each as likelihoods of 0 and 1 by node.

    Raises:
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    figures = figures_of(model)
    found = slopes(question.engine, question.weights, events, figures.structure)
    order = {id_: number for number, id_ in enumerate(figures.parameters)}
    steps = figures.steps(found.parts)
    below, above = np.concatenate(found.evidence), np.concatenate(found.joint, axis=1)
    evidence = np.bincount(steps.numbers, below[steps.entries] * steps.slopes, len(order))
    joint = np.zeros((len(events), len(order)))
    for row, own in enumerate(above):
        joint[row] = np.bincount(steps.numbers, own[steps.entries] * steps.slopes, len(order))
    reached = (below.astype(bool) | above.any(axis=0))[steps.entries]
    touched = np.zeros((len(found.parts), len(order)), dtype=bool)
    touched[steps.tables[reached], steps.numbers[reached]] = True
    for id_ in figures.siblings:
        touched[:, order[id_]] |= touched[:, [order[other] for other in figures.siblings[id_]]].any(axis=1)
    along = _along(figures, order)
    kept: Bools = np.any(touched, axis=0)
    return Lines(
        ids=tuple(id_ for id_ in order if kept[order[id_]]),
        log_evidence=found.log_evidence,
        posterior=found.posterior,
        joint=(joint @ along)[:, kept],
        evidence=(evidence @ along)[kept],
        tables=touched.sum(axis=0)[kept],
    )


def _along(figures: Figures, order: Mapping[str, int]) -> Array:
    """Return what each number moves: itself by 1, and the other shares of its whole in proportion, column by column."""
    along = np.eye(len(order))
    for id_, others in figures.siblings.items():
        left = 1 - figures.points[id_][0]
        for other in others:
            along[order[other], order[id_]] = -figures.points[other][0] / left
    return along


def values_at(
    model: Modelled,
    question: Question,
    found: Lines,
    at: Mapping[str, Sequence[float]],
    events: Sequence[Mapping[str, Array]],
) -> dict[str, tuple[Array, Array]]:
    """Return P(event, evidence) and P(evidence) at values of one number after another, divided by P(evidence) as it is.

    Args:
        model: The model.
        question: What is known.
        found: The lines of ``events``; used for the numbers that enter one table, which need no evaluation.
        at: By id of a number, the values.
        events: Each as likelihoods of 0 and 1 by node.

    Returns:
        By id: shape ``(events, values)`` and shape ``(values,)``.
    """
    column = {id_: number for number, id_ in enumerate(found.ids)}
    figures = figures_of(model)
    result: dict[str, tuple[Array, Array]] = {}
    tied: dict[Number, Sequence[float]] = {}
    for id_, values in at.items():
        number = column[id_]
        if found.tied[number]:
            tied[Number(id_)] = values
            continue
        steps = np.asarray(values) - figures.points[id_][0]
        joint = found.posterior[:, np.newaxis] + np.outer(found.joint[:, number], steps)
        result[id_] = (np.maximum(joint, 0.0), 1 + found.evidence[number] * steps)
    for parameter, own in evaluate_each(question, dict(tied), events).items():
        whole = math.exp(found.log_evidence - own.log_scale)
        result[parameter.id] = (own.joint / whole, own.evidence / whole)
    return {id_: result[id_] for id_ in at}
