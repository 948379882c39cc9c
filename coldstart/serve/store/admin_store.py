"""Administrative part of the store: the catalog change log and API keys."""

from __future__ import annotations

from coldstart.serve.store import catalog_log, keys
from coldstart.serve.store.base import StoreBase
from coldstart.serve.store.records import ApiKey, CatalogChange, ChangeKind, NewKey


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
        with self._write() as connection:
            return catalog_log.log(connection, kind, item_id, item, self._clock())

    def changes(self, after: int = 0) -> list[CatalogChange]:
        """Catalog changes with ``seq`` greater than ``after``, in the order of commits.

        Polling with the last ``seq`` seen returns every change exactly once.
        """
        with self._read() as connection:
            return catalog_log.read(connection, after)

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
