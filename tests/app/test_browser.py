"""The pages in a real browser: what only a browser can tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import labels
from served import running_browser, running_server, settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    Scheme = Literal["light", "dark"]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PATHS = ("/", "/network", "/compare", "/sensitivity", "/sources", "/step", "/numbers", "/own")
NAMES = {"/network": "Network", "/own": "Your numbers"}
WIDE = (1280, 1400)
PHONE = (400, 900)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a running server."""
    with running_server() as started:
        yield started


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A running browser."""
    with running_browser(chromium) as started:
        yield started


def opened(browser: Browser, address: str, size: tuple[int, int] = WIDE, scheme: Scheme = "light") -> Page:
    """A page, drawn to the end."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.goto(address)
    settle(page)
    return page


def field(page: Page, finding: str) -> Locator:
    """The group of options of a finding."""
    return page.get_by_role("radiogroup", name=load_vocabulary().observable[finding].label)


def percentage(page: Page, cause: str) -> str:
    """The number that stands beside a cause's bar."""
    return page.locator(f".st-key-bar-{cause} .rc-mean").inner_text()


def test_the_explorer_shows_every_cause_in_order_with_its_interval(browser: Browser, address: str) -> None:
    """Fourteen bars, sorted, each with a whisker; and nothing was asked of any other host."""
    page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text) if "Content Security" in message.text else None)
    page.goto(address)
    settle(page)
    names = page.locator('[class*="st-key-why-"] button').all_inner_texts()
    shares = [
        float(text.removesuffix(" %").lstrip("<>"))
        for text in page.locator(".rc-row:not(.rc-head) .rc-mean").all_inner_texts()
    ]
    assert sorted(names) == sorted([*(cause.label for cause in load_vocabulary().causes.values()), labels.NONE_LABEL])
    assert shares == sorted(shares, reverse=True)
    assert page.locator(".rc-whisker").count() == sum(share > 0 for share in shares)
    assert {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))} == {address.split("/")[2]}
    assert not blocked
    page.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier_that_axe_knows(
    browser: Browser, address: str, scheme: Scheme, size: tuple[int, int], path: str
) -> None:
    """Contrast, names, roles and headings, in both themes and at both widths."""
    page = opened(browser, address + path, size, scheme)
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_numbers_behind_a_cause_have_no_barrier_either(browser: Browser, address: str, scheme: Scheme) -> None:
    """The dialog opens on a click, is named after the cause, and closes by the keyboard."""
    page = opened(browser, address, WIDE, scheme)
    page.locator(".st-key-why-epidural_hematoma button").click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".rc-card").first.wait_for()
    settle(page)
    assert load_vocabulary().causes["epidural_hematoma"].label in dialog.inner_text()
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.close()


@pytest.mark.parametrize("pane", ["Next to examine", "Must not wait", "Evidence so far"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_pane_has_a_barrier_or_scrolls_sideways(
    browser: Browser, address: str, scheme: Scheme, size: tuple[int, int], pane: str
) -> None:
    """The panes behind the first one, too, in both themes and at both widths."""
    page = opened(browser, address, size, scheme)
    page.get_by_role("radio", name=pane).click()
    settle(page)
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert page.locator('[data-testid="stMain"]').evaluate("element => element.scrollWidth") <= size[0]
    page.close()


@pytest.mark.parametrize("pane", ["One or two numbers", "Intervals and ranks", "Structure"])
@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", WIDE)], ids=["light-phone", "dark-wide"])
def test_no_pane_of_the_modelers_page_has_a_barrier(
    browser: Browser, address: str, scheme: Scheme, size: tuple[int, int], pane: str
) -> None:
    """The figures, their tables, and what is folded away below them; the work behind them has ended by then."""
    page = opened(browser, f"{address}/sensitivity", size, scheme)
    page.get_by_role("radio", name=pane).click()
    take = page.get_by_role("button", name="Take it with you").first
    take.wait_for(timeout=60_000)
    settle(page)
    page.get_by_text("The numbers", exact=True).first.click()
    take.click()
    page.get_by_role("button", name="SVG", exact=True).wait_for()
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    assert page.locator('[data-testid="stMain"]').evaluate("element => element.scrollWidth") <= size[0]
    page.close()


def test_a_figure_is_downloaded_as_a_picture_and_as_numbers(browser: Browser, address: str, tmp_path: Path) -> None:
    """The picture is made on the click; the file has the figure's name and its numbers."""
    page = opened(browser, f"{address}/sensitivity")
    page.get_by_role("button", name="Take it with you").first.click()
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"number,meaning,")):
        with page.expect_download() as begun:
            page.get_by_role("button", name=kind, exact=True).click()
        file = tmp_path / begun.value.suggested_filename
        begun.value.save_as(file)
        assert file.name.startswith("rootcause-tornado-")
        assert file.read_bytes().startswith(begins)
    page.close()


