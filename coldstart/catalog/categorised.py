"""Categories of the items of a catalog, in arrays with a row for each combination of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.row_sync import RowSync

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_KEPT = 1 << 23  # cells of an array with a row per item that is made once; larger ones per use


class Categorised:
    """Which categories each item has.

    Most items share theirs with others, so a million items need a few thousand rows: an array with
    a row per item would take 45 GB with 5,000 categories.

    Args:
        kinds: combinations of categories, each once.
        of_item: the combination of each item, shape (N,).
    """

    def __init__(
        self, kinds: Sequence[tuple[str, ...]] = (), of_item: Ints | Sequence[int] = ()
    ) -> None:
        self._kinds = list(kinds)
        self._of_item = np.asarray(of_item, dtype=np.int64)
        names = sorted({c.casefold() for categories in self._kinds for c in categories})
        #: Column of each category, by its case-folded name.
        self.column: Mapping[str, int] = {name: n for n, name in enumerate(names)}
        self._has = np.zeros((len(self._kinds), len(names)), dtype=bool)
        for kind, categories in enumerate(self._kinds):
            self._has[kind, [self.column[c.casefold()] for c in categories]] = True
        # Unit rows: an item of many categories is no closer to everything than one of few.
        size = np.sqrt(self._has.sum(axis=1, keepdims=True))
        self._unit: Floats = self._has / np.maximum(size, 1.0)
        self._made: dict[str, NDArray[Any]] = {}

    def followed(self, carry: RowSync, fresh: Sequence[tuple[str, ...]]) -> Categorised:
        """Those of the later version of a catalog.

        Args:
            carry: from the earlier to the later rows.
            fresh: categories of the new and changed items.
        """
        kinds = {kind: n for n, kind in enumerate(self._kinds)}
        new = [kinds.setdefault(categories, len(kinds)) for categories in fresh]
        of_item = carry.of(self._of_item, np.array(new, dtype=np.int64))
        used = np.bincount(of_item, minlength=len(kinds)) > 0
        # In order, so that the last bits of products do not depend on the changes so far.
        ordered = sorted((kind, n) for kind, n in kinds.items() if used[n])
        place = np.zeros(len(kinds), dtype=np.int64)
        place[[n for _, n in ordered]] = np.arange(len(ordered))
        return Categorised([kind for kind, _ in ordered], place[of_item])

    def part(self, rows: Ints) -> Categorised:
        """Those of some items, with all columns."""
        out = object.__new__(Categorised)
        out._kinds, out.column, out._has, out._unit = (
            self._kinds,
            self.column,
            self._has,
            self._unit,
        )
        out._of_item, out._made = self._of_item[rows], {}
        return out

    @property
    def has(self) -> Bools:
        """Whether each item has each category, shape (N, C)."""
        return self._of_items("has", self._has)

    @property
    def unit(self) -> Floats:
        """Rows of ``has`` of Euclidean length 1, zeros without categories, shape (N, C)."""
        return self._of_items("unit", self._unit)

    def unit_of(self, rows: Ints | Sequence[int]) -> Floats:
        """Some rows of ``unit``."""
        found: Floats = self._unit[self._of_item[rows]]
        return found

    def in_any(self, columns: Sequence[int]) -> Bools:
        """Mask of the items that have one of some categories, shape (N,)."""
        return np.asarray(self._has[:, columns].any(axis=1))[self._of_item]

    def in_how_many(self, columns: Sequence[int]) -> Ints:
        """Number of some categories that each item has, shape (N,)."""
        return np.asarray(self._has[:, columns].sum(axis=1))[self._of_item]

    def combinations(self, mask: Bools) -> Bools:
        """Rows of ``has`` of the combinations that some of the items have.

        Combinations that differ in order or case only give equal rows.

        Args:
            mask: of the items, shape (N,).
        """
        return self._has[np.bincount(self._of_item[mask], minlength=len(self._kinds)) > 0]

    def sums(self, values: NDArray[Any]) -> Floats:
        """Sums of values of shape (N,) over the items of each category, shape (C,)."""
        return np.asarray(self._by_kind(values) @ self._has)

    def total(self, values: Floats) -> Floats:
        """Sum of the rows of ``unit`` times values of shape (N,), shape (C,)."""
        return np.asarray(self._by_kind(values) @ self._unit)

    def fit(self, values: Floats) -> Floats:
        """Products of the rows of ``unit`` and values of shape (C,), shape (N,)."""
        return np.asarray((self._unit @ values)[self._of_item])

    def _by_kind(self, values: NDArray[Any]) -> Floats:
        sums = np.bincount(self._of_item, values.astype(np.float64), len(self._kinds))
        return sums.astype(np.float64)  # whole numbers where there are no items

    def _of_items(self, name: str, of_kind: NDArray[Any]) -> NDArray[Any]:
        made = self._made.get(name)
        if made is None:
            made = of_kind[self._of_item]
            if made.size <= _KEPT:
                self._made[name] = made
        return made
