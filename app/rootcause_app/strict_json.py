"""JSON from outside, read without the leniencies of ``json``: no duplicate keys, no NaN, no endless nesting."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NoReturn

from rootcause_app.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request

LONGEST_BODY: Final = 65_536  # bytes; the largest real case is under 4 kB


async def read_object(request: Request) -> dict[str, object]:
    """The body of a request as a JSON object.

    Args:
        request: Whose body to read; it is counted while it arrives, whatever its Content-Length says.

    Raises:
        ProblemError: 415 for another content type, 413 for too many bytes, 400 for anything but one strict object.
    """
    _check_type(request.headers.get("content-type", ""))
    return decode_object(await _bytes(request))


def decode_object(body: bytes) -> dict[str, object]:
    """Decode one JSON object.

    Args:
        body: UTF-8 text.

    Raises:
        ProblemError: 400 with the rule that was broken.
    """
    try:
        content = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "body: must be UTF-8, got other bytes") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"body: must be JSON, got an error at {where}") from None
    except RecursionError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "body: must be a flat table, got too deep a nesting") from None
    except ValueError:  # an integer of thousands of digits
        raise ProblemError(HTTPStatus.BAD_REQUEST, "body: a number is too long to be read") from None
    if not isinstance(content, dict):
        got = {"list": "a list", "str": "a string", "NoneType": "null"}.get(type(content).__name__, "a single value")
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"body: must be a JSON object, got {got}")
    return content


def _check_type(given: str) -> None:
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if kind != "application/json" or any(part not in {"", "charset=utf-8", 'charset="utf-8"'} for part in parameters):
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content type: must be application/json in UTF-8",
            headers={"accept": "application/json"},
        )


async def _bytes(request: Request) -> bytes:
    parts: list[bytes] = []
    count = 0
    async for part in request.stream():
        count += len(part)
        if count > LONGEST_BODY:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"body: must not be longer than {LONGEST_BODY} bytes",
                headers={"connection": "close"},
            )
        parts.append(part)
    return b"".join(parts)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table: dict[str, object] = {}
    for key, value in pairs:
        if key in table:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"body: each key may stand once, got {key[:60]!r} twice")
        table[key] = value
    return table


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "body: a number must be finite, got one that is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ProblemError(HTTPStatus.BAD_REQUEST, f"body: a number must be finite, got {name}")
