"""Facts of the request, equal for all items: they tell the trees how far to trust the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.scorer import Floats


class RequestFactsScorer(ColumnScorer):
    """Age, number of picks, and whether they are a history."""

    name = "request_facts"
    signals = (
        Signal("age", "Age of the user, −1 if unknown.", "years", low=-1.0, group="people"),
        Signal(
            "shots", "Number of liked picks.", "picks", low=0.0, states_taste=True, group="liked"
        ),
        Signal(
            "history",
            "1 if the picks are the first likes of a new account rather than favourites.",
            "0 or 1",
            low=0.0,
            high=1.0,
            in_trees=False,
            group="liked",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three, constant over the items."""
        n, age = len(items.ids), user.profile.age
        return {
            "age": np.full(n, -1.0 if age is None else age),
            "shots": np.full(n, float(len(user.liked))),
            "history": np.full(n, float(user.profile.history)),
        }
