"""Wishes read in the request's text: how far an item fulfils what is wanted, or is rejected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.piece_matches import fulfils, fulfils_any
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import text_similarity

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import Piece, Understood
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

NO_FACTS = ("title", "tone", "phrase")
"""Kinds of pieces that are true of no item by themselves."""


class WishScorer(ColumnScorer):
    """Fulfilment of the pieces of ``ResolvedProfile.understood``."""

    name = "wishes"
    signals = (
        Signal(
            "wished",
            "Share of the wanted groups of pieces that the item fulfils.",
            "share",
            low=0.0,
            high=1.0,
            weight=(2.0, 0.0),
            direction=1,
            states_taste=True,
            of_words=True,
            group="words",
            reason="wishes",
            in_trees=False,
            always=True,
        ),
        Signal(
            "unwished",
            "Share of the rejected pieces that are true of the item.",
            "share",
            low=0.0,
            high=1.0,
            weight=(-3.0, 0.0),
            direction=-1,
            states_taste=True,
            of_words=True,
            group="words",
            in_trees=False,
            always=True,
        ),
        Signal(
            "mood",
            "Content similarity to the words of tone, standardised over the catalog.",
            "standard deviations",
            weight=(0.1, 0.0),
            direction=1,
            states_taste=True,
            of_words=True,
            reads="encoder",
            group="words",
            in_trees=False,
            always=True,
        ),
    )

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three; zero where nothing was read."""
        out = {signal.name: np.zeros(len(items.ids)) for signal in self.signals}
        groups = wanted_groups(user.understood)
        for group in groups:
            out["wished"] += fulfils_any(items, group) / len(groups)
        rejected = [p for p in user.understood.pieces if not p.wanted and _is_fact(p)]
        for piece in rejected:
            out["unwished"] += fulfils(items, piece) / len(rejected)
        tones = user.understood.values("tone")
        if tones:
            out["mood"] = text_similarity(items, ", ".join(tones))
        return out

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The most popular items of every wanted group."""
        out = []
        for group in wanted_groups(user.understood):
            having = np.flatnonzero(fulfils_any(items, group))
            out.append(having[best(items.popularity[having])])
        return out


def wanted_groups(understood: Understood) -> list[list[Piece]]:
    """Wanted pieces that are facts about items, by group: alternatives of each other."""
    out: dict[int, list[Piece]] = {}
    for piece in understood.pieces:
        if piece.wanted and _is_fact(piece):
            out.setdefault(piece.group, []).append(piece)
    return list(out.values())


def _is_fact(piece: Piece) -> bool:
    return piece.kind not in NO_FACTS
