"""Items as people see them: title, picture, one line of description."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, Field

from coldstart.catalog.titles import clean_text
from coldstart.schema import Item
from coldstart.serve.pictures import Pictures

LONGEST_LINE = 160
"""Characters of a line of description at most."""
_SHORT = 25  # characters; what ends before is an abbreviation or an exclamation
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_END = re.compile(r"[.!?…][\"'”’)]*(?=\s+[^\sa-z])|[。！？][”’）]?")


class Card(BaseModel):
    """Short form of an item."""

    item_id: str
    title: str
    year: int | None = None
    categories: list[str] = []
    price: float | None = None
    currency: str = Field(default="", description="Code of the price's currency, where known.")
    description: str = Field(
        default="", description=f"First sentence, at most {LONGEST_LINE} characters."
    )
    image: str = Field(
        default="",
        description="Address of a picture: https, or relative to the page's; empty without one.",
    )
    image_alt: str = Field(default="", description="What the picture shows.")


def card_of(item: Item, pictures: Pictures) -> Card:
    """The card of an item."""
    return Card.model_validate(card_fields(item, pictures))


def card_fields(item: Item, pictures: Pictures) -> dict[str, object]:
    """Fields of the card of an item, for responses that extend it."""
    image = pictures.address(item.image)
    return {
        "item_id": item.item_id,
        "title": item.title,
        "year": item.year,
        "categories": list(item.categories),
        "price": item.price,
        "currency": item.attributes.get("currency", ""),
        "description": first_sentence(item.description),
        "image": image,
        "image_alt": item.image_alt if image else "",
    }


class ShownItems:
    """The items of a response, as they were when it was made.

    Args:
        items: by id; the catalog may have changed since.
        pictures: where their pictures are.
    """

    def __init__(self, items: Mapping[str, Item], pictures: Pictures) -> None:
        self._items, self._pictures = items, pictures

    def fields(self, item_id: str) -> dict[str, object]:
        """Fields of the card of an item."""
        return card_fields(self._items[item_id], self._pictures)


def first_sentence(text: str, most: int = LONGEST_LINE) -> str:
    """The first sentence of a description, without markup, shortened at a word.

    >>> first_sentence("<p>A crew wakes up too early. Dr. Lee knows why.</p>")
    'A crew wakes up too early.'
    >>> first_sentence("one two three four", 12)
    'one two…'

    Args:
        text: may have several sentences, and tags.
        most: characters at most.
    """
    plain = clean_text(_TAG.sub(" ", text[: 20 * most]))
    end = next((m.end() for m in _END.finditer(plain) if m.end() >= _SHORT or m[0] > "~"), None)
    plain = plain[:end]
    if len(plain) <= most:
        return plain
    cut = plain[: most - 1]
    at_word = cut if plain[most - 1].isspace() else cut.rpartition(" ")[0]
    return (at_word if 2 * len(at_word) >= most else cut).rstrip(" ,;:，；：、-–") + "…"
