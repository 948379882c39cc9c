"""What the catalog itself says of an item, for every user: popularity elsewhere, and freshness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.scoring.retrieval import POPULAR, CatalogLists, best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

_TOP = 0.1  # share of the items that count as popular in a reason


class CatalogFactsScorer(ColumnScorer):
    """Popularity column and year of the catalog, as signals that need no interactions."""

    name = "catalog_facts"
    signals = (
        Signal(
            "catalog_popularity",
            "Log ratio of the item's share of the sales or votes in the catalog to the mean share.",
            "nats",
            in_trees=False,
            group="popularity",
            reason="sought",
        ),
        Signal(
            "freshness",
            "Share of the dated items that are older than the item, less a half.",
            "share",
            low=-0.5,
            high=0.5,
            in_trees=False,
            group="years",
        ),
    )

    def __init__(self) -> None:
        self._lists = CatalogLists()

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Both; zero where the catalog has no such column."""
        fresh = _freshness(items.whole.dated)[items.where]
        return {"catalog_popularity": items.prior_lift, "freshness": fresh}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The items that the catalog calls most popular, if it calls any so."""
        if not items.prior_lift.any():
            return []
        lists = self._lists.of(items)
        return [lists.get("sought", lambda: best(items.prior_lift, POPULAR))]

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """Nothing more to say of one of the tenth of the items that sold most; else no reason."""
        sales = items.sales
        known = sales[~np.isnan(sales)]
        if np.isnan(sales[row]) or sales[row] <= np.quantile(known, 1 - _TOP):
            return None
        return {}


def _freshness(dated: Floats) -> Floats:
    known = ~np.isnan(dated)
    out = np.zeros(len(dated))
    if known.any():
        _, place, count = np.unique(dated[known], return_inverse=True, return_counts=True)
        ranks = np.cumsum(count) - (count - 1) / 2  # mean rank of each year
        out[known] = (ranks[place] - 0.5) / known.sum() - 0.5
    return out
