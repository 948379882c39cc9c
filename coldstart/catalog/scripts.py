"""Scripts of texts: in which letters a catalog or a request is written."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog
    from coldstart.schema import Item

SYLLABIC = frozenset({"Han", "Kana", "Hangul"})
"""Scripts of which one character is a syllable or a word rather than a letter."""
UNSPACED = SYLLABIC | {"Thai", "Lao", "Khmer", "Myanmar"}
"""Scripts that are written without spaces between words, and Korean, whose words grow endings."""
SHARE = 0.05
"""Share of the letters from which a script counts as one of a catalog's."""

_NAMES = {"Cjk": "Han", "Hiragana": "Kana", "Katakana": "Kana"}
_LANGUAGES = {"Han": "zh", "Kana": "ja", "Hangul": "ko", "Latin": "en"}
_SAMPLE = 1000  # items


@lru_cache(maxsize=1 << 14)
def script_of(character: str) -> str:
    """Script of a letter by its Unicode name, such as "Latin", "Han" or "Cyrillic"; else empty.

    >>> [script_of(c) for c in "aж鞋っ한ก1"]
    ['Latin', 'Cyrillic', 'Han', 'Kana', 'Hangul', 'Thai', '']
    """
    if not character.isalpha():
        return ""
    first = unicodedata.name(character, "").split(" ")[0].split("-")[0].capitalize()
    return _NAMES.get(first, first)


def scripts(texts: Iterable[str]) -> dict[str, float]:
    """Share of the letters of every script in some texts, the largest first.

    >>> scripts(["Tea 茶"])
    {'Latin': 0.75, 'Han': 0.25}
    """
    letters: Counter[str] = Counter()
    for text in texts:
        if text.isascii():
            letters["Latin"] += sum(map(str.isalpha, text))
        else:
            letters.update(filter(None, map(script_of, text)))
    total = letters.total()
    return {name: n / total for name, n in letters.most_common() if n}


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
