"""The exported network, read back by label with pgmpy and pyAgrum."""

from __future__ import annotations

import os
import re
import stat
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import numpy as np
import pyagrum
import pytest
from pgmpy.readwrite import BIFReader, NETReader, XDSLReader, XMLBIFReader

from rootcause import load_model
from rootcause.errors import InvalidInputError
from rootcause.export import FORMATS, export_network, format_of, network_text, safe_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from rootcause import Model

Table = tuple[tuple[str, ...], "NDArray[np.float64]"]

PGMPY_TOLERANCE = 1e-12
PYAGRUM_TOLERANCE = 1e-6
"""Its readers of BIF and NET keep single precision."""


class OnceScanningReader(NETReader):  # type: ignore[misc]
    """pgmpy's reader of NET with its own grammar; the original scans the whole file again for each node."""

    def get_states(self) -> dict[str, list[str]]:
        """Return the states of every node."""
        found = self.state_expr.scan_string(self.network)
        states = ([state.replace('"', "") for state in match[0].statenames] for match in found)
        return dict(zip(self.variable_names, states, strict=True))


PGMPY_READERS = {"bif": BIFReader, "xmlbif": XMLBIFReader, "xdsl": XDSLReader, "net": OnceScanningReader}
PYAGRUM_SUFFIXES = {"bif": "bif", "xmlbif": "bifxml", "xdsl": "xdsl", "net": "net"}


