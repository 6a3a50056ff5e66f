"""Which number, better known, would steady the decision: the expected value of partial perfect information (EVPPI).

Decisions are those of ``rootcause.reasoning.decisions``: an act of its own against each outcome, whose values add up.
The value of knowing a number is the mean, over what it may turn out to be, of the value of deciding then, less that of
deciding now. What the net benefit of an act is expected to be once a number is known is a regression of the net benefit
on the number over draws of all numbers (Strong, Oakley & Brennan 2014); here with a natural cubic spline, and for the
shares of a whole with one for each share, added up. A regression finds some value in pure noise: the same estimate for
numbers that were shuffled says how much, and what is not above it is not told from nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.reasoning.decisions import Act
from rootcause.sensitivity.boxes import reach
from rootcause.sensitivity.draws import SEED, Sampler, check, draws
from rootcause.sensitivity.questions import Findings, Question, ask
from rootcause.sensitivity.subjects import EntryRange

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]
Progress = Callable[[int, int], bool | None]

_KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles of a number at which its spline has knots (Harrell 2001)."""

_SHUFFLES = 20
_FLOOR = 0.95
_TOGETHER = 1e-10
_LEAST = 100
"""Draws below which a regression says nothing."""


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """What it is worth to know one number, or one whole.

    Attributes:
        value: Expected gain of deciding with it known, in the units of the acts; at least 0.
        acts: The part of it that each act has, by outcome; acts that it does nothing for are left out.
        turns: Probability that some act would be decided otherwise once it is known.
        told: Whether the value is above what the estimate finds in shuffled numbers.
    """

    value: float
    acts: Mapping[str, float]
    turns: float
    told: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"value": self.value, "acts": dict(self.acts), "turns": self.turns, "told": self.told}


@dataclass(frozen=True, slots=True)
class ValueOfParameters:
    """What it is worth to know the numbers of a model.

    Attributes:
        values: By number or whole, the one that is worth most first.
        everything: Expected gain of deciding with all numbers known (EVPI).
        now: Expected value of the best acts with the numbers as they are known.
        taken: By outcome with an act, whether it is taken now.
        floor: What the estimate finds in shuffled numbers, at most, 19 times of 20.
        n: Draws.
        stopped: Whether fewer were made than asked for.
        seed: Seed of the draws.
    """

    values: Mapping[str, ParameterValue]
    everything: float
    now: float
    taken: Mapping[str, bool]
    floor: float
    n: int
    stopped: bool
    seed: int

    @property
    def sentence(self) -> str:
        """Which number would steady the decisions most, in one sentence."""
        told = {name: item for name, item in self.values.items() if item.told}
        if not told:
            return (
                f"No single number, better known, would change what to do (all of them: {self.everything:.2g} points)."
            )
        name, item = next(iter(told.items()))
        act = max(item.acts, key=lambda name: item.acts[name])
        return (
            f"To know {name} would be worth most, {item.value:.2g} of the {self.everything:.2g} points that knowing "
            f"every number is worth, above all for acting on {act}; it would turn a decision with {item.turns:.0%} "
            "probability."
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
            "sentence": self.sentence,
        }

    def to_text(self, most: int = 15) -> str:
        """Return the numbers that are worth most as lines for a terminal."""
        lines = [
            self.sentence,
            f"{self.n:,} draws; below {self.floor:.2g} points a value is not told from nothing.",
            "",
        ]
        lines.append(f"{'':52}{'points':>9}{'turns':>8}")
        for name, item in list(self.values.items())[:most]:
            lines.append(f"{name:52}{item.value:>9.3g}{item.turns:>8.1%}{'' if item.told else '  not told'}")
        return "\n".join(lines)


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
    return _values(
        np.concatenate(benefits, axis=1), labels, known, blocks, seed=seed, asked=n, tick=lambda: progress(done, n)
    )


def evppi(benefits: Array, columns: Array) -> tuple[Array, Array]:
    """Return what each act gains from numbers being known, and where it would be decided otherwise.

    Args:
        benefits: Net benefit of each act over not acting, shape ``(acts, draws)``.
        columns: The numbers that become known, shape ``(numbers, draws)``.

    Returns:
        The gain of each act, shape ``(acts,)``, and whether it is decided otherwise, shape ``(acts, draws)``.
    """
    basis = np.concatenate([*map(_spline, columns)])
    basis -= basis.mean(axis=1, keepdims=True)
    size = np.linalg.norm(basis, axis=1, keepdims=True)
    basis = basis[size[:, 0] > 0] / size[size[:, 0] > 0]
    inverse = np.linalg.pinv(basis @ basis.T, rcond=_TOGETHER, hermitian=True)  # shares of a whole hang together
    expected = benefits.mean(axis=1, keepdims=True) + (benefits @ basis.T) @ inverse @ basis
    now = benefits.mean(axis=1)
    gain = np.maximum(expected, 0.0).mean(axis=1) - np.maximum(now, 0.0)
    most = np.maximum(benefits, 0.0).mean(axis=1) - np.maximum(now, 0.0)  # a curve that is fitted may pass it
    otherwise = (expected > 0) != (now > 0)[:, np.newaxis]
    return np.clip(gain, 0.0, np.maximum(most, 0.0)), otherwise


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
    found = {}
    for name, ids in blocks.items():
        tick()
        found[name] = evppi(benefits, np.stack([known[id_] for id_ in ids]))
    noise = _noise(benefits, known, blocks, seed)
    floors = {size: float(np.quantile(values, _FLOOR)) for size, values in noise.items()}
    values = {}
    for name, (gains, otherwise) in found.items():
        parts = {label: float(gain) for label, gain in zip(labels, gains, strict=True) if gain > 0}
        total = float(gains.sum())
        turns = float(otherwise.any(axis=0).mean())
        values[name] = ParameterValue(total, MappingProxyType(parts), turns, total > floors[len(blocks[name])])
    now = benefits.mean(axis=1)
    every = np.maximum(benefits, 0.0).mean(axis=1) - np.maximum(now, 0.0)
    return ValueOfParameters(
        values=MappingProxyType(dict(sorted(values.items(), key=lambda item: (not item[1].told, -item[1].value)))),
        everything=float(every.sum()),
        now=float(np.maximum(now, 0.0).sum()),
        taken=MappingProxyType({label: bool(value > 0) for label, value in zip(labels, now, strict=True)}),
        floor=floors.get(1, max(floors.values(), default=0.0)),
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
