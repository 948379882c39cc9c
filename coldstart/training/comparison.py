"""Compare two recommenders on held-out users, and on held-out requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.training.requests.blend import profile_of
from coldstart.training.simulation import Order, simulate_request

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.data.dataset import Dataset
    from coldstart.recommender import Recommender
    from coldstart.schema import UserProfile

PICKS = (0, 1, 3, 5)
"""Numbers of picks at which users are compared."""
MOST = 200
"""Users, or requests, that are compared."""
MOST_DESCRIBED = 100
"""Items that are looked for by their description."""
_FEWEST_WORDS = 5
_SENTENCE = re.compile(r"(?<=[.!?;。！？；])\s*")
_ORDERS: tuple[Order, Order] = ("first", "random")


@dataclass(frozen=True)
class Comparison:
    """Mean NDCG@10 of two recommenders on the same users.

    Args:
        before: of the one at hand.
        after: of the new one.
        error: standard error of the mean difference.
        users: number of users.
        refused: whether the new one is not taken for another reason.
    """

    before: float
    after: float
    error: float
    users: int
    refused: bool = False

    @property
    def better(self) -> bool:
        """Whether the new one is ahead by more than a standard error, and not refused."""
        return not self.refused and self.users > 1 and self.after - self.before > self.error

    @property
    def loses(self) -> bool:
        """Whether the new one is behind by more than a tenth, and a standard error."""
        return self.before - self.after > max(self.error, 0.1 * self.before)

    @classmethod
    def of(cls, before: Mapping[str, float], after: Mapping[str, float]) -> Comparison:
        """Compare values by user, of the users that both have."""
        users = sorted(before.keys() & after.keys())
        if not users:
            return cls(0.0, 0.0, 0.0, 0)
        one, two = (np.array([values[u] for u in users]) for values in (before, after))
        error = float(np.std(two - one, ddof=1) / np.sqrt(len(users))) if len(users) > 1 else 0.0
        return cls(float(one.mean()), float(two.mean()), error, len(users))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for the manifest."""
        return {
            "before": round(self.before, 4),
            "after": round(self.after, 4),
            "users": self.users,
            "kept": "after" if self.better else "before",
        }


def taste_ndcg(
    recommender: Recommender, data: Dataset, users: Sequence[str], *, seed: int = 0
) -> dict[str, float]:
    """Mean NDCG@10 of each user over numbers of picks; every second user's are favourites.

    Args:
        recommender: fitted without these users; the strategy is ``prior``.
        data: the likes.
        users: held-out users, of whom the first ``MOST`` are taken.
        seed: of the simulated requests.
    """
    found: dict[str, list[float]] = {}
    for n, user in enumerate(users[:MOST]):
        for k in PICKS:
            rng = np.random.default_rng([seed, 17, n, k])
            asked = simulate_request(
                user, data, k, rng, said_share=0.0, min_targets=1, order=_ORDERS[n % 2]
            )
            if asked is not None:
                value = _ndcg(recommender, asked.profile, asked.targets, asked.excluded)
                found.setdefault(user, []).append(value)
    return {user: float(np.mean(values)) for user, values in found.items()}


def request_ndcg(recommender: Recommender, requests: Sequence[RecordedRequest]) -> dict[str, float]:
    """Mean NDCG@10 of each person over their requests.

    Args:
        recommender: fitted without these requests; the strategy is ``prior``.
        requests: held-out requests, of which the first ``MOST`` are taken.
    """
    found: dict[str, list[float]] = {}
    for n, request in enumerate(requests[:MOST]):
        if targets := [i for i in request.targets if i in recommender.catalog]:
            named = {m.item_id for m in request.mentioned} - set(targets)
            value = _ndcg(recommender, profile_of(request), targets, named)
            found.setdefault(request.dialogue or str(n), []).append(value)
    return {person: float(np.mean(values)) for person, values in found.items()}


def descriptions(catalog: Catalog, *, seed: int = 0) -> list[RecordedRequest]:
    """Requests that quote the longest sentence of an item's description, and look for the item.

    A blend that has learned from requests must not forget how to find what it never saw asked for.

    Args:
        catalog: its available items with a description of at least ``_FEWEST_WORDS`` words.
        seed: of the choice of ``MOST_DESCRIBED`` of them.
    """
    quotes = {}
    for item in catalog:
        sentence = max(_SENTENCE.split(item.description), key=len, default="").strip()
        if item.available and max(len(sentence.split()), len(sentence) // 6) >= _FEWEST_WORDS:
            quotes[item.item_id] = sentence[:400]
    ids = sorted(quotes)
    chosen = np.random.default_rng([seed, 18]).permutation(len(ids))[:MOST_DESCRIBED]
    return [
        RecordedRequest(quotes[ids[n]], (RequestItem(ids[n]),), dialogue=ids[n])
        for n in np.sort(chosen).tolist()
    ]


def _ndcg(
    recommender: Recommender,
    profile: UserProfile,
    targets: Collection[str],
    excluded: Collection[str],
) -> float:
    user = recommender.resolve(profile)
    features = recommender.features(user)
    ranker, rows = recommender.ranker, recommender.item_store.rows
    weights = ranker.weights("prior", len(user.liked))
    scores: NDArray[np.float64] = ranker.scores(features, weights, "prior").copy()
    scores[[rows[i] for i in excluded if i in rows]] = -np.inf
    ids = recommender.item_store.ids
    best = [ids[n] for n in np.argsort(-scores, kind="stable")[:10].tolist()]
    return ndcg(best, frozenset(targets), 10)
