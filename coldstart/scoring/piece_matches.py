"""Which items fulfil a piece of an understood text, over a whole item store at once."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from coldstart.schema import Item, Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore

    Bools = NDArray[np.bool_]

CHILD = 13
"""Audiences below this age see first what is known to suit them."""
FOR_CHILDREN = frozenset(
    "children's|children|childrens|kids|kids & family|family|儿童|家庭|亲子".split("|")
)
"""Categories, case-folded, that are made for children."""
_VALUES = re.compile(r"\s*[|;,]\s*")


def fulfils(items: ItemStore, piece: Piece) -> Bools:
    """Mask of the items that a piece is true of, shape (N,); tones are true of none.

    Args:
        items: a whole store or a part; results are kept for as long as it is unchanged.
        piece: wanted or rejected.
    """
    known = _KNOWN.get(items)
    if known is None or known[0] != items.version:
        known = _KNOWN[items] = items.version, {}
    key = (piece.kind, piece.value, piece.attribute, piece.first, piece.last, piece.age)
    if key not in known[1]:
        while len(known[1]) >= _MOST_KNOWN:
            known[1].pop(next(iter(known[1])), None)
        known[1][key] = _mask(items, piece)
    return known[1][key]


def fulfils_any(items: ItemStore, pieces: Iterable[Piece]) -> Bools:
    """Mask of the items that at least one of the pieces is true of, shape (N,)."""
    out = np.zeros(len(items.ids), dtype=bool)
    for piece in pieces:
        out |= fulfils(items, piece)
    return out


def suits_children(items: ItemStore, age: int) -> Bools:
    """Mask of the items known to suit a child, by age information or else by category."""
    columns = [n for name, n in items.category_column.items() if name in FOR_CHILDREN]
    made_for = items.has_category[:, columns].any(axis=1)
    unknown = np.isnan(items.min_age)
    return np.asarray(np.where(unknown, made_for, items.min_age <= age))


def _mask(items: ItemStore, piece: Piece) -> Bools:
    if piece.kind == "category":
        column = items.category_column.get(piece.value.casefold())
        if column is None:
            return np.zeros(len(items.ids), dtype=bool)
        return np.asarray(items.has_category[:, column])
    if piece.kind == "years":
        first = -np.inf if piece.first is None else piece.first
        last = np.inf if piece.last is None else piece.last
        return np.asarray((items.dated >= first) & (items.dated <= last))
    if piece.kind == "audience":
        if piece.age is None:
            return np.ones(len(items.ids), dtype=bool)
        if piece.age < CHILD:
            return suits_children(items, piece.age)
        return np.asarray(~(items.min_age > piece.age))
    if piece.kind == "title":
        out = np.zeros(len(items.ids), dtype=bool)
        out[items.rows_in_order([piece.value])] = True
        return out
    if piece.kind in ("person", "attribute"):
        wanted = piece.value.strip().casefold()
        has = (_has_value(item, piece.attribute, wanted) for item in items.items)
        return np.fromiter(has, dtype=bool, count=len(items.items))
    return np.zeros(len(items.ids), dtype=bool)


def _has_value(item: Item, attribute: str | None, wanted: str) -> bool:
    """Whether an attribute has a value, alone or in a list such as "Tom Hanks|Meg Ryan"."""
    given: Mapping[str, str] = item.attributes
    texts = given.values() if attribute is None else (given.get(attribute, ""),)
    for text in texts:
        folded = text.casefold()
        if wanted in folded and (wanted == folded.strip() or wanted in _VALUES.split(folded)):
            return True
    return False


_MOST_KNOWN = 200  # masks of one store, of a byte per item
_KNOWN: weakref.WeakKeyDictionary[ItemStore, tuple[int, dict[tuple[object, ...], Bools]]] = (
    weakref.WeakKeyDictionary()
)
