"""Empirical Bayes: how many likes a prior distribution over items is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PER_ITEM = 0.3
"""Likes that the prior is worth per item, as expected before anything was observed."""
_SPREAD = 1.0  # standard deviation of its log around that
_RANGE = 6.0  # nats around the expectation that are searched


def dirichlet_concentration(likes: Floats, prior: Floats) -> float:
    """Concentration s of a Dirichlet prior ``s · π``, estimated from the likes themselves.

    The maximum a posteriori of ``log s ~ N(log(PER_ITEM · I), 1)`` under the Dirichlet-multinomial
    likelihood ``Γ(s) / Γ(T + s) · Π_i Γ(n_i + s·π_i) / Γ(s·π_i)``, T = Σ n_i. Where likes follow
    the prior, s grows and they change little; where they contradict it, s falls.

    Args:
        likes: n, at least 0, shape (I,).
        prior: π, positive, sums to 1, shape (I,).

    Returns:
        s, in likes; ``PER_ITEM · I`` without likes.
    """
    expected = float(np.log(PER_ITEM * max(len(prior), 1)))
    total, some = float(likes.sum()), likes > 0
    n, share = likes[some], prior[some]

    def loss(log_s: float) -> float:
        s = np.exp(log_s)
        fit = (gammaln(n + s * share) - gammaln(s * share)).sum() + gammaln(s) - gammaln(total + s)
        return float((log_s - expected) ** 2 / (2 * _SPREAD**2) - fit)

    if total <= 0:
        return float(np.exp(expected))
    from scipy.optimize import minimize_scalar  # half a second to import

    bounds = (expected - _RANGE, expected + _RANGE)
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x))
