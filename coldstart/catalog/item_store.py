"""All that is known about the catalog's items, in arrays that follow its changes."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.id_set import IdSet
from coldstart.catalog.item_similarity import attribute_values, relatives
from coldstart.catalog.row_sync import Growing, RowSync
from coldstart.interactions.interaction_stats import FLOOR, Counts, late_lift, popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Encoder, Float
    from coldstart.schema import Item

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_HEARD = 16  # texts
_SAMPLE = 20_000  # items
_COMPARED = 1 << 24  # pairs of items at once
_FEW = 16  # items
NEIGHBOURS = 20
HOPE = 0.8
"""Quantile of its neighbours' lifts and co-occurrence that an item nobody has met is given."""
OPTIMISM = 0.9
"""Quantile of their popularity, and of the language model's opinion of them: it might be that good.
"""


class ItemStore:
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
        like: ItemStore | None = None,
    ) -> None:
        self.catalog, self.counts, self.encoder, self._like = catalog, counts, encoder, like
        self._version, self._lock = -1, threading.RLock()
        self._whole = False  # whether all is of one version: an interrupted ``sync`` starts afresh
        self._heard: dict[str, Float] = {}
        self.ids: tuple[str, ...] = ()
        self.rows: dict[str, int] = {}
        self._all_rows = self.rows  # those of the catalog, in a part as well
        self.items: tuple[Item, ...] = ()
        self.content: Float = np.zeros((0, 1), dtype=np.float32)
        self._growing = Growing()  # of the content: a million items have a gigabyte and a half
        #: Column of each item in the counts, −1 for those nobody has met, shape (N,).
        self.columns: Ints = np.zeros(0, dtype=np.int64)
        #: Columns of the counted items nearest to those that nobody has met, shape (U, ≤ 20).
        self.near: Ints = np.zeros((0, 0), dtype=np.int64)
        #: Year of each item, NaN where it is not known, shape (N,).
        self.dated: Floats = np.zeros(0)
        #: See ``attribute_values``, shape (N, V).
        self.attributes = sparse.csr_array((0, 0))
        self._kinds: list[tuple[str, ...]] = []  # categories that an item has, each once
        self._kind_of: Ints = np.zeros(0, dtype=np.int64)

    def sync(self) -> None:
        """Catch up with the catalog; only new or changed items are encoded and looked at."""
        if self._version == self.catalog.version:
            return
        with self._lock:
            if self._version != self.catalog.version:
                self._follow()

    def _follow(self) -> None:
        changed, gone = self.catalog.changes_since(self._version if self._whole else 0)
        carry = RowSync(self.rows if self._whole else {}, self.catalog.rows, changed, gone)
        fresh = [self.catalog.items[row] for row in carry.fresh]
        content = self._growing.of(carry, self.content, self._encoded(fresh))
        self._whole = False
        self.ids, self.rows, self.items = self.catalog.ids, self.catalog.rows, self.catalog.items
        self.content = content
        self._all_rows = self.rows
        #: Rows of the catalog that these are.
        self.where: Ints = np.arange(len(self.ids))
        self._find_neighbours(carry, fresh)
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
        self._categories(carry, fresh)
        self._version, self._whole = self.catalog.version, True

    @property
    def version(self) -> int:
        """That of the catalog when ``sync`` last ran."""
        return self._version

    def part(self, rows: Ints, picks: Sequence[str]) -> ItemStore:
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
        for name in (*names, "usual", "attributes", "dated", "year"):
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

    def of_rows(self, mask: NDArray[np.bool_]) -> IdSet:
        """Ids of the items where a mask, shape (N,), is true; the whole catalog's only."""
        return IdSet(self.ids, self.rows, mask)

    def rows_of(self, ids: Collection[str]) -> Ints:
        """Rows of those ids that are here, in any order."""
        if isinstance(ids, IdSet) and ids.rows is self._all_rows:
            return np.flatnonzero(ids.mask[self.where])
        return np.array([self.rows[i] for i in ids if i in self.rows], dtype=np.int64)

    def rows_in_order(self, ids: Iterable[str]) -> list[int]:
        """Rows of those ids that are here, in the order given."""
        return [self.rows[i] for i in ids if i in self.rows]

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

    def _encoded(self, items: Sequence[Item]) -> Float:
        """Content of items, shape (len(items), dim); that of an earlier version where it is equal.

        Nothing of this version may be in place yet.
        """
        from coldstart.encoding.encoders import encode_items

        known = self._like if self._like is not None and self._version < 0 else self
        texts = [item.content_text() for item in items]
        old = [known.rows.get(item.item_id, -1) for item in items]
        same = np.array(
            [
                row >= 0 and known.items[row].content_text() == t
                for row, t in zip(old, texts, strict=True)
            ],
            dtype=bool,
        )
        new = [text for text, is_same in zip(texts, same, strict=True) if not is_same]
        vectors = encode_items(self.encoder, new) if new else known.content[:0]
        if len(new) == len(texts):
            return vectors
        out = np.empty((len(texts), known.content.shape[1]), dtype=known.content.dtype)
        out[same], out[~same] = known.content[np.array(old)[same]], vectors
        return out

    def _find_neighbours(self, carry: RowSync, fresh: Sequence[Item]) -> None:
        column = self.counts.column
        new = np.array([column.get(item.item_id, -1) for item in fresh], dtype=np.int64)
        before, self.columns = self.columns, carry.of(self.columns, new)
        self.met = self.columns >= 0
        self._own = self.columns[self.met]
        #: Row of each counted item, −1 for those the catalog has no more, shape (I,).
        self.rows_of_columns = np.full(len(self.counts.item_ids), -1)
        self.rows_of_columns[self._own] = np.flatnonzero(self.met)
        # Where no counted item has changed, strangers that have not keep their neighbours.
        all_anew = (
            len(carry.fresh) == len(self.ids)
            or self.met[carry.fresh].any()
            or (before[~carry.kept] >= 0).any()
        )
        asked = np.full(len(self.ids), all_anew)
        asked[carry.fresh] = True
        found = self._own[_nearest(self.content[asked & ~self.met], self.content, self.met)]
        asked = asked[~self.met]
        near = np.empty((len(asked), found.shape[1]), dtype=np.int64)
        near[asked] = found
        if not asked.all():
            near[~asked] = self.near[carry.kept[before < 0]]
        self.near = near

    def _categories(self, carry: RowSync, fresh: Sequence[Item]) -> None:
        kinds = {kind: n for n, kind in enumerate(self._kinds)}  # most items share theirs
        new = [kinds.setdefault(item.categories, len(kinds)) for item in fresh]
        kind_of = carry.of(self._kind_of, np.array(new, dtype=np.int64))
        used = np.bincount(kind_of, minlength=len(kinds)) > 0
        self._kind_of = (np.cumsum(used) - 1)[kind_of]
        self._kinds = list(compress(kinds, used.tolist()))
        names = sorted({c.casefold() for categories in self._kinds for c in categories})
        self.category_column = {name: n for n, name in enumerate(names)}
        has = np.zeros((len(self._kinds), len(names)), dtype=bool)
        for kind, categories in enumerate(self._kinds):
            has[kind, [self.category_column[c.casefold()] for c in categories]] = True
        self.has_category = has[self._kind_of]
        # Unit rows: an item of many categories is no closer to everything than one of few.
        size = np.sqrt(self.has_category.sum(axis=1, keepdims=True))
        self.kinds: Floats = self.has_category / np.maximum(size, 1.0)
        weight = self.share.sum()
        self.usual_kinds: Floats = self.share @ self.kinds / (weight if weight > 0 else 1.0)
        self.usual: Floats = self.kinds @ self.usual_kinds
        if self.attributes.nnz or any(item.attributes for item in fresh):
            self.attributes = attribute_values([item.attributes for item in self.items])
        else:
            self.attributes = sparse.csr_array((len(self.ids), 0))
        years = [np.nan if item.year is None else item.year for item in fresh]
        self.dated = carry.of(self.dated, np.array(years, dtype=np.float64))
        known = self.dated[~np.isnan(self.dated)]
        self.year: Floats = np.where(
            np.isnan(self.dated), np.median(known) if known.size else 0.0, self.dated
        )


def _nearest(new: Float, content: Float, met: NDArray[np.bool_]) -> Ints:
    """Numbers, among the rows met, of those nearest to each new one; nearest first, (U, ≤ 20)."""
    n = min(NEIGHBOURS, int(met.sum()))
    out = np.empty((len(new), n), dtype=np.int64)
    few = len(new) <= _FEW  # comparing them with all takes less time than copying those met
    known = content if few else content[met]
    step = max(1, _COMPARED // max(1, len(known)))
    for at in range(0, len(new) if n else 0, step):
        far = -(new[at : at + step] @ known.T)
        far = far[:, met] if few else far
        some = np.sort(np.argpartition(far, n - 1, axis=1)[:, :n], axis=1)
        order = np.argsort(np.take_along_axis(far, some, axis=1), axis=1, kind="stable")
        out[at : at + step] = np.take_along_axis(some, order, axis=1)
    return out
