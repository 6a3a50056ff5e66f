"""Findings not yet examined, ranked by what they tell about the causes and by what they are worth to the decision.

A finding tells as much as the entropy of the causes is expected to fall, added up over them (Gorry & Barnett 1968); it
is worth as much as deciding after it is expected to gain over deciding now (Howard 1966), with an act of its own for
each cause, in the points of the stakes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rootcause.case import Case
from rootcause.engine import Engine
from rootcause.reasoning.decisions import Act, in_question, taken, value_of_outcomes
from rootcause.reasoning.futures import same_decisions
from rootcause.reasoning.information import Outcomes, ask, entropy, information
from rootcause.stakes import Examination, Stakes
from rootcause.vocabulary import load_vocabulary

BEDSIDE = "bedside"
PRESENT = "present"

SETTLED = 0.999
"""Probability of one state from which a finding that follows from entered ones has nothing to add."""

ROWS_OF_WHOLES = 28
"""Joint states followed for examinations as wholes, all taken together: the six findings of an MRI alone have 96."""


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that would turn.

    Attributes:
        cause: The cause that it is about.
        act: Whether it would then be acted on.
        before: Its probability now.
        after: Its probability then.
        gain: What turning is then expected to gain over deciding as now, in points. Over results and decisions, the sum
            of chance times gain is the worth of looking.
    """

    cause: str
    act: bool
    before: float
    after: float
    gain: float


@dataclass(frozen=True, slots=True)
class Result:
    """One state that a finding may turn out to be in.

    Attributes:
        state: The state.
        probability: P(state | findings).
        leading: The most probable cause then.
        leading_probability: Its probability then.
        leader_now: The probability then of the cause that leads now.
        moved: The cause whose probability would change the most.
        moved_from: Its probability now.
        moved_to: Its probability then.
        changes: Decisions that would turn, the one with the most to gain first.
    """

    state: str
    probability: float
    leading: str
    leading_probability: float
    leader_now: float
    moved: str
    moved_from: float
    moved_to: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """What looking would bring, and take.

    Attributes:
        bits: Expected reduction of entropy, added over the causes.
        share: The same as a share of what is left, from 0 to 1.
        gross: Expected gain for the decision in points, before the price; at least 0.
        price: Cost and expected harm of the examination in points.
        net: ``gross`` less ``price``.
        delay_hours: From the request to the result.
    """

    bits: float
    share: float
    gross: float
    price: float
    net: float
    delay_hours: float


@dataclass(frozen=True, slots=True)
class Step:
    """A finding not yet examined.

    Attributes:
        finding: Its id.
        label: Words for people.
        examination: Id of the examination that shows it.
        where: Where that is done.
        worth: What it would bring, at the price of the whole examination.
        settled: Whether it follows from what was entered.
        results: What may come out, impossible states left out.
        telling: The state that would move a cause the most.
    """

    finding: str
    label: str
    examination: str
    where: str
    worth: Worth
    settled: bool
    results: tuple[Result, ...]
    telling: str

    @property
    def most_telling(self) -> Result:
        """The result that would move a cause the most."""
        return next(result for result in self.results if result.state == self.telling)


@dataclass(frozen=True, slots=True)
class Whole:
    """An examination with all that it would show at once.

    Attributes:
        examination: Its id.
        label: Words for people.
        where: Where it is done.
        findings: What it would show that is not yet known.
        counted: Those whose joint states were all followed; the others can only add to ``bits`` and ``gross``.
        worth: What the counted findings together would bring.
        same_decisions: Probability that every decision stays as it is after them.
    """

    examination: str
    label: str
    where: str
    findings: tuple[str, ...]
    counted: tuple[str, ...]
    worth: Worth
    same_decisions: float


