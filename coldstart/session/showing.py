"""A session's list: the recommender's, with items put off, boosts, wishes and exploration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from coldstart.answer import Answer, AnswerOptions
from coldstart.features import with_model
from coldstart.knowledge import ItemKnowledge
from coldstart.ranking import BlendRanker
from coldstart.schema import Context, Item, Provenance, Recommendation, UserProfile
from coldstart.session.history import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.evidence import Evidence
    from coldstart.features import ResolvedProfile
    from coldstart.recommender import Recommender
    from coldstart.schema import RecommendationList

    Floats = NDArray[np.float64]

YEARS_WORTH = 1.0
"""Added to the score of items from the years a person names: as if e times as popular."""
UNWANTED_WORTH = -1.0
"""Added to the score of items of a category that a person rejects."""


@dataclass(frozen=True)
class Shift:
    """Something that raises or lowers the scores of some items.

    Args:
        name: under which its part is in ``Provenance.contributions``.
        why: what the reason says about it, such as "you named the years".
        rows: the catalog rows it is about.
        amount: added to their scores.
        note: what the answer as a whole says about it, if anything.
    """

    name: str
    why: str
    rows: frozenset[int]
    amount: float
    note: str = ""


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


class ShiftedRanker(BlendRanker):
    """A ranker whose scores have something added.

    ``contributions`` leave it out, since they go by feature: who asks has to add it.

    Args:
        inner: the ranker.
        added: shape (N,), in catalog row order.
    """

    def __init__(self, inner: BlendRanker, added: Floats) -> None:
        super().__init__({})
        self._inner, self._added = inner, added

    def weights(self, strategy: str, shots: int) -> Floats:
        """Those of the ranker."""
        return self._inner.weights(strategy, shots)

    def scores(self, features: Floats, weights: Floats) -> Floats:
        """Those of the ranker, and what is added."""
        return self._inner.scores(features, weights) + self._added

    def contributions(self, features: Floats, weights: Floats, rows: Sequence[int]) -> Floats:
        """Those of the ranker."""
        return self._inner.contributions(features, weights, rows)


class Showing:
    """Makes lists for one person at one moment; the recommender is asked once.

    Args:
        recommender: whose scores these are.
        user: the resolved profile.
        options: what is asked for.
        shifts: what is added to the scores.
    """

    def __init__(
        self,
        recommender: Recommender,
        user: ResolvedProfile,
        options: AnswerOptions,
        shifts: Sequence[Shift],
    ) -> None:
        self._recommender, self._user, self._shifts = recommender, user, shifts
        features = recommender.features(user)
        rows = recommender.shortlist(user, features, options)
        self._found: Evidence = recommender.evidence(user, options.strategy, rows=rows)
        self._features = with_model(features, self._found.model, self._found.written)
        added = np.zeros(len(features))
        for shift in shifts:
            added[list(shift.rows)] += shift.amount
        self._ranker = ShiftedRanker(recommender.ranker, added)

    def answer(self, options: AnswerOptions) -> RecommendationList:
        """The best items, with the part of each shift in provenance and reason."""
        knowledge = self._recommender.knowledge
        made = Answer(
            knowledge, self._ranker, self._user, self._found, self._features, options
        ).build()
        notes = [s.note for s in self._shifts if s.note]
        return made.model_copy(
            update={
                "items": tuple(self._told(line, knowledge) for line in made),
                "notes": (*made.notes, *notes),
            }
        )

    def _told(self, line: Recommendation, knowledge: ItemKnowledge) -> Recommendation:
        row = knowledge.rows[line.item_id]
        mine = [s for s in self._shifts if row in s.rows]
        if not mine:
            return line
        said = "; ".join(f"{s.why} ({s.amount:+.2f} points)" for s in mine)
        parts = dict(line.provenance.contributions)
        for s in mine:
            parts[s.name] = parts.get(s.name, 0.0) + s.amount
        provenance: Provenance = line.provenance.model_copy(update={"contributions": parts})
        reason = f"{line.reason} {said[0].upper()}{said[1:]}."
        return line.model_copy(update={"reason": reason, "provenance": provenance})


def shifts_of(history: History, knowledge: ItemKnowledge, now: datetime) -> list[Shift]:
    """Boosts that have not expired, the years named and the categories rejected."""
    out = []
    for boost in history.boosts.values():
        rows = frozenset(knowledge.rows[i] for i in boost.items if i in knowledge.rows)
        if now >= boost.until or not rows or not boost.amount:
            continue
        verb = "promoted" if boost.amount > 0 else "held back"
        note = (
            f"{boost.name!r} adds {boost.amount:+.2f} to the scores of {len(rows)} item(s) until "
            f"{boost.until.isoformat()}"
        )
        why = f"{verb} by {boost.name!r}"
        out.append(Shift(f"boost:{boost.name}", why, rows, boost.amount, note))
    items = knowledge.catalog.items
    if history.years is not None:
        first, last = history.years
        rows = frozenset(
            row for row, item in enumerate(items)
            if item.year is not None and (first or item.year) <= item.year <= (last or item.year)
        )  # fmt: skip
        out.append(Shift("years", "from the years you named", rows, YEARS_WORTH))
    columns = _columns(knowledge, history.unwanted)
    if columns:
        rows = frozenset(np.flatnonzero(knowledge.has_category[:, columns].any(axis=1)).tolist())
        why = f"you do not want {', '.join(history.unwanted)}"
        out.append(Shift("unwanted", why, rows, UNWANTED_WORTH))
    return [s for s in out if s.rows]


def _columns(knowledge: ItemKnowledge, categories: Sequence[str]) -> list[int]:
    column: Mapping[str, int] = knowledge.category_column
    return [column[c.casefold()] for c in categories if c.casefold() in column]
