"""How much likelier an item is by its year alone, given picks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.scoring.scorer import Floats

NEAR = 3.0
"""Years in which the weight of a pick's year falls to 1/e."""
CERTAIN = 0.5
"""Share of what is liked that follows the picks' years; the rest is of any year."""


def year_lift(items: ItemStore, picks: Sequence[int]) -> Floats:
    """``√((d − 1) / k) · log(½ + ½ · (1/d) Σ_j K_ij / mean_i K_ij)``, nats, shape (N,).

    K_ij = exp(−|year_i − year_j| / 3), d of the k picks have a year, and the mean is over the dated
    items of the catalog, so that years which most items have tell little. The year of a single pick
    is no taste: the factor is 0 for one and grows as the degrees of freedom of a spread do. Zero
    for items without a year.

    Args:
        items: the candidate set.
        picks: rows of the picks in it.
    """
    years = items.dated[list(picks)]
    years = years[~np.isnan(years)]
    if len(years) < 2:
        return np.zeros(len(items.ids))
    usual = items.whole.dated[items.whole.typical]
    known, times = np.unique(usual[~np.isnan(usual)], return_counts=True)
    mean = times @ _weight(known, years) / times.sum()
    lift = (_weight(items.dated, years) / mean).mean(axis=1)
    out = np.log(1 - CERTAIN + CERTAIN * lift) * np.sqrt((len(years) - 1) / len(picks))
    return np.where(np.isnan(items.dated), 0.0, out)


def _weight(years: Floats, of: Floats) -> Floats:
    return np.asarray(np.exp(-np.abs(years[:, None] - of) / NEAR))
