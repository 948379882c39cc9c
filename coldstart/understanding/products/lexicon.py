"""Everyday words of shops: synonyms, what falls under what, recipients, occasions, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.products.forms import stem, words

Term = tuple[str, ...]
_FILES = ("products-en", "products-zh")


@dataclass(frozen=True)
class ProductLexicon:
    """Word lists of ``lexicon/products-en.toml``, as stems.

    Args:
        stop: words that tell nothing about an item.
        generic: "something", "a gift": what one asks for without naming it.
        things: "a game": likewise where no item of the catalog is called so.
        general: "food": likewise where no text of the catalog has the word.
        away: words before what is not asked for itself: "for", "with", "about", "to".
        quality: what a clause may say that something is to be: "that keeps my feet warm".
        possessive: words before what a person has.
        replace: words that tell that it is to be replaced.
        container: heads that say how many: "set", "pack".
        measure: these, and others that say how much before "of": "cup".
    """

    stop: frozenset[str]
    generic: frozenset[str]
    things: frozenset[str]
    general: frozenset[str]
    away: frozenset[str]
    quality: frozenset[str]
    possessive: frozenset[str]
    replace: frozenset[str]
    container: frozenset[str]
    measure: frozenset[str]

    @classmethod
    def english(cls) -> ProductLexicon:
        """That of English."""
        return _english()


@cache
def _english() -> ProductLexicon:
    lists = raw_lexicon("products-en")["words"]
    people = raw_lexicon("products-en")["recipients"]
    kept = {"men", "women", "man", "woman", "ladies", "lady"}  # qualities of things, too
    named = " ".join(w for group in people.values() for w in group.split() if w not in kept)
    stop = f"{lists['stop']} {lists['gift']} {lists['generic']} {named}"
    return ProductLexicon(
        stop=_stems(stop) | frozenset(stop.split()),
        generic=_stems(f"{lists['generic']} {lists['gift']}"),
        things=_stems(lists["things"]),
        general=_stems(lists["general"]),
        away=frozenset(lists["away"].split()),
        quality=_stems(lists["quality"]),
        possessive=frozenset(w.replace("'", "") for w in lists["possessive"].split()),
        replace=_stems(lists["replace"]),
        container=_stems(lists["container"]),
        measure=_stems(f"{lists['container']} {lists['measure']}"),
    )


def phrases(name: str, table: str = "words", language: str = "en") -> list[str]:
    """A list of phrases of a language's file."""
    found = raw_lexicon(f"products-{language}")[table][name]
    return found.split() if isinstance(found, str) else list(found)


def table(name: str) -> Mapping[str, str]:
    """A table of the English file: phrases, and the words that each stands for."""
    found: Mapping[str, str] = raw_lexicon("products-en")[name]
    return found


@cache
def recipients(group: str, language: str = "en") -> frozenset[str]:
    """Words for adults: ``female``, ``male``, ``anyone`` or ``old``."""
    return frozenset(phrases(group, "recipients", language))


@cache
def _same() -> Mapping[Term, tuple[Term, ...]]:
    """Each word of a set of synonyms, with all of the set."""
    out: dict[Term, tuple[Term, ...]] = {}
    lines = (line for name in _FILES for line in raw_lexicon(name)["same"]["sets"])
    for line in lines:
        terms = tuple(dict.fromkeys(tuple(words(name)) for name in line.split()))
        for term in terms:
            out[term] = tuple(dict.fromkeys([*out.get(term, ()), *terms]))
    return out


@cache
def _under(table: str) -> Mapping[Term, tuple[Term, ...]]:
    """Each word of a table, with all that falls under it."""
    found = {k: v for name in _FILES for k, v in raw_lexicon(name)[table].items()}
    return {
        tuple(words(name)): tuple(dict.fromkeys(tuple(words(under)) for under in line.split()))
        for name, line in found.items()
    }


def spoken_words() -> frozenset[str]:
    """Single words of the lexicon that mean something: synonyms and what covers others."""
    return frozenset(
        "".join(term)
        for term in (*_same(), *_under("covers"), *_under("kinds"))
        if not term[0].isascii()
    )


def synonyms(term: Term) -> tuple[Term, ...]:
    """A term, and others of its meaning; the term itself first."""
    short = [term[:1]] if len(term) == 2 and term[1] == "子" else []
    return tuple(dict.fromkeys([term, *short, *_same().get(term, ())]))


def kinds(term: Term) -> tuple[Term, ...]:
    """A type of thing, its synonyms, and the types that are of it; the type itself first."""
    out = dict.fromkeys(synonyms(term))
    for one in list(out):
        out.update(dict.fromkeys(_under("kinds").get(one, ())))
    return tuple(out)


def covered(term: Term) -> tuple[Term, ...]:
    """A term, its synonyms and what falls under them; the term itself first.

    Of a single Chinese character only what falls under it: 皮 is in 橡皮 as well. For the same
    reason 本 is none of 本子.
    """
    short = term[:1] if len(term) == 2 and term[1] == "子" else ()
    same = _same().get(term, ())
    out = dict.fromkeys(one for one in synonyms(term) if one != short or one in same)
    for one in list(out):
        for table in ("covers", "kinds"):
            out.update(dict.fromkeys(_under(table).get(one, ())))
    single = len(term) == 1 and not term[0].isascii() and len(out) > 1
    return tuple(out)[1:] if single else tuple(out)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())
