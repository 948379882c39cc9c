"""Proposals: what scorers of the scope ``catalog`` find before the candidate set is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ConfigError
from coldstart.pipeline.draft import Draft, isolate
from coldstart.pipeline.score import score_candidates, scored, shortlist
from coldstart.scoring.scorer import ScoreRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.pipeline.candidates import CandidateStage
    from coldstart.pipeline.parts import Parts
    from coldstart.scoring.scorer import Scorer
    from coldstart.scoring.scorers import Scorers

    Ints = NDArray[np.int64]


class ProposeStage:
    """Has language models write titles, and what else scores the whole catalog.

    Args:
        parts: of the recommender.
        candidates: selects what a closed choice is made from.
    """

    def __init__(self, parts: Parts, candidates: CandidateStage) -> None:
        self._parts, self._candidates = parts, candidates

    def propose(self, drafts: Sequence[Draft], scorers: Scorers) -> None:
        """Set ``catalog_scores`` of every draft, or its error."""
        rows: dict[int, Ints | None] = {}

        def choose(draft: Draft) -> None:
            rows[draft.position] = choices(self._parts, self._candidates, draft)

        isolate(drafts, choose)
        for scorer in proposing(scorers):
            asking = [draft for draft in drafts if draft.asks(scorer)]
            batch = [
                ScoreRequest(
                    draft.request.user,
                    self._parts.item_store,
                    rows[draft.position],
                    draft.request.decoding,
                    draft.request.seed,
                )
                for draft in asking
            ]
            for draft, scores in zip(asking, scored(scorer, batch), strict=True):
                if isinstance(scores, Exception):
                    draft.made = scores
                else:
                    draft.catalog_scores.append(scores)


def proposing(scorers: Scorers) -> list[Scorer]:
    """Scorers of the scope ``catalog``."""
    return [scorer for scorer in scorers if scorer.scope == "catalog"]


def concurrency(scorers: Scorers) -> int:
    """Drafts to propose for at a time."""
    known = [s.concurrency for s in proposing(scorers) if s.concurrency is not None]
    return max(1, min(known, default=1))


def choices(parts: Parts, candidates: CandidateStage, draft: Draft) -> Ints | None:
    """Catalog rows whose titles may be written, ``None`` if any text may.

    Raises:
        ConfigError: the artifact's settings leave the shortlist out.
    """
    decoding = draft.request.decoding
    if decoding is None or decoding.choices is None:
        return None
    from coldstart.generation.decoding.local import MOST_CHOICES

    draft.candidates = candidates.select(draft.request.user)
    score_candidates([draft], parts.scorers)
    if isinstance(draft.made, Exception):
        raise draft.made
    rows = shortlist(parts, draft)
    if rows is None:  # a small catalog, or a shortlist that is turned off
        rows = np.arange(len(parts.catalog))
        if len(rows) > MOST_CHOICES:
            raise ConfigError(
                "choices from the shortlist, but this artifact has none",
                hint="its settings have shortlist 0; leave choices out",
            )
    return rows[:MOST_CHOICES]
