"""Likeness of items to named ones, apart from their popularity: by content and by shared likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.interaction_stats import known_columns
from coldstart.scoring.stated import standardised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.interactions.interaction_stats import Counts
    from coldstart.protocols import Float

    Floats = NDArray[np.float64]

DAMPING = 5.0
"""Shared likes that are added to those counted and to those expected."""
LIFT = 4.0
"""What a nat of shared likes counts beside half of a standard deviation of content. A title that
few people like has small lifts, and its content decides; standardised lifts would be noise."""


def likeness(items: ItemStore, named: Sequence[int], *units: Float) -> Floats:
    """How like named items every item of a store is, in standard deviations of content, shape (N,).

    Half the closeness of content, the mean over the content vectors and other ones, and ``LIFT``
    times ``shared_lift``.

    Args:
        items: a whole store.
        named: rows of the named items, at least one.
        units: other vectors of the items, of unit length, shape (N, D) each.
    """
    rows = list(named)
    near = [(v @ v[rows].mean(axis=0)).astype(np.float64) for v in (items.content, *units)]
    by_content = np.mean([standardised(n, n) for n in near], axis=0)
    lift = items.spread(shared_lift(items.counts, [items.ids[row] for row in rows]))
    return np.asarray(0.5 * by_content + LIFT * lift)


def shared_lift(counts: Counts, picks: Sequence[str]) -> Floats:
    """How much oftener than by chance each item is liked with the picks, in nats, shape (I,).

    ``log((n_ij + d) / (n_i n_j / U + d))``, a damped pointwise mutual information, mean over the
    picks that are counted; zero without one. Unlike a cosine it does not grow with popularity.

    Args:
        counts: interaction statistics of U users.
        picks: item ids.
    """
    out = np.zeros(len(counts.item_ids))
    columns = known_columns(counts, picks)
    for j in columns:
        together = counts.together[[j]].toarray().ravel()
        expected = counts.likes * counts.likes[j] / max(counts.n_users, 1)
        out += np.log((together + DAMPING) / (expected + DAMPING)) / len(columns)
    return out
