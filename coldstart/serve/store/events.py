"""Session events: append-only table operations, idempotent by key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from coldstart.serve.store import sessions
from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.errors import KeyReused, StoreError
from coldstart.serve.store.records import Event, NewEvent, Recorded, Session
from coldstart.serve.store.tables import events
from coldstart.serve.store.validation import check_text


def append(
    connection: Connection,
    encryptor: Encryptor,
    session_id: str,
    new: NewEvent,
    save: Session | None,
    expected_version: int | None,
    now: datetime,
) -> Recorded:
    """See ``Store.append``."""
    _check(new)
    if save is not None and save.id != session_id:
        raise StoreError("the session to save is not the one the feedback belongs to")
    if (save is None) != (expected_version is None):
        raise StoreError("save and expected_version: expected both or neither, got one")
    row = sessions.find(connection, session_id, now, lock=True)
    before = sessions.as_session(row, encryptor)
    if (first := _first(connection, encryptor, session_id, new)) is not None:
        return Recorded(first, True, before)
    after = before
    if save is not None and expected_version is not None:
        after = sessions.save(connection, encryptor, save, expected_version, now)
    values = {
        "session_id": session_id,
        "key": new.key,
        "kind": new.kind,
        "item": new.item,
        "detail": encryptor.encrypt(new.detail),
        "at": now,
    }
    # Apart from the statement: SQLAlchemy keeps the first one of each kind, with what is in it.
    seq = connection.execute(insert(events).returning(events.c.seq), values).scalar_one()
    event = Event(new.key, new.kind, new.item, new.detail, seq, now)
    return Recorded(event, False, after)


def _check(new: NewEvent) -> None:
    check_text(new.key, "idempotency key")
    check_text(new.kind, "kind", longest=40)
    if new.item is not None:
        check_text(new.item, "item")
    check_text(new.detail, "detail", longest=None, least=0)


def is_repeated(
    connection: Connection, encryptor: Encryptor, session_id: str, new: NewEvent, now: datetime
) -> bool:
    """See ``Store.is_repeated``."""
    _check(new)
    sessions.find(connection, session_id, now)
    return _first(connection, encryptor, session_id, new) is not None


def _first(
    connection: Connection, encryptor: Encryptor, session_id: str, new: NewEvent
) -> Event | None:
    """The recorded event of the same key, if any."""
    query = select(events).where(events.c.session_id == session_id, events.c.key == new.key)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    first = as_event(row, encryptor)
    if (first.kind, first.item, first.detail) != (new.kind, new.item, new.detail):
        raise KeyReused(
            "the idempotency key was used for other feedback",
            hint="use a new key for new feedback",
        )
    return first


def read(connection: Connection, encryptor: Encryptor, session_id: str) -> list[Event]:
    """All events of a session, oldest first."""
    query = select(events).where(events.c.session_id == session_id).order_by(events.c.seq)
    return [as_event(row, encryptor) for row in connection.execute(query).mappings()]


def as_event(row: RowMapping, encryptor: Encryptor) -> Event:
    """Convert a row to an ``Event``."""
    fields = {name: row[name] for name in ("key", "kind", "item", "seq", "at")}
    return Event(detail=encryptor.decrypt(row["detail"]), **fields)
