"""Vocabulary of one catalog: phrases for its categories and attribute values."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import FOREIGN, LANGUAGE
from coldstart.schema.understood import PieceKind
from coldstart.understanding.lexicon import Lexicon, Sense, plural
from coldstart.understanding.spelling import SpellingCorrector
from coldstart.understanding.tokens import PhraseIndex, phrase_form

PEOPLE = re.compile(
    r"actor|actress|artist|author|cast|compos|creator|direct|performer|person|people|producer|"
    r"singer|star|writer|band|narrator",
    re.I,
)
"""Names of attributes that hold people."""
_SPLIT = re.compile(r"\s*[|,;]\s*")
_SPOKEN = frozenset((LANGUAGE, FOREIGN))  # read by ``languages``
_LONGEST = 80  # characters of an attribute value that can be named in a sentence


def latest_year(catalog: Catalog) -> int | None:
    """The catalog's latest year."""
    return max((item.year for item in catalog if item.year is not None), default=None)


def category_names(catalog: Catalog) -> list[str]:
    """The catalog's categories in its spelling, the most frequent first."""
    counted = Counter(name for item in catalog for name in item.categories)
    return [name for name, _ in counted.most_common()]


def english_phrases(catalog: Catalog, lexicon: Lexicon) -> PhraseIndex[Sense | None]:
    """Phrases that mean something in a catalog; ``None`` for phrases that are passed over.

    Categories come first, then people by their whole names, the lexicon, and attribute values.
    """
    index: PhraseIndex[Sense | None] = PhraseIndex()
    stop = frozenset("".join(lexicon.words("words.stop")).split())
    adjectives = {p for p, sense in lexicon.senses() if not sense.noun}
    names = [(name, name) for name in category_names(catalog)]
    for spelled, name in (*names, *lexicon.category_phrases()):
        for form in {spelled, plural(spelled), spelled.removesuffix("s")}:
            noun = form.casefold() not in adjectives
            many = noun and form.endswith("s") and form != "s"
            sense = Sense(want=((name,),), against=(name,), direct=True, noun=noun, plural=many)
            _add(index, form, sense)
    attributes = _attributes(catalog, stop, common_words(lexicon))
    for phrase, sense in attributes:
        if sense.kind == "person" and " " in phrase_form(phrase):
            index.add(phrase, sense)  # before "agatha christie" stands for mysteries
    for phrase in lexicon.words("words.ignore"):
        index.add(phrase, None)
    for phrase, sense in lexicon.senses():
        _add(index, phrase, sense)
    for phrase, sense in attributes:
        index.add(phrase, sense)
    return index


def corrector(
    catalog: Catalog, lexicon: Lexicon, phrases: PhraseIndex[Sense | None]
) -> SpellingCorrector:
    """Spelling correction to the names of categories and what means them outright."""
    words, known = set[str](), set(common_words(lexicon))
    for phrase, sense in phrases.items():
        if sense is not None and sense.strict and sense.kind == "category":
            words.update(phrase.split())
        known.update(phrase.split())
    for kind in ("reject", "brief", "before", "neutral", "harmless", "resume"):
        known.update(w for phrase in lexicon.words(f"marks.{kind}") for w in phrase.split())
    known.update(form for item in catalog for form in phrase_form(item.title).split())
    return SpellingCorrector(words - set(common_words(lexicon)), frozenset(known))


def common_words(lexicon: Lexicon) -> frozenset[str]:
    """Words that are no titles or names by themselves."""
    text = lexicon.words("words.common")
    return frozenset("".join(text).split()) | frozenset(lexicon.words("words.fillers"))


def attribute_senses(catalog: Catalog) -> dict[str, Sense]:
    """Each attribute value of the catalog, with what it stands for."""
    found: dict[tuple[str, str], None] = {}
    whole: set[tuple[str, str]] = set()
    for item in catalog:
        for name, value in item.attributes.items():
            if name not in _SPOKEN:
                whole.add((name, value))
    for name, value in whole:
        for part in _SPLIT.split(value):
            if part and len(part) <= _LONGEST and not part.isdigit():
                found[name, part] = None
    out: dict[str, Sense] = {}
    for name, value in sorted(found):
        kind: PieceKind = "person" if PEOPLE.search(name) else "attribute"
        out.setdefault(
            value,
            Sense(kind, ((value,),), against=(value,), direct=True, attribute=name),
        )
    return out


def _attributes(
    catalog: Catalog, stop: frozenset[str], common: frozenset[str]
) -> list[tuple[str, Sense]]:
    out = []
    surnames: dict[str, list[tuple[str, Sense]]] = defaultdict(list)
    for value, sense in attribute_senses(catalog).items():
        form = phrase_form(value)
        words = form.split()
        if not words or (len(words) == 1 and (len(form) < 3 or form in stop)):
            continue
        out.append((value, sense))
        if sense.kind == "person" and len(words) > 1 and len(words[-1]) > 4:
            surnames[words[-1]].append((value, sense))
    for surname, people in surnames.items():
        if len(people) == 1 and surname not in common:
            out.append((surname, people[0][1]))
    return out


def _add(index: PhraseIndex[Sense | None], phrase: str, sense: Sense) -> None:
    """Add a phrase, and its words written as one."""
    index.add(phrase, sense)
    form = phrase_form(phrase)
    if form.count(" ") == 1 and len(form) > 5:
        index.add(form.replace(" ", ""), sense)
