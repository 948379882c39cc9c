"""Rows of the sessions table."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, insert, select, update

from coldstart.serve.store.checks import check_json, check_text
from coldstart.serve.store.errors import Conflict, SessionNotFound, StoreError
from coldstart.serve.store.records import Session
from coldstart.serve.store.sealing import Sealer
from coldstart.serve.store.tables import sessions

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
    """A session that is not stored yet; see ``Store.create``."""
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


def insert_new(connection: Connection, sealer: Sealer, session: Session) -> None:
    """Store a new session."""
    taken = select(sessions.c.id).where(sessions.c.id == session.id)
    if connection.scalar(taken) is not None:
        raise StoreError("session id: taken already", hint="make one with new_session_id()")
    connection.execute(
        insert(sessions).values(
            id=session.id,
            state=sealer.seal(session.state),
            artifact=session.artifact,
            experiment=session.experiment,
            arm=session.arm,
            version=session.version,
            created=session.created,
            updated=session.updated,
            expires=session.expires,
        )
    )


def find(
    connection: Connection, session_id: str, now: datetime | None, *, lock: bool = False
) -> RowMapping:
    """The row of a session.

    Args:
        connection: in a transaction.
        session_id: any text.
        now: expired sessions are not found; ``None`` to find them too.
        lock: whether others that lock it shall wait for the end of the transaction.

    Raises:
        SessionNotFound: there is none.
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
    """Whether it has the form of a session's id."""
    return isinstance(session_id, str) and _ID.fullmatch(session_id) is not None


def as_session(row: RowMapping, sealer: Sealer) -> Session:
    """The session of a row."""
    return Session(**{**row, "state": sealer.unseal(row["state"])})


def save(
    connection: Connection, sealer: Sealer, session: Session, expected_version: int, now: datetime
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
    sealed = sealer.seal(session.state)
    connection.execute(
        update(sessions).where(sessions.c.id == session.id).values(state=sealed, **changes)
    )
    return Session(**{**row, **changes, "state": session.state})
