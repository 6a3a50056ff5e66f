"""The schemas of the HTTP API: what a case is, and what each question is answered with.

Answers leave room for fields that later versions add; what is sent in does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause.care import KINDS
from rootcause.casefile import FORMAT
from rootcause.rules import LEVELS
from rootcause.serial import ABOUT_THE_CASE, MOST_EXAMINATIONS
from rootcause_app.settings import RATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.vocabulary import Variable

    Schema = dict[str, object]

_HIGHEST_MRC_GRADE: Final = 5
_TEXT: Final[Mapping[str, object]] = {"type": "string"}
_NUMBER: Final[Mapping[str, object]] = {"type": "number"}
_TRUTH: Final[Mapping[str, object]] = {"type": "boolean"}
_SHARE: Final[Mapping[str, object]] = {"type": "number", "minimum": 0, "maximum": 1}
_TABLE: Final[Mapping[str, object]] = {"type": "object", "additionalProperties": {"type": "object"}}
_TEXTS: Final[Mapping[str, object]] = {"type": "array", "items": _TEXT}


def schemas(model: Model) -> Schema:
    """Every schema of the document, by its name.

    Args:
        model: Whose vocabulary they name.
    """
    causes = list(model.vocabulary.causes)
    return {
        **_cases(model),
        **_shared(),
        "Answer": _answer(causes),
        "Why": _why(causes),
        "WhatNext": _what_next(causes),
        "Difference": _difference(causes),
        "Network": _network(),
        "Model": _model(),
        "Health": _object({"status": {"const": "ok"}, "version": _TEXT, "digest": _TEXT}),
        "Problem": _problem(),
    }


def ref(name: str) -> Schema:
    """A reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


# ---- what is sent in ------------------------------------------------------------------------------------------------


def _cases(model: Model) -> Schema:
    about: Schema = {name: {} for name in sorted(ABOUT_THE_CASE)}
    about["rootcause"] = {"description": f"What a saved case file adds: its format ({FORMAT}), version, digest, rates."}
    beside = tuple(about)
    examinations = _list(ref("Examination")) | {"minItems": 1, "maxItems": MOST_EXAMINATIONS}
    return {
        "Findings": _findings(model),
        "Examination": {
            "description": "What was found at one moment.",
            "oneOf": [_object({"findings": ref("Findings"), **about}, optional=beside), ref("Findings")],
        },
        "Case": {
            "description": (
                "The findings, as the object itself or in a table beside which a story may stand; or several "
                "examinations in the order of time, of which the last is answered."
            ),
            "oneOf": [
                _object({"findings": ref("Findings"), **about}, optional=beside),
                _object({"examinations": examinations, **about}, optional=beside),
                ref("Findings"),
            ],
        },
        "TwoCases": {
            "description": "Two moments, or two patients.",
            **_object({"before": ref("Case"), "after": ref("Case")}),
        },
    }


def _findings(model: Model) -> Schema:
    known = {**model.vocabulary.contexts, **model.vocabulary.findings}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _value(variable) for key, variable in known.items()},
    }


def _value(variable: Variable) -> Schema:
    states = list(variable.states)
    possible = [*states, *variable.groups]
    forms: list[Schema] = [
        {"enum": possible},
        {"type": "array", "items": {"enum": possible}, "minItems": 1, "description": "One of these, not known which."},
        {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {state: {"type": "number", "minimum": 0} for state in states},
            "description": "A likelihood per state; only ratios matter.",
        },
    ]
    if variable.mrc:
        forms.append({"type": "integer", "minimum": 0, "maximum": _HIGHEST_MRC_GRADE, "description": "MRC grade."})
    if variable.bins:
        forms.append({"type": "number", "minimum": 0, "description": f"A number; upper ends {list(variable.bins)}."})
    schema: Schema = {"title": variable.label, "anyOf": forms}
    return schema | ({"description": variable.note} if variable.note else {})


# ---- what is handed out ---------------------------------------------------------------------------------------------


