"""The notebooks run from top to bottom, and print what they hold."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from support.pages import ROOT

NOTEBOOKS = sorted(ROOT.glob("examples/*.ipynb"))


def printed(cell: Any) -> list[str]:
    """Return what a cell printed, and the plain text of what it showed; of a figure, that there is one."""
    found = []
    for output in cell.outputs:
        assert output.output_type != "error", output
        if output.output_type == "stream":
            assert output.name == "stdout", output.text
            found.append(output.text)
        else:
            found.append(output.data["text/plain"])
    return found


def executed(notebook: Path, folder: Path, data_root: str) -> tuple[Any, Any]:
    """Return a notebook as it is, and as it is after a run."""
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="the extra `notebook` is not installed")
    content, held = (nbformat.read(notebook, 4) for _ in range(2))
    environment = {**os.environ, "HSBENCH_DATA": data_root, "PYTHONWARNINGS": "default", "IPYTHONDIR": str(folder)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the kernel's client, about sockets and loops
        client = nbclient.NotebookClient(content, timeout=300, resources={"metadata": {"path": str(folder)}})
        client.execute(env=environment)
    return held, content


def code(notebook: Any, tagged: bool) -> list[Any]:
    """Return the cells of code, those that need data or the others."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell for cell in cells if ("needs-data" in cell.metadata.get("tags", [])) is tagged]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_it_holds(notebook: Path, tmp_path: Path) -> None:
    held, run = executed(notebook, tmp_path, data_root="")
    assert [printed(cell) for cell in code(run, tagged=False)] == [printed(cell) for cell in code(held, tagged=False)]
    without = [text for cell in code(run, tagged=True) for text in printed(cell)]
    assert "left out" in without[0]
    assert "hsbench data download cave" in without[0]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_what_it_holds_with_data(notebook: Path, tmp_path: Path, cave_root: Path) -> None:
    held, run = executed(notebook, tmp_path, data_root=str(cave_root))
    assert [printed(cell) for cell in code(run, tagged=True)] == [printed(cell) for cell in code(held, tagged=True)]


def test_notebooks_are_small_and_whole() -> None:
    assert [path.name for path in NOTEBOOKS] == ["first-numbers.ipynb"]
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 300_000
        assert '"output_type": "error"' not in text
        assert "ipykernel_" not in text  # paths of the machine that ran it
