"""Reading part of the store: all sessions and outcomes that have not expired, to train from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from sqlalchemy import Connection, select

from coldstart.serve.store import events as event_rows
from coldstart.serve.store import sessions as session_rows
from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.personal_data import check_batch
from coldstart.serve.store.records import Event, SubjectOutcomes, Visit
from coldstart.serve.store.tables import events, reactions, sessions, showings


class VisitStore(StoreBase):
    """Sessions with their events, and outcomes of subjects, as a whole.

    Erased rows are gone, and expired ones are left out, so neither can be learned from. Services
    may go on writing: rows are read in batches of one transaction each.
    """

    def visits(self, *, batch: int = 500) -> Iterator[Visit]:
        """All sessions that have not expired, with their events, in the order of their ids.

        Args:
            batch: sessions per transaction.

        Raises:
            WrongKey: a session was encrypted with a key that this process does not have.
            StoreError: a batch size out of range.
        """
        check_batch(batch)
        last = ""
        while True:
            with self._read() as connection:
                found = self._some_visits(connection, last, batch)
            yield from found
            if len(found) < batch:
                return
            last = found[-1].session.id

    def all_subject_outcomes(self) -> Iterator[SubjectOutcomes]:
        """Outcomes of the lists shown to each subject that have not expired, by pseudonym."""
        query = (
            select(showings.c.subject, reactions.c.kind, reactions.c.item, reactions.c.at)
            .join(reactions, reactions.c.showing == showings.c.seq)
            .where(showings.c.expires > self._clock())
            .order_by(showings.c.subject, reactions.c.seq)
        )
        with self._read() as connection:
            rows = connection.execute(query).all()
        for subject, own in groupby(rows, key=lambda row: row.subject):
            yield SubjectOutcomes(subject, tuple((row.kind, row.item, row.at) for row in own))

    def _some_visits(self, connection: Connection, last: str, batch: int) -> list[Visit]:
        chosen = (
            select(sessions)
            .where(sessions.c.id > last, sessions.c.expires > self._clock())
            .order_by(sessions.c.id)
            .limit(batch)
        )
        rows = connection.execute(chosen).mappings().all()
        ids = [row["id"] for row in rows]
        own: dict[str, list[Event]] = {session_id: [] for session_id in ids}
        query = select(events).where(events.c.session_id.in_(ids)).order_by(events.c.seq)
        for row in connection.execute(query).mappings():
            own[row["session_id"]].append(event_rows.as_event(row, self._encryptor))
        return [
            Visit(session_rows.as_session(row, self._encryptor), tuple(own[row["id"]]))
            for row in rows
        ]
