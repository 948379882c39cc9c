"""Administrative part of the store: the catalog change log and API keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from coldstart.serve.store import catalog_log, keys
from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.records import (
    ApiKey,
    CatalogChange,
    ChangeKind,
    NewChange,
    NewKey,
)


class AdminStore(StoreBase):
    """Catalog change log, shared by all processes, and API keys."""

    def log_change(self, kind: ChangeKind, item_id: str, item: str | None = None) -> CatalogChange:
        """Log that an item was added, updated or removed.

        Args:
            kind: kind of change.
            item_id: id of the item.
            item: the item as JSON text; ``None`` for ``"remove"``.

        Raises:
            StoreError: the item is not JSON, missing, or given with ``"remove"``.
        """
        return self.log_changes([NewChange(kind, item_id, item)])[0]

    def log_changes(
        self, changes: Sequence[NewChange], *, after: int | None = None
    ) -> list[CatalogChange]:
        """Log several changes in one transaction: all of them, or none.

        Args:
            changes: in their order.
            after: ``seq`` of the last change that the caller has applied, if the new ones depend
                on it.

        Raises:
            StoreError: an item is not JSON, missing, or given with ``"remove"``.
            StaleCatalog: the log's last change is not ``after``.
        """
        with self._write() as connection:
            return catalog_log.log(connection, changes, after, self._clock())

    def changes(self, after: int = 0) -> list[CatalogChange]:
        """Catalog changes with ``seq`` greater than ``after``, in the order of commits.

        Polling with the last ``seq`` seen returns every change exactly once, but those that were
        replaced and compacted in between. Rows that cannot be read are of the kind ``"damaged"``.
        """
        with self._read() as connection:
            return catalog_log.read(connection, after)

    def compact_changes(self, upto: int, *, bad: Collection[int] = (), batch: int = 500) -> int:
        """Delete changes that a later change of the same item has replaced.

        Args:
            upto: ``seq`` of the last change that the caller has applied; later ones are kept.
            bad: ``seq`` of the changes that could not be applied, which replace nothing.
            batch: rows per transaction; other writers can proceed in between.

        Returns:
            Number of deleted changes.
        """
        with self._read() as connection:
            gone = catalog_log.superseded(connection, upto, frozenset(bad))
        deleted = 0
        for start in range(0, len(gone), batch):
            with self._write() as connection:
                deleted += catalog_log.drop(connection, gone[start : start + batch])
        return deleted

    def create_key(
        self, name: str, *, rate_limit: int | None = None, admin: bool = False
    ) -> NewKey:
        """Create an API key. Only a salted hash of it is stored.

        Args:
            name: name of the client, 1 to 200 characters.
            rate_limit: requests per minute, at least 1; ``None`` for no limit.
            admin: whether the key has admin rights.
        """
        with self._write() as connection:
            return keys.create(connection, name, rate_limit, admin, self._clock())

    def check_key(self, secret: str) -> ApiKey | None:
        """Record of an API key, or ``None`` if it is unknown, malformed or revoked.

        The comparison takes constant time.
        """
        with self._read() as connection:
            return keys.check(connection, secret)

    def keys(self) -> list[ApiKey]:
        """All API keys, revoked ones too, oldest first."""
        with self._read() as connection:
            return keys.read(connection)

    def revoke_key(self, key_id: str) -> bool:
        """Revoke an API key; false if no such key exists or it was revoked before."""
        with self._write() as connection:
            return keys.revoke(connection, key_id, self._clock())
