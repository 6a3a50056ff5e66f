"""Which number, better known, would steady the decision: the expected value of partial perfect information (EVPPI).

Decisions are those of ``rootcause.reasoning.decisions``: an act of its own against each outcome, whose values add up.
The value of knowing a number is the mean, over what it may turn out to be, of the value of deciding then, less that of
deciding now. What the net benefit of an act is expected to be once a number is known is a regression of the net benefit
on the number over draws of all numbers (Strong, Oakley & Brennan 2014); here with a natural cubic spline, and for the
shares of a whole with one for each share, added up.

Each value has a standard error, of the draws and of the regression together: the draws are cut into groups, and the
regression is fitted again without one group after another (the jackknife with groups: Shao & Tu 1995). A regression
finds some value in pure noise, too: the same estimate for numbers that were shuffled says how much. What is not above
both is not told from nothing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.reasoning.decisions import Act
from rootcause.sensitivity.boxes import reach
from rootcause.sensitivity.draws import SEED, Progress, Sampler, check, draws
from rootcause.sensitivity.questions import Findings, Question, ask
from rootcause.sensitivity.subjects import EntryRange

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]

_KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of a number at which its spline has knots (Harrell 2001)."""

_SHUFFLES = 20
_FLOOR = 0.95
_GROUPS = 20
"""Groups of draws that are left out in turn for the standard error."""

_ONE_SIDED = 1.645
"""Standard errors that a value must be above 0 to be told from it, 19 times of 20."""

_TOGETHER = 1e-10
_SCALE = "100 points are a permanent severe deficit, such as a foot drop with incontinence"

_LEAST = 100
"""Draws below which a regression says nothing."""


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """What it is worth to know one number, or one whole.

    Attributes:
        value: Expected gain of deciding with it known, in the units of the acts; at least 0.
        acts: The part of it that each act has, by outcome; acts that it does nothing for are left out.
        turns: Probability that some act would be decided otherwise once it is known.
        told: Whether the value is told from nothing: more than 1.645 standard errors above 0, and above what the
            estimate finds in shuffled numbers.
        error: Standard error of the value.
    """

    value: float
    acts: Mapping[str, float]
    turns: float
    told: bool
    error: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "value": self.value,
            "error": self.error,
            "acts": dict(self.acts),
            "turns": self.turns,
            "told": self.told,
        }


@dataclass(frozen=True, slots=True)
class ValueOfParameters:
    """What it is worth to know the numbers of a model.

    Attributes:
        values: By number or whole, the one that is worth most first.
        everything: Expected gain of deciding with all numbers known (EVPI).
        now: Expected value of the best acts with the numbers as they are known.
        taken: By outcome with an act, whether it is taken now.
        floor: Every value above it is told from nothing; of those up to it, some are not. At least what the estimate
            finds in shuffled numbers, 19 times of 20.
        n: Draws.
        stopped: Whether fewer were made than asked for.
        seed: Seed of the draws.
        scale: What the points are, in words; empty for acts that the caller names.
        everything_error: Standard error of ``everything``.
    """

    values: Mapping[str, ParameterValue]
    everything: float
    now: float
    taken: Mapping[str, bool]
    floor: float
    n: int
    stopped: bool
    seed: int
    scale: str = ""
    everything_error: float = 0.0

    @property
    def sentence(self) -> str:
        """Which number would steady the decisions most, in one sentence."""
        told = {name: item for name, item in self.values.items() if item.told}
        if not told:
            return (
                f"Of no single number is it told that knowing it better would change what to do "
                f"(all of them: {_give(self.everything, self.everything_error)} points)."
            )
        (name, item), *others = told.items()
        like = sum(item.value - own.value <= math.hypot(item.error, own.error) for _, own in others)
        close = f"; within the errors {like} more {'is' if like == 1 else 'are'} worth as much" if like else ""
        act = max(item.acts, key=lambda name: item.acts[name])
        return (
            f"To know {name} would be worth most, {_give(item.value, item.error)} of the "
            f"{_give(self.everything, self.everything_error)} points that knowing every number is worth, above all for "
            f"acting on {act}; it would turn a decision with {item.turns:.0%} probability{close}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "values": {name: item.to_dict() for name, item in self.values.items()},
            "everything": self.everything,
            "now": self.now,
            "taken": dict(self.taken),
            "floor": self.floor,
            "n": self.n,
            "stopped": self.stopped,
            "seed": self.seed,
            "scale": self.scale,
            "everything_error": self.everything_error,
            "sentence": self.sentence,
        }

    def to_text(self, most: int = 15) -> str:
        """Return the numbers that are worth most as lines for a terminal."""
        lines = [
            self.sentence,
            *([f"{self.scale}."] if self.scale else []),
            f"{self.n:,} draws; ± is one standard error.",
            f"Told from nothing: more than {_ONE_SIDED:g} standard errors above 0, and more than in shuffled numbers.",
            "",
        ]
        lines.append(f"{'':52}{'points':>20}{'turns':>8}")
        for name, item in list(self.values.items())[:most]:
            told = "" if item.told else "  not told from nothing"
            lines.append(f"{name:52}{_give(item.value, item.error):>20}{item.turns:>8.1%}{told}")
        left = list(self.values.values())[most:]
        told_left = sum(item.told for item in left)
        return "\n".join([*lines, *([f"and {len(left)} more, {told_left} of them told"] if left else [])])


