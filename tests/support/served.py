"""A server started as a user would start it, and a browser to look at it, for tests and screenshots."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

_PATIENCE: Final = 60.0
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def running_server() -> Iterator[str]:
    """The address of a server on a free port, stopped at the end."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    program = f"from rootcause_app.server import serve; serve(port={port})"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            _wait_until_healthy(address, process)
            yield address
        finally:
            process.terminate()


@contextmanager
def running_browser(executable: Path) -> Iterator[Browser]:
    """The system's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(executable), args=list(_FLAGS))
        yield browser
        browser.close()


def settle(page: Page) -> None:
    """Wait until the page has drawn everything, the intervals too."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=_PATIENCE * 1000)
    page.locator(".rc-provenance").first.wait_for(state="attached", timeout=_PATIENCE * 1000)
    page.wait_for_timeout(400)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=_PATIENCE * 1000)
    page.wait_for_function("() => !document.querySelector('[data-testid=\"stSkeleton\"]')", timeout=_PATIENCE * 1000)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):  # noqa: S310  (our own server)
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer within {_PATIENCE:.0f} s")
