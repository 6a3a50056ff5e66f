"""What numbers of one's own change: which numbers differ, and the posterior of every cause before and after."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from rootcause.care import load_care
from rootcause.case import Case, parse_case
from rootcause.errors import InvalidPriorsError, nearest
from rootcause.model import Model
from rootcause.outcomes import posterior_of, ranks
from rootcause.own_numbers import reread
from rootcause.priors import Parameter, Priors, check_rates
from rootcause.rules import load_rulebook
from rootcause.stakes import load_stakes


@dataclass(frozen=True, slots=True)
class Shift:
    """One cause, or none of them, before and after.

    Attributes:
        cause: Its id, or ``none``.
        before: Posterior with the numbers as they were.
        after: Posterior with the new numbers.
        rank_before: Its place among all causes and none of them, from 1.
        rank_after: The same with the new numbers.
    """

    cause: str
    before: float
    after: float
    rank_before: int
    rank_after: int

    @property
    def points(self) -> float:
        """The change in percentage points."""
        return 100 * (self.after - self.before)


@dataclass(frozen=True, slots=True)
class Change:
    """A number before and after.

    Attributes:
        before: As it was.
        after: As it is now.
        fields: Names of the fields that differ.
    """

    before: Parameter
    after: Parameter
    fields: tuple[str, ...]


def changes(before: Priors, after: Priors) -> tuple[Change, ...]:
    """Return the numbers of one rate set that differ, in the order of the files.

    Args:
        before: The numbers as they were.
        after: The same numbers, changed.
    """
    found = []
    for id_, old in before.parameters.items():
        new = after.parameters.get(id_)
        if new is not None and new != old:
            differing = tuple(name for name in Parameter.model_fields if getattr(old, name) != getattr(new, name))
            found.append(Change(old, new, differing))
    return tuple(found)


def with_numbers(model: Model, priors: Priors) -> Model:
    """Return the model with other numbers, and its own rules, stakes and care.

    Args:
        model: The model.
        priors: The same numbers with other values, as ``own_numbers.edited`` returns them.
    """
    return Model(priors, model.rulebook, model.stakes, model.care)


def with_parameters(model: Model, new: Mapping[str, Parameter]) -> Model:
    """Return the model with some numbers replaced, to look at and not to keep: they are not validated anew.

    Args:
        model: The model.
        new: Numbers by their ids.
    """
    parameters = MappingProxyType({**model.priors.parameters, **new})
    return with_numbers(model, replace(model.priors, parameters=parameters))


def model_of(folder: Traversable, like: Model) -> Model:
    """Return the model of a folder that holds the numbers of another model; nothing of it is kept on disk.

    Args:
        folder: The folder, rules and texts included.
        like: The model whose numbers, by their ids, the folder must have; its rate set is taken.

    Raises:
        InvalidPriorsError: Naming every problem of the folder at once.
    """
    priors = reread(folder, check_rates(like.rates))
    known, given = like.priors.parameters, priors.parameters
    problems = [f"{id_}: must be in the folder, got no such number" for id_ in known if id_ not in given]
    problems += [
        f"{id_}: must have a place in the network, got a number with none{nearest(id_, known)}"
        for id_ in given
        if id_ not in known
    ]
    loaded: list[Any] = []
    for load in (load_rulebook, load_stakes, load_care):
        try:
            loaded.append(load(folder, priors.sources))
        except InvalidPriorsError as error:
            problems += error.problems
    if problems:
        raise InvalidPriorsError(problems)
    return Model(priors, *loaded)


def shifts(before: Model, after: Model, case: Mapping[str, Any] | Case) -> tuple[Shift, ...]:
    """Return the posterior of every cause and of none of them under two sets of numbers, the most probable after first.

    Args:
        before: The model with the numbers as they were.
        after: The model with the new numbers.
        case: As for ``Model.diagnose``.

    Raises:
        InvalidInputError: If the case breaks a rule.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    checked = case if isinstance(case, Case) else parse_case(case)
    old, new = posterior_of(before, checked), posterior_of(after, checked)
    old_ranks, new_ranks = ranks(old), ranks(new)
    return tuple(
        Shift(cause, old[cause], new[cause], old_ranks[cause], new_ranks[cause])
        for cause in sorted(new, key=lambda cause: -new[cause])
    )


def sentence(found: tuple[Shift, ...], label: Mapping[str, str]) -> str:
    """Return in one sentence whether the leading cause and the order of the causes stay.

    Args:
        found: What ``shifts`` returned.
        label: Words for each cause and for none of them.
    """
    leads = next(item for item in found if item.rank_after == 1)
    led = next(item for item in found if item.rank_before == 1)
    most = max(found, key=lambda item: abs(item.points))
    by = f"{label[most.cause]} moves most, by {most.points:+.1f} points".replace("-", "−")
    if leads.cause != led.cause:
        return f"{label[leads.cause]} leads now; before, {label[led.cause]} did. {by}."
    moved = any(item.rank_after != item.rank_before for item in found)
    order = "the order further down changes" if moved else "no rank changes"
    return f"{label[leads.cause]} leads before and after; {order}. {by}."
