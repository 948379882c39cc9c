"""Reading of Chinese requests by rule, by characters."""

from __future__ import annotations

import re

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Piece

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters, and no Japanese ones."""
    return bool(_HAN.search(text)) and not _KANA.search(text)


class ChineseReader:
    """Reader of Chinese text in the vocabulary of one catalog."""

    def __init__(self, catalog: Catalog, counts: Counts) -> None:
        pass

    def read(self, text: str) -> tuple[tuple[Piece, ...], str]:
        """Pieces of a text in its order, and the text without its rejected clauses."""
        return (), text
