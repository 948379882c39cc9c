"""Words of items, kept by their content."""

from __future__ import annotations

from functools import lru_cache

from coldstart.schema import Item
from coldstart.understanding.products.item_words import ProductWords


@lru_cache(maxsize=1 << 16)
def _cached_words(key: tuple[str, ...], item: _ByContent) -> ProductWords:
    return ProductWords.of(item.item)


class _ByContent:
    """An item that is compared by nothing: its key is beside it."""

    def __init__(self, item: Item) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByContent)

    def __hash__(self) -> int:
        return 0


def words_of(item: Item) -> ProductWords:
    """The words of an item, cached by its content."""
    attributes = (part for pair in item.attributes.items() for part in pair)
    key = (item.title, item.description, *item.categories, "", *attributes)
    return _cached_words(key, _ByContent(item))
