"""Notes of a response about its text: how far the list fulfils it, and what was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.pipeline.price_notes import price_notes
from coldstart.pipeline.unknown_notes import unknown_notes
from coldstart.ranking.constraints import Constraints
from coldstart.ranking.wording.readings import demand, guesses
from coldstart.ranking.wording.things import none_of, some_of, things_of
from coldstart.scoring.compounds import compounds, uncalled
from coldstart.scoring.piece_matches import suits_children
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.draft import Draft
    from coldstart.profile.resolve import ResolvedProfile


def text_notes(draft: Draft, rows: Sequence[int]) -> list[str]:
    """Notes on the reading of a request's text; none without text.

    Args:
        draft: with its candidate set.
        rows: of the candidates shown.
    """
    user, constraints, verdicts = draft.request.user, draft.constraints, draft.verdicts
    out = []
    if draft.unread:
        out.append(_unread(draft))
    spelled = user.understood.spelled.items()
    out += [f"“{word}” was read as “{meant}”" for word, meant in spelled]
    out += price_notes(user.understood, draft.candidates)
    out += unknown_notes(draft)
    if constraints is None or verdicts is None:
        return out
    fulfilled = int(verdicts.fulfilled[list(rows)].sum())
    aware = constraints.child is not None and suits_children(draft.candidates, constraints.child)
    child = constraints.audience is not None or bool(np.any(aware))
    if fulfilled < len(rows) and draft.tiers is not None:
        note = _shortfall(draft, constraints, fulfilled, constraints.child if child else None)
        out += [note] if note else []
    out += guesses(user.understood, constraints.ignored)
    return out


def _shortfall(draft: Draft, constraints: Constraints, fulfilled: int, child: int | None) -> str:
    """Note on a list of which not every item fulfils the explicit wishes; empty without wishes."""
    read, items = draft.request.user.understood, draft.candidates
    things = things_of(read, constraints.wished)
    words = any(p.kind == "term" for group in constraints.wished for p in group)
    wanted = demand(things.others, child, things=bool(things.named))
    if (things.named or words) and not fulfilled:
        return none_of(things, wanted, [c.words for c in uncalled(compounds(read, items), items)])
    if things.named or words:
        return some_of(fulfilled, things, wanted)
    if wanted and not fulfilled:
        return f"no item that may be shown is {wanted}; these are the closest to it"
    shown = f"{fulfilled} items are" if fulfilled > 1 else "1 item is"
    return f"only {shown} {wanted}; the rest is the closest to it" if wanted else ""


def reading_notes(user: ResolvedProfile, items: ItemStore) -> list[str]:
    """Notes on a reading by itself, before any list: what was guessed, what cannot be used.

    Args:
        user: with the reading.
        items: of the catalog.
    """
    constraints = Constraints.of(user, items)
    return price_notes(user.understood, items) + guesses(user.understood, constraints.ignored)


def _unread(draft: Draft) -> str:
    nothing = "no category, title, year, person or mood of this catalog"
    if draft.resembled:
        return f"the text names {nothing}; the list follows its meaning"
    nothing += ", and no item resembles it"
    if not draft.useless_text:
        recorded = draft.features[:, SIGNALS.index("asked_alike_words")].any()
        follows = "what people chose who used its words" if recorded else "its words"
        return f"the text names {nothing}; the list follows {follows}"
    usual = "what is often chosen" if draft.candidates.counts.n_users else "what the catalog has"
    others = "the rest of the profile" if _says_more(draft.request.user) else usual
    return f"nothing in the text could be used: it names {nothing}; the list follows {others}"


def _says_more(user: ResolvedProfile) -> bool:
    return bool(user.profile.demographics() or user.liked or user.disliked)