@pytest.fixture(scope="module")
def files(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The shipped network in each format."""
    folder = tmp_path_factory.mktemp("export")
    for name in FORMATS:
        export_network(model, folder / f"network.{name}")
    return {name: folder / f"network.{name}" for name in FORMATS}


def labelled(own: Any) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:  # noqa: ANN401 - pgmpy has no types
    """Yield every number of a pgmpy table with the states that it stands for, by safe label."""
    names = own.variables
    labels = [[safe_label(state) for state in own.state_names[name]] for name in names]
    for index, value in np.ndenumerate(own.values):
        yield tuple(sorted((safe_label(n), labels[axis][index[axis]]) for axis, n in enumerate(names))), float(value)


@pytest.mark.parametrize("name", FORMATS)
def test_pgmpy_reads_back_the_same_numbers(model: Model, files: Mapping[str, Path], name: str) -> None:
    """Every table, compared by state label, is the shipped one, and the network passes pgmpy's own check."""
    read = PGMPY_READERS[name](str(files[name])).get_model()
    assert read.check_model()
    assert set(read.nodes()) == {safe_label(node) for node in model.network.nodes()}
    for node in model.network.nodes():
        there, here = dict(labelled(read.get_cpds(safe_label(node)))), dict(labelled(model.network.get_cpds(node)))
        assert there.keys() == here.keys(), node
        assert max(abs(there[key] - here[key]) for key in here) <= PGMPY_TOLERANCE, node


@pytest.mark.parametrize("name", FORMATS)
def test_pyagrum_reads_back_the_same_numbers(
    model: Model, files: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    """A reader with nothing in common with pgmpy finds the same tables by label."""
    file = tmp_path / f"network.{PYAGRUM_SUFFIXES[name]}"
    text = files[name].read_text("utf-8")
    if name == "xdsl":  # pyAgrum takes the first parent to change fastest, GeNIe (and pgmpy) the last
        text = re.sub("(?<=<parents>).*?(?=</parents>)", lambda found: " ".join(reversed(found[0].split())), text)
    file.write_text(text, "utf-8")
    read = pyagrum.loadBN(str(file))
    assert read.names() == {safe_label(node) for node in model.network.nodes()}
    for node in model.network.nodes():
        own = model.network.get_cpds(node)
        there = read.cpt(safe_label(node))
        axes = list(reversed(there.names))
        labels = {axis: read.variable(axis).labels() for axis in axes}
        values = {
            tuple(sorted((axis, labels[axis][index[n]]) for n, axis in enumerate(axes))): float(value)
            for index, value in np.ndenumerate(there.toarray())  # type: ignore[no-untyped-call]
        }
        here = dict(labelled(own))
        assert values.keys() == here.keys(), node
        assert max(abs(values[key] - here[key]) for key in here) <= PYAGRUM_TOLERANCE, node


def test_the_last_parent_changes_fastest_in_xdsl(files: Mapping[str, Path]) -> None:
    """As GeNIe writes it; parents stand before their children, as GeNIe needs it."""
    root = ET.parse(files["xdsl"]).getroot()  # noqa: S314 - the file was written above
    seen: set[str] = set()
    for table in root.iter("cpt"):
        parents = table.findtext("parents", "").split()
        assert seen.issuperset(parents), table.get("id")
        seen.add(str(table.get("id")))
    drawn = [str(node.get("id")) for node in root.iter("node")]
    assert len(drawn) == len(seen)
    assert set(drawn) == seen
    assert len({node.findtext("position") for node in root.iter("node")}) == len(drawn)


@pytest.mark.parametrize("name", FORMATS)
def test_a_label_written_otherwise_is_told(files: Mapping[str, Path], name: str) -> None:
    """Tools with strict grammars refuse L4-L5: the file has L4_L5, and its head says so."""
    head = " ".join(files[name].read_text("utf-8")[:2000].split())
    for told in ("L4-L5 as L4_L5", "200_ml_or_more as s200_ml_or_more"):
        assert told in re.sub(r" (//|%) ", " ", head)


def test_no_two_labels_become_one(model: Model) -> None:
    """Safe labels are still different: for nodes, and for the states of each node."""
    nodes = list(model.network.nodes())
    assert len({*map(safe_label, nodes)}) == len(nodes)
    for node in nodes:
        states = model.network.get_cpds(node).state_names[node]
        assert len({*map(safe_label, states)}) == len(states), node


@pytest.mark.parametrize(
    ("label", "safe"),
    [("present", "present"), ("L4-L5", "L4_L5"), ("200_ml_or_more", "s200_ml_or_more"), ("é", "s_"), ("", "s")],
)
def test_a_safe_label_is_letters_digits_and_underscores(label: str, safe: str) -> None:
    """A letter stands first, and a label that is safe already is kept."""
    assert safe_label(label) == safe
    assert safe_label(safe) == safe


@pytest.mark.parametrize("name", FORMATS)
def test_the_head_says_where_the_numbers_are_from(model: Model, files: Mapping[str, Path], name: str) -> None:
    """Version, rate set, the whole digest and the disclaimer stand in the file."""
    head = files[name].read_text("utf-8")[:2000]
    assert f"Rootcause {model.version}, rates seed" in head
    assert model.digest in head
    words = re.sub(r"\n(//|%)?\s*", " ", head)
    assert model.rulebook.disclaimer in words


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_numbers_give_the_same_file(model: Model, files: Mapping[str, Path], name: str) -> None:
    """Nothing in a file is random or dated, so that two exports can be compared."""
    assert network_text(load_model(), name) == files[name].read_text("utf-8") == network_text(model, name)


def test_the_rate_set_is_in_the_file(files: Mapping[str, Path]) -> None:
    """Another rate set gives another network, and the head names it."""
    literature = network_text(load_model(rates="literature"), "bif")
    assert "rates literature" in literature.splitlines()[0]
    assert literature.splitlines()[10:] != files["bif"].read_text("utf-8").splitlines()[10:]


@pytest.mark.parametrize(
    ("path", "named", "chosen"),
    [
        ("a.bif", None, "bif"),
        ("a.XDSL", None, "xdsl"),
        ("a.xml", None, "xmlbif"),
        ("a.b.net", None, "net"),
        ("a", "net", "net"),
        ("a.bif", "xdsl", "xdsl"),
    ],
)
def test_the_format_is_named_or_the_ending(path: str, named: str | None, chosen: str) -> None:
    """A named format goes before the ending, whose case does not matter."""
    assert format_of(path, named) == chosen


@pytest.mark.parametrize(
    ("path", "named", "said"),
    [
        ("a.nett", None, r"must be one of .*got '\.nett' \(did you mean '\.net'\?\)"),
        ("a", None, "must be one of .*got none"),
        ("a.bif", "xdls", r"format: must be one of bif, xmlbif, xdsl, net, got 'xdls' \(did you mean 'xdsl'\?\)"),
    ],
)
def test_an_unknown_format_is_refused(model: Model, tmp_path: Path, path: str, named: str | None, said: str) -> None:
    """In one sentence, and nothing is written."""
    with pytest.raises(InvalidInputError, match=said):
        export_network(model, tmp_path / path, named)
    assert not [*tmp_path.iterdir()]


def test_a_file_that_is_there_is_replaced_whole(model: Model, tmp_path: Path) -> None:
    """The new file takes the place of the old one, and nothing is left beside it."""
    file = tmp_path / "network.net"
    file.write_text("old " * 1_000_000)
    export_network(model, file)
    assert file.read_text("utf-8") == network_text(model, "net")
    assert [*tmp_path.iterdir()] == [file]


class Failing:
    """A model whose network cannot be had."""

    version, digest, rates = "0", "0", "seed"
    rulebook = None

    @property
    def network(self) -> object:
        """Fail."""
        raise RuntimeError("no network")


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    """When anything goes wrong on the way, the file is as it was and nothing is left beside it."""
    file = tmp_path / "network.bif"
    file.write_text("old")
    with pytest.raises(RuntimeError, match="no network"):
        export_network(Failing(), file)
    assert file.read_text() == "old"
    assert [*tmp_path.iterdir()] == [file]


def test_a_place_that_cannot_be_written_is_one_sentence(model: Model, tmp_path: Path) -> None:
    """A folder that is not there, and a name that is taken by a folder."""
    with pytest.raises(InvalidInputError, match="must be a place to write a file, got: No such file"):
        export_network(model, tmp_path / "none" / "network.bif")
    (tmp_path / "network.bif").mkdir()
    with pytest.raises(InvalidInputError, match="must be a file, got something else"):
        export_network(model, tmp_path / "network.bif")


@pytest.mark.skipif(sys.platform == "win32", reason="no links or modes of this kind")
def test_a_link_is_followed_and_the_file_can_be_read(model: Model, tmp_path: Path) -> None:
    """The target of a link is replaced, not the link, and the mode is the usual one of a new file."""
    target, link, usual = tmp_path / "target.bif", tmp_path / "link.bif", tmp_path / "usual"
    usual.touch()
    target.touch()
    link.symlink_to(target)
    export_network(model, link)
    assert link.is_symlink()
    assert target.stat().st_size > 100_000
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


@pytest.mark.skipif(not os.path.exists(os.devnull) or sys.platform == "win32", reason="no device to try")  # noqa: PTH110
def test_a_device_is_not_replaced(model: Model) -> None:
    """Somebody who may do anything would otherwise lose the device."""
    with pytest.raises(InvalidInputError, match="must be a file"):
        export_network(model, os.devnull, "bif")
