"""Title trie of a catalog, with the mapping between catalog rows and trie positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

_FEW = 8  # positions are updated in place if at most one title in so many has changed


class CatalogTrie:
    """Title trie that follows a catalog; only changed titles are tokenized and moved.

    Args:
        lines: tokenizer of the language model.
        known: whether the language model was trained on an item, by id; see ``PromptTitles``.
    """

    def __init__(self, lines: PromptTokenizer, known: Callable[[str], bool] | None = None) -> None:
        self.trie, self.version = TitleTrie(), -1
        #: Catalog row at each position of the trie, shape (N,).
        self.row: Ints = np.zeros(0, dtype=np.int64)
        #: Position in the trie of each catalog row, shape (N,).
        self.position: Ints = self.row
        self._lines, self._titles = lines, PromptTitles(known)
        self._outdated: set[str] = set()  # ids whose title in the trie is outdated
        self._rows: Mapping[str, int] = {}

    def titles(self, catalog: Catalog) -> dict[str, str]:
        """Prompt title of every item, updated to a catalog without tokenization."""
        if self._titles.version != catalog.version:
            self._outdated |= self._titles.follow(catalog)
        return self._titles.of

    def follow(self, catalog: Catalog) -> TitleTrie:
        """Update the trie to a catalog.

        Raises:
            CatalogError: one title's tokens are a prefix of another's. The added items are then
                not in the trie, nor are the removed ones.
        """
        titles = self.titles(catalog)
        if self.version == catalog.version:
            return self.trie
        new = {i: titles[i] for i in self._outdated if i in titles}
        tokens = zip(new, self._lines.titles(new.values()), strict=True)
        unchanged, self.version = self._unchanged_rows(catalog), -1  # invalid while it changes
        if not len(self.trie):
            self.trie = TitleTrie(tokens)
        else:
            self.trie.remove(self._outdated - new.keys())
            self.trie.set(tokens)
        rows = catalog.rows
        if unchanged is None:
            self.row = np.array([rows[i] for i in self.trie.item_ids], dtype=np.int64)
        else:
            places = [self.trie.index(i) for i in new]
            self.row = np.empty(len(self.trie), dtype=np.int64)
            self.row[places] = [rows[i] for i in new]
            others = np.ones(len(self.row), dtype=bool)
            others[places] = False
            self.row[others] = unchanged
        self.position = np.empty_like(self.row)
        self.position[self.row] = np.arange(len(self.row))
        self._outdated, self._rows, self.version = set(), rows, catalog.version
        return self.trie

    def _unchanged_rows(self, catalog: Catalog) -> Ints | None:
        """Current rows of the unchanged titles, in trie order; ``None``: look up all instead."""
        if self.version < 0 or len(self._outdated) * _FEW > len(self.row):
            return None
        sync = RowSync(self._rows, catalog.rows, *catalog.changes_since(self.version))
        if not sync.left.any():
            return None
        unchanged = np.ones(len(self.row), dtype=bool)
        unchanged[[p for p in map(self.trie.index, self._outdated) if p >= 0]] = False
        now: Ints = np.cumsum(sync.left) - 1
        return now[self.row[unchanged]]
