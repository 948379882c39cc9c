"""Façade of the store: opening, purging, and rotation of the encryption key."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from coldstart.serve.store import personal_data, subjects
from coldstart.serve.store.admin_store import AdminStore
from coldstart.serve.store.base import utc_now
from coldstart.serve.store.encryption import Encryptor, verify_key
from coldstart.serve.store.engine import WRITES, connect, translated, truncate_wal
from coldstart.serve.store.errors import WrongKey
from coldstart.serve.store.key_rotation import ENCRYPTED_COLUMNS, reencrypt_batch, reencrypt_meta
from coldstart.serve.store.like_log import LikeLog
from coldstart.serve.store.migrate import migrate
from coldstart.serve.store.records import Deleted
from coldstart.serve.store.release_store import ReleaseStore
from coldstart.serve.store.report_store import ReportStore
from coldstart.serve.store.session_store import SessionStore
from coldstart.serve.store.storage_checks import StorageChecks
from coldstart.serve.store.subject_store import SubjectStore
from coldstart.serve.store.visit_store import VisitStore

SECRET_KEY = "COLDSTART_SECRET_KEY"


class Store(
    SessionStore,
    SubjectStore,
    VisitStore,
    LikeLog,
    ReleaseStore,
    ReportStore,
    AdminStore,
    StorageChecks,
):
    """Persistent state of the service; created by ``Store.open``.

    Every method is one transaction (``purge``, ``erase_subject`` and ``reencrypt`` are several) and
    has committed when it returns. Methods that write may raise ``StoreBusy`` if the database is
    locked for more than ten seconds, and any may raise ``StoreUnavailable``.
    """

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        secret_key: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Store:
        """Connect to a database, and create or migrate its tables.

        Several processes may open one new database at the same time.

        Args:
            url: ``sqlite:///people.db`` (a path in an existing folder; four slashes for an
                absolute one) or ``postgresql+psycopg://user:password@host/database``.
            create: whether to create missing tables and migrate old ones. If not, the database
                must exist and have the current schema revision.
            secret_key: Fernet key (32 bytes, URL-safe base64) that encrypts states and details;
                several, separated by commas, for rotation: the first one encrypts, all decrypt
                (see ``reencrypt``). Default: the environment variable ``COLDSTART_SECRET_KEY``;
                without either the store is not encrypted. Item ids, kinds, arms and times are
                never encrypted, since ``outcomes`` counts them.
            clock: returns the current time, timezone-aware, in UTC; for tests.

        Raises:
            StoreError: the URL is malformed or names an unsupported database.
            WrongRevision: the database is newer than this version of coldstart; or missing or
                older, and ``create`` is false.
            WrongKey: the key is malformed, does not match the data, or is missing.
            StoreUnavailable: the database cannot be reached, or is not a database.
            MissingExtraError: the PostgreSQL driver is not installed.
        """
        if secret_key is None:
            secret_key = os.environ.get(SECRET_KEY)
        encryptor = Encryptor(secret_key)
        engine, file = connect(url, create=create)
        try:
            with translated(), engine.execution_options(**WRITES).begin() as connection:
                revision = migrate(connection, create=create)
                verify_key(connection, encryptor)
                secret = subjects.secret_of(connection, encryptor)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, encryptor, revision, secret, clock, file)

    def purge(self, older_than: timedelta = timedelta(0), *, batch: int = 500) -> Deleted:
        """Delete sessions and subject exposures that expired at least ``older_than`` ago.

        Their events, exposures and outcomes are deleted as well.

        Args:
            older_than: zero or more.
            batch: rows per transaction, at least 1; other writers can proceed in between.
        """
        before = personal_data.cutoff(self._clock(), older_than, batch)

        def some_sessions(connection: Connection) -> Deleted:
            expired = personal_data.expired(connection, before, batch)
            return personal_data.remove(connection, expired)

        def some_lists(connection: Connection) -> Deleted:
            return subjects.remove(connection, subjects.expired(before), batch)

        return self._delete_all([some_sessions, some_lists])

    def reencrypt(self, *, batch: int = 500) -> int:
        """Encrypt all data with the first key, whether plain or encrypted with an older key.

        To rotate keys without downtime, restart each process with ``old,new``, then each with
        ``new,old``, call this once, then restart them with ``new``.

        Args:
            batch: rows per transaction.

        Returns:
            Number of texts encrypted.

        Raises:
            WrongKey: no key is set, or a text was encrypted with an unknown key.
        """
        if not self.encrypted:
            raise WrongKey("there is no key to seal with", hint=f"set {SECRET_KEY}")
        personal_data.check_batch(batch)
        total = 0
        for column in ENCRYPTED_COLUMNS:
            last = None
            while True:
                with self._write() as connection:
                    done, last = reencrypt_batch(connection, self._encryptor, column, last, batch)
                total += done
                if last is None:
                    break
        with self._write() as connection:
            reencrypt_meta(connection, self._encryptor)
        truncate_wal(self._engine)
        return total
