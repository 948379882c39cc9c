"""The store: one façade over sessions, feedback, exposures, the catalog's log and API keys."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, text

from coldstart.serve.store import (
    catalog_log,
    exposures,
    feedback,
    keys,
    personal,
    sessions,
    subjects,
)
from coldstart.serve.store import outcomes as outcomes_
from coldstart.serve.store.engine import WRITES, connect, cut_log, translated
from coldstart.serve.store.errors import WrongKey
from coldstart.serve.store.migrate import migrate
from coldstart.serve.store.records import (
    ApiKey,
    ArmOutcome,
    CatalogChange,
    ChangeKind,
    Deleted,
    Event,
    Exposure,
    Feedback,
    NewKey,
    Recorded,
    Session,
    SubjectOutcome,
)
from coldstart.serve.store.resealing import COLUMNS, reseal_check, reseal_some
from coldstart.serve.store.sealing import Sealer, agree

SECRET_KEY = "COLDSTART_SECRET_KEY"
TTL = timedelta(days=30)
"""How long a session lives unless told otherwise."""


def new_session_id() -> str:
    """192 random bits as 32 URL-safe characters."""
    return secrets.token_urlsafe(24)


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class Store:
    """Everything the service remembers; made by ``Store.open``.

    Every method is one transaction (``purge`` and ``reseal`` are several) and has committed when
    it returns. Methods that write may raise ``StoreBusy`` if others hold the database for more
    than ten seconds, and any may raise ``StoreUnavailable``.

    Args:
        engine: a connected engine, of the current revision.
        sealer: what seals states and details.
        revision: the database's revision.
        secret: of the subjects' pseudonyms.
        clock: tells the time, aware, in UTC.
    """

    def __init__(
        self,
        engine: Engine,
        sealer: Sealer,
        revision: str,
        secret: bytes,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine, self._writer = engine, engine.execution_options(**WRITES)
        self._sealer, self.revision, self._clock = sealer, revision, clock
        self._secret = secret

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        secret_key: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Store:
        """Connect; make the tables, or bring older ones up to date.

        Several processes may open one new database at the same time.

        Args:
            url: ``sqlite:///people.db`` (a path in an existing folder; four slashes for an
                absolute one) or ``postgresql+psycopg://user:password@host/database``.
            create: whether to make what is missing and to migrate what is old. If not, the
                database must be there and of the current revision.
            secret_key: Fernet key (32 bytes, URL-safe base64) that seals states and details;
                several, separated by commas, to rotate: the first seals, all unseal (``reseal``).
                Without it, the environment's ``COLDSTART_SECRET_KEY`` is taken if it is set.
                Without either the store is plain. Item ids, kinds, arms and times are never
                sealed: ``outcomes`` counts them.
            clock: tells the time, aware, in UTC; for tests.

        Raises:
            StoreError: the URL is malformed or of another kind of database.
            WrongRevision: the database is newer than this version of coldstart; or missing, or
                older, and ``create`` is false.
            WrongKey: the key is malformed, does not fit the data, or is missing.
            StoreUnavailable: the database cannot be reached, or is none.
            MissingExtraError: the PostgreSQL driver is not installed.
        """
        if secret_key is None:
            secret_key = os.environ.get(SECRET_KEY)
        sealer = Sealer(secret_key)
        engine = connect(url, create=create)
        try:
            with translated(), engine.execution_options(**WRITES).begin() as connection:
                revision = migrate(connection, create=create)
                agree(connection, sealer)
                secret = subjects.secret_of(connection, sealer)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, sealer, revision, secret, clock)

    @property
    def encrypted(self) -> bool:
        """Whether states and details are sealed when they are written."""
        return self._sealer.has_key

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreUnavailable: there is none.
        """
        with self._read() as connection:
            connection.execute(text("SELECT 1 FROM coldstart_meta LIMIT 1"))

    def close(self) -> None:
        """Close all connections. The store is not to be used afterwards."""
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

    # sessions

    def create(
        self,
        state: str,
        *,
        artifact: str,
        experiment: str | None = None,
        arm: str | None = None,
        ttl: timedelta = TTL,
        session_id: str | None = None,
    ) -> Session:
        """Begin a session.

        Args:
            state: JSON text.
            artifact: name of the artifact that answers.
            experiment: A/B experiment it takes part in, if any; with ``arm``.
            arm: its arm in the experiment.
            ttl: how long it lives, more than nothing.
            session_id: of ``new_session_id``, where the arm was drawn from it; else a new one.

        Raises:
            StoreError: the state is no JSON, a name is empty or too long, or the id is taken.
        """
        session_id = new_session_id() if session_id is None else session_id
        session = sessions.new(
            session_id, state, artifact, experiment, arm, ttl=ttl, now=self._clock()
        )
        with self._write() as connection:
            sessions.insert_new(connection, self._sealer, session)
        return session

    def load(self, session_id: str) -> Session:
        """A session that has not expired.

        Raises:
            SessionNotFound: there is none of this id.
            WrongKey: its state was sealed with a key that this process does not have.
        """
        with self._read() as connection:
            row = sessions.find(connection, session_id, self._clock())
            return sessions.as_session(row, self._sealer)

    def save(self, session: Session, expected_version: int) -> Session:
        """Replace a session's state, artifact and expiry; its other fields stay as stored.

        Args:
            session: as it shall be.
            expected_version: the ``version`` it had when it was loaded.

        Returns:
            The session as stored, its version one higher.

        Raises:
            Conflict: it has another version by now.
            SessionNotFound: it was erased, or has expired.
            StoreError: the state is no JSON, or the artifact's name is empty or too long.
        """
        with self._write() as connection:
            return sessions.save(connection, self._sealer, session, expected_version, self._clock())

    # feedback and exposures

    def append(
        self,
        session_id: str,
        said: Feedback,
        save: Session | None = None,
        expected_version: int | None = None,
    ) -> Recorded:
        """Record feedback, and with it the state it leads to, in one transaction.

        A repeated key writes nothing, neither event nor state, and returns the first event: a
        client that heard no answer may send its feedback again.

        Args:
            session_id: whose feedback.
            said: the feedback.
            save: the session as it shall be after it, as in ``save``; ``None`` to leave it.
            expected_version: as in ``save``; needed with ``save`` and only there.

        Raises:
            KeyReused: the key was used for other feedback (kind, item or detail differ).
            Conflict: the session has another version by now; nothing was written.
            SessionNotFound: the session was erased, or has expired.
            StoreError: a field is empty or too long.
        """
        with self._write() as connection:
            return feedback.append(
                connection,
                self._sealer,
                session_id,
                said,
                save,
                expected_version,
                self._clock(),
            )

    def events(self, session_id: str) -> list[Event]:
        """All feedback of a session, oldest first.

        Raises:
            SessionNotFound: there is no such session.
        """
        with self._read() as connection:
            sessions.find(connection, session_id, self._clock())
            return feedback.read(connection, self._sealer, session_id)

    def expose(
        self,
        session_id: str,
        request_id: str,
        item_ids: Sequence[str],
        *,
        ranks: Sequence[int] | None = None,
        artifact: str | None = None,
    ) -> Exposure:
        """Record a list that is being shown. The same request again returns the first record.

        Args:
            session_id: to whom.
            request_id: unique within the session, 1 to 200 characters.
            item_ids: what, best first.
            ranks: place of each, from 1, if not 1, 2, 3, ….
            artifact: what answered, if not the session's artifact.

        Raises:
            KeyReused: the request id was used for another list.
            SessionNotFound: the session was erased, or has expired.
            StoreError: an id is empty or too long, or ranks do not fit.
        """
        with self._write() as connection:
            return exposures.expose(
                connection, session_id, request_id, item_ids, ranks, artifact, self._clock()
            )

    def exposures(self, session_id: str) -> list[Exposure]:
        """All lists shown to a session, oldest first.

        Raises:
            SessionNotFound: there is no such session.
        """
        with self._read() as connection:
            sessions.find(connection, session_id, self._clock())
            return exposures.read(connection, session_id)

    def outcomes(self, experiment: str) -> list[ArmOutcome]:
        """What each arm of an experiment has brought so far, by name of the arm.

        Erased and purged sessions do not count. An experiment nobody took part in has no arms.
        """
        with self._read() as connection:
            return outcomes_.outcomes(connection, experiment)

    # single requests that take part in an A/B test

    def show(
        self,
        subject: str,
        item_ids: Sequence[str],
        *,
        experiment: str,
        arm: str,
        artifact: str,
        ttl: timedelta = TTL,
    ) -> str:
        """Record a list that is being shown to somebody without a session.

        Args:
            subject: whom, by a name of the caller's, 1 to 128 characters; only a keyed hash of it
                is stored.
            item_ids: what, best first.
            experiment: the A/B test.
            arm: the subject's arm in it.
            artifact: what answered.
            ttl: how long the record is kept, and takes outcomes.

        Returns:
            The exposure's id, 128 random bits in 32 hexadecimal characters.

        Raises:
            StoreError: a text is empty or too long.
        """
        who, now = subjects.pseudonym(self._secret, subject), self._clock()
        with self._write() as connection:
            return subjects.show(
                connection, who, item_ids, experiment, arm, artifact, now=now, expires=now + ttl
            )

    def record(self, exposure_id: str, key: str, kind: str, item_id: str) -> bool:
        """Record what came of a list that was shown with ``show``.

        Args:
            exposure_id: as ``show`` returned it.
            key: idempotency key, unique within the exposure; 1 to 200 characters.
            kind: ``"like"``, ``"click"``, …; 1 to 40 characters.
            item_id: one of the list.

        Returns:
            Whether it had been recorded before, under the same key; nothing is written then.

        Raises:
            ExposureNotFound: no such list, or it has expired.
            KeyReused: the key was used for something else.
            StoreError: the item was not in the list, or a text is empty or too long.
        """
        with self._write() as connection:
            return subjects.record(connection, exposure_id, key, kind, item_id, self._clock())

    def subject_outcomes(self, experiment: str, kind: str = "like") -> list[SubjectOutcome]:
        """What single requests have brought by arm, as ``outcomes`` has it of sessions."""
        with self._read() as connection:
            return subjects.outcomes(connection, experiment, kind)

    def export_subject(self, subject: str) -> list[dict[str, Any]]:
        """The lists shown to a subject, oldest first, each with its outcomes, as plain data."""
        who = subjects.pseudonym(self._secret, subject)
        with self._write() as connection:  # held still while it is read
            return subjects.export(connection, who)

    def erase_subject(self, subject: str) -> Deleted:
        """Delete all that is stored about a subject; else like ``erase``, but some at a time."""
        mine = subjects.of(subjects.pseudonym(self._secret, subject))
        return self._delete_all([lambda connection: subjects.remove(connection, mine, 500)])

    # the catalog's log

    def log_change(self, kind: ChangeKind, item_id: str, item: str | None = None) -> CatalogChange:
        """Log that an item was added, updated or removed.

        Args:
            kind: what happened.
            item_id: to which item.
            item: the item as JSON text; for ``"remove"`` there is none.

        Raises:
            StoreError: the item is no JSON, is missing, or is one too many.
        """
        with self._write() as connection:
            return catalog_log.log(connection, kind, item_id, item, self._clock())

    def changes(self, after: int = 0) -> list[CatalogChange]:
        """The catalog's log in the order of commits, from ``after`` (a ``seq``) on, without it.

        A process that asks again with the last ``seq`` it saw misses nothing.
        """
        with self._read() as connection:
            return catalog_log.read(connection, after)

    # API keys

    def create_key(
        self, name: str, *, rate_limit: int | None = None, admin: bool = False
    ) -> NewKey:
        """Make an API key. Only a salted hash of it is stored.

        Args:
            name: whom it is for, 1 to 200 characters.
            rate_limit: requests per minute, at least 1; ``None`` for no limit.
            admin: whether it may do more than recommend.
        """
        with self._write() as connection:
            return keys.create(connection, name, rate_limit, admin, self._clock())

    def check_key(self, secret: str) -> ApiKey | None:
        """The key's record, or ``None`` if it is unknown, malformed or revoked.

        The comparison takes the same time however much of the key is right.
        """
        with self._read() as connection:
            return keys.check(connection, secret)

    def keys(self) -> list[ApiKey]:
        """All keys, revoked ones too, oldest first."""
        with self._read() as connection:
            return keys.read(connection)

    def revoke_key(self, key_id: str) -> bool:
        """Refuse a key from now on; false if there is no such key or it was revoked before."""
        with self._write() as connection:
            return keys.revoke(connection, key_id, self._clock())

    # a person's data

    def export(self, session_id: str) -> dict[str, Any]:
        """All that is stored about a person, as plain data that ``json.dumps`` takes.

        Returns:
            ``{"session": {…, "state": …}, "events": […], "exposures": […]}``, times as ISO 8601.

        Raises:
            SessionNotFound: there is no such session. An expired one that has not been purged is
                still exported.
        """
        with self._write() as connection:  # held still while it is read
            return personal.export(connection, self._sealer, session_id)

    def erase(self, session_id: str) -> Deleted:
        """Delete a session, expired or not, and all that refers to it, in one transaction.

        On SQLite the freed bytes are overwritten and the write-ahead log is cut off, unless a
        reader holds it at this moment; the next erasure or purge does it then. Backups, and on
        PostgreSQL dead rows until the next vacuum, are the operator's.

        Returns:
            What was deleted; nothing if there is no such session.
        """
        with self._write() as connection:
            deleted = personal.remove(connection, [session_id])
        cut_log(self._engine)
        return deleted

    def purge(self, older_than: timedelta = timedelta(0), *, batch: int = 500) -> Deleted:
        """Delete sessions and lists of subjects that expired at least ``older_than`` ago.

        All that refers to them goes, too.

        Args:
            older_than: zero or more.
            batch: sessions, or lists, per transaction, at least 1; others can write in between.
        """
        before = personal.cutoff(self._clock(), older_than, batch)

        def some_sessions(connection: Connection) -> Deleted:
            return personal.remove(connection, personal.expired(connection, before, batch))

        def some_lists(connection: Connection) -> Deleted:
            return subjects.remove(connection, subjects.expired(before), batch)

        return self._delete_all([some_sessions, some_lists])

    def _delete_all(self, kinds: Sequence[Callable[[Connection], Deleted]]) -> Deleted:
        """Delete some of each kind per transaction, until there are none."""
        total = Deleted()
        for delete_some in kinds:
            done = False
            while not done:
                with self._write() as connection:
                    deleted = delete_some(connection)
                total, done = total + deleted, not deleted
        cut_log(self._engine)
        return total

    def reseal(self, *, batch: int = 500) -> int:
        """Seal everything with the first key, what was plain or sealed with an older key too.

        To change keys while processes run, restart each of them with ``old,new``, then each with
        ``new,old``, call this once, then restart them with ``new``.

        Returns:
            How many texts were sealed anew.

        Raises:
            WrongKey: there is no key, or something was sealed with a key that is not given.
        """
        if not self.encrypted:
            raise WrongKey("there is no key to seal with", hint=f"set {SECRET_KEY}")
        personal.check_batch(batch)
        total = 0
        for column in COLUMNS:
            last = None
            while True:
                with self._write() as connection:
                    done, last = reseal_some(connection, self._sealer, column, last, batch)
                total += done
                if last is None:
                    break
        with self._write() as connection:
            reseal_check(connection, self._sealer)
        cut_log(self._engine)
        return total

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with translated(), self._writer.begin() as connection:
            yield connection
