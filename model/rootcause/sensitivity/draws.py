"""Draws of all numbers that an answer hangs on, in chunks, with the posteriors that they give.

A number is drawn from the Beta distribution matched to its range, shares of one whole together from a Dirichlet
distribution (``rootcause.uncertainty``); or, to see what the choice of that family does, from a logit-normal
distribution whose median is the point and that puts as much between the ends of the range, shares of one whole together
from a logistic-normal distribution (Aitchison & Shen 1980).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.priors import COVERAGE, SHARE_GROUPS, Parameter
from rootcause.sensitivity.questions import Question
from rootcause.sensitivity.subjects import Subject
from rootcause.uncertainty import blocks, draw, stream

Array = NDArray[np.float64]
Family = Literal["beta", "logit_normal"]
FAMILIES: tuple[Family, ...] = ("beta", "logit_normal")

Progress = Callable[[int, int], bool | None]
"""Called with the draws, or base points, that are done and all of them; ``False`` stops, and what is done is used."""

CHUNK = 1_000
"""Draws whose tables are in memory at one time."""

_WORKERS = 2
"""Chunks that are worked on at one time."""

SEED = 20_261_121
MOST_DRAWS = 10_000_000

_HALVINGS = 60
_EDGE = 1e-12


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chunk of draws.

    Attributes:
        numbers: By id, shape ``(draws,)``.
        posteriors: Shape ``(outcomes, draws)``.
        none: Of a model, P(none of the causes), shape ``(draws,)``; else ``None``.
    """

    numbers: Mapping[str, Array]
    posteriors: Array
    none: Array | None


def draws(question: Question, n: int, seed: int = SEED, family: str = "beta") -> Iterator[Drawing]:
    """Yield draws of all numbers that the answer hangs on, with the posteriors, chunk by chunk.

    The draws of a number hang on the seed, its id and the number of the chunk alone.

    Args:
        question: What is asked.
        n: How many draws.
        seed: Seed of all streams.
        family: ``beta`` or ``logit_normal``.

    Raises:
        InvalidInputError: If ``n`` or ``family`` breaks a rule.
        ImpossibleEvidenceError: If the evidence has probability zero.
    """
    check(n, family)
    sampler = Sampler(question.subject, question.ids(), family)

    def chunk(number: int) -> Drawing:
        size = min(CHUNK, n - number * CHUNK)
        numbers = sampler.sample(size, seed_of(seed, number))
        drawn = question.subject.drawn(numbers, size)
        posteriors, logs = question.answer(drawn)
        return Drawing(numbers, posteriors, question.none(logs, drawn))

    chunks = -(-n // CHUNK)
    if chunks == 1:
        yield chunk(0)
        return
    with ThreadPoolExecutor(_WORKERS) as pool:  # while one chunk is drawn, the loops run on another
        for wave in range(0, chunks, _WORKERS):
            yield from pool.map(chunk, range(wave, min(wave + _WORKERS, chunks)))


def check(n: int, family: str, least: int = 2) -> None:
    """Refuse a number of draws or a family that breaks a rule."""
    if not least <= n <= MOST_DRAWS:
        raise InvalidInputError(f"n: must be from {least} to {MOST_DRAWS:,}, got {n!r}")
    if family not in FAMILIES:
        raise InvalidInputError(f"alternative: must be one of {', '.join(FAMILIES)}, got {family!r}")


def seed_of(seed: int, chunk: int) -> int:
    """Return the seed of a chunk: the first has the seed itself, so that few draws are those of the diagnosis."""
    return seed if chunk == 0 else int(np.random.SeedSequence([seed, chunk]).generate_state(1, np.uint64)[0])


class Sampler:
    """Draws the numbers of a subject.

    Attributes:
        blocks: Numbers that are drawn together: each alone, or the shares of a whole.
        parameters: All numbers of the subject, as ``rootcause.uncertainty`` wants them.
    """

    def __init__(self, subject: Subject, ids: Iterable[str], family: str = "beta") -> None:
        """Keep what is to be drawn.

        Args:
            subject: The network.
            ids: Numbers; a share brings the others of its whole.
            family: ``beta`` or ``logit_normal``.
        """
        self.parameters, self._alias = _parameters(subject)
        self._family = family
        wholes = dict.fromkeys(subject.whole_of.get(id_, id_) for id_ in ids)
        self.blocks: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {name: subject.wholes.get(name, (name,)) for name in wholes}
        )

    def sample(self, n: int, seed: int) -> dict[str, Array]:
        """Return draws by id, each of shape ``(n,)``."""
        ids = [id_ for own in self.blocks.values() for id_ in own]
        function = draw if self._family == "beta" else draw_logit_normal
        found = function(self.parameters, [self._alias[id_] for id_ in ids], n, seed)
        return {id_: found[self._alias[id_]] for id_ in ids}


