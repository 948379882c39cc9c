"""Scoring: every scorer over its scope, the language model over a shortlist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from coldstart.pipeline.draft import Draft
from coldstart.pipeline.known_scripts import KnownScripts, without_unknown
from coldstart.pipeline.request import adjustments_of
from coldstart.pipeline.usable_text import text_use
from coldstart.ranking.request_blend import without_words
from coldstart.schema import Understood
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import Scorer, ScoreRequest, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.pipeline.parts import Parts
    from coldstart.scoring.scorers import Scorers

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

OPENING = "opening"


class ScoreStage:
    """Computes the ranker's input of drafts whose candidate sets are selected.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts, self.known_scripts = parts, KnownScripts(parts)

    def score(self, drafts: Sequence[Draft], scorers: Scorers) -> None:
        """Set features and shortlist scores of every draft, or its error.

        Candidates are scored first. The best of them are the shortlist, which the remaining scorers
        read together, in one pass for all drafts; not at all where the ranker weighs nothing that
        they compute.
        """
        for draft in drafts:
            draft.shortlist_scores = []
            draft.unknown = self.known_scripts.unknown(draft.request.user)
        score_candidates([d for d in drafts if not d.failed], scorers)
        for draft in drafts:
            if not draft.failed and draft.useless_text:
                self._open(draft, scorers)
        for scorer in scorers:
            if scorer.scope == "shortlist":
                self._score_shortlists(scorer, [d for d in drafts if self._matters(scorer, d)])
        for draft in drafts:
            if not draft.failed:
                self._add_columns(draft)

    def _open(self, draft: Draft, scorers: Scorers) -> None:
        """A text of which nothing can be used is ranked as none is, by the opening list, too."""
        if not self._parts.ranker.weighs(draft.request.options.strategy, (OPENING,)):
            return
        user = draft.request.user
        profile = user.profile.model_copy(update={"about": None})
        context = user.context.model_copy(update={"text": None, "occasion": None})
        silent = replace(user, profile=profile, context=context, understood=Understood())
        (found,) = scorers.features([ScoreRequest(silent, draft.candidates)])
        column = SIGNALS.index(OPENING)
        draft.features[:, column] = found[:, column]

    def _matters(self, scorer: Scorer, draft: Draft) -> bool:
        names = [s.name for s in scorer.signals if s.reads not in draft.unknown]
        return draft.asks(scorer) and self._parts.ranker.weighs(
            draft.request.options.strategy, names
        )

    def _score_shortlists(self, scorer: Scorer, drafts: Sequence[Draft]) -> None:
        whole = self._parts.item_store
        batch = [
            ScoreRequest(
                d.request.user, whole, shortlist(self._parts, d), d.request.decoding, d.request.seed
            )
            for d in drafts
        ]
        for draft, scores in zip(drafts, scored(scorer, batch), strict=True):
            if isinstance(scores, Exception):
                draft.made = scores
            else:
                draft.shortlist_scores.append(scores)

    def _add_columns(self, draft: Draft) -> None:
        """Put the scores over the whole catalog into the columns of the candidate set."""
        items = draft.candidates
        for scores in (*draft.catalog_scores, *draft.shortlist_scores):
            for name, values in scores.columns.items():
                own = values if items is self._parts.item_store else values[items.where]
                draft.features[:, SIGNALS.index(name)] = own
        if draft.useless_text:
            draft.features = without_words(draft.features)
        draft.features = without_unknown(draft.features, draft.unknown)


def score_candidates(drafts: Sequence[Draft], scorers: Scorers) -> None:
    """Set the features that need no other scope, or the error, of every draft."""
    if not drafts:
        return
    batch = [ScoreRequest(d.request.user, d.candidates, seed=d.request.seed) for d in drafts]
    try:
        found: Iterable[Floats] = scorers.features(batch)
    except Exception as e:
        if len(drafts) == 1:
            drafts[0].made = e
        else:  # one at a time, so that the error is that of one request only
            for draft in drafts:
                score_candidates([draft], scorers)
        return
    for draft, features in zip(drafts, found, strict=True):
        draft.unread, draft.resembled, draft.useless_text, draft.features = text_use(
            draft.request.user, draft.candidates, features, draft.unknown
        )


def shortlist(parts: Parts, draft: Draft) -> Ints | None:
    """Catalog rows that scorers of the scope ``shortlist`` score, ``None`` for the whole catalog.

    The best candidates that pass the filters, by the linear blend of all other signals, and no
    fewer than k. Items added after training come beside the others, a quarter of their number at
    most, so that they displace none.
    """
    options, wanted = draft.request.options, parts.settings.shortlist
    size = wanted and max(wanted, 2 * options.k)
    if not 0 < size < len(parts.item_store.ids):
        return None
    items = draft.candidates
    picks = len(draft.request.user.liked)
    scores = parts.ranker.linear(draft.features, picks, options.words)
    scores = scores + adjustments_of(items, options.adjustments)
    ranked = draft.order(scores)
    if draft.verdicts is not None:
        ranked = ranked[~draft.verdicts.excluded[ranked]]
    ranked = ranked.tolist()
    passing = (row for row in ranked if draft.passes(items.items[row]))
    if items.met.all() or not items.met.any():
        return items.where[list(islice(passing, size))]
    chosen: list[int] = []
    met = new = 0
    for row in passing:
        if items.met[row]:
            chosen.append(row)
            met += 1
        elif new < size // 4:
            chosen.append(row)
            new += 1
        if met == size:
            break
    return items.where[chosen]


def scored(scorer: Scorer, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
    """Score a batch; if it fails as a whole, each request by itself."""
    if not batch:
        return []
    try:
        return scorer.score(batch)
    except Exception as e:
        if len(batch) == 1:
            return [e]
        return [found for one in batch for found in scored(scorer, [one])]
