"""What the tree correction is worth, and which signals it needs: cross-validated on MovieLens-100K.

Users who are held out of the shipped artifact's figures are not touched: the others are dealt into
folds; trees learn from all folds but one and rank for the people of that one. No language model.

    python benchmarks/tree_correction.py --folds 5

takes about two minutes for each fold and row of the table on one core.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.item_store import ItemStore
from coldstart.data import ml_100k
from coldstart.evaluation.cases import ColdCase, prefix_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.schema import Context
from coldstart.scoring.registry import SIGNALS
from coldstart.splitting.user_splits import split_users
from coldstart.testing.probes import features_of
from coldstart.training.boosting import fit_trees
from coldstart.training.crossfit import ranking_groups
from coldstart.training.out_of_fold import OutOfFold

LEFT_OUT = {
    "all signals": (),
    "without the order of likes (next, late)": ("next", "late"),
    "without EASE (fold_in)": ("fold_in",),
    "without content (alike, kinds, usual, year, year_gap)": (
        "alike",
        "kinds",
        "usual",
        "year",
        "year_gap",
    ),
}


def main() -> None:
    """Print one row for the linear blend, and one for each choice of the trees' features."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folds", type=int, default=5, help="how many of the 5 folds to run")
    parser.add_argument("--rounds", type=int, default=400, help="trees")
    parser.add_argument("--rows", type=int, default=len(LEFT_OUT), help="rows of the table")
    chosen = parser.parse_args()
    data, encoder = ml_100k.load(), make_encoder(DEFAULT_ENCODER)
    split = split_users(list(data.likes))
    people = [*split.train, *split.valid]
    fold_of = np.random.default_rng(0).permutation(len(people)) % 5
    found: dict[str, dict[int, list[float]]] = {}
    for fold in range(chosen.folds):
        own = [u for u, f in zip(people, fold_of, strict=True) if f != fold]
        held = [u for u, f in zip(people, fold_of, strict=True) if f == fold]
        out_of_fold = OutOfFold(data, own, encoder)
        linear = BlendRanker.classical()
        requests = ranking_groups(data, own, out_of_fold, linear)
        rankers = {"linear blend": linear}
        for name, less in list(LEFT_OUT.items())[: chosen.rows]:
            names = [f for f in SIGNALS.tree_names if f not in less]
            trees = fit_trees(requests, names=names, rounds=chosen.rounds)
            rankers[name] = BlendRanker.classical(trees)
        for case in prefix_cases(data, held):
            for name, value in _values(case, out_of_fold.everyone, rankers).items():
                found.setdefault(name, {}).setdefault(case.n_picks, []).append(value)
        print(f"fold {fold + 1} of {chosen.folds}", file=sys.stderr)  # noqa: T201
    table = {n: {k: round(float(np.mean(v)), 4) for k, v in r.items()} for n, r in found.items()}
    print(json.dumps(table, indent=1))  # noqa: T201


def _values(
    case: ColdCase, item_store: ItemStore, rankers: dict[str, BlendRanker]
) -> dict[str, float]:
    features = features_of(item_store, ResolvedProfile(case.profile, Context()))
    picks = [item_store.rows[p.item] for p in case.profile.liked]
    out = {}
    for name, ranker in rankers.items():
        scores = ranker.scores(features, ranker.weights("prior", case.n_picks))
        scores[picks] = -np.inf
        best = [item_store.ids[n] for n in np.argsort(-scores, kind="stable")[:10]]
        out[name] = ndcg(best, case.targets, 10)
    return out


if __name__ == "__main__":
    main()
