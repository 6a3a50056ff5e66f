"""Pictures of the pages: ``python tests/support/screenshots.py OUTDIR``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from served import running_browser, running_server, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE: Final = (1280, 1500)
LOW: Final = (1280, 1100)
PHONE: Final = (400, 2600)


def main(out: Path) -> None:
    """Take every picture.

    Args:
        out: The folder to write to.
    """
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        raise SystemExit(f"no browser: looked for {', '.join(CHROMIUMS)}")
    out.mkdir(parents=True, exist_ok=True)
    with running_server() as address, running_browser(Path(executable)) as browser:
        for scheme in SCHEMES:
            _picture(browser, f"{address}/", out / f"explorer-{scheme}.png", scheme, WIDE)
        _picture(browser, f"{address}/", out / "explorer-400px.png", "light", PHONE)
        _picture(browser, f"{address}/", out / "explorer-400px-first-screen.png", "light", (400, 800))
        _picture(
            browser, f"{address}/", out / "explorer-numbers.png", "light", WIDE, clicks=(".st-key-differential button",)
        )
        for pane in ("Next to examine", "Must not wait", "Evidence so far"):
            name = pane.split()[0].lower()
            clicks = (f'role=radio[name="{pane}"]',)
            for scheme in SCHEMES:
                _picture(browser, f"{address}/", out / f"{name}-{scheme}.png", scheme, WIDE, clicks=clicks)
            _picture(browser, f"{address}/", out / f"{name}-400px.png", "light", PHONE, clicks=clicks)
        for pane in ("Which numbers", "One or two numbers", "Intervals and ranks", "Structure"):
            name = f"sensitivity-{pane.split()[0].lower()}"
            clicks = (f'role=radio[name="{pane}"]',)
            for scheme in SCHEMES:
                _picture(browser, f"{address}/sensitivity", out / f"{name}-{scheme}.png", scheme, WIDE, clicks=clicks)
            _picture(browser, f"{address}/sensitivity", out / f"{name}-400px.png", "light", PHONE, clicks=clicks)
        for path, size in (("network", LOW), ("compare", LOW), ("sources", WIDE), ("own", WIDE)):
            for scheme in SCHEMES:
                _picture(browser, f"{address}/{path}", out / f"{path}-{scheme}.png", scheme, size)
            _picture(browser, f"{address}/{path}", out / f"{path}-400px.png", "light", PHONE)
        for scheme in SCHEMES:
            _picture(browser, f"{address}/step", out / f"step-{scheme}.png", scheme, LOW, presses=4)
        _picture(browser, f"{address}/step", out / "step-400px.png", "light", PHONE, presses=2)
        _picture(browser, f"{address}/numbers", out / "numbers-light.png", "light", (1280, 1000))
        _picture(browser, f"{address}/numbers", out / "numbers-400px.png", "dark", (400, 1200))


def _picture(
    browser: Browser,
    address: str,
    file: Path,
    scheme: Scheme,
    size: tuple[int, int],
    clicks: tuple[str, ...] = (),
    presses: int = 0,
) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.goto(address)
    settle(page)
    for selector in clicks:
        page.locator(selector).first.click()
        settle(page)
    for _ in range(presses):
        _next(page)
    page.wait_for_timeout(300)
    page.screenshot(path=str(file))
    page.close()


def _next(page: Page) -> None:
    page.get_by_role("button", name="Next").click()
    settle(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
