"""Fit the tree correction of the ranker with LambdaMART (LightGBM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import MissingExtraError
from coldstart.ranking.tree_masks import Node
from coldstart.ranking.trees import TreeCorrection
from coldstart.scoring.registry import SIGNALS
from coldstart.training.simulation import Order

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANDIDATES = 300
"""Items per ranking group: the best by the linear blend."""

_SETTINGS: dict[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "learning_rate": 0.03,
    "num_leaves": 7,
    "min_data_in_leaf": 500,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class RankingGroup:
    """Ranking group of one simulated request: its candidates with features and labels.

    Args:
        user: user id.
        features: shape (C, len(SIGNALS)), float32.
        liked: relevance labels: whether the user likes each item later, shape (C,).
        linear: scores of the linear blend, shape (C,).
        order: which likes are the picks; see ``simulation.simulate_request``.
    """

    user: str
    features: NDArray[np.float32]
    liked: NDArray[np.bool_]
    linear: NDArray[np.float64]
    order: Order = "first"


def fit_trees(
    requests: Sequence[RankingGroup],
    *,
    names: Sequence[str] | None = None,
    rounds: int = 400,
    seed: int = 0,
) -> TreeCorrection:
    """Fit an additive correction of the linear scores by LambdaMART.

    The features must be out-of-fold (``training.out_of_fold``). Subtracting a user's own likes from
    the counts is not enough: it lowers the count of exactly the liked items by one, a label leak
    that trees exploit.

    Args:
        requests: ranking groups of the training users.
        names: input signals; ``None``: those that ``SIGNALS`` assigns to the trees.
        rounds: number of trees.
        seed: of the row and feature samples.
    """
    try:
        import lightgbm
    except ImportError:
        raise MissingExtraError(
            "the trees need lightgbm", hint="pip install 'coldstart-rec[train]'"
        ) from None

    if names is None:
        names = SIGNALS.tree_names
    useful = [r for r in requests if r.liked.any() and not r.liked.all()]
    if not useful:
        return TreeCorrection(names, ())
    use = [SIGNALS.index(n) for n in names]
    data = lightgbm.Dataset(
        np.concatenate([r.features[:, use] for r in useful]),
        np.concatenate([r.liked for r in useful]).astype(np.int32),
        group=[len(r.liked) for r in useful],
        init_score=np.concatenate([r.linear for r in useful]),
    )
    monotone = [SIGNALS[n].direction for n in names]
    settings = {**_SETTINGS, "seed": seed, "monotone_constraints": monotone}
    booster = lightgbm.train(settings, data, rounds)
    found = booster.dump_model()["tree_info"]
    return TreeCorrection(names, [_node(tree["tree_structure"]) for tree in found])


def _node(data: Mapping[str, Any]) -> Node:
    if "split_feature" not in data:
        return Node(float(data["leaf_value"]))
    return Node(
        float(data["internal_value"]),
        int(data["split_feature"]),
        float(data["threshold"]),
        _node(data["left_child"]),
        _node(data["right_child"]),
    )
