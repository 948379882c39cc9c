"""Out-of-fold item statistics, so that training users can be treated as cold users."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coldstart.catalog.item_store import ItemStore
from coldstart.data.dataset import Dataset
from coldstart.interactions.interaction_stats import EARLY, UNORDERED, Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.protocols import Encoder
from coldstart.scoring.resources import ItemResources
from coldstart.scoring.scorer import ScoreRequest
from coldstart.scoring.scorers import Scorers

Floats = NDArray[np.float64]

PARTS = 8


class OutOfFold:
    """Out-of-fold item statistics: counts of seven folds of the training users for the eighth.

    Subtracting a user's own likes from the counts is not enough: an item liked by n users would
    have the count n − 1 if the user is one of them and n otherwise, which leaks the label.

    Args:
        data: the likes.
        users: training users.
        encoder: encodes item content.
        seed: of the folds.
    """

    def __init__(
        self, data: Dataset, users: Sequence[str], encoder: Encoder, *, seed: int = 0
    ) -> None:
        self._data, self._users, self._encoder = data, tuple(users), encoder
        order = np.random.default_rng([seed, 7]).permutation(len(users))
        self._part = {self._users[n]: place % PARTS for place, n in enumerate(order)}
        self.everyone = self._without(None)
        self._known: dict[int, ItemStore] = {}
        self._scorers: dict[int | None, Scorers] = {}

    def of(self, user: str) -> ItemStore:
        """Item store without the user's fold; for other than training users, of all folds."""
        part = self._part.get(user)
        if part is None or len(self._users) < 2:
            return self.everyone
        if part not in self._known:
            self._known[part] = self._without(part)
        return self._known[part]

    def features(self, user: str, requests: Sequence[ResolvedProfile]) -> list[Floats]:
        """The ranker's input of some requests of a user, without a language model.

        The statistics, and scorers with a state of their own, are those of the other parts.

        Returns:
            One array per request, shape (N, len(SIGNALS)), rows in catalog order.
        """
        items, scorers = self.of(user), self.scorers_of(user)
        scorers.sync(ItemResources(items))
        return scorers.features([ScoreRequest(request, items) for request in requests])

    def scorers_of(self, user: str | None = None) -> Scorers:
        """Scorers fitted without a user's part; ``None``, or users of no part: on everyone."""
        part = None if user is None or len(self._users) < 2 else self._part.get(user)
        if part not in self._scorers:
            scorers = Scorers()
            scorers.fit(self._data, [u for u in self._users if self._part[u] != part])
            self._scorers[part] = scorers
        return self._scorers[part]

    def _without(self, part: int | None) -> ItemStore:
        others = {u: self._data.users[u] for u in self._users if self._part[u] != part}
        items = self._data.catalog
        first = EARLY if self._data.ordered else UNORDERED
        counts = Counts.fit(items.ids, others, self._data.likes, first=first)
        like = None if part is None else self.everyone
        item_store = ItemStore(items, counts, self._encoder, like)
        item_store.sync()
        return item_store
