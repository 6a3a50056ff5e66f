"""Tables as CSV that a spreadsheet opens as they are."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\n")


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """A header, then one line for each row, with every digit of a number.

    A text that a spreadsheet would run as a formula, which a folder of somebody else's numbers may hold, gets an
    apostrophe before it; numbers are left as they are.

    Args:
        columns: The names of the columns, in order.
        rows: By column; what a row lacks, or has as ``None``, stays empty.
    """
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(map(_plain, columns))
    writer.writerows([_plain(row.get(name)) for name in columns] for row in rows)
    return sheet.getvalue()


def _plain(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", " ")  # alone it ends a line, and is not quoted
    return f"'{text}" if text.startswith(_FORMULA) else text
