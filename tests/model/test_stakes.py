"""The stakes: what the shipped file must be, the threshold of acting, and every way in which a file can be refused."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootcause import load_model
from rootcause.errors import InvalidInputError, InvalidPriorsError
from rootcause.priors import Priors, load_priors, shipped_priors
from rootcause.stakes import RESTS, Examination, Quantity, Stake, Stakes, load_stakes
from rootcause.vocabulary import load_vocabulary

FOLDER = Path(str(shipped_priors()))


@pytest.fixture(scope="module")
def priors() -> Priors:
    """Return the shipped numbers."""
    return load_priors()


@pytest.fixture(scope="module")
def stakes(priors: Priors) -> Stakes:
    """Return the shipped stakes."""
    return load_stakes(priors.folder, priors.sources)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the shipped folder that a test may break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "priors"))


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def points(value: float, low: float, high: float) -> Quantity:
    """Return an assumed number."""
    return Quantity(value=value, low=low, high=high, basis="assumed", note="For a test.")


def stake(benefit: Quantity, risk: Quantity) -> Stake:
    """Return a stake whose harm is large."""
    return Stake(cause="x", act="act", harm=points(1e6, 1, 2e6), hours=points(1, 0.5, 2), benefit=benefit, risk=risk)


# ---- laws over the shipped file -------------------------------------------------------------------------------------


def quantities(stakes: Stakes) -> dict[str, Quantity]:
    """Return every number of the file by its place."""
    rows: dict[str, Stake | Examination] = {**stakes.causes, **stakes.examinations}
    return {f"{id_}.{name}": value for id_, row in rows.items() for name, value in row if isinstance(value, Quantity)}


def test_every_cause_has_its_stakes_and_every_finding_one_examination(stakes: Stakes) -> None:
    """Nothing of the vocabulary is left out, and what one test shows comes together."""
    vocabulary = load_vocabulary()
    assert stakes.causes.keys() == vocabulary.causes.keys()
    for finding, variable in vocabulary.findings.items():
        examination = stakes.examination_of(finding)
        assert finding in examination.findings
        assert {vocabulary.findings[other].test for other in examination.findings} == {variable.test}


def test_what_is_not_assumed_names_a_source_and_a_record(stakes: Stakes) -> None:
    """Numbers with a basis exist, and each says on what it rests."""
    based = {place: number for place, number in quantities(stakes).items() if number.basis != "assumed"}
    assert "epidural_hematoma.hours" in based
    offenders = [place for place, number in based.items() if not (number.sources and number.records)]
    assert not offenders


def test_every_number_says_why(stakes: Stakes) -> None:
    """Each note is a sentence."""
    offenders = [place for place, number in quantities(stakes).items() if not number.note.endswith(".")]
    assert not offenders, f"no period after the note of {offenders}"


def test_signs_cost_less_and_take_less_time_than_scans(stakes: Stakes) -> None:
    """No examination at the bedside costs more, harms more or takes longer than one that is not."""
    bedside = [item for item in stakes.examinations.values() if item.where == "bedside"]
    elsewhere = [item for item in stakes.examinations.values() if item.where != "bedside"]
    for name in ("cost", "delay_hours"):
        assert max(getattr(item, name).value for item in bedside) < min(getattr(item, name).value for item in elsewhere)


# ---- the threshold ----


def test_the_threshold_is_that_of_pauker_and_kassirer() -> None:
    """Benefit 10, risk 2: act above one in six."""
    line = stake(points(10, 5, 20), points(2, 1, 4)).threshold
    assert line.value == pytest.approx(0.16666666666666666, abs=1e-15)
    assert line.low == pytest.approx(1 / 21)
    assert line.high == pytest.approx(4 / 9)


amounts = st.floats(0.01, 1000)


@given(amounts, amounts)
def test_at_the_threshold_acting_and_waiting_are_worth_the_same(benefit: float, risk: float) -> None:
    """The expected gain p B equals the expected loss (1 - p) R."""
    p = stake(points(benefit, benefit / 2, benefit * 2), points(risk, risk / 2, risk * 2)).threshold.value
    assert p * benefit == pytest.approx((1 - p) * risk, rel=1e-9)


@given(amounts, amounts, st.floats(1.01, 10))
def test_more_risk_raises_the_threshold_and_more_benefit_lowers_it(benefit: float, risk: float, more: float) -> None:
    """The threshold moves with its parts, and its range holds it."""

    def threshold(gain: float, loss: float) -> float:
        line = stake(points(gain, gain / 2, gain * 2), points(loss, loss / 2, loss * 2)).threshold
        assert line.low < line.value < line.high
        return line.value

    assert threshold(benefit, risk * more) > threshold(benefit, risk) > threshold(benefit * more, risk)


# ---- one's own file ----


def test_a_folder_without_stakes_takes_the_shipped_ones(tmp_path: Path, stakes: Stakes) -> None:
    """One's own numbers do not oblige one to write stakes."""
    assert load_stakes(tmp_path, ()).causes == stakes.causes


