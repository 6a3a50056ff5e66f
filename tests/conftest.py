"""What all tests share: Hypothesis profiles and the browser."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from rootcause.engine import prepare

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Compile the engine before the first test, so that no command says in a test that it does so."""
    prepare()


CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium of this system; without one the test is skipped, but fails on CI, where it must not go unnoticed."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        message = f"no browser: looked for {', '.join(CHROMIUMS)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return Path(found)
