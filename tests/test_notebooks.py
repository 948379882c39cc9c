"""The notebooks run from top to bottom in a fresh kernel."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT
from tests.waiting import PATIENCE

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=None,  # pytest's is enough
        startup_timeout=int(PATIENCE),
        resources={"metadata": {"path": ROOT}},
    )
    client.execute()  # raises CellExecutionError, which shows the failing cell
    assert any(cell.get("outputs") for cell in notebook.cells)
