"""Likes of training users as one stream, and what is known after a number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from coldstart.data.dataset import Dataset
from coldstart.data.ties import tie_key
from coldstart.errors import DataError

Arrival = Literal["time", "mixed"]
"""Order of the stream: by time; or users interleaved at random, each with their own order."""
StreamedLike = tuple[str, str]
"""User id and item id."""


def like_stream(
    data: Dataset, users: Sequence[str], arrival: Arrival = "time", seed: int = 0
) -> list[StreamedLike]:
    """All likes of some users in the order in which they are observed.

    Mixed, every like of a user falls on a random moment of one common span, in the user's own
    order: many visitors with few likes each, rather than few with all of theirs.

    Args:
        data: the likes.
        users: of the stream.
        arrival: the order.
        seed: of a mixed order; a user's moments do not depend on the other users.

    Raises:
        DataError: by time, where the data has no times.
    """
    if arrival == "time" and not data.times:
        raise DataError(
            f"{data.name} has no times to order its likes by", hint="let users arrive mixed"
        )
    out: list[tuple[float, int, int, StreamedLike]] = []
    for user in users:
        likes = data.likes[user]
        if arrival == "time":
            moments = [float(t) for t in data.times[user]]
        else:
            rng = np.random.default_rng([seed, *user.encode()])
            moments = np.sort(rng.random(len(likes))).tolist()
        out += [
            (moment, tie_key(user, ""), place, (user, item))
            for place, (moment, item) in enumerate(zip(moments, likes, strict=True))
        ]
    return [like for *_, like in sorted(out)]


def observed(data: Dataset, likes: Sequence[StreamedLike]) -> Dataset:
    """The dataset as it is known after some likes: only their users, with these likes alone."""
    known: dict[str, list[str]] = {}
    for user, item in likes:
        known.setdefault(user, []).append(item)
    return replace(
        data,
        users={user: data.users[user] for user in known},
        likes={user: tuple(items) for user, items in known.items()},
        dislikes={},
        dislike_times={},
        times={u: data.times[u][: len(items)] for u, items in known.items()} if data.times else {},
    )
