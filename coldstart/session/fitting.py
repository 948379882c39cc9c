"""Items worth asking a user about: suitable by profile and texts, and close to the wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coldstart.profile.resolve import ResolvedProfile
from coldstart.ranking.constraints import Constraints
from coldstart.schema import Context, Understood, UserProfile
from coldstart.scoring.piece_matches import fulfils_any, suits_children
from coldstart.scoring.stated import request_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore

    Bools = NDArray[np.bool_]

FEWEST = 12
"""Items that fit from which others are not asked about."""
_CLOSEST, _SHARE = 60, 50  # the closest items that fit: these, or one in so many of the catalog


def suitable(item_store: ItemStore, profile: UserProfile, understood: Understood) -> Bools:
    """Mask of the items that neither profile nor texts rule out, shape (N,).

    For a child, by its age or as the audience of a text, those known to suit it; all others where
    these are fewer than ``FEWEST``.

    Args:
        item_store: synced with the catalog.
        profile: of the user.
        understood: all that was read in their texts.
    """
    user = ResolvedProfile(profile, Context(), understood=understood)
    constraints = Constraints.of(user, item_store)
    allowed = np.ones(len(item_store.ids), dtype=bool)
    if constraints.any:
        allowed &= ~constraints.verdicts(item_store).excluded
    rejected = [p for p in understood.pieces if not p.wanted and p.kind != "title"]
    allowed &= ~fulfils_any(item_store, [p for p in rejected if p not in constraints.ignored])
    if constraints.child is not None:
        suits = allowed & suits_children(item_store, constraints.child)
        allowed = suits if suits.sum() >= FEWEST else allowed
    return allowed


def fitting(
    item_store: ItemStore, profile: UserProfile, understood: Understood, among: Bools
) -> Bools:
    """Mask of the items that fit profile and texts, shape (N,); ``among`` where too few do.

    Suitable items come by how many wishes they fulfil, of how many interests they are, and how
    close in meaning they are to the text; the first 60, or 2 % of the catalog, fit.

    Args:
        item_store: synced with the catalog.
        profile: of the user.
        understood: all that was read in their texts.
        among: mask of the items that may be asked about.
    """
    allowed = among & suitable(item_store, profile, understood)
    allowed = allowed if allowed.any() else among
    user = ResolvedProfile(profile, Context(), understood=understood)
    text = request_text(user)
    if not text and not any(p.wanted for p in understood.pieces):
        return allowed
    rows = np.flatnonzero(allowed)
    tier = Constraints.of(user, item_store).verdicts(item_store).tier[rows]
    near = np.zeros(len(rows))
    if text:
        near += item_store.content[rows] @ item_store.vector_of(text)
    wanted = {i.strip().casefold() for i in profile.interests} & item_store.category_column.keys()
    columns = [item_store.category_column[name] for name in sorted(wanted)]
    interests = item_store.in_how_many(columns)[rows]
    order = rows[np.lexsort((-np.round(near, 5), -interests, tier))]
    closest = order[: max(_CLOSEST, len(item_store.ids) // _SHARE)]
    if len(closest) < FEWEST:
        return allowed
    out = np.zeros(len(allowed), dtype=bool)
    out[closest] = True
    return out
