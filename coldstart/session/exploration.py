"""Exploration: give places of a list to the items with the most informative feedback."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.ranking.constraints import Constraints
from coldstart.ranking.wording.sentences import sentence
from coldstart.schema import Reason, Recommendation, RecommendationList

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.profile.resolve import ResolvedProfile

    Floats = NDArray[np.float64]

PLAUSIBLE = 10
"""Exploration candidates: this many times k of the highest-ranked items."""


def fulfilling(
    wide: RecommendationList,
    best: RecommendationList,
    user: ResolvedProfile,
    item_store: ItemStore,
) -> RecommendationList:
    """Leave out of a longer list what fulfils less of the text than the whole of the shorter one.

    Args:
        wide: a longer list of exploration candidates.
        best: the list without exploration.
        user: of both lists.
        item_store: of the catalog.
    """
    constraints = Constraints.of(user, item_store)
    if not constraints.any or not len(best):
        return wide
    tier, rows = constraints.verdicts(item_store).tier, item_store.rows
    last = max(int(tier[rows[i]]) for i in best.item_ids)
    kept = tuple(line for line in wide if tier[rows[line.item_id]] <= last)
    return wide.model_copy(update={"items": kept})


def explore(
    best: RecommendationList,
    wide: RecommendationList,
    values: Floats,
    item_store: ItemStore,
    *,
    places: int,
    shown: Collection[str],
    near_duplicates: bool,
) -> RecommendationList:
    """Replace the last places of a list by exploration items, marked in their reasons and a note.

    Args:
        best: the list without exploration.
        wide: a longer list of exploration candidates.
        values: value of an opinion about each item, shape (N,), in row order.
        item_store: of the catalog.
        places: number of exploration items; fewer if there are too few candidates.
        shown: ids of items shown before, which are excluded.
        near_duplicates: whether items of nearly equal titles may be in one list.
    """
    catalog, rows = item_store.catalog, item_store.rows
    kept = [line.item_id for line in best.items[: len(best) - places]]
    fresh = [x for x in wide if x.item_id not in kept and x.item_id not in shown]
    taken = [catalog[i] for i in kept]
    chosen: list[Recommendation] = []
    for line in sorted(fresh, key=lambda x: -values[rows[x.item_id]]):
        item = catalog[line.item_id]
        if len(chosen) < places and (near_duplicates or not NearDuplicates().twin(item, taken)):
            chosen.append(line)
            taken.append(item)
    if not chosen:
        return best
    ids = {line.item_id for line in chosen}
    others = [line for line in best if line.item_id not in ids][: len(best) - len(chosen)]
    lines = [*others, *(_marked(line) for line in sorted(chosen, key=lambda x: -x.score))]
    note = f"{len(chosen)} of {len(lines)} places explore: what you think of them tells most"
    return best.model_copy(
        update={
            "items": tuple(
                line.model_copy(update={"rank": rank}) for rank, line in enumerate(lines, start=1)
            ),
            "notes": (*best.notes, note),
        }
    )


def _marked(line: Recommendation) -> Recommendation:
    reasons = (*line.reasons, Reason(code="exploration"))
    return line.model_copy(update={"reason": sentence(reasons), "reasons": reasons})
