"""Red-flag rules, urgency and advice: data beside the numbers, apart from every probability.

A rule fires on what the findings leave possible: a sign given as one of several states, or with a likelihood, fires the
rule as well, and the text says so. No posterior silences a rule.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

from rootcause.case import Case
from rootcause.errors import InvalidPriorsError, nearest
from rootcause.priors import read_toml
from rootcause.vocabulary import Vocabulary, load_vocabulary

Level = Literal["emergency", "same_day", "within_48h", "routine"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the most to the least urgent."""

Condition = Mapping[str, tuple[str, ...]]
"""Findings that must all be possible, each with the states that count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One red-flag rule.

    Attributes:
        id: Its name.
        level: How soon someone must act.
        text: What to do and why, in one or two sentences.
        any: The rule fires when one of these conditions is possible.
        unless: The rule rests when this condition is certain.
        sources: Keys into the list of sources.
    """

    id: str
    level: Level
    text: str
    any: tuple[Condition, ...]
    unless: Condition
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A rule that fired."""

    id: str
    text: str
    level: Level
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Urgency:
    """The most urgent level among the rules that fired, in words."""

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Advice:
    """A text shown with the answer when it applies.

    Attributes:
        id: Its name.
        text: What to do or expect.
        causes: The text applies when one of these causes is at least ``at_least`` probable; empty: whatever the cause.
        at_least: Probability from 0 to 1.
        any: The text applies when one of these conditions is possible; empty: whatever the findings.
        claims: Statements of the seed documents that the text carries.
        sources: Keys into the list of sources.
    """

    id: str
    text: str
    causes: tuple[str, ...]
    at_least: float
    any: tuple[Condition, ...]
    claims: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """A piece of advice that applies."""

    id: str
    text: str
    claims: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules, urgency texts and advice of a folder."""

    rules: tuple[Rule, ...]
    urgency: Mapping[Level, str]
    advice: tuple[Advice, ...]
    disclaimer: str

    def red_flags(self, case: Case) -> tuple[RedFlag, ...]:
        """Return the rules that fire, the most urgent first."""
        fired = [_fire(rule, case) for rule in self.rules]
        flags = [flag for flag in fired if flag is not None]
        return tuple(sorted(flags, key=lambda flag: LEVELS.index(flag.level)))

    def urgency_of(self, flags: Iterable[RedFlag]) -> Urgency:
        """Return the most urgent level among the flags; routine when there is none."""
        fired = {flag.level for flag in flags}
        level = next((level for level in LEVELS if level in fired), LEVELS[-1])
        return Urgency(level, self.urgency[level])

    def actions(self, case: Case, posterior: Mapping[str, float]) -> tuple[Action, ...]:
        """Return the advice that applies to a case, given the probability of each cause, in the order of the file."""
        return tuple(
            Action(item.id, item.text, item.claims, item.sources)
            for item in self.advice
            if _advised(item, case, posterior)
        )


def _advised(item: Advice, case: Case, posterior: Mapping[str, float]) -> bool:
    by_cause = not item.causes or any(posterior[cause] >= item.at_least for cause in item.causes)
    by_finding = not item.any or any(_possible(condition, case) for condition in item.any)
    return by_cause and by_finding


def _possible(condition: Condition, case: Case) -> bool:
    return all(
        name in case.observations and set(states) & set(case.possible(name)) for name, states in condition.items()
    )


def _certain(condition: Condition, case: Case) -> bool:
    return bool(condition) and all(
        name in case.observations and set(case.possible(name)) <= set(states) for name, states in condition.items()
    )


def _fire(rule: Rule, case: Case) -> RedFlag | None:
    met = [condition for condition in rule.any if _possible(condition, case)]
    if not met or _certain(rule.unless, case):
        return None
    certain = any(_certain(condition, case) for condition in met)
    text = rule.text if certain else f"Not certain from what was entered, but possible: {rule.text}"
    return RedFlag(rule.id, text, rule.level, rule.sources)


# ---- reading --------------------------------------------------------------------------------------------------------


