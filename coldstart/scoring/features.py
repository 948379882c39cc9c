"""What the ranker looks at: one number per item and signal, for one user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_similarity import co_occurrence_of_relatives
from coldstart.catalog.item_store import ItemStore
from coldstart.catalog.titles import clean_text
from coldstart.interactions.interaction_stats import (
    FLOOR,
    closest_pick,
    co_occurrence,
    demographic_lift,
    fold_in,
    later_lift,
    pick_lift,
)
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Floats = NDArray[np.float64]

FEATURES = (
    "popularity",
    "people",
    "picks",
    "fold_in",
    "lift",
    "closest",
    "smoothed",
    "resembles",
    "shares",
    "next",
    "late",
    "beyond",
    "kinds",
    "usual",
    "mainstream",
    "year",
    "year_gap",
    "age",
    "shots",
    "history",
    "alike",
    "words",
    "interests",
    "dislikes",
    "model",
    "written",
)
"""Names and order of the features:

- ``popularity``: log share of training users who liked the item.
- ``people``: demographic lift, nats.
- ``picks``: co-occurrence with the liked picks (0…1) · √k for k picks.
- ``fold_in``: EASE given the picks.
- ``lift``: how much more those who liked a pick like it, mean over the picks, nats.
- ``closest``: damped cosine of co-occurrence with the closest pick, 0…1.
- ``smoothed``: co-occurrence between things like the picks and things like it (0…1) · √k.
- ``resembles``: cosine of its content and that of the pick it is most like.
- ``shares``: share of a pick's attribute values that it has too, a rare one counting more; of the
  pick it shares most with, 0…1.
- ``next``: how much likelier it is liked after the picks than after any likes, nats, · √k.
- ``late``: how much likelier it is liked late than at all, nats.
- ``beyond``: the same for those who are at their first likes (no picks, or a history); 0 otherwise.
- ``kinds``: how the categories of the picks, less those of popular items, fit its own, · √k.
- ``usual``: how its categories fit those of popular items.
- ``mainstream``: its log popularity less the mean one of the picks.
- ``year``: its year, the median one if unknown.
- ``year_gap``: years between it and the mean year of the picks.
- ``age``: the user's, −1 if unknown; ``shots``: number of picks; ``history``: 1 if they are
  the first likes of a new account rather than favourites. All three are the same for all
  items: they say how far to trust the others.
