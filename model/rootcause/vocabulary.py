"""The words of the model: ids and states of contexts, causes and findings, read from ``vocabulary.toml``."""

import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["context", "cause", "finding"]
WINDOWS = ("within_24h", "days_2_to_7", "days_8_to_30", "days_31_to_90", "after_90_days")
"""The windows in which a cause can begin, in the order of time."""

MRC_GRADES = range(6)
_HIGHEST_DAY = 36_525  # a century; a larger number is a slip of the keyboard


@dataclass(frozen=True, slots=True)
class Variable:
    """One context, cause or finding.

    Attributes:
        id: The name that files, code, commands and pages use.
        kind: Context, cause or finding.
        states: Allowed states; the first of a finding is the normal one.
        label: Words for people.
        groups: Names that stand for several states, each with its states.
        bins: Upper ends (inclusive) of the states that a number may fall in; empty where none is accepted.
        lowest_state: Index of the state that the first bin stands for.
        mrc: Whether an MRC grade from 0 to 5 is accepted.
        covers: Findings that this one follows from.
        procedures: For a cause, the operations (or groups of them) after which it can occur.
        test: For a finding, the examination that shows it; ``None`` at the bedside.
        note: What a user should know.
    """

    id: str
    kind: Kind
    states: tuple[str, ...]
    label: str
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    bins: tuple[int, ...] = ()
    lowest_state: int = 0
    mrc: bool = False
    covers: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    test: str | None = None
    note: str = ""

    @property
    def normal(self) -> str:
        """The state of a finding in a well patient."""
        return self.states[0]

    def state_of(self, number: float) -> str | None:
        """Return the state that a number falls in, or ``None`` where the number is out of range.

        Args:
            number: Days from 0 (the day of surgery), an MRC grade from 0 to 5, or a volume in ml.
        """
        if self.mrc:
            return self._state_of_grade(number)
        if not self.bins or not 0 <= number <= _HIGHEST_DAY:
            return None
        if self.id == "post_void_residual":  # 200 belongs to the upper state: the bin is exclusive here
            return self.states[int(number >= self.bins[0])]
        return self.states[self.lowest_state + bisect_left(self.bins, number)]

    def _state_of_grade(self, grade: float) -> str | None:
        if grade not in MRC_GRADES:
            return None
        if grade == max(MRC_GRADES):
            return "normal"
        if "severe" in self.states and grade <= 2:  # noqa: PLR2004 - MRC 0 to 2 is severe by the vocabulary
            return "severe"
        return "weak"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All contexts, causes and findings, in the order of the file."""

    contexts: Mapping[str, Variable]
    causes: Mapping[str, Variable]
    findings: Mapping[str, Variable]

    @property
    def observable(self) -> Mapping[str, Variable]:
        """Contexts and findings: what a case may mention."""
        return {**self.contexts, **self.findings}

    def procedures_of(self, cause: str) -> tuple[str, ...]:
        """Return the single operations after which ``cause`` can occur."""
        procedure = self.contexts["procedure"]
        groups = procedure.groups
        return tuple(p for name in self.causes[cause].procedures for p in groups.get(name, (name,)))


def _variable(kind: Kind, name: str, row: Mapping[str, Any]) -> Variable:
    groups = {key: tuple(states) for key, states in row.get("groups", {}).items()}
    return Variable(
        id=name,
        kind=kind,
        states=tuple(row.get("states", ("absent", "present"))),
        label=row["label"],
        groups=MappingProxyType(groups),
        bins=tuple(row.get("bins", ())),
        lowest_state=2 if name == "symptom_onset" else 0,  # after no_complaint and before_surgery
        mrc=row.get("mrc", False),
        covers=tuple(row.get("covers", ())),
        procedures=tuple(row.get("procedures", ())),
        test=row.get("test"),
        note=row.get("note", ""),
    )


@cache
def load_vocabulary() -> Vocabulary:
    """Read the vocabulary that the package ships."""
    text = (files("rootcause") / "vocabulary.toml").read_text("utf-8")
    rows = tomllib.loads(text)

    def section(kind: Kind) -> Mapping[str, Variable]:
        return MappingProxyType({name: _variable(kind, name, row) for name, row in rows[kind].items()})

    return Vocabulary(contexts=section("context"), causes=section("cause"), findings=section("finding"))
