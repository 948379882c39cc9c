"""Session-level list changes: snoozed items and boosts."""

from __future__ import annotations

from datetime import datetime

from coldstart.catalog.item_store import ItemStore
from coldstart.pipeline.request import ScoreAdjustment
from coldstart.schema import Context, Item, Reason, UserProfile
from coldstart.session.history import History


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
    """Collect score adjustments: the active boosts."""
    out = []
    for boost in history.boosts.values():
        ids = frozenset(i for i in boost.items if i in item_store.rows)
        if now >= boost.until or not boost.amount:
            continue
        note = (
            f"{boost.name!r} adds {boost.amount:+.2f} to the scores of {len(ids)} item(s) until "
            f"{boost.until.isoformat()}"
        )
        reason = Reason(code="boosted", arguments={"name": boost.name, "points": boost.amount})
        out.append(ScoreAdjustment(f"boost:{boost.name}", reason, ids, boost.amount, note))
    return tuple(a for a in out if a.items)
