"""How a trained model is used; saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coldstart.errors import ArtifactError
from coldstart.generation.models.line_tokenizer import MAX_TITLE_TOKENS
from coldstart.prompts import DEFAULT_BUDGET

PRIOR_COUNT = 0.5
"""Likes every item is given beforehand, so that one nobody liked keeps some prior mass."""


def prompt_budget(max_tokens: int, wanted: int = DEFAULT_BUDGET) -> int:
    """Tokens a prompt may have, so that a model of ``max_tokens`` has room for a title after it."""
    return max(1, min(wanted, max_tokens - MAX_TITLE_TOKENS))


@dataclass(frozen=True)
class Settings:
    """How an artifact's model is used.

    Args:
        tau: weight of the model's logits beside the log prior, as trained.
        use_prior: whether decisions add the log prior (not after the ``completion`` objective).
        prompt_tokens: budget of a rendered prompt; older picks are dropped first.
        exact_items: largest catalog scored as a whole where no shortlist is given; beyond, beam
            search.
        exact_tokens: tree tokens read at once; a whole catalog of more is searched by beam, a
            shortlist of more is read in pieces.
        beam_width: titles kept per step of that beam search.
        shortlist: items per user that the model is asked about, the best by everything else; the
            work then depends little on the size of the catalog. 0 for the whole catalog.
        shortlist_tokens: tree tokens read for them at most; where titles have less in common, fewer
            items are judged, the best ones. 200 of 1,682 films take 118 to 146.
        pool_from: size of a catalog beyond which only a few thousand items, named by each signal,
            are looked at for each user.
        written_titles: how many titles the ``free`` strategy writes.
    """

    tau: float = 0.2
    use_prior: bool = True
    prompt_tokens: int = DEFAULT_BUDGET
    exact_items: int = 50_000
    exact_tokens: int = 1024
    beam_width: int = 32
    shortlist: int = 200
    shortlist_tokens: int = 160
    pool_from: int = 20_000
    written_titles: int = 20

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read settings from a manifest."""
        try:
            return cls(**data)
        except TypeError as e:
            raise ArtifactError(f"settings of the manifest: {e}") from e
