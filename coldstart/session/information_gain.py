"""Information-gain quiz: select the question most informative about the user's taste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.scoring.opening import cover
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.quiz import ItemQuiz, QuizState, to_columns, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Single = NDArray[np.float32]
    Ints = NDArray[np.int64]

MOST_ITEMS = 2000
"""Number of most liked items, each a taste and a possible question; 32 MB of tables."""
KINDS = 200
"""Number of items, each a taste and a possible question, where there are no users."""
LIKELY, UNLIKELY = 0.5, 0.05
"""Probability that an item is liked by the taste of itself, and by that of an unrelated one."""
SHRINK = 10.0
"""Pseudo-count, in users, that shrinks a taste's like rates towards the global ones."""


@dataclass(frozen=True)
class Tastes:
    """Mixture model of users: taste j is that of the users with a like of item j.

    Args:
        columns: columns of the M items in the counts, shape (M,).
        place: position of each column of the counts in ``columns``, −1 for the others, shape (I,).
        prior: prior probability of each taste, shape (M,); sums to 1.
        likes: probability that a user of taste j (row) likes item i (column), shape (M, M).
        negentropy: ``p log p + (1 − p) log(1 − p)`` of ``likes``, nats, shape (M, M).
    """

    columns: Ints
    place: Ints
    prior: Floats
    likes: Single
    negentropy: Single

    @classmethod
    def of(cls, item_store: ItemStore) -> Tastes:
        """Estimate the mixture from the counts of the ``MOST_ITEMS`` most liked items.

        Without users, from the contents of ``KINDS`` items that cover the catalog: a user whose
        taste is item j likes item i the likelier, the more alike they are. The prior of a taste is
        the share of the catalog's items to which it is the nearest one, each by the root of its
        prior share.
        """
        counts = item_store.counts
        if not counts.n_users:
            return cls._of_contents(item_store)
        columns = np.argsort(-counts.likes, kind="stable")[:MOST_ITEMS]
        place = np.full(len(counts.item_ids), -1)
        place[columns] = np.arange(len(columns))
        size = counts.likes[columns]
        both = counts.together[columns][:, columns].toarray()
        both[np.diag_indices(len(both))] = size
        share = (size + 0.5) / (counts.n_users + 1.0)
        likes = (both + SHRINK * share) / (size[:, None] + SHRINK)
        likes = np.clip(likes, 1e-6, 1 - 1e-6)
        weight = size + 1e-9
        single = likes.astype(np.float32)
        return cls(columns, place, weight / weight.sum(), single, _negentropy(single))

    @classmethod
    def _of_contents(cls, item_store: ItemStore) -> Tastes:
        kinds = [r for r in cover(item_store, KINDS) if item_store.columns[r] >= 0]
        columns = item_store.columns[kinds]
        place = np.full(len(item_store.counts.item_ids), -1)
        place[columns] = np.arange(len(columns))
        near = item_store.content @ item_store.content[kinds].T
        alike = near[kinds].astype(np.float64)
        usual = float(alike.mean()) if len(kinds) else 0.0
        share = np.clip((alike - usual) / max(1.0 - usual, 1e-9), 0.0, 1.0)
        likes = (UNLIKELY + (LIKELY - UNLIKELY) * share).astype(np.float32)
        weight = np.full(len(kinds), 1e-9)
        if kinds:
            np.add.at(weight, near.argmax(axis=1), np.exp(0.5 * item_store.prior_lift))
        return cls(columns, place, weight / max(weight.sum(), 1e-9), likes, _negentropy(likes))

    def posterior(self, liked: list[int], others: list[int]) -> Floats:
        """Return the posterior probability of each taste given a user's answers, shape (M,).

        Args:
            liked: positions of the liked items.
            others: positions of the disliked and the unfamiliar items.
        """
        logs = np.log(self.prior)
        logs = logs + np.log(self.likes[:, liked]).sum(axis=1, dtype=np.float64)
        logs = logs + np.log1p(-self.likes[:, others]).sum(axis=1, dtype=np.float64)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())


class InformationGain(ItemQuiz):
    """The item with the highest expected information gain about the user's taste.

    A user has one of M tastes, "likes item j", with probability w_j; a user of taste j likes item
    i with ``P_ji = (C_ij + β p_i) / (n_j + β)``. Answers update w by Bayes' rule; disliked and
    unfamiliar items count as not liked. The expected information gain is the mutual information of
    taste and answer, with h the binary entropy and ``m_i = Σ_j w_j P_ji``:

    ``h(m_i) − Σ_j w_j h(P_ji)``
    """

    name = "information_gain"
    why = "your answer would say most about your taste"

    def value(self, state: QuizState) -> Floats:
        """Return the expected information gain, nats, ≥ 0; 0 beyond the ``MOST_ITEMS`` items."""
        item_store = state.item_store
        tastes = TASTES.of(item_store)
        weights = taste_weights(state).astype(np.float32)
        gain = weights @ tastes.negentropy - _negentropy(weights @ tastes.likes)
        values = np.zeros(len(item_store.counts.item_ids))
        values[tastes.columns] = np.maximum(gain, 0.0)
        return to_rows(item_store, values)


def taste_weights(state: QuizState) -> Floats:
    """Return the posterior probability of each taste given the user's opinions, shape (M,)."""
    tastes = TASTES.of(state.item_store)

    def places(rows: tuple[int, ...]) -> list[int]:
        found = (int(tastes.place[c]) for c in to_columns(state.item_store, rows))
        return [p for p in found if p >= 0]

    return tastes.posterior(places(state.liked), places(state.disliked + state.unfamiliar))


def _negentropy(p: Single) -> Single:
    return p * np.log(p) + (1 - p) * np.log1p(-p)


TASTES = ItemStoreCache(Tastes.of)
