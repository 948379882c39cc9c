"""Words of requests and items for lexical comparison, in every script."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache, lru_cache
from typing import Any

from coldstart.catalog.han import simplified

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_VOWELS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0900-\u0963\u0966-\u0dff"  # signs on letters
_RUNS = re.compile(rf"([{_UNSPACED}]+)|((?:(?![{_UNSPACED}])(?:[^\W_]|[{_VOWELS}]))+)")
_ASCII = re.compile(r"[A-Za-z0-9]+")
_DIGIT = re.compile(r"\d")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNITS = {
    "kg": "kg kgs kilo kilos kilogram kilograms 公斤 千克",
    "g": "g gr gram grams gramme 克",
    "mg": "mg 毫克",
    "l": "l ltr liter liters litre litres 升 公升",
    "ml": "ml 毫升",
    "cl": "cl",
    "mm": "mm 毫米",
    "cm": "cm 厘米 公分",
    "m": "米 公尺",
    "km": "km 公里 千米",
    "in": "inch inches 英寸 寸",
    "oz": "oz ounce ounces 盎司",
    "lb": "lb lbs 磅",
    "w": "watt watts 瓦",
    "v": "volt volts 伏",
    "mah": "mah 毫安 毫安时",
    "gb": "gb",
    "tb": "tb",
    "码": "码 号",
    "片": "片",
    "岁": "岁",
}
"""Units of amounts, and how they are written; letters that are words otherwise are left out."""
_UNIT = {form: unit for unit, forms in _UNITS.items() for form in forms.split()}
_AMOUNT = re.compile(
    r"(?<![A-Za-z0-9.,])(\d+(?:[.,]\d+)?)\s?-?("
    + "|".join(sorted(_UNIT, key=len, reverse=True))
    + r")(?![^\W\d_\u3400-\u9fff])",
    re.IGNORECASE,
)
_APOSTROPHES = re.compile(r"['’ʼ`´]s\b|(?<=\w)['’ʼ`´](?=\w)")
_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
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
    找个 一双 一款 一个 一些 一件 一台 一套 一本 一把 一瓶 一种 这种 那种 什么 请问 谢谢""".split()
)
"""The same in Chinese, in pairs of characters, with the classifiers of things."""


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


def terms(text: str, *, characters: bool = False) -> list[str]:
    """Terms of a text in order, with repeats; without words that carry no content.

    Words in alphabets are casefolded and stemmed as English; Chinese, Japanese, Thai and other
    scripts without spaces give pairs of characters, traditional ones simplified. An amount is one
    term, however it is written.

    Args:
        text: of a request or an item.
        characters: whether Chinese characters are terms by themselves, too: many nouns are one
            ("鞋", "锅"), and others end with it ("运动鞋").

    >>> terms("I want to watch funny Westerns!"), terms("恐怖电影")
    (['funni', 'western'], ['恐怖', '怖电', '电影'])
    >>> terms("flour, 5 kg") == terms("flour 5KG"), terms("42碼鞋", characters=True)
    (True, ['42码', '42', '鞋'])
    """
    out: list[str] = []
    for unspaced, word in _runs(text):
        if unspaced:
            out += filter(_term, _pairs(unspaced))
            if characters and len(unspaced) > 1:
                out += filter(_term, _HAN.findall(unspaced))
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
    """Runs of characters without spaces between words, words of alphabets, amounts; in order."""
    if not text.isascii():
        text = simplified(unicodedata.normalize("NFKC", text))
    text = _APOSTROPHES.sub("", text)
    out, at = [], 0
    for amount in _AMOUNT.finditer(text) if _DIGIT.search(text) else ():
        out += _plain_runs(text[at : amount.start()])
        unit = _UNIT[amount[2].casefold()]
        number = amount[1].replace(",", ".")
        out.append(("", f"{number}{unit}"))
        if unit == "码":
            out.append(("", number))  # a size may be given as a mere number
        at = amount.end()
    return [*out, *_plain_runs(text[at:])]


def _plain_runs(text: str) -> list[tuple[str, str]]:
    if text.isascii():
        return [("", word) for word in _ASCII.findall(text)]
    return _RUNS.findall(text)


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
    return frozenset((*english, *STOPWORDS_CHINESE)) | _CHAT | _CHAT_ZH
