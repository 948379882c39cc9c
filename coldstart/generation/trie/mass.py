"""Prior mass of the items of a trie, and the part that items added after training have in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Newcomers:
    """Items added after training, and where their titles leave those of the known items.

    Known items share probability among themselves, as if there were no newcomers. A newcomer whose
    title is, begins or continues a known one shares the mass of the node where it leaves, by the
    prior; one that leaves at a decision between known titles is weighed against these by the
    language model. So no newcomer takes anything from another item.

    Args:
        known: whether each item is none of them, shape (N,).
        lo: first known item below the node where each newcomer leaves, counted among the known
            ones, shape (N,); meaningless for known items.
        hi: one past the last of them, shape (N,).
    """

    known: Masks
    lo: Ints
    hi: Ints

    @cached_property
    def known_before(self) -> Ints:
        """Number of known items before each position, shape (N + 1,)."""
        return np.concatenate([[0], np.cumsum(self.known)]).astype(np.int64)


class Mass:
    """Prior mass of all items with its prefix sums, computed once per catalog version.

    Args:
        values: > 0, shape (N,).
        newcomers: which items only share the mass of the others; ``None``: none.
    """

    def __init__(self, values: Floats, newcomers: Newcomers | None = None) -> None:
        self.values, self.newcomers = values, newcomers
        own = values if newcomers is None else np.where(newcomers.known, values, 0.0)
        #: Prefix sums of the known items' mass, shape (N + 1,).
        self.before: Floats = np.concatenate([[0.0], np.cumsum(own)])

    @classmethod
    def of(cls, mass: Floats | Mass) -> Mass:
        """Return the mass itself, or that of an array."""
        return mass if isinstance(mass, Mass) else cls(mass)

    @cached_property
    def log_share(self) -> Floats:
        """Log of each item's mass relative to the total of the known items, shape (N,)."""
        if not len(self.values):
            return np.zeros(0)
        known = self.values if self.newcomers is None else self.values[self.newcomers.known]
        return np.asarray(np.log(self.values) - np.log(known.sum()))

    def between(self, lo: Ints, hi: Ints) -> Floats:
        """Mass of the known items in half-open ranges of items."""
        return np.asarray(self.before[hi] - self.before[lo])

    @cached_property
    def every_before(self) -> Floats:
        """Prefix sums of the mass of all items, shape (N + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.values)])

    @cached_property
    def shared(self) -> tuple[Floats, Floats]:
        """For each newcomer, logs of the mass at its node and of its own share there, shapes (N,).

        The first is relative to the total of the known items, the second to node and newcomer. Zero
        for known items.
        """
        at_node, own = np.zeros((2, len(self.values)))
        if (new := self.newcomers) is not None:
            known = np.concatenate([[0.0], np.cumsum(self.values[new.known])])
            rows = np.flatnonzero(~new.known)
            mass = known[new.hi[rows]] - known[new.lo[rows]]
            at_node[rows] = np.log(mass) - np.log(known[-1])
            own[rows] = np.log(self.values[rows]) - np.log(self.values[rows] + mass)
        return at_node, own

    def with_newcomers(self, known: Floats) -> Floats:
        """Add the newcomers to log-probabilities of the known items alone; shape (N,).

        Args:
            known: of the known items, in their order.
        """
        if (new := self.newcomers) is None:
            return known
        out = np.empty(len(self.values))
        out[new.known] = known
        rows = np.flatnonzero(~new.known)
        ends, of = np.unique(np.stack([new.lo[rows], new.hi[rows]]), axis=1, return_inverse=True)
        padded = np.append(known, -np.inf)
        at_node = np.logaddexp.reduceat(padded, ends.T.ravel())[::2]
        out[rows] = at_node[of.ravel()] + self.shared[1][rows]
        return out
