"""How a column writes several categories into one cell, decided from all of its cells."""

from __future__ import annotations

import csv
import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from coldstart.catalog.bracketed import is_bracketed, names_of, parse_bracketed
from coldstart.catalog.titles import ARTICLES, clean_text
from coldstart.tabular.cells import is_missing

STRONG = ("|", ";", "::", "｜", "；", "、", "\n", "\t", " • ", " · ", " > ", " » ", " › ")
"""Separators that no name of a category contains."""

NO_CATEGORY = frozenset(
    "(no genres listed)|(none)|n/a|na|nan|none|null|nil|\\n|-|--|?|<na>|#n/a|unspecified".split("|")
)
"""Names that say that there is no category, in lower case."""

_GENRES = frozenset(
    "action|adventure|animation|anime|biography|children|children's|classical|comedy|crime|"
    "documentary|drama|electronic|family|fantasy|fiction|film-noir|folk|history|hip hop|horror|"
    "indie|jazz|kids|music|musical|mystery|non-fiction|nonfiction|poetry|pop|puzzle|reality|rock|"
    "romance|rpg|sci-fi|science fiction|short|simulation|sport|sports|strategy|thriller|travel|"
    "war|western".split("|")
)
_COMPOUNDS = frozenset(
    "action/adventure|children/family|children's/family|dance/electronic|film/tv|folk/country|"
    "health/fitness|hip-hop/rap|home/garden|horror/thriller|kids/family|music/musical|"
    "mystery/suspense|mystery/thriller|r&b/soul|sci-fi/fantasy|science fiction/fantasy|tv/film|"
    "crime/mystery|gay/lesbian|horror/suspense|thriller/suspense|suspense/thriller".split("|")
)
_AND = re.compile(r"\s(?:&|and|und|et|y|e)\s|^(?:&|and|und|et)\s", re.IGNORECASE)
_HASHTAGS = re.compile(r"#[^\s#]+(?:\s*#[^\s#]+)*")
_OUTSIDE = r"(?![^()]*\))"  # not inside parentheses
_LONG_NAME = 40  # characters
_FEW, _MANY_ROWS = 0.1, 20


@dataclass(frozen=True)
class CategoryFormat:
    """How the cells of one column hold categories.

    Args:
        separators: between names in a text, as regular expressions.
        shown: the separators for people.
        lists: whether cells are lists or objects.
        bracketed: whether cells are lists written as text, such as JSON.
        hashtags: whether names are written "#like #this".
    """

    separators: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    lists: bool = False
    bracketed: bool = False
    hashtags: bool = False

    def parse(self, value: Any) -> list[str]:
        """Categories of one cell, cleaned, without repeats.

        >>> category_format(["Drama, Crime", "Crime"]).parse("Crime, War, Crime")
        ['Crime', 'War']
        """
        if isinstance(value, str):
            parts = self._parts(value)
        else:
            parts = names_of(value)
        texts = (clean_text(part).strip("\"'“”") for part in parts)
        return list(dict.fromkeys(t for t in texts if t and t.casefold() not in NO_CATEGORY))

    def describe(self) -> str:
        """The format in words."""
        kinds = ["lists"] * self.lists + ["lists written as text"] * self.bracketed
        kinds += ["hashtags"] * self.hashtags
        if self.shown:
            kinds.append("separated by " + " or ".join(map(repr, self.shown)))
        return ", ".join(kinds) or "one category a row"

    def _parts(self, text: str) -> list[str]:
        text = _decoded(text)
        if self.bracketed and text[:1] in "[{(" and text[-1:] in "]})":
            return parse_bracketed(text)
        if self.hashtags:
            return re.findall(r"#([^\s#]+)", text)
        if not self.separators:
            return [text]
        if '"' in text and self.shown == (",",):
            rows = list(csv.reader([text], skipinitialspace=True))
            return [cell for row in rows for cell in row]
        return re.split("|".join(self.separators), text)


