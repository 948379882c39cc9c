"""Temporal and item-cold splits: later users, and items without training interactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.splitting.user_splits import shuffled_ids

T = TypeVar("T")


@dataclass(frozen=True)
class TemporalSplit:
    """Temporal split: past interactions to train on, later users to test.

    Args:
        at: the moment that divides them, in the unit of ``Dataset.times``.
        train: users with a first like before ``at``, with their likes and dislikes before it;
            without ``Dataset.dislike_times`` no dislikes.
        test: ids of the users with a first like at ``at`` or later, in the order of the data.
        candidates: items liked before ``at``; give them to ``support_cases``.
    """

    at: float
    train: Dataset
    test: tuple[str, ...]
    candidates: frozenset[str]


def temporal_split(
    data: Dataset, *, at: float | None = None, quantile: float | None = None
) -> TemporalSplit:
    """Divide users and likes by time.

    Args:
        data: with ``times`` that are comparable between users: dates, not positions.
        at: the moment, in the unit of the times.
        quantile: or the share of users, in (0, 1), with a first like before the moment; users
            with equal times stay together, so it may be less.

    Raises:
        ConfigError: not exactly one of ``at`` and ``quantile``, or one that leaves a part empty.
        DataError: the data has no times.
    """
    if not data.times:
        raise DataError(f"{data.name} has no times", hint="interactions need a timestamp column")
    if (at is None) == (quantile is None) or not 0 < (0.5 if quantile is None else quantile) < 1:
        raise ConfigError(
            f"at is {at} and quantile is {quantile}", hint="one of them, a quantile in (0, 1)"
        )
    first = {u: min(times) for u, times in data.times.items() if times}
    if at is None:
        at = float(np.quantile(list(first.values()), quantile or 0.0, method="higher"))
    past = {
        u: tuple(n for n, time in enumerate(times) if time < at)
        for u, times in data.times.items()
        if first.get(u, at) < at
    }
    test = tuple(u for u, time in first.items() if time >= at)
    if not past or not test:
        who = "trained on" if not past else "to test"
        raise ConfigError(
            f"at {at} there is nobody {who}",
            hint=f"first likes are from {min(first.values())} to {max(first.values())}",
        )
    low = {
        u: tuple(n for n, time in enumerate(times) if time < at)
        for u, times in data.dislike_times.items()
        if u in past
    }
    train = _only(data, past, low)
    return TemporalSplit(at, train, test, frozenset().union(*train.likes.values()))


@dataclass(frozen=True)
class ItemColdSplit:
    """Item-cold split: training data without interactions of the cold items.

    Args:
        train: all users with a like left, without any interaction with ``cold`` items; the catalog
            still has them.
        cold: the items; give them to ``support_cases`` as the targets, with the whole data.
    """

    train: Dataset
    cold: frozenset[str]


def item_cold_split(
    data: Dataset, share: float = 0.2, seed: int = 0, *, fold: int = 0, newest: bool = False
) -> ItemColdSplit:
    """Take a share of the items that anyone likes out of everyone's interactions.

    Args:
        data: everything.
        share: of the items that anyone likes, in (0, 1).
        seed: of the order in which they are drawn; with ``newest``, within a year.
        fold: 0 for the first share of them, 1 for the next, and so on, round and round.
        newest: those of the latest years instead, whatever the fold; unknown years are oldest.

    Raises:
        ConfigError: the share is so small or so large that one part is empty.
    """
    liked = shuffled_ids({i for likes in data.likes.values() for i in likes}, seed)
    if newest:
        liked, fold = tuple(sorted(liked, key=lambda i: -(data.catalog[i].year or 0))), 0
    size = int(share * len(liked)) if 0 < share < 1 else 0
    cold = frozenset(liked[(fold * size + n) % len(liked)] for n in range(size))
    if not cold:
        raise ConfigError(
            f"share is {share:g}, of {len(liked)} items", hint="give a share in (0, 1)"
        )
    kept = {
        u: tuple(n for n, item in enumerate(items) if item not in cold)
        for u, items in data.likes.items()
    }
    low = {
        u: tuple(n for n, item in enumerate(items) if item not in cold)
        for u, items in data.dislikes.items()
    }
    return ItemColdSplit(_only(data, kept, low), cold)


def _only(
    data: Dataset, likes: Mapping[str, tuple[int, ...]], dislikes: Mapping[str, tuple[int, ...]]
) -> Dataset:
    """Keep some likes and dislikes, given by their places, and the users with a like left."""
    likes = {u: places for u, places in likes.items() if places}
    return replace(
        data,
        users={u: data.users[u] for u in likes},
        likes=_at(data.likes, likes),
        dislikes=_at(data.dislikes, dislikes),
        times=_at(data.times, likes) if data.times else {},
        dislike_times=_at(data.dislike_times, dislikes) if data.dislike_times else {},
    )


def _at(
    lists: Mapping[str, tuple[T, ...]], places: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[T, ...]]:
    return {u: tuple(lists[u][n] for n in at) for u, at in places.items()}
