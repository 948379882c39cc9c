"""Is it worth adapting the ranker to each person, beyond reading their picks? On MovieLens-100K.

The blend without a language model ranks for cold users, with weights as trained (the picks are only
read, "in context") and with weights adapted to the person: each pick is held out in turn, and a few
gradient steps on the others' ranking of it move the linear weights (MeLU's local update, Lee et
al., "MeLU: Meta-Learned User Preference Estimator for Cold-Start Recommendation", 2019, on a
ranker's weights instead of a network's). Number and length of the steps are chosen on validation
users; the table is about the held-out ones.

    python benchmarks/adaptation.py

takes about five minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.item_store import ItemStore
from coldstart.data import ml_100k
from coldstart.evaluation.cases import ColdCase, prefix_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import bootstrap_interval
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.schema import Context
from coldstart.scoring.registry import SIGNALS
from coldstart.splitting.user_splits import split_users
from coldstart.testing.probes import features_of
from coldstart.training.crossfit import learn_classical
from coldstart.training.out_of_fold import OutOfFold

Floats = NDArray[np.float64]

SHOTS = (3, 5, 10)
SETTINGS = tuple(product((1, 3, 10), (0.03, 0.1, 0.3, 1.0)))
"""Gradient steps, and the rate: standard deviations of a feature per step."""
MOVED = tuple(
    SIGNALS.index(f)
    for f in ("popularity", "people", "picks", "lift", "fold_in", "next", "kinds", "resembles")
)


class Person:
    """A cold user: what the blend says of them, and how it ranks each pick given the others.

    Args:
        case: who, and what is to be found.
        item_store: of the items.
        ranker: as trained.
    """

    def __init__(self, case: ColdCase, item_store: ItemStore, ranker: BlendRanker) -> None:
        self.case, self.ids = case, item_store.ids
        picks = case.profile.liked
        self.rows = [item_store.rows[p.item] for p in picks]
        self.scores, self.features = _read(case.profile.liked, case, item_store, ranker)
        held_out = [
            _read((*picks[:n], *picks[n + 1 :]), case, item_store, ranker)
            for n in range(len(picks))
        ]
        self.others = [
            (scores, features, np.delete(self.rows, n))
            for n, (scores, features) in enumerate(held_out)
        ]

    def value(self, steps: int, rate: float) -> float:
        """NDCG@10 after so many steps."""
        spread = np.maximum(self.features.std(axis=0), 1e-9)
        moved = np.zeros(len(MOVED))
        for _ in range(steps):
            gradient = np.zeros(len(MOVED))
            for pick, (scores, features, known) in zip(self.rows, self.others, strict=True):
                now = scores + features @ moved
                now[known] = -np.inf
                chance = np.exp(now - now.max())
                gradient += features[pick] - chance @ features / chance.sum()
            # A step of a standardised feature, in nats for one standard deviation.
            moved += rate * gradient / len(self.rows) / spread**2
        final = self.scores + self.features @ moved
        final[self.rows] = -np.inf
        best = [self.ids[n] for n in np.argsort(-final, kind="stable")[:10]]
        return ndcg(best, self.case.targets, 10)


def _read(
    picks: Sequence[object], case: ColdCase, item_store: ItemStore, ranker: BlendRanker
) -> tuple[Floats, Floats]:
    profile = case.profile.model_copy(update={"liked": tuple(picks)})
    features = features_of(item_store, ResolvedProfile(profile, Context()))
    return ranker.scores(features, ranker.weights("prior", len(picks))), features[:, MOVED]


def main() -> None:
    """Print the chosen setting, and NDCG@10 with and without adaptation by number of picks."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    data, encoder = ml_100k.load(), make_encoder(DEFAULT_ENCODER)
    split = split_users(list(data.likes))
    out_of_fold = OutOfFold(data, split.train, encoder)
    ranker = learn_classical(data, split.train, out_of_fold)
    known = out_of_fold.everyone
    valid = [Person(c, known, ranker) for c in prefix_cases(data, split.valid, SHOTS)]
    worth = {s: float(np.mean([p.value(*s) for p in valid])) for s in SETTINGS}
    plain = float(np.mean([p.value(0, 0.0) for p in valid]))
    best = max(SETTINGS, key=lambda s: worth[s])
    out: dict[str, object] = {
        "validation": {"in context": round(plain, 4), "best of the adapted": round(worth[best], 4)},
        "steps and rate": best,
    }
    for shots in SHOTS:
        people = [Person(c, known, ranker) for c in prefix_cases(data, split.test, [shots])]
        before = np.array([p.value(0, 0.0) for p in people])
        after = np.array([p.value(*best) for p in people])
        low, high = bootstrap_interval((after - before).tolist(), 0)
        out[f"k={shots}"] = {
            "in context": round(float(before.mean()), 4),
            "adapted": round(float(after.mean()), 4),
            "difference, 95 %": [round(low, 4), round(high, 4)],
            "users": len(people),
        }
    print(json.dumps(out, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
