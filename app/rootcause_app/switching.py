"""Other published numbers for the same case, as the command line hands it out: all alternatives, or one in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rootcause.errors import InvalidInputError, nearest
from rootcause_app.questions import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rootcause import Model
    from rootcause.alternatives import Alternative, Switched
    from rootcause.case import Case
    from rootcause_app.questions import About, Reply

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class One:
    """The answer with the numbers of one alternative."""

    about: About
    switched: Switched

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self.about.around(self.switched.to_dict())

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        return self.about.below(self.switched.to_text())


@dataclass(frozen=True, slots=True)
class Every:
    """The answers with each alternative that has a number to change.

    Attributes:
        about: Which numbers answered before.
        switched: In the order of ``rootcause.alternatives.ordered``.
        idle: Keys of the alternatives in which no number differs.
    """

    about: About
    switched: Sequence[Switched]
    idle: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self.about.around({"alternatives": [_row(item) for item in self.switched], "without": list(self.idle)})

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        turned = sum(item.leading[0] != item.leading[1] for item in self.switched)
        inside = sum(item.alternative.standing == "inside" for item in self.switched)
        told = (
            f"{turned} of {len(self.switched)} alternatives change the leading cause; each is taken alone. First the "
            f"{inside} whose numbers lie inside the ranges of the model, last what was set aside and lies outside."
        )
        width = max((len(item.alternative.key) for item in self.switched), default=0)
        head = f"{'key':{width}}  numbers  outside  set aside  answer"
        lines = [
            f"{own.key:{width}}  {len(own.changes):>7}  {len(own.outside):>7}  {len(own.set_aside):>9}  {item.sentence}"
            for item in self.switched
            for own in (item.alternative,)
        ]
        idle = f"In {len(self.idle)} more no number differs. --to KEY prints one in full: what was set aside, and why."
        return self.about.below("\n".join([told, "", head, *lines]), idle)


def switching(model: Model, case: Case, key: str | None = None) -> Reply:
    """Answer a case with other published numbers.

    Args:
        model: Whose numbers are changed.
        case: What was found.
        key: The rate set, the technique or the study whose numbers to take; ``None`` takes each in turn.

    Raises:
        InvalidInputError: If there is no such alternative.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    from rootcause.alternatives import alternatives, ordered, switch, switch_all

    every = alternatives(model)
    if key is not None:
        return One(about(model), switch(model, case, _of_key(every, key)))
    idle = [item.key for item in every if not item.changes]
    return Every(about(model), ordered(switch_all(model, case, every)), idle)


def _of_key(every: Sequence[Alternative], key: str) -> Alternative:
    keys = [item.key for item in every]
    if key not in keys:
        got = f"{key[:_LONGEST_SHOWN]!r}{nearest(key[:_LONGEST_SHOWN], keys)}"
        raise InvalidInputError(f"to: must be the key of a rate set, a technique or a study, got {got}")
    return every[keys.index(key)]


def _row(item: Switched) -> dict[str, Any]:
    own, (before, after) = item.alternative, item.leading
    return {
        "kind": own.kind,
        "key": own.key,
        "label": own.label,
        "numbers": len(own.changes),
        "outside": len(own.outside),
        "set_aside": len(own.set_aside),
        "standing": own.standing,
        "leading": {"before": before, "after": after},
        "most": {"id": item.most, "before": item.before[item.most], "after": item.after[item.most]},
        "sentence": item.sentence,
    }
