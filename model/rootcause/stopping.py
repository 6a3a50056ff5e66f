"""When to stop examining: whether anything left can still change what to do.

Each cause is acted on from a threshold on (Pauker & Kassirer 1975). The rule asks how probable it is that all of these
decisions stay as they are once more is known (Choi, Xue & Darwiche 2012), and between which bounds the probabilities
that matter can end (McSherry 1997): exactly over a few named findings, by a search over all that are left at the
bedside. Results too rare to count on are left out of it, and the sentence says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from rootcause.ranking import BEDSIDE, PRESENT, Change, Situation, Step, Whole
from rootcause.reasoning.decisions import in_question, taken, value_of_outcomes
from rootcause.reasoning.futures import Bounds, Reached, Wish, bounds_of, climb, same_decisions
from rootcause.reasoning.information import Outcomes
from rootcause.vocabulary import load_vocabulary

PLAUSIBLE = 0.01
"""Chance below which a result, or results together, count for nothing."""

HIGH_HARM = 50.0
"""Points of harm from which a cause's bounds are always shown: half of a permanent severe deficit."""

MOST_TOGETHER = 36
"""Joint states of the few bedside findings over which the decisions are followed exactly."""

ROWS_OF_SEARCH = 30
"""Combinations of all that is left at the bedside that are tried in search of one that would turn a decision."""


@dataclass(frozen=True, slots=True)
class DecisionNow:
    """Whether to act on a cause as things stand.

    Attributes:
        cause: Its id.
        act: What acting is, in words.
        probability: P(cause | findings).
        threshold: Probability from which acting is worth its risk.
        taken: Whether it has been reached.
        harm: Points lost if the cause is missed.
        stays: Probability that this decision stays as it is after the few next bedside findings.
    """

    cause: str
    act: str
    probability: float
    threshold: float
    taken: bool
    harm: float
    stays: float


@dataclass(frozen=True, slots=True)
class CauseBounds:
    """Between what the probability of a cause can end at the bedside.

    Attributes:
        cause: Its id.
        few: Exact, over every joint result of the few next findings.
        reached_low: How far down results of ``PLAUSIBLE`` chance together were found to take it, whatever is looked at;
            an inner bound. ``None`` where that could turn no decision, and the cause does not lead.
        reached_high: The same upwards.
    """

    cause: str
    few: Bounds
    reached_low: Reached | None
    reached_high: Reached | None


@dataclass(frozen=True, slots=True)
class StopRule:
    """Whether anything left can still change what to do.

    Attributes:
        decisions: Each cause, acted on or not, the one with the most harm first.
        next_best: The finding worth most to the decision, at the bedside where one is left there.
        same_after_next: Probability that every decision stays as it is after it; ``None`` where nothing is left.
        few: The bedside findings worth most to the decision, followed together.
        same_after_few: Probability that every decision stays as it is after them; 1 where none is left.
        gain_of_few: Expected gain of deciding after them over deciding now, in points, before their price.
        bounds: Of the leading cause, and of each possible cause with much harm.
        sentence: The answer in words.
    """

    decisions: tuple[DecisionNow, ...]
    next_best: str | None
    same_after_next: float | None
    few: tuple[str, ...]
    same_after_few: float
    gain_of_few: float
    bounds: tuple[CauseBounds, ...]
    sentence: str


def stop_rule(situation: Situation, steps: Sequence[Step], wholes: Sequence[Whole]) -> StopRule:
    """Return whether anything left can still change what to do.

    Args:
        situation: The case.
        steps: Its findings not yet examined.
        wholes: Its examinations.
    """
    unsettled = sorted((s for s in steps if not s.settled), key=lambda s: (-s.worth.gross, -s.worth.bits))
    bedside = [step for step in unsettled if step.where == BEDSIDE]
    best = (bedside or unsettled)[:1]
    few = situation.fitting((step.finding for step in bedside if step.worth.bits > 0), MOST_TOGETHER)
    together = situation.ask([few])[0]
    bounds = _bounds(situation, together, [step.finding for step in bedside])
    turn = _alone(situation, bedside) or _together(situation, together) or _reached(situation, bounds)
    return StopRule(
        decisions=_decisions(situation, together),
        next_best=best[0].finding if best else None,
        same_after_next=same_decisions(situation.alone[best[0].finding], situation.acts) if best else None,
        few=few,
        same_after_few=same_decisions(together, situation.acts),
        gain_of_few=value_of_outcomes(together, situation.acts),
        bounds=bounds,
        sentence=turn or _nothing(bool(bedside), wholes),
    )


def _decisions(situation: Situation, together: Outcomes) -> tuple[DecisionNow, ...]:
    stakes = situation.stakes.causes
    every = [
        DecisionNow(
            cause=act.node,
            act=stakes[act.node].act,
            probability=situation.now[act.node],
            threshold=act.threshold,
            taken=bool(taken(act, situation.now[act.node])),
            harm=stakes[act.node].harm.value,
            stays=same_decisions(together, [act]),
        )
        for act in situation.acts
    ]
    return tuple(sorted(every, key=lambda item: -item.harm))


