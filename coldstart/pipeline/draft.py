"""One list in the making, as it passes the stages of the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from coldstart.ranking.filters import verdict
from coldstart.scoring.lm_signals import LMSignals, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.request import RecommendRequest
    from coldstart.schema import Item, RecommendationList
    from coldstart.scoring.scorer import Scorer, Scores

    Floats = NDArray[np.float64]


@dataclass(eq=False)
class Draft:
    """State of one request.

    Args:
        position: of the request in its batch.
        request: user, options, decoding.
        candidates: the candidate set; at first the whole catalog.
        features: the ranker's input over the candidate set, shape (N, len(SIGNALS)).
        catalog_scores: of scorers of the scope ``catalog``, over the whole catalog.
        shortlist_scores: of scorers of the scope ``shortlist``, likewise.
        made: the list, or the error of a stage; ``None``: not yet.
    """

    position: int
    request: RecommendRequest
    candidates: ItemStore
    features: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    catalog_scores: list[Scores] = field(default_factory=list)
    shortlist_scores: list[Scores] = field(default_factory=list)
    made: RecommendationList | Exception | None = None

    @property
    def failed(self) -> bool:
        """Whether a stage raised an error."""
        return isinstance(self.made, Exception)

    @property
    def lm(self) -> LMSignals:
        """Language-model signals over the whole catalog."""
        scores = (*self.catalog_scores, *self.shortlist_scores)
        return joined(s.lm for s in scores if s.lm is not None)

    def asks(self, scorer: Scorer) -> bool:
        """Whether it still stands and its strategy includes the scorer."""
        own = scorer.strategies
        return not self.failed and (own is None or self.request.options.strategy in own)

    def passes(self, item: Item) -> bool:
        """Whether the request's filters allow an item."""
        user = self.request.user
        return verdict(item, self.request.options.filters, user.profile, user.context) is None


def isolate(drafts: Iterable[Draft], work: Callable[[Draft], None]) -> None:
    """Work on every draft that has not failed; an error is that draft's alone."""
    for draft in drafts:
        if draft.failed:
            continue
        try:
            work(draft)
        except Exception as e:
            draft.made = e