def _shared() -> Schema:
    beside = {
        "sources": _TEXTS,
        "certain": _TRUTH,
        "unknown": _TEXTS,
        "earlier": _TRUTH,
        "first": _TEXTS,
        "signs": _TEXTS,
    }
    return {
        "About": _more({"version": _TEXT, "digest": _TEXT, "rates": {"enum": list(RATES)}}),
        "RedFlag": _more({"id": _TEXT, "text": _TEXT, "level": {"enum": list(LEVELS)}, **beside}),
        "Interval": _more({"value": _NUMBER, "low": _NUMBER, "high": _NUMBER}),
    }


def _around(properties: Mapping[str, object]) -> Schema:
    return _more({"model": ref("About"), "disclaimer": _TEXT, **properties})


def _answer(causes: list[str]) -> Schema:
    cause = _object(dict.fromkeys(("prior", "prior_given_complaint", "mean", "low", "high"), _SHARE))
    interval = _more({"mean": _SHARE, "low": _SHARE, "high": _SHARE})
    said = _list(_more({"id": _TEXT, "text": _TEXT, "basis": _TEXT, "sources": _TEXTS}))
    waiting = {
        "cause": {"enum": causes},
        "probability": interval,
        "loss_per_hour": ref("Interval"),
        "threshold": ref("Interval"),
        "act": _TEXT,
        "above": _TRUTH,
        "sentence": _TEXT,
    }
    return _around(
        {
            "findings": {"type": "object"},
            "posterior": _object(dict.fromkeys(causes, cause)),
            "none": _SHARE,
            "log_evidence": _NUMBER,
            "conflict": _more({"score": _NUMBER, "suspect": _or_null(_TEXT)}),
            "red_flags": _list(ref("RedFlag")),
            "urgency": _more({"level": {"enum": list(LEVELS)}, "text": _TEXT}),
            "actions": _list(_more({"id": _TEXT, "text": _TEXT})),
            "must_not_wait": _list(_more(waiting)),
            "care": _list(_more({"cause": {"enum": causes}, "probability": interval, **dict.fromkeys(KINDS, said)})),
        }
    )


def _why(causes: list[str]) -> Schema:
    change = _more({"nats": _or_null(_NUMBER), "decibans": _or_null(_NUMBER)})
    sides = {"prior": _SHARE, "posterior": _SHARE, "change": change, "decided": _or_null(_TEXT)}
    said = {"finding": _TEXT, "words": _TEXT}
    weight = _more(
        {**said, "nats": _or_null(_NUMBER), "decibans": _or_null(_NUMBER), "before": _SHARE, "after": _SHARE}
    )
    share = _more({**said, "nats": _NUMBER, "decibans": _NUMBER, "error": _or_null(_NUMBER)})
    states: Schema = {"type": "object", "additionalProperties": _SHARE}
    either = dict.fromkeys(("if_present", "if_absent"), _or_null(states))
    lesion = _more({"id": _TEXT, "label": _TEXT, "before": states, "after": states, **either})
    explanation = {
        "cause": {"enum": [*causes, "none"]},
        "context": {"type": "object"},
        "findings": {"type": "object"},
        "prior": _SHARE,
        "posterior": _SHARE,
        "in_order": _more({**sides, "weights": _list(weight)}),
        "order_free": _more({**sides, "exact": _TRUTH, "shares": _or_null(_list(share))}),
        "lesions": _list(lesion),
        "removals": _list(_more({"finding": _TEXT, "without": _SHARE, "change": _NUMBER})),
        "twins": _list(_more({"finding": _TEXT, "state": _TEXT, "posterior": _or_null(_SHARE), "possible": _TRUTH})),
    }
    fit = {
        "conflict": _more({"score": _NUMBER, "suspect": _or_null(_TEXT)}),
        "none": _SHARE,
        "percentile": _or_null(_more({"share": _SHARE, "simulated": {"type": "integer"}})),
        "warnings": _TEXTS,
    }
    together = {
        "combinations": _list(_more({"present": _TEXTS, "probability": _SHARE})),
        "covered": _SHARE,
        "alone": _object(dict.fromkeys(causes, _SHARE)),
        "none": _SHARE,
        "explanations": _list(_more({"assignment": {"type": "object"}, "factor": _or_null(_NUMBER)})),
        "pairs": _list(_more({"cause": _TEXT, "other": _TEXT, "posterior": _SHARE})),
    }
    return _around({"explanation": _more(explanation), "fit": _more(fit), "together": _more(together)})


