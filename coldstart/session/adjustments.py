"""Session-level list changes: snoozed items, boosts, and wishes expressed in text."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.pipeline.request import ScoreAdjustment
from coldstart.schema import Context, Item, Reason, UserProfile
from coldstart.session.history import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

YEARS_WORTH = 1.0
"""Added to the score of items from the years the user names: as if e times as popular."""
UNWANTED_WORTH = -1.0
"""Added to the score of items of a category that the user rejects."""


class SnoozeFilter:
    """Filter of items marked as seen, and of items skipped or put off for some lists.

    Args:
        history: of the session.
    """

    name = "session"

    def __init__(self, history: History) -> None:
        self._history = history

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Return whether the item is rejected as seen or as snoozed; ``None`` if it is neither."""
        if item.item_id in self._history.seen:
            return "already seen"
        left = self._history.snoozed.get(item.item_id)
        return None if left is None else f"skipped or put off; {left} more lists without it"


def session_adjustments(
    history: History, item_store: ItemStore, now: datetime
) -> tuple[ScoreAdjustment, ...]:
    """Collect score adjustments: active boosts, years named, and categories rejected."""
    out = []
    for boost in history.boosts.values():
        ids = frozenset(i for i in boost.items if i in item_store.rows)
        if now >= boost.until or not boost.amount:
            continue
        note = (
            f"{boost.name!r} adds {boost.amount:+.2f} to the scores of {len(ids)} item(s) until "
            f"{boost.until.isoformat()}"
        )
        out.append(
            _adjustment(f"boost:{boost.name}", "boosted", ids, boost.amount, note, name=boost.name)
        )
    if history.years is not None:
        fits = item_store.of_rows(_from_years(item_store, *history.years))
        out.append(_adjustment("years", "years_wanted", fits, YEARS_WORTH, group="years"))
    if history.unwanted:
        names, column = (c.casefold() for c in history.unwanted), item_store.category_column
        columns = [column[name] for name in names if name in column]
        has = item_store.of_rows(np.any(item_store.has_category[:, columns], axis=1))
        rejected = list(history.unwanted)
        out.append(
            _adjustment(
                "unwanted",
                "category_rejected",
                has,
                UNWANTED_WORTH,
                group="words",
                categories=rejected,
            )
        )
    return tuple(a for a in out if a.items)


def _adjustment(
    part: str,
    code: str,
    items: Set[str],
    amount: float,
    note: str = "",
    group: str = "",
    **arguments: Any,
) -> ScoreAdjustment:
    reason = Reason(code=code, arguments={**arguments, "points": amount})
    return ScoreAdjustment(part, reason, items, amount, note, group)


def _from_years(item_store: ItemStore, first: int | None, last: int | None) -> Mask:
    """Mask of the items of these years, shape (N,); items without a year are in none."""
    since = -np.inf if first is None else first
    until = np.inf if last is None else last
    return np.asarray((item_store.dated >= since) & (item_store.dated <= until))
