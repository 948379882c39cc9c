"""Token trie of catalog titles, the basis of exact title probabilities.

A node is a range of the titles sorted by their tokens. Only nodes with more than one child are
decisions; a token that is an only child ("ghost token") has probability 1 and no cost, which
removes the bias against long titles (Bao et al., "Decoding Matters", D3, EMNLP 2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from coldstart.generation.trie import storage
from coldstart.generation.trie.delta_trie import DeltaTrie, ItemIds
from coldstart.generation.trie.mass import Mass, Newcomers
from coldstart.generation.trie.plan import TriePlan
from coldstart.generation.trie.ragged import SAME, Ints, RaggedArray

__all__ = ["Mass", "Newcomers", "TitleTrie", "TriePlan"]

MOST_CHANGES = 1024
"""Largest delta (added and removed titles) before it is merged into a new base."""

_ROWS = 4096  # titles walked at once

Titles = Mapping[str, Sequence[int]] | Iterable[tuple[str, Sequence[int]]]


class TitleTrie:
    """Updatable trie of titles by their tokens; several items may have the same title.

    No title's tokens may be a prefix of another's; a final line break guarantees that.

    >>> trie = TitleTrie({"1": (5, 7, 0), "2": (5, 8, 0)})
    >>> trie.children(())
    {5: 2}
    >>> trie.children((5,))
    {7: 1, 8: 1}

    Args:
        titles: tokens of each item; an iterable of pairs is consumed lazily, so that a million
            titles need not be held as Python objects.

    Raises:
        CatalogError: an id is duplicated, a title is a prefix of another, or a token is no 32-bit
            integer.
    """

    def __init__(self, titles: Titles = ()) -> None:
        pairs = titles.items() if isinstance(titles, Mapping) else titles
        ids: list[str] = []

        def tokens() -> Iterable[Sequence[int]]:
            for item_id, title in pairs:
                ids.append(item_id)
                yield title

        self._trie = DeltaTrie.of(RaggedArray.of(tokens()), ids)
        self._plan: tuple[Newcomers | None, TriePlan] | None = None

    def __len__(self) -> int:
        return len(self._trie)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and self.index(item_id) >= 0

    @property
    def item_ids(self) -> ItemIds:
        """Item ids sorted by tokens, then by id: the order of positions and plans."""
        return self._trie.item_ids

    def index(self, item_id: str) -> int:
        """Position of an item, −1 if unknown."""
        return self._trie.index(item_id)

    def tokens(self, position: int) -> tuple[int, ...]:
        """Tokens of the title at a position."""
        return tuple(self.titles([position])[0].tolist())

    def titles(self, positions: Ints | Sequence[int]) -> RaggedArray:
        """Tokens of the titles at given positions."""
        return self._trie.titles(np.asarray(positions, dtype=np.int64))

    # -- changes --------------------------------------------------------------------------------

    def set(self, titles: Titles) -> None:
        """Add items, or replace the titles of known ones.

        Raises:
            CatalogError: as at construction; nothing is changed then.
        """
        pairs = titles.items() if isinstance(titles, Mapping) else titles
        new = {i: tuple(tokens) for i, tokens in pairs}
        known = {i: self.index(i) for i in new}
        self._change({i: t for i, t in new.items() if known[i] < 0 or self.tokens(known[i]) != t})

    def remove(self, item_ids: Iterable[str]) -> None:
        """Remove items; unknown ids are ignored."""
        self._change({}, {i for i in item_ids if i in self})

    def _change(
        self, new: Mapping[str, tuple[int, ...]], gone: AbstractSet[str] = frozenset()
    ) -> None:
        if not new and not gone:
            return
        few = min(MOST_CHANGES, 64 + len(self) // 8)
        if len(new) + len(gone) > few:
            changed = self._trie.rebuilt(new, gone)
        else:
            changed = self._trie.with_delta(new, gone)
            if changed.changes > few:
                changed = changed.merged()
        self._trie, self._plan = changed, None

    # -- nodes ----------------------------------------------------------------------------------

    def children(self, prefix: Sequence[int]) -> dict[int, int]:
        """Next tokens after ``prefix``, each with the number of items below it."""
        edges = self._trie.children(prefix)
        return dict(zip(edges.token.tolist(), (edges.hi - edges.lo).tolist(), strict=True))

    def range(self, prefix: Sequence[int]) -> tuple[int, int]:
        """Positions of the items with a token prefix, half-open."""
        return self._trie.range(prefix)

    def is_title(self, lo: Ints, hi: Ints) -> NDArray[np.bool_]:
        """Whether all items of each range have the same title: no decision is left."""
        out = np.asarray(hi - lo == 1)
        ends = np.stack([lo[~out], hi[~out] - 1], axis=1).ravel()
        out[~out] = self.titles(ends).shared()[1::2] == SAME
        return out

    def newcomers(self, known: NDArray[np.bool_]) -> Newcomers | None:
        """Locate the items that are not known; ``None`` if all or none are.

        Args:
            known: whether each item is known, by position, shape (N,).
        """
        new = np.flatnonzero(~known)
        if not 0 < len(new) < len(known):
            return None
        count = np.concatenate([[0], np.cumsum(known)])
        lo, hi = np.zeros((2, len(known)), dtype=np.int64)
        for at in range(0, len(new), _ROWS):
            some = new[at : at + _ROWS]
            first, last = (count[part] for part in self._trie.ranges(self.titles(some)))
            depth = (last > first).sum(axis=1) - 1  # some known item is below the root
            row = np.arange(len(some))
            lo[some], hi[some] = first[row, depth], last[row, depth]
        return Newcomers(known, lo, hi)

    def of_items(self, chosen: NDArray[np.bool_]) -> TitleTrie:
        """Trie of the items chosen by a mask (N,) of positions, which keep their order."""
        positions, ids = np.flatnonzero(chosen), self.item_ids
        out = TitleTrie()
        out._trie = DeltaTrie.of(self.titles(positions), [ids[p] for p in positions.tolist()])
        return out

    # -- plans ----------------------------------------------------------------------------------

    def plan(self, newcomers: Newcomers | None = None) -> TriePlan:
        """Plan of all decisions, cached until the next update; for scoring the whole catalog."""
        if self._plan is None or self._plan[0] is not newcomers:
            self._plan = newcomers, self.towards(np.arange(len(self)), newcomers)
        return self._plan[1]

    def towards(self, items: Ints, newcomers: Newcomers | None = None) -> TriePlan:
        """Plan of the decisions on the paths to some items, each with all its edges.

        The items' log-probabilities equal those of the complete plan, with fewer tokens to read.
        The cost hardly depends on the number of titles.

        Args:
            items: positions, in any order.
            newcomers: items that make no decision of a node where all others go one way.
        """
        return self._trie.towards(items, None if newcomers is None else newcomers.known_before)

    # -- files ----------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Save the trie to a folder, which is replaced atomically."""
        trie = self._trie.merged() if self._trie.changes else self._trie
        storage.save(trie, folder)

    @classmethod
    def load(cls, folder: Path) -> TitleTrie:
        """Load a saved trie; its arrays are memory-mapped.

        Raises:
            ArtifactError: the folder is missing, damaged, or of another format version.
        """
        out = cls()
        out._trie = storage.load(folder)
        return out