- ``alike``: content similarity to the liked picks, standardised over the catalog, · √k / (1 + √k).
- ``words``: content similarity to free text, interests and context, standardised over the catalog.
- ``interests``: share of the stated interests that name one of the item's categories.
- ``dislikes``: closeness to the disliked items, by co-occurrence and content, 0…1.
- ``model``: the language model's log-probability less the log prior mass, nats (``catalog``).
- ``written``: closeness to the titles the model wrote freely, 0…1 (``free``).
"""

_NOISE = 1e-5  # cosines that differ by less differ by rounding only


def user_features(
    item_store: ItemStore,
    user: ResolvedProfile,
    model: Floats | None = None,
    written: Floats | None = None,
) -> Floats:
    """Compute every feature of every item.

    Args:
        item_store: synced with the catalog.
        user: the profile and context.
        model: the ``model`` feature, shape (N,), zero if not given.
        written: the ``written`` feature, shape (N,), zero if not given.

    Returns:
        Shape (N, len(FEATURES)), in the order of ``FEATURES``.
    """
    n = len(item_store.ids)
    zero = np.zeros(n)
    counts, liked, age = item_store.counts, user.liked, user.profile.age
    rows = _rows(item_store, liked)
    columns: dict[str, Floats] = {
        "popularity": item_store.popularity,
        "people": item_store.spread(demographic_lift(counts, user.profile)),
        "picks": _picks(item_store, liked),
        "fold_in": item_store.spread(fold_in(counts, liked)),
        "lift": item_store.spread(pick_lift(counts, liked)),
        "closest": item_store.spread(closest_pick(counts, liked)),
        "smoothed": _smoothed(item_store, rows),
        "resembles": (item_store.content @ item_store.content[rows].T).max(axis=1)
        if rows
        else zero,
        "shares": _shares(item_store, rows),
        "next": item_store.spread(later_lift(counts, liked)) * np.sqrt(len(liked)),
        "late": item_store.late,
        "beyond": item_store.late if user.profile.history or not liked else zero,
        "kinds": _kinds(item_store, rows),
        "usual": item_store.usual,
        "mainstream": item_store.popularity - item_store.popularity[rows].mean() if rows else zero,
        "year": item_store.year,
        "year_gap": np.abs(item_store.year - item_store.year[rows].mean()) if rows else zero,
        "age": np.full(n, -1.0 if age is None else age),
        "shots": np.full(n, float(len(liked))),
        "history": np.full(n, float(user.profile.history)),
        "alike": _alike(item_store, liked),
        "words": _words(item_store, user),
        "interests": _interests(item_store, user.profile),
        "dislikes": _dislikes(item_store, user.disliked),
        "model": zero if model is None else model,
        "written": zero if written is None else written,
    }
    return np.stack([columns[name] for name in FEATURES], axis=1)


def with_model(features: Floats, model: Floats | None, written: Floats | None) -> Floats:
    """Features, shape (N, len(FEATURES)), with what the language model says put in."""
    out = features.copy()
    for name, values in (("model", model), ("written", written)):
        if values is not None:
            out[:, FEATURES.index(name)] = values
    return out


def _picks(item_store: ItemStore, liked: Sequence[str]) -> Floats:
    if not liked:
        return np.zeros(len(item_store.ids))
    closeness = item_store.spread(co_occurrence(item_store.counts, liked))
    return np.asarray(closeness * np.sqrt(len(liked)))


def _smoothed(item_store: ItemStore, rows: Sequence[int]) -> Floats:
    if not rows:
        return np.zeros(len(item_store.ids))
    closeness = co_occurrence_of_relatives(
        item_store.counts, item_store.alike, item_store.columns, rows
    )
    return np.asarray(closeness * np.sqrt(len(rows)))


def _shares(item_store: ItemStore, rows: Sequence[int]) -> Floats:
    if not rows or not item_store.attributes.shape[1]:
        return np.zeros(len(item_store.ids))
    theirs = item_store.attributes[list(rows)]
    total = np.maximum(np.asarray(theirs.sum(axis=1)).ravel(), 1e-9)
    common = item_store.attributes @ (theirs > 0).astype(np.float64).T
    return np.asarray((common.toarray() / total).max(axis=1))


def _rows(item_store: ItemStore, ids: Sequence[str]) -> list[int]:
    return [item_store.rows[i] for i in ids if i in item_store.rows]


def _kinds(item_store: ItemStore, rows: Sequence[int]) -> Floats:
    if not rows:
        return np.zeros(len(item_store.ids))
    taste = item_store.kinds[rows].mean(axis=0) - item_store.usual_kinds
    return np.asarray(item_store.kinds @ taste * np.sqrt(len(rows)))


def _standardised(values: Floats, usual: Floats) -> Floats:
    """Values less the mean of the usual ones, over their standard deviation."""
    spread = float(usual.std())
    if spread < _NOISE:
        return np.zeros(len(values))
    return np.asarray(values - usual.mean()) / spread


def _similarity(item_store: ItemStore, vectors: Float) -> Floats:
    """Mean cosine of every item with some vectors, standardised over the catalog, shape (N,)."""

    def near(content: Float) -> Floats:
        return np.asarray((content @ vectors.T).astype(np.float64).mean(axis=1))

    values = near(item_store.content)
    whole = item_store.sample is item_store.content
    return _standardised(values, values if whole else near(item_store.sample))


def _alike(item_store: ItemStore, liked: Sequence[str]) -> Floats:
    rows = _rows(item_store, liked)
    if not rows:
        return np.zeros(len(item_store.ids))
    root = np.sqrt(len(rows))
    out: Floats = _similarity(item_store, item_store.content[rows]) * root / (1 + root)
    return out


def _words(item_store: ItemStore, user: ResolvedProfile) -> Floats:
    return text_similarity(item_store, said_in_words(user))


def said_in_words(user: ResolvedProfile) -> str:
    """Interests, free text and the words of the moment, cleaned; empty if there are none."""
    return clean_text(
        ". ".join(x for x in (user.profile.free_text(), user.context.free_text()) if x)
    )


def text_similarity(item_store: ItemStore, text: str) -> Floats:
    """Content similarity of every item to a text, standardised over the catalog, shape (N,)."""
    text = clean_text(text)
    if not text or not len(item_store.ids):
        return np.zeros(len(item_store.ids))
    return _similarity(item_store, item_store.vector_of(text)[None])


def _interests(item_store: ItemStore, profile: UserProfile) -> Floats:
    wanted = {i.strip().casefold() for i in profile.interests} & item_store.category_column.keys()
    if not wanted:
        return np.zeros(len(item_store.ids))
    columns = [item_store.category_column[w] for w in sorted(wanted)]
    return np.asarray(item_store.has_category[:, columns].mean(axis=1))


def _dislikes(item_store: ItemStore, disliked: Sequence[str]) -> Floats:
    rows = _rows(item_store, disliked)
    if not rows:
        return np.zeros(len(item_store.ids))
    together = item_store.spread(co_occurrence(item_store.counts, disliked))
    # What is liked together with everything is close to the disliked items by popularity alone.
    ordinary = np.maximum(item_store.share, FLOOR)
    lift = together / ordinary
    lift = lift / lift.max() if lift.max() > 0 else lift
    near = np.maximum((item_store.content @ item_store.content[rows].T).max(axis=1), 0)
    out: Floats = 0.5 * lift + 0.5 * near.astype(np.float64)
    return out
