"""Promises of the package as a whole: light import, public names, examples that run."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import coldstart
from coldstart.cli import main
from tests.conftest import ROOT


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


def test_import_loads_nothing_heavy():
    loaded = python("import sys, coldstart; print(*sys.modules)").split()
    heavy = {"torch", "transformers", "peft", "sentence_transformers", "polars", "numpy", "scipy"}
    assert not heavy & set(loaded)


def test_public_names_resolve():
    for name in coldstart.__all__:
        assert getattr(coldstart, name) is not None
    assert set(coldstart.__all__) <= set(dir(coldstart))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = coldstart.nothing


def test_readme_example_runs(shipped, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("```python\n")[1].split("```")[0]
    monkeypatch.setattr(coldstart.Recommender, "from_pretrained", lambda path: shipped)
    exec(compile(block, "README.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 10


def test_demo_people_get_ten_recommendations_each(shipped, monkeypatch, capsys):
    monkeypatch.setattr(coldstart.Recommender, "from_pretrained", lambda path, **_: shipped)
    path = str(ROOT / "examples" / "new_users.json")
    assert main(["recommend", "--profile", path, "-k", "10", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [len(a["items"]) for a in answers] == [10, 10, 10]
