"""One recommender for films and products, or one for each? Two datasets in one catalog.

Cold users of either kind are asked about all items of both. Without a language model; the same
users, picks and targets for both recommenders.

    python benchmarks/two_domains.py --items items.csv --interactions interactions.csv

compares MovieLens-small with those tables, in about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data import ml_small
from coldstart.data.dataset import Dataset
from coldstart.data.tables import load_dataset
from coldstart.evaluation.baselines.coldstart_prior import coldstart_prior
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.cases import support_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import bootstrap_interval
from coldstart.protocols import Recommends
from coldstart.splitting.folds import user_folds
from coldstart.splitting.user_splits import Split

SHOTS = (0, 1, 3)
SUPPORT = 3


def renamed(data: Dataset, prefix: str) -> Dataset:
    """The same data with ids that no other dataset has."""

    def name(ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{prefix}{i}" for i in ids)

    items = (
        item.model_copy(update={"item_id": f"{prefix}{item.item_id}"}) for item in data.catalog
    )
    return Dataset(
        prefix,
        Catalog(items),
        {f"{prefix}{u}": p for u, p in data.users.items()},
        {f"{prefix}{u}": name(likes) for u, likes in data.likes.items()},
        {f"{prefix}{u}": name(low) for u, low in data.dislikes.items()},
    )


def joined(parts: Sequence[Dataset]) -> Dataset:
    """All items and users of some datasets."""
    return Dataset(
        "both",
        Catalog(item for part in parts for item in part.catalog),
        {u: p for part in parts for u, p in part.users.items()},
        {u: likes for part in parts for u, likes in part.likes.items()},
        {u: low for part in parts for u, low in part.dislikes.items()},
    )


def values(system: Recommends, data: Dataset, users: Sequence[str]) -> Mapping[int, list[float]]:
    """NDCG@10 of every user by number of picks."""
    out: dict[int, list[float]] = {}
    for case in support_cases(data, users, SHOTS, support=SUPPORT, min_targets=1).cases:
        ranked = system.recommend(case.profile, k=10 + SUPPORT).item_ids
        best = [i for i in ranked if i not in case.excluded][:10]
        out.setdefault(case.n_picks, []).append(ndcg(best, case.targets, 10))
    return out


def main() -> None:
    """Print NDCG@10 of one recommender for each kind of users, alone and joined."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=Path, required=True, help="table of the other catalog")
    parser.add_argument("--interactions", type=Path, required=True, help="and of its likes")
    chosen = parser.parse_args()
    own = load_dataset(chosen.items, chosen.interactions, name="own", columns={"rating": None})
    parts = [renamed(ml_small.load(), "films-"), renamed(own, "own-")]
    splits = [user_folds(list(p.likes))[0] for p in parts]
    both = joined(parts)
    train = tuple(u for s in splits for u in s.train)
    together = coldstart_prior(TrainingData.of(both, train), Split(train, (), ()), both)
    table: dict[str, dict[str, object]] = {}
    for part, split in zip(parts, splits, strict=True):
        alone = coldstart_prior(TrainingData.of(part, split.train), split, part)
        single, joint = values(alone, part, split.test), values(together, both, split.test)
        for shots in SHOTS:
            difference = np.array(joint[shots]) - np.array(single[shots])
            low, high = bootstrap_interval(difference.tolist(), 0)
            table[f"{part.name}k={shots}"] = {
                "alone": round(float(np.mean(single[shots])), 4),
                "in one catalog": round(float(np.mean(joint[shots])), 4),
                "difference, 95 %": [round(low, 4), round(high, 4)],
                "users": len(difference),
            }
    print(json.dumps(table, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
