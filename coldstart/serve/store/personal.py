"""A person's data: taken out, or deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from coldstart.serve.store import exposures as shown
from coldstart.serve.store import feedback, sessions
from coldstart.serve.store.errors import StoreError
from coldstart.serve.store.records import Deleted
from coldstart.serve.store.sealing import Sealer
from coldstart.serve.store.tables import events, exposures
from coldstart.serve.store.tables import sessions as table

MOST = 10_000
"""Sessions in one batch, at most."""


def export(connection: Connection, sealer: Sealer, session_id: str) -> dict[str, Any]:
    """See ``Store.export``."""
    row = sessions.find(connection, session_id, None, lock=True)
    session = sessions.as_session(row, sealer)
    said = feedback.read(connection, sealer, session_id)
    lists = shown.read(connection, session_id)
    out: dict[str, Any] = _plain(
        {
            "session": asdict(session),
            "events": [asdict(e) for e in said],
            "exposures": [asdict(e) for e in lists],
        }
    )
    out["session"]["state"] = json.loads(session.state)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def remove(connection: Connection, session_ids: Sequence[str]) -> Deleted:
    """Delete sessions and all that refers to them."""
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
    """Ids of sessions that expired by then, at most ``batch``; not those in use right now."""
    query = select(table.c.id).where(table.c.expires <= before).order_by(table.c.id).limit(batch)
    return connection.scalars(query.with_for_update(skip_locked=True)).all()


def cutoff(now: datetime, older_than: timedelta, batch: int) -> datetime:
    """The moment until which sessions must have expired."""
    if older_than < timedelta(0):
        raise StoreError("older_than: expected zero or more, got less")
    check_batch(batch)
    try:
        return now - older_than
    except OverflowError:
        raise StoreError("older_than: too long") from None


def check_batch(batch: int) -> None:
    """Refuse a batch of no rows, or of too many."""
    if not 1 <= batch <= MOST:
        raise StoreError(f"batch: expected 1 to {MOST}, got {batch}")
