"""Summary of a reading in one sentence, for the user to check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from coldstart.catalog.known_attributes import MINUTES
from coldstart.schema import Piece, Understood
from coldstart.understanding.audience import MILD

_EN: dict[str, Any] = {
    "empty": "Nothing was said yet.",
    "nothing": (
        "None of these words is a category, a title, a mood or a time that this catalog knows; "
        "the text is only compared with descriptions."
    ),
    "start": "Understood: ",
    "end": ".",
    "item": ", ",
    "or": " or ",
    "part": "; ",
    "colon": ": ",
    "wanted": "wanted",
    "rejected": "not wanted",
    "liked": "liked",
    "disliked": "not liked",
    "years": "years",
    "audience": "for an audience from age",
    "adult": "for an adult",
    "price": "price",
    "prices": {"low": "low", "high": "high"},
    "unread": "the last {n} characters were not read",
    "no years": "not {}",
    "minutes": "{} minutes",
}
_ZH: dict[str, Any] = {
    "empty": "还没有说什么。",
    "nothing": "这些词里没有本目录认识的类别、片名、情绪或年代；只把文字与简介相比较。",
    "start": "已理解：",
    "end": "。",
    "item": "、",
    "or": "或",
    "part": "；",
    "colon": "：",
    "wanted": "想要",
    "rejected": "不要",
    "liked": "喜欢",
    "disliked": "不喜欢",
    "years": "年代",
    "audience": "年龄",
    "adult": "送给成年人",
    "price": "价格",
    "prices": {"low": "便宜", "high": "高档"},
    "unread": "最后{n}个字符未读",
    "no years": "不要{}",
    "minutes": "{} 分钟",
}
_TOPICS = ("category", "person", "attribute", "tone", "term", "type", "phrase")


def summary(understood: Understood, language: str = "en") -> str:
    """One sentence that tells what was read.

    Args:
        understood: the reading.
        language: ``zh`` for Chinese; otherwise English.
    """
    say = _ZH if language.startswith("zh") else _EN
    if not understood.text:
        return str(say["empty"])
    parts = _parts(understood, say)
    if understood.unread:
        parts.append(say["unread"].format(n=understood.unread))
    if understood.nothing:
        return " ".join([say["nothing"], *(f"({p})" for p in parts)])
    return f"{say['start']}{say['part'].join(parts)}{say['end']}"


def _parts(understood: Understood, say: dict[str, Any]) -> list[str]:
    pieces = _as_said(understood.pieces)
    titles = understood.titles
    years = [p.value for p in pieces if p.kind == "years" and p.wanted]
    years += [say["no years"].format(p.value) for p in pieces if p.kind == "years" and not p.wanted]
    listed = (
        ("wanted", _wishes(pieces, say)),
        ("rejected", _told(pieces, lambda p: p.kind in _TOPICS and not p.wanted)),
        ("liked", [titles.get(i, i) for i in understood.liked]),
        ("disliked", [titles.get(i, i) for i in understood.disliked]),
        ("years", list(dict.fromkeys(years))),
        ("audience", _told(pieces, lambda p: _is_audience(p) and p.value != "adult")),
        ("price", _prices(pieces, say)),
    )
    out = [f"{say[what]}{say['colon']}{say['item'].join(v)}" for what, v in listed if v]
    return out + [say["adult"]] * any(_is_audience(p) and p.value == "adult" for p in pieces)


def _as_said(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without the values that the same words stand for beside themselves.

    Nor what a person implies: "for my son" rejects what is for pets.
    """
    words = {(p.start, p.end) for p in pieces if p.kind in ("term", "type", "phrase")}
    people = {(p.start, p.end) for p in pieces if _is_audience(p) and p.value != MILD}
    beside = ("category", "attribute")
    return [
        p
        for p in pieces
        if not (p.kind in beside and (p.start, p.end) in words)
        and not (p.kind == "category" and not p.wanted and (p.start, p.end) in people)
        and not (p.kind == "audience" and p.value == MILD)
    ]


def _is_audience(piece: Piece) -> bool:
    return piece.kind == "audience" and piece.wanted


def _prices(pieces: Iterable[Piece], say: dict[str, Any]) -> list[str]:
    """Spans of prices, as "≤ 20" and "30–50"; low and high ones in words."""
    out = []
    for piece in pieces:
        if piece.kind == "price" and piece.low is None and piece.high is None:
            out.append(say["prices"][piece.value])
        elif piece.kind == "price" and piece.low is None:
            out.append(f"≤ {piece.high:g}")
        elif piece.kind == "price":
            high = "" if piece.high is None else f"–{piece.high:g}"
            out.append(f"{piece.low:g}{high}" if high else f"≥ {piece.low:g}")
    return list(dict.fromkeys(out))


def _wishes(pieces: Iterable[Piece], say: dict[str, Any]) -> list[str]:
    """Wanted values; alternatives of one group joined; of a mood or an audience, its name alone."""
    groups: dict[object, list[str]] = {}
    whole = {(p.start, p.end) for p in pieces if p.kind in ("tone", "audience")}
    for piece in pieces:
        if piece.wanted and piece.kind in _TOPICS:
            if piece.kind != "tone" and (piece.start, piece.end) in whole:
                continue
            key = ("tone", piece.value) if piece.kind == "tone" else piece.group
            groups.setdefault(key, []).append(_named(piece, say))
    return list(dict.fromkeys(say["or"].join(dict.fromkeys(v)) for v in groups.values()))


def _named(piece: Piece, say: dict[str, Any]) -> str:
    """The value of a piece; limits on running times in the language of the summary."""
    if piece.attribute != MINUTES or (piece.low is None and piece.high is None):
        return piece.value
    low, high = (x and f"{x:g}" for x in (piece.low, piece.high))
    return str(
        say["minutes"].format(f"≤ {high}" if not low else f"{low}–{high}" if high else f"≥ {low}")
    )


def _told(pieces: Iterable[Piece], wanted: Callable[[Piece], bool]) -> list[str]:
    """Values of some pieces; of a mood or an audience, its name alone."""
    pieces = tuple(pieces)
    whole = {(p.start, p.end) for p in pieces if p.kind in ("tone", "audience")}
    found = (
        p.value
        for p in pieces
        if wanted(p) and (p.kind in ("tone", "audience") or (p.start, p.end) not in whole)
    )
    return list(dict.fromkeys(found))
