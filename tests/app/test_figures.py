"""The modeler's figures: valid pictures, the numbers of the result, files that can be read, and calls that run."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import shutil
from dataclasses import replace
from functools import cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootcause import load_model, shipped_cases
from rootcause.errors import InvalidInputError
from rootcause.priors import shipped_priors
from rootcause.sensitivity.credal import credal_bounds
from rootcause.sensitivity.derivatives import derivatives
from rootcause.sensitivity.functions import sensitivity_function
from rootcause.sensitivity.monte_carlo import monte_carlo
from rootcause.sensitivity.parameters import Number
from rootcause.sensitivity.sobol import sobol
from rootcause.sensitivity.stability import rank_stability
from rootcause.sensitivity.structural import structural
from rootcause.sensitivity.tipping import tipping
from rootcause.sensitivity.tornado import Bar, Tornado, tornado
from rootcause.sensitivity.two_way import TwoWay, two_way
from rootcause.sensitivity.value_of_parameters import value_of_parameters
from rootcause.structure import CAUSES
from rootcause_app.components import figures, labels
from rootcause_app.components.figures import calls, contours, drawing, drawn, export, influence, key, words
from rootcause_app.sensitivity import METHODS, NUMBERS_NEEDED
from rootcause_app.theme import DARK, LIGHT, Palette

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rootcause import Model
    from rootcause_app.components.figures import Figure

CAUSE: Final = "nerve_root_edema"
RIVAL: Final = "slow_nerve_recovery"
FIRST: Final = "rate.nerve_root_edema.microdiscectomy"
SECOND: Final = "onset.nerve_root_edema.days_2_to_7"
TIED: Final = "motor.nerve_root_edema"

SMALL: Final = {"procedure": "open_microdiscectomy", "symptom_onset": 3}
"""A case that so few numbers reach that the long methods take no time."""

NAMES: Final = (
    "tornado",
    "function",
    "two-way",
    "ranks",
    "convergence",
    "intervals",
    "sobol",
    "structural",
    "value",
    "derivatives",
)
PNG: Final = b"\x89PNG\r\n\x1a\n"


@cache
def model() -> Model:
    """The shipped model."""
    return load_model()


@cache
def seed() -> dict[str, Any]:
    """The seed's patient."""
    return dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)


def rivals_of(first: str, second: str) -> list[TwoWay]:
    """The functions of two numbers of all other causes."""
    return [two_way(model(), name, Number(first), Number(second), seed()) for name in CAUSES if name != CAUSE]


@cache
def results() -> dict[str, Any]:
    """One result of each method, from few draws."""
    found: dict[str, Any] = {
        "tornado": tornado(model(), seed(), CAUSE),
        "derivatives": derivatives(model(), CAUSE, seed()),
        "stability": rank_stability(model(), seed()),
        "tipping": tipping(model(), CAUSE, Number(FIRST), seed(), rival=RIVAL),
        "two-way": two_way(model(), CAUSE, Number(FIRST), Number(SECOND), seed()),
        "rivals": rivals_of(FIRST, SECOND),
        "monte-carlo": monte_carlo(model(), seed(), 150),
        "structural": structural(model(), seed(), target=CAUSE),
        "credal": credal_bounds(model(), SMALL, CAUSE, most=2),
        "monte-carlo small": monte_carlo(model(), SMALL, 100),
        "sobol": sobol(model(), SMALL, CAUSE, n=8),
        "value": value_of_parameters(model(), SMALL, n=100),
    }
    shown = [bar.parameter for bar in found["tornado"].bars[: influence.SHOWN]]
    return found | {"swaps": figures.swaps(model(), seed(), CAUSE, found["stability"], shown)}


@cache
def figure(name: str, palette: Palette = LIGHT) -> Figure:
    """One figure of each kind."""
    own, call = results(), "print(1)"
    tip = own["tipping"]
    args = model(), palette, call
    made = {
        "tornado": lambda: figures.tornado(own["tornado"], *args, own["swaps"]),
        "function": lambda: figures.function(tip.function, tip, *args),
        "two-way": lambda: figures.two_way(own["two-way"], *args, own["rivals"]),
        "ranks": lambda: figures.ranks(own["monte-carlo"], *args),
        "convergence": lambda: figures.convergence(own["monte-carlo"], *args),
        "intervals": lambda: figures.intervals(own["credal"], own["monte-carlo small"], *args),
        "sobol": lambda: figures.sobol(own["sobol"], *args),
        "structural": lambda: figures.structural(own["structural"], *args),
        "value": lambda: figures.value(own["value"], *args),
        "derivatives": lambda: figures.derivatives(own["derivatives"], *args),
    }
    return made[name]()


