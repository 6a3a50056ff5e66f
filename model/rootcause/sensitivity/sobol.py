"""Which numbers the spread of an answer comes from: first-order and total indices (Sobol' 1993).

The first-order index of a number is the share of the variance that goes if the number alone became known; its total
index is the share that stays if all others became known. Both are estimated from two independent sets of draws and
their mixtures: first order as in Saltelli et al. 2010, total as in Jansen 1999. Shares of one whole are one factor. The
intervals are bootstrap intervals over the base points (Archer, Saltelli & Sobol 1997).

``sobol`` takes a model or a network, ``sobol_of`` any function of independent inputs; where a function is multilinear,
``rootcause.sensitivity.sobol_exact`` needs no draws.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.sensitivity.boxes import reach
from rootcause.sensitivity.draws import SEED, Progress, Sampler, check, seed_of
from rootcause.sensitivity.indices import LEVEL, Sobol, estimate
from rootcause.sensitivity.questions import Findings, Question, ask
from rootcause.sensitivity.subjects import EntryRange
from rootcause.sensitivity.swaps import Swaps

if TYPE_CHECKING:
    from rootcause.engine import Engine
    from rootcause.model import Model

Array = NDArray[np.float64]

PILOT = 256
"""Base points after which numbers that are dear to ask for and matter little are not followed further."""

SCREEN = 0.002
_PASSES = 2
"""Steps of a chunk beside those of its factors: both sets of points."""

_STEP = 1024
"""Base points of a chunk after the first, which is a pilot at most."""


def sobol_of(
    function: Callable[[Array], Array],
    inputs: Mapping[str, Callable[[Array], Array]],
    n: int = 4096,
    seed: int = SEED,
    *,
    level: float = LEVEL,
    outcome: str = "the answer",
) -> Sobol:
    """Return the indices of any function of independent inputs, from a scrambled Sobol' sequence.

    Args:
        function: From inputs, shape ``(inputs, m)``, to values, shape ``(m,)``.
        inputs: By name, the inverse of the input's cumulative distribution function.
        n: Base points; a power of two keeps the balance of the sequence. n (k + 2) values are asked for.
        seed: Seed of the scrambling.
        level: Coverage of the intervals.
        outcome: What varies, in words.

    Raises:
        InvalidInputError: If ``n`` or ``level`` breaks a rule, or there is no input.
    """
    check(n, "beta")
    _check_level(level)
    if not inputs:
        raise InvalidInputError("inputs: at least one must be named, got none")
    from scipy.stats import qmc

    size = len(inputs)
    sequence = qmc.Sobol(2 * size, scramble=True, rng=np.random.default_rng(seed))
    uniform = np.clip(sequence.random_base2((n - 1).bit_length())[:n].T, 1e-15, 1 - 1e-15)
    first, second = (
        np.stack([inverse(row) for inverse, row in zip(inputs.values(), part, strict=True)])
        for part in (uniform[:size], uniform[size:])
    )
    swapped = {}
    for k, name in enumerate(inputs):
        mixed = first.copy()
        mixed[k] = second[k]
        swapped[name] = np.asarray(function(mixed), dtype=np.float64)
    values = np.asarray(function(first), dtype=np.float64), np.asarray(function(second), dtype=np.float64)
    return _result(outcome, *values, swapped, level=level, seed=seed, asked=n)


def sobol(  # noqa: PLR0913 - the question, and how to draw
    subject: "Model | Engine",
    findings: Findings,
    target: str | None = None,
    state: str | None = None,
    *,
    ranges: Sequence[EntryRange] = (),
    n: int = 1024,
    seed: int = SEED,
    alternative: str = "beta",
    screen: float = SCREEN,
    pilot: int = PILOT,
    level: float = LEVEL,
    progress: Progress = lambda _done, _all: None,
) -> Sobol:
    """Return the indices of a posterior in all numbers that reach it.

    Numbers that stand in one table cost next to nothing (see ``rootcause.sensitivity.swaps``). Of the others, those
    whose total index over the first ``pilot`` points is below ``screen`` keep that estimate; ``Index.n`` says so.

    Args:
        subject: A model, or any compiled network.
        findings: By node, what was observed; of a model, a case.
        target: Of a model, a cause (left out: the leading one); else a node.
        state: Of a network, a state of the target (left out: the leading one).
        ranges: Of a network, the entries that have a range, each read as covering 90 %.
        n: Base points.
        seed: Seed of the draws.
        alternative: The family of distributions, ``beta`` or ``logit_normal``.
        screen: Total index below which a tied number is not followed further; 0 follows all.
        pilot: Base points after which that is decided, at least 2 and no more than 1,024.
        level: Coverage of the intervals.
        progress: Called after each chunk of base points, and before each factor within a chunk, with the base points
            that the work done so far amounts to; within a chunk only an error that it raises stops the work.

    Raises:
        InvalidInputError: If a name is unknown, or an argument breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    check(n, alternative)
    _check_level(level)
    question, outcome = ask(subject, findings, target, state, ranges)
    if not 2 <= pilot <= _STEP:  # noqa: PLR2004 - below, there is no variance
        raise InvalidInputError(f"pilot: must be from 2 to {_STEP:,}, got {pilot!r}")
    design = _Design(question, outcome, alternative)
    for number, size in enumerate(_chunks(n, pilot)):
        before = design.done
        seeds = seed_of(seed, 2 * number), seed_of(seed, 2 * number + 1)
        for share in design.add(size, *seeds):
            progress(before + int(share * size), n)
        if progress(design.done, n) is False:
            break
        if number == 0:
            design.drop(screen)
    return _result(outcome, *design.base, design.swapped, level=level, seed=seed, asked=n)


