"""Draws of the tables: each answers as if it stood alone, also where the draws differ in their zeros."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause.engine import Drawn, Engine, Shape
from rootcause.errors import ImpossibleEvidenceError

STATES = ("s0", "s1", "s2")
SHAPE = Shape(
    dict.fromkeys("abcd", STATES),
    {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")},
)
DRAWS = 5


@given(st.integers(0, 2**32 - 1))
def test_every_draw_answers_as_if_alone(seed: int) -> None:
    """A zero, or two equal rows, in some draws but not in others prunes and merges nothing in the others."""
    generator = np.random.default_rng(seed)
    tables = {}
    for name, parents in SHAPE.parents.items():
        raw = generator.choice([0.0, 0.0, 0.2, 1.0], (*(3 for _ in parents), 3, DRAWS))
        raw[..., 0, :] += raw.sum(axis=-2) == 0
        tables[name] = raw / raw.sum(axis=-2, keepdims=True)
    engines = [Engine(SHAPE, lambda name, d=d: tables[name][..., d : d + 1]) for d in range(DRAWS)]  # type: ignore[misc]
    weights = engines[0].weights({"d": ["s0", "s1"]})
    alone = np.array([engine.log_probability(weights)[0] for engine in engines])
    if not np.isfinite(alone).any():
        with pytest.raises(ImpossibleEvidenceError):
            engines[0].marginals(weights, "abc", Drawn(tables.__getitem__, DRAWS))
        return
    together = engines[0].marginals(weights, "abc", Drawn(tables.__getitem__, DRAWS))
    np.testing.assert_allclose(together.log_evidence, alone, atol=1e-12)
    for d in np.flatnonzero(np.isfinite(alone)):
        one = engines[d].marginals(weights, "abc")
        for name in "abc":
            np.testing.assert_allclose(together.posterior[name][:, d], one.posterior[name][:, 0], atol=1e-12)
    assert all(np.isfinite(values).all() for values in together.posterior.values())