def parts(value: object) -> Iterator[dict[str, Any]]:
    """Every table inside a specification."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(inner)


def drawn_rows(made: Figure) -> list[dict[str, Any]]:
    """Every row of data that a picture holds."""
    return list(chain.from_iterable(made.chart.to_dict()["datasets"].values()))


# ---- every figure ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_valid_and_fits_its_place(name: str, palette: Palette) -> None:
    """By Vega-Lite's schema, as wide as where it stands, without a number that JSON does not know."""
    made = figure(name, palette)
    spec = made.chart.to_dict()
    json.dumps(spec, allow_nan=False)
    assert spec["width"] == "container"
    assert spec["height"] > 100
    lists = [row for row in drawn_rows(made) if any(isinstance(value, list | dict) for value in row.values())]
    assert not lists, "Streamlit hands on no lists in data"
    assert spec["config"]["axis"]["labelColor"] == palette.muted
    other = LIGHT if palette is DARK else DARK
    theirs = {other.text, other.muted, *other.lines}
    assert not [found for part in parts(spec) for found in part.values() if isinstance(found, str) and found in theirs]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_what_it_shows(name: str) -> None:
    """A title, one verdict without ids, the numbers, the source, and a name for its files."""
    made = figure(name)
    assert made.name == name
    assert made.sentence.endswith(".")
    assert "_" not in made.title + made.sentence
    assert made.alternative.startswith(made.title)
    assert made.rows
    assert made.call == "print(1)"
    assert made.stem.startswith(f"rootcause-{name}")
    for told in (model().version, model().digest[:12], labels.RATES[model().rates]):
        assert told in made.source


@pytest.mark.parametrize("name", NAMES)
def test_every_csv_gives_back_the_rows_to_the_last_digit(name: str) -> None:
    """A line for each row, under the names of the columns."""
    made = figure(name)
    read = list(csv.DictReader(io.StringIO(export.csv(made))))
    assert len(read) == len(made.rows)
    for line, row in zip(read, made.rows, strict=True):
        for column, value in row.items():
            text = line[column]
            assert text == ("" if value is None else str(value))
            assert not isinstance(value, float) or float(text) == value


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_becomes_a_file_with_its_words_inside(name: str) -> None:
    """SVG with title, verdict and source; PNG of twice the pixels at twice the scale."""
    made = figure(name)
    drawing_ = export.svg(made)
    assert drawing_.startswith("<svg")
    for told in (made.title.split()[0], made.sentence.split()[-1].rstrip("."), made.source.split(",")[0]):
        assert told.replace("&", "&amp;") in drawing_
    assert "NaN" not in drawing_
    pictures = [export.png(made, scale) for scale in (0.5, 1)]
    assert all(picture.startswith(PNG) for picture in pictures)
    half, whole = (int.from_bytes(picture[16:20], "big") for picture in pictures)
    assert whole == pytest.approx(2 * half, abs=2)
    assert whole > export.WIDTH


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_light_whatever_the_page_was(name: str) -> None:
    """What is taken along from a dark page is what is taken along from a light one."""
    assert export.specification(figure(name, DARK)) == export.specification(figure(name, LIGHT))
    assert export.specification(figure(name))["background"] == "#FFFFFF"


# ---- what the numbers are --------------------------------------------------------------------------------------------


def test_the_tornado_has_every_bar_and_draws_the_widest() -> None:
    """From its posterior at the low end to that at the high end, in the result's order."""
    result, made = results()["tornado"], figure("tornado")
    assert [row["number"] for row in made.rows] == [bar.parameter for bar in result.bars]
    for row, bar in zip(made.rows, result.bars, strict=True):
        assert (row["low"], row["high"]) == (bar.low, bar.high)
        assert (row["posterior_at_low"], row["posterior_at_high"]) == (bar.at_low, bar.at_high)
    pieces = [row for row in drawn_rows(made) if row.get("start") == result.value]
    ends = list(chain.from_iterable((bar.at_low, bar.at_high) for bar in result.bars[: influence.SHOWN]))
    assert [row["end"] for row in pieces] == ends


