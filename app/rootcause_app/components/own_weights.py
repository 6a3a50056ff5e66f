"""A count beside the weights that the model's number could have: what each makes of the number and of the causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Final

from rootcause.errors import InvalidInputError
from rootcause.local_rates import update
from rootcause.own_answers import shifts, with_parameters
from rootcause_app.components import labels, numbers, own_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rootcause.local_counts import Local
    from rootcause.local_rates import Update
    from rootcause.own_answers import Shift
    from rootcause_app.components.own_state import Current

WEIGHTS: Final = (1.0, 0.5, 0.0)
_NUMBER: Final = ' class="rc-number"'


@dataclass(frozen=True, slots=True)
class Way:
    """What follows from a count at one weight.

    Attributes:
        weight: How much the number of the model counts, 0 to 1.
        updates: Each number before and after; empty where the weight leaves no range.
        causes: Every cause before and after, as ``shifts`` has them.
    """

    weight: float
    updates: tuple[Update, ...]
    causes: tuple[Shift, ...]


def ways(now: Current, local: Local, case: Mapping[str, object]) -> list[Way]:
    """What follows from a count at 100 %, at 50 %, at 0 %, and at the weight that was chosen.

    Args:
        now: The models of the visitor.
        local: The count.
        case: What was found.

    Raises:
        InvalidInputError: If the case has no answer.
    """
    found = []
    for weight in sorted({*WEIGHTS, local.weight}, reverse=True):
        try:
            updates = update(now.start.priors.parameters, replace(local, weight=weight))
        except InvalidInputError:
            found.append(Way(weight, (), ()))
            continue
        changed = with_parameters(now.own, {item.before.id: item.after for item in updates})
        found.append(Way(weight, updates, shifts(now.server, changed, dict(case))))
    return found


def ways_html(found: Sequence[Way], shown: str, chosen: float) -> str:
    """Them side by side: the number with its range, which cause leads, and the cause that the weight moves most.

    Args:
        found: What ``ways`` returned.
        shown: Id of the number that is shown.
        chosen: The weight that was chosen.
    """
    of_shown = {way.weight: item for way in found for item in way.updates if item.before.id == shown}
    digits = own_tables.decimals(*(item.after for item in of_shown.values()))
    cause = _most_moved(found)
    rows = "".join(_row(way, of_shown.get(way.weight), cause, digits, marked=way.weight == chosen) for way in found)
    titles = ("The number then", "Leads then", labels.cause(cause))
    head = '<th scope="col">The model\'s number counts</th>' + "".join(
        f'<th scope="col"{_NUMBER}>{escape(title)}</th>' for title in titles
    )
    return own_tables.table(head, rows, "rc-own-updates rc-own-weights")


def _row(way: Way, item: Update | None, cause: str, digits: int, *, marked: bool) -> str:
    weight = f"{100 * way.weight:.0f} %{', as chosen' if marked else ''}"
    if item is None:
        said = "the count alone leaves no range around its mean"
        return f'<tr><th scope="row">{weight}</th><td colspan="3">{said}</td></tr>'
    leads = next(shift.cause for shift in way.causes if shift.rank_after == 1)
    after = next(shift.after for shift in way.causes if shift.cause == cause)
    return (
        f'<tr><th scope="row">{weight}<small>{escape(own_tables.counts_as(item))}</small></th>'
        f'<td{_NUMBER} data-label="The number then">{own_tables.value(item.after, digits, strong=marked)}</td>'
        f'<td{_NUMBER} data-label="Leads then">{escape(labels.cause(leads))}</td>'
        f'<td{_NUMBER} data-label="{escape(labels.cause(cause))}">{numbers.percent_html(after)}</td></tr>'
    )


def _most_moved(found: Sequence[Way]) -> str:
    values: dict[str, list[float]] = {}
    for way in found:
        for shift in way.causes:
            values.setdefault(shift.cause, []).append(shift.after)
    return max(values, key=lambda cause: max(values[cause]) - min(values[cause]))
