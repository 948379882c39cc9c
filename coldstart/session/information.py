"""Ask what is expected to tell most about which taste a person has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.session.quiz import ItemQuiz, Known, Tables, to_columns, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Single = NDArray[np.float32]
    Ints = NDArray[np.int64]

MOST_ITEMS = 2000
"""The most liked items, which stand for the tastes and may be asked about; 32 MB of tables."""
SHRINK = 10.0
"""Users by which the shares of a taste are shrunk towards those of everyone."""


@dataclass(frozen=True)
class Tastes:
    """What people of each taste like; a taste is "those who like item j".

    Args:
        columns: the items, in the counts, shape (M,).
        place: position of each column of the counts among them, −1 for the others, shape (I,).
        prior: share of each taste, shape (M,); sums to 1.
        likes: probability that someone of taste j (row) likes item i (column), shape (M, M).
        negentropy: ``p log p + (1 − p) log(1 − p)`` of those, nats, shape (M, M).
    """

    columns: Ints
    place: Ints
    prior: Floats
    likes: Single
    negentropy: Single

    @classmethod
    def of(cls, item_store: ItemStore) -> Tastes:
        """Count them."""
        counts = item_store.counts
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

    def posterior(self, liked: list[int], others: list[int]) -> Floats:
        """Share of each taste among people who like some items and do not like others, (M,).

        Args:
            liked: places of the items.
            others: likewise, of those that are disliked or not known.
        """
        logs = np.log(self.prior)
        logs = logs + np.log(self.likes[:, liked]).sum(axis=1, dtype=np.float64)
        logs = logs + np.log1p(-self.likes[:, others]).sum(axis=1, dtype=np.float64)
        weights = np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())


class InformationGain(ItemQuiz):
    """The item from whose answer most is expected to be learned about the person's taste.

    A person has one of M tastes, "those who like item j", with probability w_j; one of taste j
    likes item i with ``P_ji = (C_ij + β p_i) / (n_j + β)``. Answers update w by Bayes' rule (what
    is disliked and what is not known is not liked). Asked is the item of the highest expected
    information gain, the mutual information of taste and answer, with h the entropy of a yes and
    ``m_i = Σ_j w_j P_ji``:

    ``h(m_i) − Σ_j w_j h(P_ji)``
    """

    name = "information_gain"
    why = "your answer would say most about your taste"

    def value(self, known: Known) -> Floats:
        """Nats, at least 0; items beyond the ``MOST_ITEMS`` most liked are worth 0."""
        item_store = known.item_store
        tastes = TASTES.of(item_store)
        weights = taste_weights(known).astype(np.float32)
        gain = weights @ tastes.negentropy - _negentropy(weights @ tastes.likes)
        values = np.zeros(len(item_store.counts.item_ids))
        values[tastes.columns] = np.maximum(gain, 0.0)
        return to_rows(item_store, values)


def taste_weights(known: Known) -> Floats:
    """Share of each taste, given all that the person said about items, shape (M,)."""
    tastes = TASTES.of(known.item_store)

    def places(rows: tuple[int, ...]) -> list[int]:
        found = (int(tastes.place[c]) for c in to_columns(known.item_store, rows))
        return [p for p in found if p >= 0]

    return tastes.posterior(places(known.liked), places(known.disliked + known.unfamiliar))


def _negentropy(p: Single) -> Single:
    return p * np.log(p) + (1 - p) * np.log1p(-p)


TASTES = Tables(Tastes.of)
