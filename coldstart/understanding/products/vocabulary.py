"""What a catalog of products speaks of: its types of things, and the words of its items."""

from __future__ import annotations

import re
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_language, sample_texts
from coldstart.catalog.stems import latin_language
from coldstart.schema import Item
from coldstart.understanding.draft import Value
from coldstart.understanding.lexicon import category_forms, plural, raw_lexicon, squeezed
from coldstart.understanding.products.flags import flag_columns, value_of_yes
from coldstart.understanding.products.forms import stem, words
from coldstart.understanding.products.heads import PARTS, category_parts, title_ending, title_heads
from coldstart.understanding.products.item_words import is_named
from coldstart.understanding.products.lexicon import ProductLexicon, Term, covered, kinds
from coldstart.understanding.products.misspellings import SHORTEST, Misspellings, is_english
from coldstart.understanding.products.words_cache import words_of
from coldstart.understanding.tokens import PhraseIndex, phrase_form
from coldstart.understanding.vocabulary import PEOPLE

Texts = tuple[str, ...]
_SPLIT = re.compile(r"\s*[|,;]\s*")
_PETS = frozenset((("pet",), ("dog",), ("cat",), ("pet", "suppli")))  # names of categories
_SPOKEN = "something anything present birthday children looking without cheap under between"
"""Words of requests to which misspelt ones are corrected as well."""
_LONGEST = 60  # characters of an attribute value that can be named in a sentence
_FEWEST_KINDS = 3  # values of an attribute that sorts a catalog
_FEW_WORDS = 3  # of a request, of which all may be misspelt
_FEW = 10  # items of a category of which the share of names tells nothing
_READ = 4_000  # items of a larger catalog from which the vocabulary is taken
GENRES_FROM = 0.5
"""Share of the items with categories from which a catalog is one of stories with genres."""
DESCRIBED_FROM = 0.5
"""Share of the items whose description repeats the title's head from which titles describe."""
NAMING_FROM = 0.25
"""Share of a category's titles with a head that others have as well, from which all are types."""


@dataclass(frozen=True)
class ProductVocabulary:
    """Types and words of one catalog.

    Args:
        types: how many items each head noun is of, by stem.
        named: stems in titles, categories and attribute values.
        anywhere: stems in any text.
        common: stems of more than one item.
        absent: stems of which some text says that the item is free of them.
        categories: the catalog's categories by each of their names: "Toys & Games" has two.
        within: categories that all items of a category have as well, and others have, too.
        values: attribute values by their phrases.
        stopped: those of them whose word tells nothing elsewhere, as "down" does, by their phrases.
        spelling: correction of misspelt words to the catalog's; of none in other languages, whose
            words are no misspelt English.
    """

    types: Mapping[str, int]
    named: Mapping[str, int]
    anywhere: frozenset[str]
    common: frozenset[str]
    absent: frozenset[str]
    categories: Mapping[Term, Texts]
    within: Mapping[str, frozenset[str]]
    values: PhraseIndex[tuple[Value, ...]]
    stopped: PhraseIndex[tuple[Value, ...]]
    spelling: Misspellings

    @classmethod
    def of(cls, catalog: Catalog) -> ProductVocabulary:
        """That of a catalog as it is now; kept until it changes."""
        known = _KNOWN.get(catalog)
        if known is None or known[0] != catalog.version:
            known = _KNOWN[catalog] = catalog.version, cls._read(catalog)
        return known[1]

    @classmethod
    def _read(cls, catalog: Catalog) -> ProductVocabulary:
        """Read a catalog, or an even sample of a large one."""
        items = sampled(catalog)
        stop = ProductLexicon.english().stop
        of_title, of_category = Counter[str](), Counter[str]()
        named, anywhere, absent = Counter[str](), Counter[str](), set[str]()
        parts: dict[Term, dict[str, None]] = {}
        for item in items:
            own = words_of(item)
            of_title.update(set(title_heads(item.title)))
            of_category.update(own.heads - set(title_heads(item.title)))
            for category in item.categories:
                for part in category_parts(category):
                    parts.setdefault(part, {})[category] = None
            named.update(set(_plain(own.named)))
            anywhere.update(set(_plain(own.text)))
            absent.update(word[1:] for word in own.text.split() if word[0] == "~")
        sure = {head for head, n in of_title.items() if n > 1} | of_category.keys()
        common = {word for word, n in anywhere.items() if n > 1}
        naming = _naming(items, sure)
        types = dict(of_category)
        for item in items:
            for head in title_heads(item.title):
                if head in sure or item.categories[:1] in naming or head in _around(item):
                    types[head] = of_title[head] + of_category[head]
            ending = title_ending(item.title)
            if ending and ending[1] not in common and ending[0] in _around(item):
                types.setdefault(ending[0], 1)
        return cls(
            {
                head: n
                for head, n in types.items()
                if head not in stop and head != "free" and not head.isdigit()
            },
            dict(named),
            frozenset(anywhere),
            frozenset(common),
            frozenset(absent),
            {part: tuple(names) for part, names in parts.items()},
            _within(items),
            _values(items, stop),
            _stopped(items, stop),
            _corrector(items if _is_english(catalog) else []),
        )

    @property
    def pets(self) -> frozenset[str]:
        """Stems of words for pets."""
        return frozenset(words(raw_lexicon("products-en")["words"]["pets"]))

    @property
    def for_pets(self) -> tuple[str, ...]:
        """Categories of what is for pets; of a category and those within it the category."""
        found = (n for part, names in self.categories.items() for n in names if part in _PETS)
        names = tuple(dict.fromkeys(found))
        return tuple(n for n in names if not (self.within.get(n, frozenset()) & set(names)))

    def is_type(self, word: str) -> bool:
        """Whether a stem, or a synonym of it, says what some item is."""
        others = (t for t in kinds((word,))[1:] if self.anywhere.issuperset(t[:-1]))
        return word in self.types or any(term[-1] in self.types for term in others)

    def knows(self, word: str) -> bool:
        """Whether any text has a stem, or one of the same meaning."""
        return word in self.anywhere or any(
            all(part in self.anywhere for part in term) for term in covered((word,))[1:]
        )

    def names(self, word: str) -> bool:
        """Whether a title, category or attribute value has a stem, or one of the same meaning."""
        return word in self.named or any(
            all(part in self.named for part in term) for term in covered((word,))[1:]
        )

    def in_category(self, word: str) -> bool:
        """Whether a stem is part of the name of a category: "running", of "Running Shoes"."""
        return any(word in part for part in self.categories)

    def category_named(self, word: str, values: tuple[Value, ...]) -> str:
        """The name of a category as it is spelled there, for words written as one; or the words."""
        form = phrase_form(word)
        for kind, category, _ in values if " " not in form else ():
            for part in PARTS.split(category) if kind == "category" else ():
                if phrase_form(part).replace(" ", "") == form:
                    return part.strip()
        return word

    def is_topic(self, word: str) -> bool:
        """Whether a type is what other things show or are about, as well: dinosaurs, on shirts."""
        return 2 * self.types.get(word, 0) < self.named.get(word, 0)

    def spelled(self, forms: Sequence[str]) -> list[str]:
        """Words of a request, corrected where they are misspelt.

        A text of which most words seem misspelt is in another language, and stays as it is.
        """
        out = [f if self.knows(stem(f)) else self.spelling.correct(f) for f in forms]
        strange = [f for f, o in zip(forms, out, strict=True) if f != o or not _is_word(f)]
        return list(forms) if len(forms) > _FEW_WORDS and 2 * len(strange) > len(forms) else out


