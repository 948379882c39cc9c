"""The recipes of docs/extending.md, each run from outside the package as it is written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packages import write_package

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(?P<before>[^\n]+)\n\n```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Recipe:
    """A section of the document.

    Args:
        title: its heading.
        promised: the files that it says are to be written.
        files: text of each file.
        script: what tries it.
        output: what that prints.
    """

    title: str
    promised: tuple[str, ...]
    files: dict[str, str]
    script: str
    output: str


def recipe_of(title, section):
    files, script, output = {}, "", ""
    for block in BLOCK.finditer(section):
        before, body = block["before"], block["body"]
        if name := re.fullmatch(r"`([\w./-]+)`", before):
            files[name[1]] = body
        elif before == "Try it:":
            script = body
        elif before == "prints":
            output = body
    promised = re.search(r"^Files: (.*)\.$", section, re.M)
    names = tuple(re.findall(r"`([^`]+)`", promised[1])) if promised else ()
    return Recipe(title, names, files, script, output)


SECTIONS = dict(part.split("\n", 1) for part in re.split(r"^## ", TEXT, flags=re.M)[1:])
RECIPES = {t: recipe_of(t, section) for t, section in SECTIONS.items() if re.match(r"\d", t)}


def run(site, *command):
    path = os.pathsep.join([str(site), str(ROOT)])
    settings = {
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=site,
        env=os.environ | {"PYTEST_ADDOPTS": ""} | settings,
    )


def put(recipe, tmp):
    """Write a recipe's files, and install them if they are a package."""
    source, site = tmp / "source", tmp / "site"
    for name, text in recipe.files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if "pyproject.toml" not in recipe.files:
        return source
    write_package(source, site)
    return site


def test_there_is_a_recipe_for_everything_that_can_be_added():
    kinds = ["signal", "scorer", "baseline", "prompt", "index", "filter"]
    assert [title.split()[-1] for title in RECIPES] == kinds


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_takes_at_most_two_files_and_does_what_it_says(recipe, tmp_path):
    assert recipe.promised == tuple(recipe.files)
    assert 1 <= len(recipe.files) <= 2
    assert recipe.script
    done = run(put(recipe, tmp_path), "-c", recipe.script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == recipe.output


@pytest.mark.parametrize("hypothesis", [True, False], ids=["with Hypothesis", "without"])
def test_the_recipes_pass_the_contract_tests(tmp_path, hypothesis):
    for recipe in RECIPES.values():
        for name, text in recipe.files.items():
            if name.endswith(".py"):
                (tmp_path / name).write_text(text, encoding="utf-8")
    tests = recipe_of("Contract tests", SECTIONS["Contract tests"]).files
    (tmp_path / "test_contracts.py").write_text(tests["test_contracts.py"], encoding="utf-8")
    only = ["-k", "TestNewest" if hypothesis else "Test"]  # all of them once, the quick way
    if not hypothesis:
        (tmp_path / "hypothesis.py").write_text("raise ImportError('not installed')")
    done = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *only)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.M)


def test_every_contract_is_named():
    folder = ROOT / "coldstart" / "testing" / "contracts"
    found = {
        f"coldstart.testing.contracts.{path.stem}.{name}"
        for path in folder.glob("*.py")
        for name in re.findall(r"^class (\w+Contract)\(", path.read_text(), re.M)
        if not name.startswith(("Subject", "Approximate", "Exact"))
    }
    assert found == set(re.findall(r"`(coldstart\.testing\.contracts\.[\w.]+Contract)`", TEXT))