def load_rulebook(folder: Traversable, sources: Iterable[str]) -> Rulebook:
    """Read ``rules.toml`` and ``advice.toml`` of a folder of numbers.

    Raises:
        InvalidPriorsError: Naming every broken rule at once.
    """
    problems: list[str] = []
    tables = {name: read_toml(folder / name, problems) for name in ("rules.toml", "advice.toml")}
    reader = _Reader(load_vocabulary(), frozenset(sources), problems)
    rules = tuple(reader.rule(id_, row) for id_, row in tables["rules.toml"].get("rule", {}).items())
    advice = tuple(reader.advice(id_, row) for id_, row in tables["advice.toml"].get("advice", {}).items())
    urgency = tables["rules.toml"].get("urgency", {})
    disclaimer = tables["rules.toml"].get("disclaimer", "")
    problems += [
        f"rules.toml: urgency must have a text for {level}, got none" for level in LEVELS if level not in urgency
    ]
    if not disclaimer:
        problems.append("rules.toml: must have a disclaimer, got none")
    if problems:
        raise InvalidPriorsError(problems)
    return Rulebook(rules, {level: urgency[level] for level in LEVELS}, advice, disclaimer)


class _Reader:
    """Turns rows into rules and advice and collects what is wrong with them."""

    def __init__(self, vocabulary: Vocabulary, sources: frozenset[str], problems: list[str]) -> None:
        self._vocabulary = vocabulary
        self._sources = sources
        self._problems = problems

    def rule(self, id_: str, row: Mapping[str, Any]) -> Rule:
        where = f"rules.toml: {id_}"
        self._fields(where, row, required=("level", "text", "any"), known=("unless", "sources"))
        level = row.get("level", "routine")
        if level not in LEVELS:
            self._problems.append(f"{where}: level must be one of {', '.join(LEVELS)}, got {level!r}")
        return Rule(
            id_,
            level,
            row.get("text", ""),
            tuple(self._condition(where, condition) for condition in row.get("any", ())),
            self._condition(where, row.get("unless", {})),
            self._keys(where, row),
        )

    def advice(self, id_: str, row: Mapping[str, Any]) -> Advice:
        where = f"advice.toml: {id_}"
        self._fields(where, row, required=("text",), known=("causes", "at_least", "any", "claims", "sources"))
        causes = tuple(row.get("causes", ()))
        for cause in causes:
            if cause not in self._vocabulary.causes:
                hint = nearest(cause, self._vocabulary.causes)
                self._problems.append(f"{where}: every cause must be in the vocabulary, got {cause!r}{hint}")
        return Advice(
            id_,
            row.get("text", ""),
            causes,
            float(row.get("at_least", 0.0)),
            tuple(self._condition(where, condition) for condition in row.get("any", ())),
            tuple(row.get("claims", ())),
            self._keys(where, row),
        )

    def _fields(self, where: str, row: Mapping[str, Any], required: tuple[str, ...], known: tuple[str, ...]) -> None:
        self._problems += [f"{where}: must have a field {name!r}, got none" for name in required if not row.get(name)]
        for name in row:
            if name not in required and name not in known:
                hint = nearest(name, (*required, *known))
                self._problems.append(f"{where}: must not have a field {name!r}{hint}")

    def _condition(self, where: str, row: Mapping[str, Any]) -> Condition:
        known = self._vocabulary.observable
        for name, states in row.items():
            if name not in known:
                hint = nearest(name, known)
                self._problems.append(f"{where}: every finding must be in the vocabulary, got {name!r}{hint}")
                continue
            self._problems += [
                f"{where}: {name} must be one of {', '.join(known[name].states)}, got {state!r}"
                for state in states
                if state not in known[name].states
            ]
        return {name: tuple(states) for name, states in row.items()}

    def _keys(self, where: str, row: Mapping[str, Any]) -> tuple[str, ...]:
        keys = tuple(row.get("sources", ()))
        self._problems += [
            f"{where}: every source must be listed in sources.toml, got {key!r}{nearest(key, self._sources)}"
            for key in keys
            if key not in self._sources
        ]
        return keys
