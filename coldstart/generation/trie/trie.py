"""The catalog as a token trie, and exact probabilities of all its titles.

A node is a range of the titles sorted by their tokens. Only nodes with more than one child are
decisions; a token that is an only child ("ghost token") has probability 1 and costs nothing, which
is what keeps long titles from being punished (Bao et al., "Decoding Matters", D3, EMNLP 2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coldstart.generation.trie import trie_files
from coldstart.generation.trie.changed_trie import ChangedTrie, ItemIds
from coldstart.generation.trie.plan import Mass, TriePlan
from coldstart.generation.trie.ragged import SAME, Ints, Ragged

__all__ = ["Mass", "TitleTrie", "TriePlan"]

MOST_CHANGES = 1024
"""Titles beside a large base, or taken out of it, before all are sorted into a new one."""

Titles = Mapping[str, Sequence[int]] | Iterable[tuple[str, Sequence[int]]]


class TitleTrie:
    """Titles by their tokens; items may come and go, and titles may repeat.

    No title's tokens may begin another's, as none does that ends in its only line break.

    >>> trie = TitleTrie({"1": (5, 7, 0), "2": (5, 8, 0)})
    >>> trie.children(())
    {5: 2}
    >>> trie.children((5,))
    {7: 1, 8: 1}

    Args:
        titles: tokens of each item; pairs are read one after the other, so that a million titles
            need not be held as Python objects.

    Raises:
        CatalogError: an id comes twice, a title begins another, or a token is no 32-bit integer.
    """

    def __init__(self, titles: Titles = ()) -> None:
        pairs = titles.items() if isinstance(titles, Mapping) else titles
        ids: list[str] = []

        def tokens() -> Iterable[Sequence[int]]:
            for item_id, title in pairs:
                ids.append(item_id)
                yield title

        self._trie = ChangedTrie.of(Ragged.of(tokens()), ids)
        self._plan: TriePlan | None = None

    def __len__(self) -> int:
        return len(self._trie)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and self.index(item_id) >= 0

    @property
    def item_ids(self) -> ItemIds:
        """Items sorted by their tokens, then by id: the order of positions, and of plans."""
        return self._trie.item_ids

    def index(self, item_id: str) -> int:
        """Position of an item, −1 if there is none."""
        return self._trie.index(item_id)

    def tokens(self, position: int) -> tuple[int, ...]:
        """The title at a position."""
        return tuple(self.titles([position])[0].tolist())

    def titles(self, positions: Ints | Sequence[int]) -> Ragged:
        """The titles at some positions."""
        return self._trie.titles(np.asarray(positions, dtype=np.int64))

    # -- changes --------------------------------------------------------------------------------

    def set(self, titles: Titles) -> None:
        """Add items, or give known ones another title.

        Raises:
            CatalogError: as at construction; nothing has changed then.
        """
        pairs = titles.items() if isinstance(titles, Mapping) else titles
        new = {i: tuple(tokens) for i, tokens in pairs}
        known = {i: self.index(i) for i in new}
        self._change({i: t for i, t in new.items() if known[i] < 0 or self.tokens(known[i]) != t})

    def remove(self, item_ids: Iterable[str]) -> None:
        """Forget items; unknown ids are ignored."""
        self._change({}, {i for i in item_ids if i in self})

    def _change(
        self, new: Mapping[str, tuple[int, ...]], gone: AbstractSet[str] = frozenset()
    ) -> None:
        if not new and not gone:
            return
        few = min(MOST_CHANGES, 64 + len(self) // 8)
        if len(new) + len(gone) > few:
            changed = self._trie.with_many(new, gone)
        else:
            changed = self._trie.with_few(new, gone)
            if changed.changes > few:
                changed = changed.merged()
        self._trie, self._plan = changed, None

    # -- nodes ----------------------------------------------------------------------------------

    def children(self, prefix: Sequence[int]) -> dict[int, int]:
        """Tokens that may follow ``prefix``, each with the number of items below it."""
        edges = self._trie.children(prefix)
        return dict(zip(edges.token.tolist(), (edges.hi - edges.lo).tolist(), strict=True))

    def range(self, prefix: Sequence[int]) -> tuple[int, int]:
        """Positions of the items whose tokens begin with ``prefix``, half-open."""
        return self._trie.range(prefix)

    def is_title(self, lo: Ints, hi: Ints) -> NDArray[np.bool_]:
        """Whether the items of each range all have one title, so that nothing is left to decide."""
        out = np.asarray(hi - lo == 1)
        ends = np.stack([lo[~out], hi[~out] - 1], axis=1).ravel()
        out[~out] = self.titles(ends).shared()[1::2] == SAME
        return out

    # -- plans ----------------------------------------------------------------------------------

    def plan(self) -> TriePlan:
        """All decisions, computed once per change; for catalogs that are scored as a whole."""
        if self._plan is None:
            self._plan = self.towards(np.arange(len(self)))
        return self._plan

    def towards(self, items: Ints) -> TriePlan:
        """Only the decisions on the way to some items, each with all its edges.

        The items' log-probabilities are those of the complete plan; the tree has fewer tokens to
        read. The work hardly depends on the number of titles.

        Args:
            items: their positions, in any order.
        """
        return self._trie.towards(items)

    # -- files ----------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write the trie to a folder, which is replaced as a whole."""
        trie = self._trie.merged() if self._trie.changes else self._trie
        trie_files.save(trie, folder)

    @classmethod
    def load(cls, folder: Path) -> TitleTrie:
        """Read a saved trie; its arrays stay in the files and are mapped.

        Raises:
            ArtifactError: the folder is missing, damaged, or of another version.
        """
        out = cls()
        out._trie = trie_files.load(folder)
        return out