def test_the_lead_changes_where_the_tornado_says() -> None:
    """At each mark the leading cause and its rival are equally probable, and the mark lies inside the bar."""
    own = results()
    bars = {bar.parameter: bar for bar in own["tornado"].bars}
    leading = own["stability"].leading
    assert own["swaps"]
    for id_, swap in own["swaps"].items():
        first, rival = (sensitivity_function(model(), name, Number(id_), seed()) for name in (leading, swap.rival))
        assert first.value(swap.value) == pytest.approx(rival.value(swap.value), abs=1e-6)
        target = sensitivity_function(model(), CAUSE, Number(id_), seed())
        assert swap.posterior == pytest.approx(target.value(swap.value), abs=1e-9)
        ends = sorted((bars[id_].at_low, bars[id_].at_high))
        assert ends[0] - 1e-9 <= swap.posterior <= ends[1] + 1e-9


def test_the_function_is_the_results_and_so_is_its_rival() -> None:
    """Each row lies on the curve; at the tipping point both are equal; the range and the point are among the rows."""
    tip, made = results()["tipping"], figure("function")
    own, other = f"posterior_of_{CAUSE}", "posterior_of_the_first_other"
    for row in made.rows:
        assert row[own] == pytest.approx(tip.function.value(row["value"]), abs=1e-12)
    special: dict[object, Mapping[str, Any]] = {row["what"]: row for row in made.rows if row["what"] != "curve"}
    assert special["now"]["value"] == tip.point
    ends = special["low end of the range"]["value"], special["high end of the range"]["value"]
    assert ends == tip.low_high
    assert special["tipping point 1"]["value"] == tip.nearest.value
    assert special["tipping point 1"][own] == pytest.approx(special["tipping point 1"][other], abs=1e-9)
    assert special["tipping point 1"]["first_other"] == RIVAL
    assert f"loses the lead to {labels.cause(RIVAL)} at" in made.sentence
    shaded = [row for row in drawn_rows(made) if set(row) == {"value", "end"}]
    assert {(row["value"], row["end"]) for row in shaded} == {tip.low_high}


def test_a_function_without_a_tipping_point_is_drawn_alone() -> None:
    """No rival, no mark."""
    made = figures.function(results()["tipping"].function, None, model(), LIGHT, "")
    assert not [row for row in drawn_rows(made) if row.get("rival")]
    assert {row["what"] for row in made.rows} == {"now", "low end of the range", "high end of the range", "curve"}
    assert "the lead" not in made.sentence


def test_a_level_that_is_reached_is_a_tipping_point_too() -> None:
    """With its words, and without a rival."""
    tip = tipping(model(), CAUSE, Number(TIED), seed(), threshold=0.3)
    made = figures.function(tip.function, tip, model(), DARK, "")
    assert "reaches 0.3" in made.sentence
    assert any("tips at" in str(row.get("words")) for row in drawn_rows(made))


@pytest.mark.parametrize("second", [SECOND, TIED, "onset.nerve_root_edema.within_24h"])
def test_lines_of_equal_value_have_that_value(second: str) -> None:
    """Inside the box of both ranges, for numbers of one table, of several, and shares of one whole."""
    first = SECOND if second.startswith("onset") and second != SECOND else FIRST
    found = two_way(model(), CAUSE, Number(first), Number(second), seed())
    rivals = rivals_of(first, second)
    box = contours.box_of(found)
    lines = contours.lines_of(found, found.numerator, 0.3, box)
    assert lines
    for line in lines:
        assert found.value(line[:, 0], line[:, 1]) == pytest.approx(np.full(len(line), 0.3), abs=1e-6)
        assert (line >= [box.x[0] - 1e-9, box.y[0] - 1e-9]).all()
        assert (line <= [box.x[1] + 1e-9, box.y[1] + 1e-9]).all()
    border = contours.lead_lines(found, rivals, box, 8)
    assert border
    for line in border:
        x, y = line.T
        assert found.value(x, y) == pytest.approx(np.max([one.value(x, y) for one in rivals], axis=0), abs=1e-6)
    made = figures.two_way(found, model(), LIGHT, "", rivals)
    for row in made.rows:
        if row[f"posterior_of_{CAUSE}"] is not None:
            assert row[f"posterior_of_{CAUSE}"] == pytest.approx(float(found.value(row[first], row[second])))  # type: ignore[arg-type]


