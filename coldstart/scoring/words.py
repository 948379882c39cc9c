"""Words of requests and items for lexical comparison, in every script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from coldstart.catalog.han import simplified
from coldstart.catalog.scripts import SYLLABIC, script_of
from coldstart.catalog.stems import APOSTROPHES, term
from coldstart.scoring.units import split_amounts

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_VOWELS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0900-\u0963\u0966-\u0dff"  # signs on letters
_RUNS = re.compile(rf"([{_UNSPACED}]+)|((?:(?![{_UNSPACED}])(?:[^\W_]|[{_VOWELS}]))+)")
_SUFFIXES = frozenset("子儿品物件套款型式")  # of Chinese nouns, which tell nothing by themselves
_SHORT = 2  # characters of a run that may have one of them in common
_FEWEST = 4  # letters of a part of a text without spaces, such as Thai, that is worth showing
_ASCII = re.compile(r"[A-Za-z0-9]+")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def ending(text: str, size: int) -> str:
    """The last characters of a text, from the start of a word: a conversation's latest part.

    >>> ending("Hi! I want something gentle", 16)
    'something gentle'
    """
    if len(text) <= size:
        return text
    cut = text[-size:]
    at_word = text[-size - 1].isspace()
    return (cut if at_word else cut.partition(" ")[2] or cut).strip()


def terms(text: str, *, characters: bool = False, language: str = "en") -> list[str]:
    """Terms of a text in order, with repeats; without words that carry no content.

    Words in alphabets are casefolded and stemmed, those in Latin letters as of one language;
    Chinese, Japanese, Thai and other scripts without spaces give pairs of characters, traditional
    ones simplified. An amount is one term, however it is written.

    Args:
        text: of a request or an item.
        characters: whether Chinese characters are terms by themselves, too: many nouns are one
            ("鞋", "锅"), and others end with it ("运动鞋").
        language: of words in Latin letters; see ``stems``.

    >>> terms("I want to watch funny Westerns!"), terms("恐怖电影")
    (['funni', 'western'], ['恐怖', '怖电', '电影'])
    >>> terms("flour, 5 kg") == terms("flour 5KG"), terms("42碼鞋", characters=True)
    (True, ['42码', '42', '鞋'])
    """
    if text.isascii():
        return _ascii_terms(text, language)
    out: list[str] = []
    for unspaced, word in _runs(text):
        if unspaced:
            pairs = [term(pair) for pair in _pairs(unspaced)]
            out += filter(None, pairs)
            if characters and len(unspaced) > 1:
                stopped = [True, *(not pair for pair in pairs), True]
                told = (
                    c
                    for n, c in enumerate(unspaced)
                    if c not in _SUFFIXES and not _within(stopped, n)
                )
                out += filter(None, map(term, _HAN.findall("".join(told))))
        elif one := term(word, language):
            out.append(one)
    return out


def shared_words(asked: str, text: str, known: str, language: str = "en") -> list[str]:
    """Words of one text that another has, as they are written in the first, each once.

    Of scripts without spaces, the longest runs of at least two characters; of a very short request
    also Chinese characters by themselves.

    Args:
        asked: a request.
        text: of an item.
        known: words of it that are left out.
        language: of words in Latin letters.

    >>> shared_words("我想要適合跑步的鞋", "轻便跑鞋，每天跑步", "")
    ['跑步']
    """
    has = set(terms(text, characters=True, language=language))
    left_out = set(terms(known, characters=True, language=language))
    folded = simplified(_normal(text))
    out: dict[str, str] = {}
    for unspaced, word in _runs(asked, fold=False):
        if not unspaced:
            found = term(word, language)
            if found in has - left_out:
                out.setdefault(found, word)
            continue
        for run in _common(simplified(unspaced), folded):
            if len(run) == 1 and len(unspaced) > _SHORT:
                continue  # any part of a word
            start = simplified(unspaced).index(run)
            of_it = set(terms(run, characters=len(run) == 1))
            if of_it - left_out:
                out.setdefault(run, unspaced[start : start + len(run)])
    return list(out.values())


def _ascii_terms(text: str, language: str) -> list[str]:
    """``terms`` of a text in ASCII, as most words of large catalogs are, in a third of the time."""
    out: list[str] = []
    for part, amount in split_amounts(APOSTROPHES.sub("", text)):
        out += [one for word in _ASCII.findall(part) if (one := term(word, language))]
        out += [one for word in amount if (one := term(word, language))]
    return out


def _within(stopped: Sequence[bool], n: int) -> bool:
    """Whether a character is a part of a stop word of two characters."""
    before, after = n > 0 and stopped[n], n + 2 < len(stopped) and stopped[n + 1]
    return before or after


def _common(run: str, text: str) -> Iterator[str]:
    """The longest parts of a run that a text has, from left to right."""
    at = 0
    while at < len(run):
        size = 0
        while at + size < len(run) and run[at : at + size + 1] in text:
            size += 1
        least = 1 if _HAN.match(run[at]) else 2 if script_of(run[at]) in SYLLABIC else _FEWEST
        if size >= least:
            yield run[at : at + size]
        at += size or 1


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _runs(text: str, *, fold: bool = True) -> Iterator[tuple[str, str]]:
    """Runs of characters without spaces between words, words of alphabets, amounts; in order."""
    text = _normal(text)
    if fold:
        text = simplified(text)
    for part, amount in split_amounts(APOSTROPHES.sub("", text)):
        if part.isascii():
            yield from (("", word) for word in _ASCII.findall(part))
        else:
            yield from _RUNS.findall(part)
        yield from (("", one) for one in amount)


def _pairs(unspaced: str) -> list[str]:
    return [unspaced[n : n + 2] for n in range(len(unspaced) - 1)] or [unspaced]
