"""The file of a SQLite database: whether it is still there, has space, and is intact; backups.

SQLite goes on with a deleted file: its writes succeed, and are gone with the process. So the file
is looked at before every transaction, and after every commit.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path

from coldstart.errors import ConfigError
from coldstart.serve.store.errors import StoreUnavailable

PROBE = 1 << 16
"""Bytes that must be writable beside the database, and into it, for the store to be ready."""

_PROBLEMS = 3  # of those that a check found, in the error

RESTORE = "stop the service and put a backup in its place: coldstart serve db backup makes them"
"""What to do about a damaged file."""


class DatabaseFile:
    """A SQLite file, by path and identity.

    Args:
        path: of the file, which exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._identity = self._stat()

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def check(self) -> None:
        """Check that the path still leads to the file that was opened.

        Raises:
            StoreUnavailable: the file was deleted, moved or replaced.
        """
        if (found := self._stat()) != self._identity:
            what = "gone" if found is None else "another one"
            raise StoreUnavailable(
                f"the database file is {what} since the service began",
                hint="nothing is written to it any more; put it back, then restart",
            )

    def check_committed(self) -> None:
        """Check after a commit that it went to a file that stays: database and write-ahead log.

        Raises:
            StoreUnavailable: one of them was deleted meanwhile.
        """
        self.check()
        if not os.path.exists(f"{self.path}-wal"):
            raise StoreUnavailable(
                "the database's write-ahead log (-wal) was deleted",
                hint="nothing is acknowledged any more; restart the service",
            )

    def check_space(self) -> None:
        """Check that the disk takes another few pages.

        Raises:
            StoreUnavailable: it is full, or read-only.
        """
        try:
            with tempfile.TemporaryFile(dir=self.path.parent, prefix=".coldstart-") as probe:
                probe.write(b"\0" * PROBE)
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as e:
            raise StoreUnavailable(
                f"cannot write beside the database: {e.strerror}", hint="free some space"
            ) from None


def problems(connection: sqlite3.Connection) -> list[str]:
    """What SQLite's integrity check finds; empty if the database is intact."""
    try:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(10)").fetchall()]
    except sqlite3.DatabaseError as e:
        return [str(getattr(e, "sqlite_errorname", type(e).__name__))]
    return [] if found == ["ok"] else found


def refuse_damage(found: Sequence[str], what: str) -> None:
    """Raise for problems that an integrity check found.

    Raises:
        StoreUnavailable: there are some.
    """
    if found:
        # Of several lines: only the first, which names pages and indexes, never content.
        shown = "; ".join(line.partition("\n")[0] for line in found[:_PROBLEMS])
        raise StoreUnavailable(f"{what} is damaged: {shown}", hint=RESTORE)


def back_up(source: sqlite3.Connection, target: Path) -> int:
    """Copy a database, while it is used, to a new file that was checked and synced to disk.

    All pages are copied in one step, that is, of one moment; in WAL mode writers go on meanwhile.

    Args:
        source: connection to the database.
        target: file to be made, readable by its owner only.

    Returns:
        Size of the copy in bytes.

    Raises:
        ConfigError: ``target`` exists, or its folder does not.
        StoreUnavailable: the copy is damaged, or the disk is full.
    """
    if target.exists():
        raise ConfigError(f"{target} exists", hint="name a new file for each backup")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    except OSError as e:
        raise ConfigError(f"cannot write to {target.parent}: {e.strerror}") from None
    os.close(handle)
    try:
        copy = sqlite3.connect(name, isolation_level=None)
        try:
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, without -wal
            refuse_damage(problems(copy), "the copy")
        finally:
            copy.close()
        with open(name, "rb+") as f:
            os.fsync(f.fileno())
        os.link(name, target)  # fails if another backup was faster
        return target.stat().st_size
    except FileExistsError:
        raise ConfigError(f"{target} exists", hint="name a new file for each backup") from None
    except OSError as e:
        raise StoreUnavailable(f"cannot write {target}: {e.strerror}") from None
    finally:
        Path(name).unlink(missing_ok=True)
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
