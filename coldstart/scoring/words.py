"""Words of requests and items for lexical comparison, in every script."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from coldstart.catalog.titles import clean_text
from coldstart.scoring.stated import request_text

if TYPE_CHECKING:
    from coldstart.profile.resolve import ResolvedProfile

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_VOWELS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0900-\u0963\u0966-\u0dff"  # signs on letters
_RUNS = re.compile(rf"([{_UNSPACED}]+)|((?:(?![{_UNSPACED}])(?:[^\W_]|[{_VOWELS}]))+)")
_ASCII = re.compile(r"[A-Za-z0-9]+")
_APOSTROPHES = re.compile(r"['’ʼ`´]s\b|(?<=\w)['’ʼ`´](?=\w)")
_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_CHAT = frozenset(
    """anything awesome bye cool day dont enjoy enjoyed film films find give good great haven heard
    hello help hey hi hope id ill im ive kind know let like liked lol look looking love loved maybe
    movie movies need nice ok okay one please prefer really recommend recommendation recommendations
    recommended saw see seeing seen show something sort suggest suggested suggestion suggestions
    sure tell thank thanks thats thing things think try type want wanted watch watched watching well
    would yeah yes""".split()
)
"""Words of asking and answering, which tell nothing of what is asked for."""


def asked_text(user: ResolvedProfile) -> str:
    """What a request asks for: interests and free text, without rejected clauses where it was read.

    Returns:
        Cleaned text, empty if there is none.
    """
    read, profile = user.understood, user.profile
    if read.text or read.pieces:
        others = [i for i in profile.interests if i.casefold() not in read.text.casefold()]
        return clean_text(". ".join(x for x in (*others, read.wanted_text) if x))
    return request_text(user)


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


def terms(text: str) -> list[str]:
    """Terms of a text in order, with repeats; without words that carry no content.

    Words in alphabets are casefolded and stemmed as English; Chinese, Japanese, Thai and other
    scripts without spaces give pairs of characters.

    >>> terms("I want to watch funny Westerns!"), terms("恐怖电影")
    (['funni', 'western'], ['恐怖', '怖电', '电影'])
    """
    out: list[str] = []
    for unspaced, word in _runs(text):
        if unspaced:
            out += filter(_term, _pairs(unspaced))
        elif term := _term(word):
            out.append(term)
    return out


def spelled_terms(text: str) -> dict[str, str]:
    """Each different term of a text, with its first word as it was written."""
    out: dict[str, str] = {}
    for unspaced, word in _runs(text):
        for piece in _pairs(unspaced) if unspaced else [word]:
            if term := _term(piece):
                out.setdefault(term, piece)
    return out


def _runs(text: str) -> list[tuple[str, str]]:
    """Runs of characters without spaces between words, and words of alphabets, in order."""
    if text.isascii():
        return [("", word) for word in _ASCII.findall(_APOSTROPHES.sub("", text))]
    return _RUNS.findall(_APOSTROPHES.sub("", unicodedata.normalize("NFKC", text)))


def _pairs(unspaced: str) -> list[str]:
    return [unspaced[n : n + 2] for n in range(len(unspaced) - 1)] or [unspaced]


@lru_cache(maxsize=1 << 17)
def _term(word: str) -> str:
    """The term that a word, or a pair of characters, stands for; empty for stop words."""
    if word.isascii():
        folded = word.lower()
    else:
        bare = _MARKS.sub("", unicodedata.normalize("NFKD", word.casefold()))
        folded = unicodedata.normalize("NFKC", bare)
    if folded in _stop_words():
        return ""
    if not folded.isascii() or not folded.isalpha() or len(folded) > _LONGEST:
        return folded
    with _STEMMING:
        stem: str = _stemmer().stemWord(folded)
    return stem


_STEMMING = threading.Lock()  # a stemmer holds the word that it works on
_LONGEST = 40  # letters of a word that is worth stemming


@cache
def _stemmer() -> Any:
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()


@cache
def _stop_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_CHINESE, STOPWORDS_EN_PLUS

    english = (_APOSTROPHES.sub("", word) for word in STOPWORDS_EN_PLUS)
    return frozenset((*english, *STOPWORDS_CHINESE)) | _CHAT
