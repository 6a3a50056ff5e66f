"""The HTTP API: the command line's JSON over HTTP, with strict input and nothing logged.

``POST /api/v1/diagnose`` answers a case, ``GET /api/v1/model`` hands out every number, ``GET /api/v1/openapi.json``
describes both, and ``GET /healthz`` says that the process lives. All work is done in a thread, a few at a time.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
from starlette.exceptions import HTTPException
from starlette.routing import Route, Router

from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app import openapi
from rootcause_app.problems import Answer, ProblemError
from rootcause_app.settings import RATES, current_model, default_rates
from rootcause_app.strict_json import read_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rootcause import Model
    from rootcause.priors import Parameter
    from rootcause.vocabulary import Variable

    Endpoint = Callable[[Request], Awaitable[Response]]

Result = TypeVar("Result")

_LOG: Final = logging.getLogger(__name__)


async def diagnose(request: Request) -> Response:
    """Answer one case."""
    rates = _rates(request)
    case = await read_object(request)
    answer = await _in_thread(lambda: _diagnosed(current_model(rates), case))
    return Answer(answer)


async def describe_model(request: Request) -> Response:
    """The vocabulary, every parameter and every source."""
    rates = _rates(request)
    return Answer(await _in_thread(lambda: model_description(current_model(rates))))


async def describe_api(request: Request) -> Response:
    """The OpenAPI document, written for the vocabulary in use."""
    _refuse_query(request)
    return Answer(await _in_thread(lambda: openapi.document(current_model())))


async def health(request: Request) -> Response:
    """Say that the process answers, and with which numbers."""
    del request
    model = await _in_thread(current_model)
    return Answer({"status": "ok", "version": model.version, "digest": model.digest})


def model_description(model: Model) -> dict[str, object]:
    """The model as plain JSON.

    Args:
        model: Which to describe.
    """
    vocabulary = model.vocabulary
    return {
        "version": model.version,
        "digest": model.digest,
        "rates": model.rates,
        "vocabulary": {
            "contexts": {key: _variable(variable) for key, variable in vocabulary.contexts.items()},
            "causes": {key: _variable(variable) for key, variable in vocabulary.causes.items()},
            "findings": {key: _variable(variable) for key, variable in vocabulary.findings.items()},
        },
        "parameters": {key: _parameter(parameter) for key, parameter in model.priors.parameters.items()},
        "sources": {
            key: {
                "title": source.title,
                "authors": source.authors,
                "year": source.year,
                "journal": source.journal,
                "doi": source.doi,
                "url": source.url,
                "citation": source.citation,
            }
            for key, source in model.priors.sources.items()
        },
    }


def application() -> ASGIApp:
    """Everything below ``/api``; an unknown path is a 404 in JSON, not Streamlit's page."""
    router = Router(
        routes=[
            Route("/v1/diagnose", _guarded(diagnose), methods=["POST"]),
            Route("/v1/model", _guarded(describe_model), methods=["GET"]),
            Route("/v1/openapi.json", _guarded(describe_api), methods=["GET"]),
        ],
        redirect_slashes=False,
        default=_unknown_path,
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await router(scope, receive, send)
        except HTTPException as refusal:  # the router's own: a method that a path does not know
            allowed = dict(refusal.headers or {})
            detail = f"method: must be {allowed.get('Allow', 'another')}, got {scope['method']}"
            problem = ProblemError(HTTPStatus(refusal.status_code), detail, headers=allowed)
            await problem.response()(scope, receive, send)

    return answer


async def unknown(request: Request) -> Response:
    """Refuse a path that the API does not know."""
    del request
    return _not_found().response()


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    await _not_found().response()(scope, receive, send)


def _not_found() -> ProblemError:
    known = "/api/v1/diagnose, /api/v1/model or /api/v1/openapi.json"
    return ProblemError(HTTPStatus.NOT_FOUND, f"path: must be {known}")


def _guarded(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose every failure is a problem document, the unforeseen ones without their reason."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ProblemError as problem:
            return problem.response()
        except Exception as error:  # noqa: BLE001  (the last door: what passes here would be a traceback to a client)
            # The type alone: a message may quote the case.
            _LOG.error("%s failed inside: %s", request.url.path, type(error).__name__)
            return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed on this request.").response()

    return guarded


def _diagnosed(model: Model, case: dict[str, object]) -> dict[str, object]:
    try:
        return model.diagnose(case).to_dict()
    except ImpossibleEvidenceError as clash:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(clash), findings=clash.findings) from None
    except InvalidInputError as refusal:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(refusal)) from None


def _rates(request: Request) -> str:
    given = request.query_params.multi_items()
    for name, _ in given:
        if name != "rates":
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"query: the only parameter is rates, got {name[:60]!r}")
    if len(given) > 1:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "query: rates may stand once, got it more often")
    rates = given[0][1] if given else default_rates()
    if rates not in RATES:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"rates: must be {' or '.join(RATES)}, got {rates[:60]!r}")
    return rates


def _refuse_query(request: Request) -> None:
    if request.query_params:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "query: this path takes no parameter")


async def _in_thread(work: Callable[[], Result]) -> Result:
    return await anyio.to_thread.run_sync(work, limiter=_limiter())


@cache
def _limiter() -> anyio.CapacityLimiter:
    """As many at once as there are cores: more would only make all of them wait, and hold more memory."""
    return anyio.CapacityLimiter(os.cpu_count() or 1)


def _variable(variable: Variable) -> dict[str, object]:
    return {
        "label": variable.label,
        "states": list(variable.states),
        "groups": {name: list(states) for name, states in variable.groups.items()},
        "bins": list(variable.bins),
        "mrc": variable.mrc,
        "covers": list(variable.covers),
        "test": variable.test,
        "note": variable.note,
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "meaning": parameter.meaning,
        "point": parameter.point,
        "low": parameter.low,
        "high": parameter.high,
        "range": parameter.range,
        "horizon": parameter.horizon,
        "basis": parameter.basis,
        "sources": list(parameter.sources),
        "records": list(parameter.records),
        "locator": parameter.locator,
        "population": parameter.population,
        "read": parameter.read,
        "derivation": parameter.derivation,
        "note": parameter.note,
        "unfitted": parameter.unfitted,
        "considered": [
            {"record": other.record, "source": other.source, "value": other.value, "reason": other.reason}
            for other in parameter.considered
        ],
    }
