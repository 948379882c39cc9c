"""Beyond-accuracy metrics: coverage, inequality, popularity, novelty, diversity.

``lists`` are what one system showed, one list per user, cut to the length reported.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from coldstart.errors import DataError

Lists = Sequence[Sequence[str]]


def coverage(lists: Lists, n_items: int) -> float:
    """Catalog coverage: share of the items in any list, in [0, 1]; 0.0 without lists.

    ``|∪ lists| / n_items`` (catalog coverage of Ge, Delgado-Battenfeld and Jannach, 2010). It grows
    with the number of lists: compare systems on the same users only.
    """
    return len(_exposure(lists, n_items)) / n_items


def gini(lists: Lists, n_items: int) -> float:
    """Inequality of the items' exposure, in [0, 1 − 1/n]; 0 is even, higher is more concentrated.

    ``Σ_i (2i − n − 1) · x_i / (n · Σ_i x_i)``, where x_1 ≤ … ≤ x_n are the number of lists that
    show each of the n items of the catalog, 0 for those never shown. Shani and Gunawardana (2011)
    divide by n − 1 instead of n.

    Raises:
        DataError: nothing was shown.
    """
    shown = _exposure(lists, n_items)
    if not shown:
        raise DataError("no list shows an item", hint="exposure needs at least one list")
    # Items never shown add nothing to either sum; they only push the others up the order.
    counts = np.sort(np.array(list(shown.values()), dtype=float))
    place = np.arange(n_items - len(counts) + 1, n_items + 1)
    return float(((2 * place - n_items - 1) * counts).sum() / (n_items * counts.sum()))


def mean_popularity(lists: Lists, share: Mapping[str, float]) -> float:
    """Mean popularity of what was shown, in [0, 1].

    ``Σ_{places} share(item) / number of places``, pooled over lists; the mean over lists of their
    means (Yin et al., 2012) where all are equally long.

    Args:
        lists: item ids shown to each user.
        share: of training users that like the item; 0 for an item that it lacks.

    Raises:
        DataError: nothing was shown, or a share is outside [0, 1].
    """
    return _mean_of_places(lists, share, lambda p: p)


def novelty(lists: Lists, share: Mapping[str, float]) -> float:
    """Mean self-information of what was shown, in bits; 0 is what everybody likes.

    ``Σ_{places} −log2 max(share(item), floor) / number of places``, pooled over lists (Zhou et
    al., 2010). The floor is the smallest positive share, so that an item without likes is as novel
    as the least liked, instead of infinitely.

    Args:
        lists: item ids shown to each user.
        share: of training users that like the item, over the whole catalog (the floor depends on
            it); the floor for an item that it lacks.

    Raises:
        DataError: nothing was shown, a share is outside [0, 1], or none is positive.
    """
    floor = min((p for p in share.values() if p > 0), default=None)
    if floor is None:
        raise DataError("no item has a positive share", hint="count likes on training users")
    return _mean_of_places(lists, share, lambda p: -math.log2(max(p, floor)))


def intra_list_diversity(ranked: Sequence[str], vectors: Mapping[str, np.ndarray]) -> float:
    """Mean distance of the pairs in one list, in [0, 2]; 0.0 for lists of fewer than two items.

    ``Σ_{i<j} (1 − cos(v_i, v_j)) / (n (n − 1) / 2)`` (Smyth and McClave, 2001; Ziegler et al.,
    2005, sum similarities instead). A vector of zeros has cosine 0 with all others.

    Args:
        ranked: item ids; their order does not matter.
        vectors: by item, shape (D,) each.

    Raises:
        DataError: an item has no vector.
    """
    if missing := sorted({i for i in ranked if i not in vectors}):
        raise DataError(
            f"{len(missing)} items, first {missing[0]!r}, have no vector",
            hint="encode every item that may be shown",
        )
    n = len(ranked)
    if n < 2:
        return 0.0
    rows = np.stack([np.asarray(vectors[i], dtype=float) for i in ranked])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    cosines = (units @ units.T)[np.triu_indices(n, k=1)]
    return float((1 - np.clip(cosines, -1, 1)).mean())


def mean_intra_list_diversity(lists: Lists, vectors: Mapping[str, np.ndarray]) -> float:
    """Mean of ``intra_list_diversity`` over lists, in [0, 2].

    Raises:
        DataError: there is no list, or an item has no vector.
    """
    if not lists:
        raise DataError("there is no list to average over")
    return float(np.mean([intra_list_diversity(ranked, vectors) for ranked in lists]))


def _exposure(lists: Lists, n_items: int) -> Counter[str]:
    """Number of times each item is shown; items never shown are left out."""
    shown = Counter(i for ranked in lists for i in ranked)
    if n_items < max(1, len(shown)):
        raise DataError(
            f"lists show {len(shown)} items of a catalog of {n_items}",
            hint="n_items is the number of items that could be shown",
        )
    return shown


def _mean_of_places(
    lists: Lists, share: Mapping[str, float], value: Callable[[float], float]
) -> float:
    bad = next((i for i, p in share.items() if not 0 <= p <= 1), None)
    if bad is not None:
        raise DataError(
            f"the share of {bad!r} is {share[bad]!r}", hint="divide likes by the number of users"
        )
    places = [value(share.get(i, 0.0)) for ranked in lists for i in ranked]
    if not places:
        raise DataError("no list shows an item", hint="a mean needs at least one")
    return math.fsum(places) / len(places)