def _parameters(subject: Subject) -> tuple[Mapping[str, Parameter], Mapping[str, str]]:
    """Return the numbers of a subject as parameters, and under which id each of them stands there."""
    if subject.parameters is not None:
        return subject.parameters, {id_: id_ for id_ in subject.parameters}
    alias = {id_: f"entry.{k}" for k, id_ in enumerate(subject.points) if id_ not in subject.whole_of}
    for k, ids in enumerate(subject.wholes.values()):
        alias |= {id_: f"{SHARE_GROUPS[0]}.{k}.{at}" for at, id_ in enumerate(ids)}
    made = {}
    for id_, name in alias.items():
        point, low, high = subject.points[id_], subject.low[id_], subject.high[id_]
        if not 0 < low < point < high < 1:
            got = f"{low:g}, {point:g} and {high:g}"
            raise InvalidInputError(f"ranges: {id_}: 0 < low < its value < high < 1 must hold to draw it, got {got}")
        made[name] = Parameter(meaning=id_, point=point, low=low, high=high, range="judgement", basis="assumed")
    return made, alias


# ---- the logit-normal alternative ------------------------------------------------------------------------------------


def draw_logit_normal(
    parameters: Mapping[str, Parameter], wanted: Iterable[str], n: int, seed: int
) -> dict[str, Array]:
    """Draw numbers from logit-normal distributions with the point as median and the range's coverage in the range.

    Args:
        parameters: All numbers.
        wanted: Ids of the numbers to draw; a share brings the others of its whole.
        n: How many draws.
        seed: Seed of all streams.

    Returns:
        Arrays of shape ``(n,)`` by id.
    """
    result: dict[str, Array] = {}
    for name, ids in blocks(parameters, wanted).items():
        generator = stream(seed, name, 1)
        if ids == (name,):
            item = parameters[name]
            middle = np.log(item.point) - np.log1p(-item.point)
            drawn = 1 / (1 + np.exp(-(middle + spread([item])[0] * generator.standard_normal(n))))
            result[name] = np.clip(drawn, _EDGE, 1 - _EDGE)
            continue
        shares = np.array([parameters[id_].point for id_ in ids])
        scale = float(np.median(spread([parameters[id_] for id_ in ids]) / _widening(shares)))
        logs = np.log(shares)[:, np.newaxis] + scale * generator.standard_normal((len(ids), n))
        weights = np.exp(logs - logs.max(axis=0))
        result.update(zip(ids, weights / weights.sum(axis=0), strict=True))
    return result


def _widening(shares: Array) -> Array:
    """Return how much wider the logit of each share is than the logarithms that it is made of, to the first order."""
    squares = (shares**2).sum() - shares**2
    result: Array = np.sqrt(1 + squares / (1 - shares) ** 2)
    return result


def spread(parameters: Iterable[Parameter]) -> Array:
    """Return the standard deviation of the logit of each number, shape ``(k,)``.

    It puts the coverage of the range between its ends, with the logit of the point as mean.
    """
    from scipy.special import ndtr

    rows = np.array([(item.point, item.low, item.high, COVERAGE[item.range]) for item in parameters]).reshape(-1, 4)
    point, low, high, coverage = rows.T
    middle, lower, upper = (np.log(share) - np.log1p(-share) for share in (point, low, high))
    narrow, wide = np.full(len(rows), -12.0), np.full(len(rows), 6.0)
    for _ in range(_HALVINGS):  # bisection on the logarithm: the mass inside falls with the spread
        sigma = np.exp((narrow + wide) / 2)
        enough = ndtr((upper - middle) / sigma) - ndtr((lower - middle) / sigma) >= coverage
        narrow, wide = np.where(enough, np.log(sigma), narrow), np.where(enough, wide, np.log(sigma))
    result: Array = np.exp((narrow + wide) / 2)
    return result
