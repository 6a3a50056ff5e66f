"""Covariation: how the rest of a column moves along when one of its entries does (Renooij 2014).

In proportion, which disturbs the distribution least (Chan & Darwiche 2002); in equal shares; or in straight lines that
keep the order of the column.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError

Array = NDArray[np.float64]
Covariation = Literal["proportional", "uniform", "order_preserving"]


def covarying(before: Array, state: int, scheme: Covariation, what: object) -> tuple[Callable[[Array], Array], float]:
    """Return the column for values of one of its entries, shape ``(states, n)``, and the greatest such value.

    Args:
        before: The column, shape ``(states,)``.
        state: Which of its entries moves.
        scheme: How the others move along.
        what: The entry, for a message.

    Raises:
        InvalidInputError: If there is no such scheme, or it is impossible for the entry.
    """
    if scheme == "order_preserving":
        return _in_order(before, state, what)
    if scheme not in get_args(Covariation):
        raise InvalidInputError(f"covariation: must be one of {', '.join(get_args(Covariation))}, got {scheme!r}")
    rest = rest_of(before, state, scheme)

    def column(values: Array) -> Array:
        found: Array = rest[:, np.newaxis] * (1 - values)
        found[state] = values
        return found

    return column, 1.0


def rest_of(before: Array, state: int | list[int], scheme: Covariation) -> Array:
    """Return how what an entry, or several, leave is shared among the others of the column; their own share is 0.

    Where nothing is left, there is no proportion: the others get equal shares.
    """
    rest = before.copy()
    rest[state] = 0.0
    if scheme == "uniform" or rest.sum() <= 0:
        rest = np.ones(len(before))
        rest[state] = 0.0
    shared: Array = rest / rest.sum()
    return shared


def _in_order(before: Array, state: int, what: object) -> tuple[Callable[[Array], Array], float]:
    """Keep the order of the column (Renooij 2014): towards 0 and towards the greatest value, along straight lines.

    At 0 the entries below are 0 as well, and those above keep their proportions. At the greatest value the entries
    below are 0 and those above equal to it. Entries that are equal are ordered as they stand.
    """
    order = np.argsort(before, kind="stable")
    rank = int(np.flatnonzero(order == state)[0])
    above = order[rank + 1 :]
    if not len(above):
        raise InvalidInputError(f"covariation: the largest entry of a column cannot keep the order, got {what}")
    point = before[state]
    highest = 1.0 / (1 + len(above))
    lowest = np.zeros(len(before))
    lowest[above] = before[above] / before[above].sum()
    greatest = np.zeros(len(before))
    greatest[[state, *above]] = highest

    def column(values: Array) -> Array:
        down = np.divide(values, point, out=np.ones_like(values), where=values < point)
        up = np.divide(values - point, highest - point, out=np.zeros_like(values), where=values > point)
        moved: Array = np.where(
            values < point,
            lowest[:, np.newaxis] * (1 - down) + before[:, np.newaxis] * down,
            before[:, np.newaxis] * (1 - up) + greatest[:, np.newaxis] * up,
        )
        moved[state] = values
        return moved

    return column, highest
