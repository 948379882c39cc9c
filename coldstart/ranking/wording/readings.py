"""Readings of a request in words: what was demanded and what was guessed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from coldstart.catalog.known_attributes import FOREIGN, LANGUAGE, STOCK
from coldstart.scoring.piece_matches import ADULTS
from coldstart.scoring.wishes import NO_FACTS
from coldstart.understanding.audience import MILD

if TYPE_CHECKING:
    from coldstart.schema import Piece, Understood


def demand(
    wished: Sequence[Sequence[Piece]], child: int | None = None, *, things: bool = False
) -> str:
    """Explicit wishes that order a list, as in "Western and suitable for age 5"; may be empty.

    Args:
        wished: groups of alternatives.
        child: age of a child in the audience, to be named.
        things: whether this continues the name of a thing: "for age 5".
    """
    parts = [" or ".join(_names(group)) for group in wished]
    known = "" if child is None else f"{'' if things else 'known to be suitable '}for age {child}"
    if things and parts and known:
        return f"{' and '.join(parts)} {known}"
    return " and ".join([*parts, *([known] if known else [])])


def guesses(understood: Understood, ignored: Sequence[Piece]) -> list[str]:
    """Notes on inferred pieces: those used, and those that an explicit piece contradicts."""
    out = []
    inferred: dict[str, list[str]] = {}
    stated = {(p.start, p.end) for p in understood.pieces if p.strict and p.kind != "audience"}
    for piece in understood.pieces:
        if (piece.start, piece.end) in stated:
            continue  # a preference among what fulfils a stated wish
        if piece.kind == "term" and piece.value.casefold() in (
            word := piece.words.casefold(),
            f"{word}-free",
        ):
            continue  # the word itself
        if not piece.strict and piece not in ignored and piece.kind not in NO_FACTS:
            inferred.setdefault(piece.words, []).append(_guess(piece, understood))
    for words, values in inferred.items():
        out.append(f"guessed from “{words}”: {_told(dict.fromkeys(values))}")
    for piece in ignored:
        out.append(f"“{piece.words}” was not taken as {_signed(piece)}: the text says otherwise")
    return out


def _told(values: Iterable[str]) -> str:
    """Guesses as a list, such as "Comedy, Romance; not Horror, War"."""
    values = list(values)
    wanted = [value for value in values if not value.startswith("not ")]
    rejected = [value.removeprefix("not ") for value in values if value.startswith("not ")]
    return "; ".join(
        [", ".join(wanted)] * bool(wanted) + [f"not {', '.join(rejected)}"] * bool(rejected)
    )


def _guess(piece: Piece, understood: Understood) -> str:
    """An inferred piece; of products a category that is not meant comes last, not never."""
    of_products = any(p.kind in ("term", "type") or p.value == ADULTS for p in understood.pieces)
    if not of_products or piece.kind != "category":
        return _signed(piece)
    return f"“{piece.value}”{'' if piece.wanted else ' last'}"


def _signed(piece: Piece) -> str:
    return _word(piece) if piece.wanted else f"not {_word(piece)}"


def _names(group: Sequence[Piece]) -> list[str]:
    """Alternatives in words, each once; of several for the same words, the words themselves."""
    words = [p.words for p in group]
    named = (f"“{p.words}”" if words.count(p.words) > 1 else _word(p) for p in group)
    return list(dict.fromkeys(named))


def _word(piece: Piece) -> str:
    """A piece in words."""
    if piece.kind == "years":
        return years(piece.first, piece.last)
    if piece.kind == "audience":
        if piece.value == ADULTS:
            return "for an adult"
        if piece.age is None:
            return piece.value
        return f"{'suitable ' if piece.value == MILD else ''}for age {piece.age}"
    if piece.kind == "person":
        return f"with {piece.value}"
    if piece.kind == "price":
        return price(piece)
    if piece.kind == "term":
        return f"“{piece.value}”"
    if piece.kind == "attribute" and piece.attribute:
        if piece.attribute == STOCK:
            return piece.value
        if piece.attribute in (LANGUAGE, FOREIGN):
            return f"in {piece.value}" if piece.attribute == LANGUAGE else f"in a {piece.value}"
        if piece.low is not None or piece.high is not None:
            return f"{price(piece)} {piece.attribute.replace('_', ' ')}"
        return f"{piece.attribute.replace('_', ' ')} {piece.value}"
    return piece.value


def price(piece: Piece) -> str:
    """A span of prices in words: "at most 20", "30 to 50", "a low price"."""
    if piece.low is None and piece.high is None:
        return "a low price" if piece.value == "low" else "a high price"
    if piece.low is None:
        return f"at most {piece.high:g}"
    return f"at least {piece.low:g}" if piece.high is None else f"{piece.low:g} to {piece.high:g}"


def years(first: int | None, last: int | None) -> str:
    """A span of years in words.

    >>> years(1980, 1989), years(None, 1960), years(None, 1959)
    ('from the 1980s', 'up to 1960', 'from before 1960')
    """
    if first is None:
        if last is None:
            return "of any year"
        return f"from before {last + 1}" if last % 10 == 9 else f"up to {last}"
    if last is None:
        return f"from {first} on"
    if first == last:
        return f"from {first}"
    decade = first % 10 == 0 and last == first + 9
    return f"from the {first}s" if decade else f"from {first} to {last}"
