"""The page of one's own numbers in a real browser: what is typed into a cell counts, and stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from served import running_browser, running_server, settle

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

POINT: Final = {"x": 380, "y": 52}
"""A place in the first cell of the points, right of the column that is pinned and below the heads."""


def type_point(page: Page, typed: str) -> None:
    """Write into the point of the first row, by keyboard once it is chosen."""
    page.get_by_test_id("stDataFrame").click(position={"x": POINT["x"], "y": POINT["y"]})
    cell = page.locator("#portal input")
    page.wait_for_timeout(300)
    if not cell.is_visible():  # a click on the cell that is chosen already opens it
        page.keyboard.press("Enter")
    cell.wait_for()
    cell.fill(typed)
    page.wait_for_timeout(300)  # the grid takes what was typed over a little later
    page.keyboard.press("Enter")
    settle(page)


def test_a_cell_that_is_typed_into_moves_the_causes_and_stays(chromium: Path) -> None:
    """A point outside its range is told at once; inside it the posteriors move, also after a look at another page."""
    with running_server() as address, running_browser(chromium) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto(address)
        settle(page)
        page.get_by_role("link", name="Your numbers").click()
        page.locator(".rc-own-shifts").wait_for()
        settle(page)
        page.get_by_role("radio", name="Edit numbers").click()
        settle(page)
        page.get_by_label("Words to look for").fill("rate.epidural_hematoma.open")
        page.keyboard.press("Enter")
        page.get_by_text("1 number matches").wait_for()
        settle(page)
        type_point(page, "0.9")
        problem = page.get_by_role("alert")
        assert "got low = 0.003, point = 0.009, high = 0.008" in problem.inner_text()
        type_point(page, "0.7")
        problem.wait_for(state="detached")
        moved = page.locator(".rc-own-shifts").inner_text()
        assert "+" in moved
        page.get_by_role("link", name="Explorer").click()
        page.locator(".st-key-differential").wait_for()
        page.get_by_role("link", name="Your numbers").click()
        page.locator(".rc-own-shifts").wait_for()
        settle(page)
        assert page.locator(".rc-own-shifts").inner_text() == moved
