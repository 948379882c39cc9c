"""Chips: what was understood of a text, one for each thing that a person would name."""

from __future__ import annotations

from collections.abc import Sequence

from coldstart.catalog.known_attributes import STOCK
from coldstart.ranking.wording import readings, zh
from coldstart.schema import Frozen, Piece, Understood
from coldstart.schema.understood import PieceKind
from coldstart.scoring.piece_matches import ADULTS
from coldstart.understanding.audience import MILD

_LEADERS: tuple[PieceKind, ...] = (
    "audience", "title", "tone", "phrase", "type", "price", "years", "person", "term",
    "attribute", "category",
)  # fmt: skip
"""Of several pieces for the same words, the first of these names them."""
_YES = frozenset("yes true y ja oui si 是 有".split())
_BARE = _YES | frozenset("no false n nein non 否 无".split())


class Chip(Frozen):
    """One understood wish or rejection, as a label that can be taken away.

    Args:
        text: the label, in the language of the response.
        wanted: whether it is wanted; otherwise rejected.
        kind: of the piece that it is named after.
        start: first character of its words in the text.
        end: the character after them.
        spans: all words that mean it, as (start, end); without them it is taken back.
        pieces: positions, in ``Understood.pieces``, of all that these words mean.
    """

    text: str
    wanted: bool
    kind: PieceKind
    start: int
    end: int
    spans: tuple[tuple[int, int], ...]
    pieces: tuple[int, ...]


def chips(understood: Understood, language: str = "en") -> tuple[Chip, ...]:
    """Chips of a reading, in the order of its text.

    Pieces that stand for others (the categories of a mood, those that suit a child) have no chip of
    their own; the same thing named twice has one. What a language model read of a text as a whole
    belongs to no words, and has none.

    >>> piece = Piece(kind="category", value="Horror", words="horror", start=3, end=9, wanted=False)
    >>> [(c.text, c.wanted) for c in chips(Understood(text="no horror", pieces=(piece,)))]
    [('Horror', False)]

    Args:
        understood: the reading.
        language: ``en`` or ``zh``.
    """
    spans: dict[tuple[int, int], list[int]] = {}
    for n, piece in enumerate(understood.pieces):
        if piece.source == "rules":
            spans.setdefault((piece.start, piece.end), []).append(n)
    out: dict[tuple[str, bool], Chip] = {}
    for (start, end), numbers in sorted(spans.items()):
        pieces = [understood.pieces[n] for n in numbers]
        pieces = [p for p in pieces if p.value != MILD] or pieces
        kind = next(kind for kind in _LEADERS if any(p.kind == kind for p in pieces))
        leaders = [p for p in pieces if p.kind == kind]
        wanted = any(p.wanted for p in leaders)
        text = _label([p for p in leaders if p.wanted == wanted], understood, language)
        key = text.casefold(), wanted
        if before := out.get(key):
            out[key] = before.model_copy(
                update={
                    "spans": (*before.spans, (start, end)),
                    "pieces": (*before.pieces, *numbers),
                }
            )
        else:
            out[key] = Chip(
                text=text,
                wanted=wanted,
                kind=kind,
                start=start,
                end=end,
                spans=((start, end),),
                pieces=tuple(numbers),
            )
    return tuple(out.values())


def _label(pieces: Sequence[Piece], understood: Understood, language: str) -> str:
    """Name of pieces of one kind and the same words; of several values, the words themselves."""
    names = dict.fromkeys(_name(piece, understood, language) for piece in pieces)
    return next(iter(names)) if len(names) == 1 else pieces[0].words


def _name(piece: Piece, understood: Understood, language: str) -> str:
    if piece.kind == "years":
        return _years(piece, language)
    if piece.kind == "audience":
        return _audience(piece, language)
    if piece.kind == "price":
        return _price(piece, language)
    if piece.kind == "title":
        return understood.titles.get(piece.value, piece.words)
    if piece.kind == "attribute" and piece.attribute not in (None, STOCK):
        return _attribute(piece, language)
    return zh.VALUES.get(piece.value.casefold(), piece.value) if language == "zh" else piece.value


def _years(piece: Piece, language: str) -> str:
    if language == "zh":
        return zh.years(piece.first, piece.last)
    return readings.years(piece.first, piece.last).removeprefix("from ").removeprefix("the ")


def _audience(piece: Piece, language: str) -> str:
    if piece.value == ADULTS:
        return "成年人" if language == "zh" else "for an adult"
    if piece.age is None:
        return piece.value
    return f"{piece.age} 岁" if language == "zh" else f"for age {piece.age}"


def _price(piece: Piece, language: str) -> str:
    """A span of amounts: "≤ 20", "30–50", "a low price"."""
    if piece.low is None and piece.high is None:
        if language == "zh":
            return "便宜" if piece.value == "low" else "高档"
        return readings.price(piece)
    if piece.low is None:
        return f"≤ {piece.high:g}"
    return f"≥ {piece.low:g}" if piece.high is None else f"{piece.low:g}–{piece.high:g}"


def _attribute(piece: Piece, language: str) -> str:
    """The value, with the attribute's name where the value alone says nothing."""
    name = (piece.attribute or "").replace("_", " ")
    if language == "zh":
        name = zh.ATTRIBUTES.get(name.casefold(), name)
    if piece.low is not None or piece.high is not None:
        return f"{name} {_price(piece, language)}"
    if piece.value.casefold() in _BARE:
        return name if piece.value.casefold() in _YES else f"{name}: {piece.value}"
    if piece.value.replace(".", "").isdigit():
        return f"{name} {piece.value}"
    return zh.VALUES.get(piece.value.casefold(), piece.value) if language == "zh" else piece.value
