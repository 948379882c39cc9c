"""Systems of the benchmark that can go on from new counts, without being trained again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.encoding.encoders import CachedEncoder
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.data import TrainingData
from coldstart.evaluation.baselines.scored import (
    ScoredBaseline,
    demographic_baseline,
    item_knn_baseline,
    popularity_baseline,
)
from coldstart.evaluation.systems import Prior, item_knn_setting, registry
from coldstart.interactions.interaction_stats import Counts, demographic_lift, log_popularity
from coldstart.interactions.live_counts import LiveCounts
from coldstart.protocols import Encoder, Recommends
from coldstart.recommender import Recommender
from coldstart.schema import RecommendationList, UserProfile
from coldstart.scoring.recency import RecencyScorers, recent_co_occurrence
from coldstart.splitting.user_splits import Split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Build = Callable[[Counts, float | None], Recommends]
"""(counts, half-life of a pick in picks, ``None`` for no decay) → a recommender; cheap."""

REFRESH = 500


@dataclass(frozen=True)
class Learner:
    """A trained system, and how it goes on from other counts.

    Args:
        name: of ``registry``.
        counts: of the training users.
        frozen: as trained; it never changes.
        build: the same with other counts, or with decaying picks, everything that was trained or
            tuned kept; ``None`` if the system knows no such way.
        decays: whether a half-life changes its lists.
    """

    name: str
    counts: Counts
    frozen: Recommends
    build: Build | None = None
    decays: bool = False


def make_learner(
    name: str, data: Dataset, split: Split, *, seed: int = 0, encoder: Encoder | None = None
) -> Learner:
    """Train a system on the training users of a split.

    Args:
        name: of ``registry``.
        data: everything; the system sees training and validation users only.
        split: the fold.
        seed: of whatever the system draws.
        encoder: of texts; ``None``: the packaged one.

    Raises:
        ConfigError: no such system.
    """
    known = registry(seed)
    if name not in known:
        raise ConfigError(f"no system {name!r}", hint=f"one of {', '.join(known)}")
    training = TrainingData.of(data, split.train, encoder=encoder)
    counts = training.counts
    if name == "popularity":
        return _without_picks(name, training, popularity_baseline)
    if name == "demographic_popularity":
        return _without_picks(name, training, demographic_baseline)
    if name == "item_knn_prior":
        build = _item_knn(training, data, split)
        return Learner(name, counts, build(counts, None), build, decays=True)
    made = known[name].make(training, split, data)
    if isinstance(made, Prior):
        builder = _decaying_blend(made.recommender)
        return Learner(name, counts, made, builder, decays=True)
    return Learner(name, counts, made)


class Live:
    """A recommender whose counts follow what users do; whatever was trained stays.

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
        """Count one like; a user met for the first time is counted with the picks named so far.

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


class Retrained:
    """A live recommender that is trained anew once, on everybody met until then.

    Args:
        name: of ``registry``.
        data: attributes of everyone; likes are taken from what is observed, and from the training
            and validation users.
        split: the fold; those met become training users.
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
        self._live: Live | Recommends | None = None

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
        if isinstance(self._live, Live):
            self._live.observe(profile, item_id)
        elif self._live is None:
            self._met.setdefault(user, []).append(item_id)
            self._observed += 1
            if self._observed >= self._after:
                self._train()

    def _train(self) -> None:
        known = {u: self._data.likes[u] for u in (*self._split.train, *self._split.valid)}
        likes = known | {u: tuple(items) for u, items in self._met.items()}
        data = replace(self._data, likes=likes, times={})
        split = Split((*self._split.train, *self._met), self._split.valid, ())
        learner = make_learner(self._name, data, split, seed=self._seed, encoder=self._encoder)
        if learner.build is None:
            self._live = learner.frozen
            return
        build = learner.build
        counts = LiveCounts.fit(data.catalog.ids, {u: data.users[u] for u in split.train}, likes)
        self._live = Live(counts, lambda c: build(c, None), self._refresh)


def _user(profile: UserProfile) -> str:
    if profile.user_id is None:
        raise DataError("the profile has no user_id", hint="feedback has to say whose it is")
    return profile.user_id


def _without_picks(
    name: str, training: TrainingData, make: Callable[[Catalog, Counts], ScoredBaseline]
) -> Learner:
    def build(counts: Counts, half_life: float | None) -> Recommends:
        return make(training.catalog, counts)

    return Learner(name, training.counts, build(training.counts, None), build)


def _item_knn(training: TrainingData, data: Dataset, split: Split) -> Build:
    """``item_knn_prior`` of ``registry``, tuned once; with a half-life it weighs by recency."""
    catalog, setting = data.catalog, item_knn_setting(training, split, data)

    def build(counts: Counts, half_life: float | None) -> Recommends:
        if half_life is None:
            return item_knn_baseline(catalog, counts, **setting)

        def score(profile: UserProfile) -> Floats:
            picks = [p.item for p in profile.liked]
            base = log_popularity(counts) + demographic_lift(counts, profile)
            near = recent_co_occurrence(counts, picks, half_life)
            if not setting["root"] and near.max() > 0:
                near = near / near.max()
            return np.asarray(base + setting["weight"] * near)

        return ScoredBaseline(catalog, counts, score)

    return build


def _decaying_blend(like: Recommender) -> Build:
    """Builds coldstart with decaying picks and the ranker of ``like``: weights and trees stay."""
    memory = CachedEncoder(like.encoder, None)  # the catalog is encoded at every snapshot

    def build(counts: Counts, half_life: float | None) -> Recommends:
        made = Recommender(
            like.catalog,
            None,
            like.template,
            counts,
            memory,
            like.ranker,
            like.settings,
            scorers=RecencyScorers(half_life),
        )
        return Prior(made)

    return build