class Situation:
    """One case and what can be looked at next, with the outcomes of each finding alone.

    Attributes:
        engine: The network.
        case: What was found.
        stakes: What hangs on each cause, and the price of each examination.
        acts: An act for each cause.
        alone: By finding not yet examined, its outcomes.
        now: By cause, its probability.
        leading: The most probable cause.
        bits_left: Entropy of the causes, added up.
    """

    def __init__(self, engine: Engine, case: Case, stakes: Stakes) -> None:
        """Ask for all findings in one batch.

        Raises:
            ImpossibleEvidenceError: If the findings have probability zero.
        """
        self.engine, self.case, self.stakes = engine, case, stakes
        self._findings = load_vocabulary().findings
        self._causes = tuple(load_vocabulary().causes)
        of = stakes.causes
        self.acts = [Act(name, PRESENT, of[name].benefit.value, of[name].risk.value) for name in self._causes]
        left = [name for name in self._findings if name not in case.observations]
        nothing, *alone = self.ask([(), *((name,) for name in left)])
        self.alone = dict(zip(left, alone, strict=True))
        self.now = {name: float(p) for name, p in in_question(nothing, self.acts)[0].items()}
        self.leading = max(self._causes, key=self.now.__getitem__)
        self.bits_left = sum(float(entropy(nothing.before[name])) for name in self._causes)

    def ask(self, groups: Iterable[Sequence[str]]) -> tuple[Outcomes, ...]:
        """Return the outcomes of findings looked at together, with every cause as a target."""
        return ask(self.engine, self.case.observations, groups, self._causes)

    def steps(self) -> tuple[Step, ...]:
        """Return the findings: bedside signs first, then tests, each part by bits; settled ones at the end."""
        steps = [self._step(found) for found in self.alone.values()]
        return tuple(sorted(steps, key=lambda step: (step.settled, step.where != BEDSIDE, -step.worth.bits)))

    def wholes(self, steps: Iterable[Step]) -> tuple[Whole, ...]:
        """Return the examinations with all that each would show at once, by bits.

        ``ROWS_OF_WHOLES`` joint states are shared out: to tests before bedside examinations, and to the more telling
        ones first. Where they do not reach for all findings of an examination, the most telling ones are counted, and
        the others can only add.
        """
        bits = {step.finding: step.worth.bits for step in steps}
        left = {id_: [n for n in item.findings if n in bits] for id_, item in self.stakes.examinations.items()}
        places = {id_: item.where != BEDSIDE for id_, item in self.stakes.examinations.items()}
        rows = ROWS_OF_WHOLES
        counted: dict[str, tuple[str, ...]] = {}
        for id_ in sorted(left, key=lambda id_: (not places[id_], -sum(bits[name] for name in left[id_]))):
            telling = sorted(left[id_], key=lambda name: -bits[name])
            together = self.fitting(telling, rows)
            if len(together) > 1:
                rows -= self._joint_states(together)
            if telling:
                counted[id_] = together if len(together) > 1 else (telling[0],)
        groups = [group for group in counted.values() if len(group) > 1]
        found = dict(zip(groups, self.ask(groups), strict=True))
        wholes = [
            self._whole(self.stakes.examinations[id_], left[id_], found.get(group) or self.alone[group[0]])
            for id_, group in counted.items()
        ]
        return tuple(sorted(wholes, key=lambda whole: -whole.worth.bits))

    def fitting(self, names: Iterable[str], most_states: int) -> tuple[str, ...]:
        """Return the first of some findings, as many as have no more than ``most_states`` joint states."""
        chosen: list[str] = []
        for name in names:
            if self._joint_states([*chosen, name]) <= most_states:
                chosen.append(name)
        return tuple(chosen)

    def changes(self, after: Mapping[str, float]) -> tuple[Change, ...]:
        """Return the decisions that probabilities of the causes would turn, the one with the most to gain first."""
        turned = []
        for act in self.acts:
            before, then = self.now[act.node], after[act.node]
            if taken(act, then) != taken(act, before):
                gain = abs(then - act.threshold) * (act.benefit + act.risk)
                turned.append(Change(act.node, bool(taken(act, then)), before, then, gain))
        return tuple(sorted(turned, key=lambda change: -change.gain))

    def _joint_states(self, names: Iterable[str]) -> int:
        return math.prod(len(self._findings[name].states) for name in names)

    def _worth(self, found: Outcomes, examination: Examination) -> Worth:
        bits = information(found).bits
        gross = value_of_outcomes(found, self.acts)
        price = examination.cost.value + examination.harm.value
        share = min(1.0, bits / self.bits_left) if self.bits_left > 0 else 0.0
        return Worth(bits, share, gross, price, gross - price, examination.delay_hours.value)

    def _step(self, found: Outcomes) -> Step:
        name = found.nodes[0]
        examination = self.stakes.examination_of(name)
        results = self._results(found)
        return Step(
            finding=name,
            label=self._findings[name].label,
            examination=examination.id,
            where=examination.where,
            worth=self._worth(found, examination),
            settled=self._follows(name) and float(found.probability.max()) >= SETTLED,
            results=results,
            telling=max(results, key=lambda result: abs(result.moved_to - result.moved_from)).state,
        )

    def _results(self, found: Outcomes) -> tuple[Result, ...]:
        _, then = in_question(found, self.acts)
        results = []
        for row, probability in enumerate(found.probability.tolist()):
            after = {cause: float(then[cause][row]) for cause in self._causes}
            if probability > 0:
                leading = max(self._causes, key=after.__getitem__)
                moved = max(self._causes, key=partial(self._distance, after))
                results.append(
                    Result(
                        state=found.assignment(row)[found.nodes[0]],
                        probability=probability,
                        leading=leading,
                        leading_probability=after[leading],
                        leader_now=after[self.leading],
                        moved=moved,
                        moved_from=self.now[moved],
                        moved_to=after[moved],
                        changes=self.changes(after),
                    )
                )
        return tuple(results)

    def _distance(self, after: Mapping[str, float], cause: str) -> float:
        return abs(after[cause] - self.now[cause])

    def _follows(self, name: str) -> bool:
        """Return whether a finding covers one that was entered, or is covered by one."""
        entered = self.case.observations.keys() & self._findings.keys()
        covering = any(name in self._findings[other].covers for other in entered)
        return covering or not entered.isdisjoint(self._findings[name].covers)

    def _whole(self, examination: Examination, findings: Sequence[str], found: Outcomes) -> Whole:
        return Whole(
            examination=examination.id,
            label=examination.label,
            where=examination.where,
            findings=tuple(findings),
            counted=found.nodes,
            worth=self._worth(found, examination),
            same_decisions=same_decisions(found, self.acts),
        )
