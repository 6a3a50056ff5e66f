"""Alternatives that are whole sets of rates: those of a rate set, and those of one technique for all."""

from collections.abc import Mapping

from rootcause.alternatives.changes import Alternative, taken
from rootcause.priors import Parameter, RateSet
from rootcause.structure import DISCECTOMIES, EVERY_CAUSE, rate_id

_LABELS: Mapping[RateSet, str] = {"seed": "The seed's rates", "literature": "The literature's rates"}
_TEXTS: Mapping[RateSet, str] = {"seed": "from the seed's rates", "literature": "from the literature's rates"}


def of_rates(now: Mapping[str, Parameter], own: Mapping[str, Parameter], rates: RateSet) -> Alternative:
    """Return the numbers that a rate set has of its own, where they differ.

    Args:
        now: The numbers of the model.
        own: All numbers with this rate set.
        rates: The rate set.
    """
    changes = tuple(
        taken(now[id_], item, _TEXTS[rates])
        for id_, item in own.items()
        if item.rate_set == rates and id_ in now and now[id_].point != item.point
    )
    differ = "number differs" if len(changes) == 1 else "numbers differ"
    note = f"{len(changes)} {differ} from those in force." if changes else "These are the numbers in force."
    return Alternative("rates", rates, _LABELS[rates], note, changes)


def of_technique(now: Mapping[str, Parameter], technique: str) -> Alternative:
    """Return the rates of one technique of discectomy, taken for all of them.

    Level and state before surgery are the same for all discectomies, so that the techniques differ in these rates
    alone, and their shares among the operations need not change.

    Args:
        now: The numbers of the model.
        technique: State of the operation.
    """
    words = technique.replace("_", " ")
    changes = []
    for cause in EVERY_CAUSE:
        own = rate_id(now, cause, technique)
        for other in DISCECTOMIES:
            id_ = rate_id(now, cause, other)
            if id_ is None or own is None or not {id_, own} <= now.keys():
                continue  # a cause without a rate of its own, such as the old deficit
            if now[id_].point != now[own].point:
                changes.append(taken(now[id_], now[own], f"the rate of {words}"))
    note = (
        f"The rates of {words} for every technique of discectomy. For a microdiscectomy without its technique this is "
        f"the answer with {words} entered; a case that names another technique is answered with rates that are not its "
        "own. Fusion stays as it is."
    )
    return Alternative("technique", technique, f"All discectomies as {words}", note, tuple(dict.fromkeys(changes)))
