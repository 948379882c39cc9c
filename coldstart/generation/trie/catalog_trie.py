"""The trie of a catalog's titles, and which catalog row stands at which position of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.row_sync import RowSync
from coldstart.generation.trie.prompt_titles import PromptTitles
from coldstart.generation.trie.trie import TitleTrie

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.protocols import PromptTokenizer

    Ints = NDArray[np.int64]

_FEW = 8  # positions are moved one by one if no more than one title in so many has changed


class CatalogTrie:
    """Follows a catalog; only titles that changed are tokenized and moved.

    Args:
        lines: of the language model.
    """

    def __init__(self, lines: PromptTokenizer) -> None:
        self.trie, self.version = TitleTrie(), -1
        #: Catalog row at each position of the trie, shape (N,).
        self.row: Ints = np.zeros(0, dtype=np.int64)
        #: Position in the trie of each catalog row, shape (N,).
        self.position: Ints = self.row
        self._lines, self._surface = lines, PromptTitles()
        self._waiting: set[str] = set()  # ids whose title in the trie is not the present one
        self._rows: Mapping[str, int] = {}

    def titles(self, catalog: Catalog) -> dict[str, str]:
        """The title of every item as the model reads it; nothing is tokenized for it."""
        if self._surface.version != catalog.version:
            self._waiting |= self._surface.follow(catalog)
        return self._surface.of

    def follow(self, catalog: Catalog) -> TitleTrie:
        """Catch up.

        Raises:
            CatalogError: a title begins another one, for this tokenizer. The items that came are
                not in the trie then, nor are those that went.
        """
        titles = self.titles(catalog)
        if self.version == catalog.version:
            return self.trie
        new = {i: titles[i] for i in self._waiting if i in titles}
        tokens = zip(new, self._lines.titles(new.values()), strict=True)
        staying, self.version = self._staying(catalog), -1  # of none while it changes
        if not len(self.trie):
            self.trie = TitleTrie(tokens)
        else:
            self.trie.remove(self._waiting - new.keys())
            self.trie.set(tokens)
        rows = catalog.rows
        if staying is None:
            self.row = np.array([rows[i] for i in self.trie.item_ids], dtype=np.int64)
        else:
            places = [self.trie.index(i) for i in new]
            self.row = np.empty(len(self.trie), dtype=np.int64)
            self.row[places] = [rows[i] for i in new]
            others = np.ones(len(self.row), dtype=bool)
            others[places] = False
            self.row[others] = staying
        self.position = np.empty_like(self.row)
        self.position[self.row] = np.arange(len(self.row))
        self._waiting, self._rows, self.version = set(), rows, catalog.version
        return self.trie

    def _staying(self, catalog: Catalog) -> Ints | None:
        """Rows now of the titles that stay as they are, in the order of the trie.

        ``None`` where it is better to look up all.
        """
        if self.version < 0 or len(self._waiting) * _FEW > len(self.row):
            return None
        carry = RowSync(self._rows, catalog.rows, *catalog.changes_since(self.version))
        if not carry.left.any():
            return None
        stays = np.ones(len(self.row), dtype=bool)
        stays[[p for p in map(self.trie.index, self._waiting) if p >= 0]] = False
        now: Ints = np.cumsum(carry.left) - 1
        return now[self.row[stays]]
