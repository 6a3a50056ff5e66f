"""What a user observed, checked and turned into a likelihood for each state."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError, nearest

Array = NDArray[np.float64]
States = Mapping[str, tuple[str, ...]]
"""States of every node."""

Observation = str | Sequence[str] | Mapping[str, float] | None
"""A state, the states still possible, a likelihood for each state (only ratios matter), or nothing."""


def known(name: str, states: States, what: str = "evidence") -> None:
    """Refuse a node that is not in the network."""
    if name not in states:
        msg = f"{what}: every node must be in the network, got {name!r}{nearest(str(name), states)}"
        raise InvalidInputError(msg)


def weight_of(name: str, observed: Observation, states: States) -> Array:
    """Return an observation as a likelihood for each state, scaled to a maximum of 1, read-only.

    Raises:
        InvalidInputError: If the node or a state is unknown, or a likelihood is negative, not finite or all zero.
    """
    known(name, states)
    own = states[name]
    if isinstance(observed, Mapping):
        named: list[Any] = list(observed)
    elif isinstance(observed, str) or _is_state(observed, own):
        named = [observed]
    elif isinstance(observed, Iterable):
        named = list(observed)
    else:
        msg = f"{name}: must be a state, a list of states or a likelihood for each state, got {observed!r}"
        raise InvalidInputError(msg)
    for state in named:
        if state not in own:
            listed = [str(other) for other in own]
            msg = f"{name}: must be one of {', '.join(listed)}, got {state!r}{nearest(str(state), listed)}"
            raise InvalidInputError(msg)
    likelihoods = observed if isinstance(observed, Mapping) else dict.fromkeys(named, 1.0)
    return _scaled(name, np.array([_number(name, likelihoods.get(state, 0.0)) for state in own]))


def in_words(name: str, weight: Array, states: States) -> str:
    """Return evidence as ``name = state or state``."""
    return f"{name} = " + " or ".join(str(state) for state, w in zip(states[name], weight, strict=True) if w > 0)


def _is_state(observed: Any, states: Sequence[object]) -> bool:  # noqa: ANN401 - whatever a user wrote
    return isinstance(observed, Hashable) and observed in states  # pgmpy's own names of states are numbers


def _number(name: str, value: Any) -> float:  # noqa: ANN401 - whatever a user wrote
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        msg = f"{name}: a likelihood must be a number, got {value!r}"
        raise InvalidInputError(msg)
    try:
        return float(value)
    except OverflowError:
        msg = f"{name}: a likelihood must be finite, got an integer beyond floating point"
        raise InvalidInputError(msg) from None


def _scaled(name: str, weight: Array) -> Array:
    if not np.isfinite(weight).all():
        msg = f"{name}: every likelihood must be finite, got {weight.tolist()}"
        raise InvalidInputError(msg)
    if (weight < 0).any():
        msg = f"{name}: no likelihood may be negative, got {weight.tolist()}"
        raise InvalidInputError(msg)
    if not weight.any():
        msg = f"{name}: at least one state must be possible, got a likelihood that is zero everywhere"
        raise InvalidInputError(msg)
    scaled: Array = weight / weight.max()
    scaled.setflags(write=False)
    return scaled
