"""The tornado: every number over its published range, and nothing else."""

import json

import numpy as np
import pytest

from rootcause import Model, shipped_cases
from rootcause.engine import Engine
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.functions import sensitivity_function
from rootcause.sensitivity.parameters import Entry, Number, ask, evaluate_each
from rootcause.sensitivity.tornado import tornado

CAUSE = "recurrent_herniation"
CASES = {case.id: dict(case.findings) for case in shipped_cases()}


@pytest.mark.parametrize("case", CASES)
def test_both_ends_of_every_bar_are_posteriors(model: Model, case: str) -> None:
    """Lines and polynomials alike give what the engine gives with the number at the end of its range."""
    found = tornado(model, CASES[case], CAUSE)
    question = ask(model, CAUSE, CASES[case])
    chosen = [bar for place, bar in enumerate(found.bars) if place < 12 or (bar.tied and place % 3 == 0)]
    assert any(bar.tied for bar in chosen)
    assert any(not bar.tied for bar in chosen)
    expected = evaluate_each(question, {Number(bar.parameter): (bar.low, bar.high) for bar in chosen})
    for bar in chosen:
        at_low, at_high = expected[Number(bar.parameter)].posterior[0]
        assert (bar.at_low, bar.at_high) == pytest.approx((at_low, at_high), abs=1e-12), bar.parameter
    answer = model.diagnose(CASES[case], intervals=False).posterior[CAUSE].mean
    assert found.value == pytest.approx(answer, abs=1e-12)


def test_bars_are_labelled_and_sorted(model: Model) -> None:
    """The widest first; each with the published range, what it rests on and its sources."""
    found = tornado(model, CASES["post_fusion_weakness"], CAUSE)
    widths = [bar.width for bar in found.bars]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0
    assert len(found.bars) + found.unmoved == len(model.priors.parameters)
    assert len({bar.parameter for bar in found.bars}) == len(found.bars)
    for bar in found.bars:
        number = model.priors.parameters[bar.parameter]
        assert (bar.low, bar.point, bar.high) == (number.low, number.point, number.high)
        assert (bar.basis, bar.sources, bar.range) == (number.basis, number.sources, number.range)
    assert found.bars[0].parameter == "rate.recurrent_herniation.fusion"
    assert found.bars[0].at_low < found.value < found.bars[0].at_high


def test_no_number_that_moves_the_answer_is_left_out(model: Model) -> None:
    """A number without a bar leaves the posterior where it is at both ends of its range."""
    case = CASES["post_fusion_weakness"]
    found = tornado(model, case, CAUSE)
    shown = {bar.parameter for bar in found.bars}
    left = [id_ for id_ in model.priors.parameters if id_ not in shown]
    ranges = {Number(id_): (model.priors.parameters[id_].low, model.priors.parameters[id_].high) for id_ in left[::7]}
    assert tornado(model, case, CAUSE, ranges).bars == ()


def test_any_network_with_ranges_of_ones_own(asia: Engine) -> None:
    """Entries of a table take ranges; the rest of the column gives way."""
    smoke, lung = Entry("smoke", {}, "yes"), Entry("lung", {"smoke": "yes"}, "yes")
    evidence = {"xray": "yes", "dysp": "yes"}
    found = tornado(asia, evidence, ("lung", "yes"), {smoke: (0.3, 0.6), lung: (0.05, 0.2)})
    assert found.value == pytest.approx(0.6212527966776286, abs=1e-14)
    assert [bar.parameter for bar in found.bars] == [str(lung), str(smoke)]
    function = sensitivity_function(asia, ("lung", "yes"), smoke, evidence)
    np.testing.assert_allclose(
        [found.bars[1].at_low, found.bars[1].at_high], function.value(np.array([0.3, 0.6])), atol=1e-14
    )


def test_it_can_be_written_down(model: Model) -> None:
    """As plain data, and as text that names values, basis and sources."""
    found = tornado(model, CASES["post_fusion_weakness"], "none")
    data = json.loads(json.dumps(found.to_dict()))
    assert data["bars"][0]["width"] == pytest.approx(found.bars[0].width)
    text = found.to_text(4)
    assert f"and {len(found.bars) - 4} narrower ones" in text
    assert found.bars[0].basis in text
    assert f"{found.bars[0].low:.3g}–{found.bars[0].high:.3g}" in text


def test_refusals(model: Model, asia: Engine) -> None:
    """One sentence each."""
    smoke = Entry("smoke", {}, "yes")
    with pytest.raises(InvalidInputError, match="must be given, got none"):
        tornado(asia, {}, ("lung", "yes"))
    with pytest.raises(InvalidInputError, match="a low below a high"):
        tornado(asia, {}, ("lung", "yes"), {smoke: (0.6, 0.3)})
    with pytest.raises(InvalidInputError, match="known cause"):
        tornado(model, {}, "smoking")
    with pytest.raises(ImpossibleEvidenceError):
        tornado(asia, {"tub": "yes", "either": "no"}, ("lung", "yes"), {smoke: (0.3, 0.6)})
