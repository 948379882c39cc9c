"""Item store: content vectors and statistics of all items, in arrays synced with the catalog."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.categorised import Categorised
from coldstart.catalog.id_set import IdSet
from coldstart.catalog.item_encoding import encode_items
from coldstart.catalog.item_similarity import attribute_values, content_transitions
from coldstart.catalog.prior_popularity import prior_lift
from coldstart.catalog.row_sync import Growing, RowSync, with_room
from coldstart.interactions.interaction_stats import FLOOR, Counts, late_lift, popularity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Encoder, Float
    from coldstart.schema import Item

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_QUERIES = 16  # texts whose vectors are cached
_SAMPLE = 20_000  # items
_COMPARED = 1 << 24  # pairs of items at once
_FEW = 16  # items
_ENCODED = 16_384  # items at once
_DECIMALS = 6  # of a cosine: the last bits depend on how many are computed at once
NEIGHBOURS = 20
HOPE = 0.8
"""Quantile of the neighbours' lifts and co-occurrence that a cold item is assigned."""
OPTIMISM = 0.9
"""Quantile of the neighbours' popularity and language model lift that a cold item is assigned."""


class ItemStore:
    """Content vectors and interaction statistics of every catalog item, in catalog row order.

    A cold item (without counts: added after training) borrows from its 20 nearest warm items by
    content: the 90th percentile of their popularity and of the language model's lift, the 80th of
    their lifts and co-occurrence (optimism in the face of uncertainty). What is usual in the
    catalog (categories, years, neighbours, spread of similarities) follows from the warm items
    alone, so that no added item changes another one's signals.

    Args:
        catalog: the items; ``sync`` follows its changes.
        counts: interaction statistics of the training users.
        encoder: encodes item content.
        like: store of the same catalog with other counts, whose content vectors are reused.
    """

    def __init__(
        self,
        catalog: Catalog,
        counts: Counts,
        encoder: Encoder,
        like: ItemStore | None = None,
    ) -> None:
        self.catalog, self.counts, self.encoder, self._like = catalog, counts, encoder, like
        self._part_of: ItemStore | None = None
        self._version, self._lock = -1, threading.RLock()
        self._whole = False  # whether all is of one version: an interrupted ``sync`` starts afresh
        self._queries: dict[bytes, Float] = {}  # by digest: what people write is not kept
        self.ids: tuple[str, ...] = ()
        self.rows: dict[str, int] = {}
        self._all_rows = self.rows  # those of the catalog, in a part as well
        self.items: tuple[Item, ...] = ()
        self.content: Float = np.zeros((0, 1), dtype=np.float32)
        self._growing = Growing()  # of the content: a million items have a gigabyte and a half
        #: Column of each item in the counts, −1 for cold items, shape (N,).
        self.columns: Ints = np.zeros(0, dtype=np.int64)
        #: Columns of the warm neighbours of the U cold items, nearest first, shape (U, ≤ 20).
        self.near: Ints = np.zeros((0, 0), dtype=np.int64)
        #: Year of each item, NaN where unknown, shape (N,).
        self.dated: Floats = np.zeros(0)
        #: Minimum age of a suitable audience, NaN where the item states none, shape (N,).
        self.min_age: Floats = np.zeros(0)
        #: ``Item.popularity``, NaN where unknown, shape (N,).
        self.sales: Floats = np.zeros(0)
        #: ``prior_lift`` of the sales, shape (N,).
        self.prior_lift: Floats = np.zeros(0)
        #: See ``attribute_values``, shape (N, V).
        self.attributes = sparse.csr_array((0, 0))
        self._categorised = Categorised()

    def sync(self) -> None:
        """Update to the catalog's version; only new and changed items are encoded."""
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
        #: Catalog row of each row of the store; differs in a ``part`` only.
        self.where: Ints = np.arange(len(self.ids))
        self._find_neighbours(carry, fresh)
        #: Whether each item of the catalog is warm, all if none is; also of a ``part``.
        self.typical: NDArray[np.bool_] = self.met if self.met.any() else np.ones_like(self.met)
        #: Content vectors of a sample of the typical items, for standardising similarities.
        self.sample = self.content if self.typical.all() else self.content[self.typical]
        if len(self.sample) > _SAMPLE:
            chosen = np.random.default_rng(0).permutation(len(self.sample))[:_SAMPLE]
            self.sample = self.sample[np.sort(chosen)]
        self._alike: sparse.csr_array | None = None
        self.share: Floats = self.optimistic(popularity(self.counts))
        self.likes: Floats = self.share * self.counts.n_users
        self.popularity: Floats = np.log(self.share + FLOOR)
        self.late = self.spread(late_lift(self.counts))
        self._categories(carry, fresh)
        self._version, self._whole = self.catalog.version, True

    @property
    def version(self) -> int:
        """Catalog version of the last ``sync``."""
        return self._version

    @property
    def whole(self) -> ItemStore:
        """The store that this one is a ``part`` of, or itself."""
        return self._part_of or self

    def part(self, rows: Ints, picks: Sequence[str]) -> ItemStore:
        """Restrict the store to some items, such as a candidate set.

        The values of each item are unchanged; see ``Counts.part`` for pair statistics.

        Args:
            rows: catalog rows, ascending, each once.
            picks: liked and disliked items, whose co-occurrence with the others is kept.
        """
        out = copy(self)
        out._part_of = self
        out.where = rows
        out.ids = tuple(self.ids[r] for r in rows)
        out.rows = {item: n for n, item in enumerate(out.ids)}
        out.items = tuple(self.items[r] for r in rows)
        out.met = self.met[rows]
        out._categorised = self._categorised.part(rows)
        names = ("content", "share", "likes", "popularity", "late")
        of_items = ("usual", "attributes", "dated", "year", "min_age", "sales", "prior_lift")
        for name in (*names, *of_items):
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

    @property
    def has_category(self) -> Bools:
        """Whether each item has each category, shape (N, C); see ``category_column``."""
        return self._categorised.has

    @property
    def kinds(self) -> Floats:
        """Rows of ``has_category`` of Euclidean length 1, shape (N, C); see ``kinds_of``."""
        return self._categorised.unit

    def kinds_of(self, rows: Ints | Sequence[int]) -> Floats:
        """Rows of ``kinds``, without making the others."""
        return self._categorised.unit_of(rows)

    def kinds_fit(self, values: Floats) -> Floats:
        """``kinds @ values``, shape (N,).

        Args:
            values: of the categories, shape (C,).
        """
        return self._categorised.fit(values)

    def in_any(self, columns: Sequence[int]) -> Bools:
        """Mask of the items that have one of some categories, shape (N,)."""
        return self._categorised.in_any(columns)

    def in_how_many(self, columns: Sequence[int]) -> Ints:
        """Number of some categories that each item has, shape (N,)."""
        return self._categorised.in_how_many(columns)

    def combinations(self, mask: Bools) -> Bools:
        """Different rows of ``has_category`` among some items, each once.

        Args:
            mask: of the items, shape (N,).
        """
        return self._categorised.combinations(mask)

    def by_category(self, values: Floats | Bools) -> Floats:
        """Sums over the items of each category, shape (C,).

        Args:
            values: of the items, shape (N,).
        """
        return self._categorised.sums(values)

    def of_rows(self, mask: NDArray[np.bool_]) -> IdSet:
        """Ids of the items selected by a mask, shape (N,); for a whole store, not a ``part``."""
        return IdSet(self.ids, self.rows, mask)

    def rows_of(self, ids: Collection[str]) -> Ints:
        """Rows of the given ids that are in the store, in any order."""
        if isinstance(ids, IdSet) and ids.rows is self._all_rows:
            return np.flatnonzero(ids.mask[self.where])
        return np.array([self.rows[i] for i in ids if i in self.rows], dtype=np.int64)

    def rows_in_order(self, ids: Iterable[str]) -> list[int]:
        """Rows of those ids that are here, in the order given."""
        return [self.rows[i] for i in ids if i in self.rows]

    def vector_of(self, text: str) -> Float:
        """Encode a query as a unit vector, shape (dim,); the last few are cached."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if (known := self._queries.get(key)) is not None:
            return known
        while len(self._queries) >= _QUERIES:
            self._queries.pop(next(iter(self._queries)), None)
        made: Float = self.encoder.encode([text])[0]
        self._queries[key] = made
        return made

    def forget_queries(self) -> None:
        """Drop the cached vectors of queries, for example after a user's data were erased."""
        self._queries.clear()

    @property
    def alike(self) -> sparse.csr_array:
        """``content_transitions`` of the items, shape (N, N); computed at first use."""
        if self._alike is None:
            same = self._like is not None and self._like._version == self._version
            self._alike = (
                self._like.alike
                if self._like and same
                else content_transitions(self.content, self.typical)
            )
        return self._alike

    def spread(self, values: Floats, quantile: float = HOPE) -> Floats:
        """Map values of counted items to catalog rows; impute cold items from their neighbours.

        Args:
            values: shape (I,), in the order of ``counts.item_ids``.
            quantile: of the neighbours' values, assigned to a cold item.

        Returns:
            Shape (N,).
        """
        out = np.zeros(len(self.ids))
        out[self.met] = values[self._own]
        if self.near.size:
            out[~self.met] = np.quantile(values[self.near], quantile, axis=1)
        return out

    def optimistic(self, values: Floats) -> Floats:
        """Map as ``spread`` does, with cold items at the 90th percentile of their neighbours."""
        return self.spread(values, OPTIMISM)

    def _encoded(self, items: Sequence[Item]) -> Float:
        """Content vectors of items, shape (len(items), dim), reused where the content is unchanged.

        To be called before any array of the new version is set.
        """
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
        vectors = self._vectors(new) if new else known.content[:0]
        if len(new) == len(texts):
            return vectors
        out = np.empty((len(texts), known.content.shape[1]), dtype=known.content.dtype)
        out[same], out[~same] = known.content[np.array(old)[same]], vectors
        return out

    def _vectors(self, texts: Sequence[str]) -> Float:
        """Content vectors of texts; those of many are never in memory twice."""
        first = encode_items(self.encoder, texts[:_ENCODED])
        if len(first) == len(texts):
            return first
        out = with_room(len(texts), first)
        out[: len(first)] = first
        for at in range(len(first), len(texts), _ENCODED):
            out[at : at + _ENCODED] = encode_items(self.encoder, texts[at : at + _ENCODED])
        return out

    def _find_neighbours(self, carry: RowSync, fresh: Sequence[Item]) -> None:
        column = self.counts.column
        new = np.array([column.get(item.item_id, -1) for item in fresh], dtype=np.int64)
        before, self.columns = self.columns, carry.of(self.columns, new)
        self.met = self.columns >= 0
        self._own = self.columns[self.met]
        #: Row of each counted item, −1 for items removed from the catalog, shape (I,).
        self.rows_of_columns = np.full(len(self.counts.item_ids), -1)
        self.rows_of_columns[self._own] = np.flatnonzero(self.met)
        # Where no warm item has changed, unchanged cold items keep their neighbours.
        recompute_all = (
            len(carry.fresh) == len(self.ids)
            or self.met[carry.fresh].any()
            or (before[~carry.kept] >= 0).any()
        )
        stale = np.full(len(self.ids), recompute_all)
        stale[carry.fresh] = True
        found = self._own[_nearest(self.content[stale & ~self.met], self.content, self.met)]
        stale = stale[~self.met]
        near = np.empty((len(stale), found.shape[1]), dtype=np.int64)
        near[stale] = found
        if not stale.all():
            near[~stale] = self.near[carry.kept[before < 0]]
        self.near = near

    def _categories(self, carry: RowSync, fresh: Sequence[Item]) -> None:
        self._categorised = self._categorised.followed(carry, [i.categories for i in fresh])
        self.category_column = self._categorised.column
        share = self.share if self.typical.all() else np.where(self.typical, self.share, 0.0)
        weight = share.sum()
        self.usual_kinds: Floats = self._categorised.total(share) / (weight if weight > 0 else 1.0)
        self.usual: Floats = self._categorised.fit(self.usual_kinds)
        if self.attributes.nnz or any(item.attributes for item in fresh):
            self.attributes = attribute_values(
                [item.attributes for item in self.items], self.typical
            )
        else:
            self.attributes = sparse.csr_array((len(self.ids), 0))
        years = [np.nan if item.year is None else item.year for item in fresh]
        self.dated = carry.of(self.dated, np.array(years, dtype=np.float64))
        ages = [np.nan if item.min_age is None else item.min_age for item in fresh]
        self.min_age = carry.of(self.min_age, np.array(ages, dtype=np.float64))
        sales = [np.nan if item.popularity is None else item.popularity for item in fresh]
        self.sales = carry.of(self.sales, np.array(sales, dtype=np.float64))
        self.prior_lift = prior_lift(self.sales)
        known = self.dated[~np.isnan(self.dated) & self.typical]
        self.year: Floats = np.where(
            np.isnan(self.dated), np.median(known) if known.size else 0.0, self.dated
        )


def _nearest(new: Float, content: Float, met: NDArray[np.bool_]) -> Ints:
    """Exact nearest warm rows of each new row, as positions among them, in order, (U, ≤ 20)."""
    n = min(NEIGHBOURS, int(met.sum()))
    out = np.empty((len(new), n), dtype=np.int64)
    few = len(new) <= _FEW  # comparing with all rows takes less time than copying the warm ones
    known = content if few else content[met]
    step = max(1, _COMPARED // max(1, len(known)))
    for at in range(0, len(new) if n else 0, step):
        far = -(new[at : at + step] @ known.T)
        far = np.round(far[:, met] if few else far, _DECIMALS)
        some = np.sort(np.argpartition(far, n - 1, axis=1)[:, :n], axis=1)
        order = np.argsort(np.take_along_axis(far, some, axis=1), axis=1, kind="stable")
        out[at : at + step] = np.take_along_axis(some, order, axis=1)
    return out
