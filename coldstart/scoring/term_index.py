"""BM25 over the items' own words, in an index that follows the catalog."""

from __future__ import annotations

import threading
import weakref
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
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

_K1, _B = 1.5, 0.75  # the usual ones, as in Lucene and bm25s
_BLOCK = 10_000  # texts counted at once
_MOST = np.iinfo(np.uint16).max  # of one term in one item


@dataclass(frozen=True)
class TermIndex:
    """Term counts of every item of one catalog version.

    The package bm25s computes the same scores from an index that cannot change: after each new
    item it would be built afresh, which takes seconds for 100,000 items.

    Args:
        rows: row of each item.
        version: of the catalog.
        columns: column of each term; grows with the catalog.
        counts: how often each item has each term, at most 65,535, shape (N, terms).
    """

    rows: Mapping[str, int]
    version: int
    columns: dict[str, int]
    counts: sparse.csc_array

    @cached_property
    def lengths(self) -> Floats:
        """Number of terms of each item, shape (N,)."""
        lengths = np.bincount(self.counts.indices, self.counts.data, self.counts.shape[0])
        return lengths.astype(np.float64)

    def scores(self, wanted: Sequence[str], typical: NDArray[np.bool_] | None = None) -> Floats:
        """BM25 of every item, shape (N,): Σ over different terms of idf · tf / (tf + usual).

        With the inverse document frequency ``log(1 + (N − n + ½) / (n + ½))`` of a term that n of N
        items have, and ``usual = k₁ (1 − b + b · length / mean length)``.

        Args:
            wanted: terms of the query.
            typical: items from which N, n and the mean length are taken, shape (N,); ``None``: all.
        """
        matrix, lengths = self.counts, self.lengths
        out = np.zeros(len(self.rows))
        if typical is None:
            typical = np.ones(len(out), dtype=np.bool_)
        n, some = int(typical.sum()), lengths[typical]
        usual = _K1 * (1 - _B + _B * lengths / max(some.mean() if n else 0.0, 1e-9))
        for term in sorted(set(wanted) & self.columns.keys()):
            column = self.columns[term]
            here = slice(*matrix.indptr[column : column + 2].tolist())
            rows, times = matrix.indices[here], matrix.data[here].astype(np.float64)
            having = int(typical[rows].sum())
            idf = np.log(1 + (n - having + 0.5) / (having + 0.5))
            out[rows] += idf * times / (times + usual[rows])
        return out

    def followed(self, catalog: Catalog, terms_of: Callable[[Item], Sequence[str]]) -> TermIndex:
        """The index of the catalog's present version; only new and changed items are read."""
        version, items, now = catalog.version, catalog.items, dict(catalog.rows)
        changed, gone = catalog.changes_since(self.version)
        carry = RowSync(self.rows, now, changed, gone)
        columns = _Columns(self.columns)
        fresh = _counted((terms_of(items[row]) for row in carry.fresh), columns)
        if len(carry.fresh) == len(now):
            return TermIndex(now, version, dict(columns), fresh.tocsc())
        before = self.counts.tocsr()
        before.resize((len(self.rows), len(columns)))
        places = np.arange(len(self.rows) + len(carry.fresh))
        order = carry.of(places[: len(self.rows)], places[len(self.rows) :])
        stacked = sparse.vstack([before, fresh], format="csr")
        return TermIndex(now, version, dict(columns), stacked[order].tocsc())


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
    return TermIndex({}, 0, {}, sparse.csc_array((0, 0)))


class _Columns(dict[str, int]):
    """Column of each term; a new term gets the next one."""

    def __missing__(self, term: str) -> int:
        self[term] = column = len(self)
        return column


def _counted(texts: Iterable[Sequence[str]], columns: _Columns) -> sparse.csr_array:
    """Term counts by text, in six bytes per text and term."""
    blocks = []
    texts = iter(texts)
    while block := list(islice(texts, _BLOCK)):
        places = array("i", map(columns.__getitem__, chain.from_iterable(block)))
        starts = np.cumsum([0, *map(len, block)], dtype=np.int32)
        times = np.ones(len(places), dtype=np.float32)
        shape = (len(block), len(columns))
        counts = sparse.csr_array((times, np.frombuffer(places, np.int32), starts), shape=shape)
        counts.sum_duplicates()
        counts.data = np.minimum(counts.data, _MOST).astype(np.uint16)
        blocks.append(counts)
    if not blocks:
        return sparse.csr_array((0, len(columns)), dtype=np.uint16)
    for counts in blocks:
        counts.resize((counts.shape[0], len(columns)))
    return sparse.vstack(blocks, format="csr")
