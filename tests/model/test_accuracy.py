"""Sensitivity and specificity of a finding, against Bayes' rule and the published tables of Asia."""

import pytest

import bif
from rootcause.engine import compile_network
from rootcause.errors import InvalidInputError
from rootcause.reasoning.accuracy import accuracy

ASIA = compile_network(bif.read("asia"))


def test_the_x_ray_of_asia_has_the_accuracy_of_its_table() -> None:
    """P(x-ray | lung cancer) is 0.98 by its table; without it, tuberculosis still makes a few x-rays positive."""
    found = accuracy(ASIA, {}, ("lung", "yes"), "xray", ["yes"])
    assert found is not None
    assert found.sensitivity == pytest.approx(0.98)
    assert found.specificity == pytest.approx(1 - (0.0104 * 0.98 + (1 - 0.0104) * 0.05))


def test_bayes_rule_with_them_gives_the_posterior() -> None:
    """Prior odds times the likelihood ratio are the posterior odds, whatever is known."""
    known = {"dysp": "yes", "asia": "yes"}
    found = accuracy(ASIA, known, ("lung", "yes"), "xray", ["yes"])
    assert found is not None
    before = ASIA.query(known, ["lung"])["lung"]
    after = ASIA.query({**known, "xray": "yes"}, ["lung"])["lung"]
    ratio = found.sensitivity / (1 - found.specificity)
    assert after["yes"] / after["no"] == pytest.approx(ratio * before["yes"] / before["no"])


def test_what_is_certain_has_no_accuracy() -> None:
    """Where the hypothesis is sure, nothing is left to tell apart."""
    assert accuracy(ASIA, {"either": "no"}, ("lung", "yes"), "xray", ["yes"]) is None


@pytest.mark.parametrize(
    ("hypothesis", "finding", "positive", "said"),
    [
        (("lungs", "yes"), "xray", None, "did you mean 'lung'"),
        (("lung", "maybe"), "xray", None, "lung must be one of yes, no, got 'maybe'"),
        (("lung", "yes"), "dysp", None, "dysp must have no evidence yet"),
        (("lung", "yes"), "xray", ["blurred"], "xray must be one of yes, no, got 'blurred'"),
    ],
)
def test_a_slip_is_told(hypothesis: tuple[str, str], finding: str, positive: list[str] | None, said: str) -> None:
    """Unknown nodes and states, and what was seen already."""
    with pytest.raises(InvalidInputError, match=said):
        accuracy(ASIA, {"dysp": "yes"}, hypothesis, finding, positive)
