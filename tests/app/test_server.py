"""The server as one process: pages and API behind one port, and the headers on both."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from rootcause.errors import InvalidInputError, InvalidPriorsError
from rootcause_app import server, theme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of the whole application."""
    with TestClient(server.build("127.0.0.1", 8501)) as started:
        yield started


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/healthz", "application/json"), ("/api/v1/model", "application/json")]
)
def test_one_port_serves_pages_and_api(client: TestClient, path: str, kind: str) -> None:
    """Each answers in its own format, with the headers that keep foreign scripts out."""
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(kind)
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_an_unknown_path_below_the_api_is_no_page(client: TestClient) -> None:
    """Streamlit answers any path with its page; below /api it must not."""
    for path in ("/api", "/api/", "/api/v1/unknown"):
        assert client.get(path).status_code == 404


def test_streamlit_does_not_call_home() -> None:
    """No usage statistics, no error details in a browser, nothing watched on disk."""
    options = theme.streamlit_options("127.0.0.1", 8501)
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert options["server.fileWatcherType"] == "none"


@pytest.mark.parametrize("port", [-1, 0, 70_000])
def test_a_port_that_cannot_be_is_one_sentence(port: int) -> None:
    """A slip in the port is the user's, and is said so."""
    with pytest.raises(InvalidInputError, match=f"from 1 to 65535, got {port}"):
        server.serve(port=port)


def test_a_port_in_use_is_one_sentence() -> None:
    """The address is tried before anything else is done."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InvalidInputError, match="must be free to listen on"):
            server.serve(port=taken.getsockname()[1])


def test_broken_priors_are_reported_before_a_port_is_opened(tmp_path: Path) -> None:
    """A folder without numbers is a sentence on the terminal, not a page that fails later."""
    with pytest.raises(InvalidPriorsError):
        server.build("127.0.0.1", 8501, priors=tmp_path)
