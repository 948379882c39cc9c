"""How a page words itself by the catalog: what items are for, and example requests.

An example is offered only if the rules read every part of it in the vocabulary of this catalog.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from coldstart.ranking.wording import zh
from coldstart.ranking.wording.amounts import amount
from coldstart.serve.responses import CatalogTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coldstart.recommender import Recommender
    from coldstart.schema import Item, Understood
    from coldstart.schema.understood import PieceKind

_MOST_EXAMPLES = 4
_MOSTLY = 0.5
_SOME = 0.03
_ROUND = (1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)


class _Example(NamedTuple):
    """A text, and the kinds of piece that its parts must be read as."""

    text: str
    kinds: tuple[PieceKind, ...]


def catalog_terms(recommender: Recommender, language: str) -> CatalogTerms:
    """Wording of a page about this catalog.

    Args:
        recommender: its catalog and template; the reader of its requests.
        language: code of the examples' language; ``zh``, otherwise English.
    """
    items = list(recommender.catalog)
    priced = sum(i.price is not None for i in items) >= _MOSTLY * len(items)
    films = recommender.template.name.startswith("movies")
    read = recommender.pipeline.understand.read
    examples = _chinese if language == "zh" else _english
    fitting = [e.text for e in examples(items) if _is_read(read(e.text), e.kinds)]
    return CatalogTerms(
        purpose="shop" if priced else "films" if films else "library",
        examples=fitting[:_MOST_EXAMPLES],
    )


def _is_read(understood: Understood, kinds: Sequence[PieceKind]) -> bool:
    """Whether there is a piece of every kind, as often as it is named."""
    found = Counter((p.kind, p.words) for p in understood.pieces)
    spans = Counter(kind for kind, _ in found)
    return all(spans[kind] >= n for kind, n in Counter(kinds).items())


def _english(items: Sequence[Item]) -> Iterator[_Example]:
    wanted, other, third = _categories(items)
    yield _Example("something gentle for my daughter, 5", ("tone", "audience"))
    low = _low_price(items)
    if low:
        price = amount(low, _currency(items))
        if _for_children(items):
            text = f"a present for a ten-year-old under {price}"
            yield _Example(text, ("audience", "price"))
        yield _Example(f"{wanted.lower() or 'something'} under {price}", ("price",))
    if material := _material(items):
        yield _Example(f"something made of {material}", ("attribute",))
    if other:
        yield _Example(f"{wanted.lower()}, but no {other.lower()}", ("category", "category"))
    if wanted and any("minutes" in i.attributes for i in items):
        yield _Example(f"{wanted.lower()} under 90 minutes", ("category", "attribute"))
    if decade := _decade(items):
        yield _Example(f"{third.lower()} from the {decade}s", ("category", "years"))
    if not low and (title := _known_title(items)):
        yield _Example(f"something like {title}", ("title",))
    if wanted:
        yield _Example(f"{wanted.lower()} for a beginner", ("category",))


def _chinese(items: Sequence[Item]) -> Iterator[_Example]:
    wanted, other, third = (zh.VALUES.get(c.lower(), c) for c in _categories(items))
    yield _Example("适合五岁女儿看的，温馨一点", ("tone", "audience"))
    low = _low_price(items)
    if low:
        if _for_children(items):
            yield _Example(f"送给十岁孩子的礼物，{low:g}元以内", ("audience", "price"))
        yield _Example(f"{low:g}元以内的{wanted or '东西'}", ("price",))
    if material := _material(items):
        yield _Example(f"{material}做的", ("attribute",))
    if other:
        yield _Example(f"想要{wanted}，不要{other}", ("category", "category"))
    if wanted and any("minutes" in i.attributes for i in items):
        yield _Example(f"90分钟以内的{wanted}", ("category", "attribute"))
    if decade := _decade(items):
        yield _Example(f"{decade}年代的{third}", ("category", "years"))
    if not low and (title := _known_title(items)):
        yield _Example(f"类似《{title}》的", ("title",))


def _categories(items: Sequence[Item]) -> tuple[str, str, str]:
    """A common category, the one that is most typical beside it, and a third; or empty.

    Names with "and" or "&" are left out: in a sentence they are two.
    """
    counts = Counter(c for item in items for c in item.categories)
    common = [c for c, n in counts.most_common(12) if n >= 5 and not set(c) & set("&/,>")]
    if len(common) < 3:
        return (common[0] if common else ""), "", ""
    wanted = common[1]
    beside = Counter(c for i in items if wanted in i.categories for c in i.categories)
    rest = [c for c in common if c != wanted]
    other = max(rest, key=lambda c: beside[c] / counts[c])
    third = next(c for c in rest if c != other)
    return wanted, (other if beside[other] else ""), third


def _material(items: Sequence[Item]) -> str:
    """The most frequent material, where the table has a column of that name."""
    found = Counter(i.attributes["material"] for i in items if i.attributes.get("material"))
    return found.most_common(1)[0][0] if found else ""


def _low_price(items: Sequence[Item]) -> float | None:
    """The largest round price that at most half of the items cost less than."""
    prices = [item.price for item in items if item.price]
    if len(prices) < _MOSTLY * len(items):
        return None
    return max((p for p in _ROUND if p <= median(prices)), default=None)


def _currency(items: Sequence[Item]) -> str:
    codes = Counter(item.attributes.get("currency", "") for item in items)
    return codes.most_common(1)[0][0]


def _for_children(items: Sequence[Item]) -> bool:
    """Whether a share of the items is made for ten-year-olds, and not for all ages."""
    made = sum(i.max_age is not None and (i.min_age or 0) <= 10 <= i.max_age for i in items)
    return made >= _SOME * len(items)


def _decade(items: Sequence[Item]) -> int | None:
    """The most frequent decade but the last, where items are of several."""
    decades = Counter(item.year // 10 * 10 for item in items if item.year)
    if len(decades) < 4:
        return None
    decades.pop(max(decades))
    return decades.most_common(1)[0][0]


def _known_title(items: Sequence[Item]) -> str:
    """Title of the most popular item, by what the table says; the first one without."""
    short = [i for i in items if len(i.title) <= 24]
    return max(short, key=lambda i: i.popularity or 0.0).title if short else ""