def test_a_rival_of_other_numbers_is_refused() -> None:
    """Both must be functions of the same two numbers."""
    other = two_way(model(), RIVAL, Number(FIRST), Number(TIED), seed())
    with pytest.raises(InvalidInputError, match="the same two numbers"):
        figures.two_way(results()["two-way"], model(), LIGHT, "", [other])


def test_ranks_are_those_of_the_draws() -> None:
    """Each cause's places sum to 1, and those that are first most often stand on top."""
    result, made = results()["monte-carlo"], figure("ranks")
    firsts = [row["first"] for row in made.rows]
    assert firsts == sorted((share.value for share in result.first.values()), reverse=True)
    for row in made.rows:
        places = tuple(value for name, value in row.items() if name.startswith("place_"))
        assert places == result.ranks[str(row["id"])]
    pieces = [row for row in drawn_rows(made) if "place" in row]
    for name in {str(row["said"]).split(":")[0] for row in pieces}:
        own = [row for row in pieces if str(row["said"]).startswith(f"{name}:")]
        assert all(left["end"] == pytest.approx(right["start"]) for left, right in pairwise(own))
        assert sum(row["end"] - row["start"] for row in own) == pytest.approx(1)
    assert len({row["down"] for row in pieces}) == drawn.SHOWN


def test_the_last_look_at_the_draws_is_the_result() -> None:
    """After all of them: the mean, the percentiles and how often it is first."""
    result, made = results()["monte-carlo"], figure("convergence")
    own, last = result.outcomes[result.leading], made.rows[-1]
    assert last["draws"] == result.n
    assert last["mean"] == pytest.approx(own.mean)
    assert last["mean_error"] == pytest.approx(own.mean_error, rel=0.01)
    assert last["percentile_5"] == pytest.approx(own.quantiles[0.05])
    assert last["percentile_95"] == pytest.approx(own.quantiles[0.95])
    assert last["first"] == pytest.approx(result.first[result.leading].value)
    assert [row["draws"] for row in made.rows] == sorted({row["draws"] for row in made.rows})  # type: ignore[type-var]


def test_convergence_of_another_cause_can_be_asked_for() -> None:
    """And of none that was not drawn."""
    result = results()["monte-carlo"]
    assert figures.convergence(result, model(), LIGHT, "", "none").about == "none"
    with pytest.raises(InvalidInputError, match="cause: must have samples, got 'edema'"):
        figures.convergence(result, model(), LIGHT, "", "edema")
    with pytest.raises(InvalidInputError, match="must have samples"):
        figures.convergence(replace(result, samples={}), model(), LIGHT, "")


def test_intervals_set_bounds_beside_draws() -> None:
    """The asked cause first, with its bounds, which are none of another cause's; the draws as in their result."""
    credal, found, made = results()["credal"], results()["monte-carlo small"], figure("intervals")
    assert made.rows[0]["id"] == CAUSE
    assert (made.rows[0]["lower_certified"], made.rows[0]["upper_certified"]) == credal.bounds.certified
    for row in made.rows:
        name = str(row["id"])
        assert (row["lower_reached"], row["upper_reached"]) == (credal.every[name] if name == CAUSE else (None, None))
        quantiles = found.outcomes[name].quantiles
        assert (row["percentile_5"], row["percentile_95"]) == (quantiles[0.05], quantiles[0.95])


@pytest.mark.parametrize("cause", [CAUSE, "csf_leak"])
def test_where_bounds_and_draws_are_drawn_the_bounds_enclose_the_draws(cause: str) -> None:
    """One box in the picture, of the cause that it is about, and it holds nine of ten draws."""
    found = monte_carlo(model(), SMALL, 400)
    made = figures.intervals(credal_bounds(model(), SMALL, cause, most=10), found, model(), LIGHT, "")
    boxes = [row for row in drawn_rows(made) if row.get("opacity") == drawing.SHADE and "middle" not in row]
    (box,) = [row for row in boxes if str(row["said"]).startswith(f"{labels.cause(cause)}: ")]
    assert len([row for row in boxes if "%" in str(row["said"])]) == 1
    quantiles = found.outcomes[cause].quantiles
    assert box["start"] <= quantiles[0.05] < quantiles[0.95] <= box["end"]


