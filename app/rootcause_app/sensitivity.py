"""The modeler's questions on one case, by the name of the method: one builder for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from rootcause.errors import InvalidInputError, nearest
from rootcause_app.questions import about

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rootcause import Model
    from rootcause.case import Case

    Progress = Callable[[float], object]
    """Called with the share of the work that is done, 0 to 1; it may raise to stop the work."""

METHODS: Final = (
    "one-way",
    "tornado",
    "two-way",
    "tipping",
    "credal",
    "monte-carlo",
    "sobol",
    "derivatives",
    "stability",
    "structural",
    "value",
)
NUMBERS_NEEDED: Final[Mapping[str, int]] = {"one-way": 1, "two-way": 2, "tipping": 1}
"""How many of the model's numbers a method is about; the others take all that reach the answer."""

LONG: Final = ("credal", "monte-carlo", "sobol", "value")
"""Methods that may take longer than a client likes to wait: they tell how far they are, and can be stopped."""

LEAST_DRAWS: Final[Mapping[str, int]] = {"monte-carlo": 2, "sobol": 2, "value": 100}
MOST_DRAWS: Final[Mapping[str, int]] = {"monte-carlo": 20_000, "sobol": 1_024, "value": 10_000}
"""What one request over HTTP may ask for: half a minute's work on two cores."""

DRAWS: Final = 4_000
_LONGEST_SHOWN: Final = 60
_BASE_POINTS: Final = 1_024
"""Sobol indices ask for as many times the numbers that are looked at."""

_FIRST: Final = 3
"""Numbers that a refusal names."""


class Result(Protocol):
    """What every method returns."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""

    def to_text(self) -> str:
        """Return it as lines for a terminal."""


class With:
    """An answer with the model that it was made from."""

    def __init__(self, model: Model, result: Result) -> None:
        self._about = about(model)
        self._result = result

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return self._about.around(self._result.to_dict())

    def to_text(self) -> str:
        """Return it as lines for a terminal."""
        return self._about.below(self._result.to_text())


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: what is asked of which numbers, how often to draw, and where to report."""

    model: Model
    case: Case
    cause: str
    numbers: Sequence[str]
    draws: int | None
    progress: Progress

    def share(self, done: int, every: int) -> None:
        """Report draws that are done as a share of all."""
        self.progress(done / every)


def check(model: Model, method: str, cause: str, numbers: Sequence[str] = (), draws: int | None = None) -> None:
    """Refuse a question that cannot be asked, whatever the case.

    Raises:
        InvalidInputError: As ``sensitivity``.
    """
    if method not in METHODS:
        raise InvalidInputError(
            f"method: must be one of {', '.join(METHODS)}, got {method!r}{nearest(method, METHODS)}"
        )
    if cause not in model.vocabulary.causes:
        listed = model.vocabulary.causes
        raise InvalidInputError(f"cause: must be a known cause, got {cause!r}{nearest(cause, listed)}")
    needed = NUMBERS_NEEDED.get(method, 0)
    if not needed and numbers:
        raise InvalidInputError(f"number: {method} takes no number, got {len(numbers)}")
    if len(numbers) != needed:
        raise InvalidInputError(f"number: {method} needs {needed} of the model's numbers, got {len(numbers)}")
    for id_ in numbers:
        if id_ not in model.priors.parameters:
            got = f"{id_[:_LONGEST_SHOWN]!r}{nearest(id_[:_LONGEST_SHOWN], model.priors.parameters)}"
            raise InvalidInputError(f"number: must be one of the model's, got {got}")
    if len(set(numbers)) < len(numbers):
        raise InvalidInputError(f"number: {method} needs two different numbers, got {numbers[0]!r} twice")
    least = LEAST_DRAWS.get(method, 1)
    if draws is not None and draws < least:
        raise InvalidInputError(f"draws: must be {least} or more for {method}, got {draws}")


