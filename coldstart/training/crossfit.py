"""Cross-fitting: ranking groups with out-of-fold features for the tree correction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker, states_taste
from coldstart.schema import Context
from coldstart.training.boosting import CANDIDATES, RankingGroup, fit_trees
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.simulation import (
    N_PICKS,
    ColdRequest,
    Order,
    simulate_request,
    target_rule,
)

ENOUGH_USERS = 100
"""Minimum number of training users for fitting trees; with fewer they fit noise."""

MOST_USERS = 5000
"""Maximum number of users the trees are fitted on: the groups of a user take 0.4 MB."""

ORDERS: tuple[tuple[int, Order], ...] = (
    *((n_picks, "first") for n_picks in N_PICKS),
    *((n_picks, "random") for n_picks in N_PICKS if n_picks),
)
"""Simulated requests per user: first likes as picks, and random favourites as picks."""


def ranking_groups(
    data: Dataset,
    users: Sequence[str],
    out_of_fold: OutOfFold,
    ranker: BlendRanker,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[RankingGroup]:
    """Simulate cold requests of the training users, with out-of-fold features.

    Requests without ``states_taste`` are left out: the correction does not apply to them.
    Attributes are dropped at random; some requests have interests, a sentence or disliked items.
    Picks are a user's first likes (targets: see ``target_rule``), or random favourites (targets:
    the other likes).

    Args:
        data: the likes.
        users: training users.
        out_of_fold: item statistics without the user's own fold.
        ranker: the blend to be corrected.
        seed: of the simulation.
        report: progress callback (users done, users).
    """
    out: list[RankingGroup] = []
    reserved, least = target_rule(data, users)
    for done, user in enumerate(users, start=1):
        rng = np.random.default_rng([seed, 8, done])
        for n_picks, order in ORDERS:
            first = data.likes[user][: reserved if order == "first" else 0]
            asked = simulate_request(
                user, data, n_picks, rng, dropout=0.1, order=order, min_targets=1
            )
            request = asked and asked.without(first)
            if request and len(request.targets) >= least:
                out += _candidates(user, request, order, out_of_fold, ranker)
        if report:
            report(done, len(users))
    return out


def _candidates(
    user: str, request: ColdRequest, order: Order, out_of_fold: OutOfFold, ranker: BlendRanker
) -> list[RankingGroup]:
    """Ranking group of a request; empty if the request states no taste."""
    resolved = ResolvedProfile(request.profile, Context())
    (features,) = out_of_fold.features(user, [resolved])
    if not states_taste(features):
        return []
    rows = out_of_fold.of(user).rows
    linear = features @ ranker.weights("prior", len(request.profile.liked))
    linear[[rows[i] for i in request.excluded]] = -np.inf
    size = min(CANDIDATES, int(np.isfinite(linear).sum()))
    top = np.argpartition(-linear, size - 1)[:size]
    wanted = np.zeros(len(linear), dtype=bool)
    wanted[[rows[i] for i in request.targets]] = True
    return [RankingGroup(user, features[top].astype(np.float32), wanted[top], linear[top], order)]


def learn_classical(
    data: Dataset,
    users: Sequence[str],
    out_of_fold: OutOfFold,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> BlendRanker:
    """Fit the blend of all signals but the language model: linear weights with tree corrections.

    Histories and favourites get separate trees: joint ones are worse at both
    (docs/results/experiments.md).

    Args:
        data: the likes.
        users: training users; with fewer than ``ENOUGH_USERS`` no trees are fitted.
        out_of_fold: item statistics without each user's own fold.
        seed: of the simulation and of the trees.
        report: progress callback (users done, users).
    """
    if len(users) < ENOUGH_USERS:
        return BlendRanker.classical()
    linear = BlendRanker.classical()
    if len(users) > MOST_USERS:
        chosen = np.random.default_rng([seed, 9]).permutation(len(users))[:MOST_USERS]
        users = [users[n] for n in sorted(chosen)]
    requests = ranking_groups(data, users, out_of_fold, linear, seed=seed, report=report)
    trees = fit_trees([r for r in requests if r.order == "first"], seed=seed)
    favourites = fit_trees([r for r in requests if r.order == "random"], seed=seed)
    return BlendRanker.classical(trees, favourites)
