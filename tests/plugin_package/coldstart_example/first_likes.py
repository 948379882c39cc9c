"""A scorer that retrieves: what people liked first. Its signal has no weight."""

import json
from collections import Counter

import numpy as np

from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal


class FirstLikesScorer(ColumnScorer):
    """Share of training users whose first like the item is."""

    name = "first_likes"
    signals = (
        Signal(
            "first_like",
            "Share of training users whose first like the item is.",
            "share",
            low=0.0,
            high=1.0,
            in_trees=False,
        ),
    )

    def __init__(self):
        self.share = {}

    def fit(self, data, users):
        """Count first likes."""
        first = Counter(data.likes[user][0] for user in users if data.likes[user])
        self.share = {item: n / len(users) for item, n in first.items()}

    def columns(self, user, items):
        """The share of each item."""
        return {"first_like": np.array([self.share.get(i, 0.0) for i in items.ids])}

    def retrieve(self, user, items, nearest):
        """All that anybody liked first."""
        return [items.rows_of(self.share)]

    def save(self):
        """The shares as JSON."""
        return {"share.json": json.dumps(self.share, sort_keys=True).encode()} if self.share else {}

    def load(self, files):
        """Read them."""
        self.share = json.loads(files["share.json"])
