"""What the language model says about the catalog's items for one user, as dense features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.schema import Grounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """How one item was reached by a generated title."""

    grounding: Grounding
    similarity: float


@dataclass(frozen=True)
class LMSignals:
    """The model's part in ranking one user's items.

    Args:
        logprobs: log-probability of every catalog row (``catalog``), shape (N,).
        model: those less the log prior: what the model adds, shape (N,).
        written: closeness of every row to the freely written titles (``free``), shape (N,).
        found: how each item id was reached by a written title.
        groundings: every freely written title, with where it landed.
        prompt: what the model read.
        notes: what was trimmed.
    """

    logprobs: Floats | None = None
    model: Floats | None = None
    written: Floats | None = None
    found: dict[str, Found] | None = None
    groundings: tuple[Grounding, ...] = ()
    prompt: str | None = None
    notes: tuple[str, ...] = ()

    def of_rows(self, rows: NDArray[np.int64]) -> LMSignals:
        """The same about some of the catalog's rows."""
        arrays = (self.logprobs, self.model, self.written)
        logprobs, model, written = (None if a is None else a[rows] for a in arrays)
        return replace(self, logprobs=logprobs, model=model, written=written)


def joined(judged: LMSignals, wrote: LMSignals) -> LMSignals:
    """Both strategies' evidence as one."""
    return replace(
        wrote,
        logprobs=judged.logprobs,
        model=judged.model,
        prompt=judged.prompt or wrote.prompt,
        notes=judged.notes or wrote.notes,
    )


def model_feature(item_store: ItemStore, logprobs: Floats, prior: Floats) -> Floats:
    """The model's log-probability less the log prior: what the model adds, shape (N,), nats.

    For items that nobody has met, at least what it adds to their neighbours' better ones, and never
    below zero: that the model does not expect a title it was not trained on says nothing about the
    user.
    """
    lift = np.asarray(logprobs - prior)
    if item_store.met.all():
        return lift
    counted = item_store.rows_of_columns
    of_counted = np.where(counted >= 0, lift[counted], 0.0)
    hoped = np.maximum(item_store.optimistic(of_counted), 0.0)
    return np.where(item_store.met, lift, np.maximum(lift, hoped))


def written_feature(item_store: ItemStore, groundings: Sequence[Grounding]) -> Floats:
    """Closeness of every item to the written titles, shape (N,), in [0, 1].

    ``1 − Π_c (1 − w_c · s_ci)``: the chance that at least one title meant the item, with s the
    grounding similarity and ``w_c = 0.9 · √(p_c / p_best)`` from the titles' probabilities.
    """
    out = np.zeros(len(item_store.ids))
    if not groundings:
        return out
    best = max(g.candidate.logprob for g in groundings)
    missed = np.ones(len(item_store.ids))
    for g in groundings:
        weight = 0.9 * np.exp(0.5 * (g.candidate.logprob - best))
        for match in g.matches:
            if match.item_id in item_store.rows:
                missed[item_store.rows[match.item_id]] *= 1 - weight * min(
                    1.0, max(0.0, match.similarity)
                )
    return np.asarray(1 - missed)


def reached(groundings: Sequence[Grounding]) -> dict[str, Found]:
    """For every item reached, the title that reached it best."""
    out: dict[str, Found] = {}
    for g in groundings:
        for match in g.matches:
            known = out.get(match.item_id)
            if known is None or match.similarity > known.similarity:
                out[match.item_id] = Found(g, match.similarity)
    return out
