"""Sensitivity functions of one and of two parameters, against the definition and against published ones."""

import json
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries import Asked, asked
from published import fire_alarm, medical_test, travel
from rootcause import Model
from rootcause.case import parse_case
from rootcause.engine import Drawn, Engine, Observation
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.sensitivity.functions import sensitivity_function
from rootcause.sensitivity.parameters import Entry, Number, Parameter, Target, ask, evaluate_each, vary
from rootcause.sensitivity.two_way import two_way
from rootcause.structure import build
from rootcause.uncertainty import points
from strategies import random_networks

XRAY_DYSP = {"xray": "yes", "dysp": "yes"}
SMOKE = Entry("smoke", {}, "yes")
LUNG = ("lung", "yes")
TIED = "deficit.recurrent_herniation"
FREE = "leak_grade.motor"


# ---- by the definition ---------------------------------------------------------------------------------------------


def moved(question: Asked, value: Fraction) -> tuple[Fraction, ...]:
    """Return the column with the entry at a value, in fractions, by the formulas of Renooij 2014."""
    column, (_, state) = question.column, question.place
    rest = [p for number, p in enumerate(column) if number != state]
    if question.entry.covariation == "order_preserving":
        return in_order(column, state, value)
    equal = question.entry.covariation == "uniform" or not sum(rest)
    shares = [Fraction(1, len(rest)) if equal else p / sum(rest) for p in rest]
    others = iter([share * (1 - value) for share in shares])
    return tuple(value if number == state else next(others) for number in range(len(column)))


def in_order(column: tuple[Fraction, ...], state: int, value: Fraction) -> tuple[Fraction, ...]:
    """Keep the order of a column; entries that are equal are ordered as they stand."""
    rank = {number: place for place, number in enumerate(sorted(range(len(column)), key=lambda k: (column[k], k)))}
    above = [number for number in rank if rank[number] > rank[state]]
    suffix = sum(column[number] for number in above)
    before, most = column[state], Fraction(1, 1 + len(above))
    result = []
    for number, p in enumerate(column):
        if number == state:
            result.append(value)
        elif value == before:
            result.append(p)
        elif value < before:
            result.append(
                p * value / before if number not in above else p / suffix - p * (1 - suffix) / suffix * value / before
            )
        else:
            share = (most - value) / (most - before)
            result.append(p * share if number not in above else most + (p - most) * share)
    return tuple(result)


@random_networks
@given(question=asked(), share=st.fractions(0, 1, max_denominator=50))
def test_it_is_the_posterior_of_the_network_with_the_column_moved(question: Asked, share: Fraction) -> None:
    """At any value of the entry, the function is what the definition gives for the changed network."""
    function = sensitivity_function(question.engine(), question.target, question.entry, question.evidence)
    value = share * Fraction(function.domain[1]).limit_denominator(10)
    expected = question.posterior(moved(question, value))
    if expected is None:
        with pytest.raises(InvalidInputError, match="possible"):
            function.value(float(value))
    else:
        assert function.value(float(value)) == pytest.approx(float(expected), abs=1e-9)
    assert function.error < 1e-10


@random_networks
@given(question=asked())
def test_the_lead_changes_nowhere_inside_the_admissible_deviation(question: Asked) -> None:
    """Every value inside has the same leading outcome; just outside, another one leads."""
    function = sensitivity_function(question.engine(), question.target, question.entry, question.evidence)
    admissible = function.admissible_deviation
    lead = function.outcomes.index(function.leading)

    def ahead(value: float) -> float:
        piece = next(own for own in reversed(function.pieces) if own.low <= value <= own.high)
        heights = [float(curve(value)) for curve in piece.outcomes]
        behind = max(heights) - heights[lead]
        rounding = behind < 1e-15  # of a value near 1, of which 1 less the value is made
        return 0.0 if rounding else -behind / max(float(piece.denominator(value)), 1e-300)

    inside = np.linspace(admissible.low, admissible.high, 9).tolist()
    assert all(ahead(value) >= -1e-9 for value in inside)
    for end, step in ((admissible.low, -1), (admissible.high, 1)):
        beyond = end + step * 1e-4
        open_ = admissible.down if step < 0 else admissible.up
        if open_ is not None and function.domain[0] < beyond < function.domain[1] and open_ > 0:
            assert ahead(beyond) < 0


