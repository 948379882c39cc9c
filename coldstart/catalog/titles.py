"""Title normalisation: cleaning, comparison keys, and natural word order."""

from __future__ import annotations

import html
import re
import unicodedata

from coldstart.catalog.han import simplified

ENGLISH_ARTICLES = frozenset(("the", "a", "an"))
ARTICLES = ENGLISH_ARTICLES | frozenset(
    "le la les un une il lo gli uno una el los las der die das ein eine".split()
)
"""Articles that catalogs put after a comma: English, French, Italian, Spanish and German."""

_ENGLISH_WORDS = frozenset(("i", "die"))  # articles elsewhere
_TRAILING_ARTICLE = re.compile(
    rf"(\s*)(\S.*?)\s*,\s*({'|'.join(sorted(ARTICLES))}|i|l['’])(\s*)", re.IGNORECASE | re.DOTALL
)
_ELIDED_ARTICLE = re.compile(r"^\W*l['’](?=\w)")
_YEAR = re.compile(r"(.*\S)\s*\(((?:1[5-9]|2[01])\d\d)\)\s*", re.DOTALL)
# Control characters, line separators, bidirectional overrides, byte order marks, lone surrogates.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_UNCLEAN = re.compile(r"&|  |^ | $")  # of printable ASCII
_INITIALS = re.compile(r"\b[^\W\d_](?:[.*]+[^\W\d_])+\b")
_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_LOOSE_PLUS = re.compile(r"(?<![\w+#])[+#]+|[+#]+(?=\w)")  # all but those of "C++" and "C#"
_LATIN_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_LATIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
)


class _PunctuationToSpace(dict[int, "int | str | None"]):
    """``str.translate`` table, filled lazily."""

    def __missing__(self, code: int) -> int | str | None:
        self[code] = " " if unicodedata.category(chr(code))[0] in "PSZC" else code
        return self[code]


_SPACED = _PunctuationToSpace({ord(c): c for c in "+#"} | {0xFE0E: None, 0xFE0F: None})


def clean_text(text: str) -> str:
    """Decode HTML entities, compose Unicode (NFC), and make control characters plain spaces.

    >>> clean_text(" Tom &amp; Jerry   in Paris")
    'Tom & Jerry in Paris'
    """
    if text.isascii() and text.isprintable() and not _UNCLEAN.search(text):
        return text  # as most are
    while True:  # entities may be escaped twice
        cleaned = html.unescape(text) if "&" in text else text
        cleaned = " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", cleaned)).split())
        if cleaned == text:
            return cleaned
        text = cleaned


def split_year(title: str) -> tuple[str, int | None]:
    """Split a trailing year (1500 to 2199) off a title.

    >>> split_year("Toy Story (1995)")
    ('Toy Story', 1995)
    """
    match = _YEAR.fullmatch(title)
    return (match[1], int(match[2])) if match else (title, None)


def natural_title(title: str) -> str:
    """Move a trailing article to the front, also inside parentheses.

    >>> natural_title("Double vie de Véronique, La (Double Life of Veronique, The)")
    'La Double vie de Véronique (The Double Life of Veronique)'
    """
    if "," not in title:
        return title
    return "".join(_article_first(part) for part in re.split(r"([()])", title))


def _article_first(part: str) -> str:
    while match := _TRAILING_ARTICLE.fullmatch(part):
        before, body, article, after = match.groups()
        if article.lower() in _ENGLISH_WORDS and "," in body:
            break  # "Me, Myself, I" and "Live, Love, Die" are lists
        gap = "" if article[-1] in "'’" else " "
        part = f"{before}{article}{gap}{body}{after}"
    return part


def normalise_title(title: str) -> str:
    """Comparison key of a title, equal for different spellings.

    Ignores case, Latin accents, punctuation, HTML escapes, the difference between traditional and
    simplified Chinese characters, and one leading or trailing English article. An article followed
    by another one is kept, so "The A-Team" is not "The Team"; a title that consists of nothing
    else, or of symbols only, is kept as it is. Articles of other languages are moved to the front
    but never dropped: the "Die" of "Die Hard" is none, and a title does not say its language.

    >>> normalise_title("Usual Suspects, The") == normalise_title("the usual suspects!")
    True
    >>> normalise_title("Postino, Il"), normalise_title("Die Hard")
    ('il postino', 'die hard')
    """
    folded = _fold(natural_title(clean_text(title)))
    words = _words(folded.replace("&", " and "))
    if not words:
        return folded
    if len(words) > 1 and words[0] in ENGLISH_ARTICLES and words[1] not in ENGLISH_ARTICLES:
        del words[0]
    return " ".join(words)


def without_article(title: str) -> str:
    """``normalise_title`` without a leading article of any language, a guess.

    To compare titles that something else confirms, such as a year; on its own it would make "Hard"
    of "Die Hard".

    >>> without_article("Il Postino"), without_article("L'Avventura")
    ('postino', 'avventura')
    """
    key = normalise_title(_ELIDED_ARTICLE.sub("", natural_title(clean_text(title)).casefold()))
    words = key.split()
    if len(words) > 1 and words[0] in ARTICLES and words[1] not in ARTICLES:
        del words[0]
    return " ".join(words) or key


def _fold(text: str) -> str:
    """Casefold, strip accents from Latin letters, and simplify Chinese characters."""
    if text.isascii():
        return text.lower()
    folded = simplified(unicodedata.normalize("NFKC", text).casefold())
    bare = unicodedata.normalize("NFKD", folded).translate(_LATIN_LETTERS)
    return " ".join(unicodedata.normalize("NFKC", _LATIN_MARKS.sub("", bare)).split())


def _words(text: str) -> list[str]:
    if text.isascii() and text.replace(" ", "").isalnum():
        return text.split()  # nothing to replace
    text = _INITIALS.sub(_join_initials, text)
    text = _THOUSANDS.sub("", _APOSTROPHES.sub("", text))
    return _LOOSE_PLUS.sub(" ", text.translate(_SPACED)).split()


def _join_initials(match: re.Match[str]) -> str:
    """Join initials ("m*a*s*h" → "mash"), unless the result is an article ("a.n." → "a n")."""
    joined = re.sub(r"[.*]", "", match[0])
    return " ".join(joined) if joined in ENGLISH_ARTICLES else joined
