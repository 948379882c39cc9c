"""All that is known about the catalog's items, in arrays that follow its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog import Catalog
from coldstart.priors import Counts, popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Encoder, Float

    Floats = NDArray[np.float64]

NEIGHBOURS = 20
BORROWED = 0.5
"""How far an item nobody has met yet follows its neighbours' lifts and co-occurrence."""
OPTIMISM = 0.9
"""Quantile of its neighbours' popularity that such an item is given: it might be that good."""


class ItemKnowledge:
    """Content vectors and counts of every catalog item, in catalog row order.

    An item without counts (added after training) borrows from its 20 nearest items by content:
    half of their similarity-weighted mean lifts and co-occurrence, and the 90 % quantile of their
    popularity and of the language model's opinion. It is so tried before anyone has met it
    (optimism in the face of uncertainty).

    Args:
        catalog: followed by ``sync``.
        counts: of the training users.
        encoder: turns item content into vectors.
    """

    def __init__(self, catalog: Catalog, counts: Counts, encoder: Encoder) -> None:
        self.catalog, self.counts, self.encoder = catalog, counts, encoder
        self._version = -1
        self._vectors: dict[str, tuple[str, Float]] = {}

    def sync(self) -> None:
        """Catch up with the catalog; only new or changed items are encoded."""
        if self._version == self.catalog.version:
            return
        self._encode()
        self.ids = self.catalog.ids
        self.rows = self.catalog.rows
        self.content: Float = (
            np.stack([self._vectors[i][1] for i in self.ids])
            if self.ids
            else np.zeros((0, 1), dtype=np.float32)
        )
        self.met = np.array([i in self.counts.column for i in self.ids], dtype=bool)
        self.borrow = self._borrow()
        self.share: Floats = self.optimistic(popularity(self.counts))
        self.likes: Floats = self.share * self.counts.n_users
        self._categories()
        self._version = self.catalog.version

    def spread(self, values: Floats) -> Floats:
        """Values of the counted items, shape (I,), as values of the catalog's rows, shape (N,)."""
        return np.asarray(self.borrow @ values)

    def optimistic(self, values: Floats) -> Floats:
        """Like ``spread``, but an item nobody has met gets the 90 % quantile of its neighbours'."""
        out = self.spread(values)
        for row in np.flatnonzero(~self.met):
            neighbours = self.borrow[[row]].indices
            if len(neighbours):
                out[row] = np.quantile(values[neighbours], OPTIMISM)
        return out

    def _encode(self) -> None:
        from coldstart.encoding.encoders import encode_items

        texts = {item.item_id: item.content_text() for item in self.catalog}
        new = [i for i, text in texts.items() if self._vectors.get(i, ("",))[0] != text]
        vectors = encode_items(self.encoder, [texts[i] for i in new]) if new else np.zeros((0, 1))
        for item_id in self._vectors.keys() - texts.keys():
            del self._vectors[item_id]
        for item_id, vector in zip(new, vectors, strict=True):
            self._vectors[item_id] = (texts[item_id], vector)

    def _borrow(self) -> sparse.csr_array:
        """Catalog rows × counted columns: 1 for a counted item, shares of neighbours for others."""
        column = self.counts.column
        known = np.array([r for r, i in enumerate(self.ids) if i in column], dtype=int)
        own = np.array([column[self.ids[r]] for r in known], dtype=int)
        rows, cols, data = [known], [own], [np.ones(len(known))]
        strangers = [r for r, i in enumerate(self.ids) if i not in column]
        if strangers and len(known):
            n = min(NEIGHBOURS, len(known))
            closeness = self.content[strangers] @ self.content[known].T
            for r, row in zip(strangers, closeness, strict=True):
                near = np.argsort(-row, kind="stable")[:n]
                weight = np.maximum(row[near], 0) ** 4 + 1e-9
                rows.append(np.full(n, r))
                cols.append(own[near])
                data.append(BORROWED * weight / weight.sum())
        shape = (len(self.ids), len(self.counts.item_ids))
        index = (np.concatenate(rows), np.concatenate(cols))
        return sparse.csr_array((np.concatenate(data), index), shape=shape)

    def _categories(self) -> None:
        names = sorted({c.casefold() for item in self.catalog for c in item.categories})
        self.category_column = {name: n for n, name in enumerate(names)}
        self.has_category = np.zeros((len(self.ids), len(names)), dtype=bool)
        for row, item in enumerate(self.catalog):
            self.has_category[
                row, [self.category_column[c.casefold()] for c in item.categories]
            ] = True
        # Unit rows: an item of many categories is no closer to everything than one of few.
        size = np.sqrt(self.has_category.sum(axis=1, keepdims=True))
        self.kinds: Floats = self.has_category / np.maximum(size, 1.0)
        weight = self.share.sum()
        self.usual_kinds: Floats = self.share @ self.kinds / (weight if weight > 0 else 1.0)
        years = [item.year for item in self.catalog]
        dated = [y for y in years if y is not None]
        usual = float(np.median(dated)) if dated else 0.0
        self.year: Floats = np.array([usual if y is None else float(y) for y in years])
