"""Retrieval from a large catalog: the best items of one signal, kept per catalog version."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.protocols import Float

    Ints = NDArray[np.int64]
    Nearest = Callable[[Float, int], Ints]

POPULAR, BY_SIGNAL = 1000, 200
"""Items that popularity, and each other signal, adds to the candidate set."""


class CatalogLists:
    """Item lists that are the same for all users, computed once per catalog version."""

    def __init__(self) -> None:
        self._items: ItemStore | None = None
        self._version = -1
        self._lists: dict[str, Ints] = {}

    def of(self, items: ItemStore) -> CatalogLists:
        """These lists, emptied if the catalog has changed."""
        if self._items is not items or self._version != items.version:
            self._items, self._version, self._lists = items, items.version, {}
        return self

    def get(self, name: str, make: Callable[[], Ints]) -> Ints:
        """The list of a name, computed when first needed."""
        if name not in self._lists:
            self._lists[name] = make()
        return self._lists[name]


def best(values: NDArray[np.floating], n: int | None = None) -> Ints:
    """Positions of the ``n`` largest values, unordered; ``BY_SIGNAL`` of them by default."""
    n = BY_SIGNAL if n is None else n
    if len(values) <= n:
        return np.arange(len(values))
    found: Ints = np.argpartition(-values, n - 1)[:n]
    return found
