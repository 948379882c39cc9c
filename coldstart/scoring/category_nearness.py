"""Nearness by category: which items are of a kind with those that were asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FAR = 2
"""Level of the items that share no category."""
RELATED_FROM = 0.25
"""Share of a category that was asked for, from which the others in it are like that."""
WIDEST = 0.5
"""Share of all items from which a category tells nothing."""


def apart_from(items: ItemStore, these: Bools, least: int = 1) -> Ints:
    """How far every item is from some items by category, shape (N,).

    Their narrowest categories count, of which they are at least a quarter; that of the largest
    share, where none is. 0: in such a category, and in the widest of an item there; 1: in the
    latter, if it has at most half of all items; 2 (``FAR``): in neither.

    Args:
        items: a whole store or a part.
        these: mask of the items that were asked for, shape (N,).
        least: fewest of these in a category that counts.
    """
    out = np.full(len(items.ids), FAR, dtype=np.int64)
    sizes = _sizes(items)
    for narrow, wide in _counting(items, these, least):
        both = items.in_any([narrow])
        if sizes[wide] <= WIDEST * len(out):
            in_wide = items.in_any([wide])
            both &= in_wide
            out = np.where(in_wide, np.minimum(out, 1), out)
        out[both] = 0
    return out


def shared_category(items: ItemStore, these: Bools, row: int) -> str:
    """The category by which an item is near some items; empty if none is.

    Args:
        items: a whole store or a part.
        these: mask of the items that were asked for, shape (N,).
        row: of the item.
    """
    sizes = _sizes(items)
    own = {name.casefold(): name for name in items.items[row].categories}
    names = {column: name for name, column in items.category_column.items()}
    pairs = _counting(items, these)
    has = items.kinds_of([row])[0] > 0
    shared = [narrow for narrow, wide in pairs if has[narrow] and has[wide]]
    shared += [w for _, w in pairs if has[w] and sizes[w] <= WIDEST * len(items.ids)]
    return own.get(names[shared[0]], "") if shared else ""


def _counting(items: ItemStore, these: Bools, least: int = 1) -> list[tuple[int, int]]:
    """Columns of the narrowest and the widest category of the items, where the former counts."""
    own = items.combinations(these)
    own = own[own.any(axis=1)]
    if not len(own):
        return []
    sizes = _sizes(items)
    narrow = np.where(own, sizes, len(items.ids) + 1).argmin(axis=1)
    last = own.shape[1] - 1  # of several as wide the last, so that it is not the narrowest
    wide = last - np.where(own, sizes, -1)[:, ::-1].argmax(axis=1)
    found = items.by_category(these)
    share = (found / np.maximum(sizes, 1))[narrow]
    counts = (share >= min(RELATED_FROM, share.max())) & (found[narrow] >= least)
    pairs = np.unique(np.stack([narrow, wide], axis=1)[counts], axis=0)
    return [(int(a), int(b)) for a, b in pairs]


def _sizes(items: ItemStore) -> Floats:
    """Number of items of each category, shape (C,)."""
    return items.by_category(np.ones(len(items.ids)))
