"""Notes and details of a response in other languages, by their English sentences as in gettext.

A template stands for a kind of sentence; what its fields hold is put into the other language's
template, phrase by phrase where it is made of phrases itself. Sentences without a template stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from coldstart.ranking.wording.notes_zh import PHRASES, TEMPLATES

_LANGUAGES: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {"zh": (TEMPLATES, PHRASES)}
_FIELD = re.compile(r"\{(\w+)\}")
_VERBATIM = frozenset({"name", "near", "words"})  # fields that hold what people wrote
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def note_in(note: str, language: str) -> str:
    """A note, or the detail of a dropped item, in another language.

    >>> note_in("only 3 of the catalog's items may be shown; 10 were asked for", "zh")
    '目录中只有 3 件可以推荐，要求的是 10 件'

    Args:
        note: in English.
        language: code of a language with reasons; English notes stay as they are.
    """
    if language not in _LANGUAGES:
        return note
    for pattern, make in _templates(language):
        if match := pattern.fullmatch(note):
            found = match.groupdict()
            return make({name: _value(name, text, language) for name, text in found.items()})
    return note


def _value(name: str, text: str, language: str) -> str:
    """What a field holds: a name in quotes, or phrases joined by "and", "or" and commas."""
    text = _QUOTED.sub(lambda m: f"“{m[1] or m[2]}”", text)
    for pattern, make in _phrases(language) if name not in _VERBATIM else ():
        text = pattern.sub(lambda m, make=make: make(m.groupdict()), text)  # type: ignore[misc]
    return text


Made = tuple[re.Pattern[str], Callable[[Mapping[str, str]], str]]


@cache
def _templates(language: str) -> list[Made]:
    return [(_pattern(key), value.format_map) for key, value in _LANGUAGES[language][0].items()]


@cache
def _phrases(language: str) -> list[Made]:
    found = _LANGUAGES[language][1]
    return [(_pattern(key, r"[^\s,;]+"), value.format_map) for key, value in found.items()]


def _pattern(template: str, field: str = ".+?") -> re.Pattern[str]:
    parts = _FIELD.split(template)
    made = [re.escape(p) if n % 2 == 0 else f"(?P<{p}>{field})" for n, p in enumerate(parts)]
    return re.compile("".join(made))
