"""The modeler's questions for the pages: what is quick is kept like other answers, what is long is a task for a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from rootcause.case import parse_case
from rootcause.structure import CAUSES
from rootcause_app import answers
from rootcause_app.components.figures.influence import swaps as find_swaps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rootcause import Model
    from rootcause.case import Case
    from rootcause.sensitivity.derivatives import Derivatives
    from rootcause.sensitivity.monte_carlo import MonteCarlo
    from rootcause.sensitivity.stability import RankStability
    from rootcause.sensitivity.tipping import Tipping, TippingPoint
    from rootcause.sensitivity.tornado import Tornado
    from rootcause.sensitivity.two_way import TwoWay
    from rootcause_app.components.figures import Swap
    from rootcause_app.jobs import Report

Result = TypeVar("Result")

_LEVEL: Final = 1e-7  # of two posteriors that are as good as equal


@dataclass(frozen=True, slots=True)
class Question:
    """What a pane is about.

    Attributes:
        model: Whose numbers.
        findings: The case as entered.
        cause: The cause whose posterior is asked about.
        rival: The cause that leads, or the next one where the cause itself leads.
    """

    model: Model
    findings: Mapping[str, object]
    cause: str
    rival: str


@dataclass(frozen=True, slots=True)
class Firsts:
    """How often each cause is first when all numbers are drawn at once.

    Attributes:
        n: Draws.
        shares: By cause, the share of the draws in which it is first, 0 to 1.
    """

    n: int
    shares: Mapping[str, float]

    @classmethod
    def of(cls, found: MonteCarlo) -> Firsts:
        """What a result says of it, without its draws."""
        return cls(found.n, {name: share.value for name, share in found.first.items()})


def stability(asked: Question) -> RankStability:
    """Whether the leading cause leads everywhere in the range of each number."""
    from rootcause.sensitivity.stability import rank_stability

    return _kept(asked, "stability", lambda case: rank_stability(asked.model, case))


def tornado(asked: Question) -> Tornado:
    """Each number at both ends of its range."""
    from rootcause.sensitivity.tornado import tornado as find

    return _kept(asked, f"tornado {asked.cause}", lambda case: find(asked.model, case, asked.cause))


def swaps(asked: Question) -> Mapping[str, Swap]:
    """Where in the bars of the tornado another cause takes the lead."""
    ids = [bar.parameter for bar in tornado(asked).bars]
    lead = stability(asked)
    return _kept(asked, f"swaps {asked.cause}", lambda case: find_swaps(asked.model, case, asked.cause, lead, ids))


def derivatives(asked: Question) -> Derivatives:
    """The slope by each number."""
    from rootcause.sensitivity.derivatives import derivatives as find

    return _kept(asked, f"derivatives {asked.cause}", lambda case: find(asked.model, asked.cause, case))


def tipping(asked: Question, number: str) -> Tipping:
    """The posterior as a function of one number, and where the cause wins or loses the lead.

    Whichever rival it meets there: the second cause may be third by the time a number has moved so far.
    """
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.tipping import tipping as find

    def work(case: Case) -> Tipping:
        rivals = [name for name in CAUSES if name != asked.cause]
        found = {name: find(asked.model, asked.cause, Number(number), case, rival=name) for name in rivals}
        at = [point for one in found.values() for point in one.points if _leads_there(one, point)]
        own = found[asked.rival]
        return replace(own, points=tuple(sorted(at, key=lambda point: point.distance)))

    return _kept(asked, f"tipping {asked.cause} {asked.rival} {number}", work)


def _leads_there(found: Tipping, point: TippingPoint) -> bool:
    """Whether no cause is above the two that meet."""
    from rootcause_app.components.figures.curve import posteriors

    at = np.array([point.value])
    every = [posteriors(found.function, name, at)[0] for name in found.function.outcomes if name in CAUSES]
    return bool(point.posterior >= max(every) - _LEVEL)


def two_way(asked: Question, x: str, y: str) -> TwoWay:
    """The posterior as a function of two numbers."""
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.two_way import two_way as find

    def work(case: Case) -> TwoWay:
        return find(asked.model, asked.cause, Number(x), Number(y), case)

    return _kept(asked, f"two-way {asked.cause} {x} {y}", work)


def rivals(asked: Question, x: str, y: str) -> tuple[TwoWay, ...]:
    """The same of every other cause."""
    return tuple(two_way(replace(asked, cause=name), x, y) for name in CAUSES if name != asked.cause)


def firsts(asked: Question) -> Firsts:
    """How often each cause is first over draws of all numbers: the draws with which the page begins."""
    from rootcause.sensitivity.monte_carlo import monte_carlo

    def work(case: Case) -> Firsts:
        return Firsts.of(monte_carlo(asked.model, case, MONTE_CARLO.at_once or MONTE_CARLO.amounts[0]))

    return _kept(asked, "firsts", work)


def _kept(asked: Question, question: str, work: Callable[[Case], Result]) -> Result:
    return answers.kept(question, asked.findings, asked.model.rates, lambda case: work(parse_case(case)))


# ---- long work -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One kind of long work.

    Attributes:
        method: Its name, as on the command line.
        verb: What the button says that it does; ``{amount}`` stands for how much of it.
        unit: What the amounts count.
        amounts: From how much a reader can choose.
        at_once: How much is done without being asked for; ``None`` waits for the button.
        pace: Seconds that one unit took on two cores, until this process has measured its own.
        of_a_cause: Whether the result is about one cause.
        work: Does it: the question, how much, and where to report.
    """

    method: str
    verb: str
    work: Callable[[Question, int, Report], Any]
    of_a_cause: bool
    pace: float
    unit: str = ""
    amounts: tuple[int, ...] = (1,)
    at_once: int | None = None


