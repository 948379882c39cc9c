"""Search of items by title, as cards; for one recommender at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coldstart.catalog.title_search import TitleSearch
from coldstart.serve.cards import Card, card_of

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.pictures import Pictures


class ItemSearch:
    """Title search over the catalog of the default arm; call it in the worker's thread.

    Args:
        pictures: where the pictures of items are.
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._search: TitleSearch | None = None

    def cards(self, text: str, limit: int, recommender: Recommender) -> list[Card]:
        """Cards of the items that a text most likely means; the most popular of equals first."""
        catalog, items = recommender.catalog, recommender.item_store
        items.sync()
        if self._search is None or self._search.catalog is not catalog:
            self._search = TitleSearch(catalog)
        rows, popularity = items.rows, items.popularity
        found = self._search.find(text, limit, lambda item_id: float(popularity[rows[item_id]]))
        return [card_of(catalog[item_id], self._pictures) for item_id in found]
