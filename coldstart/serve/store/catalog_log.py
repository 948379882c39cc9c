"""Catalog change log: table operations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    RowMapping,
    cast,
    delete,
    func,
    insert,
    select,
    text,
)

from coldstart.serve.store.errors import StaleCatalog, StoreError
from coldstart.serve.store.records import CatalogChange, ChangeKind, NewChange
from coldstart.serve.store.tables import catalog_changes
from coldstart.serve.store.validation import check_json, check_text

_EPOCH = datetime.fromtimestamp(0, UTC)
_TEXTS = ("kind", "item_id", "item", "at")


def check(change: NewChange) -> None:
    """Validate a change before anything is written. Raises as ``Store.log_changes``."""
    if change.kind not in get_args(ChangeKind):
        raise StoreError(f"kind: expected one of {', '.join(get_args(ChangeKind))}")
    check_text(change.item_id, "item id")
    if change.kind == "remove" and change.item is not None:
        raise StoreError("item: expected none with 'remove', got one")
    if change.kind != "remove":
        check_json(change.item, "item")


def log(
    connection: Connection, changes: Sequence[NewChange], after: int | None, now: datetime
) -> list[CatalogChange]:
    """See ``Store.log_changes``."""
    for change in changes:
        check(change)
    _lock(connection)
    if after is not None and (newest := _newest(connection)) != after:
        raise StaleCatalog(
            f"the catalog log is at {newest}, the change was made for {after}",
            hint="apply the newer changes, then make it again",
        )
    out: list[CatalogChange] = []
    for change in changes:
        batch = out[0].seq if out else None
        seq = _insert(connection, change.kind, change.item_id, change.item, batch, now)
        out.append(CatalogChange(seq, change.kind, change.item_id, change.item, now, batch or seq))
    return out


def _lock(connection: Connection) -> None:
    """Serialize writers, so that sequence numbers follow the order of commits; SQLite's are."""
    if connection.dialect.name == "postgresql":
        name = catalog_changes.name
        connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))


def _newest(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(catalog_changes.c.seq))) or 0)


def _insert(
    connection: Connection,
    kind: str,
    item_id: str,
    item: str | None,
    batch: int | None,
    now: datetime,
) -> int:
    row = {"kind": kind, "item_id": item_id, "item": item, "batch": batch, "at": now}
    made = insert(catalog_changes).values(row).returning(catalog_changes.c.seq)
    return int(connection.execute(made).scalar_one())


def read(connection: Connection, after: int) -> list[CatalogChange]:
    """See ``Store.changes``. A row that cannot be read becomes a change of kind ``damaged``."""
    return [_change(row) for row in _rows(connection, after, ("batch", *_TEXTS))]


def _rows(connection: Connection, after: int, names: Sequence[str]) -> Iterable[RowMapping]:
    """Columns of the changes after a number; texts of SQLite as bytes, since it stores anything."""
    columns = catalog_changes.c
    wanted: list[ColumnElement[Any]] = [columns[name] for name in names]
    if connection.dialect.name == "sqlite":
        wanted = [cast(columns[name], LargeBinary).label(name) for name in names]
    query = select(columns.seq, *wanted).where(columns.seq > after).order_by(columns.seq)
    return connection.execute(query).mappings()


def _change(row: RowMapping) -> CatalogChange:
    seq = int(row["seq"])
    try:
        kind, item_id, item, at = (_decoded(row[name]) for name in _TEXTS)
        batch = _decoded(row["batch"])
        if isinstance(at, str):
            at = datetime.fromisoformat(at)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if kind not in get_args(ChangeKind) or not item_id or (kind == "remove") != (item is None):
            raise ValueError
        return CatalogChange(seq, kind, item_id, item, at, seq if batch is None else int(batch))
    except (ValueError, AttributeError, TypeError):  # UnicodeDecodeError is a ValueError
        return CatalogChange(seq, "damaged", "", None, _EPOCH, seq)


def _decoded(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def superseded(connection: Connection, upto: int, bad: Collection[int]) -> list[int]:
    """Numbers of changes up to ``upto`` that a later one of the same item replaces, ascending.

    A change in ``bad`` replaces none, so that the last good state of its item is kept. The newest
    change is never among them, so that no number is used twice.
    """
    kept: set[str | bytes] = set()
    out = []
    for row in reversed(list(_rows(connection, 0, ("item_id",)))):
        seq, item_id = int(row["seq"]), row["item_id"]
        if item_id in kept:
            out.append(seq)
        elif seq <= upto and seq not in bad:
            kept.add(item_id)
    return out[::-1]


def drop(connection: Connection, seqs: Iterable[int]) -> int:
    """Delete changes by number; returns how many there were."""
    gone = delete(catalog_changes).where(catalog_changes.c.seq.in_(list(seqs)))
    return connection.execute(gone).rowcount
