"""Equal times: a fair order of the likes that share one, and how much an order says.

Baskets, day-level dates and bulk ratings give many likes one time. An order by item id, or by the
file's rows, would make "first likes" a property of the item: models learn it, and it looks like
taste. A hash of user and item says nothing about either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import polars as pl

SEED = 0
"""Of the hash that orders likes with equal times."""
MOST_TIED = 0.5
"""Largest share of ties at which the order of likes is learned from.

Of two consecutive likes in a tie, either may be the first. Where that holds for most of them, most
pairs "liked before, liked after" that a model would count are drawn by lot.
"""
_KEY = "__tie_key"


def tie_key(user_id: str, item_id: str, seed: int = SEED) -> int:
    """Order of a like among likes with an equal time: 64 bits of BLAKE2b, equal on all machines.

    >>> tie_key("u1", "i1") == tie_key("u1", "i1"), tie_key("u1", "i1") == tie_key("u2", "i1")
    (True, False)
    """
    text = f"{seed}\0{user_id}\0{item_id}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def in_time_order(table: pl.DataFrame, column: str, seed: int = SEED) -> pl.DataFrame:
    """Sort interactions by user, then time; those with equal times by ``tie_key``.

    The result does not depend on the order of the rows, unless a user has an item twice at one
    time: these stay as they were. Rows without a time come last.

    Args:
        table: ``user_id`` and ``item_id`` as strings, and the times.
        column: of the times.
        seed: of the hash.
    """
    tied = table.select(pl.struct("user_id", column).is_duplicated()).to_series()
    rows = zip(table["user_id"], table["item_id"], tied, strict=True)
    keys = [tie_key(user, item, seed) if drawn else 0 for user, item, drawn in rows]
    table = table.with_columns(pl.Series(_KEY, keys, dtype=pl.UInt64))
    return table.sort(
        "user_id", column, _KEY, "item_id", maintain_order=True, nulls_last=True
    ).drop(_KEY)


def tied_share(times: Mapping[str, Sequence[float]]) -> float:
    """Share of consecutive likes of one user that have equal times, in [0, 1].

    Args:
        times: of each user's likes, oldest first.

    Returns:
        0 where no user has two likes.

    >>> tied_share({"u": (1.0, 1.0, 2.0), "v": (5.0,)})
    0.5
    """
    pairs = [a == b for own in times.values() for a, b in zip(own, own[1:], strict=False)]
    return sum(pairs) / len(pairs) if pairs else 0.0


def tied_at(times: Sequence[float], place: int) -> bool:
    """Whether the likes before and after a place in the order have equal times.

    >>> [tied_at((1.0, 1.0, 2.0), place) for place in range(4)]
    [False, True, False, False]
    """
    return 0 < place < len(times) and times[place - 1] == times[place]


def about_ties(share: float | None) -> str:
    """One sentence on the times of a dataset.

    Args:
        share: ``Dataset.tied_share``.
    """
    if share is None:
        return "no times, or not for every like: without any, the order of the rows is that in time"
    if not share:
        return "no user has two likes of one time"
    return (
        f"{share:.0%} of consecutive likes have equal times; "
        f"such likes are in the order of a hash (seed {SEED})"
    )


def order_warning(share: float | None) -> str | None:
    """What is switched off because most of the order is drawn by lot; ``None``: nothing.

    Args:
        share: ``Dataset.tied_share``.
    """
    if share is None or share <= MOST_TIED:
        return None
    return (
        f"{share:.0%} of consecutive likes have equal times, more than {MOST_TIED:.0%}: nothing is "
        "learned from their order (the signals next, late and beyond are 0, likes after the picks "
        "are as all likes, and no pick counts more for being recent)"
    )
