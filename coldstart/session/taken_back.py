"""Parts of a text that the user took back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coldstart.schema import Understood
from coldstart.scoring.words import terms

Spans = Sequence[tuple[int, int]]

_ENDS = " ,;:.!?-–—，、；：。！？"
_JOINING = frozenset(
    "and or but with without for in on of a an the to that is are some any not no nor from by about"
    " 和 或 但 与 跟 及".split()
)


def left_of(text: str, without: Spans) -> str:
    """A text with blanks in the place of some parts, so that positions stay; empty if all are.

    >>> left_of("gentle, no war", [(8, 14)]), left_of("war", [(0, 3)])
    ('gentle,       ', '')
    """
    out = text
    for start, end in without:
        out = out[:start] + " " * (end - start) + out[end:]
    return out if out.strip(_ENDS) else ""


def less(understood: Understood, without: Spans) -> Understood:
    """A reading without some parts of its text; positions of the rest stay.

    The pieces of these words go, and the words leave what encoders and models read. A text of which
    no word of content is left says nothing.

    Args:
        understood: the reading of the whole text.
        without: parts of its text, as (start, end).
    """
    if not without:
        return understood
    kept = tuple(
        piece
        for piece in understood.pieces
        if not any(piece.start < end and start < piece.end for start, end in without)
    )
    wanted = understood.wanted_text
    for start, end in without:
        wanted = _cut(wanted, understood.text[start:end])
    text = left_of(understood.text, without)
    if not kept and not terms(text):
        return Understood()
    update = {"pieces": kept, "text": text, "wanted_text": wanted if terms(wanted) else ""}
    return understood.model_copy(update=update)


def _cut(text: str, part: str) -> str:
    """A text without the first occurrence of a part, nor what joined it to the rest."""
    at = text.casefold().find(part.casefold())
    if at < 0 or not part.strip():
        return text
    before, after = text[:at].rstrip(_ENDS), text[at + len(part) :].lstrip(_ENDS)
    words = before.split()
    while words and words[-1].casefold() in _JOINING:
        words.pop()
    following = after.split()
    while not words and following and following[0].casefold() in _JOINING:
        following.pop(0)
    return re.sub(r"\s+", " ", " ".join([*words, *following]))
