"""Rows of the events table: written once, each key once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from coldstart.serve.store import sessions
from coldstart.serve.store.checks import check_text
from coldstart.serve.store.errors import KeyReused, StoreError
from coldstart.serve.store.records import Event, Feedback, Recorded, Session
from coldstart.serve.store.sealing import Sealer
from coldstart.serve.store.tables import events


def append(
    connection: Connection,
    sealer: Sealer,
    session_id: str,
    said: Feedback,
    save: Session | None,
    expected_version: int | None,
    now: datetime,
) -> Recorded:
    """See ``Store.append``."""
    _check(said)
    if save is not None and save.id != session_id:
        raise StoreError("the session to save is not the one the feedback belongs to")
    if (save is None) != (expected_version is None):
        raise StoreError("save and expected_version: expected both or neither, got one")
    row = sessions.find(connection, session_id, now, lock=True)
    before = sessions.as_session(row, sealer)
    if (first := _first(connection, sealer, session_id, said.key)) is not None:
        if (first.kind, first.item, first.detail) != (said.kind, said.item, said.detail):
            raise KeyReused(
                "the idempotency key was used for other feedback",
                hint="use a new key for new feedback",
            )
        return Recorded(first, True, before)
    after = before
    if save is not None and expected_version is not None:
        after = sessions.save(connection, sealer, save, expected_version, now)
    values = {"key": said.key, "kind": said.kind, "item": said.item, "at": now}
    seq = connection.execute(
        insert(events)
        .values(session_id=session_id, detail=sealer.seal(said.detail), **values)
        .returning(events.c.seq)
    ).scalar_one()
    event = Event(said.key, said.kind, said.item, said.detail, seq, now)
    return Recorded(event, False, after)


def _check(said: Feedback) -> None:
    check_text(said.key, "idempotency key")
    check_text(said.kind, "kind", longest=40)
    if said.item is not None:
        check_text(said.item, "item")
    check_text(said.detail, "detail", longest=None, least=0)


def _first(connection: Connection, sealer: Sealer, session_id: str, key: str) -> Event | None:
    query = select(events).where(events.c.session_id == session_id, events.c.key == key)
    row = connection.execute(query).mappings().first()
    return None if row is None else _as_event(row, sealer)


def read(connection: Connection, sealer: Sealer, session_id: str) -> list[Event]:
    """All events of a session, oldest first."""
    query = select(events).where(events.c.session_id == session_id).order_by(events.c.seq)
    return [_as_event(row, sealer) for row in connection.execute(query).mappings()]


def _as_event(row: RowMapping, sealer: Sealer) -> Event:
    fields = {name: row[name] for name in ("key", "kind", "item", "seq", "at")}
    return Event(detail=sealer.unseal(row["detail"]), **fields)
