"""The answer to a case with the numbers of a model, and with those of alternatives: many of them in one pass."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause import diagnosis
from rootcause.alternatives.changes import STANDINGS, Alternative
from rootcause.case import Case, parse_case
from rootcause.engine import Drawn
from rootcause.outcomes import NONE, OUTCOMES, SAME, label, ranks
from rootcause.sensitivity.numbers import figures_of
from rootcause.structure import CAUSES

if TYPE_CHECKING:
    from rootcause.model import Model

Array = NDArray[np.float64]

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Switched:
    """An answer with the numbers of the model and with other ones.

    Attributes:
        alternative: The other numbers.
        before: Probability of every cause and of ``none`` with the numbers of the model, all at their points.
        after: The same with the other numbers.
    """

    alternative: Alternative
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def rank_before(self) -> dict[str, int]:
        """The rank of every outcome with the numbers of the model, from 1; equal ones share a rank."""
        return ranks(self.before)

    @property
    def rank_after(self) -> dict[str, int]:
        """The same with the other numbers."""
        return ranks(self.after)

    @property
    def difference(self) -> dict[str, float]:
        """Probability after less before, of every outcome."""
        return {name: self.after[name] - self.before[name] for name in self.before}

    @property
    def leading(self) -> tuple[str, str]:
        """The most probable cause before and after; one that led keeps the lead where it shares it."""
        first = max(CAUSES, key=lambda cause: self.before[cause])
        second = max(CAUSES, key=lambda cause: self.after[cause])
        return first, first if self.after[first] >= self.after[second] * (1 - SAME) else second

    @property
    def most(self) -> str:
        """The outcome that moves most."""
        return max(self.before, key=lambda name: abs(self.difference[name]))

    @property
    def sentence(self) -> str:
        """What the other numbers do to the answer."""
        if not self.alternative.changes:
            return "No number differs."
        first, second = self.leading
        if first != second:
            return f"{label(second)} leads ({self._moved(second)}) in place of {label(first)} ({self._moved(first)})."
        if abs(self.difference[self.most]) < SAME:
            return f"{label(first)} leads as before; no probability moves."
        return f"{label(first)} leads as before; {label(self.most)} moves most ({self._moved(self.most)})."

    def _moved(self, name: str) -> str:
        return f"{100 * self.before[name]:.1f} % → {100 * self.after[name]:.1f} %"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        before, after = self.rank_before, self.rank_after
        posterior = {
            name: {
                "before": self.before[name],
                "after": self.after[name],
                "difference": difference,
                "rank_before": before[name],
                "rank_after": after[name],
            }
            for name, difference in self.difference.items()
        }
        alternative = asdict(self.alternative)
        alternative["refused"] = list(alternative["refused"])
        alternative["changes"] = [change | {"sources": list(change["sources"])} for change in alternative["changes"]]
        return {"alternative": alternative, "sentence": self.sentence, "posterior": posterior}

    def to_text(self) -> str:
        """Return the answer before and after, and the numbers that differ, as lines for a terminal."""
        before, after = self.rank_before, self.rank_after
        head = f"{'before':>8} {'after':>8} {'points':>7} {'rank':>8}  outcome"
        lines = [self.alternative.label, self.alternative.note, self.sentence, "", head]
        for name in sorted(self.after, key=lambda name: (after[name], before[name])):
            rank = f"{after[name]}" if before[name] == after[name] else f"{before[name]} -> {after[name]}"
            moved = f"{self.before[name]:>8.2%} {self.after[name]:>8.2%} {100 * self.difference[name]:>+7.2f}"
            lines.append(f"{moved} {rank:>8}  {label(name)}")
        return "\n".join([*lines, "", *_numbers(self.alternative)])


def _numbers(alternative: Alternative) -> list[str]:
    lines = [f"Numbers that differ: {len(alternative.changes)}"]
    for change in alternative.changes:
        out = "" if change.within else ", outside the range of the model"
        lines.append(f"  {change.id}: {change.before:.4g} -> {change.after:.4g}{out}; {change.text}")
        lines += [f"    {name}: {said}" for name, said in change.about.items()]
        lines += [f"    sources: {', '.join(change.sources)}"] if change.about and change.sources else []
        lines += [f"    SET ASIDE because: {change.reason}"] if change.reason else []
    lines += [f"  {item}" for item in alternative.refused[:_SHOWN]]
    left = len(alternative.refused) - _SHOWN
    return [*lines, f"  and {left} more that cannot be switched"] if left > 0 else lines


def switch(model: "Model", case: Mapping[str, Any] | Case, alternative: Alternative) -> Switched:
    """Return the answer to a case with the numbers of the model and with those of an alternative.

    Args:
        model: The model.
        case: As for ``Model.diagnose``.
        alternative: Of this model.

    Raises:
        InvalidInputError: If the case breaks a rule.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    return switch_all(model, case, [alternative])[0]


def switch_all(model: "Model", case: Mapping[str, Any] | Case, every: Sequence[Alternative]) -> tuple[Switched, ...]:
    """Return ``switch`` for several alternatives; each is one draw of the tables, and the engine sweeps all at once.

    Args:
        model: The model.
        case: As for ``Model.diagnose``.
        every: Alternatives of this model.

    Raises:
        InvalidInputError: If the case breaks a rule.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    checked = case if isinstance(case, Case) else parse_case(case)
    diagnosis.posterior(model.engine, checked)  # refuses what cannot be, and names what clashes
    figures = figures_of(model)
    draws = len(every) + 1  # the first one has every number at its point
    numbers: dict[str, Array] = {}
    for draw, alternative in enumerate(every, start=1):
        for change in alternative.changes:
            if change.id not in numbers:
                numbers[change.id] = np.repeat(figures.points[change.id], draws)
            numbers[change.id][draw] = change.after
    found = diagnosis.posterior(model.engine, checked, Drawn(figures.tables(model.engine, numbers), draws))
    values = {name: np.broadcast_to(own, draws) for name, own in {**found.causes, NONE: found.none}.items()}
    before, *after = ({name: float(values[name][draw]) for name in OUTCOMES} for draw in range(draws))
    return tuple(
        Switched(own, MappingProxyType(before), MappingProxyType(then)) for own, then in zip(every, after, strict=True)
    )


def ordered(every: Iterable[Switched]) -> list[Switched]:
    """Return those in which a number differs, the most admissible numbers first.

    First those inside all ranges of the model, then those that were never set aside, then the others; of each, another
    leading cause first, then by how far any probability moves.

    Args:
        every: Answers to one case.
    """
    return sorted(
        (item for item in every if item.alternative.changes),
        key=lambda item: (
            STANDINGS.index(item.alternative.standing),
            item.leading[0] == item.leading[1],
            -abs(item.difference[item.most]),
        ),
    )
