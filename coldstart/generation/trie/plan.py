"""Scoring plan of a title trie: its decisions as flat arrays, and title log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Mass:
    """Prior mass of all items with its prefix sums, computed once per catalog version.

    Args:
        values: > 0, shape (N,).
    """

    def __init__(self, values: Floats) -> None:
        self.values = values
        #: Prefix sums, shape (N + 1,).
        self.before: Floats = np.concatenate([[0.0], np.cumsum(values)])

    @classmethod
    def of(cls, mass: Floats | Mass) -> Mass:
        """Return the mass itself, or that of an array."""
        return mass if isinstance(mass, Mass) else cls(mass)

    @cached_property
    def log_share(self) -> Floats:
        """Log of each item's share of the total mass, shape (N,)."""
        return np.log(self.values) - (np.log(self.values.sum()) if len(self.values) else 0.0)

    def between(self, lo: Ints, hi: Ints) -> Floats:
        """Mass of half-open ranges of items."""
        return np.asarray(self.before[hi] - self.before[lo])


@dataclass(frozen=True)
class TriePlan:
    """Decisions of a trie, or a part: N items, T tree tokens, E edges, D decisions.

    Args:
        item_ids: items sorted by their tokens; arrays of N are in this order.
        tree_token: tokens that the model must read as context of the decisions, shape (T,).
        tree_parent: the tree position each one follows, -1 for the prompt's end, shape (T,).
        tree_depth: number of title tokens before it, shape (T,).
        edge_position: tree position whose next token the edge is (-1: the prompt's end), (E,).
        edge_token: token of the edge, shape (E,).
        edge_lo, edge_hi: items below the edge, half-open, shape (E,).
        starts: first edge of each decision, shape (D,); a decision's edges are adjacent.
        span_lo, span_hi: items below each decision, half-open, shape (D,).
    """

    item_ids: Sequence[str]
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

    @cached_property
    def decision_of_edge(self) -> Ints:
        """Decision of each edge, shape (E,)."""
        sizes = np.diff(np.append(self.starts, len(self.edge_token)))
        return np.repeat(np.arange(len(self.starts)), sizes)

    @cached_property
    def vocabulary(self) -> Ints:
        """Tokens of all edges, ascending, shape (V,)."""
        return np.unique(self.edge_token)

    @cached_property
    def edge_column(self) -> Ints:
        """Column of each edge's token in ``vocabulary``, shape (E,)."""
        return np.searchsorted(self.vocabulary, self.edge_token)

    def edge_mass(self, mass: Floats | Mass) -> Floats:
        """Sum of a non-negative ``mass`` (N,) over the items below each edge, shape (E,)."""
        return Mass.of(mass).between(self.edge_lo, self.edge_hi)

    def edge_prior(self, mass: Floats | Mass) -> Floats:
        """Log share of each edge in its decision under ``mass`` (N,) > 0, shape (E,)."""
        below = self.edge_mass(mass)
        whole = np.add.reduceat(below, self.starts) if len(below) else below
        return np.log(below) - np.log(whole[self.decision_of_edge])

    def item_logprobs(
        self, logits: Floats, mass: Floats | Mass, items: Ints | None = None
    ) -> Floats:
        """Log-probability of items; the probabilities of all items sum to 1.

        The log prior plus, for each decision on the path, ``log softmax(logits) - log share of the
        prior``. Exact for items with all their decisions in the plan; below a missing decision, and
        among items of the same title, probability is divided by the prior.

        Args:
            logits: unnormalised log-probability of each edge, shape (E,).
            mass: the prior, shape (N,), > 0; as ``Mass``, its prefix sums are reused.
            items: restrict the result to these positions, ascending, shape (R,); the cost is then
                independent of N. ``None``: all.

        Returns:
            Shape (N,), or (R,).
        """
        mass = Mass.of(mass)
        lo, hi, n = self.edge_lo, self.edge_hi, len(self.item_ids)
        prior = mass.log_share if items is None else mass.log_share[items]
        if not len(logits):
            return prior.copy()
        if items is not None:
            lo, hi, n = np.searchsorted(items, lo), np.searchsorted(items, hi), len(items)
        top = np.maximum.reduceat(logits, self.starts)[self.decision_of_edge]
        weights = np.exp(logits - top)
        whole = np.add.reduceat(weights, self.starts)[self.decision_of_edge]
        step = logits - top - np.log(whole) - self.edge_prior(mass)
        change = np.bincount(lo, step, n + 1) - np.bincount(hi, step, n + 1)
        return np.cumsum(change)[:n] + prior
