"""Does the leading cause stay first while one number after another moves through its range, and where would it not?

One number at a time: what several of them could do together is a matter of credal bounds.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebfit
from numpy.typing import NDArray

from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.sensitivity.fitting import SAME, roots_within
from rootcause.sensitivity.numbers import Modelled, figures_of, ground
from rootcause.sensitivity.parameters import Evidence, Question, ask
from rootcause.sensitivity.reach import Lines, lines, values_at
from rootcause.sensitivity.tipping import missed_by, odds_factor
from rootcause.structure import CAUSES
from rootcause.vocabulary import load_vocabulary

Array = NDArray[np.float64]

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Overtaking:
    """A value of one number at which another cause takes the lead.

    Attributes:
        number: Its id.
        meaning: It in words.
        point: Its own value.
        low: The lower end of its range.
        high: The upper end.
        value: The value: of those on both sides of the point, the nearest by odds; one in the range goes before one
            that is not.
        rival: The cause that takes the lead.
        inside: Whether it lies in the range.
        missed_by: By what factor of the odds the range misses it; 1 inside.
        sources: Keys of the sources of the number.
        basis: What the number and its range rest on: ``cited``, ``derived``, ``fitted`` or ``assumed``.
    """

    number: str
    meaning: str
    point: float
    low: float
    high: float
    value: float
    rival: str
    inside: bool
    missed_by: float
    sources: tuple[str, ...]
    basis: str = ""

    @property
    def range_words(self) -> str:
        """Its range and what that rests on, in words."""
        rests = ground(self.basis, self.sources)
        return f"{self.low:.3g} to {self.high:.3g}" + (f" ({rests})" if rests else "")


@dataclass(frozen=True, slots=True)
class RankStability:
    """Whether the leading cause stays first.

    Attributes:
        leading: The cause that leads with all numbers at their points.
        posterior: Its posterior.
        second: The next one.
        second_posterior: Its posterior.
        overtakings: For each number that could change the lead, the nearest value, inside its range where there is one;
            those that the ranges miss by least come first.
        steady: How many numbers that reach the answer could not change the lead, whatever their value.
    """

    leading: str
    posterior: float
    second: str
    second_posterior: float
    overtakings: tuple[Overtaking, ...]
    steady: int

    @property
    def stable(self) -> bool:
        """Whether it leads everywhere inside the range of every number, one number at a time."""
        return not any(item.inside for item in self.overtakings)

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        leading = _label(self.leading)
        if not self.overtakings:
            return f"{leading} leads whatever any one of the numbers is."
        first = self.overtakings[0]
        if first.inside:
            count = sum(item.inside for item in self.overtakings)
            more = f" (any of {count} numbers can do so alone)" if count > 1 else ""
            return (
                f"{_label(first.rival)} overtakes {leading} when {first.number} reaches {first.value:.3g}, inside its "
                f"range, {first.range_words}{more}."
            )
        return (
            f"While one number moves at a time, {leading} leads everywhere inside the range of each; the nearest to "
            f"changing that is {first.number} at {first.value:.3g}, a factor of {first.missed_by:.3g} in its odds "
            f"beyond its range, {first.range_words}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "leading": self.leading,
            "posterior": self.posterior,
            "second": self.second,
            "second_posterior": self.second_posterior,
            "stable": self.stable,
            "sentence": self.sentence,
            "overtakings": [{**asdict(item), "sources": list(item.sources)} for item in self.overtakings],
            "steady": self.steady,
        }

    def to_text(self, most: int = _SHOWN) -> str:
        """Return it as lines for a terminal."""
        first = f"{_label(self.leading)} {self.posterior:.1%}, {_label(self.second)} {self.second_posterior:.1%}"
        rows = [
            f"  {item.number:44} {item.point:>9.3g} {item.value:>9.3g}  {f'{item.low:.3g}–{item.high:.3g}':16} "
            f"{item.basis:8} {'inside' if item.inside else f'{item.missed_by:.3g} times':>12}  {_label(item.rival)}"
            for item in self.overtakings[:most]
        ]
        head = f"  {'number':44} {'now':>9} {'tips at':>9}  {'range':16} {'basis':8} {'missed by':>12}  who leads then"
        left = self.overtakings[most:]
        inside = sum(item.inside for item in left)
        rest = [f"  and {len(left)} more numbers, {inside} of them inside their ranges"] if left else []
        steady = f"{self.steady} more numbers could not change the lead, whatever their value."
        return "\n".join([first, self.sentence, *([head, *rows, *rest] if rows else []), steady])


def _label(cause: str) -> str:
    return load_vocabulary().causes[cause].label


def rank_stability(model: Modelled, evidence: Evidence) -> RankStability:
    """Return for every number of a model where, if anywhere, it would change which cause leads.

    Args:
        model: The model.
        evidence: A case or its findings.

    Raises:
        InvalidInputError: If the case breaks a rule, or an engine is given.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    if isinstance(model, Engine):
        raise InvalidInputError("rank_stability: must get a model, whose numbers have ranges, got an engine")
    question = ask(model, CAUSES[0], evidence)
    found = lines(model, question, [question.rivals[cause] for cause in CAUSES])
    order = np.argsort(-found.posterior, kind="stable")
    lead, second = int(order[0]), int(order[1])
    crossings = {**_straight(model, found, lead), **_curved(model, question, found, lead)}
    items = [_overtaking(model, id_, own) for id_, own in crossings.items() if own]
    return RankStability(
        leading=CAUSES[lead],
        posterior=float(found.posterior[lead]),
        second=CAUSES[second],
        second_posterior=float(found.posterior[second]),
        overtakings=tuple(sorted(items, key=lambda item: (item.missed_by, _distance(item)))),
        steady=len(found.ids) - len(items),
    )


