"""Terms of words: folded, without stop words, stemmed in their language."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from coldstart.catalog.scripts import script_of

APOSTROPHES = re.compile(r"['’ʼ`´]s\b|(?<=\w)['’ʼ`´](?=\w)")
LATIN = {
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "sv": "swedish",
    "da": "danish",
    "no": "norwegian",
    "tr": "turkish",
}
"""Languages in Latin letters other than English that have stop words and a stemmer, by code."""
_BY_SCRIPT = {
    "Cyrillic": "russian",
    "Greek": "greek",
    "Arabic": "arabic",
    "Devanagari": "hindi",
    "Armenian": "armenian",
    "Tamil": "tamil",
}
_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_LONGEST = 40  # letters of a word that is worth stemming
_FEWEST, _CLEARLY = 0.05, 1.5  # share of stop words, and times those of English
_DIFFERENT = 3  # stop words of a language that speak for it
_CHAT = frozenset(
    """anything awesome bye cool day dont enjoy enjoyed film films find give good great haven
    heard hello help hey hi hope id ill im ive kind know let like liked lol look looking love
    loved maybe movie movies need nice ok okay one please prefer really recommend recommendation
    recommendations recommended saw see seeing seen show something sort stuff suggest suggested
    suggestion suggestions sure tell thank thanks thats thing things think try type want wanted
    watch watched watching well would yeah yes""".split()
)
"""Words of asking and answering, which tell nothing of what is asked for."""
_CHAT_ZH = frozenset(
    """我想 想要 想买 要买 想找 我要 要找 需要 适合 合适 推荐 给我 有没 没有 想给 买给 送给 买个
    找个 一双 一款 一个 一些 一件 一台 一套 一本 一把 一瓶 一种 这种 那种 什么 请问 谢谢 几款
    几个 几本 几件 几双 几样 买点 来点 有点 我家 家里 吃的 用的 穿的 喝的 玩的 看的 戴的""".split()
)
"""The same in Chinese, in pairs of characters, with the classifiers of things."""

_WITHOUT = frozenset("ohne kein keine nicht sans sin senza zonder sem uden uten utan без".split())
"""Words that lists of stop words have, and that tell "without batteries" from "with batteries"."""
_STEMMING = threading.Lock()  # a stemmer holds the word that it works on


@lru_cache(maxsize=1 << 17)
def term(word: str, language: str = "en") -> str:
    """The term that a word, or a pair of characters, stands for; empty for stop words.

    Args:
        word: without spaces.
        language: of words in Latin letters, a key of ``LATIN`` or ``en``.

    >>> term("Westerns"), term("the"), term("Pfannen", "de"), term("игрушка") == term("игрушки")
    ('western', '', 'pfann', True)
    """
    folded = _folded(word)
    if folded in _stop_words() or (language != "en" and folded in _stop_words_of(language)):
        return ""
    if not folded or len(folded) > _LONGEST:
        return folded
    if folded.isascii():
        name = LATIN.get(language, "english") if folded.isalpha() else ""
    else:
        name = _BY_SCRIPT.get(script_of(folded[0]), "")
        if name == "russian" and folded in _stop_words_of(name):
            return ""
    if not name:
        return folded
    with _STEMMING:
        stem: str = _stemmer(name).stemWord(folded)
    return stem


def latin_language(texts: Iterable[str]) -> str:
    """Language of texts in Latin letters by their stop words: a key of ``LATIN``, or ``en``.

    Another language than English needs three different ones, a twentieth of the words, and clearly
    more than English has.

    >>> latin_language(["Leichte Laufschuhe für den täglichen Lauf, mit einer weichen Sohle"])
    'de'
    """
    words = Counter(w for text in texts for w in map(_folded, re.findall(r"[^\W\d_]+", text)))
    stops = {code: words.keys() & _stop_words_of(code) for code in (*LATIN, "en")}
    times = {code: sum(words[w] for w in found) for code, found in stops.items()}
    best = max(LATIN, key=lambda code: times[code])
    clear = times[best] >= max(_FEWEST * words.total(), _CLEARLY * times["en"], 1)
    return best if clear and len(stops[best]) >= _DIFFERENT else "en"


@cache
def _stemmer(name: str) -> Any:
    import snowballstemmer

    if name == "english":
        from snowballstemmer.english_stemmer import EnglishStemmer

        return EnglishStemmer()
    return snowballstemmer.stemmer(name)


@cache
def _stop_words() -> frozenset[str]:
    """English and Chinese ones, which are left out in every language."""
    from bm25s.stopwords import STOPWORDS_CHINESE, STOPWORDS_EN_PLUS

    english = (APOSTROPHES.sub("", word) for word in STOPWORDS_EN_PLUS)
    return frozenset((*english, *STOPWORDS_CHINESE)) | _CHAT | _CHAT_ZH


@cache
def _stop_words_of(language: str) -> frozenset[str]:
    import bm25s.stopwords as lists

    name = "EN" if language == "en" else LATIN.get(language, language).upper()
    return frozenset(map(_folded, getattr(lists, f"STOPWORDS_{name}", ()))) - _WITHOUT


def _folded(word: str) -> str:
    """Casefolded, without accents on Latin letters."""
    if word.isascii():
        return word.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", word.casefold()))
    return unicodedata.normalize("NFKC", bare)
