"""Coherence: rates that follow from the numbers, beside the published ranges that they must reproduce.

The checks themselves are data (``checks.toml``): each names how its rate is derived, for which operations, the range
and its source. Each rate set has its own. A check whose rate hangs on a number that was fitted is a constraint, not a
confirmation: it says so, and the rate with the unfitted values stands beside it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from rootcause.errors import InvalidPriorsError, nearest
from rootcause.priors import RATE_SETS, Priors, read_toml
from rootcause.structure import CAUSES, LEVELS, OLD_DEFICIT, REACH, ROOT_CAUSES, ROOTS, kind_of, rate_id
from rootcause.uncertainty import Noting, points
from rootcause.vocabulary import WINDOWS, load_vocabulary

_FIRST_MONTH = WINDOWS[:3]
_NEW_CAUSES = tuple(cause for cause in CAUSES if cause != OLD_DEFICIT)
_BOTH = "both"

Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One derived rate after one operation.

    Attributes:
        id: Name of the check.
        meaning: What the rate is.
        procedure: The operation.
        derived: The rate that follows from the numbers, per operation.
        low: Lower end of the range to reproduce.
        high: Upper end.
        fitted: Whether a number that the rate hangs on was fitted to it.
        unfitted: The rate with the unfitted values; ``None`` where nothing was fitted.
        passed: Whether the derived rate lies in the range.
        informative: Whether the rate is only printed, with no range to reproduce.
        numbers: How many numbers the rate hangs on.
        assumed: How many of these are assumed; their authors knew the range.
    """

    id: str
    meaning: str
    procedure: str
    derived: float
    low: float
    high: float
    fitted: bool
    unfitted: float | None
    passed: bool
    informative: bool
    numbers: int
    assumed: int


def rate_of(numbers: Numbers, cause: str, procedure: str) -> float:
    """Return the rate of a cause per operation, 0 where the operation cannot bring it."""
    id_ = rate_id(numbers, cause, procedure)
    return 0.0 if id_ is None else numbers[id_]


def motor_share(numbers: Numbers, cause: str, procedure: str, *, motor_only: bool = True) -> float:
    """Return P(motor deficit of a root or of the peroneal nerve | the cause alone is present).

    Args:
        numbers: All numbers.
        cause: One of the causes with an onset.
        procedure: The operation; it decides which levels are operated on.
        motor_only: Whether a sensory deficit, or a cauda equina lesion without a weak leg, does not count.
    """
    if cause == "peroneal_neuropathy":
        return numbers[f"deficit.{cause}"] * (numbers[f"motor.{cause}"] if motor_only else 1.0)
    if cause not in ROOT_CAUSES:
        return 0.0
    grade = numbers[f"motor.{cause}"] if motor_only else 1.0
    deficit = numbers[f"deficit.{cause}"] * grade
    cauda = _cauda(numbers, cause)
    motor = numbers["cauda_to_root.motor"]
    spared_by_cauda = prod(1 - numbers[f"cauda_to_root.{root}"] * motor for root in ROOTS) if motor_only else 0.0
    spared = 0.0
    for level in LEVELS:
        share = numbers[f"context.level.{kind_of(procedure)}.{level}"]
        table = REACH.get(cause, "operated")
        directly = prod(1 - deficit * numbers[f"reach.{table}.{level}.{root}"] for root in ROOTS)
        spared += share * directly * (1 - cauda + cauda * spared_by_cauda)
    return 1 - spared


def _cauda(numbers: Numbers, cause: str) -> float:
    id_ = f"cauda.{cause}"
    return numbers[id_] if id_ in numbers else 0.0  # noqa: SIM401 - get() would not be noted


def _early(numbers: Numbers, cause: str, procedure: str) -> float:
    shares = sum(numbers[f"onset.{cause}.{window}"] for window in _FIRST_MONTH)
    return rate_of(numbers, cause, procedure) * shares


def _any(probabilities: Iterable[float]) -> float:
    return 1 - prod(1 - p for p in probabilities)


def _new_motor_deficit(n: Numbers, procedure: str, _: Mapping[str, Any]) -> float:
    return _any(_early(n, cause, procedure) * motor_share(n, cause, procedure) for cause in _NEW_CAUSES)


def _new_deficit(n: Numbers, procedure: str, _: Mapping[str, Any]) -> float:
    return _any(_early(n, c, procedure) * motor_share(n, c, procedure, motor_only=False) for c in _NEW_CAUSES)


def _reoperation(n: Numbers, procedure: str, _: Mapping[str, Any]) -> float:
    causes = [cause for cause in CAUSES if f"reoperation.{cause}" in n]
    return _any(rate_of(n, cause, procedure) * n[f"reoperation.{cause}"] for cause in causes)


def _cauda_equina(n: Numbers, procedure: str, _: Mapping[str, Any]) -> float:
    return _any(_early(n, cause, procedure) * _cauda(n, cause) for cause in _NEW_CAUSES)


def _rate(n: Numbers, procedure: str, row: Mapping[str, Any]) -> float:
    return rate_of(n, row["cause"], procedure)


