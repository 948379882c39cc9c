"""EASE, a linear autoencoder in closed form, and its blend with demographic popularity.

Harald Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import (
    TrainingData,
    by_picks,
    demographic_popularity,
)
from coldstart.interactions.interaction_stats import ease_weights
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


_COLUMNS = 1000  # dense at once


def ease(training: TrainingData, *, l2: float = 100_000.0) -> ScoredBaseline:
    """EASE with fold-in: the picks of a new user are one more row, ``x B``.

    Few picks need a λ far above the published ones, which were chosen for rows of many likes. At
    k=0 it is demographic popularity.
    """
    weights = ease_rows(training, l2)
    return by_picks(training, lambda picks: np.asarray(weights(picks).sum(axis=0)))


def ease_rows(training: TrainingData, l2: float) -> Callable[[list[int]], Floats]:
    """Rows of ``ease_weights``, computed from users where these are fewer than items.

    With X the likes of U users and ``A = (XXᵀ + λI)⁻¹ X``, ``(XᵀX + λI)⁻¹ = (I − XᵀA) / λ``
    (Woodbury), hence ``B_ij = (XᵀA)_ij / (1 − (XᵀA)_jj)``: the inverse is of U × U numbers.

    Args:
        training: the training users.
        l2: λ, > 0.

    Returns:
        Columns of K items → weight of a like of each for every item, shape (K, I).

    Raises:
        ConfigError: λ is not positive.
    """
    x = training.matrix
    if x.shape[0] >= x.shape[1] or not l2 > 0:
        weights = ease_weights(training.counts, l2)
        return lambda picks: np.asarray(weights[picks])
    gram = (x @ x.T).toarray()
    gram[np.diag_indices(len(gram))] += l2
    factor, rest = cho_factor(gram), np.ones(x.shape[1])
    for start in range(0, x.shape[1], _COLUMNS):
        part = x[:, start : start + _COLUMNS].toarray()
        rest[start : start + _COLUMNS] -= (part * cho_solve(factor, part)).sum(axis=0)

    def rows(picks: list[int]) -> Floats:
        a = cho_solve(factor, x[:, picks].toarray())
        out: Floats = np.asarray(a.T @ x) / rest
        out[np.arange(len(picks)), picks] = 0.0
        return out

    return rows


def ease_prior(
    training: TrainingData, *, l2: float = 30_000.0, weight: float = 2.0
) -> ScoredBaseline:
    """Demographic popularity plus EASE: ``log p + Σ_g lift_g + w √k · x B / max(x B)``, in nats.

    The maximum is over the items that are no picks. At k=0 demographic popularity remains.

    Args:
        training: the training users.
        l2: λ of ``ease_weights``.
        weight: w, nats given to the item that EASE puts first, at one pick.
    """
    weights = ease_rows(training, l2)

    def score(profile: UserProfile) -> Floats:
        picks = training.picks(profile)
        said = weights(picks).sum(axis=0)
        said[picks] = 0.0
        top = max(float(said.max(initial=0.0)), 1e-12)
        prior = demographic_popularity(training, profile)
        return np.asarray(prior + weight * np.sqrt(len(picks)) * said / top)

    return training.ranking(score)


_L2 = (300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0)

EASE = Baseline(
    "ease",
    "EASE fold-in alone; demographic popularity without picks",
    ease,
    uses=frozenset({"picks", "attributes"}),
    grid={"l2": _L2},
    position=70,
)
EASE_PRIOR = Baseline(
    "ease_prior",
    "EASE fold-in + demographic popularity",
    ease_prior,
    uses=frozenset({"picks", "attributes"}),
    grid={"l2": _L2, "weight": (0.5, 1.0, 2.0, 3.0)},
    position=80,
    headline=30,
    label="EASE + demographic prior",
)
