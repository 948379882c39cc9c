"""The language model reads the requests of which the rules understand nothing."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.schema import Piece, Understood
from coldstart.scoring.request_encoder import RequestEncoderScorer
from coldstart.scoring.retrieval import best
from coldstart.scoring.stated import request_text
from coldstart.understanding.vocabulary import category_names

if TYPE_CHECKING:
    from coldstart.generation.reading import LanguageModelReader, ReadRequest
    from coldstart.pipeline.parts import Parts
    from coldstart.pipeline.request import RecommendRequest
    from coldstart.profile.resolve import ResolvedProfile

log = logging.getLogger(__name__)

WANTED_FROM = 0.3
"""Probability from which a category counts as wanted, whatever else speaks for it."""
SUPPORTED_FROM = 0.2
"""The same where items close to the text support it."""
SUPPORT = 1.25
"""How many times as often as in the catalog the items closest to a text are of a category that
they support."""
_CLOSEST = 50  # items
AVOIDED_FROM = 0.15
"""Probability from which a category counts as avoided; several share what is not ``NOTHING``."""
CHILDREN_FROM = 0.5
"""Probability from which the audience counts as children."""
MOST_WANTED = 2
_STATES = ("category", "years", "audience", "tone", "person", "attribute")
_CHILD_AGE = 12
_FEWEST, _LATIN = 4, 0.8  # letters; share of them
_FOR_CHILDREN = frozenset({"Children", "Children's", "Family", "Animation"})
MOST_CATEGORIES = 64
"""Categories that the model is asked about, the most frequent; each takes tokens of a prompt."""
_FIRST_GROUP = 1000  # groups of the rules' pieces are smaller


class ModelReadingStage:
    """Adds to a reading what the language model reads, as inferred pieces.

    Takes part where the artifact's model was taught to (``Settings.reads``), the strategy has a
    language model, the rules found no more than titles in the text, and no reading was given.

    Args:
        parts: of the recommender.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reader: LanguageModelReader | None = None
        self._made_of: tuple[object, ...] = ()

    def read(self, requests: Sequence[RecommendRequest]) -> list[RecommendRequest]:
        """The requests, with fuller readings where the model read one; all in one pass."""
        out = list(requests)
        open_ones = [n for n, request in enumerate(requests) if self._asks(request)]
        if not open_ones:
            return out
        texts = [requests[n].user.understood.text for n in open_ones]
        for n, found in zip(open_ones, self._answers(texts), strict=True):
            user = requests[n].user
            more: tuple[Piece, ...] = ()
            if found is not None:
                more = tuple(_pieces(user.understood.text, found, self._wanted(user, found)))
            if more:
                out[n] = replace(requests[n], user=replace(user, understood=_fuller(user, more)))
        return out

    def _answers(self, texts: Sequence[str]) -> list[ReadRequest | None]:
        """What the model answers on each text, ``None`` where it fails.

        Such a request keeps the reading of the rules: that reading is complete without a model.
        """
        out: list[ReadRequest | None] = []
        try:
            out.extend(self._synced().read(texts))
        except Exception as e:  # whatever the model raises, up to a lack of memory
            if len(texts) > 1:
                return [answer for text in texts for answer in self._answers([text])]
            log.warning("the language model could not read a request (%s); the rules did", e)
            out.append(None)
        return out

    def _asks(self, request: RecommendRequest) -> bool:
        parts, user = self._parts, request.user
        if parts.lm is None or not parts.settings.reads or request.options.strategy == "prior":
            return False
        if user.reading_given or not user.understood.text:
            return False
        told = any(p.kind in _STATES or _is_topic(p) for p in user.understood.pieces)
        return not told and _is_latin(user.understood.text)

    def _wanted(self, user: ResolvedProfile, found: ReadRequest) -> list[str]:
        """Categories that count as wanted, each of them, the likeliest first.

        Where the text names titles, only categories of theirs do.
        """
        from coldstart.generation.reading import NOTHING

        likely = [c for c, p in found.wanted.items() if c != NOTHING and p >= SUPPORTED_FROM]
        likely = sorted(likely, key=lambda c: -found.wanted[c])[:MOST_WANTED]
        if named := [i for i in user.understood.liked if i in self._parts.catalog]:
            theirs = {c for i in named for c in self._parts.catalog[i].categories}
            return [c for c in likely if c in theirs]
        sure = [c for c in likely[:1] if found.wanted[c] >= WANTED_FROM]
        if likely == sure:
            return sure
        support = self._support(user)
        return [c for c in likely if c in sure or support[c] >= SUPPORT]

    def _support(self, user: ResolvedProfile) -> Mapping[str, float]:
        """How many times as often as in the catalog what is close to a text is of a category."""
        items, scorers = self._parts.item_store, self._parts.scorers
        near = next((s for s in scorers if isinstance(s, RequestEncoderScorer)), None)
        if near is None or not len(items.ids):
            return defaultdict(float)
        closest = best(near.closeness(request_text(user), items), _CLOSEST)
        all_items = np.ones(len(items.ids))
        usual = items.by_category(all_items) / len(items.ids)
        near_by = np.bincount(closest, minlength=len(items.ids)).astype(np.float64)
        shares = items.by_category(near_by) / len(closest) / np.maximum(usual, 1 / len(items.ids))
        return {
            c: float(shares[items.category_column[c.casefold()]])
            for c in category_names(items.catalog)
        }

    def _synced(self) -> LanguageModelReader:
        """The reader of the catalog's categories as they are now."""
        from coldstart.generation.reading import LanguageModelReader

        catalog, lm = self._parts.catalog, self._parts.lm
        assert lm is not None
        made_of = lm, catalog, catalog.version
        before = self._made_of
        same = bool(before) and before[0] is lm and before[1] is catalog and before[2] == made_of[2]
        if self._reader is None or not same:
            self._reader = LanguageModelReader(lm, category_names(catalog)[:MOST_CATEGORIES])
            self._made_of = made_of
        return self._reader


