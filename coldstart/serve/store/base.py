"""Transactions of the store: connection, clock and encryption shared by its parts."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, text

from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.engine import WRITES, translated, truncate_wal
from coldstart.serve.store.records import Deleted
from coldstart.serve.store.sqlite_file import DatabaseFile

TTL = timedelta(days=30)
"""Default lifetime of sessions and exposure records."""


def new_session_id() -> str:
    """Random session id: 192 bits as 32 URL-safe characters."""
    return secrets.token_urlsafe(24)


def utc_now() -> datetime:
    """Current time, timezone-aware, in UTC."""
    return datetime.now(UTC)


class StoreBase:
    """Database access of the store.

    Args:
        engine: connected engine, at the current schema revision.
        encryptor: encryption of session states and event details.
        revision: schema revision of the database.
        secret: HMAC key of the subjects' pseudonyms.
        clock: returns the current time, timezone-aware, in UTC.
        file: SQLite's file; ``None`` for PostgreSQL.
    """

    def __init__(
        self,
        engine: Engine,
        encryptor: Encryptor,
        revision: str,
        secret: bytes,
        clock: Callable[[], datetime] = utc_now,
        file: DatabaseFile | None = None,
    ) -> None:
        self._engine, self._writer = engine, engine.execution_options(**WRITES)
        self._encryptor, self.revision, self._clock = encryptor, revision, clock
        self._secret, self._file = secret, file
        self._probing, self._probed = threading.Lock(), float("-inf")  # see ``StorageChecks``

    @property
    def encrypted(self) -> bool:
        """Whether session states and event details are encrypted when written."""
        return self._encryptor.has_key

    @property
    def identity(self) -> str:
        """Name of the database that tells nothing about it; copies have the same one."""
        return hmac.digest(self._secret, b"identity", "sha256").hex()[:16]

    def ping(self) -> None:
        """Check that the database responds.

        Raises:
            StoreUnavailable: it does not.
        """
        with self._read() as connection:
            connection.execute(text("SELECT 1 FROM coldstart_meta LIMIT 1"))

    def close(self) -> None:
        """Close all connections. The store must not be used afterwards."""
        with translated():
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _delete_all(self, steps: Sequence[Callable[[Connection], Deleted]]) -> Deleted:
        """Run each deletion step in transactions of its own until it deletes nothing."""
        total = Deleted()
        for delete_some in steps:
            done = False
            while not done:
                with self._write() as connection:
                    deleted = delete_some(connection)
                total, done = total + deleted, not deleted
        truncate_wal(self._engine)
        return total

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with translated(), self._writer.begin() as connection:
            yield connection
        if self._file:
            self._file.check_committed()
