"""Local counts update cited numbers: conjugate, checked against integration, and lawful."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rootcause.conjugate import Beta
from rootcause.errors import InvalidInputError
from rootcause.local_counts import MOST_PATIENTS, LocalRate, LocalShares, read_local
from rootcause.local_rates import SURPRISE, Update, rests_on, update, updated
from rootcause.priors import COVERAGE, SHARE_GROUPS, Parameter, load_priors, share_groups
from rootcause.uncertainty import concentrations, draw

PARAMETERS = load_priors().parameters
RATE = "rate.epidural_hematoma.open_microdiscectomy"
PROCEDURES = ("open_microdiscectomy", "microendoscopic_discectomy", "percutaneous_discectomy", "fusion")
SINGLE = [id_ for id_ in PARAMETERS if id_.split(".")[0] not in SHARE_GROUPS]

ids = st.sampled_from(SINGLE)
weights = st.floats(0.05, 1)


@st.composite
def counts(draw_: st.DrawFn, least: int = 0) -> tuple[int, int]:
    """Events, and patients of at least as many."""
    of = draw_(st.integers(least, 5_000))
    return draw_(st.integers(0, of)), of


def one(local: LocalRate, number: Parameter | None = None) -> Update:
    """The update of a number, or of another that stands in its place."""
    (found,) = update(PARAMETERS if number is None else {number.id: number}, local)
    return found


@given(st.floats(2, 50), st.floats(2, 500), st.floats(0.25, 1), st.integers(0, 30), st.integers(0, 200))
@settings(max_examples=25)
def test_the_posterior_is_that_of_numerical_integration(a: float, b: float, weight: float, k: int, more: int) -> None:
    """Prior to the power w times the binomial likelihood, normed by quadrature, has the conjugate mean and spread."""
    n = k + more
    posterior = Beta(a, b).weighted(weight).updated(k, n)
    logit = np.linspace(-60, 60, 120_001)  # so that a density without bound at an end costs nothing
    log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    prior = weight * ((a - 1) * log_p + (b - 1) * log_q) + (weight - 1) * (log_p + log_q)  # over dp / (p q)
    log = prior + k * log_p + (n - k) * log_q + log_p + log_q
    density = np.exp(log - log.max())
    density /= density.sum()
    p = np.exp(log_p)
    mean = float(density @ p)
    assert mean == pytest.approx(posterior.mean, rel=1e-6)
    known = stats.beta(posterior.a, posterior.b)
    assert float(density @ (p - mean) ** 2) == pytest.approx(known.var(), rel=1e-5)


@given(st.floats(0.6, 50), st.floats(0.6, 500), counts(1))
def test_the_tail_is_scipys_beta_binomial(a: float, b: float, counted: tuple[int, int]) -> None:
    """P(at least, or at most, so many) before anything was counted."""
    events, of = counted
    known = stats.betabinom(of, a, b)
    low = events <= of * a / (a + b)
    expected = known.pmf(np.arange(events + 1) if low else np.arange(events, of + 1)).sum()
    assert Beta(a, b).tail(events, of) == pytest.approx(min(expected, 1), rel=1e-4, abs=1e-12)


@given(ids)
def test_nobody_counted_and_all_of_the_literature_changes_nothing(id_: str) -> None:
    """The number stays as it was written, range and basis included."""
    found = one(LocalRate(id_, 0, 0))
    assert found.after == PARAMETERS[id_]
    assert found.posterior == found.matched
    assert found.tail is None


@given(ids, counts(), counts(), weights)
def test_the_order_of_two_batches_does_not_matter(
    id_: str, first: tuple[int, int], second: tuple[int, int], weight: float
) -> None:
    """Nor whether they are added up before."""
    literature = one(LocalRate(id_, 0, 0)).matched.weighted(weight)
    one_way = literature.updated(*first).updated(*second)
    other_way = literature.updated(*second).updated(*first)
    pooled = literature.updated(first[0] + second[0], first[1] + second[1])
    for found in (other_way, pooled):
        assert (found.a, found.b) == pytest.approx((one_way.a, one_way.b))


@given(ids, counts(1), weights)
def test_the_point_lies_between_the_literature_and_the_count(id_: str, counted: tuple[int, int], weight: float) -> None:
    """A mean of two means."""
    found = one(LocalRate(id_, *counted, weight)).posterior.mean
    ends = sorted((PARAMETERS[id_].point, counted[0] / counted[1]))
    assert ends[0] - 1e-12 <= found <= ends[1] + 1e-12


@given(ids, counts(10), weights, st.floats(0.05, 1))
def test_the_less_the_literature_counts_the_nearer_the_count(
    id_: str, counted: tuple[int, int], weight: float, less: float
) -> None:
    """The slider moves the point one way alone."""
    share = counted[0] / counted[1]
    literature = one(LocalRate(id_, 0, 0)).matched
    near, far = (abs(literature.weighted(w).updated(*counted).mean - share) for w in (weight * less, weight))
    assert near <= far + 1e-12


@given(ids, st.integers(50, 5_000))
def test_more_patients_narrow_the_range(id_: str, of: int) -> None:
    """Ten times the patients with the literature's own share of events: a narrower range around the same point."""
    literature = one(LocalRate(id_, 0, 0)).matched
    events = literature.mean * of
    few, many = (Beta(literature.a + times * events, literature.b + times * (of - events)) for times in (1, 10))
    widths = [high - low for low, high in (few.interval(0.9), many.interval(0.9))]
    assert widths[1] < widths[0]
    assert few.mean == pytest.approx(many.mean)


