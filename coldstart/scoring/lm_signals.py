"""Language-model signals of catalog items for one request, with their provenance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.schema import Grounding

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """How one item was reached by a generated title."""

    grounding: Grounding
    similarity: float


@dataclass(frozen=True)
class LMSignals:
    """The model's part in one response.

    Args:
        logprobs: log-probability of every catalog row (``catalog``), shape (N,).
        model: those less the log prior, shape (N,).
        written: closeness of every row to the freely written titles (``free``), shape (N,).
        found: how each item id was reached by a written title.
        groundings: every freely written title, with the items it means.
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


def joined(parts: Iterable[LMSignals]) -> LMSignals:
    """Several scorers' signals as one; the later one's prompt and notes win."""
    out = LMSignals()
    for part in parts:
        given = {n: v for n, v in vars(part).items() if v is not None and not _is_empty(v)}
        out = replace(out, **given)
    return out


def _is_empty(value: object) -> bool:
    return isinstance(value, tuple) and not value


def reached(groundings: Sequence[Grounding]) -> dict[str, Found]:
    """For every item reached, the title that reached it best."""
    out: dict[str, Found] = {}
    for g in groundings:
        for match in g.matches:
            known = out.get(match.item_id)
            if known is None or match.similarity > known.similarity:
                out[match.item_id] = Found(g, match.similarity)
    return out
