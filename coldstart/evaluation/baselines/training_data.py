"""Training data of baselines, and their fallback for profiles without picks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import DataError
from coldstart.evaluation.baselines.scored import ScoredBaseline, ScoreFunction
from coldstart.interactions.interaction_stats import (
    EARLY,
    UNORDERED,
    Counts,
    demographic_lift,
    log_popularity,
)
from coldstart.protocols import Encoder
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingData:
    """Training users of one fold: attributes, likes, dislikes, counts.

    Args:
        catalog: the items; their order is the order of all columns and scores.
        users: attributes by user id.
        likes: item ids that each user liked, oldest first.
        dislikes: item ids that each user rated low; only ``damped_mean`` looks at them.
        ratings: rating by item id, by user; only ``damped_mean`` looks at them.
        encoder: for ``text_retrieval``; ``None`` means the packaged sentence encoder.
        ordered: whether the order of likes may be learned from.
    """

    catalog: Catalog
    users: Mapping[str, UserProfile]
    likes: Mapping[str, Sequence[str]]
    dislikes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ratings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    encoder: Encoder | None = None
    ordered: bool = True

    @classmethod
    def of(
        cls, data: Dataset, users: Sequence[str], *, encoder: Encoder | None = None
    ) -> TrainingData:
        """Those of a dataset's users that may be trained on.

        Raises:
            DataError: the dataset lacks some of them.
        """
        if unknown := [u for u in users if u not in data.likes]:
            raise DataError(
                f"{len(unknown)} users, first {unknown[0]!r}, have no likes in {data.name}",
                hint="is this the data that the split was made of?",
            )
        return cls(
            data.catalog,
            {u: data.users[u] for u in users},
            {u: data.likes[u] for u in users},
            {u: data.dislikes[u] for u in users if u in data.dislikes},
            encoder=encoder,
            ordered=data.ordered,
        )

    @cached_property
    def counts(self) -> Counts:
        """Their likes as counts."""
        return self.counted(EARLY)

    def counted(self, first: int) -> Counts:
        """Their likes as counts, the ``first`` of a user as early ones if the order is known."""
        first = first if self.ordered else UNORDERED
        return Counts.fit(self.catalog.ids, self.users, self.likes, first=first)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """1 where a user (row, in the order of ``users``) liked an item, shape (U, I)."""
        return self.as_matrix(self.likes)

    def as_matrix(self, chosen: Mapping[str, Sequence[str]]) -> sparse.csr_array:
        """1 where a user chose an item of the catalog, shape (U, I)."""
        pairs = [
            (row, column)
            for row, user in enumerate(self.users)
            for column in self.columns(chosen.get(user, ()))
        ]
        rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
        shape = (len(self.users), len(self.catalog))
        return sparse.csr_array((np.ones(len(pairs)), (rows, columns)), shape=shape)

    def columns(self, items: Sequence[str]) -> list[int]:
        """Columns of the items that the catalog has, each once; others are ignored."""
        rows = self.catalog.rows
        return [rows[i] for i in dict.fromkeys(items) if i in rows]

    def picks(self, profile: UserProfile) -> list[int]:
        """Columns of what a profile likes."""
        return self.columns([p.item for p in profile.liked])

    def ranking(self, score: ScoreFunction) -> ScoredBaseline:
        """Recommend what ``score`` puts first."""
        return ScoredBaseline(self.catalog, self.counts, score)


def demographic_popularity(training: TrainingData, profile: UserProfile) -> Floats:
    """Log popularity among people like this one, in nats, shape (I,)."""
    return log_popularity(training.counts) + demographic_lift(training.counts, profile)


def by_picks(training: TrainingData, score: Callable[[list[int]], Floats]) -> ScoredBaseline:
    """Rank by a score that only picks can give.

    Args:
        training: the training users.
        score: columns of at least one pick → one number per item, shape (I,).

    Returns:
        A recommender that ranks by **demographic popularity** while no pick is known (k=0).
    """

    def either(profile: UserProfile) -> Floats:
        picks = training.picks(profile)
        return score(picks) if picks else demographic_popularity(training, profile)

    return training.ranking(either)