def _is_topic(piece: Piece) -> bool:
    """Whether a piece names what films should be about: no category is guessed then."""
    return piece.kind == "phrase" and piece.wanted


def _is_latin(text: str) -> bool:
    """Whether a text is in the script of the sentences that taught the model."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= _FEWEST and sum(c.isascii() for c in letters) >= _LATIN * len(letters)


def _fuller(user: ResolvedProfile, more: tuple[Piece, ...]) -> Understood:
    before = user.understood
    return before.model_copy(
        update={
            "language": before.language or "en",
            "pieces": (*before.pieces, *more),
            "wanted_text": before.wanted_text or before.text,
        }
    )


def _pieces(text: str, found: ReadRequest, wanted: Sequence[str]) -> Iterator[Piece]:
    """Pieces of what the model is sure enough of; each has the whole text as its words.

    Args:
        text: that was read.
        found: answers of the model.
        wanted: categories that count as wanted.
    """
    from coldstart.generation.reading import AUDIENCES, NOTHING

    def piece(category: str, group: int = 0, *, wanted: bool = True) -> Piece:
        return Piece(
            kind="category",
            value=category,
            words=text,
            start=0,
            end=len(text),
            wanted=wanted,
            strict=False,
            group=group,
            source="model",
        )

    ranked = list(wanted)
    children = sum(p for a, p in found.audience.items() if (AUDIENCES[a] or 99) <= _CHILD_AGE)
    for group, category in enumerate(wanted):
        yield piece(category, _FIRST_GROUP + group)
    if children >= CHILDREN_FROM:
        for category in sorted(_FOR_CHILDREN & found.wanted.keys()):
            yield piece(category, _FIRST_GROUP + MOST_WANTED)
            ranked.append(category)
    for category, p in found.avoided.items():
        if category != NOTHING and p >= AVOIDED_FROM and category not in ranked:
            yield piece(category, wanted=False)
