"""K-means clustering on a sample (Lloyd, 1982)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Ints = NDArray[np.int64]

_ROUNDS = 4  # more hardly change recall
_SAMPLE = 32  # sampled rows per cluster
_BLOCK = 2048  # rows scored against all centres at once


def learn_centres(rows: Float, n: int, seed: int = 0) -> Float:
    """Learn ``n`` cluster centres from a sample of the rows.

    Args:
        rows: shape (N, dim).
        n: number of clusters, 1 to N; fewer result if rows are equal.
        seed: of the sample, whose first ``n`` rows are the initial centres.

    Returns:
        Means, shape (up to n, dim).
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(rows), min(len(rows), n * _SAMPLE), replace=False)
    centres, sample = np.unique(rows[drawn[:n]], axis=0), rows[np.sort(drawn)]
    for _ in range(_ROUNDS):
        member = nearest_centre(sample, centres)
        order = np.argsort(member, kind="stable")
        present, first, sizes = np.unique(member[order], return_index=True, return_counts=True)
        sums = np.add.reduceat(sample[order], first, axis=0)
        centres[present] = sums / sizes[:, None].astype(np.float32)
    return centres


def nearest_centre(rows: Float, centres: Float) -> Ints:
    """Index of each row's nearest centre, shape (N,)."""
    half = np.einsum("ij,ij->i", centres, centres) / 2
    out = np.empty(len(rows), dtype=np.int64)
    for at in range(0, len(rows), _BLOCK):
        out[at : at + _BLOCK] = (rows[at : at + _BLOCK] @ centres.T - half).argmax(axis=1)
    return out
