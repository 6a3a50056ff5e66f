"""The value of knowing a number: integrals that have it exactly, nested enumeration, laws, and the model's stakes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import beta

from rootcause import Model
from rootcause.engine import Engine
from rootcause.errors import InvalidInputError
from rootcause.reasoning.decisions import Act
from rootcause.sensitivity.draws import Sampler
from rootcause.sensitivity.questions import ask
from rootcause.sensitivity.subjects import EntryRange
from rootcause.sensitivity.value_of_parameters import (
    evppi,
    replicates,
    standard_error,
    value_of_parameters,
)

Array = NDArray[np.float64]
SEEN = {"xray": "yes", "dysp": "yes"}
RANGES = (
    EntryRange("smoke", {}, "yes", 0.3, 0.7),
    EntryRange("lung", {"smoke": "yes"}, "yes", 0.04, 0.2),
    EntryRange("bronc", {"smoke": "no"}, "yes", 0.2, 0.4),
)


def distribution(engine: Engine, item: EntryRange) -> Any:  # noqa: ANN401 - a frozen distribution of scipy
    """Return the Beta distribution that an entry is drawn from."""
    from rootcause.uncertainty import concentrations

    question, _ = ask(engine, {}, item.node, None, [item])
    sampler = Sampler(question.subject, question.ids())
    kappa = float(concentrations(sampler.parameters.values())[0])
    point = question.subject.points[item.name]
    return beta(kappa * point, kappa * (1 - point))


# ---- exact ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.4, 0.5, 0.62])
def test_the_value_of_a_number_that_is_the_probability_itself(asia: Engine, threshold: float) -> None:
    """E max(p B - (1 - p) R, 0) less the best act at the mean, by integration; knowing all is knowing this one."""
    act = Act("smoke", "yes", benefit=10 * (1 - threshold), risk=10 * threshold)
    found = value_of_parameters(asia, {}, [act], target="smoke", ranges=RANGES[:1], n=20_000)
    own = distribution(asia, RANGES[0])
    gain, _ = quad(lambda p: 10 * (p - threshold) * own.pdf(p), threshold, 1)
    expected = gain - max(10 * (0.5 - threshold), 0)
    item = found.values["P(smoke=yes)"]
    assert item.value == pytest.approx(expected, rel=0.05)
    assert found.everything == pytest.approx(expected, rel=0.05)
    turned = own.cdf(threshold) if threshold < 0.5 else own.sf(threshold)
    assert item.turns == pytest.approx(turned, abs=0.03 if threshold != 0.5 else 0.51)


def test_the_value_of_one_number_among_three_is_that_of_nested_enumeration(asia: Engine) -> None:
    """E over quantiles of one number of the best act at the mean over the others (Strong, Oakley & Brennan 2014)."""
    threshold = 0.62
    act = Act("lung", "yes", benefit=1 - threshold, risk=threshold)
    found = value_of_parameters(asia, SEEN, [act], target="lung", ranges=RANGES, n=20_000)
    question, _ = ask(asia, SEEN, "lung", "yes", RANGES)
    steps = (np.arange(40) + 0.5) / 40
    grids = [distribution(asia, item).ppf(steps) for item in RANGES]
    mesh = np.meshgrid(*grids, indexing="ij")
    values = {item.name: axis.ravel() for item, axis in zip(RANGES, mesh, strict=True)}
    posterior = question.posteriors(question.subject.drawn(values, 40**3))[list(question.outcomes).index("yes")]
    benefit = (posterior - threshold).reshape(40, 40, 40)
    now = max(benefit.mean(), 0)
    for axis, item in enumerate(RANGES):
        others = tuple(k for k in range(3) if k != axis)
        expected = np.maximum(benefit.mean(axis=others), 0).mean() - now
        assert found.values[item.name].value == pytest.approx(expected, abs=0.0015)
    assert found.everything == pytest.approx(np.maximum(benefit, 0).mean() - now, abs=0.0015)


# ---- laws -----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5), st.floats(0, 2))
def test_one_number_is_worth_something_from_nothing_to_all(seed: int, shift: float, noise: float) -> None:
    """0 <= EVPPI <= EVPI; and for an act that is always right, knowing is worth nothing."""
    generator = np.random.default_rng(seed)
    number = generator.normal(size=2000)
    benefit = np.sin(number) + shift + noise * generator.normal(size=2000)
    gain, otherwise = evppi(benefit[np.newaxis], number[np.newaxis])
    perfect = np.maximum(benefit, 0).mean() - max(benefit.mean(), 0)
    assert 0 <= gain[0] <= perfect + 1e-9
    certain, turned = evppi(np.abs(benefit)[np.newaxis] + 10, number[np.newaxis])
    assert certain[0] == pytest.approx(0, abs=1e-9)
    assert not turned.any()
    assert otherwise.any() or gain[0] == pytest.approx(0, abs=1e-9)


def test_the_spline_follows_a_bent_line() -> None:
    """The mean of a known curve plus noise comes back: the value of knowing its number is that of the curve."""
    generator = np.random.default_rng(3)
    number = generator.uniform(-2, 2, 20_000)
    curve = number**2 - 1.2
    gain, _ = evppi((curve + generator.normal(size=20_000))[np.newaxis], number[np.newaxis])
    expected = np.maximum(curve, 0).mean() - max(curve.mean(), 0)
    assert gain[0] == pytest.approx(expected, rel=0.03)


def test_a_number_that_does_not_vary_is_worth_nothing() -> None:
    """No column of the regression is made of it."""
    gain, otherwise = evppi(np.linspace(-1, 2, 300)[np.newaxis], np.full((1, 300), 0.3))
    assert gain[0] == pytest.approx(0, abs=1e-12)
    assert not otherwise.any()


def test_what_does_not_bear_on_the_act_is_not_told_from_nothing(asia: Engine) -> None:
    """A number that hardly reaches the posterior has a value no larger than that of shuffled ones; the others do."""
    ranges = [*RANGES[:2], EntryRange("asia", {}, "yes", 0.0099, 0.0101)]
    act = Act("lung", "yes", benefit=0.4, risk=0.6)
    found = value_of_parameters(asia, SEEN, [act], target="lung", ranges=ranges, n=3000)
    assert not found.values["P(asia=yes)"].told
    assert found.values["P(lung=yes | smoke=yes)"].told
    assert [*found.values][-1] == "P(asia=yes)"


def test_the_standard_error_is_the_spread_over_seeds(asia: Engine) -> None:
    """Of a number that matters; and every value above the floor is told from nothing."""
    act = Act("lung", "yes", benefit=0.4, risk=0.6)
    found = [
        value_of_parameters(asia, SEEN, [act], target="lung", ranges=RANGES, n=500, seed=seed) for seed in range(40)
    ]
    own = [item.values["P(lung=yes | smoke=yes)"] for item in found]
    spread = np.std([item.value for item in own], ddof=1)
    assert np.mean([item.error for item in own]) == pytest.approx(spread, rel=0.35)
    every = np.std([item.everything for item in found], ddof=1)
    assert np.mean([item.everything_error for item in found]) == pytest.approx(every, rel=0.35)
    for item in found:
        assert all(value.told for value in item.values.values() if value.value > item.floor)
        assert all(value.value > 1.64 * value.error for value in item.values.values() if value.told)


def test_without_one_group_after_another_the_value_is_that_of_the_other_draws() -> None:
    """The factors that are found from sums are those of a regression on the draws that are left."""
    generator = np.random.default_rng(7)
    number = generator.normal(size=(1, 400))
    benefits = np.stack([number[0] ** 2 - 1, 0.4 - number[0]]) + generator.normal(size=(2, 400))
    found = replicates(benefits, number)
    for k in (0, 7, 19):
        left = np.r_[0 : 20 * k, 20 * (k + 1) : 400]
        gain, _ = evppi(benefits[:, left], number[:, left])  # whose knots lie a little elsewhere
        assert found[k] == pytest.approx(gain.sum(), abs=0.01)
    assert standard_error(found) > 0


# ---- the model ------------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_model_against_its_stakes(model: Model, patient: Mapping[str, object]) -> None:
    """Each act is about a cause; no number is worth more than all; stopping keeps what is done."""
    found = value_of_parameters(model, patient, n=3000, progress=lambda done, _: done < 1000)
    assert (found.n, found.stopped) == (1000, True)
    assert set(found.taken) <= set(model.vocabulary.causes)
    assert all(0 <= item.value <= found.everything + 1e-12 for item in found.values.values())
    assert next(iter(found.values.values())).told
    assert found.to_dict()["sentence"] in found.to_text()
    assert "onset.epidural_hematoma" in found.values
    assert "100 points are a permanent severe deficit" in found.to_text()
    assert f"and {len(found.values) - 15} more, " in found.to_text()
    assert "±" in found.sentence


# ---- refusals -------------------------------------------------------------------------------------------------------


def test_what_has_no_value_is_refused(asia: Engine) -> None:
    """No act, an act on another node, too few draws."""
    with pytest.raises(InvalidInputError, match="acts: must be named for a network"):
        value_of_parameters(asia, SEEN, target="lung", ranges=RANGES)
    with pytest.raises(InvalidInputError, match="acts: at least one must be named"):
        value_of_parameters(asia, SEEN, [], target="lung", ranges=RANGES)
    with pytest.raises(InvalidInputError, match="acts: must be about an outcome, got bronc = yes"):
        value_of_parameters(asia, SEEN, [Act("bronc", "yes", 1, 1)], target="lung", ranges=RANGES)
    with pytest.raises(InvalidInputError, match="n: must be from 100"):
        value_of_parameters(asia, SEEN, [Act("lung", "yes", 1, 1)], target="lung", ranges=RANGES, n=10)
