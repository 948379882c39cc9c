"""Per-catalog tables of the quizzes, computed once for each version of an item store."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from coldstart.catalog.item_store import ItemStore

T = TypeVar("T")


class ItemStoreCache(Generic[T]):
    """A value derived from an ``ItemStore``, cached weakly for as long as the store lives.

    Args:
        compute: derives the value.
    """

    def __init__(self, compute: Callable[[ItemStore], T]) -> None:
        self._compute = compute
        self._cached: weakref.WeakKeyDictionary[ItemStore, tuple[object, T]] = (
            weakref.WeakKeyDictionary()
        )

    def of(self, item_store: ItemStore) -> T:
        """Return the value; recompute it after the catalog or the counts have changed."""
        version = (item_store.catalog.version, id(item_store.counts))
        cached = self._cached.get(item_store)
        if cached is None or cached[0] != version:
            cached = self._cached[item_store] = version, self._compute(item_store)
        return cached[1]
