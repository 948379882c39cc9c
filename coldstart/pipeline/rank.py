"""Ranking: blend the signals, walk down the ranking past the filters, diversify."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.errors import ArtifactError
from coldstart.pipeline.draft import Ranked
from coldstart.pipeline.request import adjustments_of
from coldstart.ranking.constraints import FILTER
from coldstart.ranking.diversity import diversify
from coldstart.ranking.filters import MOST_DROPPED, FilterResult, walk
from coldstart.ranking.ranker import states_taste
from coldstart.schema import Dropped
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.wishes import WishScorer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.draft import Draft
    from coldstart.pipeline.parts import Parts
    from coldstart.ranking.constraints import Constraints
    from coldstart.schema import Item

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Masks = NDArray[np.bool_]

PENALISED = 200
"""Best items without the penalty on popularity, which it reorders."""
_WIDER = 5  # diversity chooses among this many times k


class RankStage:
    """Ranks the candidates of one draft.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def rank(self, draft: Draft) -> Ranked:
        """The best candidates that the filters allow.

        Raises:
            ArtifactError: a score is not a number.
        """
        options, user, items = draft.request.options, draft.request.user, draft.candidates
        ranker = self._parts.ranker
        weights = ranker.weights(options.strategy, len(user.liked))
        adjusted = adjustments_of(items, options.adjustments)
        scores = ranker.scores(draft.features, weights, options.strategy, options.words)
        if not np.isfinite(scores).all():
            raise _no_numbers(draft.features)
        scores = scores + adjusted
        # Rounded, so that the order does not hang on the last bits of a sum.
        order = _shown(draft.order(np.round(scores, 9)), items, options.only)
        want = options.k if options.diversity == 0 else _WIDER * options.k
        reordered = len(order)
        if options.popularity_penalty:
            popularity = SIGNALS.index("popularity")
            taste = scores - weights[popularity] * draft.features[:, popularity]
            near = _leading(draft, order, max(want, 2 * options.k)) & _spoken_for(draft, taste)
            weights[popularity] -= options.popularity_penalty
            again_scored = ranker.scores(draft.features, weights, options.strategy, options.words)
            scores = again_scored + adjusted
            again = draft.order(np.round(scores, 9))
            order = np.concatenate([again[near[again]], order[~near[order]]])
            reordered = int(near.sum())
        verdicts = draft.verdicts
        allowed = order if verdicts is None else order[~verdicts.excluded[order]]
        walked = walk(
            (items.items[row] for row in allowed),
            options.filters,
            user.filter_profile,
            user.context,
            want,
            None if options.near_duplicates else NearDuplicates(),
            liked=[items.catalog[i] for i in user.liked],
            added=_added(items),
        )
        if draft.constraints is not None and len(allowed) < len(order):
            wishes = [SIGNALS.index(signal.name) for signal in WishScorer.signals]
            plain = scores - draft.features[:, wishes] @ weights[wishes]
            ranked = _shown(draft.order(np.round(plain, 9)), items, options.only)
            walked = _with_excluded(walked, draft, draft.constraints, ranked, want)
        rows = [items.rows[item.item_id] for item in walked.kept]
        leading = set(order[:reordered].tolist())  # diversity chooses among these, if they suffice
        rows = rows[: max(options.k, sum(row in leading for row in rows))]
        tiers = None if draft.tiers is None else draft.tiers[rows]
        chosen = diversify(scores[rows], items.content[rows], options.k, options.diversity, tiers)
        return Ranked([rows[n] for n in chosen], scores, weights, walked)


def _no_numbers(features: Floats) -> ArtifactError:
    """The error where scores are not finite, with the signals that are not."""
    odd = np.flatnonzero(~np.isfinite(features).all(axis=0)).tolist()
    names = ", ".join(SIGNALS.names[n] for n in odd) or "the weights"
    return ArtifactError(
        f"scores are not numbers, because of {names}",
        hint="the artifact is damaged, or a plug-in computes no finite numbers",
    )


def _shown(order: Ints, items: ItemStore, only: Set[str] | None) -> Ints:
    """The rows of the items that may be shown, in the same order."""
    if only is None:
        return order
    rows = [row for row in order.tolist() if items.ids[row] in only]
    return np.array(rows, dtype=np.int64)


def _added(items: ItemStore) -> Callable[[Item], int | None] | None:
    """Catalog row of an item that was added after training, where there are others.

    The catalog appends items, so a later row is that of a later item.
    """
    if items.met.all() or not items.met.any():
        return None

    def row_of(item: Item) -> int | None:
        row = items.rows[item.item_id]
        return None if items.met[row] else int(items.where[row])

    return row_of


def _leading(draft: Draft, order: Ints, least: int) -> Masks:
    """Whether each candidate is among those that a penalty on popularity reorders, shape (N,).

    These are the first ``PENALISED`` that may be shown, a quarter of a small catalog. The penalty
    would raise all others for no reason but that few people know them.

    Args:
        draft: whose filters and constraints decide what may be shown.
        order: candidate rows without the penalty, best first.
        least: fewest items that may be shown, where there are as many.
    """
    wanted = max(least, min(PENALISED, len(order) // 4))
    near = np.zeros(len(draft.candidates.ids), dtype=np.bool_)
    passed = 0
    for row in order.tolist():
        near[row] = True
        excluded = draft.verdicts is not None and draft.verdicts.excluded[row]
        passed += not excluded and draft.passes(draft.candidates.items[row])
        if passed == wanted:
            break
    return near


def _spoken_for(draft: Draft, taste: Floats) -> Masks:
    """Whether anything but a small popularity speaks for each candidate, shape (N,).

    Someone liked it or something like it, or the request states a taste that it meets better than
    the mean candidate.

    Args:
        draft: with features.
        taste: scores without popularity, shape (N,).
    """
    liked = draft.candidates.share > 0
    return liked | (taste > taste.mean()) if states_taste(draft.features) else liked


def _with_excluded(
    walked: FilterResult, draft: Draft, constraints: Constraints, order: Ints, want: int
) -> FilterResult:
    """Add what the constraints excluded although it would have been among the best.

    Args:
        walked: what the filters kept and dropped of the others.
        draft: with verdicts.
        constraints: that exclude.
        order: all candidate rows, ranked without the signals of the text's wishes, which would
            hide what is excluded at the end.
        want: number of items that were to be kept.
    """
    items, verdicts = draft.candidates, draft.verdicts
    is_excluded = np.zeros(0, dtype=bool) if verdicts is None else verdicts.excluded[order]
    kept_before = np.cumsum(~is_excluded)
    excluded = order[is_excluded & (kept_before < max(want, 1))].tolist()
    if not excluded:
        return walked
    position = {row: at for at, row in enumerate(order.tolist())}
    found = {items.rows[d.item_id]: d for d in walked.dropped}
    for row in excluded[:MOST_DROPPED]:
        item, why = items.items[row], constraints.why(items, row)
        found[row] = Dropped(item_id=item.item_id, title=item.title, filter=FILTER, detail=why)
    dropped = [found[row] for row in sorted(found, key=position.__getitem__)]
    counts = {FILTER: len(excluded), **walked.counts}
    return FilterResult(walked.kept, tuple(dropped[:MOST_DROPPED]), counts)
