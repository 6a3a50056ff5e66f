"""Care: no orders, nothing that soothes in an emergency, a basis for every text, and who is shown."""

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause.care import NO_SOURCE, Care, CareAdvice, care_for, care_text, load_care
from rootcause.errors import InvalidInputError, InvalidPriorsError
from rootcause.priors import load_priors, shipped_priors
from rootcause.rules import LEVELS, Level
from rootcause.shares import Interval
from rootcause.vocabulary import load_vocabulary

FOLDER = Path(str(shipped_priors()))
PRIORS = load_priors()
CARE: Care = load_care(PRIORS.folder, PRIORS.sources)
CAUSES = tuple(CARE.causes)
EVERY: dict[str, Interval] = dict.fromkeys(CAUSES, (0.5, 0.2, 0.8))


def shown(level: Level, posterior: dict[str, Interval] | None = None) -> tuple[CareAdvice, ...]:
    """Return the care under a level of urgency; of every cause by default."""
    return care_for(CARE, EVERY if posterior is None else posterior, level)


# ---- laws over the shipped texts ------------------------------------------------------------------------------------

HEDGES = re.compile(r"\b(may|usually|usual|often|calls for|decision|is seen|was abnormal|went with|not known)\b")
SOOTHING = re.compile(
    r"improve|recovered|passes|observed, with|conservativ|without an operation|exercise|[Tt]herapy|went fully|came back"
)
ALARMING = {"nerve_root_edema.management.doubt", "slow_nerve_recovery.management.doubt"}
"""Texts that name improvement only to say that its end is a warning."""


def test_no_text_is_an_order() -> None:
    """What is looked for and done is usual or possible, never commanded."""
    offenders = [
        item.id
        for item in CARE.items
        if item.id.split(".")[1] in {"workup", "management"} and not HEDGES.search(item.text)
    ]
    assert not offenders, f"an order, not what is usual: {offenders}"


def test_nothing_soothes_in_an_emergency() -> None:
    """A text that speaks of recovery or of waiting rests under an emergency."""
    soothing = {item.id for item in CARE.items if SOOTHING.search(item.text)} - ALARMING
    assert soothing
    said = {
        item.id
        for advice in shown("emergency")
        for part in (advice.workup, advice.management, advice.prognosis)
        for item in part
    }
    assert not soothing & said


def test_every_cause_keeps_something_to_say_in_an_emergency() -> None:
    """No cause falls silent: what must be looked for stays."""
    advice = {item.cause: item for item in shown("emergency")}
    assert advice.keys() == set(CAUSES)
    assert all(item.workup for item in advice.values())


def test_anticoagulation_is_left_to_the_surgeon() -> None:
    """No text advises it."""
    about = [item.text for item in CARE.items if re.search("anticoag|heparin|thinner", item.text, re.IGNORECASE)]
    assert about
    assert all("surgeon's decision" in text for text in about)


def test_a_text_without_a_source_says_so_where_it_is_shown() -> None:
    """Common practice is marked as such, and nothing else is."""
    for item in CARE.items:
        assert (NO_SOURCE in item.shown) == (item.basis == "assumed")
        assert (NO_SOURCE in item.to_dict()["text"]) == (not item.sources)


def test_texts_are_said_once_and_end_with_a_period() -> None:
    """Each statement is its own."""
    texts = [item.text for item in CARE.items]
    assert len(texts) == len(set(texts))
    assert not [text for text in texts if not text.endswith(".")]


def test_every_claim_that_is_named_exists() -> None:
    """A text carries statements of the seed documents that the table of claims lists, and cites the document."""
    listed = tomllib.loads((FOLDER / "claims.toml").read_text("utf-8"))["claim"]
    seeds = {"D": "seed-microdiscectomy", "F": "seed-fusion"}
    offenders = [
        f"{item.id}: {claim}"
        for item in CARE.items
        for claim in item.claims
        if claim not in listed or seeds[claim[0]] not in item.sources
    ]
    assert not offenders


