"""The schemas of the modeler's answers: one for each method, and ``Sensitivity``, which is any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause_app.schema_forms import (
    COUNT,
    NUMBER,
    SHARE,
    TEXT,
    TEXTS,
    TRUTH,
    answer,
    by_name,
    list_of,
    or_null,
    pair,
    record,
    ref,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause_app.schema_forms import Schema

NAMES: Final[Mapping[str, str]] = {
    "one-way": "OneWay",
    "tornado": "Tornado",
    "two-way": "TwoWay",
    "tipping": "Tipping",
    "credal": "Credal",
    "monte-carlo": "MonteCarlo",
    "sobol": "Sobol",
    "derivatives": "Derivatives",
    "stability": "Stability",
    "structural": "Structural",
    "value": "Value",
}
"""By method, the schema of its answer."""

_SEED: Final[Mapping[str, object]] = {"type": "integer"}

_RANGE: Final[Schema] = {
    "low_high": or_null(pair(SHARE)),
    "basis": TEXT,
    "sources": TEXTS,
    "published": or_null(pair(SHARE)),
}
"""A range and what it rests on; ``published`` is null where the number is assumed."""


def sensitivity_schemas(causes: list[str]) -> Schema:
    """Every schema of the modeler's answers, by its name.

    Args:
        causes: The causes of the model.
    """
    cause: Schema = {"enum": causes}
    return {
        "Sensitivity": {
            "description": "The answer of the method that was asked for.",
            "oneOf": [ref(name) for name in NAMES.values()],
        },
        "OneWay": _one_way(cause),
        "Tornado": _tornado(cause),
        "TwoWay": _two_way(cause),
        "Tipping": _tipping(cause),
        "Credal": _credal(cause),
        "MonteCarlo": _monte_carlo(cause),
        "Sobol": _sobol(cause),
        "Derivatives": _derivatives(cause),
        "Stability": _stability(cause),
        "Structural": _structural(cause),
        "Value": _value(),
    }


# ---- one or two numbers ---------------------------------------------------------------------------------------------


def _one_way(cause: Schema) -> Schema:
    coefficients = record(dict.fromkeys(("alpha", "beta", "gamma", "delta"), NUMBER))
    admissible = {"low": NUMBER, "high": NUMBER, "down": or_null(NUMBER), "up": or_null(NUMBER)}
    return answer(
        {
            "target": cause,
            "parameter": TEXT,
            "meaning": TEXT,
            "point": SHARE,
            **_RANGE,
            "value": SHARE,
            "derivative": NUMBER,
            "degree": COUNT,
            "coefficients": or_null(coefficients),
            "log_scale": NUMBER,
            "vertex": or_null(record({"x": NUMBER, "y": NUMBER})),
            "leading": cause,
            "admissible": record(admissible),
            "error": NUMBER,
        }
    )


def _two_way(cause: Schema) -> Schema:
    bilinear = record(dict.fromkeys(("c0", "cx", "cy", "cxy"), NUMBER))
    return answer(
        {
            "target": cause,
            "x": TEXT,
            "y": TEXT,
            "point": pair(SHARE),
            "low_high": pair(or_null(pair(SHARE))),
            "basis": pair(TEXT),
            "published": pair(or_null(pair(SHARE))),
            "corners": list_of(record({"x": SHARE, "y": SHARE, "posterior": SHARE})),
            "value": SHARE,
            "coefficients": or_null(record({"numerator": bilinear, "denominator": bilinear})),
            "tied": TRUTH,
            "log_scale": NUMBER,
        }
    )


def _tipping(cause: Schema) -> Schema:
    point = {
        "value": SHARE,
        "posterior": SHARE,
        "distance": or_null(NUMBER),
        "odds_factor": or_null(NUMBER),
        "inside": or_null(TRUTH),
        "missed_by": or_null(NUMBER),
    }
    return answer(
        {
            "target": cause,
            "parameter": TEXT,
            "meaning": TEXT,
            "point": SHARE,
            **_RANGE,
            "what": TEXT,
            "posterior": SHARE,
            "points": list_of(record(point)),
        }
    )


# ---- each number by itself ------------------------------------------------------------------------------------------


def _derivatives(cause: Schema) -> Schema:
    row = {
        "parameter": TEXT,
        "point": SHARE,
        "slope": NUMBER,
        **_RANGE,
        "reach": or_null(NUMBER),
        "share_of_bound": or_null(NUMBER),
    }
    return answer({"target": cause, "value": SHARE, "derivatives": list_of(record(row))})


def _tornado(cause: Schema) -> Schema:
    shares = dict.fromkeys(("point", "low", "high", "at_low", "at_high", "width"), SHARE)
    said = dict.fromkeys(("parameter", "meaning", "range", "basis"), TEXT)
    bar = record({**said, **shares, "sources": TEXTS, "tied": TRUTH})
    return answer({"target": cause, "value": SHARE, "bars": list_of(bar), "unmoved": COUNT})


def _stability(cause: Schema) -> Schema:
    overtaking = {
        "number": TEXT,
        "meaning": TEXT,
        **dict.fromkeys(("point", "low", "high", "value"), SHARE),
        "rival": cause,
        "inside": TRUTH,
        "missed_by": NUMBER,
        "sources": TEXTS,
        "basis": TEXT,
    }
    return answer(
        {
            "leading": cause,
            "posterior": SHARE,
            "second": cause,
            "second_posterior": SHARE,
            "stable": TRUTH,
            "sentence": TEXT,
            "overtakings": list_of(record(overtaking)),
            "steady": COUNT,
        }
    )


# ---- all numbers at once --------------------------------------------------------------------------------------------


def _credal(cause: Schema) -> Schema:
    numbers = by_name(SHARE)
    extreme = record({"value": SHARE, "at": numbers})
    bounds = record({"lower": extreme, "upper": extreme, "certified": pair(SHARE), "exact": TRUTH})
    lead = {
        "leading": cause,
        "everywhere": TRUTH,
        "rival": or_null(cause),
        "at": numbers,
        "alone": list_of(record({"number": TEXT, "value": SHARE, "rival": cause, "end": or_null(TEXT)})),
        "dominates": TRUTH,
        "over_all": or_null(cause),
        "over_all_certain": TRUTH,
        "sentence": TEXT,
    }
    return answer(
        {
            "outcome": cause,
            "point": SHARE,
            "numbers": TEXTS,
            "tied": TEXTS,
            "corners": COUNT,
            "bounds": bounds,
            "every": by_name(record({"lower": SHARE, "upper": SHARE})),
            "count": COUNT,
            "over_all": bounds,
            "lead": record(lead),
        }
    )


def _monte_carlo(cause: Schema) -> Schema:
    spread = {
        "point": SHARE,
        "mean": SHARE,
        "mean_error": NUMBER,
        "quantiles": by_name(SHARE),
        "errors": by_name(NUMBER),
    }
    return answer(
        {
            "n": COUNT,
            "stopped": TRUTH,
            "seed": _SEED,
            "alternative": TEXT,
            "count": COUNT,
            "outcomes": by_name(record(spread)),
            "leading": cause,
            "first": by_name(record({"value": SHARE, "error": NUMBER})),
            "ranks": by_name(list_of(SHARE)),
            "sentence": TEXT,
        }
    )


def _sobol(cause: Schema) -> Schema:
    names = ("first", "first_low", "first_high", "total", "total_low", "total_high", "together")
    return answer(
        {
            "outcome": cause,
            "indices": by_name(record({**dict.fromkeys(names, NUMBER), "n": COUNT, "told": TRUTH, "note": TEXT})),
            "mean": SHARE,
            "variance": NUMBER,
            "n": COUNT,
            "stopped": TRUTH,
            "level": SHARE,
            "seed": or_null(_SEED),
            "sentence": TEXT,
        }
    )


def _structural(cause: Schema) -> Schema:
    change = {
        "edit": TEXT,
        "possible": TRUTH,
        "posterior": or_null(SHARE),
        "every": by_name(SHARE),
        "leading": or_null(cause),
        **dict.fromkeys(("log_odds", "divergence", "distance"), or_null(NUMBER)),
    }
    return answer(
        {
            "outcome": cause,
            "posterior": SHARE,
            "leading": cause,
            "changes": list_of(record(change)),
            "sentence": TEXT,
        }
    )


def _value() -> Schema:
    worth = {"value": NUMBER, "error": NUMBER, "acts": by_name(NUMBER), "turns": SHARE, "told": TRUTH}
    return answer(
        {
            "values": by_name(record(worth)),
            "everything": NUMBER,
            "everything_error": NUMBER,
            "scale": TEXT,
            "now": NUMBER,
            "taken": by_name(TRUTH),
            "floor": NUMBER,
            "n": COUNT,
            "stopped": TRUTH,
            "seed": _SEED,
            "sentence": TEXT,
        }
    )
