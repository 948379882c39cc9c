"""Comparison of an exported model's rankings with the original's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import CatalogError, ModelError
from coldstart.schema import UserProfile
from coldstart.scoring.catalog_model import CatalogLanguageModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM
    from coldstart.recommender import Recommender

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TOP = 10
COMPARED = 100
"""Titles per profile with compared log-probabilities: the likeliest of the original model."""
_TREE_TOKENS = 4096  # enough for so many titles, whatever the artifact's settings


class ExportError(ModelError):
    """The exported model ranks differently from the original."""


@dataclass(frozen=True)
class Check:
    """Result of a comparison.

    Args:
        differs: profiles with another top ten of the catalog, or another order.
        difference: largest difference of log-probability over the compared titles, nats.
        displaced: largest gap in the original's log-probability between its item at a rank and the
            exported model's, nats; 0 if all are identical.
    """

    differs: tuple[str, ...]
    difference: float
    displaced: float

    @property
    def identical(self) -> bool:
        """Whether the top ten are equal for every profile."""
        return not self.differs


@dataclass(frozen=True)
class _Reference:
    """The original's log-probabilities (N,) given a prompt, exact in some rows."""

    prompt: str
    rows: Ints
    logprobs: Floats


class Original:
    """Reference rankings of the original model for three profiles.

    The original's likeliest titles are scored exactly by all models; other titles by the
    probability of their branch.

    Args:
        recommender: with the original model.

    Raises:
        CatalogError: the catalog is empty.
    """

    def __init__(self, recommender: Recommender) -> None:
        if not len(recommender.catalog):
            raise CatalogError("the catalog is empty", hint="an export is checked on its items")
        recommender.item_store.sync()
        self._recommender = recommender
        self._settings = replace(recommender.settings, shortlist_tokens=_TREE_TOKENS)
        reader, row_of = (
            self._reader(recommender.pipeline.resources.model.lm),
            recommender.catalog.rows,
        )
        self._references: dict[str, _Reference] = {}
        for name, profile in profiles(recommender).items():
            prompt = reader.prompt(recommender.resolve(profile)).text
            best = reader.candidates(prompt, COMPARED)
            rows = np.array([row_of[i] for title in best for i in title.item_ids], dtype=np.int64)
            self._references[name] = _Reference(prompt, rows, reader.logprobs(prompt, rows))

    def compare(self, lm: CausalLM) -> Check:
        """Compare another model with the original."""
        reader, differs, gaps, moved = self._reader(lm), [], [], []
        for name, reference in self._references.items():
            found, expected = reader.logprobs(reference.prompt, reference.rows), reference.logprobs
            first, right = _first(found), _first(expected)
            if not np.array_equal(first, right):
                differs.append(name)
            sound = np.isfinite(found).all()
            gaps.append(np.abs(found - expected)[reference.rows].max() if sound else np.inf)
            moved.append(np.abs(expected[first] - expected[right]).max() if sound else np.inf)
        return Check(tuple(differs), float(max(gaps)), float(max(moved)))

    def _reader(self, lm: CausalLM) -> CatalogLanguageModel:
        rec = self._recommender
        return CatalogLanguageModel(lm, rec.template, rec.item_store, self._settings)


def profiles(recommender: Recommender) -> dict[str, UserProfile]:
    """Test profiles: one of attributes, one of picks, one of free text."""
    counts, catalog = recommender.counts, recommender.catalog
    liked = [counts.item_ids[n] for n in np.argsort(-counts.likes, kind="stable")]
    picks = [i for i in liked if i in catalog] or list(catalog.ids)
    return {
        "attributes": UserProfile(age=34, gender="F", occupation="teacher"),
        "picks": UserProfile.parse({"liked": picks[:3]}),
        "free text": UserProfile(about="slow-burn stories with a twist"),
    }


def _first(logprobs: Floats) -> Ints:
    return np.argsort(-logprobs, kind="stable")[:TOP]
