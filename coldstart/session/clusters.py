"""Quiz over clusters of popular items: one question per cluster in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from coldstart.catalog.item_store import ItemStore
from coldstart.scoring.opening import cover
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.quiz import ItemQuiz, QuizState, to_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FAMOUS = 300
"""Number of most liked items that are clustered."""
GROUPS = 12
_DAMPING = 20.0  # likes, as in interaction_stats.co_occurrence


class ClusterDiverse(ItemQuiz):
    """Cluster-diverse quiz: the medoid of each cluster of co-liked items, then a second item, ….

    The 300 most liked items are clustered by average linkage on one minus the damped cosine of
    their co-occurrence. Clusters are ordered by total likes, items within a cluster by centrality:
    the like-weighted medoid first. Sign-up pages of film sites show such a spread. The order is
    static: answers do not change it. Without users it is that of the opening list
    (``scoring.opening``), which covers the catalog by content.
    """

    name = "cluster_diverse"
    why = "it stands for a whole group of titles that the same people like"

    def value(self, state: QuizState) -> Floats:
        """Return ``1 / position`` in the order of ``cluster_order``; 0 beyond the 300 items."""
        return _ORDER.of(state.item_store)


def cluster_order(item_store: ItemStore) -> list[int]:
    """Return the columns of the popular items, round-robin over clusters."""
    counts = item_store.counts
    famous = np.argsort(-counts.likes, kind="stable")[:FAMOUS]
    famous = famous[counts.likes[famous] > 0]
    if len(famous) < 2:
        return [int(c) for c in famous]
    size = counts.likes[famous]
    together = counts.together[famous][:, famous].toarray()
    near = together / np.sqrt((size + _DAMPING) * (size + _DAMPING)[:, None])
    np.fill_diagonal(near, 1.0)
    far = np.maximum(1 - near, 0.0)
    np.fill_diagonal(far, 0.0)
    tree = linkage(squareform(far, checks=False), method="average")
    label = fcluster(tree, t=GROUPS, criterion="maxclust")
    queues = []
    for group in np.unique(label):
        members = np.flatnonzero(label == group)
        central = near[np.ix_(members, members)] @ size[members] * size[members]
        order = members[np.argsort(-central, kind="stable")]
        queues.append((-float(size[members].sum()), [int(famous[m]) for m in order]))
    queues.sort()
    longest = max(len(queue) for _, queue in queues)
    return [queue[n] for n in range(longest) for _, queue in queues if n < len(queue)]


def _values(item_store: ItemStore) -> Floats:
    values = np.zeros(len(item_store.counts.item_ids))
    order = cluster_order(item_store)
    if not item_store.counts.n_users:  # by content alone
        order = [c for row in cover(item_store, FAMOUS) if (c := int(item_store.columns[row])) >= 0]
    values[order] = 1.0 / np.arange(1, len(order) + 1)
    return to_rows(item_store, values)


_ORDER = ItemStoreCache(_values)
