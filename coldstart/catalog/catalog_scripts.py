"""Scripts and language of a catalog, by a sample of its items."""

from __future__ import annotations

from itertools import islice

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.scripts import SYLLABIC, scripts
from coldstart.schema import Item

SHARE = 0.05
"""Share of the letters from which a script counts as one of a catalog's."""

_LANGUAGES = {"Han": "zh", "Kana": "ja", "Hangul": "ko", "Latin": "en"}
_SAMPLE = 1000  # items


def item_text(item: Item) -> str:
    """The text of an item that people read: title, categories, description."""
    return "\n".join((item.title, *item.categories, item.description))


def sample_texts(catalog: Catalog, most: int = _SAMPLE) -> list[str]:
    """Texts of about ``most`` items, evenly spread over the catalog."""
    items = catalog.items
    return [item_text(item) for item in islice(items, 0, None, max(1, len(items) // most))]


def catalog_scripts(catalog: Catalog) -> dict[str, float]:
    """Scripts of a catalog's texts that have at least ``SHARE`` of the letters, with that share."""
    return {k: v for k, v in scripts(sample_texts(catalog)).items() if v >= SHARE}


def catalog_language(catalog: Catalog) -> str:
    """Language code that the scripts of a catalog speak for.

    Han characters are Chinese unless Japanese kana stand beside them; a script that several
    languages share gives no language.

    Returns:
        ``zh``, ``ja``, ``ko``, ``en`` for Latin letters of whatever language, else empty.
    """
    found = catalog_scripts(catalog)
    if not found:
        return "en"
    if "Kana" in found and found["Kana"] >= found.get("Latin", 0):
        return "ja"
    return _LANGUAGES.get(max(found, key=lambda name: _weight(name, found)), "")


def _weight(name: str, shares: dict[str, float]) -> float:
    """A Han character is a word where a Latin letter is a fifth of one."""
    return shares[name] * (3 if name in SYLLABIC else 1)
