"""Languages of films in English requests: "a Japanese film", "in French", "no subtitles"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import LANGUAGE

_ALSO = {
    "chinese": ("Mandarin", "Cantonese"),
    "hong kong": ("Cantonese",),
    "taiwanese": ("Mandarin",),
    "bollywood": ("Hindi",),
    "indian": ("Hindi", "Bengali", "Tamil", "Telugu"),
    "iranian": ("Persian",),
    "israeli": ("Hebrew",),
    "brazilian": ("Portuguese",),
    "mexican": ("Spanish",),
    "argentinian": ("Spanish",),
    "austrian": ("German",),
    "soviet": ("Russian",),
    "flemish": ("Dutch",),
    "scandinavian": ("Swedish", "Danish", "Norwegian", "Finnish", "Icelandic"),
    "nordic": ("Swedish", "Danish", "Norwegian", "Finnish", "Icelandic"),
    "anime": ("Japanese",),
}
_FOREIGN = (
    r"foreign(?:[\s-]language)?|subtitled|subtitles?|non[\s-]english|not\s+in\s+english|"
    r"world\s+cinema|(?:in\s+)?a(?:nother)?\s+foreign\s+language"
)
_ENGLISH = r"in\s+english|english[\s-](?:language|speaking)|english(?=\s+(?:films?|movies?|only)\b)"
_FILM = (
    r"(?:films?|movies?|cinema|flicks?|pictures?|ones?|stuff|classics?|directors?|new\s+wave|"
    r"animat\w+|shows?|series)"
)
_PLACE = re.compile(r"-\w|\s+[A-Z][a-z]")  # "in French Guiana", "in German-occupied France"
_PERSON = re.compile(r"\b(?:about|featuring|starring)\s+(?:an?\s+|the\s+|some\s+)?$", re.I)
_END = re.compile(r"\s*(?:$|[.,;:!?)/&]|(?:or|and|but|with|from|please|for|that|about)\b)", re.I)


class NamedLanguage(NamedTuple):
    """A language, or any but English, that a text names.

    Args:
        start: first character.
        end: character after it.
        values: languages of the catalog; empty: any but English.
        english: whether English is named: all others are rejected.
        animated: whether its animated films are named: "anime".
    """

    start: int
    end: int
    values: tuple[str, ...] = ()
    english: bool = False
    animated: bool = False


def spoken_languages(catalog: Catalog) -> frozenset[str]:
    """Languages that films of a catalog are in; none where they do not tell."""
    return frozenset(i.attributes[LANGUAGE] for i in catalog if LANGUAGE in i.attributes)


class LanguageSpotter:
    """Finder of languages in a text.

    Args:
        catalog: whose films tell their language.
        is_known: whether words are the name of a kind of film: "a Korean thriller".
    """

    def __init__(self, catalog: Catalog, is_known: Callable[[str], bool]) -> None:
        spoken = spoken_languages(catalog)
        self._is_known = is_known
        self._names = _names(spoken)
        words = "|".join(re.escape(n) for n in sorted(self._names, key=len, reverse=True))
        self._pattern = (
            re.compile(
                rf"(?<!\w)(?:(?P<english>{_ENGLISH})|(?P<foreign>{_FOREIGN})|"
                rf"(?P<inside>in\s+)?(?P<name>{words})(?:[\s-](?:language|speaking))?)(?!\w)",
                re.IGNORECASE,
            )
            if spoken
            else None
        )

    def find(self, text: str) -> list[NamedLanguage]:
        """Languages, in order, where a film is meant: "the French Revolution" names none.

        Subtitles say no more where a language is named: "French films with subtitles".

        Args:
            text: in which titles are blanked out.
        """
        found = list(self._all(text))
        named = any(one.values for one in found)
        return [one for one in found if one.values or one.english or not named]

    def _all(self, text: str) -> Iterator[NamedLanguage]:
        for m in self._pattern.finditer(text) if self._pattern else ():
            if m["english"]:
                yield NamedLanguage(m.start(), m.end(), english=True)
            elif m["foreign"]:
                if m["foreign"].casefold() != "foreign" or self._of_film(text[m.end() :]):
                    yield NamedLanguage(m.start(), m.end())
            elif self._is_spoken(m, text):
                name = m["name"].casefold()
                yield NamedLanguage(m.start(), m.end(), self._names[name], animated=name == "anime")

    def _is_spoken(self, m: re.Match[str], text: str) -> bool:
        """Whether a name is that of a language here, rather than of a place or of people."""
        rest = text[m.end() :]
        if m["inside"]:
            return not _PLACE.match(rest)
        return not _PERSON.search(text[: m.start()][-30:]) and self._of_film(rest)

    def _of_film(self, rest: str) -> bool:
        """Whether what follows a name is the end of a clause, or what films are called."""
        if _END.match(rest):
            return True
        words = re.findall(r"[^\W_]+", rest[:60])[:2]
        if words and re.fullmatch(_FILM, words[0], re.IGNORECASE):
            return True
        return any(self._is_known(" ".join(words[:n]).casefold()) for n in (1, 2) if words)


def _names(spoken: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Languages of a catalog by the words for them."""
    out: dict[str, tuple[str, ...]] = {name.casefold(): (name,) for name in spoken}
    for word, languages in _ALSO.items():
        if known := tuple(name for name in languages if name in spoken):
            out.setdefault(word, known)
    return out
