"""Whether anything in a request's text can be used: pieces, similar items, known words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.pipeline.known_scripts import without_unknown
from coldstart.profile.resolve import stated_text
from coldstart.ranking.request_blend import without_words
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.stated import request_text
from coldstart.scoring.words import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.signal import Reads

    Floats = NDArray[np.float64]


class TextUse(NamedTuple):
    """What of a request's text can be used.

    Args:
        unread: there is a text, but no piece was read of it, and it is in no language with rules or
            no item resembles it.
        resembled: an item resembles it.
        useless: besides, no word of it is known.
        features: of the candidates, as if there were no text where it is useless, and without the
            signals of models that do not know its script.
    """

    unread: bool
    resembled: bool
    useless: bool
    features: Floats


_SENTENCE = 4  # words
_SIMILAR_FROM = 0.3
"""Cosine between text and content from which an item counts as similar to the text."""
_SHARED_FROM = 0.2
"""The same for an encoder of n-grams, whose cosines are shares of common word parts."""
_BY_WORDS = ("lexical", "asked_alike_words")
"""Signals that are 0 for every item unless a word of the text is known."""


def text_use(
    user: ResolvedProfile,
    items: ItemStore,
    features: Floats,
    unknown: frozenset[Reads] = frozenset(),
) -> TextUse:
    """What of a request's text can be used.

    Args:
        user: with the reading of its text.
        items: the candidate set.
        features: of the candidates, shape (N, len(SIGNALS)).
        unknown: what the models cannot read; see ``known_scripts``. Its signals are zero.
    """
    features = without_unknown(features, unknown)
    by_content = "encoder" not in unknown
    unread = _is_unread(user, items, by_content=by_content)
    resembled = unread and by_content and _resembles(user, items)
    useless = unread and not _knows_a_word(features) and not _shares_letters(user, items)
    if useless and not items.counts.n_users and "encoder" not in unknown:
        # Without anyone's likes there is nothing better to go by than what a text is like.
        useless = not (resembled or _is_sentence(request_text(user)))
    used = without_words(features) if useless else features
    return TextUse(unread, resembled and not useless, useless, used)


def _is_unread(user: ResolvedProfile, items: ItemStore, *, by_content: bool) -> bool:
    """Whether there is a text, but neither a piece was read nor is an item similar to it."""
    given = clean_text(stated_text(user.profile, user.context))
    if not given or user.understood.pieces or not len(items.ids):
        return False
    if any(i.strip().casefold() in items.category_column for i in user.profile.interests):
        return False
    text = request_text(user)
    if not any(c.isalpha() for c in text) or user.understood.text and not user.understood.language:
        return True
    return not by_content or not _resembles(user, items)


def _resembles(user: ResolvedProfile, items: ItemStore) -> bool:
    """Whether the content of an item is similar to the text."""
    text = request_text(user)
    if not text or not len(items.ids):
        return False
    return float(np.max(items.content @ items.vector_of(text))) >= _SIMILAR_FROM


def _shares_letters(user: ResolvedProfile, items: ItemStore) -> bool:
    """Whether an item has word parts of the text in common, where the encoder compares these."""
    text = request_text(user)
    if not text or not getattr(items.encoder, "by_letters", False) or not len(items.ids):
        return False
    return float(np.max(items.content @ items.vector_of(text))) >= _SHARED_FROM


def _is_sentence(text: str) -> bool:
    """Whether a text is of several words, some of them function words, as in "my feet are wet"."""
    words = text.split()
    return len(words) >= _SENTENCE and len(terms(text)) < len(words)


def _knows_a_word(features: Floats) -> bool:
    """Whether items or recorded requests have a word of the text."""
    return bool(features[:, [SIGNALS.index(name) for name in _BY_WORDS]].any())
