"""Help, and the command as a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coldstart import __version__
from tests.cli.helpers import fails
from tests.waiting import PATIENCE

pytestmark = pytest.mark.usefixtures("fake")


COMMANDS = [
    ["recommend"], ["generate"], ["train"], ["log"], ["fetch"], ["info"],
    ["catalog", "check"], ["prompts", "list"], ["prompts", "show"], ["prompts", "lint"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_examples_and_offers_json(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert out.count(f"  coldstart {' '.join(command)}") >= 2
    assert "--json" in out


def test_help_lists_commands_in_the_order_of_use(run):
    out = run("--help")[1]
    names = "recommend generate fetch train log info catalog prompts".split()
    places = [out.index(f"│ {name} ") for name in names]
    assert places == sorted(places)
    assert "  coldstart recommend --age 24" in out


def python(*args, **options):
    env = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    return subprocess.run(
        [sys.executable, *args],
        cwd=Path(__file__).parents[2],
        env={**env, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
        **options,
    )


def test_version_of_the_module():
    done = python("-m", "coldstart", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"coldstart {__version__}\n", "")


def test_unknown_option_of_the_real_process():
    done = python("-m", "coldstart", "recommend", "--nonsense")
    fails((done.returncode, done.stdout, done.stderr), "--nonsense")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom coldstart.cli import main\n"
        "main(['train', '--help'])\n"
        "main(['log', '--help'])\n"
        "heavy = {'torch', 'transformers', 'polars', 'numpy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_still_gets_an_answer():
    done = python("-m", "coldstart", "prompts", "list", "--json", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "任何商品目录" in json.loads(done.stdout)[1]["description"]
    assert python("-m", "coldstart", "prompts", "list", env={"PYTHONIOENCODING": "ascii"}).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_closed_pipe_is_quiet(more):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "coldstart", "prompts", "show", "movies-en", *more],
            cwd=Path(__file__).parents[2],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b""
