"""What is kept for the next start: whole or not at all, and never an old answer."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rootcause import cache, compiled, load_model
from rootcause.errors import InvalidPriorsError
from rootcause.priors import load_priors, shipped_priors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache."""
    monkeypatch.setenv("ROOTCAUSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_kept_is_read_back(folder: Path) -> None:
    """Nothing, then what was written, then what was written last."""
    assert cache.read("thing") is None
    cache.write("thing", b"one")
    cache.write("thing", b"two")
    assert cache.read("thing") == b"two"
    assert [file.name for file in folder.iterdir()] == ["thing"]


@pytest.mark.parametrize("cut", [0, 10, 40], ids=["empty", "no whole checksum", "cut short"])
def test_a_file_that_was_cut_short_reads_as_nothing(folder: Path, cut: int) -> None:
    """A process that died while another program copied the cache leaves no half answer."""
    cache.write("thing", b"content " * 100)
    (folder / "thing").write_bytes((folder / "thing").read_bytes()[:cut])
    assert cache.read("thing") is None


def test_a_damaged_file_reads_as_nothing(folder: Path) -> None:
    """One byte is enough."""
    cache.write("thing", b"content")
    raw = bytearray((folder / "thing").read_bytes())
    raw[-1] ^= 1
    (folder / "thing").write_bytes(raw)
    assert cache.read("thing") is None


def test_many_may_write_at_once(folder: Path) -> None:
    """A reader finds one of the versions, whole."""
    versions = [bytes([65 + k]) * 100_000 for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: cache.write("thing", content), versions))
    assert cache.read("thing") in versions
    assert len(list(folder.iterdir())) == 1


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ROOTCAUSE_CACHE", str(tmp_path / "file"))
    cache.write("thing", b"content")
    assert cache.read("thing") is None


@pytest.mark.parametrize(
    ("platform", "names", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, Path("/x/rootcause")),
        ("linux", {}, Path("/users/me/.cache/rootcause")),
        ("darwin", {}, Path("/users/me/Library/Caches/rootcause")),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/rootcause")),
    ],
)
def test_the_folder_is_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, platform: str, names: dict[str, str], expected: Path
) -> None:
    """Each system has a place for that."""
    for name in ("ROOTCAUSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/users/me"))
    assert cache.folder() == expected


@pytest.mark.usefixtures("folder")
def test_numbers_from_the_cache_are_those_from_the_files() -> None:
    """Every field of every number and source, the digest and the rate set."""
    validated = load_priors(rates="literature")
    first, second = load_model(rates="literature").priors, load_model(rates="literature").priors
    for found in (first, second):
        assert dict(found.parameters) == dict(validated.parameters)
        assert dict(found.sources) == dict(validated.sources)
        assert (found.digest, found.rates) == (validated.digest, validated.rates)


@pytest.mark.usefixtures("folder")
def test_a_changed_number_is_a_miss(tmp_path: Path) -> None:
    """The kept numbers of the folder as it was are not taken for it as it is, nor is a broken folder let through."""
    mine = tmp_path / "mine"
    shutil.copytree(str(shipped_priors()), mine)
    before = load_model(mine).digest
    text = (mine / "rates.toml").read_text(encoding="utf-8")
    (mine / "rates.toml").write_text(text.replace("point = 0.012", "point = 0.0121", 1), encoding="utf-8")
    assert text != (mine / "rates.toml").read_text(encoding="utf-8")
    assert load_model(mine).digest != before
    (mine / "rates.toml").write_text("[rate]\n", encoding="utf-8")
    with pytest.raises(InvalidPriorsError):
        load_model(mine)


def test_what_is_kept_hangs_on_the_rate_set() -> None:
    """Two rate sets of one folder have two names."""
    root = shipped_priors()
    assert compiled.key_of(root, "seed") != compiled.key_of(root, "literature")
