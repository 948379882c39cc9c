"""Picks that count less the older they are: for people whose interests move."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.interactions.interaction_stats import Counts, co_occurrence
from coldstart.schema import Pick
from coldstart.scoring.scorer import Scorer, ScoreRequest, Scores
from coldstart.scoring.scorers import Scorers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def pick_weights(n: int, half_life: float | None) -> Floats:
    """Weight of each of ``n`` picks, oldest first, shape (n,), in (0, 1]; the newest has 1.

    ``w_a = 2^(−a / h)`` for a pick with a newer ones after it: exponential forgetting (Ding and Li,
    2005, "Time weight collaborative filtering"), in picks instead of days.

    >>> pick_weights(3, 1.0).tolist()
    [0.25, 0.5, 1.0]

    Args:
        n: number of picks, at least 0.
        half_life: h, in picks, above 0; ``None`` weighs all alike.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    if half_life is None:
        return np.ones(n)
    if not (math.isfinite(half_life) and half_life > 0):
        raise ConfigError(
            f"half_life is {half_life!r}", hint="give a number of picks above 0, such as 5"
        )
    return np.asarray(np.exp2(-np.arange(n)[::-1] / half_life))


def window_shares(n: int, half_life: float | None) -> Floats:
    """Share of each window "the last m of n picks", m = 1 … n, shape (n,); they sum to 1.

    A mean over picks with weights w_a is a mixture of plain means over windows (Abel's summation):
    ``Σ_a w_a f_a / Σ_a w_a = Σ_m q_m · mean(f_0 … f_{m−1})`` with
    ``q_m = m · (w_{m−1} − w_m) / Σ_a w_a`` and w_n = 0. So whatever reads unweighted picks can be
    read with recency, by reading windows.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    newest_first = pick_weights(n, half_life)[::-1]
    if not n:
        return newest_first
    drops = newest_first - np.append(newest_first[1:], 0.0)
    return np.asarray(np.arange(1, n + 1) * drops / newest_first.sum())


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


def recent_co_occurrence(
    counts: Counts, picks: Sequence[str], half_life: float | None, *, damping: float = 20.0
) -> Floats:
    """``priors.co_occurrence`` with weighted picks, times √n of the picks that count; shape (I,).

    ``√n_eff · Σ_j w_j C_ij / √((n_i + d)(n_j + d))``, the sum scaled to a maximum of 1, with
    ``n_eff = (Σ w)² / Σ w²`` (Kish, 1965): n equal weights count as n picks.

    Args:
        counts: of the training users.
        picks: item ids, oldest first; those without a count are left out.
        half_life: in picks; ``None`` weighs all alike.
        damping: d, in likes.

    Raises:
        ConfigError: ``half_life`` is not a number above 0.
    """
    known = [i for i in dict.fromkeys(picks) if i in counts.column]
    weights = pick_weights(len(known), half_life)
    if not known:
        return np.zeros(len(counts.item_ids))
    effective = weights.sum() ** 2 / (weights**2).sum()
    closeness = co_occurrence(counts, known, damping=damping, weights=weights)
    return np.asarray(np.sqrt(effective) * closeness)
