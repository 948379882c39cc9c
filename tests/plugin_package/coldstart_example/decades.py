"""A scorer that is fitted: which decades are liked together."""

import json
from collections import Counter
from itertools import permutations

import numpy as np

from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal


class DecadeScorer(ColumnScorer):
    """How much likelier the item's decade is liked beside the picks' decades."""

    name = "decades"
    signals = (
        Signal(
            "decade",
            "Log share of the item's decade among likes beside the picks', over its share in all.",
            "nats",
            weight=(0.5, 0.0),
            group="years",
            reason="decade",
            wording={"en": "from a decade that goes with your picks"},
        ),
    )

    def __init__(self):
        self.lift = {}

    def fit(self, data, users):
        """Count pairs of likes by decade, one of each kind added."""
        decade = {item.item_id: str((item.year or 0) // 10) for item in data.catalog}
        pairs = Counter()
        for user in users:
            liked = [decade[i] for i in data.likes[user]]
            pairs.update(f"{a} {b}" for a, b in permutations(liked, 2))
        kinds = sorted(set(decade.values()))
        counts = np.array([[pairs[f"{a} {b}"] + 1.0 for b in kinds] for a in kinds])
        share = counts.sum(axis=0) / counts.sum()
        lift = np.log(counts / counts.sum(axis=1, keepdims=True) / share)
        self.lift = {
            f"{a} {b}": lift[n, m] for n, a in enumerate(kinds) for m, b in enumerate(kinds)
        }

    def columns(self, user, items):
        """The mean over the picks."""
        decades = [str((item.year or 0) // 10) for item in items.items]
        picks = [decades[row] for row in items.rows_in_order(user.liked)]
        out = np.zeros(len(decades))
        for pick in picks:
            out += [self.lift.get(f"{pick} {decade}", 0.0) for decade in decades]
        return {"decade": out / max(1, len(picks))}

    def save(self):
        """The table as JSON."""
        return {"lift.json": json.dumps(self.lift, sort_keys=True).encode()} if self.lift else {}

    def load(self, files):
        """Read it."""
        self.lift = json.loads(files["lift.json"])