_KNOWN: weakref.WeakKeyDictionary[Catalog, tuple[int, ProductVocabulary]] = (
    weakref.WeakKeyDictionary()
)


def _values(items: list[Item], stop: AbstractSet[str]) -> PhraseIndex[tuple[Value, ...]]:
    """Attribute values by phrase; one word may be a value of several attributes.

    Of yes and no the column's name is the phrase.
    """
    found: dict[str, list[Value]] = {}
    flags = flag_columns(items)
    for part, name in _named_values(items):
        form = phrase_form(part)
        plain = len(form) > 2 and form not in stop and stem(form) not in stop
        if plain and name not in flags and len(form) <= _LONGEST:
            value: Value = ("attribute", part, name)
            if value not in found.setdefault(form, []):
                found[form].append(value)
    for name, words_of_name in flags.items():
        if yes := value_of_yes(items, name):
            found.setdefault(phrase_form(words_of_name), []).append(("attribute", yes, name))
    for item in items:
        for category in item.categories:
            for part in PARTS.split(category):
                form = phrase_form(part)
                named: Value = ("category", category, None)
                if " " in form and named not in found.setdefault(form, []):
                    found[form].append(named)
    index = PhraseIndex((form, tuple(values)) for form, values in found.items())
    for form, values in found.items():
        if " " in form:
            index.add(plural(form), tuple(values))
        if form.count(" ") == 1 and len(form) > 5:
            index.add(form.replace(" ", ""), tuple(values))
    return index


def _stopped(items: list[Item], stop: AbstractSet[str]) -> PhraseIndex[tuple[Value, ...]]:
    """Attribute values of one word that tells nothing elsewhere: "down", of a sleeping bag."""
    found: dict[str, dict[Value, None]] = {}
    for part, name in _named_values(items):
        form = phrase_form(part)
        if len(form) > 2 and " " not in form and (form in stop or stem(form) in stop):
            found.setdefault(form, {})[("attribute", part, name)] = None
    return PhraseIndex((form, tuple(values)) for form, values in found.items())


def _named_values(items: list[Item]) -> Iterator[tuple[str, str]]:
    """(value, attribute) of every attribute whose values people name, lists in parts."""
    for item in items:
        for name, text in item.attributes.items():
            for part in _SPLIT.split(text) if is_named(name) else ():
                if any(c.isalpha() for c in part):
                    yield part, name


