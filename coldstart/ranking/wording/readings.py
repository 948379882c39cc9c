"""Readings of a request in words: what was demanded and what was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coldstart.ranking.constraints import Constraints
    from coldstart.schema import Piece, Understood


def demand(constraints: Constraints, *, child: bool = True) -> str:
    """Explicit wishes that order a list, as in "Western and suitable for age 5"; may be empty.

    Args:
        constraints: of the request.
        child: whether to name the child in the audience, if there is one.
    """
    parts = [" or ".join(dict.fromkeys(_word(p) for p in group)) for group in constraints.wished]
    if child and constraints.child is not None:
        parts.append(f"known to be suitable for age {constraints.child}")
    return " and ".join(parts)


def guesses(understood: Understood, ignored: Sequence[Piece]) -> list[str]:
    """Notes on inferred pieces: those used, and those that an explicit piece contradicts."""
    out = []
    inferred: dict[str, list[str]] = {}
    for piece in understood.pieces:
        if not piece.strict and piece not in ignored and piece.kind not in ("title", "tone"):
            inferred.setdefault(piece.words, []).append(_signed(piece))
    for words, values in inferred.items():
        out.append(f"guessed from “{words}”: {', '.join(dict.fromkeys(values))}")
    for piece in ignored:
        out.append(f"“{piece.words}” was not taken as {_signed(piece)}: the text says otherwise")
    return out


def _signed(piece: Piece) -> str:
    return _word(piece) if piece.wanted else f"not {_word(piece)}"


def _word(piece: Piece) -> str:
    """A piece in words."""
    if piece.kind == "years":
        return years(piece.first, piece.last)
    if piece.kind == "audience":
        return piece.value if piece.age is None else f"for age {piece.age}"
    if piece.kind == "person":
        return f"with {piece.value}"
    if piece.kind == "attribute" and piece.attribute:
        return f"{piece.attribute.replace('_', ' ')} {piece.value}"
    return piece.value


def years(first: int | None, last: int | None) -> str:
    """A span of years in words.

    >>> years(1980, 1989), years(None, 1960), years(1999, 1999)
    ('from the 1980s', 'up to 1960', 'from 1999')
    """
    if first is None:
        return f"up to {last}" if last is not None else "of any year"
    if last is None:
        return f"from {first} on"
    if first == last:
        return f"from {first}"
    decade = first % 10 == 0 and last == first + 9
    return f"from the {first}s" if decade else f"from {first} to {last}"
