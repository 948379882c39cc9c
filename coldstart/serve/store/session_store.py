"""Session part of the store: sessions, their events and exposures, and outcomes by A/B arm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from coldstart.serve.store import events, exposures, personal_data, sessions
from coldstart.serve.store import outcomes as arm_outcomes
from coldstart.serve.store.base import TTL, StoreBase, new_session_id
from coldstart.serve.store.engine import truncate_wal
from coldstart.serve.store.records import (
    ArmOutcome,
    Deleted,
    Event,
    Exposure,
    NewEvent,
    Recorded,
    Session,
)


class SessionStore(StoreBase):
    """Sessions with optimistic concurrency control, and idempotent events and exposures."""

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
        """Create a session.

        Args:
            state: JSON text.
            artifact: name of the artifact that serves the session.
            experiment: A/B test of the session, if any; requires ``arm``.
            arm: arm of the session in the experiment.
            ttl: lifetime, > 0.
            session_id: id from ``new_session_id``, if the arm was derived from it; default: new.

        Raises:
            StoreError: the state is not JSON, a name is empty or too long, or the id exists.
        """
        session_id = new_session_id() if session_id is None else session_id
        session = sessions.new(
            session_id, state, artifact, experiment, arm, ttl=ttl, now=self._clock()
        )
        with self._write() as connection:
            sessions.insert_new(connection, self._encryptor, session)
        return session

    def load(self, session_id: str) -> Session:
        """Load a session that has not expired.

        Raises:
            SessionNotFound: no session has this id.
            WrongKey: its state was encrypted with a key that this process does not have.
        """
        with self._read() as connection:
            row = sessions.find(connection, session_id, self._clock())
            return sessions.as_session(row, self._encryptor)

    def save(self, session: Session, expected_version: int) -> Session:
        """Replace a session's state, artifact and expiry; other fields are unchanged.

        Args:
            session: the new session.
            expected_version: ``version`` of the session when it was loaded.

        Returns:
            The stored session, with its version incremented.

        Raises:
            Conflict: its version differs from ``expected_version``.
            SessionNotFound: it was erased, or has expired.
            StoreError: the state is not JSON, or the artifact's name is empty or too long.
        """
        with self._write() as connection:
            return sessions.save(
                connection, self._encryptor, session, expected_version, self._clock()
            )

    def append(
        self,
        session_id: str,
        event: NewEvent,
        save: Session | None = None,
        expected_version: int | None = None,
    ) -> Recorded:
        """Append an event and save the resulting session state, in one transaction.

        A known idempotency key writes nothing, neither event nor state, and returns the first
        event, so a client without a response can safely retry.

        Args:
            session_id: id of the session.
            event: the event.
            save: the session after the event, as in ``save``; ``None`` leaves it unchanged.
            expected_version: as in ``save``; required with ``save``, else ``None``.

        Raises:
            KeyReused: the key was used for another event (kind, item or detail differ).
            Conflict: the session's version differs; nothing was written.
            SessionNotFound: the session was erased, or has expired.
            StoreError: a field is empty or too long.
        """
        with self._write() as connection:
            return events.append(
                connection,
                self._encryptor,
                session_id,
                event,
                save,
                expected_version,
                self._clock(),
            )

    def is_repeated(self, session_id: str, event: NewEvent) -> bool:
        """Whether ``append`` would write nothing, because it wrote the event before.

        Raises:
            KeyReused: the key was used for another event (kind, item or detail differ).
            SessionNotFound: the session was erased, or has expired.
            StoreError: a field is empty or too long.
        """
        with self._read() as connection:
            return events.is_repeated(connection, self._encryptor, session_id, event, self._clock())

    def events(self, session_id: str) -> list[Event]:
        """All events of a session, oldest first.

        Raises:
            SessionNotFound: no session has this id.
        """
        with self._read() as connection:
            sessions.find(connection, session_id, self._clock())
            return events.read(connection, self._encryptor, session_id)

    def expose(
        self,
        session_id: str,
        request_id: str,
        item_ids: Sequence[str],
        *,
        ranks: Sequence[int] | None = None,
        artifact: str | None = None,
    ) -> Exposure:
        """Record a list shown in a session; a known request id returns the first record.

        Args:
            session_id: id of the session.
            request_id: unique within the session, 1 to 200 characters.
            item_ids: items, best first.
            ranks: rank of each item, from 1; default 1, 2, 3, ….
            artifact: artifact that made the list; default: the session's artifact.

        Raises:
            KeyReused: the request id was used for another list.
            SessionNotFound: the session was erased, or has expired.
            StoreError: an id is empty or too long, or the ranks are invalid.
        """
        with self._write() as connection:
            return exposures.expose(
                connection, session_id, request_id, item_ids, ranks, artifact, self._clock()
            )

    def exposures(self, session_id: str) -> list[Exposure]:
        """All exposures of a session, oldest first.

        Raises:
            SessionNotFound: no session has this id.
        """
        with self._read() as connection:
            sessions.find(connection, session_id, self._clock())
            return exposures.read(connection, session_id)

    def outcomes(self, experiment: str) -> list[ArmOutcome]:
        """Outcome counts of an A/B test over sessions, by arm, sorted by name.

        Erased and purged sessions are not counted. An experiment without sessions has no arms.
        """
        with self._read() as connection:
            return arm_outcomes.outcomes(connection, experiment)

    def export(self, session_id: str) -> dict[str, Any]:
        """Export all data of a session as JSON-serializable data (right of access).

        Returns:
            ``{"session": {…, "state": …}, "events": […], "exposures": […]}``, times as ISO 8601.

        Raises:
            SessionNotFound: no session has this id. An expired session that has not been purged is
                still exported.
        """
        with self._write() as connection:  # a write transaction, for a consistent snapshot
            return personal_data.export(connection, self._encryptor, session_id)

    def erase(self, session_id: str) -> Deleted:
        """Erase a session, expired or not, and all its events and exposures, in one transaction.

        On SQLite the freed bytes are overwritten and the write-ahead log is truncated, unless a
        reader holds it at this moment; then the next erasure or purge truncates it. Backups, and on
        PostgreSQL dead rows until the next vacuum, are the operator's responsibility.

        Returns:
            Number of deleted rows; zeros if no session has this id.
        """
        with self._write() as connection:
            deleted = personal_data.remove(connection, [session_id])
        truncate_wal(self._engine)
        return deleted
