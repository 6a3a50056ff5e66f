"""The OpenAPI document, made from the vocabulary in use, so that it names every finding and every state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause_app.settings import RATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause.vocabulary import Variable

    Schema = dict[str, object]

_HIGHEST_MRC_GRADE: Final = 5
_TEXT: Final[Mapping[str, object]] = {"type": "string"}
_SHARE: Final[Mapping[str, object]] = {"type": "number", "minimum": 0, "maximum": 1}


def document(model: Model) -> dict[str, object]:
    """The whole document.

    Args:
        model: Whose vocabulary and version it states.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rootcause",
            "version": model.version,
            "description": "Causes of a leg deficit after lumbar surgery. For education; not a medical device.",
        },
        "paths": {
            "/api/v1/diagnose": {"post": _diagnose()},
            "/api/v1/model": {"get": _get("getModel", "Vocabulary, parameters and sources", "Model", rates=True)},
            "/api/v1/openapi.json": {"get": _get("getOpenApi", "This document", None, rates=False)},
            "/healthz": {"get": _health()},
        },
        "components": {"schemas": _schemas(model)},
    }


def _diagnose() -> Schema:
    return {
        "operationId": "diagnose",
        "summary": "The posterior of every cause, given a case",
        "parameters": [_rates()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Case")}}},
        "responses": {
            "200": _ok("Answer"),
            **_refusals(
                {
                    "400": "Not one strict JSON object, or an unknown query parameter",
                    "405": "Another method than POST",
                    "413": "Too long a body",
                    "415": "Another content type",
                    "422": "The case does not fit the vocabulary, or its findings clash",
                    "500": "A fault inside",
                }
            ),
        },
    }


def _get(name: str, summary: str, schema: str | None, *, rates: bool) -> Schema:
    refusals = {"400": "An unknown query parameter", "405": "Another method than GET", "500": "A fault inside"}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_rates()] if rates else [],
        "responses": {"200": _ok(schema), **_refusals(refusals)},
    }


def _health() -> Schema:
    return {"operationId": "health", "summary": "Whether the process answers", "responses": {"200": _ok("Health")}}


def _rates() -> Schema:
    return {
        "name": "rates",
        "in": "query",
        "required": False,
        "description": "The set of base rates; without it, the one that the server was started with.",
        "schema": {"type": "string", "enum": list(RATES)},
    }


def _ok(schema: str | None) -> Schema:
    body: Schema = {"type": "object"} if schema is None else _ref(schema)
    return {"description": "OK", "content": {"application/json": {"schema": body}}}


def _refusals(reasons: Mapping[str, str]) -> Schema:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {status: {"description": reason, "content": content} for status, reason in reasons.items()}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(model: Model) -> Schema:
    findings = _findings(model)
    about: Schema = {name: {} for name in ("id", "title", "story", "invented", "teaching", "sources")}
    return {
        "Findings": findings,
        "Case": {
            "description": "The findings, as the object itself or in a table beside which a story may stand.",
            "oneOf": [_object({"findings": _ref("Findings"), **about}, optional=tuple(about)), _ref("Findings")],
        },
        "Answer": _answer(model),
        "Model": _model(),
        "Health": _object({"status": {"const": "ok"}, "version": _TEXT, "digest": _TEXT}),
        "Problem": _object(
            {
                "type": {"type": "string", "format": "uri-reference"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "findings": {
                    "type": "array",
                    "items": _TEXT,
                    "description": "The findings that clash, each as name = state.",
                },
            },
            optional=("findings",),
        ),
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


def _answer(model: Model) -> Schema:
    cause = _object(dict.fromkeys(("prior", "prior_given_complaint", "mean", "low", "high"), _SHARE))
    levels = ["emergency", "same_day", "within_48h", "routine"]
    return {
        **_object(
            {
                "model": _object({"version": _TEXT, "digest": _TEXT, "rates": {"enum": list(RATES)}}, more=True),
                "disclaimer": _TEXT,
                "findings": {"type": "object"},
                "posterior": _object(dict.fromkeys(model.vocabulary.causes, cause)),
                "none": _SHARE,
                "log_evidence": {"type": "number"},
                "conflict": _object({"score": {"type": "number"}, "suspect": {"type": ["string", "null"]}}, more=True),
                "red_flags": {"type": "array", "items": _object({"id": _TEXT, "text": _TEXT}, more=True)},
                "urgency": _object({"level": {"enum": levels}, "text": _TEXT}, more=True),
                "actions": {"type": "array"},
            },
            more=True,
        )
    }


def _model() -> Schema:
    table = {"type": "object", "additionalProperties": {"type": "object"}}
    return _object(
        {
            "version": _TEXT,
            "digest": _TEXT,
            "rates": {"enum": list(RATES)},
            "vocabulary": _object({"contexts": table, "causes": table, "findings": table}),
            "parameters": table,
            "sources": table,
        }
    )


def _object(properties: Mapping[str, object], *, optional: tuple[str, ...] = (), more: bool = False) -> Schema:
    """A schema of an object; ``more`` leaves room for fields that later versions add."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": more}
