"""The notebooks run from top to bottom in a fresh kernel, and show what is stored in them."""

from __future__ import annotations

import math
import re
from difflib import SequenceMatcher

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT
from tests.waiting import PATIENCE

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Other processors round otherwise: lists swap neighbours, and small models learn a little else.
ALIKE = 0.8


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_notebook_runs_and_shows_what_is_stored(path):
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    client = NotebookClient(
        fresh,
        timeout=None,  # pytest's is enough
        startup_timeout=int(PATIENCE),
        resources={"metadata": {"path": ROOT}},
    )
    client.execute()  # raises CellExecutionError, which shows the failing cell
    assert kinds(stored) == kinds(fresh), "make notebooks"
    assert any("image/png" in kind for kind in kinds(stored))
    assert agreement(words(stored), words(fresh)) > ALIKE, "make notebooks"


def outputs(notebook):
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.get("name") != "stderr":
                yield number, output


def kinds(notebook):
    """Which cells show text, tables and pictures."""
    found = set()
    for number, output in outputs(notebook):
        found |= {(number, kind) for kind in output.get("data", {output.output_type: ""})}
    return {f"{number} {kind}" for number, kind in found}


def words(notebook):
    """Words and figures that are shown, in their order."""
    texts = (o.get("text") or o.get("data", {}).get("text/plain", "") for _, o in outputs(notebook))
    return re.findall(r"[^\W\d_]+|[-+−]?\d+(?:\.\d+)?", "\n".join(texts))


def number(word):
    return float(word.replace("−", "-")) if word[-1].isdigit() else None


def agreement(stored, fresh):
    """Share of words and figures in common: figures may differ by a tenth, or by .05."""
    forms = [["#" if number(word) is not None else word for word in x] for x in (stored, fresh)]
    common = 0
    for a, b, size in SequenceMatcher(None, *forms, autojunk=False).get_matching_blocks():
        for one, other in zip(stored[a : a + size], fresh[b : b + size], strict=True):
            x, y = number(one), number(other)
            common += x is None or math.isclose(x, y, rel_tol=0.1, abs_tol=0.05)
    return 2 * common / max(len(stored) + len(fresh), 1)


@pytest.mark.parametrize(
    ("stored", "fresh", "low", "high"),
    [
        ("a 0.40 b 12", "a 0.41 b 12", 1.0, 1.0),
        ("a 0.40 b 12", "a 0.60 b 12", 0.7, 0.8),
        ("a 0.40 b 12", "a 0.40 b 99", 0.7, 0.8),
        ("a b c d", "a c d", 0.8, 0.9),
        ("a b c d", "e f g h", 0.0, 0.0),
        ("k -0.31", "k 0.31", 0.5, 0.5),
    ],
)
def test_agreement_is_loose_but_sees_other_figures(stored, fresh, low, high):
    assert low <= agreement(stored.split(), fresh.split()) <= high


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_stored_as_it_was_run(path):
    """In one go, without the machine's traces: ``make notebooks``."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all("execution" not in cell.metadata for cell in code)
    assert not [o for _, o in outputs(notebook) if o.output_type == "error"]
    assert path.stat().st_size < 1_000_000
    for _, output in outputs(notebook):
        text = str(output.get("text", output.get("data", {}).get("text/plain", "")))
        assert not re.search(r"(/tmp/|/home/|/root/|\d{2,}%\||\bs/it\b)", text)
