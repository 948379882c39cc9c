"""Immutable base trie with a small delta of added and removed titles.

An update costs as much as the delta, not as the catalog (a rebuild takes 0.2 s at 100,000 titles
and 3 s at a million, ``benchmarks/catalog_scale.py``). All results equal those of one trie of all
titles: a node's children are those of both parts, and positions count the titles of both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import overload

import numpy as np
from numpy.typing import NDArray

from coldstart.errors import CatalogError
from coldstart.generation.trie.id_array import IdArray
from coldstart.generation.trie.patricia import Edges, PatriciaTrie, Walk, begins_another
from coldstart.generation.trie.plan import TriePlan
from coldstart.generation.trie.ragged import SAME, Ints, RaggedArray

Entry = tuple[tuple[int, ...], str]
Titles = Mapping[str, tuple[int, ...]]

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class DeltaTrie:
    """N titles as a base and a delta. Positions count both, sorted by tokens, then by id.

    Args:
        base: trie of most titles.
        ids: of its items.
        removed: base rows that are deleted, ascending, shape (R,).
        entries: added titles, sorted, length A.
        place: number of base titles before each entry, shape (A,).
    """

    base: PatriciaTrie
    ids: IdArray
    removed: Ints
    entries: tuple[Entry, ...]
    place: Ints

    @classmethod
    def of(cls, titles: RaggedArray, ids: Sequence[str]) -> DeltaTrie:
        """Sort titles into a base with an empty delta.

        Raises:
            CatalogError: an id is duplicated, or one title's tokens are a prefix of another's.
        """
        by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        for one, other in zip(by_id.tolist(), by_id[1:].tolist(), strict=False):
            if ids[one] == ids[other]:
                raise CatalogError(f"item id {ids[one]!r} comes twice", hint="ids are unique")
        order = by_id[titles.take(by_id).order()]
        rank = np.argsort(order)
        return cls._whole(titles.take(order), [ids[n] for n in order.tolist()], rank[by_id])

    @classmethod
    def _whole(cls, titles: RaggedArray, ids: Sequence[str], by_id: Ints) -> DeltaTrie:
        base = PatriciaTrie.of_sorted(titles)
        return cls(base, IdArray.of(ids, by_id), _NONE, (), _NONE)

    # -- changes --------------------------------------------------------------------------------

    def rebuilt(self, new: Titles, gone: AbstractSet[str]) -> DeltaTrie:
        """Return the trie of ``with_delta`` with all titles sorted into a new base."""
        ids = list(self.item_ids)
        kept = [p for p, i in enumerate(ids) if i not in gone and i not in new]
        old, fresh = self.titles(np.array(kept, dtype=np.int64)), RaggedArray.of(new.values())
        return self.of(old.and_then(fresh), [*(ids[p] for p in kept), *new])

    def with_delta(self, new: Titles, gone: AbstractSet[str]) -> DeltaTrie:
        """Return the trie without some items, and with new items or new titles.

        Raises:
            CatalogError: one title's tokens are a prefix of another's.
        """
        gone = gone | new.keys()
        taken = [p for p in map(self.ids.find, gone) if p >= 0]
        place = dict(zip(self.entries, self.place.tolist(), strict=True))
        place = {entry: p for entry, p in place.items() if entry[1] not in gone}
        for item_id, tokens in new.items():
            place[tokens, item_id] = self._place((tokens, item_id))
        entries = tuple(sorted(place))
        out = DeltaTrie(
            self.base,
            self.ids,
            np.union1d(self.removed, np.array(taken, dtype=np.int64)),
            entries,
            np.array([place[e] for e in entries], dtype=np.int64),
        )
        out._check([n for n, (_, item_id) in enumerate(entries) if item_id in new])
        return out

    def merged(self) -> DeltaTrie:
        """Return the same titles, all in the base."""
        everything = np.arange(len(self))
        ids = list(self.item_ids)
        at = np.append(self._shift(self.ids.by_id)[self._alive[self.ids.by_id]], self._added_at)
        by_id = np.array(sorted(at.tolist(), key=ids.__getitem__), dtype=np.int64)
        return self._whole(self.titles(everything), ids, by_id)

    @property
    def changes(self) -> int:
        """Size of the delta: entries and removed rows."""
        return len(self.entries) + len(self.removed)

    def _place(self, entry: Entry) -> int:
        def at(n: int) -> Entry:
            return tuple(self.base.titles[n].tolist()), self.ids[n]

        return bisect_left(range(len(self.ids)), entry, key=at)

    def _check(self, new: Sequence[int]) -> None:
        """Refuse new entries with tokens that are a prefix of a neighbour's, or vice versa."""
        at = self._added_at[new]
        for before in (at[at > 0] - 1, at[at < len(self) - 1]):
            pairs = self.titles(np.stack([before, before + 1], axis=1).ravel())
            if (bad := pairs.shared()[1::2] == pairs.lengths[::2]).any():
                raise begins_another(pairs[2 * int(np.argmax(bad))].tolist())

    # -- positions ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.ids) - len(self.removed) + len(self.entries)

    @cached_property
    def item_ids(self) -> ItemIds:
        """Ids by position."""
        return ItemIds(self)

    def index(self, item_id: str) -> int:
        """Position of an item, −1 if there is none."""
        if item_id in self._entry_of:
            return int(self._added_at[self._entry_of[item_id]])
        at = self.ids.find(item_id)
        if at < 0 or at in self._gone:
            return -1
        return int(self._shift(np.array(at)))

    def titles(self, positions: Ints) -> RaggedArray:
        """Token sequences of the titles at given positions."""
        beside, at = self.locate(positions)
        if not beside.any():
            return self.base.titles.take(at)
        parts = self.base.titles.take(at[~beside]), self.added.titles.take(at[beside])
        return parts[0].and_then(parts[1]).take(np.argsort(np.argsort(beside, kind="stable")))

    def locate(self, positions: Ints) -> tuple[NDArray[np.bool_], Ints]:
        """Whether the titles at given positions are entries, and their entry or base rows."""
        before = np.searchsorted(self._added_at, positions)
        beside = np.append(self._added_at, -1)[before] == positions
        rank = positions - before
        gaps = self.removed - np.arange(len(self.removed))
        return beside, np.where(beside, before, rank + np.searchsorted(gaps, rank, side="right"))

    @cached_property
    def added(self) -> PatriciaTrie:
        """Trie of the entries."""
        return PatriciaTrie.of_sorted(RaggedArray.of(tokens for tokens, _ in self.entries))

    @cached_property
    def _added_at(self) -> Ints:
        return self.place - np.searchsorted(self.removed, self.place) + np.arange(len(self.place))

    @cached_property
    def _entry_of(self) -> dict[str, int]:
        return {item_id: n for n, (_, item_id) in enumerate(self.entries)}

    @cached_property
    def _gone(self) -> frozenset[int]:
        return frozenset(self.removed.tolist())

    @cached_property
    def _alive(self) -> NDArray[np.bool_]:
        alive = np.ones(len(self.ids), dtype=np.bool_)
        alive[self.removed] = False
        return alive

    def _shift(self, rows: NDArray[np.integer]) -> Ints:
        """Positions of base rows that are not removed."""
        return np.asarray(
            rows
            - np.searchsorted(self.removed, rows)
            + np.searchsorted(self.place, rows, side="right")
        )

    def _span(self, lo: Ints, hi: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Positions of base rows lo…hi and entries first…last together; either may be empty."""
        place = np.append(self.place, len(self.ids))
        start = np.where(hi > lo, lo, place[first])
        before = np.where(last > first, first, np.searchsorted(self.place, start, side="right"))
        begin = start - np.searchsorted(self.removed, start) + before
        return begin, begin + self._left(lo, hi) + last - first

    def _left(self, lo: Ints, hi: Ints) -> Ints:
        """Number of base rows in lo…hi that are not removed."""
        taken = np.searchsorted(self.removed, hi) - np.searchsorted(self.removed, lo)
        return np.asarray(hi - lo - taken)

    # -- nodes ----------------------------------------------------------------------------------

    def range(self, prefix: Sequence[int]) -> tuple[int, int]:
        """Positions of the titles with a token prefix, half-open."""
        ways = self._walk(*_row(prefix))
        cells = [part[:, -1] for way in ways for part in (way.lo, way.hi)]
        lo, hi = self._span(*cells)
        return int(lo[0]), int(hi[0])

    def ranges(self, titles: RaggedArray) -> tuple[Ints, Ints]:
        """Positions of the titles with each prefix of some titles, half-open, shapes (R, L + 1)."""
        lengths = titles.lengths
        wanted = titles.padded(np.arange(len(titles)), int(lengths.max(initial=0)) + 1)
        one, other = self._walk(wanted, lengths)
        return self._span(one.lo, one.hi, other.lo, other.hi)

    def children(self, prefix: Sequence[int]) -> Edges:
        """Children of the node at a token prefix, with ranges of positions."""
        depth = np.array([len(prefix)])
        return self._edges(self._walk(*_row(prefix)), np.zeros(1, np.int64), depth)

    def _walk(self, wanted: NDArray[np.integer], lengths: Ints) -> tuple[Walk, Walk]:
        return self.base.walk(wanted, lengths), self.added.walk(wanted, lengths)

    def _edges(self, ways: tuple[Walk, Walk], row: Ints, depth: Ints) -> Edges:
        """Children of walk cells, base and entries merged."""
        one = self.base.children(ways[0], row, depth)
        if not self.changes:
            return one
        keep = self._left(one.lo, one.hi) > 0
        one, other = (
            Edges(*(part[keep] for part in one)),
            self.added.children(ways[1], row, depth),
        )
        key, its = one.node << 32 | one.token, other.node << 32 | other.token
        at = np.searchsorted(key, its)
        own = np.append(key, -1)[at] != its  # no child of the base: inserted
        key, lo, hi = (
            np.insert(column, at[own], new)
            for column, new in ((key, its[own]), (one.lo, 0), (one.hi, 0))
        )
        first, last = np.zeros((2, len(key)), dtype=np.int64)
        at = np.searchsorted(key, its)
        first[at], last[at] = other.lo, other.hi
        return Edges(key >> 32, key & 0xFFFFFFFF, *self._span(lo, hi, first, last))

    def towards(self, items: Ints, known: Ints | None = None) -> TriePlan:
        """Plan of the decisions on the paths to some items; see ``TitleTrie.towards``.

        Args:
            items: positions.
            known: number of known items before each position, shape (N + 1,): a decision needs
                two branches with known items. ``None``: all items are known.
        """
        titles = self.titles(np.unique(items))
        shared = titles.shared()
        titles, shared = titles.take(np.flatnonzero(shared < SAME)), shared[shared < SAME]
        lengths = titles.lengths
        width = int(lengths.max(initial=0)) + 1
        wanted = titles.padded(np.arange(len(titles)), width)
        ways = self._walk(wanted, lengths)
        # A cell is a title after some tokens; the first of those that agree stands for all.
        column = np.arange(width)
        first = column > shared[:, None]
        owner = np.maximum.accumulate(np.where(first, np.arange(len(titles))[:, None], 0), axis=0)
        forks = np.zeros(first.shape, dtype=np.bool_)
        for way in ways:
            forks |= (way.hi > way.lo) & ((way.decision >= 0) | (way.token != wanted))
        row, depth = np.nonzero(forks & first & (column < lengths[:, None]))
        edges = self._edges(ways, row, depth)
        sizes = np.bincount(edges.node, minlength=len(row))
        if known is None:
            decides = sizes > 1  # removals may have left a fork one branch
        else:
            decides = (
                np.bincount(edges.node[known[edges.hi] > known[edges.lo]], minlength=len(row)) > 1
            )
        edges = Edges(*(part[decides[edges.node]] for part in edges))
        row, depth, sizes = row[decides], depth[decides], sizes[decides]
        # The model reads all tokens before a decision, once each.
        deepest = np.zeros(len(titles), dtype=np.int64)
        np.maximum.at(deepest, row, depth)
        read = np.zeros(first.shape, dtype=np.bool_)
        on_way = np.nonzero((column > 0) & (column <= deepest[:, None]))
        read[owner[on_way], on_way[1]] = True
        at, after = np.nonzero(read)
        tree = np.full(first.shape, -1, dtype=np.int64)
        tree[at, after] = np.arange(len(at))
        starts = np.cumsum(sizes) - sizes
        return TriePlan(
            item_ids=self.item_ids,
            tree_token=wanted[at, after - 1].astype(np.int64),
            tree_parent=tree[owner[at, after - 1], after - 1],
            tree_depth=after - 1,
            edge_position=np.repeat(tree[row, depth], sizes),
            edge_token=edges.token,
            edge_lo=edges.lo,
            edge_hi=edges.hi,
            starts=starts,
            span_lo=edges.lo[starts],
            span_hi=edges.hi[starts + sizes - 1],
        )


class ItemIds(Sequence[str]):
    """Item ids of a trie by position, as a lazy sequence."""

    def __init__(self, trie: DeltaTrie) -> None:
        self._trie = trie

    def __len__(self) -> int:
        return len(self._trie)

    @overload
    def __getitem__(self, n: int) -> str: ...
    @overload
    def __getitem__(self, n: slice) -> tuple[str, ...]: ...
    def __getitem__(self, n: int | slice) -> str | tuple[str, ...]:
        places = range(len(self))[n]
        if isinstance(places, range):
            return tuple(self[p] for p in places)
        (beside,), (at,) = self._trie.locate(np.array([places]))
        return self._trie.entries[at][1] if beside else self._trie.ids[at]

    def __iter__(self) -> Iterator[str]:
        trie, rows = self._trie, iter(self._trie.ids)
        kept = compress(rows, trie._alive) if len(trie.removed) else rows
        beside = iter(trie.entries)
        is_beside = np.zeros(len(self), dtype=np.bool_)
        is_beside[trie._added_at] = True
        return (next(beside)[1] if b else next(kept) for b in is_beside.tolist())


def _row(prefix: Sequence[int]) -> tuple[NDArray[np.int64], Ints]:
    """Walk arguments of a single prefix."""
    return np.array([[*prefix, -1]]), np.array([len(prefix)])
