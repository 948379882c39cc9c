"""Notes on parts of a request that the catalog cannot tell, or tells of some items only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from coldstart.scoring.piece_matches import amounts
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from coldstart.pipeline.draft import Draft

_SOME = 0.05  # share of items without a value from which that is said


def unknown_notes(draft: Draft) -> list[str]:
    """Notes on rejected words that nothing is known about, and on numbers that items lack.

    Args:
        draft: with its features.
    """
    understood, items = draft.request.user.understood, draft.candidates
    out = []
    spans = {(p.start, p.end) for p in understood.pieces if p.kind != "phrase"}
    rejected = [p for p in understood.pieces if p.kind == "phrase" and not p.wanted]
    phrases = {p.value: (p.start, p.end) in spans for p in rejected}
    if draft.features[:, SIGNALS.index("asked_unlike")].any():
        out.append(f"what people chose who asked for {_quoted(phrases)} comes later")
    elif draft.features[:, SIGNALS.index("not_about")].any():
        out.append(f"what is close in meaning to {_quoted(phrases)} comes later")
    elif unknown := [phrase for phrase, told in phrases.items() if not told]:
        out.append(f"nothing is known about {_quoted(unknown)}: it could not be left out")
    for piece in understood.pieces:
        if piece.kind != "attribute" or (piece.low is None and piece.high is None):
            continue
        missing = float(np.isnan(amounts(items, piece.attribute or "")).mean())
        if missing >= _SOME:
            name = (piece.attribute or "").replace("_", " ")
            out.append(
                f"the {name} of {missing:.0%} of the items are not known; these are left out"
            )
    return list(dict.fromkeys(out))


def _quoted(phrases: Iterable[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)
