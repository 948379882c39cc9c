"""What a linear blend cannot say: boosted regression trees that correct its ranking.

They are learned by LambdaMART (Burges, "From RankNet to LambdaRank to LambdaMART", 2010) with
LightGBM in ``coldstart.training.boosting``. Here they are plain arrays, read from JSON, so that
recommending needs no further dependency, and every tree's share of a score can be told by feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Columns = Sequence[NDArray[np.float32]]

POOL = 2000
"""Trees look at this many items at most, the best by the linear blend."""


@dataclass(frozen=True)
class Node:
    """A split, or a leaf where ``left`` and ``right`` are missing.

    Args:
        value: mean output of the training examples that came here, score units.
        feature: index of the feature that is compared.
        threshold: ``feature <= threshold`` goes left.
        left: the branch of small values.
        right: the other one.
    """

    value: float
    feature: int = -1
    threshold: float = 0.0
    left: Node | None = None
    right: Node | None = None

    def to_list(self) -> list[Any]:
        """``[value]`` for a leaf, ``[value, feature, threshold, left, right]`` for a split."""
        if self.left is None or self.right is None:
            return [self.value]
        sides = [self.left.to_list(), self.right.to_list()]
        return [self.value, self.feature, self.threshold, *sides]

    @classmethod
    def from_list(cls, data: Sequence[Any], n_features: int) -> Node:
        """Read what ``to_list`` wrote."""
        if len(data) == 1:
            return cls(float(data[0]))
        value, feature, threshold, left, right = data
        if not isinstance(feature, int) or not 0 <= feature < n_features:
            raise ValueError(f"a tree compares feature {feature!r} of {n_features}")
        sides = cls.from_list(left, n_features), cls.from_list(right, n_features)
        return cls(float(value), feature, float(threshold), *sides)


class TreeCorrection:
    """A sum of regression trees over the ranker's features.

    Args:
        names: the features the trees know, which may be fewer than the ranker has.
        trees: their roots.
    """

    def __init__(self, names: Sequence[str], trees: Sequence[Node]) -> None:
        self.names, self.trees = tuple(names), tuple(trees)

    def correct(self, features: Floats, order: Sequence[str], linear: Floats) -> Floats:
        """What to add to each item's linear score.

        Args:
            features: shape (N, F).
            order: names of the features, length F.
            linear: the linear scores, shape (N,).

        Returns:
            Shape (N,). Items beyond the ``POOL`` best get the lowest correction of those in it.
        """
        rows = np.arange(len(linear))
        if len(rows) > POOL:
            rows = np.sort(np.argpartition(-linear, POOL - 1)[:POOL])
        columns = self._columns(features[rows], order)
        total = np.zeros(len(rows))
        for tree in self.trees:
            total += _outputs(tree, columns) - tree.value
        out = np.full(len(linear), total.min() if len(total) else 0.0)
        out[rows] = total
        return out

    def explain(self, features: Floats, order: Sequence[str]) -> Floats:
        """Each feature's part in the correction, shape (N, F); rows sum to ``correct``.

        A split's change of the mean output is credited to the feature it compares (Saabas, 2014).
        """
        columns = self._columns(features, order)
        out = np.zeros((features.shape[0], len(order)))
        place = [list(order).index(n) for n in self.names]
        for tree in self.trees:
            _credit(tree, columns, np.ones(features.shape[0], dtype=bool), place, out)
        return out

    def _columns(self, features: Floats, order: Sequence[str]) -> Columns:
        where = {name: n for n, name in enumerate(order)}
        return [np.ascontiguousarray(features[:, where[n]], dtype=np.float32) for n in self.names]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"features": list(self.names), "trees": [t.to_list() for t in self.trees]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], known: Sequence[str]) -> TreeCorrection:
        """Read what ``to_dict`` wrote; ``known`` are the features this version computes."""
        try:
            names = [str(n) for n in data["features"]]
            trees = [Node.from_list(t, len(names)) for t in data["trees"]]
        except (TypeError, ValueError, LookupError, RecursionError) as e:
            raise ArtifactError(f"malformed ranker trees: {e}") from e
        if unknown := set(names) - set(known):
            raise ArtifactError(
                f"the ranker's trees use unknown feature(s) {sorted(unknown)}",
                hint="the artifact was made by another version of coldstart",
            )
        return cls(names, trees)


def _goes_left(node: Node, columns: Columns) -> NDArray[np.bool_]:
    return columns[node.feature] <= node.threshold


def _outputs(node: Node, columns: Columns) -> Any:
    if node.left is None or node.right is None:
        return node.value
    left, right = _outputs(node.left, columns), _outputs(node.right, columns)
    return np.where(_goes_left(node, columns), left, right)


def _credit(
    node: Node, columns: Columns, here: NDArray[np.bool_], place: Sequence[int], out: Floats
) -> None:
    if node.left is None or node.right is None:
        return
    left = _goes_left(node, columns)
    for child, inside in ((node.left, here & left), (node.right, here & ~left)):
        out[inside, place[node.feature]] += child.value - node.value
        _credit(child, columns, inside, place, out)
