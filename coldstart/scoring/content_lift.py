"""How much likelier an item is by its content alone, given picks: a softmax of similarities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.protocols import Float
    from coldstart.scoring.scorer import Floats, Ints

KINDS = 0.3
"""Cosine of the categories that counts as much as a cosine of 1 of the contents."""
_NOISE = 1e-6  # standard deviation of similarities that is rounding
_MOST = 8.0  # standard deviations, beyond which an item is no more alike
_SAMPLE = 20_000  # items that similarities are standardised over


class ContentLift:
    """The lift by content, with what is usual in a catalog kept per version."""

    def __init__(self) -> None:
        self._kept: tuple[ItemStore, int, _Usual] | None = None

    def of(self, items: ItemStore, picks: Sequence[int]) -> Floats:
        """``log((1/k) Σ_j exp(z_ij) / Z_j)`` of every item given k picks, nats, shape (N,).

        z_ij is the similarity of item i and pick j, the cosine of their contents and ``KINDS``
        times that of their categories, standardised over the catalog's items for each pick, and at
        most 8; Z_j is the mean of ``exp(z_ij)`` over them. A mean before the logarithm: an item
        need resemble one pick, not all.

        Args:
            items: the candidate set.
            picks: rows of the picks in it, at least one.
        """
        rows = list(picks)
        lifted = self._lifted(items, items.content[rows], items.kinds_of(rows))
        return np.asarray(np.log(lifted.mean(axis=1)))

    def each(self, items: ItemStore, picks: Sequence[int], rows: Ints) -> Floats:
        """``log(exp(z_ij) / Z_j)`` of some items, for each pick alone, shape (len(rows), k).

        Args:
            items: a whole store.
            picks: rows of the picks in it.
            rows: of the items.
        """
        of = list(picks)
        lifted = self._lifted(items, items.content[of], items.kinds_of(of), rows)
        return np.asarray(np.log(lifted))

    def _lifted(
        self, items: ItemStore, content: Float, kinds: Floats, rows: Ints | None = None
    ) -> Floats:
        """``exp(z_ij) / Z_j`` of all or some items, shape (items, picks)."""
        common = self._usual(items.whole)
        usual = _similarity(common.content, common.kinds, content.T, kinds.T)
        if rows is not None:
            values = _similarity(items.content[rows], items.kinds_of(rows), content.T, kinds.T)
        elif common.content is items.content:
            values = usual
        else:
            values = np.asarray(items.content @ content.T, dtype=np.float64)
            for pick, kind in enumerate(kinds):
                values[:, pick] += KINDS * items.kinds_fit(kind)
        mean, spread = usual.mean(axis=0), usual.std(axis=0)
        scale = np.where(spread > _NOISE, spread, np.inf)

        def weight(similarity: Floats) -> Floats:
            return np.asarray(np.exp(np.minimum((similarity - mean) / scale, _MOST)))

        return np.asarray(weight(values) / weight(usual).mean(axis=0))

    def _usual(self, whole: ItemStore) -> _Usual:
        kept = self._kept
        if kept is None or kept[0] is not whole or kept[1] != whole.version:
            kept = self._kept = whole, whole.version, _Usual.of(whole)
        return kept[2]


def content_lift(items: ItemStore, picks: Sequence[int]) -> Floats:
    """``ContentLift.of``, with nothing kept."""
    return ContentLift().of(items, picks)


class _Usual(NamedTuple):
    """Contents and categories of the items that similarities are standardised over."""

    content: Float
    kinds: Floats

    @classmethod
    def of(cls, whole: ItemStore) -> _Usual:
        """All items that are typical, or a sample of them."""
        if whole.typical.all() and len(whole.ids) <= _SAMPLE:
            return cls(whole.content, whole.kinds)
        rows = np.flatnonzero(whole.typical)
        if len(rows) > _SAMPLE:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[:_SAMPLE])
        return cls(whole.content[rows], whole.kinds_of(rows))


def _similarity(content: Float, kinds: Floats, of_content: Float, of_kinds: Floats) -> Floats:
    """Similarity of some items with every pick, shape (items, picks)."""
    out = np.asarray(content @ of_content, dtype=np.float64)
    return np.asarray(out + KINDS * (kinds @ of_kinds))
