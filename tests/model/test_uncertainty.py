"""From a range to a distribution, and tables that are what the gates say."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from rootcause.priors import COVERAGE, load_priors, share_groups
from rootcause.tables import Contribution, binary, chain, graded, link_table
from rootcause.uncertainty import concentrations, draw

PARAMETERS = load_priors().parameters


def test_the_range_holds_the_mass_that_it_is_read_as() -> None:
    """Each Beta distribution has its point as mean and its coverage between low and high."""
    numbers = list(PARAMETERS.values())
    offenders = []
    for number, kappa in zip(numbers, concentrations(numbers), strict=True):
        fitted = beta(kappa * number.point, kappa * (1 - number.point))
        mass = fitted.cdf(number.high) - fitted.cdf(number.low)
        if abs(mass - COVERAGE[number.range]) > 1e-6 or abs(fitted.mean() - number.point) > 1e-12:
            offenders.append((number.id, mass))
    assert not offenders


def test_draws_have_the_points_as_means_and_shares_sum_to_one() -> None:
    """The mean over draws is the point, within its own error; shares of one whole always sum to one."""
    draws = draw(PARAMETERS, PARAMETERS, 20_000, 3)
    off = {
        id_: values.mean()
        for id_, values in draws.items()
        if abs(values.mean() - PARAMETERS[id_].point) > 5.5 * values.std() / np.sqrt(len(values))
    }
    assert not off
    for ids in share_groups(PARAMETERS).values():
        np.testing.assert_allclose(sum(draws[id_] for id_ in ids), 1, atol=1e-12)


def test_a_number_has_a_stream_of_its_own() -> None:
    """What else is asked for does not change its draws; the seed does."""
    id_ = "link.back_pain.epidural_hematoma"
    alone = draw(PARAMETERS, [id_], 10, 1)[id_]
    np.testing.assert_array_equal(alone, draw(PARAMETERS, PARAMETERS, 10, 1)[id_])
    assert not np.array_equal(alone, draw(PARAMETERS, [id_], 10, 2)[id_])


def test_a_share_brings_its_whole() -> None:
    """Asking for one share draws all of them together."""
    drawn = draw(PARAMETERS, ["onset.csf_leak.within_24h"], 5, 1)
    assert len(drawn) == 5


probabilities = st.floats(0, 1)


@given(st.lists(probabilities, min_size=1, max_size=5), probabilities, st.integers(1, 64))
def test_a_chain_of_links_is_a_leaky_noisy_or(strengths: list[float], leak: float, max_columns: int) -> None:
    """P(absent | causes) is the product of what each cause present, and the leak, fail to bring (Henrion 1989)."""
    contributions = [Contribution((), lambda _: binary(np.array([leak])))]
    for index, strength in enumerate(strengths):
        rows = np.array([[[1.0], [0.0]], [[1 - strength], [strength]]])
        contributions.append(Contribution((f"c{index}",), lambda _, rows=rows: rows))  # type: ignore[misc]
    links = list(chain("f", ("absent", "present"), contributions, lambda _: 2, max_columns))
    for present in product((0, 1), repeat=len(strengths)):
        states = {f"c{index}": state for index, state in enumerate(present)}
        row = np.ones(1)
        for link in links:
            table = link.fill({})[..., 0]
            own = [p for p in link.parents if p in states]
            for p in reversed(own):  # the causes stand last but for the node itself
                table = np.take(table, states[p], axis=-2)
            fixed = table
            row = row @ fixed if len(own) < len(link.parents) else fixed
        absent = (1 - leak) * np.prod([1 - s for s, on in zip(strengths, present, strict=True) if on])
        assert row[0] == pytest.approx(absent, abs=1e-12)
    assert links[-1].name == "f"


@given(st.lists(probabilities, min_size=3, max_size=3), st.lists(probabilities, min_size=3, max_size=3))
def test_a_link_takes_the_worse(first: list[float], second: list[float]) -> None:
    """P(worst <= s) of two contributions is the product of theirs: a noisy-MAX (Díez 1993)."""
    before, more = (graded(*(np.array([p]) for p in steps))[:, 0] for steps in (first, second))
    worse = before @ link_table(more[:, np.newaxis])[..., 0]
    np.testing.assert_allclose(np.cumsum(worse), np.cumsum(before) * np.cumsum(more), atol=1e-12)
