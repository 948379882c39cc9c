"""Whether anything in a request's text can be used: pieces, similar items, known words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.profile.resolve import stated_text
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.stated import request_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile

    Floats = NDArray[np.float64]

_SIMILAR_FROM = 0.3
"""Cosine between text and content from which an item counts as similar to the text."""
_BY_WORDS = ("lexical", "asked_alike_words")
"""Signals that are 0 for every item unless a word of the text is known."""


def text_is_unread(user: ResolvedProfile, items: ItemStore, *, by_content: bool = True) -> bool:
    """Whether there is a text, but neither a piece was read nor is an item similar to it.

    Args:
        user: with the reading of its text.
        items: the candidate set.
        by_content: whether similarity to the text means anything: the encoder knows its script.
    """
    given = clean_text(stated_text(user.profile, user.context))
    if not given or user.understood.pieces or not len(items.ids):
        return False
    if any(i.strip().casefold() in items.category_column for i in user.profile.interests):
        return False
    text = request_text(user)
    if not any(c.isalpha() for c in text) or user.understood.text and not user.understood.language:
        return True
    return not by_content or float(np.max(items.content @ items.vector_of(text))) < _SIMILAR_FROM


def knows_a_word(features: Floats) -> bool:
    """Whether items or recorded requests have a word of the text.

    Args:
        features: of the candidates, shape (N, len(SIGNALS)).
    """
    return bool(features[:, [SIGNALS.index(name) for name in _BY_WORDS]].any())
