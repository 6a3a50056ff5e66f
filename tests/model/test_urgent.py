"""What must not wait: the ranking by points lost per hour, its ranges, and the threshold of acting."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause.errors import InvalidInputError
from rootcause.priors import load_priors
from rootcause.shares import Interval
from rootcause.stakes import Stakes, load_stakes
from rootcause.urgent import must_not_wait_text, rank_by_stakes
from rootcause.vocabulary import load_vocabulary

PRIORS = load_priors()
STAKES: Stakes = load_stakes(PRIORS.folder, PRIORS.sources)
CAUSES = tuple(STAKES.causes)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Draw a posterior mean with an interval around it, or without one."""
    low, mean, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
    return (mean, low, high) if draw(st.booleans()) else (mean, None, None)


posteriors = st.dictionaries(st.sampled_from(CAUSES), intervals())


@given(posteriors)
def test_the_ranking_falls_and_each_range_holds_its_value(posterior: dict[str, Interval]) -> None:
    """One row for each cause, the greatest loss first."""
    rows = rank_by_stakes(posterior, STAKES)
    assert sorted(row.cause for row in rows) == sorted(posterior)
    assert [row.loss for row in rows] == sorted((row.loss for row in rows), reverse=True)
    assert all(row.loss_low <= row.loss <= row.loss_high for row in rows)


@given(st.sampled_from(CAUSES), intervals())
def test_the_loss_is_probability_times_harm_over_hours(cause: str, item: Interval) -> None:
    """The factors are shown with the product."""
    (row,) = rank_by_stakes({cause: item}, STAKES)
    stake = STAKES.causes[cause]
    assert row.loss * stake.hours.value == pytest.approx(item[0] * stake.harm.value, rel=1e-12)
    assert (row.harm, row.hours, row.act) == (stake.harm, stake.hours, stake.act)


@given(st.sampled_from(CAUSES), intervals())
def test_the_interval_lies_where_it_is_said_to_lie(cause: str, item: Interval) -> None:
    """Above, not above, or on both sides of the threshold; firm where no threshold of the range changes that."""
    (row,) = rank_by_stakes({cause: item}, STAKES)
    mean, low, high = item
    line = row.threshold
    assert row.above == (mean > line.value)
    if low is None or high is None:
        assert row.interval is None
        assert not row.firm
        return
    assert row.interval == ("above" if low > line.value else "below" if high <= line.value else "across")
    assert row.firm == (low > line.high or high <= line.low)


@given(st.sampled_from(CAUSES), st.floats(0, 1), st.floats(0, 1))
def test_a_more_probable_cause_waits_no_better(cause: str, one: float, other: float) -> None:
    """The loss grows with the probability."""
    less, more = sorted((one, other))
    (first,) = rank_by_stakes({cause: (less, None, None)}, STAKES)
    (second,) = rank_by_stakes({cause: (more, None, None)}, STAKES)
    assert first.loss <= second.loss
    assert first.above <= second.above


@given(posteriors)
def test_the_plain_data_is_json_without_holes(posterior: dict[str, Interval]) -> None:
    """Every row is finite JSON with its sentence."""
    for row in rank_by_stakes(posterior, STAKES):
        data = json.loads(json.dumps(row.to_dict(), allow_nan=False))
        assert data["sentence"].startswith(f"{load_vocabulary().causes[row.cause].label}: ")
        assert data["loss_per_hour"]["value"] == row.loss


def test_a_rare_hematoma_comes_before_a_common_swelling() -> None:
    """Haste is not probability: 5 % hematoma loses more per hour than 60 % edema."""
    rows = rank_by_stakes({"nerve_root_edema": (0.6, 0.4, 0.8), "epidural_hematoma": (0.05, 0.01, 0.15)}, STAKES)
    assert [row.cause for row in rows] == ["epidural_hematoma", "nerve_root_edema"]
    hematoma = rows[0]
    assert hematoma.loss == pytest.approx(0.05 * 80 / 12)
    assert hematoma.loss_low == pytest.approx(0.01 * 50 / 24)
    assert hematoma.loss_high == pytest.approx(0.15 * 100 / 6)
    assert not hematoma.above
    assert hematoma.interval == "across"
    assert hematoma.threshold.value == pytest.approx(5 / 35)


def test_the_sentence_gives_every_factor() -> None:
    """Probability, harm, hours, loss, act, threshold and verdict stand in the text."""
    text = must_not_wait_text(rank_by_stakes({"epidural_hematoma": (0.21, 0.06, 0.45)}, STAKES))
    for piece in (
        "21 % (90 % interval 6 to 45 %)",
        "80 points in 12 h",
        "1.4 points lost per hour",
        "evacuate a clot that compresses",
    ):
        assert piece in text
    assert "above 14 %" in text
    assert "the mean is above, the interval lies on both sides" in text


def test_what_is_assumed_is_said() -> None:
    """A factor without a source is named in the text and in the data; one with a source is not."""
    (row,) = rank_by_stakes({"epidural_hematoma": (0.21, 0.06, 0.45)}, STAKES)
    assert row.assumed == ("harm", "risk")
    assert row.sentence.endswith(" Assumed: harm, risk.")
    assert row.to_dict()["hours"]["sources"] == ["porter-2000", "lawton-1995", "tsujimoto-2023"]


def test_without_an_interval_the_mean_alone_is_judged() -> None:
    """No interval, no word about one."""
    (row,) = rank_by_stakes({"csf_leak": (0.1, None, None)}, STAKES)
    assert "the mean is not above." in row.sentence
    assert "interval" not in row.sentence


def test_a_firm_verdict_is_told_from_one_that_hangs_on_the_threshold() -> None:
    """The text says which."""
    firm, loose = (
        rank_by_stakes({"epidural_hematoma": item}, STAKES)[0] for item in ((0.7, 0.6, 0.9), (0.3, 0.2, 0.4))
    )
    assert (firm.interval, firm.firm) == ("above", True)
    assert (loose.interval, loose.firm) == ("above", False)
    assert "whatever threshold" in firm.sentence
    assert "would change" in loose.sentence


@pytest.mark.parametrize(
    ("posterior", "sentence"),
    [
        ({"hematoma": (0.1, None, None)}, "every cause must have stakes, got 'hematoma' (did you mean"),
        ({"csf_leak": (1.1, None, None)}, "csf_leak: mean must lie from 0 to 1, got 1.1"),
        ({"csf_leak": (float("nan"), None, None)}, "csf_leak: mean must lie from 0 to 1, got nan"),
        ({"csf_leak": (0.1, 0.0, None)}, "csf_leak: an interval must have both ends or none, got one"),
        ({"csf_leak": (0.1, 0.3, 0.2)}, "csf_leak: low must not be above high, got 0.3 and 0.2"),
    ],
    ids=str,
)
def test_what_is_no_posterior_is_refused(posterior: dict[str, Interval], sentence: str) -> None:
    """One sentence says the cause, the rule and what was got."""
    with pytest.raises(InvalidInputError) as caught:
        rank_by_stakes(posterior, STAKES)
    assert sentence in str(caught.value)
