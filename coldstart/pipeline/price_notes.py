"""Notes on the prices of a request: what the catalog cannot tell, and other currencies."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.piece_matches import numbers
from coldstart.understanding.chinese import is_chinese
from coldstart.understanding.products.chinese_prices import find_chinese_prices
from coldstart.understanding.products.prices import NamedPrice, currency_of, find_prices

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.schema import Understood

CURRENCY = "currency"
"""Attribute under which tables keep the currency of their prices."""


def price_notes(understood: Understood, items: ItemStore) -> list[str]:
    """Notes on the prices that a text names; none without prices.

    Args:
        understood: the reading.
        items: the candidate set.
    """
    text = understood.text
    prices = numbers(items, "price")
    known = prices[~np.isnan(prices)]
    highest = float(known.max()) if len(known) else None
    found: list[NamedPrice] = (
        find_chinese_prices(text, highest) if is_chinese(text) else find_prices(text, highest)
    )
    if not found:
        return []
    quoted = [f"“{text[p.start : p.end].strip()}”" for p in found]
    if not len(known):
        return [f"no item has a price; {' and '.join(quoted)} was left out"]
    out = [
        f"{words} limits no price; it was left out"
        for price, words in zip(found, quoted, strict=True)
        if not price.usable
    ]
    own = _currency(items)
    for price, words in zip(found, quoted, strict=True):
        named = currency_of(text[price.start : price.end])
        if own and named and named != own and price.usable:
            out.append(f"prices are in {own}; {words} was compared as it stands")
    return list(dict.fromkeys(out))


def _currency(items: ItemStore) -> str | None:
    """The catalog's currency, if its table names one."""
    named = Counter(item.attributes.get(CURRENCY, "").strip().upper() for item in items.items)
    del named[""]
    return named.most_common(1)[0][0] if named else None