@pytest.mark.parametrize("path", ["/network", "/own"])
def test_the_first_visit_of_a_server_may_follow_a_link(browser: Browser, path: str) -> None:
    """A page is found by its address before anybody has seen the Explorer, and nothing is said to be missing."""
    with running_server() as fresh:
        page = opened(browser, fresh + path)
        assert page.get_by_text("Page not found").count() == 0
        assert page.url == fresh + path
        assert page.get_by_role("link", name=NAMES[path]).get_attribute("aria-current") == "page"
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_chosen_of_a_list_can_be_read(browser: Browser, address: str, scheme: Scheme) -> None:
    """A tag has enough contrast on the accent, which is light in the dark theme."""
    page = opened(browser, f"{address}/numbers", WIDE, scheme)
    page.get_by_role("combobox", name="Basis").click()
    page.get_by_role("option", name="cited").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Remove cited").wait_for()
    settle(page)
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found]
    page.close()


@pytest.mark.parametrize("path", PATHS)
def test_nothing_scrolls_sideways_on_a_phone(browser: Browser, address: str, path: str) -> None:
    """At 400 pixels everything fits the width."""
    page = opened(browser, address + path, PHONE)
    for selector in ("html", '[data-testid="stMain"]'):
        assert page.locator(selector).evaluate("element => element.scrollWidth") <= PHONE[0]
    page.close()


def test_the_foot_of_a_phone_shows_urgency_and_the_leading_cause(browser: Browser, address: str) -> None:
    """Whoever enters findings on a phone sees the answer move without scrolling."""
    page = opened(browser, address, PHONE)
    foot = page.locator(".rc-summary")
    assert foot.is_visible()
    leading = page.locator('[class*="st-key-why-"] button').first.inner_text()
    assert leading in foot.inner_text()
    page.close()


def test_a_finding_can_be_reached_and_changed_by_keyboard(browser: Browser, address: str) -> None:
    """Tab goes from finding to finding, arrows choose, the focus stays, and the answer moves."""
    page = opened(browser, address)
    before = percentage(page, "epidural_hematoma")
    radios = field(page, "bladder_bowel_dysfunction").get_by_role("radio")
    field(page, "saddle_anesthesia").locator("input:checked").focus()
    page.keyboard.press("Tab")
    assert radios.nth(0).evaluate("element => element === document.activeElement")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert radios.nth(2).is_checked()
    assert radios.nth(2).evaluate("element => element === document.activeElement")
    assert percentage(page, "epidural_hematoma") != before
    page.close()


def test_a_case_survives_a_look_at_another_page(browser: Browser, address: str) -> None:
    """What was entered is still there after a visit to the numbers and back."""
    page = opened(browser, address)
    field(page, "saddle_anesthesia").get_by_text("present", exact=True).click()
    settle(page)
    shown = percentage(page, "epidural_hematoma")
    page.get_by_role("link", name="Numbers and sources").click()
    page.locator(".rc-parameters").first.wait_for()
    page.get_by_role("link", name="Explorer").click()
    page.locator(".st-key-differential").wait_for()
    settle(page)
    assert percentage(page, "epidural_hematoma") == shown
    assert field(page, "saddle_anesthesia").get_by_role("radio").nth(2).is_checked()
    page.close()


def test_the_steps_draw_a_chart_that_is_also_said_in_words(browser: Browser, address: str) -> None:
    """The lines stand there, and whoever cannot see them is told."""
    page = opened(browser, f"{address}/step")
    page.get_by_role("button", name="Next").click()
    settle(page)
    chart = page.locator('[data-testid="stVegaLiteChart"]')
    chart.locator("canvas, svg").first.wait_for()
    assert page.get_by_label(re.compile("Line chart of the leading causes after finding 1")).count()
    page.close()
