"""Cache folder of the user, and atomic writes of files and folders."""

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
    """Cache folder: ``$COLDSTART_CACHE``, else ``coldstart`` in the platform's; safe to delete."""
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
    """Yield an empty folder that is renamed to ``target`` on success, and deleted on failure.

    An existing ``target`` is replaced at the very end: readers see the old folder or the new one,
    and a crash leaves the old one.
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
    """Write ``text`` (UTF-8) atomically: ``path`` has the new content or the old."""
    write_through(path, lambda place: place.write_text(text, encoding="utf-8"))


def write_through(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside ``path``, sync it to disk, and rename it to ``path``.

    A crash leaves the old content, and a hidden temporary file; see ``leftovers``.

    Args:
        path: target.
        write: writes the temporary file at the given path.
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
    if os.name == "posix":  # the directory entry, too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def leftovers(folder: Path, names: str, seconds: float) -> None:
    """Delete old temporary files of interrupted ``write_through`` calls.

    Args:
        folder: of the targets.
        names: glob pattern of the targets' names.
        seconds: minimum age.
    """
    for one in folder.glob(f".{names}-????????"):
        try:
            if one.is_file() and time.time() - one.stat().st_mtime > seconds:
                one.unlink()
        except FileNotFoundError:
            continue  # deleted by another process
