"""Which items fulfil a piece of an understood text, over a whole item store at once."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from coldstart.catalog.known_attributes import STOCK
from coldstart.schema import Item, Piece
from coldstart.scoring.word_matches import matching
from coldstart.understanding.products.amounts import number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

Kept = TypeVar("Kept")

CHILD = 13
"""Audiences below this age see first what is known to suit them."""
OLDEST_CHILD = 15
"""Highest maximum age of what children outgrow."""
ADULT = 18
"""Age from which an audience is not offered what is made for children."""
ADULTS = "adult"
"""Value of a piece for an adult audience whose age is guessed."""
LOW_SHARE = 1 / 3
"""Share of prices that are low, and that are high."""
_CENT = 1e-9
FOR_CHILDREN = frozenset(
    "children's|children|childrens|kids|kids & family|family|儿童|家庭|亲子".split("|")
)
"""Categories, case-folded, that are made for children."""
CHILDREN_NAMED = re.compile(
    r"(?<!\w)(?:child|children|kid|kids|baby|babies|toddler|toddlers|infant|infants|junior)"
    r"(?:['’]?s?['’]?)(?!\w)|儿童|婴儿|宝宝|幼儿|小孩|孩子|兒童|嬰兒|寶寶|幼兒",
    re.I,
)
"""Words by which titles say that things are for children, and requests that they are wanted."""
_VALUES = re.compile(r"\s*[|;,]\s*")


def fulfils(items: ItemStore, piece: Piece) -> Bools:
    """Mask of the items that a piece is true of, shape (N,); tones are true of none.

    Args:
        items: a whole store or a part; results are kept for as long as it is unchanged.
        piece: wanted or rejected.
    """
    span = piece.first, piece.last, piece.age, piece.low, piece.high
    key = (piece.kind, piece.value, piece.attribute, piece.wanted, *span)
    return _kept(items, key, lambda: _mask(items, piece))


def fulfils_any(items: ItemStore, pieces: Iterable[Piece]) -> Bools:
    """Mask of the items that at least one of the pieces is true of, shape (N,)."""
    out = np.zeros(len(items.ids), dtype=bool)
    for piece in pieces:
        out |= fulfils(items, piece)
    return out


def suits_children(items: ItemStore, age: int) -> Bools:
    """Mask of the items known to suit a child, by age information or else by category."""
    columns = [n for name, n in items.category_column.items() if name in FOR_CHILDREN]
    made_for = items.in_any(columns)
    oldest = numbers(items, "max_age")
    unknown = np.isnan(items.min_age) & np.isnan(oldest)
    suits = ~(items.min_age > age) & ~(oldest < age)
    return np.asarray(np.where(unknown, made_for, suits))


def made_for_children(items: ItemStore) -> Bools:
    """Mask of the items that children outgrow, or of which most of a category are so."""
    young = numbers(items, "max_age") <= OLDEST_CHILD
    if not young.any():
        return np.asarray(young)
    sizes = items.by_category(np.ones(len(items.ids)))
    mostly = np.flatnonzero(items.by_category(young) > 0.5 * sizes)
    unknown = np.isnan(numbers(items, "max_age"))
    return np.asarray(young | (unknown & items.in_any(mostly.tolist())))


def named_for_children(items: ItemStore) -> Bools:
    """Mask of the items whose title says that they are for children, shape (N,)."""

    def make() -> Bools:
        found = (CHILDREN_NAMED.search(item.title) is not None for item in items.items)
        return np.fromiter(found, dtype=bool, count=len(items.items))

    return _kept(items, ("named for children",), make)


def numbers(items: ItemStore, field: Literal["price", "max_age"]) -> Floats:
    """A number of every item, NaN where it has none, shape (N,)."""
    return _kept(items, ("numbers", field), lambda: _numbers(items, field))


def amounts(items: ItemStore, attribute: str) -> Floats:
    """The number that an attribute of every item is, NaN where it is none, shape (N,)."""
    return _kept(items, ("amounts", attribute), lambda: _amounts(items, attribute))


def is_low(prices: Floats, among: Bools, share: float = LOW_SHARE) -> Bools:
    """Mask of the prices that are low among those of some items, shape (N,)."""
    known = prices[among & ~np.isnan(prices)]
    if not len(known):
        return np.zeros(len(prices), dtype=bool)
    return np.asarray(prices <= np.quantile(known, share))


def is_high(prices: Floats, among: Bools) -> Bools:
    """Mask of the prices that are high among those of some items, shape (N,)."""
    known = prices[among & ~np.isnan(prices)]
    if not len(known):
        return np.zeros(len(prices), dtype=bool)
    return np.asarray(prices >= np.quantile(known, 1 - LOW_SHARE))


def _numbers(items: ItemStore, field: str) -> Floats:
    values = (getattr(item, field) for item in items.items)
    found = (np.nan if value is None else float(value) for value in values)
    return np.fromiter(found, dtype=np.float64, count=len(items.items))


def _amounts(items: ItemStore, attribute: str) -> Floats:
    values = (number_of(item.attributes.get(attribute, "")) for item in items.items)
    found = (np.nan if value is None else value for value in values)
    return np.fromiter(found, dtype=np.float64, count=len(items.items))


def _mask(items: ItemStore, piece: Piece) -> Bools:
    if piece.kind == "category":
        column = items.category_column.get(piece.value.casefold())
        if column is None:
            return np.zeros(len(items.ids), dtype=bool)
        return items.in_any([column])
    if piece.kind == "years":
        first = -np.inf if piece.first is None else piece.first
        last = np.inf if piece.last is None else piece.last
        return np.asarray((items.dated >= first) & (items.dated <= last))
    if piece.kind == "audience":
        if piece.age is None:
            return np.ones(len(items.ids), dtype=bool)
        if piece.age < CHILD:
            return suits_children(items, piece.age)
        suits = ~(items.min_age > piece.age) & ~(numbers(items, "max_age") < piece.age)
        return np.asarray(suits & ~made_for_children(items) if piece.age >= ADULT else suits)
    if piece.kind == "price":
        return _priced(items, piece)
    if piece.kind in ("term", "type"):
        return matching(items, piece)
    if piece.kind == "title":
        out = np.zeros(len(items.ids), dtype=bool)
        out[items.rows_in_order([piece.value])] = True
        return out
    if piece.kind == "attribute" and piece.attribute == STOCK:
        stock = (item.available for item in items.items)
        return np.fromiter(stock, dtype=bool, count=len(items.items))
    if piece.kind == "attribute" and (piece.low is not None or piece.high is not None):
        return _within(amounts(items, piece.attribute or ""), piece)
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


def _priced(items: ItemStore, piece: Piece) -> Bools:
    """Items within a span of prices; of low or high ones, within the whole store."""
    prices = numbers(items, "price")
    if piece.low is None and piece.high is None:
        whole = np.ones(len(prices), dtype=bool)
        return is_low(prices, whole) if piece.value == "low" else is_high(prices, whole)
    return _within(prices, piece)


def _within(values: Floats, piece: Piece) -> Bools:
    """Values within the bounds of a piece; unknown ones are not."""
    low = -np.inf if piece.low is None else piece.low
    high = np.inf if piece.high is None else piece.high
    return np.asarray((values >= low - _CENT) & (values <= high + _CENT))


def _kept(items: ItemStore, key: tuple[object, ...], make: Callable[[], Kept]) -> Kept:
    """What was made for a store in its present version, or made now."""
    known = _KNOWN.get(items)
    if known is None or known[0] != items.version:
        known = _KNOWN[items] = items.version, {}
    if key not in known[1]:
        while len(known[1]) >= _MOST_KNOWN:
            known[1].pop(next(iter(known[1])), None)
        known[1][key] = make()
    return known[1][key]  # type: ignore[no-any-return]


_MOST_KNOWN = 200  # masks of one store, of a byte per item
_KNOWN: weakref.WeakKeyDictionary[ItemStore, tuple[int, dict[tuple[object, ...], Any]]] = (
    weakref.WeakKeyDictionary()
)
