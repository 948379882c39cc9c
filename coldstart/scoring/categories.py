"""Categories: how they fit those of the picks, and those of popular items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.retrieval import CatalogLists, best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints


class CategoryScorer(ColumnScorer):
    """Category fit; retrieves the most popular items of stated interests."""

    name = "categories"
    signals = (
        Signal(
            "kinds",
            "How the categories of the k picks, less those of popular items, fit the item's, · √k.",
            "cosine · √k",
            group="alike",
            reason="kinds",
        ),
        Signal(
            "usual",
            "How the item's categories fit those of popular items.",
            "cosine",
            low=0.0,
            group="popularity",
        ),
    )

    def __init__(self) -> None:
        self._lists = CatalogLists()

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Both; ``kinds`` is zero without picks."""
        rows = items.rows_in_order(user.liked)
        kinds = np.zeros(len(items.ids))
        if rows:
            taste = items.kinds_of(rows).mean(axis=0) - items.usual_kinds
            kinds = items.kinds_fit(taste) * np.sqrt(len(rows))
        return {"kinds": kinds, "usual": items.usual}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The most popular items of each category that is a stated interest."""
        lists, out = self._lists.of(items), []
        for interest in user.profile.interests:
            column = items.category_column.get(interest.strip().casefold())
            if column is not None:
                out.append(lists.get(str(column), partial(_having, items, column)))
        return out


def _having(items: ItemStore, column: int) -> Ints:
    having = np.flatnonzero(items.in_any([column]))
    return having[best(items.popularity[having])]
