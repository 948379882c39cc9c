"""Rates with 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from coldstart.metrics.significance import bootstrap_interval, weighted_interval
from coldstart.serve.experiment import wilson

_DRAWS = 1000
_MOST_PEOPLE = 5000  # beyond, the bootstrap has no more to tell than the normal distribution
_Z = 1.959963984540054


class Rate(BaseModel):
    """A share with its 95 % interval; all three are absent where nothing was counted."""

    model_config = ConfigDict(frozen=True)

    value: float | None = Field(default=None, ge=0, le=1)
    low: float | None = Field(default=None, ge=0, le=1)
    high: float | None = Field(default=None, ge=0, le=1)

    @classmethod
    def of_people(cls, successes: int, people: int) -> Self:
        """Share of people, with Wilson's score interval."""
        if not people:
            return cls()
        low, high = wilson(successes, people)
        return cls(value=successes / people, low=low, high=high)

    @classmethod
    def of_places(cls, taken: Sequence[int], shown: Sequence[int]) -> Self:
        """Share of places ``Σ taken / Σ shown``, with an interval over people.

        Places of one person resemble one another, so that people are resampled with all places of
        theirs (``metrics.significance``). Of more than 5,000 people the interval is normal, with
        the variance of a ratio of sums (Cochran, Sampling Techniques, 1977, section 6.4).

        Args:
            taken: per person.
            shown: per person, each above 0, in the same order.
        """
        if not shown:
            return cls()
        x, n = np.asarray(taken, dtype=float), np.asarray(shown, dtype=float)
        value = float(x.sum() / n.sum())
        if len(n) > _MOST_PEOPLE:
            variance = float(((x - value * n) ** 2).sum()) * len(n) / (len(n) - 1)
            half = _Z * variance**0.5 / float(n.sum())
            low, high = value - half, value + half
        else:
            low, high = weighted_interval(list(x / n), list(n), seed=0, draws=_DRAWS)
        if high - low < 1e-9:  # of one person, or of people with equal shares
            low, high = wilson(value * len(n), len(n))
        return cls(value=value, low=max(0.0, min(low, value)), high=min(1.0, max(high, value)))


class MeanAmount(BaseModel):
    """A mean amount per person with its 95 % interval.

    All three are absent without persons, the interval where amounts do not differ: one
    person, or equal amounts, tell nothing of how much others would spend.
    """

    model_config = ConfigDict(frozen=True)

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_people(cls, amounts: Sequence[float]) -> Self:
        """Mean over people, with an interval by bootstrap, or normal for more than 5,000 people.

        Args:
            amounts: one per person.
        """
        if not amounts:
            return cls()
        x = np.asarray(amounts, dtype=float)
        value = float(x.mean())
        if not np.ptp(x):
            return cls(value=value)
        if len(x) > _MOST_PEOPLE:
            half = _Z * float(x.std(ddof=1)) / len(x) ** 0.5
            return cls(value=value, low=value - half, high=value + half)
        low, high = bootstrap_interval(amounts, seed=0, draws=_DRAWS)
        return cls(value=value, low=min(low, value), high=max(high, value))
