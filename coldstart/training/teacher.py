"""Teacher of the distillation: the classical blend with out-of-fold features."""

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
    """Target distribution of the next title, given the contents of a prompt.

    Args:
        out_of_fold: item statistics without the user's own fold.
        ranker: the blend; its scores are used as unnormalised log-probabilities.
        likes_share: weight of the user's own remaining likes in the target.
    """

    out_of_fold: OutOfFold
    ranker: BlendRanker
    likes_share: float = 0.0

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of the items, in the order of the targets' columns."""
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
        """Target distributions of the next title after prefixes of the list of titles.

        Args:
            user: user id, for the choice of the fold.
            profile: as in the prompt, without liked picks.
            context: as in the prompt.
            listed: liked items in the order of the prompt.
            likes: all likes of the user.
            taught: lengths of the prefixes; T of them.

        Returns:
            Shape (T, I): each row is a distribution over the items, zero on those of the prefix.
        """
        item_store = self.out_of_fold.of(user)
        own = np.zeros(len(item_store.ids))
        own[[item_store.rows[i] for i in likes]] = 1.0
        out = np.zeros((len(taught), len(own)))
        prompts = [
            profile.model_copy(
                update={"liked": tuple(Pick(item=i, by="id") for i in listed[:n_picks])}
            )
            for n_picks in taught
        ]
        inputs = self.out_of_fold.features(user, [ResolvedProfile(p, context) for p in prompts])
        for row, n_picks, features in zip(out, taught, inputs, strict=True):
            score = self.ranker.scores(features, self.ranker.weights("prior", n_picks))
            seen = [item_store.rows[i] for i in listed[:n_picks]]
            score[seen] = -np.inf
            row[:] = np.exp(score - score.max())
            row /= row.sum()
            left = own.copy()
            left[seen] = 0.0
            if self.likes_share and left.any():
                row *= 1 - self.likes_share
                row += self.likes_share * left / left.sum()
        return out
