"""After how many observations lists are good again, once a user's interests have moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.prequential.interest_shift import Phase, ShiftAnswer

_SMALL = 1e-9


def by_user(answers: Sequence[ShiftAnswer], phase: Phase, picks: int) -> dict[str, float]:
    """NDCG of each user in one phase, the mean over the user's directions."""
    found: dict[str, list[float]] = {}
    for a in answers:
        if (a.phase, a.picks) == (phase, picks):
            found.setdefault(a.user, []).append(a.ndcg)
    return {user: float(np.mean(values)) for user, values in found.items()}


@dataclass(frozen=True)
class Recovery:
    """After how many likes the lists are good again.

    Args:
        level: mean NDCG to be reached, before it is multiplied by ``share``.
        share: of the level that counts as recovered.
        picks: the first step from which on the mean NDCG stays at or above ``share · level``;
            ``None`` if it never does.
        low: lower end of the 95 % bootstrap interval of ``picks``; ``None``: never.
        high: upper end, likewise.
        users: number of users.
    """

    level: float
    share: float
    picks: int | None
    low: int | None
    high: int | None
    users: int


def recovery(
    curve: Mapping[int, Mapping[str, float]],
    level: Mapping[str, float],
    share: float = 0.9,
    *,
    seed: int = 0,
    draws: int = 2000,
) -> Recovery:
    """Find when a mean curve has come back to a share of a level.

    Users are resampled, each with curve and level together (percentile bootstrap: Efron and
    Tibshirani, 1993); a draw that never recovers counts as later than all steps.

    Args:
        curve: NDCG by user, at each number of likes after the shift.
        level: NDCG by user where nothing has shifted.
        share: in (0, 1].
        seed: of the resampling.
        draws: number of resamples.

    Raises:
        ConfigError: ``share`` is out of range.
        DataError: no steps, no users, or users differ between the maps.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"share is {share!r}", hint="give a number above 0, up to 1, such as 0.9")
    steps, users = sorted(curve), sorted(level)
    if not steps or not users or any(curve[s].keys() != level.keys() for s in steps):
        raise DataError(
            f"a curve of {len(steps)} steps and a level of {len(users)} users do not belong "
            "together",
            hint="measure the same users, one or more, at every step and at the level",
        )
    table = np.array([[curve[s][u] for s in steps] for u in users])
    wanted = np.array([level[u] for u in users])
    drawn = np.random.default_rng(seed).integers(len(users), size=(draws, len(users)))
    found = [_first(table[d].mean(axis=0), share * wanted[d].mean()) for d in drawn]
    low, high = np.quantile(found, [0.025, 0.975], method="nearest").astype(int)
    names: list[int | None] = [*steps, None]
    at = _first(table.mean(axis=0), share * wanted.mean())
    return Recovery(float(wanted.mean()), share, names[at], names[low], names[high], len(users))


def _first(means: np.ndarray, least: float) -> int:
    """Place from which on no mean is below ``least``; their number if the last one is."""
    below = np.flatnonzero(means < least - _SMALL)
    return int(below[-1]) + 1 if len(below) else 0