@given(ids, counts(20), weights)
def test_the_new_range_makes_the_posterior_of_the_draws(id_: str, counted: tuple[int, int], weight: float) -> None:
    """The Beta matched to the new range is the posterior: what is drawn is what was updated."""
    found = one(LocalRate(id_, *counted, weight))
    number, posterior = found.after, found.posterior
    assert number.basis == "derived"
    assert number.low < number.point < number.high
    assert number.point == pytest.approx(posterior.mean, rel=0.01)
    mass = stats.beta(posterior.a, posterior.b).cdf([number.low, number.high])
    assert mass[1] - mass[0] == pytest.approx(COVERAGE[number.range], abs=0.005)
    assert concentrations([number])[0] == pytest.approx(posterior.size, rel=0.03)


def test_at_weight_nought_jeffreys_stands_for_the_literature() -> None:
    """Beta(1/2 + k, 1/2 + n - k), and the derivation says so."""
    found = one(LocalRate(RATE, 12, 480, 0, "own registry"))
    assert found.posterior == Beta(12.5, 468.5)
    assert "Jeffreys" in found.after.derivation
    assert "12 of 480 at one's own hospital (own registry)" in found.after.derivation


def test_a_count_against_the_literature_is_worked_out_by_hand() -> None:
    """The range 0.3 to 0.8 % around 0.5 % stands for 2,311 patients; with 12 of 480 that is 23.55 of 2,791."""
    found = one(LocalRate(RATE, 12, 480))
    assert found.matched.size == pytest.approx(2310.96, abs=0.01)
    assert found.after.point == pytest.approx(23.5548 / 2790.96, rel=1e-3)
    assert found.after.sources == PARAMETERS[RATE].sources
    assert found.tail is not None
    assert found.tail < SURPRISE
    assert "fewer than 1 in 1,000 hospitals" in found.sentence
    assert "Ask first whether the same thing was counted" in found.sentence


@given(ids, counts(1))
def test_an_assumption_is_never_called_published(id_: str, counted: tuple[int, int]) -> None:
    """What is said of a number, with a count and without one, has the word of its basis."""
    number = PARAMETERS[id_]
    found = one(LocalRate(id_, *counted))
    bare = one(LocalRate(id_, 0, 0)).sentence
    for said in (found.sentence, found.after.derivation.removeprefix(number.derivation)):
        assert f"the {number.basis} " in said
        assert "published" not in said
    assert ("assumption" in bare) == (number.basis == "assumed")
    assert rests_on([number]) in bare
    assert found.surprise == ("which is a surprise" in found.sentence)


def test_a_count_as_expected_is_no_surprise() -> None:
    """And the sentence says how often it would be seen."""
    found = one(LocalRate(RATE, 2, 480))
    assert found.tail is not None
    assert found.tail > 0.3
    assert "which is no surprise." in found.sentence


def test_a_fitted_number_is_no_longer_fitted() -> None:
    """What was counted replaces what was fitted, and its value before fitting goes."""
    fitted = replace_fields(PARAMETERS[RATE], basis="fitted", unfitted=0.004)
    found = one(LocalRate(RATE, 3, 100), fitted).after
    assert (found.basis, found.unfitted) == ("derived", None)


def replace_fields(number: Parameter, **fields: object) -> Parameter:
    """A number with some fields changed."""
    return number.model_copy(update=fields)


@given(st.lists(st.integers(2, 400), min_size=4, max_size=4), st.sampled_from([0, 0.3, 1]))
def test_shares_of_one_whole_move_together(numbers: list[int], weight: float) -> None:
    """A Dirichlet: the shares still sum to one, each is its own Beta, and their draws have one concentration."""
    local = LocalShares("context.procedure", dict(zip(PROCEDURES, numbers, strict=True)), weight)
    found = update(PARAMETERS, local)
    after = {item.after.id: item.after for item in found}
    assert abs(sum(number.point for number in after.values()) - 1) < 1e-9
    sizes = {round(item.posterior.size, 6) for item in found}
    assert len(sizes) == 1
    assert [item.events for item in found] == numbers
    assert sum(item.posterior.mean for item in found) == pytest.approx(1)
    assert [item.after.point for item in found] == pytest.approx([item.posterior.mean for item in found], rel=2e-3)
    drawn = draw({**PARAMETERS, **after}, after, 4, 1)
    np.testing.assert_allclose(sum(drawn.values()), 1)


