"""Item-item similarity by content and attributes, and co-occurrence smoothed over content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog.known_attributes import NOT_COMPARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.interactions.interaction_stats import Counts
    from coldstart.protocols import Float

    Floats = NDArray[np.float64]

NEIGHBOURS = 15
"""Neighbours of an item in the content graph, besides itself."""
MOST_ITEMS = 20_000
"""Largest catalog with a content graph: all pairs take seconds here, and the cost is quadratic."""
_SHARPNESS = 3  # power of the cosine: near neighbours dominate
_ROWS = 512  # compared with all others at once


def content_transitions(
    vectors: Float, typical: NDArray[np.bool_] | None = None
) -> sparse.csr_array:
    """Transition matrix of a random walk on the content nearest-neighbour graph, with self-loops.

    Row i holds ``s_ij / Σ_j s_ij`` with ``s_ij = max(cos_ij, 0)³`` for the 15 items nearest to i
    and ``s_ii = 1``.

    Args:
        vectors: unit content vectors, shape (N, dim).
        typical: items that may be neighbours of others, shape (N,); ``None``: all.

    Returns:
        Shape (N, N), rows summing to 1; all zero for more than ``MOST_ITEMS`` items.
    """
    n = len(vectors)
    if n > MOST_ITEMS:
        return sparse.csr_array((n, n))
    typical = np.ones(n, dtype=np.bool_) if typical is None else typical
    others = max(min(NEIGHBOURS, int(typical.sum()) - 1), 0)
    columns = np.zeros((n, others + 1), dtype=np.int64)
    values = np.ones((n, others + 1))
    columns[:, 0] = np.arange(n)
    if others > 0:
        for start in range(0, n, _ROWS):
            rows = np.arange(start, min(start + _ROWS, n))
            near = vectors[rows] @ vectors.T
            near[np.arange(len(rows)), rows] = -np.inf
            near[:, ~typical] = -np.inf
            best = np.argpartition(-near, others - 1, axis=1)[:, :others]
            columns[rows, 1:] = best
            values[rows, 1:] = np.maximum(np.take_along_axis(near, best, axis=1), 0) ** _SHARPNESS
    values /= values.sum(axis=1, keepdims=True)
    ends = np.arange(0, values.size + 1, others + 1)
    return sparse.csr_array((values.ravel(), columns.ravel(), ends), shape=(n, n))


def attribute_values(
    attributes: Sequence[Mapping[str, str]], typical: NDArray[np.bool_] | None = None
) -> sparse.csr_array:
    """Attribute values of items, weighted by inverse document frequency, shape (N, V).

    ``log(N / n) / log N`` for a value that n of N items have: 1 if unique, 0 if shared by all.

    Args:
        attributes: of each item, value by name.
        typical: items that are counted, shape (N,); ``None``: all.
    """
    values: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for row, named in enumerate(attributes):
        for name, value in named.items():
            if name in NOT_COMPARED:
                continue
            rows.append(row)
            columns.append(values.setdefault((name, value.strip().casefold()), len(values)))
    shape = (len(attributes), len(values))
    counted = np.ones(len(attributes), dtype=np.bool_) if typical is None else typical
    of_counted = np.array(columns, dtype=np.int64)[counted[np.array(rows, dtype=np.int64)]]
    having, total = np.bincount(of_counted, minlength=len(values)), int(counted.sum())
    rarity = np.log(total / np.maximum(having, 1)) / np.log(max(total, 2))
    return sparse.csr_array((rarity[columns], (rows, columns)), shape=shape)


def co_occurrence_of_relatives(
    counts: Counts,
    alike: sparse.csr_array,
    columns: NDArray[np.int64],
    picks: Sequence[int],
    *,
    damping: float = 20.0,
) -> Floats:
    """Co-occurrence with the picks, smoothed over content on both sides.

    ``S C̃ Sᵀ`` with S = ``content_transitions`` and C̃ the damped cosine of co-occurrence: a step
    over likes between two steps over content. Defined for items and picks with few likes or none.

    Args:
        counts: interaction statistics of the training users.
        alike: ``content_transitions`` of the catalog's items, shape (N, N).
        columns: column of each catalog item in ``counts``, −1 for cold items, shape (N,).
        picks: catalog rows.
        damping: d of ``interaction_stats.co_occurrence``, in likes.

    Returns:
        Shape (N,): divided by the maximum over the warm items that are not picks, so in [0, 1] for
        these.
    """
    meant = np.asarray(alike[list(picks)].sum(axis=0)).ravel()
    met = np.flatnonzero(columns >= 0)
    size = np.sqrt(counts.likes + damping)
    near = met[meant[met] > 0]
    weights = meant[near] / size[columns[near]]
    together = weights @ counts.together[columns[near]] / size if len(near) else None
    out = np.zeros(len(columns))
    if together is not None:
        out[met] = together[columns[met]]
        out = np.asarray(alike @ out)
    out[list(picks)] = 0
    top = out[met].max(initial=0.0)
    return out / top if top > 0 else out