def test_an_edited_stake_is_read_and_changes_the_digest(folder: Path) -> None:
    """Whoever edits a stake gets another threshold, and another digest."""
    before, digest = load_stakes(folder, load_priors(folder).sources), load_priors(folder).digest
    edit(folder / "stakes.toml", "value = 5\nlow = 2\nhigh = 10", "value = 9\nlow = 2\nhigh = 10")
    after = load_stakes(folder, load_priors(folder).sources)
    assert after.causes["epidural_hematoma"].threshold.value > before.causes["epidural_hematoma"].threshold.value
    assert load_priors(folder).digest != digest


# ---- refusals ----

HEAD = "[cause.epidural_hematoma.harm]\nvalue = 80\n"
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "low above value": (
        lambda f: edit(f, "value = 80\nlow = 50", "value = 40\nlow = 50"),
        "stakes.toml: cause.epidural_hematoma: low <= value <= high must hold, got low = 50, value = 40, high = 100",
    ),
    "a negative number": (
        lambda f: edit(f, "value = 80\nlow = 50", "value = 80\nlow = -1"),
        "stakes.toml: cause.epidural_hematoma: harm.low: must be greater than or equal to 0, got -1",
    ),
    "not a number": (lambda f: edit(f, HEAD, HEAD.replace("80", "nan")), "harm.value"),
    "no time at all": (
        lambda f: edit(f, "value = 12\nlow = 6", "value = 12\nlow = 0"),
        "stakes.toml: cause.epidural_hematoma: hours must be above 0, got low = 0",
    ),
    "more benefit than harm": (
        lambda f: edit(f, "value = 30\nlow = 10\nhigh = 60", "value = 90\nlow = 10\nhigh = 95"),
        "benefit must be above 0 and at most the harm, got low = 10, value = 90, harm = 80",
    ),
    "cited from nowhere": (
        lambda f: edit(f, 'basis = "assumed"', 'basis = "cited"'),
        "a cited number must name its sources and records, got none",
    ),
    "assumed from somewhere": (
        lambda f: edit(f, 'basis = "assumed"', 'basis = "assumed"\nsources = ["porter-2000"]'),
        "an assumed number must name no source or record",
    ),
    "assumed without a range": (
        lambda f: edit(f, "value = 80\nlow = 50\nhigh = 100", "value = 80\nlow = 80\nhigh = 80"),
        "an assumed number must have a range, got 80 alone",
    ),
    "an unknown source": (
        lambda f: edit(f, '"porter-2000", "lawton-1995"', '"porter-2001", "lawton-1995"'),
        "every source must be listed in sources.toml, got 'porter-2001' (did you mean 'porter-2000'?)",
    ),
    "an unknown field": (
        lambda f: edit(
            f, 'act = "evacuate a clot that compresses, once it is seen or the course leaves no time"', 'deed = "x"'
        ),
        "must not have a field 'deed'",
    ),
    "an unknown finding": (
        lambda f: edit(f, 'findings = ["fever"]', 'findings = ["fevr"]'),
        "every finding must be in the vocabulary, got 'fevr' (did you mean 'fever'?)",
    ),
    "a finding left out": (
        lambda f: edit(f, '"ankle_reflex", "knee_reflex"', '"ankle_reflex"'),
        "every finding must stand in exactly one examination, got 0 for knee_reflex",
    ),
    "a finding in two": (
        lambda f: edit(f, '"ankle_reflex", "knee_reflex"', '"ankle_reflex", "knee_reflex", "fever"'),
        "every finding must stand in exactly one examination, got 2 for fever",
    ),
    "a test with a sign": (
        lambda f: move(f, "knee_reflex", 'findings = ["crp"]', 'findings = ["crp", "knee_reflex"]'),
        "examination.blood: its findings must come from one test, got blood and the bedside",
    ),
    "a scan in two parts": (
        lambda f: move(f, "mri_infection", "", ""),
        "examination.second: what mri shows must stand together, got it in mri as well",
    ),
    "a sign in the laboratory": (
        lambda f: edit(f, 'findings = ["fever"]\nwhere = "bedside"', 'findings = ["fever"]\nwhere = "laboratory"'),
        "examination.temperature: a sign must be found at the bedside, got 'laboratory'",
    ),
    "an unknown cause": (
        lambda f: f.write_text(f.read_text("utf-8").replace("cause.csf_leak", "cause.csf_leek"), "utf-8"),
        "every cause must be in the vocabulary, got 'csf_leek' (did you mean 'csf_leak'?)",
    ),
    "a text for a number": (
        lambda f: edit(f, HEAD, HEAD.replace("80", '"80"')),
        "harm.value: must be a valid number, got '80'",
    ),
    "no TOML": (lambda f: f.write_text("[cause", "utf-8"), "stakes.toml: must be valid TOML"),
}


