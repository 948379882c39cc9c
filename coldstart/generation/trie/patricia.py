"""Patricia trie in flat, memory-mappable arrays.

Only nodes with more than one child are stored (D. R. Morrison, "PATRICIA", 1968); the tokens
between them are those of the titles. Construction has no Python loop over titles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coldstart.errors import CatalogError
from coldstart.generation.trie.ragged import SAME, Ints, RaggedArray

Small = NDArray[np.int32]

_TOKEN = 0xFFFFFFFF
_NONE = np.zeros(0, dtype=np.int64)


class Walk(NamedTuple):
    """Paths of R token sequences through a trie; cell (r, d) is sequence r after d tokens.

    Args:
        lo: first title below, shape (R, L + 1).
        hi: one past the last title below, shape (R, L + 1); at most ``lo`` off the trie.
        decision: decision at the cell, −1 if none, shape (R, L + 1).
        token: without a decision, the only next token (−1: end of a title), (R, L + 1).
    """

    lo: Ints
    hi: Ints
    decision: Ints
    token: Ints


class Edges(NamedTuple):
    """Children of some nodes, by node, then by token.

    Args:
        node: parent, shape (E,).
        token: of the edge, shape (E,).
        lo: first title below the child, shape (E,).
        hi: one past the last title below the child, shape (E,).
    """

    node: Ints
    token: Ints
    lo: Ints
    hi: Ints


@dataclass(frozen=True)
class PatriciaTrie:
    """Titles sorted by their tokens, with D decisions and E edges; a parent comes before a child.

    Args:
        titles: the N titles; equal ones are adjacent.
        depth: title tokens before each decision, shape (D,).
        starts: first edge of each decision, and E, shape (D + 1,).
        edge_key: decision · 2³² + token, ascending, shape (E,).
        edge_lo: first title below each edge, shape (E,).
        edge_hi: one past the last title below each edge, shape (E,).
        edge_target: next decision below an edge, −1 for a title, shape (E,).
    """

    titles: RaggedArray
    depth: Small
    starts: Small
    edge_key: Ints
    edge_lo: Small
    edge_hi: Small
    edge_target: Small

    @classmethod
    def of_sorted(cls, titles: RaggedArray) -> PatriciaTrie:
        """Build the trie of sorted titles.

        Raises:
            CatalogError: one title's tokens are a prefix of another's.
        """
        n, shared = len(titles), titles.shared()
        lengths = titles.lengths
        inside = np.flatnonzero(shared[1:] == lengths[:-1])
        if inside.size:
            raise begins_another(titles[int(inside[0])].tolist())
        # Where neighbours differ, all titles around with the same prefix have a decision.
        depths, los, his = [_NONE], [_NONE], [_NONE]
        parts, owners, known = [_NONE], [_NONE], 0
        for depth in np.unique(shared[(shared >= 0) & (shared < SAME)]).tolist():
            bounds = np.append(np.flatnonzero(shared < depth), n)
            parting = np.flatnonzero(shared == depth)
            around = np.searchsorted(bounds, parting, side="right") - 1
            node, owner = np.unique(around, return_inverse=True)
            depths.append(np.full(len(node), depth))
            los.append(bounds[node])
            his.append(bounds[node + 1])
            parts.append(parting)
            owners.append(known + owner)
            known += len(node)
        depth_of, lo, hi = (np.concatenate(c) for c in (depths, los, his))
        key = lo * (n + 1) + (n - hi)
        order = np.argsort(key)  # a parent before its children
        key, depth_of, lo, hi = key[order], depth_of[order], lo[order], hi[order]
        # An edge begins with its decision, or where its titles differ from those before.
        decision = np.concatenate([np.arange(known), np.argsort(order)[np.concatenate(owners)]])
        begin = np.concatenate([lo, np.concatenate(parts)])
        order = np.lexsort((begin, decision))
        decision, begin = decision[order], begin[order]
        starts = np.searchsorted(decision, np.arange(known + 1))
        end = np.append(begin[1:], 0)[: len(begin)]
        end[starts[1:] - 1] = hi
        mine = begin * (n + 1) + (n - end)
        target = np.searchsorted(key, mine)
        target[np.append(key, -1)[target] != mine] = -1
        token = titles.values[titles.starts[begin] + depth_of[decision]]
        return cls(
            titles=titles,
            depth=depth_of.astype(np.int32),
            starts=starts.astype(np.int32),
            edge_key=decision << 32 | token.astype(np.int64),
            edge_lo=begin.astype(np.int32),
            edge_hi=end.astype(np.int32),
            edge_target=target.astype(np.int32),
        )

    def walk(self, wanted: NDArray[np.integer], lengths: Ints) -> Walk:
        """Follow token sequences, titles or not, as far as they are in the trie.

        The descent visits decisions only; one title below then verifies the tokens in between.

        Args:
            wanted: token sequences, −1 beyond their ends, shape (R, L + 1); L is the longest.
            lengths: their lengths, shape (R,).
        """
        shape, n = wanted.shape, len(self.titles)
        lo, hi = np.zeros(shape, np.int64), np.full(shape, n)
        decision = np.full(shape, -1, np.int64)
        rows = np.arange(shape[0] if len(self.depth) else 0)
        at = np.zeros(len(rows), np.int64)
        while len(rows):
            depth = self.depth[at]
            near = depth <= lengths[rows]
            rows, at, depth = rows[near], at[near], depth[near]
            decision[rows, depth] = at
            key = at << 32 | (wanted[rows, depth].astype(np.int64) & _TOKEN)
            edge = np.minimum(np.searchsorted(self.edge_key, key), len(self.edge_key) - 1)
            found = self.edge_key[edge] == key
            rows, depth, edge = rows[found], depth[found] + 1, edge[found]
            lo[rows, depth], hi[rows, depth] = self.edge_lo[edge], self.edge_hi[edge]
            at = self.edge_target[edge].astype(np.int64)
            rows, at = rows[at >= 0], at[at >= 0]
        lo, hi = np.maximum.accumulate(lo, axis=1), np.minimum.accumulate(hi, axis=1)
        if not n:
            return Walk(lo, hi, decision, decision)
        token = self.titles.padded(lo[:, -1], shape[1])
        alike = np.logical_and.accumulate(token == wanted, axis=1).sum(axis=1)
        beyond = np.arange(shape[1]) > np.minimum(alike, lengths)[:, None]
        lo[beyond] = hi[beyond] = 0
        decision[beyond] = -1
        return Walk(lo, hi, decision, token)

    def children(self, walk: Walk, row: Ints, depth: Ints) -> Edges:
        """Children of cells of a walk; ``node`` numbers the cells."""
        decision, lo, hi = (part[row, depth] for part in (walk.decision, walk.lo, walk.hi))
        token = walk.token[row, depth]
        decides = decision >= 0
        first = np.where(decides, self.starts[decision], 0)
        count = np.where(decides, self.starts[decision + 1] - first, (hi > lo) & (token >= 0))
        node = np.repeat(np.arange(len(row)), count)
        edge = np.arange(len(node)) - np.repeat(np.cumsum(count) - count - first, count)
        out = Edges(node, token[node].astype(np.int64), lo[node], hi[node])
        own, edge = decides[node], edge[decides[node]]
        out.token[own] = self.edge_key[edge] & _TOKEN
        out.lo[own], out.hi[own] = self.edge_lo[edge], self.edge_hi[edge]
        return out


def begins_another(tokens: list[int]) -> CatalogError:
    """Error for a title that is a prefix of another title."""
    return CatalogError(
        f"the title of tokens {tokens} begins another title",
        hint="end every title with a token that occurs nowhere else, such as a line break",
    )
