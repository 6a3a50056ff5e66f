"""The questions at the bedside, each answered in one place: the command line and the HTTP API hand out the same.

Every answer has ``to_dict``, the JSON of both, and ``to_text``, the lines for a terminal. Both begin or end with which
numbers answered and with the disclaimer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rootcause.case import Case, parse_case
from rootcause.errors import InvalidInputError
from rootcause.rules import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rootcause import Model
    from rootcause.coherence import Coherence
    from rootcause.comparison import Attribution, Comparison
    from rootcause.explanation import Explanation
    from rootcause.next_steps import NextSteps
    from rootcause.nodes import NetworkView
    from rootcause.rules import RedFlag
    from rootcause.together import Together


class Reply(Protocol):
    """What a question is answered with."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, ready for JSON."""

    def to_text(self) -> str:
        """Return it as lines for a terminal."""


@dataclass(frozen=True, slots=True)
class About:
    """Which numbers answered.

    Attributes:
        version: Of the software.
        digest: sha256, in hex, over all numbers, rules and texts.
        rates: The rate set.
        disclaimer: What the answer is not.
    """

    version: str
    digest: str
    rates: str
    disclaimer: str

    def around(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return an answer with what it was made from before it."""
        model = {"version": self.version, "digest": self.digest, "rates": self.rates}
        return {"model": model, "disclaimer": self.disclaimer, **content}

    def below(self, *parts: str) -> str:
        """Return an answer with what it was made from below it."""
        line = f"Rootcause {self.version}, rates {self.rates}, digest {self.digest[:12]}."
        return "\n\n".join([*parts, f"{line}\n{self.disclaimer}"])


@dataclass(frozen=True, slots=True)
class Why:
    """Why a cause stands where it does, whether all fits, and which causes are there together."""

    about: About
    explanation: Explanation
    fit: Coherence
    together: Together

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        parts: dict[str, Reply] = {"explanation": self.explanation, "fit": self.fit, "together": self.together}
        return self.about.around({name: part.to_dict() for name, part in parts.items()})

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        fit = f"Does it fit?\n{self.fit.to_text()}"
        return self.about.below(self.explanation.to_text(), fit, self.together.to_text())


@dataclass(frozen=True, slots=True)
class WhatNext:
    """What to examine next, below the red flags, which it never delays."""

    about: About
    red_flags: tuple[RedFlag, ...]
    steps: NextSteps

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self.about.around({"red_flags": [flag_data(flag) for flag in self.red_flags], **self.steps.to_dict()})

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        flags = [f"RED FLAG ({level_in_words(flag)}): {flag.text}" for flag in self.red_flags]
        return self.about.below("\n".join([*flags, self.steps.to_text()]))


@dataclass(frozen=True, slots=True)
class Difference:
    """Two moments or two patients, and what each difference carries of the change of one cause."""

    about: About
    comparison: Comparison
    attribution: Attribution

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        parts = {"comparison": self.comparison.to_dict(), "attribution": self.attribution.to_dict()}
        return self.about.around(parts)

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        return self.about.below(self.comparison.to_text(), self.attribution.to_text())


@dataclass(frozen=True, slots=True)
class Drawing:
    """The network of a patient: nodes with their probabilities, and what joins them."""

    about: About
    view: NetworkView

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self.about.around(self.view.to_dict())

    def to_text(self) -> str:
        """Return the nodes as lines for a terminal."""
        lines = [f"{node.kind:8}{node.probability:>8.1%}  {node.label}" for node in self.view.nodes]
        return self.about.below("\n".join(lines))


# ---- the questions --------------------------------------------------------------------------------------------------


def diagnose(model: Model, case: Mapping[str, Any] | Case) -> Reply:
    """Ask for the posterior of every cause, with its interval.

    Args:
        model: Which answers.
        case: As for ``Model.diagnose``; so in every question.

    Raises:
        InvalidInputError: If the case, or something else that is asked, breaks a rule; so in every question.
        ImpossibleEvidenceError: If the findings cannot hold together; so in every question.
    """
    return model.diagnose(case)


def explain(model: Model, case: Mapping[str, Any] | Case, cause: str | None = None) -> Why:
    """Ask what speaks for and against a cause, whether it all fits, and which causes are there together.

    Args:
        model: Which answers.
        case: As for ``diagnose``.
        cause: A cause, or ``none``; left out: the most probable of the listed ones.
    """
    checked = parse(case)
    why = model.explain(checked, cause)
    return Why(about(model), why, model.coherence(checked), model.together(checked))


def following(model: Model, case: Mapping[str, Any] | Case, ahead: int = 1) -> WhatNext:
    """Ask what to examine next, and whether it could still change what to do.

    Args:
        model: Which answers.
        case: As for ``diagnose``.
        ahead: 1, or 2 for pairs of findings as well.
    """
    checked = parse(case)
    return WhatNext(about(model), model.rulebook.red_flags(checked), model.next(checked, ahead=ahead))


def compare(
    model: Model, before: Mapping[str, Any] | Case, after: Mapping[str, Any] | Case, cause: str | None = None
) -> Difference:
    """Ask what differs between two moments or two patients, and what each difference carries.

    Args:
        model: Which answers.
        before: The first, as for ``diagnose``.
        after: The second.
        cause: Whose change is told apart; left out: the most probable of the listed ones in the second.
    """
    cases = parse(before, "before"), parse(after, "after")
    compared = model.compare(*cases)
    chosen = cause if cause is not None else max(compared.causes, key=lambda name: compared.causes[name].after)
    return Difference(about(model), compared, model.attribute(*cases, chosen))


def network(model: Model, case: Mapping[str, Any] | Case, focus: str | None = None) -> Drawing:
    """Ask for the network of a patient as it is to be drawn.

    Args:
        model: Which answers.
        case: As for ``diagnose``.
        focus: A cause, lesion or finding that the drawing is about; left out: all of it.
    """
    return Drawing(about(model), model.view(case, focus))


# ---- what they share ------------------------------------------------------------------------------------------------


def about(model: Model) -> About:
    """Return which numbers answer."""
    return About(model.version, model.digest, model.rates, model.rulebook.disclaimer)


def parse(data: object, where: str = "") -> Case:
    """Check a case, unless that was done; where two are asked about, a refusal says which one it means.

    Args:
        data: A case as it is written, or checked.
        where: What to call it.

    Raises:
        InvalidInputError: If it breaks a rule.
    """
    if isinstance(data, Case):
        return data
    try:
        return parse_case(data)
    except InvalidInputError as refusal:
        if not where:
            raise
        raise InvalidInputError(f"{where}: {refusal}") from None


def flag_data(flag: RedFlag) -> dict[str, Any]:
    """Return a red flag as plain data, as every answer holds it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(flag).items()}


def level_in_words(flag: RedFlag) -> str:
    """Return how soon someone must act."""
    return flag.level.replace("_", " ")


def standing_flags(model: Model, cases: Iterable[Case]) -> tuple[RedFlag, ...]:
    """Return the red flags of cases without an answer: they hang on no probability, and none silences them.

    Args:
        model: Whose rules.
        cases: Checked; their findings may be impossible together.

    Returns:
        Each rule once, the most urgent first.
    """
    found = {flag.id: flag for case in cases for flag in model.rulebook.red_flags(case)}
    return tuple(sorted(found.values(), key=lambda flag: LEVELS.index(flag.level)))
