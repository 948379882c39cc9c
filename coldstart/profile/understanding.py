"""Rule-based parsing of short English texts: categories, tone, titles and years.

No language model: the rules favour precision over recall, and report when nothing was found. The
text itself still reaches the ranker through the sentence encoder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import Field

from coldstart.catalog.item_store import ItemStore
from coldstart.catalog.titles import clean_text, normalise_title
from coldstart.errors import ProfileError
from coldstart.profile.resolve import most_liked
from coldstart.schema import Frozen

TONES = frozenset(
    """action-packed bittersweet bleak bold calm charming clever comforting cosy cozy cute dark deep
    disturbing dreamy dry easy edgy emotional epic exciting family-friendly fast-paced feel-good fun
    funny gentle gloomy gory gritty happy heartwarming hilarious hopeful intelligent intense light
    light-hearted melancholic mind-bending moody moving mysterious nostalgic offbeat optimistic
    playful poetic quiet quirky relaxing romantic sad satirical scary serious sexy silly slow
    slow-burn smart spooky strange stylish surreal suspenseful sweet tense thought-provoking
    thrilling touching tragic twisted twisty uplifting violent warm weird whimsical witty""".split()
)
MOST_TEXT = 2000
"""Maximum length of a text, in characters."""
_MOST_WORDS = 12  # of the longest title that is matched
_CACHED = 1000  # parsed texts: a session parses its history again after every event
_MARKS = " .,;:!?"
_JOINING = frozenset("but although though and or i".split())
_NO = r"""no|not|never|don['’]?t|doesn['’]?t|didn['’]?t|isn['’]?t|can['’]?t\ stand|cannot\ stand|
    hate[ds]?|dislike[ds]?|loathe[ds]?|without|avoid|except|nothing|tired\ of|sick\ of|bored\ by|
    rather\ than|instead\ of"""
_CLAUSE = re.compile(rf"[.,;:!?\n]+|\b(?:but|although|though)\b|(?=\b(?:{_NO})\b)", re.I | re.X)
_NEGATIVE = re.compile(rf"\s*(?:{_NO})\b", re.I | re.X)
_HARMLESS = re.compile(
    r"\s*(?:not|nothing)\s+(?:only|just|sure|bad)\b|\s*no\s+(?:idea|preference)", re.I
)
_PRAISE = re.compile(
    r"(?:\b(?:like|liked|love|loved|enjoy|enjoyed|adore|adored|watched|saw|seen|read|heard|played|"
    r"hate|hated|dislike|disliked|loathe|loathed|favou?rites?(?:\s+\w+)?\s+(?:is|are|was)|"
    r"similar\s+to|fan\s+of|or|and)\s+|[\"“«'‘,])\s*$",
    re.I,
)
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*", re.UNICODE)
_DECADE = re.compile(r"(?<![\w'’])['’]?((?:1[5-9]|20)\d0|[0-9]0)['’]?s\b", re.I)
_NAMED_DECADE = re.compile(
    r"\b(twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)\b", re.I
)
_OWN_AGE = re.compile(r"\b(?:my|his|her|their|our|your)\s+(?:(?:early|mid|late)[\s-]+)?$", re.I)
_YEAR = r"((?:1[5-9]|20)\d\d)"
_SPAN = re.compile(rf"\b(?:from|between)?\s*{_YEAR}\s*(?:-|–|to|and|until)\s*{_YEAR}\b", re.I)
_SINCE = re.compile(
    rf"\b(after|since|newer than|before|until|older than|from|in|of)\s+{_YEAR}\b(?!s)", re.I
)
_DECADES = "twenties thirties forties fifties sixties seventies eighties nineties".split()
_ALIASES = {"sciencefiction": "scifi", "romcom": "romance", "romantic": "romance"}


class Understood(Frozen):
    """Structured reading of a text.

    Args:
        text: the text, cleaned.
        categories: catalog categories wanted, in the catalog's spelling.
        unwanted: catalog categories rejected.
        tone: words for the mood wanted.
        liked: ids of items named by title, in clauses without a negation.
        disliked: ids of items named by title, in negated clauses.
        titles: title of each of these items, by id.
        years: first and last year wanted, ``None`` where open.
        wanted: the text without its negated clauses.
    """

    text: str = ""
    categories: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    tone: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    titles: dict[str, str] = Field(default_factory=dict)
    years: tuple[int | None, int | None] | None = None
    wanted: str = ""

    @property
    def nothing(self) -> bool:
        """True if no rule matched."""
        return (
            not (self.categories or self.unwanted or self.tone or self.liked or self.disliked)
            and self.years is None
        )

    @property
    def message(self) -> str:
        """Summary of the reading for the user, one sentence."""
        if not self.text:
            return "Nothing was said yet."
        if self.nothing:
            return (
                "None of these words is a category, a title, a mood or a time that this catalog "
                "knows; the text is only compared with descriptions."
            )
        parts = []
        for what, values in (
            ("wanted", (*self.categories, *self.tone)),
            ("not wanted", self.unwanted),
            ("liked", [self.titles.get(i, i) for i in self.liked]),
            ("not liked", [self.titles.get(i, i) for i in self.disliked]),
        ):
            if values:
                parts.append(f"{what}: {', '.join(values)}")
        if self.years is not None:
            first, last = self.years
            parts.append(f"years: {first or 'any'} to {last or 'now'}")
        return f"Understood: {'; '.join(parts)}."


@dataclass(frozen=True)
class _Clause:
    start: int
    end: int
    negative: bool


class Understanding:
    """Parser of free text in the vocabulary of one catalog.

    Args:
        item_store: of the catalog whose categories and titles are matched; of several items of one
            title, the most liked is chosen (``most_liked``).
    """

    def __init__(self, item_store: ItemStore) -> None:
        # No reference to the store itself: this object lives in a cache keyed weakly by the store.
        self._catalog, self._counts = item_store.catalog, item_store.counts
        self._read: dict[str, Understood] = {}
        self._categories: dict[str, str] = {}
        for item in self._catalog:
            for name in item.categories:
                for form in _forms(name):
                    self._categories.setdefault(form, name)

    def read(self, text: str) -> Understood:
        """Parse a text; results are cached.

        Titles of several words match anywhere; titles of one word only if capitalised and after a
        word of liking or disliking, a quote or a comma, or if they are the whole text.

        Raises:
            ProfileError: not a string, empty, or longer than ``MOST_TEXT``.
        """
        if not isinstance(text, str) or not clean_text(text):
            raise ProfileError(f"the text is {text!r}", hint="say what you like in a few words")
        text = clean_text(text)
        if len(text) > MOST_TEXT:
            raise ProfileError(
                f"the text has {len(text)} characters, at most {MOST_TEXT} are read",
                hint="say what you like in a few words",
            )
        if text not in self._read:
            if len(self._read) >= _CACHED:
                self._read.clear()
            self._read[text] = self._understand(text)
        return self._read[text]

    def _understand(self, text: str) -> Understood:
        titles = self._titles(text)
        masked = text
        for start, end, _ in titles:
            masked = masked[:start] + "\x00" * (end - start) + masked[end:]
        clauses = _clauses(masked)
        found: dict[str, dict[str, None]] = {
            name: {} for name in ("categories", "unwanted", "tone", "liked", "disliked")
        }
        for start, _, item in titles:
            negative = next(c.negative for c in clauses if c.start <= start < c.end)
            found["disliked" if negative else "liked"][item] = None
        for clause in clauses:
            words = [m[0] for m in _WORD.finditer(masked[clause.start : clause.end])]
            named = self._named_categories(words)
            found["unwanted" if clause.negative else "categories"].update(dict.fromkeys(named))
            if not clause.negative:
                tones = (w.casefold() for w in _with_pairs(words))
                found["tone"].update(dict.fromkeys(w for w in tones if w in TONES))
        kept = [_trimmed(text[c.start : c.end]) for c in clauses if not c.negative]
        positive = "".join(
            masked[c.start : c.end] if not c.negative else " " * (c.end - c.start) for c in clauses
        )
        return Understood(
            text=text,
            **{name: tuple(values) for name, values in found.items()},
            titles={item: self._catalog[item].title for _, _, item in titles},
            years=_years(positive),
            wanted=", ".join(k for k in kept if _WORD.search(k)),
        )

    def _titles(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, item id) of each title in the text; longest match, without overlaps."""
        words = list(_WORD.finditer(text))
        taken: list[tuple[int, int, str]] = []
        at = 0
        while at < len(words):
            size = next(
                (n for n in range(min(_MOST_WORDS, len(words) - at), 0, -1)
                 if self._is_title(text, words[at : at + n])),
                0,
            )  # fmt: skip
            if size:
                start, end = words[at].start(), words[at + size - 1].end()
                taken.append((start, end, self._meant(text[start:end])))
            at += size or 1
        return taken

    def _is_title(self, text: str, words: list[re.Match[str]]) -> bool:
        start, end = words[0].start(), words[-1].end()
        span = text[start:end]
        whole = not _WORD.search(text[:start]) and not _WORD.search(text[end:])
        if not whole and not any(w[0][0].isupper() or w[0][0].isdigit() for w in words):
            return False
        if _squeezed(span) in self._categories or not self._catalog.find_title(span):
            return False
        named = len(words) > 1 and all(w[0][0].isupper() for w in words)  # "The Mask"
        if whole or named or len(normalise_title(span).split()) > 1:
            return True
        return words[-1][0][0].isupper() and bool(_PRAISE.search(text[max(0, start - 60) : start]))

    def _meant(self, title: str) -> str:
        return most_liked(self._catalog.find_title(title), self._counts)

    def _named_categories(self, words: list[str]) -> list[str]:
        """Categories named by runs of up to four words."""
        out = []
        for size in range(4, 0, -1):
            for at in range(len(words) - size + 1):
                form = _squeezed("".join(words[at : at + size]))
                name = self._categories.get(form) or self._categories.get(_ALIASES.get(form, ""))
                if name:
                    out.append((at, name))
        return list(dict.fromkeys(name for _, name in sorted(out)))


def _forms(category: str) -> set[str]:
    """Spelling variants of a category: "Sci-Fi", "sci fi"; "Comedy", "comedies"."""
    one = _squeezed(category)
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return {one, many, one.removesuffix("s")} - {""}


def _squeezed(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _with_pairs(words: list[str]) -> list[str]:
    """Words, and hyphenated pairs of adjacent words ("slow burn", "feel good")."""
    return words + [f"{a}-{b}" for a, b in zip(words, words[1:], strict=False)]


def _clauses(text: str) -> list[_Clause]:
    """Split a text at punctuation, conjunctions of contrast and negations, without gaps."""
    cuts = sorted({0, len(text), *(m.end() for m in _CLAUSE.finditer(text))})
    return [
        _Clause(a, b, bool(_NEGATIVE.match(text, a)) and not _HARMLESS.match(text, a))
        for a, b in zip(cuts, cuts[1:], strict=False)
    ]


def _trimmed(clause: str) -> str:
    """Strip punctuation, and trailing conjunctions, from a clause."""
    words = clause.strip(_MARKS).split()
    while words and words[-1].casefold().strip(_MARKS) in _JOINING:
        words.pop()
    return " ".join(words).strip(_MARKS)


def _years(text: str) -> tuple[int | None, int | None] | None:
    """First and last year named in a text without negated clauses."""
    spans = [(int(a), int(b)) for a, b in _SPAN.findall(text)]
    if spans:
        return min(min(s) for s in spans), max(max(s) for s in spans)
    starts = [
        _decade(m[1]) for m in _DECADE.finditer(text) if not _OWN_AGE.search(text[: m.start()])
    ]
    starts += [
        1920 + 10 * _DECADES.index(m[1].casefold())
        for m in _NAMED_DECADE.finditer(text)
        if not _OWN_AGE.search(text[: m.start()])
    ]
    if starts:
        return min(starts), max(starts) + 9
    first = last = None
    for word, year in _SINCE.findall(text):
        word = word.casefold()
        if word in ("after", "newer than"):
            first = int(year) + 1
        elif word == "since":
            first = int(year)
        elif word in ("before", "older than"):
            last = int(year) - 1
        elif word == "until":
            last = int(year)
        else:
            first = last = int(year)
    if first is not None and last is not None and first > last:
        return None  # no year is both
    return None if first is None and last is None else (first, last)


def _decade(text: str) -> int:
    """First year of a decade: "90" → 1990, "10" → 2010, "1890" → 1890."""
    value = int(text)
    if value >= 100:
        return value
    return value + (1900 if value >= 30 else 2000)
