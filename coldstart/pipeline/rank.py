"""Ranking: blend the signals, walk down the ranking past the filters, diversify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.pipeline.request import adjustments_of
from coldstart.ranking.diversity import diversify
from coldstart.ranking.filters import FilterResult, walk
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.pipeline.draft import Draft
    from coldstart.pipeline.parts import Parts
    from coldstart.schema import Item

    Floats = NDArray[np.float64]

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
        order = np.argsort(-np.round(scores, 9), kind="stable")

        def may_show(item: Item) -> bool:
            return options.only is None or item.item_id in options.only

        walked = walk(
            (items.items[row] for row in order if may_show(items.items[row])),
            options.filters,
            user.profile,
            user.context,
            options.k if options.diversity == 0 else _WIDER * options.k,
            None if options.near_duplicates else NearDuplicates(),
            liked=[items.catalog[i] for i in user.liked],
        )
        rows = [items.rows[item.item_id] for item in walked.kept]
        chosen = diversify(scores[rows], items.content[rows], options.k, options.diversity)
        return Ranked([rows[n] for n in chosen], scores, weights, walked)
