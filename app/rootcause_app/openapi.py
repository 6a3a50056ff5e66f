"""The OpenAPI document, made from the vocabulary in use, so that it names every finding and every state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rootcause_app import queries
from rootcause_app.reporting import MEDIA_TYPES
from rootcause_app.schema_forms import ref
from rootcause_app.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rootcause import Model
    from rootcause_app.queries import Parameter
    from rootcause_app.schema_forms import Schema

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
        "paths": _paths(list(model.priors.parameters)),
        "components": {"schemas": schemas(model)},
    }


def _paths(numbers: list[str]) -> Schema:
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
        "/api/v1/sensitivity": _sensitivity(numbers),
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


def _sensitivity(numbers: list[str]) -> Schema:
    asked = (queries.METHOD, queries.OF_CAUSE, queries.NUMBER, queries.DRAWS, queries.RATES)
    question = _question(
        "sensitivity",
        "How an answer hangs on the numbers, by one of several methods",
        _json(ref("Sensitivity")),
        *asked,
        refusals={**_REFUSALS, "503": "The answer takes too long for a request"},
    )
    return {"post": question | {"parameters": [_parameter(parameter, numbers) for parameter in asked]}}


def _question(
    name: str,
    summary: str,
    content: Schema,
    *parameters: Parameter,
    body: str = "Case",
    refusals: Mapping[str, str] = _REFUSALS,
) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [_parameter(parameter) for parameter in parameters],
        "requestBody": {"required": True, "content": _json(ref(body))},
        "responses": _refused(refusals) | {"200": _ok(content)},
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


def _parameter(parameter: Parameter, words: Sequence[str] = ()) -> Schema:
    """One parameter; ``words`` are its values where the model alone knows them."""
    values: Schema
    if isinstance(parameter.values, range):
        values = {"type": "integer", "minimum": parameter.values.start, "maximum": parameter.values.stop - 1}
    else:
        values = {"type": "string", "enum": list(parameter.values or words)}
    if parameter.most > 1:
        values = {"type": "array", "items": values, "maxItems": parameter.most, "uniqueItems": True}
    if parameter.default is not None:
        values["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
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