def _chunks(n: int, pilot: int) -> Iterator[int]:
    """Yield how many base points are added at a time: a pilot, then chunks that their tables leave room for."""
    first = min(n, pilot, _STEP)
    yield first
    for start in range(first, n, _STEP):
        yield min(_STEP, n - start)


class _Design:
    """Values of a posterior at a Sobol design, chunk by chunk."""

    def __init__(self, question: Question, outcome: str, alternative: str) -> None:
        self._question, self._outcome = question, outcome
        self._sampler = Sampler(question.subject, reach(question), alternative)
        nodes_of = question.subject.nodes_of(question.names)
        self._nodes = {
            name: tuple(dict.fromkeys(node for id_ in ids for node in nodes_of.get(id_, ())))
            for name, ids in self._sampler.blocks.items()
        }
        self._followed = set(self._nodes)
        self._base: tuple[list[Array], list[Array]] = ([], [])
        self._values: dict[str, list[Array]] = {name: [] for name in self._nodes}

    @property
    def done(self) -> int:
        """Base points so far."""
        return sum(map(len, self._base[0]))

    @property
    def base(self) -> tuple[Array, Array]:
        """Values at both sets of points."""
        first, second = (np.concatenate(parts) for parts in self._base)
        return first, second

    @property
    def swapped(self) -> dict[str, Array]:
        """By factor, values with it from the second set."""
        return {name: np.concatenate(parts) for name, parts in self._values.items()}

    def add(self, size: int, one: int, two: int) -> Iterator[float]:
        """Add base points, and yield before each step which share of the work is done."""
        yield 0.0
        names = [name for name in self._nodes if name in self._followed]
        first, second = self._sampler.sample(size, one), self._sampler.sample(size, two)
        swaps = Swaps(self._question, self._outcome, first, size)
        yield 1 / (len(names) + _PASSES)
        self._base[0].append(swaps.posterior)
        self._base[1].append(Swaps(self._question, self._outcome, second, size).posterior)
        for done, name in enumerate(names, start=2):
            yield done / (len(names) + _PASSES)
            ids = self._sampler.blocks[name]
            self._values[name].append(swaps.swapped(ids, second, self._nodes[name]))

    def drop(self, screen: float) -> None:
        """Follow tied numbers no further whose total index so far is below a bound."""
        found = estimate(*self.base, self.swapped)
        self._followed -= {name for name, own in found.items() if own.total < screen and len(self._nodes[name]) > 1}


def _result(
    outcome: str, first: Array, second: Array, swapped: Mapping[str, Array], *, level: float, seed: int, asked: int
) -> Sobol:
    both = np.concatenate([first, second])
    return Sobol(
        outcome=outcome,
        indices=MappingProxyType(estimate(first, second, swapped, level=level, seed=seed)),
        mean=float(both.mean()),
        variance=float(both.var()),
        n=len(first),
        stopped=len(first) < asked,
        level=level,
        seed=seed,
    )


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidInputError(f"level: must be above 0 and below 1, got {level!r}")
