"""Everyday words of shops: synonyms, what falls under what, recipients, occasions, prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from coldstart.understanding.lexicon import raw_lexicon
from coldstart.understanding.products.forms import stem, words

Term = tuple[str, ...]


@dataclass(frozen=True)
class ProductLexicon:
    """Word lists of ``lexicon/products-en.toml``, as stems.

    Args:
        stop: words that tell nothing about an item.
        generic: "something", "a gift": what one asks for without naming it.
        away: words before what is not asked for itself: "for", "with", "about", "to".
        possessive: words before what a person has.
        replace: words that tell that it is to be replaced.
        container: heads that say how many: "set", "pack".
    """

    stop: frozenset[str]
    generic: frozenset[str]
    away: frozenset[str]
    possessive: frozenset[str]
    replace: frozenset[str]
    container: frozenset[str]

    @classmethod
    def english(cls) -> ProductLexicon:
        """That of English."""
        return _english()


@cache
def _english() -> ProductLexicon:
    lists = raw_lexicon("products-en")["words"]
    people = raw_lexicon("products-en")["recipients"]
    named = " ".join(people.values())
    stop = f"{lists['stop']} {lists['gift']} {lists['generic']} {named}"
    return ProductLexicon(
        stop=_stems(stop) | frozenset(stop.split()),
        generic=_stems(f"{lists['generic']} {lists['gift']}"),
        away=frozenset(lists["away"].split()),
        possessive=frozenset(w.replace("'", "") for w in lists["possessive"].split()),
        replace=_stems(lists["replace"]),
        container=_stems(lists["container"]),
    )


def phrases(name: str, table: str = "words") -> list[str]:
    """A list of phrases of the file."""
    return list(raw_lexicon("products-en")[table][name])


@cache
def recipients(group: str) -> frozenset[str]:
    """Words for adults: ``female``, ``male``, ``anyone`` or ``old``."""
    return frozenset(raw_lexicon("products-en")["recipients"][group].split())


@cache
def _same() -> Mapping[Term, tuple[Term, ...]]:
    """Each word of a set of synonyms, with all of the set."""
    out: dict[Term, tuple[Term, ...]] = {}
    for line in raw_lexicon("products-en")["same"]["sets"]:
        terms = tuple(dict.fromkeys(tuple(words(name)) for name in line.split()))
        for term in terms:
            out[term] = tuple(dict.fromkeys([*out.get(term, ()), *terms]))
    return out


@cache
def _covers() -> Mapping[Term, tuple[Term, ...]]:
    """Each word of a concept, with all that falls under it."""
    found = raw_lexicon("products-en")["covers"]
    return {
        (stem(name),): tuple(dict.fromkeys(tuple(words(under)) for under in line.split()))
        for name, line in found.items()
    }


def synonyms(term: Term) -> tuple[Term, ...]:
    """A term, and others of its meaning; the term itself first."""
    return tuple(dict.fromkeys([term, *_same().get(term, ())]))


def covered(term: Term) -> tuple[Term, ...]:
    """A term, its synonyms and what falls under them; the term itself first."""
    out = dict.fromkeys(synonyms(term))
    for one in list(out):
        out.update(dict.fromkeys(_covers().get(one, ())))
    return tuple(out)


def phrase_heads() -> Iterable[Term]:
    """Terms of several words among the synonyms: "sleeping bag" is one thing."""
    return (term for term in _same() if len(term) > 1)


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())
