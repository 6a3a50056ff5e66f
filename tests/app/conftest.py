"""What the tests of the pages share: a page run as Streamlit would run it, without a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from streamlit.testing.v1 import AppTest

import rootcause_app
from rootcause_app import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN: Final = Path(rootcause_app.__file__).with_name("main.py")
PATIENCE: Final = 60.0


@pytest.fixture(autouse=True)
def shipped_numbers() -> Iterator[None]:
    """Every test starts with the shipped numbers and the seed's rates."""
    settings.configure(None, "seed")
    yield
    settings.configure(None, "seed")


@pytest.fixture
def explorer() -> AppTest:
    """The Explorer at a first visit; without the navigation, which AppTest loses at the second run."""
    script = "from rootcause_app.pages import explorer\nexplorer.page()"
    return AppTest.from_string(script, default_timeout=PATIENCE).run()


@pytest.fixture
def whole() -> AppTest:
    """What a first visit runs, with the navigation."""
    return AppTest.from_file(str(MAIN), default_timeout=PATIENCE).run()


@pytest.fixture
def step_page() -> AppTest:
    """The page that steps through a case, at a first visit."""
    script = "from rootcause_app.pages import step\nstep.page()"
    return AppTest.from_string(script, default_timeout=PATIENCE).run()


@pytest.fixture
def numbers_page() -> AppTest:
    """The page of all numbers, at a first visit."""
    script = "from rootcause_app.pages import numbers\nnumbers.page()"
    return AppTest.from_string(script, default_timeout=PATIENCE).run()


@pytest.fixture
def compare_page() -> AppTest:
    """The page that compares two cases, at a first visit."""
    script = "from rootcause_app.pages import compare\ncompare.page()"
    return AppTest.from_string(script, default_timeout=PATIENCE).run()


@pytest.fixture
def network_page() -> AppTest:
    """The page of the network, at a first visit."""
    script = "from rootcause_app.pages import network\nnetwork.page()"
    return AppTest.from_string(script, default_timeout=PATIENCE).run()