def test_several_counts_are_one_update_each() -> None:
    """By the id of the number; two counts of one number are refused with all other problems at once."""
    rate = LocalRate(RATE, 12, 480)
    assert len(updated(PARAMETERS, [rate, LocalShares("context.procedure", dict.fromkeys(PROCEDURES, 5))])) == 5
    with pytest.raises(InvalidInputError) as refused:
        updated(PARAMETERS, [rate, replace(rate, events=1), LocalRate("rate.x", 1, 2)])
    said = str(refused.value).splitlines()
    assert said[0] == f"{RATE}: must be counted once, got two counts: add them up"
    assert said[1].startswith("rate.x: must be a number of the model, got none of that name")


@pytest.mark.parametrize(
    ("local", "said"),
    [
        (LocalRate("rate.epidural_hematoma.open_microdiscectom", 1, 2), "(did you mean 'rate.epidural_hematoma.open"),
        (LocalRate("context.procedure.fusion", 1, 2), "is a share of a whole: count every share of context.procedure"),
        (LocalRate("context.procedure", 1, 2), "it is a whole, give the counts of its shares"),
        (LocalRate(RATE, 3, 2), "events must not be more than the patients, got 3 of 2"),
        (LocalRate(RATE, -1, 2), "events must be a whole number of at least 0, got -1"),
        (LocalRate(RATE, 1, MOST_PATIENTS + 1), f"of must be at most {MOST_PATIENTS} patients"),
        (LocalRate(RATE, 1, 2, 1.5), "weight must lie from 0 to 1, got 1.5"),
        (LocalRate(RATE, 1, 2, float("nan")), "weight must lie from 0 to 1, got nan"),
        (LocalRate(RATE, 0, 0, 0), "the model's number or the own counts must count, got weight 0 and no patient"),
        (LocalRate(RATE, 0, 1, 1e-6), "let the number of the model count more"),
        (LocalShares("context.procedure", {"fusion": 2}), "must have a count for each of open_microdiscectomy,"),
        (LocalShares("context.procedures", {"fusion": 2}), "(did you mean 'context.procedure'?)"),
        (LocalShares("context.procedure", dict.fromkeys(PROCEDURES, -1)), "count must be a whole number of at least 0"),
    ],
)
def test_what_is_no_count_is_refused_in_one_sentence(local: LocalRate | LocalShares, said: str) -> None:
    """It names the number, the rule and what was got."""
    with pytest.raises(InvalidInputError) as refused:
        update(PARAMETERS, local)
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_every_number_can_be_counted() -> None:
    """Thirty of a hundred for each single number; equal counts for the shares of every whole."""
    for id_ in SINGLE:
        assert one(LocalRate(id_, 30, 100)).after.derivation != PARAMETERS[id_].derivation
    for whole, members in share_groups(PARAMETERS).items():
        names = [member.rpartition(".")[2] for member in members]
        assert len(update(PARAMETERS, LocalShares(whole, dict.fromkeys(names, 10)))) == len(members)


def test_a_file_of_counts_is_read(tmp_path: Path) -> None:
    """A table for each number; the weight is 1 where it is left out."""
    file = tmp_path / "local.toml"
    file.write_text(
        f'[[local]]\nid = "{RATE}"\nevents = 12\nof = 480\nsource = "registry"\n'
        '[[local]]\nid = "context.procedure"\nweight = 0.5\ncounts = { fusion = 3 }\n',
        "utf-8",
    )
    assert read_local(file) == (
        LocalRate(RATE, 12, 480, 1.0, "registry"),
        LocalShares("context.procedure", {"fusion": 3}, 0.5),
    )


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """One line for each broken rule, with the number of the table."""
    file = tmp_path / "local.toml"
    file.write_text(
        '[[local]]\nid = "a"\nevents = 1.5\nof = 2\nwieght = 1\n[[local]]\nid = "b"\nevents = 1\n'
        '[[local]]\nid = "c"\nevents = 1\nof = 2\nweight = 2\n[locals]\n',
        "utf-8",
    )
    with pytest.raises(InvalidInputError) as refused:
        read_local(file)
    said = str(refused.value)
    assert "local.toml: must hold tables [[local]] alone, got 'locals' (did you mean 'local'?)" in said
    assert "local.toml: local 1: events: " in said
    assert "must not have a field 'wieght' (did you mean 'weight'?)" in said
    assert "local 2: must have events and of, or counts of every share, got events" in said
    assert "local 3: weight: " in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold at least one table"),
        ("local = 3", "local must be a list of tables, written [[local]], got another kind of value"),
        ("local = [3]", "local 1: "),
        ("[[local", "must be valid TOML"),
        (None, "must be a readable file"),
    ],
)
def test_a_file_that_holds_no_counts_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    """Whatever it holds instead."""
    file = tmp_path / "local.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(InvalidInputError, match=r"local\.toml: ") as refused:
        read_local(file)
    assert said in str(refused.value)
