"""Everyday words of categories, from the lexicons that read requests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from coldstart.understanding.lexicon import category_forms, raw_lexicon, squeezed

LANGUAGES = ("en", "zh")


def everyday_words(category: str) -> str:
    """Words under which people ask for a category, in every language; empty for unknown ones.

    >>> "cartoon" in everyday_words("Animation")
    True
    """
    return _everyday().get(squeezed(category), "")


@cache
def _everyday() -> dict[str, str]:
    """By each spelling of each name under which catalogs file one idea."""
    names: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for language in LANGUAGES:
        raw = raw_lexicon(language)
        for idea, others in raw.get("categories", {}).items():
            names.setdefault(idea, []).extend((idea, *others))
            words.setdefault(idea, []).extend((idea, *others))
        for sense in raw.get("sense", ()):
            idea = sense.get("want")
            if idea in words and "tone" not in sense and "reject" not in sense:
                words[idea] += [*sense.get("noun", ()), *sense.get("adjective", ())]
    text = {idea: " ".join(_split(phrases)) for idea, phrases in words.items()}
    return {form: text[idea] for idea in names for n in names[idea] for form in category_forms(n)}


def _split(phrases: Iterable[str]) -> Iterable[str]:
    """Words of some phrases, each once."""
    return dict.fromkeys(word for phrase in phrases for word in phrase.split())