def move(file: Path, finding: str, old: str, new: str) -> None:
    """Take a finding out of its examination and put it into another, or into a second scan."""
    scan = "" if old else second_scan(file, finding)
    text = file.read_text("utf-8")
    for listed in (f', "{finding}"', f'  "{finding}",\n'):
        text = text.replace(listed, "", 1)
    file.write_text(text + scan, "utf-8")
    if old:
        edit(file, old, new)


def second_scan(file: Path, finding: str) -> str:
    """Return the scan once more under another name, for one finding."""
    item = tomllib.loads(file.read_text("utf-8"))["examination"]["mri"]
    lines = [f"{name} = {json.dumps(value)}" for name, value in item.items() if isinstance(value, str)]
    lines.append(f'findings = ["{finding}"]')
    for name in ("cost", "delay_hours", "harm"):
        number = ", ".join(f"{key} = {json.dumps(value)}" for key, value in item[name].items())
        lines.append(f"{name} = {{ {number} }}")
    return "\n[examination.second]\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(folder: Path, priors: Priors, broken: str) -> None:
    """Each broken rule is said with its place, the rule and what was got."""
    damage, sentence = BROKEN[broken]
    damage(folder / "stakes.toml")
    with pytest.raises(InvalidPriorsError) as caught:
        load_stakes(folder, priors.sources)
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_every_problem_is_reported_at_once(folder: Path, priors: Priors) -> None:
    """Three mistakes in one file are three lines of one error."""
    file = folder / "stakes.toml"
    edit(file, "value = 80\nlow = 50", "value = 40\nlow = 50")
    edit(file, '"petr-2019"', '"petr-2018"')
    edit(file, 'findings = ["fever"]', 'findings = ["fevr"]')
    with pytest.raises(InvalidPriorsError) as caught:
        load_stakes(folder, priors.sources)
    said = "\n".join(caught.value.problems)
    for piece in ("low <= value <= high", "'petr-2018'", "'fevr'"):
        assert piece in said


def test_an_examination_of_nothing_known_is_no_examination(stakes: Stakes) -> None:
    """A finding that is not in the vocabulary has none."""
    with pytest.raises(KeyError):
        stakes.examination_of("aura")


def test_acts_that_would_soothe_rest_under_a_red_flag() -> None:
    """Splints and exercises are not named while compression has not been looked for; thresholds stay."""
    stakes = load_model().stakes
    for level in ("emergency", "same_day"):
        under = stakes.under(level)
        assert under.causes["nerve_root_edema"].act == RESTS
        assert under.causes["epidural_hematoma"].act == stakes.causes["epidural_hematoma"].act
        assert under.causes["nerve_root_edema"].threshold == stakes.causes["nerve_root_edema"].threshold
    assert stakes.under("routine") == stakes


def test_changed_stakes_are_openly_assumed() -> None:
    """A reader's own value keeps its range round it and says where it came from; slips are told."""
    changed = load_model().stakes.with_values({("epidural_hematoma", "harm"): 99.0}).causes["epidural_hematoma"].harm
    assert (changed.value, changed.basis, changed.sources) == (99.0, "assumed", ())
    assert changed.low <= 99.0 <= changed.high
    for values in ({("hematoma", "harm"): 1.0}, {("csf_leak", "cost"): 1.0}, {("csf_leak", "harm"): 0.0}):
        with pytest.raises(InvalidInputError, match="stakes: "):
            load_model().stakes.with_values(values)
