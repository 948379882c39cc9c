"""Prior popularity of items from what a catalog says of them: sales, votes, numbers of ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def prior_lift(sales: Floats) -> Floats:
    """Log ratio of each item's prior share of choices to the mean share, nats, shape (N,).

    ``log(N · π_i)`` with ``π_i ∝ x_i + m``: the sales x, smoothed by their median m, so that few
    sales, which are mostly chance or age, make little difference. Items without sales get the
    median. ``π = exp(prior_lift) / N`` sums to 1. All zero where no item has sales.

    Args:
        sales: at least 0, NaN where unknown, shape (N,).
    """
    known = sales[~np.isnan(sales)]
    if not known.size or not known.any():
        return np.zeros(len(sales))
    sales, known = sales / known.max(), known / known.max()  # the tiniest numbers lose no digits
    middle = float(np.median(known)) or float(known[known > 0].min())
    smoothed = np.where(np.isnan(sales), middle, sales) + middle
    return np.asarray(np.log(smoothed / smoothed.mean()))
