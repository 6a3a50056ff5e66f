"""One process, one port: the Streamlit pages and the HTTP API under uvicorn."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from streamlit import config as streamlit_config
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import bootstrap

from rootcause.engine import prepare
from rootcause.errors import InvalidInputError
from rootcause_app import api, settings, theme

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAIN: Final = Path(__file__).with_name("main.py")
PORTS: Final = range(1, 65_536)


def serve(host: str = "127.0.0.1", port: int = 8501, priors: Path | None = None, rates: str = "seed") -> None:
    """Serve the pages and the API until stopped; no access log is kept, since a request may describe a patient.

    Args:
        host: The address to listen on.
        port: The port.
        priors: A folder of one's own numbers.
        rates: The rate set that pages and API start with.

    Raises:
        InvalidInputError: The address cannot be listened on, or the numbers break a rule.
    """
    _check_free(host, port)
    application = build(host, port, priors, rates)
    prepare(lambda: sys.stderr.write("Rootcause compiles its engine, once for this version; a minute\n"))
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"Rootcause answers at http://{shown}:{port}/ (stop with Ctrl+C)\n")
    uvicorn.run(application, host=host, port=port, access_log=False, log_level="warning", server_header=False)


def build(host: str, port: int, priors: Path | None = None, rates: str = "seed") -> st.App:
    """The whole application, not yet listening; broken priors are reported here, before a port is opened.

    Args:
        host: The address it will listen on.
        port: The port.
        priors: A folder of one's own numbers.
        rates: The rate set that pages and API start with.
    """
    settings.configure(priors, rates)
    settings.current_model()
    _configure_streamlit(host, port)
    return st.App(
        MAIN,
        routes=[
            Route("/healthz", api.health),
            Route("/api", api.unknown),
            Mount("/api", app=api.application()),
        ],
        middleware=[Middleware(SecurityHeaders, script_hashes=inline_script_hashes())],
    )


class SecurityHeaders:
    """Adds to every response the headers that keep foreign scripts out and the page out of foreign frames."""

    def __init__(self, app: ASGIApp, script_hashes: tuple[str, ...]) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in _headers(script_hashes).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and dress its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def inline_script_hashes() -> tuple[str, ...]:
    """The hashes of the scripts inside Streamlit's own page, which a strict policy has to name one by one."""
    page = Path(st.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text("utf-8"), re.DOTALL)
    return tuple(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)


def _headers(script_hashes: tuple[str, ...]) -> dict[str, str]:
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",  # Streamlit's styles are made in the browser
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
    }


def _check_free(host: str, port: int) -> None:
    """Try the address first: uvicorn would end the process with a message of its own."""
    if port not in PORTS:
        raise InvalidInputError(f"serve: the port must be from {PORTS.start} to {PORTS.stop - 1}, got {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInputError(f"serve: {host} port {port} must be free to listen on, got: {reason}") from None


def _configure_streamlit(host: str, port: int) -> None:
    # The main script decides which folder's config file is read; set first, so that the options win over any file.
    streamlit_config._main_script_path = str(MAIN)  # noqa: SLF001  (as st.App itself does)
    bootstrap.load_config_options(theme.streamlit_options(host, port))
    # Streamlit takes a folder pages/ beside the main script for scripts, until st.navigation has run once: the first
    # visit of a server would find no page behind a link such as /network. This is what st.navigation sets then.
    PagesManager.uses_pages_directory = False
