"""The classical blend that the language model learns from, for users treated as strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.priors import (
    Counts,
    LeftOut,
    attribute_groups,
    co_occurrence,
    demographic_lift,
    log_popularity,
)
from coldstart.schema import UserProfile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Teacher:
    """log popularity + demographic lift + weight · √k · co-occurrence with the k titles so far.

    Args:
        counts: of the training users.
        co_weight: weight of co-occurrence (0…1) in nats.
        likes_share: share of the target given to the user's own remaining likes.
    """

    counts: Counts
    co_weight: float = 1.2
    likes_share: float = 0.0

    def targets(
        self,
        profile: UserProfile,
        listed: Sequence[str],
        likes: Sequence[str],
        *,
        in_counts: bool,
    ) -> Floats:
        """What the next title should be after each number of titles listed.

        Args:
            profile: the user's true attributes.
            listed: titles in the order the prompt lists them, length L.
            likes: everything the user liked.
            in_counts: the user is one of the counted, and must be left out of the counts.

        Returns:
            Shape (L, I): row j is a distribution over the items given ``listed[:j]``, zero on
            those.
        """
        counts = self.counts
        liked = np.zeros(len(counts.item_ids))
        liked[[counts.column[i] for i in likes]] = 1.0
        without = LeftOut(frozenset(attribute_groups(profile)), liked) if in_counts else None
        base = log_popularity(counts, without)
        base = base + demographic_lift(counts, profile, without=without)
        rows = []
        for j in range(len(listed)):
            seen = [counts.column[i] for i in listed[:j]]
            score = base + self.co_weight * np.sqrt(j) * co_occurrence(
                counts, listed[:j], without=without
            )
            score[seen] = -np.inf
            weights = np.exp(score - score.max())
            target = weights / weights.sum()
            if self.likes_share:
                own = liked.copy()
                own[seen] = 0.0
                if own.sum() > 0:
                    target = (1 - self.likes_share) * target + self.likes_share * own / own.sum()
            rows.append(target)
        return np.stack(rows) if rows else np.zeros((0, len(liked)))
