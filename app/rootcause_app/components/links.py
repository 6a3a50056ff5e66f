"""A link that carries a case: the findings themselves, packed into one parameter of an address.

What is packed is compact JSON, compressed (zlib, RFC 1950) and written in the letters that an address may hold
(base64url, RFC 4648), behind the version of this packing. Nothing is encrypted: ``WARNING`` says what that means. The
order of entry is kept, for the sheet of evidence follows it.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from rootcause.case import loads_json
from rootcause.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

PARAMETER: Final = "case"
"""Name of the query parameter."""

WARNING: Final = (
    "The link holds the findings themselves, readable by anyone: by whoever gets it, and by every server, proxy and "
    "browser history that it passes. Do not add a name, a date of birth or anything else that tells who the patient is."
)

LONGEST_LINK: Final = 8_000
"""Characters; longer addresses are cut or refused on the way."""

LARGEST: Final = 65_536
"""Bytes of the JSON that a link may hold."""

_VERSION: Final = "1."
_LETTERS: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_WHERE: Final = "link"


def encode(findings: Mapping[str, Any]) -> str:
    """Pack a case for an address.

    Args:
        findings: The table of findings, or a table with ``examinations``; plain data, in the order of entry.

    Returns:
        Letters, digits, ``-``, ``_`` and ``.`` alone, at most ``LONGEST_LINK``.

    Raises:
        InvalidInputError: If the case is too large, or holds what JSON cannot.
    """
    if not isinstance(findings, dict):
        raise InvalidInputError(f"{_WHERE}: a case must be a table, got another kind of value")
    try:
        text = json.dumps(findings, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(f"{_WHERE}: every value must be one that JSON can hold, got another") from None
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode("ascii"), 9)).rstrip(b"=").decode("ascii")
    link = _VERSION + packed
    if len(link) > LONGEST_LINK or len(text) > LARGEST:
        raise InvalidInputError(
            f"{_WHERE}: a case must fit in {LONGEST_LINK} characters, got {len(link)}: send it as a file"
        )
    if decode(link) != findings:  # names that are not text, lists that are not lists: they would come back as others
        raise InvalidInputError(f"{_WHERE}: every value must be one that JSON can hold, got another")
    return link


def decode(text: str) -> dict[str, Any]:
    """Unpack a case from an address.

    Args:
        text: What ``encode`` returned.

    Returns:
        The same case; whether it fits the vocabulary is for the model to say.

    Raises:
        InvalidInputError: If the text is not such a link, whole and unharmed, or holds too much.
    """
    if not text:
        raise InvalidInputError(f"{_WHERE}: must hold a case, got nothing")
    if len(text) > LONGEST_LINK:
        raise InvalidInputError(f"{_WHERE}: must not be longer than {LONGEST_LINK} characters, got {len(text)}")
    if not text.startswith(_VERSION):
        raise InvalidInputError(f"{_WHERE}: must begin with {_VERSION!r}, got {text[: len(_VERSION)]!r}")
    data = loads_json(_unpacked(text.removeprefix(_VERSION)), _WHERE)
    if not isinstance(data, dict):
        raise InvalidInputError(f"{_WHERE}: must hold a table, got another kind of value")
    return data


def _unpacked(letters: str) -> str:
    if not _LETTERS.fullmatch(letters):
        raise InvalidInputError(f"{_WHERE}: must hold letters, digits, '-' and '_' alone, got others or none")
    unpacking = zlib.decompressobj()
    try:
        packed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
        raw = unpacking.decompress(packed, LARGEST + 1)
    except (ValueError, zlib.error):
        raise InvalidInputError(f"{_WHERE}: must be whole and unchanged, got one that is damaged") from None
    if len(raw) > LARGEST:
        raise InvalidInputError(f"{_WHERE}: must not unpack to more than {LARGEST} bytes, got more")
    if not unpacking.eof or unpacking.unused_data:
        raise InvalidInputError(f"{_WHERE}: must be whole and unchanged, got one that is cut or continued")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{_WHERE}: must hold UTF-8 text, got other bytes") from None
