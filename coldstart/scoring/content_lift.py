"""How much likelier an item is by its content alone, given picks: a softmax of similarities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.protocols import Float
    from coldstart.scoring.scorer import Floats

_NOISE = 1e-6  # standard deviation of cosines that is rounding
_MOST = 8.0  # standard deviations, beyond which an item is no more alike


def content_lift(items: ItemStore, picks: Sequence[int]) -> Floats:
    """``log((1/k) Σ_j exp(z_ij) / Z_j)`` of every item given k picks, nats, shape (N,).

    z_ij is the cosine of the contents of item i and pick j, standardised over the catalog's items
    for each pick, and at most 8; Z_j is the mean of ``exp(z_ij)`` over them. A mean before the
    logarithm: an item need resemble one pick, not all.

    Args:
        items: the candidate set.
        picks: rows of the picks in it, at least one.
    """

    def near(content: Float) -> Floats:
        return np.asarray(content @ items.content[list(picks)].T, dtype=np.float64)

    values = near(items.content)
    usual = values if items.sample is items.content else near(items.sample)
    mean, spread = usual.mean(axis=0), usual.std(axis=0)
    scale = np.where(spread > _NOISE, spread, np.inf)

    def weight(cosines: Floats) -> Floats:
        return np.asarray(np.exp(np.minimum((cosines - mean) / scale, _MOST)))

    lifted = weight(values) / weight(usual).mean(axis=0)
    return np.asarray(np.log(lifted.mean(axis=1)))
