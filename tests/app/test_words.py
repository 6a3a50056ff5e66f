"""Words and numbers as they are shown."""

from __future__ import annotations

import pytest

from rootcause import load_model
from rootcause.vocabulary import load_vocabulary
from rootcause_app.components import findings_form, labels, numbers
from rootcause_app.theme import DARK, LIGHT, palette


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (0.00004, "<0.1 %"), (0.0312, "3.1 %"), (0.5, "50.0 %"), (0.9999, ">99.9 %"), (1.0, "100.0 %")],
)
def test_no_probability_is_rounded_to_never_or_always(share: float, shown: str) -> None:
    """Only a true zero is 0, only a true one is 100."""
    assert numbers.percent(share) == shown


@pytest.mark.parametrize(("change", "shown"), [(0.158, "+15.8"), (-0.004, "\N{MINUS SIGN}0.4"), (0.0001, "±0.0")])
def test_a_change_carries_its_sign(change: float, shown: str) -> None:
    """Up, down or nowhere is said by a sign and not by a colour."""
    assert numbers.points(change) == shown


def test_every_variable_and_every_state_has_words() -> None:
    """No id with an underscore reaches a reader."""
    vocabulary = load_model().vocabulary
    known = {**vocabulary.contexts, **vocabulary.findings}
    shown = [labels.finding(variable) for variable in known.values()]
    shown += [labels.state(state) for variable in known.values() for state in variable.states]
    shown += [labels.cause(cause) for cause in vocabulary.causes]
    assert not [words for words in shown if "_" in words]
    causes = [cause.label for cause in load_vocabulary().causes.values()]
    assert len({*causes, labels.NONE_LABEL}) == len(causes) + 1


def test_every_finding_stands_in_the_form_once() -> None:
    """None is lost and none appears twice."""
    model = load_model()
    shown = [variable.id for members in findings_form.groups_of(model).values() for variable in members]
    assert sorted(shown) == sorted([*model.vocabulary.contexts, *model.vocabulary.findings])


def test_every_state_can_be_chosen_and_so_can_not_examined() -> None:
    """The options of each finding are all its states, with *not examined* first."""
    for variable in load_model().vocabulary.findings.values():
        offered = [labels.from_token(option) for option in findings_form.options(variable, None)]
        assert offered[0] is None
        assert set(variable.states) <= {option for option in offered if isinstance(option, str)}


def test_a_value_that_no_chip_stands_for_gets_its_own() -> None:
    """Set evidence from a file is shown in words and kept as it is."""
    progression = load_model().vocabulary.findings["progression"]
    given = ["static", "worsening"]
    assert labels.from_token(findings_form.options(progression, given)[-1]) == given
    assert labels.value(progression, given) == "static or worsening"


def test_ids_in_a_message_are_put_into_words() -> None:
    """A reader of the page meets no id with an underscore in a refusal."""
    said = labels.sentence(load_model(), "findings: symptom_onset must not be after examination_day, got fever")
    assert "symptom_onset" not in said
    assert load_vocabulary().observable["symptom_onset"].label in said
    assert said.endswith("got fever")


def test_the_chart_follows_the_theme() -> None:
    """Vega knows nothing of Streamlit's theme, so the palette does."""
    assert palette("dark") is DARK
    assert palette("light") is LIGHT
    assert palette(None) is LIGHT
