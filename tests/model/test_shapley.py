"""The Shapley value: its axioms on random games, the definition, and what sampling keeps."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rootcause.errors import InvalidInputError
from rootcause.reasoning.shapley import every_coalition, shapley_values

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

seeds = st.integers(0, 2**32 - 1)
CLOSE = 1e-9


class Game:
    """A game given by one number for each coalition, which counts how often it is asked."""

    def __init__(self, values: Array) -> None:
        """Keep the values, by the bits of a coalition."""
        self.values = values
        self.asked: list[Mask] = []

    def __call__(self, coalitions: Mask) -> Array:
        """Return what coalitions are worth."""
        self.asked.append(coalitions)
        worth: Array = self.values[coalitions @ (1 << np.arange(coalitions.shape[1]))]
        return worth


def random_game(players: int, seed: int) -> Game:
    """Return a game with random values, of which the empty coalition has one, too."""
    return Game(np.random.default_rng(seed).normal(scale=5, size=1 << players))


@given(st.integers(0, 6), seeds)
def test_all_that_the_players_gain_is_shared(players: int, seed: int) -> None:
    """Efficiency: the shares add up to worth(all) − worth(none)."""
    game = random_game(players, seed)
    found = shapley_values(game, players)
    assert found.exact
    assert found.error is None
    assert found.values.shape == (players,)
    assert found.values.sum() == pytest.approx(game.values[-1] - game.values[0], abs=CLOSE)


@given(st.integers(2, 6), seeds)
def test_players_who_do_the_same_get_the_same(players: int, seed: int) -> None:
    """Symmetry: the worth hangs on how many of the first two are in a coalition, not on which."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(3, 1 << (players - 2)))
    rest = 1 << np.arange(players - 2)
    found = shapley_values(lambda c: table[c[:, :2].sum(axis=1), c[:, 2:] @ rest], players)
    assert found.values[0] == pytest.approx(found.values[1], abs=CLOSE)


@given(st.integers(1, 6), seeds, st.data())
def test_who_changes_nothing_gets_nothing(players: int, seed: int, data: st.DataObject) -> None:
    """Null player: exact, and sampled too, since every order gives it nothing."""
    nobody = data.draw(st.integers(0, players - 1))
    game = random_game(players, seed)

    def worth(coalitions: Mask) -> Array:
        without = coalitions.copy()
        without[:, nobody] = False
        return game(without)

    assert shapley_values(worth, players).values[nobody] == 0
    sampled = shapley_values(worth, players, exact_up_to=0, samples=10)
    assert sampled.error is not None
    assert sampled.values[nobody] == 0
    assert sampled.error[nobody] == 0


@given(st.integers(1, 6), seeds, st.floats(-3, 3))
def test_shares_of_a_sum_are_sums_of_shares(players: int, seed: int, factor: float) -> None:
    """Linearity."""
    one, other = random_game(players, seed), random_game(players, seed + 1)
    both = shapley_values(Game(one.values + factor * other.values), players).values
    apart = shapley_values(one, players).values + factor * shapley_values(other, players).values
    np.testing.assert_allclose(both, apart, atol=CLOSE)


@given(st.integers(1, 6), seeds)
def test_the_names_of_the_players_do_not_matter(players: int, seed: int) -> None:
    """Anonymity: with the players in another order, each has the same share."""
    game = random_game(players, seed)
    order = np.random.default_rng(seed).permutation(players)
    turned = shapley_values(lambda c: game(c[:, np.argsort(order)]), players).values
    np.testing.assert_allclose(turned, shapley_values(game, players).values[order], atol=CLOSE)


@given(st.integers(1, 5), seeds)
def test_shares_are_contributions_averaged_over_all_orders(players: int, seed: int) -> None:
    """The definition (Shapley 1953), in fractions."""
    values = np.random.default_rng(seed).integers(-20, 20, 1 << players)
    total = [Fraction(0)] * players
    for order in permutations(range(players)):
        inside = 0
        for player in order:
            total[player] += int(values[inside | 1 << player]) - int(values[inside])
            inside |= 1 << player
    expected = [float(share / math.factorial(players)) for share in total]
    np.testing.assert_allclose(shapley_values(Game(values.astype(float)), players).values, expected, atol=CLOSE)


