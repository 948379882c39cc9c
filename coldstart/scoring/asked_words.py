"""Words of recorded requests, as hashes without order, and BM25 over them."""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST = 3
"""Requests that a word must be in to be kept: rarer ones tell more of a person than of a wish."""


@dataclass(frozen=True)
class AskedWords:
    """Which of the frequent terms each request has.

    No text is kept: terms as 32-bit hashes, sorted within a request, rare ones left out. Common
    words can be found again by hashing a dictionary; what a person wrote cannot.

    Args:
        hashes: of the V terms, ascending, shape (V,).
        has: 1 where a request has a term, shape (R, V).
    """

    hashes: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.uint32))
    has: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0)))

    @classmethod
    def of(cls, requests: Sequence[Sequence[str]]) -> AskedWords:
        """Keep the terms of some requests."""
        hashed = [sorted({_hash(term) for term in request}) for request in requests]
        often = Counter(h for request in hashed for h in request)
        hashes = sorted(h for h, times in often.items() if times >= LEAST)
        column = {h: n for n, h in enumerate(hashes)}
        kept = [[column[h] for h in request if h in column] for request in hashed]
        columns = np.array([c for request in kept for c in request], dtype=np.int64)
        cells = np.ones(len(columns)), columns, np.cumsum([0, *map(len, kept)])
        has = sparse.csr_array(cells, shape=(len(requests), len(hashes)))
        return cls(np.array(hashes, dtype=np.uint32), has)

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of every request for some terms, shape (R,)."""
        wanted = sorted({self._column[h] for t in terms if (h := _hash(t)) in self._column})
        if not wanted:
            return np.zeros(self.has.shape[0])
        return np.asarray(self._index.get_scores_from_ids(wanted), dtype=np.float64)

    @cached_property
    def _column(self) -> dict[int, int]:
        return {h: n for n, h in enumerate(self.hashes.tolist())}

    @cached_property
    def _index(self) -> Any:
        from bm25s import BM25

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # its own is DEBUG
        starts, columns = self.has.indptr.tolist(), self.has.indices.tolist()
        texts = [columns[a:b] for a, b in zip(starts, starts[1:], strict=False)]
        index = BM25(backend="numpy", csc_backend="scipy")
        vocabulary = {n: n for n in range(len(self.hashes))}
        index.index((texts, vocabulary), create_empty_token=False, show_progress=False)
        return index


def _hash(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))
