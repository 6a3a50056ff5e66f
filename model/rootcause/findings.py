"""What was found in one patient: each value read and checked against the vocabulary.

What is not mentioned is not examined. A value is a state, a number where the vocabulary bins one (days, ml) or grades
one (MRC), a list of states still possible, or a likelihood for each state.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rootcause.engine import Observation
from rootcause.errors import InvalidInputError, nearest
from rootcause.vocabulary import Variable, Vocabulary, load_vocabulary

_LONGEST_SHOWN = 10**18


@dataclass(frozen=True, slots=True)
class Case:
    """A checked case.

    Attributes:
        findings: By id, the value as understood: a state, a list of states, or a likelihood for each state.
        observations: The same for the engine.
        numbers: Numbers as given (days, MRC grades, ml), by id.
        earlier: The same patient at the earlier examinations, the first one first; empty where there was one alone.
        derived: Ids of what nobody entered: it follows from two examinations (see ``rootcause.serial``).
        carried: Ids of the findings that are from an earlier examination and were not looked at again.
    """

    findings: Mapping[str, Any]
    observations: Mapping[str, Observation]
    numbers: Mapping[str, float]
    earlier: tuple["Case", ...] = ()
    derived: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    def split(self) -> tuple[dict[str, Observation], dict[str, Observation]]:
        """Return what it says of the situation, which is given throughout, and what was found in the patient."""
        contexts = load_vocabulary().contexts
        situation = {name: seen for name, seen in self.observations.items() if name in contexts}
        return situation, {name: seen for name, seen in self.observations.items() if name not in contexts}

    def possible(self, name: str) -> tuple[str, ...]:
        """Return the states of a context or finding that the case leaves possible; all when it is not mentioned."""
        observed = self.observations.get(name)
        if observed is None:
            return load_vocabulary().observable[name].states
        if isinstance(observed, str):
            return (observed,)
        if isinstance(observed, Mapping):
            return tuple(state for state, weight in observed.items() if weight > 0)
        return tuple(observed)


def read_findings(table: Mapping[Any, Any]) -> Case:
    """Check the findings of one examination.

    Args:
        table: By id, a value.

    Raises:
        InvalidInputError: Naming the place, the rule and what was got.
    """
    vocabulary = load_vocabulary()
    findings: dict[str, Any] = {}
    observations: dict[str, Observation] = {}
    numbers: dict[str, float] = {}
    for name, value in table.items():
        variable = _variable(vocabulary, name)
        observed = _observation(variable, value)
        if _is_number(value):
            numbers[name] = float(value)
        observations[name] = observed
        findings[name] = understood(observed)
    case = Case(MappingProxyType(findings), MappingProxyType(observations), MappingProxyType(numbers))
    check_days(case)
    return case


def understood(observed: Observation) -> Any:  # noqa: ANN401 - a state, a list or a table
    """Return an observation as plain data: a state, a list of states, or a likelihood for each state."""
    if isinstance(observed, Mapping):
        return dict(observed)
    return list(observed) if isinstance(observed, tuple) else observed


def _variable(vocabulary: Vocabulary, name: object) -> Variable:
    known = vocabulary.observable
    if not isinstance(name, str) or name not in known:
        msg = f"findings: every name must be a known context or finding, got {name!r}{nearest(str(name), known)}"
        raise InvalidInputError(msg)
    return known[name]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _observation(variable: Variable, value: object) -> Observation:
    if isinstance(value, str):
        states = _states(variable, value)
        return states[0] if len(states) == 1 else states
    if _is_number(value):
        return _from_number(variable, value)  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return _likelihoods(variable, value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return _from_list(variable, value)
    msg = f"{variable.id}: must be {_accepted(variable)}, got {kind_of_value(value)}"
    raise InvalidInputError(msg)


def _states(variable: Variable, name: str) -> tuple[str, ...]:
    """Return the states that a name stands for: one, or those of a group."""
    if name in variable.states:
        return (name,)
    if name in variable.groups:
        return variable.groups[name]
    known = (*variable.states, *variable.groups)
    msg = f"{variable.id}: must be one of {', '.join(known)}, got {name!r}{nearest(name, known)}"
    raise InvalidInputError(msg)


def _from_number(variable: Variable, number: float) -> str:
    if not variable.bins and not variable.mrc:
        msg = f"{variable.id}: must be one of {', '.join(variable.states)}, got the number {number!r}"
        raise InvalidInputError(msg)
    volume = variable.id == "post_void_residual"
    whole = _finite(number) and (volume or number == int(number))
    state = variable.state_of(number) if whole else None
    if state is None:
        rule = (
            "an MRC grade from 0 to 5"
            if variable.mrc
            else "a volume in ml"
            if volume
            else "a whole number of days from 0"
        )
        msg = f"{variable.id}: a number must be {rule}, got {_shown(number)}"
        raise InvalidInputError(msg)
    return state


def _likelihoods(variable: Variable, table: Mapping[Any, Any]) -> Mapping[str, float]:
    where = variable.id
    for state, weight in table.items():
        if state not in variable.states:
            known = ", ".join(variable.states)
            msg = (
                f"{where}: a likelihood must be for one of {known}, got {state!r}{nearest(str(state), variable.states)}"
            )
            raise InvalidInputError(msg)
        if not _is_number(weight) or not _finite(weight):
            msg = f"{where}: the likelihood of {state} must be a finite number, got {_shown(weight)}"
            raise InvalidInputError(msg)
        if weight < 0:
            msg = f"{where}: the likelihood of {state} must not be negative, got {weight!r}"
            raise InvalidInputError(msg)
    if not any(weight > 0 for weight in table.values()):
        msg = f"{where}: the likelihood of some state must be above zero, got zero for all"
        raise InvalidInputError(msg)
    return MappingProxyType({state: float(weight) for state, weight in table.items()})


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _from_list(variable: Variable, names: Sequence[object]) -> Observation:
    if not names:
        msg = f"{variable.id}: a list must name at least one state that is still possible, got an empty list"
        raise InvalidInputError(msg)
    chosen: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str):
            msg = f"{variable.id}: a list must hold states, got {kind_of_value(name)}"
            raise InvalidInputError(msg)
        chosen.update(dict.fromkeys(_states(variable, name)))
    states = tuple(state for state in variable.states if state in chosen)
    return states[0] if len(states) == 1 else states


def check_days(case: Case) -> None:
    """Refuse an onset after the examination where a number of days shows it; the network sees windows alone."""
    onset, day = "symptom_onset", "examination_day"
    if not {onset, day} <= case.observations.keys() or not {onset, day} & case.numbers.keys():
        return
    if days_of(case, onset)[0] > days_of(case, day)[1]:
        got = f"{dated(case, onset)} and {dated(case, day)}"
        msg = f"findings: symptom_onset must not be after examination_day, got {got}"
        raise InvalidInputError(msg)


def days_of(case: Case, name: str) -> tuple[float, float]:
    """Return the first and the last day that a case leaves possible."""
    if name in case.numbers:
        return case.numbers[name], case.numbers[name]
    variable = load_vocabulary().contexts[name]
    windows = [variable.states.index(state) - variable.lowest_state for state in case.possible(name)]
    ends = (-math.inf, *variable.bins, math.inf)
    return ends[min(windows)] + 1 if min(windows) >= 0 else -math.inf, ends[max(windows) + 1]


def dated(case: Case, name: str) -> str:
    """Return the day or days of a case in words."""
    return f"day {case.numbers[name]:g}" if name in case.numbers else " or ".join(case.possible(name))


def _accepted(variable: Variable) -> str:
    number = ", an MRC grade" if variable.mrc else ", a number" if variable.bins else ""
    return f"a state{number}, a list of states or a table of likelihoods"


def kind_of_value(value: object) -> str:
    """Return what a value is, in the words of an error."""
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", type(None): "nothing (null)"}
    return names.get(type(value), f"a {type(value).__name__}")


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) > _LONGEST_SHOWN:
        return "one with more digits than can be meant"
    return repr(value) if isinstance(value, int | float) else kind_of_value(value)
