"""Approximate nearest neighbours in memory: an inverted file of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.grounding.index.clusters import learn_centres, nearest_centre
from coldstart.grounding.index.exact import ExactIndex, unit_rows
from coldstart.grounding.index.row_scoring import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.grounding.index.row_scoring import Piece
    from coldstart.protocols import Float

    Ints = NDArray[np.int64]

_PER_ROOT = 4  # clusters per square root of the number of rows
_ADJACENT = 2  # so many times more rows are scored without a filter, as they are contiguous
_PAYS = 2  # clusters pay off if at most one row in so many has to be scored
_LOOSE = 0.02  # rows are re-ordered when more than this share is outside its cluster


class ApproximateIndex(ExactIndex):
    """``ExactIndex`` with cluster pruning for large searches.

    Searches of few rows (a small index or a narrow filter) are exact. Others score the allowed rows
    of the clusters nearest to the query until enough are scored: the narrower the filter, the more
    clusters, so that recall does not suffer, and k pairs are returned whenever k rows are allowed.
    Cosines are exact, and updates are visible at once: changed rows are scored for every query
    until they are assigned to a cluster.

    Rows are stored in cluster order (an inverted file without a copy: Sivic and Zisserman, "Video
    Google", 2003), by the first large search and again after 2 % of the rows changed; see
    ``arrange``.

    Args:
        scan: fewest rows scored per search, twice as many without a filter; searches of up to twice
            that many are exact; at least 1.
        share: smallest share of the allowed rows to score, in (0, 1]; 1 is exact.

    Raises:
        ConfigError: an option is out of range.

    >>> import numpy as np
    >>> index = ApproximateIndex()
    >>> index.set(["a", "b"], np.eye(2, dtype=np.float32))
    >>> index.search(np.array([[3, 4]], dtype=np.float32), k=1)
    [[('b', 0.8)]]
    """

    def __init__(self, scan: int = 32_768, share: float = 0.06) -> None:
        if scan < 1:
            raise ConfigError(f"scan is {scan}, expected at least 1")
        if not 0 < share <= 1:
            raise ConfigError(f"share is {share}, expected a number in (0, 1]")
        super().__init__()
        self.scan, self.share = scan, share
        self._centres = self._directions = np.empty((0, 0), dtype=np.float32)
        self._starts = np.zeros(1, dtype=np.int64)  # cluster c has rows _starts[c]:_starts[c + 1]
        self._strays: set[int] = set()  # rows among them whose vector has changed since
        self._sorted: Ints | None = None  # the same, ascending
        self._learned_from = self._changes = 0  # rows then, and changes since

    def arrange(self) -> None:
        """Order rows by cluster now, if the next search would have to.

        For a million rows the first call, and calls after as many changes as half the rows, take
        about a minute on one core, in which searches wait; others take seconds.
        """
        with self._lock:
            if len(self._ids) > self.scan * _ADJACENT * _PAYS:
                self._arrange()

    @property
    def nbytes(self) -> int:
        """Memory of vectors and clusters without ids, bytes."""
        return super().nbytes + 2 * self._centres.nbytes + self._starts.nbytes

    def _find(
        self, queries: Float, k: int, allowed: Sequence[str] | None
    ) -> list[list[tuple[str, float]]]:
        rows = self._rows_of(allowed)
        total = len(self._ids) if rows is None else len(rows)
        enough = max(self.scan if rows is not None else self.scan * _ADJACENT, k)
        if total <= enough * _PAYS:
            return self._score(queries, k, rows)
        if self._arrange():
            rows = self._rows_of(allowed)  # they have moved
        enough = max(enough, int(np.ceil(self.share * total)))
        strays = self._strays_among(rows)
        bounds = self._starts if rows is None else np.searchsorted(rows, self._starts)
        found = []
        for query in queries:
            near = self._near(query, bounds, rows, strays, enough)
            found += nearest(self._matrix, near, query[None], k, self._ids)
        return found

    def _near(
        self, query: Float, bounds: Ints, rows: Ints | None, strays: Ints, enough: int
    ) -> list[Piece]:
        """Rows of the nearest clusters with ``enough`` rows together, and all unclustered rows.

        Args:
            query: one unit row.
            bounds: starts of clusters, and end of the last, among ``rows`` if given.
            rows: allowed rows.
            strays: allowed rows with vectors that changed after clustering.
            enough: number of rows.
        """
        order = np.argsort(-(self._directions @ query), kind="stable")
        held = np.diff(bounds)[order].cumsum()
        chosen = np.sort(order[: np.searchsorted(held, enough) + 1])
        slices = _runs(bounds[chosen], bounds[chosen + 1])
        left = np.searchsorted(self._starts, strays, side="right") - 1  # the clusters they were in
        elsewhere = strays[~np.isin(left, chosen)]
        tail = slice(bounds[-1], len(self._ids) if rows is None else len(rows))
        if rows is None:
            return [*slices, elsewhere, tail]
        return [np.concatenate([*(rows[s] for s in slices), elsewhere, rows[tail]])]

    def _strays_among(self, rows: Ints | None) -> Ints:
        if self._sorted is None:
            self._sorted = np.array(sorted(self._strays), dtype=np.int64)
        if rows is None:
            return self._sorted
        at = np.searchsorted(rows, self._sorted).clip(max=len(rows) - 1)
        among: Ints = self._sorted[rows[at] == self._sorted]
        return among

    def _changed(self, rows: Ints) -> None:
        was, end = int(self._starts[-1]), min(int(self._starts[-1]), len(self._ids))
        if end < was:
            self._starts = np.minimum(self._starts, end)
            self._strays.difference_update(range(end, was))
        self._strays.update(rows[rows < end].tolist())
        self._sorted = None

    def _arrange(self) -> bool:
        """Order rows by cluster if too many are unclustered; return whether rows moved."""
        n, end = len(self._ids), int(self._starts[-1])
        loose = np.concatenate([self._strays_among(None), np.arange(end, n)])
        if len(loose) <= n * _LOOSE:
            return False
        matrix = self._matrix[:n]
        centres, changes = self._centres, self._changes + len(loose)
        learned_from = self._learned_from
        if changes > learned_from // 2 or centres.shape[1] != matrix.shape[1]:
            centres = learn_centres(matrix, min(n, int(_PER_ROOT * n**0.5)))
            cluster, changes, learned_from = nearest_centre(matrix, centres), 0, n
        else:
            kept = np.repeat(np.arange(len(centres)), np.diff(self._starts))
            cluster = np.concatenate([kept, np.zeros(n - end, dtype=np.int64)])
            cluster[loose] = nearest_centre(matrix[loose], centres)
        self._reorder(np.argsort(cluster, kind="stable"))
        sizes = np.bincount(cluster, minlength=len(centres))
        self._starts = np.concatenate([[0], sizes.cumsum()])
        self._centres, self._directions = centres, unit_rows(centres)
        self._strays, self._sorted = set(), None
        self._changes, self._learned_from = changes, learned_from
        return True


def _runs(starts: Ints, ends: Ints) -> list[slice]:
    """Merge adjacent ranges."""
    gaps = starts[1:] != ends[:-1]
    firsts, lasts = starts[np.append(True, gaps)], ends[np.append(gaps, True)]
    return [slice(*pair) for pair in zip(firsts.tolist(), lasts.tolist(), strict=True)]
