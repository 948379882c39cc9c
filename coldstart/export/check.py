"""Whether an exported model still recommends what the original does."""

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
"""Titles per profile whose log-probabilities are compared: those likeliest to the original."""
_TREE_TOKENS = 4096  # room for so many titles, whatever the artifact's settings


class ExportError(ModelError):
    """The exported model does not recommend what the original does."""


@dataclass(frozen=True)
class Check:
    """What came of a comparison.

    Args:
        differs: profiles for which the first ten of the catalog are others, or in another order.
        difference: largest difference of log-probability over the titles compared, nats.
        displaced: largest gap, by the original, between the item at a place and the one it has
            there, nats; 0 if all are identical.
    """

    differs: tuple[str, ...]
    difference: float
    displaced: float

    @property
    def identical(self) -> bool:
        """Whether the first ten are the same for every profile."""
        return not self.differs


@dataclass(frozen=True)
class _Answer:
    """The original's log-probabilities (N,) after a prompt, exact in some rows."""

    prompt: str
    rows: Ints
    logprobs: Floats


class Original:
    """What a recommender's language model says of the catalog, for three profiles.

    The titles that are likeliest to the original are told exactly, by every model alike; all others
    by the probability of the branch they are on.

    Args:
        recommender: with the original model.

    Raises:
        CatalogError: there is nothing to recommend.
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
        self._answers: dict[str, _Answer] = {}
        for name, profile in profiles(recommender).items():
            prompt = reader.prompt(recommender.resolve(profile)).text
            best = reader.candidates(prompt, COMPARED)
            rows = np.array([row_of[i] for title in best for i in title.item_ids], dtype=np.int64)
            self._answers[name] = _Answer(prompt, rows, reader.logprobs(prompt, rows))

    def compare(self, lm: CausalLM) -> Check:
        """Ask another model the same."""
        reader, differs, gaps, moved = self._reader(lm), [], [], []
        for name, answer in self._answers.items():
            found, expected = reader.logprobs(answer.prompt, answer.rows), answer.logprobs
            first, right = _first(found), _first(expected)
            if not np.array_equal(first, right):
                differs.append(name)
            sound = np.isfinite(found).all()
            gaps.append(np.abs(found - expected)[answer.rows].max() if sound else np.inf)
            moved.append(np.abs(expected[first] - expected[right]).max() if sound else np.inf)
        return Check(tuple(differs), float(max(gaps)), float(max(moved)))

    def _reader(self, lm: CausalLM) -> CatalogLanguageModel:
        rec = self._recommender
        return CatalogLanguageModel(lm, rec.template, rec.item_store, self._settings)


def profiles(recommender: Recommender) -> dict[str, UserProfile]:
    """Who is asked about: one by attributes, one by picks, one by free text."""
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
