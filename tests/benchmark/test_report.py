"""The report of the benchmark, from made-up timings."""

import json
from xml.etree import ElementTree as ET

import pytest

from .plot import svg
from .report import OURS, PGMPY, PYAGRUM, Report, Row, time_in_words

FAST = Row("fast", {OURS: 2e-6, PYAGRUM: 1e-3, PGMPY: 3.0}, {PYAGRUM: 30, PGMPY: 100}, all_cores=1e-6, difference=1e-15)
SLOW = Row("slow", {OURS: 1e-3, PYAGRUM: 2e-3, PGMPY: 1.0}, {PYAGRUM: 30, PGMPY: 100}, difference=0.0)
ALONE = Row("alone", {OURS: 0.5, PYAGRUM: 1.0}, {PYAGRUM: 2, PGMPY: 100}, note="too large for one")
REPORT = Report(
    [FAST, SLOW, ALONE],
    {"DGEMM": 50.0},
    {"causes": {OURS: [(6, 1e-6), (12, 2e-6)], PYAGRUM: [(6, 1e-3)]}, "cases": {OURS: [(1, 1e-3), (10_000, 1e-6)]}},
)


def test_a_row_is_reached_when_every_ratio_is() -> None:
    """A peer without an answer leaves it open."""
    assert [row.reached for row in REPORT.rows] == [True, False, None]
    assert FAST.ratio(PYAGRUM) == pytest.approx(500)
    assert ALONE.ratio(PGMPY) is None


def test_the_table_says_times_ratios_and_targets() -> None:
    """Every line has as many cells as the head."""
    lines = REPORT.markdown().splitlines()
    table = lines[: lines.index("")]
    assert len(table) == 2 + len(REPORT.rows)
    assert len({line.count(" | ") for line in table}) == 1
    assert table[2] == "| fast | 2 µs | 1 µs | 1 ms | 3 s | 500 (≥ 30) | 1,500,000 (≥ 100) | yes | 1e-15 |  |"
    assert "| 2.0 (≥ 30) | 1,000 (≥ 100) | **no** |" in table[3]
    assert "| 12 | 2 µs | – |" in lines


def test_the_json_holds_the_same() -> None:
    """What programs read has the ratios and whether they are reached."""
    data = json.loads(REPORT.json())
    assert [row["reached"] for row in data["rows"]] == [True, False, None]
    assert data["rows"][0]["ratios"] == pytest.approx({PYAGRUM: 500, PGMPY: 1.5e6})
    assert data["machine"] == {"DGEMM": 50.0}
    assert data["curves"]["causes"][PYAGRUM] == [[6, 1e-3]]


def test_the_plot_is_a_picture_with_numbers_on_its_axes() -> None:
    """Each plot is a panel; ticks stand where something was measured."""
    picture = svg(REPORT.curves)
    words = [text.text for text in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - our own
    assert {"6", "12", "1", "10,000", "1 ms", "1 µs", "causes", "cases"} <= set(words)


def test_times_have_a_fitting_unit() -> None:
    """From nanoseconds to seconds."""
    assert [time_in_words(t) for t in (None, 2e-9, 1.5e-3, 12.0)] == ["–", "2 ns", "1.5 ms", "12 s"]
