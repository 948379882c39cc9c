"""How popular items are, with everyone and with people of the same attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import (
    attribute_groups,
    demographic_lift,
    group_lift,
)
from coldstart.scoring import retrieval
from coldstart.scoring.retrieval import CatalogLists, best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints


class PopularityScorer(ColumnScorer):
    """Popularity and demographic popularity; retrieves popular, group-favoured and cold items."""

    name = "popularity"
    signals = (
        Signal(
            "popularity",
            "Log share of training users who liked the item.",
            "nats",
            high=0.0,
            weight=(1.0, 0.0),
            group="popularity",
        ),
        Signal(
            "people",
            "Demographic lift: log odds of the user's attribute groups over everyone.",
            "nats",
            weight=(1.0, 0.0),
            group="people",
            reason="people",
        ),
    )

    def __init__(self) -> None:
        self._lists = CatalogLists()

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Both signals."""
        lift = demographic_lift(items.counts, user.profile)
        return {"popularity": items.popularity, "people": items.spread(lift)}

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The most popular items, early and late; those of the user's groups; cold items."""
        lists = self._lists.of(items)
        out = [
            lists.get("popular", lambda: _popular(items)),
            lists.get("cold", lambda: _cold(items)),
        ]
        for group in attribute_groups(user.profile):
            if group in items.counts.group_sizes:
                out.append(lists.get(group, partial(_of_group, items, group)))
        return out


def _popular(items: ItemStore) -> Ints:
    late = items.popularity + 0.5 * items.late
    return np.concatenate([best(values, retrieval.POPULAR) for values in (items.popularity, late)])


def _cold(items: ItemStore) -> Ints:
    cold = np.flatnonzero(~items.met)
    return cold[best(items.popularity[cold])]


def _of_group(items: ItemStore, group: str) -> Ints:
    lift = items.spread(group_lift(items.counts, group))
    return best(items.popularity + lift)