def test_an_end_of_a_range_is_no_tipping_point() -> None:
    """A number that alone overturns the lead does so before the end at which it was looked."""
    credal = results()["credal"]
    own = model().priors.parameters[FIRST]
    lead = replace(credal.lead, alone=((FIRST, own.high, RIVAL),), ends={FIRST: "high"}, over_all_certain=False)
    made = figures.intervals(replace(credal, lead=lead), results()["monte-carlo small"], model(), LIGHT, "")
    assert "alone at the high end of its range" in made.sentence


def test_an_index_that_cannot_be_is_marked() -> None:
    """Noise of the estimate: a first order above the total or below zero; the sentence has both intervals."""
    result = results()["sobol"]
    name, item = next(iter(result.indices.items()))
    for changed, doubt in (
        (replace(item, first=0.5, first_low=0.4, total=0.4), "first above total"),
        (replace(item, first=-0.01, first_low=-0.1, total=0.4), "first not told from 0"),
        (replace(item, first=0.3, first_low=0.2, total=0.4), ""),
    ):
        made = figures.sobol(replace(result, indices={name: changed}), model(), LIGHT, "")
        assert str(made.rows[0]["note"]).startswith(doubt)
        assert bool(made.rows[0]["note"]) is bool(doubt)
        assert any(doubt in str(row.get("words")) for row in drawn_rows(made))
    item = replace(item, first=0.55, first_low=0.42, first_high=0.71)
    assert "55 % (42 to 71 %)" in figures.sobol(replace(result, indices={name: item}), model(), LIGHT, "").sentence


def test_what_tips_stands_before_what_a_phone_cuts_off() -> None:
    """The lead that changes comes first in the line below a number."""
    own, made = results(), figure("tornado")
    notes = [str(row["words"]) for row in drawn_rows(made) if ", now " in str(row.get("words"))]
    assert len(notes) == influence.SHOWN
    tips = [bar.parameter in own["swaps"] for bar in own["tornado"].bars[: influence.SHOWN]]
    assert [" leads " in note.split(" · ")[0] for note in notes] == tips


def test_more_bars_can_be_drawn_and_fewer_numbers_shown() -> None:
    """As many as are asked for; the rows of the slopes are those that are kept."""
    result = results()["tornado"]
    made = figures.tornado(result, model(), LIGHT, "", most=20)
    assert len([row for row in drawn_rows(made) if row.get("start") == result.value]) == 40
    slopes = figures.derivatives(results()["derivatives"], model(), LIGHT, "", lambda id_: id_ == FIRST)
    assert [row["number"] for row in slopes.rows] == [FIRST]


def test_a_value_stands_with_its_error() -> None:
    """Whiskers of 1.96 standard errors, no further than nothing; grey and said where it is not told from that."""
    result = results()["value"]
    name, item = next(iter(result.values.items()))
    item = replace(item, value=0.055, error=0.04, told=False, turns=0.1)
    made = figures.value(replace(result, values={name: item}), model(), LIGHT, "")
    (whisker,) = [row for row in drawn_rows(made) if set(row) == {"at", "end", "down"} and row["end"] < 1]
    assert (whisker["at"], whisker["end"]) == (0.0, pytest.approx(0.055 + 1.96 * 0.04))
    assert any(row.get("words") == "0.055 ± 0.04" for row in drawn_rows(made))
    assert (made.rows[0]["standard_error"], made.rows[0]["told_from_nothing"]) == (0.04, "no")
    assert made.sentence.startswith("Of no single number is it told")
    first, second = replace(item, value=0.06, told=True), replace(item, told=True)
    made = figures.value(replace(result, values={"onset.csf_leak": first, SECOND: second}), model(), LIGHT, "")
    assert "Within the errors, 1 more is worth as much." in made.sentence


@pytest.mark.parametrize(
    ("id_", "rests_on"),
    [("onset.epidural_hematoma", "mixed"), ("onset.epidural_hematoma.days_2_to_7", "derived"), (FIRST, "assumed")],
)
def test_a_whole_rests_on_what_its_shares_rest_on(id_: str, rests_on: str) -> None:
    """Mixed where they differ, so that it is no more assumed than they are."""
    assert words.resting(model(), id_) == rests_on
    assert words.assumed(model(), id_) is (rests_on == "assumed")
    assert (words.published(model(), id_) is None) is (rests_on != "derived")


