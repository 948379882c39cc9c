"""Recency-weighted picks: exponential forgetting for interests that move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.recency import pick_weights, window_shares
from coldstart.schema import Pick
from coldstart.scoring.scorer import Scorer, ScoreRequest, Scores
from coldstart.scoring.scorers import Scorers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class RecencyScorers(Scorers):
    """Scorers for whose signals recent liked picks count more.

    The signals are the mixture of those of the windows, by ``window_shares``. For a signal that is
    a mean over picks this is the weighted mean; for the others (a maximum, a distance to a mean,
    the factor √k) the mean over windows; ``shots`` becomes the mean window length. Costs one
    ``features`` for each pick.

    Args:
        half_life: in picks; ``None`` weighs all alike.
        scorers: as for ``Scorers``.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """

    def __init__(self, half_life: float | None, scorers: Iterable[Scorer] | None = None) -> None:
        super().__init__(scorers)
        pick_weights(0, half_life)  # checks it
        self._half_life = half_life

    def features(
        self, batch: Sequence[ScoreRequest], scores: Sequence[Iterable[Scores]] = ()
    ) -> list[Floats]:
        """As ``Scorers.features``; the item being viewed counts in every window."""
        given = [tuple(s) for s in scores] or [()] * len(batch)
        return [self._mixed(request, s) for request, s in zip(batch, given, strict=True)]

    def _mixed(self, request: ScoreRequest, scores: Sequence[Scores]) -> Floats:
        picks: tuple[Pick, ...] = request.user.profile.liked
        if self._half_life is None or len(picks) < 2:
            return super().features([request], [scores])[0]
        windows = [_with_picks(request, picks[-size:]) for size in range(1, len(picks) + 1)]
        parts = super().features(windows, [scores] * len(windows))
        out = np.zeros(())
        for share, part in zip(window_shares(len(picks), self._half_life), parts, strict=True):
            out = out + share * part
        return np.asarray(out)


def _with_picks(request: ScoreRequest, picks: Sequence[Pick]) -> ScoreRequest:
    profile = request.user.profile.model_copy(update={"liked": tuple(picks)})
    return replace(request, user=replace(request.user, profile=profile))
