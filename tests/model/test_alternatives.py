"""Other numbers for the same model: what is read of a record, what an alternative changes, and what that does."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rootcause import Model, load_model, shipped_cases
from rootcause.alternatives import (
    FOLLOWS,
    OUTCOMES,
    STANDINGS,
    Alternative,
    Change,
    Switched,
    alternatives,
    only,
    ordered,
    switch,
    switch_all,
)
from rootcause.alternatives.changes import with_shares
from rootcause.alternatives.readings import Reading, UnreadableError, jeffreys, read_figure
from rootcause.errors import ImpossibleEvidenceError
from rootcause.priors import Priors, share_groups
from rootcause.structure import DISCECTOMIES

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSE = 1e-9  # draws take products where a single case takes chains; see docs/engine.md


@cache
def model(rates: str = "seed") -> Model:
    """The shipped model."""
    return load_model(rates=rates)


@cache
def every(rates: str = "seed") -> tuple[Alternative, ...]:
    """All alternatives to the shipped numbers."""
    return tuple(alternatives(model(rates)))


def named(kind: str, key: str, rates: str = "seed") -> Alternative:
    """One of them."""
    return next(item for item in every(rates) if (item.kind, item.key) == (kind, key))


def opening() -> dict[str, Any]:
    """The seed's patient, whose technique is not stated."""
    return dict(next(case for case in shipped_cases() if case.id == "post_microdiscectomy_l5").findings)


def posterior(answered: Model, findings: Mapping[str, Any]) -> dict[str, float]:
    """Every cause and none, from the model itself."""
    found = answered.diagnose(findings, intervals=False)
    return {**{cause: item.mean for cause, item in found.posterior.items()}, "none": found.none}


def same(found: Mapping[str, float], expected: Mapping[str, float]) -> bool:
    """Whether two answers are one."""
    return all(math.isclose(found[name], expected[name], rel_tol=CLOSE, abs_tol=CLOSE) for name in expected)


def rebuilt(alternative: Alternative) -> Model:
    """The shipped model built anew with the numbers of an alternative: the slow way."""
    old = model()
    parameters = dict(old.priors.parameters)
    for change in alternative.changes:
        own = parameters[change.id]
        low, high = min(own.low, change.after / 2), max(own.high, (1 + change.after) / 2)
        parameters[change.id] = own.model_copy(update={"point": change.after, "low": low, "high": high})
    priors = old.priors
    changed = Priors(parameters, priors.sources, priors.rates, "changed", priors.folder)
    return Model(changed, old.rulebook, old.stakes, old.care)


# ---- figures in words ------------------------------------------------------------------------------------------------


@given(
    events=st.integers(1, 10_000),
    more=st.integers(1, 1_000_000),
    comma=st.booleans(),
    word=st.sampled_from(["of", "/"]),
)
def test_a_count_is_read_as_it_was_written(events: int, more: int, comma: bool, word: str) -> None:
    """K of n, with or without commas, gives k / n within its Jeffreys interval."""
    of = events + more
    first, second = (f"{number:,}" if comma else str(number) for number in (events, of))
    text = f"{first} of {second}" if word == "of" else f"{first}/{second}"
    found = read_figure(text, is_rate=False)
    assert found.point == events / of
    assert found.counted
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < found.point < found.high < 1


@given(events=st.integers(1, 500), more=st.integers(1, 5_000), decimals=st.integers(0, 3), wrong=st.integers(2, 50))
def test_a_count_beside_another_share_is_refused(events: int, more: int, decimals: int, wrong: int) -> None:
    """The share may round the count up or down, and be no other."""
    share = 100 * events / (events + more)
    said = f"{share:.{decimals}f} %"
    assert read_figure(f"{events} of {events + more} = {said}", is_rate=True).point == events / (events + more)
    other = f"{share + wrong * 10.0**-decimals:.{decimals}f} %"
    with pytest.raises(UnreadableError, match="is not"):
        read_figure(f"{events} of {events + more} = {other}", is_rate=True)


