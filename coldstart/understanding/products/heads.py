"""Head nouns: what a title or a category says that a thing is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from coldstart.catalog.han import simplified
from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.products.forms import HAN, stem

_SEGMENT = re.compile(r"\s*[,;(\[|:/]\s*|\s+[-–—•]\s+")
_CUT = re.compile(
    r"\s+(?:for|with|in|from|without|by|to|on|at|made|that|plus|incl|including|w|as|à|für|mit|made)\b.*",
    re.I,
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
PARTS = re.compile(r"\s*(?:[&/,>|+]|\band\b|\bund\b|、|和|与)\s*", re.I)
"""What separates the names in a category."""
_HAN_RUN = re.compile(f"[{HAN}]{{2,}}")
_HAN_TITLE = re.compile(rf"(?<![\d.])(?:[{HAN}]|[A-Za-z])*[{HAN}](?:[{HAN}]|[A-Za-z])+")
_HAN_AFTER = re.compile(
    r"(?:套装|套裝|礼盒|禮盒|组合|組合|礼包|家庭装|旅行装|补充装|女款|男款|儿童款|成人款|升级版|豪华版|经典款|新款|系列"
    r"|[一二两三四五六七八九十百]+(?:双|件|个|支|只|块|条|瓶|盒|本|套|对|片|把|张|枚|包|色|道)(?:装|套|裝)?"
    r"|(?<=.)(?:男|女)$)$"
)
_NON = re.compile(r"\bnon[\s-]+", re.I)
_SIZE = re.compile(r"\d")


class TitlePhrase(NamedTuple):
    """A noun phrase of a title: its head nouns, and its words, as stems."""

    heads: tuple[str, ...]
    words: tuple[str, ...]


@lru_cache(maxsize=1 << 16)
def title_phrases(title: str) -> tuple[TitlePhrase, ...]:
    """Noun phrases of a title, the first one first.

    >>> [p.heads for p in title_phrases("Set of 6 Wine Glasses, hand-blown")]
    [('glass',), ('blown',)]
    """
    title = simplified(unicodedata.normalize("NFKC", title))
    if _HAN_RUN.search(title):
        return tuple(_han_phrases(title))
    out = []
    for segment in _SEGMENT.split(title):
        phrase = _phrase(segment)
        if phrase is not None:
            out.append(phrase)
    return tuple(out)


def title_heads(title: str) -> tuple[str, ...]:
    """Head nouns of a title: of its first noun phrase, or of every run of Chinese characters.

    >>> title_heads("Sandal, brown leather")
    ('sandal',)
    """
    phrases = title_phrases(title)
    first = phrases if _HAN_RUN.search(title) else phrases[:1]
    return tuple(head for phrase in first for head in phrase.heads)


def title_ending(title: str) -> tuple[str, ...]:
    """The last two stems of a title's first noun phrase; empty for shorter or Chinese ones.

    >>> title_ending("Red Wine Rioja, 750 ml")
    ('wine', 'rioja')
    """
    phrases = title_phrases(title)
    words = phrases[0].words if phrases and not _HAN_RUN.search(title) else ()
    return words[-2:] if len(words) > 1 else ()


def category_parts(category: str) -> tuple[tuple[str, ...], ...]:
    """Words of each name in a category, as stems: "Toys & Games" has two.

    >>> category_parts("Board Games & Puzzles")
    (('board', 'game'), ('puzzl',))
    """
    out = []
    for part in PARTS.split(category):
        words = tuple(stem(w) for w in _WORD.findall(_NON.sub("non", part)))
        if words:
            out.append((part.strip(),) if _HAN_RUN.search(part) else words)
    return tuple(out)


def _phrase(segment: str) -> TitlePhrase | None:
    plain = _CUT.sub("", segment.strip())
    container, of, rest = plain.partition(" of ")
    if of and _stems(container) and _stems(container)[-1] in _containers():
        plain = rest
    else:
        plain = container
    tokens = [w for w in _WORD.findall(plain)]
    while len(tokens) > 1:
        if len(tokens) > 2 and _SIZE.search(tokens[-2]):  # "12 kg"
            tokens.pop()
        elif not _SIZE.search(tokens[-1]) and tokens[-1].casefold() not in _suffixes():
            break
        tokens.pop()
    words = [stem(t) for t in tokens if not _SIZE.search(t)]
    if not words:
        return None
    heads = [words[-1]]
    if words[-1] in _containers() and len(words) > 1:
        heads.append(words[-2])
    if "and" in words[1:-1]:
        left = words[: words.index("and")]
        if len(left) > 1:
            heads.append(left[-1])
    return TitlePhrase(tuple(heads), tuple(words))


def _han_phrases(title: str) -> Iterator[TitlePhrase]:
    """Of Chinese, runs of characters: the head is the end of one."""
    for run in _HAN_TITLE.findall(title):
        bare = run.casefold()
        while (cut := _HAN_AFTER.sub("", bare)) != bare and len(cut) > 1:
            bare = cut
        yield TitlePhrase((bare,), tuple(bare))


def _stems(text: str) -> list[str]:
    return [stem(w) for w in _WORD.findall(text)]


@lru_cache(maxsize=1)
def _containers() -> frozenset[str]:
    return frozenset(stem(w) for w in raw_lexicon("products-en")["words"]["container"].split())


@lru_cache(maxsize=1)
def _suffixes() -> frozenset[str]:
    return frozenset(raw_lexicon("products-en")["words"]["suffix"].split())
