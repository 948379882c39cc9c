"""How one list comes about: what is looked at, what the model is asked about, what is shown."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from coldstart.pipeline.response import Answer, AnswerOptions, adjusted
from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.filters import verdict
from coldstart.schema import Item, RecommendationList, Strategy
from coldstart.scoring.features import with_model
from coldstart.scoring.lm_signals import LMSignals, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.recommender import Recommender

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Steps = Generator[tuple[Strategy, Ints | None], LMSignals, RecommendationList]

_WIDER = 20  # times k: items that may be shown, looked at where too few of the pool may


class Listing:
    """One user's list in the making.

    Args:
        recommender: whose catalog, signals and blend it is made of.
        user: the resolved profile.
        options: what is asked for.
    """

    def __init__(
        self, recommender: Recommender, user: ResolvedProfile, options: AnswerOptions
    ) -> None:
        self._of, self._user, self._options = recommender, user, options
        self._whole = recommender.item_store
        self._whole.sync()

    def steps(self) -> Steps:
        """Make the list, stopping wherever the language model is needed.

        Yields:
            What it would ask: (``catalog`` or ``free``, rows of the shortlist). It goes on when
            sent the evidence about the catalog. The list is what it returns.
        """
        options, wrote = self._options, LMSignals()
        if options.strategy in ("free", "both"):
            wrote = yield "free", None
        named = set(wrote.found or ())
        if len(self._whole.ids) > self._of.settings.pool_from:
            named |= self._promoted()
        among = self._of.looked_at(self._user, named)
        out = yield from self._answer(among, wrote)
        if len(out) < options.k and among is not self._whole:
            # Few of those looked at may be shown: look at more that may.
            named.update(self._popular_that_pass(_WIDER * options.k))
            out = yield from self._answer(self._of.looked_at(self._user, named), wrote)
        return out

    def shortlist(self, features: Floats, among: ItemStore) -> Ints | None:
        """Catalog rows that the model is asked about, ``None`` for the whole catalog.

        They are the best by the blend without the model among those that may be shown, and no fewer
        than are asked for.

        Args:
            features: of what is looked at, shape (len(among.ids), len(FEATURES)).
            among: what is looked at.
        """
        options, wanted = self._options, self._of.settings.shortlist
        size = wanted and max(wanted, 2 * options.k)
        if options.strategy not in ("catalog", "both") or not 0 < size < len(self._whole.ids):
            return None
        scores = features @ self._of.ranker.weights("prior", len(self._user.liked))
        scores = scores + adjusted(among, options.adjustments)
        ranked = np.argsort(-scores, kind="stable").tolist()
        passing = (row for row in ranked if self._passes(among.items[row]))
        return among.where[list(islice(passing, size))]

    def finish(
        self,
        found: LMSignals,
        features: Floats | None = None,
        among: ItemStore | None = None,
    ) -> RecommendationList:
        """Filter, rank and explain.

        Args:
            found: what the language model said of the whole catalog.
            features: of what is looked at, if they are there already.
            among: what is looked at; ``None``: the catalog.
        """
        among = among or self._whole
        if features is None:
            features = self._of.features(self._user, item_store=among)
        if among is not self._whole:
            found = found.of_rows(among.where)
        whole = with_model(features, found.model, found.written)
        return Answer(among, self._of.ranker, self._user, found, whole, self._options).build()

    def _answer(self, among: ItemStore, wrote: LMSignals) -> Steps:
        features, found = self._of.features(self._user, item_store=among), wrote
        if self._options.strategy in ("catalog", "both"):
            judged = yield "catalog", self.shortlist(features, among)
            found = joined(judged, wrote)
        return self.finish(found, features, among)

    def _passes(self, item: Item) -> bool:
        """Whether it may be shown."""
        user = self._user
        return verdict(item, self._options.filters, user.profile, user.context) is None

    def _promoted(self) -> set[str]:
        """Ids of the most popular items that something raises."""
        raised = (a.items for a in self._options.adjustments if a.amount > 0)
        return {i for items in raised for i in self._most_popular(items)}

    def _most_popular(self, ids: Collection[str]) -> list[str]:
        rows = self._whole.rows_of(ids)
        ranked = rows[np.argsort(-self._whole.popularity[rows], kind="stable")]
        return [self._whole.ids[row] for row in ranked[: _WIDER * self._options.k].tolist()]

    def _popular_that_pass(self, n: int) -> Iterable[str]:
        """Ids of the most popular items that may be shown."""
        ranked = np.argsort(-self._whole.popularity, kind="stable")
        items = (self._whole.items[row] for row in ranked)
        return islice((item.item_id for item in items if self._passes(item)), n)
