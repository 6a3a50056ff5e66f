"""What became of the ranks of cases: which changed, which probabilities only drifted, in data and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from rootcause.evaluation import View
from rootcause.outcomes import label

_NAMED = 3
_TITLES: Mapping[View, str] = MappingProxyType({"bedside": "at the bedside", "with_tests": "with tests"})


@dataclass(frozen=True, slots=True)
class Moved:
    """One outcome of a case, then and now.

    Attributes:
        outcome: A cause, or ``none``.
        rank: Its rank then and now.
        probability: Its probability then and now.
    """

    outcome: str
    rank: tuple[int, int]
    probability: tuple[float, float]

    @property
    def drift(self) -> str:
        """It without its rank: among ties that says nothing."""
        return f"{label(self.outcome)} {self._percent}"

    @property
    def _percent(self) -> str:
        then, now = self.probability
        return f"({100 * then:.1f} % → {100 * now:.1f} %)"

    def __str__(self) -> str:
        return f"{label(self.outcome)} {_ordinal(self.rank[0])} → {_ordinal(self.rank[1])} {self._percent}"


@dataclass(frozen=True, slots=True)
class Difference:
    """How one case in one view differs from what was expected.

    Attributes:
        id: The case.
        view: At the bedside, or with tests.
        kind: ``changed`` where outcomes have changed places or the findings became impossible or possible,
            ``drifted`` where probabilities alone have moved.
        moved: ``changed``: the outcomes that changed places, the best rank first. ``drifted``: the one that moved most.
        truth: Rank of the true outcome, then and now; the same twice where it has not changed places.
        why: What became of the findings where they are impossible on one side; else empty.
        recoded: Whether the findings of the case are others than then.
    """

    id: str
    view: View
    kind: Literal["changed", "drifted"]
    moved: tuple[Moved, ...]
    truth: tuple[int, int]
    why: str
    recoded: bool

    @property
    def sentence(self) -> str:
        """What differs, without the case: the outcomes nearest to the first rank are named."""
        best = sorted(self.moved, key=lambda item: (min(item.rank), item.rank[1]))[:_NAMED]
        named = [str(item) if self.kind == "changed" else item.drift for item in sorted(best, key=lambda i: i.rank[1])]
        left = len(self.moved) - _NAMED
        said = self.why or ", ".join([*named, *([f"and {left} more"] if left > 0 else [])])
        if self.truth[0] != self.truth[1]:
            said += f"; the true cause {_ordinal(self.truth[0])} → {_ordinal(self.truth[1])}"
        return f"{said}; its findings are others than then" if self.recoded else said

    @property
    def leads(self) -> bool:
        """Whether another outcome is the most probable now."""
        return any(item.rank[1] == 1 for item in self.moved) and self.kind == "changed"

    def __str__(self) -> str:
        return f"case {self.id}, {_TITLES[self.view]}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Regression:
    """How the answers of a model differ from what was expected.

    Attributes:
        expected: Version, digest and rate set then.
        model: The same now.
        tolerance: Difference of probabilities up to which two outcomes are tied.
        differences: In the order of the cases.
        compared: How many answers were compared; a case has two.
        new: Ids of cases of which nothing is expected.
        missing: Ids of cases of which something is expected and that were not answered.
    """

    expected: Mapping[str, str]
    model: Mapping[str, str]
    tolerance: float
    differences: tuple[Difference, ...]
    compared: int
    new: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def changed(self) -> tuple[Difference, ...]:
        """The answers in which outcomes have changed places."""
        return tuple(item for item in self.differences if item.kind == "changed")

    @property
    def drifted(self) -> tuple[Difference, ...]:
        """The answers in which probabilities alone have moved."""
        return tuple(item for item in self.differences if item.kind == "drifted")

    @property
    def passed(self) -> bool:
        """Whether no rank has changed."""
        return not self.changed

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "expected": dict(self.expected),
            "model": dict(self.model),
            "tolerance": self.tolerance,
            "passed": self.passed,
            "compared": self.compared,
            "changed": [_plain(item) for item in self.changed],
            "drifted": [_plain(item) for item in self.drifted],
            "new": list(self.new),
            "missing": list(self.missing),
        }

    def to_text(self) -> str:
        """Return it as lines for a terminal: what changed first, then what drifted, is new or is missing."""
        same = self.compared - len(self.differences)
        verdict = (
            f"No rank has changed: {self.compared} answers compared, {len(self.drifted)} drifted, {same} the same."
            if self.passed
            else f"Ranks have changed in {len(self.changed)} of {self.compared} answers, the first rank in "
            f"{sum(item.leads for item in self.changed)}; {len(self.drifted)} drifted, {same} are the same."
        )
        tied = f"Outcomes nearer than {100 * self.tolerance:g} percentage points are tied."
        blocks = (
            ("Changed rank:", _lines(self.changed)),
            ("Only drifted, the most moved:", _lines(self.drifted)),
            ("Not expected, so not compared:", list(self.new)),
            ("Expected and not among the cases:", list(self.missing)),
        )
        lines = [f"{verdict} {tied}", f"Expected: {_about(self.expected)}. Now: {_about(self.model)}."]
        for title, items in blocks:
            lines += ["", title, *(f"  {item}" for item in items)] if items else []
        return "\n".join(lines)


def _lines(differences: Sequence[Difference]) -> list[str]:
    """Return a line for each; both views of a case share one where they say the same, as without tests they do."""
    found: dict[tuple[str, str], list[Difference]] = {}
    for item in differences:
        found.setdefault((item.id, item.sentence), []).append(item)
    return [
        f"case {id_}, {' and '.join(_TITLES[item.view] for item in items)}: {sentence}"
        for (id_, sentence), items in found.items()
    ]


def _plain(item: Difference) -> dict[str, Any]:
    return {
        "id": item.id,
        "view": item.view,
        "moved": [
            {"outcome": own.outcome, "rank": list(own.rank), "probability": list(own.probability)} for own in item.moved
        ],
        "true_rank": list(item.truth),
        "why": item.why,
        "findings_differ": item.recoded,
    }


def _about(model: Mapping[str, str]) -> str:
    return f"rates {model['rates']}, digest {model['digest'][:12]}, version {model['version']}"


def _ordinal(rank: int) -> str:
    ending = "th" if rank % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank}{ending}"
