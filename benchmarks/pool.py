"""Does looking at a part of the catalog give the lists that looking at all of it gives?

MovieLens-small is small enough to look at whole; here its cold users are answered from candidate
pools as if it were not (``Settings.pool_from`` 0), without a language model.

    python benchmarks/pool.py

prints NDCG@10 by number of picks, how much the lists share, and the size of the pools, in half a
minute on one core.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict

import numpy as np
from rich.progress import track

from coldstart import Recommender, prompts
from coldstart.artifacts.loading import make_encoder
from coldstart.data.named import NAMED
from coldstart.evaluation.cases import cut, support_cases
from coldstart.interactions.interaction_stats import Counts
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.ranking.filters import Known
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.settings import Settings
from coldstart.splitting.folds import user_folds
from coldstart.testing.probes import candidates_of

SHOTS = (0, 1, 3, 10)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", choices=sorted(NAMED), default="ml-small")
    parser.add_argument("--users", choices=("valid", "test"), default="valid", help="of fold 0")
    chosen = parser.parse_args()
    data = NAMED[chosen.data].load()
    split = user_folds(list(data.likes))[0]
    counts = Counts.fit(data.catalog.ids, {u: data.users[u] for u in split.train}, data.likes)
    encoder = make_encoder(DEFAULT_ENCODER)

    def make(pool_from: int) -> Recommender:
        prompt, ranker = prompts.load(prompts.DEFAULT), BlendRanker.classical()
        settings = Settings(pool_from=pool_from)
        return Recommender(data.catalog, None, prompt, counts, encoder, ranker, settings)

    ways = {"whole": make(len(data.catalog)), "pool": make(0)}
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    shared, sizes = [], []
    for case in track(support_cases(data, getattr(split, chosen.users), SHOTS).cases, "asking"):
        lists = {}
        for name, recommender in ways.items():
            ranked = recommender.recommend(
                case.profile,
                k=10 + len(case.excluded),
                strategy="prior",
                filters=[Known()],
                near_duplicates=True,
            )
            lists[name] = cut(ranked.item_ids, case.excluded, 10)
            found[case.n_picks][name].append(ndcg(lists[name], case.targets, 10))
        shared.append(lists["whole"] == lists["pool"])
        pooled = ways["pool"]
        sizes.append(len(candidates_of(pooled, pooled.resolve(case.profile)).ids))
    report = {
        "ndcg@10": {
            f"k={shots}": {name: round(float(np.mean(v)), 4) for name, v in values.items()}
            for shots, values in found.items()
        },
        "lists": len(shared),
        "identical lists": sum(shared),
        "items": len(data.catalog),
        "mean pool": round(float(np.mean(sizes))),
    }
    print(json.dumps(report, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
