"""The modeler's questions on one case, by the name of the method: one builder for whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from rootcause.errors import InvalidInputError, nearest
from rootcause_app.questions import about

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rootcause import Model
    from rootcause.case import Case

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

DRAWS: Final = 4_000
_BASE_POINTS: Final = 256
"""Sobol indices ask for as many times the numbers that are looked at."""


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


def sensitivity(
    model: Model, case: Case, method: str, cause: str, numbers: Sequence[str] = (), draws: int | None = None
) -> Result:
    """Answer one question.

    Args:
        model: Whose numbers.
        case: What was found.
        method: One of ``METHODS``.
        cause: The cause whose posterior is asked about.
        numbers: Ids of the numbers that a one-way, two-way or tipping question is about.
        draws: For methods that draw; ``None`` takes the usual number.

    Raises:
        InvalidInputError: If the method, the cause or a number is unknown, or the wrong count of numbers is named.
        ImpossibleEvidenceError: If the findings cannot hold together.
    """
    if method not in METHODS:
        raise InvalidInputError(
            f"method: must be one of {', '.join(METHODS)}, got {method!r}{nearest(method, METHODS)}"
        )
    if cause not in model.vocabulary.causes:
        listed = model.vocabulary.causes
        raise InvalidInputError(f"cause: must be a known cause, got {cause!r}{nearest(cause, listed)}")
    needed = NUMBERS_NEEDED.get(method, 0)
    if len(numbers) != needed:
        raise InvalidInputError(f"number: {method} needs {needed} of the model's numbers, got {len(numbers)}")
    for id_ in numbers:
        if id_ not in model.priors.parameters:
            raise InvalidInputError(
                f"number: must be one of the model's, got {id_!r}{nearest(id_, model.priors.parameters)}"
            )
    if draws is not None and draws < 1:
        raise InvalidInputError(f"draws: must be 1 or more, got {draws}")
    return _ASK[method](model, case, cause, numbers, draws)


def _one_way(model: Model, case: Case, cause: str, numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.functions import sensitivity_function
    from rootcause.sensitivity.parameters import Number

    return sensitivity_function(model, cause, Number(numbers[0]), case)


def _two_way(model: Model, case: Case, cause: str, numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.two_way import two_way

    return two_way(model, cause, Number(numbers[0]), Number(numbers[1]), case)


def _tipping(model: Model, case: Case, cause: str, numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.parameters import Number
    from rootcause.sensitivity.tipping import tipping

    return tipping(model, cause, Number(numbers[0]), case, rival=_rival(model, case, cause))


def _rival(model: Model, case: Case, cause: str) -> str:
    """Return the cause that leads, or the next one where the cause itself does."""
    weights = model.engine.weights(case.observations)
    others = [other for other in model.vocabulary.causes if other != cause]
    found = model.engine.marginals(weights, others).posterior
    return max(others, key=lambda other: float(found[other][1, 0]))


def _tornado(model: Model, case: Case, cause: str, _numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.tornado import tornado

    return tornado(model, case, cause)


def _derivatives(model: Model, case: Case, cause: str, _numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.derivatives import derivatives

    return derivatives(model, cause, case)


def _stability(model: Model, case: Case, _cause: str, _numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.stability import rank_stability

    return rank_stability(model, case)


def _credal(model: Model, case: Case, cause: str, _numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.credal import credal_bounds

    return credal_bounds(model, case, cause)


def _monte_carlo(model: Model, case: Case, _cause: str, _numbers: Sequence[str], draws: int | None) -> Result:
    from rootcause.sensitivity.monte_carlo import monte_carlo

    return monte_carlo(model, case, draws or DRAWS)


def _sobol(model: Model, case: Case, cause: str, _numbers: Sequence[str], draws: int | None) -> Result:
    from rootcause.sensitivity.sobol import sobol

    return sobol(model, case, cause, n=draws or _BASE_POINTS)


def _structural(model: Model, case: Case, cause: str, _numbers: Sequence[str], _: int | None) -> Result:
    from rootcause.sensitivity.structural import structural

    return structural(model, case, target=cause)


def _value(model: Model, case: Case, _cause: str, _numbers: Sequence[str], draws: int | None) -> Result:
    from rootcause.sensitivity.value_of_parameters import value_of_parameters

    return value_of_parameters(model, case, n=draws or DRAWS)


_ASK: Final[Mapping[str, Callable[[Model, Case, str, Sequence[str], int | None], Result]]] = {
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
