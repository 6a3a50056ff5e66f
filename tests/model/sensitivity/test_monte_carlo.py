"""Draws of all numbers: what is drawn, what is counted, how sure it is, and that it can be stopped."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from rootcause import Model
from rootcause.case import parse_case
from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.priors import COVERAGE, share_groups
from rootcause.sensitivity.draws import CHUNK, Sampler, draw_logit_normal, spread
from rootcause.sensitivity.monte_carlo import monte_carlo
from rootcause.sensitivity.questions import ask
from rootcause.sensitivity.subjects import EntryRange
from rootcause.uncertainty import concentrations

RANGES = (EntryRange("smoke", {}, "yes", 0.3, 0.7), EntryRange("bronc", {"smoke": "yes"}, "yes", 0.4, 0.75))


# ---- draws ----------------------------------------------------------------------------------------------------------


def test_few_draws_are_those_of_the_diagnosis(model: Model, patient: Mapping[str, object]) -> None:
    """The intervals of an answer and of this page come from the same draws, as long as they fit in one chunk."""
    found = monte_carlo(model, patient, 300, 7)
    expected = model.draws(parse_case(patient), 300, 7)
    np.testing.assert_allclose(found.samples["epidural_hematoma"], expected.causes["epidural_hematoma"], atol=1e-12)
    np.testing.assert_allclose(found.samples["none"], expected.none, atol=1e-12)


def test_more_draws_keep_the_full_chunks_of_fewer(asia: Engine) -> None:
    """So a run that is made longer does not throw away what was there."""
    fewer = monte_carlo(asia, {"dysp": "yes"}, 2 * CHUNK, 3, target="bronc", ranges=RANGES)
    more = monte_carlo(asia, {"dysp": "yes"}, 2 * CHUNK + 500, 3, target="bronc", ranges=RANGES)
    np.testing.assert_array_equal(fewer.samples["yes"], more.samples["yes"][: 2 * CHUNK])
    assert not np.array_equal(more.samples["yes"][:500], more.samples["yes"][CHUNK : CHUNK + 500])


def test_the_logit_normal_alternative_has_its_median_at_the_point_and_its_coverage_in_the_range(model: Model) -> None:
    """For every number that stands alone, by the definition of the distribution."""
    shares = {id_ for ids in share_groups(model.priors.parameters).values() for id_ in ids}
    alone = [item for id_, item in model.priors.parameters.items() if id_ not in shares]
    logit = [[math.log(p / (1 - p)) for p in (item.low, item.point, item.high)] for item in alone]
    low, middle, high = np.array(logit).T
    inside = norm.cdf((high - middle) / spread(alone)) - norm.cdf((low - middle) / spread(alone))
    np.testing.assert_allclose(inside, [COVERAGE[item.range] for item in alone], atol=1e-9)
    ids = [item.id for item in alone[:5]]
    drawn = draw_logit_normal(model.priors.parameters, ids, 4000, 1)
    for item in alone[:5]:
        below = int((drawn[item.id] < item.point).sum())
        assert binom(4000, 0.5).cdf(below) > 1e-5 < binom(4000, 0.5).sf(below)


@pytest.mark.parametrize("family", ["beta", "logit_normal"])
def test_shares_of_one_whole_are_drawn_together(model: Model, family: str) -> None:
    """They sum to one in every draw, whichever family, and asking for one brings the others."""
    question, _ = ask(model, {})
    ids = ("onset.epidural_hematoma.days_2_to_7", "rate.nerve_root_edema.microdiscectomy")
    numbers = Sampler(question.subject, ids, family).sample(500, 1)
    shares = [values for id_, values in numbers.items() if id_.startswith("onset.epidural_hematoma.")]
    assert len(shares) > 1
    np.testing.assert_allclose(np.sum(shares, axis=0), 1, atol=1e-12)


# ---- what is counted ------------------------------------------------------------------------------------------------


def test_the_spread_of_a_drawn_number_is_that_of_its_distribution(asia: Engine) -> None:
    """P(smoke) without evidence is the number itself: Beta with the point as mean and 90 % in the range."""
    ranges = [EntryRange("smoke", {}, "yes", 0.3, 0.7)]
    found = monte_carlo(asia, {}, 20_000, 5, target="smoke", ranges=ranges).outcomes["yes"]
    question, _ = ask(asia, {}, "smoke", None, ranges)
    sampler = Sampler(question.subject, question.ids())
    kappa = float(concentrations(sampler.parameters.values())[0])
    own = beta(kappa / 2, kappa / 2)
    assert own.cdf(0.7) - own.cdf(0.3) == pytest.approx(0.9, abs=1e-6)
    assert abs(found.mean - 0.5) < 5 * found.mean_error
    for share, value in found.quantiles.items():
        assert abs(value - own.ppf(share)) < 5 * found.errors[share]


def test_the_standard_error_of_a_quantile_is_that_of_repeated_runs(asia: Engine) -> None:
    """Over 60 runs, the quantiles spread about as far as one run says they do."""
    runs = [
        monte_carlo(asia, {"dysp": "yes"}, 600, seed, target="bronc", ranges=RANGES).outcomes["yes"]
        for seed in range(60)
    ]
    for share in (0.05, 0.5, 0.95):
        spread_ = np.std([run.quantiles[share] for run in runs], ddof=1)
        said = np.median([run.errors[share] for run in runs])
        assert 0.6 < spread_ / said < 1.6


def test_ranks_are_shares_of_the_draws(model: Model, patient: Mapping[str, object]) -> None:
    """Each outcome has one rank in each draw, each rank one outcome; the first ones are counted from the samples."""
    found = monte_carlo(model, patient, 400, 2)
    ranks = np.array(list(found.ranks.values()))
    np.testing.assert_allclose(ranks.sum(axis=0), 1)
    np.testing.assert_allclose(ranks.sum(axis=1), 1)
    samples = np.array([found.samples[name] for name in found.first])
    counted = np.bincount(samples.argmax(axis=0), minlength=len(samples)) / 400
    np.testing.assert_allclose([share.value for share in found.first.values()], counted)
    share = found.first["nerve_root_edema"]
    assert share.error == pytest.approx(math.sqrt(share.value * (1 - share.value) / 400))


def test_a_share_that_never_happened_is_not_said_to_be_certain(asia: Engine) -> None:
    """Zero of n draws has the error 1 / n, not zero."""
    found = monte_carlo(asia, {}, 500, target="asia", ranges=[EntryRange("asia", {}, "yes", 0.005, 0.02)])
    assert found.first["yes"].to_dict() == {"value": 0.0, "error": 1 / 500}
    assert found.sentence.startswith("no is first in 100.0%")


def test_the_work_can_be_stopped(asia: Engine) -> None:
    """What is done by then is returned, and said to be less than was asked for."""
    seen: list[tuple[int, int]] = []

    def stop(done: int, all_: int) -> bool:
        seen.append((done, all_))
        return done < 2 * CHUNK

    found = monte_carlo(asia, {}, 10 * CHUNK, target="bronc", ranges=RANGES, progress=stop)
    assert (found.n, found.stopped) == (2 * CHUNK, True)
    assert seen == [(CHUNK, 10 * CHUNK), (2 * CHUNK, 10 * CHUNK)]
    assert len(found.samples["yes"]) == 2 * CHUNK


def test_the_answer_is_plain_data_and_text(model: Model, patient: Mapping[str, object]) -> None:
    """Both name the leader, the intervals and how often it is first."""
    found = monte_carlo(model, patient, 50, alternative="logit_normal")
    data = found.to_dict()
    assert data["alternative"] == "logit_normal"
    assert set(data["outcomes"]) == {*data["first"], "none"}
    assert data["sentence"] in found.to_text()
    assert found.to_text().count(" to ") == len(data["outcomes"])


# ---- refusals -------------------------------------------------------------------------------------------------------


def test_what_cannot_be_drawn_is_refused(asia: Engine) -> None:
    """One draw, a family that is unknown, a range that ends at its point."""
    with pytest.raises(InvalidInputError, match="n: must be from 2 to 10,000,000, got 1"):
        monte_carlo(asia, {}, 1, target="bronc", ranges=RANGES)
    with pytest.raises(InvalidInputError, match="alternative: must be one of beta, logit_normal, got 'normal'"):
        monte_carlo(asia, {}, 10, target="bronc", ranges=RANGES, alternative="normal")
    with pytest.raises(InvalidInputError, match="0 < low < its value < high < 1 must hold to draw it"):
        monte_carlo(asia, {}, 10, target="bronc", ranges=[EntryRange("smoke", {}, "yes", 0.5, 0.7)])
    with pytest.raises(InvalidInputError, match="target: must name a node"):
        monte_carlo(asia, {}, 10)
