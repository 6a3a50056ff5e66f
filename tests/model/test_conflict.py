"""Do observations fit together? Jensen's conflict against the definition and against published numbers."""

import math

import pytest
from hypothesis import given

import bif
from rootcause.engine import Engine, Observation, compile_network
from rootcause.errors import ImpossibleEvidenceError, InvalidInputError
from rootcause.reasoning.conflict import conflict
from strategies import Case, possible_cases, random_networks


@pytest.fixture(scope="module")
def asia() -> Engine:
    """Lauritzen & Spiegelhalter 1988."""
    return compile_network(bif.read("asia"))


@random_networks
@given(possible_cases)
def test_the_score_and_the_surprises_are_their_definitions(case: Case) -> None:
    """The logarithm of prod P(e_i) / P(e); P(e_i) and P(e_i | the others), all by enumeration."""
    report = conflict(case.network.engine(), case.given)
    every = case.network.mass(case.weights)
    alone = {name: case.network.mass({name: weight}) for name, weight in case.weights.items()}
    rest = {
        name: case.network.mass({other: weight for other, weight in case.weights.items() if other != name})
        for name in case.weights
    }
    assert [one.name for one in report.findings] == list(case.given)
    for one in report.findings:
        assert one.alone == pytest.approx(float(alone[one.name]), rel=1e-9)
        assert one.given_others == pytest.approx(float(every / rest[one.name]), rel=1e-9)
    expected = math.log(math.prod(alone.values()) / every) if len(alone) > 1 else 0.0
    assert report.score == pytest.approx(expected, abs=1e-9)
    assert report.log_evidence == pytest.approx(math.log(every), abs=1e-9)


@random_networks
@given(possible_cases)
def test_the_suspect_is_the_finding_that_the_others_make_least_likely(case: Case) -> None:
    """A suspect is named where the score is above 0, and its drop is the largest."""
    report = conflict(case.network.engine(), case.given)
    assert (report.suspect is not None) == (report.score > 0)
    if report.suspect is not None:
        drops = {one.name: one.drop for one in report.findings}
        assert drops[report.suspect] == max(drops.values())
        assert drops[report.suspect] > 0


@random_networks
@given(possible_cases)
def test_a_hypothesis_counts_as_one_more_observation(case: Case) -> None:
    """conf(e with h) is the conflict of the evidence to which the hypothesis was added, wherever it can hold."""
    engine = case.network.engine()
    open_ = [(name, state) for name, states in engine.states.items() if name not in case.given for state in states]
    report = conflict(engine, case.given, hypotheses=open_)
    for one in report.hypotheses:
        if one.score is None:
            assert min(one.prior, one.posterior) == 0
            assert not one.resolves
        elif case.given:
            added = conflict(engine, {**case.given, one.name: one.state})
            assert one.score == pytest.approx(added.score, abs=1e-8)
            assert one.resolves == (one.score <= 0)


@random_networks
@given(possible_cases)
def test_what_is_given_is_conditioned_on(case: Case) -> None:
    """With the first observation given, the score is that of the others in the network conditioned on it."""
    engine = case.network.engine()
    names = list(case.given)
    before = {name: case.given[name] for name in names[:1]}
    after = {name: case.given[name] for name in names[1:]}
    report = conflict(engine, after, before)
    base = {name: case.weights[name] for name in before}
    log_given = math.log(case.network.mass(base))
    logs = [math.log(case.network.mass({**base, name: case.weights[name]})) - log_given for name in after]
    expected = sum(logs) - (math.log(case.network.mass(case.weights)) - log_given) if len(after) > 1 else 0.0
    assert report.score == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("evidence", "score"),
    [
        ({"xray": "yes", "dysp": "yes"}, -0.3850894780916305),
        ({"asia": "yes", "dysp": "yes"}, -0.03197828176454061),
        ({"smoke": "no", "xray": "yes"}, 0.4708162901976284),
        ({"asia": "yes", "smoke": "no", "xray": "yes", "dysp": "no"}, 0.29226803590080647),
        ({"bronc": "no", "lung": "no", "tub": "no", "dysp": "yes"}, 1.4595012190587895),
    ],
)
def test_asia(asia: Engine, evidence: dict[str, Observation], score: float) -> None:
    """The conflict of five sets of findings, from the definition applied to tables contracted independently."""
    assert conflict(asia, evidence).score == pytest.approx(score, abs=1e-9)


def test_asia_with_one_finding_left_out(asia: Engine) -> None:
    """P(xray | dysp) and P(dysp | xray), from the same source."""
    xray, dysp = conflict(asia, {"xray": "yes", "dysp": "yes"}).findings
    assert xray.given_others == pytest.approx(0.16209832589628753, abs=1e-12)
    assert dysp.given_others == pytest.approx(0.6407659694384007, abs=1e-12)
    assert xray.alone == pytest.approx(0.11029004, abs=1e-12)


def test_a_rare_cause_resolves_a_conflict(asia: Engine) -> None:
    """A shadow on the film of a non-smoker: tuberculosis would reconcile the two, bronchitis would not."""
    report = conflict(asia, {"smoke": "no", "xray": "yes"}, hypotheses=[("tub", "yes"), ("bronc", "yes")])
    assert [one.name for one in report.resolved_by] == ["tub"]


def test_findings_that_agree_have_nothing_to_resolve(asia: Engine) -> None:
    """Where there is no conflict, no hypothesis resolves one, and no finding is suspect."""
    report = conflict(asia, {"xray": "yes", "dysp": "yes"}, hypotheses=[("tub", "yes")])
    assert report.resolved_by == ()
    assert report.suspect is None


def test_nothing_found_is_no_conflict(asia: Engine) -> None:
    """Without findings there is a score of 0, and hypotheses have the same probability before and after."""
    report = conflict(asia, {}, hypotheses=[("tub", "yes")])
    assert (report.score, report.findings, report.suspect) == (0.0, (), None)
    assert report.hypotheses[0].prior == report.hypotheses[0].posterior == pytest.approx(0.0104)


def test_impossible_findings_are_named(asia: Engine) -> None:
    """Tuberculosis without either: the message says what clashes."""
    with pytest.raises(ImpossibleEvidenceError, match=r"either = no and tub = yes"):
        conflict(asia, {"either": "no", "tub": "yes", "dysp": "yes"})


@pytest.mark.parametrize(
    ("evidence", "before", "hypotheses", "message"),
    [
        ({"xray": "yes"}, {"xray": "yes"}, [], "evidence: must not name what is given, got 'xray' in both"),
        ({"xray": "yes"}, {}, [("xray", "no")], "hypotheses: must be about nodes that are not observed, got 'xray'"),
        ({"xray": "yes"}, {}, [("lungs", "yes")], r"got 'lungs' \(did you mean 'lung'\?\)"),
        ({"xray": "maybe"}, {}, [], "xray: must be one of yes, no, got 'maybe'"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    asia: Engine,
    evidence: dict[str, Observation],
    before: dict[str, Observation],
    hypotheses: list[tuple[str, str]],
    message: str,
) -> None:
    """One sentence says what was got."""
    with pytest.raises(InvalidInputError, match=message):
        conflict(asia, evidence, before, hypotheses)
