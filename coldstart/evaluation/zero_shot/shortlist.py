"""A shortlist by one score, ordered by another one that costs more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def reordered(
    near: Floats,
    named: Sequence[int],
    shortlist: int,
    score: Callable[[Sequence[int]], Floats],
) -> Floats:
    """Score of all items in which another one orders the first of them, shape (N,).

    Args:
        near: the score that chooses the shortlist and orders the rest, shape (N,).
        named: rows that are not to be recommended, and take no place on the shortlist.
        shortlist: number of items that are scored again; 0: all.
        score: rows, ascending → their new scores.
    """
    order = np.argsort(-near, kind="stable")
    order = order[~np.isin(order, named)]
    rows = np.sort(order[:shortlist] if shortlist else order)
    out = np.asarray(near - near.max(initial=0.0) - 1.0, dtype=np.float64)
    if len(rows):
        values = np.asarray(score(rows.tolist()), dtype=np.float64)
        out[rows] = values - values.min()
    return out
