"""Comparison forms of words: stems of English words, characters of scripts without spaces."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from coldstart.catalog.han import simplified

HAN = "\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{HAN}]|(?:(?![{HAN}])[^\W_])+(?:['’](?:(?![{HAN}])[^\W_])+)*")
_APOSTROPHES = re.compile(r"['’]s?$|['’]")
_IRREGULAR: Mapping[str, str] = {
    "knives": "knife", "shelves": "shelf", "scarves": "scarf", "leaves": "leaf", "mice": "mouse",
    "children": "child", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman",
    "wolves": "wolf", "loaves": "loaf", "wooden": "wood", "woollen": "wool", "woolen": "wool",
    "colour": "color", "colours": "color", "grey": "gray", "jewellery": "jewelry",
    "tyre": "tire", "tyres": "tire", "batteries": "battery", "organiser": "organizer",
    "organisers": "organizer", "organizers": "organizer", "moisturiser": "moisturizer",
    "aluminium": "aluminum", "yoghurt": "yogurt", "mum": "mom", "mums": "mom", "moms": "mom",
}  # fmt: skip
_WHOLE = frozenset(  # their stems would be those of other words
    "fitness fishing bedding training boxing bowling wedding clothing building dressing organic "
    "organizer wireless general university animal sewing earring reading hiking setting being "
    "evening "
    "morning spring string ring king thing nothing something anything sibling stocking "
    "stockings planting writing".split()
)


def words(text: str) -> list[str]:
    """Stems of a text's words in order; of Chinese and Japanese each character is a word.

    >>> words("Batteries not included: 2 AAA")
    ['battery', 'not', 'includ', '2', 'aaa']
    """
    plain = text if text.isascii() else simplified(unicodedata.normalize("NFKC", text))
    return [stem(match[0]) for match in _WORD.finditer(plain)]


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Comparison form of one word: without case, accents, plural and most endings.

    >>> stem("Shoes"), stem("shelves"), stem("fishing")
    ('shoe', 'shelf', 'fishing')
    """
    folded = _APOSTROPHES.sub("", word.casefold())
    if not folded.isascii():
        bare = unicodedata.normalize("NFKD", folded)
        folded = "".join(c for c in bare if not unicodedata.combining(c))
    folded = _IRREGULAR.get(folded, folded)
    if folded in _WHOLE or not folded.isascii() or not folded.isalpha() or len(folded) < 3:
        return folded
    with _STEMMING:
        out: str = _stemmer().stemWord(folded)
    return "battery" if out == "batteri" else out


def beginnings(word: str) -> tuple[str, ...]:
    """Strings one of which every word of a stem begins with.

    >>> beginnings("battery"), beginnings("shoe")
    (('batte', 'batteries'), ('sho',))
    """
    others = (plural for plural, one in _IRREGULAR.items() if one == word)
    return (word[: max(3, len(word) - 2)], *others)


_STEMMING = threading.Lock()  # a stemmer holds the word that it works on


@cache
def _stemmer() -> Any:
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()
