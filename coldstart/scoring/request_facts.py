"""Facts of the request, equal for all items: they tell the trees how far to trust the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.scorer import Floats


class RequestFactsScorer(ColumnScorer):
    """Age, number of picks, whether they are a history, and number of words."""

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
        Signal(
            "request_words",
            "Number of words in the text of the request.",
            "words",
            low=0.0,
            in_trees=False,
            of_words=True,
            group="words",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All four, constant over the items."""
        n, age = len(items.ids), user.profile.age
        return {
            "age": np.full(n, -1.0 if age is None else age),
            "shots": np.full(n, float(len(user.liked))),
            "history": np.full(n, float(user.profile.history)),
            "request_words": np.full(n, float(count_words(request_text(user)))),
        }


def count_words(text: str) -> int:
    """Number of words of a text; of scripts without spaces, two characters count as a word."""
    latin = text.isascii()
    return len(text.split()) if latin else max(len(text.split()), len(text) // 2)