def _distance(item: Overtaking) -> float:
    return abs(math.log(odds_factor(item.point, item.value))) if 0 < item.value < 1 else math.inf


Crossings = dict[str, list[tuple[float, int]]]
"""By id of a number, values at which a cause draws level with the leading one."""


def _straight(model: Modelled, found: Lines, lead: int) -> Crossings:
    """Solve for the numbers that enter one table."""
    points = figures_of(model).points
    at = np.array([points[id_][0] for id_ in found.ids])
    gap = (found.posterior[lead] - found.posterior)[:, np.newaxis]
    closing = found.joint - found.joint[lead]
    moves = abs(closing) > SAME
    values = at + np.where(moves, gap, np.inf) / np.where(moves, closing, 1.0)
    real = moves & (values > 0) & (values < 1) & ~found.tied
    result: Crossings = {}
    for rival, column in np.argwhere(real).tolist():
        if rival != lead:
            result.setdefault(found.ids[column], []).append((float(values[rival, column]), rival))
    return result


def _curved(model: Modelled, question: Question, found: Lines, lead: int) -> Crossings:
    """Solve for the tied numbers, whose polynomials have the degree of the number of their tables at most."""
    nodes = {
        id_: (1 + np.cos(np.pi * (np.arange(size + 1) + 0.5) / (size + 1))) / 2
        for id_, size, tied in zip(found.ids, found.tables.tolist(), found.tied.tolist(), strict=True)
        if tied
    }
    at: dict[str, list[float]] = {id_: own.tolist() for id_, own in nodes.items()}
    result: Crossings = {}
    values = values_at(model, question, found, at, [question.rivals[cause] for cause in CAUSES])
    for id_, (joint, _) in values.items():
        ahead = joint[lead] - joint
        every = chebfit(2 * nodes[id_] - 1, ahead.T, len(nodes[id_]) - 1).T
        for rival, own in enumerate(every):
            # No Chebyshev polynomial is larger than 1, so that the first term decides where it outweighs the others.
            level = not (ahead[rival] < ahead[rival].max()).any()
            if rival == lead or level or abs(own[0]) > abs(own[1:]).sum():
                continue
            for root in roots_within(Chebyshev(own, domain=[0.0, 1.0]), 0.0, 1.0):
                if 0 < root < 1:
                    result.setdefault(id_, []).append((root, rival))
    return result


def _overtaking(model: Modelled, id_: str, crossings: list[tuple[float, int]]) -> Overtaking:
    """Return where the lead changes: the nearest crossing on one side of the point, inside the range if one of both is.

    On either side the lead changes at the nearest crossing; further ones come after it. The nearest of both sides by
    odds may lie outside the range while the other lies inside.
    """
    own = figures_of(model).parameters[id_]

    def place(item: tuple[float, int]) -> tuple[bool, float]:
        return not own.low <= item[0] <= own.high, abs(math.log(odds_factor(own.point, item[0])))

    # The nearest of those inside is the nearest on its own side, too, because the point is inside.
    value, rival = min(crossings, key=place)
    inside, missed = missed_by(value, own.low, own.high)
    return Overtaking(
        number=id_,
        meaning=own.meaning,
        point=own.point,
        low=own.low,
        high=own.high,
        value=value,
        rival=CAUSES[rival],
        inside=inside,
        missed_by=missed,
        sources=own.sources,
        basis=own.basis,
    )
