"""How a page words itself by the catalog: what items are for, and example requests.

An example is offered only if the rules read every part of it in the vocabulary of this catalog.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from coldstart.ranking.wording import zh
from coldstart.ranking.wording.amounts import amount
from coldstart.serve.responses import CatalogTerms
from coldstart.understanding.chinese import is_chinese

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coldstart.recommender import Recommender
    from coldstart.schema import Item, Understood
    from coldstart.schema.understood import PieceKind

_MOST_EXAMPLES = 4
_MOSTLY = 0.5
_SOME = 0.03
_SHORT = 24  # characters of a title that fits into a sentence
_ROUND = (1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)


_YUAN = {"": "元", "CNY": "元", "EUR": "欧元", "USD": "美元", "GBP": "英镑", "JPY": "日元"}
"""Currencies whose amounts the Chinese rules read; unnamed, 元 is money."""


class _Example(NamedTuple):
    """A text, and the kinds of piece that its parts must be read as."""

    text: str
    kinds: tuple[PieceKind, ...]


class CatalogFacts(NamedTuple):
    """What the wording of a page needs to know of a catalog, from two passes over its items.

    Args:
        priced: whether most items have a price.
        low_price: the largest round price that at most half of the items cost less than.
        currency: the most frequent code; empty if there is none.
        categories: a common one, the one most typical beside it, and a third; or empty.
        for_children: whether a share of the items is made for ten-year-olds, and not for all ages.
        timed: whether any item has a running time.
        material: the most frequent one, where the table has a column of that name.
        decade: the most frequent one but the last, where items are of several.
        known_title: of the most popular item, by what the table says; the first one without.
    """

    priced: bool
    low_price: float | None
    currency: str
    categories: tuple[str, str, str]
    for_children: bool
    timed: bool
    material: str
    decade: int | None
    known_title: str

    @classmethod
    def of(cls, items: Sequence[Item]) -> CatalogFacts:
        """Look at the items of a catalog."""
        categories: Counter[str] = Counter()
        currencies: Counter[str] = Counter()
        materials: Counter[str] = Counter()
        decades: Counter[int] = Counter()
        prices: list[float] = []
        known: Item | None = None
        priced = for_ten = timed = 0
        for item in items:
            categories.update(item.categories)
            currencies[item.attributes.get("currency", "")] += 1
            materials[item.attributes.get("material", "")] += 1
            timed += "minutes" in item.attributes
            priced += item.price is not None
            if item.price:
                prices.append(item.price)
            if item.year:
                decades[item.year // 10 * 10] += 1
            for_ten += item.max_age is not None and (item.min_age or 0) <= 10 <= item.max_age
            if len(item.title) <= _SHORT and _popularity(item) > _popularity(known):
                known = item
        materials.pop("", None)
        most = _MOSTLY * len(items)
        return cls(
            priced=priced >= most,
            low_price=_low_price(prices) if len(prices) >= most else None,
            currency=next((code for code, _ in currencies.most_common(1)), ""),
            categories=_categories(items, categories),
            for_children=for_ten >= _SOME * len(items),
            timed=bool(timed),
            material=next((name for name, _ in materials.most_common(1)), ""),
            decade=_decade(decades),
            known_title="" if known is None else known.title,
        )


def catalog_terms(recommender: Recommender, language: str) -> CatalogTerms:
    """Wording of a page about this catalog, computed once for each of its versions.

    Args:
        recommender: its catalog and template; the reader of its requests.
        language: code of the examples' language; ``zh``, otherwise English.
    """
    version = id(recommender.catalog), recommender.catalog.version
    kept = _KEPT.get(recommender)
    if kept is None or kept.version != version:
        kept = _KEPT[recommender] = _Kept(version, CatalogFacts.of(recommender.catalog.items), {})
    if language not in kept.terms:
        kept.terms[language] = _terms(recommender, kept.facts, language)
    return kept.terms[language]


class _Kept(NamedTuple):
    version: tuple[int, int]
    facts: CatalogFacts
    terms: dict[str, CatalogTerms]


_KEPT: weakref.WeakKeyDictionary[Recommender, _Kept] = weakref.WeakKeyDictionary()


def _terms(recommender: Recommender, facts: CatalogFacts, language: str) -> CatalogTerms:
    films = recommender.template.name.startswith("movies")
    read = recommender.pipeline.understand.read
    examples = _chinese(facts) if language == "zh" else _english(facts)
    fitting = [e.text for e in examples if _is_read(read(e.text), e.kinds)]
    return CatalogTerms(
        purpose="shop" if facts.priced else "films" if films else "library",
        examples=fitting[:_MOST_EXAMPLES],
    )


def _is_read(understood: Understood, kinds: Sequence[PieceKind]) -> bool:
    """Whether there is a piece of every kind, as often as it is named."""
    found = Counter((p.kind, p.words) for p in understood.pieces)
    spans = Counter(kind for kind, _ in found)
    return all(spans[kind] >= n for kind, n in Counter(kinds).items())


def _english(facts: CatalogFacts) -> Iterator[_Example]:
    wanted, other, third = (c.lower() for c in facts.categories)
    yield _Example("something gentle for my daughter, 5", ("tone", "audience"))
    if facts.low_price:
        price = amount(facts.low_price, facts.currency)
        if facts.for_children:
            text = f"a present for a ten-year-old under {price}"
            yield _Example(text, ("audience", "price"))
        yield _Example(f"{wanted or 'something'} under {price}", ("price",))
    if facts.material:
        yield _Example(f"something made of {facts.material}", ("attribute",))
    if other:
        yield _Example(f"{wanted}, but no {other}", ("category", "category"))
    if wanted and facts.timed:
        yield _Example(f"{wanted} under 90 minutes", ("category", "attribute"))
    if facts.decade:
        yield _Example(f"{third} from the {facts.decade}s", ("category", "years"))
    if not facts.low_price and facts.known_title:
        yield _Example(f"something like {facts.known_title}", ("title",))
    if wanted:
        yield _Example(f"{wanted} for a beginner", ("category",))


def _chinese(facts: CatalogFacts) -> Iterator[_Example]:
    wanted, other, third = (_in_chinese(c) for c in facts.categories)
    yield _Example("适合五岁女儿看的，温馨一点", ("tone", "audience"))
    if facts.low_price and facts.currency in _YUAN:
        price = f"{facts.low_price:g}{_YUAN[facts.currency]}以内"
        if facts.for_children:
            yield _Example(f"送给十岁孩子的礼物，{price}", ("audience", "price"))
        yield _Example(f"{price}的{wanted or '东西'}", ("price",))
    if is_chinese(facts.material):
        yield _Example(f"{facts.material}做的", ("attribute",))
    if wanted and other:
        yield _Example(f"想要{wanted}，不要{other}", ("category", "category"))
    if wanted and facts.timed:
        yield _Example(f"90分钟以内的{wanted}", ("category", "attribute"))
    if facts.decade and third:
        yield _Example(f"{facts.decade}年代的{third}", ("category", "years"))
    if not facts.low_price and facts.known_title:
        yield _Example(f"类似《{facts.known_title}》的", ("title",))


def _in_chinese(category: str) -> str:
    """Chinese name of a category; empty if none is known."""
    name = zh.VALUES.get(category.lower(), category)
    return name if is_chinese(name) else ""


def _categories(items: Sequence[Item], counts: Counter[str]) -> tuple[str, str, str]:
    """A common category, the one that is most typical beside it, and a third; or empty.

    Names with "and" or "&" are left out: in a sentence they are two.
    """
    common = [c for c, n in counts.most_common(12) if n >= 5 and not set(c) & set("&/,>")]
    if len(common) < 3:
        return (common[0] if common else ""), "", ""
    wanted = common[1]
    beside = Counter(c for i in items if wanted in i.categories for c in i.categories)
    rest = [c for c in common if c != wanted]
    other = max(rest, key=lambda c: beside[c] / counts[c])
    third = next(c for c in rest if c != other)
    return wanted, (other if beside[other] else ""), third


def _low_price(prices: Sequence[float]) -> float | None:
    """The largest round price that at most half of the prices are below."""
    middle = median(prices) if prices else 0.0
    return max((p for p in _ROUND if p <= middle), default=None)


def _decade(decades: Counter[int]) -> int | None:
    """The most frequent decade but the last, where items are of several."""
    if len(decades) < 4:
        return None
    last = max(decades)
    return max((d for d in decades if d != last), key=lambda d: decades[d])


def _popularity(item: Item | None) -> float:
    return -1.0 if item is None else item.popularity or 0.0
