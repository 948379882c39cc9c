"""Shell completion: what it offers, and that it installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.waiting import PATIENCE


@pytest.fixture
def shell(tmp_path):
    """Run bash at home in an empty folder, with ``coldstart`` on its path."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "coldstart"
    command.write_text(f'#!{bash}\nexec "{sys.executable}" -m coldstart "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"HOME": str(tmp_path), "PATH": path, "PYTHONPATH": str(ROOT)}
    env.pop("BASH_ENV", None)

    def run(script):
        done = subprocess.run(
            [bash, "--norc", "-c", f"{script}\nexit $?"],  # bash stays, to be recognised
            capture_output=True,
            text=True,
            env=env,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def complete(*words):
    typed = " ".join(words)
    return (
        f"COMP_WORDS=({typed}); COMP_CWORD={typed.count(' ')}\n"
        '_coldstart_completion coldstart; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )


def test_installed_completion_completes(shell, tmp_path):
    assert "completion installed in" in shell("coldstart --install-completion bash")
    installed = ". ~/.bashrc\n"
    assert shell(installed + complete("coldstart", "re")).split() == ["recommend", "replay"]
    found = shell(installed + complete("coldstart", "recommend", "--str")).split()
    assert found == ["--strategy", "--strict"]
    assert str(tmp_path) in (tmp_path / ".bashrc").read_text(encoding="utf-8")


def test_values_of_an_option_are_offered(shell):
    shown = shell("coldstart --show-completion bash")
    script = shown + complete("coldstart", "recommend", "--strategy", '""')
    assert shell(script).split() == ["catalog", "free", "both", "prior"]
