"""Catalogs and requests in traditional Chinese, which the rules read as simplified."""

from __future__ import annotations

from collections.abc import Mapping

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import sample_texts
from coldstart.catalog.han import simplified
from coldstart.catalog.scripts import scripts
from coldstart.schema import Item, Piece


def simplified_catalog(catalog: Catalog) -> tuple[Catalog, Mapping[str, str]]:
    """A catalog with simplified characters, and its categories and values as they were.

    Args:
        catalog: returned as it is where nothing changes, or a sample has no Chinese characters.

    Returns:
        The catalog, and simplified name → name in the catalog, of those that differ.
    """
    if "Han" not in scripts(sample_texts(catalog)):
        return catalog, {}
    items = [_simplified(item) for item in catalog]
    if all(one is other for one, other in zip(items, catalog, strict=True)):
        return catalog, {}
    names = (n for item in catalog for n in (*item.categories, *item.attributes.values()))
    return Catalog(items), {short: n for n in names if (short := simplified(n)) != n}


def as_written(piece: Piece, text: str, names: Mapping[str, str]) -> Piece:
    """A piece of a simplified text with the words of the original, and the catalog's own names.

    Args:
        piece: of the simplified text.
        text: the original, of the same length.
        names: simplified name → name in the catalog.
    """
    words = text[piece.start : piece.end]
    value = names.get(piece.value, piece.value)
    if (words, value) == (piece.words, piece.value):
        return piece
    return piece.model_copy(update={"words": words, "value": value})


def _simplified(item: Item) -> Item:
    """An item with simplified characters; the same one if it has no others."""
    text = "".join((item.title, item.description, *item.categories, *item.attributes.values()))
    if simplified(text) == text:
        return item
    return item.model_copy(
        update={
            "title": simplified(item.title),
            "description": simplified(item.description),
            "categories": tuple(map(simplified, item.categories)),
            "attributes": {name: simplified(v) for name, v in item.attributes.items()},
        }
    )