def _what_next(causes: list[str]) -> Schema:
    worth = _more(dict.fromkeys(("bits", "share", "gross", "price", "net", "delay_hours"), _NUMBER))
    where = {"label": _TEXT, "where": _TEXT, "worth": worth}
    result = _more({"state": _TEXT, "probability": _SHARE, "leading": _TEXT, "moved": _TEXT, "moved_to": _SHARE})
    step = _more({"finding": _TEXT, **where, "settled": _TRUTH, "results": _list(result), "telling": _TEXT})
    whole = _more({"examination": _TEXT, **where, "findings": _TEXTS, "same_decisions": _SHARE})
    decision = _more({"cause": _TEXT, "act": _TEXT, "probability": _SHARE, "threshold": _SHARE, "taken": _TRUTH})
    stop = _more({"decisions": _list(decision), "sentence": _TEXT, "next_best": _or_null(_TEXT)})
    return _around(
        {
            "red_flags": _list(ref("RedFlag")),
            "red_flags_first": _TEXT,
            "leading": {"enum": causes},
            "leading_probability": _SHARE,
            "bits_left": _NUMBER,
            "steps": _list(step),
            "examinations": _list(whole),
            "pairs": _list(_more({"findings": _TEXTS, "bits": _NUMBER, "synergy": _NUMBER, "misleads": _TRUTH})),
            "stop": stop,
        }
    )


def _difference(causes: list[str]) -> Schema:
    both = _object(dict.fromkeys(("before", "after"), _SHARE))
    changes = _list(_object({"name": _TEXT, "before": {}, "after": {}}))
    share = _more({"changes": changes, "nats": _NUMBER, "decibans": _NUMBER, "error": _or_null(_NUMBER)})
    logs = _object(dict.fromkeys(("before", "after"), _NUMBER))
    comparison = {
        "causes": _object(dict.fromkeys(causes, both)),
        "none": both,
        "changes": changes,
        "log_evidence": logs,
    }
    attribution = {
        "cause": {"enum": causes},
        "posterior": both,
        "total": _or_null(_NUMBER),
        "shares": _list(share),
        "exact": _TRUTH,
        "decisive": _or_null(_TEXT),
    }
    return _around({"comparison": _more(comparison), "attribution": _more(attribution)})


def _network() -> Schema:
    kinds = {"enum": ["cause", "lesion", "finding"]}
    node = _more({"id": _TEXT, "kind": kinds, "label": _TEXT, "probability": _SHARE, "entered": _TEXTS})
    edge = _more({"source": _TEXT, "target": _TEXT, "strength": _SHARE})
    return _around({"focus": _or_null(_TEXT), "nodes": _list(node), "edges": _list(edge)})


def _model() -> Schema:
    return _object(
        {
            "version": _TEXT,
            "digest": _TEXT,
            "rates": {"enum": list(RATES)},
            "vocabulary": _object({"contexts": _TABLE, "causes": _TABLE, "findings": _TABLE}),
            "parameters": _TABLE,
            "stakes": _object({"causes": _TABLE, "examinations": _TABLE}),
            "care": _object({"show_from": _SHARE, "causes": _TABLE}),
            "sources": _TABLE,
        }
    )


def _problem() -> Schema:
    clashing = {**_TEXTS, "description": "The findings that clash, each as name = state."}
    flags = _list(ref("RedFlag")) | {"description": "The red flags that stand although there is no answer."}
    return _object(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "findings": clashing,
            "red_flags": flags,
        },
        optional=("findings", "red_flags"),
    )


# ---- forms ----------------------------------------------------------------------------------------------------------


def _object(properties: Mapping[str, object], *, optional: tuple[str, ...] = (), more: bool = False) -> Schema:
    """A schema of an object; ``more`` leaves room for other fields."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": more}


def _more(properties: Mapping[str, object]) -> Schema:
    """A schema of an object to which later versions may add fields."""
    return _object(properties, more=True)


def _list(items: Mapping[str, object]) -> Schema:
    return {"type": "array", "items": dict(items)}


def _or_null(schema: Mapping[str, object]) -> Schema:
    return {"anyOf": [dict(schema), {"type": "null"}]}
