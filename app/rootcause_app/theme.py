"""Colours and Streamlit's settings, in one place; every pair of colours here was checked for contrast by axe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours that a chart needs, since Vega draws its text black unless told otherwise."""

    text: str
    muted: str
    grid: str
    lines: tuple[str, ...]


# Okabe and Ito's palette, darkened for white and lightened for navy until every line stands out from its ground.
LIGHT: Final = Palette("#1B2733", "#566472", "#DDE3E9", ("#005A9C", "#B24A00", "#00735C", "#8F3A73", "#7A5C00"))
DARK: Final = Palette("#E6EDF3", "#A3B1BF", "#2C3947", ("#7CC4FF", "#FFA95C", "#4FD1AE", "#F0A3CF", "#F0D75C"))

_SHARED: Final[dict[str, object]] = {
    "base": "light",
    "baseFontSize": 15,
    "baseRadius": "6px",
    "headingFontWeights": [650, 650, 600, 600, 600, 600],
    "headingFontSizes": ["1.6rem", "1.15rem", "1.05rem", "1rem", "1rem", "1rem"],
    "showWidgetBorder": True,
}
_LIGHT: Final[dict[str, object]] = {
    "primaryColor": "#005A9C",
    "backgroundColor": "#FFFFFF",
    "secondaryBackgroundColor": "#F3F6F9",
    "textColor": LIGHT.text,
    "linkColor": "#005A9C",
    "borderColor": "#C9D2DB",
}
_DARK: Final[dict[str, object]] = {
    "primaryColor": "#7CC4FF",
    "backgroundColor": "#10161D",
    "secondaryBackgroundColor": "#1A232D",
    "textColor": DARK.text,
    "linkColor": "#7CC4FF",
    "borderColor": "#3A4856",
}


def palette(theme_type: str | None) -> Palette:
    """The palette for the theme that the browser reports; light until it has."""
    return DARK if theme_type == "dark" else LIGHT


def streamlit_options(host: str, port: int) -> dict[str, object]:
    """Streamlit's settings: no call home, no file watching, no error details in a browser, both themes.

    Args:
        host: Where the server listens.
        port: On which port.
    """
    options: dict[str, object] = {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,
        "browser.serverPort": port,
        "client.allowedOrigins": [],
        "client.disableDataExport": True,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "global.developmentMode": False,
        "server.address": host,
        "server.port": port,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxMessageSize": 20,
        "server.maxUploadSize": 5,
        "server.maxWidgetStateSize": 5,
        "server.runOnSave": False,
    }
    options |= {f"theme.{name}": value for name, value in _SHARED.items()}
    options |= {f"theme.light.{name}": value for name, value in _LIGHT.items()}
    options |= {f"theme.dark.{name}": value for name, value in _DARK.items()}
    return options
