"""Exposures of sessions: table operations, idempotent by request id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select

from coldstart.serve.store import sessions
from coldstart.serve.store.errors import KeyReused, StoreError
from coldstart.serve.store.records import Exposure
from coldstart.serve.store.tables import exposures
from coldstart.serve.store.validation import check_text


def expose(
    connection: Connection,
    session_id: str,
    request_id: str,
    item_ids: Sequence[str],
    ranks: Sequence[int] | None,
    artifact: str | None,
    now: datetime,
) -> Exposure:
    """See ``Store.expose``."""
    check_text(request_id, "request id")
    if isinstance(item_ids, str):
        raise StoreError("item ids: expected several texts, got one")
    items = tuple(check_text(i, "item id") for i in item_ids)
    positions = tuple(range(1, len(items) + 1)) if ranks is None else tuple(ranks)
    if len(positions) != len(items) or any(type(p) is not int or p < 1 for p in positions):
        raise StoreError(f"ranks: expected {len(items)} whole numbers from 1")
    if artifact is not None:
        check_text(artifact, "artifact")
    session = sessions.find(connection, session_id, now, lock=True)
    shown = Exposure(
        request_id, items, positions, artifact or session["artifact"], session["arm"], now
    )
    query = select(exposures).where(
        exposures.c.session_id == session_id, exposures.c.request_id == request_id
    )
    if (row := connection.execute(query).mappings().first()) is not None:
        first = _as_exposure(row)
        if (first.item_ids, first.ranks) != (items, positions):
            raise KeyReused("the request id was used for another list", hint="use a new one")
        return first
    values = {
        "session_id": session_id,
        "request_id": request_id,
        "item_ids": items,
        "ranks": positions,
        "artifact": shown.artifact,
        "arm": shown.arm,
        "at": now,
    }
    # Apart from the statement: SQLAlchemy keeps the first one of each kind, with what is in it.
    connection.execute(insert(exposures), values)
    return shown


def read(connection: Connection, session_id: str) -> list[Exposure]:
    """All exposures of a session, oldest first."""
    query = select(exposures).where(exposures.c.session_id == session_id)
    rows = connection.execute(query.order_by(exposures.c.seq)).mappings()
    return [_as_exposure(row) for row in rows]


def _as_exposure(row: RowMapping) -> Exposure:
    return Exposure(
        row["request_id"],
        tuple(row["item_ids"]),
        tuple(row["ranks"]),
        row["artifact"],
        row["arm"],
        row["at"],
    )
