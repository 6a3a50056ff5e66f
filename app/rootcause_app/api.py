"""The HTTP API: the command line's JSON over HTTP, with strict input and nothing logged.

The questions are posts: ``diagnose``, ``explain``, ``next``, ``compare``, ``network``, ``report`` and ``sensitivity``
below ``/api/v1/`` answer a case. ``GET /api/v1/model`` hands out every number, ``GET /api/v1/openapi.json`` describes
all of it, and ``GET /healthz`` says that the process lives. All work is done in a thread, a few at a time; long work
takes turns with that of the pages, and ends when nobody waits for it any more.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route, Router

from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause_app import openapi, queries, questions, reporting
from rootcause_app import sensitivity as numbers
from rootcause_app.description import model_description
from rootcause_app.long_requests import while_wanted
from rootcause_app.problems import Answer, ProblemError
from rootcause_app.queries import read_query
from rootcause_app.settings import current_model, default_rates
from rootcause_app.strict_json import read_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from rootcause import Model
    from rootcause.case import Case
    from rootcause_app.jobs import Report
    from rootcause_app.queries import Query

    Endpoint = Callable[[Request], Awaitable[Response]]

Result = TypeVar("Result")

_LOG: Final = logging.getLogger(__name__)


# ---- questions about a case -----------------------------------------------------------------------------------------


async def diagnose(request: Request) -> Response:
    """The posterior of every cause."""
    query = read_query(request, queries.RATES)
    return await _answer(request, query, questions.diagnose)


async def explain(request: Request) -> Response:
    """What speaks for and against a cause, whether it all fits, and which causes are there together."""
    query = read_query(request, queries.CAUSE_OR_NONE, queries.RATES)
    return await _answer(request, query, lambda model, case: questions.explain(model, case, query["cause"]))


async def following(request: Request) -> Response:
    """What to examine next."""
    query = read_query(request, queries.AHEAD, queries.RATES)
    ahead = int(query["ahead"] or 1)
    return await _answer(request, query, lambda model, case: questions.following(model, case, ahead))


async def compare(request: Request) -> Response:
    """Two moments or two patients side by side."""
    query = read_query(request, queries.CAUSE, queries.RATES)
    body = await read_object(request)

    def ask(model: Model) -> dict[str, object]:
        before, after = (_parsed(case, name) for name, case in _two_cases(body).items())
        reply = _asked(model, (before, after), lambda: questions.compare(model, before, after, query["cause"]))
        return reply.to_dict()

    return Answer(await _with_model(query, ask))


async def network(request: Request) -> Response:
    """The network of a patient as it is to be drawn."""
    query = read_query(request, queries.FOCUS, queries.RATES)
    return await _answer(request, query, lambda model, case: questions.network(model, case, query["focus"]))


async def report(request: Request) -> Response:
    """One page to print, as a file."""
    query = read_query(request, queries.FORMAT, queries.RATES)
    kind = query["format"] or reporting.KINDS[0]
    body = await read_object(request)

    def ask(model: Model) -> bytes:
        case, made = _parsed(body), datetime.now().astimezone()
        return _asked(model, (case,), lambda: reporting.render(reporting.full_report(model, case, made), kind))

    headers = {"cache-control": "no-store", "content-disposition": f'inline; filename="rootcause-report.{kind}"'}
    return Response(await _with_model(query, ask), headers=headers, media_type=reporting.MEDIA_TYPES[kind])


async def sensitivity(request: Request) -> Response:
    """How an answer hangs on the numbers."""
    query = read_query(request, queries.METHOD, queries.OF_CAUSE, queries.NUMBER, queries.DRAWS, queries.RATES)
    await _with_model(query, lambda model: _checked_numbers(model, query))
    body = await read_object(request)
    method, cause, draws = str(query["method"]), str(query["cause"]), _draws(query)

    def ask(model: Model, report: Report = lambda _: None) -> dict[str, object]:
        case = _parsed(body)
        found = _asked(
            model,
            (case,),
            lambda: numbers.sensitivity(model, case, method, cause, query.every("number"), draws, progress=report),
        )
        return numbers.With(model, found).to_dict()

    if method not in numbers.LONG:
        return Answer(await _with_model(query, ask))
    rates = query["rates"] or default_rates()
    return Answer(await while_wanted(request, lambda report: ask(current_model(rates), report)))


def _checked_numbers(model: Model, query: Query) -> None:
    """Refuse numbers and draws that the method does not take."""
    method, cause, draws = str(query["method"]), str(query["cause"]), _draws(query)
    try:
        numbers.check(model, method, cause, query.every("number"), draws)
    except InvalidInputError as refusal:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(refusal)) from None
    most = numbers.MOST_DRAWS.get(method)
    if most is not None and draws is not None and draws > most:
        detail = f"draws: must be at most {most:,} for {method} over HTTP (the command line takes more), got {draws:,}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)


def _draws(query: Query) -> int | None:
    return None if query["draws"] is None else int(query["draws"])


async def _answer(
    request: Request, query: Mapping[str, str | None], question: Callable[[Model, Case], questions.Reply]
) -> Response:
    body = await read_object(request)

    def ask(model: Model) -> dict[str, object]:
        case = _parsed(body)
        return _asked(model, (case,), lambda: question(model, case)).to_dict()

    return Answer(await _with_model(query, ask))


def _two_cases(body: Mapping[str, object]) -> dict[str, object]:
    names = ("before", "after")
    strange = next((name for name in body if name not in names), None)
    if strange is not None:
        raise _unprocessable(f"body: must hold {' and '.join(names)} alone, got {strange[:60]!r}")
    missing = next((name for name in names if name not in body), None)
    if missing is not None:
        raise _unprocessable(f"body: must hold a case named {missing}, got none")
    return {name: body[name] for name in names}


def _parsed(case: object, where: str = "") -> Case:
    try:
        return questions.parse(case, where)
    except InvalidInputError as refusal:
        raise _unprocessable(str(refusal)) from None


def _asked(model: Model, cases: Sequence[Case], ask: Callable[[], Result]) -> Result:
    """Ask; where the findings cannot hold together, hand out the red flags: they hang on no probability."""
    try:
        return ask()
    except ImpossibleEvidenceError as clash:
        flags = [questions.flag_data(flag) for flag in questions.standing_flags(model, cases)]
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, str(clash), findings=clash.findings, red_flags=flags
        ) from None
    except InvalidInputError as refusal:
        raise _unprocessable(str(refusal)) from None


def _unprocessable(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


# ---- what is handed out ---------------------------------------------------------------------------------------------


async def describe_model(request: Request) -> Response:
    """The vocabulary, every parameter, the stakes, the care and every source."""
    query = read_query(request, queries.RATES)
    return Answer(await _with_model(query, model_description))


async def describe_api(request: Request) -> Response:
    """The OpenAPI document, written for the vocabulary in use."""
    read_query(request)
    return Answer(await _in_thread(lambda: openapi.document(current_model())))


async def health(request: Request) -> Response:
    """Say that the process answers, and with which numbers, however many questions are waiting."""
    del request
    model = await anyio.to_thread.run_sync(current_model)
    return Answer({"status": "ok", "version": model.version, "digest": model.digest})


# ---- paths ----------------------------------------------------------------------------------------------------------

_POSTS: Final = {
    "diagnose": diagnose,
    "explain": explain,
    "next": following,
    "compare": compare,
    "report": report,
    "network": network,
    "sensitivity": sensitivity,
}
_GETS: Final = {"model": describe_model, "openapi.json": describe_api}


def application() -> ASGIApp:
    """Everything below ``/api``; an unknown path is a 404 in JSON, not Streamlit's page."""
    router = Router(
        routes=[
            *(Route(f"/v1/{name}", _guarded(endpoint), methods=["POST"]) for name, endpoint in _POSTS.items()),
            *(Route(f"/v1/{name}", _guarded(endpoint), methods=["GET"]) for name, endpoint in _GETS.items()),
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
    *paths, last = (f"/api/v1/{name}" for name in (*_POSTS, *_GETS))
    return ProblemError(HTTPStatus.NOT_FOUND, f"path: must be {', '.join(paths)} or {last}")


# ---- doors ----------------------------------------------------------------------------------------------------------


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


async def _with_model(query: Mapping[str, str | None], work: Callable[[Model], Result]) -> Result:
    rates = query["rates"] or default_rates()
    return await _in_thread(lambda: work(current_model(rates)))


async def _in_thread(work: Callable[[], Result]) -> Result:
    return await anyio.to_thread.run_sync(work, limiter=_limiter())


@cache
def _limiter() -> anyio.CapacityLimiter:
    """As many at once as there are cores: more would only make all of them wait, and hold more memory."""
    return anyio.CapacityLimiter(os.cpu_count() or 1)
