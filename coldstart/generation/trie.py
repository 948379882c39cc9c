"""The catalog as a token trie, and exact probabilities of all its titles.

A trie node is a range of the titles sorted by their tokens, so the trie is nothing but the sorted
list. Only nodes with more than one child are decisions; a token that is an only child ("ghost
token") has probability 1 and costs nothing, which is what keeps long titles from being punished
(Bao et al., "Decoding Matters", D3, EMNLP 2024).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_Entry = tuple[tuple[int, ...], str]
_FEW = 1000  # changes; beyond, sorting anew is quicker than inserting one by one


class TitleTrie:
    """Titles by their tokens; items may come and go, and titles may repeat.

    >>> trie = TitleTrie({"1": (5, 7, 0), "2": (5, 8, 0)})
    >>> trie.children(())
    {5: 2}
    >>> trie.children((5,))
    {7: 1, 8: 1}
    """

    def __init__(self, titles: dict[str, tuple[int, ...]] | None = None) -> None:
        self._tokens: dict[str, tuple[int, ...]] = dict(titles or {})
        self._sorted: list[_Entry] = sorted((t, i) for i, t in self._tokens.items())
        self._plan: TriePlan | None = None

    def __len__(self) -> int:
        return len(self._tokens)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._tokens

    def set(self, titles: Iterable[tuple[str, tuple[int, ...]]]) -> None:
        """Add items, or give known ones another title."""
        new = [(i, tokens) for i, tokens in titles if self._tokens.get(i) != tokens]
        if not new:
            return
        self._plan = None
        if len(new) > _FEW:
            self._tokens.update(new)
            self._sorted = sorted((t, i) for i, t in self._tokens.items())
            return
        for item_id, tokens in new:
            self.remove([item_id])
            self._tokens[item_id] = tokens
            insort(self._sorted, (tokens, item_id))

    def remove(self, item_ids: Iterable[str]) -> None:
        """Forget items; unknown ids are ignored."""
        for item_id in item_ids:
            tokens = self._tokens.pop(item_id, None)
            if tokens is not None:
                del self._sorted[bisect_left(self._sorted, (tokens, item_id))]
                self._plan = None

    def children(self, prefix: tuple[int, ...]) -> dict[int, int]:
        """Tokens that may follow ``prefix``, each with the number of items below it."""
        lo, hi = self.range(prefix)
        return {token: b - a for token, a, b in self._runs(lo, hi, len(prefix))}

    def range(self, prefix: tuple[int, ...]) -> tuple[int, int]:
        """The items whose tokens begin with ``prefix``: a half-open range of ``item_ids``."""
        low = bisect_left(self._sorted, (prefix,))
        # Below (prefix + a token larger than any) is exactly what begins with the prefix.
        high = bisect_right(self._sorted, ((*prefix, 1 << 62),), lo=low)
        return low, high

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Items sorted by their tokens: the order of ranges, and of the plan."""
        return tuple(item_id for _, item_id in self._sorted)

    def is_title(self, lo: int, hi: int) -> bool:
        """True if the items lo…hi all have one title, so that nothing is left to decide."""
        return self._sorted[lo][0] == self._sorted[hi - 1][0]

    def next_decision(
        self, lo: int, hi: int, depth: int
    ) -> tuple[tuple[int, ...], list[tuple[int, int, int]]]:
        """Where the node with items lo…hi at ``depth``, more than one title, first branches.

        Returns:
            The ghost tokens on the way, and the children as (token, child's lo, child's hi).
        """
        first, last = self._sorted[lo][0], self._sorted[hi - 1][0]
        end = depth
        while first[end] == last[end]:
            end += 1
        return first[depth:end], list(self._runs(lo, hi, end))

    def _runs(self, lo: int, hi: int, depth: int) -> Iterable[tuple[int, int, int]]:
        """Children of the node with items lo…hi at ``depth``: (token, child's lo, child's hi)."""
        entries, start = self._sorted, lo
        while start < hi:
            tokens = entries[start][0]
            if len(tokens) <= depth:  # the title ends here: a leaf, alone or with its namesakes
                return
            token, end = tokens[depth], hi
            if entries[hi - 1][0][depth] != token:
                end = bisect_right(entries, token, start + 1, hi, key=lambda e: e[0][depth])
            yield token, start, end
            start = end

    def plan(self) -> TriePlan:
        """What exact scoring needs, computed once per change."""
        if self._plan is None:
            self._plan = self._compile()
        return self._plan

    def _compile(self) -> TriePlan:
        tree_token: list[int] = []
        tree_parent: list[int] = []
        tree_depth: list[int] = []
        edges: list[tuple[int, int, int, int]] = []  # position, token, lo, hi
        decisions: list[tuple[int, int]] = []  # number of edges before; the node's lo
        spans: list[tuple[int, int]] = []
        # A node: its items, its depth, and where in the tree its last token stands (-1: prompt).
        todo = [(0, len(self._sorted), 0, -1)] if self._sorted else []
        while todo:
            lo, hi, depth, position = todo.pop()
            # First and last of a sorted range differ where any two of it do.
            first, last = self._sorted[lo][0], self._sorted[hi - 1][0]
            if first == last:
                continue  # one title, perhaps with namesakes: nothing left to decide
            while first[depth] == last[depth]:  # ghost tokens: the model reads them, none chosen
                tree_token.append(first[depth])
                tree_parent.append(position)
                tree_depth.append(depth)
                position, depth = len(tree_token) - 1, depth + 1
            decisions.append((len(edges), position))
            spans.append((lo, hi))
            for token, a, b in self._runs(lo, hi, depth):
                edges.append((position, token, a, b))
                if self._sorted[a][0] != self._sorted[b - 1][0]:
                    tree_token.append(token)
                    tree_parent.append(position)
                    tree_depth.append(depth)
                    todo.append((a, b, depth + 1, len(tree_token) - 1))
        table = np.array(edges, dtype=np.int64).reshape(-1, 4)
        starts = np.array([d[0] for d in decisions], dtype=np.int64)
        return TriePlan(
            item_ids=tuple(i for _, i in self._sorted),
            tree_token=np.array(tree_token, dtype=np.int64),
            tree_parent=np.array(tree_parent, dtype=np.int64),
            tree_depth=np.array(tree_depth, dtype=np.int64),
            edge_position=table[:, 0],
            edge_token=table[:, 1],
            edge_lo=table[:, 2],
            edge_hi=table[:, 3],
            starts=starts,
            span_lo=np.array([s[0] for s in spans], dtype=np.int64),
            span_hi=np.array([s[1] for s in spans], dtype=np.int64),
        )


