"""Categories and attributes that filters name and the catalog lacks, most likely misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from coldstart.catalog.names import catalog_names, nearest_names
from coldstart.protocols import Filter
from coldstart.ranking.filters import Attributes, Categories

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

_MOST_SHOWN = 30


def unknown_names(filters: Sequence[Filter], catalog: Catalog) -> list[tuple[str, str]]:
    """Names in category and attribute filters that no item of the catalog has.

    Args:
        filters: of a request.
        catalog: whose items they filter.

    Returns:
        What is unknown, and a hint: the nearest name, or those there are.
    """
    return [found for one in filters for found in _unknown(one, catalog)]


def _unknown(one: Filter, catalog: Catalog) -> Iterator[tuple[str, str]]:
    if isinstance(one, Categories):
        categories = catalog_names(catalog).categories
        for key, name in (one.include | one.exclude).items():
            if key not in categories:
                yield f"no item has category {name!r}", _hint(name, categories.values())
    if isinstance(one, Attributes):
        attributes = catalog_names(catalog).attributes
        for name, wanted in one.wanted.items():
            if name not in attributes:
                yield f"no item has an attribute {name!r}", _hint(name, attributes)
                continue
            values = attributes[name]
            for key, value in wanted.items():
                if key not in values:
                    yield f"no item has {name} {value!r}", _hint(value, values.values())


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if near := nearest_names(name, names):
        return f"did you mean {near[0]!r}?"
    if not names:
        return "the catalog has none"
    shown = ", ".join(sorted(names)[:_MOST_SHOWN])
    return f"there are: {shown}" + (" and more" if len(names) > _MOST_SHOWN else "")