def category_format(values: Iterable[Any]) -> CategoryFormat:
    """Recognise the format of a column of categories.

    ``|``, ``;`` and the like always separate (``STRONG``). A comma, or a slash between spaces,
    separates unless the cells speak against it: the text is one name, such as "Arts, Crafts &
    Sewing", if its parts never occur with or without others. A bare slash separates only where the
    parts do: "Action/Adventure" is one category.

    Args:
        values: the cells; missing ones are passed over.

    >>> category_format(["Action/Adventure", "Drama"]).describe()
    'one category a row'
    >>> category_format(["Drama/War", "War/Crime", "Drama"]).describe()
    "separated by '/'"
    """
    texts: Counter[str] = Counter()
    lists = False
    for value in values:
        if isinstance(value, str):
            if value.strip():
                texts[_decoded(value)] += 1
        elif not is_missing(value):
            lists |= hasattr(value, "__len__")
    bracketed = sum(n for t, n in texts.items() if is_bracketed(t))
    opened = sum(n for t, n in texts.items() if t[:1] in "[{(" and t[-1:] in "]})")
    sure = any(is_bracketed(t) and t[1:].lstrip()[:1] in tuple("'\"[{]") for t in texts)
    is_listed = sure or (bool(bracketed) and 4 * opened >= texts.total())
    plain = Counter({t: n for t, n in texts.items() if not (is_listed and is_bracketed(t))})
    if plain and all(_HASHTAGS.fullmatch(t) for t in plain):
        return CategoryFormat(lists=lists, bracketed=is_listed, hashtags=True)
    shown = _separators(plain)
    return CategoryFormat(tuple(map(_pattern, shown)), shown, lists, is_listed)


def is_genre(name: str) -> bool:
    """Whether a name is a common genre of films, music, books or games."""
    folded = name.strip().casefold().replace("_", " ")
    return folded in _GENRES or folded.replace(" ", "-") in _GENRES


def _decoded(text: str) -> str:
    return (html.unescape(text) if "&" in text else text).strip()


def _pattern(separator: str) -> str:
    if separator in STRONG:
        return re.escape(separator)
    return re.escape(separator) + _OUTSIDE


def _separators(texts: Counter[str]) -> tuple[str, ...]:
    strong = tuple(s for s in STRONG if any(s in t for t in texts))
    marked = sum(n for t, n in texts.items() if any(s in t for s in strong))
    for weak in (",", "，", " / ", "/"):
        held = Counter({t: n for t, n in texts.items() if weak in t})
        if not held or held.total() <= marked:
            continue
        if (_combines if weak == "/" else _separates)(weak, held, texts):
            return (*strong, weak)
    return strong


def _separates(separator: str, held: Counter[str], texts: Counter[str]) -> bool:
    """Whether a comma separates: unless most of the cells that have one look like one name."""
    found = _Parts(separator, texts)
    pro = against = 0
    for text, times in held.items():
        parts = found.of(text)
        known = sum(found.recurs(text, p) or p in _GENRES for p in parts)
        is_name = bool(_AND.search(parts[-1]) or parts[-1] in ARTICLES)
        if known == len(parts) or (known and not is_name):
            pro += 1
        elif known and len(parts) > 2:  # a list with a name such as "Action & Adventure" in it
            continue
        elif is_name or max(map(len, parts)) > _LONG_NAME or (times > 2 and len(texts) > 1):
            against += 1
    if not pro and len(texts) > 1 and texts.total() >= _MANY_ROWS:
        return not against and held.total() > _FEW * texts.total()
    return pro > against or not against


def _combines(separator: str, held: Counter[str], texts: Counter[str]) -> bool:
    """Whether a slash separates: most of the cells that have one share their parts with others."""
    found = _Parts(separator, texts)
    names = [t for t in held if t.casefold() not in _COMPOUNDS and "//" not in t]
    if any(part.replace(" ", "").isdigit() for t in names for part in found.of(t)):
        return False
    pro = sum(
        len(parts) > 2
        or 2 * sum(found.recurs(t, p) for p in parts) >= len(parts)
        or _GENRES.issuperset(parts)
        for t in names
        for parts in [found.of(t)]
    )
    return pro > 0 and 2 * pro >= len(names)


class _Parts:
    """Parts of the cells of a column, and the combinations in which each occurs."""

    def __init__(self, separator: str, texts: Iterable[str]) -> None:
        self._separator = _pattern(separator)
        self._parts = {text: self._split(text) for text in texts}
        self._where: dict[str, set[frozenset[str]]] = defaultdict(set)
        for parts in self._parts.values():
            for part in parts:
                self._where[part].add(frozenset(parts))

    def of(self, text: str) -> Sequence[str]:
        """Parts of a cell, in lower case."""
        return self._parts[text]

    def recurs(self, text: str, part: str) -> bool:
        """Whether a part also occurs in another combination than that of ``text``."""
        return bool(self._where[part] - {frozenset(self._parts[text])})

    def _split(self, text: str) -> Sequence[str]:
        parts = [p.strip().casefold() for p in re.split(self._separator, text)]
        return [p for p in parts if p] or [text.casefold()]
