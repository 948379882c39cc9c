"""Cache folder of the user, and atomic writes of files and folders."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from coldstart.runtime.exchange import exchange, sync, sync_tree

_NEW, _OLD = "new", "was"  # in the folder where a version is made
_STALE = 60.0  # seconds within which a folder may not be claimed yet
_ATTEMPTS = 5  # against processes that make the same folder


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
    """Yield an empty folder that takes the place of ``target`` on success; deleted on failure.

    Readers and crashes find the old folder or the new one, whole and on the disk: the new one is
    written beside it, synced, and exchanged with it in one step (``renameat2`` of Linux,
    ``renameatx_np`` of macOS). Where that is missing, the old one is set aside first; a crash at
    that moment is repaired by ``restore``. What dead processes left is deleted at the next call.

    Args:
        target: file system path; an existing folder is replaced as a whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    restore(target)
    _sweep(target)
    room = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
    with _claimed(room):
        try:
            work = room / _NEW
            work.mkdir(mode=0o755)
            work.chmod(0o755)  # whatever the umask
            yield work
            sync_tree(work)
            _put(work, target, room / _OLD)
            if os.name == "posix":
                sync(target.parent)
        finally:
            shutil.rmtree(room, ignore_errors=True)


def restore(target: Path) -> bool:
    """Put a folder back that a crash of ``new_folder`` left set aside, if ``target`` is missing.

    Returns:
        Whether there was one.
    """
    if os.path.lexists(target):
        return False
    for room in _rooms(target):
        if (room / _OLD).exists() and not _in_use(room):
            (room / _OLD).rename(target)
            shutil.rmtree(room, ignore_errors=True)
            return True
    return False


def _prefix(target: Path) -> str:
    return f".{target.name}.coldstart-"


def _rooms(target: Path) -> list[Path]:
    """Folders in which versions of ``target`` are or were made."""
    try:
        found = [target.parent / e.name for e in os.scandir(target.parent) if e.is_dir()]
    except OSError:
        return []
    return sorted(place for place in found if place.name.startswith(_prefix(target)))


def _sweep(target: Path) -> None:
    """Delete what processes left that ended while they made ``target``."""
    for room in _rooms(target):
        try:
            age = time.time() - room.stat().st_mtime
        except OSError:
            continue  # deleted by another process
        if age > _STALE and not _in_use(room):
            shutil.rmtree(room, ignore_errors=True)


def _put(work: Path, target: Path, aside: Path) -> None:
    """Have ``work`` take the place of ``target``; what was there may be left in either place."""
    for attempt in range(_ATTEMPTS):
        try:
            if not os.path.lexists(target):
                work.rename(target)
            elif not exchange(work, target):
                _replace(work, target, aside)
            return
        except OSError as e:
            raced = e.errno in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
            if not raced or not work.is_dir() or attempt == _ATTEMPTS - 1:
                raise


def _replace(work: Path, target: Path, aside: Path) -> None:
    """``_put`` in two steps, where folders cannot be exchanged."""
    target.rename(aside)
    try:
        work.rename(target)
    except OSError:
        aside.rename(target)
        raise


@contextmanager
def _claimed(room: Path) -> Iterator[None]:
    """Hold a lock on a folder, which the operating system lifts when the process ends."""
    handle = _locked(room)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _locked(room: Path) -> int | None:
    """File descriptor of a folder locked by this call, ``None`` if others hold it or none can."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        handle = os.open(room, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _in_use(room: Path) -> bool:
    """Whether a living process may hold a folder; where locks are missing, a day is waited."""
    if sys.platform == "win32":
        return time.time() - room.stat().st_mtime < 86_400
    handle = _locked(room)
    if handle is None:
        return True
    os.close(handle)
    return False


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
        sync(path.parent)


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