def test_indices_values_slopes_and_edits_are_the_results() -> None:
    """In their order, with every number."""
    own = results()
    assert [(row["number"], row["first"], row["total"]) for row in figure("sobol").rows] == [
        (name, item.first, item.total) for name, item in own["sobol"].indices.items()
    ]
    assert [(row["number"], row["value"]) for row in figure("value").rows] == [
        (name, item.value) for name, item in own["value"].values.items()
    ]
    slopes = {str(row["number"]): row["slope"] for row in figure("derivatives").rows}
    assert slopes == {id_: item.slope for id_, item in own["derivatives"].numbers.items() if item.slope}
    assert [(row["posterior_before"], row["posterior_after"]) for row in figure("structural").rows] == [
        (own["structural"].posterior, item.posterior) for item in own["structural"].changes
    ]


def test_assumed_numbers_are_told_from_published_ones() -> None:
    """By a dashed edge, as everywhere."""
    result = results()["tornado"]
    shown = result.bars[: influence.SHOWN]
    assert {"assumed", "derived"} <= {bar.basis for bar in shown}
    pieces = [row for row in drawn_rows(figure("tornado")) if row.get("start") == result.value]
    assert [row["dashed"] for row in pieces] == [bar.basis == "assumed" for bar in shown for _ in range(2)]


# ---- laws ------------------------------------------------------------------------------------------------------------

SHARES: Final = st.floats(1e-6, 1 - 1e-6)
ENDS: Final = st.tuples(SHARES, SHARES)


@st.composite
def tornados(draw: st.DrawFn) -> Tornado:
    """Any tornado over some of the model's numbers."""
    chosen = draw(st.lists(st.sampled_from(list(model().priors.parameters.values())), max_size=15, unique_by=id))
    bars = [
        Bar(
            n.id, n.meaning, n.point, n.low, n.high, draw(SHARES), draw(SHARES), n.range, n.basis, n.sources, tied=False
        )
        for n in chosen
    ]
    return Tornado(CAUSE, draw(SHARES), tuple(sorted(bars, key=lambda bar: -bar.width)), 0)


@settings(max_examples=8)
@given(result=tornados())
def test_any_tornado_is_drawn(result: Tornado) -> None:
    """Whichever way its bars lie, every piece lies inside its own row."""
    made = figures.tornado(result, model(), LIGHT, "")
    spec = made.chart.to_dict()
    pieces = [row for row in drawn_rows(made) if "opacity" in row and row.get("start") == result.value]
    assert len(pieces) >= 2 * min(len(result.bars), influence.SHOWN)
    assert all(0 < row["down"] < row["bottom"] <= spec["height"] for row in pieces)
    assert len(made.rows) == len(result.bars)


@given(low=st.floats(-1, 1), width=st.floats(1e-5, 10), most=st.integers(2, 8))
def test_axis_values_are_round_few_and_inside(low: float, width: float, most: int) -> None:
    """Never more than asked for and one, each a multiple of the step between them."""
    found = drawing.steps(low, low + width, most)
    assert len(found) <= most + 1
    assert all(low - 1e-9 <= value <= low + width + 1e-9 for value in found)
    gaps = {round((right - left) / width, 6) for left, right in pairwise(found)}
    assert len(gaps) <= 1 or max(gaps) - min(gaps) < 1e-5


@given(text=st.text(max_size=80), most=st.integers(1, 60))
def test_a_shortened_text_fits(text: str, most: int) -> None:
    """And begins as the whole does."""
    found = words.shortened(text, most)
    assert len(found) <= most
    assert text.startswith(found.rstrip("…")) or found == text


@settings(max_examples=20)
@given(told=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=8))
def test_no_sign_of_a_key_leaves_a_phone(told: list[str]) -> None:
    """Signs that do not fit begin a new line."""
    layers, tall = key.key([key.Sign(text, LIGHT.text) for text in told], LIGHT)
    rows = layers[0].to_dict()
    (placed,) = rows["datasets"].values()
    assert [row["words"] for row in placed] == told
    assert all(0 <= row["left"] < 350 for row in placed)
    assert max(row["down"] for row in placed) < tall


