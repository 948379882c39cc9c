"""Which models know the script of a request and of the catalog; signals of others are zero."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.encoding.coverage import KNOWN, catalog_share, knows
from coldstart.profile.resolve import stated_text
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.signal import Reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.pipeline.parts import Parts
    from coldstart.profile.resolve import ResolvedProfile

    Floats = NDArray[np.float64]


class KnownScripts:
    """Compares the tokenizers of encoder and language model with what they would read.

    A model knows a text where its tokens stand for at least ``KNOWN`` of the letters
    (``encoding.coverage``). Catalogs are judged by a sample of their items, once per model and
    whenever they have doubled.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._judged: weakref.WeakKeyDictionary[Any, tuple[weakref.ref[Catalog], int, float]] = (
            weakref.WeakKeyDictionary()
        )

    def unknown(self, user: ResolvedProfile) -> frozenset[Reads]:
        """What the signals of one request may not read: ``encoder``, ``content``, ``model``."""
        text = clean_text(stated_text(user.profile, user.context))
        parts = self._parts
        out: set[Reads] = set()
        if not self._knows_catalog(parts.encoder):
            out |= {"encoder", "content"}
        elif text and not knows(parts.encoder, text):
            out.add("encoder")
        if parts.lm is not None:
            lines = parts.lm.lines
            if not self._knows_catalog(lines) or (text and not knows(lines, text)):
                out.add("model")
        return frozenset(out)

    def _knows_catalog(self, model: Any) -> bool:
        if not hasattr(model, "known_share"):
            return True
        catalog, n = self._parts.catalog, len(self._parts.catalog)
        of, size, share = self._judged.get(model, (None, 0, 1.0))
        if of is None or of() is not catalog or not size <= n < 2 * size:
            share = catalog_share(model, catalog)
            self._judged[model] = weakref.ref(catalog), max(1, n), share
        return share >= KNOWN


def without_unknown(features: Floats, unknown: frozenset[Reads]) -> Floats:
    """The features with zeros for the signals that read what their model does not know.

    Args:
        features: shape (N, len(SIGNALS)).
        unknown: see ``KnownScripts.unknown``.
    """
    columns = [SIGNALS.index(signal.name) for signal in SIGNALS if signal.reads in unknown]
    if not columns or not len(features):
        return features
    out = features.copy()
    out[:, columns] = 0.0
    return out
