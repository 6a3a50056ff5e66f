"""Refusals of the HTTP API as problem details (RFC 9457): one sentence, no body echoed, no traceback."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_DETAIL: Final = 500


class ProblemError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status.
        detail: One sentence with place, rule and what was got.
        findings: The findings that clash, where that is the reason.
        red_flags: The red flags that stand although there is no answer, each as in an answer.
        headers: Headers that the status calls for.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        findings: Sequence[str] = (),
        red_flags: Sequence[Mapping[str, object]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail if len(detail) <= LONGEST_DETAIL else detail[: LONGEST_DETAIL - 1] + "…"
        self.findings = tuple(findings)
        self.red_flags = tuple(red_flags)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The refusal as it is sent."""
        content: dict[str, object] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.findings:
            content["findings"] = list(self.findings)
        if self.red_flags:
            content["red_flags"] = list(self.red_flags)
        return Answer(content, self.status, headers=self.headers, media_type="application/problem+json")


class Answer(JSONResponse):
    """JSON in ASCII, so that a lone surrogate sent by a client cannot break the reply; never stored by a cache."""

    def __init__(
        self,
        content: object,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        super().__init__(content, status.value, {"cache-control": "no-store", **(headers or {})}, media_type)

    def render(self, content: object) -> bytes:
        """Encode strictly: a number that JSON cannot hold is a fault of ours, not something to send."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
