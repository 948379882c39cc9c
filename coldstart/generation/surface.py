"""The text that stands for an item in prompts and in the trie."""

from __future__ import annotations

from collections import Counter

from coldstart.catalog import Catalog


def surface_titles(catalog: Catalog) -> dict[str, str]:
    """Title of each item id as the language model reads and writes it.

    The bare title; a year is added only where it tells two items of the same title apart, since
    small tokenizers spend as many tokens on " (1995)" as on the title.
    """
    repeated = Counter(item.title for item in catalog)
    return {
        item.item_id: f"{item.title} ({item.year})"
        if repeated[item.title] > 1 and item.year is not None
        else item.title
        for item in catalog
    }
