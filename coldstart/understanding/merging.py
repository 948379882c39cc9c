"""Several readings of one user as one, in which the newest decides."""

from __future__ import annotations

from collections.abc import Sequence

from coldstart.schema import Piece, Understood

_ONE = frozenset({"years", "audience", "price"})  # of these a later wish replaces an earlier one
_OF_A_THING = frozenset({"type", "term", "attribute", "category"})
_GAP = ". "


def merged(readings: Sequence[Understood]) -> Understood:
    """Join readings; a later piece replaces earlier ones that it contradicts.

    A piece contradicts another one that says the opposite of the same value; wanted years, prices
    and an audience replace earlier ones, and a wanted type of thing the earlier one with its
    qualities. Their spans refer to the joined text.

    >>> merged([Understood(text="no war"), Understood(text="comedies")]).text
    'no war. comedies'

    Args:
        readings: the oldest first.
    """
    found = [r for r in readings if r != Understood()]
    if len(found) == 1:
        return found[0]
    pieces: list[Piece] = []
    titles: dict[str, str] = {}
    start = groups = 0
    for reading in found:
        pieces = [p for p in pieces if not any(_contradict(p, new) for new in reading.pieces)]
        if reading.values("type") and any(p.kind == "type" and p.wanted for p in pieces):
            pieces = [p for p in pieces if not (p.wanted and p.kind in _OF_A_THING)]
        for piece in reading.pieces:
            moved = {
                "start": piece.start + start,
                "end": piece.end + start,
                "group": piece.group + groups,
            }
            pieces.append(piece.model_copy(update=moved))
        start += len(reading.text) + len(_GAP)
        groups += 1 + max((p.group for p in reading.pieces), default=0)
        titles |= reading.titles
    return Understood(
        text=_GAP.join(r.text for r in found),
        language=next((r.language for r in reversed(found) if r.language), ""),
        pieces=tuple(pieces),
        wanted_text=_GAP.join(dict.fromkeys(r.wanted_text for r in found if r.wanted_text)),
        titles=titles,
        spelled={word: meant for r in found for word, meant in r.spelled.items()},
    )


def _contradict(old: Piece, new: Piece) -> bool:
    if old.kind != new.kind:
        return False
    if old.kind in _ONE:
        return old.wanted and new.wanted
    same = old.value.casefold() == new.value.casefold() and old.attribute == new.attribute
    return same and old.wanted != new.wanted
