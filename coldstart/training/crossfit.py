"""Requests of training users, as the tree correction learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker, states_taste
from coldstart.schema import Context
from coldstart.training.boosting import CANDIDATES, Request, fit_trees
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.simulation import (
    SHOTS,
    ColdRequest,
    Order,
    questions,
    simulate_request,
)

ENOUGH_USERS = 100
"""Fewer training users than this teach trees nothing but noise."""

MOST_USERS = 5000
"""Trees are asked about so many users at most: a user's requests take 0.4 MB."""

ORDERS: tuple[tuple[int, Order], ...] = (
    *((shots, "first") for shots in SHOTS),
    *((shots, "random") for shots in SHOTS if shots),
)
"""Every user asks with their first likes for picks, and with favourites out of all they like."""


def crossfit_requests(
    data: Dataset,
    users: Sequence[str],
    out_of_fold: OutOfFold,
    ranker: BlendRanker,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[Request]:
    """Cold requests of the training users, with features that know nothing of their own likes.

    Those that are not ``states_taste`` are left out: trees are not asked about them.

    Each attribute is left out now and then; some requests state interests, say a sentence or name
    disliked items. Users are asked with their first likes for picks (see ``questions``), and with
    favourites: what else do they like?

    Args:
        data: the likes.
        users: training users.
        out_of_fold: knows the items without the user.
        ranker: the blend to be corrected.
        seed: of the simulation.
        report: called with (users done, users).
    """
    out: list[Request] = []
    reserved, least = questions(data, users)
    for done, user in enumerate(users, start=1):
        rng = np.random.default_rng([seed, 8, done])
        for shots, order in ORDERS:
            first = data.likes[user][: reserved if order == "first" else 0]
            asked = simulate_request(
                user, data, shots, rng, dropout=0.1, order=order, min_targets=1
            )
            request = asked and asked.without(first)
            if request and len(request.targets) >= least:
                out += _candidates(user, request, order, out_of_fold, ranker)
        if report:
            report(done, len(users))
    return out


def _candidates(
    user: str, request: ColdRequest, order: Order, out_of_fold: OutOfFold, ranker: BlendRanker
) -> list[Request]:
    """The items of a request that trees learn to order; none if trees are not asked about it."""
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
    return [Request(user, features[top].astype(np.float32), wanted[top], linear[top], order)]


def learn_classical(
    data: Dataset,
    users: Sequence[str],
    out_of_fold: OutOfFold,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> BlendRanker:
    """The blend of everything but the language model, its trees learned from training users.

    Trees that are asked about histories and favourites alike are worse at both than trees for each
    (docs/results/experiments.md).

    Args:
        data: the likes.
        users: training users; too few of them teach no trees.
        out_of_fold: knows the items without each of them.
        seed: of the simulation and of the trees.
        report: called with (users done, users).
    """
    if len(users) < ENOUGH_USERS:
        return BlendRanker.classical()
    linear = BlendRanker.classical()
    if len(users) > MOST_USERS:
        chosen = np.random.default_rng([seed, 9]).permutation(len(users))[:MOST_USERS]
        users = [users[n] for n in sorted(chosen)]
    requests = crossfit_requests(data, users, out_of_fold, linear, seed=seed, report=report)
    trees = fit_trees([r for r in requests if r.order == "first"], seed=seed)
    favourites = fit_trees([r for r in requests if r.order == "random"], seed=seed)
    return BlendRanker.classical(trees, favourites)