@random_networks
@given(question=asked(("proportional", "uniform")), share=st.floats(0.05, 0.95))
def test_the_derivative_is_the_limit_of_differences(question: Asked, share: float) -> None:
    """The slope is that of a short secant."""
    function = sensitivity_function(question.engine(), question.target, question.entry, question.evidence)
    step = 1e-6
    if function.pieces[0].denominator(share - step) < 1e-4 or function.pieces[0].denominator(share + step) < 1e-4:
        return
    secant = (function.value(share + step) - function.value(share - step)) / (2 * step)
    assert function.derivative(share) == pytest.approx(secant, abs=1e-4, rel=1e-4)
    assert function.monotone


@random_networks
@given(question=asked(("proportional",)), x=st.floats(0.001, 1), y=st.floats(0.001, 1), data=st.data())
def test_two_at_once_are_one_after_the_other(question: Asked, x: float, y: float, data: st.DataObject) -> None:
    """With one of two parameters of different columns set in the network, the other moves as the function says."""
    engine = question.engine()
    nodes = [name for name, own in question.network.states.items() if len(own) > 1]
    node = data.draw(st.sampled_from(nodes))
    parents = {p: data.draw(st.sampled_from(question.network.states[p])) for p in question.network.parents[node]}
    second = Entry(node, parents, data.draw(st.sampled_from(question.network.states[node])))
    if second.node == question.entry.node and second.parents == question.entry.parents:
        return
    both = two_way(engine, question.target, question.entry, second, question.evidence)
    index = tuple(question.network.states[p].index(s) for p, s in parents.items())
    table = np.array(engine.table(node))
    table[index] = vary(engine, second).column(np.array([y]))[:, 0]
    changed = engine.replaced({node: table})
    if not changed.possible(changed.weights(question.evidence)):
        return
    function = sensitivity_function(changed, question.target, question.entry, question.evidence)
    if function.pieces[0].denominator(x) > 1e-6:
        assert float(both.value(x, y)) == pytest.approx(function.value(x), abs=1e-9)
    assert (second.node != question.entry.node) or both.coefficients[1].cxy == 0


# ---- published -----------------------------------------------------------------------------------------------------


def test_asia(asia: Engine) -> None:
    """P(lung | xray, dysp) by P(smoke): coefficients, value, slope, vertex, asymptotes, and where it tips."""
    function = sensitivity_function(asia, LUNG, SMOKE, XRAY_DYSP)
    expected = (0.072912, 0.007448, 0.0807364632, 0.0303018728)
    assert function.coefficients == pytest.approx(expected, abs=1e-15)
    assert (function.alpha, function.beta, function.gamma, function.delta) == function.coefficients
    assert function.value(0.5) == pytest.approx(0.6212527966776286, abs=1e-14)
    assert function.derivative(0.5) == pytest.approx(0.32197839010323476, abs=1e-13)
    assert function.vertex is not None
    assert function.vertex.x == pytest.approx(0.12136478197238498, abs=1e-13)
    assert function.vertex.y == pytest.approx(function.value(function.vertex.x), abs=1e-13)
    assert function.asymptotes == pytest.approx((-0.3753183084690783, 0.9030863764663896), abs=1e-13)
    admissible = function.admissible_deviation
    assert admissible.low == pytest.approx(0.2366946662513738, abs=1e-12)
    assert (admissible.high, admissible.up) == (1.0, None)


def test_a_marginal_without_evidence_is_a_line(asia: Engine) -> None:
    """HUGIN's help page: P(bronc) passes .5 at P(smoke) = 2/3."""
    function = sensitivity_function(asia, ("bronc", "yes"), SMOKE, {})
    assert function.vertex is None
    assert function.asymptotes is None
    assert function.value(2 / 3) == pytest.approx(0.5, abs=1e-15)
    assert function.admissible_deviation.high == pytest.approx(2 / 3, abs=1e-12)


