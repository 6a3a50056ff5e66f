"""Red-flag rules, urgency and advice: data beside the numbers, apart from every probability.

A rule fires on what the findings leave possible: a sign given as one of several states, or with a likelihood, fires the
rule as well, and so does a sign whose circumstances were not entered; the text says so. A rule reads the case and
nothing else: no posterior reaches it, and none silences it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field

from rootcause.case import Case
from rootcause.errors import InvalidPriorsError, nearest
from rootcause.priors import Strict, Text, read_toml, validated
from rootcause.vocabulary import load_vocabulary

Level = Literal["emergency", "same_day", "within_48h", "routine"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From the most to the least urgent."""

Texts = Annotated[tuple[str, ...], Field(strict=False)]


def _known_findings(condition: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    known = load_vocabulary().observable
    if not condition:
        msg = "a condition must name at least one finding, got none"
        raise ValueError(msg)
    for name, states in condition.items():
        if not states:
            msg = f"{name} must have at least one state that counts, got none"
            raise ValueError(msg)
        if name not in known:
            msg = f"every finding must be in the vocabulary, got {name!r}{nearest(name, known)}"
            raise ValueError(msg)
        for state in states:
            if state not in known[name].states:
                msg = f"{name} must be one of {', '.join(known[name].states)}, got {state!r}"
                raise ValueError(msg)
    return condition


def _known_causes(causes: tuple[str, ...]) -> tuple[str, ...]:
    known = load_vocabulary().causes
    for cause in causes:
        if cause not in known:
            msg = f"every cause must be in the vocabulary, got {cause!r}{nearest(cause, known)}"
            raise ValueError(msg)
    return causes


Condition = Annotated[dict[str, Texts], AfterValidator(_known_findings)]
"""Findings that must all be possible, each with the states that count; the first one is the sign."""

Conditions = Annotated[tuple[Condition, ...], Field(strict=False)]


class Rule(Strict):
    """One red-flag rule.

    Attributes:
        id: Its name.
        level: How soon someone must act.
        text: What to do and why, in one or two sentences.
        any: The rule fires when one of these conditions is possible: its sign was entered, and none of its findings
            was entered in a way that excludes it.
        unless: The rule rests when one of these conditions is certain: all its findings were entered.
        first: What to look at before anything else, whatever a ranking says, in a few words each.
        sources: Keys into the list of sources.
    """

    id: str
    level: Level
    text: Text
    any: Annotated[Conditions, Field(min_length=1)]
    unless: Conditions = ()
    first: Texts = ()
    sources: Texts = ()


class Advice(Strict):
    """A text shown with the answer when it applies.

    Attributes:
        id: Its name.
        text: What to do or expect.
        causes: The text applies when one of these causes is at least ``at_least`` probable; empty: whatever the cause.
        at_least: Probability from 0 to 1.
        any: The text applies when one of these conditions is possible and all its findings were entered; empty:
            whatever the findings.
        unless: The text rests when one of these conditions is certain.
        not_when: Levels of urgency under which the text rests, lest it soothes.
        claims: Statements of the seed documents that the text carries.
        sources: Keys into the list of sources.
    """

    id: str
    text: Text
    causes: Annotated[Texts, AfterValidator(_known_causes)] = ()
    at_least: Annotated[float, Field(ge=0, le=1)] = 0.0
    any: Conditions = ()
    unless: Conditions = ()
    not_when: Annotated[tuple[Level, ...], Field(strict=False)] = ()
    claims: Texts = ()
    sources: Texts = ()


class _Urgency(Strict):
    emergency: Text
    same_day: Text
    within_48h: Text
    routine: Text


class _RulesFile(Strict):
    disclaimer: Text
    urgency: _Urgency
    rule: dict[str, dict[str, Any]]


class _AdviceFile(Strict):
    advice: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A rule that fired.

    Attributes:
        id: The rule.
        text: What to do and why; where the sign is not certain, or was found earlier, it says so first.
        level: How soon someone must act.
        sources: Keys into the list of sources.
        certain: Whether what was entered leaves no doubt that the rule applies.
        unknown: Ids of contexts and findings that were not entered and could settle it.
        earlier: Whether it fired on an earlier examination alone.
        first: What to look at before anything else.
        signs: Ids of the findings on which it fired.
    """

    id: str
    text: str
    level: Level
    sources: tuple[str, ...]
    certain: bool = True
    unknown: tuple[str, ...] = ()
    earlier: bool = False
    first: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Urgency:
    """The most urgent level among the rules that fired, in words."""

    level: Level
    text: str


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
        """Return the rules that fire, the most urgent first.

        A rule fires on the present examination, or else on the latest of the earlier ones on which it would have fired.
        """
        fired: dict[str, RedFlag] = {flag.id: flag for flag in self._now(case)}
        for past in reversed(case.earlier):
            for flag in self._now(past):
                text = f"At an earlier examination: {flag.text}"
                fired.setdefault(flag.id, replace(flag, text=text, earlier=True))
        in_file = [fired[rule.id] for rule in self.rules if rule.id in fired]
        return tuple(sorted(in_file, key=lambda flag: LEVELS.index(flag.level)))

    def _now(self, case: Case) -> tuple[RedFlag, ...]:
        flags = (_fire(rule, case) for rule in self.rules)
        return tuple(flag for flag in flags if flag is not None)

    def urgency_of(self, flags: Iterable[RedFlag]) -> Urgency:
        """Return the most urgent level among the flags; routine when there is none."""
        fired = {flag.level for flag in flags}
        level = next((level for level in LEVELS if level in fired), LEVELS[-1])
        return Urgency(level, self.urgency[level])

    def actions(self, case: Case, posterior: Mapping[str, float], level: Level) -> tuple[Action, ...]:
        """Return the advice that applies to a case, in the order of the file.

        Args:
            case: What was found.
            posterior: Probability of each cause.
            level: The urgency of the case.
        """
        return tuple(
            Action(item.id, item.text, item.claims, item.sources)
            for item in self.advice
            if level not in item.not_when and _advised(item, case, posterior)
        )


def _advised(item: Advice, case: Case, posterior: Mapping[str, float]) -> bool:
    by_cause = not item.causes or any(posterior[cause] >= item.at_least for cause in item.causes)
    by_finding = not item.any or any(_possible(each, case) and not _unknown(each, case) for each in item.any)
    return by_cause and by_finding and not any(_certain(condition, case) for condition in item.unless)


def _possible(condition: Condition, case: Case) -> bool:
    """Say whether the sign was entered and nothing that was entered excludes the condition."""
    sign = next(iter(condition))
    return sign in case.observations and all(
        not set(states).isdisjoint(case.possible(name)) for name, states in condition.items()
    )


def _unknown(condition: Condition, case: Case) -> tuple[str, ...]:
    return tuple(name for name in condition if name not in case.observations)


def _certain(condition: Condition, case: Case) -> bool:
    return not _unknown(condition, case) and all(
        set(case.possible(name)) <= set(states) for name, states in condition.items()
    )


def _fire(rule: Rule, case: Case) -> RedFlag | None:
    met = [condition for condition in rule.any if _possible(condition, case)]
    if not met or any(_certain(condition, case) for condition in rule.unless):
        return None
    flag = RedFlag(rule.id, rule.text, rule.level, rule.sources, first=rule.first, signs=_signs(met))
    if any(_certain(condition, case) for condition in met):
        return flag
    unknown = tuple(dict.fromkeys(name for condition in met for name in _unknown(condition, case)))
    text = f"Not certain from what was entered, but possible: {rule.text}{_not_entered(unknown)}"
    return replace(flag, text=text, certain=False, unknown=unknown)


def _signs(met: Iterable[Condition]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(next(iter(condition)) for condition in met))


def _not_entered(names: tuple[str, ...]) -> str:
    return f" Not entered: {', '.join(name.replace('_', ' ') for name in names)}." if names else ""


# ---- reading --------------------------------------------------------------------------------------------------------


def load_rulebook(folder: Traversable, sources: Iterable[str]) -> Rulebook:
    """Read ``rules.toml`` and ``advice.toml`` of a folder of numbers.

    Raises:
        InvalidPriorsError: Naming every broken rule at once.
    """
    problems: list[str] = []
    head = validated(_RulesFile, read_toml(folder / "rules.toml", problems), "rules.toml", problems)
    tail = validated(_AdviceFile, read_toml(folder / "advice.toml", problems), "advice.toml", problems)
    rules = _rows(Rule, head.rule if head else {}, "rules.toml", problems)
    advice = _rows(Advice, tail.advice if tail else {}, "advice.toml", problems)
    known = frozenset(sources)
    items: tuple[Rule | Advice, ...] = (*rules, *advice)
    problems += [
        f"{item.id}: every source must be listed in sources.toml, got {key!r}{nearest(key, known)}"
        for item in items
        for key in item.sources
        if key not in known
    ]
    if problems or head is None:
        raise InvalidPriorsError(problems)
    return Rulebook(rules, {level: getattr(head.urgency, level) for level in LEVELS}, advice, head.disclaimer)


_Kind = TypeVar("_Kind", Rule, Advice)


def _rows(
    kind: type[_Kind], rows: Mapping[str, Mapping[str, Any]], file: str, problems: list[str]
) -> tuple[_Kind, ...]:
    read = (validated(kind, {**row, "id": id_}, f"{file}: {id_}", problems) for id_, row in rows.items())
    return tuple(item for item in read if item is not None)
