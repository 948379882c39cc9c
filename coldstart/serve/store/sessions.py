"""Sessions: table operations with optimistic locking."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, insert, select, update

from coldstart.serve.store.encryption import Encryptor
from coldstart.serve.store.errors import Conflict, SessionNotFound, StoreError
from coldstart.serve.store.records import Session
from coldstart.serve.store.tables import sessions
from coldstart.serve.store.validation import check_json, check_text

_ID = re.compile(r"[A-Za-z0-9_-]{32}")


def new(
    session_id: str,
    state: str,
    artifact: str,
    experiment: str | None,
    arm: str | None,
    *,
    ttl: timedelta,
    now: datetime,
) -> Session:
    """Validate and build a session that is not stored yet; see ``Store.create``."""
    if not is_id(session_id):
        raise StoreError("session id: expected one of new_session_id()")
    if (experiment is None) != (arm is None):
        raise StoreError("experiment and arm: expected both or neither, got one")
    if experiment is not None:
        check_text(experiment, "experiment")
        check_text(arm, "arm")
    try:
        expires = now + ttl
    except OverflowError:
        raise StoreError("ttl: too long") from None
    if expires <= now:
        raise StoreError("ttl: expected more than nothing")
    return Session(
        id=session_id,
        state=check_json(state, "state"),
        artifact=check_text(artifact, "artifact"),
        experiment=experiment,
        arm=arm,
        version=1,
        created=now,
        updated=now,
        expires=expires,
    )


def insert_new(connection: Connection, encryptor: Encryptor, session: Session) -> None:
    """Insert a new session."""
    taken = select(sessions.c.id).where(sessions.c.id == session.id)
    if connection.scalar(taken) is not None:
        raise StoreError("session id: taken already", hint="make one with new_session_id()")
    row = {
        "id": session.id,
        "state": encryptor.encrypt(session.state),
        "artifact": session.artifact,
        "experiment": session.experiment,
        "arm": session.arm,
        "version": session.version,
        "created": session.created,
        "updated": session.updated,
        "expires": session.expires,
    }
    # Apart from the statement: SQLAlchemy keeps the first one of each kind, with what is in it.
    connection.execute(insert(sessions), row)


def find(
    connection: Connection, session_id: str, now: datetime | None, *, lock: bool = False
) -> RowMapping:
    """Row of a session.

    Args:
        connection: connection in a transaction.
        session_id: id, not necessarily valid.
        now: current time, to exclude expired sessions; ``None`` includes them.
        lock: whether to lock the row until the end of the transaction.

    Raises:
        SessionNotFound: no session has this id.
    """
    if is_id(session_id):
        query = select(sessions).where(sessions.c.id == session_id)
        if now is not None:
            query = query.where(sessions.c.expires > now)
        row = connection.execute(query.with_for_update() if lock else query).mappings().first()
        if row is not None:
            return row
    raise SessionNotFound("no such session", hint="it may have expired: begin a new one")


def is_id(session_id: object) -> bool:
    """Whether a value has the format of a session id."""
    return isinstance(session_id, str) and _ID.fullmatch(session_id) is not None


def as_session(row: RowMapping, encryptor: Encryptor) -> Session:
    """Convert a row to a ``Session``."""
    return Session(**{**row, "state": encryptor.decrypt(row["state"])})


def save(
    connection: Connection,
    encryptor: Encryptor,
    session: Session,
    expected_version: int,
    now: datetime,
) -> Session:
    """See ``Store.save``."""
    check_json(session.state, "state")
    check_text(session.artifact, "artifact")
    if session.expires.tzinfo is None:
        raise StoreError("expires: expected an aware time, got one without time zone")
    row = find(connection, session.id, now, lock=True)
    if row["version"] != expected_version:
        raise Conflict(
            f"the session has version {row['version']}, expected {expected_version}",
            hint="load it again and repeat the change",
        )
    changes = {
        "artifact": session.artifact,
        "version": expected_version + 1,
        "updated": now,
        "expires": session.expires,
    }
    encrypted = encryptor.encrypt(session.state)
    columns: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in ("state", *changes)}
    statement = update(sessions).where(sessions.c.id == bindparam("session")).values(columns)
    connection.execute(statement, {"session": session.id, "state": encrypted, **changes})
    return Session(**{**row, **changes, "state": session.state})
