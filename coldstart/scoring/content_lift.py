"""How much likelier an item is by its content alone, given picks: a softmax of similarities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.scoring.scorer import Floats, Ints

KINDS = 0.3
"""Cosine of the categories that counts as much as a cosine of 1 of the contents."""
_NOISE = 1e-6  # standard deviation of similarities that is rounding
_MOST = 8.0  # standard deviations, beyond which an item is no more alike
_SAMPLE = 20_000  # items that similarities are standardised over


def content_lift(items: ItemStore, picks: Sequence[int]) -> Floats:
    """``log((1/k) Σ_j exp(z_ij) / Z_j)`` of every item given k picks, nats, shape (N,).

    z_ij is the similarity of item i and pick j, the cosine of their contents and ``KINDS`` times
    that of their categories, standardised over the catalog's items for each pick, and at most 8;
    Z_j is the mean of ``exp(z_ij)`` over them. A mean before the logarithm: an item need resemble
    one pick, not all.

    Args:
        items: the candidate set.
        picks: rows of the picks in it, at least one.
    """
    whole, rows = items.whole, list(picks)
    usual = _similarity(whole, _usual_rows(whole), items, rows)
    values = usual if items is whole and len(usual) == len(items.ids) else None
    if values is None:
        values = _similarity(items, None, items, rows)
    mean, spread = usual.mean(axis=0), usual.std(axis=0)
    scale = np.where(spread > _NOISE, spread, np.inf)

    def weight(similarity: Floats) -> Floats:
        return np.asarray(np.exp(np.minimum((similarity - mean) / scale, _MOST)))

    lifted = weight(values) / weight(usual).mean(axis=0)
    return np.asarray(np.log(lifted.mean(axis=1)))


def _similarity(
    items: ItemStore, rows: Ints | None, of_picks: ItemStore, picks: Sequence[int]
) -> Floats:
    """Similarity of some rows, or all, with every pick, shape (rows, picks)."""
    content, kinds = items.content, items.kinds
    if rows is not None:
        content, kinds = content[rows], kinds[rows]
    out = np.asarray(content @ of_picks.content[picks].T, dtype=np.float64)
    return np.asarray(out + KINDS * (kinds @ of_picks.kinds[picks].T))


def _usual_rows(whole: ItemStore) -> Ints | None:
    """Rows that similarities are standardised over; ``None`` for all."""
    if whole.typical.all() and len(whole.ids) <= _SAMPLE:
        return None
    rows = np.flatnonzero(whole.typical)
    if len(rows) > _SAMPLE:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:_SAMPLE])
    return rows