def _bounds(situation: Situation, together: Outcomes, hidden: Sequence[str]) -> tuple[CauseBounds, ...]:
    """Return the bounds of the leading cause, and of each cause with much harm that is neither sure nor impossible."""
    now, leading = situation.now, situation.leading
    harm = {name: stake.harm.value for name, stake in situation.stakes.causes.items()}
    shown = [a for a in situation.acts if 0 < now[a.node] < 1 and (a.node == leading or harm[a.node] >= HIGH_HARM)]
    wishes = [
        Wish(act.node, PRESENT, up)
        for act in shown
        for up in (False, True)
        if act.node == leading or up != taken(act, now[act.node])
    ]
    ends = climb(
        situation.engine,
        situation.case.observations,
        wishes,
        hidden,
        most_rows=ROWS_OF_SEARCH,
        at_least=PLAUSIBLE,
        alone=[situation.alone[name] for name in hidden],
    )
    reached = {(wish.node, wish.up): end for wish, end in zip(wishes, ends, strict=True)}
    return tuple(
        CauseBounds(
            act.node,
            bounds_of(together, act.node, PRESENT),
            reached.get((act.node, False)),
            reached.get((act.node, True)),
        )
        for act in shown
    )


# ---- the sentence ----------------------------------------------------------------------------------------------------


def _alone(situation: Situation, bedside: Sequence[Step]) -> str:
    """Say which single finding would turn a decision, that with the most to gain; nothing if none would."""
    turning = [
        (result.probability * result.changes[0].gain, step.label, result)
        for step in bedside
        for result in step.results
        if result.changes and result.probability >= PLAUSIBLE
    ]
    if not turning:
        return ""
    _, label, result = max(turning, key=itemgetter(0))
    then = _turned(situation, result.changes)
    return f"{label} could still change it: if {_words(result.state)} ({result.probability:.0%}), {then}."


def _together(situation: Situation, found: Outcomes) -> str:
    """Say which joint result of the few findings would turn a decision, if that is plausible; else nothing."""
    changing = 1 - same_decisions(found, situation.acts)
    if changing < PLAUSIBLE:
        return ""
    _, then = in_question(found, situation.acts)
    for row in np.argsort(-found.probability).tolist():
        changes = situation.changes({name: float(values[row]) for name, values in then.items()})
        if changes and found.probability[row] > 0:
            seen = _seen(found.assignment(row))
            turned = _turned(situation, changes)
            start = (
                f"No single finding at the bedside would change what to do, but several together could ({changing:.0%})"
            )
            return f"{start}: {seen}, for one ({found.probability[row]:.1%}): {turned}."
    return ""


def _reached(situation: Situation, bounds: Sequence[CauseBounds]) -> str:
    """Say which result that the search came upon would turn a decision; else nothing."""
    for item in bounds:
        for end in filter(None, (item.reached_high, item.reached_low)):
            changes = situation.changes({**situation.now, item.cause: end.value})
            if changes:
                seen, turned = _seen(end.witness), _turned(situation, changes)
                return f"Together these could still change it: {seen} ({end.probability:.1%}): {turned}."
    return ""


def _nothing(left: bool, wholes: Sequence[Whole]) -> str:
    """Say that the bedside has nothing to add, and which test has."""
    start = "Nothing left at the bedside would change what to do" if left else "Nothing is left to find at the bedside"
    if left:
        start += (
            f" (no result, alone or together with others, that has a chance of {PLAUSIBLE:.0%} or more was found to)"
        )
    tests = [item for item in wholes if item.where != BEDSIDE and 1 - item.same_decisions >= PLAUSIBLE]
    if not tests:
        return f"{start}, and no test that is left is likely to change what to do."
    best = max(tests, key=lambda item: item.worth.net)
    chance, delay = 1 - best.same_decisions, best.worth.delay_hours
    return f"{start}; this test could: {best.label} ({chance:.0%}, with the result after {delay:g} hours)."


def _turned(situation: Situation, changes: Sequence[Change]) -> str:
    change = changes[0]
    label = load_vocabulary().causes[change.cause].label
    threshold = next(act.threshold for act in situation.acts if act.node == change.cause)
    act = situation.stakes.causes[change.cause].act
    goes = f"{label} goes from {change.before:.1%} to {change.after:.1%}"
    side = "above" if change.act else "below"
    more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
    return f"{goes}, {side} the {threshold:.1%} from which, by the stakes alone, to act on it ({act}){more}"


def _seen(assignment: Mapping[str, str]) -> str:
    findings = load_vocabulary().findings
    return ", ".join(f"{findings[name].label} {_words(state)}" for name, state in assignment.items())


def _words(state: str) -> str:
    return state.replace("_", " ")
