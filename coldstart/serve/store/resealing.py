"""Sealing with a new key what was plain or sealed with an older one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, select, update

from coldstart.serve.store.sealing import Sealer
from coldstart.serve.store.tables import events, meta, sessions

COLUMNS: tuple[tuple[Column[Any], Column[Any]], ...] = (
    (sessions.c.id, sessions.c.state),
    (events.c.seq, events.c.detail),
)
"""What is sealed: (primary key, text)."""


def reseal_some(
    connection: Connection,
    sealer: Sealer,
    which: tuple[Column[Any], Column[Any]],
    after: Any,
    batch: int,
) -> tuple[int, Any]:
    """Seal anew what needs it among the ``batch`` rows whose primary key follows ``after``.

    Returns:
        How many were sealed, and the last primary key, ``None`` at the end.
    """
    key, text = which
    query = select(key, text).order_by(key).limit(batch).with_for_update()
    rows = connection.execute(query if after is None else query.where(key > after)).all()
    stale = [(k, stored) for k, stored in rows if not sealer.is_current(stored)]
    for k, stored in stale:
        sealed = sealer.seal(sealer.unseal(stored))
        connection.execute(update(text.table).where(key == k).values({text: sealed}))
    return len(stale), rows[-1][0] if rows else None


def reseal_check(connection: Connection, sealer: Sealer) -> None:
    """Seal the text by which the key is checked, too, and the secret of the subjects."""
    for name, stored in connection.execute(select(meta.c.name, meta.c.value)).all():
        sealed = sealer.seal(sealer.unseal(stored))
        connection.execute(update(meta).where(meta.c.name == name).values(value=sealed))
