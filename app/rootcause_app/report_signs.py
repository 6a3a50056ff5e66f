"""Text in the signs that the standard fonts of PDF have: those of Western Europe (code page 1252)."""

from __future__ import annotations

import unicodedata
from typing import Final

_STANDS_FOR: Final = str.maketrans(
    {
        "\N{MINUS SIGN}": "\N{EN DASH}",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{THIN SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": "\N{NO-BREAK SPACE}",
    }
)


def western(text: str) -> str:
    """A text in those signs: any other by its plain form, as c for č, or as a question mark.

    Args:
        text: Any text.
    """
    return "".join(map(_plain, text.translate(_STANDS_FOR)))


def _plain(sign: str) -> str:
    if _printable(sign):
        return sign
    simple = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    return simple if simple and all(map(_printable, simple)) else "?"


def _printable(sign: str) -> bool:
    try:
        sign.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
