"""Learning the blend on users that neither the language model nor the counts have seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.evaluation.metrics import ndcg
from coldstart.features import FEATURES
from coldstart.ranking import DEFAULT_WEIGHTS, Case, LinearRanker, fit_weights
from coldstart.schema import Context, Pick, UserProfile
from coldstart.training.people import simulate_words

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

SHOTS = (0, 1, 3, 5, 10)
MIN_TARGETS = 5
UNUSED = {
    "catalog": {"written"},
    "free": {"model"},
    "both": set[str](),
    "prior": {"model", "written"},
}
"""Features each strategy does without."""


def cold_cases(
    recommender: Recommender,
    data: Dataset,
    users: Sequence[str],
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[tuple[str, Case]]:
    """Simulate users as cold: their first k likes are picks, the later ones are targets.

    Half of the simulated requests state interests or say a sentence, derived from five further
    likes that are then neither targets nor candidates; a third name disliked items.

    Args:
        recommender: provides prompts, language model and features.
        data: the likes.
        users: users outside the language model's and the counts' training users.
        seed: of the simulation and of free writing.
        report: called with (done, total).

    Returns:
        (user, case) pairs; users with fewer than 5 targets are left out.
    """
    todo = [(u, k) for u in users for k in SHOTS if len(data.likes[u]) >= k + MIN_TARGETS]
    out = []
    for done, (user, k) in enumerate(todo, start=1):
        rng = np.random.default_rng([seed, done])
        likes = list(data.likes[user])
        picks, later = likes[:k], likes[k:]
        hidden: list[str] = []
        interests: tuple[str, ...] = ()
        about = None
        if len(later) >= 2 * MIN_TARGETS and rng.random() < 0.5:
            hidden = [later[i] for i in rng.permutation(len(later))[:5]]
            interests, about = simulate_words(data.catalog, hidden, rng, 0.8, 0.5)
        low = data.dislikes.get(user, ()) if rng.random() < 0.33 else ()
        profile: UserProfile = data.users[user].model_copy(
            update={
                "liked": tuple(Pick(item=i) for i in picks),
                "disliked": tuple(Pick(item=i) for i in low[:3]),
                "interests": interests,
                "about": about,
            }
        )
        resolved = recommender.resolve(profile, Context())
        found = recommender.evidence(resolved, "both", seed=seed)
        rows = recommender.knowledge.rows
        gone = {*hidden, *picks}
        targets = [rows[i] for i in later if i not in gone]
        features = recommender.features(resolved, found)
        excluded = np.array([rows[i] for i in [*picks, *hidden, *low[:3]]], dtype=np.int64)
        case = Case(features.astype(np.float32), np.array(targets), excluded, k)
        out.append((user, case))
        if report:
            report(done, len(todo))
    return out


def fit_ranker(cases: Sequence[Case]) -> LinearRanker:
    """Fit one set of weights for every strategy."""
    return LinearRanker(
        {s: fit_weights(cases, [f for f in FEATURES if f not in u]) for s, u in UNUSED.items()}
    )


def case_ndcg(case: Case, weights: np.ndarray) -> float:
    """NDCG@10 of one case under given weights."""
    scores = case.features @ weights
    scores[case.excluded] = -np.inf
    top = np.argsort(-scores, kind="stable")[:10]
    return ndcg([str(r) for r in top], {str(r) for r in case.targets}, 10)


def cross_validate(pairs: Sequence[tuple[str, Case]], folds: int = 5) -> dict[str, float]:
    """NDCG@10 of every strategy and number of picks, on users the blend was not fitted on.

    Returns:
        ``{"catalog_k0": …}``; ``default_…`` rows are the unfitted classical blend.
    """
    users = sorted({u for u, _ in pairs})
    fold_of = {u: n % folds for n, u in enumerate(users)}
    found: dict[str, list[float]] = {}
    classical = np.array(
        [DEFAULT_WEIGHTS[f][0] if f in ("popularity", "people", "picks") else 0.0 for f in FEATURES]
    )
    for fold in range(min(folds, len(users))):
        ranker = fit_ranker([c for u, c in pairs if fold_of[u] != fold])
        for user, case in pairs:
            if fold_of[user] != fold:
                continue
            found.setdefault(f"classical_k{case.shots}", []).append(case_ndcg(case, classical))
            for strategy in UNUSED:
                weights = ranker.weights(strategy, case.shots)
                found.setdefault(f"{strategy}_k{case.shots}", []).append(case_ndcg(case, weights))
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}