def test_asia_two_way(asia: Engine) -> None:
    """P(lung | xray, dysp) by P(smoke) and P(lung | smoke): the eight coefficients."""
    both = two_way(asia, LUNG, SMOKE, Entry("lung", {"smoke": "yes"}, "yes"), XRAY_DYSP)
    above, below = both.coefficients
    assert above == pytest.approx((0.007448, -0.007448, 0.0, 0.8036), abs=1e-15)
    assert below == pytest.approx((0.0303018728, 0.0037851672, 0.0, 0.76951296), abs=1e-15)
    assert float(both.value(*both.point)) == pytest.approx(0.6212527966776287, abs=1e-14)
    (line,) = both.contour(0.5)
    assert len(line) > 100
    np.testing.assert_allclose(both.value(line[:, 0], line[:, 1]), 0.5, atol=1e-10)


def test_bnmonitor_proportional_covariation() -> None:
    """Alarm = FALSE given fire and no tampering from .01 to .1: the column that the vignette prints."""
    entry = Entry("Alarm", {"Fire": "yes", "Tampering": "no"}, "FALSE")
    column = vary(fire_alarm(), entry).column(np.array([0.1]))[:, 0]
    np.testing.assert_allclose(column, [0.83636364, 0.06363636, 0.1], atol=5e-9)


def test_bnmonitor_travel() -> None:
    """P(E = high | O = self) is .5941335884, and .7000001 with P(A = old) at .6383142."""
    function = sensitivity_function(travel(), ("E", "high"), Entry("A", {}, "old"), {"O": "self"})
    assert function.value(function.point) == pytest.approx(0.5941335884, abs=5e-11)
    # The education table by age and sex carries two digits: the printed 7 digits of .7000001 are met.
    assert function.value(0.6383142) == pytest.approx(0.7000001, abs=5e-8)


def test_medical_test_in_closed_form() -> None:
    """P(D) = .424, and it is a line in each test's result with slopes .235 and .28."""
    for node, slope in (("T1", 0.235), ("T2", 0.28)):
        function = sensitivity_function(medical_test(), ("D", "yes"), Entry(node, {}, "yes"), {})
        assert function.value(function.point) == pytest.approx(0.424, abs=1e-15)
        assert function.derivative(0.7) == pytest.approx(slope, abs=1e-15)


# ---- a model's numbers ---------------------------------------------------------------------------------------------


def test_a_tied_number_gets_the_degree_that_it_has(model: Model, findings: Mapping[str, object]) -> None:
    """The function of a number that enters three roots is no hyperbola, and is the posterior everywhere."""
    function = sensitivity_function(model, "recurrent_herniation", Number(TIED), findings)
    assert 1 < function.degree <= 3
    values = [0.003, 0.2, 0.55, 0.77, 0.99]
    question = ask(model, "recurrent_herniation", findings)
    expected = evaluate_each(question, {Number(TIED): values})[Number(TIED)].posterior[0]
    np.testing.assert_allclose(function.value(np.array(values)), expected, atol=1e-11)
    with pytest.raises(InvalidInputError, match="degree"):
        _ = function.coefficients
    exact = model.engine.query(model_evidence(findings), ["recurrent_herniation"])["recurrent_herniation"]["present"]
    assert function.value(function.point) == pytest.approx(exact, abs=1e-12)


def model_evidence(findings: Mapping[str, object]) -> dict[str, Observation]:
    """Return findings as observations of the engine."""
    return dict(parse_case(findings).observations)


