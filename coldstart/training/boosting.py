"""Learning the tree correction with LightGBM's LambdaMART."""

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
"""Items per request that the trees learn to order: the best by the linear blend."""

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
class Request:
    """One request's best items, to learn their order from.

    Args:
        user: who asked.
        features: shape (C, len(SIGNALS)), float32.
        liked: whether the user went on to like each, shape (C,).
        linear: their linear scores, shape (C,).
        order: which likes were the picks; see ``people.simulate_request``.
    """

    user: str
    features: NDArray[np.float32]
    liked: NDArray[np.bool_]
    linear: NDArray[np.float64]
    order: Order = "first"


def fit_trees(
    requests: Sequence[Request],
    *,
    names: Sequence[str] | None = None,
    rounds: int = 400,
    seed: int = 0,
) -> TreeCorrection:
    """Fit the correction that, added to the linear scores, ranks the liked items first.

    The features must not know the requests' own likes, not even by leaving them out: an item that
    was liked n times looks different to those who are subtracted from the count, and trees find
    that. So they are computed from the counts of *other* users (``training.out_of_fold``).

    Args:
        requests: of the training users.
        names: signals the trees may use; ``None``: those that ``SIGNALS`` gives them.
        rounds: number of trees.
        seed: of the samples of rows and features.
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
