"""What a session adds to a list: items put off, boosts and wishes."""

from __future__ import annotations

from datetime import datetime

from coldstart.answer import Adjustment
from coldstart.filters import Categories, Years
from coldstart.knowledge import ItemKnowledge
from coldstart.schema import Context, Item, UserProfile
from coldstart.session.history import History

YEARS_WORTH = 1.0
"""Added to the score of items from the years a person names: as if e times as popular."""
UNWANTED_WORTH = -1.0
"""Added to the score of items of a category that a person rejects."""


class NotNow:
    """Drops what was seen, and what was skipped or put off for now.

    Args:
        history: says which items these are.
    """

    name = "session"

    def __init__(self, history: History) -> None:
        self._history = history

    def reject(self, item: Item, profile: UserProfile, context: Context) -> str | None:
        """Say which of the two it is."""
        if item.item_id in self._history.seen:
            return "already seen"
        left = self._history.snoozed.get(item.item_id)
        return None if left is None else f"skipped or put off; {left} more lists without it"


def adjustments_of(
    history: History, knowledge: ItemKnowledge, now: datetime
) -> tuple[Adjustment, ...]:
    """Boosts that have not expired, the years named and the categories rejected."""
    out = []
    for boost in history.boosts.values():
        ids = frozenset(i for i in boost.items if i in knowledge.rows)
        if now >= boost.until or not boost.amount:
            continue
        verb = "promoted" if boost.amount > 0 else "held back"
        note = (
            f"{boost.name!r} adds {boost.amount:+.2f} to the scores of {len(ids)} item(s) until "
            f"{boost.until.isoformat()}"
        )
        why = f"{verb} by {boost.name!r}"
        out.append(Adjustment(f"boost:{boost.name}", why, ids, boost.amount, note))
    if history.years is not None:
        first, last = history.years
        years = Years(first, last)
        fits = (i for i in knowledge.items if years.reject(i, UserProfile(), Context()) is None)
        ids = frozenset(i.item_id for i in fits)
        out.append(Adjustment("years", "from the years you named", ids, YEARS_WORTH))
    if history.unwanted:
        unwanted = Categories(exclude=history.unwanted)
        has = (i for i in knowledge.items if unwanted.reject(i, UserProfile(), Context()))
        why = f"you do not want {', '.join(history.unwanted)}"
        ids = frozenset(i.item_id for i in has)
        out.append(Adjustment("unwanted", why, ids, UNWANTED_WORTH))
    return tuple(a for a in out if a.items)
