"""Item ids in memory-mappable arrays, with lookup by id."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.generation.trie.ragged import RaggedArray


@dataclass(frozen=True)
class IdArray:
    """Ids of N items by position.

    Args:
        text: UTF-8 bytes of the ids.
        by_id: positions by ascending id, shape (N,).
    """

    text: RaggedArray
    by_id: NDArray[np.int32]

    @classmethod
    def of(cls, ids: Sequence[str], by_id: NDArray[np.integer]) -> IdArray:
        """Pack ids."""
        encoded = [i.encode("utf-8", "surrogatepass") for i in ids]
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
        values = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return cls(RaggedArray(values, starts), by_id.astype(np.int32))

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, position: int) -> str:
        return _decode(self.text[position].tobytes())

    def __iter__(self) -> Iterator[str]:
        data, starts = self.text.values.tobytes(), self.text.starts.tolist()
        return (_decode(data[a:b]) for a, b in zip(starts, starts[1:], strict=False))

    def find(self, item_id: str) -> int:
        """Position of an id, −1 if unknown."""
        rank = bisect_left(self.by_id, item_id, key=self.__getitem__)
        if rank == len(self) or self[self.by_id[rank]] != item_id:
            return -1
        return int(self.by_id[rank])


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