@given(st.text(max_size=40))
def test_any_words_are_read_or_refused(text: str) -> None:
    """Nothing but a probability or a refusal comes out, whatever stands in a record."""
    for is_rate in (True, False):
        try:
            found = read_figure(text, is_rate=is_rate)
        except UnreadableError as refusal:
            assert str(refusal)  # noqa: PT017 - both outcomes are allowed
        else:
            assert 0 < found.point < 1


@given(
    st.sampled_from(["25 of 15562 = 0.16 %", "2/89 = 0.022 (0.006-0.078)", "0.8 (0.6 to 0.95)", "3.5 %"]),
    st.text(alphabet="0123456789%.,/=()- ", min_size=1, max_size=8).filter(lambda tail: any(c.isdigit() for c in tail)),
)
def test_a_second_figure_is_never_passed_over(text: str, tail: str) -> None:
    """Digits after "and" make a figure ambiguous."""
    assert read_figure(text, is_rate=True).point > 0
    with pytest.raises(UnreadableError):
        read_figure(f"{text} and {tail}", is_rate=True)


READ: list[tuple[str, bool, float, tuple[float, float] | None]] = [
    ("0.5 % any hematoma, open, recalled", True, 0.005, None),
    ("0.63 % (0.4-1.0 %) evacuated, lumbar subgroup", True, 0.0063, (0.004, 0.01)),
    ("7.4 % (3.7-11.3) at 5 years, n = 166", True, 0.074, (0.037, 0.113)),
    ("0.9 % microendoscopic, 42 prospective series", True, 0.009, None),
    ("0.8 (0.6 to 0.95)", False, 0.8, (0.6, 0.95)),
    ("0.53", False, 0.53, None),
]
COUNTED = [
    ("8 of 2951 = 0.27 %", True, 8, 2951),
    ("206/75,878 = 0.27 %", True, 206, 75878),
    ("2/89 = 0.022 (0.006-0.078) mildly symptomatic", True, 2, 89),
    ("0.331 of 151", False, 0.331 * 151, 151),
    ("18 % of 157, new radiculitis", True, 0.18 * 157, 157),
]


@pytest.mark.parametrize(("text", "is_rate", "point", "ends"), READ, ids=[row[0] for row in READ])
def test_what_the_shipped_records_say_is_read(
    text: str, is_rate: bool, point: float, ends: tuple[float, float] | None
) -> None:
    """Shares and printed ranges in the words of the folder."""
    found = read_figure(text, is_rate=is_rate)
    assert found.point == pytest.approx(point, rel=1e-12)
    assert [found.low, found.high] == (pytest.approx(list(ends)) if ends else [None, None])


@pytest.mark.parametrize(("text", "is_rate", "events", "of"), COUNTED, ids=[row[0] for row in COUNTED])
def test_a_sample_gives_a_jeffreys_interval(text: str, is_rate: bool, events: float, of: int) -> None:
    """Brown, Cai & DasGupta 2001: quantiles of Beta(k + 1/2, n - k + 1/2), here from scipy's distribution."""
    from scipy.stats import beta

    found = read_figure(text, is_rate=is_rate)
    assert found.point == pytest.approx(events / of)
    assert [found.low, found.high] == pytest.approx(
        [beta.ppf(tail, events + 0.5, of - events + 0.5) for tail in (0.025, 0.975)]
    )
    assert jeffreys(events, of) == pytest.approx((found.low, found.high))


REFUSED = [
    ("0 of 108 on imaging", True, "some and not of all"),
    ("30/30 with deficit", True, "some and not of all"),
    ("9 of 5", True, "some and not of all"),
    ("100 %", True, "strictly between 0 and 1"),
    ("603/22,475 = 3.1 % any infection", True, "is not 3.1 %"),
    ("0.5 and 0.7 %", True, "more than one figure"),
    ("22.8 % coded, 11.7 % revised", True, "more than one figure"),
    ("18 % reoperated at 8 years, half for stenosis or slip come back", True, "more than one figure"),
    ("1-3 % nerve injury or new deficit", True, "begin"),
    ("<4 % reoperated, n about 125", True, "begin"),
    ("RR 1.95 (1.19-3.19), minimally invasive", True, "begin"),
    ("0-0.66 % by centre", True, "begin"),
    ("0.2-4 % discitis", True, "longer"),
    ("8 of 29.5", True, "longer"),
    ("0.2 % over all spinal operations", True, "bound"),
    ("11 of 251 operated after two years or more", True, "bound"),
    ("8 % of 148, none lasting", True, "sense"),
    ("0.52 % without implants", True, "sense"),
    ("0.19 % of 35,630 screws irritate a root", True, "patients"),
    ("3.9 % a year", True, "patients"),
    ("52/71 = 0.73 improved", False, "something else"),
    ("54 % by day 5, n = 206", False, "something else"),
    ("84 % above normal at day 14", False, "something else"),
    ("0.5 (0.6-0.7)", False, "does not hold its figure"),
    ("0.5 (40-60 %)", False, "does not hold its figure"),
    ("not found", True, "begin"),
    ("", True, "begin"),
]


