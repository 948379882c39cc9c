"""One list in the making, as it passes the stages of the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from coldstart.ranking.constraints import Constraints
from coldstart.ranking.filters import FilterResult, verdict
from coldstart.ranking.request_blend import EVEN
from coldstart.scoring.lm_signals import LMSignals, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.request import RecommendRequest
    from coldstart.ranking.constraints import Verdicts
    from coldstart.schema import Item, RecommendationList
    from coldstart.scoring.scorer import Scorer, Scores
    from coldstart.scoring.signal import Reads

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


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


@dataclass(eq=False)
class Draft:
    """State of one request.

    Args:
        position: of the request in its batch.
        request: user, options, decoding.
        candidates: the candidate set; at first the whole catalog.
        features: the ranker's input over the candidate set, shape (N, len(SIGNALS)).
        unread: whether there is a text, but no piece was read of it; see ``usable_text``.
        resembled: whether an item resembles it all the same.
        useless_text: whether, besides, no word of it is known; it is then ranked as if there were
            none.
        unknown: what the models cannot read for this request; see ``known_scripts``.
        catalog_scores: of scorers of the scope ``catalog``, over the whole catalog.
        shortlist_scores: of scorers of the scope ``shortlist``, likewise.
        ranked: the ranking that the list was made of; ``None``: not yet.
        made: the list, or the error of a stage; ``None``: not yet.
    """

    position: int
    request: RecommendRequest
    candidates: ItemStore
    features: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    unread: bool = False
    resembled: bool = False
    useless_text: bool = False
    unknown: frozenset[Reads] = frozenset()
    catalog_scores: list[Scores] = field(default_factory=list)
    shortlist_scores: list[Scores] = field(default_factory=list)
    ranked: Ranked | None = None
    made: RecommendationList | Exception | None = None
    _judged: tuple[ItemStore, Verdicts | None] | None = None

    @cached_property
    def constraints(self) -> Constraints | None:
        """What the request's text demands; ``None`` without demands, or if they are not strict."""
        found = (
            Constraints.of(self.request.user, self.candidates)
            if self.request.options.strict
            else None
        )
        return found if found is not None and found.any else None

    @property
    def verdicts(self) -> Verdicts | None:
        """How the candidates stand to the constraints; ``None`` without constraints."""
        if self._judged is None or self._judged[0] is not self.candidates:
            found = None if self.constraints is None else self.constraints.verdicts(self.candidates)
            self._judged = self.candidates, found
        return self._judged[1]

    def order(self, scores: Floats) -> Ints:
        """Candidate rows by tier of the constraints, then by score, the best first.

        Where words count less than they were learned to, a later tier costs points instead, the
        fewer the less they count.
        """
        verdicts, words = self.verdicts, self.request.options.words
        if verdicts is not None and words < EVEN:
            scores = scores - words / (EVEN - words) * float(scores.std()) * _places(verdicts.tier)
        order = np.argsort(-scores, kind="stable")
        if verdicts is None or words < EVEN:
            return order
        return order[np.argsort(verdicts.tier[order], kind="stable")]

    @property
    def tiers(self) -> Ints | None:
        """Tier of each candidate, where the tiers order; ``None`` where they do not."""
        by_words = self.request.options.words >= EVEN
        return self.verdicts.tier if self.verdicts is not None and by_words else None

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
        user, filters = self.request.user, self.request.options.filters
        return verdict(item, filters, user.filter_profile, user.context) is None


def _places(tier: Ints) -> Floats:
    """Place of each item's tier among those there are, from 0 for the first to 1 for the last."""
    _, place = np.unique(tier, return_inverse=True)
    return np.asarray(place / max(1, int(place.max(initial=0))), dtype=np.float64)


def isolate(drafts: Iterable[Draft], work: Callable[[Draft], None]) -> None:
    """Work on every draft that has not failed; an error is that draft's alone."""
    for draft in drafts:
        if draft.failed:
            continue
        try:
            work(draft)
        except Exception as e:
            draft.made = e
