"""Fit the ranker's weights on users held out from the language model and the counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from coldstart.data.dataset import Dataset
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Context, Strategy
from coldstart.scoring.registry import SIGNALS
from coldstart.training.blend import Case, fit_weights
from coldstart.training.simulation import MIN_TARGETS, N_PICKS, Order, simulate_request, target_rule

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

Floats = NDArray[np.float64]

ORDERS: tuple[Order, Order] = ("first", "random")


def cold_cases(
    recommender: Recommender,
    data: Dataset,
    users: Sequence[str],
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[Case]:
    """Simulate cold requests of held-out users and compute their features.

    Half of them have interests or a sentence, a third disliked items. Every second user has a
    history as picks, with targets by ``simulation.target_rule``; the others have favourites.

    Args:
        recommender: provides prompts, language model and features.
        data: the likes.
        users: users held out from the training of the language model and from the counts.
        seed: of the simulation and of free generation.
        report: progress callback (done, total).

    Returns:
        One case per user and number of picks; cases with fewer than 5 targets are left out.
    """
    reserved = target_rule(data, users)[0]
    todo = [(u, k, ORDERS[n % 2]) for n, u in enumerate(users) for k in N_PICKS]
    out = []
    for done, (user, k, order) in enumerate(todo, start=1):
        rng = np.random.default_rng([seed, done])
        asked = simulate_request(
            user, data, k, rng, said_share=0.5, dislikes_share=0.33, order=order
        )
        first = data.likes[user][: reserved if order == "first" else 0]
        request = asked and asked.without(first)
        if request and len(request.targets) >= MIN_TARGETS:
            resolved = recommender.resolve(request.profile, Context())
            scores = recommender.pipeline.model_scores(resolved, "both", seed=seed)
            features = recommender.features(resolved, scores).astype(np.float32)
            rows = recommender.item_store.rows
            targets, excluded = (
                np.array([rows[i] for i in items], dtype=np.int64)
                for items in (request.targets, request.excluded)
            )
            out.append(Case(user, features, targets, excluded, k))
        if report:
            report(done, len(todo))
    return out


def fit_ranker(cases: Sequence[Case], classical: BlendRanker) -> BlendRanker:
    """Fit the weights of the language model's features on top of the classical blend.

    Args:
        cases: of users held out from the language model and the classical blend.
        classical: the blend of all other features, as for ``prior``; kept fixed.
    """
    return _fit(cases, base_scores(cases, classical), classical)


def base_scores(cases: Sequence[Case], classical: BlendRanker) -> list[Floats]:
    """Scores of all items without the language model, shape (N,) per case."""
    return [classical.scores(_wide(c), classical.weights("prior", c.n_picks)) for c in cases]


def _wide(case: Case) -> Floats:
    return case.features.astype(np.float64)


def _fit(cases: Sequence[Case], base: Sequence[Floats], classical: BlendRanker) -> BlendRanker:
    fixed = classical.table("prior")
    learned = {
        strategy: fit_weights(cases, base, SIGNALS.learned_late(strategy))
        for strategy in get_args(Strategy)
    }
    weights = {s: fixed | found for s, found in learned.items()}
    return BlendRanker(weights, classical.trees, classical.favourites)


def cross_validate(
    cases: Sequence[Case], classical: BlendRanker, folds: int = 5
) -> dict[str, float]:
    """Cross-validated NDCG@10 of every strategy and number of picks, with folds over users.

    Returns:
        ``{"catalog_k0": …}``; the ``classical_…`` baseline is popularity, demographics and
        co-occurrence at fixed weights, ``popularity_…`` the simplest rival.
    """
    base = base_scores(cases, classical)
    three = {f: SIGNALS[f].weight for f in ("popularity", "people", "picks")}
    simple = BlendRanker({"prior": three})
    users = sorted({c.user for c in cases})
    found: dict[str, list[float]] = {}
    for fold in range(min(folds, len(users))):
        held = set(users[fold::folds])
        fitting = [n for n, c in enumerate(cases) if c.user not in held]
        ranker = _fit([cases[n] for n in fitting], [base[n] for n in fitting], classical)
        for case, score in zip(cases, base, strict=True):
            if case.user not in held:
                continue
            scores = {
                s: score + _wide(case) @ _late(ranker.weights(s, case.n_picks), s)
                for s in get_args(Strategy)
            }
            scores["classical"] = _wide(case) @ simple.weights("prior", case.n_picks)
            scores["popularity"] = _wide(case)[:, SIGNALS.index("popularity")]
            for name, values in scores.items():
                found.setdefault(f"{name}_k{case.n_picks}", []).append(_ndcg(case, values))
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}


def _late(weights: Floats, strategy: str) -> Floats:
    """Weights of a strategy's late-learned signals; zeros elsewhere."""
    learned = SIGNALS.learned_late(strategy)
    return np.array(
        [w if f in learned else 0.0 for f, w in zip(SIGNALS.names, weights, strict=True)]
    )


def _ndcg(case: Case, scores: Floats, k: int = 10) -> float:
    scores = scores.copy()
    scores[case.excluded] = -np.inf
    top = np.argsort(-scores, kind="stable")[:k]
    return ndcg([str(n) for n in top], {str(n) for n in case.targets}, k)
