"""Scoring plan of a title trie: its decisions as flat arrays, and title log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coldstart.generation.trie.mass import Mass, Newcomers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


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
        edge_lo: first item below the edge, shape (E,).
        edge_hi: one past the last item below the edge, shape (E,).
        starts: first edge of each decision, shape (D,); a decision's edges are adjacent.
        span_lo: first item below each decision, shape (D,).
        span_hi: one past the last item below each decision, shape (D,).
        for_known: whether each decision counts for known items, shape (D,); ``None``: all do.
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
    for_known: NDArray[np.bool_] | None = None

    def counting_for_known(self, other: TriePlan) -> TriePlan:
        """Only the decisions that are in another plan, too, count for known items."""
        own, theirs = (
            np.stack([plan.span_lo, plan.span_hi], axis=1).tolist() for plan in (self, other)
        )
        spans = set(map(tuple, theirs))
        return replace(self, for_known=np.array([tuple(span) in spans for span in own], dtype=bool))

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
        """Sum of a non-negative ``mass`` (N,) over the known items below each edge, shape (E,)."""
        return Mass.of(mass).between(self.edge_lo, self.edge_hi)

    def edge_prior(self, mass: Floats | Mass) -> Floats:
        """Log share of each edge in its decision under ``mass`` (N,) > 0, shape (E,).

        Shares are of the known items' mass, also for an edge with newcomers alone.
        """
        mass = Mass.of(mass)
        below = self.edge_mass(mass)
        whole = np.add.reduceat(below, self.starts) if len(below) else below
        whole = whole[self.decision_of_edge]
        if mass.newcomers is not None:
            only_new, every = ~self._has_known(mass.newcomers), mass.every_before
            below[only_new] = (every[self.edge_hi] - every[self.edge_lo])[only_new]
            whole = np.where(whole > 0, whole, 1.0)
        return np.log(below) - np.log(whole)

    def _has_known(self, newcomers: Newcomers) -> NDArray[np.bool_]:
        """Whether a known item is below each edge, shape (E,)."""
        known = newcomers.known_before
        return np.asarray(known[self.edge_hi] > known[self.edge_lo])

    def item_logprobs(
        self, logits: Floats, mass: Floats | Mass, items: Ints | None = None
    ) -> Floats:
        """Log-probability of items; the probabilities of all known items sum to 1.

        The log prior plus, for each decision on the path, ``log softmax(logits) - log share of the
        prior``. Exact for items with all their decisions in the plan; below a missing decision, and
        among items of the same title, probability is divided by the prior. ``Newcomers`` of the
        mass come beside the others, whose probabilities they leave as they are.

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
        chosen = slice(None) if items is None else items
        prior = mass.log_share[chosen]
        if items is not None:
            lo, hi, n = np.searchsorted(items, lo), np.searchsorted(items, hi), len(items)

        def along_path(step: Floats) -> Floats:
            """Sum of a value of the edges on the path to each item."""
            return np.cumsum(np.bincount(lo, step, n + 1) - np.bincount(hi, step, n + 1))[:n]

        if mass.newcomers is None:
            if not len(logits):
                return prior.copy()
            top = np.maximum.reduceat(logits, self.starts)[self.decision_of_edge]
            weights = np.exp(logits - top)
            whole = np.add.reduceat(weights, self.starts)[self.decision_of_edge]
            return along_path(logits - top - np.log(whole) - self.edge_prior(mass)) + prior
        at_node, own = (part[chosen] for part in mass.shared)
        known = mass.newcomers.known[chosen]
        if not len(logits):
            return np.where(known, prior, at_node + own)
        step, weighed = self._steps(logits, mass, mass.newcomers)
        of_newcomers = at_node + np.where(along_path(weighed) > 0.5, 0.0, own) + along_path(step)
        if self.for_known is not None:
            step = np.where(self.for_known[self.decision_of_edge], step, 0.0)
        return np.where(known, prior + along_path(step), of_newcomers)

    def _steps(self, logits: Floats, mass: Mass, newcomers: Newcomers) -> tuple[Floats, Floats]:
        """What each edge adds to the log-probability of the items below, shapes (E,).

        Returns:
            The log share among the known edges of the decision less that of the prior; for an edge
            with newcomers alone that competes with two known ones or more, the log share with
            itself added, else 0. And 1 for such edges, else 0.
        """
        known, decision = self._has_known(newcomers), self.decision_of_edge
        rivals = np.add.reduceat(known.astype(np.int64), self.starts)[decision]
        of_known = np.where(known, logits, -np.inf)
        top = np.maximum.reduceat(of_known, self.starts)[decision]
        top = np.where(rivals > 0, top, 0.0)
        whole = np.add.reduceat(np.exp(of_known - top), self.starts)[decision]
        total = top + np.log(np.where(rivals > 0, whole, 1.0))
        weighed = ~known & (rivals > 1)
        step = np.where(known, logits - total - self.edge_prior(mass), 0.0)
        step[weighed] = -np.logaddexp(0.0, (total - logits)[weighed])
        return step, weighed.astype(np.float64)
