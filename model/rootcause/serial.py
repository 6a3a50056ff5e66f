"""Several examinations of one patient, put together into the case at each moment.

What is known at a moment is the latest value of every sign. The same sign found twice is not two findings: each is
evidence once, with its last value, because two examinations of one leg are anything but independent. What the sequence
adds is the change, and the change is evidence of its own; where it is certain it is derived and marked as such:

- A sign of weakness or numbness that got worse or better gives ``progression``: ``worsening`` or ``improving``. Each
  sign is compared with the latest examination in which it was certainly different, so that an examination which merely
  repeats what is known does not stand a warning down. Signs that moved both ways give nothing. Where no deficit is left
  in sight it may have gone altogether: then ``no_deficit`` or ``improving``.
- A sign that was certainly normal when no deficit was seen, and is abnormal now, gives ``deficit_onset``:
  ``after_an_interval``.
- An examination without a day was on the day of the one before or later.

What was entered is never overruled by what is derived, except by a change that came after it was entered.

A value is carried on until a later examination says something else, of the same finding or of one that settles it:
leg weakness that is absent today ends the weak toe of yesterday, a weak toe today ends yesterday's "no weakness" and
"no deficit". A summary (weakness of no named muscle, numbness of no named area, side, course and dating of a deficit)
ends as well when all signs that were abnormal beside it are normal now. A test that is carried on is read as if made at
the last moment, which is when the network reads everything; ``Case.carried`` says which findings these are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any

from rootcause.errors import InvalidInputError, nearest
from rootcause.findings import Case, check_days, dated, days_of, kind_of_value, read_findings
from rootcause.vocabulary import MRC_GRADES, load_vocabulary

MOST_EXAMINATIONS = 20
"""Examinations of the longest case that is read."""

ABOUT_THE_CASE = frozenset({"id", "title", "story", "invented", "teaching", "sources", "rootcause", "answer"})
"""Keys that may stand beside the findings and say something about the case or its answer, not about the patient."""

_DAY, _ONSET = "examination_day", "symptom_onset"
_COURSE, _DATING = "progression", "deficit_onset"
_OF_THE_DEFICIT = (_COURSE, _DATING, "side")
_NO_DEFICIT = "no_deficit"
_BESIDE_THE_LEG = ("saddle_anesthesia",)

Says = Mapping[str, frozenset[str]]
"""By finding or context, the states still possible."""


@dataclass(frozen=True, slots=True)
class _Examination:
    """One examination.

    Attributes:
        case: What was entered.
        says: The states that it leaves possible for what was entered.
        known: The same, and what follows from it for findings that were not entered.
    """

    case: Case
    says: Says
    known: Says


def moments(data: object) -> tuple[Case, ...]:
    """Return the case at every moment, the first one first.

    Args:
        data: ``{"examinations": [{"findings": {...}}, ...]}`` in the order of time, up to ``MOST_EXAMINATIONS``; or one
            examination: ``{"findings": {...}}``, or the table of findings itself.

    Raises:
        InvalidInputError: Naming the place, the rule and what was got.
    """
    if not isinstance(data, Mapping):
        raise InvalidInputError(f"case: must be a table of findings, got {kind_of_value(data)}")
    if "examinations" not in data:
        return (read_findings(_findings_table(data, "case")),)
    examinations = [_read(number, item) for number, item in enumerate(_listed(data), 1)]
    _check_order(examinations)
    found: tuple[Case, ...] = ()
    origin: dict[str, int] = {}
    for number in range(1, len(examinations) + 1):
        origin = _carried_on(examinations[:number], origin)
        found = (*found, replace(_at_the_last(examinations[:number], origin), earlier=found))
    return found


def flat_table(case: Case) -> dict[str, Any]:
    """Return a case as one flat table, numbers as numbers, that reads back as the case at that moment.

    What was derived is in it like any other finding; the earlier examinations are not.
    """
    numbers = {name: int(number) if number == int(number) else number for name, number in case.numbers.items()}
    return {name: numbers.get(name, value) for name, value in case.findings.items()}


# ---- reading -------------------------------------------------------------------------------------------------------


def _findings_table(data: Mapping[Any, Any], where: str) -> Mapping[Any, Any]:
    if "findings" not in data:
        return data
    _check_keys(data, "findings", where)
    table = data["findings"]
    if not isinstance(table, Mapping):
        raise InvalidInputError(f"{where}: 'findings' must be a table, got {kind_of_value(table)}")
    return table


def _check_keys(data: Mapping[Any, Any], main: str, where: str) -> None:
    for key in data:
        if key != main and key not in ABOUT_THE_CASE:
            hint = nearest(str(key), [main, *ABOUT_THE_CASE])
            raise InvalidInputError(f"{where}: must not have a key {key!r} beside {main!r}{hint}")


def _listed(data: Mapping[Any, Any]) -> Sequence[Any]:
    if "findings" in data:
        raise InvalidInputError("case: must have 'findings' or 'examinations', got both")
    _check_keys(data, "examinations", "case")
    listed = data["examinations"]
    if not isinstance(listed, Sequence) or isinstance(listed, str | bytes | bytearray):
        raise InvalidInputError(f"case: 'examinations' must be a list of examinations, got {kind_of_value(listed)}")
    if not 1 <= len(listed) <= MOST_EXAMINATIONS:
        got = len(listed) or "an empty list"
        raise InvalidInputError(f"case: 'examinations' must hold 1 to {MOST_EXAMINATIONS} examinations, got {got}")
    return listed


def _read(number: int, item: object) -> _Examination:
    where = f"examination {number}"
    if not isinstance(item, Mapping):
        raise InvalidInputError(f"{where}: must be a table with 'findings', got {kind_of_value(item)}")
    table = _findings_table(item, where)
    try:
        case = read_findings(table)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}") from None
    says = {name: frozenset(case.possible(name)) for name in case.observations}
    return _Examination(case, says, _known(says))


def _check_order(examinations: Iterable[_Examination]) -> None:
    before: Case | None = None
    for number, examination in enumerate(examinations, 1):
        case = examination.case
        if _DAY not in case.observations:
            continue
        if before is not None and days_of(before, _DAY)[0] > days_of(case, _DAY)[1]:
            got = f"{dated(before, _DAY)} and then {dated(case, _DAY)}"
            raise InvalidInputError(f"examination {number}: {_DAY} must not go backwards, got {got}")
        before = case


# ---- what one finding says of another ------------------------------------------------------------------------------


@cache
def _covering() -> Mapping[str, tuple[str, ...]]:
    """Findings that follow from others, each with these."""
    return {name: item.covers for name, item in load_vocabulary().findings.items() if item.covers}


@cache
def _deficits() -> tuple[str, ...]:
    """Every sign of weakness and numbness."""
    of_the_leg = chain.from_iterable((name, *parts) for name, parts in _covering().items())
    return (*of_the_leg, *_BESIDE_THE_LEG)


def _normal(says: Says, name: str) -> bool:
    return name in says and says[name] == {load_vocabulary().observable[name].normal}


def _abnormal(says: Says, name: str) -> bool:
    return name in says and load_vocabulary().observable[name].normal not in says[name]


def _known(says: Says) -> Says:
    """Return what findings say, and what follows from them for those that they do not mention."""
    known = dict(says)
    if any(_normal(known, name) for name in _OF_THE_DEFICIT):
        _learn(known, (*_deficits(), *_OF_THE_DEFICIT), normal=True)
    for name, parts in _covering().items():
        if _normal(known, name):
            _learn(known, parts, normal=True)
        elif all(_normal(known, part) for part in parts):
            _learn(known, (name,), normal=True)
        elif any(_abnormal(known, part) for part in parts):
            _learn(known, (name,), normal=False)
    if any(_abnormal(known, name) for name in (*_deficits(), *_OF_THE_DEFICIT)):
        _learn(known, (*_OF_THE_DEFICIT, _ONSET), normal=False)  # who has a deficit has a complaint
    return known


def _learn(known: dict[str, frozenset[str]], names: Iterable[str], *, normal: bool) -> None:
    for name in names:
        first, *others = load_vocabulary().observable[name].states
        known.setdefault(name, frozenset([first] if normal else others))


def _contradicted(name: str, states: frozenset[str], says: Says) -> bool:
    others = {other: possible for other, possible in says.items() if other != name}
    return not states & _known(others).get(name, states)


def _without_basis(name: str, before: Says, now: Says) -> bool:
    """Return whether a summary was made of signs that are all normal by now."""
    if name in _covering():
        parts: tuple[str, ...] = _covering()[name]
    elif name in _OF_THE_DEFICIT:
        parts = _deficits()
    else:
        return False
    basis = [part for part in parts if part != name and _abnormal(before, part)]
    known = _known(now)
    return bool(basis) and all(_normal(known, part) for part in basis)


# ---- the case at a moment ------------------------------------------------------------------------------------------


def _carried_on(examinations: Sequence[_Examination], origin: Mapping[str, int]) -> dict[str, int]:
    """Return the number of the examination that each value at the last moment is from, in the order of entry.

    Args:
        examinations: In the order of time.
        origin: The same at the moment before.
    """
    last = len(examinations) - 1
    latest = examinations[last].says
    before = {name: examinations[index].says[name] for name, index in origin.items()}
    carried = {name: says for name, says in before.items() if name not in latest and name != _DAY}
    now = {**carried, **latest}

    def contradicted(name: str) -> bool:
        if _contradicted(name, carried[name], before):  # what clashed before is for the network to refuse
            return False
        return _contradicted(name, carried[name], latest) or _contradicted(name, carried[name], now)

    gone = {name for name in carried if contradicted(name)}
    now = {name: says for name, says in now.items() if name not in gone}
    gone |= {name for name in carried if _without_basis(name, before, now)}
    kept = {name: origin[name] for name in carried if name not in gone}
    return {**kept, **dict.fromkeys(latest, last)}


def _at_the_last(examinations: Sequence[_Examination], origin: Mapping[str, int]) -> Case:
    """Return the case at the last of some examinations, without its ``earlier``."""
    last = len(examinations) - 1
    derived = _derived(examinations, origin)
    contexts = load_vocabulary().contexts
    entered = {name: examinations[index].case for name, index in origin.items() if name not in derived}
    parts = {**entered, **derived}
    if last:
        parts = dict(sorted(parts.items(), key=lambda part: part[0] not in contexts))
    case = Case(
        findings=MappingProxyType({name: part.findings[name] for name, part in parts.items()}),
        observations=MappingProxyType({name: part.observations[name] for name, part in parts.items()}),
        numbers=MappingProxyType({name: part.numbers[name] for name, part in parts.items() if name in part.numbers}),
        derived=tuple(derived),
        carried=tuple(name for name in entered if origin[name] < last and name not in contexts),
    )
    try:
        check_days(case)
    except InvalidInputError as error:
        raise InvalidInputError(f"examination {last + 1}: {error}") from None
    return case


def _derived(examinations: Sequence[_Examination], origin: Mapping[str, int]) -> dict[str, Case]:
    """Return what nobody entered and the sequence shows, each as a case of that finding alone."""
    now = _known({name: examinations[index].says[name] for name, index in origin.items() if name != _COURSE})
    table: dict[str, Any] = {}
    if _DAY not in origin and (days := _not_before(examinations)):
        table[_DAY] = days
    if course := _course(examinations, now, origin.get(_COURSE, 0)):
        table[_COURSE] = course
    if _DATING not in origin and _began_after_an_interval(examinations, now):
        table[_DATING] = "after_an_interval"
    return {name: read_findings({name: value}) for name, value in table.items()}


def _not_before(examinations: Sequence[_Examination]) -> list[str]:
    dates = [examination.case for examination in examinations if _DAY in examination.says]
    if not dates:
        return []
    states = load_vocabulary().contexts[_DAY].states
    return list(states[min(states.index(state) for state in dates[-1].possible(_DAY)) :])


def _course(examinations: Sequence[_Examination], now: Says, since: int) -> str | list[str] | None:
    moved = {_change(examinations, sign, since) for sign in _deficits() if sign in now} - {0}
    if len(moved) != 1:
        return None
    if moved == {1}:
        return "worsening"
    return "improving" if any(_abnormal(now, sign) for sign in _deficits()) else [_NO_DEFICIT, "improving"]


def _change(examinations: Sequence[_Examination], sign: str, since: int) -> int:
    """Return 1 where a sign certainly got worse, -1 where it got better, 0 where neither is certain.

    Args:
        examinations: In the order of time.
        sign: A sign of weakness or numbness.
        since: The first examination whose value it may be compared with.
    """
    seen = [
        (index, _severity(examination, sign))
        for index, examination in enumerate(examinations)
        if sign in examination.known
    ]
    low, high = seen[-1][1] if seen else (0, 0)
    for index, (was_low, was_high) in reversed(seen[:-1]):
        if low > was_high or high < was_low:
            return (1 if low > was_high else -1) if index >= since else 0
    return 0


def _severity(examination: _Examination, sign: str) -> tuple[int, int]:
    """Return the least and the greatest severity that an examination leaves possible, in MRC grades lost or states."""
    variable = load_vocabulary().findings[sign]
    number = examination.case.numbers.get(sign)
    if number is not None:
        return (max(MRC_GRADES) - int(number),) * 2
    states = examination.known[sign]
    if variable.mrc:
        found = [max(MRC_GRADES) - grade for grade in MRC_GRADES if variable.state_of(grade) in states]
    else:
        found = [variable.states.index(state) for state in states]
    return min(found), max(found)


def _began_after_an_interval(examinations: Sequence[_Examination], now: Says) -> bool:
    """Return whether a sign is abnormal now that was normal when no sign of a deficit was there."""
    well: set[str] = set()
    for examination in examinations:
        known = examination.known
        if any(not _normal(known, name) for name in (*_deficits(), *_OF_THE_DEFICIT) if name in known):
            break
        well |= {name for name in _deficits() if name in known}
    return any(_abnormal(now, name) for name in well)
