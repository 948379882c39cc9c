"""Boosted regression trees that correct the ranking of the linear blend.

They are learned by LambdaMART (Burges, "From RankNet to LambdaRank to LambdaMART", 2010) with
LightGBM in ``coldstart.training.boosting``. Here they are plain arrays, read from JSON, so that
recommending needs no further dependency, and each tree's share of a score is attributed to
features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError
from coldstart.ranking.tree_masks import Node, TreeMasks
from coldstart.runtime import untrusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.ranking.tree_masks import Columns

    Floats = NDArray[np.float64]

UNKNOWN_SIGNALS = (
    "install the package that provides them; or another version of coldstart made the artifact"
)
"""Hint where an artifact names signals that are not registered."""

POOL = 2000
"""Trees look at this many items at most, the best by the linear blend."""


class TreeCorrection:
    """A sum of regression trees over the ranker's features.

    Args:
        names: the features the trees know, which may be fewer than the ranker has.
        trees: their roots.
    """

    def __init__(self, names: Sequence[str], trees: Sequence[Node]) -> None:
        self.names, self.trees = tuple(names), tuple(trees)
        self._masks = TreeMasks(self.trees, len(self.names))

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
        total = self._masks.sums(self._columns(features[rows], order))
        out = np.full(len(linear), total.min() if len(total) else 0.0)
        out[rows] = total
        return out

    def explain(self, features: Floats, order: Sequence[str]) -> Floats:
        """Each feature's part in the correction, shape (N, F); rows sum to ``correct``.

        A split's change of the mean output is credited to the feature it compares (Saabas, 2014).
        """
        out = np.zeros((features.shape[0], len(order)))
        place = [list(order).index(n) for n in self.names]
        out[:, place] = self._masks.parts(self._columns(features, order))
        return out

    def _columns(self, features: Floats, order: Sequence[str]) -> Columns:
        where = {name: n for n, name in enumerate(order)}
        return [np.ascontiguousarray(features[:, where[n]], dtype=np.float32) for n in self.names]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"features": list(self.names), "trees": [t.to_list() for t in self.trees]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], known: Sequence[str]) -> TreeCorrection:
        """Read what ``to_dict`` wrote; ``known`` are the features this version computes.

        Raises:
            ArtifactError: malformed, or with features that are unknown.
        """
        with untrusted.within("malformed ranker trees"):
            found = untrusted.mapping(data, "the correction", ("features", "trees"))
            names = untrusted.names(found["features"], "features")
            if not isinstance(found["trees"], list):
                raise untrusted.refuse("trees", found["trees"], "a list of trees")
            trees = [Node.from_list(tree, len(names)) for tree in found["trees"]]
        if unknown := set(names) - set(known):
            raise ArtifactError(
                f"the ranker's trees use unknown feature(s) {sorted(unknown)}",
                hint=UNKNOWN_SIGNALS,
            )
        return cls(names, trees)