def sensitivity(
    model: Model,
    case: Case,
    method: str,
    cause: str,
    numbers: Sequence[str] = (),
    draws: int | None = None,
    *,
    progress: Progress = lambda _: None,
) -> Result:
    """Answer one question.

    Args:
        model: Whose numbers.
        case: What was found.
        method: One of ``METHODS``.
        cause: The cause whose posterior is asked about.
        numbers: Ids of the numbers that a one-way, two-way or tipping question is about.
        draws: For methods that draw; ``None`` takes the usual number, and the others take no notice.
        progress: Called by the methods in ``LONG``; it may raise to stop the work.

    Raises:
        InvalidInputError: If the method, the cause or a number is unknown, the wrong count of numbers is named (of too
            few, it says which numbers move the answer most), one stands twice, or there are too few draws.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    if len(numbers) < NUMBERS_NEEDED.get(method, 0):
        _refuse_too_few(model, case, method, cause, numbers)
    check(model, method, cause, numbers, draws)
    return _ASK[method](_Asked(model, case, cause, numbers, draws, progress))


def _refuse_too_few(model: Model, case: Case, method: str, cause: str, numbers: Sequence[str]) -> None:
    """Refuse as ``check`` does, and name the numbers that move the cause most, one at a time."""
    from rootcause.sensitivity.tornado import tornado

    check(model, "tornado", cause)
    try:
        check(model, method, cause, numbers)
    except InvalidInputError as error:
        bars = [bar.parameter for bar in tornado(model, case, cause).bars if bar.parameter not in numbers]
        most = f"; these move {cause} most: {', '.join(bars[:_FIRST])}" if bars else ""
        raise InvalidInputError(f"{error}{most}") from None


def _one_way(asked: _Asked) -> Result:
    from rootcause.sensitivity.functions import sensitivity_function
    from rootcause.sensitivity.parameters import Number

    return sensitivity_function(asked.model, asked.cause, Number(asked.numbers[0]), asked.case)


def _two_way(asked: _Asked) -> Result:
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.two_way import two_way

    x, y = map(Number, asked.numbers)
    return two_way(asked.model, asked.cause, x, y, asked.case)


def _tipping(asked: _Asked) -> Result:
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.tipping import tipping

    rival = _rival(asked.model, asked.case, asked.cause)
    return tipping(asked.model, asked.cause, Number(asked.numbers[0]), asked.case, rival=rival)


def _rival(model: Model, case: Case, cause: str) -> str:
    """Return the cause that leads, or the next one where the cause itself does."""
    weights = model.engine.weights(case.observations)
    others = [other for other in model.vocabulary.causes if other != cause]
    found = model.engine.marginals(weights, others).posterior
    return max(others, key=lambda other: float(found[other][1, 0]))


def _tornado(asked: _Asked) -> Result:
    from rootcause.sensitivity.tornado import tornado

    return tornado(asked.model, asked.case, asked.cause)


def _derivatives(asked: _Asked) -> Result:
    from rootcause.sensitivity.derivatives import derivatives

    return derivatives(asked.model, asked.cause, asked.case)


def _stability(asked: _Asked) -> Result:
    from rootcause.sensitivity.stability import rank_stability

    return rank_stability(asked.model, asked.case)


def _credal(asked: _Asked) -> Result:
    from rootcause.sensitivity.credal import credal_bounds

    return credal_bounds(asked.model, asked.case, asked.cause, progress=asked.progress)


def _monte_carlo(asked: _Asked) -> Result:
    from rootcause.sensitivity.monte_carlo import monte_carlo

    return monte_carlo(asked.model, asked.case, asked.draws or DRAWS, progress=asked.share)


def _sobol(asked: _Asked) -> Result:
    from rootcause.sensitivity.sobol import sobol

    return sobol(asked.model, asked.case, asked.cause, n=asked.draws or _BASE_POINTS, progress=asked.share)


def _structural(asked: _Asked) -> Result:
    from rootcause.sensitivity.structural import structural

    return structural(asked.model, asked.case, target=asked.cause)


def _value(asked: _Asked) -> Result:
    from rootcause.sensitivity.value_of_parameters import value_of_parameters

    return value_of_parameters(asked.model, asked.case, n=asked.draws or DRAWS, progress=asked.share)


_ASK: Final[Mapping[str, Callable[[_Asked], Result]]] = {
    "one-way": _one_way,
    "two-way": _two_way,
    "tipping": _tipping,
    "tornado": _tornado,
    "derivatives": _derivatives,
    "stability": _stability,
    "credal": _credal,
    "monte-carlo": _monte_carlo,
    "sobol": _sobol,
    "structural": _structural,
    "value": _value,
}
