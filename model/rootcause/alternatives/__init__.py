"""Other numbers for the same model: the other rate set, one study, or one technique; and what that does to an answer.

Three kinds of alternatives, each a set of changed numbers:

``rates``
    The numbers that a rate set, the seed's or the literature's, has of its own.
``technique``
    The rates of one technique of discectomy for all of them. The techniques differ in their rates alone, so the answer
    to a microdiscectomy without its technique is exactly the answer with that technique entered.
``study``
    The figures of one publication: numbers that the other rate set rests on it alone, and records of it that were
    considered for a number and set aside. Only a figure with one reading is taken (``readings``); all others are listed
    with the reason. A record was set aside for a cause, often another denominator or other patients, so this explores
    and does not advise: the cause stands beside every figure.

Of shares of one whole, those without a figure of their own move along in proportion, so that the sum stays 1.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from rootcause.alternatives.changes import FOLLOWS, STANDINGS, Alternative, Change, Refused, with_shares
from rootcause.alternatives.sets import of_rates, of_technique
from rootcause.alternatives.studies import of_studies
from rootcause.alternatives.switching import Switched, ordered, switch, switch_all
from rootcause.outcomes import NONE, OUTCOMES
from rootcause.priors import RATE_SETS, load_priors
from rootcause.structure import DISCECTOMIES

if TYPE_CHECKING:
    from rootcause.model import Model

__all__ = [
    "FOLLOWS",
    "NONE",
    "OUTCOMES",
    "STANDINGS",
    "Alternative",
    "Change",
    "Refused",
    "Switched",
    "alternatives",
    "only",
    "ordered",
    "switch",
    "switch_all",
]


def alternatives(model: "Model") -> list[Alternative]:
    """Return the alternatives to the numbers of a model: rate sets, techniques, then studies by citation.

    One without ``changes`` is listed all the same: what it has is in use already, or refused with a reason.

    Args:
        model: The model; the other rate set and the records are those of its folder.

    Raises:
        InvalidPriorsError: If its folder no longer holds valid numbers.
    """
    now = model.priors.parameters
    sets = {rates: load_priors(model.priors.folder, rates).parameters for rates in RATE_SETS}
    other = next(own for rates, own in sets.items() if rates != model.rates)
    return [
        *(of_rates(now, sets[rates], rates) for rates in RATE_SETS),
        *(of_technique(now, technique) for technique in DISCECTOMIES),
        *sorted(of_studies(model.priors, other), key=lambda study: study.label.lower()),
    ]


def only(model: "Model", alternative: Alternative, ids: Iterable[str]) -> Alternative:
    """Return an alternative with some of its changes; shares of a whole follow those that are left.

    Args:
        model: Whose numbers are changed.
        alternative: The whole.
        ids: Numbers whose changes to keep.
    """
    wanted = set(ids)
    kept = [change for change in alternative.changes if change.id in wanted and change.text != FOLLOWS]
    changes, refused = with_shares(model.priors.parameters, kept)
    return replace(alternative, changes=changes, refused=(*alternative.refused, *refused))