def test_the_advice_of_the_seed_documents_is_carried_by_a_text_for_its_cause() -> None:
    """Reoperation, watching, observation, revision and haste stand with the causes they are about."""
    carried = {(item.id.split(".")[0], claim) for item in CARE.items for claim in item.claims}
    assert carried >= {
        ("epidural_hematoma", "D21"),
        ("residual_compression", "D21"),
        ("nerve_root_injury", "D22"),
        ("nerve_root_edema", "D23"),
        ("nerve_root_injury", "D25"),
        ("hardware_malposition", "F11"),
        ("surgical_site_infection", "F08"),
        ("venous_thromboembolism", "F08"),
    }


# ---- who is shown ----


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Draw a posterior mean with an interval around it, or without one."""
    low, mean, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
    return (mean, low, high) if draw(st.booleans()) else (mean, None, None)


posteriors = st.dictionaries(st.sampled_from(CAUSES), intervals())
levels = st.sampled_from(LEVELS)


@given(posteriors, levels)
def test_a_cause_is_shown_from_the_upper_end_of_its_interval(posterior: dict[str, Interval], level: Level) -> None:
    """A cause that may be as probable as the threshold is not left out, and no other is shown."""
    advice = shown(level, posterior)
    reached = {cause for cause, (mean, _, high) in posterior.items() if (mean if high is None else high) >= 0.05}
    assert {item.cause for item in advice} == reached
    assert [item.mean for item in advice] == sorted((item.mean for item in advice), reverse=True)


@given(posteriors, levels)
def test_haste_takes_texts_away_and_adds_none(posterior: dict[str, Interval], level: Level) -> None:
    """Under a more urgent level every cause shows a part of what it shows in routine."""
    calm = {item.cause: item for item in shown("routine", posterior)}
    for item in shown(level, posterior):
        for part in ("workup", "management", "prognosis"):
            assert set(getattr(item, part)) <= set(getattr(calm[item.cause], part))


def test_the_basis_is_the_probability_with_its_interval() -> None:
    """The reason why a cause is shown stands before what is said of it."""
    (advice,) = shown("routine", {"epidural_hematoma": (0.21, 0.06, 0.45)})
    assert advice.basis == "Epidural hematoma: 21 % (90 % interval 6 to 45 %)"
    assert advice.to_lines()[0] == advice.basis
    assert care_text((advice,)).splitlines() == advice.to_lines()
    (bare,) = shown("routine", {"epidural_hematoma": (0.21, None, None)})
    assert bare.basis == "Epidural hematoma: 21 %"


def test_the_plain_data_has_every_part_with_its_sources() -> None:
    """JSON names cause, probability, basis and, for each text, its sources."""
    (advice,) = shown("routine", {"hardware_malposition": (0.21, 0.06, 0.45)})
    data = advice.to_dict()
    assert data["probability"] == {"mean": 0.21, "low": 0.06, "high": 0.45}
    assert [len(data[part]) for part in ("workup", "management", "prognosis")] == [2, 1, 1]
    assert data["workup"][0]["sources"] == ["risk-of-neurologic-2024", "sumiya-2020", "seed-fusion"]


@pytest.mark.parametrize(
    ("posterior", "level", "sentence"),
    [
        ({"csf_leek": (0.1, None, None)}, "routine", "got 'csf_leek' (did you mean 'csf_leak'?)"),
        ({"csf_leak": (-0.1, None, None)}, "routine", "csf_leak: mean must lie from 0 to 1, got -0.1"),
        ({}, "soon", "level: must be one of emergency, same_day, within_48h, routine, got 'soon'"),
    ],
    ids=str,
)
def test_bad_input_is_refused(posterior: dict[str, Interval], level: Level, sentence: str) -> None:
    """One sentence says what was wrong."""
    with pytest.raises(InvalidInputError) as caught:
        care_for(CARE, posterior, level)
    assert sentence in str(caught.value)


# ---- one's own file ----


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the shipped folder that a test may break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "priors"))


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_a_folder_without_care_takes_the_shipped_texts(tmp_path: Path) -> None:
    """One's own numbers do not oblige one to write texts."""
    assert load_care(tmp_path, ()) == CARE


