"""Incremental sync between catalog versions: reuse unchanged rows, recompute the others."""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class RowSync:
    """Row mapping between two catalog versions, for arrays with one row per item.

    Assumes that items keep their order and new ones come last, as in ``Catalog``. Otherwise (an
    item was removed and added again) no row is reused: every row is fresh.

    Args:
        before: row of each id in the earlier version, ascending.
        now: row of each id in the later version.
        changed: ids added or updated in between.
        gone: ids removed in between.
    """

    def __init__(
        self, before: Mapping[str, int], now: Mapping[str, int], changed: Set[str], gone: Set[str]
    ) -> None:
        left = np.ones(len(before), dtype=bool)
        left[[before[i] for i in gone if i in before]] = False
        known = tuple(before) if left.all() else tuple(compress(before, left.tolist()))
        if tuple(islice(now, len(known))) != known:
            left[:], changed = False, now.keys()
        #: Mask of the earlier rows that remain, as the first later rows; shape (N before,).
        self.left = left
        #: Later rows of new and updated items, ascending.
        self.fresh: Ints = np.array(sorted(now[i] for i in changed), dtype=np.int64)
        #: Mask of the earlier rows that remain unchanged, shape (N before,).
        self.kept = left.copy()
        self.kept[np.flatnonzero(left)[self.fresh[self.fresh < left.sum()]]] = False
        #: Number of later rows.
        self.size = len(now)

    def of(self, before: NDArray[Any], fresh: NDArray[Any], spare: int = 0) -> NDArray[Any]:
        """Build the array of the later version.

        Args:
            before: array of the earlier version, one row per item.
            fresh: rows of the items in ``self.fresh``.
            spare: additional rows that the result's base array is allocated for.
        """
        is_rebuilt = len(self.fresh) == self.size
        if is_rebuilt and not spare:
            return fresh
        like = fresh if is_rebuilt else before
        out = np.empty((self.size + spare, *like.shape[1:]), dtype=like.dtype)[: self.size]
        if not is_rebuilt:
            stay = before if self.left.all() else before[self.left]
            out[: len(stay)] = stay
        out[self.fresh] = fresh
        return out


class Growing:
    """Array with spare capacity, so that appending items copies no existing rows."""

    def __init__(self) -> None:
        self._room: NDArray[Any] | None = None

    def of(self, carry: RowSync, before: NDArray[Any], fresh: NDArray[Any]) -> NDArray[Any]:
        """Build the array of the later version as ``RowSync.of``; earlier views stay valid."""
        n, room = len(before) + len(fresh), self._room
        if len(carry.fresh) == len(fresh) == carry.size and has_room(fresh):
            self._room = fresh.base
            return fresh
        only_new = 0 < len(before) == len(carry.kept) and carry.kept.all()
        if only_new and room is not None and before.base is room and n <= len(room):
            room[len(before) : n] = fresh
            return room[:n]
        out = carry.of(before, fresh, spare=spare_rows(n))
        self._room = out.base
        return out


def with_room(n: int, like: NDArray[Any]) -> NDArray[Any]:
    """Empty array of n rows like those of another one, which ``Growing`` takes without a copy."""
    return np.empty((n + spare_rows(n), *like.shape[1:]), dtype=like.dtype)[:n]


def has_room(values: NDArray[Any]) -> bool:
    """Whether an array was made by ``with_room``."""
    base = values.base
    n = len(values)
    return base is not None and base.shape == (n + spare_rows(n), *values.shape[1:])


def spare_rows(n: int) -> int:
    """Rows that an array of n is allocated beyond them."""
    return n // 16 + 1
