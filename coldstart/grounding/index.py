"""Exact nearest neighbours by cosine, in one numpy matrix."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import CatalogError, ConfigError

if TYPE_CHECKING:
    from coldstart.protocols import Float

DECIMALS = 6  # cosines are reported and ordered at this precision
_SLACK = 1e-4  # above the float32 error of a product of unit vectors
_BLOCK = 2**25  # similarities held in memory at once


class ExactIndex:
    """Every row is scored, so a filter never costs recall.

    Rows are scaled to length 1. A float32 product finds a generous shortlist, whose cosines are
    then computed one by one in float64, rounded to six decimals, and ordered by (cosine, id). The
    answer therefore depends neither on the other queries in the batch nor on the order in which
    rows came and went.

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
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._ids))

    def set(self, ids: Sequence[str], vectors: Float) -> None:
        """Add rows, or replace those whose id is known; for an id given twice the last wins.

        Raises:
            ConfigError: if shapes disagree or a number is not finite; nothing is changed then.
        """
        unit = _unit_rows(vectors)
        if len(ids) != len(unit):
            raise ConfigError(f"got {len(ids)} ids but {len(unit)} vectors", "send one per id")
        if not ids:
            return
        last = {item_id: row for row, item_id in enumerate(ids)}
        with self._lock:
            self._require_dimension(unit)
            new = [item_id for item_id in last if item_id not in self._rows]
            self._grow(len(self._ids) + len(new), unit.shape[1])
            self._rows |= {item_id: len(self._ids) + n for n, item_id in enumerate(new)}
            self._ids += new
            self._matrix[[self._rows[item_id] for item_id in last]] = unit[list(last.values())]

    def remove(self, ids: Sequence[str]) -> None:
        """Forget rows; unknown ids are ignored."""
        with self._lock:
            for item_id in ids:
                row = self._rows.pop(item_id, None)
                if row is None:
                    continue
                last = self._ids.pop()
                if last != item_id:
                    self._ids[row], self._rows[last] = last, row
                    self._matrix[row] = self._matrix[len(self._ids)]

    def vectors(self, ids: Sequence[str]) -> Float:
        """Return the unit rows of ``ids``, shape (len(ids), dim), in the order asked for.

        Raises:
            CatalogError: if an id is not in the index.
        """
        with self._lock:
            unknown = [item_id for item_id in ids if item_id not in self._rows]
            if unknown:
                raise CatalogError(f"no vector for {unknown[0]!r}", "add it to the index first")
            return self._matrix[[self._rows[item_id] for item_id in ids]]

    def search(
        self, queries: Float, k: int, allowed: Sequence[str] | None = None
    ) -> list[list[tuple[str, float]]]:
        """Per query, up to ``k`` (id, cosine) pairs, best first, equal cosines by id.

        Args:
            queries: array of shape (n, dim); rows need not have length 1.
            k: most pairs wanted, at least 1.
            allowed: score only these ids; unknown ones are ignored.

        Raises:
            ConfigError: if ``k`` < 1, or ``queries`` do not fit the rows.
        """
        if k < 1:
            raise ConfigError(f"k is {k}, expected at least 1")
        unit = _unit_rows(queries)
        if not len(unit):
            return []
        with self._lock:
            self._require_dimension(unit)
            ids, rows = self._ids, self._matrix[: len(self._ids)]
            if allowed is not None:
                chosen = sorted({self._rows[i] for i in allowed if i in self._rows})
                ids, rows = [ids[row] for row in chosen], rows[chosen]
            if not ids:
                return [[] for _ in unit]
            step = max(1, _BLOCK // len(ids))
            blocks = (unit[at : at + step] for at in range(0, len(unit), step))
            return [found for block in blocks for found in _best(block, rows, ids, k)]

    def _require_dimension(self, vectors: Float) -> None:
        dim = self._matrix.shape[1]
        if self._ids and vectors.shape[1] != dim:
            raise ConfigError(
                f"vectors have {vectors.shape[1]} dimensions, the index has {dim}",
                "use one encoder for items and queries",
            )

    def _grow(self, rows: int, dim: int) -> None:
        """Make room for ``rows`` rows, doubling so that n additions copy O(n) rows in all."""
        if self._ids and rows <= len(self._matrix):
            return
        grown = np.empty((max(rows, 2 * len(self._ids)), dim), dtype=np.float32)
        if self._ids:
            grown[: len(self._ids)] = self._matrix[: len(self._ids)]
        self._matrix = grown


def _best(queries: Float, rows: Float, ids: list[str], k: int) -> list[list[tuple[str, float]]]:
    rough = queries @ rows.T
    cut = max(len(ids) - k, 0)
    floors = np.partition(rough, cut, axis=1)[:, cut] - _SLACK
    found = []
    for query, scores, floor in zip(queries, rough, floors, strict=True):
        short = np.flatnonzero(scores >= floor)
        exact = np.einsum("ij,j->i", rows[short], query, dtype=np.float64)
        pairs = zip([ids[row] for row in short], exact.round(DECIMALS).tolist(), strict=True)
        found.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:k])
    return found


def _unit_rows(vectors: Float) -> Float:
    """Scale rows to length 1 (zero rows stay zero)."""
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
    unit: Float = matrix / lengths[:, None]
    return unit