@given(st.integers(1, 30), seeds, st.integers(4, 30))
def test_sampled_shares_add_up_too(players: int, seed: int, samples: int) -> None:
    """Each order's shares telescope, so that none of the total is lost; the same seed gives the same shares."""
    weight = np.random.default_rng(seed).normal(scale=3, size=(players, players))

    def worth(coalitions: Mask) -> Array:
        c = coalitions.astype(float)
        return np.asarray(np.einsum("ki,ij,kj->k", c, weight, c))

    found = shapley_values(worth, players, exact_up_to=0, samples=samples, seed=seed)
    again = shapley_values(worth, players, exact_up_to=0, samples=samples, seed=seed)
    assert not found.exact
    assert found.values.sum() == pytest.approx(weight.sum(), abs=CLOSE)
    assert found.values.tolist() == again.values.tolist()


def test_an_order_and_its_reverse_share_pairs_exactly() -> None:
    """Where only pairs of players work together, an antithetic pair of orders is already exact: no error is left."""
    weight = np.triu(np.arange(1.0, 37.0).reshape(6, 6))

    def worth(coalitions: Mask) -> Array:
        c = coalitions.astype(float)
        return np.asarray(np.einsum("ki,ij,kj->k", c, weight, c))

    found = shapley_values(worth, 6, exact_up_to=5, samples=4)
    assert found.error is not None
    np.testing.assert_allclose(found.values, shapley_values(worth, 6).values, atol=CLOSE)
    np.testing.assert_allclose(found.error, 0, atol=CLOSE)


def test_the_standard_error_says_how_far_off_sampling_is() -> None:
    """Over 40 games with 8 players, the misses in units of their standard errors have a spread near 1."""
    misses = []
    for seed in range(40):
        game = random_game(8, seed)
        exact = shapley_values(game, 8).values
        found = shapley_values(game, 8, exact_up_to=7, samples=200, seed=seed)
        assert found.error is not None
        misses.append((found.values - exact) / found.error)
    assert 0.85 < float(np.std(misses)) < 1.15


def test_each_coalition_is_asked_once() -> None:
    """Exact: all of them in one call. Sampled: what orders have in common is asked once, in one call."""
    game = random_game(10, 0)
    shapley_values(game, 10)
    assert [len(asked) for asked in game.asked] == [1024]
    assert game.asked[0].tolist() == every_coalition(10).tolist()
    game.asked.clear()
    shapley_values(game, 10, exact_up_to=9, samples=200)
    (asked,) = game.asked
    assert len({tuple(row) for row in asked.tolist()}) == len(asked) <= 1024


def test_a_majority_of_voters_shares_its_power() -> None:
    """Four voters with 3, 2, 1 and 1 votes and a quota of 4: shares 1/2, 1/6, 1/6, 1/6 (counted over the 24 orders)."""
    votes = np.array([3, 2, 1, 1])
    found = shapley_values(lambda c: (c @ votes >= 4).astype(float), 4)
    np.testing.assert_allclose(found.values, [1 / 2, 1 / 6, 1 / 6, 1 / 6], atol=CLOSE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"players": -1}, r"^players: must be 0 or more, got -1$"),
        ({"players": 3, "samples": 3}, r"^samples: must be 4 or more, got 3$"),
        ({"players": 3, "exact_up_to": 25}, r"^exact_up_to: must be 24 or less, got 25$"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, int], message: str) -> None:
    """One sentence says which."""
    with pytest.raises(InvalidInputError, match=message):
        shapley_values(lambda c: c.sum(axis=1).astype(float), **arguments)


@pytest.mark.parametrize("exact_up_to", [0, 12])
def test_a_worth_that_cannot_be_shared_is_refused(exact_up_to: int) -> None:
    """Infinity has no share, and one number for all coalitions is none for each."""
    with pytest.raises(InvalidInputError, match=r"^worth: must be finite for every coalition, got -inf$"):
        shapley_values(lambda c: np.where(c.all(axis=1), -np.inf, 0.0), 3, exact_up_to=exact_up_to)
    with pytest.raises(
        InvalidInputError, match=r"^worth: must return one number for each coalition, shape .*, got \(\)"
    ):
        shapley_values(lambda _: np.array(1.0), 3, exact_up_to=exact_up_to)
