"""A trained recommender as a system under test on requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.errors import DataError
from coldstart.evaluation.requests.system import Floats
from coldstart.ranking.constraints import Constraints
from coldstart.recommender import Recommender
from coldstart.schema import Strategy
from coldstart.scoring.registry import SIGNALS
from coldstart.training.requests.blend import profile_of

STRATEGIES: tuple[Strategy, ...] = ("prior", "catalog", "free", "both")
SILENCED = ("request_encoder", "request_memory", "lexical", "mentions", "wishes", "stated")
"""Scorers of requests, each of which an ablation leaves without a voice."""


class TrainedRecommender:
    """A recommender loaded on first use, for all systems that are made of it.

    Args:
        load: makes it.
    """

    def __init__(self, load: Callable[[], Recommender]) -> None:
        self._load = load

    @cached_property
    def recommender(self) -> Recommender:
        """The recommender."""
        return self._load()


class TrainedSystem:
    """A trained recommender under one strategy; it learns nothing here.

    Args:
        trained: the recommender. Whoever trained it must have left out the test requests.
        strategy: of the scores.
        strict: whether what the text demands excludes and orders items, as in its lists by
            default; otherwise it is a signal among others.
        silent: scorer whose signals are 0, one of ``SILENCED``; the other weights stay as they are.
    """

    def __init__(
        self,
        trained: TrainedRecommender,
        strategy: Strategy,
        *,
        strict: bool = False,
        silent: str | None = None,
    ) -> None:
        self.name = f"trained:{strategy}{'-strict' if strict else ''}"
        how = "constraints of the text obeyed" if strict else "constraints as signals"
        self.description = f"the trained recommender, strategy {strategy}, {how}"
        if silent is not None:
            self.name += f":no-{silent}"
            self.description += f", its scorer {silent} silent"
        self._trained, self._strategy, self._strict = trained, strategy, strict
        self._silent = [
            SIGNALS.index(signal.name)
            for scorer in SIGNALS.make_scorers()
            if scorer.name == silent
            for signal in scorer.signals
        ]

    def fit(self, log: RequestLog) -> None:
        """Check that the recommender knows the log's items.

        Raises:
            DataError: it lacks one.
        """
        known = self._trained.recommender.catalog
        if missing := [i for i in log.catalog.ids if i not in known]:
            raise DataError(
                f"the trained recommender lacks {len(missing)} items of {log.name}, first "
                f"{missing[0]!r}",
                hint="train one on the catalog of the requests: coldstart train --requests",
            )
        self._ids = log.catalog.ids

    def scores(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Scores of the ranking, shape (B, N)."""
        ours = self._trained.recommender
        rows = [ours.catalog.rows[i] for i in self._ids]
        return np.stack([self._score(ours, request)[rows] for request in requests])

    def _score(self, ours: Recommender, request: RecordedRequest) -> Floats:
        user, ranker = ours.resolve(profile_of(request)), ours.ranker
        features = ours.features(user)
        if self._strategy != "prior":
            quick = np.argsort(-ranker.linear(features, len(user.liked)), kind="stable")
            shortlist = quick[: ours.settings.shortlist or None]
            found = ours.pipeline.model_scores(user, self._strategy, rows=shortlist)
            features = ours.features(user, found)
        features[:, self._silent] = 0.0
        weights = ranker.weights(self._strategy, len(user.liked))
        scores = ranker.scores(features, weights, self._strategy)
        if self._strict:
            verdicts = Constraints.of(user, ours.item_store).verdicts(ours.item_store)
            place = verdicts.tier + (verdicts.tier.max() + 1) * verdicts.excluded
            scores = scores - place * (np.ptp(scores) + 1)
        return scores
