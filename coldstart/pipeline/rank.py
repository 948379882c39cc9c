"""Ranking: blend the signals, walk down the ranking past the filters, diversify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.pipeline.request import adjustments_of
from coldstart.ranking.constraints import FILTER
from coldstart.ranking.diversity import diversify
from coldstart.ranking.filters import MOST_DROPPED, FilterResult, walk
from coldstart.schema import Dropped
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.draft import Draft
    from coldstart.pipeline.parts import Parts
    from coldstart.ranking.constraints import Constraints

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_WIDER = 5  # diversity chooses among this many times k


@dataclass(frozen=True)
class Ranked:
    """A ranked list of candidate rows.

    Args:
        rows: of the candidate set, best first.
        scores: of every candidate, shape (N,).
        weights: of the linear blend, shape (len(SIGNALS),).
        walked: what the filters kept and dropped on the way down.
    """

    rows: list[int]
    scores: Floats
    weights: Floats
    walked: FilterResult


class RankStage:
    """Ranks the candidates of one draft.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def rank(self, draft: Draft) -> Ranked:
        """The best candidates that the filters allow."""
        options, user, items = draft.request.options, draft.request.user, draft.candidates
        ranker = self._parts.ranker
        weights = ranker.weights(options.strategy, len(user.liked))
        weights[SIGNALS.index("popularity")] -= options.popularity_penalty
        scores = ranker.scores(draft.features, weights, options.strategy)
        scores = scores + adjustments_of(items, options.adjustments)
        # Rounded, so that the order does not hang on the last bits of a sum.
        order = draft.order(np.round(scores, 9))
        if options.only is not None:
            order = order[[items.ids[row] in options.only for row in order.tolist()]]
        verdicts = draft.verdicts
        allowed = order if verdicts is None else order[~verdicts.excluded[order]]
        want = options.k if options.diversity == 0 else _WIDER * options.k
        walked = walk(
            (items.items[row] for row in allowed),
            options.filters,
            user.filter_profile,
            user.context,
            want,
            None if options.near_duplicates else NearDuplicates(),
            liked=[items.catalog[i] for i in user.liked],
        )
        if draft.constraints is not None and len(allowed) < len(order):
            walked = _with_excluded(walked, draft.constraints, items, order, allowed, want)
        rows = [items.rows[item.item_id] for item in walked.kept]
        tiers = None if verdicts is None else verdicts.tier[rows]
        chosen = diversify(scores[rows], items.content[rows], options.k, options.diversity, tiers)
        return Ranked([rows[n] for n in chosen], scores, weights, walked)


def _with_excluded(
    walked: FilterResult,
    constraints: Constraints,
    items: ItemStore,
    order: Ints,
    allowed: Ints,
    want: int,
) -> FilterResult:
    """Add what the constraints excluded above the last item kept, in the order of the ranking."""
    position = {row: at for at, row in enumerate(order.tolist())}
    full = len(walked.kept) >= want
    last = position[items.rows[walked.kept[-1].item_id]] if full else len(order)
    allowed_rows = set(allowed.tolist())
    excluded = [row for row in order[:last].tolist() if row not in allowed_rows]
    if not excluded:
        return walked
    found = {items.rows[d.item_id]: d for d in walked.dropped}
    for row in excluded[:MOST_DROPPED]:
        item, why = items.items[row], constraints.why(items, row)
        found[row] = Dropped(item_id=item.item_id, title=item.title, filter=FILTER, detail=why)
    dropped = [found[row] for row in sorted(found, key=position.__getitem__)]
    counts = {FILTER: len(excluded), **walked.counts}
    return FilterResult(walked.kept, tuple(dropped[:MOST_DROPPED]), counts)
