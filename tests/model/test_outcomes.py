"""Outcomes of an answer: collected and ranked."""

from hypothesis import given
from hypothesis import strategies as st

from rootcause import load_model
from rootcause.case import parse_case
from rootcause.outcomes import NONE, OUTCOMES, label, posterior_of, ranks


def test_every_outcome_has_the_probability_of_the_model() -> None:
    """Those that the model itself says, in the order of the causes, none of them last."""
    model, findings = load_model(), {"procedure": "fusion", "toe_dorsiflexion": "weak"}
    found, said = posterior_of(model, parse_case(findings)), model.diagnose(findings, intervals=False)
    assert tuple(found) == OUTCOMES
    assert found == {**{cause: item.mean for cause, item in said.posterior.items()}, NONE: said.none}
    assert label(NONE) == "None of these"


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 8), min_size=1))
def test_ranks_count_what_is_more_probable(values: dict[str, int]) -> None:
    """From 1, equal ones share a rank, and the last digits of a sum do not part them."""
    found = ranks({name: value / 8 for name, value in values.items()})
    assert found == {name: 1 + sum(other > value for other in values.values()) for name, value in values.items()}
    assert ranks({name: value / 8 * (1 + 1e-13 * place) for place, (name, value) in enumerate(values.items())}) == found