@pytest.mark.parametrize(("text", "is_rate", "why"), REFUSED, ids=[row[0] or "nothing" for row in REFUSED])
def test_what_could_be_read_in_two_ways_is_refused(text: str, is_rate: bool, why: str) -> None:
    """Bounds, several figures, the complement, another denominator: never a guess."""
    with pytest.raises(UnreadableError, match=why):
        read_figure(text, is_rate=is_rate)


# ---- what there is to switch to --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rates", ["seed", "literature"])
def test_every_alternative_keeps_the_shares_whole(rates: str) -> None:
    """Probabilities strictly between 0 and 1, and shares of one whole that sum to 1."""
    parameters = model(rates).priors.parameters
    for alternative in every(rates):
        values = {id_: own.point for id_, own in parameters.items()}
        values |= {change.id: change.after for change in alternative.changes}
        assert all(0 < value < 1 for value in values.values()), alternative.key
        totals = [sum(values[id_] for id_ in ids) for ids in share_groups(values).values()]
        assert totals == pytest.approx([1.0] * len(totals), abs=1e-9), alternative.key


@pytest.mark.parametrize("rates", ["seed", "literature"])
def test_every_figure_of_a_study_is_traced_to_its_record(rates: str) -> None:
    """A change is of that study: its words are those of a record with a reason, or it is a number in use."""
    sets = {own: model(own).priors.parameters for own in ("seed", "literature")}
    for alternative in every(rates):
        if alternative.kind != "study":
            continue
        for change in alternative.changes:
            if change.text == FOLLOWS:
                continue
            variants = [own[change.id] for own in sets.values()]
            records = [item for own in variants for item in own.considered if item.record == change.record]
            if change.reason:
                found = next(item for item in records if item.value == change.text)
                assert found.source == alternative.key
                assert change.reason.startswith(tuple(item.reason for item in records))
            else:
                assert any(own.sources == (alternative.key,) and own.point == change.after for own in variants)


@pytest.mark.parametrize("rates", ["seed", "literature"])
def test_no_record_is_lost(rates: str) -> None:
    """Each record of a publication is taken, refused with its words, or says what the model has already."""
    own = model(rates)
    parameters = own.priors.parameters
    noted = {(p.id, item.record): (item.source, item.value) for p in parameters.values() for item in p.considered}
    by_key = {item.key: item for item in every(rates) if item.kind == "study"}
    for (id_, record), (source, value) in noted.items():
        if source not in by_key:
            assert own.priors.sources[source].title.startswith(("no source", "direction from"))
            continue
        study = by_key[source]
        told = {(item.id, value) for item in study.refused if value in item.text}
        changed = {change.id for change in study.changes}
        if (id_, value) in told or id_ in changed:
            continue
        point = read_figure(value, is_rate=id_.startswith("rate.")).point
        assert parameters[id_].point == pytest.approx(point, rel=0.05), record


def test_the_rate_sets_are_each_other() -> None:
    """From one to the other and back are the same numbers; the one in force changes nothing."""
    there, back = named("rates", "literature"), named("rates", "seed", "literature")
    assert {change.id: (change.before, change.after) for change in there.changes} == {
        change.id: (change.after, change.before) for change in back.changes
    }
    assert there.changes
    assert not named("rates", "seed").changes
    assert not named("rates", "literature", "literature").changes