def _monte_carlo(asked: Question, amount: int, report: Report) -> object:
    from rootcause.sensitivity.monte_carlo import monte_carlo

    case = parse_case(asked.findings)
    found = monte_carlo(asked.model, case, amount, progress=lambda done, every: report(done / every))
    # A visit holds every draw for the picture of convergence: half the digits, half the memory.
    samples: dict[str, Any] = {name: values.astype(np.float32) for name, values in found.samples.items()}
    return replace(found, samples=MappingProxyType(samples))


def _credal(asked: Question, _: int, report: Report) -> object:
    from rootcause.sensitivity.credal import credal_bounds

    return credal_bounds(asked.model, parse_case(asked.findings), asked.cause, progress=report)


def _sobol(asked: Question, amount: int, report: Report) -> object:
    from rootcause.sensitivity.sobol import sobol

    case = parse_case(asked.findings)
    return sobol(asked.model, case, asked.cause, n=amount, progress=lambda done, every: report(done / every))


def _structural(asked: Question, _: int, report: Report) -> object:
    from rootcause.sensitivity.structural import structural

    found = structural(asked.model, parse_case(asked.findings), target=asked.cause)
    report(1.0)
    return found


def _value(asked: Question, amount: int, report: Report) -> object:
    from rootcause.sensitivity.value_of_parameters import value_of_parameters

    case = parse_case(asked.findings)
    return value_of_parameters(asked.model, case, n=amount, progress=lambda done, every: report(done / every))


MONTE_CARLO: Final = Task(
    method="monte-carlo",
    verb="Draw all numbers {amount} times",
    unit="draws",
    amounts=(2_000, 10_000, 100_000, 1_000_000),
    at_once=2_000,
    pace=0.0003,
    of_a_cause=False,
    work=_monte_carlo,
)
CREDAL: Final = Task(method="credal", verb="Find the bounds", pace=8.0, of_a_cause=True, work=_credal)
SOBOL: Final = Task(
    method="sobol",
    verb="Estimate from {amount} base points",
    unit="base points",
    amounts=(1_024, 4_096, 16_384),
    pace=0.006,
    of_a_cause=True,
    work=_sobol,
)
STRUCTURAL: Final = Task(
    method="structural", verb="Edit the structure", at_once=1, pace=0.2, of_a_cause=True, work=_structural
)
VALUE: Final = Task(
    method="value",
    verb="Estimate from {amount} draws",
    unit="draws",
    amounts=(4_000, 20_000),
    pace=0.0007,
    of_a_cause=False,
    work=_value,
)
TASKS: Final = (MONTE_CARLO, CREDAL, SOBOL, STRUCTURAL, VALUE)

# Seconds that one unit of each method took last, in this process: what the next one is said to cost.
_PACES: Final[dict[str, float]] = {}


def cost(task: Task, amount: int) -> float:
    """How many seconds a task will take, roughly."""
    return amount * _PACES.get(task.method, task.pace)


def learn(task: Task, amount: int, seconds: float) -> None:
    """Remember how long a task took, so that the next one is announced by that."""
    _PACES[task.method] = seconds / amount
