"""Tables as CSV: read back as they are, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause_app.components import sheets

CELLS = st.none() | st.floats(allow_nan=False) | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8)
DANGEROUS = ("=", "+", "-", "@", "\t", "\n")


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_a_cell_comes_back_and_is_never_a_formula(rows: list[tuple[object, object]]) -> None:
    """Numbers as they are; a text that begins like a formula with an apostrophe before it; any other unchanged."""
    columns = ("id", "value")
    sheet = sheets.to_csv(columns, [dict(zip(columns, row, strict=True)) for row in rows])
    head, *read = csv.reader(io.StringIO(sheet, newline=""))
    assert tuple(head) == columns
    for line, row in zip(read, rows, strict=True):
        for text, value in zip(line, row, strict=True):
            if isinstance(value, str):
                plain = value.replace("\r", " ")
                assert text == (f"'{plain}" if plain.startswith(DANGEROUS) else plain)
            else:
                assert text == ("" if value is None else str(value))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("x")'])
def test_a_text_that_looks_like_a_formula_is_guarded_and_a_number_is_not(text: str) -> None:
    """A negative number stays one."""
    (_, row) = csv.reader(io.StringIO(sheets.to_csv(("a", "b"), [{"a": text, "b": -0.25}])))
    assert row == [f"'{text}", "-0.25"]
