"""What benchmarks write down: figures with the command, machine and versions that made them."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.conftest import ROOT

SCRIPTS = ROOT / "benchmarks"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import results

    monkeypatch.setattr(sys, "argv", [str(SCRIPTS / "growth.py"), "--sizes", "10", "--name", "a b"])
    return results


def test_both_files_say_what_made_the_figures(results, tmp_path, capsys):
    report = results.Report("Lists", "numpy")
    text = results.table(["a", ""], [[1, None], ["x", 2.5]])
    assert text == "| a |  |\n| --- | --- |\n| 1 | – |\n| x | 2.5 |"
    report.publish(tmp_path / "v1.2", ["What it is.", text], {"rows": [{"a": 1}]})
    markdown = (tmp_path / "v1.2.md").read_text(encoding="utf-8")
    assert markdown in capsys.readouterr().out
    command = "python benchmarks/growth.py --sizes 10 --name 'a b'"
    assert markdown.startswith(f"# Lists\n\n`{command}`: ")
    assert markdown.endswith(f"What it is.\n\n{text}\n")
    kept = json.loads((tmp_path / "v1.2.json").read_text(encoding="utf-8"))
    assert kept["command"] == command
    assert kept["rows"] == [{"a": 1}]
    assert list(kept["versions"]) == ["python", "coldstart-rec", "numpy"]
    assert kept["machine"]["cores"] >= 1
    assert len(kept["machine"]["load"]) == 2
    for name, number in kept["versions"].items():
        assert f"{name} {number}" in markdown


def test_without_a_place_it_is_only_printed(results, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert results.command_line("First line.\n\nMore.").parse_args([]).out is None
    results.Report("Lists").publish(None, ["text"], {})
    assert "# Lists" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_memory_is_that_of_this_process(results):
    assert 1 < results.memory("VmRSS") <= results.memory("VmHWM")


def test_commands_in_the_results_name_scripts_that_are_there():
    found = set()
    for path in (ROOT / "docs" / "results").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"python (benchmarks/\w+\.py)", text))
    assert len(found) > 5
    assert all((ROOT / name).is_file() for name in found)
