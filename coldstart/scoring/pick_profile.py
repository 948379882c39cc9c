"""Distance from the picks in fame and in years."""

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


class PickProfileScorer(ColumnScorer):
    """How mainstream and how old the picks are tells which items are in reach."""

    name = "pick_profile"
    signals = (
        Signal(
            "mainstream",
            "Log popularity of the item less the mean one of the picks.",
            "nats",
            group="popularity",
        ),
        Signal("year", "Year of the item, the median one if unknown.", "years", group="years"),
        Signal(
            "year_gap",
            "Years between the item and the mean year of the picks.",
            "years",
            low=0.0,
            group="years",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three; zero without picks, but for the year."""
        rows, zero = items.rows_in_order(user.liked), np.zeros(len(items.ids))
        fame, year = items.popularity, items.year
        return {
            "mainstream": fame - fame[rows].mean() if rows else zero,
            "year": year,
            "year_gap": np.abs(year - year[rows].mean()) if rows else zero,
        }