def test_several_figures_of_one_study_for_one_number_are_not_chosen_from() -> None:
    """Bombieri 2022 has a recurrence for open surgery and another for microdiscectomy: neither is taken."""
    study = named("study", "bombieri-2022")
    refused = next(item for item in study.refused if "several figures" in item.why and "recurrent" in item.id)
    assert str(refused).startswith("rate.recurrent_herniation.open_microdiscectomy cannot be switched: ")
    assert "4.1 %" in refused.text
    assert refused.id not in {change.id for change in study.changes}
    in_use = next(change for change in study.changes if change.id == "rate.nerve_root_injury.open_microdiscectomy")
    assert in_use.after == model("literature").priors.parameters[in_use.id].point
    assert not in_use.reason


def test_what_nobody_published_is_no_study() -> None:
    """An estimate that the folder keeps under "no source retrieved" cannot be switched to."""
    assert not any("no source" in item.label for item in every())


def change(id_: str, after: float) -> Change:
    """A change of a number, with nothing else to say."""
    before = model().priors.parameters[id_].point
    return Change(id_, before, after, None, None, "", "a figure", "r1", ("s1",), "", within=True)


@given(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=4))
def test_shares_follow_in_proportion_or_are_refused(values: list[float]) -> None:
    """Whatever figures a study has for shares, the whole stays 1 or none of them is taken."""
    now = model().priors.parameters
    ids = share_groups(now)["context.level.microdiscectomy"]
    given_ = [change(id_, value) for id_, value in zip(ids, values, strict=False)]
    changes, refused = with_shares(now, given_)
    if refused:
        assert not changes
        assert [item.id for item in refused] == [item.id for item in given_]
        assert sum(values) >= 1 - 1e-9 or len(values) == len(ids)
        return
    after = {item.id: item.after for item in changes}
    assert sum(after.values()) == pytest.approx(1)
    rest = [id_ for id_ in ids if id_ not in {item.id for item in given_}]
    ratios = [after[id_] / now[id_].point for id_ in rest]
    assert ratios == pytest.approx([ratios[0]] * len(ratios) if ratios else [])


def test_some_figures_of_a_study_can_be_left_out() -> None:
    """What is left is what was chosen, with the shares that follow it."""
    study = next(item for item in every() if any(c.text == FOLLOWS for c in item.changes))
    own = [item.id for item in study.changes if item.text != FOLLOWS]
    assert only(model(), study, own).changes == study.changes
    assert not only(model(), study, []).changes
    one = only(model(), study, own[:1])
    assert [item.id for item in one.changes if item.text != FOLLOWS] == own[:1]


# ---- the answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", DISCECTOMIES)
def test_a_technique_for_all_is_the_technique_entered(technique: str) -> None:
    """For a microdiscectomy without its technique: exactly, because techniques differ in their rates alone."""
    found = switch(model(), opening(), named("technique", technique))
    assert same(found.after, posterior(model(), {**opening(), "procedure": technique}))
    assert same(found.before, posterior(model(), opening()))


@pytest.mark.parametrize("technique", DISCECTOMIES)
def test_a_technique_for_all_leaves_fusion_alone(technique: str) -> None:
    """No probability of a patient after fusion moves."""
    found = switch(model(), {"procedure": "fusion", "toe_dorsiflexion": "weak"}, named("technique", technique))
    assert same(found.after, found.before)
    assert "no probability moves" in found.sentence


def test_the_other_rate_set_gives_the_answer_of_the_other_model() -> None:
    """Switching the numbers is the same as loading the model with them."""
    for first, second in (("seed", "literature"), ("literature", "seed")):
        found = switch(model(first), opening(), named("rates", second, first))
        assert same(found.after, posterior(model(second), opening()))


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_switch_is_the_model_built_anew(data: st.DataObject) -> None:
    """One draw of the tables gives what a model with the changed numbers gives, for any alternative and case."""
    changed = data.draw(st.sampled_from([item for item in every() if item.changes]))
    findings = data.draw(st.sampled_from([dict(case.findings) for case in shipped_cases()]))
    kept = data.draw(st.lists(st.sampled_from(list(findings)), unique=True))
    case = {name: findings[name] for name in kept}
    assert same(switch(model(), case, changed).after, posterior(rebuilt(changed), case))


