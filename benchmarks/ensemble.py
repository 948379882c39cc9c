"""Is a team better than its best member? Lists joined by rank, on MovieLens-100K.

Members are systems of `coldstart benchmark`, trained on the first fold's training users, or trained
artifacts; all are asked about the same cold users, with the same ten likes of everyone reserved.

    python benchmarks/ensemble.py --members coldstart_prior,dropout_autoencoder,als
    python benchmarks/ensemble.py --artifacts adapters/one adapters/two --shots 0,5

The first takes about five minutes on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from coldstart import Recommender
from coldstart.data import ml_100k
from coldstart.ensemble import Ensemble
from coldstart.evaluation.baselines.selection import all_systems
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.cases import ColdCase, support_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import bootstrap_interval
from coldstart.protocols import Recommends
from coldstart.splitting.folds import user_folds
from coldstart.splitting.user_splits import Split

TOGETHER = "together"


def members_of(names: list[str], folders: list[Path]) -> tuple[dict[str, Recommends], Split]:
    """The members, trained, and the split that holds out whom they are asked about."""
    data = ml_100k.load()
    split = Split.load(folders[0] / "split.json") if folders else user_folds(list(data.likes))[0]
    if any(Split.load(folder / "split.json") != split for folder in folders):
        raise SystemExit("the artifacts were trained on different users: no common test")
    training = TrainingData.of(data, split.train)
    made = {n: all_systems()[n].make(training, split, data) for n in names}
    return made | {f.name: Recommender.from_pretrained(f) for f in folders}, split


def values(systems: Mapping[str, Recommends], case: ColdCase) -> dict[str, float]:
    """NDCG@10 of each system."""
    out = {}
    for name, system in systems.items():
        ranked = system.recommend(case.profile, k=10 + len(case.excluded)).item_ids
        best = [i for i in ranked if i not in case.excluded][:10]
        out[name] = ndcg(best, case.targets, 10)
    return out


def main() -> None:
    """Print NDCG@10 of each member and of all together, by number of picks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--members", default="", help="names, such as coldstart_prior,als")
    parser.add_argument("--artifacts", type=Path, nargs="*", default=[], help="folders")
    parser.add_argument("--shots", default="0,1,3,5,10", help="numbers of picks")
    chosen = parser.parse_args()
    systems, split = members_of([n for n in chosen.members.split(",") if n], chosen.artifacts)
    if len(systems) < 2:
        parser.error("name two members or more")
    everyone = {**systems, TOGETHER: Ensemble(list(systems.values()))}
    shots = [int(k) for k in chosen.shots.split(",")]
    found: dict[str, dict[int, list[float]]] = {name: {k: [] for k in shots} for name in everyone}
    for case in support_cases(ml_100k.load(), split.test, shots).cases:
        for name, value in values(everyone, case).items():
            found[name][case.n_picks].append(value)
    table: dict[str, dict[str, object]] = {
        name: {f"k={k}": round(float(np.mean(v)), 4) for k, v in by_k.items()}
        for name, by_k in found.items()
    }
    gain: dict[str, object] = {}
    for k in shots:
        best = max(systems, key=lambda name: float(np.mean(found[name][k])))
        less = np.array(found[TOGETHER][k]) - np.array(found[best][k])
        low, high = bootstrap_interval(less.tolist(), 0)
        gain[f"k={k}"] = f"{less.mean():+.4f} ({low:+.4f} to {high:+.4f}) against {best}"
    table["together less the best member"] = gain
    print(json.dumps(table, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
