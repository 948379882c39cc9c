"""Database engines for SQLite and PostgreSQL: durable commits, and errors without user data.

SQLite uses a write-ahead log (WAL), so that readers and one writer do not block each other, synced
at every commit (``synchronous=FULL``). With ``NORMAL`` a killed process would lose nothing either,
since the operating system holds the writes, but a power failure would lose the last acknowledged
commits. Write transactions start with ``BEGIN IMMEDIATE``: upgrading a read transaction can fail at
once with SQLITE_BUSY, whatever the timeout.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from coldstart.errors import MissingExtraError
from coldstart.serve.store.errors import StoreBusy, StoreError, StoreUnavailable, WrongRevision
from coldstart.serve.store.sqlite_file import RESTORE, DatabaseFile

WRITES = {"coldstart_writes": True}
"""Execution options of write transactions."""

WAIT = 10.0
"""Timeout for a lock or a free connection, in seconds."""

_CONNECTIONS = 10  # pool size per process; transactions take milliseconds
_FORMS = "sqlite:///people.db or postgresql+psycopg://user:password@host/database"
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_REFUSED_CODES = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH}
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_STATES = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure
_LOGGER = "coldstart"
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGER}").setLevel(
    logging.WARNING
)  # lower levels log rows


def connect(url: str, *, create: bool) -> tuple[Engine, DatabaseFile | None]:
    """Engine for a database URL, and SQLite's file; see ``Store.open``."""
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError, TypeError, AttributeError):
        raise StoreError("malformed database URL", hint=f"expected {_FORMS}") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed, create)
    if parsed.drivername in ("postgresql", "postgresql+psycopg", "postgres"):
        return _postgresql(parsed.set(drivername="postgresql+psycopg")), None
    raise StoreError(f"cannot use a database of kind {parsed.drivername!r}", hint=_FORMS)


def _sqlite(url: URL, create: bool) -> tuple[Engine, DatabaseFile]:
    name = url.database
    if not name or name.startswith((":memory:", "file:")):
        raise StoreError("SQLite needs a file, shared by threads and processes", hint=_FORMS)
    path = Path(name)
    if not path.exists():
        if not create:
            raise WrongRevision(f"no database at {name}", hint="open it with create=True")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # personal data
        except OSError as e:
            raise StoreUnavailable(f"cannot make {name}: {e.strerror}") from None
    engine = create_engine(url, connect_args={"timeout": WAIT}, **_pool())
    file = DatabaseFile(path)

    @event.listens_for(engine, "do_connect")
    def look(*_: object) -> None:
        file.check()  # SQLite would make an empty database in the place of a deleted one

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun explicitly, below
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        file.check()
        writes = WRITES.keys() <= connection.get_execution_options().keys()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    try:
        with translated():
            _enable_wal(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine, file


def _enable_wal(engine: Engine) -> None:
    """Enable WAL, which persists in the file; retries, as SQLite's timeout does not apply here."""
    end = time.monotonic() + WAIT
    while True:
        connection = engine.raw_connection()
        try:
            mode = connection.cursor().execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF not in _BUSY_CODES or time.monotonic() > end:
                raise
            time.sleep(0.02)
            continue
        finally:
            connection.close()
        if mode != "wal":
            raise StoreUnavailable(
                f"SQLite keeps journal mode {mode!r} here, expected 'wal'",
                hint="is the file on a network drive? use a local one, or PostgreSQL",
            )
        return


def truncate_wal(engine: Engine) -> None:
    """Checkpoint and truncate SQLite's write-ahead log, unless a reader or writer holds it."""
    if engine.dialect.name != "sqlite":
        return
    with suppress(SQLAlchemyError, sqlite3.Error):  # the caller's transaction has been committed
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=200")
            with suppress(sqlite3.Error):
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            cursor.execute(f"PRAGMA busy_timeout={int(WAIT * 1000)}")
        finally:
            connection.close()


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True, **_pool())
    except ModuleNotFoundError:
        raise MissingExtraError(
            "PostgreSQL needs psycopg", hint="pip install 'coldstart-rec[postgres]'"
        ) from None
    except SQLAlchemyError:
        raise StoreError("malformed database URL", hint=f"expected {_FORMS}") from None

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.execute(f"SET lock_timeout = {int(WAIT * 1000)}")
        connection.commit()

    return engine


def _pool() -> dict[str, Any]:
    return {
        "pool_size": _CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": WAIT,
        "hide_parameters": True,
        "logging_name": _LOGGER,
    }


@contextmanager
def translated() -> Iterator[None]:
    """Context manager that maps database errors to store errors without values or statements."""
    try:
        yield
    except SQLAlchemyError as e:
        raise _translate(e) from None
    except sqlite3.Error as e:  # not wrapped by SQLAlchemy
        raise _translate_sqlite(e) from None


def _translate(error: SQLAlchemyError) -> StoreError:
    if isinstance(error, PoolTimeout):
        return StoreBusy(f"no free connection for {WAIT:.0f} s", hint="try again")
    orig = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(orig, sqlite3.Error):
        return _translate_sqlite(orig)
    state = getattr(orig, "sqlstate", None)
    if state in _BUSY_STATES:
        return _busy()
    if isinstance(error, DataError | IntegrityError):
        return StoreError(f"the database refused a value: SQLSTATE {state or 'unknown'}")
    what = f"{type(orig or error).__name__}, SQLSTATE {state or 'unknown'}"
    return StoreUnavailable(
        f"the database refused: {what}",
        hint="is the server running, do user, password and rights fit? see its log",
    )


def _translate_sqlite(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code in _BUSY_CODES:
        return _busy()
    if code in _REFUSED_CODES:
        return StoreError(f"the database refused a value: {name}")
    hint = RESTORE if code in _DAMAGED_CODES else "check the file, its rights and the disk"
    return StoreUnavailable(f"SQLite: {name}", hint=hint)


def _busy() -> StoreBusy:
    return StoreBusy("others held the database for too long", hint="try again")
