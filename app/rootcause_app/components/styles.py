"""The style sheet and the icon, read once; both travel with the package, so that nothing is fetched from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def style_html(theme_type: str | None) -> str:
    """The sheet as an element that a page can hold, with the colour scheme that the reader's theme asks for.

    Args:
        theme_type: ``"light"`` or ``"dark"`` as the browser reports it; ``None`` until it has.
    """
    scheme = "dark" if theme_type == "dark" else "light"
    return f"<style>:root {{ color-scheme: {scheme}; }}\n{_sheet()}</style>"


@cache
def _sheet() -> str:
    return (files(__package__) / "style.css").read_text("utf-8")


@cache
def icon() -> str:
    """The icon of the browser's tab, as SVG."""
    return (files(__package__) / "icon.svg").read_text("utf-8")
