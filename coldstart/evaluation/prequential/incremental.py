"""Incremental recommenders: interaction counts follow the stream, trained parameters stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.scored import FollowsCounts
from coldstart.evaluation.baselines.selection import all_systems
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.interactions.interaction_stats import EARLY, UNORDERED, Counts
from coldstart.interactions.live_counts import LiveCounts
from coldstart.protocols import Encoder, Recommends
from coldstart.schema import RecommendationList, UserProfile
from coldstart.splitting.user_splits import Split

REFRESH = 500


def train_system(
    name: str, data: Dataset, split: Split, *, seed: int = 0, encoder: Encoder | None = None
) -> Recommends:
    """Train a registered system on the training users of a split.

    Args:
        name: of ``all_systems``.
        data: everything; the system sees training and validation users only.
        split: the fold.
        seed: of whatever the system draws.
        encoder: of texts; ``None``: the packaged one.

    Returns:
        A recommender; one that ``FollowsCounts`` can be made incremental.

    Raises:
        ConfigError: no such system.
    """
    known = all_systems(seed)
    if name not in known:
        raise ConfigError(f"no system {name!r}", hint=f"one of {', '.join(known)}")
    training = TrainingData.of(data, split.train, encoder=encoder)
    return known[name].make(training, split, data)


class IncrementalRecommender:
    """Incremental recommender: interaction counts are updated by every like, nothing is retrained.

    Args:
        counts: where it starts; changed by what is observed.
        build: makes the recommender from a snapshot.
        refresh: likes from one snapshot to the next, at least 1. Counting a like is cheap, but a
            snapshot sums matrices and coldstart's inverts one (``Counts.ease``).
    """

    def __init__(
        self, counts: LiveCounts, build: Callable[[Counts], Recommends], refresh: int = REFRESH
    ) -> None:
        if refresh < 1:
            raise ConfigError(f"refresh is {refresh}", hint="give a number of likes, 1 or more")
        self._counts, self._build, self._refresh = counts, build, refresh
        self._inner, self._waiting = build(counts.counts()), 0

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Recommend from the last snapshot."""
        return self._inner.recommend(profile, k=k)

    def observe(self, profile: UserProfile, item_id: str) -> None:
        """Count one like; a new user is counted with the picks of the profile.

        Raises:
            DataError: the profile has no ``user_id``.
        """
        user = _user(profile)
        if user not in self._counts:
            self._counts.add_user(user, profile, [p.item for p in profile.liked])
        self._counts.observe(user, item_id)
        self._waiting += 1
        if self._waiting >= self._refresh:
            self._inner, self._waiting = self._build(self._counts.counts()), 0


class RetrainedRecommender:
    """Incremental recommender that is retrained once, on all users observed until then.

    Args:
        name: of ``registry``.
        data: attributes of everyone; likes are taken from what is observed, and from the training
            and validation users.
        split: the fold; observed users become training users.
        after: train once so many likes have been observed.
        refresh: as for ``Live``, from then on.
        seed: of whatever the system draws.
        encoder: of texts; ``None``: the packaged one.
    """

    def __init__(
        self,
        name: str,
        data: Dataset,
        split: Split,
        after: int,
        *,
        refresh: int = REFRESH,
        seed: int = 0,
        encoder: Encoder | None = None,
    ) -> None:
        self._name, self._seed, self._encoder = name, seed, encoder
        self._data, self._split, self._after, self._refresh = data, split, after, refresh
        self._met: dict[str, list[str]] = {}
        self._observed = 0
        self._live: IncrementalRecommender | Recommends | None = None

    def recommend(self, profile: UserProfile, *, k: int = 10) -> RecommendationList:
        """Recommend from what was trained.

        Raises:
            DataError: it is not trained yet.
        """
        if self._live is None:
            raise DataError(
                f"asked after {self._observed} likes, trained after {self._after}",
                hint="ask later: replay(ask_from=…)",
            )
        return self._live.recommend(profile, k=k)

    def observe(self, profile: UserProfile, item_id: str) -> None:
        """Note one like, train when there are enough, and count from then on."""
        user = _user(profile)
        if isinstance(self._live, IncrementalRecommender):
            self._live.observe(profile, item_id)
        elif self._live is None:
            self._met.setdefault(user, []).append(item_id)
            self._observed += 1
            if self._observed >= self._after:
                self._train()

    def _train(self) -> None:
        known = {u: self._data.likes[u] for u in (*self._split.train, *self._split.valid)}
        likes = known | {u: tuple(items) for u, items in self._met.items()}
        times = {u: own[: len(likes[u])] for u, own in self._data.times.items() if u in likes}
        data = replace(self._data, likes=likes, times=times)
        split = Split((*self._split.train, *self._met), self._split.valid, ())
        made = train_system(self._name, data, split, seed=self._seed, encoder=self._encoder)
        if not isinstance(made, FollowsCounts):
            self._live = made
            return
        first = EARLY if data.ordered else UNORDERED
        users = {u: data.users[u] for u in split.train}
        counts = LiveCounts.fit(data.catalog.ids, users, likes, first=first)
        self._live = IncrementalRecommender(counts, made.with_counts, self._refresh)


def _user(profile: UserProfile) -> str:
    if profile.user_id is None:
        raise DataError("the profile has no user_id", hint="feedback has to say whose it is")
    return profile.user_id
