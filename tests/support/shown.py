"""What a page shows, read from Streamlit's own test of it."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


def html_of(page: AppTest) -> list[str]:
    """Every piece of HTML on a page, in order, without the style sheet."""
    return [element.proto.body for element in page.get("html") if not element.proto.body.startswith("<style>")]


def words_of(page: AppTest) -> str:
    """What a reader reads in the HTML of a page."""
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(html_of(page))))


def bars_of(page: AppTest) -> dict[str, str]:
    """The differential as shown: each name with its percentage, in the order of the page."""
    names = [button.label for button in page.button if str(button.key).startswith("why-")]
    shown = [re.search(r'class="rc-mean">([^<]+)', body) for body in html_of(page) if '<div class="rc-track"' in body]
    return {name: unescape(found.group(1)) for name, found in zip(names, shown, strict=True) if found}