def test_all_at_once_are_each_alone() -> None:
    """The alternatives of one pass do not touch each other."""
    some = [item for item in every() if item.changes][::9]
    together = switch_all(model(), opening(), some)
    for item, found in zip(some, together, strict=True):
        alone = switch(model(), opening(), item)
        assert found.alternative is item
        assert same(found.after, alone.after)
        assert same(found.before, alone.before)


def test_the_most_admissible_numbers_come_first() -> None:
    """Inside all ranges, then never set aside, then the others; of each, those that change the lead first."""
    found = ordered(switch_all(model(), opening(), every()))
    places = [STANDINGS.index(item.alternative.standing) for item in found]
    assert places == sorted(places)
    assert {item.alternative.key for item in found[:2]} == {"overdevest-2014", "lonne-2012"}
    for standing in STANDINGS:
        turned = [item.leading[0] != item.leading[1] for item in found if item.alternative.standing == standing]
        assert any(turned)
        assert turned == sorted(turned, reverse=True)
    for item in found:
        own = item.alternative
        inside = all(change.within for change in own.changes)
        assert (own.standing == "inside") == inside
        assert (own.standing == "set_aside") == (not inside and any(change.reason for change in own.changes))


def test_the_other_rates_carry_what_they_rest_on() -> None:
    """Every source, the place in it, the population, and the counts, as the folder has them."""
    literature = model("literature").priors.parameters
    for change in named("rates", "literature").changes:
        own = literature[change.id]
        assert change.sources == own.sources
        assert change.about["basis"] == own.basis
        assert [change.about.get(name, "") for name in ("locator", "population", "note")] == [
            own.locator,
            own.population,
            own.note,
        ]
    text = switch(model(), opening(), named("rates", "literature")).to_text()
    assert "303 of 108,627 pooled" in text
    assert "sources: symptomatic-epidural-hematoma-2015, symptomatic-epidural-hematoma-2019, delayed-onset" in text


def test_nothing_to_switch_changes_nothing() -> None:
    """The numbers in force give the answer that stands."""
    found = switch(model(), opening(), named("rates", "seed"))
    assert found.after == found.before
    assert found.sentence == "No number differs."
    assert found.rank_before == found.rank_after
    assert switch_all(model(), opening(), []) == ()


def test_impossible_findings_are_refused_as_by_the_model() -> None:
    """With what clashes, and not as a row of zeros."""
    with pytest.raises(ImpossibleEvidenceError, match="cannot hold together"):
        switch(model(), {"toe_dorsiflexion": "severe", "leg_weakness": "absent"}, named("rates", "literature"))


def test_text_and_data_say_the_same() -> None:
    """Before, after, points and ranks of every outcome; what was set aside is said loudly."""
    found = switch(model(), opening(), named("study", "modi-2011"))
    data, text = found.to_dict(), found.to_text()
    assert found.leading == ("nerve_root_edema", "epidural_hematoma")
    assert "Epidural hematoma leads" in found.sentence
    assert found.sentence in text
    assert text.count("SET ASIDE because:") == len(found.alternative.set_aside) > 0
    assert set(data["posterior"]) == set(OUTCOMES)
    for name, row in data["posterior"].items():
        assert row["after"] - row["before"] == pytest.approx(found.difference[name])
        assert (row["rank_before"], row["rank_after"]) == (found.rank_before[name], found.rank_after[name])
    assert data["alternative"]["changes"][0]["reason"]


@given(st.permutations(OUTCOMES), st.floats(0.001, 0.9))
def test_equal_probabilities_share_a_rank_and_keep_the_lead(order: list[str], value: float) -> None:
    """The last digits of a sum neither move a rank nor take the lead."""
    assume(order[0] != "none")
    before = dict.fromkeys(OUTCOMES, value)
    after = {name: value * (1 + 1e-13 * place) for place, name in enumerate(order)}
    found = Switched(named("rates", "literature"), before, after)
    assert set(found.rank_after.values()) == {1}
    assert len(set(found.leading)) == 1


def test_a_reading_without_a_range_has_none() -> None:
    """A bare share says nothing of how far it may be off."""
    assert read_figure("0.53", is_rate=False) == Reading(0.53, None, None, "", counted=False, words="")
