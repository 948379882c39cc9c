"""What a user states, against item content: likeness to picks, words, interests, dislikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.interactions.interaction_stats import FLOOR, co_occurrence
from coldstart.profile.resolve import stated_text
from coldstart.scoring import retrieval
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float
    from coldstart.schema import UserProfile
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

_NOISE = 1e-5  # cosines that differ by less differ by rounding only


class StatedScorer(ColumnScorer):
    """Content similarity to what was stated."""

    name = "stated"
    signals = (
        Signal(
            "alike",
            "Content similarity to the k liked picks, standardised over the catalog, "
            "· √k / (1 + √k).",
            "standard deviations",
            reads="content",
            group="alike",
            reason="alike",
        ),
        Signal(
            "words",
            "Content similarity to free text, interests and context, standardised over the "
            "catalog.",
            "standard deviations",
            weight=(0.15, 0.0),
            direction=1,
            states_taste=True,
            of_words=True,
            reads="encoder",
            group="words",
            reason="words",
        ),
        Signal(
            "interests",
            "Share of the stated interests that name one of the item's categories.",
            "share",
            low=0.0,
            high=1.0,
            weight=(0.3, 0.0),
            direction=1,
            states_taste=True,
            group="words",
            reason="interests",
        ),
        Signal(
            "dislikes",
            "Closeness to the disliked items, by co-occurrence and content.",
            "mean of two shares",
            low=0.0,
            high=1.0,
            weight=(-1.0, 0.0),
            direction=-1,
            states_taste=True,
            group="disliked",
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All four; zero where nothing was stated."""
        return {
            "alike": _alike(items, user.liked),
            "words": text_similarity(items, request_text(user)),
            "interests": _interests(items, user.profile),
            "dislikes": _dislikes(items, user.disliked),
        }

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items nearest to the request's text by content."""
        text = request_text(user)
        return [nearest(items.vector_of(text), retrieval.BY_SIGNAL)] if text else []


def request_text(user: ResolvedProfile) -> str:
    """Interests and the wanted text of the request, cleaned; empty if there are none.

    Without a reading (``ResolvedProfile.understood``), the text as it was given.
    """
    understood = user.understood
    if not (understood.text or understood.pieces or understood.wanted_text):
        return clean_text(stated_text(user.profile, user.context))
    read = understood.text.casefold()
    rejected = {v.casefold() for v in understood.values("category", wanted=False)}
    interests = ((i.strip().casefold(), i) for i in user.profile.interests)
    kept = [i for folded, i in interests if folded not in read and folded not in rejected]
    return clean_text(". ".join(x for x in (*kept, understood.wanted_text) if x))


def text_similarity(items: ItemStore, text: str) -> Floats:
    """Content similarity of every item to a text, standardised over the warm items, shape (N,)."""
    text = clean_text(text)
    if not text or not len(items.ids):
        return np.zeros(len(items.ids))
    return _similarity(items, items.vector_of(text)[None])


def _similarity(items: ItemStore, vectors: Float) -> Floats:
    """Mean cosine of every item with some vectors, standardised over the catalog, shape (N,)."""

    def near(content: Float) -> Floats:
        return np.asarray((content @ vectors.T).astype(np.float64).mean(axis=1))

    values = near(items.content)
    whole = items.sample is items.content
    return standardised(values, values if whole else near(items.sample))


def standardised(values: Floats, usual: Floats) -> Floats:
    """Values less the mean of the usual ones, over their standard deviation."""
    spread = float(usual.std())
    if spread < _NOISE:
        return np.zeros(len(values))
    return np.asarray(values - usual.mean()) / spread


def _alike(items: ItemStore, liked: Sequence[str]) -> Floats:
    rows = items.rows_in_order(liked)
    if not rows:
        return np.zeros(len(items.ids))
    root = np.sqrt(len(rows))
    out: Floats = _similarity(items, items.content[rows]) * root / (1 + root)
    return out


def _interests(items: ItemStore, profile: UserProfile) -> Floats:
    wanted = {i.strip().casefold() for i in profile.interests} & items.category_column.keys()
    if not wanted:
        return np.zeros(len(items.ids))
    columns = [items.category_column[w] for w in sorted(wanted)]
    return items.in_how_many(columns) / len(columns)


def _dislikes(items: ItemStore, disliked: Sequence[str]) -> Floats:
    rows = items.rows_in_order(disliked)
    if not rows:
        return np.zeros(len(items.ids))
    together = items.spread(co_occurrence(items.counts, disliked))
    # What is liked together with everything is close to the disliked items by popularity alone.
    lift = together / np.maximum(items.share, FLOOR)
    top = lift[items.met].max(initial=0.0)
    lift = np.minimum(lift / top, 1.0) if top > 0 else lift
    near = np.maximum((items.content @ items.content[rows].T).max(axis=1), 0)
    out: Floats = 0.5 * lift + 0.5 * near.astype(np.float64)
    return out
