"""Self-corrections in a request: "a tent, no wait, a hammock" asks for a hammock."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coldstart.schema import Piece, Understood

Span = tuple[int, int]

_SOFT = r"(?:actually|rather|sorry|well|oh|er+m?|u+m+|h+m+|oops|better|instead|i\s+mean(?:t)?)"
_MARK = (
    r"(?:(?:or|oh|but|and|hm+)[,.]?\s+)?(?:no+[,.…]*\s+wait"
    r"|(?<!can['’]t\s)(?<!cant\s)(?<!cannot\s)wait[,.…]*\s+no(?!\w)"
    r"|(?:on|upon)\s+second\s+thoughts?"
    r"|(?<!to\s)(?:scratch|strike)\s+that|i(?:['’]ve)?\s+changed\s+my\s+mind"
    r"|forget\s+(?:that|it|what\s+i\s+(?:just\s+)?said)(?=\s*[,.;:!…—–-])"
    r"|(?:sorry|oops|er+m?|u+m+)[,.…]*\s+i\s+mean(?:t)?|i\s+meant"
    r"|actually[,.]?\s+(?:no(?=\s*[,.;:!…—–-])|rather|better|make\s+(?:it|that)))"
    r"|or\s+rather|(?:or|oh)[,.]?\s+no(?=\s*[,;:!…—–-])|(?<=[,.;…—–-]\s)make\s+that(?=\s+an?\s)"
)
_GAP = r"[\s,.;:!…—–-]{1,6}"
_ENGLISH = re.compile(
    rf"(?<!\w)(?:{_SOFT}{_GAP}){{0,3}}(?:{_MARK})(?!\w)(?:{_GAP}(?:{_SOFT}|{_MARK})(?!\w)){{0,4}}",
    re.I,
)
_CHINESE = re.compile(
    r"(?:(?:[哦噢啊诶呃]?(?<!对)不对(?!称|等|应(?!该))|(?<!就)算了"
    r"|说错了|口误|我?改主意了|我是说)"
    r"[，,。.！!…\s]{0,4}(?:应该是|我?还是|不如|要不|换成|改成|改为)?"
    r"|(?<=[，,。；;])还是(?=[^，,。；;？?]{0,40}吧))"
)
_OPENS = re.compile(r"\s*[,.;:!…—–，。；！-]|\s+(?:not|no|actually|rather|i)\b", re.I)
_BETWEEN = " \n\t,.;:!…—–-，。；！"
_THING = re.compile(r"(?:just|only|maybe|simply|\s)*\b(?:an?|some)\s(?!.*\bones?\b)", re.I)
_ONE = frozenset({"years", "audience", "price"})  # of these a correction names the whole
_THINGS = frozenset({"type", "term", "attribute", "category"})


def corrected_parts(text: str) -> list[Span]:
    """Stretches of a text between its self-corrections; one for a text without any.

    A correction at the beginning corrects nothing here, and is left out.

    >>> text = "a tent, no wait, actually a hammock"
    >>> [text[start:end] for start, end in corrected_parts(text)]
    ['a tent', 'a hammock']
    """
    out: list[Span] = []
    start = 0
    found = sorted((*_ENGLISH.finditer(text), *_CHINESE.finditer(text)), key=lambda m: m.start())
    for m in found:
        before, after = text[start : m.start()].rstrip(_BETWEEN), text[m.end() :].lstrip(_BETWEEN)
        opens = not _has_words(before)
        if not _has_words(after) or (opens and (out or not _OPENS.match(text, m.end()))):
            continue
        if not opens:
            out.append((start, start + len(before)))
        start = len(text) - len(after)  # "no wait, not shoes" corrects what was typed before
    return [*out, (start, len(text))]


def corrected(text: str, parts: Sequence[tuple[int, Understood]]) -> Understood:
    """One reading of a text from those of its parts, each of which corrects what stands before it.

    A thing that is named replaces the thing before with its qualities; a quality replaces the
    qualities; a price, an audience and years replace their likes; wanting what was rejected, or the
    other way round, replaces that. Everything else stays: "a red kettle under 30 euros, no wait,
    under 50" is a red kettle.

    Args:
        text: the whole text.
        parts: (first character, reading) of each part, in order.
    """
    pieces: list[Piece] = []
    wanted: list[str] = []
    for start, reading in parts:
        groups = max((p.group for p in pieces), default=0)
        new = [
            p.model_copy(
                update={"start": p.start + start, "end": p.end + start, "group": p.group + groups}
            )
            for p in reading.pieces
        ]
        kept = [p for p in pieces if not _taken_back(p, new, reading, pieces)]
        people = {(p.start, p.end) for p in pieces if p.kind == "audience" and p not in kept}
        kept = [p for p in kept if (p.start, p.end) not in people]  # nor what children imply
        gone = [p.words for p in pieces if p.wanted and p not in kept]
        pieces = [*kept, *new]
        left = any(p.wanted and p.kind not in _ONE for p in kept)
        wanted = [_without(part, gone) for part in wanted] if left or not gone else []
        wanted.append(reading.wanted_text)
    return Understood(
        text=text,
        language=next((r.language for _, r in reversed(parts) if r.language), ""),
        pieces=tuple(pieces),
        wanted_text=", ".join(part for part in wanted if part),
        titles={k: v for _, r in parts for k, v in r.titles.items()},
        spelled={k: v for _, r in parts for k, v in r.spelled.items()},
    )


def _taken_back(
    old: Piece, new: Sequence[Piece], reading: Understood, before: Sequence[Piece]
) -> bool:
    """Whether a piece is replaced by a correction.

    Args:
        old: the piece.
        new: pieces of the correction.
        reading: of the correction.
        before: all pieces that stand before it.
    """
    people = {(p.start, p.end) for p in new if p.kind == "audience"}
    wishes = [p for p in new if p.wanted and (p.start, p.end) not in people]
    if any(_opposite(old, p) for p in new):
        return True
    if not old.wanted:
        return False
    if old.kind in _ONE:
        return any(p.kind == old.kind and p.wanted for p in new)
    if old.kind not in _THINGS:
        return any(p.kind == old.kind for p in wishes)
    if any(p.kind == "type" for p in wishes):
        return True
    if _THING.match(reading.text) or not new and reading.wanted_text:
        return True  # something that the catalog does not know
    thing = {(p.start, p.end) for p in before if p.kind == "type" and p.wanted}
    return any(p.kind in _THINGS for p in wishes) and (old.start, old.end) not in thing


def _opposite(old: Piece, new: Piece) -> bool:
    """Whether one is wanted and the other rejected, and both are the same thing or its name."""
    if old.wanted == new.wanted or old.kind in _ONE:
        return False
    if old.kind == new.kind and old.attribute == new.attribute:
        return old.value.casefold() == new.value.casefold()
    both = old.kind in _THINGS and new.kind in _THINGS and old.kind != "type"
    return both and old.words.casefold() == new.words.casefold()


def _without(text: str, words: Sequence[str]) -> str:
    """A text without some stretches of it."""
    for part in dict.fromkeys(words):
        text = re.sub(
            rf"(?<!\w){re.escape(part)}(?!\w)" if part.isascii() else re.escape(part), " ", text
        )
    return " ".join(text.split())


def _has_words(text: str) -> bool:
    return any(c.isalnum() for c in text)
