"""BM25 over the items' own words, in an index that follows the catalog."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog.row_sync import RowSync

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.catalog.item_store import ItemStore
    from coldstart.schema import Item

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_K1, _B = 1.5, 0.75  # the usual ones, as in Lucene and bm25s


@dataclass(frozen=True)
class TermIndex:
    """Term counts of every item of one catalog version.

    The package bm25s computes the same scores from an index that cannot change: after each new
    item it would be built afresh, which takes seconds for 100,000 items.

    Args:
        rows: row of each item.
        version: of the catalog.
        columns: column of each term; grows with the catalog.
        counts: how often each item has each term, shape (N, terms).
    """

    rows: Mapping[str, int]
    version: int
    columns: dict[str, int]
    counts: sparse.csr_array

    @cached_property
    def by_term(self) -> sparse.csc_array:
        """``counts`` by column."""
        return self.counts.tocsc()

    @cached_property
    def lengths(self) -> Floats:
        """Number of terms of each item, shape (N,)."""
        return np.asarray(self.counts.sum(axis=1)).ravel()

    def scores(self, wanted: Sequence[str], typical: NDArray[np.bool_] | None = None) -> Floats:
        """BM25 of every item, shape (N,): Σ over different terms of idf · tf / (tf + usual).

        With the inverse document frequency ``log(1 + (N − n + ½) / (n + ½))`` of a term that n of N
        items have, and ``usual = k₁ (1 − b + b · length / mean length)``.

        Args:
            wanted: terms of the query.
            typical: items from which N, n and the mean length are taken, shape (N,); ``None``: all.
        """
        matrix, lengths = self.by_term, self.lengths
        out = np.zeros(len(self.rows))
        if typical is None:
            typical = np.ones(len(out), dtype=np.bool_)
        n, some = int(typical.sum()), lengths[typical]
        usual = _K1 * (1 - _B + _B * lengths / max(some.mean() if n else 0.0, 1e-9))
        for term in sorted(set(wanted) & self.columns.keys()):
            column = self.columns[term]
            here = slice(*matrix.indptr[column : column + 2].tolist())
            rows, times = matrix.indices[here], matrix.data[here]
            having = int(typical[rows].sum())
            idf = np.log(1 + (n - having + 0.5) / (having + 0.5))
            out[rows] += idf * times / (times + usual[rows])
        return out

    def followed(self, catalog: Catalog, terms_of: Callable[[Item], Sequence[str]]) -> TermIndex:
        """The index of the catalog's present version; only new and changed items are read."""
        version, items, now = catalog.version, catalog.items, dict(catalog.rows)
        changed, gone = catalog.changes_since(self.version)
        carry = RowSync(self.rows, now, changed, gone)
        columns = dict(self.columns)
        fresh = _counted([terms_of(items[row]) for row in carry.fresh], columns)
        before = self.counts.copy()
        before.resize((len(self.rows), len(columns)))
        places = np.arange(len(self.rows) + len(carry.fresh))
        order = carry.of(places[: len(self.rows)], places[len(self.rows) :])
        stacked = sparse.vstack([before, fresh], format="csr")
        return TermIndex(now, version, columns, sparse.csr_array(stacked[order]))


class TermIndexes:
    """The index of the latest catalog that was searched; thread-safe.

    Args:
        terms_of: the terms of an item, with repeats.
    """

    def __init__(self, terms_of: Callable[[Item], Sequence[str]]) -> None:
        self._terms_of, self._lock = terms_of, threading.Lock()
        self._catalog: weakref.ref[Catalog] | None = None
        self._index = _nothing()

    def of(self, catalog: Catalog) -> TermIndex:
        """The index of a catalog as it is now; made, or updated, when it is first needed."""
        with self._lock:
            if self._catalog is None or self._catalog() is not catalog:
                self._catalog, self._index = weakref.ref(catalog), _nothing()
            if self._index.version != catalog.version:
                self._index = self._index.followed(catalog, self._terms_of)
            return self._index


def scores_of(index: TermIndex, items: ItemStore, wanted: Sequence[str]) -> Floats:
    """BM25 of the items of a store, or a part of one, shape (N,); zero for items not indexed."""
    if items.version == index.version:
        return np.asarray(index.scores(wanted, items.typical)[items.where])
    values = index.scores(wanted)
    rows = np.array([index.rows.get(item, -1) for item in items.ids], dtype=np.int64)
    return np.where(rows < 0, 0.0, values[rows])


def _nothing() -> TermIndex:
    return TermIndex({}, 0, {}, sparse.csr_array((0, 0)))


def _counted(texts: Sequence[Sequence[str]], columns: dict[str, int]) -> sparse.csr_array:
    """Term counts by text; terms that are new get the next columns."""
    counters = [Counter(text) for text in texts]
    indices = [columns.setdefault(t, len(columns)) for counter in counters for t in counter]
    data = np.array([n for counter in counters for n in counter.values()], dtype=np.float32)
    starts = np.cumsum([0, *map(len, counters)])
    shape = (len(texts), len(columns))
    return sparse.csr_array((data, np.array(indices, dtype=np.int64), starts), shape=shape)
