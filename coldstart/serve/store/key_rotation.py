"""Key rotation: re-encryption of plain texts and of texts encrypted with an older key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, select, update

from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.tables import events, meta, sessions

ENCRYPTED_COLUMNS: tuple[tuple[Column[Any], Column[Any]], ...] = (
    (sessions.c.id, sessions.c.state),
    (events.c.seq, events.c.detail),
)
"""Encrypted columns: (primary key, text)."""


def reencrypt_batch(
    connection: Connection,
    encryptor: Encryptor,
    column: tuple[Column[Any], Column[Any]],
    after: Any,
    batch: int,
) -> tuple[int, Any]:
    """Re-encrypt outdated texts among the ``batch`` rows whose primary key follows ``after``.

    Returns:
        (number of texts encrypted, last primary key); the key is ``None`` at the end.
    """
    key, text = column
    query = select(key, text).order_by(key).limit(batch).with_for_update()
    rows = connection.execute(query if after is None else query.where(key > after)).all()
    stale = [(k, stored) for k, stored in rows if not encryptor.is_current(stored)]
    for k, stored in stale:
        encrypted = encryptor.encrypt(encryptor.decrypt(stored))
        connection.execute(update(text.table).where(key == k).values({text: encrypted}))
    return len(stale), rows[-1][0] if rows else None


def reencrypt_meta(connection: Connection, encryptor: Encryptor) -> None:
    """Re-encrypt the key check value and the HMAC key of the subjects."""
    for name, stored in connection.execute(select(meta.c.name, meta.c.value)).all():
        encrypted = encryptor.encrypt(encryptor.decrypt(stored))
        connection.execute(update(meta).where(meta.c.name == name).values(value=encrypted))