def test_a_number_of_one_table_gives_a_hyperbola(model: Model, findings: Mapping[str, object]) -> None:
    """A rate enters once; a share moves the others of its whole, and at 1 leaves them nothing."""
    id_ = "rate.epidural_hematoma.fusion"
    rate = sensitivity_function(model, "epidural_hematoma", Number(id_), findings)
    assert rate.degree == 1
    assert rate.value(0.0) == 0
    assert rate.value(0.02) == pytest.approx(with_numbers(model, findings, {id_: 0.02}), abs=1e-12)
    late = "onset.epidural_hematoma.after_90_days"
    share = sensitivity_function(model, "epidural_hematoma", Number(late), findings)
    assert share.degree == 1
    left = (1 - 0.3) / (1 - model.priors.parameters[late].point)
    others = {
        id_: own.point * left
        for id_, own in model.priors.parameters.items()
        if id_.startswith("onset.epidural_hematoma.")
    }
    assert share.value(0.3) == pytest.approx(with_numbers(model, findings, {**others, late: 0.3}), abs=1e-12)


def with_numbers(model: Model, findings: Mapping[str, object], changes: dict[str, float]) -> float:
    """Return P(hematoma) with every table filled anew from changed numbers."""
    numbers = points(model.priors.parameters) | {id_: np.array([value]) for id_, value in changes.items()}
    nodes = {node.name: node for node in build()}
    engine = model.engine
    drawn = Drawn(lambda name: nodes[name].fill(numbers), 1)
    found = engine.marginals(engine.weights(model_evidence(findings)), ["epidural_hematoma"], drawn)
    return float(found.posterior["epidural_hematoma"][1, 0])


def test_two_numbers_of_a_model(model: Model, findings: Mapping[str, object]) -> None:
    """Tied or not, along each axis the function of two is the function of one."""
    for first, second in ((TIED, FREE), ("rate.recurrent_herniation.fusion", "rate.epidural_fibrosis.fusion")):
        both = two_way(model, "recurrent_herniation", Number(first), Number(second), findings)
        one = sensitivity_function(model, "recurrent_herniation", Number(first), findings)
        values = np.array([0.01, 0.4, 0.9])
        np.testing.assert_allclose(both.value(values, both.point[1]), one.value(values), atol=1e-10)
        assert json.loads(json.dumps(both.to_dict()))["tied"] is (first == TIED)
        assert "as a function of" in both.to_text()


def test_any_entry_of_the_network_of_a_model_may_move(model: Model, findings: Mapping[str, object]) -> None:
    """The links of chains are tables like others, when the engine is asked for an entry."""
    node = "root_L5__4"
    evidence = model_evidence(findings)
    table = np.array(model.engine.table(node))
    place = (1, *([1] * (table.ndim - 2)))
    names = dict(zip(model.engine.parents(node), place, strict=True))
    parents = {name: model.engine.states[name][number] for name, number in names.items()}
    entry = Entry(node, parents, model.engine.states[node][2], "uniform")
    function = sensitivity_function(model.engine, ("recurrent_herniation", "present"), entry, evidence)
    table[place] = [0.2, 0.2, 0.4, 0.2]
    changed = model.engine.replaced({node: table}).query(evidence, ["recurrent_herniation"])
    assert function.value(0.4) == pytest.approx(changed["recurrent_herniation"]["present"], abs=1e-12)


def test_none_of_the_causes_can_be_asked_for(model: Model, findings: Mapping[str, object]) -> None:
    """P(no listed cause) as a function of a number is the answer's own at its point."""
    function = sensitivity_function(model, "none", Number("rate.epidural_fibrosis.fusion"), findings)
    assert function.value(function.point) == pytest.approx(model.diagnose(findings, intervals=False).none, abs=1e-12)
    assert function.derivative(function.point) < 0


# ---- output and refusals -------------------------------------------------------------------------------------------


def test_it_can_be_written_down(asia: Engine) -> None:
    """As plain data and as text, with and without a kink."""
    for scheme in ("proportional", "uniform"):
        function = sensitivity_function(asia, LUNG, SMOKE, XRAY_DYSP, scheme)
        assert json.loads(json.dumps(function.to_dict()))["coefficients"]["alpha"] == pytest.approx(0.072912)
        assert "vertex" in function.to_text()
    kinked = sensitivity_function(asia, LUNG, Entry("lung", {"smoke": "yes"}, "yes"), XRAY_DYSP, "order_preserving")
    assert kinked.domain == (0.0, 0.5)
    assert json.loads(json.dumps(kinked.to_dict()))["coefficients"] is None
    assert "2 pieces" in kinked.to_text()
    with pytest.raises(InvalidInputError, match="2 pieces"):
        _ = kinked.coefficients


