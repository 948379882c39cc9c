"""Empirical Bayes: how much content and chance explain of what is liked together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RELIABILITY = 0.5
"""λ: power of the lift by content, as expected before anything was observed."""
SHAPE = 3.0
"""α: likes that an expected number of likes is worth, before anything was observed."""
_MOST_RELIABLE = 2.0
_RELIABILITY_SPREAD = 0.3  # standard deviation of λ around what is expected
_SHAPE_SPREAD = 1.0  # likewise, of log α
_RANGE = 6.0  # nats around log SHAPE that are searched


@dataclass(frozen=True)
class CoLikes:
    """Likes of the likers of some items, beside what content says of them.

    Args:
        both: users who like the item and another one, at least 1, shape (P,), over the pairs.
        share: p, of all likes that are of the other one, shape (P,).
        lift: x, nats, by the content of the item, of the other one, shape (P,).
        item: number of the item of each pair, 0 to S − 1, shape (P,).
        likers: of each item, shape (S,).
        drawn: lifts of D items that were drawn by p, NaN for the item itself, shape (D, S).
        drawn_share: their p, shape (D,).
    """

    both: Floats
    share: Floats
    lift: Floats
    item: Ints
    likers: Floats
    drawn: Floats
    drawn_share: Floats

    @property
    def given(self) -> Floats:
        """Likes that the likers of each item gave to other items, shape (S,)."""
        return np.bincount(self.item, self.both, len(self.likers)).astype(np.float64)


def content_reliability(pairs: CoLikes) -> float:
    """Power λ of a lift by content that the likes of likers bear out.

    The maximum a posteriori of ``λ ~ N(RELIABILITY, 0.3)``, cut to [0, 2], where a liker of item j
    likes another item i with probability ``p_i·exp(λ·x_ij) / Σ_i p_i·exp(λ·x_ij)``. The likes of a
    liker depend on one another, so all of a liker's together count as one. 0: content says nothing
    of what is liked together; 1: as much as it seems.

    Args:
        pairs: the likes.

    Returns:
        λ; ``RELIABILITY`` without pairs.
    """
    from scipy.optimize import minimize_scalar  # half a second to import

    given, many = pairs.given, len(pairs.likers)
    some = given > 0
    of_pairs = np.bincount(pairs.item, pairs.both * pairs.lift, many)
    mean = np.divide(of_pairs, given, out=np.zeros(many), where=some)
    likers = np.where(some, pairs.likers, 0.0)
    usable = ~np.isnan(pairs.drawn)
    drawn, number = np.where(usable, pairs.drawn, 0.0), np.maximum(usable.sum(axis=0), 1)

    def loss(power: float) -> float:
        usual = np.where(usable, np.exp(power * drawn), 0.0).sum(axis=0) / number
        fit = likers * (power * mean - np.log(np.where(some & (usual > 0), usual, 1.0)))
        return float((power - RELIABILITY) ** 2 / (2 * _RELIABILITY_SPREAD**2) - fit.sum())

    if not some.any():
        return RELIABILITY
    found = minimize_scalar(loss, bounds=(0.0, _MOST_RELIABLE), method="bounded")
    return float(found.x)


def gamma_shape(pairs: CoLikes, reliability: float) -> float:
    """Shape α of the prior of lifts, ``Gamma(α, α)``, by how much numbers of co-likes vary.

    With E_ij likes expected, ``c_j·p_i·exp(λ·x_ij)`` of the c_j that the likers of j gave, C_ij are
    negative binomial with mean E_ij and shape α, and the mean lift after C_ij likes is ``(C_ij + α)
    / (E_ij + α)`` (DuMouchel, "Bayesian Data Mining in Large Frequency Tables", American
    Statistician 1999). The maximum a posteriori of ``log α ~ N(log SHAPE, 1)``. Large where likes
    come as expected, small where few items take most of what is liked together.

    Args:
        pairs: the likes.
        reliability: λ.

    Returns:
        α, in likes; ``SHAPE`` without pairs.
    """
    from scipy.optimize import minimize_scalar  # half a second to import

    given = pairs.given
    expected = given[pairs.item] * pairs.share * np.exp(reliability * pairs.lift)
    usual = given * pairs.drawn_share[:, None] * np.exp(reliability * pairs.drawn)
    usual = np.where(np.isnan(usual), 0.0, usual)
    number, times = np.unique(pairs.both, return_counts=True)
    weight = 1.0 / (len(usual) * pairs.drawn_share[:, None]) if len(usual) else np.zeros((0, 1))

    def loss(log_shape: float) -> float:
        shape = np.exp(log_shape)
        fit = times @ (gammaln(number + shape) - gammaln(shape))
        fit -= pairs.both @ np.log(expected + shape)
        fit -= shape * (weight * np.log1p(usual / shape)).sum()
        return float((log_shape - np.log(SHAPE)) ** 2 / (2 * _SHAPE_SPREAD**2) - fit)

    if not len(pairs.both):
        return SHAPE
    around = np.log(SHAPE)
    bounds = (around - _RANGE, around + _RANGE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
