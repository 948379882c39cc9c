"""Parts of a text that no rule understood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from coldstart.catalog.stems import term
from coldstart.schema import Understood
from coldstart.serve.reports.anonymize import Span

_HAN = r"\u3400-\u9fff"
_WORDS = re.compile(rf"[^\W\d_{_HAN}]+(?:['’-][^\W\d_{_HAN}]+)*|[{_HAN}]+|[^\w\s]|\d+")
_MOST_WORDS = 5
_FUNCTION_ZH = re.compile(
    "我想要|我想买|我要买|我想看|我想找|有没有|能不能|可不可以|我想|想要|想买|想看|想找|要买|我要|需要"
    "|推荐|推薦|给我|給我|买给|送给|送給|适合|合适|一些|一点|一個|一个|一部|一款|一双|一件|一本|什么|甚麼"
    "|请问|請問|谢谢|謝謝|有点|比较|可以|就是|但是|不过|而且|因为|所以|如果|的时候|时候|今晚|今天|最好|不要"
    "|不想|电影|片子|东西|不(?!锈|鏽)|[的了吗呢吧啊呀和跟与在是有没我你他她它们这那很也都就给个点些买看找要想用来去能]"
)
"""Words of asking and grammar, which are no part of what is asked for."""
_CONTRACTED = re.compile(r"['’](?:d|ll|m|re|s|ve)$")
_FEWEST_HAN, _MOST_HAN = 2, 12
_ASKING = frozenset(
    """avoid birthday buy could eight eleven enough every except first five four get gets getting
    gift gifts goes going got instead keep keeps likes loves made make makes max mood new
    nine nothing one ones possible present presents search sell seven six start sth still
    ten three time tonight turned turning turns twelve two wants wish without
    """.split()
)
"""Words of asking, and small numbers, that lists of stop words lack."""


def unread_spans(read: Understood) -> list[Span]:
    """Spans of what no rule understood: runs of content words between pieces.

    A run ends at a piece, at a word of grammar or of asking (``catalog.stems.term``), at a number,
    and at punctuation.

    Args:
        read: the reading of a text.

    Returns:
        (start, end) in ``read.text``, in order.
    """
    pieces = [(p.start, p.end) for p in read.pieces if p.source == "rules"]
    return [span for run in _runs(read.text, pieces) for span in _cut(read.text, run)]


def key_of(part: str) -> str:
    """What equal parts share: the stems of their words."""
    found = (term(w) or w.lower() for w in _WORDS.findall(part))
    return " ".join(found)


def _runs(text: str, pieces: Sequence[Span]) -> Iterator[list[Span]]:
    """Neighbouring content words outside of all pieces."""
    run: list[Span] = []
    for match in _WORDS.finditer(text):
        start, end = match.span()
        inside = any(a < end and start < b for a, b in pieces)
        if "\u3400" <= match[0][0] <= "\u9fff":
            if run:
                yield run
            run = []
            yield from ([span] for span in _outside(start, end, pieces))
            continue
        if inside or not _is_content(match[0]):
            if run:
                yield run
            run = []
        else:
            run.append((start, end))
    if run:
        yield run


def _is_content(word: str) -> bool:
    bare = _CONTRACTED.sub("", word.lower())
    if not bare[:1].isalpha() or bare in _ASKING or term(bare) == "":
        return False
    return term(word) != "" and not word.lower().replace("’", "'").endswith("n't")


def _outside(start: int, end: int, pieces: Sequence[Span]) -> Iterator[Span]:
    """Parts of a span that no piece covers."""
    for a, b in sorted(pieces):
        if a < end and start < b:
            if start < a:
                yield start, a
            start = max(start, b)
    if start < end:
        yield start, end


def _cut(text: str, run: Sequence[Span]) -> Iterator[Span]:
    start, end = run[0][0], run[-1][1]
    if not "\u3400" <= text[start] <= "\u9fff":
        for at in range(0, len(run), _MOST_WORDS):
            some = run[at : at + _MOST_WORDS]
            yield some[0][0], some[-1][1]
        return
    for match in [*_FUNCTION_ZH.finditer(text, start, end), None]:
        stop = match.start() if match else end
        if stop - start >= _FEWEST_HAN:
            yield start, min(stop, start + _MOST_HAN)
        start = match.end() if match else end
