"""Survey of a catalog: what there is to recommend by, in figures and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.catalog_scripts import catalog_language, catalog_scripts
from coldstart.errors import CatalogError
from coldstart.schema import Item

_FEWEST = 2  # items
_LETTERS = 2  # of a title with text


@dataclass(frozen=True)
class CatalogSurvey:
    """What a catalog says of its items.

    Args:
        items: number of items.
        available: of these can be had.
        language: code of its language, as its scripts speak for; empty if they do not.
        scripts: share of its letters by script, the largest first.
        described: items with a description.
        categorised: items with a category.
        categories: number of different categories.
        priced: items with a price.
        dated: items with a year.
        aged: items with a minimum or maximum age of the audience.
        rated: items with a popularity, such as sales or votes.
        attributes: names of the attributes.
    """

    items: int
    available: int
    language: str
    scripts: dict[str, float]
    described: int
    categorised: int
    categories: int
    priced: int
    dated: int
    aged: int
    rated: int
    attributes: tuple[str, ...]

    @classmethod
    def of(cls, catalog: Catalog) -> CatalogSurvey:
        """Survey a catalog.

        Raises:
            CatalogError: nothing can be recommended: no item or one, or titles without words.
        """
        items = catalog.items
        _check(items)
        return cls(
            items=len(items),
            available=sum(i.available for i in items),
            language=catalog_language(catalog),
            scripts=catalog_scripts(catalog),
            described=sum(bool(i.description) for i in items),
            categorised=sum(bool(i.categories) for i in items),
            categories=len({c.casefold() for i in items for c in i.categories}),
            priced=sum(i.price is not None for i in items),
            dated=sum(i.year is not None for i in items),
            aged=sum(i.min_age is not None or i.max_age is not None for i in items),
            rated=sum(i.popularity is not None for i in items),
            attributes=tuple(sorted({n for i in items for n in i.attributes})),
        )

    @property
    def prompt(self) -> str:
        """Name of the packaged prompt in the catalog's language."""
        return "catalog-zh" if self.language == "zh" else "catalog-en"

    def sentences(self) -> list[str]:
        """What lists are made from, and what they lack, in sentences without a full stop."""
        lacking = [
            (self.described, "descriptions", "requests are compared with titles and categories"),
            (self.categorised, "categories", "no request can name one"),
            (self.rated, "sales or votes", "nothing tells well-known items from others"),
            (self.priced, "prices", "requests cannot limit them"),
        ]
        everywhere = [name for n, name, _ in lacking if n == self.items]
        partly = [f"{name} of {n:,}" for n, name, _ in lacking if 0 < n < self.items]
        out = [f"{self.items:,} items"]
        if everywhere:
            out[0] += f", all with {_listed(everywhere)}"
        if partly:
            out[0] += f"; {_listed(partly)}"
        out += [f"without {name}: {so}" for n, name, so in lacking if not n]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"attributes": list(self.attributes)}


def _check(items: Sequence[Item]) -> None:
    if len(items) < _FEWEST:
        raise CatalogError(
            f"the catalog has {'one item' if items else 'no items'}, expected at least {_FEWEST}",
            hint="give a table with a row per item",
        )
    worded = sum(sum(c.isalpha() for c in item.title) >= _LETTERS for item in items)
    described = sum(any(c.isalpha() for c in item.content_text()) for item in items)
    if not worded and 2 * described < len(items) + 1:
        raise CatalogError(
            f"the catalog has no text: titles such as {items[0].title[:40]!r} have no words, and "
            f"{len(items) - described:,} of {len(items):,} items no description",
            hint="is this the column of titles? Name it: columns={'title': …}",
        )
    if not any(item.available for item in items):
        raise CatalogError(
            f"none of the {len(items):,} items is available",
            hint="correct the column of the stock, or leave it out: columns={'available': None}",
        )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
