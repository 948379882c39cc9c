"""Requests of training users, as the tree correction learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.features import ResolvedProfile, user_features
from coldstart.ranking import BlendRanker, classical_weights, personal
from coldstart.schema import Context
from coldstart.training.boosting import CANDIDATES, Request, fit_trees
from coldstart.training.people import SHOTS, simulate_request
from coldstart.training.strangers import Strangers
from coldstart.trees import TreeCorrection

ENOUGH_USERS = 100
"""Fewer training users than this teach trees nothing but noise."""

RESERVED = 10
"""First likes that are left aside when a request is asked a second time."""


def crossfit_requests(
    data: Dataset,
    users: Sequence[str],
    strangers: Strangers,
    ranker: BlendRanker,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> list[Request]:
    """Cold requests of the training users, with features that know nothing of their own likes.

    Those that are not ``personal`` are left out: trees are not asked about them.

    Each attribute is left out now and then; some requests state interests, say a sentence or name
    disliked items. Each request is asked twice: what did the user like next, and what did they like
    beyond their first ten? What a site puts before everyone first crowds out the rest otherwise.

    Args:
        data: the likes.
        users: training users.
        strangers: knows the items without the user.
        ranker: the blend to be corrected.
        seed: of the simulation.
        report: called with (users done, users).
    """
    out: list[Request] = []
    for done, user in enumerate(users, start=1):
        rng = np.random.default_rng([seed, 8, done])
        out += _requests(data, user, strangers, ranker, rng)
        if report:
            report(done, len(users))
    return out


def _requests(
    data: Dataset,
    user: str,
    strangers: Strangers,
    ranker: BlendRanker,
    rng: np.random.Generator,
) -> list[Request]:
    knowledge, out = strangers.of(user), []
    rows = knowledge.rows
    for shots in SHOTS:
        request = simulate_request(user, data, shots, rng, dropout=0.1, min_targets=1)
        if request is None:
            continue
        features = user_features(knowledge, ResolvedProfile(request.profile, Context()))
        if not personal(features):
            continue
        asked = [request]
        if shots < RESERVED:
            asked.append(request.without(data.likes[user][:RESERVED]))
        for question in asked:
            if not question.targets:
                continue
            linear = features @ ranker.weights("prior", shots)
            linear[[rows[i] for i in question.excluded]] = -np.inf
            size = min(CANDIDATES, int(np.isfinite(linear).sum()))
            top = np.argpartition(-linear, size - 1)[:size]
            wanted = np.zeros(len(linear), dtype=bool)
            wanted[[rows[i] for i in question.targets]] = True
            out.append(Request(user, features[top].astype(np.float32), wanted[top], linear[top]))
    return out


def learn_trees(
    data: Dataset,
    users: Sequence[str],
    strangers: Strangers,
    *,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> TreeCorrection | None:
    """The correction of the classical blend, learned from training users; ``None`` for too few.

    Args:
        data: the likes.
        users: training users.
        strangers: knows the items without each of them.
        seed: of the simulation and of the trees.
        report: called with (users done, users).
    """
    if len(users) < ENOUGH_USERS:
        return None
    linear = BlendRanker({"prior": classical_weights()})
    requests = crossfit_requests(data, users, strangers, linear, seed=seed, report=report)
    return fit_trees(requests, seed=seed)