def test_refusals_of_an_engine(asia: Engine) -> None:
    """Each mistake gets one sentence that names the place."""
    lung = Entry("lung", {"smoke": "yes"}, "yes")
    refused: list[tuple[Target, Parameter, dict[str, Observation], str]] = [
        (LUNG, Number("rate.x"), {}, "engine has entries"),
        ("lung", SMOKE, {}, "a node with one of its states"),
        (("lung", "maybe"), SMOKE, {}, "lung: must be one of"),
        (LUNG, Entry("smoke", {"asia": "yes"}, "yes"), {}, "needs a state for no parent"),
        (LUNG, Entry("lung", {"smoke": "often"}, "yes"), {}, "smoke must be one of"),
        (LUNG, Entry("lungs", {}, "yes"), {}, "lungs"),
        (LUNG, Entry("lung", {"smoke": "yes"}, "no", "order_preserving"), {}, "cannot keep the order"),
    ]
    for target, parameter, evidence, said in refused:
        with pytest.raises(InvalidInputError, match=said):
            sensitivity_function(asia, target, parameter, evidence)
    with pytest.raises(ImpossibleEvidenceError, match="tub"):
        sensitivity_function(asia, LUNG, SMOKE, {"tub": "yes", "either": "no"})
    with pytest.raises(InvalidInputError, match=r"\[0, 1\]"):
        sensitivity_function(asia, LUNG, SMOKE, {}).value(1.2)
    for second, said in ((lung, "twice"), (Entry("lung", {"smoke": "yes"}, "no"), "the only two")):
        with pytest.raises(InvalidInputError, match=said):
            two_way(asia, LUNG, lung, second, {})
    with pytest.raises(InvalidInputError, match="level"):
        two_way(asia, LUNG, SMOKE, lung, {}).contour(1.5)


def test_numbers_are_printed_with_their_basis_and_values(model: Model) -> None:
    """The ends of the range, the point, and both ends of the domain; of two numbers, the corners of the ranges."""
    number, other = Number("rate.recurrent_herniation.fusion"), Number(TIED)
    one = sensitivity_function(model, "recurrent_herniation", other, {"procedure": "fusion"})
    own = model.priors.parameters[TIED]
    assert (one.low_high, one.basis, one.sources) == ((own.low, own.high), own.basis, own.sources)
    said = one.to_text()
    assert f"range        {own.low:.6g} to {own.high:.6g} ({own.basis}" in said
    assert "pieces" not in said
    for words, value in (("low", own.low), ("now", own.point), ("high", own.high)):
        assert f"{value:10.4g}   {one.value(value):10.4g}  {words}" in said
    assert one.to_dict()["published"] == (None if own.basis == "assumed" else [own.low, own.high])
    two = two_way(model, "recurrent_herniation", number, other, {"procedure": "fusion"})
    assert len(two.corners) == 4
    for x, y, value in two.corners:
        assert value == pytest.approx(float(two.value(x, y)))
        assert f"{x:10.4g} {y:10.4g}   {value:10.4g}" in two.to_text()
    assert two.to_dict()["basis"] == [model.priors.parameters[number.id].basis, own.basis]


def test_refusals_of_a_model(model: Model) -> None:
    """A model has numbers, which are named by their ids, and causes."""
    with pytest.raises(InvalidInputError, match="did you mean 'deficit"):
        sensitivity_function(model, "recurrent_herniation", Number(f"{TIED}x"), {})
    with pytest.raises(InvalidInputError, match="by their ids"):
        sensitivity_function(model, "recurrent_herniation", SMOKE, {})
    with pytest.raises(InvalidInputError, match="known cause"):
        sensitivity_function(model, "recurrence", Number(TIED), {})
    with pytest.raises(InvalidInputError, match="in proportion"):
        sensitivity_function(model, "recurrent_herniation", Number(TIED), {}, "uniform")
