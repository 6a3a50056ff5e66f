"""The schemas of the HTTP API: what a case is, and what each question is answered with.

Answers leave room for fields that later versions add; what is sent in does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause.care import KINDS
from rootcause.casefile import FORMAT
from rootcause.rules import LEVELS
from rootcause.serial import ABOUT_THE_CASE, MOST_EXAMINATIONS
from rootcause_app.schema_forms import (
    NUMBER,
    SHARE,
    TEXT,
    TEXTS,
    TRUTH,
    answer,
    list_of,
    or_null,
    record,
    ref,
    table,
)
from rootcause_app.sensitivity_schemas import sensitivity_schemas
from rootcause_app.settings import RATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.vocabulary import Variable
    from rootcause_app.schema_forms import Schema

_HIGHEST_MRC_GRADE: Final = 5
_TABLE: Final[Mapping[str, object]] = {"type": "object", "additionalProperties": {"type": "object"}}


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
        **sensitivity_schemas(causes),
        "Model": _model(),
        "Health": table({"status": {"const": "ok"}, "version": TEXT, "digest": TEXT}),
        "Problem": _problem(),
    }


# ---- what is sent in ------------------------------------------------------------------------------------------------


def _cases(model: Model) -> Schema:
    about: Schema = {name: {} for name in sorted(ABOUT_THE_CASE)}
    about["rootcause"] = {"description": f"What a saved case file adds: its format ({FORMAT}), version, digest, rates."}
    beside = tuple(about)
    examinations = list_of(ref("Examination")) | {"minItems": 1, "maxItems": MOST_EXAMINATIONS}
    return {
        "Findings": _findings(model),
        "Examination": {
            "description": "What was found at one moment.",
            "oneOf": [table({"findings": ref("Findings"), **about}, optional=beside), ref("Findings")],
        },
        "Case": {
            "description": (
                "The findings, as the object itself or in a table beside which a story may stand; or several "
                "examinations in the order of time, of which the last is answered."
            ),
            "oneOf": [
                table({"findings": ref("Findings"), **about}, optional=beside),
                table({"examinations": examinations, **about}, optional=beside),
                ref("Findings"),
            ],
        },
        "TwoCases": {
            "description": "Two moments, or two patients.",
            **table({"before": ref("Case"), "after": ref("Case")}),
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
        "sources": TEXTS,
        "certain": TRUTH,
        "unknown": TEXTS,
        "earlier": TRUTH,
        "first": TEXTS,
        "signs": TEXTS,
    }
    return {
        "About": record({"version": TEXT, "digest": TEXT, "rates": {"enum": list(RATES)}}),
        "RedFlag": record({"id": TEXT, "text": TEXT, "level": {"enum": list(LEVELS)}, **beside}),
        "Interval": record({"value": NUMBER, "low": NUMBER, "high": NUMBER}),
    }


def _answer(causes: list[str]) -> Schema:
    cause = table(dict.fromkeys(("prior", "prior_given_complaint", "mean", "low", "high"), SHARE))
    interval = record({"mean": SHARE, "low": SHARE, "high": SHARE})
    said = list_of(record({"id": TEXT, "text": TEXT, "basis": TEXT, "sources": TEXTS}))
    waiting = {
        "cause": {"enum": causes},
        "probability": interval,
        "loss_per_hour": ref("Interval"),
        "threshold": ref("Interval"),
        "act": TEXT,
        "above": TRUTH,
        "sentence": TEXT,
    }
    return answer(
        {
            "findings": {"type": "object"},
            "posterior": table(dict.fromkeys(causes, cause)),
            "none": SHARE,
            "log_evidence": NUMBER,
            "conflict": record({"score": NUMBER, "suspect": or_null(TEXT)}),
            "red_flags": list_of(ref("RedFlag")),
            "urgency": record({"level": {"enum": list(LEVELS)}, "text": TEXT}),
            "actions": list_of(record({"id": TEXT, "text": TEXT})),
            "must_not_wait": list_of(record(waiting)),
            "care": list_of(record({"cause": {"enum": causes}, "probability": interval, **dict.fromkeys(KINDS, said)})),
        }
    )


def _why(causes: list[str]) -> Schema:
    change = record({"nats": or_null(NUMBER), "decibans": or_null(NUMBER)})
    sides = {"prior": SHARE, "posterior": SHARE, "change": change, "decided": or_null(TEXT)}
    said = {"finding": TEXT, "words": TEXT}
    weight = record({**said, "nats": or_null(NUMBER), "decibans": or_null(NUMBER), "before": SHARE, "after": SHARE})
    share = record({**said, "nats": NUMBER, "decibans": NUMBER, "error": or_null(NUMBER)})
    states: Schema = {"type": "object", "additionalProperties": SHARE}
    either = dict.fromkeys(("if_present", "if_absent"), or_null(states))
    lesion = record({"id": TEXT, "label": TEXT, "before": states, "after": states, **either})
    explanation = {
        "cause": {"enum": [*causes, "none"]},
        "context": {"type": "object"},
        "findings": {"type": "object"},
        "prior": SHARE,
        "posterior": SHARE,
        "in_order": record({**sides, "weights": list_of(weight)}),
        "order_free": record({**sides, "exact": TRUTH, "shares": or_null(list_of(share))}),
        "lesions": list_of(lesion),
        "removals": list_of(record({"finding": TEXT, "without": SHARE, "change": NUMBER})),
        "twins": list_of(record({"finding": TEXT, "state": TEXT, "posterior": or_null(SHARE), "possible": TRUTH})),
    }
    fit = {
        "conflict": record({"score": NUMBER, "suspect": or_null(TEXT)}),
        "none": SHARE,
        "percentile": or_null(record({"share": SHARE, "simulated": {"type": "integer"}})),
        "warnings": TEXTS,
    }
    together = {
        "combinations": list_of(record({"present": TEXTS, "probability": SHARE})),
        "covered": SHARE,
        "alone": table(dict.fromkeys(causes, SHARE)),
        "none": SHARE,
        "explanations": list_of(record({"assignment": {"type": "object"}, "factor": or_null(NUMBER)})),
        "pairs": list_of(record({"cause": TEXT, "other": TEXT, "posterior": SHARE})),
    }
    return answer({"explanation": record(explanation), "fit": record(fit), "together": record(together)})


def _what_next(causes: list[str]) -> Schema:
    worth = record(dict.fromkeys(("bits", "share", "gross", "price", "net", "delay_hours"), NUMBER))
    where = {"label": TEXT, "where": TEXT, "worth": worth}
    result = record({"state": TEXT, "probability": SHARE, "leading": TEXT, "moved": TEXT, "moved_to": SHARE})
    step = record({"finding": TEXT, **where, "settled": TRUTH, "results": list_of(result), "telling": TEXT})
    whole = record({"examination": TEXT, **where, "findings": TEXTS, "same_decisions": SHARE})
    decision = record({"cause": TEXT, "act": TEXT, "probability": SHARE, "threshold": SHARE, "taken": TRUTH})
    stop = record({"decisions": list_of(decision), "sentence": TEXT, "next_best": or_null(TEXT)})
    return answer(
        {
            "red_flags": list_of(ref("RedFlag")),
            "red_flags_first": TEXT,
            "leading": {"enum": causes},
            "leading_probability": SHARE,
            "bits_left": NUMBER,
            "steps": list_of(step),
            "examinations": list_of(whole),
            "pairs": list_of(record({"findings": TEXTS, "bits": NUMBER, "synergy": NUMBER, "misleads": TRUTH})),
            "stop": stop,
        }
    )


def _difference(causes: list[str]) -> Schema:
    both = table(dict.fromkeys(("before", "after"), SHARE))
    changes = list_of(table({"name": TEXT, "before": {}, "after": {}}))
    share = record({"changes": changes, "nats": NUMBER, "decibans": NUMBER, "error": or_null(NUMBER)})
    logs = table(dict.fromkeys(("before", "after"), NUMBER))
    comparison = {
        "causes": table(dict.fromkeys(causes, both)),
        "none": both,
        "changes": changes,
        "log_evidence": logs,
    }
    attribution = {
        "cause": {"enum": causes},
        "posterior": both,
        "total": or_null(NUMBER),
        "shares": list_of(share),
        "exact": TRUTH,
        "decisive": or_null(TEXT),
    }
    return answer({"comparison": record(comparison), "attribution": record(attribution)})


def _network() -> Schema:
    kinds = {"enum": ["cause", "lesion", "finding"]}
    node = record({"id": TEXT, "kind": kinds, "label": TEXT, "probability": SHARE, "entered": TEXTS})
    edge = record({"source": TEXT, "target": TEXT, "strength": SHARE})
    return answer({"focus": or_null(TEXT), "nodes": list_of(node), "edges": list_of(edge)})


def _model() -> Schema:
    return table(
        {
            "version": TEXT,
            "digest": TEXT,
            "rates": {"enum": list(RATES)},
            "vocabulary": table({"contexts": _TABLE, "causes": _TABLE, "findings": _TABLE}),
            "parameters": _TABLE,
            "stakes": table({"causes": _TABLE, "examinations": _TABLE}),
            "care": table({"show_from": SHARE, "causes": _TABLE}),
            "sources": _TABLE,
        }
    )


def _problem() -> Schema:
    clashing = {**TEXTS, "description": "The findings that clash, each as name = state."}
    flags = list_of(ref("RedFlag")) | {"description": "The red flags that stand although there is no answer."}
    return table(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "findings": clashing,
            "red_flags": flags,
        },
        optional=("findings", "red_flags"),
    )