def test_one_may_set_from_where_a_cause_is_shown_and_the_digest_tells(folder: Path) -> None:
    """The threshold is data, 5 % where it is left out."""
    digest = load_priors(folder).digest
    edit(folder / "care.toml", "show_from = 0.05", "show_from = 0.4")
    assert load_priors(folder).digest != digest
    mine = load_care(folder, PRIORS.sources)
    assert not care_for(mine, {"csf_leak": (0.1, 0.05, 0.3)}, "routine")
    edit(folder / "care.toml", "show_from = 0.4", "")
    assert load_care(folder, PRIORS.sources).show_from == 0.05


FIRST = "care.toml: epidural_hematoma.workup.scan: "
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "cited from nowhere": (
        lambda f: edit(f, 'records = ["F-CES-01", "F-SEH-01"]\nclaims = ["D15", "D18"]', ""),
        FIRST + "a cited text must name its sources, and records or claims, got none",
    ),
    "assumed from somewhere": (
        lambda f: edit(f, 'basis = "assumed"', 'basis = "assumed"\nclaims = ["D01"]'),
        "an assumed text must name no source, record or claim, got some",
    ),
    "an unknown source": (
        lambda f: edit(f, '"stoddart-undated"', '"stoddard-undated"'),
        FIRST
        + "every source must be listed in sources.toml, got 'stoddard-undated' (did you mean 'stoddart-undated'?)",
    ),
    "an unknown part": (
        lambda f: edit(f, "[care.csf_leak.prognosis.meningitis]", "[care.csf_leak.prognoses.meningitis]"),
        "care.toml: csf_leak: a part must be one of workup, management, prognosis, got 'prognoses'",
    ),
    "a part left out": (
        lambda f: edit(f, "[care.csf_leak.prognosis.meningitis]", "[care.csf_leak.workup.meningitis]"),
        "care.toml: csf_leak: must have at least one text under prognosis, got none",
    ),
    "an unknown cause": (
        lambda f: f.write_text(f.read_text("utf-8").replace("care.csf_leak.", "care.csf_leek."), "utf-8"),
        "every cause must have its care, got none for csf_leak",
    ),
    "an unknown level": (
        lambda f: edit(f, 'not_when = ["emergency"]', 'not_when = ["now"]'),
        "epidural_hematoma.prognosis.after_evacuation: not_when.0: must be",
    ),
    "a threshold of nothing": (lambda f: edit(f, "show_from = 0.05", "show_from = 0"), "care.toml: show_from: must be"),
    "no TOML": (lambda f: f.write_text("[care", "utf-8"), "care.toml: must be valid TOML"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(folder: Path, broken: str) -> None:
    """Each broken rule is said with its place, the rule and what was got."""
    damage, sentence = BROKEN[broken]
    damage(folder / "care.toml")
    with pytest.raises(InvalidPriorsError) as caught:
        load_care(folder, PRIORS.sources)
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_every_problem_is_reported_at_once(folder: Path) -> None:
    """Three mistakes are three lines of one error."""
    for broken in ("an unknown source", "an unknown part", "an unknown level"):
        BROKEN[broken][0](folder / "care.toml")
    with pytest.raises(InvalidPriorsError) as caught:
        load_care(folder, PRIORS.sources)
    said = "\n".join(caught.value.problems)
    for piece in ("'stoddard-undated'", "'prognoses'", "got 'now'"):
        assert piece in said


def test_the_texts_name_the_causes_of_the_vocabulary_and_no_others() -> None:
    """Every cause has its care."""
    assert set(CAUSES) == load_vocabulary().causes.keys()
