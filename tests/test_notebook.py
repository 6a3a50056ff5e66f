"""The notebook that a modeler can start from: run as its reader would run it, and stored without what it printed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOK = Path(__file__).resolve().parents[1] / "docs" / "notebooks" / "sensitivity.ipynb"
PATIENCE = 300
FIGURES = 5


@pytest.fixture(scope="module")
def stored() -> nbformat.NotebookNode:
    """The notebook as it is kept."""
    notebook: nbformat.NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


@pytest.fixture(scope="module")
def run(stored: nbformat.NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """The notebook with its outputs, from a kernel of this interpreter that knows no user's settings."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder / name.lower()))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        executed = deepcopy(stored)
        where = {"metadata": {"path": str(folder)}}
        NotebookClient(executed, timeout=PATIENCE, kernel_name="python3", resources=where).execute()
    return executed


def outputs(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """Yield what the cells gave."""
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def test_it_is_stored_without_outputs(stored: nbformat.NotebookNode) -> None:
    """What it prints would be out of date with the next change of a number."""
    nbformat.validate(stored)
    assert not list(outputs(stored))
    assert {cell.get("execution_count") for cell in stored.cells} == {None}


def test_it_runs_and_complains_of_nothing(run: nbformat.NotebookNode) -> None:
    """No error, no warning, and every figure is drawn."""
    assert not [output.text for output in outputs(run) if output.get("name") == "stderr"]
    drawn = [output for output in outputs(run) if "text/html" in output.get("data", {})]
    assert len(drawn) == FIGURES


def test_it_prints_the_published_numbers_of_asia(run: nbformat.NotebookNode) -> None:
    """P(lung | xray, dysp) as a function of P(smoke), where it is one half, and the exact credal bounds."""
    printed = "".join(output.text for output in outputs(run) if output.output_type == "stream")
    for said in (
        "(0.072912 t +0.007448) / (0.0807365 t +0.0303019)",
        "reaches 0.5 at P(smoke=yes) = 0.2367",
        "from 0.099876 to 0.162033, exact: True",
    ):
        assert said in printed
