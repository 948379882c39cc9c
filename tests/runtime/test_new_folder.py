"""A folder is the old one or the new one at every moment, whatever dies, and leaves nothing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coldstart.runtime import cache, exchange
from coldstart.runtime.cache import new_folder, restore

OLD, NEW = {"a": "old", "sub/b": "old"}, {"a": "new", "sub/c": "new"}

STEPS = (
    "mkdtemp",  # the room was made, and is not yet claimed
    "written",  # the new folder is full, and not yet synced
    "synced",
    "aside",  # without exchange: the old folder is out of its place
    "placed",  # the new folder is in its place, the old one still there
    "removed",
)

CHILD = """
import os, shutil, signal, sys, tempfile
from pathlib import Path
from coldstart.runtime import cache

step, target, swaps = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "exchange"

def after(module, name, at, when=lambda *given: True):
    plain = getattr(module, name)
    def wrapped(*given, **options):
        found = plain(*given, **options)
        if step == at and when(*given):
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(module, name, wrapped)

after(tempfile, "mkdtemp", "mkdtemp")
after(cache, "sync_tree", "synced")
after(cache, "_put", "placed")
after(shutil, "rmtree", "removed")
after(Path, "rename", "aside", lambda here, there: Path(there).name == "was")
if not swaps:
    cache.exchange = lambda one, other: False
with cache.new_folder(target) as work:
    (work / "sub").mkdir()
    (work / "a").write_text("new")
    (work / "sub" / "c").write_text("new")
    if step == "written":
        os.kill(os.getpid(), signal.SIGKILL)
print("done")
"""


def fill(target, content):
    with new_folder(target) as work:
        for name, text in content.items():
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text(text)


def content(folder):
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text() for p in files}


def hidden(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def killed_at(step, target, way):
    """Replace a folder in a process that is killed after a step; ``None`` if it never came."""
    command = [sys.executable, "-c", CHILD, step, str(target), way]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode if done.stdout == "" else None


def grow_old(folder):
    """Date the leftovers back, so that they count as those of dead processes at once."""
    for place in folder.iterdir():
        if place.name.startswith("."):
            os.utime(place, (time.time() - 3600, time.time() - 3600))


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize("way", ["exchange", "two renames"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_between_any_two_steps_leaves_a_whole_folder(tmp_path, step, way):
    target = tmp_path / "artifact"
    fill(target, OLD)
    code = killed_at(step, target, way)
    if way == "exchange" and step == "aside":
        assert code is None  # there is no such moment
        return
    assert code == -signal.SIGKILL
    repaired = restore(target)
    assert repaired == (step == "aside")
    assert content(target) == (NEW if step in ("placed", "removed") else OLD)
    grow_old(tmp_path)
    fill(target, {"x": "third"})
    assert content(target) == {"x": "third"}
    assert hidden(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_the_next_writer_repairs_what_a_kill_set_aside(tmp_path):
    target = tmp_path / "artifact"
    fill(target, OLD)
    assert killed_at("aside", target, "two renames") == -signal.SIGKILL
    assert not target.exists()
    with pytest.raises(ValueError, match="gave up"), new_folder(target):
        raise ValueError("gave up")
    assert content(target) == OLD
    assert hidden(tmp_path) == []


def test_what_a_living_process_makes_is_not_swept(tmp_path):
    target = tmp_path / "artifact"
    with new_folder(target) as slow:
        (slow / "x").write_text("slow")
        grow_old(tmp_path)
        fill(target, OLD)
        assert (slow / "x").read_text() == "slow"
    assert content(target) == {"x": "slow"}


def test_folders_of_other_targets_are_not_swept(tmp_path):
    names = (".artifact-old-1", ".artifact-2.coldstart-x", "artifact2")
    others = [tmp_path / name for name in names]
    for other in others:
        other.mkdir()
        os.utime(other, (0, 0))
    fill(tmp_path / "artifact", OLD)
    assert all(other.is_dir() for other in others)


def test_files_and_folders_are_synced_before_the_exchange(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(exchange, "sync", lambda path: steps.append(Path(path).name))
    monkeypatch.setattr(cache, "sync", lambda path: steps.append(Path(path).name))
    swap = cache.exchange
    monkeypatch.setattr(cache, "exchange", lambda a, b: steps.append("exchange") or swap(a, b))
    (tmp_path / "artifact").mkdir()
    fill(tmp_path / "artifact", NEW)
    assert sorted(steps[:-2]) == ["a", "c", "new", "sub"]
    assert steps[-2:] == ["exchange", tmp_path.name]


def test_a_failed_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "artifact"
    fill(target, OLD)
    rename = Path.rename

    def failing(self, to):
        if to == target and self.name != "was":
            raise PermissionError("in use")
        return rename(self, to)

    monkeypatch.setattr(cache, "exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(PermissionError, match="in use"):
        fill(target, NEW)
    assert content(target) == OLD
    assert hidden(tmp_path) == []


def test_a_folder_that_another_process_made_meanwhile_is_replaced(tmp_path):
    target = tmp_path / "artifact"
    with new_folder(target) as work:
        (work / "x").write_text("mine")
        target.mkdir()
        (target / "theirs").write_text("theirs")
    assert content(target) == {"x": "mine"}


def test_a_link_is_replaced_and_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    (tmp_path / "artifact").symlink_to(elsewhere)
    fill(tmp_path / "artifact", OLD)
    assert content(tmp_path / "artifact") == OLD
    assert content(elsewhere) == {"kept": "kept"}
    assert hidden(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2")
def test_exchange_swaps_and_says_when_it_fails(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.write_text("file")
    assert exchange.exchange(one, other)
    assert one.read_text() == "file"
    assert other.is_dir()
    with pytest.raises(OSError, match="No such file") as e:
        exchange.exchange(one, tmp_path / "missing")
    assert e.value.errno == errno.ENOENT