def _corrector(items: list[Item]) -> Misspellings:
    named, told = Counter[str](), Counter[str]()
    for item in items:
        texts = (item.title, *item.categories, *item.attributes.values())
        named.update({form for text in texts for form in phrase_form(text).split()})
        told.update(set(phrase_form(item.description).split()))
    return Misspellings({w: 10 * named[w] + told[w] for w in (*named, *told, *_SPOKEN.split())})


def sampled(catalog: Catalog) -> list[Item]:
    """All items, or evenly spaced ones of a large catalog."""
    items = catalog.items
    step = max(1, len(items) // _READ)
    return list(items[::step])


def has_genres(catalog: Catalog) -> bool:
    """Whether most of a catalog's categories are genres of stories, as in films and novels."""
    own = {form for idea in _genres() for form in category_forms(idea)}
    with_categories = [item for item in sampled(catalog) if item.categories]
    found = sum(any(squeezed(c) in own for c in item.categories) for item in with_categories)
    return bool(with_categories) and found >= GENRES_FROM * len(with_categories)


def is_of_products(catalog: Catalog) -> bool:
    """Whether a catalog is read as one of products.

    It is where its categories are no genres of stories, and it has categories, prices or an
    attribute that sorts the items, or titles that describe: the description of half of the items
    repeats the head of the title. Kept until the catalog changes.
    """
    known = _OF_PRODUCTS.get(catalog)
    if known is None or known[0] != catalog.version:
        known = _OF_PRODUCTS[catalog] = catalog.version, _is_of_products(catalog)
    return known[1]


_OF_PRODUCTS: weakref.WeakKeyDictionary[Catalog, tuple[int, bool]] = weakref.WeakKeyDictionary()


def _is_of_products(catalog: Catalog) -> bool:
    if has_genres(catalog):
        return False
    items = sampled(catalog)
    if any(item.price is not None or item.categories for item in items) or _sorting(items):
        return True
    told = [item for item in items if item.description]
    named = sum(any(head in _around(item) for head in title_heads(item.title)) for item in told)
    return bool(told) and named >= DESCRIBED_FROM * len(items)


def _sorting(items: list[Item]) -> bool:
    """Whether an attribute has few values that many items share, such as the cuisine of recipes.

    Names of people and languages are no such values.
    """
    values: dict[str, Counter[str]] = {}
    for item in items:
        for name, value in item.attributes.items():
            values.setdefault(name, Counter())[value] += 1
    return any(
        not PEOPLE.search(name)
        and name.casefold() != "language"
        and n.total() >= DESCRIBED_FROM * len(items)
        and _FEWEST_KINDS <= len(n) <= n.total() / _FEW
        for name, n in values.items()
    )


def _within(items: list[Item]) -> Mapping[str, frozenset[str]]:
    """Of each category the wider ones: those of all its items, and of other items as well."""
    sizes = Counter(c for item in items for c in set(item.categories))
    shared: dict[str, set[str]] = {}
    for item in items:
        for category in item.categories:
            own = shared.setdefault(category, set(item.categories))
            own &= set(item.categories)
    return {c: frozenset(o for o in own if sizes[o] > sizes[c]) for c, own in shared.items()}


def _around(item: Item) -> frozenset[str]:
    """Stems of what is said of an item beside its title."""
    return frozenset(words("\n".join([item.description, *item.categories])))


def _naming(items: list[Item], sure: AbstractSet[str]) -> set[Texts]:
    """First categories in which titles name types of things, unlike those of books.

    Args:
        items: read.
        sure: heads of more than one title, or of categories.
    """
    seen, good = Counter[Texts](), Counter[Texts]()
    for item in items:
        seen[item.categories[:1]] += 1
        good[item.categories[:1]] += any(h in sure for h in title_heads(item.title))
    return {first for first, n in seen.items() if n < _FEW or good[first] >= NAMING_FROM * n}


@lru_cache(maxsize=1)
def _genres() -> frozenset[str]:
    """Names of genres in every language, without those that are kinds of products as well."""
    english = raw_lexicon("en")
    out = set[str]()
    for language in ("en", "zh"):
        for idea, names in raw_lexicon(language).get("categories", {}).items():
            out.update((idea, *names))
    ambiguous = {*english["words"]["ambiguous"], "sports", "kids", "children", "musical", "imax"}
    ambiguous |= {"children's", "儿童", "兒童"}
    return frozenset(name for name in out if name.casefold() not in ambiguous)


def _is_english(catalog: Catalog) -> bool:
    """Whether the Latin words of a catalog are English."""
    known = catalog_language(catalog) in ("en", "zh")
    return known and latin_language(sample_texts(catalog)) == "en"


def _is_word(form: str) -> bool:
    """Whether a word may be English or a name: others of letters alone are of other languages."""
    return not form.isalpha() or len(form) < SHORTEST or is_english(form)


def _plain(text: str) -> list[str]:
    return [word.lstrip("~") for word in text.split() if word != "|"]
