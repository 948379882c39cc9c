"""From one version of a catalog to the next: which rows stay, and which are computed anew."""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class RowSync:
    """Takes arrays with a row per item over to a later version.

    Items keep their order and new ones come last, as in ``Catalog``. Where that does not hold (an
    item was removed and added again) nothing stays: every row is fresh.

    Args:
        before: row of each id at the earlier version, ascending.
        now: likewise at the later one.
        changed: ids added or updated between them.
        gone: ids removed between them.
    """

    def __init__(
        self, before: Mapping[str, int], now: Mapping[str, int], changed: Set[str], gone: Set[str]
    ) -> None:
        left = np.ones(len(before), dtype=bool)
        left[[before[i] for i in gone if i in before]] = False
        known = tuple(before) if left.all() else tuple(compress(before, left.tolist()))
        if tuple(islice(now, len(known))) != known:
            left[:], changed = False, now.keys()
        #: Which rows before are the first rows now, in the same order; shape (N before,).
        self.left = left
        #: Rows now of what is new or updated, ascending.
        self.fresh: Ints = np.array(sorted(now[i] for i in changed), dtype=np.int64)
        #: Which rows before are rows now without being updated, shape (N before,).
        self.kept = left.copy()
        self.kept[np.flatnonzero(left)[self.fresh[self.fresh < left.sum()]]] = False
        self._n = len(now)

    def of(self, before: NDArray[Any], fresh: NDArray[Any], spare: int = 0) -> NDArray[Any]:
        """The array of the later version.

        Args:
            before: that of the earlier one, a row per item.
            fresh: rows of the items in ``fresh``.
            spare: rows that the result's base has room for after it.
        """
        anew = len(self.fresh) == self._n
        if anew and not spare:
            return fresh
        like = fresh if anew else before
        out = np.empty((self._n + spare, *like.shape[1:]), dtype=like.dtype)[: self._n]
        if not anew:
            stay = before if self.left.all() else before[self.left]
            out[: len(stay)] = stay
        out[self.fresh] = fresh
        return out


class Growing:
    """Carries one large array over so that additions copy nothing of what is there."""

    def __init__(self) -> None:
        self._room: NDArray[Any] | None = None

    def of(self, carry: RowSync, before: NDArray[Any], fresh: NDArray[Any]) -> NDArray[Any]:
        """As ``RowSync.of``; views of the earlier array stay valid."""
        n, room = len(before) + len(fresh), self._room
        only_new = 0 < len(before) == len(carry.kept) and carry.kept.all()
        if only_new and room is not None and before.base is room and n <= len(room):
            room[len(before) : n] = fresh
            return room[:n]
        out = carry.of(before, fresh, spare=n // 16 + 1)
        self._room = out.base
        return out
