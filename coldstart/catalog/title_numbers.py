"""Numbers and years of titles, which tell the parts of a series, remakes and sizes apart.

Digits, ordinals, Roman numerals and spelled-out numbers are the same: "Rocky II" is "Rocky 2".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from coldstart.catalog.titles import clean_text, normalise_title, split_year
from coldstart.schema import Item

YEARS_APART = 1
"""Most years between two dates of one release: countries and sources differ by one."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_SPELLED = (
    {word: n for n, word in enumerate(_SMALL)}
    | {word: n for n, word in enumerate(_ORDINALS)}
    | {word: 10 * n for n, word in enumerate(_TENS, start=2)}
    | {word[:-1] + "ieth": 10 * n for n, word in enumerate(_TENS, start=2)}
)
_ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
_PARTS = frozenset(
    "part vol volume chapter episode book season series act teil partie parte".split()
)
_FIRST_PARTS = _PARTS - {"episode", "season", "act"}  # "Episode I" may have been made last
_CHINESE = re.compile(r"第([一二三四五六七八九十]|十[一二三四五六七八九])[部集季章卷回]")
_CHINESE_DIGITS = "一二三四五六七八九"
_DIGITS = re.compile(r"\d+")
_MOST_DIGITS = 20


def years_agree(one: int | None, other: int | None) -> bool:
    """Whether two years may be those of one release; an unknown one agrees with all."""
    return one is None or other is None or abs(one - other) <= YEARS_APART


@lru_cache(maxsize=8192)
def arabic_title(title: str) -> str:
    """``normalise_title`` with every number in digits.

    >>> arabic_title("Rocky IV"), arabic_title("One Hundred and One Dalmatians")
    ('rocky 4', '101 dalmatians')
    """
    return " ".join(arabic_words(normalise_title(title).split()))


def arabic_words(words: Sequence[str]) -> list[str]:
    """Words of a normalised title with every number in digits."""
    return list(_arabic(words))


@lru_cache(maxsize=8192)
def title_numbers(title: str) -> tuple[str, ...]:
    """Numbers of a title in digits, sorted; a last "1" or "Part One" counts as none.

    >>> title_numbers("Terminator 2: Judgment Day"), title_numbers("Rocky, Part I")
    (('2',), ())
    """
    words = arabic_title(title).split()
    if len(words) > 1 and words[-1] == "1" and words[-2] not in _PARTS - _FIRST_PARTS:
        words.pop()
    found = (run.lstrip("0") or "0" for word in words for run in _DIGITS.findall(word))
    return tuple(sorted(run[:_MOST_DIGITS] for run in found))


def names_same_part(text: str, item: Item) -> bool:
    """Whether the numbers and the year of a text are those of an item.

    Years in a text agree with the item's if they differ by one at most, in parentheses or not; an
    item without a year agrees with every one in parentheses. Of a title with a second one in
    parentheses, either may be meant.

    >>> rocky = Item(item_id="1", title="Rocky II", year=1979)
    >>> [names_same_part(t, rocky) for t in ("Rocky 2", "Rocky 3", "Rocky II (1998)", "Rocky")]
    [True, False, False, False]
    """
    written, year = split_year(clean_text(text))
    title, dated = split_year(item.title)
    released = item.year if item.year is not None else dated
    if not years_agree(year, released):
        return False
    stated, also = Counter(title_numbers(written)), {str(year)}
    for own in (Counter(title_numbers(name)) for name in _names(title)):
        if also.issuperset(own - stated) and all(_is_year(n, released) for n in stated - own):
            return True
    return False


def is_only_a_part(text: str) -> bool:
    """Whether a text in parentheses names a part of a series and no title.

    >>> is_only_a_part("Part II"), is_only_a_part("Se7en")
    (True, False)
    """
    words = arabic_title(text).split()
    is_number = [bool(re.fullmatch(r"\d+|第\d+[部集季章卷回]", word)) for word in words]
    return any(is_number) and all(n or w in _PARTS for n, w in zip(is_number, words, strict=True))


def _names(title: str) -> Iterator[str]:
    yield title
    if "(" in title:
        inside = [name for name in re.findall(r"\(([^()]+)\)", title)]
        if not any(map(is_only_a_part, inside)):
            yield from (title.partition("(")[0], *inside)


def _is_year(number: str, released: int | None) -> bool:
    return released is not None and len(number) == 4 and years_agree(int(number), released)


def _arabic(words: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(words):
        value, after = _spelled(words, at)
        if after > at:
            yield str(value)
            at = after
        else:
            yield _one_word(words, at)
            at += 1


def _spelled(words: Sequence[str], start: int) -> tuple[int, int]:
    """A number in words, and the place after it; the start if there is none."""
    total, last, at = 0, 100, start  # last: size of the last part, each smaller than that before
    while at < len(words):
        word = words[at]
        if word == "and" and last >= 100 and at > start and words[at + 1 : at + 2]:
            more, after = _spelled(words, at + 1)
            return (total + more, after) if 0 < more < 100 and total else (total, at)
        if word in ("hundred", "thousand"):
            size = 100 if word == "hundred" else 1000
            if at == start or last >= 100:
                break
            total, last = total * size, size
        else:
            value = _SPELLED.get(word)
            size = 1 if value is None or value < 10 else 10
            if value is None or (at > start and not (last > size and value)):
                break
            if at > start and last == 10 and total % 100 < 20:
                break  # "eleven two" is two numbers
            total, last = total + value, size
        at += 1
    return total, at


def _one_word(words: Sequence[str], at: int) -> str:
    word = words[at]
    if any(c in word for c in "一二三四五六七八九十"):
        return _CHINESE.sub(lambda m: f"第{_chinese(m[1])}{m[0][-1]}", word)
    ordinal = re.fullmatch(r"(\d+)(?:st|nd|rd|th)", word)
    if ordinal:
        return ordinal[1]
    if roman := _ROMAN.fullmatch(word):
        # "V for Vendetta" and "X-Men" begin with a letter; "I" is a person but at the end.
        alone = len(word) == 1 and (at == 0 or (word == "i" and not _ends(words, at)))
        if not alone:
            tens, ones = roman[1], roman[2]
            small = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix").index(ones)
            return str(10 * len(tens) + small)
    return word


def _ends(words: Sequence[str], at: int) -> bool:
    return at == len(words) - 1 or words[at - 1] in _PARTS


def _chinese(number: str) -> int:
    if number.startswith("十"):
        return 10 + (_CHINESE_DIGITS.index(number[1]) + 1 if len(number) > 1 else 0)
    return _CHINESE_DIGITS.index(number) + 1
