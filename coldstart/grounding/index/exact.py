"""Exact nearest neighbours by cosine in one numpy matrix."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.index.allowed import Allowed, rows_of
from coldstart.grounding.index.row_scoring import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Ints = NDArray[np.int64]

_STEP = 8192  # rows scaled at once
_COLUMNS = 64  # moved at once, so that a large matrix is not in memory twice


class ExactIndex:
    """Brute-force ``protocols.Index`` in memory; filters never cost recall.

    Rows are scaled to length 1. Cosines are rounded to six decimals and ordered by (cosine, id), so
    results depend neither on the other queries of the batch nor on the order of updates.

    >>> import numpy as np
    >>> index = ExactIndex()
    >>> index.set(["a", "b"], np.eye(2, dtype=np.float32))
    >>> index.search(np.array([[3, 4]], dtype=np.float32), k=1)
    [[('b', 0.8)]]
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._matrix: Float = np.empty((0, 0), dtype=np.float32)
        self._layout = object()  # replaced whenever ``_rows`` changes
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._ids))

    @property
    def nbytes(self) -> int:
        """Memory of the vectors without ids, bytes."""
        return self._matrix[: len(self._ids)].nbytes

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """See ``Index.set``."""
        matrix, lengths = _measured(vectors)
        if len(ids) != len(matrix):
            raise ConfigError(f"got {len(ids)} ids but {len(matrix)} vectors", "send one per id")
        if not ids:
            return
        last = {item_id: row for row, item_id in enumerate(ids)}
        source = np.fromiter(last.values(), dtype=np.int64)
        with self._lock:
            self._require_dimension(matrix)
            new = [item_id for item_id in last if item_id not in self._rows]
            if new:
                self._grow(len(self._ids) + len(new), matrix.shape[1])
                self._rows |= {item_id: len(self._ids) + n for n, item_id in enumerate(new)}
                self._ids += new
                self._layout = object()
            rows = np.fromiter(map(self._rows.__getitem__, last), dtype=np.int64)
            for at in range(0, len(rows), _STEP):
                some = source[at : at + _STEP]
                self._matrix[rows[at : at + _STEP]] = matrix[some] / lengths[some, None]
            self._changed(rows)

    def remove(self, ids: Sequence[str]) -> None:
        """See ``Index.remove``."""
        with self._lock:
            for item_id in ids:
                row = self._rows.pop(item_id, None)
                if row is None:
                    continue
                self._layout = object()
                last = self._ids.pop()
                if last != item_id:
                    self._ids[row], self._rows[last] = last, row
                    self._matrix[row] = self._matrix[len(self._ids)]
                self._changed(np.array([row]))

    def vectors(self, ids: Sequence[str]) -> Float:
        """Return the unit rows of ``ids``, shape (len(ids), dim), in the given order.

        Raises:
            CatalogError: an id is not in the index.
        """
        with self._lock:
            unknown = [item_id for item_id in ids if item_id not in self._rows]
            if unknown:
                raise CatalogError(f"no vector for {unknown[0]!r}", "add it to the index first")
            return self._matrix[[self._rows[item_id] for item_id in ids]]

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """See ``Index.search``; an ``Allowed`` filter is resolved once for many searches."""
        if k < 1:
            raise ConfigError(f"k is {k}, expected at least 1")
        unit = unit_rows(queries)
        if not len(unit):
            return []
        with self._lock:
            self._require_dimension(unit)
            return self._find(unit, k, allowed)

    def _find(
        self, queries: Float, k: int, allowed: Sequence[str] | None
    ) -> list[list[tuple[str, float]]]:
        """Search with unit rows, under the lock."""
        return self._score(queries, k, self._rows_of(allowed))

    def _score(self, queries: Float, k: int, rows: Ints | None) -> list[list[tuple[str, float]]]:
        """Score the given rows, or all."""
        piece = slice(0, len(self._ids)) if rows is None else rows
        if not (len(self._ids) if rows is None else len(rows)):
            return [[] for _ in queries]
        return nearest(self._matrix, [piece], queries, k, self._ids)

    def _rows_of(self, allowed: Sequence[str] | None) -> Ints | None:
        if isinstance(allowed, Allowed):
            return allowed.rows(self._rows, self._layout)
        return None if allowed is None else rows_of(allowed, self._rows)

    def _changed(self, rows: Ints) -> None:
        """Hook for subclasses: these rows changed or were removed."""

    def _reorder(self, order: Ints) -> None:
        """Move row ``order[n]`` to row ``n``, for all rows; some columns at a time."""
        matrix = self._matrix
        for at in range(0, matrix.shape[1], _COLUMNS):
            some = matrix[: len(order), at : at + _COLUMNS]
            some[:] = some[order]
        ids = [self._ids[row] for row in order.tolist()]
        self._rows = {item_id: row for row, item_id in enumerate(ids)}
        self._ids, self._layout = ids, object()

    def _require_dimension(self, vectors: Float) -> None:
        dim = self._matrix.shape[1]
        if self._ids and vectors.shape[1] != dim:
            raise ConfigError(
                f"vectors have {vectors.shape[1]} dimensions, the index has {dim}",
                "use one encoder for items and queries",
            )

    def _grow(self, rows: int, dim: int) -> None:
        """Grow the capacity to 1.5 × ``rows``, so that n additions copy O(n) in all.

        Unwritten capacity takes no physical memory.
        """
        if self._ids and rows <= len(self._matrix):
            return
        grown = np.empty((rows + rows // 2, dim), dtype=np.float32)
        if self._ids:
            grown[: len(self._ids)] = self._matrix[: len(self._ids)]
        self._matrix = grown


def _measured(vectors: Float) -> tuple[Float, Float]:
    """Validate rows; return them and their lengths, 1 for zero rows."""
    with np.errstate(over="ignore", invalid="ignore"):
        matrix = np.asarray(vectors, dtype=np.float32)
        if matrix.ndim != 2:
            raise ConfigError(f"vectors have shape {matrix.shape}, expected (n, dim)")
        squares = np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64)
        lengths = np.sqrt(squares).astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(lengths))
    if bad.size:
        raise ConfigError(f"vector {bad[0]} is not finite", "check the encoder's output")
    lengths[lengths == 0] = 1
    return matrix, lengths


def unit_rows(vectors: Float) -> Float:
    """Scale rows to length 1 (zero rows stay zero).

    Raises:
        ConfigError: a number is not finite, or the shape is wrong.
    """
    matrix, lengths = _measured(vectors)
    unit: Float = matrix / lengths[:, None]
    return unit
