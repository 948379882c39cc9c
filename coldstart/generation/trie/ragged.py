"""Ragged array of integer sequences, with vectorised lexicographic sorting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coldstart.errors import CatalogError

Ints = NDArray[np.int64]

SAME = np.iinfo(np.int32).max
"""Value of ``shared`` for equal sequences."""
_CHUNK = 8192


@dataclass(frozen=True)
class RaggedArray:
    """N sequences of non-negative integers, concatenated.

    Args:
        values: all values, shape (V,).
        starts: start of each sequence, and end of the last, shape (N + 1,).
    """

    values: NDArray[Any]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> RaggedArray:
        """Concatenate token sequences from an iterable, in chunks.

        Raises:
            CatalogError: a token is negative or 2³¹ or more.
        """
        values, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        rest = iter(sequences)
        try:
            while chunk := list(islice(rest, _CHUNK)):
                lengths.append(np.fromiter(map(len, chunk), np.int64, len(chunk)))
                values.append(np.fromiter(chain.from_iterable(chunk), np.int32))
        except OverflowError as e:
            raise CatalogError("a token of a title is beyond 2³¹", hint=_HINT) from e
        flat = np.concatenate(values)
        if flat.size and flat.min() < 0:
            raise CatalogError(f"a token of a title is {flat.min()}", hint=_HINT)
        return cls(flat, _ends(np.concatenate(lengths)))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, n: int) -> NDArray[Any]:
        return self.values[self.starts[n] : self.starts[n + 1]]

    @property
    def lengths(self) -> Ints:
        """Length of each sequence, shape (N,)."""
        return np.diff(self.starts)

    def take(self, rows: NDArray[np.integer]) -> RaggedArray:
        """Select sequences by row, in the given order."""
        first = self.starts[rows]
        starts = _ends(self.starts[rows + 1] - first)
        place = np.repeat(first - starts[:-1], np.diff(starts)) + np.arange(starts[-1])
        return RaggedArray(self.values[place], starts)

    def and_then(self, other: RaggedArray) -> RaggedArray:
        """Concatenate with another ragged array."""
        values = np.concatenate([self.values, other.values])
        return RaggedArray(values, np.append(self.starts, other.starts[1:] + self.starts[-1]))

    def padded(self, rows: NDArray[np.integer], width: int) -> NDArray[Any]:
        """First ``width`` values of selected sequences, −1 beyond their ends, (R, width)."""
        place = self.starts[rows][:, None] + np.arange(width)
        inside = place < self.starts[rows + 1][:, None]
        if not len(self.values):
            return np.full(inside.shape, -1, dtype=self.values.dtype)
        return np.where(inside, self.values[np.where(inside, place, 0)], -1)

    def order(self) -> Ints:
        """Stable lexicographic argsort of the sequences, shape (N,).

        Two values at a time are packed into one key; later rounds sort the remaining ties only.
        """
        order: Ints = np.arange(len(self))
        tied, depth = order.copy(), 0
        group: Ints = np.zeros(len(self), dtype=np.int64)
        while len(tied):
            rows: Ints = order[tied]
            one, two = (self._key(rows, d).astype(np.uint64) for d in (depth, depth + 1))
            key = one << np.uint64(32) | two
            by = np.argsort(key, kind="stable")
            by = by[np.argsort(group[by], kind="stable")]
            order[tied], key, two = rows[by], key[by], two[by]  # ``group`` ascends already
            new = np.ones(len(tied) + 1, dtype=np.bool_)
            new[1:-1] = (key[1:] != key[:-1]) | (group[1:] != group[:-1])
            goes_on = ~(new[:-1] & new[1:]) & (two > 0)
            tied, group, depth = (
                tied[goes_on],
                np.cumsum(new[:-1], dtype=np.int64)[goes_on],
                depth + 2,
            )
        return order

    def shared(self) -> NDArray[np.int32]:
        """Length of the common prefix with the previous sequence, shape (N,).

        −1 for the first; ``SAME`` where the two are equal.
        """
        out = np.full(len(self), -1, dtype=np.int32)
        rows, depth = np.arange(1, len(self)), 0
        while len(rows):
            mine, before = self._key(rows, depth), self._key(rows - 1, depth)
            out[rows[mine != before]] = depth
            out[rows[(mine == before) & (mine == 0)]] = SAME
            rows = rows[(mine == before) & (mine > 0)]
            depth += 1
        return out

    def _key(self, rows: Ints, depth: int) -> Ints:
        """Value at ``depth`` plus 1 of selected sequences, 0 beyond their ends."""
        place = self.starts[rows] + depth
        inside = place < self.starts[rows + 1]
        out = np.zeros(len(rows), dtype=np.int64)
        out[inside] = self.values[place[inside]]
        out[inside] += 1
        return out


_HINT = "tokens are non-negative 32-bit integers, as a tokenizer gives them"


def _ends(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)])
