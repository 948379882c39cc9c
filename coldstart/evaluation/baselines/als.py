"""Implicit alternating least squares with the ``implicit`` library and fold-in of new users.

Y. Hu, Y. Koren and C. Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM
2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from coldstart.evaluation.baselines.registry import Baseline, needed
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.training_data import TrainingData, by_picks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


INSTALL = "'coldstart-rec[rivals]'"


def fold_in(items: Floats, picks: list[int], *, alpha: float, l2: float) -> Floats:
    """Fold-in: user vector of the picks of a new user, shape (F,).

    ``x = (YᵀY + Σ_j (α − 1) y_j y_jᵀ + λI)⁻¹ Σ_j α y_j`` (equation 4 of the paper, one user), the
    minimum of ``Σ_i c_i (p_i − x·y_i)² + λ‖x‖²`` with p = 1 and confidence c = α for picks, else
    p = 0 and c = 1; in the paper c = 1 + α r.

    Args:
        items: Y, item factors, shape (I, F).
        picks: rows of Y.
        alpha: confidence of a like, ≥ 1.
        l2: λ.
    """
    chosen = items[picks]
    left = items.T @ items + (alpha - 1) * chosen.T @ chosen + l2 * np.eye(items.shape[1])
    return np.asarray(np.linalg.solve(left, alpha * chosen.sum(axis=0)))


def item_factors(
    matrix: sparse.csr_array,
    *,
    factors: int,
    alpha: float,
    l2: float,
    iterations: int = 15,
    seed: int = 0,
) -> Floats:
    """Item factors Y, shape (I, F), by exact solves on one thread, so that a seed repeats.

    Raises:
        MissingExtraError: the library is not installed.
    """
    library = needed("implicit.cpu.als", "als", INSTALL)
    with threadpool_limits(1, "blas"):
        model = library.AlternatingLeastSquares(
            factors=factors,
            alpha=alpha,
            regularization=l2,
            iterations=iterations,
            use_cg=False,
            num_threads=1,
            random_state=seed,
        )
        model.fit(sparse.csr_matrix(matrix, dtype=np.float32), show_progress=False)
    return np.asarray(model.item_factors, dtype=np.float64)


def als(
    training: TrainingData,
    *,
    factors: int = 4,
    alpha: float = 5.0,
    l2: float = 200.0,
    iterations: int = 15,
    seed: int = 0,
) -> ScoredBaseline:
    """Implicit ALS alone: items by ``Y x``, with x folded in from the picks.

    At k=0 there is nothing to fold in, and it is demographic popularity. With a few picks strong
    regularisation validates best, under which little but one direction, popularity, survives.

    Args:
        training: the training users.
        factors: length of the vectors.
        alpha: confidence of a like; everything else has 1.
        l2: λ, the same for users and items.
        iterations: over users and items.
        seed: of the first vectors.
    """
    items = item_factors(
        training.matrix, factors=factors, alpha=alpha, l2=l2, iterations=iterations, seed=seed
    )
    return by_picks(training, lambda picks: items @ fold_in(items, picks, alpha=alpha, l2=l2))


BASELINE = Baseline(
    "als",
    "implicit ALS fold-in alone; demographic popularity without picks",
    als,
    uses=frozenset({"picks", "attributes"}),
    grid={
        "factors": (4, 8, 16),
        "alpha": (2.0, 5.0, 10.0, 20.0),
        "l2": (50.0, 100.0, 200.0, 500.0),
    },
    requires="implicit",
    install=INSTALL,
    position=90,
)
