"""Likes of the likers of some items, sampled from observed likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.interactions.co_likes import CoLikes

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.interactions.interaction_stats import Counts
    from coldstart.scoring.content_lift import ContentLift
    from coldstart.scoring.scorer import Floats, Ints

_ITEMS = 32  # whose likers are looked at
_DRAWN = 1000  # items that stand for the catalog


def co_likes(
    counts: Counts, whole: ItemStore, columns: Ints, share: Floats, content: ContentLift
) -> CoLikes:
    """Sample items by their likes, and take all that their likers like beside them.

    Both samples are systematic: of items in catalog order, at even steps of the sum of their likes,
    or of their shares. Equal likes give equal samples, pairs in equal order, whenever they came.

    Args:
        counts: observed likes.
        whole: the catalog.
        columns: of every catalog row in the counts, −1 where it has no like, shape (N,).
        share: p of every catalog row, sums to 1, shape (N,).
        content: lifts by content.
    """
    likes = np.where(columns >= 0, counts.likes[columns], 0.0)
    picks = np.unique(_systematic(likes, _ITEMS))
    drawn = _systematic(share, _DRAWN)
    row_of = np.full(len(counts.item_ids), -1, dtype=np.int64)
    row_of[columns[columns >= 0]] = np.flatnonzero(columns >= 0)
    block = counts.together[columns[picks]].tocoo()
    item, rows, both = block.row.astype(np.int64), row_of[block.col], block.data
    order = np.lexsort((rows, item))
    order = order[rows[order] >= 0]
    item, rows, both = item[order], rows[order], both[order]
    beside, place = np.unique(rows, return_inverse=True)
    lifts = content.each(whole, picks.tolist(), np.concatenate([beside, drawn]))
    of_drawn = lifts[len(beside) :]
    of_drawn[drawn[:, None] == picks] = np.nan
    return CoLikes(
        both, share[rows], lifts[place, item], item, likes[picks], of_drawn, share[drawn]
    )


def _systematic(size: Floats, n: int) -> Ints:
    """Rows at the middles of n equal parts of the total size; repeats where one is large."""
    total = np.cumsum(size)
    return np.asarray(np.searchsorted(total, total[-1] * (np.arange(n) + 0.5) / n))
