"""Set of item ids backed by a boolean mask: one byte per item of the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class IdSet(Set[str]):
    """Ids of the rows selected by a mask.

    Equal to the frozenset of the same ids, but built without materialising them.

    Args:
        ids: ids of all items, in row order.
        rows: row of each id.
        mask: membership of each row, shape (N,); must not be modified afterwards.

    >>> IdSet(["a", "b"], {"a": 0, "b": 1}, np.array([False, True])) == {"b"}
    True
    """

    def __init__(
        self, ids: Sequence[str], rows: Mapping[str, int], mask: NDArray[np.bool_]
    ) -> None:
        self._ids, self.rows, self.mask = ids, rows, mask
        self._size = int(np.count_nonzero(mask))

    def __contains__(self, item_id: object) -> bool:
        row = self.rows.get(item_id)  # type: ignore[call-overload]
        return row is not None and bool(self.mask[row])

    def __iter__(self) -> Iterator[str]:
        return (self._ids[row] for row in np.flatnonzero(self.mask).tolist())

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"IdSet({self._size} of {len(self._ids)} items)"

    @classmethod
    def _from_iterable(cls, ids: Iterable[str]) -> frozenset[str]:  # type: ignore[override]
        return frozenset(ids)