def test_every_number_whole_and_edit_has_words() -> None:
    """No figure shows an id where there is a label."""
    ids = [*model().priors.parameters, *results()["sobol"].indices, *results()["value"].values]
    assert not [id_ for id_ in ids if words.number(model(), id_) == id_ or "_" in words.number(model(), id_)]
    assert not [item.edit for item in results()["structural"].changes if "_" in words.edit(item.edit)]
    assert words.number(model(), "rate.no_such") == "rate.no_such"


@pytest.mark.parametrize(
    ("id_", "said"),
    [
        ("onset.csf_leak", "Onset of CSF leak (5 shares)"),
        ("onset.nerve_root_edema", "Onset of nerve root edema (5 shares)"),
        ("context.procedure", "Operation: its 4 shares"),
    ],
)
def test_a_whole_is_told_by_what_its_shares_are_of(id_: str, said: str) -> None:
    """Its shares vary together, so it is one name."""
    assert words.number(model(), id_) == said


# ---- calls -----------------------------------------------------------------------------------------------------------


def run(script: str) -> tuple[Any, str]:
    """Run a script as its reader would; return its result and what it printed."""
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(script, names)  # noqa: S102 - that it runs is the point
    return names["result"], printed.getvalue()


@pytest.mark.parametrize("method", METHODS)
def test_every_call_runs_and_gives_the_same(method: str) -> None:
    """It prints what the library says of the same question."""
    own = results()
    expected = {
        "one-way": own["tipping"].function,
        "tipping": own["tipping"],
        "sobol": own["sobol"],
        "value": own["value"],
        "credal": own["credal"],
    } | {name: own[name] for name in ("tornado", "two-way", "derivatives", "stability", "monte-carlo", "structural")}
    draws = {"sobol": 8, "value": 100, "monte-carlo": 150}.get(method)
    findings = SMALL if method in {"sobol", "value", "credal"} else seed()
    ids = (FIRST, SECOND)[: NUMBERS_NEEDED.get(method, 0)]
    most = 2 if method == "credal" else None
    script = calls.python_call(method, model(), findings, CAUSE, ids, draws, most=most)
    result, printed = run(script)
    assert printed.strip() == expected[method].to_text().strip()
    assert json.dumps(result.to_dict(), default=str) == json.dumps(expected[method].to_dict(), default=str)
    assert max(map(len, script.splitlines())) <= 100
    assert script.splitlines()[1].startswith("from rootcause.sensitivity import ")


def test_a_call_names_other_numbers_and_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own by its name, never by where it lies, and the rate set where it is not the usual one."""
    folder = tmp_path / 'my "priors"'
    shutil.copytree(str(shipped_priors()), folder)
    own = load_model(folder, rates="literature")
    script = calls.python_call("stability", own, SMALL, CAUSE)
    assert 'rates="literature"' in script
    assert str(tmp_path) not in script
    assert "# the folder of numbers that the server was started with" in script
    monkeypatch.chdir(tmp_path)
    result, _ = run(script)
    assert result == rank_stability(own, SMALL)
    assert "load_model()" in calls.python_call("stability", model(), SMALL, CAUSE)


TEXTS: Final = st.text(max_size=12)
VALUES: Final = (
    TEXTS
    | st.integers(0, 100)
    | st.lists(TEXTS, max_size=3)
    | st.dictionaries(TEXTS, st.floats(0, 1), max_size=3)
    | st.booleans()
)


@given(findings=st.dictionaries(TEXTS, VALUES, max_size=5))
def test_any_findings_are_written_as_they_are(findings: dict[str, Any]) -> None:
    """What was entered comes back from the script, whatever signs it holds, and nothing else is run."""
    script = ast.parse(calls.python_call("tornado", model(), findings, CAUSE))
    (case,) = [
        line.value for line in script.body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "case"
    ]
    assert ast.literal_eval(case) == findings
    assert len(script.body) == 6


@pytest.mark.parametrize(
    ("method", "ids", "said"),
    [
        ("tornados", (), "method: must be one of one-way, .*got 'tornados'"),
        ("one-way", (), "number: one-way needs 1 of the model's numbers, got 0"),
        ("tornado", (FIRST,), "number: tornado takes no number, got 1"),
    ],
)
def test_a_call_that_could_not_run_is_not_written(method: str, ids: tuple[str, ...], said: str) -> None:
    """The sentence names the place, the rule and what was got."""
    with pytest.raises(InvalidInputError, match=said):
        calls.python_call(method, model(), SMALL, CAUSE, ids)
