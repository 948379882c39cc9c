"""Connection pool of PostgreSQL, with errors that never contain credentials or values."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from coldstart.errors import ColdstartError, ConfigError, MissingExtraError
from coldstart.grounding.index.servers import IndexUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")

_FORM = "expected postgresql://user:password@host/database"
_WAIT = 10  # seconds for a connection, where the URL does not say


class ConnectionPool:
    """Pool with one connection per concurrent transaction, reopened after server restarts.

    Args:
        url: ``postgresql://user:password@host/database``; options of libpq may follow.
        settle: configures every new connection.

    Raises:
        ConfigError: the URL is malformed.
        MissingExtraError: psycopg is not installed.
    """

    def __init__(self, url: str, settle: Callable[[Connection], None]) -> None:
        try:
            from psycopg import Error
            from psycopg.conninfo import conninfo_to_dict
        except ImportError:
            raise MissingExtraError(
                "PgVectorIndex needs psycopg", "pip install 'coldstart-rec[pgvector]'"
            ) from None
        self._url = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql://", url)
        try:
            parts = conninfo_to_dict(self._url) if self._url.startswith("postgresql://") else None
        except Error:
            parts = None
        if parts is None:  # raised here, so that no context holds the URL
            raise ConfigError("malformed PostgreSQL URL", _FORM)
        host, port = parts.get("host", "localhost"), parts.get("port", 5432)
        self.where = f"{host}:{port}/{parts.get('dbname', '')}"
        """Server and database, without credentials."""
        self._more: dict[str, Any] = (
            {} if "connect_timeout" in parts else {"connect_timeout": _WAIT}
        )
        self._settle = settle
        self._idle: deque[Connection] = deque()

    def close(self) -> None:
        """Close idle connections; the next call opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction, and again if a pooled connection is dead.

        The first run may have been committed, so ``work`` must be idempotent.

        Raises:
            IndexUnavailable: the server is unreachable or refuses; without its message, which may
                contain values.
        """
        import psycopg

        while True:
            connection, kept = None, False
            try:
                connection, kept = self._take()
                with connection.transaction():
                    out = work(connection)
                self._idle.append(connection)
                return out
            except psycopg.Error as e:
                lost = connection is None or connection.closed
                what = f"refused: {type(e).__name__}, SQLSTATE {e.sqlstate}"
            except ColdstartError:
                if connection is not None:
                    self._idle.append(connection)
                raise
            except BaseException:
                if connection is not None:
                    connection.close()
                raise
            if connection is not None:
                connection.close()
            if not (lost and kept):
                break
            self.close()
        raise IndexUnavailable(
            f"the PostgreSQL server at {self.where} {'cannot be reached' if lost else what}",
            "is it running, do user, password and rights fit? see its log",
        )

    def _take(self) -> tuple[Connection, bool]:
        """Return a connection, and whether it was pooled."""
        with suppress(IndexError):
            return self._idle.pop(), True
        return self._open(), False

    def _open(self) -> Connection:
        import psycopg

        connection = psycopg.connect(
            self._url,
            client_encoding="utf8",
            prepare_threshold=None,  # a filter is planned with its ids, not without
            **self._more,
        )
        try:
            self._settle(connection)
            connection.commit()
        except BaseException:
            connection.close()
            raise
        return connection
