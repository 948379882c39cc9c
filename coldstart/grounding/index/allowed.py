"""Id filter of searches, with its rows cached per index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, overload

import numpy as np

from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class Allowed(Sequence[str]):
    """Id filter for many searches, resolved to index rows once instead of at every search.

    Resolving thousands of ids takes longer than comparing their vectors. Indexes also accept plain
    sequences of ids. After changes of an index the filter is resolved again, so it is always valid;
    one object may serve several indexes, most efficiently one after another.

    >>> evening = Allowed(["a", "b", "a"])
    >>> len(evening), "b" in evening
    (2, True)

    Args:
        ids: any order, duplicates allowed; ids unknown to an index are ignored there.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = tuple(dict.fromkeys(_no_string(ids)))
        self._members = frozenset(self._ids)
        self._found: tuple[object, Ints] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...
    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self._ids[at]

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._members

    def rows(self, known: Mapping[str, int], layout: object) -> Ints:
        """Rows of the ids in one index, ascending.

        Args:
            known: row of every id in the index.
            layout: token of the index's state, replaced whenever ``known`` changes.
        """
        found = self._found
        if found is None or found[0] is not layout:
            self._found = found = (layout, rows_of(self._ids, known))
        return found[1]


def rows_of(ids: Iterable[str], known: Mapping[str, int]) -> Ints:
    """Distinct rows of the known ids, ascending."""
    rows = np.fromiter(map(known.get, _no_string(ids), repeat(-1)), dtype=np.int64)
    rows.sort()
    keep = rows >= 0
    keep[1:] &= rows[1:] != rows[:-1]
    return rows[keep]


def _no_string(ids: Iterable[str]) -> Iterable[str]:
    if isinstance(ids, str):
        raise ConfigError(f"allowed is the text {ids!r}, expected several ids", "send a list")
    return ids