def _give(value: float, error: float) -> str:
    """Return a value with its standard error, each with two digits."""
    return f"{value:.2g} ± {error:.2g}"


def value_of_parameters(  # noqa: PLR0913 - the question, the acts, and how to draw
    subject: "Model | Engine",
    findings: Findings,
    acts: Sequence[Act] | None = None,
    *,
    target: str | None = None,
    ranges: Sequence[EntryRange] = (),
    n: int = 4000,
    seed: int = SEED,
    alternative: str = "beta",
    progress: Progress = lambda _done, _all: None,
) -> ValueOfParameters:
    """Return what it is worth to know each number before deciding.

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        acts: An act for each outcome that something can be done about; ``None`` takes those of the model's stakes.
        target: Of a network, a node whose states the acts are about.
        ranges: Of a network, the entries that have a range, each read as covering 90 %.
        n: Draws of all numbers.
        seed: Seed of the draws.
        alternative: The family of distributions, ``beta`` or ``logit_normal``.
        progress: Called with the draws that are done and all of them; ``False`` stops, and what is done is used. It is
            called again before each number is valued, when only an error that it raises stops the work.

    Raises:
        InvalidInputError: If a name is unknown, an act is about no outcome, or an argument breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    check(n, alternative, _LEAST)
    question, _ = ask(subject, findings, target, None, ranges)
    rows = _rows(question, _acts(subject, question) if acts is None else acts)
    numbers: dict[str, list[Array]] = {}
    benefits: list[Array] = []
    done = 0
    for part in draws(question, n, seed, alternative):
        for id_, values in part.numbers.items():
            numbers.setdefault(id_, []).append(values)
        benefits.append(
            np.stack([part.posteriors[k] * act.benefit - (1 - part.posteriors[k]) * act.risk for k, act in rows])
        )
        done += part.posteriors.shape[1]
        if progress(done, n) is False:
            break
    known = {id_: np.concatenate(parts) for id_, parts in numbers.items()}
    names = list(question.outcomes)
    labels = [names[k] for k, _ in rows]
    blocks = Sampler(question.subject, reach(question), alternative).blocks
    found = _values(
        np.concatenate(benefits, axis=1), labels, known, blocks, seed=seed, asked=n, tick=lambda: progress(done, n)
    )
    return replace(found, scale=_SCALE) if acts is None else found


def evppi(benefits: Array, columns: Array) -> tuple[Array, Array]:
    """Return what each act gains from numbers being known, and where it would be decided otherwise.

    Args:
        benefits: Net benefit of each act over not acting, shape ``(acts, draws)``.
        columns: The numbers that become known, shape ``(numbers, draws)``.

    Returns:
        The gain of each act, shape ``(acts,)``, and whether it is decided otherwise, shape ``(acts, draws)``.
    """
    basis = _basis(columns)
    inverse = np.linalg.pinv(basis @ basis.T, rcond=_TOGETHER, hermitian=True)  # shares of a whole hang together
    expected = benefits.mean(axis=1, keepdims=True) + (benefits @ basis.T) @ inverse @ basis
    now = benefits.mean(axis=1)
    gain = np.maximum(expected, 0.0).mean(axis=1) - np.maximum(now, 0.0)
    most = np.maximum(benefits, 0.0).mean(axis=1) - np.maximum(now, 0.0)  # a curve that is fitted may pass it
    otherwise = (expected > 0) != (now > 0)[:, np.newaxis]
    return np.clip(gain, 0.0, np.maximum(most, 0.0)), otherwise


def replicates(benefits: Array, columns: Array) -> Array:
    """Return the gain of all acts together without one group of draws after another, shape ``(groups,)``.

    Args:
        benefits: As for ``evppi``.
        columns: As for ``evppi``; none of them gives what the draws alone do to deciding now, which is nothing.
    """
    draws_ = benefits.shape[1]
    basis = np.concatenate([np.full((1, draws_), draws_**-0.5), _basis(columns)])
    places = np.array_split(np.arange(draws_), _GROUPS)
    parts = [slice(int(own[0]), int(own[-1]) + 1) for own in places]
    squares = np.stack([basis[:, own] @ basis[:, own].T for own in parts])
    products = np.stack([benefits[:, own] @ basis[:, own].T for own in parts])
    inverses = np.linalg.pinv(squares.sum(axis=0) - squares, rcond=_TOGETHER, hermitian=True)
    factors = (products.sum(axis=0) - products) @ inverses
    now, most = (_without(values, parts) for values in (benefits, np.maximum(benefits, 0.0)))
    found = np.zeros(_GROUPS)
    for k, own in enumerate(parts):
        expected = np.maximum(factors[k] @ basis, 0.0)
        kept = (expected.sum(axis=1) - expected[:, own].sum(axis=1)) / (draws_ - (own.stop - own.start))
        least = np.maximum(now[k], 0.0)
        found[k] = np.clip(kept - least, 0.0, np.maximum(most[k] - least, 0.0)).sum()
    return found


def _without(values: Array, parts: Sequence[slice]) -> Array:
    """Return the means without one group after another, shape ``(groups, acts)``."""
    sums = np.stack([values[:, own].sum(axis=1) for own in parts])
    left = np.array([values.shape[1] - (own.stop - own.start) for own in parts])
    found: Array = (sums.sum(axis=0) - sums) / left[:, np.newaxis]
    return found


def standard_error(found: Array) -> float:
    """Return the standard error from what is found without one group after another."""
    return math.sqrt((len(found) - 1) * float(found.var()))


def _basis(columns: Array) -> Array:
    """Return the splines of all columns, centred and of length 1, shape ``(functions, draws)``."""
    basis = np.concatenate([*map(_spline, columns)])
    basis -= basis.mean(axis=1, keepdims=True)
    size = np.linalg.norm(basis, axis=1, keepdims=True)
    return np.asarray(basis[size[:, 0] > 0] / size[size[:, 0] > 0])


def _spline(values: Array) -> Array:
    """Return the natural cubic spline of a number, shape ``(functions, draws)``: linear beyond the outer knots."""
    width = float(np.ptp(values))
    if width <= 0:
        return np.zeros((0, len(values)))
    knots = np.unique(np.quantile(values, _KNOTS))
    scaled, knots = (values - values.min()) / width, (knots - values.min()) / width
    functions = [scaled]
    last, before = knots[-1], knots[-2] if len(knots) > 1 else knots[-1]
    cubes = [np.maximum(scaled - knot, 0) ** 3 for knot in knots]
    for knot, cube in zip(knots[:-2], cubes[:-2], strict=True):
        share = (last - knot) / (last - before)
        functions.append(cube - cubes[-2] * share + cubes[-1] * (share - 1))
    return np.stack(functions)


def _acts(subject: "Model | Engine", question: Question) -> list[Act]:
    from rootcause.engine import Engine

    if isinstance(subject, Engine):
        raise InvalidInputError("acts: must be named for a network that is not the model, got none")
    return [
        Act(*question.outcomes[cause], stake.benefit.value, stake.risk.value)
        for cause, stake in subject.stakes.causes.items()
        if cause in question.outcomes
    ]


def _rows(question: Question, acts: Sequence[Act]) -> list[tuple[int, Act]]:
    """Return the place of each act's outcome among all outcomes."""
    places = {own: k for k, own in enumerate(question.outcomes.values())}
    for act in acts:
        if (act.node, act.state) not in places:
            raise InvalidInputError(f"acts: must be about an outcome, got {act.node} = {act.state}")
    if not acts:
        raise InvalidInputError("acts: at least one must be named, got none")
    return [(places[act.node, act.state], act) for act in acts]


