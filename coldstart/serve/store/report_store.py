"""Reports part of the store: newest sessions, lists shown, and what people did with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Table, select

from coldstart.serve.store import sessions as session_rows
from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.personal_data import check_batch
from coldstart.serve.store.records import ItemReaction, NewestRows, Session, ShownList
from coldstart.serve.store.tables import events, exposures, reactions, sessions, showings

_SUBJECT = "subject:"  # a pseudonym is never a session id


class ReportStore(StoreBase):
    """Newest rows, read backwards in batches of one transaction each.

    Erased rows are gone and expired ones are left out. Services go on writing meanwhile.
    """

    def newest_sessions(self, most: int, *, batch: int = 200) -> Iterator[Session]:
        """Sessions that have not expired, those that expire last first.

        Args:
            most: number of sessions.
            batch: sessions per transaction.

        Raises:
            WrongKey: a session was encrypted with a key that this process does not have.
            StoreError: a batch size out of range.
        """
        check_batch(batch)
        newest = (
            select(sessions.c.id)
            .where(sessions.c.expires > self._clock())
            .order_by(sessions.c.expires.desc(), sessions.c.id)
            .limit(most)
        )
        with self._read() as connection:
            ids = connection.scalars(newest).all()
        for start in range(0, len(ids), batch):
            some = ids[start : start + batch]
            with self._read() as connection:
                rows = connection.execute(select(sessions).where(sessions.c.id.in_(some)))
                by_id = {row["id"]: row for row in rows.mappings()}
            for session_id in some:
                if session_id in by_id:  # not erased since
                    yield session_rows.as_session(by_id[session_id], self._encryptor)

    def newest_lists(
        self, since: datetime, most: int, *, batch: int = 500
    ) -> NewestRows[ShownList]:
        """Lists shown in sessions, then those shown to subjects, each the newest first.

        Args:
            since: time from which lists are read.
            most: number of lists of each kind.
            batch: lists per transaction.

        Raises:
            StoreError: a batch size out of range.
        """
        of_sessions, all_sessions = self._backwards(exposures, since, most, batch)
        of_subjects, all_subjects = self._backwards(showings, since, most, batch)
        rows = [_shown(row, row["session_id"], own["experiment"]) for row, own in of_sessions]
        rows += [
            _shown(row, _SUBJECT + row["subject"], row["experiment"]) for row, _ in of_subjects
        ]
        return NewestRows(tuple(rows), all_sessions and all_subjects)

    def newest_reactions(
        self, since: datetime, most: int, *, batch: int = 500
    ) -> NewestRows[ItemReaction]:
        """Feedback on items in sessions, then outcomes of subjects, each the newest first.

        Args:
            since: time from which they are read.
            most: number of events of each kind; events without an item count.
            batch: events per transaction.

        Raises:
            StoreError: a batch size out of range.
        """
        of_sessions, all_sessions = self._backwards(events, since, most, batch)
        of_subjects, all_subjects = self._backwards(reactions, since, most, batch)
        rows = [
            ItemReaction(row["session_id"], row["kind"], row["item"], row["at"])
            for row, _ in of_sessions
            if row["item"] is not None
        ]
        rows += [
            ItemReaction(_SUBJECT + shown["subject"], row["kind"], row["item"], row["at"])
            for row, shown in of_subjects
        ]
        return NewestRows(tuple(rows), all_sessions and all_subjects)

    def _backwards(
        self, table: Table, since: datetime, most: int, batch: int
    ) -> tuple[list[tuple[RowMapping, RowMapping]], bool]:
        """Rows whose session or list has not expired, each with that, and whether these are all.

        Pages are read by primary key alone, which needs no index, until a row is older than
        ``since``: time grows with ``seq``.
        """
        check_batch(batch)
        out: list[tuple[RowMapping, RowMapping]] = []
        last: int | None = None
        while True:
            page = select(table).order_by(table.c.seq.desc()).limit(min(batch, most) + 1)
            with self._read() as connection:
                found = connection.execute(page if last is None else page.where(table.c.seq < last))
                rows = found.mappings().all()
                recent = [row for row in rows if row["at"] >= since]
                more = len(recent) > min(batch, most)
                recent = recent[: min(batch, most)]
                alive = self._alive(connection, table, recent)
            owners = ((row, alive.get(row[_owner(table)])) for row in recent)
            out += [(row, owner) for row, owner in owners if owner is not None]
            most -= len(recent)
            if not more or not most:
                return out, not more
            last = recent[-1]["seq"]

    def _alive(
        self, connection: Connection, table: Table, rows: list[RowMapping]
    ) -> dict[object, RowMapping]:
        """Sessions or lists of some rows that have not expired, by what the rows refer to."""
        parent = sessions if _owner(table) == "session_id" else showings
        key = parent.c.id if parent is sessions else parent.c.seq
        shown = (parent.c.experiment,) if parent is sessions else (parent.c.subject,)
        ids = {row[_owner(table)] for row in rows}
        query = select(key.label("key"), *shown).where(
            key.in_(ids), parent.c.expires > self._clock()
        )
        return {row["key"]: row for row in connection.execute(query).mappings()}


def _owner(table: Table) -> str:
    """Column of a table that refers to its session or list."""
    if table is showings:
        return "seq"
    return "showing" if table is reactions else "session_id"


def _shown(row: RowMapping, person: str, experiment: str | None) -> ShownList:
    items = tuple(row["item_ids"])
    return ShownList(person, items, row["artifact"], experiment, row["arm"], row["at"])