def _either(n: Numbers, procedure: str, row: Mapping[str, Any]) -> float:
    return _any(rate_of(n, cause, procedure) for cause in row["causes"])


KINDS: Mapping[str, Callable[[Numbers, str, Mapping[str, Any]], float]] = {
    "new_motor_deficit": _new_motor_deficit,
    "new_deficit": _new_deficit,
    "reoperation": _reoperation,
    "cauda_equina": _cauda_equina,
    "rates_span": _rate,
    "either": _either,
}
"""How a rate is derived, by the ``kind`` of a check."""


def check_priors(priors: Priors) -> list[CheckResult]:
    """Derive every rate that the folder's checks name for its rate set.

    Raises:
        InvalidPriorsError: If ``checks.toml`` breaks a rule.
    """
    numbers = {id_: float(value[0]) for id_, value in points(priors.parameters).items()}
    unfitted = {id_: p.unfitted for id_, p in priors.parameters.items() if p.unfitted is not None}
    results = []
    for id_, row in _checks(priors).items():
        derive = KINDS[row["kind"]]
        for procedure in row["procedures"]:
            noting = Noting(numbers)
            derived = derive(noting, procedure, row)
            fitted = bool(noting.noted.keys() & unfitted.keys())
            without = derive(numbers | unfitted, procedure, row) if fitted else None
            low, high = float(row["low"]), float(row["high"])
            informative = (low, high) == (0.0, 1.0)
            assumed = sum(priors.parameters[name].basis == "assumed" for name in noting.noted)
            results.append(
                CheckResult(
                    id=id_,
                    meaning=row["meaning"],
                    procedure=procedure,
                    derived=derived,
                    low=low,
                    high=high,
                    fitted=fitted,
                    unfitted=without,
                    passed=low <= derived <= high,
                    informative=informative,
                    numbers=len(noting.noted),
                    assumed=assumed,
                )
            )
    return results


def _checks(priors: Priors) -> dict[str, Mapping[str, Any]]:
    """Return the checks of the rate set, by name; a folder without checks has none."""
    file = priors.folder / "checks.toml"
    if not file.is_file():
        return {}
    problems: list[str] = []
    found: dict[str, Mapping[str, Any]] = {}
    for name, by_rates in read_toml(file, problems).get("check", {}).items():
        for rates, row in by_rates.items():
            problems += _problems(f"checks.toml: {name}.{rates}", rates, row, priors)
            if rates in (priors.rates, _BOTH):
                found[name] = row
    if problems:
        raise InvalidPriorsError(problems)
    return found


def _problems(where: str, rates: str, row: Mapping[str, Any], priors: Priors) -> list[str]:
    vocabulary = load_vocabulary()
    problems = []
    if rates not in (*RATE_SETS, _BOTH):
        problems.append(f"{where}: must be for one of {', '.join((*RATE_SETS, _BOTH))}, got {rates!r}")
    missing = [name for name in ("kind", "meaning", "procedures", "low", "high") if name not in row]
    problems += [f"{where}: must have a field {name!r}, got none" for name in missing]
    if missing:
        return problems
    if row["kind"] not in KINDS:
        problems.append(
            f"{where}: kind must be one of {', '.join(KINDS)}, got {row['kind']!r}{nearest(row['kind'], KINDS)}"
        )
    if not 0 <= row["low"] < row["high"] <= 1:
        problems.append(f"{where}: 0 <= low < high <= 1 must hold, got low = {row['low']} and high = {row['high']}")
    known = vocabulary.contexts["procedure"].states
    problems += [
        f"{where}: a procedure must be one of {', '.join(known)}, got {p!r}"
        for p in row["procedures"]
        if p not in known
    ]
    problems += [
        f"{where}: every source must be listed in sources.toml, got {key!r}{nearest(key, priors.sources)}"
        for key in row.get("sources", ())
        if key not in priors.sources
    ]
    return problems


def to_dict(results: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """Return the results as plain data."""
    names = CheckResult.__dataclass_fields__
    return [{name: getattr(result, name) for name in names} for result in results]


def _standing(result: CheckResult) -> str:
    """Say how much a pass is worth."""
    fitting = "fitted: a constraint, not a confirmation" if result.fitted else "not fitted"
    known = ", by people who knew the range" if result.assumed and not result.informative else ""
    return f"{fitting}; hangs on {result.numbers} numbers, {result.assumed} of them assumed{known}"


def to_text(results: Iterable[CheckResult]) -> str:
    """Return the results as a table for a terminal."""
    lines = []
    last = None
    for result in results:
        if result.id != last:
            lines += ["", f"{result.id}: {result.meaning}", f"  {_standing(result)}"]
            last = result.id
        verdict = "printed only" if result.informative else "ok" if result.passed else "OUTSIDE"
        must = "" if result.informative else f" in {result.low:.2%} to {result.high:.2%}"
        without = "" if result.unfitted is None else f" (unfitted {result.unfitted:.2%})"
        lines.append(f"  {result.procedure:28}{result.derived:>8.2%}{must}{without}  {verdict}")
    return "\n".join(lines).lstrip("\n")
