"""The repository itself: what it must not contain, and what has to agree."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import rootcause

ROOT = Path(__file__).resolve().parents[1]

# In pieces, so that this file passes its own test.
REGISTRY_HOSTS = [
    ".".join(name)
    for name in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("anaconda", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
    )
]
REGISTRY = re.compile("|".join(map(re.escape, REGISTRY_HOSTS)), re.IGNORECASE)
INDEX_OPTION = re.compile(r"^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--trusted-host)\b", re.MULTILINE)
HOMES = r"root|work|(?:opt|home|Users)/[A-Za-z][\w.-]*"
MACHINE_PATH = re.compile(rf"(?:(?<![\w)}}./~*-])|(?<=file://))/(?:{HOMES})(?![\w-])|[A-Z]:\\Users")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every file that is tracked or about to be, by its name."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = {name: ROOT / name for name in names if name}
    return {name: file.read_text("utf-8", errors="ignore") for name, file in files.items() if file.is_file()}


def test_no_file_names_a_package_registry(texts: dict[str, str]) -> None:
    """The pins hold on any mirror, so no file says which one was used."""
    offenders = {name: found.group() for name, text in texts.items() if (found := REGISTRY.search(text))}
    assert not offenders


def test_the_pins_name_no_index(texts: dict[str, str]) -> None:
    """Which index to ask is the installing machine's own setting."""
    pins = {name: text for name, text in texts.items() if re.fullmatch(r"requirements.*\.txt", name)}
    assert pins
    assert not {name: found.group() for name, text in pins.items() if (found := INDEX_OPTION.search(text))}


def test_no_file_names_a_path_of_one_machine(texts: dict[str, str]) -> None:
    """What works here works anywhere: no absolute path into somebody's home."""
    offenders = {name: found.group() for name, text in texts.items() if (found := MACHINE_PATH.search(text))}
    assert not offenders


@pytest.mark.parametrize(
    "path", ["/{}/main/x.py", "see /{}/", '"/{}"', "\n/{}/.venv/bin/python", "file:///{}/x", "PATH=/bin:/{}/bin"]
)
def test_a_machine_path_is_recognised(path: str) -> None:
    """The pattern above is not blind."""
    assert MACHINE_PATH.search(path.format("work"))
    assert MACHINE_PATH.search(path.format("root"))


@pytest.mark.parametrize("text", ["and/or/work/", "https://a.org/work/1", "L5/root/S1", "$BIN/rootcause", "~/work/x"])
def test_an_address_is_no_machine_path(text: str) -> None:
    """The pattern above leaves addresses, routes and slashed words alone."""
    assert not MACHINE_PATH.search(text)


def test_the_version_is_one() -> None:
    """The package, the project file and the citation agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    cited = re.search(r"^version: *\"?([^\s\"]+)", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    assert cited is not None
    assert (rootcause.__version__, cited.group(1)) == (project, project)


def test_the_readme_names_the_two_commands() -> None:
    """A reader finds how to run it and how to test it, and what it is not."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(words in readme for words in ("make run", "make test", "not a medical device"))


def test_every_target_named_in_the_readme_exists() -> None:
    """No `make` line in the README leads nowhere."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = re.findall(r"`(make [a-z]+)`|^(make [a-z]+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert {(quoted or line).removeprefix("make ") for quoted, line in code} <= targets


def test_every_file_linked_in_the_readme_exists() -> None:
    """No link in the README leads nowhere."""
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert not [name for name in linked if not (ROOT / name).exists()]


def test_the_pins_agree() -> None:
    """What is tested is what is run: both files pin the same versions."""
    pinned, tested = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert pinned.items() <= tested.items()


def test_importing_the_library_is_light() -> None:
    """Nothing heavy is loaded before it is needed."""
    heavy = {"altair", "pandas", "pgmpy", "pyarrow", "sklearn", "statsmodels", "streamlit"}
    loaded = f"import rootcause, sys; print(*{heavy!r} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
