"""The blend of everything but the language model, as what it learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Context, Pick, UserProfile
from coldstart.training.out_of_fold import OutOfFold

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Teacher:
    """What the next title should be, given what a prompt shows of a user treated as a stranger.

    Args:
        out_of_fold: what is known of the items without knowing the user.
        ranker: the blend, whose scores are taken as log-probabilities.
        likes_share: share of the target given to the user's own remaining likes.
    """

    out_of_fold: OutOfFold
    ranker: BlendRanker
    likes_share: float = 0.0

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items, in the order of the targets."""
        return tuple(self.out_of_fold.everyone.ids)

    def targets(
        self,
        user: str,
        profile: UserProfile,
        context: Context,
        listed: Sequence[str],
        likes: Sequence[str],
        taught: Sequence[int],
    ) -> Floats:
        """What the next title should be after some numbers of titles listed.

        Args:
            user: whom to know nothing of.
            profile: as the prompt shows it, without liked picks.
            context: likewise.
            listed: titles in the order the prompt lists them.
            likes: everything the user liked.
            taught: numbers of titles listed before, length T.

        Returns:
            Shape (T, I): each row is a distribution over the items, zero on those listed before.
        """
        item_store = self.out_of_fold.of(user)
        own = np.zeros(len(item_store.ids))
        own[[item_store.rows[i] for i in likes]] = 1.0
        out = np.zeros((len(taught), len(own)))
        prompts = [
            profile.model_copy(update={"liked": tuple(Pick(item=i) for i in listed[:shots])})
            for shots in taught
        ]
        inputs = self.out_of_fold.features(user, [ResolvedProfile(p, context) for p in prompts])
        for row, shots, features in zip(out, taught, inputs, strict=True):
            score = self.ranker.scores(features, self.ranker.weights("prior", shots))
            seen = [item_store.rows[i] for i in listed[:shots]]
            score[seen] = -np.inf
            row[:] = np.exp(score - score.max())
            row /= row.sum()
            left = own.copy()
            left[seen] = 0.0
            if self.likes_share and left.any():
                row *= 1 - self.likes_share
                row += self.likes_share * left / left.sum()
        return out
