"""Checks of the store's storage: writable, intact; and backups."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, insert

from coldstart.errors import ConfigError
from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.engine import translated
from coldstart.serve.store.sqlite_file import PROBE, back_up, problems, refuse_damage
from coldstart.serve.store.tables import meta

_PROBED_SECONDS = 0.2  # for which a successful probe counts, so that polling writes little
_PROBE_NAME = "probe-"


class StorageChecks(StoreBase):
    """Readiness, integrity and backups of the database."""

    def check_writable(self) -> None:
        """Check that the next write would be kept: by a write of 64 KiB, deleted afterwards.

        Raises:
            StoreUnavailable: the database does not respond, cannot be written, was deleted or
                replaced, or its disk is full.
            StoreBusy: it is locked.
        """
        self.ping()
        with self._probing:
            if time.monotonic() - self._probed < _PROBED_SECONDS:
                return
            if self._file:
                self._file.check_space()
            name = _PROBE_NAME + secrets.token_hex(8)
            with self._write() as connection:
                connection.execute(insert(meta).values(name=name, value="0" * PROBE))
            with self._write() as connection:
                connection.execute(delete(meta).where(meta.c.name.startswith(_PROBE_NAME)))
            self._probed = time.monotonic()

    def check_integrity(self) -> None:
        """Check the whole file of a SQLite database; PostgreSQL has checks of its own.

        Raises:
            StoreUnavailable: the file is damaged.
        """
        if self._file is None:
            return
        with self._raw() as connection:
            refuse_damage(problems(connection), "the database")

    def backup(self, target: Path) -> int:
        """Copy a SQLite database to a new file while it is used; see ``back_up``.

        Args:
            target: file to be made. It holds what the database holds, encrypted as there.

        Returns:
            Size of the file in bytes.

        Raises:
            ConfigError: the database is PostgreSQL, or ``target`` exists.
            StoreUnavailable: the copy cannot be written, or is damaged.
        """
        if self._file is None:
            raise ConfigError(
                "the database is PostgreSQL, whose backups are its own",
                hint="pg_dump --format=custom --file=people.dump URL, also while it is used",
            )
        self.ping()
        with self._raw() as connection:
            return back_up(connection, target)

    @contextmanager
    def _raw(self) -> Iterator[sqlite3.Connection]:
        with translated():
            pooled = self._engine.raw_connection()
            try:
                connection = pooled.driver_connection
                assert isinstance(connection, sqlite3.Connection)
                yield connection
            finally:
                pooled.close()
