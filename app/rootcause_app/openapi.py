"""The OpenAPI document, made from the vocabulary in use, so that it names every finding and every state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause_app import queries
from rootcause_app.reporting import MEDIA_TYPES
from rootcause_app.schemas import ref, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rootcause import Model
    from rootcause_app.queries import Parameter

    Schema = dict[str, object]

_REFUSALS: Final[Mapping[str, str]] = {
    "400": "Not one strict JSON object, or an unknown query parameter",
    "405": "Another method than POST",
    "413": "Too long a body",
    "415": "Another content type",
    "422": "A case does not fit the vocabulary, or its findings clash",
    "500": "A fault inside",
}


def document(model: Model) -> Schema:
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
        "paths": _paths(),
        "components": {"schemas": schemas(model)},
    }


def _paths() -> Schema:
    rates = queries.RATES
    return {
        "/api/v1/diagnose": _post("diagnose", "The posterior of every cause, given a case", "Answer", rates),
        "/api/v1/explain": _post(
            "explain", "What speaks for and against a cause, and whether it fits", "Why", queries.CAUSE_OR_NONE, rates
        ),
        "/api/v1/next": _post("next", "What to examine next, below the red flags", "WhatNext", queries.AHEAD, rates),
        "/api/v1/compare": _post(
            "compare",
            "Two moments or two patients, and what each difference carries",
            "Difference",
            queries.CAUSE,
            rates,
            body="TwoCases",
        ),
        "/api/v1/report": _report(),
        "/api/v1/network": _post(
            "network", "The network of a patient, as it is to be drawn", "Network", queries.FOCUS, rates
        ),
        "/api/v1/model": _get("getModel", "Vocabulary, parameters, stakes, care and sources", "Model", rates),
        "/api/v1/openapi.json": _get("getOpenApi", "This document", None),
        "/healthz": {
            "get": {
                "operationId": "health",
                "summary": "Whether the process answers",
                "responses": {"200": _ok(_json(ref("Health")))},
            }
        },
    }


def _post(name: str, summary: str, schema: str, *parameters: Parameter, body: str = "Case") -> Schema:
    return {"post": _question(name, summary, _json(ref(schema)), *parameters, body=body)}


def _report() -> Schema:
    files: Schema = {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()}
    return {"post": _question("report", "One page to print, as a file", files, queries.FORMAT, queries.RATES)}


def _question(name: str, summary: str, content: Schema, *parameters: Parameter, body: str = "Case") -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_parameter(parameter) for parameter in parameters],
        "requestBody": {"required": True, "content": _json(ref(body))},
        "responses": _refused(_REFUSALS) | {"200": _ok(content)},
    }


def _get(name: str, summary: str, schema: str | None, *parameters: Parameter) -> Schema:
    refusals = {"400": "An unknown query parameter", "405": "Another method than GET", "500": "A fault inside"}
    content = _json({"type": "object"} if schema is None else ref(schema))
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [_parameter(parameter) for parameter in parameters],
            "responses": _refused(refusals) | {"200": _ok(content)},
        }
    }


def _parameter(parameter: Parameter) -> Schema:
    values: Schema = {"type": "string", "enum": list(parameter.values)}
    if parameter.default is not None:
        values["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": values,
    }


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ok(content: Schema) -> Schema:
    return {"description": "OK", "content": content}


def _refused(reasons: Mapping[str, str]) -> Schema:
    content: Schema = {"application/problem+json": {"schema": ref("Problem")}}
    return {status: {"description": reason, "content": content} for status, reason in reasons.items()}
