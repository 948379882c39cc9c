"""Catalog change log: table operations."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from sqlalchemy import Connection, insert, select, text

from coldstart.serve.store.errors import StoreError
from coldstart.serve.store.records import CatalogChange, ChangeKind
from coldstart.serve.store.tables import catalog_changes
from coldstart.serve.store.validation import check_json, check_text


def log(
    connection: Connection, kind: ChangeKind, item_id: str, item: str | None, now: datetime
) -> CatalogChange:
    """See ``Store.log_change``."""
    if kind not in get_args(ChangeKind):
        raise StoreError(f"kind: expected one of {', '.join(get_args(ChangeKind))}")
    check_text(item_id, "item id")
    if kind == "remove" and item is not None:
        raise StoreError("item: expected none with 'remove', got one")
    if kind != "remove":
        check_json(item, "item")
    if (
        connection.dialect.name == "postgresql"
    ):  # so that sequence numbers follow the order of commits
        name = catalog_changes.name
        connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))
    seq = connection.execute(
        insert(catalog_changes)
        .values(kind=kind, item_id=item_id, item=item, at=now)
        .returning(catalog_changes.c.seq)
    ).scalar_one()
    return CatalogChange(seq, kind, item_id, item, now)


def read(connection: Connection, after: int) -> list[CatalogChange]:
    """See ``Store.changes``."""
    query = select(catalog_changes).where(catalog_changes.c.seq > after)
    rows = connection.execute(query.order_by(catalog_changes.c.seq)).mappings()
    return [CatalogChange(**row) for row in rows]
