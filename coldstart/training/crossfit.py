"""Requests of training users, as the tree correction learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.features import ResolvedProfile, user_features
from coldstart.ranking import BlendRanker, personal
from coldstart.schema import Context, Pick
from coldstart.training.boosting import CANDIDATES, Request
from coldstart.training.people import simulate_words
from coldstart.training.strangers import Strangers

SHOTS = (0, 1, 3, 5, 10)
MIN_TARGETS = 5


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

    Picks and targets are as in ``coldstart.training.ranker.cold_cases``. Each attribute is left
    out now and then; some requests state interests, say a sentence or name disliked items.

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
    knowledge = strangers.of(user)
    likes, rows, out = data.likes[user], knowledge.rows, []
    for shots in SHOTS:
        picks, later = likes[:shots], list(likes[shots:])
        if len(later) < MIN_TARGETS:
            continue
        said: dict[str, object] = {}
        hidden: list[str] = []
        low = data.dislikes.get(user, ())
        if rng.random() < 0.3 and len(later) >= 2 * MIN_TARGETS:
            hidden = [later[n] for n in rng.permutation(len(later))[:5]]
            said["interests"], said["about"] = simulate_words(data.catalog, hidden, rng, 0.8, 0.5)
        named = low[:3] if low and rng.random() < 0.2 else ()
        for name in ("age", "gender", "occupation", "location", "language"):
            if rng.random() < 0.1:
                said[name] = None
        profile = data.users[user].model_copy(
            update={
                **said,
                "liked": tuple(Pick(item=i) for i in picks),
                "disliked": tuple(Pick(item=i) for i in named),
            }
        )
        features = user_features(knowledge, ResolvedProfile(profile, Context()))
        if not personal(features):
            continue
        linear = features @ ranker.weights("prior", shots)
        linear[[rows[i] for i in (*picks, *hidden, *named)]] = -np.inf
        size = min(CANDIDATES, int(np.isfinite(linear).sum()))
        top = np.argpartition(-linear, size - 1)[:size]
        wanted = np.zeros(len(linear), dtype=bool)
        wanted[[rows[i] for i in later]] = True
        out.append(Request(user, features[top].astype(np.float32), wanted[top], linear[top]))
    return out
