"""Many small regression trees at once: which leaf of each tree an item falls into.

QuickScorer (Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees", SIGIR 2015). A tree's leaves are bits, from left to right. A split
that sends an item to the right rules out the leaves on its left. Each feature's splits, of all
trees, are sorted by threshold, so that the bits that a value leaves over are one row of a table;
the rows of all features are joined by a bitwise "and", and the lowest bit left is the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Columns = Sequence[NDArray[np.float32]]

_BLOCK = 2**22  # pairs of item and tree looked at together
MOST_LEAVES = 64
FAR = 1e30
"""Largest magnitude of a threshold, in the unit of its feature."""
_MOST_CELLS = 1 << 26  # numbers of all tables together


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
    def from_list(cls, data: Any, n_features: int) -> Node:
        """Read what ``to_list`` wrote.

        Raises:
            ArtifactError: malformed, of more than 64 leaves, or with a feature that is not one of
                ``n_features``, or a number that is not finite or too large.
        """
        left = [2 * MOST_LEAVES - 1]

        def read(data: Any) -> Node:
            left[0] -= 1
            if left[0] < 0:
                raise ArtifactError(
                    f"a tree of the ranker has more than {MOST_LEAVES} leaves", untrusted.HINT
                )
            if not isinstance(data, list | tuple) or len(data) not in (1, 5):
                raise untrusted.refuse("a part of the ranker's trees", data, "[value] or a split")
            value = untrusted.number(data[0], "a value of the ranker's trees")
            if len(data) == 1:
                return cls(value)
            feature = data[1]
            if type(feature) is not int or not 0 <= feature < n_features:
                raise ArtifactError(
                    f"a tree compares feature {untrusted.shown(feature)} of {n_features}",
                    untrusted.HINT,
                )
            threshold = untrusted.number(data[2], "a threshold of the ranker's trees", -FAR, FAR)
            return cls(value, feature, threshold, read(data[3]), read(data[4]))

        return read(data)


class TreeMasks:
    """Trees as tables of bits.

    Args:
        trees: their roots, of at most 64 leaves each.
        n_features: number of features that they compare.

    Raises:
        ArtifactError: a tree has more leaves, or the trees are too many to be held as tables.
    """

    def __init__(self, trees: Sequence[Node], n_features: int) -> None:
        leaves = [_leaves(tree) for tree in trees]
        most = max((len(found) for found in leaves), default=1)
        if most > MOST_LEAVES:
            raise ArtifactError(
                f"a tree of the ranker has {most} leaves, at most {MOST_LEAVES} are supported"
            )
        cells = len(trees) * (sum(map(len, leaves)) + most * (n_features + 1))
        if cells > _MOST_CELLS:
            raise ArtifactError(
                f"the ranker has {len(trees)} trees, whose tables take {cells} numbers of at most "
                f"{_MOST_CELLS}"
            )
        self._bits = next(t for t in ("u1", "u2", "u4", "u8") if most <= 8 * np.dtype(t).itemsize)
        #: Output of each leaf less the tree's mean output, shape (trees, leaves).
        self.outputs = np.zeros((len(trees), most))
        #: Each feature's part in it (Saabas, 2014), shape (trees, leaves, n_features).
        self.credits = np.zeros((len(trees), most, n_features))
        for tree, found in enumerate(leaves):
            for leaf, (output, path) in enumerate(found):
                self.outputs[tree, leaf] = output - trees[tree].value
                for feature, gain in path:
                    self.credits[tree, leaf, feature] += gain
        splits = [s for tree, root in enumerate(trees) for s in _splits(tree, root)]
        self._tables = [
            self._table([s for s in splits if s[0] == feature], len(trees))
            for feature in range(n_features)
        ]

    def _table(
        self, splits: Sequence[tuple[int, float, int, int, int]], n_trees: int
    ) -> tuple[NDArray[np.float32], NDArray[np.unsignedinteger]]:
        """A feature's thresholds, ascending, and the bits left over above each, (S + 1, trees)."""
        ordered = sorted(splits, key=lambda s: s[1])
        everything = np.iinfo(self._bits).max
        table = np.full((len(ordered) + 1, n_trees), everything, dtype=self._bits)
        for row, (_, _, tree, first, end) in enumerate(ordered, start=1):
            table[row] = table[row - 1]
            table[row, tree] &= everything ^ ((1 << end) - (1 << first))
        return np.array([s[1] for s in ordered], dtype=np.float32), table

    def leaves(self, columns: Columns) -> NDArray[np.uint8]:
        """The leaf of every item in every tree, shape (N, trees).

        Args:
            columns: the items' features, one array of shape (N,) for each.
        """
        n, n_trees = len(columns[0]) if len(columns) else 0, len(self.outputs)
        out = np.zeros((n, n_trees), dtype=np.uint8)
        step = max(1, _BLOCK // max(1, n_trees))
        for start in range(0, n, step):
            left = np.full((min(step, n - start), n_trees), -1).astype(self._bits)
            for column, (thresholds, table) in zip(columns, self._tables, strict=True):
                if len(thresholds):
                    values = column[start : start + step]
                    left &= table[np.searchsorted(thresholds, values, side="left")]
            # Bits below the lowest one that is set.
            out[start : start + step] = np.bitwise_count((left & (~left + 1)) - 1)
        return out

    def sums(self, columns: Columns) -> Floats:
        """Sum of all trees' outputs for every item, shape (N,)."""
        found = self.leaves(columns)
        return np.asarray(self.outputs[np.arange(len(self.outputs)), found].sum(axis=1))

    def parts(self, columns: Columns) -> Floats:
        """Each feature's part in ``sums``, shape (N, n_features)."""
        found = self.leaves(columns)
        return np.asarray(self.credits[np.arange(len(self.credits)), found].sum(axis=1))


def _leaves(
    node: Node, path: tuple[tuple[int, float], ...] = ()
) -> list[tuple[float, tuple[tuple[int, float], ...]]]:
    """Leaves from left to right: output, and what each split on the way changed it by."""
    if node.left is None or node.right is None:
        return [(node.value, path)]
    return [
        leaf
        for child in (node.left, node.right)
        for leaf in _leaves(child, (*path, (node.feature, child.value - node.value)))
    ]


def _splits(tree: int, node: Node, first: int = 0) -> list[tuple[int, float, int, int, int]]:
    """Splits below a node: feature, threshold, tree, and the leaves on its left, half-open."""
    if node.left is None or node.right is None:
        return []
    middle = first + len(_leaves(node.left))
    own = (node.feature, node.threshold, tree, first, middle)
    return [own, *_splits(tree, node.left, first), *_splits(tree, node.right, middle)]
