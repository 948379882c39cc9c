"""Large catalogs: the items that deserve a closer look for one user.

Below some ten thousand items everything is computed for every item. Beyond, that would take longer
than the language model does. So each signal names its best items first (popular ones, by whom, what
is liked together with the picks and after them, what is like them or like the words, what has the
wanted categories, what is new), and everything else happens among these few thousand: retrieval
first, ranking second (Covington et al., "Deep neural networks for YouTube recommendations", 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coldstart.catalog.item_store import ItemStore
from coldstart.grounding.index.approximate import ApproximateIndex
from coldstart.interactions.interaction_stats import attribute_groups, group_lift
from coldstart.profile.resolve import ResolvedProfile
from coldstart.scoring.features import said_in_words

if TYPE_CHECKING:
    from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

POPULAR, BY_SIGNAL = 1000, 200
"""Items that popularity, and each other signal, names."""
_DAMPING = 20.0


class Pools:
    """Chooses rows of a large catalog.

    Args:
        item_store: of the whole catalog.
    """

    def __init__(self, item_store: ItemStore) -> None:
        self._item_store = item_store
        self._version = 0
        self._lists: dict[str, Ints] = {}
        # Candidates need not be the very nearest: fewer rows are compared than for grounding.
        self._near = ApproximateIndex(scan=8192, share=0.02)

    def rows(self, user: ResolvedProfile, more: Iterable[str] = ()) -> Ints:
        """Rows to look at, ascending.

        Args:
            user: the profile and the moment.
            more: ids of items that are looked at in any case.
        """
        item_store = self._item_store
        if self._version != item_store.version:
            self._follow()
        named = [*user.liked, *user.disliked, *more]
        found: list[Ints] = [item_store.rows_of(named), self._kept("popular", self._popular)]
        found.append(self._kept("new", self._new))
        for group in attribute_groups(user.profile):
            if group in item_store.counts.group_sizes:
                found.append(self._kept(group, partial(self._of_group, group)))
        for interest in user.profile.interests:
            column = item_store.category_column.get(interest.strip().casefold())
            if column is not None:
                found.append(self._kept(f"category {column}", partial(self._of_category, column)))
        for pick in user.liked:
            found += self._of_pick(pick)
        if text := said_in_words(user):
            found.append(self._like(item_store.vector_of(text)))
        return np.unique(np.concatenate(found))

    def _follow(self) -> None:
        """Catch up with the catalog; only what changed is put in its place among the others."""
        item_store = self._item_store
        changed, gone = item_store.catalog.changes_since(self._version)
        ids = sorted(changed & item_store.rows.keys())
        if ids:
            self._near.set(ids, item_store.content[[item_store.rows[i] for i in ids]])
        self._near.remove(sorted(gone - item_store.rows.keys()))
        self._version, self._lists = item_store.version, {}

    def _kept(self, name: str, make: Callable[[], Ints]) -> Ints:
        """A list that is the same for everyone, made once."""
        if name not in self._lists:
            self._lists[name] = make()
        return self._lists[name]

    def _popular(self) -> Ints:
        popularity, late = self._item_store.popularity, self._item_store.late
        both = (_best(popularity, POPULAR), _best(popularity + 0.5 * late, POPULAR))
        return np.concatenate(both)

    def _new(self) -> Ints:
        new = np.flatnonzero(~self._item_store.met)
        return new[_best(self._item_store.popularity[new], BY_SIGNAL)]

    def _of_group(self, group: str) -> Ints:
        lift = self._item_store.spread(group_lift(self._item_store.counts, group))
        return _best(self._item_store.popularity + lift, BY_SIGNAL)

    def _of_category(self, column: int) -> Ints:
        having = np.flatnonzero(self._item_store.has_category[:, column])
        return having[_best(self._item_store.popularity[having], BY_SIGNAL)]

    def _of_pick(self, pick: str) -> list[Ints]:
        item_store = self._item_store
        counts, out = item_store.counts, []
        column = counts.column.get(pick)
        if column is not None:
            size, usual = counts.likes + _DAMPING, counts.later_share + 1e-9
            for matrix, ordinary in ((counts.together, size), (counts.later, usual)):
                for power in (0.5, 1.0):  # by cosine, and by lift
                    columns = _best_of_row(matrix, column, ordinary, power)
                    out.append(item_store.rows_of_columns[columns])
        if pick in item_store.rows:
            out.append(self._like(item_store.content[item_store.rows[pick]]))
        return [rows[rows >= 0] for rows in out]

    def _like(self, vector: NDArray[np.float32]) -> Ints:
        (found,) = self._near.search(vector[None], BY_SIGNAL)
        return self._item_store.rows_of([item_id for item_id, _ in found])


def _best(values: NDArray[np.floating], n: int) -> Ints:
    """Places of the ``n`` largest values."""
    if len(values) <= n:
        return np.arange(len(values))
    best: Ints = np.argpartition(-values, n - 1)[:n]
    return best


def _best_of_row(matrix: sparse.csr_array, row: int, ordinary: Floats, power: float) -> Ints:
    """Columns of the largest entries of a row, each over a power of what its column has anyway."""
    start, end = matrix.indptr[row], matrix.indptr[row + 1]
    columns: Ints = matrix.indices[start:end].astype(np.int64)
    best: Ints = columns[_best(matrix.data[start:end] / ordinary[columns] ** power, BY_SIGNAL)]
    return best