@dataclass(frozen=True)
class TriePlan:
    """The decisions of a trie, or some of them, flat. N items, T tree tokens, E edges, D decisions.

    Args:
        item_ids: items sorted by their tokens; every array of N below is in this order.
        tree_token: tokens the model must read so that every decision has a context, shape (T,).
        tree_parent: the tree position each one follows, -1 for the prompt's end, shape (T,).
        tree_depth: number of title tokens before it, shape (T,).
        edge_position: tree position whose next token the edge is (-1: the prompt's end), (E,).
        edge_token: the token chosen by the edge, shape (E,).
        edge_lo, edge_hi: the items below the edge, half-open, shape (E,).
        starts: first edge of each decision, shape (D,); a decision's edges are adjacent.
        span_lo, span_hi: the items below each decision, half-open, shape (D,).
    """

    item_ids: tuple[str, ...]
    tree_token: Ints
    tree_parent: Ints
    tree_depth: Ints
    edge_position: Ints
    edge_token: Ints
    edge_lo: Ints
    edge_hi: Ints
    starts: Ints
    span_lo: Ints
    span_hi: Ints

    def towards(self, wanted: NDArray[np.bool_]) -> TriePlan:
        """Only the decisions on the way to some items, each with all its edges.

        The items' log-probabilities stay what they are; the tree has fewer tokens to read.

        Args:
            wanted: the items, shape (N,).
        """
        before = np.concatenate([[0], np.cumsum(wanted)])
        kept = before[self.span_hi] > before[self.span_lo]
        if kept.all():
            return self
        read = np.zeros(len(self.tree_token), dtype=np.bool_)
        last = self.edge_position[self.starts[kept]]
        while (last := np.unique(last[last >= 0])).size:  # one token towards the prompt a round
            last = last[~read[last]]
            read[last] = True
            last = self.tree_parent[last]
        place = np.append(np.cumsum(read) - 1, -1)  # new position of a token; -1 stays -1
        edges = kept[self.decision_of_edge]
        sizes = np.bincount(self.decision_of_edge, minlength=len(self.starts))[kept]
        return TriePlan(
            item_ids=self.item_ids,
            tree_token=self.tree_token[read],
            tree_parent=place[self.tree_parent[read]],
            tree_depth=self.tree_depth[read],
            edge_position=place[self.edge_position[edges]],
            edge_token=self.edge_token[edges],
            edge_lo=self.edge_lo[edges],
            edge_hi=self.edge_hi[edges],
            starts=np.cumsum(sizes) - sizes,
            span_lo=self.span_lo[kept],
            span_hi=self.span_hi[kept],
        )

    @cached_property
    def decision_of_edge(self) -> Ints:
        """The decision each edge belongs to, shape (E,)."""
        sizes = np.diff(np.append(self.starts, len(self.edge_token)))
        return np.repeat(np.arange(len(self.starts)), sizes)

    @cached_property
    def vocabulary(self) -> Ints:
        """The tokens that any decision can choose, ascending, shape (V,)."""
        return np.unique(self.edge_token)

    @cached_property
    def edge_column(self) -> Ints:
        """Column of each edge's token in ``vocabulary``, shape (E,)."""
        return np.searchsorted(self.vocabulary, self.edge_token)

    def edge_mass(self, mass: Floats) -> Floats:
        """Sum of a non-negative ``mass`` (N,) over the items below each edge, shape (E,)."""
        total = np.concatenate([[0.0], np.cumsum(mass)])
        return np.asarray(total[self.edge_hi] - total[self.edge_lo])

    def edge_prior(self, mass: Floats) -> Floats:
        """Log share of each edge in its decision under ``mass`` (N,) > 0, shape (E,)."""
        below = self.edge_mass(mass)
        whole = np.add.reduceat(below, self.starts) if len(below) else below
        return np.log(below) - np.log(whole[self.decision_of_edge])

    def item_logprobs(self, logits: Floats, mass: Floats) -> Floats:
        """Log-probability of every item, shape (N,); they sum to 1 in probability.

        The log prior, and what each decision on the way adds to it: ``log softmax(logits) - log
        share of the prior``. It is exact for all items whose decisions are all in the plan; below
        a decision that is not, the prior shares out the probability, as it does among namesakes.

        Args:
            logits: unnormalised log-probability of each edge, shape (E,).
            mass: the prior, shape (N,), > 0.
        """
        n = len(self.item_ids)
        change = np.zeros(n + 1)
        if len(logits):
            top = np.maximum.reduceat(logits, self.starts)[self.decision_of_edge]
            weights = np.exp(logits - top)
            whole = np.add.reduceat(weights, self.starts)[self.decision_of_edge]
            step = logits - top - np.log(whole) - self.edge_prior(mass)
            np.add.at(change, self.edge_lo, step)
            np.add.at(change, self.edge_hi, -step)
        return np.cumsum(change)[:n] + np.log(mass) - (np.log(mass.sum()) if n else 0.0)
