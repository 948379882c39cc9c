"""Where downloads and conversions live: one folder per user, safe to delete."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """``$COLDSTART_CACHE``, else the platform's cache folder + ``coldstart``."""
    if chosen := os.environ.get("COLDSTART_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "coldstart"


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes ``target`` if the block succeeds, and vanishes if not.

    An existing ``target`` is replaced only at the very end, so a reader sees the old folder or
    the new one and a crash leaves the old one alone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield work
        work.chmod(0o755)
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        if target.exists():
            target.rename(old / "was")
        try:
            work.rename(target)
        except OSError:
            if (old / "was").exists():
                (old / "was").rename(target)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_atomic(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) so that ``path`` holds all of it or what it held before."""
    write_through(path, lambda place: place.write_text(text, encoding="utf-8"))


def write_through(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside ``path``, and give it that name when it is on the disk.

    A crash leaves what ``path`` held before, and a hidden file; see ``leftovers``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        write(Path(name))
        with open(name, "rb+") as f:
            os.fsync(f.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the name, too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def leftovers(folder: Path, names: str, seconds: float) -> None:
    """Delete what killed calls of ``write_through`` left, unless it is younger.

    Args:
        folder: where they wrote.
        names: pattern of the names they were to have; nothing else is touched.
        seconds: after which nobody still writes.
    """
    for one in folder.glob(f".{names}-????????"):
        try:
            if one.is_file() and time.time() - one.stat().st_mtime > seconds:
                one.unlink()
        except FileNotFoundError:
            continue  # somebody else did