def _values(
    benefits: Array,
    labels: Sequence[str],
    known: Mapping[str, Array],
    blocks: Mapping[str, tuple[str, ...]],
    *,
    seed: int,
    asked: int,
    tick: Callable[[], object],
) -> ValueOfParameters:
    found, errors = {}, {}
    for name, ids in blocks.items():
        tick()
        columns = np.stack([known[id_] for id_ in ids])
        found[name] = evppi(benefits, columns)
        errors[name] = standard_error(replicates(benefits, columns)) if found[name][0].any() else 0.0
    noise = _noise(benefits, known, blocks, seed)
    floors = {size: float(np.quantile(values, _FLOOR)) for size, values in noise.items()}
    values = {}
    for name, (gains, otherwise) in found.items():
        parts = {label: float(gain) for label, gain in zip(labels, gains, strict=True) if gain > 0}
        total = float(gains.sum())
        turns = float(otherwise.any(axis=0).mean())
        told = total > max(floors[len(blocks[name])], _ONE_SIDED * errors[name])
        values[name] = ParameterValue(total, MappingProxyType(parts), turns, told, errors[name])
    now = benefits.mean(axis=1)
    # With everything known an act has what it turns out to be worth, or nothing: a mean of draws, whose error is plain.
    every = np.maximum(benefits, 0.0) - np.where(now > 0, 1.0, 0.0)[:, np.newaxis] * benefits
    untold = [item.value for item in values.values() if not item.told]
    return ValueOfParameters(
        values=MappingProxyType(dict(sorted(values.items(), key=lambda item: (not item[1].told, -item[1].value)))),
        everything=float(every.mean(axis=1).sum()),
        everything_error=float(every.sum(axis=0).std() / math.sqrt(benefits.shape[1])),
        now=float(np.maximum(now, 0.0).sum()),
        taken=MappingProxyType({label: bool(value > 0) for label, value in zip(labels, now, strict=True)}),
        floor=max([*floors.values(), *untold], default=0.0),
        n=benefits.shape[1],
        stopped=benefits.shape[1] < asked,
        seed=seed,
    )


def _noise(
    benefits: Array, known: Mapping[str, Array], blocks: Mapping[str, tuple[str, ...]], seed: int
) -> dict[int, Array]:
    """Return, for each size of a whole, what the estimate finds in shuffled numbers."""
    generator = np.random.default_rng(seed)
    sizes: dict[int, tuple[str, ...]] = {}
    for ids in blocks.values():
        sizes.setdefault(len(ids), ids)
    result = {}
    for size, ids in sizes.items():
        columns = np.stack([known[id_] for id_ in ids])
        orders = [generator.permutation(columns.shape[1]) for _ in range(_SHUFFLES)]
        result[size] = np.array([evppi(benefits, columns[:, order])[0].sum() for order in orders])
    return result
