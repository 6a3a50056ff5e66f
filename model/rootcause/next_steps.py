"""What to examine next, and whether to go on: the ranking, two looks ahead, and the stop rule, for one case.

The red flags stand apart: nothing here delays what they ask for, and every answer says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import combinations
from typing import Any

from rootcause.case import Case
from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.ranking import BEDSIDE, Situation, Step, Whole, Worth
from rootcause.reasoning.information import entropy, information, misleads, pair_information
from rootcause.stakes import RESTS, Stakes
from rootcause.stopping import PLAUSIBLE, CauseBounds, DecisionNow, StopRule, stop_rule
from rootcause.vocabulary import load_vocabulary

BEST_OF_PAIRS, OPEN_OF_PAIRS = 8, 6
"""Two looks ahead: this many of the most telling findings, and of the others those whose own outcome is most open."""

NO_DELAY = (
    "This ranking delays nothing that a red flag asks for, and no result named here stands one down: a red flag is "
    "acted on first."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two findings looked at together, two looks ahead.

    Attributes:
        findings: The two.
        bits: What both tell.
        alone: What each tells alone.
        synergy: ``bits`` less both of ``alone``.
        misleads: Whether one look ahead would pass over both: alone they add up to less than the most telling finding,
            together they tell more than it.
    """

    findings: tuple[str, str]
    bits: float
    alone: tuple[float, float]
    synergy: float
    misleads: bool


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What to examine next.

    Attributes:
        leading: The most probable cause now.
        leading_probability: Its probability.
        bits_left: Entropy that is left, added over the causes.
        steps: Findings: bedside signs first, then tests, each part by bits; what is settled stands at the end.
        examinations: Examinations as wholes, by bits.
        pairs: Two looks ahead, the most telling first; empty where one look was asked for.
        stop: Whether to go on.
    """

    leading: str
    leading_probability: float
    bits_left: float
    steps: tuple[Step, ...]
    examinations: tuple[Whole, ...]
    pairs: tuple[Pair, ...]
    stop: StopRule

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {"red_flags_first": NO_DELAY, **_plain(self)}

    def to_text(self, most: int = 8) -> str:
        """Return the answer as lines for a terminal.

        Args:
            most: Lines of each table.
        """
        return "\n".join(_lines(self, most))


def next_steps(engine: Engine, case: Case, stakes: Stakes, *, ahead: int = 1) -> NextSteps:
    """Return what to examine next, and whether to go on examining.

    Args:
        engine: The model's network.
        case: What was found.
        stakes: What hangs on each cause, and the price of each examination.
        ahead: 1; or 2 for pairs of findings as well, which takes a few times longer.

    Raises:
        InvalidInputError: If ``ahead`` is neither 1 nor 2.
        ImpossibleEvidenceError: If the findings have probability zero.
    """
    _check(ahead)
    return next_from(Situation(engine, case, stakes), ahead=ahead)


def next_from(situation: Situation, *, ahead: int = 1) -> NextSteps:
    """Return the same where each finding alone has been asked for already, as a page does that shows these first.

    Args:
        situation: The case with the outcomes of each finding.
        ahead: As for ``next_steps``.

    Raises:
        InvalidInputError: If ``ahead`` is neither 1 nor 2.
    """
    _check(ahead)
    steps = situation.steps()
    wholes = situation.wholes(steps)
    return NextSteps(
        leading=situation.leading,
        leading_probability=situation.now[situation.leading],
        bits_left=situation.bits_left,
        steps=steps,
        examinations=wholes,
        pairs=_pairs(situation, steps) if ahead > 1 else (),
        stop=stop_rule(situation, steps, wholes),
    )


def _check(ahead: int) -> None:
    if ahead not in {1, 2}:
        msg = f"ahead: must be 1 or 2, got {ahead!r}"
        raise InvalidInputError(msg)


def _pairs(situation: Situation, steps: Sequence[Step]) -> tuple[Pair, ...]:
    """Return the pairs of the most telling findings, and of those whose own outcome is the most open.

    What a finding can add to another is at most the entropy of its own outcome, so the second kind is where something
    may hide that no look at one finding shows.
    """
    by_bits = sorted((step for step in steps if not step.settled), key=lambda step: -step.worth.bits)
    best, others = by_bits[:BEST_OF_PAIRS], by_bits[BEST_OF_PAIRS:]
    others.sort(key=lambda step: -float(entropy(situation.alone[step.finding].probability)))
    names = [step.finding for step in (*best, *others[:OPEN_OF_PAIRS])]
    causes = [act.node for act in situation.acts]
    found = pair_information(situation.engine, situation.case.observations, combinations(names, 2), causes)
    if not found:
        return ()
    first = information(situation.alone[best[0].finding])
    return tuple(Pair(item.nodes, item.bits, item.alone, item.synergy, misleads(item, first)) for item in found)


# ---- as data and as text ---------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:  # noqa: ANN401 - the fields of any of these
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _lines(answer: NextSteps, most: int) -> Iterator[str]:
    causes = load_vocabulary().causes
    yield NO_DELAY
    yield ""
    yield answer.stop.sentence
    yield from _decided(answer.stop)
    yield ""
    leader = causes[answer.leading].label
    yield f"Leading: {leader}, {answer.leading_probability:.1%}. Left to know: {answer.bits_left:.2f} bits."
    open_ = [step for step in answer.steps if not step.settled]
    for title, part in (
        ("At the bedside", [step for step in open_ if step.where == BEDSIDE]),
        ("Tests", [step for step in open_ if step.where != BEDSIDE]),
    ):
        if part:
            yield ""
            yield _head(title)
            for step in part[:most]:
                yield _row(step.label, step.worth)
                yield f"    {_moved(answer, step)}"
    wholes = [whole for whole in answer.examinations if whole.where != BEDSIDE or len(whole.counted) > 1]
    if wholes:
        yield ""
        yield _head("Examinations as a whole")
        yield from (_row(_counted(whole), whole.worth) for whole in wholes[:most])
        yield "* not all of its findings were followed: it tells and is worth at least this much"
    if answer.pairs:
        yield ""
        yield from _pair_lines(answer.pairs, most)


def _decided(stop: StopRule) -> Iterator[str]:
    causes, findings = load_vocabulary().causes, load_vocabulary().findings
    for item in stop.decisions:
        if item.taken and item.act != RESTS:
            label = causes[item.cause].label
            reached = f"{item.probability:.1%}, from {item.threshold:.1%} on"
            yield f"By the stakes alone, to act on: {label} ({reached}): {item.act}."
    if not any(item.taken for item in stop.decisions):
        yield "No cause is probable enough to act on now."
    if stop.next_best is not None and stop.same_after_next is not None:
        label = findings[stop.next_best].label
        yield f"These decisions stay as they are with {stop.same_after_next:.1%} after: {label}."
    if stop.few:
        listed = ", ".join(findings[name].label for name in stop.few)
        gain = f"which are worth {stop.gain_of_few:.2f} points together"
        yield f"They stay as they are with {stop.same_after_few:.1%} after all of: {listed}; {gain}."
    for bounds in stop.bounds:
        yield _bounded(stop, bounds)


def _bounded(stop: StopRule, item: CauseBounds) -> str:
    decision: DecisionNow = next(decision for decision in stop.decisions if decision.cause == item.cause)
    label = load_vocabulary().causes[item.cause].label
    reached = [
        f"{word} {end.value:.1%}"
        for word, end in (("as low as", item.reached_low), ("as high as", item.reached_high))
        if end is not None
    ]
    search = f"; of all bedside results with a chance of {PLAUSIBLE:.0%}, a search found {' and '.join(reached)}"
    span = f"{item.few.low:.1%} to {item.few.high:.1%}"
    return f"{label}, now {decision.probability:.1%}: these findings can leave {span}{search if reached else ''}."


def _head(title: str) -> str:
    return f"{title:48}{'bits':>8}{'share':>8}{'worth':>8}{'price':>8}{'net':>8}{'hours':>8}"


def _row(label: str, worth: Worth) -> str:
    points = f"{worth.gross:>8.2f}{worth.price:>8.2f}{worth.net:>8.2f}"
    return f"{label[:47]:48}{worth.bits:>8.3f}{worth.share:>8.1%}{points}{worth.delay_hours:>8g}"


def _counted(whole: Whole) -> str:
    return f"{whole.label[:45]} *" if len(whole.counted) < len(whole.findings) else whole.label


def _moved(answer: NextSteps, step: Step) -> str:
    """Say what the most telling result would do, in words."""
    causes = load_vocabulary().causes
    result = step.most_telling
    said = f"if {result.state.replace('_', ' ')} ({result.probability:.0%}): "
    said += f"{causes[result.moved].label} {result.moved_from:.1%} -> {result.moved_to:.1%}"
    if result.leading != answer.leading:
        said += f"; {causes[result.leading].label} then leads with {result.leading_probability:.1%}"
    return said


def _pair_lines(pairs: Sequence[Pair], most: int) -> Iterator[str]:
    findings = load_vocabulary().findings

    def named(pair: Pair) -> str:
        return " + ".join(findings[name].label for name in pair.findings)

    yield f"{'Two looks ahead':64}{'bits':>8}{'alone':>16}{'synergy':>9}"
    for pair in pairs[:most]:
        alone = " + ".join(f"{bits:.3f}" for bits in pair.alone)
        yield f"{named(pair)[:63]:64}{pair.bits:>8.3f}{alone:>16}{pair.synergy:>+9.3f}"
    for pair in (pair for pair in pairs if pair.misleads):
        yield f"One look ahead would pass over {named(pair)}: little alone, together {pair.bits:.3f} bits."
