"""Personal data of sessions: export, erasure and expiry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from coldstart.serve.store import events as event_rows
from coldstart.serve.store import exposures as exposure_rows
from coldstart.serve.store import sessions
from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.errors import StoreError
from coldstart.serve.store.records import Deleted
from coldstart.serve.store.tables import events, exposures
from coldstart.serve.store.tables import sessions as table

MAX_BATCH = 10_000
"""Maximum batch size, in rows."""


def export(connection: Connection, encryptor: Encryptor, session_id: str) -> dict[str, Any]:
    """See ``Store.export``."""
    row = sessions.find(connection, session_id, None, lock=True)
    session = sessions.as_session(row, encryptor)
    out: dict[str, Any] = _jsonable(
        {
            "session": asdict(session),
            "events": [asdict(e) for e in event_rows.read(connection, encryptor, session_id)],
            "exposures": [asdict(e) for e in exposure_rows.read(connection, session_id)],
        }
    )
    with suppress(ValueError):  # damaged: it is a person's data all the same
        out["session"]["state"] = json.loads(session.state)
    return out


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _jsonable(v) for k, v in value.items()}
    return [_jsonable(v) for v in value] if isinstance(value, list | tuple) else value


def remove(connection: Connection, session_ids: Sequence[str]) -> Deleted:
    """Delete sessions with their events and exposures."""
    known = [i for i in session_ids if sessions.is_id(i)]
    ids = connection.scalars(
        select(table.c.id).where(table.c.id.in_(known)).order_by(table.c.id).with_for_update()
    ).all()
    counts = [
        connection.execute(delete(t).where(column.in_(ids))).rowcount
        for t, column in (
            (events, events.c.session_id),
            (exposures, exposures.c.session_id),
            (table, table.c.id),
        )
    ]
    return Deleted(sessions=counts[2], events=counts[0], exposures=counts[1])


def expired(connection: Connection, before: datetime, batch: int) -> Sequence[str]:
    """Ids of at most ``batch`` sessions expired by ``before``, except rows that are locked."""
    query = select(table.c.id).where(table.c.expires <= before).order_by(table.c.id).limit(batch)
    return connection.scalars(query.with_for_update(skip_locked=True)).all()


def cutoff(now: datetime, older_than: timedelta, batch: int) -> datetime:
    """Expiry time up to which sessions are purged: ``now`` − ``older_than``."""
    if older_than < timedelta(0):
        raise StoreError("older_than: expected zero or more, got less")
    check_batch(batch)
    try:
        return now - older_than
    except OverflowError:
        raise StoreError("older_than: too long") from None


def check_batch(batch: int) -> None:
    """Validate a batch size."""
    if not 1 <= batch <= MAX_BATCH:
        raise StoreError(f"batch: expected 1 to {MAX_BATCH}, got {batch}")
