"""All that is known about the catalog's items, in arrays that follow its changes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog import Catalog
from coldstart.priors import FLOOR, Counts, late_lift, popularity
from coldstart.resemblance import attribute_values, relatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Encoder, Float

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_HEARD = 16  # texts
_SAMPLE = 20_000  # items
_COMPARED = 1 << 24  # pairs of items at once
NEIGHBOURS = 20
HOPE = 0.8
"""Quantile of its neighbours' lifts and co-occurrence that an item nobody has met is given."""
OPTIMISM = 0.9
"""Quantile of their popularity, and of the language model's opinion of them: it might be that good.
"""


class ItemKnowledge:
    """Content vectors and counts of every catalog item, in catalog row order.

    An item without counts (added after training) borrows from its 20 nearest items by content: the
    90 % quantile of their popularity and of the language model's opinion, the 80 % quantile of
    their lifts and co-occurrence. It is so tried before anyone has met it (optimism in the face of
    uncertainty).

    Args:
        catalog: followed by ``sync``.
        counts: of the training users.
        encoder: turns item content into vectors.
        like: knowledge of the same catalog with other counts, whose content is taken over.
    """

    def __init__(
        self,
        catalog: Catalog,
        counts: Counts,
        encoder: Encoder,
        like: ItemKnowledge | None = None,
    ) -> None:
        self.catalog, self.counts, self.encoder, self._like = catalog, counts, encoder, like
        self._version = -1
        self._vectors: dict[str, tuple[str, Float]] = dict(like._vectors) if like else {}
        self._heard: dict[str, Float] = {}

    def sync(self) -> None:
        """Catch up with the catalog; only new or changed items are encoded."""
        if self._version == self.catalog.version:
            return
        self._encode()
        self.ids = self.catalog.ids
        self.rows = self.catalog.rows
        self.items = self.catalog.items
        #: Rows of the catalog that these are.
        self.where: Ints = np.arange(len(self.ids))
        self.content: Float = np.zeros((0, 1), dtype=np.float32)
        if self.ids:
            self.content = np.stack([self._vectors[i][1] for i in self.ids])
            rows = zip(self.ids, self.content, strict=True)  # the only copy of the vectors
            self._vectors = {i: (self._vectors[i][0], vector) for i, vector in rows}
        self.met = np.array([i in self.counts.column for i in self.ids], dtype=bool)
        self._find_neighbours()
        #: Content of items that stand for the catalog, for what is usual in it.
        self.sample = self.content
        if len(self.ids) > _SAMPLE:
            chosen = np.random.default_rng(0).permutation(len(self.ids))[:_SAMPLE]
            self.sample = self.content[np.sort(chosen)]
        self._alike: sparse.csr_array | None = None
        self.share: Floats = self.optimistic(popularity(self.counts))
        self.likes: Floats = self.share * self.counts.n_users
        self.popularity: Floats = np.log(self.share + FLOOR)
        self.late = self.spread(late_lift(self.counts))
        self._categories()
        self._version = self.catalog.version

    @property
    def version(self) -> int:
        """That of the catalog when ``sync`` last ran."""
        return self._version

    def part(self, rows: Ints, picks: Sequence[str]) -> ItemKnowledge:
        """What is known of some items, as if they were the catalog.

        Each item's numbers are the same as in the whole; see ``Counts.part`` about pairs.

        Args:
            rows: of the catalog, ascending, each once.
            picks: liked and disliked items, whose pairs with others are needed.
        """
        out = copy(self)
        out.where = rows
        out.ids = tuple(self.ids[r] for r in rows)
        out.rows = {item: n for n, item in enumerate(out.ids)}
        out.items = tuple(self.items[r] for r in rows)
        out.met = self.met[rows]
        names = ("content", "share", "likes", "popularity", "late", "has_category", "kinds")
        for name in (*names, "usual", "attributes", "year"):
            setattr(out, name, getattr(self, name)[rows])
        near = self.near[np.cumsum(~self.met)[rows[~out.met]] - 1]
        columns = np.unique(np.concatenate([self.columns[rows[out.met]], near.ravel()]))
        out.counts = self.counts.part(columns, picks)
        out.near = np.searchsorted(columns, near)
        out._own = np.searchsorted(columns, self.columns[rows[out.met]])
        out.columns = np.where(out.met, 0, -1)
        out.columns[out.met] = out._own
        out._alike = sparse.csr_array((len(rows), len(rows)))
        return out

    def vector_of(self, text: str) -> Float:
        """Unit vector of a text, shape (dim,); the last few are remembered."""
        if text not in self._heard:
            while len(self._heard) >= _HEARD:
                self._heard.pop(next(iter(self._heard)), None)
            self._heard[text] = self.encoder.encode([text])[0]
        return self._heard[text]

    @property
    def alike(self) -> sparse.csr_array:
        """``relatives`` of the items, shape (N, N); computed when first asked for."""
        if self._alike is None:
            same = self._like is not None and self._like._version == self._version
            self._alike = self._like.alike if self._like and same else relatives(self.content)
        return self._alike

    def spread(self, values: Floats, quantile: float = HOPE) -> Floats:
        """Values of the counted items as values of the catalog's rows.

        Args:
            values: shape (I,), in the order of ``counts.item_ids``.
            quantile: of its neighbours' values, for an item that nobody has met.

        Returns:
            Shape (N,).
        """
        out = np.zeros(len(self.ids))
        out[self.met] = values[self._own]
        if self.near.size:
            out[~self.met] = np.quantile(values[self.near], quantile, axis=1)
        return out

    def optimistic(self, values: Floats) -> Floats:
        """Like ``spread``, at the 90 % quantile."""
        return self.spread(values, OPTIMISM)

    def _encode(self) -> None:
        from coldstart.encoding.encoders import encode_items

        changed, gone = self.catalog.changes_since(max(0, self._version))
        texts = {i: self.catalog[i].content_text() for i in self.catalog.ids if i in changed}
        new = [i for i, text in texts.items() if self._vectors.get(i, ("",))[0] != text]
        vectors = encode_items(self.encoder, [texts[i] for i in new]) if new else np.zeros((0, 1))
        for item_id in gone:
            self._vectors.pop(item_id, None)
        for item_id, vector in zip(new, vectors, strict=True):
            self._vectors[item_id] = (texts[item_id], vector)

    def _find_neighbours(self) -> None:
        column = self.counts.column
        #: Column of each item in the counts, −1 for those nobody has met, shape (N,).
        self.columns = np.array([column.get(i, -1) for i in self.ids], dtype=np.int64)
        self._own = self.columns[self.met]
        #: Row of each counted item, −1 for those the catalog has no more, shape (I,).
        self.rows_of_columns = np.full(len(self.counts.item_ids), -1)
        self.rows_of_columns[self._own] = np.flatnonzero(self.met)
        #: Columns of the counted items nearest to those that nobody has met, shape (U, ≤ 20).
        self.near = self._own[_nearest(self.content[~self.met], self.content[self.met])]

    def _categories(self) -> None:
        kinds: dict[tuple[str, ...], int] = {}  # few items have categories that no other has
        kind_of = [kinds.setdefault(item.categories, len(kinds)) for item in self.items]
        names = sorted({c.casefold() for categories in kinds for c in categories})
        self.category_column = {name: n for n, name in enumerate(names)}
        has = np.zeros((len(kinds), len(names)), dtype=bool)
        for categories, kind in kinds.items():
            has[kind, [self.category_column[c.casefold()] for c in categories]] = True
        self.has_category = has[kind_of] if kinds else has
        # Unit rows: an item of many categories is no closer to everything than one of few.
        size = np.sqrt(self.has_category.sum(axis=1, keepdims=True))
        self.kinds: Floats = self.has_category / np.maximum(size, 1.0)
        weight = self.share.sum()
        self.usual_kinds: Floats = self.share @ self.kinds / (weight if weight > 0 else 1.0)
        self.usual: Floats = self.kinds @ self.usual_kinds
        self.attributes = attribute_values([item.attributes for item in self.catalog])
        years = [item.year for item in self.catalog]
        dated = [y for y in years if y is not None]
        usual = float(np.median(dated)) if dated else 0.0
        self.year: Floats = np.array([usual if y is None else float(y) for y in years])


def _nearest(new: Float, known: Float) -> Ints:
    """Numbers of the rows nearest to each new one, nearest first, shape (U, ≤ 20)."""
    n = min(NEIGHBOURS, len(known))
    out = np.empty((len(new), n), dtype=np.int64)
    step = max(1, _COMPARED // max(1, len(known)))
    for at in range(0, len(new) if n else 0, step):
        far = -(new[at : at + step] @ known.T)
        some = np.sort(np.argpartition(far, n - 1, axis=1)[:, :n], axis=1)
        order = np.argsort(np.take_along_axis(far, some, axis=1), axis=1, kind="stable")
        out[at : at + step] = np.take_along_axis(some, order, axis=1)
    return out
